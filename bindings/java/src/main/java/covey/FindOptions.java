package covey;

import java.util.Objects;

/** How the road is gone; see {@link Builder} for the fields. */
public record FindOptions(
        long seed,
        double knownShare,
        RiskOptions.SharesOver sharesOver,
        ErrorRate errorRate,
        double significance,
        double confidence,
        double minShare,
        long minFraud,
        long permutations,
        long trees,
        long maxRules,
        long minClusterSize,
        HybridOptions.Scaling scaling,
        Search search,
        double embeddingWeight,
        double featureWeight,
        TrainingOptions training) {
    /** What the significance bounds. The order is that of COVEY_ERROR_RATE_. */
    public enum ErrorRate {
        /** The chance that any group is a false one. */
        FAMILYWISE,
        /** The share of false ones among the groups. */
        FALSE_DISCOVERY
    }

    /** How neighbours are searched for. The order is that of COVEY_SEARCH_, from -1. */
    public enum Search {
        /** EXACT up to 200,000 rows, APPROXIMATE above. */
        AUTO,
        /** All true neighbours. */
        EXACT,
        /** Some may be missed. */
        APPROXIMATE
    }

    /** Checks that nothing is null but the training. */
    public FindOptions {
        Objects.requireNonNull(sharesOver, "sharesOver");
        Objects.requireNonNull(errorRate, "errorRate");
        Objects.requireNonNull(scaling, "scaling");
        Objects.requireNonNull(search, "search");
    }

    /** The defaults. */
    public static FindOptions defaults() {
        return builder().build();
    }

    /** A builder with the defaults. */
    public static Builder builder() {
        return new Builder();
    }

    long[] integers() {
        return new long[] {
            seed, sharesOver.ordinal(), errorRate.ordinal(), minFraud, permutations, trees, maxRules, minClusterSize,
            scaling.ordinal(), search.ordinal() - 1
        };
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

        /** Of all that is drawn; default 0. */
        public Builder seed(long seed) {
            this.seed = seed;
            return this;
        }

        /** The share of all fraud that is known, above 0, at most 1; 0 (default) = estimated. */
        public Builder knownShare(double knownShare) {
            this.knownShare = knownShare;
            return this;
        }

        /** What shares of fraud are counted over; default AUTO. */
        public Builder sharesOver(RiskOptions.SharesOver sharesOver) {
            this.sharesOver = sharesOver;
            return this;
        }

        /** What the significance bounds; default FAMILYWISE. */
        public Builder errorRate(ErrorRate errorRate) {
            this.errorRate = errorRate;
            return this;
        }

        /** The largest corrected p value of a risky group, above 0, at most 1; default 0.05. */
        public Builder significance(double significance) {
            this.significance = significance;
            return this;
        }

        /** Of the intervals, 0.5 to 0.9999; default 0.95. */
        public Builder confidence(double confidence) {
            this.confidence = confidence;
            return this;
        }

        /** The smallest estimated share of fraud in a risky group, 0 to 1; default 0.8. */
        public Builder minShare(double minShare) {
            this.minShare = minShare;
            return this;
        }

        /** The fewest known frauds in a risky group, at least 2; default 2. */
        public Builder minFraud(long minFraud) {
            this.minFraud = minFraud;
            return this;
        }

        /** Behind the p values, 19 to 100,000; default 999. */
        public Builder permutations(long permutations) {
            this.permutations = permutations;
            return this;
        }

        /** Of each forest, 0 to 10,000; 0 = without them; default 200. */
        public Builder trees(long trees) {
            this.trees = trees;
            return this;
        }

        /** Rules for fraud, 0 to 1,000; default 8. */
        public Builder maxRules(long maxRules) {
            this.maxRules = maxRules;
            return this;
        }

        /** Of the clusters that labels name, at least 2; default 5. */
        public Builder minClusterSize(long minClusterSize) {
            this.minClusterSize = minClusterSize;
            return this;
        }

        /** Of numeric features; default ROBUST. */
        public Builder scaling(HybridOptions.Scaling scaling) {
            this.scaling = scaling;
            return this;
        }

        /** How neighbours are searched for; default AUTO. */
        public Builder search(Search search) {
            this.search = search;
            return this;
        }

        /** Of the embeddings in joined rows; finite, above 0; default 1. */
        public Builder embeddingWeight(double embeddingWeight) {
            this.embeddingWeight = embeddingWeight;
            return this;
        }

        /** Of the features likewise; default 1. */
        public Builder featureWeight(double featureWeight) {
            this.featureWeight = featureWeight;
            return this;
        }

        /** Of the encoder, where one is trained: its numbers; names, checkpoint and listener are not looked at. null = the defaults. */
        public Builder training(TrainingOptions training) {
            this.training = training;
            return this;
        }

        /** The options. */
        public FindOptions build() {
            return new FindOptions(
                    seed, knownShare, sharesOver, errorRate, significance, confidence, minShare, minFraud, permutations, trees,
                    maxRules, minClusterSize, scaling, search, embeddingWeight, featureWeight, training);
        }
    }
}
