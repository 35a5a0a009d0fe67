package covey;

/**
 * When a cluster is risky.
 *
 * @param confidence of the Wilson intervals, 0.5 to 0.9999; default 0.95
 * @param minLift the lower end of the cluster's share must be at least this many times the base rate; finite, above 0;
 *     default 3
 * @param minFraud the fewest rows labelled as fraud, at least 1; default 3
 */
public record RiskOptions(double confidence, double minLift, long minFraud) {
    /** The defaults. */
    public static RiskOptions defaults() {
        return new RiskOptions(0.95, 3, 3);
    }
}
