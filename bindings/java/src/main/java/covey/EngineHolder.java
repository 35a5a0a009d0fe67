package covey;

import java.io.IOException;
import java.lang.ref.WeakReference;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.function.Function;

/**
 * Holds an engine that is loaded from a file, and exchanges it between two calls. A call that scores uses the engine
 * that was held when it began, to its end; nobody waits for a reload but who asked for it, and the old engine is freed
 * when its last call ends. Where a reload fails the old engine stays. For any number of threads.
 */
public final class EngineHolder implements AutoCloseable {
    private final Object loading = new Object();
    private volatile Engine engine;
    private volatile Path path;
    private final CountDownLatch closed = new CountDownLatch(1);
    private volatile Thread watcher;
    /** What tells the file that was loaded from the next of its name, and the file that was looked at last. */
    private volatile Object loaded;
    private Object seen;

    /** Loads the engine. @throws CoveyException as {@link Engine#load(Path)} */
    public EngineHolder(Path path) {
        this.path = Objects.requireNonNull(path, "path");
        loaded = mark(path);
        engine = load(path);
    }

    /** With one thread: loading does not take the cores of scoring. */
    private static Engine load(Path path) {
        try (Context context = Context.builder().threads(1).build()) {
            return Engine.load(path, context);
        }
    }

    /** The engine that is held now. It is closed when it is exchanged: take it for one call, not for longer. */
    public Engine engine() {
        Engine held = engine;
        if (held == null) throw new CoveyException(StatusCode.INVALID_ARGUMENT, "this EngineHolder is closed");
        return held;
    }

    /** As {@link Engine#scoreOne} of the engine that is held now. */
    public Score scoreOne(Sequences sequences, FeatureTable features, Context context) {
        return scoreOne(sequences, features, ScoreOptions.defaults(), context);
    }

    /** The same with options. */
    public Score scoreOne(Sequences sequences, FeatureTable features, ScoreOptions options, Context context) {
        return call(held -> held.scoreOne(sequences, features, options, context));
    }

    /** As {@link Engine#score} of the engine that is held now. */
    public Scores score(Sequences sequences, FeatureTable features, Context context) {
        return score(sequences, features, ScoreOptions.defaults(), context);
    }

    /** The same with options. */
    public Scores score(Sequences sequences, FeatureTable features, ScoreOptions options, Context context) {
        return call(held -> held.score(sequences, features, options, context));
    }

    private <T> T call(Function<Engine, T> body) {
        while (true) {
            Engine held = engine();
            try {
                return body.apply(held);
            } catch (IllegalStateException failure) {
                // Exchanged before the call had begun: the next engine is there.
                if (held == engine) throw failure;
            }
        }
    }

    /** Loads the file again. @throws CoveyException as {@link Engine#load(Path)}; the old engine stays */
    public void reload() { reload(path); }

    /** Loads another file. @throws CoveyException as {@link Engine#load(Path)}; the old engine stays */
    public void reload(Path path) {
        synchronized (loading) {
            if (engine == null) throw new CoveyException(StatusCode.INVALID_ARGUMENT, "this EngineHolder is closed");
            Object mark = mark(path);
            Engine next = load(path);
            Engine old = engine;
            engine = next;
            this.path = path;
            loaded = mark;
            old.close();
        }
    }

    /**
     * Looks at the file on a daemon thread of its own, and reloads it if it was replaced. The watch ends with {@link
     * #close}, and when nobody refers to the holder any more.
     *
     * @param every the time between two looks, 10 ms to one day
     * @param failed gets the errors of reloads that fail; null means nobody. What it throws goes to the thread's
     *     uncaught exception handler and ends the watch
     * @throws CoveyException INVALID_ARGUMENT if it watches already or is closed
     */
    public void watch(Duration every, Consumer<CoveyException> failed) {
        if (every.compareTo(Duration.ofMillis(10)) < 0 || every.compareTo(Duration.ofDays(1)) > 0) {
            throw new CoveyException(StatusCode.INVALID_ARGUMENT, "every must be 10 ms to one day, got " + every);
        }
        synchronized (loading) {
            engine();
            if (watcher != null) {
                throw new CoveyException(StatusCode.INVALID_ARGUMENT, "this EngineHolder watches its file already");
            }
            seen = loaded;
            watcher = new Thread(new Watch(new WeakReference<>(this), closed, every, failed), "covey-engine");
            watcher.setDaemon(true);
            watcher.start();
        }
    }

    /** Refers to the holder weakly while it waits, so that a forgotten holder is collected. */
    private record Watch(WeakReference<EngineHolder> owner, CountDownLatch closed, Duration every,
                         Consumer<CoveyException> failed) implements Runnable {
        @Override
        public void run() {
            try {
                while (!closed.await(every.toNanos(), TimeUnit.NANOSECONDS)) {
                    EngineHolder holder = owner.get();
                    if (holder == null) return;
                    holder.look(failed);
                }
            } catch (InterruptedException end) { Thread.currentThread().interrupt(); }
        }
    }

    private void look(Consumer<CoveyException> failed) {
        Object mark = mark(path);
        if (mark == null || mark.equals(seen) || mark.equals(loaded)) return;
        seen = mark; // a file that does not load is not read again and again
        try {
            reload();
        } catch (CoveyException failure) {
            if (failed != null && engine != null) failed.accept(failure);
        }
    }

    /** What tells one file of this name from the next; null if there is none. */
    private static Object mark(Path path) {
        try {
            BasicFileAttributes file = Files.readAttributes(path, BasicFileAttributes.class);
            return List.of(String.valueOf(file.fileKey()), file.lastModifiedTime(), file.size());
        } catch (IOException none) { return null; }
    }

    /** Ends the watch and lets the engine go; calls that run end as they are. */
    @Override
    public void close() {
        closed.countDown();
        synchronized (loading) {
            Engine old = engine;
            engine = null;
            if (old != null) old.close();
        }
    }
}
