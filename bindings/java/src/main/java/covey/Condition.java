package covey;

import java.util.List;
import java.util.Objects;

/**
 * A condition of a rule.
 *
 * @param feature the column's name, or "hour of opened"
 * @param kind what is asked of it
 * @param low INTERVAL: low &lt;= x &lt; high, either may be infinite; otherwise 0
 * @param high see {@code low}
 * @param categories IN and NOT_IN: the categories' names; otherwise empty
 * @param text in words: "amount is at least 100"; empty where it was made by hand
 * @param derived whether the feature is a column, or worked out of columns
 * @param columns what the feature is worked out of; itself where it is a column
 */
public record Condition(
        String feature,
        Kind kind,
        double low,
        double high,
        List<String> categories,
        String text,
        Derived derived,
        List<String> columns) {
    /** What a feature is. */
    public enum Derived {
        /** A column. */
        NONE,
        /** "hour of X": of a date in UTC, 0 to 24, with its minutes as a fraction. */
        HOUR,
        /** "days from X to Y", of two dates. */
        DAYS,
        /** "X / Y"; missing where Y is 0. */
        RATIO,
        /** "X - Y". */
        DIFFERENCE
    }

    /** Refuses nulls and copies the lists. */
    public Condition {
        Objects.requireNonNull(feature, "feature");
        Objects.requireNonNull(kind, "kind");
        Objects.requireNonNull(text, "text");
        Objects.requireNonNull(derived, "derived");
        categories = List.copyOf(categories);
        columns = List.copyOf(columns);
    }

    /** low &lt;= x &lt; high; either may be infinite. */
    public static Condition interval(String feature, double low, double high) {
        return new Condition(feature, Kind.INTERVAL, low, high, List.of(), "", Derived.NONE, List.of(feature));
    }

    /** One of these categories, or none of them with {@link Kind#NOT_IN}. */
    public static Condition categories(String feature, Kind kind, List<String> categories) {
        return new Condition(feature, kind, 0, 0, categories, "", Derived.NONE, List.of(feature));
    }

    /** A condition that its kind says whole: TRUE, FALSE, MISSING or PRESENT. */
    public static Condition of(String feature, Kind kind) {
        return new Condition(feature, kind, 0, 0, List.of(), "", Derived.NONE, List.of(feature));
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
