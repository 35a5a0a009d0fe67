package covey;

import java.util.Objects;

/**
 * When a cluster is risky, and what shares of fraud are counted over.
 *
 * @param confidence of the Wilson intervals, 0.5 to 0.9999; default 0.95
 * @param minLift the odds of the lower end of the cluster's share must be at least this many times those of the base rate;
 *     finite, above 0; default 3
 * @param minFraud the fewest rows labelled as fraud, at least 1; default 3
 * @param knownShare with shares over all rows: the share of all fraud that is labelled, above 0, at most 1; 0 = 1 (default)
 * @param sharesOver default AUTO
 */
public record RiskOptions(double confidence, double minLift, long minFraud, double knownShare, SharesOver sharesOver) {
    /** What a share of fraud is counted over. The order is that of COVEY_SHARES_. */
    public enum SharesOver {
        /** For clusters ALL where no row is labelled as legitimate; for {@link Found} ALL where fewer than a fifth are. */
        AUTO,
        /** The labelled rows. */
        LABELLED,
        /** All rows: a share of known fraud, over the share of fraud that is known. */
        ALL
    }

    /** Checks that nothing is null. */
    public RiskOptions {
        Objects.requireNonNull(sharesOver, "sharesOver");
    }

    /** With the defaults for what shares are counted over. */
    public RiskOptions(double confidence, double minLift, long minFraud) {
        this(confidence, minLift, minFraud, 0, SharesOver.AUTO);
    }

    /** The defaults. */
    public static RiskOptions defaults() {
        return new RiskOptions(0.95, 3, 3);
    }
}
