package covey;

/**
 * One cluster's figures.
 *
 * @param cluster its label; -1 is the noise
 * @param rank 0 = riskiest: by {@code shareLow} descending, then by loss, then by label
 * @param size rows
 * @param labelled rows whose label is known
 * @param fraud rows labelled as fraud
 * @param labelledShare labelled / size
 * @param share fraud / labelled; NaN where nothing is labelled
 * @param shareLow the Wilson interval of the share; 0 and 1 where nothing is labelled
 * @param shareHigh its upper end
 * @param lift share / base rate; NaN where either is undefined
 * @param loss sum of the amounts of rows labelled as fraud; 0 without amounts
 * @param amount sum of the amounts of all rows; 0 without amounts
 * @param firstSeen the smallest time; NaN without times
 * @param lastSeen the largest time; NaN without times
 * @param risky whether fraud and lift are high enough (see {@link RiskOptions}), and it is not the noise
 */
public record ClusterReport(
        long cluster,
        long rank,
        long size,
        long labelled,
        long fraud,
        double labelledShare,
        double share,
        double shareLow,
        double shareHigh,
        double lift,
        double loss,
        double amount,
        double firstSeen,
        double lastSeen,
        boolean risky) {}
