package covey;

import java.lang.ref.Reference;
import java.util.Objects;

/**
 * Scores one transaction after another in memory that is used again: what a payment page needs. The features are set by
 * their index, which {@link Engine#featureIndex} finds once, and keep their values until they are set again; at first
 * all are missing. The numbers are those of {@link Engine#scoreOne}. Neither setting nor scoring leaves garbage.
 *
 * <pre>{@code
 * int amount = engine.featureIndex("amount"), country = engine.featureIndex("country");
 * scorer.set(amount, 12.5);
 * scorer.set(country, "NL");
 * double risk = scorer.score(sequences);
 * }</pre>
 *
 * <p>{@link Sequences} keep references to their arrays: one batch of one sequence, whose arrays and offsets are written
 * for each transaction, serves for all.
 *
 * <p>One thread at a time: a second one gets INVALID_ARGUMENT. Each thread can have a scorer of its own. It keeps the
 * memory of its engine and of its context until it is closed.
 */
public final class Scorer extends NativeObject {
    /** Cluster, risky, rules, reasons, whether there is evidence, group. */
    private final long[] integers = new long[6];
    /** Strength, risk, evidence. */
    private final double[] reals = new double[2 + Found.Evidence.values().length];

    /** The same as {@link #Scorer(Engine, Context)}, with the defaults. */
    public Scorer(Engine engine) { this(engine, null); }

    /**
     * Creates a scorer.
     *
     * @param context null means the defaults
     */
    public Scorer(Engine engine, Context context) { this(create(engine, context), context); }

    private Scorer(long address, Context context) {
        super("Scorer", address, pointer -> {
            Native.scorerDestroy(pointer);
            if (context != null) context.handle.release();
        });
    }

    private static long create(Engine engine, Context context) {
        Objects.requireNonNull(engine, "engine");
        long with = context == null ? 0 : context.handle.acquire();
        try (Use use = engine.use()) {
            return Native.scorerCreate(use.address(), with);
        } catch (Throwable failure) {
            if (context != null) context.handle.release();
            throw failure;
        }
    }

    /** Makes all features missing. */
    public void clear() {
        long address = handle.acquire();
        try {
            Native.scorerClear(address);
        } finally { release(); }
    }

    /**
     * Sets a number, or a date in seconds since 1970; NaN means missing.
     *
     * @throws CoveyException INVALID_ARGUMENT (no such feature), MISMATCH (a categorical feature), INVALID_DATA
     *     (infinite)
     */
    public void set(int feature, double value) {
        long address = handle.acquire();
        try {
            Native.scorerSetNumber(address, feature, value);
        } finally { release(); }
    }

    /** Sets a boolean. @throws CoveyException as {@link #set(int, double)} */
    public void set(int feature, boolean value) { set(feature, value ? 1.0 : 0.0); }

    /**
     * Sets a category; null means missing. One that the engine does not know is fine.
     *
     * @throws CoveyException INVALID_ARGUMENT (no such feature, NUL or half of a surrogate pair), MISMATCH (a feature
     *     that is not categorical)
     */
    public void set(int feature, String category) {
        long address = handle.acquire();
        try {
            Native.scorerSetCategory(address, feature, category);
        } finally { release(); }
    }

    /** The same as {@link #score(Sequences, ScoreOptions)}, with the defaults. */
    public double score(Sequences sequences) { return score(sequences, ScoreOptions.defaults()); }

    /**
     * Scores the features that were set. The other figures of the score are there until the next one.
     *
     * @param sequences one sequence; null if the engine has no encoder
     * @return the risk
     * @throws CoveyException as {@link Engine#scoreOne}
     */
    public double score(Sequences sequences, ScoreOptions options) {
        long address = handle.acquire();
        try {
            Native.scorerScore(address, sequences, options.maxEvents(), options.seconds(), integers, reals);
        } finally { release(); }
        return reals[1];
    }

    /** The cluster of the last score; -1 means none. */
    public long cluster() { return integers[0]; }

    /** The strength of that membership, 0 to 1. */
    public double strength() { return reals[0]; }

    /** The risk of the last score, 0 to 1. */
    public double risk() { return reals[1]; }

    /** Whether its cluster is risky, or a rule of a risky cluster fires; of an engine of find: whether its group is. */
    public boolean risky() { return integers[1] == 1; }

    /** How many rules fire. */
    public long ruleCount() { return integers[2]; }

    /** The risky group of an engine of find; -1 means none. */
    public long group() { return integers[5]; }

    /**
     * The last score with its rules and reasons in words, which leaves garbage.
     *
     * @throws CoveyException INVALID_ARGUMENT before the first score and after one that failed
     */
    public Score last() {
        long address = handle.acquire();
        try {
            long scores = Native.scorerScores(address);
            try {
                return Scores.read(scores, 0);
            } finally { Native.scoresDestroy(scores); }
        } finally { release(); }
    }

    /** A use without an object for it. */
    private void release() {
        handle.release();
        Reference.reachabilityFence(this);
    }
}
