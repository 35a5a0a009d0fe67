package covey;

import static org.junit.jupiter.api.Assertions.*;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** Rows in blocks give what all rows give at once, and lists of neighbours what sorting gives. */
class ClusterPartsTest {
    private static final int ROWS = 150, COLUMNS = 3, K = 4;
    private static final ClusterOptions OPTIONS = ClusterOptions.builder().minClusterSize(8).minSamples(K).build();

    private static double[] data() {
        Random random = new Random(3);
        double[] data = new double[ROWS * COLUMNS];
        for (int i = 0; i < data.length; ++i) data[i] = 6 * (i / COLUMNS % 4) + random.nextGaussian();
        return data;
    }

    private static long[] numbers(int from, int to) {
        long[] numbers = new long[to - from];
        for (int i = 0; i < numbers.length; ++i) numbers[i] = from + i;
        return numbers;
    }

    private static ClusterParts.Lists sorted(double[] data) {
        long[] indices = new long[ROWS * K];
        double[] distances = new double[ROWS * K];
        for (int row = 0; row < ROWS; ++row) {
            double[] length = new double[ROWS];
            List<Integer> order = new ArrayList<>();
            for (int other = 0; other < ROWS; ++other) {
                for (int c = 0; c < COLUMNS; ++c) {
                    double gap = data[row * COLUMNS + c] - data[other * COLUMNS + c];
                    length[other] += gap * gap;
                }
                if (other != row) order.add(other);
            }
            order.sort((a, b) -> length[a] != length[b] ? Double.compare(length[a], length[b]) : a - b);
            for (int slot = 0; slot < K; ++slot) {
                indices[row * K + slot] = order.get(slot);
                distances[row * K + slot] = Math.sqrt(length[order.get(slot)]);
            }
        }
        return new ClusterParts.Lists(indices, distances, K);
    }

    @Test
    void blocksGiveTheLabelsOfAllRows() {
        Matrix all = Matrix.of(data(), ROWS, COLUMNS);
        int[] cuts = {0, 40, 90, ROWS};
        ClusterParts.Lists found = null;
        for (int block = 0; block < 3; ++block) {
            int from = cuts[block], to = cuts[block + 1];
            found = ClusterParts.nearest(all, numbers(0, ROWS), all.slice(from, to), numbers(from, to), K,
                                         ClusterOptions.Metric.EUCLIDEAN, found, null);
        }
        ClusterParts.Lists expected = sorted(data());
        assertArrayEquals(expected.indices(), found.indices());
        assertArrayEquals(expected.distances(), found.distances(), 1e-12);
        double[] cores = new double[ROWS];
        for (int row = 0; row < ROWS; ++row) cores[row] = found.distances()[row * K + K - 1];
        List<Clustering.Edge> edges = new ArrayList<>();
        for (int[] pair : new int[][] {{0, 1}, {0, 2}, {1, 2}}) {
            double[] rows = new double[0];
            long[] names = new long[0];
            for (int block : pair) {
                int from = cuts[block], to = cuts[block + 1];
                double[] part = Arrays.copyOfRange(data(), from * COLUMNS, to * COLUMNS);
                double[] longer = Arrays.copyOf(rows, rows.length + part.length);
                System.arraycopy(part, 0, longer, rows.length, part.length);
                rows = longer;
                long[] more = Arrays.copyOf(names, names.length + to - from);
                System.arraycopy(numbers(from, to), 0, more, names.length, to - from);
                names = more;
            }
            double[] own = new double[names.length];
            for (int i = 0; i < own.length; ++i) own[i] = cores[(int)names[i]];
            edges.addAll(ClusterParts.spanningEdges(Matrix.of(rows, names.length, COLUMNS), names, own,
                                                    ClusterOptions.Metric.EUCLIDEAN, 1, null));
        }
        List<Clustering.Edge> tree = ClusterParts.mergeEdges(ROWS, edges, null);
        assertEquals(ROWS - 1, tree.size());
        try (Clustering whole = Clustering.cluster(all, OPTIONS, null);
             Clustering parts = ClusterParts.cluster(ROWS, tree, null, OPTIONS, null)) {
            assertTrue(whole.clusters() >= 2);
            assertArrayEquals(whole.labels(), parts.labels());
            assertArrayEquals(whole.probabilities(), parts.probabilities());
            assertEquals(1, parts.parts());
        }
    }

    @Test
    void constraintsKeepRowsTogetherAndApart() {
        List<Clustering.Edge> line = List.of(new Clustering.Edge(0, 1, 1), new Clustering.Edge(1, 2, 2),
                                             new Clustering.Edge(2, 3, 3), new Clustering.Edge(0, 3, 4));
        List<Clustering.Edge> forest = ClusterParts.constrainEdges(4, line, List.of(new ClusterParts.RowPair(3, 1)),
                                                                   List.of(new ClusterParts.RowPair(0, 2)), null);
        // Row 2 stays apart: rows 1 and 3 are linked, and row 0 joins them first.
        assertEquals(List.of(new Clustering.Edge(1, 3, 0), new Clustering.Edge(0, 1, 1)), List.copyOf(forest));
        assertEquals(3, ClusterParts.constrainEdges(4, line, List.of(), List.of(), null).size());
    }

    @Test
    void listsAndPartsThatNothingJoins() {
        ClusterParts.FromLists made = ClusterParts.cluster(sorted(data()), OPTIONS, null);
        try (Clustering clustering = made.clustering();
             Clustering whole = Clustering.cluster(Matrix.of(data(), ROWS, COLUMNS), OPTIONS, null)) {
            assertTrue(made.certified() > 0 && made.certified() <= ROWS - 1);
            assertTrue(clustering.parts() >= 1);
            assertEquals(whole.clusters(), clustering.clusters());
        }
        List<Clustering.Edge> two = List.of(new Clustering.Edge(0, 1, 1), new Clustering.Edge(2, 3, 1));
        ClusterOptions small = ClusterOptions.builder().minClusterSize(2).minSamples(1).build();
        try (Clustering clustering = ClusterParts.cluster(4, two, null, small, null)) {
            assertEquals(2, clustering.parts());
            int[] labels = clustering.labels();
            assertEquals(labels[0], labels[1]);
            assertEquals(labels[2], labels[3]);
            assertNotEquals(labels[0], labels[2]);
        }
    }

    @Test
    void whatIsWrongIsRefused() {
        List<Clustering.Edge> far = List.of(new Clustering.Edge(0, 7, 1));
        CoveyException wrong = assertThrows(CoveyException.class, () -> ClusterParts.cluster(3, far, null, null, null));
        assertEquals(StatusCode.INVALID_DATA, wrong.code());
        assertThrows(CoveyException.class, () -> ClusterParts.mergeEdges(3, far, null));
        assertThrows(CoveyException.class, () -> ClusterParts.cluster(3, List.of(), new double[2], null, null));
        assertThrows(CoveyException.class, () -> new ClusterParts.Lists(new long[3], new double[2], 1));
        List<ClusterParts.RowPair> pair = List.of(new ClusterParts.RowPair(0, 2));
        wrong = assertThrows(CoveyException.class, () -> ClusterParts.constrainEdges(3, List.of(), pair, pair, null));
        assertEquals(StatusCode.INVALID_DATA, wrong.code());
        Matrix rows = Matrix.of(data(), ROWS, COLUMNS);
        assertThrows(
            CoveyException.class,
            () -> ClusterParts.nearest(rows, new long[2], rows, null, 2, ClusterOptions.Metric.EUCLIDEAN, null, null));
    }
}
