package covey;

/** How rows are clustered; see {@link Builder} for the fields. */
public record ClusterOptions(
        long minClusterSize,
        long minSamples,
        long maxClusterSize,
        double clusterSelectionEpsilon,
        double alpha,
        Metric metric,
        Selection selection,
        boolean allowSingleCluster,
        Search search,
        MissingRows missing,
        boolean prediction,
        long seed) {

    /** How far two rows are apart. */
    public enum Metric {
        /** Square root of the sum of squared differences. */
        EUCLIDEAN,
        /** Sum of absolute differences. */
        MANHATTAN,
        /** 1 - cosine similarity; a row of zeros is at distance 1 from every other row. */
        COSINE
    }

    /** Which nodes of the condensed tree become clusters. */
    public enum Selection {
        /** The most stable ones (Campello et al. 2013). */
        EXCESS_OF_MASS,
        /** The leaves. */
        LEAF
    }

    /** How neighbours are found. */
    public enum Search {
        /** The result equals the reference's. */
        EXACT,
        /** By a FAISS index; euclidean only. */
        APPROXIMATE
    }

    /** What becomes of rows with a NaN or an infinity. */
    public enum MissingRows {
        /** They give INVALID_DATA. */
        REJECT,
        /** They are noise: label -1, strength 0, outlier score 1. */
        NOISE
    }

    /** The defaults. */
    public static ClusterOptions defaults() {
        return builder().build();
    }

    /** A builder with the defaults. */
    public static Builder builder() {
        return new Builder();
    }

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

        private Builder() {}

        /** At least 2; default 5. */
        public Builder minClusterSize(long rows) {
            minClusterSize = rows;
            return this;
        }

        /**
         * The core distance is the distance to this neighbour, the row itself not counted; at least 1 and below n; 0
         * (default) = the smaller of min_cluster_size and n - 1.
         */
        public Builder minSamples(long neighbours) {
            minSamples = neighbours;
            return this;
        }

        /** Larger clusters are not selected by excess of mass; 0 (default) = no limit. */
        public Builder maxClusterSize(long rows) {
            maxClusterSize = rows;
            return this;
        }

        /** Clusters born below this distance are merged; finite, at least 0; default 0. */
        public Builder clusterSelectionEpsilon(double distance) {
            clusterSelectionEpsilon = distance;
            return this;
        }

        /** Distances are divided by it in mutual reachability; finite, above 0; default 1. */
        public Builder alpha(double alpha) {
            this.alpha = alpha;
            return this;
        }

        /** Default EUCLIDEAN. */
        public Builder metric(Metric metric) {
            this.metric = metric;
            return this;
        }

        /** Default EXCESS_OF_MASS. */
        public Builder selection(Selection selection) {
            this.selection = selection;
            return this;
        }

        /** Whether the root may be the only cluster; default false. */
        public Builder allowSingleCluster(boolean allow) {
            allowSingleCluster = allow;
            return this;
        }

        /** Default EXACT. */
        public Builder search(Search search) {
            this.search = search;
            return this;
        }

        /** Default REJECT. */
        public Builder missing(MissingRows missing) {
            this.missing = missing;
            return this;
        }

        /** Keeps a copy of the rows, which prediction, exemplars and an engine need; default false. */
        public Builder prediction(boolean keep) {
            prediction = keep;
            return this;
        }

        /** Of the approximate search; unsigned; default 0. */
        public Builder seed(long seed) {
            this.seed = seed;
            return this;
        }

        /** The options; the call that takes them checks their ranges. */
        public ClusterOptions build() {
            return new ClusterOptions(
                    minClusterSize,
                    minSamples,
                    maxClusterSize,
                    clusterSelectionEpsilon,
                    alpha,
                    metric,
                    selection,
                    allowSingleCluster,
                    search,
                    missing,
                    prediction,
                    seed);
        }
    }
}
