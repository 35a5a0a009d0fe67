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
        long seed,
        double clusterSelectionEpsilonMax,
        double clusterSelectionPersistence,
        long clusters,
        boolean matchReference,
        Strengths strengths) {

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

    /** What strengths, outlier scores and persistence are relative to; the same unless many rows are equal. */
    public enum Strengths {
        /** The largest lambda, as in hdbscan: beside minClusterSize equal rows every strength is 0 or 1. */
        HDBSCAN,
        /** The largest finite lambda. */
        BOUNDED
    }

    /** As the library takes them: see {@link Native#clusterMatrix}. */
    long[] integers() {
        return new long[] {
            minClusterSize, minSamples, maxClusterSize, seed, clusters, metric.ordinal(), selection.ordinal(),
            allowSingleCluster ? 1 : 0, search.ordinal(), missing.ordinal(), prediction ? 1 : 0, matchReference ? 1 : 0,
            strengths.ordinal()
        };
    }

    double[] reals() {
        return new double[] {
            clusterSelectionEpsilon, alpha, clusterSelectionEpsilonMax, clusterSelectionPersistence
        };
    }

    static ClusterOptions of(long[] integers, double[] reals) {
        return new ClusterOptions(
                integers[0],
                integers[1],
                integers[2],
                reals[0],
                reals[1],
                Metric.values()[(int) integers[5]],
                Selection.values()[(int) integers[6]],
                integers[7] == 1,
                Search.values()[(int) integers[8]],
                MissingRows.values()[(int) integers[9]],
                integers[10] == 1,
                integers[3],
                reals[2],
                reals[3],
                integers[4],
                integers[11] == 1,
                Strengths.values()[(int) integers[12]]);
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
        private double clusterSelectionEpsilonMax;
        private double clusterSelectionPersistence;
        private long clusters;
        private boolean matchReference;
        private Strengths strengths = Strengths.HDBSCAN;

        private Builder() {}

        /** At least 2; default 5. */
        public Builder minClusterSize(long rows) {
            minClusterSize = rows;
            return this;
        }

        /**
         * The core distance is the distance to this neighbour, the row itself not counted; 0 (default) = minClusterSize;
         * n - 1 is taken where it is more than that.
         */
        public Builder minSamples(long neighbours) {
            minSamples = neighbours;
            return this;
        }

        /** Larger clusters are not selected; 0 (default) = no limit. */
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

        /** Excess of mass passes over clusters born above this distance; 0 (default) = no limit. */
        public Builder clusterSelectionEpsilonMax(double distance) {
            clusterSelectionEpsilonMax = distance;
            return this;
        }

        /** Leaves of the tree that live for less than this, in lambda, are dissolved first; default 0. */
        public Builder clusterSelectionPersistence(double lambda) {
            clusterSelectionPersistence = lambda;
            return this;
        }

        /** How many clusters there are to be, by a cut of the tree; 0 (default) = as many as selected. */
        public Builder clusters(long count) {
            clusters = count;
            return this;
        }

        /** A row that leaves its cluster where that is born is noise, as in the reference; default false. */
        public Builder matchReference(boolean match) {
            matchReference = match;
            return this;
        }

        /** Default HDBSCAN; changes no label. */
        public Builder strengths(Strengths strengths) {
            this.strengths = strengths;
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
                    seed,
                    clusterSelectionEpsilonMax,
                    clusterSelectionPersistence,
                    clusters,
                    matchReference,
                    strengths);
        }
    }
}
