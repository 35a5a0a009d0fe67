package covey;

/**
 * What each event and each feature of a transaction adds to its value. A distance that an event makes smaller has a
 * negative attribution.
 *
 * @param explained the number that is explained
 * @param method how the attributions were made; never AUTO
 * @param cluster the cluster; -1 for RISK
 * @param exemplar the exemplar, a row of the engine's clustering; -1 means none
 * @param value the value of the transaction
 * @param base the value without any event; for GRADIENTS, that of the baseline
 * @param residual value - base - the sum of the events' attributions
 * @param attributions one for each event, in the order as given
 * @param errors their standard errors; NaN if the method has none
 * @param features one for each of {@link Engine#features}; empty if features were not explained
 * @param parts the runs of events that were left out together; as many as events, unless there are more than
 *     largestParts
 * @param steps the points on the path of GRADIENTS; otherwise 0
 * @param faithfulness how well the attributions say what the value hangs on
 */
public record Explanation(ExplainOptions.Explained explained, ExplainOptions.Method method, long cluster, long exemplar,
                          double value, double base, double residual, double[] attributions, double[] errors,
                          double[] features, long parts, long steps, Faithfulness faithfulness) {
    /**
     * Changes of the value when parts are left out in the order of the size of their attributions; NaN without events,
     * and if they were not measured.
     *
     * @param comprehensiveness without the most important parts: more is better
     * @param sufficiency with the most important parts alone: less is better
     * @param difference the sum of the changes while the upper half is left out step by step: more is better
     * @param preservation the same for the lower half: less is better
     * @param infidelity how far the attributions are from the changes: the root mean square, over these steps, of the
     *     change minus the sum of the attributions of the parts that are left out; less is better
     * @param sensitivity the largest relative change of the attributions when all gaps and dwells become 5 or 2 %
     *     shorter or longer: less is better; NaN unless it was asked for
     */
    public record Faithfulness(double comprehensiveness, double sufficiency, double difference, double preservation,
                               double infidelity, double sensitivity) {}
}
