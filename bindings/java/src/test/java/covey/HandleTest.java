package covey;

import static org.junit.jupiter.api.Assertions.*;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Native memory: freed once, never while a call uses it, also where nobody closes it. */
@Timeout(value = 600, unit = TimeUnit.SECONDS)
class HandleTest {
    @TempDir Path folder;

    @Test
    void isFreedOnceAndAfterTheLastUse() {
        AtomicInteger freed = new AtomicInteger();
        Handle handle = new Handle("Thing", 42, address -> {
            assertEquals(42, address);
            freed.incrementAndGet();
        });
        assertEquals(42, handle.acquire());
        handle.acquire();
        handle.run();
        assertEquals(0, freed.get());
        assertEquals("Thing is closed", assertThrows(IllegalStateException.class, handle::acquire).getMessage());
        handle.release();
        assertEquals(0, freed.get());
        handle.release();
        assertEquals(1, freed.get());
        handle.run();
        assertEquals(1, freed.get());
    }

    @Test
    void usesAfterCloseAreRefused() throws Exception {
        FeatureTable table = FeatureTable.builder(2).numeric("x", 0, 1).build();
        Matrix matrix = Matrix.of(new float[] {0, 1}, 2, 1);
        Context context = Context.create();
        Vocabulary vocabulary = Vocabulary.of("a");
        SequenceEncoder encoder = SequenceEncoder.load(new SmallModel(1).write(folder.resolve("model")));
        HybridFeatures hybrid = HybridFeatures.fit(null, table, null, null);
        Clustering clustering = Clustering.cluster(matrix, ClusterOptions.builder().prediction(true).build(), null);
        ClusterRisk risk = ClusterRisk.rate(clustering.labels(), new byte[2], null, null, null, null);
        Engine engine = Engine.builder().hybrid(hybrid).clustering(clustering).risk(risk).build();
        Scores scores = engine.score(null, table, null);
        RuleSet rules = RuleSet.extract(table, new boolean[] {true, false}, null, null);
        for (AutoCloseable handle :
             List.of(context, vocabulary, encoder, hybrid, clustering, risk, rules, engine, scores)) {
            handle.close();
            handle.close();
        }
        assertThrows(IllegalStateException.class, context::cancel);
        assertThrows(IllegalStateException.class, () -> HybridFeatures.fit(null, table, null, context));
        assertThrows(IllegalStateException.class, vocabulary::size);
        assertThrows(IllegalStateException.class, () -> vocabulary.lookup("a"));
        assertThrows(IllegalStateException.class, encoder::dimension);
        assertThrows(IllegalStateException.class, encoder::vocabulary);
        assertThrows(IllegalStateException.class, () -> hybrid.transform(null, table, null));
        assertThrows(IllegalStateException.class, clustering::labels);
        assertThrows(IllegalStateException.class, clustering::condensedTree);
        assertThrows(IllegalStateException.class, risk::reports);
        assertThrows(IllegalStateException.class, rules::rules);
        assertThrows(IllegalStateException.class, rules::toSql);
        assertThrows(IllegalStateException.class, engine::features);
        assertThrows(IllegalStateException.class, () -> engine.scoreOne(null, table.slice(0, 1), null));
        assertThrows(IllegalStateException.class, scores::count);
        assertThrows(IllegalStateException.class, () -> scores.get(0));
        assertThrows(IllegalStateException.class,
                     () -> Engine.builder().hybrid(hybrid).clustering(clustering).risk(risk).build());
    }

    @Test
    void borrowedPartsKeepTheirOwner() throws Exception {
        Vocabulary vocabulary;
        try (SequenceEncoder encoder = SequenceEncoder.load(new SmallModel(1).write(folder.resolve("model")))) {
            vocabulary = encoder.vocabulary();
        }
        assertEquals(List.of(SmallModel.NAMES), vocabulary.names());
        vocabulary.close();
        assertThrows(IllegalStateException.class, vocabulary::names);
    }

    @Test
    void closingDuringCallsIsSafe() throws Exception {
        String[] names = new String[500];
        for (int index = 0; index < names.length; ++index) names[index] = "event " + index;
        ExecutorService threads = Executors.newFixedThreadPool(4);
        try {
            for (int round = 0; round < 150; ++round) {
                Vocabulary vocabulary = Vocabulary.of(names);
                CountDownLatch started = new CountDownLatch(3);
                List<Future<Integer>> users = new ArrayList<>();
                for (int user = 0; user < 3; ++user) {
                    users.add(threads.submit(() -> {
                        int calls = 0;
                        started.countDown();
                        try {
                            for (;; ++calls) assertEquals(500, vocabulary.lookup(names)[499]);
                        } catch (IllegalStateException closed) { return calls; }
                    }));
                }
                started.await();
                Future<?> other = threads.submit(vocabulary::close);
                vocabulary.close();
                other.get();
                for (Future<Integer> user : users) user.get();
            }
        } finally { threads.shutdownNow(); }
    }

    @Test
    void forgottenObjectsAreFreed() throws Exception {
        // A vocabulary of 2,000 names takes some 340 kB: without the Cleaner these would take some 500 MB.
        List<String> names = new ArrayList<>();
        for (int index = 0; index < 2000; ++index) names.add("the name of event number " + index);
        for (int index = 0; index < 200; ++index) Vocabulary.of(names);
        System.gc();
        long before = residentBytes();
        for (int index = 0; index < 1500; ++index) {
            Vocabulary.of(names);
            if (index % 100 == 99) {
                System.gc();
                // The Cleaner has a thread of its own, which a busy machine may let wait.
                for (int wait = 0; wait < 1000 && residentBytes() - before > 100_000_000; ++wait) Thread.sleep(10);
            }
        }
        long grown = residentBytes() - before;
        assertTrue(grown < 200_000_000, "grown by " + grown + " bytes");
    }

    @Test
    void callsLeakNothing() throws Exception {
        // 20,000 rows are copied for each call, 160 kB: left behind they would take 480 MB.
        FeatureTable table = FeatureTable.builder(20_000).numeric("x", new double[20_000]).build();
        FeatureTable bad = FeatureTable.builder(20_000).numeric("y", new double[20_000]).build();
        try (HybridFeatures hybrid = HybridFeatures.fit(null, table, null, null)) {
            long before = 0;
            for (int round = 0; round < 3500; ++round) {
                if (round == 500) before = residentBytes();
                if (round % 2 == 0) {
                    hybrid.transform(null, table, null);
                } else {
                    assertThrows(CoveyException.class, () -> hybrid.transform(null, bad, null));
                }
                if (round % 100 == 0) System.gc();
            }
            long grown = residentBytes() - before;
            assertTrue(grown < 150_000_000, "grown by " + grown + " bytes");
        }
    }

    private static long residentBytes() throws Exception {
        return Long.parseLong(Files.readString(Path.of("/proc/self/statm")).split(" ")[1]) * 4096;
    }
}
