package covey;

import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;

/** The outcome of HDBSCAN: labels, strengths, outlier scores and the trees they come from. */
public final class Clustering extends NativeObject {
    private Clustering(long address) {
        super("Clustering", address, Native::clusteringDestroy);
    }

    /**
     * Clusters the rows of a matrix (n x d). Exact search equals hdbscan and scikit-learn's HDBSCAN up to the numbering of
     * clusters and ties. No rows give an empty result; fewer rows than the smallest cluster give noise alone.
     *
     * <p>Cost: exact O(n^2 d) at the worst; memory beside the input O(n k).
     *
     * @param options null = the defaults
     * @param context null = the defaults
     * @throws CoveyException INVALID_ARGUMENT, INVALID_DATA (names row and column), OUT_OF_MEMORY, CANCELLED
     */
    public static Clustering cluster(Matrix matrix, ClusterOptions options, Context context) {
        Objects.requireNonNull(matrix, "matrix");
        ClusterOptions chosen = options == null ? ClusterOptions.defaults() : options;
        try (Use with = Use.of(context)) {
            return new Clustering(
                    Native.clusterMatrix(with.address(), matrix, chosen.integers(), chosen.reals()));
        }
    }

    /**
     * Clusters n rows of which only the distances to each other are known: n x n, finite, at least 0, symmetric. There is no
     * prediction. Cost: O(n^2).
     *
     * @throws CoveyException as {@link #cluster}; MISMATCH (not square)
     */
    public static Clustering ofDistances(Matrix distances, ClusterOptions options, Context context) {
        Objects.requireNonNull(distances, "distances");
        ClusterOptions chosen = options == null ? ClusterOptions.defaults() : options;
        try (Use with = Use.of(context)) {
            return new Clustering(
                    Native.clusterDistances(with.address(), distances, chosen.integers(), chosen.reals()));
        }
    }

    /**
     * Clusters n rows by a spanning tree of theirs, made elsewhere: n - 1 edges in any order, distances by mutual
     * reachability. There is no prediction. Cost: O(n log n).
     *
     * @throws CoveyException as {@link #cluster}; INVALID_DATA (no tree)
     */
    public static Clustering ofSpanningTree(long rows, List<Edge> edges, ClusterOptions options, Context context) {
        ClusterOptions chosen = options == null ? ClusterOptions.defaults() : options;
        if (edges.size() != Math.max(0, rows - 1)) {
            throw new IllegalArgumentException("a tree of " + rows + " rows has " + Math.max(0, rows - 1) + " edges, got "
                    + edges.size());
        }
        long[] words = new long[3 * edges.size()];
        int next = 0;
        for (Edge edge : edges) {
            words[next++] = edge.from();
            words[next++] = edge.to();
            words[next++] = Double.doubleToRawLongBits(edge.distance());
        }
        try (Use with = Use.of(context)) {
            return new Clustering(
                    Native.clusterSpanningTree(with.address(), rows, words, chosen.integers(), chosen.reals()));
        }
    }

    /**
     * Other clusters on the same tree, without clustering again: by options, of which those that say how rows are read,
     * searched and kept stay as they were. Cost: O(n).
     *
     * @param options null = the defaults; {@link ClusterOptions.Builder#clusters} asks for a number of clusters
     * @throws CoveyException INVALID_ARGUMENT, OUT_OF_MEMORY, CANCELLED
     */
    public Clustering select(ClusterOptions options, Context context) {
        return select(options, null, context);
    }

    /**
     * Likewise, with nodes of the condensed tree (n = the root, and above) as the clusters, none above another; null = as the
     * options say.
     */
    public Clustering select(ClusterOptions options, long[] nodes, Context context) {
        ClusterOptions chosen = options == null ? ClusterOptions.defaults() : options;
        try (Use self = use();
                Use with = Use.of(context)) {
            return new Clustering(Native.clusteringSelect(
                    self.address(), with.address(), chosen.integers(), chosen.reals(), nodes));
        }
    }

    /**
     * Writes the clustering to a file, whole or not at all.
     *
     * @throws CoveyException IO, OUT_OF_MEMORY, CANCELLED
     */
    public void save(Path path, Context context) {
        try (Use self = use();
                Use with = Use.of(context)) {
            Native.clusteringSave(self.address(), with.address(), Text.encode(path));
        }
    }

    /**
     * Reads a clustering that {@link #save}, C or Python wrote. Cost: O(n log n).
     *
     * @throws CoveyException IO, CORRUPT_FILE, UNSUPPORTED, OUT_OF_MEMORY, CANCELLED
     */
    public static Clustering load(Path path, Context context) {
        try (Use with = Use.of(context)) {
            return new Clustering(Native.clusteringLoad(with.address(), Text.encode(path)));
        }
    }

    /** The bytes of the file that {@link #save} writes. */
    public byte[] toBytes() {
        try (Use self = use()) {
            return Native.clusteringWrite(self.address());
        }
    }

    /** Reads back what {@link #toBytes} gave; as {@link #load}. */
    public static Clustering of(byte[] bytes, Context context) {
        Objects.requireNonNull(bytes, "bytes");
        try (Use with = Use.of(context)) {
            return new Clustering(Native.clusteringRead(with.address(), bytes));
        }
    }

    /** What it was made with, or selected by; minSamples is the one that it came to. */
    public ClusterOptions options() {
        try (Use self = use()) {
            long[] integers = new long[13];
            double[] reals = new double[4];
            Native.clusteringOptions(self.address(), integers, reals);
            return ClusterOptions.of(integers, reals);
        }
    }

    /** d, the columns of the clustered rows. */
    public int columns() {
        try (Use self = use()) {
            return (int) Native.clusteringColumns(self.address());
        }
    }

    /** The rows that are kept with {@link ClusterOptions#prediction()}, n x d, one after another; NaN in those that were not used. */
    public double[] fittedRows() {
        try (Use self = use()) {
            int rows = (int) Native.clusteringRows(self.address());
            int columns = (int) Native.clusteringColumns(self.address());
            double[] numbers = new double[Text.size(rows, columns, "rows")];
            Native.clusteringFittedRows(self.address(), numbers);
            return numbers;
        }
    }

    /**
     * The labels of a cut through the single-linkage tree: rows joined by edges shorter than the distance; clusters of fewer
     * rows are noise. Cost: O(n).
     */
    public int[] cut(double distance, long minClusterSize) {
        try (Use self = use()) {
            int[] labels = new int[(int) Native.clusteringRows(self.address())];
            Native.clusteringCut(self.address(), distance, minClusterSize, labels);
            return labels;
        }
    }

    /**
     * How much each row belongs to every cluster: row by row, clusters() numbers with a sum of at most 1. Needs
     * {@link ClusterOptions#prediction()}. Cost: the distance from each row to every exemplar.
     *
     * @param matrix new rows; null = the clustered ones
     */
    public double[][] membership(Matrix matrix, Context context) {
        try (Use self = use();
                Use with = Use.of(context)) {
            int rows = matrix == null ? (int) Native.clusteringRows(self.address()) : matrix.rows;
            int width = (int) Native.clusteringClusters(self.address());
            double[] numbers = new double[Text.size(rows, width, "memberships")];
            Native.clusteringMembership(self.address(), with.address(), matrix, 0, null, numbers);
            double[][] result = new double[rows][];
            for (int row = 0; row < rows; ++row) {
                result[row] = Arrays.copyOfRange(numbers, row * width, (row + 1) * width);
            }
            return result;
        }
    }

    /** Likewise, the `count` clusters with the largest numbers alone: row by row, the largest first; -1 and 0 where there are fewer. */
    public Memberships largestMemberships(Matrix matrix, int count, Context context) {
        if (count < 1) throw new IllegalArgumentException("count must be at least 1, got " + count);
        try (Use self = use();
                Use with = Use.of(context)) {
            int rows = matrix == null ? (int) Native.clusteringRows(self.address()) : matrix.rows;
            int size = Text.size(rows, count, "memberships");
            Memberships result = new Memberships(count, new int[size], new double[size]);
            Native.clusteringMembership(
                    self.address(), with.address(), matrix, count, result.clusters(), result.numbers());
            return result;
        }
    }

    /**
     * The `count` best clusters of each row and their numbers, row by row.
     *
     * @param count the clusters of a row
     * @param clusters -1 where there are fewer
     * @param numbers 0 to 1
     */
    public record Memberships(int count, int[] clusters, double[] numbers) {}

    /**
     * How good any labels are: DBCV (Moulavi et al. 2014), -1 to 1; NaN where there is one cluster alone. Cost: O(d m^2) for each
     * cluster of m rows and for each pair.
     *
     * @param labels -1 = noise
     * @throws CoveyException INVALID_ARGUMENT, INVALID_DATA, OUT_OF_MEMORY, CANCELLED
     */
    public static double validity(Matrix matrix, int[] labels, ClusterOptions.Metric metric, Context context) {
        Objects.requireNonNull(matrix, "matrix");
        Numbers.requireRows(labels, matrix.rows, "labels");
        try (Use with = Use.of(context)) {
            return Native.validity(with.address(), matrix, labels, metric.ordinal());
        }
    }

    /** n, the number of clustered rows. */
    public int rows() {
        try (Use self = use()) {
            return (int) Native.clusteringRows(self.address());
        }
    }

    /** The number of clusters, without noise. */
    public int clusters() {
        try (Use self = use()) {
            return (int) Native.clusteringClusters(self.address());
        }
    }

    /** The share of true neighbours that an approximate search found, measured on a sample; 1 for exact search. */
    public double recall() {
        try (Use self = use()) {
            return Native.clusteringRecall(self.address());
        }
    }

    /** The cluster of each row, 0 to clusters - 1; -1 = noise. */
    public int[] labels() {
        try (Use self = use()) {
            int[] labels = new int[(int) Native.clusteringRows(self.address())];
            Native.clusteringLabels(self.address(), labels);
            return labels;
        }
    }

    /** The strength of each row's membership, 0 (noise) to 1. */
    public double[] probabilities() {
        return numbers(0, false);
    }

    /** The GLOSH outlier score of each row, 0 to 1 (Campello et al. 2015). */
    public double[] outlierScores() {
        return numbers(1, false);
    }

    /** The stability of each cluster relative to the most it could have, 0 to 1. */
    public double[] persistence() {
        return numbers(2, true);
    }

    private double[] numbers(int which, boolean ofClusters) {
        try (Use self = use()) {
            long count = ofClusters
                    ? Native.clusteringClusters(self.address())
                    : Native.clusteringRows(self.address());
            double[] numbers = new double[(int) count];
            Native.clusteringNumbers(self.address(), which, numbers);
            return numbers;
        }
    }

    /** The minimum spanning tree of mutual reachability, by ascending distance. */
    public List<Edge> spanningTree() {
        long[] words = tree(0);
        return Text.list(words.length / 3, i -> new Edge(words[3 * i], words[3 * i + 1], real(words[3 * i + 2])));
    }

    /** The single-linkage tree, by ascending distance. */
    public List<Merge> singleLinkageTree() {
        long[] words = tree(1);
        return Text.list(
                words.length / 4,
                i -> new Merge(words[4 * i], words[4 * i + 1], real(words[4 * i + 2]), words[4 * i + 3]));
    }

    /** The condensed tree. */
    public List<CondensedEdge> condensedTree() {
        long[] words = tree(2);
        return Text.list(
                words.length / 4,
                i -> new CondensedEdge(words[4 * i], words[4 * i + 1], real(words[4 * i + 2]), words[4 * i + 3]));
    }

    private long[] tree(int which) {
        try (Use self = use()) {
            return Native.clusteringTree(self.address(), which);
        }
    }

    private static double real(long word) {
        return Double.longBitsToDouble(word);
    }

    /** The node of the condensed tree that each cluster is. */
    public long[] selectedNodes() {
        try (Use self = use()) {
            return Native.clusteringSelectedNodes(self.address());
        }
    }

    /**
     * The rows that stay longest in a cluster's leaves, ascending. Needs {@link ClusterOptions#prediction()}.
     *
     * @throws IndexOutOfBoundsException outside 0 to clusters - 1
     */
    public long[] exemplars(int cluster) {
        try (Use self = use()) {
            Objects.checkIndex(cluster, (int) Native.clusteringClusters(self.address()));
            return Native.clusteringExemplars(self.address(), cluster);
        }
    }

    /**
     * Places new rows (m x d) in the clusters without changing them, as hdbscan's approximate_predict. Needs
     * {@link ClusterOptions#prediction()}. Cost: one search among the n rows for each new row.
     *
     * @throws CoveyException INVALID_ARGUMENT (no prediction data), MISMATCH (columns), INVALID_DATA, CANCELLED
     */
    public Placement predict(Matrix matrix, Context context) {
        Objects.requireNonNull(matrix, "matrix");
        try (Use self = use();
                Use with = Use.of(context)) {
            Placement result = new Placement(new int[matrix.rows], new double[matrix.rows]);
            Native.clusteringPredict(
                    self.address(), with.address(), matrix, result.labels(), result.probabilities());
            return result;
        }
    }

    /**
     * As {@link #predict}, with each row's outlier score (0 to 1, near 1 far from everything) and the clustered row beside which it
     * stands in the tree (-1 = none).
     */
    public Place place(Matrix matrix, Context context) {
        Objects.requireNonNull(matrix, "matrix");
        try (Use self = use();
                Use with = Use.of(context)) {
            Place result = new Place(
                    new int[matrix.rows], new double[matrix.rows], new double[matrix.rows], new long[matrix.rows]);
            Native.clusteringPlace(
                    self.address(),
                    with.address(),
                    matrix,
                    result.labels(),
                    result.probabilities(),
                    result.outlierScores(),
                    result.neighbours());
            return result;
        }
    }

    /**
     * Where new rows fall, one number each.
     *
     * @param labels -1 = noise
     * @param probabilities 0 to 1
     * @param outlierScores 0 to 1
     * @param neighbours -1 = none
     */
    public record Place(int[] labels, double[] probabilities, double[] outlierScores, long[] neighbours) {}

    /**
     * Where new rows fall.
     *
     * @param labels the cluster of each, -1 = none
     * @param probabilities the strength of each membership, 0 to 1
     */
    public record Placement(int[] labels, double[] probabilities) {}

    /** An edge of the spanning tree, between two rows. */
    public record Edge(long from, long to, double distance) {}

    /** A merge: nodes 0 to n - 1 are rows, node n + i is merge i, as in scipy's linkage matrix. */
    public record Merge(long left, long right, double distance, long size) {}

    /**
     * {@code child} leaves {@code parent} at lambda = 1 / distance. Rows are 0 to n - 1, clusters n (the root) and above; a
     * size of 1 is a row.
     */
    public record CondensedEdge(long parent, long child, double lambda, long size) {}
}
