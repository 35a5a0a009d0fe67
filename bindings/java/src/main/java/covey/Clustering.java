package covey;

import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;

/** The result of HDBSCAN: labels, strengths, outlier scores and the trees they come from. */
public final class Clustering extends ClusteringResults {
    Clustering(long address) { super(address); }

    /**
     * Clusters the rows of a matrix (n x d). With exact search the result equals that of hdbscan and of scikit-learn's
     * HDBSCAN, except for the numbering of clusters and for ties. Without rows the result is empty. If there are fewer
     * rows than the smallest cluster, all rows are noise.
     *
     * <p>Cost: exact search O(n^2 d) in the worst case; memory in addition to the input O(n k).
     *
     * @param options null means the defaults
     * @param context null means the defaults
     * @throws CoveyException INVALID_ARGUMENT, INVALID_DATA (with row and column), OUT_OF_MEMORY, CANCELLED
     */
    public static Clustering cluster(Matrix matrix, ClusterOptions options, Context context) {
        return cluster(matrix, null, options, context);
    }

    /**
     * Clusters rows with weights. A row of weight w stands for w equal rows, in every result: the neighbours of the
     * core distance, the sizes in the trees and the options, persistence, prediction. A row of weight 0 is noise.
     *
     * @param weights one number of at least 0 for each row, 2^30 at most together; null means 1 for each row
     * @throws CoveyException as {@link #cluster(Matrix, ClusterOptions, Context)}; MISMATCH (another number of weights)
     */
    public static Clustering cluster(Matrix matrix, long[] weights, ClusterOptions options, Context context) {
        Objects.requireNonNull(matrix, "matrix");
        if (weights != null) Numbers.requireRows(weights, matrix.rows, "weights");
        ClusterOptions chosen = options == null ? ClusterOptions.defaults() : options;
        try (Use with = Use.of(context)) {
            return new Clustering(Native.clusterMatrix(with.address(), matrix, weights, chosen.integers(),
                                                       chosen.reals(), chosen.indexBytes(), chosen.indexSearchBytes()));
        }
    }

    /**
     * Clusters n rows by their distances alone: n x n, finite, at least 0, symmetric. Prediction is not available, nor
     * is approximate search. Cost: O(n^2).
     *
     * @throws CoveyException as {@link #cluster}; MISMATCH (not square)
     */
    public static Clustering ofDistances(Matrix distances, ClusterOptions options, Context context) {
        return ofDistances(distances, null, options, context);
    }

    /** The same for rows with weights, as in {@link #cluster(Matrix, long[], ClusterOptions, Context)}. */
    public static Clustering ofDistances(Matrix distances, long[] weights, ClusterOptions options, Context context) {
        Objects.requireNonNull(distances, "distances");
        if (weights != null) Numbers.requireRows(weights, distances.rows, "weights");
        ClusterOptions chosen = options == null ? ClusterOptions.defaults() : options;
        try (Use with = Use.of(context)) {
            return new Clustering(Native.clusterDistances(with.address(), distances, weights, chosen.integers(),
                                                          chosen.reals(), chosen.indexBytes(),
                                                          chosen.indexSearchBytes()));
        }
    }

    /**
     * Clusters n rows by a spanning tree that another program computed: n - 1 edges in any order, with mutual
     * reachability distances. Prediction is not available. Cost: O(n log n).
     *
     * @throws CoveyException as {@link #cluster}; INVALID_DATA (the edges are not a tree)
     */
    public static Clustering ofSpanningTree(long rows, List<Edge> edges, ClusterOptions options, Context context) {
        ClusterOptions chosen = options == null ? ClusterOptions.defaults() : options;
        if (edges.size() != Math.max(0, rows - 1)) {
            throw new IllegalArgumentException("a tree of " + rows + " rows has " + Math.max(0, rows - 1) +
                                               " edges, got " + edges.size());
        }
        long[] words = ClusterParts.words(edges);
        try (Use with = Use.of(context)) {
            return new Clustering(
                Native.clusterSpanningTree(with.address(), rows, words, chosen.integers(), chosen.reals()));
        }
    }

    /**
     * Selects other clusters from the same tree, without clustering again. The options for reading, searching and
     * keeping rows do not change. Cost: O(n).
     *
     * @param options null means the defaults; {@link ClusterOptions.Builder#clusters} requests a number of clusters
     * @throws CoveyException INVALID_ARGUMENT, OUT_OF_MEMORY, CANCELLED
     */
    public Clustering select(ClusterOptions options, Context context) { return select(options, null, context); }

    /**
     * The same, with given nodes of the condensed tree as the clusters. n is the root; no node may be an ancestor of
     * another. Null means that the options select the nodes.
     */
    public Clustering select(ClusterOptions options, long[] nodes, Context context) {
        ClusterOptions chosen = options == null ? ClusterOptions.defaults() : options;
        try (Use self = use(); Use with = Use.of(context)) {
            return new Clustering(
                Native.clusteringSelect(self.address(), with.address(), chosen.integers(), chosen.reals(), nodes));
        }
    }

    /**
     * Writes the clustering to a file. The write is atomic.
     *
     * @throws CoveyException IO, OUT_OF_MEMORY, CANCELLED
     */
    public void save(Path path, Context context) {
        try (Use self = use(); Use with = Use.of(context)) {
            Native.clusteringSave(self.address(), with.address(), Text.encode(path));
        }
    }

    /**
     * Reads a clustering that was written by {@link #save}, by C or by Python. Cost: O(n log n).
     *
     * @throws CoveyException IO, CORRUPT_FILE, UNSUPPORTED, OUT_OF_MEMORY, CANCELLED
     */
    public static Clustering load(Path path, Context context) {
        try (Use with = Use.of(context)) {
            return new Clustering(Native.clusteringLoad(with.address(), Text.encode(path)));
        }
    }

    /** The bytes of the file that {@link #save} writes. */
    public byte[] toBytes() { return toBytes(null); }

    /** The same as {@link #toBytes()}. @param context null means the defaults */
    public byte[] toBytes(Context context) {
        try (Use self = use(); Use with = Use.of(context)) {
            return Native.clusteringWrite(self.address(), with.address());
        }
    }

    /** Reads the bytes that {@link #toBytes} returned. Errors are those of {@link #load}. */
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
            return ClusterOptions.of(integers, reals, Text.decode(Native.clusteringIndex(self.address(), false)),
                                     Text.decode(Native.clusteringIndex(self.address(), true)));
        }
    }

    /**
     * Which minClusterSize to take: where the leaves of the tree change, ascending, and how persistent they are there
     * (PLSCAN, arXiv 2512.16558); {@link #select} with the size of the largest persistence and the leaves gives the
     * clusters.
     */
    public List<PersistentSize> sizes() {
        try (Use self = use()) {
            long[] words = Native.clusteringSizes(self.address());
            return Text.list(words.length / 2, i -> new PersistentSize(words[i], real(words[words.length / 2 + i])));
        }
    }

    /**
     * A minClusterSize, and how persistent the leaves of the tree are there.
     *
     * @param minClusterSize at least that of the clustering
     * @param persistence the sum over the leaves of how many sizes each is a leaf for
     */
    public record PersistentSize(long minClusterSize, double persistence) {}

    /** d, the columns of the clustered rows. */
    public int columns() {
        try (Use self = use()) {
            return (int)Native.clusteringColumns(self.address());
        }
    }

    /**
     * The rows that {@link ClusterOptions#prediction()} keeps, n x d, one after the other; NaN for rows that were not
     * used.
     */
    public double[] fittedRows() {
        try (Use self = use()) {
            int rows = (int)Native.clusteringRows(self.address());
            int columns = (int)Native.clusteringColumns(self.address());
            double[] numbers = new double[Text.size(rows, columns, "rows")];
            Native.clusteringFittedRows(self.address(), numbers);
            return numbers;
        }
    }

    /**
     * The labels of a cut through the single-linkage tree. Rows that are joined by edges shorter than the distance are
     * a cluster; clusters with fewer rows than the smallest are noise. Cost: O(n).
     */
    public int[] cut(double distance, long minClusterSize) {
        try (Use self = use()) {
            int[] labels = new int[(int)Native.clusteringRows(self.address())];
            Native.clusteringCut(self.address(), distance, minClusterSize, labels);
            return labels;
        }
    }

    /**
     * The membership of each row in every cluster: for each row, clusters() numbers with a sum of at most 1. Needs
     * {@link ClusterOptions#prediction()}. Cost: the distance from each row to every exemplar.
     *
     * @param matrix new rows; null means the clustered rows
     */
    public double[][] membership(Matrix matrix, Context context) {
        try (Use self = use(); Use with = Use.of(context)) {
            int rows = matrix == null ? (int)Native.clusteringRows(self.address()) : matrix.rows;
            int width = (int)Native.clusteringClusters(self.address());
            double[] numbers = new double[Text.size(rows, width, "memberships")];
            Native.clusteringMembership(self.address(), with.address(), matrix, 0, null, numbers);
            double[][] result = new double[rows][];
            for (int row = 0; row < rows; ++row) {
                result[row] = Arrays.copyOfRange(numbers, row * width, (row + 1) * width);
            }
            return result;
        }
    }

    /**
     * The same for only the `count` largest memberships of each row, the largest first; -1 and 0 if there are fewer.
     */
    public Memberships largestMemberships(Matrix matrix, int count, Context context) {
        if (count < 1) throw new IllegalArgumentException("count must be at least 1, got " + count);
        try (Use self = use(); Use with = Use.of(context)) {
            int rows = matrix == null ? (int)Native.clusteringRows(self.address()) : matrix.rows;
            int size = Text.size(rows, count, "memberships");
            Memberships result = new Memberships(count, new int[size], new double[size]);
            Native.clusteringMembership(self.address(), with.address(), matrix, count, result.clusters(),
                                        result.numbers());
            return result;
        }
    }

    /**
     * The `count` best clusters of each row and their memberships, row by row.
     *
     * @param count the number of clusters for each row
     * @param clusters -1 if there are fewer
     * @param numbers 0 to 1
     */
    public record Memberships(int count, int[] clusters, double[] numbers) {}

    /**
     * The quality of any labels: DBCV (Moulavi et al. 2014), -1 to 1; NaN if there is only one cluster. Cost: O(d m^2)
     * for each cluster of m rows and for each pair.
     *
     * @param labels -1 means noise
     * @throws CoveyException INVALID_ARGUMENT, INVALID_DATA, OUT_OF_MEMORY, CANCELLED
     */
    public static double validity(Matrix matrix, int[] labels, ClusterOptions.Metric metric, Context context) {
        Objects.requireNonNull(matrix, "matrix");
        Numbers.requireRows(labels, matrix.rows, "labels");
        try (Use with = Use.of(context)) {
            return Native.validity(with.address(), matrix, labels, metric.ordinal());
        }
    }

    /**
     * Assigns new rows (m x d) to the clusters without changing them, like hdbscan's approximate_predict. Needs {@link
     * ClusterOptions#prediction()}. Cost: one search among the n rows for each new row.
     *
     * @throws CoveyException INVALID_ARGUMENT (no prediction data), MISMATCH (columns), INVALID_DATA, CANCELLED
     */
    public Placement predict(Matrix matrix, Context context) {
        Objects.requireNonNull(matrix, "matrix");
        try (Use self = use(); Use with = Use.of(context)) {
            Placement result = new Placement(new int[matrix.rows], new double[matrix.rows]);
            Native.clusteringPredict(self.address(), with.address(), matrix, result.labels(), result.probabilities());
            return result;
        }
    }

    /**
     * The same as {@link #predict}, with two more results for each row: its outlier score (0 to 1; near 1 if it is far
     * from everything), and the clustered row next to it in the tree (-1 means none).
     */
    public Place place(Matrix matrix, Context context) {
        Objects.requireNonNull(matrix, "matrix");
        try (Use self = use(); Use with = Use.of(context)) {
            Place result = new Place(new int[matrix.rows], new double[matrix.rows], new double[matrix.rows],
                                     new long[matrix.rows]);
            Native.clusteringPlace(self.address(), with.address(), matrix, result.labels(), result.probabilities(),
                                   result.outlierScores(), result.neighbours());
            return result;
        }
    }

    /**
     * The predictions of new rows, one of each for every row.
     *
     * @param labels the cluster; -1 means noise
     * @param probabilities the strength of the membership, 0 to 1
     * @param outlierScores 0 to 1
     * @param neighbours the clustered row next to it in the tree; -1 means none
     */
    public record Place(int[] labels, double[] probabilities, double[] outlierScores, long[] neighbours) {}

    /**
     * The predictions of new rows.
     *
     * @param labels the cluster of each; -1 means none
     * @param probabilities the strength of each membership, 0 to 1
     */
    public record Placement(int[] labels, double[] probabilities) {}

    /** An edge of the spanning tree, between two rows. */
    public record Edge(long from, long to, double distance) {}

    /** A merge: nodes 0 to n - 1 are rows, node n + i is merge i, as in scipy's linkage matrix. */
    public record Merge(long left, long right, double distance, long size) {}

    /**
     * {@code child} leaves {@code parent} at lambda = 1 / distance. Rows are 0 to n - 1. Clusters are n (the root) and
     * above. A size of 1 means a row.
     */
    public record CondensedEdge(long parent, long child, double lambda, long size) {}
}
