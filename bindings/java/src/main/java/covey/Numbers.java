package covey;

import java.nio.Buffer;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.DoubleBuffer;
import java.nio.FloatBuffer;
import java.nio.IntBuffer;
import java.nio.LongBuffer;
import java.util.Arrays;
import java.util.Objects;

/** Columns of numbers that the native side can read: a primitive array, or a direct buffer in native byte order. */
final class Numbers {
    private Numbers() {}

    /** Returns the remaining numbers of a buffer, which must be direct and in native byte order. */
    static LongBuffer direct(LongBuffer buffer, String name) {
        check(buffer, buffer.order(), name);
        return buffer.slice();
    }

    static IntBuffer direct(IntBuffer buffer, String name) {
        check(buffer, buffer.order(), name);
        return buffer.slice();
    }

    static DoubleBuffer direct(DoubleBuffer buffer, String name) {
        check(buffer, buffer.order(), name);
        return buffer.slice();
    }

    static FloatBuffer direct(FloatBuffer buffer, String name) {
        check(buffer, buffer.order(), name);
        return buffer.slice();
    }

    static ByteBuffer direct(ByteBuffer buffer, String name) {
        check(buffer, ByteOrder.nativeOrder(), name);
        return buffer.slice();
    }

    private static void check(Buffer buffer, ByteOrder order, String name) {
        if (!buffer.isDirect() || order != ByteOrder.nativeOrder()) {
            throw new CoveyException(StatusCode.INVALID_ARGUMENT,
                                     name + " must be an array, or a direct buffer in native byte order");
        }
    }

    static int length(Object numbers) {
        if (numbers instanceof Buffer buffer) return buffer.capacity();
        if (numbers instanceof double[] array) return array.length;
        if (numbers instanceof float[] array) return array.length;
        if (numbers instanceof long[] array) return array.length;
        if (numbers instanceof int[] array) return array.length;
        return ((byte[])numbers).length;
    }

    /** Returns the numbers [from, to): a copy of a part of an array, or a view of a buffer. */
    static Object slice(Object numbers, int from, int to) {
        if (numbers instanceof ByteBuffer buffer) return buffer.slice(from, to - from);
        if (numbers instanceof DoubleBuffer buffer) return buffer.slice(from, to - from);
        if (numbers instanceof FloatBuffer buffer) return buffer.slice(from, to - from);
        if (numbers instanceof LongBuffer buffer) return buffer.slice(from, to - from);
        if (numbers instanceof IntBuffer buffer) return buffer.slice(from, to - from);
        if (numbers instanceof double[] array) return Arrays.copyOfRange(array, from, to);
        if (numbers instanceof float[] array) return Arrays.copyOfRange(array, from, to);
        if (numbers instanceof long[] array) return Arrays.copyOfRange(array, from, to);
        if (numbers instanceof int[] array) return Arrays.copyOfRange(array, from, to);
        return Arrays.copyOfRange((byte[])numbers, from, to);
    }

    static void requireRows(Object numbers, int rows, String name) {
        Objects.requireNonNull(numbers, name);
        if (length(numbers) != rows) {
            throw new CoveyException(StatusCode.MISMATCH,
                                     name + " must hold " + rows + " values, got " + length(numbers));
        }
    }
}
