import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import weka.core.Attribute;
import weka.core.FastVector;
import weka.core.Instance;
import weka.core.Instances;

/**
 * Weka's JRip on a table in raw files: the time of buildClassifier alone, the rules, and the class of each row of other
 * tables.
 * JRip.java TABLE ROWS COLUMNS TARGET [TABLE ROWS PREDICTIONS]... ; tables are doubles in row order, NaN = missing.
 */
public final class JRip {
    private static Instances empty(int columns, int rows) {
        FastVector attributes = new FastVector();
        for (int column = 0; column < columns; column++) attributes.addElement(new Attribute("f" + column));
        FastVector classes = new FastVector();
        classes.addElement("no");
        classes.addElement("yes");
        attributes.addElement(new Attribute("class", classes));
        Instances table = new Instances("table", attributes, rows);
        table.setClassIndex(columns);
        return table;
    }

    private interface Row {
        void take(double[] values, int row) throws Exception;
    }

    private static void rows(String file, int rows, int columns, Row body) throws Exception {
        try (FileChannel channel = FileChannel.open(Path.of(file))) {
            ByteBuffer bytes = ByteBuffer.allocate(8 * columns * 1024).order(ByteOrder.LITTLE_ENDIAN);
            for (int row = 0; row < rows;) {
                bytes.clear();
                bytes.limit((int)Math.min(bytes.capacity(), 8L * columns * (rows - row)));
                while (bytes.hasRemaining() && channel.read(bytes) >= 0) {}
                bytes.flip();
                while (bytes.hasRemaining()) {
                    double[] values = new double[columns + 1];
                    for (int column = 0; column < columns; column++) values[column] = bytes.getDouble();
                    body.take(values, row++);
                }
            }
        }
    }

    private static weka.classifiers.rules.JRip fit(Instances table) throws Exception {
        weka.classifiers.rules.JRip model = new weka.classifiers.rules.JRip();
        model.buildClassifier(table);
        return model;
    }

    public static void main(String[] arguments) throws Exception {
        int rows = Integer.parseInt(arguments[1]);
        int columns = Integer.parseInt(arguments[2]);
        byte[] target = Files.readAllBytes(Path.of(arguments[3]));
        Instances table = empty(columns, rows);
        rows(arguments[0], rows, columns, (values, row) -> {
            values[columns] = target[row];
            table.add(new Instance(1, values));
        });
        // A small fit first: the others are warm too.
        int[] small = {0, 0};
        Instances few = empty(columns, 4000);
        for (int row = 0; row < rows && few.numInstances() < 4000; row++) {
            if (small[target[row]]++ < 2000) few.add(table.instance(row));
        }
        fit(few);
        long start = System.nanoTime();
        weka.classifiers.rules.JRip model = fit(table);
        System.out.println("seconds " + (System.nanoTime() - start) / 1e9);
        for (int argument = 4; argument + 2 < arguments.length; argument += 3) {
            int count = Integer.parseInt(arguments[argument + 1]);
            byte[] predicted = new byte[count];
            Instances header = empty(columns, 0);
            rows(arguments[argument], count, columns, (values, row) -> {
                values[columns] = Instance.missingValue();
                Instance one = new Instance(1, values);
                one.setDataset(header);
                predicted[row] = (byte)model.classifyInstance(one);
            });
            Files.write(Path.of(arguments[argument + 2]), predicted);
        }
        System.out.println(model);
    }
}
