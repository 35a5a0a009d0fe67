package covey;

import java.util.List;

/**
 * A condition of a rule.
 *
 * @param feature the column's name
 * @param kind what is asked of it
 * @param low INTERVAL: low &lt;= x &lt; high, either may be infinite; otherwise 0
 * @param high see {@code low}
 * @param categories IN and NOT_IN: the categories' names; otherwise empty
 * @param text in words: "amount is at least 100"
 */
public record Condition(
        String feature, Kind kind, double low, double high, List<String> categories, String text) {
    /** What a condition asks. */
    public enum Kind {
        /** A number in [low, high); missing does not match. */
        INTERVAL,
        /** One of the named categories. */
        IN,
        /** None of the named categories, and not missing. */
        NOT_IN,
        /** A boolean that is 1. */
        TRUE,
        /** A boolean that is 0. */
        FALSE,
        /** A missing value. */
        MISSING,
        /** A value that is not missing. */
        PRESENT
    }
}
