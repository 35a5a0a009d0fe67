package covey;

/**
 * Threads, memory budget, progress and cancel for the calls that are made with it. Shared by any number of threads. Results
 * never depend on it.
 */
public final class Context extends NativeObject {
    // The native side refers to it weakly, so that a listener may refer to its context.
    @SuppressWarnings("unused")
    private final ProgressListener listener;

    private Context(Builder options) {
        super(
                "Context",
                Native.contextCreate(options.threads, options.memoryBudget, options.listener),
                Native::contextDestroy);
        listener = options.listener;
    }

    /** A context with the defaults. */
    public static Context create() {
        return builder().build();
    }

    /** A builder with the defaults: all processors, the machine's memory, no listener. */
    public static Builder builder() {
        return new Builder();
    }

    /**
     * Stops every call that is running with this context now, within about 100 ms; they throw {@link CoveyException} with
     * {@link StatusCode#CANCELLED}. Calls made later are not affected. From any thread and from a progress listener.
     */
    public void cancel() {
        try (Use self = use()) {
            Native.contextCancel(self.address());
        }
    }

    /** The options of a context. */
    public static final class Builder {
        private int threads;
        private long memoryBudget;
        private ProgressListener listener;

        private Builder() {}

        /** Threads that a call may use, 0 to 1024; 0 (default) = the processors that this process may run on. */
        public Builder threads(int threads) {
            this.threads = threads;
            return this;
        }

        /** Bytes of native memory that a call may allocate beside its input; 0 (default) = the machine's memory. */
        public Builder memoryBudget(long bytes) {
            if (bytes < 0) {
                throw new CoveyException(
                        StatusCode.INVALID_ARGUMENT, "memory_budget must be at least 0, got " + bytes);
            }
            memoryBudget = bytes;
            return this;
        }

        /** Who hears of progress; null (default) = nobody. */
        public Builder progress(ProgressListener listener) {
            this.listener = listener;
            return this;
        }

        /** @throws CoveyException INVALID_ARGUMENT for a value out of range */
        public Context build() {
            return new Context(this);
        }
    }
}
