package covey;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Optional;

/** The result of a training, and the encoder with the best weights; made by {@link SequenceEncoder#train}. */
public final class Training extends NativeObject {
    private Training(long address) { super("Training", address, Native::trainingDestroy); }

    static Training run(Sequences sequences, Vocabulary vocabulary, TrainingOptions options, Context context) {
        Objects.requireNonNull(sequences, "sequences");
        Objects.requireNonNull(vocabulary, "vocabulary");
        TrainingOptions chosen = options == null ? TrainingOptions.defaults() : options;
        List<Vocabulary> categories = chosen.categoricalVocabularies();
        if (sequences.categorical.length != (categories == null ? 0 : categories.size())) {
            throw new CoveyException(StatusCode.MISMATCH,
                                     "there are " + sequences.categorical.length + " categorical channels and " +
                                         (categories == null ? 0 : categories.size()) + " vocabularies");
        }
        byte[] numericNames = names(chosen.numericNames(), sequences.numeric.length, "numeric");
        byte[] categoricalNames = names(chosen.categoricalNames(), sequences.categorical.length, "categorical");
        Path checkpoint = chosen.checkpoint();
        byte[] path = checkpoint == null ? null : Text.encode(checkpoint);
        List<Use> uses = new ArrayList<>();
        long[] result = new long[1];
        try (Use with = Use.of(context); Use words = vocabulary.use()) {
            long[] addresses = new long[sequences.categorical.length];
            for (int channel = 0; channel < addresses.length; ++channel) {
                Use use = categories.get(channel).use();
                uses.add(use);
                addresses[channel] = use.address();
            }
            Native.encoderTrain(with.address(), sequences, words.address(), chosen.integers(), chosen.reals(),
                                numericNames, categoricalNames, addresses, path, chosen.listener(), result);
            return new Training(result[0]);
        } catch (CoveyException failure) {
            if (result[0] != 0) failure.training = new Training(result[0]);
            throw failure;
        } finally { uses.forEach(Use::close); }
    }

    private static byte[] names(List<String> names, int count, String kind) {
        if (names == null) return null;
        if (names.size() != count) {
            throw new CoveyException(StatusCode.MISMATCH,
                                     "there are " + count + " " + kind + " channels and " + names.size() + " names");
        }
        return Text.join(names, kind + " names");
    }

    /**
     * The encoder with the best weights; empty if the training ended before there were any. It keeps the memory of this
     * training.
     */
    public Optional<SequenceEncoder> encoder() {
        try (Use self = use()) {
            long address = Native.trainingEncoder(self.address());
            return address == 0 ? Optional.empty() : Optional.of(SequenceEncoder.borrow(handle, address));
        }
    }

    /** The number of steps done. */
    public long steps() {
        try (Use self = use()) {
            return Native.trainingSteps(self.address());
        }
    }

    /** The step whose weights the encoder has. */
    public long bestStep() {
        try (Use self = use()) {
            return Native.trainingBestStep(self.address());
        }
    }

    /** The epochs that were completed. */
    public List<Epoch> epochs() {
        try (Use self = use()) {
            Epoch[] epochs = new Epoch[(int)Native.trainingEpochs(self.address())];
            double[] x = new double[4];
            for (int epoch = 0; epoch < epochs.length; ++epoch) {
                Native.trainingGet(self.address(), epoch, x);
                epochs[epoch] = new Epoch(x[0], x[1], x[2], x[3]);
            }
            return List.of(epochs);
        }
    }

    /**
     * The results of an epoch.
     *
     * @param loss the mean over the training sequences
     * @param heldOutLoss the mean over the held-out sequences; NaN if nothing is held out
     * @param seconds the duration of the epoch
     * @param sequencesPerSecond the training sequences per second
     */
    public record Epoch(double loss, double heldOutLoss, double seconds, double sequencesPerSecond) {}
}
