package covey;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileSystems;
import java.nio.file.Path;
import java.util.AbstractList;
import java.util.List;
import java.util.Objects;
import java.util.RandomAccess;
import java.util.function.IntFunction;

/** Converts strings between Java and C. C's strings are UTF-8 and end with NUL. */
final class Text {
    private Text() {}

    /** Encodes a text. Throws if C cannot hold it: if it contains NUL or half of a surrogate pair. */
    static byte[] encode(String text, String name) {
        Objects.requireNonNull(text, name);
        if (text.indexOf('\0') >= 0) {
            throw new CoveyException(StatusCode.INVALID_ARGUMENT, name + " must not contain NUL");
        }
        return encodeAny(text, name);
    }

    /** The same as {@link #encode(String, String)}, for text that C takes with its length. */
    static byte[] encodeAny(String text, String name) {
        Objects.requireNonNull(text, name);
        try {
            ByteBuffer bytes = StandardCharsets.UTF_8.newEncoder().encode(CharBuffer.wrap(text));
            byte[] result = new byte[bytes.remaining()];
            bytes.get(result);
            return result;
        } catch (CharacterCodingException failure) {
            throw new CoveyException(StatusCode.INVALID_ARGUMENT,
                                     name + " must be valid Unicode, got an unpaired surrogate");
        }
    }

    /** Joins all strings. Each ends with NUL. */
    static byte[] join(List<String> texts, String name) {
        ByteArrayOutputStream result = new ByteArrayOutputStream();
        int index = 0;
        for (String text : texts) {
            // There may be millions of texts, so the name of an element is made only if it may be needed for an error.
            append(result,
                   isPlain(text) ? text.getBytes(StandardCharsets.UTF_8) : encode(text, name + "[" + index + "]"));
            ++index;
        }
        return result.toByteArray();
    }

    private static boolean isPlain(String text) {
        if (text == null) return false;
        for (int index = 0; index < text.length(); ++index) {
            char unit = text.charAt(index);
            if (unit == 0 || Character.isSurrogate(unit)) return false;
        }
        return true;
    }

    static void append(ByteArrayOutputStream result, byte[] text) {
        if (Integer.MAX_VALUE - 16 - result.size() <= text.length) {
            throw new CoveyException(StatusCode.OUT_OF_MEMORY, "names of more than 2 GiB in one call");
        }
        result.writeBytes(text);
        result.write(0);
    }

    static byte[] encode(Path path) {
        if (path.getFileSystem() != FileSystems.getDefault()) {
            throw new CoveyException(StatusCode.INVALID_ARGUMENT,
                                     "path must be in the default file system, got " + path.toUri());
        }
        return encode(path.toAbsolutePath().toString(), "path");
    }

    static String decode(byte[] utf8) { return utf8 == null ? null : new String(utf8, StandardCharsets.UTF_8); }

    /** An unmodifiable list that creates each element when it is read. */
    static <E> List<E> list(int size, IntFunction<E> element) {
        final class View extends AbstractList<E> implements RandomAccess {
            @Override
            public E get(int index) {
                return element.apply(Objects.checkIndex(index, size));
            }

            @Override
            public int size() {
                return size;
            }
        }
        return new View();
    }

    /** Converts a native count to the size of a Java array. */
    static int size(long count, String name) {
        if (count > Integer.MAX_VALUE - 16) {
            throw new CoveyException(StatusCode.OUT_OF_MEMORY, name + ": " + count + " do not fit in a Java array");
        }
        return (int)count;
    }

    static int size(long rows, long columns, String name) {
        if (rows != 0 && columns > Long.MAX_VALUE / rows) return size(Long.MAX_VALUE, name);
        return size(rows * columns, name);
    }
}
