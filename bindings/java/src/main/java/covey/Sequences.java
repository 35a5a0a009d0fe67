package covey;

import java.nio.DoubleBuffer;
import java.nio.IntBuffer;
import java.nio.LongBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;

/**
 * A batch of event sequences, ragged: sequence i has the events {@code offsets[i]} to {@code offsets[i + 1] - 1}.
 *
 * <ul>
 * <li>{@code offsets}: count + 1 numbers that do not decrease, the first at least 0; an equal pair is an empty sequence,
 *     whose embedding is zero.
 * <li>{@code types}: vocabulary indices; any index outside the vocabulary counts as the unknown entry.
 * <li>{@code times}: seconds on any common clock, finite. The events of a sequence are used in the order of time; events
 *     with equal times keep their given order. The last event is the transaction.
 * <li>{@code dwell}: seconds spent on the event, at least 0; NaN = missing. Left out where the model does not use it.
 * <li>numeric channels: one more double for each event (NaN = missing); categorical channels: one more int for each event
 *     (outside the channel's vocabulary = unknown). In the model's order.
 * </ul>
 *
 * <p>The arrays and buffers are kept, not copied; they must not change while a call reads them. A call reads the events from
 * the first to the last offset alone. Values are checked by the call that uses them.
 */
public final class Sequences {
    // Read by the native side: arrays or direct buffers.
    final Object offsets;
    final Object types;
    final Object times;
    final Object dwell;
    final Object[] numeric;
    final Object[] categorical;

    private Sequences(
            Object offsets, Object types, Object times, Object dwell, Object[] numeric, Object[] categorical) {
        this.offsets = offsets;
        this.types = types;
        this.times = times;
        this.dwell = dwell;
        this.numeric = numeric;
        this.categorical = categorical;
    }

    /** A batch without dwell and channels. */
    public static Sequences of(long[] offsets, int[] types, double[] times) {
        return builder().offsets(offsets).types(types).times(times).build();
    }

    /** One sequence. */
    public static Sequences single(int[] types, double[] times) {
        return of(new long[] {0, types.length}, types, times);
    }

    /** A builder of which offsets, types and times must be given. */
    public static Builder builder() {
        return new Builder();
    }

    /** The number of sequences. */
    public int count() {
        return Math.max(0, Numbers.length(offsets) - 1);
    }

    /** The number of events between the first and the last offset. */
    public long eventCount() {
        int count = count();
        return count == 0 ? 0 : offset(count) - offset(0);
    }

    /**
     * The sequences [from, to), of the same arrays.
     *
     * @throws IndexOutOfBoundsException unless 0 &lt;= from &lt;= to &lt;= count
     */
    public Sequences slice(int from, int to) {
        Objects.checkFromToIndex(from, to, count());
        return new Sequences(Numbers.slice(offsets, from, to + 1), types, times, dwell, numeric, categorical);
    }

    private long offset(int index) {
        return offsets instanceof LongBuffer buffer ? buffer.get(index) : ((long[]) offsets)[index];
    }

    /** The attention weights' length: where the offsets are bad the call that follows says so. */
    int attentionLength() {
        return (int) Math.max(0, Math.min(eventCount(), Numbers.length(types)));
    }

    /** Collects the parts of a batch. Buffers must be direct and in native byte order; they give what remains of them. */
    public static final class Builder {
        private Object offsets;
        private Object types;
        private Object times;
        private Object dwell;
        private final List<Object> numeric = new ArrayList<>();
        private final List<Object> categorical = new ArrayList<>();

        private Builder() {}

        /** Where the sequences begin and end: count + 1 numbers. */
        public Builder offsets(long[] offsets) {
            this.offsets = Objects.requireNonNull(offsets, "offsets");
            return this;
        }

        /** As {@link #offsets(long[])}, read in place. */
        public Builder offsets(LongBuffer offsets) {
            this.offsets = Numbers.direct(offsets, "offsets");
            return this;
        }

        /** Vocabulary indices. */
        public Builder types(int[] types) {
            this.types = Objects.requireNonNull(types, "types");
            return this;
        }

        /** As {@link #types(int[])}, read in place. */
        public Builder types(IntBuffer types) {
            this.types = Numbers.direct(types, "types");
            return this;
        }

        /** Seconds. */
        public Builder times(double[] times) {
            this.times = Objects.requireNonNull(times, "times");
            return this;
        }

        /** As {@link #times(double[])}, read in place. */
        public Builder times(DoubleBuffer times) {
            this.times = Numbers.direct(times, "times");
            return this;
        }

        /** Seconds spent on each event. */
        public Builder dwell(double[] dwell) {
            this.dwell = Objects.requireNonNull(dwell, "dwell");
            return this;
        }

        /** As {@link #dwell(double[])}, read in place. */
        public Builder dwell(DoubleBuffer dwell) {
            this.dwell = Numbers.direct(dwell, "dwell");
            return this;
        }

        /** Adds a numeric channel. */
        public Builder addNumeric(double[] values) {
            numeric.add(Objects.requireNonNull(values, "numeric"));
            return this;
        }

        /** As {@link #addNumeric(double[])}, read in place. */
        public Builder addNumeric(DoubleBuffer values) {
            numeric.add(Numbers.direct(values, "numeric"));
            return this;
        }

        /** Adds a categorical channel. */
        public Builder addCategorical(int[] values) {
            categorical.add(Objects.requireNonNull(values, "categorical"));
            return this;
        }

        /** As {@link #addCategorical(int[])}, read in place. */
        public Builder addCategorical(IntBuffer values) {
            categorical.add(Numbers.direct(values, "categorical"));
            return this;
        }

        /** @throws NullPointerException where offsets, types or times were not given */
        public Sequences build() {
            return new Sequences(
                    Objects.requireNonNull(offsets, "offsets"),
                    Objects.requireNonNull(types, "types"),
                    Objects.requireNonNull(times, "times"),
                    dwell,
                    numeric.toArray(),
                    categorical.toArray());
        }
    }
}
