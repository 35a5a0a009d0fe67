package covey;

/** Why a call failed. The numbers are those of covey.h and fixed for ever. */
public enum StatusCode {
    /** Success; never in an exception. */
    OK,
    /** An option or argument out of range. */
    INVALID_ARGUMENT,
    /** Input numbers that cannot be used: NaN or infinity where refused, bad offsets. */
    INVALID_DATA,
    /** Inputs that do not fit together or the model: row counts, columns, channels. */
    MISMATCH,
    /** More than the context's memory budget, the system or a Java array allows. */
    OUT_OF_MEMORY,
    /** Stopped by {@link Context#cancel} or by the progress listener. */
    CANCELLED,
    /** Opening, reading, writing, syncing or renaming a file failed. */
    IO,
    /** A file or JSON text that is truncated, hostile or inconsistent. */
    CORRUPT_FILE,
    /** Well formed, but from a newer version or not available in this build. */
    UNSUPPORTED,
    /** An output array or buffer is too short. */
    BUFFER_TOO_SMALL,
    /** A defect in Covey; please report it with the message. */
    INTERNAL,
    /** A code that this version of the binding does not know. */
    UNKNOWN;

    /** The number in covey.h; -1 for {@link #UNKNOWN}. */
    public int value() {
        return this == UNKNOWN ? -1 : ordinal();
    }

    /** The code of a number; {@link #UNKNOWN} for others. */
    public static StatusCode of(int value) {
        return value >= 0 && value < UNKNOWN.ordinal() ? values()[value] : UNKNOWN;
    }
}
