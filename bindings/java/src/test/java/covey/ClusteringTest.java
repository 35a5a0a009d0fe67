package covey;

import static covey.ClusteringSample.*;
import static org.junit.jupiter.api.Assertions.*;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Clustering against what a page of Java computes: spanning tree, linkage, blobs. */
class ClusteringTest {

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
    void anIndexOfFaissFindsTheBlobs() {
        Matrix rows = Matrix.of(data(), ROWS, COLUMNS);
        ClusterOptions.Builder approximate = options().search(ClusterOptions.Search.APPROXIMATE);
        ClusterOptions named = approximate.index("IVF4,Flat").indexSearch("nprobe=4").build();
        try (Clustering exact = Clustering.cluster(rows, options().build(), null);
             Clustering found = Clustering.cluster(rows, named, null)) {
            assertEquals(BLOBS, found.clusters());
            assertEquals(1, found.recall());
            assertArrayEquals(exact.labels(), found.labels());
            assertEquals("IVF4,Flat", found.options().index());
            assertEquals("nprobe=4", found.options().indexSearch());
            assertNull(exact.options().index());
        }
        for (String index : new String[] {"nonsense", "HNSW1", "IVF100000,Flat", ""}) {
            CoveyException refused = assertThrows(
                CoveyException.class, () -> Clustering.cluster(rows, approximate.index(index).build(), null));
            assertEquals(StatusCode.INVALID_ARGUMENT, refused.code(), refused.getMessage());
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

    private static void refuse(String words, Matrix matrix, ClusterOptions.Builder options) {
        EncoderTest.refuse(StatusCode.INVALID_ARGUMENT, words, () -> Clustering.cluster(matrix, options.build(), null));
    }
}
