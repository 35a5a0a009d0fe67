package covey;

/** The kind of a failure. The numbers are those of covey.h and never change. */
public enum StatusCode {
    /** Success. It never occurs in an exception. */
    OK,
    /** An option or argument is out of range. */
    INVALID_ARGUMENT,
    /** Input numbers cannot be used: NaN or infinity where they are not allowed, or bad offsets. */
    INVALID_DATA,
    /** Inputs do not fit together or do not fit the model: row counts, columns, channels. */
    MISMATCH,
    /** The call needs more memory than the context's budget, the system or a Java array allows. */
    OUT_OF_MEMORY,
    /** {@link Context#cancel}, the progress listener or Thread.interrupt cancelled the call, or its deadline passed. */
    CANCELLED,
    /** Opening, reading, writing, syncing or renaming a file failed. */
    IO,
    /** A file or JSON text is truncated, malicious or inconsistent. */
    CORRUPT_FILE,
    /** The input is well formed, but from a newer version, or not supported by this build. */
    UNSUPPORTED,
    /** An output array or buffer is too short. */
    BUFFER_TOO_SMALL,
    /** A defect in Covey; please report it with the message. */
    INTERNAL,
    /** A code that this version of the binding does not know. */
    UNKNOWN;

    /** The number in covey.h; -1 for {@link #UNKNOWN}. */
    public int value() { return this == UNKNOWN ? -1 : ordinal(); }

    /** The code of a number; {@link #UNKNOWN} for others. */
    public static StatusCode of(int value) {
        return value >= 0 && value < UNKNOWN.ordinal() ? values()[value] : UNKNOWN;
    }
}
