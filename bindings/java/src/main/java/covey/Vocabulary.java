package covey;

import java.util.List;
import java.util.Objects;

/** The event types that a model knows. Index 0 is the unknown entry; the names follow from index 1. */
public final class Vocabulary extends NativeObject {
    private Vocabulary(long address) { super("Vocabulary", address, Native::vocabularyDestroy); }

    /** Borrows the vocabulary of `owner`. It holds a use of the owner until it is freed itself. */
    private Vocabulary(long address, Handle owner) { super("Vocabulary", address, borrowed -> owner.release()); }

    static Vocabulary borrow(Handle owner, long address) {
        owner.acquire();
        return new Vocabulary(address, owner);
    }

    /**
     * Creates a vocabulary of distinct names. They get the indices 1 to n in the given order.
     *
     * @throws CoveyException INVALID_ARGUMENT if a name is empty or repeated
     */
    public static Vocabulary of(List<String> names) { return of(names, null); }

    /**
     * The same as {@link #of(List)}.
     *
     * @param context null means the defaults
     * @throws CoveyException INVALID_ARGUMENT, OUT_OF_MEMORY, CANCELLED
     */
    public static Vocabulary of(List<String> names, Context context) {
        byte[] text = Text.join(names, "names");
        try (Use with = Use.of(context)) {
            return new Vocabulary(Native.vocabularyCreate(with.address(), text, names.size()));
        }
    }

    /** The same as {@link #of(List)}. */
    public static Vocabulary of(String... names) { return of(List.of(names)); }

    /**
     * Builds a vocabulary from the events of a data set. It has the names that occur at least {@code minCount} times,
     * the most frequent first. Equally frequent names are ordered by their UTF-8 bytes. Cost: O(events).
     *
     * @param minCount at least 1
     * @param maxSize the largest number of names to keep; 0 means no limit
     */
    public static Vocabulary build(List<String> events, long minCount, long maxSize) {
        return build(events, minCount, maxSize, null);
    }

    /**
     * The same as {@link #build(List, long, long)}.
     *
     * @param context null means the defaults
     * @throws CoveyException INVALID_ARGUMENT, OUT_OF_MEMORY, CANCELLED
     */
    public static Vocabulary build(List<String> events, long minCount, long maxSize, Context context) {
        byte[] text = Text.join(events, "events");
        try (Use with = Use.of(context)) {
            return new Vocabulary(Native.vocabularyBuild(with.address(), text, events.size(), minCount, maxSize));
        }
    }

    /** The number of entries, including the unknown entry; at least 1. */
    public int size() {
        try (Use self = use()) {
            return (int)Native.vocabularySize(self.address());
        }
    }

    /**
     * The name of an entry; "" for the unknown entry.
     *
     * @throws IndexOutOfBoundsException if the index is not 0 to size - 1
     */
    public String name(int index) {
        try (Use self = use()) {
            Objects.checkIndex(index, (int)Native.vocabularySize(self.address()));
            return Text.decode(Native.vocabularyName(self.address(), index));
        }
    }

    /** The names of the entries from index 1 on, in order. {@link #of(List)} makes the same vocabulary from them. */
    public List<String> names() {
        try (Use self = use()) {
            String[] names = new String[(int)Native.vocabularySize(self.address()) - 1];
            for (int index = 0; index < names.length; ++index) {
                names[index] = Text.decode(Native.vocabularyName(self.address(), index + 1));
            }
            return List.of(names);
        }
    }

    /** Returns the index of each name; 0 if it is unknown. */
    public int[] lookup(List<String> names) { return lookup(names, null); }

    /** The same as {@link #lookup(List)}. @param context null means the defaults */
    public int[] lookup(List<String> names, Context context) {
        byte[] text = Text.join(names, "names");
        int[] indices = new int[names.size()];
        try (Use self = use(); Use with = Use.of(context)) {
            Native.vocabularyLookup(self.address(), with.address(), text, indices);
        }
        return indices;
    }

    /** The same as {@link #lookup(List)}. */
    public int[] lookup(String... names) { return lookup(List.of(names)); }
}
