package covey;

import java.util.ArrayList;
import java.util.List;
import java.util.Objects;

/** What a rule set would have done on transactions of the past. Immutable, for any number of threads. */
public final class Backtest extends NativeObject {
    /** In the place of a rule: rows that any rule matches. */
    public static final int ANY = -1;
    /** In the place of a rule, for {@link #period}: all rows. */
    public static final int ALL = -2;

    private static final int SHADOW = -3;

    private Backtest(long address) { super("Backtest", address, NativeRules::backtestDestroy); }

    /** Which of two sets matches a row. */
    public enum Shadow {
        /** Both sets. */
        BOTH,
        /** The first alone. */
        FIRST,
        /** The second alone. */
        SECOND,
        /** None. */
        NEITHER
    }

    /**
     * What is tested; null fields are left out.
     *
     * @param amounts one a row, finite and at least 0
     * @param times one a row, seconds, in any order
     * @param outcomes one a row, 0 to outcomeCount - 1
     * @param outcomeCount at most 64
     * @param period seconds of a period, a week by default
     * @param confidence of the Wilson intervals
     * @param live one a rule: whether it is in force already
     * @param shadow a second set, which is compared with the first
     */
    public record Options(double[] amounts, double[] times, int[] outcomes, long outcomeCount, double period,
                          double confidence, boolean[] live, RuleSet shadow) {
        /** The defaults, with these amounts and times, each of which may be null. */
        public static Options of(double[] amounts, double[] times) {
            return new Options(amounts, times, null, 0, 604_800, 0.95, null, null);
        }
    }

    /**
     * What a rule matched; see covey_backtest_report in covey.h.
     *
     * @param rows rows
     * @param fraud of these, labelled as fraud: what the rule would have caught
     * @param legitimate labelled as legitimate: its false alarms
     * @param amount the sum of amounts
     * @param fraudAmount of fraud
     * @param legitimateAmount of legitimate rows
     * @param precision fraud / (fraud + legitimate); NaN where none is labelled
     * @param precisionLow its Wilson interval
     * @param precisionHigh its Wilson interval
     * @param recall fraud / all fraud of the table; NaN where there is none
     * @param recallLow its Wilson interval
     * @param recallHigh its Wilson interval
     * @param addedRows rows that no other rule in force matches
     * @param addedFraud likewise
     * @param addedLegitimate likewise
     * @param addedAmount likewise
     * @param addedFraudAmount likewise
     * @param addedLegitimateAmount likewise
     * @param decayP the chance of a precision that falls so, corrected for the number of rules; NaN where not tested
     * @param hitRateP of a share of matching rows that changes so
     * @param recentRows in the last quarter of the periods
     * @param recentFraud likewise
     * @param recentLegitimate likewise
     * @param retire whether the rule should go
     */
    public record
        Report(long rows, long fraud, long legitimate, double amount, double fraudAmount, double legitimateAmount,
               double precision, double precisionLow, double precisionHigh, double recall, double recallLow,
               double recallHigh, long addedRows, long addedFraud, long addedLegitimate, double addedAmount,
               double addedFraudAmount, double addedLegitimateAmount, double decayP, double hitRateP, long recentRows,
               long recentFraud, long recentLegitimate, boolean retire) {}

    /**
     * Runs rules on n transactions of the past.
     *
     * @param fraud n of {@link ClusterRisk#UNKNOWN}, {@link ClusterRisk#LEGITIMATE} and {@link ClusterRisk#FRAUD}
     * @param options null = the defaults
     * @param context null = the defaults
     * @throws CoveyException INVALID_ARGUMENT, INVALID_DATA, MISMATCH, OUT_OF_MEMORY, CANCELLED
     */
    public static Backtest run(RuleSet rules, FeatureTable features, byte[] fraud, Options options, Context context) {
        Objects.requireNonNull(features, "features");
        Objects.requireNonNull(fraud, "fraud");
        Options chosen = options == null ? Options.of(null, null) : options;
        byte[] live = null;
        if (chosen.live() != null) {
            live = new byte[chosen.live().length];
            for (int rule = 0; rule < live.length; ++rule) live[rule] = (byte)(chosen.live()[rule] ? 1 : 0);
        }
        try (Use set = rules.use(); Use other = Use.of(chosen.shadow()); Use with = Use.of(context)) {
            return new Backtest(NativeRules.backtestRun(
                with.address(), set.address(), features, fraud, chosen.amounts(), chosen.times(), chosen.outcomes(),
                chosen.outcomeCount(), chosen.period(), chosen.confidence(), live, other.address()));
        }
    }

    /** The figures of a rule, or of {@link #ANY}. */
    public Report rule(int rule) {
        if (rule == SHADOW)
            throw new CoveyException(StatusCode.INVALID_ARGUMENT, "rule must be at least -1, got " + rule);
        return read(rule, -1);
    }

    /** The figures of a rule, {@link #ANY} or {@link #ALL} in a period. */
    public Report period(int rule, int period) {
        if (rule == SHADOW || period < 0) {
            throw new CoveyException(StatusCode.INVALID_ARGUMENT,
                                     "rule or period out of range: " + rule + ", " + period);
        }
        return read(rule, period);
    }

    /** Rows by which of two sets matches them. */
    public Report shadow(Shadow which) { return read(SHADOW, which.ordinal()); }

    private Report read(long rule, long period) {
        long[] n = new long[10];
        double[] x = new double[14];
        try (Use self = use()) {
            NativeRules.backtestGet(self.address(), rule, period, n, x);
        }
        return new Report(n[0], n[1], n[2], x[0], x[1], x[2], x[3], x[4], x[5], x[6], x[7], x[8], n[3], n[4], n[5],
                          x[9], x[10], x[11], x[12], x[13], n[6], n[7], n[8], n[9] == 1);
    }

    /** When each period begins, in seconds; NaN without times. */
    public List<Double> starts() {
        try (Use self = use()) {
            List<Double> starts = new ArrayList<>();
            for (long period = 0; period < NativeRules.backtestPeriods(self.address()); ++period) {
                starts.add(NativeRules.backtestStart(self.address(), period));
            }
            return List.copyOf(starts);
        }
    }

    /**
     * Rows of an outcome that a rule matches.
     *
     * @param rows so many
     * @param amount the sum of their amounts
     */
    public record Outcome(long rows, double amount) {}

    /** Rows of an outcome that a rule (or {@link #ANY}) matches. */
    public Outcome outcome(int rule, int outcome) {
        long[] rows = new long[1];
        double[] amount = new double[1];
        try (Use self = use()) {
            NativeRules.backtestOutcome(self.address(), rule, outcome, rows, amount);
        }
        return new Outcome(rows[0], amount[0]);
    }

    /** Rows that two rules match; -1 outside, and for sets of more than 1024 rules. */
    public long overlap(int first, int second) {
        try (Use self = use()) {
            return NativeRules.backtestOverlap(self.address(), first, second);
        }
    }
}
