package covey;

import java.nio.DoubleBuffer;
import java.nio.IntBuffer;
import java.nio.LongBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;

/**
 * A batch of event sequences of different lengths: sequence i has the events {@code offsets[i]} to
 * {@code offsets[i + 1] - 1}.
 *
 * <ul>
 * <li>{@code offsets}: count + 1 numbers that do not decrease; the first is at least 0. Two equal offsets make an empty
 *     sequence, whose embedding is zero.
 * <li>{@code types}: vocabulary indices. An index outside of the vocabulary is the unknown entry.
 * <li>{@code times}: seconds on any common clock, finite. The events of a sequence are used in the order of time;
 *     events with equal times keep their given order. The last event is the transaction.
 * <li>{@code dwell}: seconds spent on the event, at least 0; NaN means missing. Omit it if the model does not use it.
 * <li>channels, in the order of the model: a numeric channel has one double for each event (NaN means missing). A
 *     categorical channel has one int for each event (a number outside of the channel's vocabulary means unknown).
 * </ul>
 *
 * <p>The batch keeps references to the arrays and buffers; it does not copy them. They must not change while a call
 * reads them. A call reads only the events from the first to the last offset. The call that uses the batch checks its
 * values.
 */
public final class Sequences {
    // The native side reads these fields: arrays or direct buffers.
    final Object offsets;
    final Object types;
    final Object times;
    final Object dwell;
    final Object[] numeric;
    final Object[] categorical;

    private Sequences(Object offsets, Object types, Object times, Object dwell, Object[] numeric,
                      Object[] categorical) {
        this.offsets = offsets;
        this.types = types;
        this.times = times;
        this.dwell = dwell;
        this.numeric = numeric;
        this.categorical = categorical;
    }

    /** A batch without dwell and without channels. */
    public static Sequences of(long[] offsets, int[] types, double[] times) {
        return builder().offsets(offsets).types(types).times(times).build();
    }

    /** A batch of one sequence. */
    public static Sequences single(int[] types, double[] times) {
        return of(new long[] {0, types.length}, types, times);
    }

    /** Creates a builder. Offsets, types and times must be given. */
    public static Builder builder() { return new Builder(); }

    /** The number of sequences. */
    public int count() { return Math.max(0, Numbers.length(offsets) - 1); }

    /** The number of events between the first and the last offset. */
    public long eventCount() {
        int count = count();
        return count == 0 ? 0 : offset(count) - offset(0);
    }

    /**
     * The sequences [from, to). They share the arrays of this batch.
     *
     * @throws IndexOutOfBoundsException unless 0 &lt;= from &lt;= to &lt;= count
     */
    public Sequences slice(int from, int to) {
        Objects.checkFromToIndex(from, to, count());
        return new Sequences(Numbers.slice(offsets, from, to + 1), types, times, dwell, numeric, categorical);
    }

    private long offset(int index) {
        return offsets instanceof LongBuffer buffer ? buffer.get(index) : ((long[])offsets)[index];
    }

    /** The number of attention weights. If the offsets are bad, the call that uses the batch throws. */
    int attentionLength() { return (int)Math.max(0, Math.min(eventCount(), Numbers.length(types))); }

    /**
     * Collects the parts of a batch. Buffers must be direct and in native byte order; their remaining numbers are used.
     */
    public static final class Builder {
        private Object offsets;
        private Object types;
        private Object times;
        private Object dwell;
        private final List<Object> numeric = new ArrayList<>();
        private final List<Object> categorical = new ArrayList<>();

        private Builder() {}

        /** The start of each sequence, then the end of the last one: count + 1 numbers. */
        public Builder offsets(long[] offsets) {
            this.offsets = Objects.requireNonNull(offsets, "offsets");
            return this;
        }

        /** The same as {@link #offsets(long[])}, read in place. */
        public Builder offsets(LongBuffer offsets) {
            this.offsets = Numbers.direct(offsets, "offsets");
            return this;
        }

        /** Vocabulary indices. */
        public Builder types(int[] types) {
            this.types = Objects.requireNonNull(types, "types");
            return this;
        }

        /** The same as {@link #types(int[])}, read in place. */
        public Builder types(IntBuffer types) {
            this.types = Numbers.direct(types, "types");
            return this;
        }

        /** Seconds. */
        public Builder times(double[] times) {
            this.times = Objects.requireNonNull(times, "times");
            return this;
        }

        /** The same as {@link #times(double[])}, read in place. */
        public Builder times(DoubleBuffer times) {
            this.times = Numbers.direct(times, "times");
            return this;
        }

        /** Seconds spent on each event. */
        public Builder dwell(double[] dwell) {
            this.dwell = Objects.requireNonNull(dwell, "dwell");
            return this;
        }

        /** The same as {@link #dwell(double[])}, read in place. */
        public Builder dwell(DoubleBuffer dwell) {
            this.dwell = Numbers.direct(dwell, "dwell");
            return this;
        }

        /** Adds a numeric channel. */
        public Builder addNumeric(double[] values) {
            numeric.add(Objects.requireNonNull(values, "numeric"));
            return this;
        }

        /** The same as {@link #addNumeric(double[])}, read in place. */
        public Builder addNumeric(DoubleBuffer values) {
            numeric.add(Numbers.direct(values, "numeric"));
            return this;
        }

        /** Adds a categorical channel. */
        public Builder addCategorical(int[] values) {
            categorical.add(Objects.requireNonNull(values, "categorical"));
            return this;
        }

        /** The same as {@link #addCategorical(int[])}, read in place. */
        public Builder addCategorical(IntBuffer values) {
            categorical.add(Numbers.direct(values, "categorical"));
            return this;
        }

        /** @throws NullPointerException if offsets, types or times were not given */
        public Sequences build() {
            return new Sequences(Objects.requireNonNull(offsets, "offsets"), Objects.requireNonNull(types, "types"),
                                 Objects.requireNonNull(times, "times"), dwell, numeric.toArray(),
                                 categorical.toArray());
        }
    }
}
