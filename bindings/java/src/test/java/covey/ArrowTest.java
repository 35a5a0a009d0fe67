package covey;

import static org.junit.jupiter.api.Assertions.*;

import java.lang.reflect.Field;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Tables and matrices by the addresses of Arrow's structs, which are laid out here by hand. */
class ArrowTest {
    /** Memory outside the heap, kept to the end of the process. */
    private static final class Memory {
        private static final Object UNSAFE;

        static {
            try {
                Field field = Class.forName("sun.misc.Unsafe").getDeclaredField("theUnsafe");
                field.setAccessible(true);
                UNSAFE = field.get(null);
            } catch (ReflectiveOperationException failure) { throw new AssertionError(failure); }
        }

        static Object call(String name, Class<?>[] types, Object... arguments) {
            try {
                return UNSAFE.getClass().getMethod(name, types).invoke(UNSAFE, arguments);
            } catch (ReflectiveOperationException failure) { throw new AssertionError(failure); }
        }

        static long bytes(byte... values) {
            long address = (long)call("allocateMemory", new Class<?>[] {long.class}, values.length + 8L);
            for (int index = 0; index < values.length; ++index) {
                call("putByte", new Class<?>[] {long.class, byte.class}, address + index, values[index]);
            }
            return address;
        }

        static long longs(long... values) {
            long address = (long)call("allocateMemory", new Class<?>[] {long.class}, values.length * 8L + 8);
            for (int index = 0; index < values.length; ++index) {
                call("putLong", new Class<?>[] {long.class, long.class}, address + 8L * index, values[index]);
            }
            return address;
        }

        static long doubles(double... values) {
            return longs(java.util.Arrays.stream(values).mapToLong(Double::doubleToLongBits).toArray());
        }

        static long text(String value) { return bytes((value + "\0").getBytes(StandardCharsets.UTF_8)); }
    }

    /** Anything but NULL: a struct that was not released. Covey never calls it. */
    private static final long ALIVE = 1;

    private static long schema(String format, String name, long... children) {
        return Memory.longs(Memory.text(format), Memory.text(name), 0, 2, children.length, Memory.longs(children), 0,
                            ALIVE, 0);
    }

    private static long array(long rows, long nulls, long[] buffers, long... children) {
        return Memory.longs(rows, nulls, 0, buffers.length, children.length, Memory.longs(buffers),
                            Memory.longs(children), 0, ALIVE, 0);
    }

    @Test
    void readsARecordBatch() {
        long schema = schema("+s", "", schema("g", "amount"), schema("u", "country"), schema("b", "guest"));
        byte[] names = "NL\ud83d\uded2NL".getBytes(StandardCharsets.UTF_8);
        long offsets = Memory.bytes((byte)0, (byte)0, (byte)0, (byte)0, (byte)2, (byte)0, (byte)0, (byte)0, (byte)6,
                                    (byte)0, (byte)0, (byte)0, (byte)8, (byte)0, (byte)0, (byte)0);
        long array = array(3, 0, new long[] {0}, array(3, 0, new long[] {0, Memory.doubles(1, 2.5, 4)}),
                           array(3, 0, new long[] {0, offsets, Memory.bytes(names)}),
                           array(3, 1, new long[] {Memory.bytes((byte)0b101), Memory.bytes((byte)0b001)}));
        FeatureTable expected = FeatureTable.builder(3)
                                    .numeric("amount", 1, 2.5, 4)
                                    .categorical("country", "NL", "\ud83d\uded2", "NL")
                                    .bool("guest", true, null, false)
                                    .build();
        FeatureTable table = FeatureTable.ofArrow(schema, array, null);
        assertEquals(3, table.rows());
        assertEquals(expected.names(), table.names());
        for (int column = 0; column < 3; ++column) assertEquals(expected.kind(column), table.kind(column));
        System.gc(); // the table keeps what was copied for it
        try (HybridFeatures hybrid = HybridFeatures.fit(null, expected, null, null)) {
            assertArrayEquals(hybrid.transform(null, expected, null).floats(),
                              hybrid.transform(null, table, null).floats());
            assertArrayEquals(hybrid.transform(null, expected.slice(1, 3), null).floats(),
                              hybrid.transform(null, table.slice(1, 3), null).floats());
        }
    }

    @Test
    void readsBatchesAndOnlyWhatIsWanted() {
        long schema = schema("+s", "", schema("g", "amount"), schema("z", "bytes"), schema("tDm", "age"));
        long[] arrays = new long[2];
        for (int index = 0; index < 2; ++index) {
            arrays[index] =
                array(2, 0, new long[] {0}, array(2, 0, new long[] {0, Memory.doubles(index, 7)}),
                      array(2, 0, new long[] {0, 0, 0}), array(2, 0, new long[] {0, Memory.longs(1500 + index, -2)}));
        }
        FeatureTable expected =
            FeatureTable.builder(4).numeric("amount", 0, 7, 1, 7).numeric("age", 1.5, -.002, 1.501, -.002).build();
        FeatureTable table = FeatureTable.ofArrowBatches(schema, arrays, List.of("age", "amount", "nothing"), null);
        assertEquals(List.of("amount", "age"), table.names());
        try (HybridFeatures hybrid = HybridFeatures.fit(null, expected, null, null)) {
            assertArrayEquals(hybrid.transform(null, expected, null).floats(),
                              hybrid.transform(null, table, null).floats());
        }
        assertEquals(0, FeatureTable.ofArrowBatches(schema, new long[0], List.of("age"), null).rows());
        EncoderTest.refuse(StatusCode.UNSUPPORTED, "bytes",
                           () -> FeatureTable.ofArrowBatches(schema, arrays, null, null));
        EncoderTest.refuse(StatusCode.INVALID_ARGUMENT, "stream", () -> FeatureTable.ofArrowStream(0, null, null));
        EncoderTest.refuse(StatusCode.INVALID_ARGUMENT, "stream was released",
                           () -> FeatureTable.ofArrowStream(Memory.longs(0, 0, 0, 0, 0), List.of(), null));
    }

    @Test
    void readsAMatrix() {
        long schema = schema("+w:2", "", schema("g", "item"));
        long array = array(3, 0, new long[] {0}, array(6, 0, new long[] {0, Memory.doubles(1, 2, 3, 4, 5, 6)}));
        Matrix matrix = Matrix.ofArrow(schema, array);
        assertEquals(List.of(3, 2), List.of(matrix.rows(), matrix.columns()));
        assertArrayEquals(new float[] {1, 2, 3, 4, 5, 6}, matrix.floats());
    }

    @Test
    void refusesWhatItCannotRead() {
        EncoderTest.refuse(StatusCode.INVALID_ARGUMENT, "schema", () -> FeatureTable.ofArrow(0, 0, null));
        EncoderTest.refuse(StatusCode.INVALID_ARGUMENT, "schema", () -> Matrix.ofArrow(0, 0));
        long prices = schema("+s", "", schema("z", "price"));
        long array = array(1, 0, new long[] {0}, array(1, 0, new long[] {0, Memory.longs(1)}));
        EncoderTest.refuse(StatusCode.UNSUPPORTED, "price", () -> FeatureTable.ofArrow(prices, array, null));
        EncoderTest.refuse(StatusCode.UNSUPPORTED, "", () -> Matrix.ofArrow(prices, array));
    }
}
