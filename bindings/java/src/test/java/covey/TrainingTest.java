package covey;

import static org.junit.jupiter.api.Assertions.*;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Training: the same weights each time, a listener that stops it, and what is left then. */
class TrainingTest {
    @TempDir Path folder;

    private final Sequences sequences;

    TrainingTest() {
        int[] types = new int[300], codes = new int[300];
        double[] times = new double[300], numbers = new double[300];
        long[] offsets = new long[31];
        for (int i = 0; i < 300; ++i) {
            types[i] = (i * 7 + i / 5) % 5;
            codes[i] = i % 3;
            times[i] = 3.0 * i;
            numbers[i] = i % 11 == 0 ? Double.NaN : i % 6;
        }
        for (int i = 0; i <= 30; ++i) offsets[i] = 10L * i;
        sequences = Sequences.builder()
                        .offsets(offsets)
                        .types(types)
                        .times(times)
                        .addNumeric(numbers)
                        .addCategorical(codes)
                        .build();
    }

    private TrainingOptions.Builder options(Vocabulary countries) {
        return TrainingOptions.builder()
            .embeddingSize(3)
            .hiddenSize(4)
            .attentionSize(4)
            .dimension(5)
            .epochs(3)
            .batchSize(8)
            .contrastive(1)
            .categoricalVocabularies(List.of(countries))
            .numericNames(List.of("amount"))
            .categoricalNames(List.of("country"));
    }

    @Test
    void trainsAndStops() {
        try (Vocabulary events = Vocabulary.of("a", "b", "c", "d"); Vocabulary countries = Vocabulary.of("NL", "DE");
             Training training = SequenceEncoder.train(sequences, events, options(countries).build(), null);
             SequenceEncoder encoder = training.encoder().orElseThrow()) {
            assertEquals(5, encoder.dimension());
            assertEquals(List.of("amount"), encoder.numericNames());
            assertEquals(List.of("country"), encoder.categoricalNames());
            assertEquals(3, training.epochs().size());
            assertEquals(12, training.steps());
            assertTrue(training.bestStep() % 4 == 0 && training.bestStep() > 0);
            for (Training.Epoch epoch : training.epochs()) {
                assertTrue(Double.isFinite(epoch.loss()) && Double.isFinite(epoch.heldOutLoss()));
                assertTrue(epoch.seconds() > 0 && epoch.sequencesPerSecond() > 0);
            }
            float[] expected = encoder.embed(sequences).floats();

            // Stopped at the end of the second epoch; taken up again from its checkpoint.
            Path checkpoint = folder.resolve("state");
            List<TrainingListener.Progress> told = new ArrayList<>();
            TrainingOptions stopping = options(countries)
                                           .checkpoint(checkpoint)
                                           .listener(progress -> {
                                               told.add(progress);
                                               return progress.epoch() < 2 || Double.isNaN(progress.heldOutLoss());
                                           })
                                           .build();
            CoveyException stopped =
                assertThrows(CoveyException.class, () -> SequenceEncoder.train(sequences, events, stopping, null));
            assertEquals(StatusCode.CANCELLED, stopped.code());
            assertTrue(told.size() >= 2 && told.get(told.size() - 1).step() == 8);
            try (Training partial = stopped.training().orElseThrow();
                 SequenceEncoder best = partial.encoder().orElseThrow()) {
                assertEquals(2, partial.epochs().size());
                assertEquals(30, best.embed(sequences).rows());
            }
            assertTrue(Files.exists(checkpoint));
            try (Training resumed =
                     SequenceEncoder.train(sequences, events, options(countries).checkpoint(checkpoint).build(), null);
                 SequenceEncoder again = resumed.encoder().orElseThrow()) {
                assertArrayEquals(expected, again.embed(sequences).floats());
            }
        }
    }

    @Test
    void exceptionsLeaveTheCall() {
        try (Vocabulary events = Vocabulary.of("a", "b", "c", "d"); Vocabulary countries = Vocabulary.of("NL", "DE")) {
            TrainingOptions options =
                options(countries).listener(progress -> { throw new IllegalStateException("enough"); }).build();
            IllegalStateException thrown = assertThrows(IllegalStateException.class,
                                                        () -> SequenceEncoder.train(sequences, events, options, null));
            assertEquals("enough", thrown.getMessage());
            CoveyException wrong = assertThrows(
                CoveyException.class,
                () -> SequenceEncoder.train(sequences, events, options(countries).hiddenSize(0).build(), null));
            assertEquals("options.hidden_size must be 1 to 4096, got 0", wrong.getMessage());
            assertTrue(wrong.training().isEmpty());
            assertEquals(StatusCode.MISMATCH,
                         assertThrows(CoveyException.class, () -> SequenceEncoder.train(sequences, events)).code());
        }
    }
}
