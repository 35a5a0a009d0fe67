package covey;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;

/** The native table of an Arrow record batch. It owns the copied data. The FeatureTable that uses it keeps it alive. */
final class ArrowTable extends NativeObject {
    private ArrowTable(long address) { super("ArrowTable", address, Native::arrowDestroy); }

    static FeatureTable read(long schema, long array, Context context) {
        try (Use with = Use.of(context)) {
            return view(new ArrowTable(Native.arrowImport(with.address(), schema, array)));
        }
    }

    static FeatureTable readBatches(long schema, long[] arrays, List<String> names, Context context) {
        Objects.requireNonNull(arrays, "arrays");
        byte[] wanted = names == null ? null : Text.join(names, "names");
        try (Use with = Use.of(context)) {
            return view(new ArrowTable(
                Native.arrowImportBatches(with.address(), schema, arrays, wanted, names == null ? 0 : names.size())));
        }
    }

    static FeatureTable readStream(long stream, List<String> names, Context context) {
        byte[] wanted = names == null ? null : Text.join(names, "names");
        try (Use with = Use.of(context)) {
            return view(new ArrowTable(
                Native.arrowImportStream(with.address(), stream, wanted, names == null ? 0 : names.size())));
        }
    }

    private static FeatureTable view(ArrowTable table) {
        // The buffers have no reference to the native table, but the FeatureTable has.
        try (Use self = table.use()) {
            int rows = Text.size(Native.arrowRows(self.address()), "rows");
            FeatureTable.Builder result = FeatureTable.builder(rows).owner(table);
            int columns = (int)Native.arrowColumnCount(self.address());
            for (int column = 0; column < columns; ++column) add(result, self.address(), column, rows);
            return result.build();
        }
    }

    private static void add(FeatureTable.Builder result, long table, int column, int rows) {
        String name = Text.decode(Native.arrowColumnName(table, column));
        ByteBuffer values = rows == 0 ? ByteBuffer.allocateDirect(0) : Native.arrowColumnValues(table, column);
        values.order(ByteOrder.nativeOrder());
        switch (FeatureTable.Kind.values()[Native.arrowColumnKind(table, column)]) {
        case NUMERIC -> result.numeric(name, values.asDoubleBuffer());
        case CATEGORICAL -> result.categorical(name, values.asIntBuffer(), categories(table, column));
        case BOOLEAN -> result.bool(name, values);
        case DATE -> result.date(name, values.asDoubleBuffer());
        }
    }

    private static List<String> categories(long table, int column) {
        int count = Text.size(Native.arrowCategoryCount(table, column), "categories");
        List<String> names = new ArrayList<>(count);
        for (int index = 0; index < count; ++index) {
            names.add(Text.decode(Native.arrowCategory(table, column, index)));
        }
        return names;
    }
}
