package covey;

import java.lang.ref.Cleaner;
import java.util.function.LongConsumer;

/** What owns native memory: closed by hand, or by a Cleaner once it is unreachable. */
abstract sealed class NativeObject implements AutoCloseable
        permits ArrowTable, Context, Vocabulary, SequenceEncoder, Training, HybridFeatures, Clustering, ClusterRisk, RuleSet,
                Engine, Scores, Found {
    private static final Cleaner CLEANER = Cleaner.create();

    final Handle handle;
    private final Cleaner.Cleanable cleanable;

    NativeObject(String name, long address, LongConsumer destroy) {
        handle = new Handle(name, address, destroy);
        cleanable = CLEANER.register(this, handle);
    }

    /** Begins a use of this object, for try-with-resources. Throws IllegalStateException after close. */
    final Use use() {
        return new Use(this);
    }

    /**
     * Frees the native memory, once no call uses it any more. Calls that are running end as usual; later ones throw
     * {@link IllegalStateException}. Closing again does nothing. From any thread.
     */
    @Override
    public final void close() {
        cleanable.clean();
    }
}
