package covey;

import java.nio.file.Path;
import java.util.List;
import java.util.Objects;

/** The risk of clusters, from late and partial labels. */
public final class ClusterRisk extends NativeObject {
    /** The label of the row is unknown. */
    public static final byte UNKNOWN = -1;
    /** The row is known to be legitimate. */
    public static final byte LEGITIMATE = 0;
    /** The row is known to be fraud. */
    public static final byte FRAUD = 1;

    private ClusterRisk(long address) { super("ClusterRisk", address, Native::riskDestroy); }

    /**
     * Rates the clusters of n rows. Cost: O(n).
     *
     * @param labels n cluster labels, at least -1; -1 means noise
     * @param fraud n times {@link #UNKNOWN}, {@link #LEGITIMATE} or {@link #FRAUD}
     * @param amounts n finite numbers of at least 0, or null
     * @param times n finite numbers (seconds), or null
     * @param options null means the defaults
     * @param context null means the defaults
     * @throws CoveyException INVALID_ARGUMENT, INVALID_DATA, MISMATCH (lengths)
     */
    public static ClusterRisk rate(int[] labels, byte[] fraud, double[] amounts, double[] times, RiskOptions options,
                                   Context context) {
        Objects.requireNonNull(labels, "labels");
        Numbers.requireRows(fraud, labels.length, "fraud");
        if (amounts != null) Numbers.requireRows(amounts, labels.length, "amounts");
        if (times != null) Numbers.requireRows(times, labels.length, "times");
        RiskOptions chosen = options == null ? RiskOptions.defaults() : options;
        try (Use with = Use.of(context)) {
            return new ClusterRisk(Native.riskRate(with.address(), labels, fraud, amounts, times, chosen.confidence(),
                                                   chosen.minLift(), chosen.minFraud(), chosen.knownShare(),
                                                   chosen.sharesOver().ordinal()));
        }
    }

    /**
     * Writes the risk to a file. The write is atomic.
     *
     * @throws CoveyException IO, OUT_OF_MEMORY, CANCELLED
     */
    public void save(Path path, Context context) {
        try (Use self = use(); Use with = Use.of(context)) {
            Native.riskSave(self.address(), with.address(), Text.encode(path));
        }
    }

    /**
     * Reads a risk that was written by {@link #save}, by C or by Python.
     *
     * @throws CoveyException IO, CORRUPT_FILE, UNSUPPORTED, OUT_OF_MEMORY, CANCELLED
     */
    public static ClusterRisk load(Path path, Context context) {
        try (Use with = Use.of(context)) {
            return new ClusterRisk(Native.riskLoad(with.address(), Text.encode(path)));
        }
    }

    /** The bytes of the file that {@link #save} writes. */
    public byte[] toBytes() { return toBytes(null); }

    /** The same as {@link #toBytes()}. @param context null means the defaults */
    public byte[] toBytes(Context context) {
        try (Use self = use(); Use with = Use.of(context)) {
            return Native.riskWrite(self.address(), with.address());
        }
    }

    /** Reads the bytes that {@link #toBytes} returned. Errors are those of {@link #load}. */
    public static ClusterRisk of(byte[] bytes, Context context) {
        Objects.requireNonNull(bytes, "bytes");
        try (Use with = Use.of(context)) {
            return new ClusterRisk(Native.riskRead(with.address(), bytes));
        }
    }

    /** One report for each label that occurs, including the noise; the riskiest comes first. */
    public List<ClusterReport> reports() {
        try (Use self = use()) {
            ClusterReport[] reports = new ClusterReport[(int)Native.riskCount(self.address())];
            long[] n = new long[6];
            double[] x = new double[9];
            for (int rank = 0; rank < reports.length; ++rank) {
                Native.riskGet(self.address(), rank, n, x);
                reports[rank] = new ClusterReport(n[0], n[1], n[2], n[3], n[4], x[0], x[1], x[2], x[3], x[4], x[5],
                                                  x[6], x[7], x[8], n[5] == 1);
            }
            return List.of(reports);
        }
    }

    /** The share of fraud among all labelled rows; NaN if there are none. */
    public double baseRate() {
        try (Use self = use()) {
            return Native.riskBaseRate(self.address());
        }
    }
}
