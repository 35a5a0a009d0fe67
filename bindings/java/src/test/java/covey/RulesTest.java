package covey;

import static org.junit.jupiter.api.Assertions.*;

import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** Rules and cluster risk on a small table where the answer is known. */
class RulesTest {
    private static final int ROWS = 3000;
    private static final String BASKET = "\ud83d\uded2";
    private static final FeatureTable FEATURES;
    private static final boolean[] TARGET = new boolean[ROWS];

    static {
        Random random = new Random(5);
        double[] amount = new double[ROWS];
        String[] kind = new String[ROWS];
        Boolean[] guest = new Boolean[ROWS];
        for (int row = 0; row < ROWS; ++row) {
            amount[row] = random.nextInt(20) == 0 ? Double.NaN : random.nextInt(400);
            kind[row] = List.of("book", BASKET, "shoes").get(random.nextInt(3));
            guest[row] = random.nextInt(10) == 0 ? null : random.nextBoolean();
            TARGET[row] = amount[row] >= 300 && kind[row].equals(BASKET);
        }
        FEATURES =
            FeatureTable.builder(ROWS).numeric("amount", amount).categorical("kind", kind).bool("guest", guest).build();
    }

    @Test
    void findsThePlantedRule() {
        try (RuleSet rules =
                 RuleSet.extract(FEATURES, TARGET, RuleOptions.builder().targetName("ring " + BASKET).build(), null)) {
            Rule best = rules.rules().get(0);
            assertEquals(1, best.precision());
            assertTrue(best.recall() > 0.9, best.text());
            assertTrue(best.text().contains("ring " + BASKET), best.text());
            assertTrue(best.conditions().stream().anyMatch(condition
                                                           -> condition.kind() == Condition.Kind.INTERVAL &&
                                                                  condition.feature().equals("amount") &&
                                                                  condition.low() > 290 && condition.low() <= 310),
                       best.text());
            assertTrue(best.conditions().stream().anyMatch(condition
                                                           -> condition.kind() == Condition.Kind.IN &&
                                                                  condition.categories().equals(List.of(BASKET))),
                       best.text());
            assertTrue(rules.toSql().contains("amount") && rules.toSql().contains(BASKET), rules.toSql());
            FeatureTable unseen = FeatureTable.builder(3)
                                      .categorical("kind", BASKET, "hats", null)
                                      .numeric("amount", 350, 350, 350)
                                      .bool("guest", true, false, null)
                                      .build();
            assertArrayEquals(new boolean[] {true, false, false}, rules.matches(unseen, null));
        }
    }

    @Test
    void keepsWhatExpertsSay() {
        double[] weights = new double[ROWS];
        double[] amounts = new double[ROWS];
        for (int row = 0; row < ROWS; ++row) {
            weights[row] = 1 + row % 2;
            amounts[row] = row % 5;
        }
        RuleOptions.Builder said =
            RuleOptions.builder()
                .weights(weights)
                .amounts(amounts)
                .quality(RuleOptions.Quality.F_BETA)
                .beta(0.5)
                .feature("guest", RuleOptions.Use.SENSITIVE, RuleOptions.Direction.ANY)
                .feature("amount", RuleOptions.Use.FREE, RuleOptions.Direction.MORE)
                .pinned(List.of(Condition.categories("kind", Condition.Kind.IN, List.of(BASKET))))
                .permutations(19)
                .resamples(2);
        try (RuleSet rules = RuleSet.extract(FEATURES, TARGET, said.build(), null)) {
            assertEquals(1, rules.size());
            Rule rule = rules.rules().get(0);
            assertEquals(List.of("amount", "kind"), rule.conditions().stream().map(Condition::feature).toList());
            assertEquals(Double.POSITIVE_INFINITY, rule.conditions().get(0).high());
            assertEquals(List.of(BASKET), rule.conditions().get(1).categories());
            assertEquals(0.05, rule.searchPValue());
            assertEquals(1, rule.stability());
            assertTrue(rule.pValue() < 1e-9 && !rule.given() && rule.amount() > 0 &&
                       rule.supportWeight() > rule.support());
            assertTrue(rule.recallLow() < rule.recall() && rule.recall() <= rule.recallHigh());
            try (RuleSet beside = RuleSet.extract(FEATURES, TARGET, RuleOptions.builder().given(rules).build(), null)) {
                Rule last = beside.rules().get(beside.size() - 1);
                assertTrue(last.given() && Double.isNaN(last.stability()));
                assertEquals(rule.conditions(), last.conditions());
            }
        }
        refuse(StatusCode.INVALID_ARGUMENT, "against the direction",
               said.pinned(List.of(Condition.interval("amount", 0, 9))));
        refuse(StatusCode.INVALID_ARGUMENT, "which rules may not use",
               said.pinned(List.of(Condition.of("guest", Condition.Kind.TRUE))));
        refuse(StatusCode.MISMATCH, "nothing",
               RuleOptions.builder().feature("nothing", RuleOptions.Use.ALLOWED, RuleOptions.Direction.ANY));
        refuse(StatusCode.MISMATCH, "weights", RuleOptions.builder().weights(new double[1]));
    }

    @Test
    void findsHoursAgesAndPairs() {
        Random random = new Random(8);
        double[] opened = new double[ROWS];
        double[] paid = new double[ROWS];
        double[] amount = new double[ROWS];
        double[] income = new double[ROWS];
        boolean[] night = new boolean[ROWS];
        boolean[] young = new boolean[ROWS];
        boolean[] dear = new boolean[ROWS];
        for (int row = 0; row < ROWS; ++row) {
            paid[row] = 1_600_000_000 + random.nextInt(40_000_000);
            opened[row] = paid[row] - random.nextInt(100 * 86_400);
            amount[row] = 1 + random.nextInt(1000);
            income[row] = 1 + random.nextInt(1000);
            night[row] = paid[row] % 86_400 >= 20 * 3600;
            young[row] = paid[row] - opened[row] < 10 * 86_400;
            dear[row] = amount[row] / income[row] >= 4;
        }
        FeatureTable features = FeatureTable.builder(ROWS)
                                    .date("opened", opened)
                                    .date("paid", paid)
                                    .numeric("amount", amount)
                                    .numeric("income", income)
                                    .build();
        RuleOptions options =
            RuleOptions.builder().ageTo("paid").ratio("amount", "income").difference("amount", "income").build();
        double[] none = {Double.NEGATIVE_INFINITY, Double.POSITIVE_INFINITY};
        planted(features, night, options, Condition.Derived.HOUR, List.of("paid"), 20, none[1]);
        planted(features, young, options, Condition.Derived.DAYS, List.of("opened", "paid"), none[0], 10);
        planted(features, dear, options, Condition.Derived.RATIO, List.of("amount", "income"), 4, none[1]);
    }

    /** The first rule is one condition on what is worked out of `columns`, near low and high; it says so after JSON
     * too. */
    private static void planted(FeatureTable features, boolean[] target, RuleOptions options, Condition.Derived derived,
                                List<String> columns, double low, double high) {
        try (RuleSet rules = RuleSet.extract(features, target, options, null);
             RuleSet parsed = RuleSet.parse(rules.toJson())) {
            Condition condition = rules.rules().get(0).conditions().get(0);
            assertEquals(derived, condition.derived(), condition.text());
            assertEquals(columns, condition.columns(), condition.text());
            assertTrue(low == condition.low() || Math.abs(condition.low() - low) <= 0.05 * low, condition.text());
            assertTrue(high == condition.high() || Math.abs(condition.high() - high) <= 0.05 * high, condition.text());
            assertArrayEquals(rules.matches(features, null), parsed.matches(features, null));
            boolean[] matched = rules.matches(features, null);
            int wrong = 0;
            for (int row = 0; row < ROWS; ++row) wrong += matched[row] == target[row] ? 0 : 1;
            assertTrue(wrong < ROWS / 50, wrong + " rows are not as planted");
        }
    }

    @Test
    void refusesBadInput() {
        boolean[] none = new boolean[ROWS];
        refuse(StatusCode.INVALID_DATA, "target", () -> RuleSet.extract(FEATURES, none, null, null));
        refuse(StatusCode.MISMATCH, "target", () -> RuleSet.extract(FEATURES, new boolean[3], null, null));
        refuse(StatusCode.INVALID_ARGUMENT, "max_conditions", RuleOptions.builder().maxConditions(9));
        refuse(StatusCode.INVALID_ARGUMENT, "max_rules", RuleOptions.builder().maxRules(0));
        refuse(StatusCode.INVALID_ARGUMENT, "min_support", RuleOptions.builder().minSupport(0));
        refuse(StatusCode.INVALID_ARGUMENT, "min_precision", RuleOptions.builder().minPrecision(1.5));
        refuse(StatusCode.INVALID_ARGUMENT, "min_lift", RuleOptions.builder().minLift(-1));
        refuse(StatusCode.INVALID_ARGUMENT, "max_bins", RuleOptions.builder().maxBins(1));
        refuse(StatusCode.INVALID_ARGUMENT, "beam_width", RuleOptions.builder().beamWidth(10_001));
        refuse(StatusCode.INVALID_ARGUMENT, "held_out", RuleOptions.builder().heldOut(Double.NaN));
        refuse(StatusCode.INVALID_ARGUMENT, "confidence", RuleOptions.builder().confidence(1));
        refuse(StatusCode.MISMATCH, "times", RuleOptions.builder().times(new double[2]));
        double[] times = new double[ROWS];
        times[9] = Double.NaN;
        refuse(StatusCode.INVALID_DATA, "times", RuleOptions.builder().times(times));
        refuse(StatusCode.INVALID_ARGUMENT, "target_name", RuleOptions.builder().targetName("a\0"));
        assertThrows(NullPointerException.class, () -> RuleSet.extract(null, none, null, null));
        assertThrows(NullPointerException.class, () -> RuleSet.extract(FEATURES, null, null, null));
    }

    @Test
    void riskRefusesBadInput() {
        int[] labels = {0, 0, -1};
        refuse(StatusCode.MISMATCH, "fraud", () -> ClusterRisk.rate(labels, new byte[2], null, null, null, null));
        refuse(StatusCode.INVALID_DATA, "", () -> rate(new int[] {0, -2, 0}, new byte[3], null, null));
        refuse(StatusCode.INVALID_DATA, "", () -> rate(labels, new byte[] {0, 2, 0}, null, null));
        refuse(StatusCode.INVALID_DATA, "amounts", () -> rate(labels, new byte[3], new double[] {0, -1, 0}, null));
        refuse(StatusCode.INVALID_DATA, "times",
               () -> rate(labels, new byte[3], null, new double[] {0, 0, Double.NaN}));
        refuse(StatusCode.MISMATCH, "amounts", () -> rate(labels, new byte[3], new double[1], null));
        refuse(StatusCode.MISMATCH, "times", () -> rate(labels, new byte[3], null, new double[4]));
        for (RiskOptions bad : List.of(new RiskOptions(0.4, 3, 3), new RiskOptions(0.95, 0, 3),
                                       new RiskOptions(0.95, 3, 0), new RiskOptions(Double.NaN, 3, 3))) {
            refuse(StatusCode.INVALID_ARGUMENT, "", () -> ClusterRisk.rate(labels, new byte[3], null, null, bad, null));
        }
        try (ClusterRisk nothing = rate(new int[0], new byte[0], null, null)) {
            assertEquals(List.of(), nothing.reports());
            assertTrue(Double.isNaN(nothing.baseRate()));
        }
        try (ClusterRisk risk = rate(labels, new byte[] {1, -1, 0}, null, null)) {
            ClusterReport first = risk.reports().get(0);
            assertEquals(0, first.cluster());
            assertEquals(1, first.share());
            assertEquals(2, first.lift());
            assertEquals(0, first.loss());
            assertTrue(Double.isNaN(first.firstSeen()));
        }
    }

    @Test
    void exportsInEveryLanguage() {
        RuleSet rules = RuleSet.parse(
            "{\"format_version\": 1, \"features\": [{\"name\": \"a b\", \"kind\": \"numeric\"}], \"rules\":"
            + " [{\"conditions\": [{\"feature\": \"a b\", \"kind\": \"interval\", \"low\": 0.5}]}]}");
        try (rules) {
            ExportOptions spark =
                ExportOptions.builder().dialect(ExportOptions.Dialect.SPARK).table("t`").schema("s").build();
            assertEquals(
                "SELECT * FROM `s`.`t``` WHERE (NULLIF(CAST(`t```.`a b` AS DOUBLE), CAST('NaN' AS DOUBLE)) >= 0.5e0)",
                rules.export(ExportOptions.Format.SQL, spark, null));
            ExportOptions named = ExportOptions.builder().name("risk").build();
            for (ExportOptions.Format format : ExportOptions.Format.values()) {
                String text = rules.export(format, null, null);
                assertFalse(text.isEmpty());
                if (format.ordinal() < 2 || format == ExportOptions.Format.JSON_SCHEMA) {
                    refuse(StatusCode.INVALID_ARGUMENT, "options.name", () -> rules.export(format, named, null));
                } else {
                    assertTrue(rules.export(format, named, null).contains("risk"), format.name());
                }
            }
            ExportOptions zone = ExportOptions.builder().timestamps(true).timeZone("UTC").build();
            refuse(StatusCode.UNSUPPORTED, "time_zone", () -> rules.export(ExportOptions.Format.SQL, zone, null));
        }
    }

    private static ClusterRisk rate(int[] labels, byte[] fraud, double[] amounts, double[] times) {
        return ClusterRisk.rate(labels, fraud, amounts, times, null, null);
    }

    private static void refuse(StatusCode code, String words, RuleOptions.Builder options) {
        refuse(code, words, () -> RuleSet.extract(FEATURES, TARGET, options.build(), null));
    }

    private static void refuse(StatusCode code, String words, org.junit.jupiter.api.function.Executable call) {
        EncoderTest.refuse(code, words, call);
    }
}
