package covey;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** Counterfactuals of the sample, and the mistakes that they must tell. */
class CounterfactualsTest {
    private static Sample sample;
    private static Road road;
    private static int risky;

    @BeforeAll
    static void run() throws Exception {
        sample = Sample.load();
        road = new Road(sample, null);
        while (!road.engine.scoreOne(events(risky), features(risky), null).risky()) ++risky;
    }

    @AfterAll
    static void end() {
        road.close();
    }

    private static Sequences events(int row) { return sample.sequences.slice(row, row + 1); }

    private static FeatureTable features(int row) { return sample.features.slice(row, row + 1); }

    private static Counterfactuals find(CounterfactualOptions options) {
        return road.engine.counterfactual(events(risky), features(risky), options, null);
    }

    @Test
    void answersAreNotRiskyAndCostWhatTheySay() {
        Counterfactuals found = find(new CounterfactualOptions().answers(5));
        assertEquals(Counterfactuals.Outcome.FOUND, found.outcome());
        assertEquals(road.engine.scoreOne(events(risky), features(risky), null), found.original());
        assertTrue(found.evaluations() > 0 && found.text().contains("not risky"));
        double last = 0;
        for (Counterfactuals.Answer answer : found.answers()) {
            assertFalse(answer.score().risky());
            assertTrue(answer.cost() >= last && answer.text().contains("its risk would be"));
            last = answer.cost();
            double sum = 0;
            for (Counterfactuals.Change change : answer.changes()) {
                boolean number = change.kind() == FeatureTable.Kind.NUMERIC;
                assertTrue(!number ||
                           Math.abs(change.cost() - Math.abs(change.after() - change.before()) / change.unit()) < 1e-9);
                assertEquals(change.kind() == FeatureTable.Kind.CATEGORICAL, change.afterCategory() != null);
                sum += change.cost();
            }
            assertEquals(sum, answer.cost(), 1e-9);
            assertEquals(List.of(), answer.removed());
        }
    }

    @Test
    void limitsAreKept() {
        for (Counterfactuals.Answer answer :
             find(new CounterfactualOptions().othersImmutable().allowed("amount").high("amount", 400)).answers()) {
            for (Counterfactuals.Change change : answer.changes()) {
                assertTrue(change.name().equals("amount") && change.after() <= 400);
            }
        }
        Counterfactuals none = find(new CounterfactualOptions().othersImmutable());
        assertEquals(Counterfactuals.Outcome.NONE, none.outcome());
        assertEquals(List.of(), none.answers());
        CounterfactualOptions country = new CounterfactualOptions()
                                            .othersImmutable()
                                            .goal(CounterfactualOptions.Goal.LEAVE_CLUSTER)
                                            .categories("country", List.of("NL", "BE"))
                                            .maxRemoved(2);
        for (Counterfactuals.Answer answer : find(country).answers()) {
            assertTrue(answer.removed().size() <= 2);
            for (Counterfactuals.Change change : answer.changes()) assertEquals("country", change.name());
        }
        assertEquals(Counterfactuals.Outcome.NOT_NEEDED, find(new CounterfactualOptions().riskBelow(1)).outcome());
    }

    @Test
    void aClusterHasAProfile() {
        assertTrue(road.engine.profile(0, null).contains("\"cluster\""));
        assertEquals(StatusCode.INVALID_ARGUMENT,
                     assertThrows(CoveyException.class, () -> road.engine.profile(-1, null)).code());
    }

    @Test
    void mistakesAreNamed() {
        refused(StatusCode.INVALID_ARGUMENT, new CounterfactualOptions().cost("amount", Double.NaN));
        refused(StatusCode.INVALID_ARGUMENT, new CounterfactualOptions().low("amount", 5).high("amount", 3));
        refused(StatusCode.INVALID_ARGUMENT, new CounterfactualOptions().low("country", 5));
        refused(StatusCode.INVALID_ARGUMENT, new CounterfactualOptions().riskBelow(0));
        refused(StatusCode.INVALID_ARGUMENT, new CounterfactualOptions().answers(0));
        refused(StatusCode.MISMATCH, new CounterfactualOptions().immutable("colour"));
        CoveyException two =
            assertThrows(CoveyException.class,
                         ()
                             -> road.engine.counterfactual(sample.sequences.slice(0, 2), sample.features.slice(0, 2),
                                                           new CounterfactualOptions(), null));
        assertEquals(StatusCode.MISMATCH, two.code());
    }

    private static void refused(StatusCode code, CounterfactualOptions options) {
        assertEquals(code, assertThrows(CoveyException.class, () -> find(options)).code());
    }
}
