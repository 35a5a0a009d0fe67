package covey;

import java.util.Objects;

/**
 * The thresholds of a risky cluster, and the rows that shares of fraud refer to.
 *
 * @param confidence the confidence of the Wilson intervals, 0.5 to 0.9999; default 0.95
 * @param minLift the odds of the lower end of the cluster's share must be at least this many times those of the base
 *     rate; finite, above 0; default 3
 * @param minFraud the smallest number of rows labelled as fraud, at least 1; default 3
 * @param knownShare for shares of all rows: the share of all fraud that is labelled, above 0, at most 1; 0 (default)
 *     means 1
 * @param sharesOver the rows that shares of fraud refer to; default AUTO
 */
public record RiskOptions(double confidence, double minLift, long minFraud, double knownShare, SharesOver sharesOver) {
    /** The rows that a share of fraud refers to. The order is that of COVEY_SHARES_. */
    public enum SharesOver {
        /**
         * ALL if no row is labelled as legitimate (for {@link Found}, if fewer than a fifth of the rows are); otherwise
         * LABELLED.
         */
        AUTO,
        /** The labelled rows. */
        LABELLED,
        /** All rows: the share of known fraud, divided by the share of fraud that is known. */
        ALL
    }

    /** Throws if an argument is null. */
    public RiskOptions { Objects.requireNonNull(sharesOver, "sharesOver"); }

    /** Uses the defaults for knownShare and sharesOver. */
    public RiskOptions(double confidence, double minLift, long minFraud) {
        this(confidence, minLift, minFraud, 0, SharesOver.AUTO);
    }

    /** Returns the defaults. */
    public static RiskOptions defaults() { return new RiskOptions(0.95, 3, 3); }
}
