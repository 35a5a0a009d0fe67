package covey;

import java.util.Objects;

/** The options of {@link Engine#explain}. {@link Builder} describes the fields. */
public record
    ExplainOptions(Explained explained, Method method, long cluster, long largestParts, long permutations,
                   long largestSteps, long seed, boolean features, boolean faithfulness, boolean sensitivity) {
    /** The number that is explained. The order is that of COVEY_EXPLAINED_. */
    public enum Explained {
        /** The distance to the exemplar of the cluster that is nearest to the transaction. */
        EXEMPLAR,
        /** The distance to the mean of the cluster's rows. */
        CENTRE,
        /** The membership in the cluster, 0 to 1. */
        MEMBERSHIP,
        /** The engine's risk. */
        RISK,
        /** What sets the cluster apart: a linear discriminant, 0 at the mean of all other rows and 1 at its own. */
        CONTRAST
    }

    /** How events get their attributions. The order is that of COVEY_ATTRIBUTION_, from -1. */
    public enum Method {
        /** {@link #OCCLUSION}. */
        AUTO,
        /** The value less that without the event. */
        OCCLUSION,
        /** Sampled Shapley values, with standard errors. They add up to the value less that without events. */
        SHAPLEY,
        /**
         * Integrated gradients, for distances and contrasts. They add up within 1 % to the value less that of a
         * baseline.
         */
        GRADIENTS
    }

    /** Throws if an argument is null. */
    public ExplainOptions {
        Objects.requireNonNull(explained, "explained");
        Objects.requireNonNull(method, "method");
    }

    /** Returns the defaults. */
    public static ExplainOptions defaults() { return builder().build(); }

    /** Creates a builder with the defaults. */
    public static Builder builder() { return new Builder(); }

    long[] integers() {
        return new long[] {explained.ordinal(),  method.ordinal() - 1, cluster, largestParts,
                           permutations,         largestSteps,         seed,    features ? 1 : 0,
                           faithfulness ? 1 : 0, sensitivity ? 1 : 0};
    }

    /** The fields and their defaults. */
    public static final class Builder {
        private Explained explained = Explained.CONTRAST;
        private Method method = Method.AUTO;
        private long cluster = -1;
        private long largestParts = 256;
        private long permutations = 32;
        private long largestSteps = 256;
        private long seed;
        private boolean features = true;
        private boolean faithfulness = true;
        private boolean sensitivity;

        private Builder() {}

        /** The number that is explained; default CONTRAST. */
        public Builder explained(Explained explained) {
            this.explained = explained;
            return this;
        }

        /** How events get their attributions; default AUTO. */
        public Builder method(Method method) {
            this.method = method;
            return this;
        }

        /**
         * The cluster; -1 (default) means the one that the transaction behaves like, and if it behaves like none, that
         * of the nearest exemplar. It is -1 for RISK.
         */
        public Builder cluster(long cluster) {
            this.cluster = cluster;
            return this;
        }

        /**
         * The largest number of parts, 1 to 4,096; default 256. A sequence with more events is divided into this number
         * of runs of consecutive events. The events of a run share its attribution equally.
         */
        public Builder largestParts(long largestParts) {
            this.largestParts = largestParts;
            return this;
        }

        /** The sampled orders of SHAPLEY; even, 4 to 65,536; default 32. */
        public Builder permutations(long permutations) {
            this.permutations = permutations;
            return this;
        }

        /** The most points on the path of GRADIENTS, 4 to 4,096; default 256. */
        public Builder largestSteps(long largestSteps) {
            this.largestSteps = largestSteps;
            return this;
        }

        /** The seed of SHAPLEY; default 0. */
        public Builder seed(long seed) {
            this.seed = seed;
            return this;
        }

        /** If true (default), features are explained too. */
        public Builder features(boolean features) {
            this.features = features;
            return this;
        }

        /** If true (default), the figures of faithfulness are measured. */
        public Builder faithfulness(boolean faithfulness) {
            this.faithfulness = faithfulness;
            return this;
        }

        /** If true, the sensitivity is measured, at four times the cost of the attributions; default false. */
        public Builder sensitivity(boolean sensitivity) {
            this.sensitivity = sensitivity;
            return this;
        }

        /** Returns the options. */
        public ExplainOptions build() {
            return new ExplainOptions(explained, method, cluster, largestParts, permutations, largestSteps, seed,
                                      features, faithfulness, sensitivity);
        }
    }
}
