package covey;

import static org.junit.jupiter.api.Assertions.*;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The encoder against the formulas of covey.h, and every way in which sequences come in. */
class EncoderTest {
    @TempDir Path folder;

    private static final int[] LENGTHS = {0, 1, 7, 40, 0, 3};

    private final Random random = new Random(3);
    private final long[] offsets = new long[LENGTHS.length + 1];
    private final int[] types;
    private final double[] times;
    private final double[] dwell;
    private final double[] speed;
    private final int[] city;

    EncoderTest() {
        for (int i = 0; i < LENGTHS.length; ++i) offsets[i + 1] = offsets[i] + LENGTHS[i];
        int events = (int)offsets[LENGTHS.length];
        types = random.ints(events, -1, 6).toArray();
        times = new double[events];
        double now = 1e6;
        for (int t = 0; t < events; ++t) times[t] = now += random.nextInt(4) == 0 ? 0 : random.nextDouble() * 90;
        dwell = random.doubles(events, 0, 50).map(x -> x > 40 ? Double.NaN : x).toArray();
        speed = random.doubles(events, 0, 6).map(x -> x > 5 ? Double.NaN : x).toArray();
        city = random.ints(events, -1, 5).toArray();
    }

    private Sequences sequences() {
        return Sequences.builder()
            .offsets(offsets)
            .types(types)
            .times(times)
            .dwell(dwell)
            .addNumeric(speed)
            .addCategorical(city)
            .build();
    }

    private SequenceEncoder encoder(SmallModel model) throws Exception {
        return SequenceEncoder.load(model.write(folder.resolve("model \u00fc\ud83d\uded2.safetensors")));
    }

    @Test
    void followsTheFormulas() throws Exception {
        SmallModel model = new SmallModel(1);
        try (SequenceEncoder encoder = encoder(model)) {
            SequenceEncoder.Embedded result = encoder.embedWithAttention(sequences(), null);
            assertEquals(LENGTHS.length, result.embeddings().rows());
            assertEquals(SmallModel.DIMENSION, result.embeddings().columns());
            assertEquals(types.length, result.attention().length);
            for (int i = 0; i < LENGTHS.length; ++i) {
                int from = (int)offsets[i], to = (int)offsets[i + 1];
                double[] attention = new double[to - from];
                double[] expected =
                    to == from ? new double[SmallModel.DIMENSION]
                               : model.embed(Arrays.copyOfRange(types, from, to), Arrays.copyOfRange(times, from, to),
                                             Arrays.copyOfRange(dwell, from, to), Arrays.copyOfRange(speed, from, to),
                                             Arrays.copyOfRange(city, from, to), attention);
                for (int d = 0; d < expected.length; ++d) {
                    assertEquals(expected[d], result.embeddings().get(i, d), 1e-5, "row " + i + ", column " + d);
                }
                for (int t = from; t < to; ++t) assertEquals(attention[t - from], result.attention()[t], 1e-5);
            }
        }
    }

    @Test
    void describesItself() throws Exception {
        try (SequenceEncoder encoder = encoder(new SmallModel(1))) {
            assertEquals(SmallModel.DIMENSION, encoder.dimension());
            assertTrue(encoder.usesDwell());
            assertEquals(List.of("speed"), encoder.numericNames());
            assertEquals(List.of("city"), encoder.categoricalNames());
            try (Vocabulary events = encoder.vocabulary(); Vocabulary cities = encoder.categoricalVocabulary(0)) {
                assertEquals(List.of(SmallModel.NAMES), events.names());
                assertEquals(List.of(SmallModel.CITIES), cities.names());
            }
            assertThrows(IndexOutOfBoundsException.class, () -> encoder.categoricalVocabulary(1));
        }
    }

    @Test
    void givesTheSameBytesInEveryForm() throws Exception {
        try (SequenceEncoder encoder = encoder(new SmallModel(2))) {
            float[] whole = encoder.embed(sequences()).floats();
            Sequences direct = Sequences.builder()
                                   .offsets(bytes(8 * offsets.length).asLongBuffer().put(offsets).flip())
                                   .types(bytes(4 * types.length).asIntBuffer().put(types).flip())
                                   .times(bytes(8 * times.length).asDoubleBuffer().put(times).flip())
                                   .dwell(bytes(8 * dwell.length).asDoubleBuffer().put(dwell).flip())
                                   .addNumeric(bytes(8 * speed.length).asDoubleBuffer().put(speed).flip())
                                   .addCategorical(bytes(4 * city.length).asIntBuffer().put(city).flip())
                                   .build();
            assertArrayEquals(whole, encoder.embed(direct).floats());
            float[] rounded = encoder.embed(sequences(), null, SequenceEncoder.Precision.BFLOAT16).floats();
            assertArrayEquals(whole, rounded, 2e-3f);
            assertArrayEquals(
                rounded,
                encoder.embedWithAttention(direct, null, SequenceEncoder.Precision.BFLOAT16).embeddings().floats());
            FloatBuffer output = bytes(4 * whole.length + 4).asFloatBuffer().position(1);
            encoder.embed(direct, null, output);
            for (int index = 0; index < whole.length; ++index) assertEquals(whole[index], output.get(1 + index));
            // Sequences from the middle of the arrays: offsets[0] is above 0.
            for (Sequences batch : List.of(sequences(), direct)) {
                assertArrayEquals(Arrays.copyOfRange(whole, 2 * SmallModel.DIMENSION, 5 * SmallModel.DIMENSION),
                                  encoder.embed(batch.slice(2, 5)).floats());
            }
            try (Context one = Context.builder().threads(1).build()) {
                assertArrayEquals(whole, encoder.embed(sequences(), one).floats());
            }
        }
    }

    @Test
    void savesWhatItLoaded() throws Exception {
        Path copy = folder.resolve("copy.safetensors");
        try (SequenceEncoder encoder = encoder(new SmallModel(4))) {
            float[] before = encoder.embed(sequences()).floats();
            encoder.save(copy);
            encoder.close();
            try (SequenceEncoder again = SequenceEncoder.load(copy)) {
                assertArrayEquals(before, again.embed(sequences()).floats());
            }
        }
    }

    @Test
    void refusesBadFilesAndSequences() throws Exception {
        byte[] file = new SmallModel(5).file();
        Path path = folder.resolve("bad.safetensors");
        for (int length = 0; length < file.length; length += 97) {
            Files.write(path, Arrays.copyOf(file, length));
            CoveyException failure = assertThrows(CoveyException.class, () -> SequenceEncoder.load(path));
            assertEquals(StatusCode.CORRUPT_FILE, failure.code(), failure.getMessage());
        }
        assertEquals(StatusCode.IO,
                     assertThrows(CoveyException.class, () -> SequenceEncoder.load(folder.resolve("none"))).code());
        try (SequenceEncoder encoder = encoder(new SmallModel(5))) {
            float[] good = encoder.embed(sequences()).floats();
            refuse(StatusCode.IO, "", () -> encoder.save(folder.resolve("no/such/folder/x")));
            refuse(StatusCode.INVALID_DATA, "offsets", () -> encoder.embed(with(new long[] {0, 5, 3}, times)));
            refuse(StatusCode.INVALID_DATA, "offsets", () -> encoder.embed(with(new long[] {-1, 5}, times)));
            refuse(StatusCode.INVALID_DATA, "offsets", () -> encoder.embed(with(new long[0], times)));
            refuse(StatusCode.MISMATCH, "types", () -> encoder.embed(with(new long[] {0, 1 << 20}, times)));
            refuse(StatusCode.MISMATCH, "types", () -> encoder.embed(with(new long[] {0, Long.MAX_VALUE}, times)));
            refuse(StatusCode.MISMATCH, "times", () -> encoder.embed(with(new long[] {0, 5}, new double[4])));
            double[] infinite = times.clone();
            infinite[2] = Double.POSITIVE_INFINITY;
            refuse(StatusCode.INVALID_DATA, "times", () -> encoder.embed(with(offsets, infinite)));
            refuse(StatusCode.MISMATCH, "",
                   () -> encoder.embed(Sequences.of(new long[] {0, 1}, new int[1], new double[1])));
            refuse(StatusCode.BUFFER_TOO_SMALL, "output",
                   () -> encoder.embed(sequences(), null, bytes(8).asFloatBuffer()));
            refuse(StatusCode.INVALID_ARGUMENT, "native byte order",
                   () -> encoder.embed(sequences(), null, FloatBuffer.allocate(100)));
            refuse(StatusCode.INVALID_ARGUMENT, "read-only",
                   () -> encoder.embed(sequences(), null, bytes(4096).asFloatBuffer().asReadOnlyBuffer()));
            assertThrows(NullPointerException.class, () -> encoder.embed(null));
            assertArrayEquals(good, encoder.embed(sequences()).floats(), "the encoder is still good");
        }
    }

    @Test
    void noBatchEndsTheProcess() throws Exception {
        int good = 0, refused = 0;
        try (SequenceEncoder encoder = encoder(new SmallModel(6))) {
            for (int round = 0; round < 3000; ++round) {
                long[] edges = new long[random.nextInt(5)];
                for (int i = 0; i < edges.length; ++i) {
                    edges[i] =
                        random.nextInt(12) == 0 ? random.nextLong() : (i == 0 ? 0 : edges[i - 1]) + random.nextInt(4);
                }
                Sequences.Builder batch = Sequences.builder()
                                              .offsets(edges)
                                              .types(random.ints(random.nextInt(8) + 8).toArray())
                                              .times(numbers())
                                              .addCategorical(random.ints(random.nextInt(8) + 8).toArray());
                if (random.nextInt(8) != 0) batch.addNumeric(numbers());
                if (random.nextInt(8) != 0) batch.dwell(numbers());
                try {
                    SequenceEncoder.Embedded result = encoder.embedWithAttention(batch.build(), null);
                    assertEquals(edges.length - 1, result.embeddings().rows());
                    for (float x : result.embeddings().floats()) assertTrue(Float.isFinite(x));
                    ++good;
                } catch (CoveyException failure) {
                    assertTrue(failure.code() == StatusCode.INVALID_DATA || failure.code() == StatusCode.MISMATCH,
                               failure.toString());
                    ++refused;
                }
            }
        }
        assertTrue(good > 100 && refused > 100, good + " good, " + refused + " refused");
    }

    private double[] numbers() {
        double odd = random.nextInt(12) == 0 ? (random.nextBoolean() ? Double.NaN : Double.NEGATIVE_INFINITY) : 1;
        return random.doubles(random.nextInt(8) + 8).map(x -> x < 0.05 ? odd : x * 1e4).toArray();
    }

    private Sequences with(long[] offsets, double[] times) {
        return Sequences.builder()
            .offsets(offsets)
            .types(types)
            .times(times)
            .dwell(dwell)
            .addNumeric(speed)
            .addCategorical(city)
            .build();
    }

    static void refuse(StatusCode code, String words, org.junit.jupiter.api.function.Executable call) {
        CoveyException failure = assertThrows(CoveyException.class, call);
        assertEquals(code, failure.code(), failure.getMessage());
        assertTrue(failure.getMessage().contains(words), failure.getMessage());
        assertFalse(failure.getMessage().isEmpty());
    }

    private static ByteBuffer bytes(int count) {
        return ByteBuffer.allocateDirect(count).order(ByteOrder.nativeOrder());
    }
}
