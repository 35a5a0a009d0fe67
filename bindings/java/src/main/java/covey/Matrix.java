package covey;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.DoubleBuffer;
import java.nio.FloatBuffer;
import java.util.Objects;

/**
 * A row-major matrix of float32 or float64. It keeps a reference to an array or a direct buffer; it does not copy it.
 */
public final class Matrix {
    private static final int FLOAT32 = 0;
    private static final int FLOAT64 = 1;

    // The native side reads these fields.
    final Object data;
    final int rows;
    final int columns;
    final int type;

    private Matrix(Object data, int rows, int columns, int type) {
        Objects.requireNonNull(data, "data");
        if (rows < 0) { throw new CoveyException(StatusCode.INVALID_ARGUMENT, "rows must be at least 0, got " + rows); }
        if (columns < 1 || columns > 65_536) {
            throw new CoveyException(StatusCode.INVALID_ARGUMENT, "columns must be 1 to 65536, got " + columns);
        }
        if (Numbers.length(data) < (long)rows * columns) {
            throw new CoveyException(StatusCode.MISMATCH, "data must hold rows x columns = " + (long)rows * columns +
                                                              " numbers, got " + Numbers.length(data));
        }
        this.data = data;
        this.rows = rows;
        this.columns = columns;
        this.type = type;
    }

    /**
     * A matrix of the first rows x columns numbers of an array.
     *
     * @param rows at least 0
     * @param columns 1 to 65,536
     */
    public static Matrix of(float[] data, int rows, int columns) { return new Matrix(data, rows, columns, FLOAT32); }

    /** The same as {@link #of(float[], int, int)}, in float64. */
    public static Matrix of(double[] data, int rows, int columns) { return new Matrix(data, rows, columns, FLOAT64); }

    /**
     * The same as {@link #of(float[], int, int)}, from the remaining numbers of a direct buffer in native byte order.
     */
    public static Matrix of(FloatBuffer data, int rows, int columns) {
        return new Matrix(Numbers.direct(data, "data"), rows, columns, FLOAT32);
    }

    /**
     * The same as {@link #of(float[], int, int)}, from the remaining numbers of a direct buffer in native byte order.
     */
    public static Matrix of(DoubleBuffer data, int rows, int columns) {
        return new Matrix(Numbers.direct(data, "data"), rows, columns, FLOAT64);
    }

    /**
     * A matrix of the numbers of an Arrow array: fixed-size lists of float32 or float64 without nulls. The arguments
     * are the addresses of the two structs of Arrow's C data interface, as in {@link FeatureTable#ofArrow}. Nothing is
     * copied: the producer must not release the structs while the matrix or a slice of it is in use. <b>A wrong address
     * ends the process.</b>
     *
     * @throws CoveyException INVALID_ARGUMENT (address 0, a released struct), INVALID_DATA, UNSUPPORTED, OUT_OF_MEMORY
     */
    public static Matrix ofArrow(long schemaAddress, long arrayAddress) {
        long[] shape = new long[3];
        ByteBuffer data = Native.arrowMatrix(schemaAddress, arrayAddress, shape);
        int rows = Text.size(shape[0], "rows");
        int columns = Text.size(shape[1], "columns");
        int type = (int)shape[2];
        if (rows == 0) return new Matrix(type == FLOAT32 ? new float[0] : new double[0], 0, columns, type);
        data.order(ByteOrder.nativeOrder());
        return new Matrix(type == FLOAT32 ? data.asFloatBuffer() : data.asDoubleBuffer(), rows, columns, type);
    }

    /** The number of rows, at least 0. */
    public int rows() { return rows; }

    /** The number of columns, at least 1. */
    public int columns() { return columns; }

    /** Returns a number. @throws IndexOutOfBoundsException if the index is outside of the matrix */
    public double get(int row, int column) {
        int index = Objects.checkIndex(row, rows) * columns + Objects.checkIndex(column, columns);
        if (data instanceof float[] array) return array[index];
        if (data instanceof double[] array) return array[index];
        return data instanceof FloatBuffer buffer ? buffer.get(index) : ((DoubleBuffer)data).get(index);
    }

    /**
     * The numbers, row-major. If the matrix has a float[], this is its own array; otherwise it is a copy, rounded to
     * float.
     */
    public float[] floats() {
        if (data instanceof float[] array &&array.length == rows * columns) return array;
        float[] copy = new float[rows * columns];
        for (int index = 0; index < copy.length; ++index) copy[index] = (float)get(index / columns, index % columns);
        return copy;
    }

    /**
     * The rows [from, to). If the matrix has an array, they are a copy; if it has a buffer, they are a view.
     *
     * @throws IndexOutOfBoundsException unless 0 &lt;= from &lt;= to &lt;= rows
     */
    public Matrix slice(int from, int to) {
        Objects.checkFromToIndex(from, to, rows);
        return new Matrix(Numbers.slice(data, from * columns, to * columns), to - from, columns, type);
    }
}
