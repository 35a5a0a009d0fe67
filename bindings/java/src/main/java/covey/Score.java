package covey;

import java.util.List;
import java.util.Map;

/**
 * The score of a transaction.
 *
 * @param cluster the cluster that it is most similar to; -1 means none
 * @param strength the strength of the membership in that cluster, 0 to 1
 * @param risk 0 to 1; see {@link Engine#score}
 * @param risky true if the cluster is risky or a rule of a risky cluster fires
 * @param rules the rules that fire
 * @param reasons sentences: the cluster and its figures, the rules, the events with the most attention
 * @param group of an engine of {@link Found} that knew fraud: the risky group; -1 means none
 * @param evidence of such an engine: the parts of the sum behind the risk, in log odds; empty for other engines
 */
public record Score(long cluster, double strength, double risk, boolean risky, List<FiredRule> rules,
                    List<String> reasons, long group, Map<Found.Evidence, Double> evidence) {
    /**
     * A rule that fires.
     *
     * @param text the rule as a sentence
     * @param cluster the cluster that it describes; -1 means no single one
     */
    public record FiredRule(String text, long cluster) {}
}
