package covey;

import java.util.Objects;

/** The explanations of a batch of transactions. */
public final class Explanations extends NativeObject {
    Explanations(long address) { super("Explanations", address, Native::explanationsDestroy); }

    /** The number of transactions. */
    public int count() {
        try (Use self = use()) {
            return (int)Native.explanationsCount(self.address());
        }
    }

    /** Returns a transaction's explanation. @throws IndexOutOfBoundsException if the index is not 0 to count - 1 */
    public Explanation get(int transaction) {
        try (Use self = use()) {
            Objects.checkIndex(transaction, (int)Native.explanationsCount(self.address()));
            long[] n = new long[8];
            double[] x = new double[9];
            Native.explanationsGet(self.address(), transaction, n, x);
            double[] attributions = new double[(int)n[2]];
            double[] errors = new double[attributions.length];
            double[] features = new double[(int)n[4]];
            Native.explanationsEvents(self.address(), transaction, attributions, errors);
            Native.explanationsFeatures(self.address(), transaction, features);
            return new Explanation(ExplainOptions.Explained.values()[(int)n[7]],
                                   ExplainOptions.Method.values()[(int)n[6] + 1], n[0], n[1], x[0], x[1], x[2],
                                   attributions, errors, features, n[3], n[5],
                                   new Explanation.Faithfulness(x[3], x[4], x[5], x[6], x[7], x[8]));
        }
    }
}
