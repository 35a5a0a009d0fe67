package covey;

import java.util.Objects;

/** The native library itself. */
public final class Covey {
    /** Instructions that the process computes with; see {@link #setInstructions}. */
    public enum Instructions {
        /** All that the processor has, up to AVX-512 and AMX. */
        ALL,
        /** AVX2 and FMA, and the same loops on every processor that has both. */
        AVX2,
        /** All but AMX, for a process with signal stacks below 11 KB. Results have the same bytes as with all. */
        NO_AMX
    }

    private Covey() {}

    /** The version of the native library, "major.minor.patch". */
    public static String version() { return Text.decode(Native.version()); }

    /** The version of the native library as major * 10000 + minor * 100 + patch. */
    public static int versionNumber() { return Native.versionNumber(); }

    /**
     * Sets the instructions of the whole process. With {@link Instructions#AVX2} all results have the same bytes on
     * every processor with AVX2 and FMA, with the same C library. Call this before any other method of this package.
     *
     * @throws CoveyException INVALID_ARGUMENT (it is too late), UNSUPPORTED (the processor lacks AVX2 or FMA)
     */
    public static void setInstructions(Instructions instructions) {
        Native.setInstructions(Objects.requireNonNull(instructions, "instructions").ordinal());
    }
}
