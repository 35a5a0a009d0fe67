package covey;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import org.junit.jupiter.api.Test;

/** Explanations, against distances and scores that are computed here with one event less. */
class ExplainTest extends RoadOnSample {
    private static final int ROWS = 20;

    private static Explanations explain(ExplainOptions options) {
        return road.engine.explain(sample.sequences.slice(0, ROWS), sample.features.slice(0, ROWS), options, null);
    }

    /** The hybrid row of a transaction without an event; -1 leaves none out. */
    private static float[] row(int transaction, int without) {
        long[] offsets = (long[])sample.sequences.offsets;
        int first = (int)offsets[transaction], end = (int)offsets[transaction + 1];
        int count = end - first - (without < 0 ? 0 : 1);
        int[] types = new int[count];
        double[] times = new double[count], dwell = new double[count];
        for (int place = first, to = 0; place < end; ++place) {
            if (place - first == without) continue;
            types[to] = ((int[])sample.sequences.types)[place];
            times[to] = ((double[])sample.sequences.times)[place];
            dwell[to++] = ((double[])sample.sequences.dwell)[place];
        }
        Sequences sequences =
            Sequences.builder().offsets(new long[] {0, count}).types(types).times(times).dwell(dwell).build();
        Matrix embedding = road.encoder.embed(sequences, null);
        return road.hybrid.transform(embedding, sample.features.slice(transaction, transaction + 1), null).floats();
    }

    private static double distance(float[] left, float[] right) {
        double sum = 0;
        for (int place = 0; place < left.length; ++place) {
            sum += ((double)left[place] - right[place]) * ((double)left[place] - right[place]);
        }
        return Math.sqrt(sum);
    }

    @Test
    void occlusionIsLeavingOneEventOut() {
        try (Explanations found = explain(ExplainOptions.builder()
                                              .explained(ExplainOptions.Explained.EXEMPLAR)
                                              .method(ExplainOptions.Method.OCCLUSION)
                                              .build())) {
            assertEquals(ROWS, found.count());
            for (int transaction = 0; transaction < ROWS; ++transaction) {
                Explanation told = found.get(transaction);
                float[] exemplar = row((int)told.exemplar(), -1);
                double whole = distance(row(transaction, -1), exemplar);
                assertEquals(whole, told.value(), 1e-5);
                for (int event = 0; event < told.attributions().length; ++event) {
                    assertEquals(whole - distance(row(transaction, event), exemplar), told.attributions()[event], 1e-5);
                    assertTrue(Double.isNaN(told.errors()[event]));
                }
                assertEquals(road.engine.features().size(), told.features().length);
                assertEquals(ExplainOptions.Method.OCCLUSION, told.method());
                assertTrue(told.faithfulness().difference() >= 0 && told.faithfulness().sufficiency() >= 0);
            }
            assertThrows(IndexOutOfBoundsException.class, () -> found.get(ROWS));
        }
    }

    @Test
    void methodsAddUp() {
        for (ExplainOptions.Method method :
             new ExplainOptions.Method[] {ExplainOptions.Method.SHAPLEY, ExplainOptions.Method.GRADIENTS}) {
            try (Explanations found = explain(ExplainOptions.builder()
                                                  .explained(ExplainOptions.Explained.CENTRE)
                                                  .method(method)
                                                  .cluster(0)
                                                  .permutations(4)
                                                  .features(false)
                                                  .faithfulness(false)
                                                  .build())) {
                Explanation told = found.get(3);
                double sum = Arrays.stream(told.attributions()).sum();
                assertEquals(told.value() - told.base(), sum, 0.01 * Math.abs(told.value() - told.base()) + 1e-4);
                assertEquals(0, told.cluster());
                assertEquals(-1, told.exemplar());
                assertEquals(0, told.features().length);
                assertTrue(Double.isNaN(told.faithfulness().difference()));
                assertEquals(method == ExplainOptions.Method.SHAPLEY, told.errors()[0] >= 0);
            }
        }
    }

    @Test
    void theRiskIsTheScores() {
        try (Explanations found = explain(ExplainOptions.builder().explained(ExplainOptions.Explained.RISK).build());
             Scores scores = road.engine.score(sample.sequences.slice(0, ROWS), sample.features.slice(0, ROWS), null)) {
            double[] risks = new double[ROWS];
            for (int transaction = 0; transaction < ROWS; ++transaction)
                risks[transaction] = found.get(transaction).value();
            assertArrayEquals(scores.risks(), risks);
        }
    }

    @Test
    void whatIsWrongIsRefused() {
        CoveyException failure =
            assertThrows(CoveyException.class, () -> explain(ExplainOptions.builder().cluster(1_000_000).build()));
        assertEquals(StatusCode.INVALID_ARGUMENT, failure.code());
        failure = assertThrows(CoveyException.class,
                               () -> road.engine.explain(null, sample.features.slice(0, 1), null, null));
        assertEquals(StatusCode.MISMATCH, failure.code());
        assertThrows(NullPointerException.class, () -> ExplainOptions.builder().method(null).build());
    }
}
