package covey;

import static covey.ClusteringSample.*;
import static org.junit.jupiter.api.Assertions.*;

import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Clusterings from files, other selections, distances, trees and rows with weights. */
class ClusteringSourcesTest {
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
}
