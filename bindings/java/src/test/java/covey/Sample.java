package covey;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** The simulated shop of examples/data, read as its README says. */
final class Sample {
    static final Path FOLDER = Path.of("examples", "data");
    static final Path MODEL = FOLDER.resolve("shop.safetensors");
    private static final List<String> CATEGORICAL = List.of("country", "device", "payment", "basket", "delivery");
    private static final List<String> BOOLEAN = List.of("guest", "ships_elsewhere", "vpn");

    final Sequences sequences;
    final FeatureTable features;
    final double[] times;
    final double[] amounts;
    final byte[] labels;
    /** For checking alone. */
    final boolean[] fraud;

    private final Map<String, String[]> transactions;
    private static Sample loaded;

    /** The sample, read once. */
    static synchronized Sample load() throws IOException {
        if (loaded == null) {
            try (SequenceEncoder encoder = SequenceEncoder.load(MODEL); Vocabulary vocabulary = encoder.vocabulary()) {
                loaded = new Sample(vocabulary);
            }
        }
        return loaded;
    }

    private Sample(Vocabulary vocabulary) throws IOException {
        transactions = read("transactions.csv");
        Map<String, String[]> events = read("events.csv");
        int rows = transactions.get("transaction").length;
        sequences = sequences(events, rows, vocabulary);
        FeatureTable.Builder table = FeatureTable.builder(rows);
        transactions.forEach((name, values) -> {
            if (List.of("transaction", "time", "label").contains(name)) return;
            if (CATEGORICAL.contains(name)) {
                table.categorical(name, emptyAsNull(values));
            } else if (BOOLEAN.contains(name)) {
                table.bool(name, bytes(values));
            } else {
                table.numeric(name, doubles(values));
            }
        });
        features = table.build();
        times = doubles(transactions.get("time"));
        amounts = doubles(transactions.get("amount"));
        labels = bytes(transactions.get("label"));
        byte[] truth = bytes(read("truth.csv").get("fraud"));
        fraud = new boolean[rows];
        for (int row = 0; row < rows; ++row) fraud[row] = truth[row] == 1;
    }

    int rows() { return features.rows(); }

    /** A column of numbers or booleans; NaN is missing. */
    double[] numbers(String name) { return doubles(transactions.get(name)); }

    /** A column of categories; null is missing. */
    String[] categories(String name) { return emptyAsNull(transactions.get(name)); }

    private static Sequences sequences(Map<String, String[]> events, int rows, Vocabulary vocabulary) {
        String[] transaction = events.get("transaction");
        long[] offsets = new long[rows + 1];
        for (String row : transaction) ++offsets[Integer.parseInt(row) + 1];
        for (int row = 0; row < rows; ++row) offsets[row + 1] += offsets[row];
        return Sequences.builder()
            .offsets(offsets)
            .types(vocabulary.lookup(events.get("event")))
            .times(doubles(events.get("seconds")))
            .dwell(doubles(events.get("dwell")))
            .build();
    }

    /** The columns of a CSV file without quotes, by name. */
    private static Map<String, String[]> read(String file) throws IOException {
        List<String> lines = Files.readAllLines(FOLDER.resolve(file));
        String[] names = lines.get(0).split(",", -1);
        List<String[]> columns = new ArrayList<>();
        for (int column = 0; column < names.length; ++column) columns.add(new String[lines.size() - 1]);
        for (int row = 0; row < lines.size() - 1; ++row) {
            String[] fields = lines.get(row + 1).split(",", -1);
            for (int column = 0; column < names.length; ++column) columns.get(column)[row] = fields[column];
        }
        Map<String, String[]> result = new LinkedHashMap<>();
        for (int column = 0; column < names.length; ++column) result.put(names[column], columns.get(column));
        return result;
    }

    private static double[] doubles(String[] values) {
        double[] result = new double[values.length];
        for (int row = 0; row < values.length; ++row) {
            result[row] = values[row].isEmpty() ? Double.NaN : Double.parseDouble(values[row]);
        }
        return result;
    }

    private static byte[] bytes(String[] values) {
        byte[] result = new byte[values.length];
        for (int row = 0; row < values.length; ++row) {
            result[row] = values[row].isEmpty() ? -1 : Byte.parseByte(values[row]);
        }
        return result;
    }

    private static String[] emptyAsNull(String[] values) {
        String[] result = new String[values.length];
        for (int row = 0; row < values.length; ++row) result[row] = values[row].isEmpty() ? null : values[row];
        return result;
    }
}
