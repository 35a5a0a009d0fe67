package covey;

import java.util.List;
import java.util.Objects;

/**
 * A condition of a rule.
 *
 * @param feature the column's name
 * @param kind what is asked of it
 * @param low INTERVAL: low &lt;= x &lt; high, either may be infinite; otherwise 0
 * @param high see {@code low}
 * @param categories IN and NOT_IN: the categories' names; otherwise empty
 * @param text in words: "amount is at least 100"; empty where it was made by hand
 */
public record Condition(
        String feature, Kind kind, double low, double high, List<String> categories, String text) {
    /** Refuses nulls and copies the categories. */
    public Condition {
        Objects.requireNonNull(feature, "feature");
        Objects.requireNonNull(kind, "kind");
        Objects.requireNonNull(text, "text");
        categories = List.copyOf(categories);
    }

    /** low &lt;= x &lt; high; either may be infinite. */
    public static Condition interval(String feature, double low, double high) {
        return new Condition(feature, Kind.INTERVAL, low, high, List.of(), "");
    }

    /** One of these categories, or none of them with {@link Kind#NOT_IN}. */
    public static Condition categories(String feature, Kind kind, List<String> categories) {
        return new Condition(feature, kind, 0, 0, categories, "");
    }

    /** A condition that its kind says whole: TRUE, FALSE, MISSING or PRESENT. */
    public static Condition of(String feature, Kind kind) {
        return new Condition(feature, kind, 0, 0, List.of(), "");
    }

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
