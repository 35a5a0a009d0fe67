package covey;

import static org.junit.jupiter.api.Assertions.*;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The whole road on the sample; every figure is computed a second time, here, from the data. */
class RoadTest extends RoadOnSample {
    @TempDir Path folder;

    @Test
    void findsFraudThatNobodyLabelled() {
        int labelled = 0, hidden = 0, rows = 0;
        for (ClusterReport report : road.risky) {
            boolean[] inside = road.inCluster(report.cluster());
            for (int row = 0; row < inside.length; ++row) {
                if (!inside[row]) continue;
                ++rows;
                if (sample.fraud[row] && sample.labels[row] == 1) ++labelled;
                if (sample.fraud[row] && sample.labels[row] != 1) ++hidden;
            }
        }
        assertTrue(road.risky.size() >= 3, road.risky.size() + " risky clusters");
        assertTrue(hidden >= 30, hidden + " frauds without a label in risky clusters, " + labelled + " with one");
        assertTrue(labelled + hidden > rows / 2, (labelled + hidden) + " frauds among " + rows + " rows");
    }

    @Test
    void riskIsKeptInFilesAndBytes() throws Exception {
        Path file = folder.resolve("shop.risk");
        road.risk.save(file, null);
        byte[] bytes = road.risk.toBytes();
        assertArrayEquals(Files.readAllBytes(file), bytes);
        try (ClusterRisk loaded = ClusterRisk.load(file, null); ClusterRisk read = ClusterRisk.of(bytes, null)) {
            assertEquals(road.risk.reports(), loaded.reports());
            assertEquals(road.risk.reports(), read.reports());
            assertEquals(road.risk.baseRate(), read.baseRate());
        }
        bytes[bytes.length / 2] ^= 1;
        CoveyException wrong = assertThrows(CoveyException.class, () -> ClusterRisk.of(bytes, null));
        assertEquals(StatusCode.CORRUPT_FILE, wrong.code());
    }

    @Test
    void reportsAreCountedRight() {
        Map<Integer, List<Integer>> members = new HashMap<>();
        for (int row = 0; row < road.labels.length; ++row) {
            members.computeIfAbsent(road.labels[row], label -> new ArrayList<>()).add(row);
        }
        long known = IntStream.range(0, sample.rows()).filter(row -> sample.labels[row] >= 0).count();
        long fraud = IntStream.range(0, sample.rows()).filter(row -> sample.labels[row] == 1).count();
        double base = (double)fraud / known;
        assertEquals(base, road.risk.baseRate(), 1e-15);
        List<ClusterReport> reports = road.risk.reports();
        assertEquals(members.size(), reports.size());
        for (ClusterReport report : reports) {
            List<Integer> rows = members.remove((int)report.cluster());
            long labelled = rows.stream().filter(row -> sample.labels[row] >= 0).count();
            long frauds = rows.stream().filter(row -> sample.labels[row] == 1).count();
            assertEquals(rows.size(), report.size());
            assertEquals(labelled, report.labelled());
            assertEquals(frauds, report.fraud());
            assertEquals((double)labelled / rows.size(), report.labelledShare(), 1e-15);
            double[] interval = wilson(frauds, labelled);
            assertEquals(interval[0], report.shareLow(), 1e-9);
            assertEquals(interval[1], report.shareHigh(), 1e-9);
            assertEquals(labelled == 0 ? Double.NaN : (double)frauds / labelled, report.share(), 1e-15);
            assertEquals(report.share() / base, report.lift(), 1e-12);
            assertEquals(
                rows.stream().filter(row -> sample.labels[row] == 1).mapToDouble(row -> sample.amounts[row]).sum(),
                report.loss(), 1e-6);
            assertEquals(rows.stream().mapToDouble(row -> sample.amounts[row]).sum(), report.amount(), 1e-4);
            assertEquals(rows.stream().mapToDouble(row -> sample.times[row]).min().getAsDouble(), report.firstSeen());
            assertEquals(rows.stream().mapToDouble(row -> sample.times[row]).max().getAsDouble(), report.lastSeen());
            assertEquals(report.cluster() >= 0 && frauds >= 3 && interval[0] >= Math.min(1, 3 * base), report.risky());
        }
        assertTrue(members.isEmpty());
        Comparator<ClusterReport> order = Comparator.comparingDouble((ClusterReport r) -> - r.shareLow())
                                              .thenComparingDouble(r -> - r.loss())
                                              .thenComparingLong(ClusterReport::cluster);
        assertEquals(reports.stream().sorted(order).toList(), reports);
        for (int rank = 0; rank < reports.size(); ++rank) assertEquals(rank, reports.get(rank).rank());
    }

    /** Wilson's interval at 95%. */
    private static double[] wilson(double hits, double n) {
        if (n == 0) return new double[] {0, 1};
        double z = 1.959963984540054, p = hits / n, middle = p + z * z / (2 * n);
        double half = z * Math.sqrt(p * (1 - p) / n + z * z / (4 * n * n));
        return new double[] {Math.max(0, (middle - half) / (1 + z * z / n)),
                             Math.min(1, (middle + half) / (1 + z * z / n))};
    }

    @Test
    void rulesSayWhatTheirConditionsSay() {
        assertTrue(road.rules.stream().mapToInt(RuleSet::size).sum() > 0, "no rule at all");
        for (int set = 0; set < road.rules.size(); ++set) {
            RuleSet rules = road.rules.get(set);
            boolean[] target = road.inCluster(road.risky.get(set).cluster());
            boolean[][] fired = rules.fired(sample.features, null);
            boolean[] any = rules.matches(sample.features, null);
            List<Rule> list = rules.rules();
            assertTrue(rules.tried() >= list.size() && rules.fallen() >= 0);
            for (int row = 0; row < sample.rows(); ++row) {
                boolean one = false;
                for (int rule = 0; rule < list.size(); ++rule) {
                    int at = row;
                    boolean expected = list.get(rule).conditions().stream().allMatch(condition -> holds(condition, at));
                    assertEquals(expected, fired[row][rule], list.get(rule).text());
                    one |= expected;
                }
                assertEquals(one, any[row]);
            }
            for (int rule = 0; rule < list.size(); ++rule) check(list.get(rule), rule, fired, target);
        }
    }

    private void check(Rule rule, int index, boolean[][] fired, boolean[] target) {
        long matched = 0, support = 0;
        for (int row = 0; row < target.length; ++row) {
            if (!fired[row][index]) continue;
            ++matched;
            if (target[row]) ++support;
        }
        assertEquals(matched, rule.matched() + rule.searchMatched());
        assertEquals(support, rule.support() + rule.searchSupport());
        assertEquals((double)rule.support() / rule.matched(), rule.precision(), 1e-12);
        assertEquals((double)rule.searchSupport() / rule.searchMatched(), rule.searchPrecision(), 1e-12);
        assertArrayEquals(wilson(rule.support(), rule.matched()),
                          new double[] {rule.precisionLow(), rule.precisionHigh()}, 1e-9);
        assertTrue(rule.precision() >= 0.5 && rule.lift() >= 2 && rule.recall() > 0 && rule.recall() <= 1);
        assertTrue(rule.searchSupport() >= 5 && rule.searchRecall() > 0 && rule.searchLift() >= 2);
        assertTrue(rule.conditions().size() >= 1 && rule.conditions().size() <= 3);
        for (Condition condition : rule.conditions()) {
            assertTrue(rule.text().contains(condition.text()), rule.text() + " / " + condition.text());
        }
    }

    /** Whether a condition holds in a row of the sample's table. */
    private static boolean holds(Condition condition, int row) {
        int column = sample.features.names().indexOf(condition.feature());
        Object values = sample.features.values[column];
        boolean missing;
        boolean held;
        if (values instanceof double[] numbers) {
            missing = Double.isNaN(numbers[row]);
            held = numbers[row] >= condition.low() && numbers[row] < condition.high();
        } else if (values instanceof byte[] flags) {
            missing = flags[row] == -1;
            held = flags[row] == (condition.kind() == Condition.Kind.TRUE ? 1 : 0);
        } else {
            int code = ((int[])values)[row];
            missing = code == -1;
            held = !missing &&
                   condition.categories().contains(category(column, code)) == (condition.kind() == Condition.Kind.IN);
        }
        return switch (condition.kind()) {
            case MISSING -> missing;
            case PRESENT -> !missing;
            default -> !missing &&held;
        };
    }

    /** A category's name, read from the text that the native side sees. */
    private static String category(int column, int code) {
        String[] texts = Text.decode(sample.features.text).split("\0");
        int index = 0;
        for (int before = 0; before < column; ++before) index += 1 + sample.features.categoryCounts[before];
        return texts[index + 1 + code];
    }

    @Test
    void rulesTravelAsJson() {
        for (RuleSet rules : road.rules) {
            try (RuleSet again = RuleSet.parse(rules.toJson())) {
                assertEquals(rules.rules(), again.rules());
                assertEquals(rules.toJson(), again.toJson());
                assertEquals(rules.toSql(), again.toSql());
                assertArrayEquals(rules.matches(sample.features, null), again.matches(sample.features, null));
            }
        }
        String json = road.rules.get(0).toJson();
        for (String bad : List.of("", "{", "[]", "null", "{}", json.substring(0, json.length() / 2), json + "x",
                                  json.replaceFirst("\\{", "{\0"))) {
            CoveyException failure = assertThrows(CoveyException.class, () -> RuleSet.parse(bad), bad);
            assertEquals(StatusCode.CORRUPT_FILE, failure.code(), failure.getMessage());
        }
    }

    @Test
    void placesItsOwnRowsWhereTheyAre() {
        Clustering.Placement places = road.clustering.predict(road.rows.slice(0, 1500), null);
        double[] strengths = road.clustering.probabilities();
        int certain = 0, same = 0;
        for (int row = 0; row < 1500; ++row) {
            if (strengths[row] < 0.99) continue;
            ++certain;
            if (places.labels()[row] == road.labels[row]) ++same;
        }
        assertTrue(certain > 20 && same >= 0.95 * certain, same + " of " + certain);
    }

    @Test
    void scoresFollowTheFormula() {
        Map<Long, ClusterReport> reports = new HashMap<>();
        road.risk.reports().forEach(report -> reports.put(report.cluster(), report));
        double base = road.risk.baseRate();
        Map<String, Double> precision = new HashMap<>();
        for (int set = 0; set < road.rules.size(); ++set) {
            for (Rule rule : road.rules.get(set).rules()) precision.put(rule.text(), rule.precision());
        }
        int rows = 1500;
        Clustering.Placement places = road.clustering.predict(road.rows.slice(0, rows), null);
        int withRules = 0;
        try (Scores scores = road.engine.score(sample.sequences.slice(0, rows), sample.features.slice(0, rows), null)) {
            assertEquals(rows, scores.count());
            int[] clusters = scores.clusters();
            double[] strengths = scores.strengths(), risks = scores.risks();
            for (int row = 0; row < rows; ++row) {
                Score score = scores.get(row);
                assertEquals(places.labels()[row], score.cluster());
                assertEquals(places.probabilities()[row], score.strength());
                assertEquals(clusters[row], score.cluster());
                assertEquals(strengths[row], score.strength());
                assertEquals(risks[row], score.risk());
                ClusterReport report = score.cluster() < 0 ? null : reports.get(score.cluster());
                double share = report == null ? base : Double.isNaN(report.share()) ? base : report.share();
                double risk = score.strength() * share + (1 - score.strength()) * base;
                boolean risky = report != null && report.risky();
                for (Score.FiredRule rule : score.rules()) {
                    ++withRules;
                    risk = Math.max(risk, precision.get(rule.text()) * reports.get(rule.cluster()).share());
                    risky = true; // every rule here describes a risky cluster
                }
                assertEquals(risk, score.risk(), 1e-12, "row " + row);
                assertEquals(risky, score.risky(), "row " + row);
                assertFalse(score.reasons().isEmpty());
            }
            assertTrue(withRules > 0);
            assertThrows(IndexOutOfBoundsException.class, () -> scores.get(rows));
            assertThrows(IndexOutOfBoundsException.class, () -> scores.get(-1));
        }
    }

    @Test
    void oneEngineServesManyThreads() throws Exception {
        Path path = folder.resolve("engine.safetensors");
        road.engine.save(path);
        int rows = 120;
        try (Engine engine = Engine.load(path);
             Scores batch = road.engine.score(sample.sequences.slice(0, rows), sample.features.slice(0, rows), null)) {
            assertEquals(road.engine.features(), engine.features());
            assertEquals(sample.features.names(), engine.features().stream().map(Engine.Feature::name).toList());
            List<Score> expected = IntStream.range(0, rows).mapToObj(batch::get).toList();
            ExecutorService threads = Executors.newFixedThreadPool(8);
            try {
                List<Future<?>> calls = new ArrayList<>();
                for (int thread = 0; thread < 8; ++thread) {
                    int start = thread * 15;
                    calls.add(threads.submit(() -> {
                        for (int step = 0; step < rows; ++step) {
                            int row = (start + step) % rows;
                            assertEquals(expected.get(row), engine.scoreOne(sample.sequences.slice(row, row + 1),
                                                                            sample.features.slice(row, row + 1), null));
                        }
                    }));
                }
                for (Future<?> call : calls) call.get();
            } finally { threads.shutdownNow(); }
            try (SequenceEncoder inside = engine.encoder().orElseThrow()) {
                engine.close();
                assertArrayEquals(road.embeddings.slice(0, 10).floats(),
                                  inside.embed(sample.sequences.slice(0, 10)).floats());
            }
        }
    }

    @Test
    void badScoringIsRefused() throws Exception {
        Sequences two = sample.sequences.slice(0, 2);
        FeatureTable one = sample.features.slice(0, 1);
        Engine engine = road.engine;
        EncoderTest.refuse(StatusCode.MISMATCH, "", () -> engine.score(two, one, null));
        EncoderTest.refuse(StatusCode.MISMATCH, "amount",
                           () -> engine.score(two, FeatureTable.builder(2).build(), null));
        EncoderTest.refuse(StatusCode.MISMATCH, "1 row", () -> engine.scoreOne(two, sample.features.slice(0, 2), null));
        assertThrows(CoveyException.class, () -> engine.score(null, one, null));
        assertThrows(NullPointerException.class, () -> engine.score(two, null, null));
        assertThrows(NullPointerException.class, () -> Engine.builder().hybrid(road.hybrid).build());
        assertThrows(CoveyException.class,
                     () -> Engine.builder().hybrid(road.hybrid).clustering(road.clustering).risk(road.risk).build());
        Path path = folder.resolve("engine");
        engine.save(path);
        byte[] file = Files.readAllBytes(path);
        for (int length : new int[] {0, 7, 8, 1000, file.length / 2, file.length - 1}) {
            Files.write(path, java.util.Arrays.copyOf(file, length));
            EncoderTest.refuse(StatusCode.CORRUPT_FILE, "", () -> Engine.load(path));
        }
        EncoderTest.refuse(StatusCode.IO, "", () -> Engine.load(folder.resolve("none")));
        EncoderTest.refuse(StatusCode.IO, "", () -> engine.save(folder));
        EncoderTest.refuse(StatusCode.INVALID_ARGUMENT, "NUL", () -> Text.encode("a\0b", "path"));
        try (Scores scores = engine.score(sample.sequences.slice(0, 0), sample.features.slice(0, 0), null)) {
            assertEquals(0, scores.count());
        }
    }

    @Test
    void writesTheSameBytesWithOneThread() throws Exception {
        Path many = Files.createDirectories(folder.resolve("many")), one =
                                                                         Files.createDirectories(folder.resolve("one"));
        WriteRoad.write(many, road);
        try (Context context = Context.builder().threads(1).build(); Road alone = new Road(sample, context)) {
            WriteRoad.write(one, alone);
        }
        try (var files = Files.list(many)) {
            List<Path> written = files.toList();
            assertEquals(8, written.size());
            for (Path file : written) {
                assertTrue(Files.size(file) > 0, file.toString());
                assertEquals(-1, Files.mismatch(file, one.resolve(file.getFileName())), file.toString());
            }
        }
    }
}
