package covey;

import java.lang.ref.Cleaner;
import java.util.function.LongConsumer;

/** An owner of native memory. The program closes it, or a Cleaner closes it when it is unreachable. */
abstract sealed class NativeObject implements AutoCloseable permits ArrowTable, Context, Vocabulary, SequenceEncoder,
                                              Training, HybridFeatures, ClusteringResults, ClusterRisk, RuleSet,
                                              Backtest, Engine, Scorer, Scores, Explanations, Drift, Found {
    private static final Cleaner CLEANER = Cleaner.create();

    final Handle handle;
    private final Cleaner.Cleanable cleanable;

    NativeObject(String name, long address, LongConsumer destroy) {
        handle = new Handle(name, address, destroy);
        cleanable = CLEANER.register(this, handle);
    }

    /** Begins a use of this object, for try-with-resources. Throws IllegalStateException after close. */
    final Use use() { return new Use(this); }

    /**
     * Frees the native memory as soon as no call uses it any more. Running calls end as usual; later calls throw {@link
     * IllegalStateException}. Closing again does nothing. Any thread may call it.
     */
    @Override
    public final void close() {
        cleanable.clean();
    }
}
