package covey;

import java.lang.ref.Reference;

/**
 * One use of a native object for the duration of a call. Meanwhile the object is neither freed nor garbage-collected.
 */
final class Use implements AutoCloseable {
    private final NativeObject object;
    private final long address;

    Use(NativeObject object) {
        this.object = object;
        address = object == null ? 0 : object.handle.acquire();
    }

    /** A use of an object that may be null. The address is then 0. */
    static Use of(NativeObject object) { return new Use(object); }

    long address() { return address; }

    @Override
    public void close() {
        if (object == null) return;
        object.handle.release();
        Reference.reachabilityFence(object);
    }
}
