package covey;

import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.stream.DoubleStream;
import java.util.stream.IntStream;

/** A small set of conjunctions over expert features that describes a target, a cluster for example. */
public final class RuleSet extends NativeObject {

    private RuleSet(long address) { super("RuleSet", address, NativeRules::rulesDestroy); }

    /** Borrowed from `owner`, of which it holds a use until it is freed itself. */
    private RuleSet(long address, Handle owner) { super("RuleSet", address, borrowed -> owner.release()); }

    static RuleSet borrow(Handle owner, long address) {
        owner.acquire();
        return new RuleSet(address, owner);
    }

    /**
     * Finds conjunctions that hold in the target rows and rarely elsewhere. Every figure is measured again on rows that
     * the search never saw; a rule that fails there is not returned. No rule found is a success with an empty set.
     *
     * <p>Cost: O(n f) to read, then O(beam width * max conditions * f) for each rule found; see covey.h.
     *
     * @param features n rows @param target n values: whether the row is in the target @param options null = the
     * defaults @param context null = the defaults @throws CoveyException INVALID_ARGUMENT, INVALID_DATA (infinite
     * values, a target of one class), MISMATCH (lengths),
     *     OUT_OF_MEMORY, CANCELLED
     */
    public static RuleSet extract(FeatureTable features, boolean[] target, RuleOptions options, Context context) {
        Objects.requireNonNull(features, "features");
        Objects.requireNonNull(target, "target");
        RuleOptions chosen = options == null ? RuleOptions.defaults() : options;
        byte[] chosenRows = new byte[target.length];
        for (int row = 0; row < target.length; ++row) chosenRows[row] = (byte)(target[row] ? 1 : 0);
        Numbers.requireRows(chosenRows, features.rows, "target");
        if (chosen.times() != null) Numbers.requireRows(chosen.times(), features.rows, "times");
        if (chosen.weights() != null) Numbers.requireRows(chosen.weights(), features.rows, "weights");
        if (chosen.amounts() != null) Numbers.requireRows(chosen.amounts(), features.rows, "amounts");
        byte[] name = chosen.targetName() == null ? null : Text.encode(chosen.targetName(), "target_name");
        List<RuleOptions.FeaturePolicy> policies = chosen.features();
        byte[] policyNames = Text.join(policies.stream().map(RuleOptions.FeaturePolicy::feature).toList(), "features");
        int[] policyCodes = policies.stream()
                                .flatMapToInt(policy -> IntStream.of(policy.use().ordinal(), policy.direction().code))
                                .toArray();
        List<Condition> pinned = chosen.pinned();
        byte[] pinnedNames = Text.join(pinned.stream().map(Condition::feature).toList(), "pinned");
        int[] pinnedCodes =
            pinned.stream()
                .flatMapToInt(condition -> IntStream.of(condition.kind().ordinal(), condition.categories().size()))
                .toArray();
        double[] pinnedBounds =
            pinned.stream().flatMapToDouble(condition -> DoubleStream.of(condition.low(), condition.high())).toArray();
        byte[] pinnedCategories =
            Text.join(pinned.stream().flatMap(condition -> condition.categories().stream()).toList(), "categories");
        try (Use with = Use.of(context); Use given = Use.of(chosen.given())) {
            return new RuleSet(NativeRules.rulesExtract(
                with.address(), features, chosenRows, chosen.maxConditions(), chosen.maxRules(), chosen.minSupport(),
                chosen.minPrecision(), chosen.minLift(), chosen.maxBins(), chosen.beamWidth(), chosen.heldOut(),
                chosen.confidence(), chosen.times(), chosen.seed(), name, chosen.weights(), chosen.amounts(),
                chosen.quality().ordinal(), chosen.beta(), policyNames, policyCodes, pinnedNames, pinnedCodes,
                pinnedBounds, pinnedCategories, given.address(), chosen.rounding(), chosen.significance(),
                chosen.permutations(), chosen.resamples(), chosen.minStability(),

                chosen.ageTo() == null ? null : Text.encode(chosen.ageTo(), "age_to"), pairs(chosen.pairs()),
                chosen.pairs().stream().mapToInt(pair -> pair.derived().ordinal()).toArray()));
        }
    }

    /** The names of the pairs' columns, each ending with NUL. */
    private static byte[] pairs(List<RuleOptions.Pair> pairs) {
        List<String> names = new ArrayList<>();
        for (RuleOptions.Pair pair : pairs) {
            names.add(pair.first());
            names.add(pair.second());
        }
        return Text.join(names, "pairs");
    }

    /**
     * Reads a set that {@link #toJson} wrote; at most 64 MiB of UTF-8.
     *
     * @throws CoveyException CORRUPT_FILE (says where), UNSUPPORTED, INVALID_ARGUMENT
     */
    public static RuleSet parse(String json) { return parse(json, null); }

    /**
     * As {@link #parse(String)}.
     *
     * @param context null = the defaults
     * @throws CoveyException CORRUPT_FILE (says where), UNSUPPORTED, INVALID_ARGUMENT, OUT_OF_MEMORY, CANCELLED
     */
    public static RuleSet parse(String json, Context context) {
        byte[] text = Text.encodeAny(json, "json");
        try (Use with = Use.of(context)) {
            return new RuleSet(NativeRules.rulesParse(with.address(), text));
        }
    }

    /** The number of rules. */
    public int size() {
        try (Use self = use()) {
            return (int)NativeRules.rulesCount(self.address());
        }
    }

    /** How many candidate rules were tried. */
    public long tried() {
        try (Use self = use()) {
            return NativeRules.rulesTried(self.address());
        }
    }

    /** How many chosen rules fell on the unseen rows. */
    public long fallen() {
        try (Use self = use()) {
            return NativeRules.rulesFallen(self.address());
        }
    }

    /** Why the search returned no rule, as a sentence; null where it returned one. */
    public String note() {
        try (Use self = use()) {
            return Text.decode(NativeRules.rulesNote(self.address()));
        }
    }

    /** The rules, the best first. */
    public List<Rule> rules() {
        try (Use self = use()) {
            Rule[] rules = new Rule[(int)NativeRules.rulesCount(self.address())];
            for (int rule = 0; rule < rules.length; ++rule) rules[rule] = read(self.address(), rule);
            return List.of(rules);
        }
    }

    private static Rule read(long address, int rule) {
        long[] n = new long[7];
        double[] x = new double[26];
        NativeRules.rulesGet(address, rule, n, x);
        Condition[] conditions = new Condition[(int)n[0]];
        for (int index = 0; index < conditions.length; ++index) conditions[index] = read(address, rule, index);
        return new Rule(Text.decode(NativeRules.rulesText(address, rule)), List.of(conditions), n[1], n[2], x[0], x[1],
                        x[2], x[3], x[4], n[3], n[4], x[5], x[6], x[7], x[8], x[9], x[10], x[11], x[12], x[13], x[14],
                        x[15], x[16], x[17], x[18], x[19], x[20], x[21], x[22], x[23], x[24], n[5] == 1, n[6] == 1,
                        x[25]);
    }

    private static Condition read(long address, int rule, int index) {
        long[] n = new long[3];
        double[] bounds = new double[2];
        byte[] feature = NativeRules.rulesCondition(address, rule, index, n, bounds);
        String[] categories = new String[(int)n[1]];
        for (int category = 0; category < categories.length; ++category) {
            categories[category] = Text.decode(NativeRules.rulesConditionCategory(address, rule, index, category));
        }
        return new Condition(Text.decode(feature), Condition.Kind.values()[(int)n[0]], bounds[0], bounds[1],
                             List.of(categories), Text.decode(NativeRules.rulesConditionText(address, rule, index)),
                             Condition.Derived.values()[(int)n[2]], columns(address, rule, index, feature));
    }

    private static List<String> columns(long address, long rule, long index, byte[] feature) {
        byte[] first = NativeRules.rulesConditionColumn(address, rule, index, 0);
        byte[] second = NativeRules.rulesConditionColumn(address, rule, index, 1);
        if (first == null) return List.of(Text.decode(feature));
        return second == null ? List.of(Text.decode(first)) : List.of(Text.decode(first), Text.decode(second));
    }

    /**
     * Whether any rule matches each row. Columns are found by name, categories matched by name; one not seen before
     * matches no IN and every NOT_IN.
     *
     * @throws CoveyException MISMATCH names a column that is missing or of another kind; INVALID_DATA
     */
    public boolean[] matches(FeatureTable features, Context context) {
        Objects.requireNonNull(features, "features");
        byte[] any = new byte[features.rows];
        try (Use self = use(); Use with = Use.of(context)) {
            NativeRules.rulesEvaluate(self.address(), with.address(), features, null, any);
        }
        boolean[] result = new boolean[any.length];
        for (int row = 0; row < result.length; ++row) result[row] = any[row] == 1;
        return result;
    }

    /** Likewise for each rule: element [row][rule]. */
    public boolean[][] fired(FeatureTable features, Context context) {
        Objects.requireNonNull(features, "features");
        try (Use self = use(); Use with = Use.of(context)) {
            int rules = (int)NativeRules.rulesCount(self.address());
            byte[] fired = new byte[Text.size(features.rows, rules, "fired")];
            NativeRules.rulesEvaluate(self.address(), with.address(), features, fired, null);
            boolean[][] result = new boolean[features.rows][rules];
            for (int index = 0; index < fired.length; ++index) {
                result[index / rules][index % rules] = fired[index] == 1;
            }
            return result;
        }
    }

    /** The whole set with its figures; {@link #parse} reads it back. */
    public String toJson() { return toJson(null); }

    /**
     * As {@link #toJson()}.
     *
     * @param context null = the defaults
     * @throws CoveyException OUT_OF_MEMORY, CANCELLED
     */
    public String toJson(Context context) {
        return export(ExportOptions.Format.JSON, ExportOptions.defaults(), context);
    }

    /** A boolean expression in standard SQL, true where a rule matches, for a WHERE clause. */
    public String toSql() { return toSql(null); }

    /**
     * As {@link #toSql()}.
     *
     * @param context null = the defaults
     * @throws CoveyException OUT_OF_MEMORY, CANCELLED
     */
    public String toSql(Context context) { return export(ExportOptions.Format.SQL, ExportOptions.defaults(), context); }

    /**
     * The set in another language; each decides as {@link #matches} on every row. See covey_rules_export in covey.h.
     *
     * @param options null = the defaults
     * @param context null = the defaults
     * @throws CoveyException INVALID_ARGUMENT, UNSUPPORTED (what the format cannot hold), OUT_OF_MEMORY, CANCELLED
     */
    public String export(ExportOptions.Format format, ExportOptions options, Context context) {
        ExportOptions chosen = options == null ? ExportOptions.defaults() : options;
        try (Use self = use(); Use with = Use.of(context)) {
            return Text.decode(NativeRules.rulesExport(self.address(), with.address(), format.ordinal(),
                                                       chosen.dialect().ordinal(), chosen.timestamps(),
                                                       chosen.texts()));
        }
    }
}
