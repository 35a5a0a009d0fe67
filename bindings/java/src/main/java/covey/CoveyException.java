package covey;

import java.util.Optional;

/** A failure of Covey: a code, and a message that names the field and the value. */
public final class CoveyException extends RuntimeException {
    private static final long serialVersionUID = 1;

    private final StatusCode code;
    /** Set by the training methods before the exception is thrown to the caller. */
    transient Training training;

    CoveyException(StatusCode code, String message) {
        super(message);
        this.code = code;
    }

    /** The JNI functions call this constructor. */
    CoveyException(int code, byte[] message) { this(StatusCode.of(code), Text.decode(message)); }

    /** The kind of the failure. */
    public StatusCode code() { return code; }

    /** The result of a training that ended early, with the best encoder so far; empty for any other call. */
    public Optional<Training> training() { return Optional.ofNullable(training); }

    @Override
    public String toString() {
        return getClass().getName() + ": " + code + ": " + getMessage();
    }
}
