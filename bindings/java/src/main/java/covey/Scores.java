package covey;

import java.util.ArrayList;
import java.util.Collections;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;

/** The scores of a batch of transactions. */
public final class Scores extends NativeObject {
    Scores(long address) { super("Scores", address, Native::scoresDestroy); }

    /** The number of transactions. */
    public int count() {
        try (Use self = use()) {
            return (int)Native.scoresCount(self.address());
        }
    }

    /** Returns the score of a transaction. @throws IndexOutOfBoundsException if the index is not 0 to count - 1 */
    public Score get(int transaction) {
        try (Use self = use()) {
            Objects.checkIndex(transaction, (int)Native.scoresCount(self.address()));
            return read(self.address(), transaction);
        }
    }

    /**
     * OK, or why a transaction has no score: its risk is NaN, its cluster -1, it has no rules and no reasons. Always OK
     * unless {@link ScoreOptions#keepsGoing}.
     *
     * @throws IndexOutOfBoundsException if the index is not 0 to count - 1
     */
    public StatusCode status(int transaction) {
        try (Use self = use()) {
            Objects.checkIndex(transaction, (int)Native.scoresCount(self.address()));
            return StatusCode.of(Native.scoresStatus(self.address(), transaction));
        }
    }

    /** The message of such a transaction, as if it had been scored alone; null if it has a score. */
    public String message(int transaction) {
        try (Use self = use()) {
            Objects.checkIndex(transaction, (int)Native.scoresCount(self.address()));
            byte[] text = Native.scoresMessage(self.address(), transaction);
            return text == null ? null : Text.decode(text);
        }
    }

    static Score read(long address, int transaction) {
        Found.Evidence[] parts = Found.Evidence.values();
        long[] n = new long[6];
        double[] x = new double[2 + parts.length];
        Native.scoresGet(address, transaction, n, x);
        Score.FiredRule[] rules = new Score.FiredRule[(int)n[2]];
        for (int index = 0; index < rules.length; ++index) {
            rules[index] = new Score.FiredRule(Text.decode(Native.scoresRule(address, transaction, index)),
                                               Native.scoresRuleCluster(address, transaction, index));
        }
        String[] reasons = new String[(int)n[3]];
        for (int index = 0; index < reasons.length; ++index) {
            reasons[index] = Text.decode(Native.scoresReason(address, transaction, index));
        }
        Map<Found.Evidence, Double> evidence = new EnumMap<>(Found.Evidence.class);
        if (n[4] == 1)
            for (Found.Evidence part : parts) evidence.put(part, x[2 + part.ordinal()]);
        return new Score(n[0], x[0], x[1], n[1] == 1, List.of(rules), List.of(reasons), n[5],
                         Collections.unmodifiableMap(evidence));
    }

    /**
     * What is odd about the events of a batch of 20 transactions and more, as sentences: types that the encoder does
     * not know, times in another unit. Usually empty.
     */
    public List<String> warnings() {
        try (Use self = use()) {
            List<String> found = new ArrayList<>();
            byte[] text;
            while ((text = Native.scoresWarning(self.address(), found.size())) != null) found.add(Text.decode(text));
            return List.copyOf(found);
        }
    }

    /** The cluster of each transaction; -1 means none. */
    public int[] clusters() {
        double[] clusters = column(0);
        int[] result = new int[clusters.length];
        for (int index = 0; index < result.length; ++index) result[index] = (int)clusters[index];
        return result;
    }

    /** The strength of each transaction's membership in its cluster, 0 to 1. */
    public double[] strengths() { return column(1); }

    /** The risk of each transaction, 0 to 1. */
    public double[] risks() { return column(2); }

    private double[] column(int which) {
        try (Use self = use()) {
            double[] result = new double[(int)Native.scoresCount(self.address())];
            Native.scoresColumn(self.address(), which, result);
            return result;
        }
    }
}
