package covey;

/**
 * A group of rows in which known fraud crowds together more than chance would have it.
 *
 * @param rows how many
 * @param fraud of them known to be fraud
 * @param legitimate known to be legitimate
 * @param unknown not known
 * @param share the estimated share of fraud, 0 to 1
 * @param shareLow its interval
 * @param shareHigh its interval
 * @param lift the share of known fraud over that of all rows
 * @param pValue corrected for all sets of rows that were looked at
 * @param loss sum of the amounts of the rows known to be fraud; 0 without amounts
 * @param amount sum of all amounts
 * @param firstSeen smallest time; NaN without times
 * @param lastSeen largest time
 * @param ofEvidence whether it is made of the rows that all evidence together puts first; otherwise it is a knot of a tree
 * @param text the group in a sentence
 */
public record RiskyGroup(
        long rows,
        long fraud,
        long legitimate,
        long unknown,
        double share,
        double shareLow,
        double shareHigh,
        double lift,
        double pValue,
        double loss,
        double amount,
        double firstSeen,
        double lastSeen,
        boolean ofEvidence,
        String text) {}
