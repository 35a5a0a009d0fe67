package covey;

/**
 * Something to know about what was found, or why nothing was, with what to do.
 *
 * @param code which; null for one of a newer library
 * @param text in a sentence or two
 */
public record Finding(Code code, String text) {
    /** The order is that of COVEY_FINDING_, from 1. */
    public enum Code {
        /** Nothing is said of fraud. */
        NO_LABELS,
        /** No row is known to be fraud. */
        NO_KNOWN_FRAUD,
        /** Fewer than 5 are. */
        TOO_FEW_FRAUDS,
        /** All rows are: there is nothing to tell them from. */
        ONLY_FRAUD,
        /** Known fraud is spread as by chance. */
        NO_SIGNAL,
        /** There is signal, but no group that is fraud enough. */
        NO_GROUP,
        /** More than 90 % of the rows are in one cluster. */
        GIANT_CLUSTER,
        /** More than half of the rows are in none. */
        MUCH_NOISE,
        /** There are no clusters. */
        NO_CLUSTERS,
        /** The embeddings do not tell known fraud from the rest. */
        EMBEDDINGS_WITHOUT_SIGNAL,
        /** A feature tells nearly all known frauds from the rest. */
        FEATURE_GIVES_LABEL_AWAY,
        /** Known fraud is compared with rows of which nobody knows. */
        UNLABELLED_COMPARED,
        /** The share of fraud that is known is estimated, or cannot be. */
        KNOWN_SHARE,
        /** No rule for fraud was found. */
        NO_RULE,
        /** Amounts are missing. */
        AMOUNTS_MISSING,
        /** Less than half of the transactions have events. */
        FEW_EVENTS,
        /** Dates take part in rules alone. */
        DATES_LEFT_OUT,
        /** A cluster is of the last tenth of the time. */
        NEW_BEHAVIOUR,
        /** There are fewer than 50 rows. */
        FEW_ROWS
    }

    static Finding of(int code, String text) {
        return new Finding(code >= 1 && code <= Code.values().length ? Code.values()[code - 1] : null, text);
    }
}
