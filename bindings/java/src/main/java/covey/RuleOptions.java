package covey;

/**
 * How rules are searched; see {@link Builder} for the fields.
 *
 * @param times one a row, or null
 * @param targetName null = "target"
 */
public record RuleOptions(
        long maxConditions,
        long maxRules,
        long minSupport,
        double minPrecision,
        double minLift,
        long maxBins,
        long beamWidth,
        double holdout,
        double confidence,
        double[] times,
        long seed,
        String targetName) {

    /** The defaults. */
    public static RuleOptions defaults() {
        return builder().build();
    }

    /** A builder with the defaults. */
    public static Builder builder() {
        return new Builder();
    }

    /** The fields and their defaults. */
    public static final class Builder {
        private long maxConditions = 3;
        private long maxRules = 8;
        private long minSupport = 10;
        private double minPrecision = 0.5;
        private double minLift = 2;
        private long maxBins = 64;
        private long beamWidth = 64;
        private double holdout = 0.3;
        private double confidence = 0.95;
        private double[] times;
        private long seed;
        private String targetName;

        private Builder() {}

        /** In one rule, 1 to 8; default 3. */
        public Builder maxConditions(long conditions) {
            maxConditions = conditions;
            return this;
        }

        /** In the set, 1 to 1000; default 8. */
        public Builder maxRules(long rules) {
            maxRules = rules;
            return this;
        }

        /** Target rows that a rule must match in the search rows, at least 1; default 10. */
        public Builder minSupport(long rows) {
            minSupport = rows;
            return this;
        }

        /** The smallest precision, on the rows never seen too, 0 to 1; default 0.5. */
        public Builder minPrecision(double share) {
            minPrecision = share;
            return this;
        }

        /** The smallest lift, likewise; finite, at least 0; default 2. */
        public Builder minLift(double lift) {
            minLift = lift;
            return this;
        }

        /** Bins of a numeric feature, 2 to 254; default 64. */
        public Builder maxBins(long bins) {
            maxBins = bins;
            return this;
        }

        /** 1 to 10,000; default 64. */
        public Builder beamWidth(long width) {
            beamWidth = width;
            return this;
        }

        /** The share of rows that the search never sees, 0.05 to 0.95; default 0.3. */
        public Builder holdout(double share) {
            holdout = share;
            return this;
        }

        /** Of the Wilson intervals, 0.5 to 0.9999; default 0.95. */
        public Builder confidence(double confidence) {
            this.confidence = confidence;
            return this;
        }

        /** One a row, finite: the latest rows are held out. Null (default) = a seeded random share. Not copied. */
        public Builder times(double[] times) {
            this.times = times;
            return this;
        }

        /** Unsigned; default 0. */
        public Builder seed(long seed) {
            this.seed = seed;
            return this;
        }

        /** What the sentences call the target; null (default) = "target". */
        public Builder targetName(String name) {
            targetName = name;
            return this;
        }

        /** The options; the call that takes them checks their ranges. */
        public RuleOptions build() {
            return new RuleOptions(
                    maxConditions,
                    maxRules,
                    minSupport,
                    minPrecision,
                    minLift,
                    maxBins,
                    beamWidth,
                    holdout,
                    confidence,
                    times,
                    seed,
                    targetName);
        }
    }
}
