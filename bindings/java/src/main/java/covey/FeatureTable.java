package covey;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.DoubleBuffer;
import java.nio.IntBuffer;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;

/**
 * Expert features: named columns of equal length. The table keeps references to numeric arrays, codes and buffers; it
 * does not copy them. The call that uses the table checks its values.
 */
public final class FeatureTable {
    /** The kind of a column's values. */
    public enum Kind {
        /** Doubles; NaN means missing; infinities are refused. */
        NUMERIC,
        /** Indices into the column's categories; -1 means missing. */
        CATEGORICAL,
        /** 0 or 1; -1 means missing. */
        BOOLEAN,
        /** Doubles, seconds since 1970-01-01 UTC; NaN means missing. Only rules use dates. */
        DATE
    }

    // The native side reads these fields. `text` has the name of each column, then its categories; each ends with NUL.
    final int rows;
    final byte[] text;
    final int[] kinds;
    final int[] categoryCounts;
    final Object[] values;
    private final List<String> names;
    /** The owner of the memory of direct buffers among the values, or null. */
    private final Object owner;

    private FeatureTable(int rows, byte[] text, int[] kinds, int[] categoryCounts, Object[] values, List<String> names,
                         Object owner) {
        this.owner = owner;
        this.rows = rows;
        this.text = text;
        this.kinds = kinds;
        this.categoryCounts = categoryCounts;
        this.values = values;
        this.names = names;
    }

    /**
     * The table of an Arrow record batch. The arguments are the addresses of the two structs of Arrow's C data
     * interface. In Arrow Java these are {@code ArrowSchema.memoryAddress()} and {@code ArrowArray.memoryAddress()},
     * after {@code Data.exportVectorSchemaRoot}.
     *
     * <p>Doubles without nulls and int dictionary indices are not copied. Numbers, decimals, durations and times of day
     * (in seconds) become numeric columns, booleans become boolean columns, strings and string views become categorical
     * columns, and dates and timestamps become date columns. Dictionaries and run-end encoded columns become what their
     * values become. The producer remains the owner of both structs. It must not release them while the table or a
     * slice of it is in use. <b>A wrong address ends the process</b>, because Arrow's interface has no way to check it.
     *
     * @param context null means the defaults
     * @throws CoveyException INVALID_ARGUMENT (address 0, a released struct), INVALID_DATA (with the name of the
     *     column), UNSUPPORTED (with the column and its format), OUT_OF_MEMORY, CANCELLED
     */
    public static FeatureTable ofArrow(long schemaAddress, long arrayAddress, Context context) {
        return ArrowTable.read(schemaAddress, arrayAddress, context);
    }

    /**
     * The same as {@link #ofArrow(long, long, Context)} for the rows of several batches of one schema, one after the
     * other. Their dictionaries may differ. The producer remains the owner of all structs.
     *
     * @param names the columns to read; null means all. Other columns may have any format
     */
    public static FeatureTable ofArrowBatches(long schemaAddress, long[] arrayAddresses, List<String> names,
                                              Context context) {
        return ArrowTable.readBatches(schemaAddress, arrayAddresses, names, context);
    }

    /**
     * The table of all batches of an Arrow stream, given by the address of its struct. In Arrow Java this is {@code
     * ArrowArrayStream.memoryAddress()} after {@code Data.exportArrayStream}. The call reads the stream to its end, on
     * its own thread. The caller closes the stream; the table owns the batches. <b>A wrong address ends the
     * process.</b>
     *
     * @param names the columns to read; null means all. Other columns may have any format
     * @throws CoveyException as {@link #ofArrow(long, long, Context)}; IO, with the stream's own message, if the stream
     *     fails
     */
    public static FeatureTable ofArrowStream(long streamAddress, List<String> names, Context context) {
        return ArrowTable.readStream(streamAddress, names, context);
    }

    /** Creates a builder of a table with this number of rows, at least 0. */
    public static Builder builder(int rows) { return new Builder(rows); }

    /** The number of rows, at least 0. */
    public int rows() { return rows; }

    /** The names of the columns, in order. */
    public List<String> names() { return names; }

    /** The kind of a column. @throws IndexOutOfBoundsException if there is no such column */
    public Kind kind(int column) { return Kind.values()[kinds[column]]; }

    /**
     * The rows [from, to). Arrays are copied, buffers are views, and the categories are the same.
     *
     * @throws IndexOutOfBoundsException unless 0 &lt;= from &lt;= to &lt;= rows
     */
    public FeatureTable slice(int from, int to) {
        Objects.checkFromToIndex(from, to, rows);
        Object[] part = new Object[values.length];
        Arrays.setAll(part, column -> Numbers.slice(values[column], from, to));
        return new FeatureTable(to - from, text, kinds, categoryCounts, part, names, owner);
    }

    /** Collects columns. Names must be unique and not empty; the call that uses the table checks this. */
    public static final class Builder {
        private final int rows;
        private final ByteArrayOutputStream text = new ByteArrayOutputStream();
        private final List<String> names = new ArrayList<>();
        private final List<Kind> kinds = new ArrayList<>();
        private final List<Integer> categoryCounts = new ArrayList<>();
        private final List<Object> values = new ArrayList<>();
        private Object owner;

        private Builder(int rows) {
            if (rows < 0) {
                throw new CoveyException(StatusCode.INVALID_ARGUMENT, "rows must be at least 0, got " + rows);
            }
            this.rows = rows;
        }

        /**
         * Adds a numeric column; NaN means missing.
         *
         * @throws CoveyException MISMATCH unless there is one value for each row
         */
        public Builder numeric(String name, double... values) { return add(name, Kind.NUMERIC, values, List.of()); }

        /**
         * The same as {@link #numeric(String, double...)}, from the remaining numbers of a direct buffer in native byte
         * order.
         */
        public Builder numeric(String name, DoubleBuffer values) {
            return add(name, Kind.NUMERIC, Numbers.direct(values, name), List.of());
        }

        /** Adds a categorical column by indices into {@code categories}, which are unique; -1 means missing. */
        public Builder categorical(String name, int[] codes, List<String> categories) {
            return add(name, Kind.CATEGORICAL, codes, categories);
        }

        /**
         * The same as {@link #categorical(String, int[], List)}, from the remaining numbers of a direct buffer in
         * native byte order.
         */
        public Builder categorical(String name, IntBuffer codes, List<String> categories) {
            return add(name, Kind.CATEGORICAL, Numbers.direct(codes, name), categories);
        }

        /**
         * Adds a categorical column by names; null means missing. Its categories are the names in the order of first
         * appearance.
         */
        public Builder categorical(String name, String... values) {
            Map<String, Integer> categories = new LinkedHashMap<>();
            int[] codes = new int[values.length];
            for (int row = 0; row < codes.length; ++row) {
                codes[row] = values[row] == null ? -1 : code(categories, values[row]);
            }
            return add(name, Kind.CATEGORICAL, codes, List.copyOf(categories.keySet()));
        }

        /** The same as {@link #bool(String, byte[])}, from the remaining bytes of a direct buffer. */
        public Builder bool(String name, ByteBuffer values) {
            return add(name, Kind.BOOLEAN, Numbers.direct(values, name), List.of());
        }

        /** Adds a column of dates, in seconds since 1970-01-01 UTC; NaN means missing. */
        public Builder date(String name, double... seconds) { return add(name, Kind.DATE, seconds, List.of()); }

        /**
         * The same as {@link #date(String, double...)}, from the remaining numbers of a direct buffer in native byte
         * order.
         */
        public Builder date(String name, DoubleBuffer seconds) {
            return add(name, Kind.DATE, Numbers.direct(seconds, name), List.of());
        }

        /** Adds a column of dates; null means missing. */
        public Builder date(String name, Instant... values) {
            double[] seconds = new double[values.length];
            for (int row = 0; row < seconds.length; ++row) {
                Instant value = values[row];
                seconds[row] = value == null ? Double.NaN : value.getEpochSecond() + value.getNano() / 1e9;
            }
            return add(name, Kind.DATE, seconds, List.of());
        }

        Builder owner(Object owner) {
            this.owner = owner;
            return this;
        }

        private static int code(Map<String, Integer> categories, String name) {
            Integer next = categories.size();
            Integer known = categories.putIfAbsent(name, next);
            return known == null ? next : known;
        }

        /** Adds a boolean column: 0 or 1; -1 means missing. */
        public Builder bool(String name, byte[] values) { return add(name, Kind.BOOLEAN, values, List.of()); }

        /** Adds a boolean column; null means missing. */
        public Builder bool(String name, Boolean... values) {
            byte[] codes = new byte[values.length];
            for (int row = 0; row < codes.length; ++row) {
                codes[row] = (byte)(values[row] == null ? -1 : values[row] ? 1 : 0);
            }
            return add(name, Kind.BOOLEAN, codes, List.of());
        }

        private Builder add(String name, Kind kind, Object column, List<String> categories) {
            byte[] encoded = Text.encode(name, "name");
            Numbers.requireRows(column, rows, name);
            byte[] categoryText = Text.join(categories, name + " categories");
            Text.append(text, encoded);
            text.writeBytes(categoryText);
            names.add(name);
            kinds.add(kind);
            categoryCounts.add(categories.size());
            values.add(column);
            return this;
        }

        /** Returns the table. */
        public FeatureTable build() {
            return new FeatureTable(rows, text.toByteArray(), kinds.stream().mapToInt(Kind::ordinal).toArray(),
                                    categoryCounts.stream().mapToInt(Integer::intValue).toArray(), values.toArray(),
                                    List.copyOf(names), owner);
        }
    }
}
