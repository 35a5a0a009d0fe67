package covey;

import java.util.List;

/**
 * A rule: all its conditions hold. Figures named search were measured on the rows that the search saw, the others on
 * rows that it never saw.
 *
 * @param text as a sentence with its figures
 * @param conditions all of which must hold
 * @param matched unseen rows that it matches
 * @param support unseen target rows that it matches
 * @param precision support / matched
 * @param precisionLow the Wilson interval of the precision
 * @param precisionHigh its upper end
 * @param recall support / unseen target rows
 * @param lift precision / share of the target among the unseen rows
 * @param searchMatched as matched
 * @param searchSupport as support
 * @param searchPrecision as precision
 * @param searchRecall as recall
 * @param searchLift as lift
 * @param recallLow the Wilson interval of the recall
 * @param recallHigh its upper end
 * @param searchPrecisionLow as precisionLow
 * @param searchPrecisionHigh as precisionHigh
 * @param searchRecallLow as recallLow
 * @param searchRecallHigh as recallHigh
 * @param matchedWeight the sum of the weights of the rows in matched; their number without weights
 * @param supportWeight of those in support
 * @param searchMatchedWeight as matchedWeight
 * @param searchSupportWeight as supportWeight
 * @param amount the sum of weight x amount of the rows in support; 0 without amounts
 * @param falseAmount of the other matching rows
 * @param searchAmount as amount
 * @param searchFalseAmount as falseAmount
 * @param pValue of chance on the unseen rows, corrected for the rules chosen; NaN where not tested
 * @param searchPValue of chance on the search's rows, corrected for all rules tried; NaN without permutations
 * @param stability the share of the resamples in which the rule comes back; NaN without resamples
 * @param given whether it was written by hand
 * @param measured false where it was measured on no rows: the figures say nothing
 * @param statedPrecision what the author of such a rule says, which counts when an engine scores; NaN where nothing
 */
public record
    Rule(String text, List<Condition> conditions, long matched, long support, double precision, double precisionLow,
         double precisionHigh, double recall, double lift, long searchMatched, long searchSupport,
         double searchPrecision, double searchRecall, double searchLift, double recallLow, double recallHigh,
         double searchPrecisionLow, double searchPrecisionHigh, double searchRecallLow, double searchRecallHigh,
         double matchedWeight, double supportWeight, double searchMatchedWeight, double searchSupportWeight,
         double amount, double falseAmount, double searchAmount, double searchFalseAmount, double pValue,
         double searchPValue, double stability, boolean given, boolean measured, double statedPrecision) {}
