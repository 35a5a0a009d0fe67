package covey;

import static org.junit.jupiter.api.Assertions.*;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Files that were changed, calls that are cancelled at any time, and threads with little stack, in a JVM. */
@Timeout(value = 300, unit = TimeUnit.SECONDS)
class HostileTest extends RoadOnSample {
    @TempDir Path folder;

    /** A copy with some bytes changed or cut off. */
    private static byte[] changed(byte[] bytes, Random random) {
        byte[] result = random.nextInt(4) == 0 ? Arrays.copyOf(bytes, random.nextInt(bytes.length))
                                               : Arrays.copyOf(bytes, bytes.length);
        for (int change = random.nextInt(4); change >= 0 && result.length > 0; --change) {
            // Half of the changes are in the header, where they matter.
            int end = random.nextBoolean() ? Math.min(2000, result.length) : result.length;
            result[random.nextInt(end)] = (byte)random.nextInt(256);
        }
        return result;
    }

    @Test
    void changedEncodersAreReadOrRefused() throws Exception {
        // Encoders come from PyTorch too, so that they have no checksum: a changed weight is another encoder.
        byte[] good = new SmallModel(3).file();
        Random random = new Random(5);
        int refused = 0;
        for (int round = 0; round < 2000; ++round) {
            Path file = Files.write(folder.resolve("encoder"), changed(good, random));
            try (SequenceEncoder encoder = SequenceEncoder.load(file)) {
                assertTrue(encoder.dimension() > 0);
            } catch (CoveyException failure) {
                assertTrue(failure.code() == StatusCode.CORRUPT_FILE || failure.code() == StatusCode.UNSUPPORTED,
                           failure.toString());
                ++refused;
            }
        }
        assertTrue(refused > 500 && refused < 2000, refused + " of 2000 were refused");
    }

    @Test
    void changedEnginesAndRulesAreRefused() {
        byte[] engine = road.engine.toBytes();
        String rules = road.rules.get(0).toJson();
        Random random = new Random(7);
        for (int round = 0; round < 60; ++round) {
            byte[] bytes = changed(engine, random);
            if (Arrays.equals(bytes, engine)) continue;
            assertEquals(StatusCode.CORRUPT_FILE,
                         assertThrows(CoveyException.class, () -> Engine.fromBytes(bytes)).code());
        }
        for (int round = 0; round < 2000; ++round) {
            StringBuilder text = new StringBuilder(rules);
            int at = random.nextInt(text.length());
            switch (random.nextInt(3)) {
            case 0 -> text.setCharAt(at, "\"{}[],:0-e\u0000\ud800".charAt(random.nextInt(12)));
            case 1 -> text.setLength(at);
            default -> text.insert(at, "[".repeat(1 + random.nextInt(600)));
            }
            // A string of Java may hold half a character, which no file can.
            StatusCode refused = text.indexOf("\ud800") < 0 ? StatusCode.CORRUPT_FILE : StatusCode.INVALID_ARGUMENT;
            try (RuleSet set = RuleSet.parse(text.toString())) {
                assertTrue(set.size() >= 0);
            } catch (CoveyException failure) {
                assertTrue(failure.code() == refused || failure.code() == StatusCode.UNSUPPORTED, failure.toString());
            }
        }
    }

    @Test
    void cancelsAtAnyTimeLeaveEverythingAsItWas() throws Exception {
        Scores expected = road.engine.score(sample.sequences, sample.features, null);
        Random random = new Random(9);
        int cancelled = 0;
        for (int round = 0; round < 60; ++round) {
            try (Context context = Context.builder().threads(1 + round % 2).build()) {
                long pause = random.nextInt(30_000_000);
                Thread other = new Thread(() -> {
                    LockSupport.parkNanos(pause);
                    context.cancel();
                });
                other.start();
                try (Scores scores = road.engine.score(sample.sequences, sample.features, context)) {
                    assertArrayEquals(expected.risks(), scores.risks());
                } catch (CoveyException failure) {
                    assertEquals(StatusCode.CANCELLED, failure.code());
                    ++cancelled;
                }
                other.join();
            }
        }
        assertTrue(cancelled > 0, "no call was cancelled");
        expected.close();
    }

    @Test
    void threadsWithLittleStackDoAllOfIt() throws Exception {
        String deep = "[".repeat(100_000);
        AtomicReference<Throwable> thrown = new AtomicReference<>();
        // A JVM takes some of it for its own guard pages; covey.h asks for 128 KB.
        Thread small = new Thread(null, () -> {
            try (Context context = Context.builder().threads(1).build();
                 Engine engine = Engine.fromBytes(road.engine.toBytes());
                 Scores scores = engine.score(sample.sequences.slice(0, 50), sample.features.slice(0, 50), context);
                 Clustering clustering = Clustering.cluster(road.rows.slice(0, 500), null, context)) {
                assertEquals(50, scores.risks().length);
                assertEquals(500, clustering.rows());
                EncoderTest.refuse(StatusCode.CORRUPT_FILE, "", () -> RuleSet.parse(deep));
            } catch (Throwable failure) { thrown.set(failure); }
        }, "small", 320 << 10);
        small.start();
        small.join();
        if (thrown.get() != null) throw new AssertionError(thrown.get());
    }
}
