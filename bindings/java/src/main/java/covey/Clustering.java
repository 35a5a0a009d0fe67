package covey;

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
            return new Clustering(Native.clusterMatrix(
                    with.address(),
                    matrix,
                    chosen.minClusterSize(),
                    chosen.minSamples(),
                    chosen.maxClusterSize(),
                    chosen.clusterSelectionEpsilon(),
                    chosen.alpha(),
                    chosen.metric().ordinal(),
                    chosen.selection().ordinal(),
                    chosen.allowSingleCluster(),
                    chosen.search().ordinal(),
                    chosen.missing().ordinal(),
                    chosen.prediction(),
                    chosen.seed()));
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
