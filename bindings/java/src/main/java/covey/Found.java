package covey;

import java.util.List;
import java.util.Objects;
import java.util.Optional;

/** The whole road in one call: who is likely to be fraud, and the engine that says it of new transactions. */
public final class Found extends NativeObject {
    /** A part of the evidence, in log odds. The order is that of COVEY_EVIDENCE_. */
    public enum Evidence {
        /** Known fraud around the row, along the tree of clusters. */
        TREE,
        /** Known fraud among its nearest rows. */
        NEIGHBOURS,
        /** A forest on the features. */
        FEATURES,
        /** A forest on features and counts of events. */
        EVENTS,
        /** A forest on all of these and the embeddings. */
        JOINT
    }

    private Found(long address) {
        super("Found", address, Native::foundDestroy);
    }

    /**
     * Finds fraud among n transactions from their sequences, their features, or both, and what is known of fraud: late and few
     * labels will do. See covey_find of covey.h for the method, its sources and its cost.
     *
     * @param sequences n, empty ones for transactions without events; null = none
     * @param vocabulary of their event types, where an encoder is trained; otherwise null
     * @param features n rows; null = none
     * @param fraud n of {@link ClusterRisk#UNKNOWN}, {@link ClusterRisk#LEGITIMATE}, {@link ClusterRisk#FRAUD}; null = nothing is
     *     known: then clusters, outliers and what is new
     * @param amounts n numbers of at least 0, NaN where not known, or null
     * @param times n finite numbers (seconds), or null
     * @param encoder null = one is trained on the sequences
     * @param options null = the defaults
     * @param context null = the defaults
     * @throws CoveyException INVALID_ARGUMENT, INVALID_DATA, MISMATCH (lengths, channels), OUT_OF_MEMORY, CANCELLED
     */
    public static Found find(
            Sequences sequences, Vocabulary vocabulary, FeatureTable features, byte[] fraud, double[] amounts, double[] times,
            SequenceEncoder encoder, FindOptions options, Context context) {
        if (sequences == null && features == null) {
            throw new CoveyException(StatusCode.INVALID_ARGUMENT, "sequences and features must not both be null");
        }
        int rows = sequences != null ? sequences.count() : features.rows;
        if (fraud != null) Numbers.requireRows(fraud, rows, "fraud");
        if (amounts != null) Numbers.requireRows(amounts, rows, "amounts");
        if (times != null) Numbers.requireRows(times, rows, "times");
        FindOptions chosen = options == null ? FindOptions.defaults() : options;
        TrainingOptions training = chosen.training();
        try (Use with = Use.of(context);
                Use words = Use.of(vocabulary);
                Use model = Use.of(encoder)) {
            return new Found(Native.findRun(
                    with.address(), sequences, words.address(), features, fraud, amounts, times, rows, model.address(),
                    chosen.integers(), chosen.reals(), training == null ? null : training.integers(),
                    training == null ? null : training.reals()));
        }
    }

    /** The cluster of each row, -1 = none. */
    public int[] labels() {
        return integers(0);
    }

    /** The risky group of each row, as an index of {@link #groups}; -1 = none. */
    public int[] rowGroups() {
        return integers(1);
    }

    /** Whether each row is in a risky group. */
    public boolean[] risky() {
        int[] values = integers(2);
        boolean[] result = new boolean[values.length];
        for (int row = 0; row < result.length; ++row) result[row] = values[row] == 1;
        return result;
    }

    private int[] integers(int which) {
        try (Use self = use()) {
            int[] result = new int[(int) Native.foundRows(self.address())];
            Native.foundIntegers(self.address(), which, result);
            return result;
        }
    }

    /** The risk of each row, 0 to 1, without what is known of the row itself; outlier scores where no fraud is known. */
    public double[] scores() {
        return reals(-1);
    }

    /** A part of the evidence about each row, in log odds; 0 says nothing. */
    public double[] evidence(Evidence part) {
        return reals(Objects.requireNonNull(part, "part").ordinal());
    }

    private double[] reals(int part) {
        try (Use self = use()) {
            double[] result = new double[(int) Native.foundRows(self.address())];
            Native.foundReals(self.address(), part, result);
            return result;
        }
    }

    /** The number of clusters. */
    public int clusters() {
        try (Use self = use()) {
            return (int) Native.foundClusters(self.address());
        }
    }

    /** The risky groups, those that are most surely fraud first. */
    public List<RiskyGroup> groups() {
        try (Use self = use()) {
            RiskyGroup[] groups = new RiskyGroup[(int) Native.foundGroupCount(self.address())];
            long[] n = new long[5];
            double[] x = new double[9];
            for (int index = 0; index < groups.length; ++index) {
                Native.foundGroup(self.address(), index, n, x);
                groups[index] = new RiskyGroup(
                        n[0], n[1], n[2], n[3], x[0], x[1], x[2], x[3], x[4], x[5], x[6], x[7], x[8], n[4] == 1,
                        Text.decode(Native.foundGroupText(self.address(), index)));
            }
            return List.of(groups);
        }
    }

    /** What to know about the result, and what to do. */
    public List<Finding> findings() {
        try (Use self = use()) {
            Finding[] findings = new Finding[(int) Native.foundFindingCount(self.address())];
            for (int index = 0; index < findings.length; ++index) {
                findings[index] = Finding.of(
                        Native.foundFindingCode(self.address(), index),
                        Text.decode(Native.foundFindingText(self.address(), index)));
            }
            return List.of(findings);
        }
    }

    /** What was chosen and how, as a JSON object. */
    public String settings() {
        try (Use self = use()) {
            return Text.decode(Native.foundSettings(self.address()));
        }
    }

    /** The rules for fraud; empty where none were searched for. They keep this memory until they are closed themselves. */
    public Optional<RuleSet> rules() {
        try (Use self = use()) {
            long address = Native.foundRules(self.address());
            return address == 0 ? Optional.empty() : Optional.of(RuleSet.borrow(handle, address));
        }
    }

    /** The engine. It keeps this memory until it is closed itself. */
    public Engine engine() {
        try (Use self = use()) {
            return Engine.borrow(handle, Native.foundEngine(self.address()));
        }
    }
}
