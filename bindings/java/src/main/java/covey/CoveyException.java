package covey;

/** A failure of Covey: a code, and a message that names the field and the value. */
public final class CoveyException extends RuntimeException {
    private static final long serialVersionUID = 1;

    private final StatusCode code;

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

    @Override
    public String toString() {
        return getClass().getName() + ": " + code + ": " + getMessage();
    }
}
