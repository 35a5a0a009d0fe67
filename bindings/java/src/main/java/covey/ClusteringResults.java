package covey;

import java.util.List;
import java.util.Objects;

/** What a {@link Clustering} holds of its rows: numbers, labels and trees. */
abstract sealed class ClusteringResults extends NativeObject permits Clustering {
    ClusteringResults(long address) { super("Clustering", address, Native::clusteringDestroy); }

    /** n, the number of clustered rows. */
    public int rows() {
        try (Use self = use()) {
            return (int)Native.clusteringRows(self.address());
        }
    }

    /** The number of clusters, without noise. */
    public int clusters() {
        try (Use self = use()) {
            return (int)Native.clusteringClusters(self.address());
        }
    }

    /** The share of true neighbours that an approximate search found, measured on a sample; 1 for exact search. */
    public double recall() {
        try (Use self = use()) {
            return Native.clusteringRecall(self.address());
        }
    }

    /** The cluster of each row, 0 to clusters - 1; -1 means noise. */
    public int[] labels() {
        try (Use self = use()) {
            int[] labels = new int[(int)Native.clusteringRows(self.address())];
            Native.clusteringLabels(self.address(), labels);
            return labels;
        }
    }

    /** The strength of each row's membership, 0 (noise) to 1. */
    public double[] probabilities() { return numbers(0, false); }

    /** The GLOSH outlier score of each row, 0 to 1 (Campello et al. 2015). */
    public double[] outlierScores() { return numbers(1, false); }

    /** The stability of each cluster, divided by its largest possible stability, 0 to 1. */
    public double[] persistence() { return numbers(2, true); }

    private double[] numbers(int which, boolean ofClusters) {
        try (Use self = use()) {
            long count = ofClusters ? Native.clusteringClusters(self.address()) : Native.clusteringRows(self.address());
            double[] numbers = new double[(int)count];
            Native.clusteringNumbers(self.address(), which, numbers);
            return numbers;
        }
    }

    /** How many parts the graph has that no edge joins ({@link ClusterParts}): 1 for clustered rows, 0 without rows. */
    public long parts() {
        try (Use self = use()) {
            return Native.clusteringParts(self.address());
        }
    }

    /** The minimum spanning tree of mutual reachability, in ascending order of distance. */
    public List<Clustering.Edge> spanningTree() { return ClusterParts.edges(tree(0)); }

    /** The single-linkage tree, in ascending order of distance. */
    public List<Clustering.Merge> singleLinkageTree() {
        long[] words = tree(1);
        return Text.list(
            words.length / 4,
            i -> new Clustering.Merge(words[4 * i], words[4 * i + 1], real(words[4 * i + 2]), words[4 * i + 3]));
    }

    /** The condensed tree. */
    public List<Clustering.CondensedEdge> condensedTree() {
        long[] words = tree(2);
        return Text.list(
            words.length / 4,
            i
            -> new Clustering.CondensedEdge(words[4 * i], words[4 * i + 1], real(words[4 * i + 2]), words[4 * i + 3]));
    }

    private long[] tree(int which) {
        try (Use self = use()) {
            return Native.clusteringTree(self.address(), which);
        }
    }

    static double real(long word) { return Double.longBitsToDouble(word); }

    /** The node of each cluster in the condensed tree. */
    public long[] selectedNodes() {
        try (Use self = use()) {
            return Native.clusteringSelectedNodes(self.address());
        }
    }

    /**
     * The rows that stay longest in the leaves of a cluster, in ascending order. Needs {@link
     * ClusterOptions#prediction()}.
     *
     * @throws IndexOutOfBoundsException if the cluster is not 0 to clusters - 1
     */
    public long[] exemplars(int cluster) {
        try (Use self = use()) {
            Objects.checkIndex(cluster, (int)Native.clusteringClusters(self.address()));
            return Native.clusteringExemplars(self.address(), cluster);
        }
    }
}
