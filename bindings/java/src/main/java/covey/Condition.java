package covey;

import java.util.List;
import java.util.Objects;

/**
 * A condition of a rule.
 *
 * @param feature the name of the column, or for example "hour of opened"
 * @param kind the kind of the condition
 * @param low INTERVAL: low &lt;= x &lt; high, either may be infinite; otherwise 0
 * @param high see {@code low}
 * @param categories IN and NOT_IN: the names of the categories; otherwise empty
 * @param text the condition in words: "amount is at least 100"; empty if the program created the condition
 * @param derived NONE if the feature is a column; otherwise how it is computed from columns
 * @param columns the columns that the feature is computed from; the column itself if it is one
 */
public record Condition(String feature, Kind kind, double low, double high, List<String> categories, String text,
                        Derived derived, List<String> columns) {
    /** The way in which a feature is computed. */
    public enum Derived {
        /** A column. */
        NONE,
        /** "hour of X": the hour of a date in UTC, 0 to 24, with its minutes as a fraction. */
        HOUR,
        /** "days from X to Y", for two dates. */
        DAYS,
        /** "X / Y"; missing if Y is 0. */
        RATIO,
        /** "X - Y". */
        DIFFERENCE
    }

    /** Throws if an argument is null, and copies the lists. */
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

    /** One of these categories; with {@link Kind#NOT_IN}, none of them. */
    public static Condition categories(String feature, Kind kind, List<String> categories) {
        return new Condition(feature, kind, 0, 0, categories, "", Derived.NONE, List.of(feature));
    }

    /** A condition that needs no numbers or categories: TRUE, FALSE, MISSING or PRESENT. */
    public static Condition of(String feature, Kind kind) {
        return new Condition(feature, kind, 0, 0, List.of(), "", Derived.NONE, List.of(feature));
    }

    /** The kind of a condition. */
    public enum Kind {
        /** A number in [low, high). A missing value does not match. */
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
