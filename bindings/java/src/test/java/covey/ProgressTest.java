package covey;

import static org.junit.jupiter.api.Assertions.*;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Progress, cancel, and exceptions of listeners, around one long call. */
@Timeout(value = 600, unit = TimeUnit.SECONDS)
class ProgressTest {
    private static final Matrix LONG = random(15_000, 40);
    private static final Matrix SHORT = random(300, 4);

    private static Matrix random(int rows, int columns) {
        Random random = new Random(1);
        float[] data = new float[rows * columns];
        for (int index = 0; index < data.length; ++index) data[index] = (float)random.nextGaussian();
        return Matrix.of(data, rows, columns);
    }

    @Test
    void tellsTheCallingThread() {
        List<String> stages = new ArrayList<>();
        List<Double> fractions = new ArrayList<>();
        Thread caller = Thread.currentThread();
        ProgressListener listener = (stage, fraction) -> {
            assertSame(caller, Thread.currentThread());
            System.gc(); // a moving collector must not disturb a call
            stages.add(stage);
            fractions.add(fraction);
            return true;
        };
        try (Context context = Context.builder().progress(listener).build();
             Clustering clustering = Clustering.cluster(LONG, null, context)) {
            assertEquals(LONG.rows(), clustering.rows());
        }
        assertFalse(stages.isEmpty());
        assertTrue(stages.stream().noneMatch(String::isEmpty));
        assertTrue(fractions.stream().allMatch(x -> x >= 0 && x <= 1), fractions.toString());
    }

    @Test
    void stopsWhereTheListenerSaysSo() {
        try (Context context = Context.builder().progress((stage, fraction) -> false).build()) {
            EncoderTest.refuse(StatusCode.CANCELLED, "", () -> Clustering.cluster(LONG, null, context));
        }
    }

    @Test
    void leavesTheListenersExceptionInPlaceOfTheResult() {
        IllegalArgumentException mine = new IllegalArgumentException("mine");
        try (Context context = Context.builder().progress((stage, fraction) -> { throw mine; }).build()) {
            assertSame(mine,
                       assertThrows(IllegalArgumentException.class, () -> Clustering.cluster(LONG, null, context)));
        }
    }

    @Test
    void cancelStopsTheRunningCallAlone() throws Exception {
        CountDownLatch running = new CountDownLatch(1), cancelled = new CountDownLatch(1);
        AtomicReference<Context> shared = new AtomicReference<>();
        ProgressListener listener = (stage, fraction) -> {
            running.countDown();
            try {
                cancelled.await();
            } catch (InterruptedException failure) { throw new AssertionError(failure); }
            return true;
        };
        try (Context context = Context.builder().progress(listener).build()) {
            shared.set(context);
            CompletableFuture<Clustering> call =
                CompletableFuture.supplyAsync(() -> Clustering.cluster(LONG, null, shared.get()));
            running.await();
            context.cancel();
            cancelled.countDown();
            ExecutionException failure = assertThrows(ExecutionException.class, call::get);
            assertEquals(StatusCode.CANCELLED, ((CoveyException)failure.getCause()).code());
            try (Clustering after = Clustering.cluster(SHORT, null, context)) {
                assertEquals(300, after.rows());
            }
        }
    }

    @Test
    void aListenerMayCancelOrCloseItsOwnContext() {
        AtomicReference<Context> own = new AtomicReference<>();
        Context context = Context.builder()
                              .progress((stage, fraction) -> {
                                  own.get().cancel();
                                  own.get().close();
                                  return true;
                              })
                              .build();
        own.set(context);
        EncoderTest.refuse(StatusCode.CANCELLED, "", () -> Clustering.cluster(LONG, null, context));
        assertThrows(IllegalStateException.class, context::cancel);
    }

    @Test
    void contextsWithListenersAreCollected() throws Exception {
        java.lang.ref.WeakReference<Context> forgotten = forget();
        for (int attempt = 0; attempt < 100 && forgotten.get() != null; ++attempt) {
            System.gc();
            Thread.sleep(10);
        }
        assertNull(forgotten.get(), "a listener that refers to its context must not keep it");
    }

    private static java.lang.ref.WeakReference<Context> forget() {
        AtomicReference<Context> own = new AtomicReference<>();
        Context context = Context.builder().progress((stage, fraction) -> own.get() != null).build();
        own.set(context);
        return new java.lang.ref.WeakReference<>(context);
    }

    @Test
    void keepsToTheMemoryBudget() {
        try (Context context = Context.builder().memoryBudget(1).build()) {
            EncoderTest.refuse(StatusCode.OUT_OF_MEMORY, "budget", () -> Clustering.cluster(LONG, null, context));
        }
    }
}
