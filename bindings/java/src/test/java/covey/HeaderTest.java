package covey;

import static org.junit.jupiter.api.Assertions.*;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** The binding against covey.h: nothing left out, no number or default of its own. */
class HeaderTest {
    private final String header;

    HeaderTest() throws IOException { header = Files.readString(Path.of("include", "covey.h")); }

    @Test
    void everyFunctionIsUsed() throws IOException {
        String code = header.replaceAll("(?s)/\\*.*?\\*/", "");
        Set<String> missing = new TreeSet<>();
        Matcher functions = Pattern.compile("\\b(covey_\\w+)\\s*\\(").matcher(code);
        while (functions.find()) missing.add(functions.group(1));
        assertTrue(missing.size() > 80, "found " + missing.size() + " functions in the header");
        String sources;
        try (Stream<Path> files = Files.list(Path.of("bindings", "java", "jni"))) {
            sources = files.filter(file -> file.toString().endsWith(".c"))
                          .map(HeaderTest::read)
                          .collect(Collectors.joining());
        }
        missing.removeIf(name -> Pattern.compile("\\b" + name + "\\b").matcher(sources).find());
        // The error of a call is read for its message; its code is the status that the call returned.
        missing.remove("covey_error_code");
        // The macros do the same.
        missing.removeIf(name -> name.endsWith("_init"));
        // Their like with options does for both.
        missing.removeAll(Set.of("covey_embed_sequences", "covey_engine_score"));
        assertEquals(Set.of(), missing, "functions of covey.h that Java does not use");
    }

    private static String read(Path path) {
        try {
            return Files.readString(path);
        } catch (IOException failure) { throw new AssertionError(failure); }
    }

    /** The number of a constant of the header. */
    private int constant(String name) {
        Matcher definition = Pattern.compile("#define " + name + " \\(?(-?\\d+)").matcher(header);
        assertTrue(definition.find(), name);
        return Integer.parseInt(definition.group(1));
    }

    private void same(String prefix, Enum<?>[] values) {
        for (Enum<?> value : values) assertEquals(constant(prefix + value.name()), value.ordinal());
        Matcher all = Pattern.compile("#define " + prefix + "(?!ROWS_|OPTIONS_)\\w+ \\d").matcher(header);
        assertEquals(values.length, all.results().count(), prefix);
    }

    @Test
    void constantsAreTheHeaders() {
        same("COVEY_METRIC_", ClusterOptions.Metric.values());
        same("COVEY_SELECTION_", ClusterOptions.Selection.values());
        same("COVEY_SEARCH_", ClusterOptions.Search.values());
        same("COVEY_MISSING_ROWS_", ClusterOptions.MissingRows.values());
        same("COVEY_STRENGTHS_", ClusterOptions.Strengths.values());
        same("COVEY_PRECISION_", SequenceEncoder.Precision.values());
        same("COVEY_SCALING_", HybridOptions.Scaling.values());
        same("COVEY_MISSING_", HybridOptions.Missing.values());
        same("COVEY_CONDITION_", Condition.Kind.values());
        same("COVEY_SHARES_", RiskOptions.SharesOver.values());
        same("COVEY_ERROR_RATE_", FindOptions.ErrorRate.values());
        same("COVEY_EVIDENCE_", Found.Evidence.values());
        same("COVEY_COUNTERFACTUAL_", Counterfactuals.Outcome.values());
        for (CounterfactualOptions.Goal goal : CounterfactualOptions.Goal.values()) {
            assertEquals(constant("COVEY_GOAL_" + goal), 1 << goal.ordinal());
        }
        same("COVEY_EXPLAINED_", ExplainOptions.Explained.values());
        for (ExplainOptions.Method method : ExplainOptions.Method.values()) {
            assertEquals(constant("COVEY_ATTRIBUTION_" + method), method.ordinal() - 1);
        }
        for (Finding.Code code : Finding.Code.values())
            assertEquals(constant("COVEY_FINDING_" + code), code.ordinal() + 1);
        same("COVEY_RULES_", ExportOptions.Format.values());
        same("COVEY_SQL_", ExportOptions.Dialect.values());
        same("COVEY_SHADOW_", Backtest.Shadow.values());
        assertEquals(constant("COVEY_BACKTEST_ANY"), Backtest.ANY);
        assertEquals(constant("COVEY_BACKTEST_ALL"), Backtest.ALL);
        for (FeatureTable.Kind kind : FeatureTable.Kind.values()) {
            assertEquals(constant("COVEY_" + kind), kind.ordinal());
        }
        assertEquals(constant("COVEY_LABEL_UNKNOWN"), ClusterRisk.UNKNOWN);
        assertEquals(constant("COVEY_LABEL_LEGITIMATE"), ClusterRisk.LEGITIMATE);
        assertEquals(constant("COVEY_LABEL_FRAUD"), ClusterRisk.FRAUD);
        for (StatusCode code : StatusCode.values()) {
            assertEquals("COVEY_" + code, Text.decode(Native.statusName(code.value())));
            assertEquals(code, StatusCode.of(code.value()));
        }
        assertEquals(StatusCode.UNKNOWN, StatusCode.of(StatusCode.values().length - 1));
        assertEquals("COVEY_UNKNOWN", Text.decode(Native.statusName(StatusCode.values().length - 1)));
    }

    /** The values of an initialiser, without struct_size. */
    private String initialiser(String name) {
        Matcher definition =
            Pattern.compile("#define COVEY_" + name + "_OPTIONS_INIT[\\s\\\\]*\\{([^}]*)\\}").matcher(header);
        assertTrue(definition.find(), name);
        return definition.group(1)
            .replaceAll("[\\\\\\s]", "")
            .replaceFirst("^[^,]*,", "")
            .replace(".0,", ",")
            .replaceAll("\\.0$", "");
    }

    private static String joined(Object... values) {
        return Stream.of(values)
            .map(value
                 -> value == null                   ? "NULL"
                    : value instanceof Boolean flag ? (flag ? "1" : "0")
                    : value instanceof Enum<?> name ? name.name()
                                                    : value.toString().replaceFirst("\\.0$", ""))
            .collect(Collectors.joining(","));
    }

    @Test
    void defaultsAreTheHeaders() {
        ClusterOptions c = ClusterOptions.defaults();
        assertEquals(initialiser("CLUSTER").replaceAll("COVEY_(METRIC|SELECTION|SEARCH|MISSING_ROWS|STRENGTHS)_", ""),
                     joined(c.minClusterSize(), c.minSamples(), c.maxClusterSize(), c.clusterSelectionEpsilon(),
                            c.alpha(), c.metric(), c.selection(), c.allowSingleCluster(), c.search(), c.missing(),
                            c.prediction(), c.seed(), c.clusterSelectionEpsilonMax(), c.clusterSelectionPersistence(),
                            c.clusters(), c.matchReference(), c.strengths(), null, c.index(),
                            c.indexSearch())); // weights are an argument of the call
        HybridOptions h = HybridOptions.defaults();
        assertEquals(initialiser("HYBRID").replaceAll("COVEY_(SCALING|MISSING)_", ""),
                     joined(h.scaling(), h.missing(), h.embeddingComponents(), h.embeddingWeight(), h.featureWeight(),
                            h.clip(), h.columnWeights()));
        RiskOptions r = RiskOptions.defaults();
        assertEquals(initialiser("RISK").replaceAll("COVEY_SHARES_", ""),
                     joined(r.confidence(), r.minLift(), r.minFraud(), r.knownShare(), r.sharesOver(), 0));
        FindOptions f = FindOptions.defaults();
        assertEquals(initialiser("FIND").replaceAll("COVEY_(SHARES|ERROR_RATE|SCALING|SEARCH)_", ""),
                     joined(f.seed(), f.knownShare(), f.sharesOver(), f.errorRate(), f.significance(), f.confidence(),
                            f.minShare(), f.minFraud(), f.permutations(), f.trees(), f.maxRules(), f.minClusterSize(),
                            f.scaling(), f.search(), f.embeddingWeight(), f.featureWeight(), f.training()));
        ExplainOptions e = ExplainOptions.defaults();
        assertEquals(initialiser("EXPLAIN").replaceAll("COVEY_(EXPLAINED|ATTRIBUTION)_", ""),
                     joined(e.explained(), e.method(), e.cluster(), e.largestParts(), e.permutations(),
                            e.largestSteps(), e.seed(), e.features(), e.faithfulness(), e.sensitivity(), 0));
        TrainingOptions t = TrainingOptions.defaults();
        assertEquals(initialiser("TRAINING"),
                     joined(t.embeddingSize(), t.categoryEmbeddingSize(), t.hiddenSize(), t.attentionSize(),
                            t.dimension(), t.nextEvent(), t.maskedEvent(), t.autoencoder(), t.contrastive(), t.epochs(),
                            t.batchSize(), t.learningRate(), t.weightDecay(), t.clip(), t.warmUp(), t.dropout(),
                            t.unknown(), t.maskShare(), t.slices(), t.margin(), t.heldOut(), t.patience(), t.window(),
                            t.seed(), t.numericNames(), t.categoricalNames(), t.categoricalVocabularies(),
                            t.checkpoint(), t.checkpointSteps(), t.listener(), null, t.epochSequences()));
        RuleOptions o = RuleOptions.defaults();
        assertEquals(initialiser("RULES"),
                     joined(o.maxConditions(), o.maxRules(), o.minSupport(), o.minPrecision(), o.minLift(), o.maxBins(),
                            o.beamWidth(), o.heldOut(), o.confidence(), o.times(), o.seed(), o.targetName(),
                            o.weights(), o.amounts(), o.quality().ordinal(), 0, o.beta() - 1, null, o.features().size(),
                            null, o.pinned().size(), o.given(), o.rounding(), o.significance(), o.permutations(),
                            o.resamples(), o.minStability(), o.ageTo(), null, o.pairs().size()));
    }

    @Test
    void versionIsTheHeaders() {
        int major = constant("COVEY_VERSION_MAJOR"), minor = constant("COVEY_VERSION_MINOR"),
            patch = constant("COVEY_VERSION_PATCH");
        assertEquals(major + "." + minor + "." + patch, Covey.version());
        assertEquals(major * 10000 + minor * 100 + patch, Covey.versionNumber());
    }

    @Test
    void instructionsAreSetBeforeAllElse() {
        for (Covey.Instructions one : Covey.Instructions.values())
            assertEquals(constant("COVEY_INSTRUCTIONS_" + one.name()), one.ordinal());
        Vocabulary.of("a").close();
        Covey.setInstructions(Covey.Instructions.ALL);
        CoveyException late = assertThrows(CoveyException.class, () -> Covey.setInstructions(Covey.Instructions.AVX2));
        assertTrue(late.code() == StatusCode.INVALID_ARGUMENT || late.code() == StatusCode.UNSUPPORTED,
                   late.getMessage());
    }
}
