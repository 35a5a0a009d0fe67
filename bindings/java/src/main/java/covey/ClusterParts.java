package covey;

import java.util.AbstractList;
import java.util.List;
import java.util.Objects;
import java.util.stream.LongStream;

/**
 * Clusterings from edges and from lists of neighbours that another program found, and the steps by which rows that do
 * not fit in one machine are clustered exactly: {@link #nearest} over all blocks of rows gives each row's core
 * distance; {@link #spanningEdges} of each pair of blocks, with these, holds every edge that the spanning tree of all
 * rows needs; {@link #mergeEdges} makes one forest of them; {@link #cluster(long, List, double[], ClusterOptions,
 * Context)} clusters it. For any number of threads.
 */
public final class ClusterParts {
    private ClusterParts() {}

    /**
     * Lists of nearest rows, list by list.
     *
     * @param indices row numbers; -1 means none
     * @param distances as many
     * @param k the length of a list, at least 1
     */
    public record Lists(long[] indices, double[] distances, int k) {
        public Lists {
            if (k < 1 || indices.length % k != 0 || distances.length != indices.length) {
                throw new CoveyException(StatusCode.MISMATCH, "lists of " + k +
                                                                  " need as many distances as indices, got " +
                                                                  distances.length + " and " + indices.length);
            }
        }
    }

    /**
     * A clustering from lists.
     *
     * @param certified how many edges of its tree no edge that is in no list could replace; n - 1 means exact
     */
    public record FromLists(Clustering clustering, long certified) {}

    /**
     * Clusters n rows by any weighted edges between them. Parts that no edge joins are kept apart, and {@link
     * Clustering#parts} counts them. Prediction is not available. Cost: O(m log m) for m edges.
     *
     * @param edges in any order; a pair of rows once, or once in each direction at the same distance
     * @param coreDistances n numbers: distances become max(core, core, distance / alpha); null means that they are
     *     mutual reachability already
     * @param options null means the defaults
     * @param context null means the defaults
     * @throws CoveyException INVALID_ARGUMENT, INVALID_DATA (names the edge), MISMATCH, OUT_OF_MEMORY, CANCELLED
     */
    public static Clustering cluster(long rows, List<Clustering.Edge> edges, double[] coreDistances,
                                     ClusterOptions options, Context context) {
        ClusterOptions chosen = options == null ? ClusterOptions.defaults() : options;
        checkCount(coreDistances, rows);
        try (Use with = Use.of(context)) {
            return new Clustering(Native.clusterEdges(with.address(), rows, words(edges), coreDistances,
                                                      chosen.integers(), chosen.reals()));
        }
    }

    /**
     * Clusters n rows by n lists of their nearest rows; k is at least min_samples. The row itself is passed over.
     * Cost: O(n k log(n k)).
     *
     * @param options null means the defaults
     * @param context null means the defaults
     * @throws CoveyException as for edges; INVALID_DATA names row and slot
     */
    public static FromLists cluster(Lists lists, ClusterOptions options, Context context) {
        ClusterOptions chosen = options == null ? ClusterOptions.defaults() : options;
        long[] certified = new long[1];
        try (Use with = Use.of(context)) {
            long address =
                Native.clusterNeighbours(with.address(), lists.indices.length / lists.k, lists.k, lists.indices,
                                         lists.distances, chosen.integers(), chosen.reals(), certified);
            return new FromLists(new Clustering(address), certified[0]);
        }
    }

    /**
     * The k nearest rows of each query, exactly: ascending by distance, then by row number; -1 and infinity where there
     * are fewer rows.
     *
     * @param queryNumbers the queries' numbers among the rows, by which a query is left out of its own list; null means
     *     that they are none of the rows
     * @param rowNumbers the rows' numbers, ascending; null means 0 and up
     * @param found what a call for other rows has found, of which the nearest are kept; null means nothing yet
     * @param context null means the defaults
     * @throws CoveyException INVALID_ARGUMENT, INVALID_DATA, MISMATCH (columns, numbers), OUT_OF_MEMORY, CANCELLED
     */
    public static Lists nearest(Matrix queries, long[] queryNumbers, Matrix rows, long[] rowNumbers, int k,
                                ClusterOptions.Metric metric, Lists found, Context context) {
        checkCount(queryNumbers, queries.rows());
        checkCount(rowNumbers, rows.rows());
        Objects.requireNonNull(metric, "metric");
        if (k < 1) throw new CoveyException(StatusCode.INVALID_ARGUMENT, "k must be at least 1, got " + k);
        int length = Text.size((long)queries.rows() * k, "queries x k");
        if (found != null && (found.k != k || found.indices.length != length)) {
            throw new CoveyException(StatusCode.MISMATCH, "found must be " + queries.rows() + " lists of " + k +
                                                              ", got " + found.indices.length / found.k + " of " +
                                                              found.k);
        }
        long[] indices = found == null ? new long[length] : found.indices.clone();
        double[] distances = found == null ? new double[length] : found.distances.clone();
        try (Use with = Use.of(context)) {
            Native.nearest(with.address(), queries, queryNumbers, rows, rowNumbers, k, metric.ordinal(), found != null,
                           indices, distances);
        }
        return new Lists(indices, distances, k);
    }

    /**
     * The minimum spanning tree of a block of rows, or of two blocks one after the other, by mutual reachability with
     * core distances that were found among all rows.
     *
     * @param rowNumbers the rows' numbers, ascending, by which edges name them; null means 0 and up
     * @param coreDistances one a row, at least 0
     * @param alpha as {@link ClusterOptions.Builder#alpha}
     * @param context null means the defaults
     * @throws CoveyException as {@link #nearest}
     */
    public static List<Clustering.Edge> spanningEdges(Matrix rows, long[] rowNumbers, double[] coreDistances,
                                                      ClusterOptions.Metric metric, double alpha, Context context) {
        checkCount(rowNumbers, rows.rows());
        checkCount(Objects.requireNonNull(coreDistances, "coreDistances"), rows.rows());
        Objects.requireNonNull(metric, "metric");
        try (Use with = Use.of(context)) {
            return edges(
                Native.spanningEdges(with.address(), rows, rowNumbers, coreDistances, metric.ordinal(), alpha));
        }
    }

    /**
     * The minimum spanning forest of edges between n rows. Ties are broken by distance and then by row numbers, so that
     * the order of the edges changes nothing. Cost: O(m log m).
     *
     * @param context null means the defaults
     * @throws CoveyException as {@link #cluster(long, List, double[], ClusterOptions, Context)}
     */
    public static List<Clustering.Edge> mergeEdges(long rows, List<Clustering.Edge> edges, Context context) {
        try (Use with = Use.of(context)) {
            return edges(Native.mergeEdges(with.address(), rows, words(edges)));
        }
    }

    /**
     * Two rows that must be in one cluster, or must not be.
     *
     * @param first a row number
     * @param second another one
     */
    public record RowPair(long first, long second) {}

    /**
     * The minimum spanning forest of edges under constraints, for {@link #cluster(long, List, double[],
     * ClusterOptions, Context)}: rows that must link are joined first, at distance 0, and an edge is left out if it
     * would bring two rows that cannot link into one part. With the edges of a spanning tree, parts that an edge left
     * out would have joined stay apart; with all pairs of rows they are joined by longer edges where that is allowed.
     *
     * @param context null means the defaults
     * @throws CoveyException INVALID_DATA for an edge or a pair that cannot be, and for a pair that must and cannot
     *     link; OUT_OF_MEMORY, CANCELLED
     */
    public static List<Clustering.Edge> constrainEdges(long rows, List<Clustering.Edge> edges, List<RowPair> mustLink,
                                                       List<RowPair> cannotLink, Context context) {
        try (Use with = Use.of(context)) {
            return edges(Native.constrainEdges(with.address(), rows, words(edges), pairs(mustLink), pairs(cannotLink)));
        }
    }

    private static long[] pairs(List<RowPair> pairs) {
        return pairs.stream().flatMapToLong(pair -> LongStream.of(pair.first(), pair.second())).toArray();
    }

    /** Edges as the library writes them: three words each. */
    static List<Clustering.Edge> edges(long[] words) { return new Edges(words); }

    static long[] words(List<Clustering.Edge> edges) {
        if (edges instanceof Edges own) return own.words;
        long[] words = new long[Text.size(3L * edges.size(), "edges")];
        int next = 0;
        for (Clustering.Edge edge : edges) {
            words[next++] = edge.from();
            words[next++] = edge.to();
            words[next++] = Double.doubleToRawLongBits(edge.distance());
        }
        return words;
    }

    private static void checkCount(long[] numbers, long rows) {
        if (numbers != null) checkCount(numbers.length, rows);
    }

    private static void checkCount(double[] numbers, long rows) {
        if (numbers != null) checkCount(numbers.length, rows);
    }

    private static void checkCount(int count, long rows) {
        if (count != rows) {
            throw new CoveyException(StatusCode.MISMATCH, "numbers must be one a row: " + rows + ", got " + count);
        }
    }

    /** A view, so that millions of edges are no objects. */
    private static final class Edges extends AbstractList<Clustering.Edge> {
        private final long[] words;

        Edges(long[] words) { this.words = words; }

        @Override
        public Clustering.Edge get(int index) {
            int first = 3 * Objects.checkIndex(index, size());
            return new Clustering.Edge(words[first], words[first + 1], Double.longBitsToDouble(words[first + 2]));
        }

        @Override
        public int size() {
            return words.length / 3;
        }
    }
}
