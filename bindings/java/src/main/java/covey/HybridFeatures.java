package covey;

import java.nio.FloatBuffer;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;

/** A fitted transform that joins embeddings and expert features. Its rows are the input of clustering. */
public final class HybridFeatures extends NativeObject {
    private HybridFeatures(long address) { super("HybridFeatures", address, Native::hybridDestroy); }

    /**
     * Fits the transform. Cost: O(n d + n f); with principal components O(n d^2 + d^3).
     *
     * @param embeddings n x d, or null
     * @param features n rows, or null; not both may be null
     * @param options null means the defaults
     * @param context null means the defaults
     * @throws CoveyException INVALID_ARGUMENT, INVALID_DATA (NaN in embeddings, infinities, no rows), MISMATCH (row
     *     counts, column weights), OUT_OF_MEMORY, CANCELLED
     */
    public static HybridFeatures fit(Matrix embeddings, FeatureTable features, HybridOptions options, Context context) {
        HybridOptions chosen = options == null ? HybridOptions.defaults() : options;
        double[] weights = chosen.columnWeights();
        if (weights != null) {
            Numbers.requireRows(weights, features == null ? 0 : features.values.length, "column_weights");
        }
        try (Use with = Use.of(context)) {
            return new HybridFeatures(Native.hybridFit(with.address(), embeddings, features, chosen.scaling().ordinal(),
                                                       chosen.missing().ordinal(), chosen.embeddingComponents(),
                                                       chosen.embeddingWeight(), chosen.featureWeight(), chosen.clip(),
                                                       weights));
        }
    }

    /**
     * Writes the fitted transform to a file. The write is atomic.
     *
     * @throws CoveyException IO, OUT_OF_MEMORY, CANCELLED
     */
    public void save(Path path, Context context) {
        try (Use self = use(); Use with = Use.of(context)) {
            Native.hybridSave(self.address(), with.address(), Text.encode(path));
        }
    }

    /**
     * Reads a transform that was written by {@link #save}, by C or by Python.
     *
     * @throws CoveyException IO, CORRUPT_FILE, UNSUPPORTED, OUT_OF_MEMORY, CANCELLED
     */
    public static HybridFeatures load(Path path, Context context) {
        try (Use with = Use.of(context)) {
            return new HybridFeatures(Native.hybridLoad(with.address(), Text.encode(path)));
        }
    }

    /** The bytes of the file that {@link #save} writes. */
    public byte[] toBytes() { return toBytes(null); }

    /** The same as {@link #toBytes()}. @param context null means the defaults */
    public byte[] toBytes(Context context) {
        try (Use self = use(); Use with = Use.of(context)) {
            return Native.hybridWrite(self.address(), with.address());
        }
    }

    /** Reads the bytes that {@link #toBytes} returned. Errors are those of {@link #load}. */
    public static HybridFeatures of(byte[] bytes, Context context) {
        Objects.requireNonNull(bytes, "bytes");
        try (Use with = Use.of(context)) {
            return new HybridFeatures(Native.hybridRead(with.address(), bytes));
        }
    }

    /** The number of columns of a transformed row. */
    public int dimension() {
        try (Use self = use()) {
            return (int)Native.hybridDimension(self.address());
        }
    }

    /** The names of the transformed columns, for example "embedding[3]", "amount", "country=NL", "age missing". */
    public List<String> columnNames() {
        try (Use self = use()) {
            String[] names = new String[(int)Native.hybridDimension(self.address())];
            for (int column = 0; column < names.length; ++column) {
                names[column] = Text.decode(Native.hybridColumnName(self.address(), column));
            }
            return List.of(names);
        }
    }

    /**
     * Transforms n rows to n x dimension, float32. Columns are found by name, in any order, and other columns are
     * ignored. Categories are matched by name. Cost: O(n (d + f)); with principal components O(n d^2).
     *
     * @param embeddings n x d, or null if the transform was fitted without embeddings
     * @param features n rows, or null if it was fitted without features
     * @throws CoveyException as {@link #fit}; MISMATCH with the name of a column that is missing or of another kind
     */
    public Matrix transform(Matrix embeddings, FeatureTable features, Context context) {
        try (Use self = use(); Use with = Use.of(context)) {
            int dimension = (int)Native.hybridDimension(self.address());
            int rows = embeddings != null ? embeddings.rows : features != null ? features.rows : 0;
            float[] output = new float[Text.size(rows, dimension, "output")];
            Native.hybridTransform(self.address(), with.address(), embeddings, features, output);
            return Matrix.of(output, rows, dimension);
        }
    }

    /** The same, into the remaining space of a direct buffer in native byte order, without a copy. */
    public void transform(Matrix embeddings, FeatureTable features, Context context, FloatBuffer output) {
        SequenceEncoder.requireWritable(output);
        try (Use self = use(); Use with = Use.of(context)) {
            Native.hybridTransform(self.address(), with.address(), embeddings, features,
                                   Numbers.direct(output, "output"));
        }
    }
}
