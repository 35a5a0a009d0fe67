package covey;

import java.lang.ref.Reference;

/** One use of a native object, for the length of a call: it can neither be freed nor be collected meanwhile. */
final class Use implements AutoCloseable {
    private final NativeObject object;
    private final long address;

    Use(NativeObject object) {
        this.object = object;
        address = object == null ? 0 : object.handle.acquire();
    }

    /** A use of an object that may be null: then its address is 0. */
    static Use of(NativeObject object) {
        return new Use(object);
    }

    long address() {
        return address;
    }

    @Override
    public void close() {
        if (object == null) return;
        object.handle.release();
        Reference.reachabilityFence(object);
    }
}
