package covey;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Collectors;

/** Runs the canonical road and writes what it gives, for comparison with the programs in C and Python: java ...
 * FOLDER. */
public final class WriteRoad {
    private static final int SCORED = 1000;

    private WriteRoad() {}

    /** @param arguments the folder that receives the files */
    public static void main(String[] arguments) throws IOException {
        Path folder = Files.createDirectories(Path.of(arguments[0]));
        try (Context context = Context.create(); Road road = new Road(Sample.load(), context)) {
            write(folder, road);
            writeFound(folder, road, context);
        }
    }

    static void write(Path folder, Road road) throws IOException {
        Files.write(folder.resolve("embeddings.f32"), bytes(road.embeddings.floats()));
        Files.write(folder.resolve("hybrid.f32"), bytes(road.rows.floats()));
        ByteBuffer labels = buffer(4L * road.labels.length);
        for (int label : road.labels) labels.putInt(label);
        Files.write(folder.resolve("labels.i32"), labels.array());
        Files.write(folder.resolve("probabilities.f64"), bytes(road.clustering.probabilities()));
        Files.write(folder.resolve("outlier_scores.f64"), bytes(road.clustering.outlierScores()));
        String rules = road.rules.stream().map(set -> set.toJson() + "\n").collect(Collectors.joining());
        Files.write(folder.resolve("rules.json"), rules.getBytes(StandardCharsets.UTF_8));
        road.engine.save(folder.resolve("engine.safetensors"));
        Files.write(folder.resolve("scores.f64"), scores(road));
    }

    /** All in one call, with its defaults. */
    private static void writeFound(Path folder, Road road, Context context) throws IOException {
        Sample sample = road.sample;
        try (Found found = Found.find(sample.sequences, null, sample.features, sample.labels, sample.amounts,
                                      sample.times, road.encoder, null, context);
             Engine engine = found.engine()) {
            ByteBuffer groups = buffer(4L * road.labels.length);
            for (int group : found.rowGroups()) groups.putInt(group);
            Files.write(folder.resolve("found_groups.i32"), groups.array());
            Files.write(folder.resolve("found_scores.f64"), bytes(found.scores()));
            engine.save(folder.resolve("found.engine.safetensors"));
        }
    }

    private static byte[] scores(Road road) {
        Sample sample = road.sample;
        try (Scores scores =
                 road.engine.score(sample.sequences.slice(0, SCORED), sample.features.slice(0, SCORED), null)) {
            ByteBuffer result = buffer(3L * 8 * SCORED);
            for (int row = 0; row < SCORED; ++row) {
                Score score = scores.get(row);
                result.putDouble(score.cluster()).putDouble(score.strength()).putDouble(score.risk());
            }
            return result.array();
        }
    }

    private static ByteBuffer buffer(long bytes) {
        return ByteBuffer.allocate(Math.toIntExact(bytes)).order(ByteOrder.LITTLE_ENDIAN);
    }

    private static byte[] bytes(float[] numbers) {
        ByteBuffer result = buffer(4L * numbers.length);
        result.asFloatBuffer().put(numbers);
        return result.array();
    }

    private static byte[] bytes(double[] numbers) {
        ByteBuffer result = buffer(8L * numbers.length);
        result.asDoubleBuffer().put(numbers);
        return result.array();
    }
}
