package covey;

import java.util.ArrayList;
import java.util.List;
import java.util.Objects;

/**
 * The options of the search for rules. {@link Builder} describes the fields.
 *
 * @param times one for each row, or null
 * @param targetName null means "target"
 * @param weights one for each row, or null
 * @param amounts one for each row, or null
 * @param given null means none
 * @param ageTo the name of a column of dates, or null
 * @param pairs ratios and differences of columns
 */
public record
    RuleOptions(long maxConditions, long maxRules, long minSupport, double minPrecision, double minLift, long maxBins,
                long beamWidth, double heldOut, double confidence, double[] times, long seed, String targetName,
                double[] weights, double[] amounts, Quality quality, double beta, List<FeaturePolicy> features,
                List<Condition> pinned, RuleSet given, double rounding, double significance, long permutations,
                long resamples, double minStability, String ageTo, List<Pair> pairs) {

    /** The measure by which rules are compared, in the order of COVEY_QUALITY_. */
    public enum Quality {
        /** The likelihood ratio minus a penalty for the length of the rule. */
        LIKELIHOOD,
        /** Weighted relative accuracy. */
        WEIGHTED_ACCURACY,
        /** F-beta of precision and recall. */
        F_BETA,
        /** The share of the target among the matching rows, divided by its share among all rows. */
        LIFT,
        /** The amount of the matching target rows for each false alarm. */
        AMOUNT
    }

    /** The use of a feature in rules, in the order of COVEY_FEATURE_. */
    public enum Use {
        /** The search may use it, unless any feature is ALLOWED. */
        FREE,
        /** The search may use it. If any feature is ALLOWED, it uses only such features. */
        ALLOWED,
        /** The search does not use it, but a given rule may. */
        FORBIDDEN,
        /** No rule may use it. */
        SENSITIVE
    }

    /** The values that are riskier. */
    public enum Direction {
        /** Larger or smaller values may be riskier. */
        ANY(0),
        /** Larger values are riskier: no upper bounds, and not "false". */
        MORE(1),
        /** Smaller values are riskier: no lower bounds, and not "true". */
        LESS(-1);

        final int code;

        Direction(int code) { this.code = code; }
    }

    /**
     * The rules of an expert for a feature.
     *
     * @param feature the name of a column
     * @param use whether it may appear in rules
     * @param direction the values that are riskier; not for categorical columns
     */
    public record FeaturePolicy(String feature, Use use, Direction direction) {
        /** Throws if an argument is null. */
        public FeaturePolicy {
            Objects.requireNonNull(feature, "feature");
            Objects.requireNonNull(use, "use");
            Objects.requireNonNull(direction, "direction");
        }
    }

    /**
     * Two numeric columns that rules may use together.
     *
     * @param first the dividend or minuend
     * @param second the divisor or subtrahend
     * @param derived RATIO or DIFFERENCE
     */
    public record Pair(String first, String second, Condition.Derived derived) {}

    /** Throws if an argument with a default is null, and copies the lists. */
    public RuleOptions {
        Objects.requireNonNull(quality, "quality");
        features = List.copyOf(features);
        pinned = List.copyOf(pinned);
        pairs = List.copyOf(pairs);
    }

    /** Returns the defaults. */
    public static RuleOptions defaults() { return builder().build(); }

    /** Creates a builder with the defaults. */
    public static Builder builder() { return new Builder(); }

    /** The fields and their defaults. */
    public static final class Builder {
        private long maxConditions = 3;
        private long maxRules = 8;
        private long minSupport = 10;
        private double minPrecision = 0.5;
        private double minLift = 2;
        private long maxBins = 64;
        private long beamWidth = 64;
        private double heldOut = 0.3;
        private double confidence = 0.95;
        private double[] times;
        private long seed;
        private String targetName;
        private double[] weights;
        private double[] amounts;
        private Quality quality = Quality.LIKELIHOOD;
        private double beta = 1;
        private final List<FeaturePolicy> features = new ArrayList<>();
        private List<Condition> pinned = List.of();
        private RuleSet given;
        private double rounding;
        private double significance = 0.05;
        private long permutations;
        private long resamples;
        private double minStability;
        private String ageTo;
        private final List<Pair> pairs = new ArrayList<>();

        private Builder() {}

        /** The largest number of conditions in a rule, 1 to 8; default 3. */
        public Builder maxConditions(long conditions) {
            maxConditions = conditions;
            return this;
        }

        /** The largest number of rules in the set, 1 to 1000; default 8. */
        public Builder maxRules(long rules) {
            maxRules = rules;
            return this;
        }

        /** The smallest number of target rows that a rule must match among the search rows, at least 1; default 10. */
        public Builder minSupport(long rows) {
            minSupport = rows;
            return this;
        }

        /** The smallest precision, also on the rows that the search never sees, 0 to 1; default 0.5. */
        public Builder minPrecision(double share) {
            minPrecision = share;
            return this;
        }

        /** The smallest lift, also on the rows that the search never sees; finite, at least 0; default 2. */
        public Builder minLift(double lift) {
            minLift = lift;
            return this;
        }

        /** The number of bins of a numeric feature, 2 to 254; default 64. */
        public Builder maxBins(long bins) {
            maxBins = bins;
            return this;
        }

        /** The beam width of the search, 1 to 10,000; default 64. */
        public Builder beamWidth(long width) {
            beamWidth = width;
            return this;
        }

        /** The share of rows that the search never sees, 0.05 to 0.95; default 0.3. */
        public Builder heldOut(double share) {
            heldOut = share;
            return this;
        }

        /** The confidence of the Wilson intervals, 0.5 to 0.9999; default 0.95. */
        public Builder confidence(double confidence) {
            this.confidence = confidence;
            return this;
        }

        /**
         * One for each row, finite: the latest rows are held out. Null (default) means a seeded random share. Not
         * copied.
         */
        public Builder times(double[] times) {
            this.times = times;
            return this;
        }

        /** The seed, as an unsigned number; default 0. */
        public Builder seed(long seed) {
            this.seed = seed;
            return this;
        }

        /** The name of the target in sentences; null (default) means "target". */
        public Builder targetName(String name) {
            targetName = name;
            return this;
        }

        /**
         * One for each row, 0 to 1e12: the number of rows that it represents. Null (default) means 1 each. Not copied.
         */
        public Builder weights(double[] weights) {
            this.weights = weights;
            return this;
        }

        /** One for each row, 0 to 1e15. Null (default) means none. Not copied. */
        public Builder amounts(double[] amounts) {
            this.amounts = amounts;
            return this;
        }

        /** The measure by which rules are compared; default LIKELIHOOD. */
        public Builder quality(Quality quality) {
            this.quality = quality;
            return this;
        }

        /** For F_BETA: the weight of recall relative to precision, 0.01 to 100; default 1. */
        public Builder beta(double beta) {
            this.beta = beta;
            return this;
        }

        /** Sets the rules of an expert for a feature. Each feature may be named once. */
        public Builder feature(String feature, Use use, Direction direction) {
            features.add(new FeaturePolicy(feature, use, direction));
            return this;
        }

        /** Conditions that every rule has; default none. */
        public Builder pinned(List<Condition> conditions) {
            pinned = conditions;
            return this;
        }

        /**
         * Rules written by hand. They are measured on the same rows and returned after the found ones; null (default)
         * means none.
         */
        public Builder given(RuleSet rules) {
            given = rules;
            return this;
        }

        /** The relative loss of precision and of recall that is allowed for shorter thresholds, 0 to 0.5; default 0. */
        public Builder rounding(double share) {
            rounding = share;
            return this;
        }

        /** A rule with a larger p value is rejected, 0 to 1; default 0.05; 0 means that none is rejected. */
        public Builder significance(double level) {
            significance = level;
            return this;
        }

        /** The number of searches on permuted targets for {@link Rule#searchPValue}, 0 to 10,000; default 0. */
        public Builder permutations(long searches) {
            permutations = searches;
            return this;
        }

        /** The number of searches on halves of the rows for {@link Rule#stability}, 0 to 1000; default 0. */
        public Builder resamples(long searches) {
            resamples = searches;
            return this;
        }

        /** A rule with a smaller stability is rejected, 0 to 1; default 0. */
        public Builder minStability(double share) {
            minStability = share;
            return this;
        }

        /**
         * A column of dates. Rules may then also use the age of every other date, "days from X to" this one. Null
         * (default) means that rules use only the hours of dates.
         */
        public Builder ageTo(String column) {
            ageTo = column;
            return this;
        }

        /** Allows rules to use first / second; it is missing if the second is 0. */
        public Builder ratio(String first, String second) {
            pairs.add(new Pair(first, second, Condition.Derived.RATIO));
            return this;
        }

        /** Allows rules to use first - second. */
        public Builder difference(String first, String second) {
            pairs.add(new Pair(first, second, Condition.Derived.DIFFERENCE));
            return this;
        }

        /** Returns the options. The call that uses them checks their ranges. */
        public RuleOptions build() {
            return new RuleOptions(maxConditions, maxRules, minSupport, minPrecision, minLift, maxBins, beamWidth,
                                   heldOut, confidence, times, seed, targetName, weights, amounts, quality, beta,
                                   features, pinned, given, rounding, significance, permutations, resamples,
                                   minStability,

                                   ageTo, pairs);
        }
    }
}
