package covey;

import static org.junit.jupiter.api.Assertions.*;

import java.util.Arrays;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** An engine with evidence, as covey_find makes it: changed files with the right checksum, kept sessions and drift that
 *  were changed, cancels, closes and little stack, in a JVM. */
@Timeout(value = 300, unit = TimeUnit.SECONDS)
class HostileEngineTest extends RoadOnSample {
    private static final int ROWS = 300;
    private static FeatureTable features;
    private static byte[] fraud;
    private static Found found;

    @BeforeAll
    static void find() {
        Random random = new Random(4);
        double[] amounts = new double[ROWS];
        double[] ages = new double[ROWS];
        fraud = new byte[ROWS];
        for (int row = 0; row < ROWS; ++row) {
            boolean ring = row < 24;
            amounts[row] = ring ? 900 + random.nextDouble() : 1000 * random.nextDouble();
            ages[row] = ring ? 3 + random.nextDouble() : 400 * random.nextDouble();
            fraud[row] = ring && row % 2 == 0 ? ClusterRisk.FRAUD : ClusterRisk.UNKNOWN;
        }
        features = FeatureTable.builder(ROWS).numeric("amount", amounts).numeric("age", ages).build();
        found = find(null);
    }

    private static Found find(Context context) {
        FindOptions options = FindOptions.builder().trees(10).permutations(99).build();
        return Found.find(null, null, features, fraud, null, null, null, options, context);
    }

    @AfterAll
    static void close() {
        found.close();
    }

    /** A status that the caller can act on: a bug of Covey's own is none. */
    private static void expected(CoveyException failure) {
        assertNotEquals(StatusCode.INTERNAL, failure.code(), failure.toString());
        assertFalse(failure.getMessage().isEmpty());
    }

    @Test
    void changedEnginesWithTheRightChecksumAreReadOrRefused() {
        CheckedFile file = new CheckedFile(found.engine().toBytes());
        assertTrue(file.isUnderstood(), "the checksum is another one");
        Random random = new Random(11);
        int read = 0;
        int refused = 0;
        for (int round = 0; round < 600; ++round) {
            try (Engine engine = Engine.fromBytes(file.changed(random))) {
                ++read;
                assertFalse(engine.schema().isEmpty());
                try (Scores scores = engine.score(null, features.slice(0, 20), null); Drift drift = new Drift(engine)) {
                    for (double risk : scores.risks()) assertTrue(risk >= 0 && risk <= 1, "risk " + risk);
                    drift.add(null, features.slice(0, 20), scores);
                    assertFalse(drift.report().isEmpty());
                }
            } catch (CoveyException failure) {
                expected(failure);
                ++refused;
            }
        }
        assertTrue(read > 50 && refused > 50, read + " were read, " + refused + " refused");
    }

    @Test
    void changedSessionsAndDriftAreReadOrRefused() {
        Session session = new Session(road.engine, 20);
        long[] offsets = (long[])sample.sequences.offsets;
        double[] times = (double[])sample.sequences.times;
        for (int place = (int)offsets[3]; place < offsets[4]; ++place)
            session.add(((int[])sample.sequences.types)[place], times[place], 1, null, null);
        Random random = new Random(12);
        byte[] kept = session.toBytes();
        for (int round = 0; round < 500; ++round) {
            byte[] bytes = Arrays.copyOf(kept, random.nextInt(8) == 0 ? random.nextInt(kept.length) : kept.length);
            for (int change = random.nextInt(4); change >= 0 && bytes.length > 0; --change)
                bytes[random.nextInt(Math.min(bytes.length, 1 << (3 + random.nextInt(8))))] = (byte)random.nextInt(256);
            try {
                Session.fromBytes(road.engine, bytes).score(sample.features.slice(3, 4));
            } catch (CoveyException failure) { expected(failure); }
        }
        try (Drift drift = new Drift(road.engine)) {
            byte[] counts = drift.toBytes();
            for (int round = 0; round < 100; ++round) {
                byte[] bytes = Arrays.copyOf(counts, counts.length - (round % 5 == 0 ? random.nextInt(64) : 0));
                for (int change = random.nextInt(4); change >= 0; --change)
                    bytes[random.nextInt(bytes.length)] = (byte)random.nextInt(256);
                try (Drift copy = Drift.fromBytes(road.engine, bytes)) {
                    assertFalse(copy.report().isEmpty());
                } catch (CoveyException failure) { expected(failure); }
            }
        }
    }

    @Test
    void aCancelledFindLeavesEverythingAsItWas() throws Exception {
        double[] whole = found.scores();
        Random random = new Random(13);
        int cancelled = 0;
        for (int round = 0; round < 30; ++round) {
            try (Context context = Context.builder().threads(1 + round % 2).build()) {
                long pause = random.nextInt(60_000_000);
                Thread other = new Thread(() -> {
                    LockSupport.parkNanos(pause);
                    context.cancel();
                });
                other.start();
                try (Found again = find(context)) {
                    assertArrayEquals(whole, again.scores());
                } catch (CoveyException failure) {
                    assertEquals(StatusCode.CANCELLED, failure.code());
                    ++cancelled;
                }
                other.join();
            }
        }
        assertTrue(cancelled > 0, "no call was cancelled");
    }

    /** Engines, sessions and scorers that another thread closes while they score. */
    @Test
    void closesDuringScoresAreSafe() throws Exception {
        byte[] bytes = found.engine().toBytes();
        double[] risks;
        try (Scores scores = found.engine().score(null, features, null)) {
            risks = scores.risks();
        }
        for (int round = 0; round < 40; ++round) {
            Engine engine = Engine.fromBytes(bytes);
            Context context = Context.create();
            AtomicReference<Throwable> thrown = new AtomicReference<>();
            Thread[] users = new Thread[2];
            for (int user = 0; user < users.length; ++user) {
                users[user] = new Thread(() -> {
                    try {
                        for (;;) try (Scores scores = engine.score(null, features, context)) {
                                assertArrayEquals(risks, scores.risks());
                            }
                    } catch (IllegalStateException closed) {
                        assertTrue(closed.getMessage().endsWith(" is closed"), closed.getMessage());
                    } catch (Throwable failure) { thrown.set(failure); }
                });
                users[user].start();
            }
            Thread.sleep(5);
            if (round % 2 == 0) engine.close();
            context.close();
            for (Thread user : users) user.join();
            engine.close();
            if (thrown.get() != null) throw new AssertionError(thrown.get());
        }
    }

    @Test
    void littleStackIsEnough() throws Exception {
        AtomicReference<Throwable> thrown = new AtomicReference<>();
        // A JVM takes some of it for its own guard pages; covey.h asks for 128 KB.
        Thread small = new Thread(null, () -> {
            try (Context context = Context.builder().threads(1).build(); Found again = find(context);
                 Engine engine = Engine.fromBytes(again.engine().toBytes()); Scorer scorer = new Scorer(engine);
                 Drift drift = new Drift(engine)) {
                assertArrayEquals(found.scores(), again.scores());
                scorer.set(0, 950.0);
                scorer.set(1, 3.5);
                assertTrue(scorer.score(null) >= 0);
                assertFalse(drift.report().isEmpty());
                assertFalse(engine.schema().isEmpty());
            } catch (Throwable failure) { thrown.set(failure); }
        }, "small", 320 << 10);
        small.start();
        small.join();
        if (thrown.get() != null) throw new AssertionError(thrown.get());
    }
}
