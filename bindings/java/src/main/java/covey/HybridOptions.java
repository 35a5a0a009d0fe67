package covey;

/**
 * How embeddings and features are joined; see {@link Builder} for the fields.
 *
 * @param columnWeights one for each feature column, or null
 */
public record HybridOptions(
        Scaling scaling,
        Missing missing,
        long embeddingComponents,
        double embeddingWeight,
        double featureWeight,
        double clip,
        double[] columnWeights) {

    /** How numeric columns are scaled. */
    public enum Scaling {
        /** As given. */
        NONE,
        /** (x - mean) / standard deviation. */
        STANDARD,
        /** (x - median) / (q75 - q25); the standard deviation where the quartiles are equal. */
        ROBUST,
        /** The normal quantile of the share of values below, over 1.349: no value is far out. */
        QUANTILE,
        /** ROBUST on sign(x) log(1 + |x| / u), u = max(|median|, q75 - q25). */
        LOG,
        /** For each column the one of ROBUST, LOG and QUANTILE that its shape asks for. */
        AUTO
    }

    /** What stands for a missing value. */
    public enum Missing {
        /** Nothing: it gives INVALID_DATA. */
        REJECT,
        /** The fitted column's median. */
        MEDIAN,
        /** The median, and a 0/1 column "missing" for each feature that had one in fitting. */
        INDICATOR
    }

    /** The defaults. */
    public static HybridOptions defaults() {
        return builder().build();
    }

    /** A builder with the defaults. */
    public static Builder builder() {
        return new Builder();
    }

    /** The fields and their defaults. */
    public static final class Builder {
        private Scaling scaling = Scaling.ROBUST;
        private Missing missing = Missing.MEDIAN;
        private long embeddingComponents;
        private double embeddingWeight = 1;
        private double featureWeight = 1;
        private double clip = 10;
        private double[] columnWeights;

        private Builder() {}

        /** Default ROBUST. */
        public Builder scaling(Scaling scaling) {
            this.scaling = scaling;
            return this;
        }

        /** Default MEDIAN. */
        public Builder missing(Missing missing) {
            this.missing = missing;
            return this;
        }

        /** Principal components kept of the embeddings, 0 to d; 0 (default) = all, unrotated. */
        public Builder embeddingComponents(long components) {
            embeddingComponents = components;
            return this;
        }

        /** Finite, at least 0; default 1. */
        public Builder embeddingWeight(double weight) {
            embeddingWeight = weight;
            return this;
        }

        /** Finite, at least 0; default 1. */
        public Builder featureWeight(double weight) {
            featureWeight = weight;
            return this;
        }

        /** Scaled numbers are held within [-clip, clip]; above 0; default 10. */
        public Builder clip(double clip) {
            this.clip = clip;
            return this;
        }

        /** One for each feature column, finite, at least 0; null (default) = all 1. */
        public Builder columnWeights(double... weights) {
            columnWeights = weights == null ? null : weights.clone();
            return this;
        }

        /** The options; the call that takes them checks their ranges. */
        public HybridOptions build() {
            return new HybridOptions(
                    scaling, missing, embeddingComponents, embeddingWeight, featureWeight, clip, columnWeights);
        }
    }
}
