package covey;

import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.LongConsumer;

/**
 * One native object: how many calls are using it, whether it was closed, and how it is freed. It is freed once, when it is
 * closed and no call uses it any more. Does not refer to its owner, so that a Cleaner can run it.
 */
final class Handle implements Runnable {
    /** The state's sign bit; the others count the calls. */
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

    /** Begins a use, which {@link #release} ends. */
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

    /** Closes: now where nobody uses it, otherwise when the last use ends. */
    @Override
    public void run() {
        if (state.getAndUpdate(seen -> seen | CLOSED) == 0) destroy.accept(address);
    }
}
