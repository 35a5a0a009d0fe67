package covey;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** The whole road in one call. */
class FindTest {
    private static final int ROWS = 400;
    private static final int RING = 30;

    private final double[] amounts = new double[ROWS];
    private final double[] ages = new double[ROWS];
    private final byte[] fraud = new byte[ROWS];

    FindTest() {
        Random random = new Random(3);
        for (int row = 0; row < ROWS; ++row) {
            boolean ring = row < RING;
            amounts[row] = ring ? 900 + random.nextDouble() : 1000 * random.nextDouble();
            ages[row] = ring ? 3 + random.nextDouble() : 400 * random.nextDouble();
            fraud[row] = ring && row % 2 == 0 ? ClusterRisk.FRAUD : ClusterRisk.UNKNOWN;
        }
    }

    private FeatureTable features() {
        return FeatureTable.builder(ROWS).numeric("amount", amounts).numeric("age", ages).build();
    }

    private Found find(byte[] labels) {
        FindOptions options = FindOptions.builder().trees(40).permutations(199).build();
        return Found.find(null, null, features(), labels, amounts, null, null, options, null);
    }

    private static boolean has(Found found, Finding.Code code) {
        return found.findings().stream().anyMatch(finding -> finding.code() == code && !finding.text().isEmpty());
    }

    @Test
    void theRingIsFound() throws IOException {
        Path file = Files.createTempFile("covey", ".engine");
        try (Found found = find(fraud)) {
            boolean[] risky = found.risky();
            double[] scores = found.scores();
            int[] groups = found.rowGroups();
            int hits = 0;
            double mean = 0;
            double rest = 0;
            for (int row = 0; row < ROWS; ++row) {
                assertEquals(risky[row], groups[row] >= 0);
                if (row < RING) {
                    hits += risky[row] ? 1 : 0;
                    mean += scores[row] / RING;
                } else {
                    rest += scores[row] / (ROWS - RING);
                }
            }
            assertTrue(hits >= RING * 9 / 10, "hits " + hits);
            assertTrue(mean > 0.5 && rest < 0.05, "mean risk of the ring " + mean + ", of the rest " + rest);
            List<RiskyGroup> listed = found.groups();
            assertFalse(listed.isEmpty());
            for (RiskyGroup group : listed) {
                assertEquals(group.rows(), group.fraud() + group.legitimate() + group.unknown());
                assertTrue(group.pValue() <= 0.05 && group.shareLow() <= group.share() && !group.text().isEmpty());
            }
            assertTrue(has(found, Finding.Code.UNLABELLED_COMPARED));
            assertTrue(found.settings().contains("\"known_share_from\":\"groups\""));
            assertEquals(ROWS, found.evidence(Found.Evidence.JOINT).length);
            assertEquals(ROWS, found.labels().length);
            assertTrue(found.clusters() >= 0);
            assertTrue(found.rules().isPresent());
            found.rules().get().close();
            Engine engine = found.engine();
            // The engine outlives what was found.
            found.close();
            engine.save(file);
            try (Engine loaded = Engine.load(file); Scores first = engine.score(null, features(), null);
                 Scores second = loaded.score(null, features(), null)) {
                for (int row = 0; row < ROWS; ++row) assertEquals(first.risks()[row], second.risks()[row]);
                for (int row = 0; row < ROWS; ++row) {
                    Score score = second.get(row);
                    assertEquals(score.risky(), score.group() >= 0);
                    assertEquals(java.util.Set.of(Found.Evidence.values()), score.evidence().keySet());
                    assertTrue(score.evidence().values().stream().allMatch(Double::isFinite));
                }
                assertTrue(first.get(0).evidence().get(Found.Evidence.TREE) > 0, first.get(0).evidence().toString());
                assertTrue(first.get(0).reasons().get(0).startsWith("The risk of fraud is"));
            }
            engine.close();
        } finally { Files.delete(file); }
    }

    @Test
    void littleIsKnown() {
        try (Found found = find(null)) {
            assertTrue(has(found, Finding.Code.NO_LABELS));
            assertTrue(found.groups().isEmpty());
        }
        byte[] one = new byte[ROWS];
        java.util.Arrays.fill(one, ClusterRisk.UNKNOWN);
        one[0] = ClusterRisk.FRAUD;
        try (Found found = find(one)) {
            assertTrue(has(found, Finding.Code.TOO_FEW_FRAUDS));
            assertTrue(found.groups().isEmpty());
        }
    }

    @Test
    void badInputIsRefused() {
        assertThrows(CoveyException.class, () -> Found.find(null, null, null, fraud, null, null, null, null, null));
        assertThrows(CoveyException.class,
                     () -> Found.find(null, null, features(), new byte[3], null, null, null, null, null));
        byte[] bad = fraud.clone();
        bad[5] = 4;
        assertThrows(CoveyException.class, () -> find(bad));
    }
}
