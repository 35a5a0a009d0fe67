package covey;

import java.util.Objects;

/** The options of {@link Found#find}. {@link Builder} describes the fields. */
public record FindOptions(long seed, double knownShare, RiskOptions.SharesOver sharesOver, ErrorRate errorRate,
                          double significance, double confidence, double minShare, long minFraud, long permutations,
                          long trees, long maxRules, long minClusterSize, HybridOptions.Scaling scaling, Search search,
                          double embeddingWeight, double featureWeight, TrainingOptions training) {
    /** The error rate that the significance bounds. The order is that of COVEY_ERROR_RATE_. */
    public enum ErrorRate {
        /** The probability that at least one group is a false discovery. */
        FAMILYWISE,
        /** The expected share of false discoveries among the groups. */
        FALSE_DISCOVERY
    }

    /** The search for neighbours. The order is that of COVEY_SEARCH_, from -1. */
    public enum Search {
        /** EXACT up to 100,000 rows, APPROXIMATE above. */
        AUTO,
        /** Finds all true neighbours. */
        EXACT,
        /** May miss some true neighbours. */
        APPROXIMATE
    }

    /** Throws if an argument other than the training is null. */
    public FindOptions {
        Objects.requireNonNull(sharesOver, "sharesOver");
        Objects.requireNonNull(errorRate, "errorRate");
        Objects.requireNonNull(scaling, "scaling");
        Objects.requireNonNull(search, "search");
    }

    /** Returns the defaults. */
    public static FindOptions defaults() { return builder().build(); }

    /** Creates a builder with the defaults. */
    public static Builder builder() { return new Builder(); }

    long[] integers() {
        return new long[] {
            seed,           sharesOver.ordinal(), errorRate.ordinal(), minFraud, permutations, trees, maxRules,
            minClusterSize, scaling.ordinal(),    search.ordinal() - 1};
    }

    double[] reals() {
        return new double[] {knownShare, significance, confidence, minShare, embeddingWeight, featureWeight};
    }

    /** The fields and their defaults. */
    public static final class Builder {
        private long seed;
        private double knownShare;
        private RiskOptions.SharesOver sharesOver = RiskOptions.SharesOver.AUTO;
        private ErrorRate errorRate = ErrorRate.FAMILYWISE;
        private double significance = 0.05;
        private double confidence = 0.95;
        private double minShare = 0.8;
        private long minFraud = 2;
        private long permutations = 999;
        private long trees = 200;
        private long maxRules = 8;
        private long minClusterSize = 5;
        private HybridOptions.Scaling scaling = HybridOptions.Scaling.ROBUST;
        private Search search = Search.AUTO;
        private double embeddingWeight = 1;
        private double featureWeight = 1;
        private TrainingOptions training;

        private Builder() {}

        /** The seed of all random numbers; default 0. */
        public Builder seed(long seed) {
            this.seed = seed;
            return this;
        }

        /** The share of all fraud that is known, above 0, at most 1; 0 (default) means that it is estimated. */
        public Builder knownShare(double knownShare) {
            this.knownShare = knownShare;
            return this;
        }

        /** The rows that shares of fraud refer to; default AUTO. */
        public Builder sharesOver(RiskOptions.SharesOver sharesOver) {
            this.sharesOver = sharesOver;
            return this;
        }

        /** The error rate that the significance bounds; default FAMILYWISE. */
        public Builder errorRate(ErrorRate errorRate) {
            this.errorRate = errorRate;
            return this;
        }

        /** The largest corrected p value of a risky group, above 0, at most 1; default 0.05. */
        public Builder significance(double significance) {
            this.significance = significance;
            return this;
        }

        /** The confidence of the intervals, 0.5 to 0.9999; default 0.95. */
        public Builder confidence(double confidence) {
            this.confidence = confidence;
            return this;
        }

        /** The smallest estimated share of fraud in a risky group, 0 to 1; default 0.8. */
        public Builder minShare(double minShare) {
            this.minShare = minShare;
            return this;
        }

        /** The smallest number of known frauds in a risky group, at least 2; default 2. */
        public Builder minFraud(long minFraud) {
            this.minFraud = minFraud;
            return this;
        }

        /** The number of permutations for the p values, 19 to 100,000; default 999. */
        public Builder permutations(long permutations) {
            this.permutations = permutations;
            return this;
        }

        /** The number of trees in each forest, 0 to 10,000; 0 means no forests; default 200. */
        public Builder trees(long trees) {
            this.trees = trees;
            return this;
        }

        /** The largest number of rules for fraud, 0 to 1,000; default 8. */
        public Builder maxRules(long maxRules) {
            this.maxRules = maxRules;
            return this;
        }

        /** The smallest number of rows in a cluster of {@link Found#labels}, at least 2; default 5. */
        public Builder minClusterSize(long minClusterSize) {
            this.minClusterSize = minClusterSize;
            return this;
        }

        /** The scaling of numeric features; default ROBUST. */
        public Builder scaling(HybridOptions.Scaling scaling) {
            this.scaling = scaling;
            return this;
        }

        /** The search for neighbours; default AUTO. */
        public Builder search(Search search) {
            this.search = search;
            return this;
        }

        /** The weight of the embeddings in joined rows; finite, above 0; default 1. */
        public Builder embeddingWeight(double embeddingWeight) {
            this.embeddingWeight = embeddingWeight;
            return this;
        }

        /** The weight of the features in joined rows; finite, above 0; default 1. */
        public Builder featureWeight(double featureWeight) {
            this.featureWeight = featureWeight;
            return this;
        }

        /**
         * The training of the encoder, if one is trained. Only its numbers are used, not its names, checkpoint and
         * listener. Null means the defaults.
         */
        public Builder training(TrainingOptions training) {
            this.training = training;
            return this;
        }

        /** Returns the options. */
        public FindOptions build() {
            return new FindOptions(seed, knownShare, sharesOver, errorRate, significance, confidence, minShare,
                                   minFraud, permutations, trees, maxRules, minClusterSize, scaling, search,
                                   embeddingWeight, featureWeight, training);
        }
    }
}
