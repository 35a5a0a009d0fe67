package covey;

import java.util.List;

/**
 * What is said of a transaction.
 *
 * @param cluster the cluster it behaves like; -1 = none
 * @param strength of that membership, 0 to 1
 * @param risk 0 to 1; see {@link Engine#score}
 * @param risky whether the cluster is risky or a rule of a risky cluster fires
 * @param rules the rules that fire
 * @param reasons sentences: the cluster and its figures, the rules, the events with the most attention
 */
public record Score(
        long cluster, double strength, double risk, boolean risky, List<FiredRule> rules, List<String> reasons) {
    /**
     * A rule that fires.
     *
     * @param text the rule as a sentence
     * @param cluster the cluster it describes; -1 = no single one
     */
    public record FiredRule(String text, long cluster) {}
}
