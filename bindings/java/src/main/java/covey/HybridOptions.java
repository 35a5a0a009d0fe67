package covey;

/**
 * Options that control how embeddings and features are joined. {@link Builder} describes the fields.
 *
 * @param columnWeights one for each feature column, or null
 */
public record HybridOptions(Scaling scaling, Missing missing, long embeddingComponents, double embeddingWeight,
                            double featureWeight, double clip, double[] columnWeights) {

    /** The scaling of numeric columns. */
    public enum Scaling {
        /** No scaling. */
        NONE,
        /** (x - mean) / standard deviation. */
        STANDARD,
        /** (x - median) / (q75 - q25). If the quartiles are equal, the standard deviation replaces their difference. */
        ROBUST,
        /** The normal quantile of the share of values below, divided by 1.349. So no value is far from the others. */
        QUANTILE,
        /** ROBUST on sign(x) log(1 + |x| / u), u = max(|median|, q75 - q25). */
        LOG,
        /** For each column ROBUST, LOG or QUANTILE, chosen by the shape of its distribution. */
        AUTO
    }

    /** The replacement of a missing value. */
    public enum Missing {
        /** None: a missing value gives INVALID_DATA. */
        REJECT,
        /** The median of the fitted column. */
        MEDIAN,
        /** The median, and a 0/1 column "missing" for each feature that had a missing value when it was fitted. */
        INDICATOR
    }

    /** Returns the defaults. */
    public static HybridOptions defaults() { return builder().build(); }

    /** Creates a builder with the defaults. */
    public static Builder builder() { return new Builder(); }

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

        /** The scaling of numeric columns; default ROBUST. */
        public Builder scaling(Scaling scaling) {
            this.scaling = scaling;
            return this;
        }

        /** The replacement of missing values; default MEDIAN. */
        public Builder missing(Missing missing) {
            this.missing = missing;
            return this;
        }

        /**
         * The number of principal components of the embeddings to keep, 0 to d; 0 (default) means all columns,
         * unrotated.
         */
        public Builder embeddingComponents(long components) {
            embeddingComponents = components;
            return this;
        }

        /** The weight of the embeddings; finite, at least 0; default 1. */
        public Builder embeddingWeight(double weight) {
            embeddingWeight = weight;
            return this;
        }

        /** The weight of the features; finite, at least 0; default 1. */
        public Builder featureWeight(double weight) {
            featureWeight = weight;
            return this;
        }

        /** Scaled numbers are limited to [-clip, clip]; above 0; default 10. */
        public Builder clip(double clip) {
            this.clip = clip;
            return this;
        }

        /** A weight for each feature column, finite, at least 0; null (default) means 1 for all. */
        public Builder columnWeights(double... weights) {
            columnWeights = weights == null ? null : weights.clone();
            return this;
        }

        /** Returns the options. The call that uses them checks their ranges. */
        public HybridOptions build() {
            return new HybridOptions(scaling, missing, embeddingComponents, embeddingWeight, featureWeight, clip,
                                     columnWeights);
        }
    }
}
