package covey;

import static org.junit.jupiter.api.Assertions.*;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Vocabularies, tables and hybrid features: what goes in comes out, whatever its form and alphabet. */
class TableTest {
    private static final String CART = "\ud83d\uded2 w\u00f3zek";

    @Test
    void vocabulariesSpeakUnicode() {
        try (Vocabulary vocabulary = Vocabulary.of(CART, "pay")) {
            assertEquals(3, vocabulary.size());
            assertEquals("", vocabulary.name(0));
            assertEquals(CART, vocabulary.name(1));
            assertEquals(List.of(CART, "pay"), vocabulary.names());
            assertArrayEquals(new int[] {2, 0, 1, 0}, vocabulary.lookup("pay", "cart", CART, ""));
            assertThrows(IndexOutOfBoundsException.class, () -> vocabulary.name(3));
            assertThrows(IndexOutOfBoundsException.class, () -> vocabulary.name(-1));
            refuse(StatusCode.INVALID_ARGUMENT, "names[1] must not contain NUL", () -> vocabulary.lookup("a", "b\0c"));
            refuse(StatusCode.INVALID_ARGUMENT, "surrogate", () -> vocabulary.lookup("\ud83d"));
            assertThrows(NullPointerException.class, () -> vocabulary.lookup(Arrays.asList("a", null)));
            assertArrayEquals(new int[0], vocabulary.lookup());
        }
        try (Vocabulary built = Vocabulary.build(List.of("b", "a", "c", "a", "b", "a", "d"), 1, 3)) {
            assertEquals(List.of("a", "b", "c"), built.names());
        }
        try (Vocabulary built = Vocabulary.build(List.of("b", "a", "c", "a", "b", "a"), 2, 0)) {
            assertEquals(List.of("a", "b"), built.names());
        }
        refuse(StatusCode.INVALID_ARGUMENT, "", () -> Vocabulary.of("a", "a"));
        refuse(StatusCode.INVALID_ARGUMENT, "names[1]: \"a\\\" b\\u{1b}\" occurs twice",
               () -> Vocabulary.of("a\" b\u001b", "a\" b\u001b"));
        refuse(StatusCode.INVALID_ARGUMENT, "", () -> Vocabulary.of("a", ""));
        refuse(StatusCode.INVALID_ARGUMENT, "min_count", () -> Vocabulary.build(List.of("a"), 0, 0));
        refuse(StatusCode.INVALID_ARGUMENT, "max_size", () -> Vocabulary.build(List.of("a"), 1, -1));
    }

    private static FeatureTable table() {
        return FeatureTable.builder(5)
            .numeric("amount", 1, 2, 3, 4, Double.NaN)
            .categorical("country", "NL", null, CART, "NL", "DE")
            .bool("guest", true, false, null, true, true)
            .build();
    }

    @Test
    void hybridFeaturesFollowTheirDefinition() {
        FeatureTable table = table();
        assertEquals(5, table.rows());
        assertEquals(List.of("amount", "country", "guest"), table.names());
        assertEquals(FeatureTable.Kind.CATEGORICAL, table.kind(1));
        Matrix embeddings = Matrix.of(new double[] {1, 2, 3, 4, 5, 6, 7, 8, 9, 10.5}, 5, 2);
        HybridOptions options =
            HybridOptions.builder().embeddingWeight(2).featureWeight(3).columnWeights(1, 0.5, 2).build();
        try (HybridFeatures hybrid = HybridFeatures.fit(embeddings, table, options, null)) {
            assertEquals(List.of("embedding[0]", "embedding[1]", "amount", "country=NL", "country=" + CART,
                                 "country=DE", "guest"),
                         hybrid.columnNames());
            assertEquals(7, hybrid.dimension());
            try (HybridFeatures again = HybridFeatures.of(hybrid.toBytes(), null)) {
                assertArrayEquals(hybrid.transform(embeddings, table, null).floats(),
                                  again.transform(embeddings, table, null).floats());
            }
            float[] rows = hybrid.transform(embeddings, table, null).floats();
            // Embeddings: centred, over the root of the total variance. Columns: mean 5 and 6.1.
            double variance = 0;
            for (int row = 0; row < 5; ++row) {
                variance += (Math.pow(embeddings.get(row, 0) - 5, 2) + Math.pow(embeddings.get(row, 1) - 6.1, 2)) / 5;
            }
            // amount: median 2.5, quartiles 1.75 and 3.25; guest's median is 1; sqrt(3) features.
            double[] amount = {-1.5 / 1.5, -0.5 / 1.5, 0.5 / 1.5, 1.5 / 1.5, 0};
            int[] country = {0, -1, 1, 0, 2};
            double[] guest = {1, 0, 1, 1, 1};
            for (int row = 0; row < 5; ++row) {
                double[] expected = new double[7];
                expected[0] = 2 * (embeddings.get(row, 0) - 5) / Math.sqrt(variance);
                expected[1] = 2 * (embeddings.get(row, 1) - 6.1) / Math.sqrt(variance);
                expected[2] = 3 * amount[row] / Math.sqrt(3);
                if (country[row] >= 0) expected[3 + country[row]] = 3 * 0.5 / Math.sqrt(2) / Math.sqrt(3);
                expected[6] = 3 * 2 * guest[row] / Math.sqrt(3);
                for (int column = 0; column < 7; ++column) {
                    assertEquals(expected[column], rows[row * 7 + column], 1e-6, "row " + row + " column " + column);
                }
            }
            // By name, whatever the order; slices; a direct output.
            FeatureTable shuffled =
                FeatureTable.builder(5)
                    .bool("guest", new byte[] {1, 0, -1, 1, 1})
                    .numeric("unused", 0, 0, 0, 0, 0)
                    .categorical("country", direct(2, -1, 0, 2, 1).asIntBuffer(), List.of(CART, "DE", "NL"))
                    .numeric("amount", directDoubles(1, 2, 3, 4, Double.NaN).asDoubleBuffer())
                    .build();
            assertArrayEquals(rows, hybrid.transform(embeddings, shuffled, null).floats());
            assertArrayEquals(Arrays.copyOfRange(rows, 7, 28),
                              hybrid.transform(embeddings.slice(1, 4), shuffled.slice(1, 4), null).floats());
            ByteBuffer output = ByteBuffer.allocateDirect(4 * rows.length).order(ByteOrder.nativeOrder());
            hybrid.transform(embeddings, table, null, output.asFloatBuffer());
            for (int index = 0; index < rows.length; ++index) assertEquals(rows[index], output.getFloat(4 * index));
        }
    }

    private static ByteBuffer direct(int... values) {
        ByteBuffer bytes = ByteBuffer.allocateDirect(4 * values.length).order(ByteOrder.nativeOrder());
        bytes.asIntBuffer().put(values);
        return bytes;
    }

    private static ByteBuffer directDoubles(double... values) {
        ByteBuffer bytes = ByteBuffer.allocateDirect(8 * values.length).order(ByteOrder.nativeOrder());
        bytes.asDoubleBuffer().put(values);
        return bytes;
    }

    @Test
    void badTablesAreRefused() {
        FeatureTable table = table();
        try (HybridFeatures hybrid = HybridFeatures.fit(null, table, null, null)) {
            FeatureTable missing = FeatureTable.builder(1).numeric("amount", 1).build();
            refuse(StatusCode.MISMATCH, "country", () -> hybrid.transform(null, missing, null));
            FeatureTable otherKind =
                FeatureTable.builder(1).numeric("amount", 1).numeric("country", 1).bool("guest", true).build();
            refuse(StatusCode.MISMATCH, "country", () -> hybrid.transform(null, otherKind, null));
            FeatureTable infinite = FeatureTable.builder(1)
                                        .numeric("amount", Double.POSITIVE_INFINITY)
                                        .categorical("country", "NL")
                                        .bool("guest", true)
                                        .build();
            refuse(StatusCode.INVALID_DATA, "amount", () -> hybrid.transform(null, infinite, null));
            ByteBuffer little = ByteBuffer.allocateDirect(4).order(ByteOrder.nativeOrder());
            refuse(StatusCode.BUFFER_TOO_SMALL, "output",
                   () -> hybrid.transform(null, table, null, little.asFloatBuffer()));
            refuse(StatusCode.MISMATCH, "features", () -> hybrid.transform(null, null, null));
            assertEquals(5, hybrid.transform(null, table, null).rows(), "the handle is still good");
        }
        refuse(StatusCode.INVALID_ARGUMENT, "", () -> HybridFeatures.fit(null, null, null, null));
        Matrix four = Matrix.of(new float[4], 4, 1);
        refuse(StatusCode.MISMATCH, "", () -> HybridFeatures.fit(four, table, null, null));
        refuse(StatusCode.INVALID_ARGUMENT, "clip", () -> fit(HybridOptions.builder().clip(0)));
        refuse(StatusCode.INVALID_ARGUMENT, "weight", () -> fit(HybridOptions.builder().featureWeight(Double.NaN)));
        refuse(StatusCode.MISMATCH, "column_weights", () -> fit(HybridOptions.builder().columnWeights(1)));
        refuse(StatusCode.INVALID_DATA, "amount",
               () -> fit(HybridOptions.builder().missing(HybridOptions.Missing.REJECT)));
        refuse(StatusCode.MISMATCH, "amount", () -> FeatureTable.builder(2).numeric("amount", 1));
        refuse(StatusCode.INVALID_ARGUMENT, "rows", () -> FeatureTable.builder(-1));
        refuse(StatusCode.INVALID_ARGUMENT, "NUL", () -> FeatureTable.builder(1).numeric("a\0b", 1));
        refuse(StatusCode.INVALID_ARGUMENT, "native",
               () -> FeatureTable.builder(1).numeric("a", java.nio.DoubleBuffer.allocate(1)));
        refuse(StatusCode.INVALID_ARGUMENT, "native",
               () -> FeatureTable.builder(1).numeric("a", ByteBuffer.allocateDirect(8).asDoubleBuffer()));
        ByteBuffer odd = ByteBuffer.allocateDirect(17).order(ByteOrder.nativeOrder()).position(1);
        FeatureTable misaligned =
            FeatureTable.builder(2).numeric("a", odd.slice().order(ByteOrder.nativeOrder()).asDoubleBuffer()).build();
        refuse(StatusCode.INVALID_ARGUMENT, "aligned", () -> HybridFeatures.fit(null, misaligned, null, null));
        FeatureTable twice = FeatureTable.builder(1).numeric("a", 1).numeric("a", 1).build();
        assertThrows(CoveyException.class, () -> HybridFeatures.fit(null, twice, null, null));
        FeatureTable outside = FeatureTable.builder(1).categorical("a", new int[] {7}, List.of("x")).build();
        refuse(StatusCode.INVALID_DATA, "a", () -> HybridFeatures.fit(null, outside, null, null));
        FeatureTable flag = FeatureTable.builder(1).bool("a", new byte[] {2}).build();
        refuse(StatusCode.INVALID_DATA, "a", () -> HybridFeatures.fit(null, flag, null, null));
        assertThrows(NullPointerException.class, () -> FeatureTable.builder(1).numeric("a", (double[])null));
        assertThrows(NullPointerException.class, () -> FeatureTable.builder(1).numeric(null, 1));
        assertThrows(IndexOutOfBoundsException.class, () -> table.slice(2, 6));
        assertThrows(IndexOutOfBoundsException.class, () -> table.kind(3));
    }

    private static HybridFeatures fit(HybridOptions.Builder options) {
        return HybridFeatures.fit(null, table(), options.build(), null);
    }

    private static void refuse(StatusCode code, String words, org.junit.jupiter.api.function.Executable call) {
        EncoderTest.refuse(code, words, call);
    }
}
