package covey;

/** The options of clustering. {@link Builder} describes the fields. */
public record ClusterOptions(long minClusterSize, long minSamples, long maxClusterSize, double clusterSelectionEpsilon,
                             double alpha, Metric metric, Selection selection, boolean allowSingleCluster,
                             Search search, MissingRows missing, boolean prediction, long seed,
                             double clusterSelectionEpsilonMax, double clusterSelectionPersistence, long clusters,
                             boolean matchReference, Strengths strengths, String index, String indexSearch) {

    /** The distance between two rows. */
    public enum Metric {
        /** The square root of the sum of squared differences. */
        EUCLIDEAN,
        /** The sum of absolute differences. */
        MANHATTAN,
        /** 1 - cosine similarity. A row of zeros has distance 1 to every other row. */
        COSINE
    }

    /** The nodes of the condensed tree that become clusters. */
    public enum Selection {
        /** The most stable ones (Campello et al. 2013). */
        EXCESS_OF_MASS,
        /** The leaves. */
        LEAF
    }

    /** The search for neighbours. */
    public enum Search {
        /** Exact search; the result equals that of hdbscan. */
        EXACT,
        /** Approximate search in k-means cells and among neighbours of neighbours; euclidean only. */
        APPROXIMATE
    }

    /** The treatment of rows with NaN or infinity. */
    public enum MissingRows {
        /** They give INVALID_DATA. */
        REJECT,
        /** They are noise: label -1, strength 0, outlier score 1. */
        NOISE
    }

    /** The largest value for strengths, outlier scores and persistence. It only matters if many rows are equal. */
    public enum Strengths {
        /** The largest lambda, as in hdbscan: in a cluster with minClusterSize equal rows, every strength is 0 or 1. */
        HDBSCAN,
        /** The largest finite lambda. */
        BOUNDED
    }

    /** The integer options in the order in which the library reads them; see {@link Native#clusterMatrix}. */
    long[] integers() {
        return new long[] {minClusterSize,     minSamples,        maxClusterSize,      seed,
                           clusters,           metric.ordinal(),  selection.ordinal(), allowSingleCluster ? 1 : 0,
                           search.ordinal(),   missing.ordinal(), prediction ? 1 : 0,  matchReference ? 1 : 0,
                           strengths.ordinal()};
    }

    byte[] indexBytes() { return index == null ? null : Text.encode(index, "index"); }

    byte[] indexSearchBytes() { return indexSearch == null ? null : Text.encode(indexSearch, "indexSearch"); }

    double[] reals() {
        return new double[] {clusterSelectionEpsilon, alpha, clusterSelectionEpsilonMax, clusterSelectionPersistence};
    }

    static ClusterOptions of(long[] integers, double[] reals, String index, String indexSearch) {
        return new ClusterOptions(
            integers[0], integers[1], integers[2], reals[0], reals[1], Metric.values()[(int)integers[5]],
            Selection.values()[(int)integers[6]], integers[7] == 1, Search.values()[(int)integers[8]],
            MissingRows.values()[(int)integers[9]], integers[10] == 1, integers[3], reals[2], reals[3], integers[4],
            integers[11] == 1, Strengths.values()[(int)integers[12]], index, indexSearch);
    }

    /** Returns the defaults. */
    public static ClusterOptions defaults() { return builder().build(); }

    /** Creates a builder with the defaults. */
    public static Builder builder() { return new Builder(); }

    /** The fields and their defaults. */
    public static final class Builder {
        private long minClusterSize = 5;
        private long minSamples;
        private long maxClusterSize;
        private double clusterSelectionEpsilon;
        private double alpha = 1;
        private Metric metric = Metric.EUCLIDEAN;
        private Selection selection = Selection.EXCESS_OF_MASS;
        private boolean allowSingleCluster;
        private Search search = Search.EXACT;
        private MissingRows missing = MissingRows.REJECT;
        private boolean prediction;
        private long seed;
        private double clusterSelectionEpsilonMax;
        private double clusterSelectionPersistence;
        private long clusters;
        private boolean matchReference;
        private Strengths strengths = Strengths.HDBSCAN;
        private String index;
        private String indexSearch;

        private Builder() {}

        /** The smallest number of rows in a cluster, at least 2; default 5. */
        public Builder minClusterSize(long rows) {
            minClusterSize = rows;
            return this;
        }

        /**
         * The core distance is the distance to this neighbour; the row itself does not count. 0 (default) means
         * minClusterSize. If it is larger than n - 1, n - 1 is used.
         */
        public Builder minSamples(long neighbours) {
            minSamples = neighbours;
            return this;
        }

        /** Larger clusters are not selected; 0 (default) means no limit. */
        public Builder maxClusterSize(long rows) {
            maxClusterSize = rows;
            return this;
        }

        /** Clusters that appear below this distance are merged; finite, at least 0; default 0. */
        public Builder clusterSelectionEpsilon(double distance) {
            clusterSelectionEpsilon = distance;
            return this;
        }

        /** Distances are divided by it in mutual reachability; finite, above 0; default 1. */
        public Builder alpha(double alpha) {
            this.alpha = alpha;
            return this;
        }

        /** The distance; default EUCLIDEAN. */
        public Builder metric(Metric metric) {
            this.metric = metric;
            return this;
        }

        /** The selection of clusters; default EXCESS_OF_MASS. */
        public Builder selection(Selection selection) {
            this.selection = selection;
            return this;
        }

        /** If true, the root may be the only cluster; default false. */
        public Builder allowSingleCluster(boolean allow) {
            allowSingleCluster = allow;
            return this;
        }

        /** The search for neighbours; default EXACT. */
        public Builder search(Search search) {
            this.search = search;
            return this;
        }

        /** The treatment of rows with NaN or infinity; default REJECT. */
        public Builder missing(MissingRows missing) {
            this.missing = missing;
            return this;
        }

        /** If true, keeps a copy of the rows, which prediction, exemplars and an engine need; default false. */
        public Builder prediction(boolean keep) {
            prediction = keep;
            return this;
        }

        /** The seed of the approximate search, as an unsigned number; default 0. */
        public Builder seed(long seed) {
            this.seed = seed;
            return this;
        }

        /** Excess of mass does not select clusters that appear above this distance; 0 (default) means no limit. */
        public Builder clusterSelectionEpsilonMax(double distance) {
            clusterSelectionEpsilonMax = distance;
            return this;
        }

        /**
         * First, leaves of the tree whose lifetime in lambda is shorter than this are merged into their parent; default
         * 0.
         */
        public Builder clusterSelectionPersistence(double lambda) {
            clusterSelectionPersistence = lambda;
            return this;
        }

        /**
         * The number of clusters, obtained by a cut of the tree; 0 (default) means the number that the selection gives.
         */
        public Builder clusters(long count) {
            clusters = count;
            return this;
        }

        /**
         * If true, a row that leaves its cluster at its birth is noise, as in the reference implementation; default
         * false.
         */
        public Builder matchReference(boolean match) {
            matchReference = match;
            return this;
        }

        /** The largest value for strengths; default HDBSCAN. It changes no label. */
        public Builder strengths(Strengths strengths) {
            this.strengths = strengths;
            return this;
        }

        /**
         * The index of FAISS that finds the neighbours of the approximate search, by its name there, such as
         * "IVF4096,PQ16"; null (default) means Covey's own search. For {@link Clustering#cluster} of a matrix.
         */
        public Builder index(String name) {
            index = name;
            return this;
        }

        /** The parameters of its searches, such as "nprobe=32"; null (default) means the defaults of FAISS. */
        public Builder indexSearch(String parameters) {
            indexSearch = parameters;
            return this;
        }

        /** Returns the options. The call that uses them checks their ranges. */
        public ClusterOptions build() {
            return new ClusterOptions(minClusterSize, minSamples, maxClusterSize, clusterSelectionEpsilon, alpha,
                                      metric, selection, allowSingleCluster, search, missing, prediction, seed,
                                      clusterSelectionEpsilonMax, clusterSelectionPersistence, clusters, matchReference,
                                      strengths, index, indexSearch);
        }
    }
}
