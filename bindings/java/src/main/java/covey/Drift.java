package covey;

import java.util.Objects;

/**
 * Counts what is scored, to say whether it still looks like what the engine was made of. Whole numbers alone are
 * counted, so that counts of several threads and machines add up to the same in any order. For any number of threads.
 */
public final class Drift extends NativeObject {
    private Drift(long address) { super("Drift", address, Native::driftDestroy); }

    /** Creates an empty one. It keeps the engine's memory until it is closed. */
    public Drift(Engine engine) { this(engine, null); }

    /** The same as {@link #Drift(Engine)}. @param context null means the defaults */
    public Drift(Engine engine, Context context) { this(create(engine, context)); }

    private static long create(Engine engine, Context context) {
        try (Use use = engine.use(); Use with = Use.of(context)) {
            return Native.driftCreate(use.address(), with.address());
        }
    }

    /**
     * Reads what {@link #toBytes} gave, with an engine of the same content.
     *
     * @throws CoveyException CORRUPT_FILE, MISMATCH
     */
    public static Drift fromBytes(Engine engine, byte[] bytes) { return fromBytes(engine, bytes, null); }

    /** The same as {@link #fromBytes(Engine, byte[])}. @param context null means the defaults */
    public static Drift fromBytes(Engine engine, byte[] bytes, Context context) {
        Objects.requireNonNull(bytes, "bytes");
        try (Use use = engine.use(); Use with = Use.of(context)) {
            return new Drift(Native.driftRead(use.address(), with.address(), bytes));
        }
    }

    /** The same as {@link #add(Sequences, FeatureTable, Scores, Context)}, with the defaults. */
    public void add(Sequences sequences, FeatureTable features, Scores scores) {
        add(sequences, features, scores, null);
    }

    /**
     * Counts transactions. Nothing is counted if this fails.
     *
     * @param sequences may be null
     * @param features may be null
     * @param scores what the engine said of them; may be null, but not all three
     * @param context null means the defaults
     * @throws CoveyException as {@link Engine#score}
     */
    public void add(Sequences sequences, FeatureTable features, Scores scores, Context context) {
        try (Use self = use(); Use of = Use.of(scores); Use with = Use.of(context)) {
            Native.driftAdd(self.address(), with.address(), sequences, features, of.address());
        }
    }

    /** Adds what another one counted. @throws CoveyException MISMATCH for another engine */
    public void merge(Drift other) { merge(other, null); }

    /** The same as {@link #merge(Drift)}. @param context null means the defaults */
    public void merge(Drift other, Context context) {
        try (Use self = use(); Use of = other.use(); Use with = Use.of(context)) {
            Native.driftMerge(self.address(), with.address(), of.address());
        }
    }

    /** What moved against the rows that the engine keeps, as JSON. covey_drift_report in covey.h says what it holds. */
    public String report() { return report(null); }

    /**
     * What moved against earlier counts of the same engine, as JSON. These compare event types, times and risk too.
     *
     * @param earlier null means the rows that the engine keeps
     * @throws CoveyException MISMATCH for another engine
     */
    public String report(Drift earlier) { return report(earlier, null); }

    /** The same as {@link #report(Drift)}. @param context null means the defaults */
    public String report(Drift earlier, Context context) {
        try (Use self = use(); Use of = Use.of(earlier); Use with = Use.of(context)) {
            return Text.decode(Native.driftText(self.address(), with.address(), of.address(), 0));
        }
    }

    /** The counts, for another process; {@link #fromBytes} reads them. */
    public byte[] toBytes() { return toBytes(null); }

    /** The same as {@link #toBytes()}. @param context null means the defaults */
    public byte[] toBytes(Context context) {
        try (Use self = use(); Use with = Use.of(context)) {
            return Native.driftText(self.address(), with.address(), 0, 1);
        }
    }
}
