/**
 * Covey finds fraud rings by how they behave: it turns click streams into vectors, clusters them beside expert features,
 * says which clusters are risky, describes each in rules and scores the next transaction.
 *
 * <p>In the order of the road: {@link covey.SequenceEncoder} embeds {@link covey.Sequences}; {@link covey.HybridFeatures}
 * joins the embeddings to a {@link covey.FeatureTable}; {@link covey.Clustering} clusters the rows;
 * {@link covey.ClusterRisk} says which clusters are risky; {@link covey.RuleSet} describes them; {@link covey.Engine} puts
 * it all in one file that scores.
 *
 * <h2>Rules that hold everywhere</h2>
 * <ul>
 * <li><b>Handles.</b> Classes that are {@link java.lang.AutoCloseable} own native memory. Close them, best by
 *     try-with-resources and in any order; what is forgotten is freed when the garbage collector finds it. A use after
 *     {@code close} gives {@link java.lang.IllegalStateException}. Closing while another thread is inside a call is safe:
 *     the memory goes when that call ends.
 * <li><b>Threads.</b> Everything is immutable once made (builders aside) and may be used by any number of threads at once.
 *     Input (arrays, buffers) must not change during a call.
 * <li><b>Errors.</b> Failures of Covey are {@link covey.CoveyException}s with a {@link covey.StatusCode} and a message that
 *     names the field and the value; {@link java.lang.NullPointerException} for a null where none is allowed. A failed or
 *     stopped call leaves every handle usable.
 * <li><b>Context.</b> Where a {@link covey.Context} is taken, null means one with the defaults. Results never depend on the
 *     number of threads.
 * <li><b>Copies.</b> Java arrays are copied for the length of a call; direct buffers in native order are read in place. No
 *     array is pinned, so the garbage collector is never held up by a long call.
 * </ul>
 */
package covey;
