package covey;

import java.time.Duration;

/** How {@link Engine#score} treats a batch; see {@link Builder} for the fields. */
public record ScoreOptions(boolean keepsGoing, long maxEvents, Duration deadline) {
    private static final ScoreOptions DEFAULTS = builder().build();

    /** The defaults. */
    public static ScoreOptions defaults() { return DEFAULTS; }

    /** A builder with the defaults. */
    public static Builder builder() { return new Builder(); }

    /** As C takes it; 0 means never. A deadline that is already over is the shortest one. */
    double seconds() { return deadline == null ? 0 : Math.max(1e-9, deadline.getSeconds() + deadline.getNano() / 1e9); }

    /** The fields and their defaults. */
    public static final class Builder {
        private boolean keepsGoing;
        private long maxEvents;
        private Duration deadline;

        private Builder() {}

        /**
         * A transaction whose numbers cannot be used (times that are not finite, infinite features) does not fail the
         * call: {@link Scores#status} says why it has no score. Default false.
         */
        public Builder keepsGoing(boolean keepsGoing) {
            this.keepsGoing = keepsGoing;
            return this;
        }

        /** The last events of a sequence that are used, up to 2,147,483,647; default 0 means all. */
        public Builder maxEvents(long maxEvents) {
            this.maxEvents = maxEvents;
            return this;
        }

        /** The call ends with CANCELLED if it takes longer, copies of arrays included; default null means never. */
        public Builder deadline(Duration deadline) {
            this.deadline = deadline;
            return this;
        }

        /** The options. */
        public ScoreOptions build() { return new ScoreOptions(keepsGoing, maxEvents, deadline); }
    }
}
