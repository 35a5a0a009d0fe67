package covey;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Random;
import java.util.stream.Collectors;

/**
 * A small encoder with seeded weights: written as section 6 of covey.h says, and computed the slow, obvious way, in
 * doubles, from the formulas there. It uses dwell, a numeric and a categorical channel, and a projection.
 */
final class SmallModel {
    static final int EMBEDDING = 5, HIDDEN = 4, ATTENTION = 3, CHANNEL = 2, DIMENSION = 6, TIMES = 3;
    static final String[] NAMES = {"pay", "b\u00fcy", "\ud83d\uded2 cart"};
    static final String[] CITIES = {"Utrecht", "K\u00f8benhavn"};
    static final int INPUT = EMBEDDING + TIMES + 1 + CHANNEL;
    private static final double[] MEAN = {1.5, 2.5, 0.5}, DEVIATION = {0.7, 1.1, 0.9};
    private static final double CHANNEL_MEAN = 3, CHANNEL_DEVIATION = 2;

    private record Tensor(int rows, int columns, float[] values) {
        double at(int row, int column) { return values[row * columns + column]; }
    }

    private final Map<String, Tensor> tensors = new LinkedHashMap<>();

    SmallModel(long seed) {
        Random random = new Random(seed);
        add(random, "event_embedding.weight", NAMES.length + 1, EMBEDDING);
        for (String direction : new String[] {"", "_reverse"}) {
            add(random, "lstm.weight_ih_l0" + direction, 4 * HIDDEN, INPUT);
            add(random, "lstm.weight_hh_l0" + direction, 4 * HIDDEN, HIDDEN);
            add(random, "lstm.bias_ih_l0" + direction, 0, 4 * HIDDEN);
            add(random, "lstm.bias_hh_l0" + direction, 0, 4 * HIDDEN);
        }
        add(random, "attention.hidden.weight", ATTENTION, 2 * HIDDEN);
        add(random, "attention.hidden.bias", 0, ATTENTION);
        add(random, "attention.time.weight", ATTENTION, TIMES);
        add(random, "attention.score.weight", 1, ATTENTION);
        add(random, "projection.weight", DIMENSION, 2 * HIDDEN);
        add(random, "projection.bias", 0, DIMENSION);
        add(random, "categorical_embeddings.0.weight", CITIES.length + 1, CHANNEL);
    }

    /** `rows` = 0: a vector. */
    private void add(Random random, String name, int rows, int columns) {
        float[] values = new float[Math.max(1, rows) * columns];
        for (int index = 0; index < values.length; ++index) values[index] = (float)(random.nextGaussian() * 0.6);
        tensors.put(name, new Tensor(rows, columns, values));
    }

    /** The file's bytes: the header's length, the header, the tensors. */
    byte[] file() {
        String configuration = "{\"format_version\":1,\"vocabulary\":" + list(NAMES) +
                               ",\"time_mean\":[1.5,2.5,0.5],\"time_deviation\":[0.7,1.1,0.9],\"dwell\":true,"
                               + "\"numeric\":[{\"name\":\"speed\",\"mean\":3,\"deviation\":2}],"
                               + "\"categorical\":[{\"name\":\"city\",\"vocabulary\":" + list(CITIES) + "}]}";
        StringBuilder header = new StringBuilder("{\"__metadata__\":{\"covey.encoder\":\"")
                                   .append(configuration.replace("\"", "\\\""))
                                   .append("\"}");
        ByteArrayOutputStream body = new ByteArrayOutputStream();
        tensors.forEach((name, tensor) -> {
            ByteBuffer bytes = ByteBuffer.allocate(4 * tensor.values.length).order(ByteOrder.LITTLE_ENDIAN);
            bytes.asFloatBuffer().put(tensor.values);
            String shape = tensor.rows == 0 ? "" + tensor.columns : tensor.rows + "," + tensor.columns;
            header.append(",\"").append(name).append("\":{\"dtype\":\"F32\",\"shape\":[").append(shape);
            header.append("],\"data_offsets\":[").append(body.size()).append(",");
            body.writeBytes(bytes.array());
            header.append(body.size()).append("]}");
        });
        byte[] text = header.append("}").toString().getBytes(StandardCharsets.UTF_8);
        ByteBuffer file = ByteBuffer.allocate(8 + text.length + body.size()).order(ByteOrder.LITTLE_ENDIAN);
        return file.putLong(text.length).put(text).put(body.toByteArray()).array();
    }

    Path write(Path path) throws IOException { return Files.write(path, file()); }

    private static String list(String[] names) {
        return java.util.Arrays.stream(names)
            .map(name -> "\"" + name + "\"")
            .collect(Collectors.joining(",", "[", "]"));
    }

    /** The embedding of one sequence in the order of time, and its attention. */
    double[] embed(int[] types, double[] times, double[] dwell, double[] speed, int[] city, double[] attention) {
        int length = types.length;
        double[][] inputs = new double[length][], tau = new double[length][];
        for (int t = 0; t < length; ++t) {
            double gap = t == 0 ? 0 : times[t] - times[t - 1];
            tau[t] = new double[] {(Math.log1p(gap) - MEAN[0]) / DEVIATION[0],
                                   (Math.log1p(times[length - 1] - times[t]) - MEAN[1]) / DEVIATION[1],
                                   Double.isNaN(dwell[t]) ? 0 : (Math.log1p(dwell[t]) - MEAN[2]) / DEVIATION[2]};
            inputs[t] = new double[INPUT];
            int type = types[t] < 0 || types[t] > NAMES.length ? 0 : types[t];
            int place = city[t] < 0 || city[t] > CITIES.length ? 0 : city[t];
            for (int k = 0; k < EMBEDDING; ++k) inputs[t][k] = tensors.get("event_embedding.weight").at(type, k);
            System.arraycopy(tau[t], 0, inputs[t], EMBEDDING, TIMES);
            inputs[t][EMBEDDING + TIMES] = Double.isNaN(speed[t]) ? 0 : (speed[t] - CHANNEL_MEAN) / CHANNEL_DEVIATION;
            for (int k = 0; k < CHANNEL; ++k) {
                inputs[t][EMBEDDING + TIMES + 1 + k] = tensors.get("categorical_embeddings.0.weight").at(place, k);
            }
        }
        double[][] states = new double[length][2 * HIDDEN];
        run(inputs, "", false, states);
        run(inputs, "_reverse", true, states);
        double sum = 0;
        for (int t = 0; t < length; ++t) {
            double score = 0;
            for (int a = 0; a < ATTENTION; ++a) {
                double x = tensors.get("attention.hidden.bias").at(0, a);
                for (int k = 0; k < 2 * HIDDEN; ++k)
                    x += tensors.get("attention.hidden.weight").at(a, k) * states[t][k];
                for (int k = 0; k < TIMES; ++k) x += tensors.get("attention.time.weight").at(a, k) * tau[t][k];
                score += tensors.get("attention.score.weight").at(0, a) * Math.tanh(x);
            }
            attention[t] = Math.exp(score);
            sum += attention[t];
        }
        double[] pooled = new double[2 * HIDDEN];
        for (int t = 0; t < length; ++t) {
            attention[t] /= sum;
            for (int k = 0; k < pooled.length; ++k) pooled[k] += attention[t] * states[t][k];
        }
        double[] result = new double[DIMENSION];
        for (int d = 0; d < DIMENSION; ++d) {
            result[d] = tensors.get("projection.bias").at(0, d);
            for (int k = 0; k < pooled.length; ++k) result[d] += tensors.get("projection.weight").at(d, k) * pooled[k];
        }
        return result;
    }

    /** One direction of the LSTM, as torch.nn.LSTM: gates i, f, g, o. */
    private void run(double[][] inputs, String direction, boolean backward, double[][] states) {
        Tensor input = tensors.get("lstm.weight_ih_l0" + direction), inner =
                                                                         tensors.get("lstm.weight_hh_l0" + direction);
        Tensor first = tensors.get("lstm.bias_ih_l0" + direction), second = tensors.get("lstm.bias_hh_l0" + direction);
        double[] hidden = new double[HIDDEN], cell = new double[HIDDEN];
        for (int step = 0; step < inputs.length; ++step) {
            int t = backward ? inputs.length - 1 - step : step;
            double[] gates = new double[4 * HIDDEN];
            for (int g = 0; g < gates.length; ++g) {
                gates[g] = first.at(0, g) + second.at(0, g);
                for (int k = 0; k < INPUT; ++k) gates[g] += input.at(g, k) * inputs[t][k];
                for (int k = 0; k < HIDDEN; ++k) gates[g] += inner.at(g, k) * hidden[k];
            }
            for (int k = 0; k < HIDDEN; ++k) {
                cell[k] = sigmoid(gates[HIDDEN + k]) * cell[k] + sigmoid(gates[k]) * Math.tanh(gates[2 * HIDDEN + k]);
                hidden[k] = sigmoid(gates[3 * HIDDEN + k]) * Math.tanh(cell[k]);
                states[t][(backward ? HIDDEN : 0) + k] = hidden[k];
            }
        }
    }

    private static double sigmoid(double x) { return 1 / (1 + Math.exp(-x)); }
}
