package covey;

import java.io.ByteArrayOutputStream;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;

/** What may be changed, at what cost, and what for; see covey_counterfactual_options in covey.h. */
public final class CounterfactualOptions {
    /** What an answer must reach. */
    public enum Goal {
        /** The verdict of the score is not risky. */
        NOT_RISKY,
        /** Another cluster or none, and not one that is risky. */
        LEAVE_CLUSTER
    }

    private static final class Limit {
        private double cost = 1;
        private double low;
        private double high;
        private boolean hasLow;
        private boolean hasHigh;
        private boolean immutable;
        private List<String> categories = List.of();
    }

    private final Map<String, Limit> limits = new LinkedHashMap<>();
    private final Set<Goal> goals = EnumSet.noneOf(Goal.class);
    private double riskBelow;
    private boolean hasRiskBelow;
    private boolean othersImmutable;
    private long answers = 3;
    private long maxChanges;
    private long maxRemoved;
    private double eventCost = 1;
    private long maxEvaluations = 10_000;

    /**
     * Creates the defaults: a risky transaction is to be no longer risky, another one is to have a risk of at most the
     * base rate; every feature may change at cost 1, no event is removed.
     */
    public CounterfactualOptions() {}

    private Limit limit(String feature) {
        return limits.computeIfAbsent(Objects.requireNonNull(feature, "feature"), name -> new Limit());
    }

    /** Adds a goal. All goals must hold. */
    public CounterfactualOptions goal(Goal goal) {
        goals.add(Objects.requireNonNull(goal, "goal"));
        return this;
    }

    /** Adds the goal of a risk below a threshold, above 0, at most 1. */
    public CounterfactualOptions riskBelow(double threshold) {
        riskBelow = threshold;
        hasRiskBelow = true;
        return this;
    }

    /** The cost of a feature's change, above 0; default 1. Of a number for one unit: {@link
     * Counterfactuals.Change#unit}. */
    public CounterfactualOptions cost(String feature, double cost) {
        limit(feature).cost = cost;
        return this;
    }

    /** The least new number; the default is that of the engine's rows. */
    public CounterfactualOptions low(String feature, double low) {
        Limit limit = limit(feature);
        limit.low = low;
        limit.hasLow = true;
        return this;
    }

    /** The largest new number; the default is that of the engine's rows. */
    public CounterfactualOptions high(String feature, double high) {
        Limit limit = limit(feature);
        limit.high = high;
        limit.hasHigh = true;
        return this;
    }

    /** The only new categories; the default is those of the engine's rows and rules. */
    public CounterfactualOptions categories(String feature, List<String> categories) {
        limit(feature).categories = List.copyOf(categories);
        return this;
    }

    /** The feature is not changed. */
    public CounterfactualOptions immutable(String feature) {
        limit(feature).immutable = true;
        return this;
    }

    /** The feature may be changed; needed if {@link #othersImmutable} is set and nothing else is said of it. */
    public CounterfactualOptions allowed(String feature) {
        limit(feature).immutable = false;
        return this;
    }

    /** Features of which nothing is said are not changed. */
    public CounterfactualOptions othersImmutable() {
        othersImmutable = true;
        return this;
    }

    /** The most answers, 1 to 100; default 3. */
    public CounterfactualOptions answers(long answers) {
        this.answers = answers;
        return this;
    }

    /** The most features and events that an answer changes; 0 (default) means any number. */
    public CounterfactualOptions maxChanges(long maxChanges) {
        this.maxChanges = maxChanges;
        return this;
    }

    /** The most events that an answer removes; default 0. The last event is the transaction and stays. */
    public CounterfactualOptions maxRemoved(long maxRemoved) {
        this.maxRemoved = maxRemoved;
        return this;
    }

    /** The cost of a removed event, above 0; default 1. */
    public CounterfactualOptions eventCost(double eventCost) {
        this.eventCost = eventCost;
        return this;
    }

    /** The most alternatives that are scored, 100 to 1,000,000; default 10,000. */
    public CounterfactualOptions maxEvaluations(long maxEvaluations) {
        this.maxEvaluations = maxEvaluations;
        return this;
    }

    /** The features with limits, each name ends with NUL. */
    byte[] names() { return Text.join(new ArrayList<>(limits.keySet()), "features"); }

    /** By limit: cost, low, high. */
    double[] limitReals() {
        return limits.values()
            .stream()
            .flatMapToDouble(limit -> java.util.stream.DoubleStream.of(limit.cost, limit.low, limit.high))
            .toArray();
    }

    /** By limit: the number of categories, whether low and high are given, whether it is immutable. */
    long[] limitIntegers() {
        return limits.values()
            .stream()
            .flatMapToLong(limit
                           -> java.util.stream.LongStream.of(limit.categories.size(), limit.hasLow ? 1 : 0,
                                                             limit.hasHigh ? 1 : 0, limit.immutable ? 1 : 0))
            .toArray();
    }

    /** The categories of all limits, one after the other. */
    byte[] categories() {
        ByteArrayOutputStream all = new ByteArrayOutputStream();
        for (Limit limit : limits.values()) {
            for (String category : limit.categories) Text.append(all, Text.encode(category, "categories"));
        }
        return all.toByteArray();
    }

    long[] integers() {
        long goal = hasRiskBelow ? 4 : 0;
        for (Goal wanted : goals) goal += 1L << wanted.ordinal();
        return new long[] {answers, maxChanges, maxRemoved, maxEvaluations, goal, othersImmutable ? 1 : 0};
    }

    double[] reals() { return new double[] {riskBelow, eventCost}; }
}
