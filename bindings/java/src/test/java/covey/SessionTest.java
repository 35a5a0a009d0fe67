package covey;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.Arrays;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** Sessions against the scores of whole sequences. */
class SessionTest {
    private static Sample sample;
    private static Road road;

    @BeforeAll
    static void run() throws Exception {
        sample = Sample.load();
        road = new Road(sample, null);
    }

    @AfterAll
    static void end() {
        road.close();
    }

    private static void addAll(Session session, int row, int from) {
        long[] offsets = (long[]) sample.sequences.offsets;
        double[] times = (double[]) sample.sequences.times;
        double[] dwell = (double[]) sample.sequences.dwell;
        for (int place = (int) offsets[row] + from; place < offsets[row + 1]; ++place) {
            session.add(((int[]) sample.sequences.types)[place], times[place], dwell[place], null, null);
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
            assertEquals(
                    road.engine.scoreOne(sample.sequences.slice(row, row + 1), features, null), session.score(features));
            Session copy = Session.fromBytes(road.engine, session.toBytes());
            assertEquals(session.score(features), copy.score(features));
        }
    }

    @Test
    void keepsTheLastEventsAndCountsTheUnknown() {
        Session session = new Session(road.engine, 3);
        Session last = new Session(road.engine, 1000);
        long[] offsets = (long[]) sample.sequences.offsets;
        int row = 0;
        while (offsets[row + 1] - offsets[row] < 5) ++row;
        addAll(session, row, 0);
        addAll(last, row, (int) (offsets[row + 1] - offsets[row]) - 3);
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
        EncoderTest.refuse(
                StatusCode.MISMATCH, "event.numeric_count", () -> session.add("view", 0, 0, new double[1], null));
        EncoderTest.refuse(StatusCode.INVALID_ARGUMENT, "largestEvents", () -> new Session(road.engine, 0));
        EncoderTest.refuse(StatusCode.CORRUPT_FILE, "session", () -> Session.fromBytes(road.engine, new byte[100]));
        byte[] bytes = session.toBytes();
        EncoderTest.refuse(
                StatusCode.CORRUPT_FILE,
                "session",
                () -> Session.fromBytes(road.engine, Arrays.copyOf(bytes, bytes.length - 1)));
        assertThrows(NullPointerException.class, () -> new Session(null));
        assertEquals(0, session.total());
    }
}
