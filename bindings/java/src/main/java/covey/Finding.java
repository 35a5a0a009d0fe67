package covey;

/**
 * A fact about the result, or the reason why there is none, with advice.
 *
 * @param code the kind of the finding; null if a newer library returned it
 * @param text the finding in one or two sentences
 */
public record Finding(Code code, String text) {
    /** The kind of a finding. The order is that of COVEY_FINDING_, from 1. */
    public enum Code {
        /** There are no labels. */
        NO_LABELS,
        /** No row is known to be fraud. */
        NO_KNOWN_FRAUD,
        /** Fewer than 5 rows are known to be fraud. */
        TOO_FEW_FRAUDS,
        /** All rows are known to be fraud, so there are no rows to compare them with. */
        ONLY_FRAUD,
        /** Known fraud is distributed as if by chance. */
        NO_SIGNAL,
        /** There is a signal, but no group has a high enough share of fraud. */
        NO_GROUP,
        /** More than 90 % of the rows are in one cluster. */
        GIANT_CLUSTER,
        /** More than half of the rows are noise. */
        MUCH_NOISE,
        /** There are no clusters. */
        NO_CLUSTERS,
        /** The embeddings do not separate known fraud from the other rows. */
        EMBEDDINGS_WITHOUT_SIGNAL,
        /** A feature separates nearly all known frauds from the other rows. */
        FEATURE_GIVES_LABEL_AWAY,
        /** Known fraud is compared with unlabelled rows. */
        UNLABELLED_COMPARED,
        /** The share of fraud that is known is estimated, or cannot be estimated. */
        KNOWN_SHARE,
        /** No rule for fraud was found. */
        NO_RULE,
        /** Amounts are missing. */
        AMOUNTS_MISSING,
        /** Less than half of the transactions have events. */
        FEW_EVENTS,
        /** Only rules use dates. */
        DATES_LEFT_OUT,
        /** All rows of a cluster are in the last tenth of the time. */
        NEW_BEHAVIOUR,
        /** There are fewer than 50 rows. */
        FEW_ROWS,
        /** The encoder does not know the names of many events, or times are in another unit than in training. */
        EVENTS_UNLIKE_TRAINING
    }

    static Finding of(int code, String text) {
        return new Finding(code >= 1 && code <= Code.values().length ? Code.values()[code - 1] : null, text);
    }
}
