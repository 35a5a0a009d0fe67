package covey;

import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.LongConsumer;

/**
 * A native object: the number of calls that use it, whether it is closed, and the function that frees it. It is freed
 * once, when it is closed and no call uses it any more. It has no reference to its owner, so that a Cleaner can run it.
 */
final class Handle implements Runnable {
    /** The sign bit of the state; the other bits count the calls. */
    private static final int CLOSED = Integer.MIN_VALUE;

    private final String name;
    private final long address;
    private final LongConsumer destroy;
    private final AtomicInteger state = new AtomicInteger();

    Handle(String name, long address, LongConsumer destroy) {
        this.name = name;
        this.address = address;
        this.destroy = destroy;
    }

    /** Begins a use. {@link #release} ends it. */
    long acquire() {
        int seen;
        do {
            seen = state.get();
            if (seen < 0) throw new IllegalStateException(name + " is closed");
        } while (!state.compareAndSet(seen, seen + 1));
        return address;
    }

    void release() {
        if (state.decrementAndGet() == CLOSED) destroy.accept(address);
    }

    /** Closes the object: at once if no call uses it, otherwise when the last use ends. */
    @Override
    public void run() {
        if (state.getAndUpdate(seen -> seen | CLOSED) == 0) destroy.accept(address);
    }
}
