/**
 * Covey finds fraud rings by their behaviour. It turns click streams into vectors, clusters them together with expert
 * features, finds the risky clusters, describes each of them by rules, and scores the next transaction.
 *
 * <p>The steps in their order: {@link covey.SequenceEncoder} embeds {@link covey.Sequences}; {@link
 * covey.HybridFeatures} joins the embeddings and a {@link covey.FeatureTable}; {@link covey.Clustering} clusters the
 * rows; {@link covey.ClusterRisk} finds the risky clusters; {@link covey.RuleSet} describes them; {@link covey.Engine}
 * saves all of this in one file and scores.
 *
 * <h2>Rules that hold everywhere</h2>
 * <ul>
 * <li><b>Handles.</b> Classes that are {@link java.lang.AutoCloseable} own native memory. Close them in any order,
 *     preferably by try-with-resources. If the program forgets one, the garbage collector frees it. A use after {@code
 *     close} throws {@link java.lang.IllegalStateException}. It is safe to close an object while another thread is in a
 *     call: the memory is freed when that call ends.
 * <li><b>Threads.</b> Every object except a builder is immutable, and any number of threads may use it at once. Input
 *     (arrays, buffers) must not change during a call.
 * <li><b>Errors.</b> A failure of Covey throws {@link covey.CoveyException} with a {@link covey.StatusCode} and a
 *     message that names the field and the value. A null that is not allowed throws {@link
 *     java.lang.NullPointerException}. After a failed or cancelled call every handle can still be used.
 * <li><b>Context.</b> If a call takes a {@link covey.Context}, null means one with the defaults. Results never depend
 *     on the number of threads.
 * <li><b>Interrupts.</b> {@link java.lang.Thread#interrupt} cancels the call that the thread is in, within about 100
 *     ms, and any later call until the thread clears its interrupted status: they throw CoveyException with {@link
 *     covey.StatusCode#CANCELLED}, and the status stays set.
 * <li><b>Copies.</b> Java arrays are copied for the duration of a call. Direct buffers in native byte order are read in
 *     place. No array is pinned, so a long call never blocks the garbage collector.
 * </ul>
 */
package covey;
