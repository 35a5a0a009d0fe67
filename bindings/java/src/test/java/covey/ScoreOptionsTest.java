package covey;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Duration;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Options of scoring, interrupts, and the watch of a holder's file. */
@Timeout(value = 600, unit = TimeUnit.SECONDS)
class ScoreOptionsTest extends RoadOnSample {
    /** The first rows, with times of one transaction that are not finite. */
    private static Sequences bad(int rows, int row) {
        long[] offsets = (long[])sample.sequences.offsets;
        double[] times = ((double[])sample.sequences.times).clone();
        times[(int)offsets[row]] = Double.NaN;
        return Sequences.builder()
            .offsets(offsets)
            .types((int[])sample.sequences.types)
            .times(times)
            .dwell((double[])sample.sequences.dwell)
            .build()
            .slice(0, rows);
    }

    @Test
    void aBadTransactionFailsAlone() {
        int rows = 40, row = 17;
        FeatureTable features = sample.features.slice(0, rows);
        ScoreOptions going = ScoreOptions.builder().keepsGoing(true).build();
        EncoderTest.refuse(StatusCode.INVALID_DATA, "finite",
                           () -> road.engine.score(bad(rows, row), features, null).close());
        try (Scores good = road.engine.score(sample.sequences.slice(0, rows), features, null);
             Scores some = road.engine.score(bad(rows, row), features, going, null)) {
            for (int index = 0; index < rows; ++index) {
                if (index == row) continue;
                assertEquals(StatusCode.OK, some.status(index));
                assertNull(some.message(index));
                assertEquals(good.get(index), some.get(index));
            }
            assertEquals(StatusCode.INVALID_DATA, some.status(row));
            assertTrue(some.message(row).contains("times"), some.message(row));
            assertTrue(Double.isNaN(some.get(row).risk()));
            assertEquals(-1, some.get(row).cluster());
            assertEquals(StatusCode.OK, good.status(row));
        }
    }

    @Test
    void theLastEventsAlone() {
        ScoreOptions three = ScoreOptions.builder().maxEvents(3).build();
        long[] offsets = (long[])sample.sequences.offsets;
        for (int row = 0; row < 30; ++row) {
            long count = offsets[row + 1] - offsets[row];
            if (count <= 3) continue;
            Session session = new Session(road.engine, 3);
            for (int place = (int)offsets[row]; place < offsets[row + 1]; ++place) {
                session.add(((int[])sample.sequences.types)[place], ((double[])sample.sequences.times)[place],
                            ((double[])sample.sequences.dwell)[place], null, null);
            }
            FeatureTable features = sample.features.slice(row, row + 1);
            assertEquals(session.score(features),
                         road.engine.scoreOne(sample.sequences.slice(row, row + 1), features, three, null));
        }
        EncoderTest.refuse(StatusCode.INVALID_ARGUMENT, "max_events",
                           ()
                               -> road.engine.scoreOne(sample.sequences.slice(0, 1), sample.features.slice(0, 1),
                                                       ScoreOptions.builder().maxEvents(-1).build(), null));
    }

    @Test
    void theDeadlineCountsTheCopies() {
        ScoreOptions over = ScoreOptions.builder().deadline(Duration.ZERO).build();
        EncoderTest.refuse(StatusCode.CANCELLED, "deadline",
                           () -> road.engine.score(sample.sequences, sample.features, over, null).close());
        ScoreOptions later = ScoreOptions.builder().deadline(Duration.ofMinutes(9)).build();
        assertEquals(road.engine.scoreOne(sample.sequences.slice(0, 1), sample.features.slice(0, 1), null),
                     road.engine.scoreOne(sample.sequences.slice(0, 1), sample.features.slice(0, 1), later, null));
    }

    @Test
    void anInterruptCancels() throws Exception {
        BlockingQueue<String> results = new LinkedBlockingQueue<>();
        Thread caller = new Thread(() -> {
            try {
                while (true) road.engine.score(sample.sequences, sample.features, null).close();
            } catch (CoveyException failure) {
                results.add(failure.code() + " " + Thread.currentThread().isInterrupted());
            }
        });
        caller.start();
        Thread.sleep(30);
        caller.interrupt();
        assertEquals("CANCELLED true", results.take());
        caller.join();
        try (Context context = Context.builder().threads(1).build()) {
            Thread.currentThread().interrupt();
            EncoderTest.refuse(StatusCode.CANCELLED, "cancelled",
                               () -> road.engine.score(sample.sequences, sample.features, context).close());
        } finally { assertTrue(Thread.interrupted()); }
    }

    @Test
    void aHolderSeesItsFileReplaced(@TempDir Path folder) throws Exception {
        Path path = folder.resolve("held.engine"), next = folder.resolve("next.engine");
        road.engine.save(path);
        BlockingQueue<CoveyException> failures = new LinkedBlockingQueue<>();
        FeatureTable features = sample.features.slice(0, 1);
        try (EngineHolder holder = new EngineHolder(path)) {
            holder.watch(Duration.ofMillis(10), failures::add);
            EncoderTest.refuse(StatusCode.INVALID_ARGUMENT, "already", () -> holder.watch(Duration.ofMillis(10), null));
            Engine first = holder.engine();
            Files.writeString(next, "no engine");
            Files.move(next, path, StandardCopyOption.REPLACE_EXISTING);
            CoveyException failure = failures.take();
            assertEquals(StatusCode.CORRUPT_FILE, failure.code());
            assertTrue(failure.getMessage().startsWith(path + ": "), failure.getMessage());
            assertEquals(first, holder.engine());
            road.engine.save(next);
            Files.move(next, path, StandardCopyOption.REPLACE_EXISTING);
            while (holder.engine() == first) Thread.sleep(5);
            assertEquals(road.engine.scoreOne(sample.sequences.slice(0, 1), features, null),
                         holder.scoreOne(sample.sequences.slice(0, 1), features, null));
            assertEquals(0, failures.size());
            EncoderTest.refuse(StatusCode.INVALID_ARGUMENT, "10 ms", () -> holder.watch(Duration.ZERO, null));
        }
    }
}
