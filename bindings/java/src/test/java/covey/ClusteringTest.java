package covey;

import static org.junit.jupiter.api.Assertions.*;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Clustering against what a page of Java computes: spanning tree, linkage, blobs. */
class ClusteringTest {
    private static final int BLOB = 60, BLOBS = 3, SCATTERED = 20, ROWS = BLOB * BLOBS + SCATTERED, COLUMNS = 3;

    /** Three far blobs and rows scattered wide. */
    private static double[] data() {
        Random random = new Random(11);
        double[] data = new double[ROWS * COLUMNS];
        for (int row = 0; row < ROWS; ++row) {
            for (int column = 0; column < COLUMNS; ++column) {
                data[row * COLUMNS + column] = row < BLOB * BLOBS
                                                   ? 20 * (row / BLOB) * (column == 0 ? 1 : 0.5) + random.nextGaussian()
                                                   : (random.nextDouble() - 0.5) * 600;
            }
        }
        return data;
    }

    private static ClusterOptions.Builder options() {
        return ClusterOptions.builder().minClusterSize(10).minSamples(4).prediction(true);
    }

    @Test
    void findsTheBlobs() {
        try (Clustering clustering = Clustering.cluster(Matrix.of(data(), ROWS, COLUMNS), options().build(), null)) {
            assertEquals(ROWS, clustering.rows());
            assertEquals(BLOBS, clustering.clusters());
            assertEquals(1, clustering.recall());
            int[] labels = clustering.labels();
            double[] probabilities = clustering.probabilities(), outliers = clustering.outlierScores();
            for (int row = 0; row < ROWS; ++row) {
                if (row >= BLOB * BLOBS) assertEquals(-1, labels[row]);
                assertEquals(labels[row] < 0, probabilities[row] == 0, "row " + row);
                assertTrue(probabilities[row] <= 1 && outliers[row] >= 0 && outliers[row] <= 1);
            }
            for (int blob = 0; blob < BLOBS; ++blob) {
                int[] members = Arrays.copyOfRange(labels, blob * BLOB, (blob + 1) * BLOB);
                int label = Arrays.stream(members).max().getAsInt();
                assertTrue(label >= 0 && Arrays.stream(members).filter(x -> x == label).count() > BLOB * 0.8);
                assertTrue(Arrays.stream(members).allMatch(x -> x == label || x == -1));
                long[] exemplars = clustering.exemplars(label);
                assertTrue(exemplars.length > 0);
                for (long row : exemplars) assertEquals(label, labels[(int)row]);
            }
            assertEquals(BLOBS, clustering.persistence().length);
            assertTrue(Arrays.stream(clustering.persistence()).allMatch(x -> x > 0 && x <= 1));
            assertThrows(IndexOutOfBoundsException.class, () -> clustering.exemplars(BLOBS));
        }
    }

    @Test
    void treesAreThoseOfPrimAndKruskal() {
        double[] data = data();
        try (Clustering clustering = Clustering.cluster(Matrix.of(data, ROWS, COLUMNS), options().build(), null)) {
            List<Clustering.Edge> edges = clustering.spanningTree();
            double[] weights = edges.stream().mapToDouble(Clustering.Edge::distance).toArray();
            assertArrayEquals(prim(data, 4), weights, 1e-9);
            List<Clustering.Merge> merges = clustering.singleLinkageTree();
            assertEquals(ROWS - 1, merges.size());
            int[] top = new int[2 * ROWS - 1];
            long[] size = new long[2 * ROWS - 1];
            Arrays.fill(size, 0, ROWS, 1);
            for (int merge = 0; merge < merges.size(); ++merge) {
                Clustering.Merge row = merges.get(merge);
                int node = ROWS + merge;
                assertTrue(row.left() < node && row.right() < node && row.left() != row.right());
                assertEquals(0, top[(int)row.left()] + top[(int)row.right()], "merged before");
                top[(int)row.left()] = top[(int)row.right()] = node;
                size[node] = size[(int)row.left()] + size[(int)row.right()];
                assertEquals(size[node], row.size());
                assertEquals(weights[merge], row.distance());
            }
            List<Clustering.CondensedEdge> condensed = clustering.condensedTree();
            long rows = condensed.stream().filter(edge -> edge.child() < ROWS).count();
            assertEquals(ROWS, rows, "every row leaves the tree once");
            assertTrue(condensed.stream().allMatch(edge -> edge.parent() >= ROWS && edge.lambda() > 0));
            assertTrue(condensed.stream().allMatch(edge -> (edge.size() == 1) == (edge.child() < ROWS)));
            for (long node : clustering.selectedNodes()) {
                assertTrue(condensed.stream().anyMatch(edge -> edge.parent() == node));
            }
            assertEquals(BLOBS, clustering.selectedNodes().length);
            assertThrows(UnsupportedOperationException.class, () -> edges.remove(0));
            assertThrows(IndexOutOfBoundsException.class, () -> edges.get(ROWS));
        }
    }

    /** The weights of the minimum spanning tree of mutual reachability, ascending. */
    private static double[] prim(double[] data, int minSamples) {
        double[][] distance = new double[ROWS][ROWS];
        double[] core = new double[ROWS];
        for (int a = 0; a < ROWS; ++a) {
            for (int b = 0; b < ROWS; ++b) {
                double sum = 0;
                for (int c = 0; c < COLUMNS; ++c) sum += Math.pow(data[a * COLUMNS + c] - data[b * COLUMNS + c], 2);
                distance[a][b] = Math.sqrt(sum);
            }
            double[] sorted = distance[a].clone();
            Arrays.sort(sorted);
            core[a] = sorted[minSamples]; // sorted[0] is the row itself
        }
        double[] nearest = new double[ROWS], weights = new double[ROWS - 1];
        boolean[] inside = new boolean[ROWS];
        Arrays.fill(nearest, Double.POSITIVE_INFINITY);
        int current = 0;
        for (int step = 0; step < ROWS - 1; ++step) {
            inside[current] = true;
            int next = -1;
            for (int b = 0; b < ROWS; ++b) {
                if (inside[b]) continue;
                nearest[b] = Math.min(nearest[b], Math.max(distance[current][b], Math.max(core[current], core[b])));
                if (next < 0 || nearest[b] < nearest[next]) next = b;
            }
            weights[step] = nearest[next];
            current = next;
        }
        Arrays.sort(weights);
        return weights;
    }

    @Test
    void placesNewRows() {
        try (Clustering clustering = Clustering.cluster(Matrix.of(data(), ROWS, COLUMNS), options().build(), null)) {
            Matrix rows = Matrix.of(new double[] {0, 0, 0, 20, 10, 10, 40, 20, 20, 5000, 5000, 5000}, 4, COLUMNS);
            Clustering.Placement places = clustering.predict(rows, null);
            int[] labels = clustering.labels();
            for (int blob = 0; blob < BLOBS; ++blob) {
                int label = Arrays.stream(labels, blob * BLOB, (blob + 1) * BLOB).max().getAsInt();
                assertEquals(label, places.labels()[blob]);
                assertTrue(places.probabilities()[blob] > 0.5 && places.probabilities()[blob] <= 1);
            }
            assertEquals(-1, places.labels()[3]);
            EncoderTest.refuse(StatusCode.MISMATCH, "", () -> clustering.predict(Matrix.of(new float[4], 2, 2), null));
        }
        try (Clustering plain = Clustering.cluster(Matrix.of(data(), ROWS, COLUMNS), null, null)) {
            EncoderTest.refuse(StatusCode.INVALID_ARGUMENT, "prediction",
                               () -> plain.predict(Matrix.of(new float[3], 1, COLUMNS), null));
        }
    }

    @Test
    void everyFormOfAMatrixGivesTheSame() {
        double[] data = data();
        float[] floats = new float[data.length];
        for (int index = 0; index < data.length; ++index) data[index] = floats[index] = (float)data[index];
        ByteBuffer bytes = ByteBuffer.allocateDirect(8 * data.length).order(ByteOrder.nativeOrder());
        List<Matrix> forms = List.of(Matrix.of(data, ROWS, COLUMNS), Matrix.of(floats, ROWS, COLUMNS),
                                     Matrix.of(bytes.asDoubleBuffer().put(data).flip(), ROWS, COLUMNS),
                                     Matrix.of(ByteBuffer.allocateDirect(8 * data.length)
                                                   .order(ByteOrder.nativeOrder())
                                                   .asFloatBuffer()
                                                   .put(floats)
                                                   .flip(),
                                               ROWS, COLUMNS));
        int[] expected = null;
        for (Matrix form : forms) {
            assertArrayEquals(floats, form.floats());
            assertEquals(floats[7 * COLUMNS + 2], form.get(7, 2));
            assertArrayEquals(Arrays.copyOfRange(floats, 6, 12), form.slice(2, 4).floats());
            try (Clustering clustering = Clustering.cluster(form, options().build(), null)) {
                if (expected == null) expected = clustering.labels();
                assertArrayEquals(expected, clustering.labels());
            }
        }
    }

    @Test
    void everyOptionArrives() {
        Matrix matrix = Matrix.of(data(), ROWS, COLUMNS);
        for (ClusterOptions.Metric metric : ClusterOptions.Metric.values()) {
            ClusterOptions.Builder options = options().metric(metric).selection(ClusterOptions.Selection.LEAF);
            try (Clustering clustering = Clustering.cluster(matrix, options.build(), null)) {
                Clustering.Edge edge = clustering.spanningTree().get(0);
                int a = (int)edge.from(), b = (int)edge.to();
                assertTrue(edge.distance() >= distance(matrix, metric, a, b) - 1e-9);
            }
        }
        ClusterOptions single =
            options().maxClusterSize(BLOB * 2).clusterSelectionEpsilon(1000).allowSingleCluster(true).alpha(2).build();
        try (Clustering clustering = Clustering.cluster(matrix, single, null)) {
            assertTrue(clustering.clusters() <= 1, "everything is nearer than epsilon");
        }
        double[] holes = data();
        holes[5 * COLUMNS] = Double.NaN;
        Matrix damaged = Matrix.of(holes, ROWS, COLUMNS);
        EncoderTest.refuse(StatusCode.INVALID_DATA, "5", () -> Clustering.cluster(damaged, null, null));
        ClusterOptions noise = options().missing(ClusterOptions.MissingRows.NOISE).build();
        try (Clustering clustering = Clustering.cluster(damaged, noise, null)) {
            assertEquals(-1, clustering.labels()[5]);
            assertEquals(1, clustering.outlierScores()[5]);
            assertEquals(ROWS - 2, clustering.spanningTree().size());
        }
    }

    private static double distance(Matrix matrix, ClusterOptions.Metric metric, int a, int b) {
        double squares = 0, sum = 0, dot = 0, lengthA = 0, lengthB = 0;
        for (int c = 0; c < matrix.columns(); ++c) {
            double x = matrix.get(a, c), y = matrix.get(b, c);
            squares += (x - y) * (x - y);
            sum += Math.abs(x - y);
            dot += x * y;
            lengthA += x * x;
            lengthB += y * y;
        }
        return switch (metric) {
            case EUCLIDEAN -> Math.sqrt(squares);
            case MANHATTAN -> sum;
            case COSINE -> 1 - dot / Math.sqrt(lengthA * lengthB);
        };
    }

    @Test
    void smallAndBadInput() {
        try (Clustering empty = Clustering.cluster(Matrix.of(new float[0], 0, 3), null, null)) {
            assertEquals(0, empty.rows());
            assertEquals(0, empty.labels().length);
            assertEquals(List.of(), empty.spanningTree());
            assertEquals(List.of(), empty.condensedTree());
        }
        try (Clustering one = Clustering.cluster(Matrix.of(new float[3], 1, 3), null, null)) {
            assertArrayEquals(new int[] {-1}, one.labels());
        }
        Matrix matrix = Matrix.of(data(), ROWS, COLUMNS);
        refuse("min_cluster_size", matrix, ClusterOptions.builder().minClusterSize(1));
        refuse("min_samples", matrix, ClusterOptions.builder().minSamples(-1));
        refuse("clusters", matrix, ClusterOptions.builder().clusters(ROWS + 1));
        refuse("cluster_selection_persistence", matrix, ClusterOptions.builder().clusterSelectionPersistence(-1));
        refuse("alpha", matrix, ClusterOptions.builder().alpha(Double.NaN));
        refuse("epsilon", matrix, ClusterOptions.builder().clusterSelectionEpsilon(-1));
        refuse("max_cluster_size", matrix, ClusterOptions.builder().maxClusterSize(-1));
        assertThrows(NullPointerException.class, () -> Clustering.cluster(null, null, null));
        EncoderTest.refuse(StatusCode.INVALID_ARGUMENT, "rows", () -> Matrix.of(new float[3], -1, 3));
        EncoderTest.refuse(StatusCode.INVALID_ARGUMENT, "columns", () -> Matrix.of(new float[3], 1, 0));
        EncoderTest.refuse(StatusCode.MISMATCH, "data", () -> Matrix.of(new float[3], 2, 3));
        EncoderTest.refuse(StatusCode.MISMATCH, "data", () -> Matrix.of(new float[3], Integer.MAX_VALUE, 65_536));
        assertThrows(NullPointerException.class, () -> Matrix.of((float[])null, 1, 1));
    }

    private static void same(Clustering expected, Clustering found) {
        assertArrayEquals(expected.labels(), found.labels());
        assertArrayEquals(expected.probabilities(), found.probabilities());
        assertArrayEquals(expected.outlierScores(), found.outlierScores());
        assertArrayEquals(expected.persistence(), found.persistence());
        assertEquals(expected.condensedTree(), found.condensedTree());
    }

    @Test
    void keepsInFilesAndSelectsAnew(@TempDir Path folder) {
        Matrix matrix = Matrix.of(data(), ROWS, COLUMNS);
        try (Clustering fitted = Clustering.cluster(matrix, options().build(), null)) {
            Path file = folder.resolve("clustering");
            fitted.save(file, null);
            try (Clustering loaded = Clustering.load(file, null);
                 Clustering read = Clustering.of(fitted.toBytes(), null)) {
                same(fitted, loaded);
                same(fitted, read);
                assertArrayEquals(fitted.labels(), read.predict(matrix, null).labels());
                assertArrayEquals(data(), read.fittedRows());
                assertEquals(COLUMNS, read.columns());
            }
            byte[] spoilt = fitted.toBytes();
            spoilt[spoilt.length - 3] ^= 1;
            EncoderTest.refuse(StatusCode.CORRUPT_FILE, "checksum", () -> Clustering.of(spoilt, null));
            EncoderTest.refuse(StatusCode.IO, "none", () -> Clustering.load(folder.resolve("none"), null));

            ClusterOptions leaves = options().selection(ClusterOptions.Selection.LEAF).minClusterSize(7).build();
            try (Clustering selected = fitted.select(leaves, null);
                 Clustering again = Clustering.cluster(matrix, leaves, null)) {
                same(again, selected);
                assertEquals(leaves, selected.options());
            }
            try (Clustering two = fitted.select(options().clusters(2).build(), null);
                 Clustering chosen = fitted.select(options().build(), two.selectedNodes(), null)) {
                assertEquals(2, two.clusters());
                assertArrayEquals(two.labels(), chosen.labels());
            }
            EncoderTest.refuse(StatusCode.INVALID_ARGUMENT, "nodes[0]",
                               () -> fitted.select(null, new long[] {3}, null));
            List<Clustering.PersistentSize> sizes = fitted.sizes();
            assertFalse(sizes.isEmpty());
            for (Clustering.PersistentSize size : sizes) {
                ClusterOptions there =
                    options().selection(ClusterOptions.Selection.LEAF).minClusterSize(size.minClusterSize()).build();
                try (Clustering leaves2 = fitted.select(there, null)) {
                    assertEquals(size.persistence() > 0, leaves2.clusters() > 0);
                }
            }
            int[] labels = fitted.labels();
            double[][] memberships = fitted.membership(null, null);
            Clustering.Memberships best = fitted.largestMemberships(matrix, 1, null);
            Clustering.Place place = fitted.place(matrix, null);
            for (int row = 0; row < ROWS; ++row) {
                assertTrue(Arrays.stream(memberships[row]).sum() <= 1 + 1e-9);
                if (labels[row] >= 0) assertEquals(labels[row], best.clusters()[row]);
                assertEquals(row, place.neighbours()[row]);
            }
            assertArrayEquals(fitted.outlierScores(), place.outlierScores(), 1e-12);
            assertTrue(Clustering.validity(matrix, labels, ClusterOptions.Metric.EUCLIDEAN, null) > 0.3);
            assertTrue(Arrays.stream(fitted.cut(1e9, 1)).allMatch(label -> label == 0));
        }
    }

    /** Equal labels up to the numbers of clusters, noise as noise. */
    private static void samePartition(int[] ours, int[] theirs) {
        assertEquals(ours.length, theirs.length);
        Map<Integer, Integer> there = new HashMap<>(Map.of(-1, -1));
        Map<Integer, Integer> back = new HashMap<>(Map.of(-1, -1));
        for (int row = 0; row < ours.length; ++row) {
            there.putIfAbsent(ours[row], theirs[row]);
            back.putIfAbsent(theirs[row], ours[row]);
            assertEquals(there.get(ours[row]), theirs[row]);
            assertEquals(back.get(theirs[row]), ours[row]);
        }
    }

    @Test
    void clustersGivenDistancesAndTrees() {
        double[] data = data(), distances = new double[ROWS * ROWS];
        for (int a = 0; a < ROWS; ++a) {
            for (int b = 0; b < ROWS; ++b) {
                double sum = 0;
                for (int column = 0; column < COLUMNS; ++column) {
                    double apart = data[a * COLUMNS + column] - data[b * COLUMNS + column];
                    sum += apart * apart;
                }
                distances[a * ROWS + b] = Math.sqrt(sum);
            }
        }
        // One neighbour: no ties, whose order would be that of the rows' numbers, which distances do not have.
        ClusterOptions plain = options().prediction(false).minSamples(1).build();
        try (Clustering expected = Clustering.cluster(Matrix.of(data, ROWS, COLUMNS), plain, null);
             Clustering given = Clustering.ofDistances(Matrix.of(distances, ROWS, ROWS), plain, null);
             Clustering tree = Clustering.ofSpanningTree(ROWS, expected.spanningTree(), plain, null)) {
            for (Clustering other : List.of(given, tree)) {
                samePartition(expected.labels(), other.labels());
                assertArrayEquals(expected.probabilities(), other.probabilities(), 1e-9);
                assertArrayEquals(expected.outlierScores(), other.outlierScores(), 1e-9);
            }
        }
        assertThrows(IllegalArgumentException.class, () -> Clustering.ofSpanningTree(3, List.of(), null, null));
        ClusterOptions approximate = ClusterOptions.builder().search(ClusterOptions.Search.APPROXIMATE).build();
        CoveyException failure = assertThrows(
            CoveyException.class, () -> Clustering.ofDistances(Matrix.of(distances, ROWS, ROWS), approximate, null));
        assertTrue(failure.getMessage().contains("search must be COVEY_SEARCH_EXACT"), failure.getMessage());
    }

    @Test
    void aRowOfWeightThreeIsThreeRows() {
        double[] data = data();
        long[] weights = new long[ROWS];
        int count = 0;
        for (int row = 0; row < ROWS; ++row) count += (int)(weights[row] = row % 4);
        double[] repeated = new double[count * COLUMNS];
        int[] source = new int[count];
        int next = 0;
        for (int row = 0; row < ROWS; ++row) {
            for (long copy = 0; copy < weights[row]; ++copy, ++next) {
                System.arraycopy(data, row * COLUMNS, repeated, next * COLUMNS, COLUMNS);
                source[next] = row;
            }
        }
        ClusterOptions chosen = options().build();
        Matrix matrix = Matrix.of(data, ROWS, COLUMNS);
        try (Clustering found = Clustering.cluster(matrix, weights, chosen, null);
             Clustering expected = Clustering.cluster(Matrix.of(repeated, count, COLUMNS), chosen, null)) {
            int[] labels = found.labels();
            double[] scores = found.outlierScores();
            int[] spread = new int[count];
            double[] expectedScores = expected.outlierScores();
            for (int row = 0; row < count; ++row) {
                spread[row] = labels[source[row]];
                assertEquals(expectedScores[row], scores[source[row]], 1e-12);
            }
            samePartition(spread, expected.labels());
            assertEquals(expected.clusters(), found.clusters());
            try (Clustering again = Clustering.of(found.toBytes(), null)) {
                assertArrayEquals(labels, again.labels());
            }
        }
        assertThrows(CoveyException.class, () -> Clustering.cluster(matrix, new long[] {1}, chosen, null));
        weights[2] = -1;
        CoveyException failure =
            assertThrows(CoveyException.class, () -> Clustering.cluster(matrix, weights, chosen, null));
        assertTrue(failure.getMessage().contains("weights[2] must be at least 0, got -1"), failure.getMessage());
    }

    private static void refuse(String words, Matrix matrix, ClusterOptions.Builder options) {
        EncoderTest.refuse(StatusCode.INVALID_ARGUMENT, words, () -> Clustering.cluster(matrix, options.build(), null));
    }
}
