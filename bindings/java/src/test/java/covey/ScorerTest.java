package covey;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.sun.management.ThreadMXBean;
import java.lang.management.ManagementFactory;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** One transaction after another, against {@link Engine#scoreOne}, and the garbage that this leaves. */
@Timeout(value = 600, unit = TimeUnit.SECONDS)
class ScorerTest extends RoadOnSample {
    private static final int ROWS = 300;

    /** One row of the sample after another, written into arrays that are used again. */
    private static final class Page {
        final long[] offsets = new long[2];
        final int[] types = new int[10_000];
        final double[] times = new double[10_000], dwell = new double[10_000];
        final Sequences one = Sequences.builder().offsets(offsets).types(types).times(times).dwell(dwell).build();
        final List<Engine.Feature> features = road.engine.features();
        final double[][] numbers = new double[features.size()][];
        final String[][] categories = new String[features.size()][];

        Page() {
            for (int index = 0; index < features.size(); ++index) {
                String name = features.get(index).name();
                assertEquals(index, road.engine.featureIndex(name));
                if (features.get(index).kind() == FeatureTable.Kind.CATEGORICAL) {
                    categories[index] = sample.categories(name);
                } else {
                    numbers[index] = sample.numbers(name);
                }
            }
        }

        void set(Scorer scorer, int row) {
            long first = ((long[])sample.sequences.offsets)[row];
            int count = (int)(((long[])sample.sequences.offsets)[row + 1] - first);
            offsets[1] = count;
            System.arraycopy(sample.sequences.types, (int)first, types, 0, count);
            System.arraycopy(sample.sequences.times, (int)first, times, 0, count);
            System.arraycopy(sample.sequences.dwell, (int)first, dwell, 0, count);
            for (int index = 0; index < numbers.length; ++index) {
                if (numbers[index] != null) {
                    scorer.set(index, numbers[index][row]);
                } else {
                    scorer.set(index, categories[index][row]);
                }
            }
        }
    }

    @Test
    void scoresAsTheEngineDoes() {
        Page page = new Page();
        try (Scorer scorer = new Scorer(road.engine)) {
            for (int row = 0; row < ROWS; ++row) {
                page.set(scorer, row);
                double risk = scorer.score(page.one);
                Score expected = road.engine.scoreOne(sample.sequences.slice(row, row + 1),
                                                      sample.features.slice(row, row + 1), null);
                assertEquals(expected, scorer.last());
                assertEquals(expected.risk(), risk);
                assertEquals(expected.risk(), scorer.risk());
                assertEquals(expected.cluster(), scorer.cluster());
                assertEquals(expected.strength(), scorer.strength());
                assertEquals(expected.risky(), scorer.risky());
                assertEquals(expected.rules().size(), scorer.ruleCount());
                assertEquals(expected.group(), scorer.group());
            }
            scorer.clear();
            assertTrue(scorer.score(page.one) >= 0);
        }
        assertEquals(-1, road.engine.featureIndex("Amount"));
    }

    @Test
    void leavesNoGarbage() {
        ThreadMXBean threads = (ThreadMXBean)ManagementFactory.getThreadMXBean();
        Page page = new Page();
        try (Scorer scorer = new Scorer(road.engine)) {
            long least = Long.MAX_VALUE;
            for (int turn = 0; turn < 40 && least > 0; ++turn) {
                long before = threads.getCurrentThreadAllocatedBytes();
                for (int row = 0; row < ROWS; ++row) {
                    page.set(scorer, row);
                    scorer.score(page.one);
                }
                least = Math.min(least, threads.getCurrentThreadAllocatedBytes() - before);
            }
            assertEquals(0, least, "bytes of " + ROWS + " transactions");
        }
    }

    @Test
    void refusesWhatCannotBe() {
        Page page = new Page();
        int amount = road.engine.featureIndex("amount"), country = 0;
        while (page.categories[country] == null) ++country;
        final int category = country;
        Scorer scorer = new Scorer(road.engine);
        EncoderTest.refuse(StatusCode.INVALID_ARGUMENT, "no score yet", scorer::last);
        EncoderTest.refuse(StatusCode.MISMATCH, "is categorical", () -> scorer.set(category, 1));
        EncoderTest.refuse(StatusCode.MISMATCH, "is not categorical", () -> scorer.set(amount, "NL"));
        EncoderTest.refuse(StatusCode.INVALID_DATA, "infinite", () -> scorer.set(amount, Double.NEGATIVE_INFINITY));
        EncoderTest.refuse(StatusCode.INVALID_ARGUMENT, "feature must be", () -> scorer.set(-1, true));
        EncoderTest.refuse(StatusCode.INVALID_ARGUMENT, "NUL", () -> scorer.set(category, "N\0L"));
        EncoderTest.refuse(StatusCode.INVALID_ARGUMENT, "NUL", () -> scorer.set(category, "N\uD800"));
        EncoderTest.refuse(StatusCode.INVALID_ARGUMENT, "NUL", () -> scorer.set(category, "\uDC00N"));
        for (String unknown : new String[] {"", "\u00E9", "\u20AC", "\uD83D\uDE00", null})
            scorer.set(category, unknown);
        EncoderTest.refuse(StatusCode.MISMATCH, "sequences must not be", () -> scorer.score(null));
        ScoreOptions over = ScoreOptions.builder().deadline(Duration.ZERO).build();
        EncoderTest.refuse(StatusCode.CANCELLED, "deadline", () -> scorer.score(page.one, over));
        scorer.close();
        assertThrows(IllegalStateException.class, () -> scorer.score(page.one));
        assertThrows(NullPointerException.class, () -> new Scorer(null));
    }

    @Test
    void keepsItsEngineAndContext() {
        Page page = new Page();
        Context context = Context.builder().threads(1).build();
        Scorer scorer = new Scorer(Engine.fromBytes(road.engine.toBytes()), context);
        context.close();
        page.set(scorer, 0);
        assertEquals(road.engine.scoreOne(sample.sequences.slice(0, 1), sample.features.slice(0, 1), null).risk(),
                     scorer.score(page.one));
        scorer.close();
    }
}
