package covey;

import java.util.Optional;

/** A failure of Covey: a code, and a message that names the field and the value. */
public final class CoveyException extends RuntimeException {
    private static final long serialVersionUID = 1;

    private final StatusCode code;
    /** Set by what trains, before anybody else sees the exception. */
    transient Training training;

    CoveyException(StatusCode code, String message) {
        super(message);
        this.code = code;
    }

    /** Called by the JNI functions. */
    CoveyException(int code, byte[] message) {
        this(StatusCode.of(code), Text.decode(message));
    }

    /** Why the call failed. */
    public StatusCode code() {
        return code;
    }

    /** How a training went that ended before its end, with the best encoder so far; empty for any other call. */
    public Optional<Training> training() {
        return Optional.ofNullable(training);
    }

    @Override
    public String toString() {
        return getClass().getName() + ": " + code + ": " + getMessage();
    }
}
