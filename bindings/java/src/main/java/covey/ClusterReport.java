package covey;

/**
 * The figures of one cluster.
 *
 * @param cluster the label of the cluster; -1 means the noise
 * @param rank 0 is the riskiest. Clusters are ordered by descending {@code shareLow}, then by loss, then by label
 * @param size the number of rows
 * @param labelled the number of rows whose label is known
 * @param fraud the number of rows labelled as fraud
 * @param labelledShare labelled / size
 * @param share fraud / labelled; NaN if no row is labelled
 * @param shareLow the lower end of the Wilson interval of the share; 0 if no row is labelled
 * @param shareHigh its upper end; 1 if no row is labelled
 * @param lift share / base rate; NaN if either is undefined
 * @param loss the sum of the amounts of rows labelled as fraud; 0 without amounts
 * @param amount the sum of the amounts of all rows; 0 without amounts
 * @param firstSeen the smallest time; NaN without times
 * @param lastSeen the largest time; NaN without times
 * @param risky true if fraud and lift are high enough (see {@link RiskOptions}) and the cluster is not the noise
 */
public record ClusterReport(long cluster, long rank, long size, long labelled, long fraud, double labelledShare,
                            double share, double shareLow, double shareHigh, double lift, double loss, double amount,
                            double firstSeen, double lastSeen, boolean risky) {}
