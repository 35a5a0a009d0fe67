package covey;

import java.util.Random;

/** Rows for the tests of clustering, and options under which they are three clusters. */
final class ClusteringSample {
    static final int BLOB = 60, BLOBS = 3, SCATTERED = 20, ROWS = BLOB * BLOBS + SCATTERED, COLUMNS = 3;

    /** Three far blobs and rows scattered wide. */
    static double[] data() {
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

    static ClusterOptions.Builder options() {
        return ClusterOptions.builder().minClusterSize(10).minSamples(4).prediction(true);
    }

    private ClusteringSample() {}
}
