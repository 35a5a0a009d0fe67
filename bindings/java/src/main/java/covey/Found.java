package covey;

import java.util.List;
import java.util.Objects;
import java.util.Optional;

/**
 * The result of the whole pipeline in one call: the rows that are likely to be fraud, and an engine that scores new
 * transactions.
 */
public final class Found extends NativeObject {
    /** A part of the evidence, in log odds. The order is that of COVEY_EVIDENCE_. */
    public enum Evidence {
        /** Known fraud near the row, along the tree of clusters. */
        TREE,
        /** Known fraud among the nearest rows. */
        NEIGHBOURS,
        /** A forest on the features. */
        FEATURES,
        /** A forest on the features and on counts of events, and a linear model of event types, pairs and gaps. */
        EVENTS,
        /** A forest on all columns and on the embeddings. */
        JOINT
    }

    private Found(long address) { super("Found", address, Native::foundDestroy); }

    /**
     * Finds fraud among n transactions from their sequences, their features, or both, and from the known labels, which
     * may be few and late. covey_find in covey.h describes the method, its sources and its cost.
     *
     * @param sequences n sequences; a transaction without events has an empty one; null means none
     * @param vocabulary the vocabulary of their event types, if an encoder is trained; otherwise null
     * @param features n rows; null means none
     * @param fraud n times {@link ClusterRisk#UNKNOWN}, {@link ClusterRisk#LEGITIMATE} or {@link ClusterRisk#FRAUD};
     *     null means that no label is known, and the result has clusters, outliers and new behaviour
     * @param amounts n numbers of at least 0, NaN if unknown, or null
     * @param times n finite numbers (seconds), or null
     * @param encoder null means that an encoder is trained on the sequences
     * @param options null means the defaults
     * @param context null means the defaults
     * @throws CoveyException INVALID_ARGUMENT, INVALID_DATA, MISMATCH (lengths, channels), OUT_OF_MEMORY, CANCELLED
     */
    public static Found find(Sequences sequences, Vocabulary vocabulary, FeatureTable features, byte[] fraud,
                             double[] amounts, double[] times, SequenceEncoder encoder, FindOptions options,
                             Context context) {
        if (sequences == null && features == null) {
            throw new CoveyException(StatusCode.INVALID_ARGUMENT, "sequences and features must not both be null");
        }
        int rows = sequences != null ? sequences.count() : features.rows;
        if (fraud != null) Numbers.requireRows(fraud, rows, "fraud");
        if (amounts != null) Numbers.requireRows(amounts, rows, "amounts");
        if (times != null) Numbers.requireRows(times, rows, "times");
        FindOptions chosen = options == null ? FindOptions.defaults() : options;
        TrainingOptions training = chosen.training();
        try (Use with = Use.of(context); Use words = Use.of(vocabulary); Use model = Use.of(encoder)) {
            return new Found(Native.findRun(with.address(), sequences, words.address(), features, fraud, amounts, times,
                                            rows, model.address(), chosen.integers(), chosen.reals(),
                                            training == null ? null : training.integers(),
                                            training == null ? null : training.reals()));
        }
    }

    /** The cluster of each row; -1 means none. */
    public int[] labels() { return integers(0); }

    /** The risky group of each row, as an index of {@link #groups}; -1 means none. */
    public int[] rowGroups() { return integers(1); }

    /** For each row, true if it is in a risky group. */
    public boolean[] risky() {
        int[] values = integers(2);
        boolean[] result = new boolean[values.length];
        for (int row = 0; row < result.length; ++row) result[row] = values[row] == 1;
        return result;
    }

    private int[] integers(int which) {
        try (Use self = use()) {
            int[] result = new int[(int)Native.foundRows(self.address())];
            Native.foundIntegers(self.address(), which, result);
            return result;
        }
    }

    /**
     * The risk of each row, 0 to 1, without the label of the row itself. If no fraud is known, it is the outlier score.
     */
    public double[] scores() { return reals(-1); }

    /** A part of the evidence about each row, in log odds; 0 means no evidence. */
    public double[] evidence(Evidence part) { return reals(Objects.requireNonNull(part, "part").ordinal()); }

    private double[] reals(int part) {
        try (Use self = use()) {
            double[] result = new double[(int)Native.foundRows(self.address())];
            Native.foundReals(self.address(), part, result);
            return result;
        }
    }

    /** The number of clusters. */
    public int clusters() {
        try (Use self = use()) {
            return (int)Native.foundClusters(self.address());
        }
    }

    /** The risky groups, in descending order of {@code shareLow}; the group of the evidence comes last. */
    public List<RiskyGroup> groups() {
        try (Use self = use()) {
            RiskyGroup[] groups = new RiskyGroup[(int)Native.foundGroupCount(self.address())];
            long[] n = new long[5];
            double[] x = new double[9];
            for (int index = 0; index < groups.length; ++index) {
                Native.foundGroup(self.address(), index, n, x);
                groups[index] =
                    new RiskyGroup(n[0], n[1], n[2], n[3], x[0], x[1], x[2], x[3], x[4], x[5], x[6], x[7], x[8],
                                   n[4] == 1, Text.decode(Native.foundGroupText(self.address(), index)));
            }
            return List.of(groups);
        }
    }

    /** Facts about the result, with advice. */
    public List<Finding> findings() {
        try (Use self = use()) {
            Finding[] findings = new Finding[(int)Native.foundFindingCount(self.address())];
            for (int index = 0; index < findings.length; ++index) {
                findings[index] = Finding.of(Native.foundFindingCode(self.address(), index),
                                             Text.decode(Native.foundFindingText(self.address(), index)));
            }
            return List.of(findings);
        }
    }

    /** The settings that were chosen and the reasons, as a JSON object. */
    public String settings() {
        try (Use self = use()) {
            return Text.decode(Native.foundSettings(self.address()));
        }
    }

    /**
     * The rules for fraud; empty if no rules were searched. They keep the memory of this object until they are closed
     * themselves.
     */
    public Optional<RuleSet> rules() {
        try (Use self = use()) {
            long address = Native.foundRules(self.address());
            return address == 0 ? Optional.empty() : Optional.of(RuleSet.borrow(handle, address));
        }
    }

    /** The engine. It keeps the memory of this object until it is closed itself. */
    public Engine engine() {
        try (Use self = use()) {
            return Engine.borrow(handle, Native.foundEngine(self.address()));
        }
    }
}
