package covey;

import java.nio.ByteBuffer;
import java.util.Objects;

/**
 * The events of one session so far, which an engine scores at any time. It keeps the last events that came, and forgets
 * older ones, so that one client with 100,000 events cannot hold a thread. Embedding and score are those of {@link
 * SequenceEncoder#embed} and {@link Engine#score} for the events that are kept, byte for byte.
 *
 * <p>A session needs no closing: its memory is a direct buffer. It uses its engine, which must stay open. For any
 * number of threads, which wait for each other.
 */
public final class Session {
    private static final long LARGEST = 16_777_216;

    private final Engine engine;
    private final ByteBuffer bytes;

    private Session(Engine engine, ByteBuffer bytes) {
        this.engine = engine;
        this.bytes = bytes;
    }

    /** The same as {@link #Session(Engine, long)}, for the last 1,000 events. */
    public Session(Engine engine) { this(engine, 1000); }

    /**
     * Creates an empty session.
     *
     * @param engine an engine with an encoder
     * @param largestEvents how many events it keeps, 1 to 16,777,216
     * @throws CoveyException INVALID_ARGUMENT, MISMATCH (an engine without an encoder)
     */
    public Session(Engine engine, long largestEvents) {
        this.engine = Objects.requireNonNull(engine, "engine");
        try (Use use = engine.use()) {
            if (Native.engineEncoder(use.address()) == 0) {
                throw new CoveyException(StatusCode.MISMATCH,
                                         "engine must have an encoder: without one it takes no events");
            }
            long size = Native.sessionSize(use.address(), largestEvents);
            if (size == 0 || size > Integer.MAX_VALUE) {
                throw new CoveyException(StatusCode.INVALID_ARGUMENT, "largestEvents must be 1 to " + LARGEST +
                                                                          " and fit into 2 GB, got " + largestEvents);
            }
            bytes = ByteBuffer.allocateDirect((int)size);
        }
        reset();
    }

    /**
     * Goes on with a session, as {@link #toBytes} gave it. The engine may be another than that which began it, if its
     * encoder has the same names of events and channels.
     *
     * @throws CoveyException CORRUPT_FILE, MISMATCH (other names)
     */
    public static Session fromBytes(Engine engine, byte[] bytes) {
        Objects.requireNonNull(engine, "engine");
        ByteBuffer copy = ByteBuffer.allocateDirect(bytes.length);
        copy.put(0, bytes);
        Session session = new Session(engine, copy);
        session.get(0);
        return session;
    }

    /** Adds an event of an encoder without channels. The dwell is missing if it is NaN. See the longer form. */
    public void add(String event, double time, double dwell) { add(event, time, dwell, null, null); }

    /**
     * Adds an event. The session is unchanged if this fails.
     *
     * @param event its name; null, and a name that the vocabulary does not have, count as unknown
     * @param time seconds on the clock of the session's other events
     * @param dwell seconds; NaN means missing
     * @param numeric one number for each numeric channel, NaN means missing; null if there is none
     * @param categorical one index for each categorical channel; null if there is none
     * @throws CoveyException INVALID_DATA, MISMATCH (other channels)
     */
    public void add(String event, double time, double dwell, double[] numeric, int[] categorical) {
        add(event == null ? null : Text.encode(event, "event"), 0, time, dwell, numeric, categorical);
    }

    /** The same, for an event by its index in the encoder's vocabulary. */
    public void add(int event, double time, double dwell, double[] numeric, int[] categorical) {
        add(null, event, time, dwell, numeric, categorical);
    }

    private synchronized void add(byte[] name, int type, double time, double dwell, double[] numeric,
                                  int[] categorical) {
        try (Use use = engine.use()) {
            Native.sessionAdd(use.address(), bytes, name, type, time, dwell, numeric, categorical);
        }
    }

    /** The same as {@link #score(FeatureTable, Context)}, with the defaults. */
    public Score score(FeatureTable features) { return score(features, null); }

    /**
     * The score of the session as one transaction.
     *
     * @param features one row; null if the engine needs no features
     * @param context null means the defaults
     * @throws CoveyException as {@link Engine#score}
     */
    public synchronized Score score(FeatureTable features, Context context) {
        try (Use use = engine.use(); Use with = Use.of(context)) {
            long scores = Native.sessionScore(use.address(), with.address(), bytes, features);
            try {
                return Scores.read(scores, 0);
            } finally { Native.scoresDestroy(scores); }
        }
    }

    /** The embedding of the events that are kept; zeros if there are none. @throws CoveyException INVALID_DATA */
    public synchronized float[] embedding() {
        try (Use use = engine.use()) {
            return Native.sessionEmbed(use.address(), 0, bytes);
        }
    }

    /** Forgets all events. */
    public synchronized void reset() {
        try (Use use = engine.use()) {
            Native.sessionStart(use.address(), bytes);
        }
    }

    /** The session, for a database or another process; {@link #fromBytes} reads it. */
    public synchronized byte[] toBytes() {
        byte[] result = new byte[bytes.capacity()];
        bytes.get(0, result);
        return result;
    }

    /** The number of events that it keeps now. */
    public long events() { return get(0); }

    /** The most events that it keeps. */
    public long largestEvents() { return get(1); }

    /** The number of events that came, with those that were forgotten. */
    public long total() { return get(2); }

    /** The number of events that came and whose type the vocabulary does not have. */
    public long unknown() { return get(3); }

    private synchronized long get(int which) {
        long[] integers = new long[4];
        try (Use use = engine.use()) {
            Native.sessionGet(use.address(), bytes, integers);
        }
        return integers[which];
    }
}
