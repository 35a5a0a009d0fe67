package covey;

/**
 * A group of rows with more known fraud than chance would give.
 *
 * @param rows the number of rows
 * @param fraud the number of rows that are known to be fraud
 * @param legitimate the number of rows that are known to be legitimate
 * @param unknown the number of rows whose label is unknown
 * @param share the estimated share of fraud, 0 to 1
 * @param shareLow the lower end of its interval
 * @param shareHigh the upper end of its interval
 * @param lift the share of known fraud, divided by that of all rows
 * @param pValue the p value, corrected for all sets of rows that were tested
 * @param loss the sum of the amounts of the rows known to be fraud; 0 without amounts
 * @param amount the sum of all amounts
 * @param firstSeen the smallest time; NaN without times
 * @param lastSeen the largest time; NaN without times
 * @param ofEvidence true if the group consists of the rows with the highest combined evidence; false if it is a node of
 *     a tree
 * @param text the group in a sentence
 */
public record RiskyGroup(long rows, long fraud, long legitimate, long unknown, double share, double shareLow,
                         double shareHigh, double lift, double pValue, double loss, double amount, double firstSeen,
                         double lastSeen, boolean ofEvidence, String text) {}
