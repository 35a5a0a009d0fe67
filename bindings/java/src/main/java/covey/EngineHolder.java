package covey;

import java.nio.file.Path;
import java.util.Objects;

/**
 * Holds an engine that is loaded from a file, and exchanges it between two calls. A call that scores uses the engine
 * that was held when it began, to its end; nobody waits for a reload but who asked for it, and the old engine is freed
 * when its last call ends. Where a reload fails the old engine stays. For any number of threads.
 */
public final class EngineHolder implements AutoCloseable {
    private final Object loading = new Object();
    private volatile Engine engine;
    private volatile Path path;

    /** Loads the engine. @throws CoveyException as {@link Engine#load(Path)} */
    public EngineHolder(Path path) {
        this.path = Objects.requireNonNull(path, "path");
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
        while (true) {
            Engine held = engine();
            try {
                return held.scoreOne(sequences, features, context);
            } catch (IllegalStateException failure) {
                // Exchanged before the call had begun: the next engine is there.
                if (held == engine) throw failure;
            }
        }
    }

    /** As {@link Engine#score} of the engine that is held now. */
    public Scores score(Sequences sequences, FeatureTable features, Context context) {
        while (true) {
            Engine held = engine();
            try {
                return held.score(sequences, features, context);
            } catch (IllegalStateException failure) {
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
            Engine next = load(path);
            Engine old = engine;
            engine = next;
            this.path = path;
            old.close();
        }
    }

    /** Lets the engine go; calls that run end as they are. */
    @Override
    public void close() {
        synchronized (loading) {
            Engine old = engine;
            engine = null;
            if (old != null) old.close();
        }
    }
}
