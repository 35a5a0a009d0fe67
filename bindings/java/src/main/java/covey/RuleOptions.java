package covey;

import java.util.ArrayList;
import java.util.List;
import java.util.Objects;

/**
 * How rules are searched; see {@link Builder} for the fields.
 *
 * @param times one a row, or null
 * @param targetName null = "target"
 * @param weights one a row, or null
 * @param amounts one a row, or null
 * @param given null = none
 * @param ageTo a column of dates, or null
 * @param pairs ratios and differences of columns
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
        String targetName,
        double[] weights,
        double[] amounts,
        Quality quality,
        double beta,
        List<FeaturePolicy> features,
        List<Condition> pinned,
        RuleSet given,
        double rounding,
        double significance,
        long permutations,
        long resamples,
        double minStability,
        String ageTo,
        List<Pair> pairs) {

    /** What makes one rule better than another; in the order of COVEY_QUALITY_. */
    public enum Quality {
        /** The likelihood ratio less the length of the rule. */
        LIKELIHOOD,
        /** Weighted relative accuracy. */
        WEIGHTED_ACCURACY,
        /** F-beta of precision and recall. */
        F_BETA,
        /** The share of the target over its share everywhere. */
        LIFT,
        /** The amount of the matching target rows for each false alarm. */
        AMOUNT
    }

    /** Whether a feature may appear in rules; in the order of COVEY_FEATURE_. */
    public enum Use {
        /** It may, unless any other feature is ALLOWED. */
        FREE,
        /** It may; where any feature is ALLOWED the search uses no others. */
        ALLOWED,
        /** The search does not use it; a given rule may. */
        FORBIDDEN,
        /** Never in a rule. */
        SENSITIVE
    }

    /** Which values are riskier. */
    public enum Direction {
        /** Either. */
        ANY(0),
        /** More is riskier: no upper bounds, not "false". */
        MORE(1),
        /** Less is riskier: no lower bounds, not "true". */
        LESS(-1);

        final int code;

        Direction(int code) {
            this.code = code;
        }
    }

    /**
     * What an expert says of a feature.
     *
     * @param feature the name of a column
     * @param use whether it may appear in rules
     * @param direction which values are riskier; not for categorical columns
     */
    public record FeaturePolicy(String feature, Use use, Direction direction) {
        /** Refuses nulls. */
        public FeaturePolicy {
            Objects.requireNonNull(feature, "feature");
            Objects.requireNonNull(use, "use");
            Objects.requireNonNull(direction, "direction");
        }
    }

    /**
     * Two numeric columns that may stand in rules together.
     *
     * @param first the dividend or minuend
     * @param second the divisor or subtrahend
     * @param derived RATIO or DIFFERENCE
     */
    public record Pair(String first, String second, Condition.Derived derived) {}

    /** Refuses nulls where there is a default, and copies the lists. */
    public RuleOptions {
        Objects.requireNonNull(quality, "quality");
        features = List.copyOf(features);
        pinned = List.copyOf(pinned);
        pairs = List.copyOf(pairs);
    }

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

        /** One a row, 0 to 1e12: how many rows it stands for. Null (default) = 1 each. Not copied. */
        public Builder weights(double[] weights) {
            this.weights = weights;
            return this;
        }

        /** One a row, 0 to 1e15. Null (default) = none. Not copied. */
        public Builder amounts(double[] amounts) {
            this.amounts = amounts;
            return this;
        }

        /** What makes one rule better than another; default LIKELIHOOD. */
        public Builder quality(Quality quality) {
            this.quality = quality;
            return this;
        }

        /** Of F_BETA: how much more recall counts than precision, 0.01 to 100; default 1. */
        public Builder beta(double beta) {
            this.beta = beta;
            return this;
        }

        /** What an expert says of a feature; each is named once. */
        public Builder feature(String feature, Use use, Direction direction) {
            features.add(new FeaturePolicy(feature, use, direction));
            return this;
        }

        /** Conditions that every rule contains; default none. */
        public Builder pinned(List<Condition> conditions) {
            pinned = conditions;
            return this;
        }

        /** Rules written by hand, measured on the same rows and returned after those found; null (default) = none. */
        public Builder given(RuleSet rules) {
            given = rules;
            return this;
        }

        /** How much precision and recall may each fall for shorter thresholds, as shares of themselves, 0 to 0.5; default 0. */
        public Builder rounding(double share) {
            rounding = share;
            return this;
        }

        /** A rule with a larger p value falls, 0 to 1; default 0.05; 0 = none falls. */
        public Builder significance(double level) {
            significance = level;
            return this;
        }

        /** Searches on permuted targets behind {@link Rule#searchPValue}, 0 to 10,000; default 0. */
        public Builder permutations(long searches) {
            permutations = searches;
            return this;
        }

        /** Searches on halves of the rows behind {@link Rule#stability}, 0 to 1000; default 0. */
        public Builder resamples(long searches) {
            resamples = searches;
            return this;
        }

        /** A rule of less stability falls, 0 to 1; default 0. */
        public Builder minStability(double share) {
            minStability = share;
            return this;
        }

        /**
         * A column of dates: every other one takes part also as its age, "days from X to" this one. Null (default) = dates
         * take part by their hour alone.
         */
        public Builder ageTo(String column) {
            ageTo = column;
            return this;
        }

        /** Lets rules use first / second, missing where the second is 0. */
        public Builder ratio(String first, String second) {
            pairs.add(new Pair(first, second, Condition.Derived.RATIO));
            return this;
        }

        /** Lets rules use first - second. */
        public Builder difference(String first, String second) {
            pairs.add(new Pair(first, second, Condition.Derived.DIFFERENCE));
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
                    targetName,
                    weights,
                    amounts,
                    quality,
                    beta,
                    features,
                    pinned,
                    given,
                    rounding,
                    significance,
                    permutations,
                    resamples,
                    minStability,

                    ageTo,
                    pairs);
        }
    }
}
