package covey;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;

/** Sessions against the scores of whole sequences. */
class SessionTest extends RoadOnSample {
    private static void addAll(Session session, int row, int from) {
        long[] offsets = (long[])sample.sequences.offsets;
        double[] times = (double[])sample.sequences.times;
        double[] dwell = (double[])sample.sequences.dwell;
        for (int place = (int)offsets[row] + from; place < offsets[row + 1]; ++place) {
            session.add(((int[])sample.sequences.types)[place], times[place], dwell[place], null, null);
        }
    }

    @Test
    void isWhatAFullRunGives() {
        Session session = new Session(road.engine);
        for (int row = 0; row < 100; ++row) {
            session.reset();
            addAll(session, row, 0);
            float[] embedding = road.encoder.embed(sample.sequences.slice(row, row + 1), null).floats();
            assertArrayEquals(embedding, session.embedding());
            FeatureTable features = sample.features.slice(row, row + 1);
            assertEquals(road.engine.scoreOne(sample.sequences.slice(row, row + 1), features, null),
                         session.score(features));
            Session copy = Session.fromBytes(road.engine, session.toBytes());
            assertEquals(session.score(features), copy.score(features));
        }
    }

    @Test
    void keepsTheLastEventsAndCountsTheUnknown() {
        Session session = new Session(road.engine, 3);
        Session last = new Session(road.engine, 1000);
        long[] offsets = (long[])sample.sequences.offsets;
        int row = 0;
        while (offsets[row + 1] - offsets[row] < 5) ++row;
        addAll(session, row, 0);
        addAll(last, row, (int)(offsets[row + 1] - offsets[row]) - 3);
        assertArrayEquals(last.embedding(), session.embedding());
        assertEquals(3, session.events());
        assertEquals(3, session.largestEvents());
        assertEquals(offsets[row + 1] - offsets[row], session.total());
        assertEquals(0, session.unknown());

        Session named = new Session(road.engine, 10);
        Session numbered = new Session(road.engine, 10);
        try (SequenceEncoder encoder = road.engine.encoder().orElseThrow();
             Vocabulary vocabulary = encoder.vocabulary()) {
            named.add(vocabulary.name(2), 1, Double.NaN);
            numbered.add(2, 1, Double.NaN, null, null);
        }
        named.add("no such event", 2, 1);
        named.add(null, 3, 1);
        numbered.add(-1, 2, 1, null, null);
        numbered.add(0, 3, 1, null, null);
        assertEquals(2, named.unknown());
        assertEquals(2, numbered.unknown());
        assertArrayEquals(numbered.embedding(), named.embedding());
    }

    @Test
    void whatIsWrongIsRefused() {
        Session session = new Session(road.engine, 3);
        EncoderTest.refuse(StatusCode.INVALID_DATA, "event.time", () -> session.add("view", Double.NaN, 0));
        EncoderTest.refuse(StatusCode.INVALID_DATA, "event.dwell", () -> session.add("view", 0, -1));
        EncoderTest.refuse(StatusCode.MISMATCH, "event.numeric_count",
                           () -> session.add("view", 0, 0, new double[1], null));
        EncoderTest.refuse(StatusCode.INVALID_ARGUMENT, "largestEvents", () -> new Session(road.engine, 0));
        EncoderTest.refuse(StatusCode.CORRUPT_FILE, "session", () -> Session.fromBytes(road.engine, new byte[100]));
        byte[] bytes = session.toBytes();
        EncoderTest.refuse(StatusCode.CORRUPT_FILE, "session",
                           () -> Session.fromBytes(road.engine, Arrays.copyOf(bytes, bytes.length - 1)));
        assertThrows(NullPointerException.class, () -> new Session(null));
        assertEquals(0, session.total());
    }

    @Test
    void driftTellsWhatMoved() {
        double[] milliseconds = ((double[])sample.sequences.times).clone();
        for (int event = 0; event < milliseconds.length; ++event) milliseconds[event] *= 1000;
        Sequences wrong = Sequences.builder()
                              .offsets((long[])sample.sequences.offsets)
                              .types((int[])sample.sequences.types)
                              .times(milliseconds)
                              .dwell((double[])sample.sequences.dwell)
                              .build();
        try (Drift good = new Drift(road.engine); Drift bad = new Drift(road.engine);
             Scores scores = road.engine.score(sample.sequences, sample.features, null);
             Scores other = road.engine.score(wrong, sample.features, null)) {
            good.add(sample.sequences, sample.features, scores);
            bad.add(wrong, sample.features, other);
            assertEquals(List.of(), scores.warnings());
            assertEquals(1, other.warnings().size());
            assertTrue(good.report().contains("\"moved\":[]"), good.report());
            assertTrue(bad.report().contains("time_between_events"), bad.report());
            assertTrue(bad.report(good).contains("\"against\":\"earlier\""), bad.report(good));
            try (Drift copy = Drift.fromBytes(road.engine, good.toBytes())) {
                assertArrayEquals(good.toBytes(), copy.toBytes());
                copy.merge(good);
                assertTrue(copy.report().contains("\"scored\":" + 2 * sample.features.rows), copy.report());
            }
            EncoderTest.refuse(StatusCode.INVALID_ARGUMENT, "NULL", () -> good.add(null, null, null));
            EncoderTest.refuse(StatusCode.CORRUPT_FILE, "drift", () -> Drift.fromBytes(road.engine, new byte[9]));
        }
    }

    /** What an engine says of itself and counts takes a context, which stops it. */
    @Test
    void contextsStopTexts() {
        try (Context stop = Context.builder().progress((stage, fraction) -> false).build();
             Drift drift = new Drift(road.engine)) {
            byte[] bytes = road.engine.toBytes();
            byte[] counts = drift.toBytes();
            List<Executable> calls = List.of(()
                                                 -> road.engine.schema(stop),
                                             ()
                                                 -> road.engine.hash(stop),
                                             ()
                                                 -> road.engine.toBytes(stop),
                                             ()
                                                 -> Engine.fromBytes(bytes, stop),
                                             ()
                                                 -> new Drift(road.engine, stop),
                                             ()
                                                 -> drift.report(null, stop),
                                             ()
                                                 -> drift.toBytes(stop),
                                             ()
                                                 -> drift.merge(drift, stop),
                                             ()
                                                 -> Drift.fromBytes(road.engine, counts, stop),
                                             () -> road.encoder.vocabulary().lookup(List.of("a"), stop));
            for (Executable call : calls) EncoderTest.refuse(StatusCode.CANCELLED, "cancelled", call);
        }
    }
}
