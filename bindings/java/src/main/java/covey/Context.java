package covey;

/**
 * Threads, memory budget, progress and cancellation for the calls that use the context. Any number of threads may share
 * it. Results never depend on it.
 */
public final class Context extends NativeObject {
    // The native side refers to the listener weakly, so that a listener may refer to its context.
    @SuppressWarnings("unused") private final ProgressListener listener;

    private Context(Builder options) {
        super("Context", Native.contextCreate(options.threads, options.memoryBudget, options.listener),
              Native::contextDestroy);
        listener = options.listener;
    }

    /** Creates a context with the defaults. */
    public static Context create() { return builder().build(); }

    /** Creates a builder with the defaults: all processors, the machine's memory, no listener. */
    public static Builder builder() { return new Builder(); }

    /**
     * Cancels every call that is running with this context now, within about 100 ms. These calls throw {@link
     * CoveyException} with {@link StatusCode#CANCELLED}. Later calls are not affected. Any thread and a progress
     * listener may call it.
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

        /**
         * The number of threads that a call may use, 0 to 1024; 0 (default) means all processors that this process may
         * use.
         */
        public Builder threads(int threads) {
            this.threads = threads;
            return this;
        }

        /**
         * The bytes of native memory that a call may allocate in addition to its input; 0 (default) means the machine's
         * memory.
         */
        public Builder memoryBudget(long bytes) {
            if (bytes < 0) {
                throw new CoveyException(StatusCode.INVALID_ARGUMENT, "memory_budget must be at least 0, got " + bytes);
            }
            memoryBudget = bytes;
            return this;
        }

        /** The listener that receives the progress; null (default) means none. */
        public Builder progress(ProgressListener listener) {
            this.listener = listener;
            return this;
        }

        /** @throws CoveyException INVALID_ARGUMENT if a value is out of range */
        public Context build() { return new Context(this); }
    }
}
