package covey;

import java.nio.FloatBuffer;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;

/** A bidirectional LSTM with time attention that turns a sequence of events into a vector. */
public final class SequenceEncoder extends NativeObject {
    private SequenceEncoder(long address) { super("SequenceEncoder", address, Native::encoderDestroy); }

    /** Borrows the encoder of `owner`. It holds a use of the owner until it is freed itself. */
    private SequenceEncoder(long address, Handle owner) {
        super("SequenceEncoder", address, borrowed -> owner.release());
    }

    static SequenceEncoder borrow(Handle owner, long address) {
        owner.acquire();
        return new SequenceEncoder(address, owner);
    }

    /** The number format in which embeddings are computed. The order is that of COVEY_PRECISION_. */
    public enum Precision {
        /** The error is at most 1e-5 of the model's equations. */
        FLOAT32,
        /**
         * The error is at most 2e-3. About twice as fast on processors with AVX512_BF16; on others it is the same as
         * FLOAT32.
         */
        BFLOAT16
    }

    /** The same as {@link #load(Path, Context)}, with the defaults. */
    public static SequenceEncoder load(Path path) { return load(path, null); }

    /**
     * Reads an encoder from a safetensors file, which PyTorch may have written.
     *
     * @throws CoveyException IO, CORRUPT_FILE (with the name of the tensor or of the entry), UNSUPPORTED, OUT_OF_MEMORY
     */
    public static SequenceEncoder load(Path path, Context context) {
        byte[] name = Text.encode(path);
        try (Use with = Use.of(context)) {
            return new SequenceEncoder(Native.encoderLoad(with.address(), name));
        }
    }

    /** The same as {@link #train(Sequences, Vocabulary, TrainingOptions, Context)}, with the defaults. */
    public static Training train(Sequences sequences, Vocabulary vocabulary) {
        return train(sequences, vocabulary, null, null);
    }

    /**
     * Trains an encoder without labels. The weights depend only on the input, the options and the seed, not on the
     * number of threads.
     *
     * @param vocabulary the event types; the types of the sequences are its indices
     * @param options null means the defaults
     * @param context null means the defaults
     * @throws CoveyException INVALID_ARGUMENT, INVALID_DATA (no events; a loss that is not finite), MISMATCH (a
     *     checkpoint of another training), CORRUPT_FILE, IO, OUT_OF_MEMORY, CANCELLED. If the training had begun,
     *     {@link CoveyException#training} has the best encoder so far.
     */
    public static Training train(Sequences sequences, Vocabulary vocabulary, TrainingOptions options, Context context) {
        return Training.run(sequences, vocabulary, options, context);
    }

    /**
     * Writes the encoder to a file. The write is atomic: {@code path} has the complete old or the complete new file.
     *
     * @throws CoveyException IO
     */
    public void save(Path path) { save(path, null); }

    /**
     * The same as {@link #save(Path)}. A file that is replaced keeps its mode and owner. Symbolic links are followed.
     *
     * @param context null means the defaults
     * @throws CoveyException IO, OUT_OF_MEMORY, CANCELLED
     */
    public void save(Path path, Context context) {
        byte[] name = Text.encode(path);
        try (Use self = use(); Use with = Use.of(context)) {
            Native.encoderSave(self.address(), with.address(), name);
        }
    }

    /** The length d of an embedding. */
    public int dimension() {
        try (Use self = use()) {
            return (int)Native.encoderDimension(self.address());
        }
    }

    /** The event vocabulary. It keeps the memory of the encoder until it is closed itself. */
    public Vocabulary vocabulary() {
        try (Use self = use()) {
            return Vocabulary.borrow(handle, Native.encoderVocabulary(self.address()));
        }
    }

    /** Returns true if the model uses dwell. Then sequences must have it. */
    public boolean usesDwell() {
        try (Use self = use()) {
            return Native.encoderUsesDwell(self.address());
        }
    }

    /** The names of the numeric channels that sequences must have, in order. */
    public List<String> numericNames() {
        try (Use self = use()) {
            String[] names = new String[(int)Native.encoderNumericCount(self.address())];
            for (int channel = 0; channel < names.length; ++channel) {
                names[channel] = Text.decode(Native.encoderNumericName(self.address(), channel));
            }
            return List.of(names);
        }
    }

    /** The names of the categorical channels that sequences must have, in order. */
    public List<String> categoricalNames() {
        try (Use self = use()) {
            String[] names = new String[(int)Native.encoderCategoricalCount(self.address())];
            for (int channel = 0; channel < names.length; ++channel) {
                names[channel] = Text.decode(Native.encoderCategoricalName(self.address(), channel));
            }
            return List.of(names);
        }
    }

    /**
     * The vocabulary of a categorical channel. It keeps the memory of the encoder until it is closed itself.
     *
     * @throws IndexOutOfBoundsException if there is no such channel
     */
    public Vocabulary categoricalVocabulary(int channel) {
        try (Use self = use()) {
            Objects.checkIndex(channel, (int)Native.encoderCategoricalCount(self.address()));
            return Vocabulary.borrow(handle, Native.encoderCategoricalVocabulary(self.address(), channel));
        }
    }

    /** The same as {@link #embed(Sequences, Context)}, with the defaults. */
    public Matrix embed(Sequences sequences) { return embed(sequences, null); }

    /**
     * Embeds each sequence: count x d, float32. The result does not depend on the number of threads, nor on the other
     * sequences of the batch. Cost: O(events * H^2) for a hidden size of H.
     *
     * @throws CoveyException INVALID_DATA (offsets, times, dwell, infinite channels), MISMATCH (channels, lengths),
     *     OUT_OF_MEMORY, CANCELLED
     */
    public Matrix embed(Sequences sequences, Context context) { return embed(sequences, context, Precision.FLOAT32); }

    /** The same in a given precision. */
    public Matrix embed(Sequences sequences, Context context, Precision precision) {
        return embed(sequences, context, precision, false).embeddings();
    }

    /** The same, with the attention weight of each event. */
    public Embedded embedWithAttention(Sequences sequences, Context context) {
        return embedWithAttention(sequences, context, Precision.FLOAT32);
    }

    /** The same in a given precision. */
    public Embedded embedWithAttention(Sequences sequences, Context context, Precision precision) {
        return embed(sequences, context, precision, true);
    }

    /**
     * The same, into the remaining space of a direct buffer in native byte order, without a copy.
     *
     * @throws CoveyException also BUFFER_TOO_SMALL
     */
    public void embed(Sequences sequences, Context context, FloatBuffer embeddings) {
        embed(sequences, context, Precision.FLOAT32, embeddings);
    }

    /** The same in a given precision. */
    public void embed(Sequences sequences, Context context, Precision precision, FloatBuffer embeddings) {
        Objects.requireNonNull(sequences, "sequences");
        requireWritable(embeddings);
        try (Use self = use(); Use with = Use.of(context)) {
            Native.encoderEmbed(self.address(), with.address(), sequences, precision.ordinal(),
                                Numbers.direct(embeddings, "embeddings"), null);
        }
    }

    static void requireWritable(FloatBuffer buffer) {
        if (buffer.isReadOnly()) {
            throw new CoveyException(StatusCode.INVALID_ARGUMENT, "the output must not be a read-only buffer");
        }
    }

    private Embedded embed(Sequences sequences, Context context, Precision precision, boolean withAttention) {
        Objects.requireNonNull(sequences, "sequences");
        try (Use self = use(); Use with = Use.of(context)) {
            int dimension = (int)Native.encoderDimension(self.address());
            float[] embeddings = new float[Text.size(sequences.count(), dimension, "embeddings")];
            float[] attention = withAttention ? new float[sequences.attentionLength()] : null;
            Native.encoderEmbed(self.address(), with.address(), sequences, precision.ordinal(), embeddings, attention);
            return new Embedded(Matrix.of(embeddings, sequences.count(), dimension), attention);
        }
    }

    /**
     * Embeddings and attention weights.
     *
     * @param embeddings count x d, float32
     * @param attention one weight for each event from the first offset to the last, in the order of the events as
     *     given; 0 to 1. The weights of each sequence sum to 1
     */
    public record Embedded(Matrix embeddings, float[] attention) {}
}
