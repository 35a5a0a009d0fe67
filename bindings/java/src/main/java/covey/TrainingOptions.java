package covey;

import java.nio.file.Path;
import java.util.List;

/**
 * The options of a training. {@link Builder} describes the fields, and covey.h, section 6, describes the objectives.
 */
public record
    TrainingOptions(long embeddingSize, long categoryEmbeddingSize, long hiddenSize, long attentionSize, long dimension,
                    double nextEvent, double maskedEvent, double autoencoder, double contrastive, long epochs,
                    long batchSize, double learningRate, double weightDecay, double clip, double warmUp, double dropout,
                    double unknown, double maskShare, long slices, double margin, double heldOut, long patience,
                    long window, long seed, List<String> numericNames, List<String> categoricalNames,
                    List<Vocabulary> categoricalVocabularies, Path checkpoint, long checkpointSteps,
                    TrainingListener listener, long epochSequences) {

    /** The integer options in the order in which training.c reads them. */
    long[] integers() {
        return new long[] {embeddingSize, categoryEmbeddingSize,
                           hiddenSize,    attentionSize,
                           dimension,     epochs,
                           batchSize,     slices,
                           patience,      window,
                           seed,          checkpointSteps,
                           epochSequences};
    }

    /** The real options in the order in which training.c reads them. */
    double[] reals() {
        return new double[] {nextEvent, maskedEvent, autoencoder, contrastive, learningRate, weightDecay, clip,
                             warmUp,    dropout,     unknown,     maskShare,   margin,       heldOut};
    }

    /** Returns the defaults. */
    public static TrainingOptions defaults() { return builder().build(); }

    /** Creates a builder with the defaults. */
    public static Builder builder() { return new Builder(); }

    /** The fields and their defaults. */
    public static final class Builder {
        private long embeddingSize = 32;
        private long categoryEmbeddingSize = 8;
        private long hiddenSize = 64;
        private long attentionSize = 64;
        private long dimension;
        private double nextEvent = 1;
        private double maskedEvent;
        private double autoencoder = 1;
        private double contrastive;
        private long epochs = 20;
        private long batchSize = 128;
        private double learningRate = 0.003;
        private double weightDecay = 0.01;
        private double clip = 1;
        private double warmUp = 0.05;
        private double dropout = 0.1;
        private double unknown = 0.02;
        private double maskShare = 0.15;
        private long slices = 4;
        private double margin = 0.5;
        private double heldOut = 0.05;
        private long patience = 5;
        private long window = 1024;
        private long seed;
        private List<String> numericNames;
        private List<String> categoricalNames;
        private List<Vocabulary> categoricalVocabularies;
        private Path checkpoint;
        private long checkpointSteps = 1000;
        private TrainingListener listener;
        private long epochSequences = 20_000;

        private Builder() {}

        /** The length of the embedding of an event type, 1 to 4,096; default 32. */
        public Builder embeddingSize(long embeddingSize) {
            this.embeddingSize = embeddingSize;
            return this;
        }

        /** The length of the embedding of a category, 1 to 4,096; default 8. */
        public Builder categoryEmbeddingSize(long categoryEmbeddingSize) {
            this.categoryEmbeddingSize = categoryEmbeddingSize;
            return this;
        }

        /** The number of hidden units in each direction, 1 to 4,096; default 64. */
        public Builder hiddenSize(long hiddenSize) {
            this.hiddenSize = hiddenSize;
            return this;
        }

        /** The number of attention units, 1 to 4,096; default 64. */
        public Builder attentionSize(long attentionSize) {
            this.attentionSize = attentionSize;
            return this;
        }

        /** The length of an embedding, 1 to 65,536; 0 (default) means twice the hidden size, without a projection. */
        public Builder dimension(long dimension) {
            this.dimension = dimension;
            return this;
        }

        /** The weight of the objective that predicts neighbouring events, 0 to 1e6; default 1. */
        public Builder nextEvent(double nextEvent) {
            this.nextEvent = nextEvent;
            return this;
        }

        /** The weight of the objective that predicts masked events, 0 to 1e6; default 0. */
        public Builder maskedEvent(double maskedEvent) {
            this.maskedEvent = maskedEvent;
            return this;
        }

        /** The weight of the objective that decodes the sequence from its embedding, 0 to 1e6; default 1. */
        public Builder autoencoder(double autoencoder) {
            this.autoencoder = autoencoder;
            return this;
        }

        /** The weight of CoLES, 0 to 1e6; default 0. */
        public Builder contrastive(double contrastive) {
            this.contrastive = contrastive;
            return this;
        }

        /** The number of epochs, 1 to 1,000,000; default 20. */
        public Builder epochs(long epochs) {
            this.epochs = epochs;
            return this;
        }

        /** The number of sequences in a step, 1 to 65,536; default 128. */
        public Builder batchSize(long batchSize) {
            this.batchSize = batchSize;
            return this;
        }

        /** The largest learning rate; finite, above 0; default 0.003. */
        public Builder learningRate(double learningRate) {
            this.learningRate = learningRate;
            return this;
        }

        /** The weight decay, which is multiplied by the learning rate; 0 to 1; default 0.01. */
        public Builder weightDecay(double weightDecay) {
            this.weightDecay = weightDecay;
            return this;
        }

        /** The largest norm of the gradient; above 0, may be infinite; default 1. */
        public Builder clip(double clip) {
            this.clip = clip;
            return this;
        }

        /** The share of the steps in which the learning rate increases, 0 to 1; default 0.05. */
        public Builder warmUp(double warmUp) {
            this.warmUp = warmUp;
            return this;
        }

        /** The share of the states that are dropped before predictions, at least 0 and below 1; default 0.1. */
        public Builder dropout(double dropout) {
            this.dropout = dropout;
            return this;
        }

        /** The share of the events that get the unknown type in training, at least 0 and below 1; default 0.02. */
        public Builder unknown(double unknown) {
            this.unknown = unknown;
            return this;
        }

        /** The share of the events that are masked, above 0 and below 1; default 0.15. */
        public Builder maskShare(double maskShare) {
            this.maskShare = maskShare;
            return this;
        }

        /** The number of views of a sequence in CoLES, 2 to 64; default 4. */
        public Builder slices(long slices) {
            this.slices = slices;
            return this;
        }

        /** The margin of CoLES; finite, above 0; default 0.5. */
        public Builder margin(double margin) {
            this.margin = margin;
            return this;
        }

        /** The share of the sequences that are held out for evaluation, at least 0 and below 1; default 0.05. */
        public Builder heldOut(double heldOut) {
            this.heldOut = heldOut;
            return this;
        }

        /** The training stops after this number of epochs without a better held-out loss; 0 means never; default 5. */
        public Builder patience(long patience) {
            this.patience = patience;
            return this;
        }

        /** The largest number of events of a sequence that a step reads, 2 to 1,000,000; default 1024. */
        public Builder window(long window) {
            this.window = window;
            return this;
        }

        /** The seed, as an unsigned number; default 0. */
        public Builder seed(long seed) {
            this.seed = seed;
            return this;
        }

        /** A name for each numeric channel; null means "numeric 0", "numeric 1" and so on. */
        public Builder numericNames(List<String> numericNames) {
            this.numericNames = numericNames;
            return this;
        }

        /** A name for each categorical channel; null means "categorical 0", "categorical 1" and so on. */
        public Builder categoricalNames(List<String> categoricalNames) {
            this.categoricalNames = categoricalNames;
            return this;
        }

        /** A vocabulary for each categorical channel. */
        public Builder categoricalVocabularies(List<Vocabulary> categoricalVocabularies) {
            this.categoricalVocabularies = categoricalVocabularies;
            return this;
        }

        /** The file of the checkpoint, from which a killed training can continue; null means no checkpoint. */
        public Builder checkpoint(Path checkpoint) {
            this.checkpoint = checkpoint;
            return this;
        }

        /** The number of steps between two checkpoints, at least 1; default 1000. There is one after each epoch too. */
        public Builder checkpointSteps(long checkpointSteps) {
            this.checkpointSteps = checkpointSteps;
            return this;
        }

        /** The listener that receives the progress; null means none. */
        public Builder listener(TrainingListener listener) {
            this.listener = listener;
            return this;
        }

        /**
         * The largest number of sequences of an epoch, which are drawn anew for each; 0 means all; default 20,000. It
         * bounds the time, however many sequences there are.
         */
        public Builder epochSequences(long epochSequences) {
            this.epochSequences = epochSequences;
            return this;
        }

        /** Returns the options. The call that uses them checks their ranges. */
        public TrainingOptions build() {
            return new TrainingOptions(embeddingSize, categoryEmbeddingSize, hiddenSize, attentionSize, dimension,
                                       nextEvent, maskedEvent, autoencoder, contrastive, epochs, batchSize,
                                       learningRate, weightDecay, clip, warmUp, dropout, unknown, maskShare, slices,
                                       margin, heldOut, patience, window, seed, numericNames, categoricalNames,
                                       categoricalVocabularies, checkpoint, checkpointSteps, listener, epochSequences);
        }
    }
}
