package covey;

import java.util.List;

/**
 * A rule: all its conditions hold. Figures named search were measured on the rows that the search saw, the others on rows
 * that it never saw.
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
 */
public record Rule(
        String text,
        List<Condition> conditions,
        long matched,
        long support,
        double precision,
        double precisionLow,
        double precisionHigh,
        double recall,
        double lift,
        long searchMatched,
        long searchSupport,
        double searchPrecision,
        double searchRecall,
        double searchLift) {}
