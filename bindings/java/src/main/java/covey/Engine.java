package covey;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Optional;

/** All that is needed to score a transaction, in one file: encoder, scaling, clustering, risk and rules. */
public final class Engine extends NativeObject {
    private Engine(long address) { super("Engine", address, Native::engineDestroy); }

    /** Borrows the engine of `owner`. It holds a use of the owner until it is freed itself. */
    private Engine(long address, Handle owner) { super("Engine", address, borrowed -> owner.release()); }

    static Engine borrow(Handle owner, long address) {
        owner.acquire();
        return new Engine(address, owner);
    }

    /** Creates a builder. The hybrid features, the clustering and the risk must be given. */
    public static Builder builder() { return new Builder(); }

    /** The same as {@link #load(Path, Context)}, with the defaults. */
    public static Engine load(Path path) { return load(path, null); }

    /** Reads an engine. @throws CoveyException IO, CORRUPT_FILE, UNSUPPORTED, OUT_OF_MEMORY */
    public static Engine load(Path path, Context context) {
        byte[] name = Text.encode(path);
        try (Use with = Use.of(context)) {
            return new Engine(Native.engineLoad(with.address(), name));
        }
    }

    /**
     * Writes the engine. The write is atomic: {@code path} has the complete old or the complete new file.
     * @throws CoveyException IO
     */
    public void save(Path path) { save(path, null); }

    /**
     * The same as {@link #save(Path)}. A file that is replaced keeps its mode and owner. Symbolic links are followed.
     *
     * @param context null means the defaults
     * @throws CoveyException IO, OUT_OF_MEMORY, CANCELLED
     */
    public void save(Path path, Context context) {
        byte[] name = Text.encode(path);
        try (Use self = use(); Use with = Use.of(context)) {
            Native.engineSave(self.address(), with.address(), name);
        }
    }

    /** The bytes of the engine's file, for a database or an object store; {@link #fromBytes} reads them. */
    public byte[] toBytes() { return toBytes(null); }

    /** The same as {@link #toBytes()}. @param context null means the defaults */
    public byte[] toBytes(Context context) { return text(0, context); }

    /** Reads what {@link #toBytes} gave. @throws CoveyException CORRUPT_FILE, UNSUPPORTED, OUT_OF_MEMORY */
    public static Engine fromBytes(byte[] bytes) { return fromBytes(bytes, null); }

    /** The same as {@link #fromBytes(byte[])}. @param context null means the defaults */
    public static Engine fromBytes(byte[] bytes, Context context) {
        Objects.requireNonNull(bytes, "bytes");
        try (Use with = Use.of(context)) {
            return new Engine(Native.engineRead(with.address(), bytes));
        }
    }

    /** The feature columns as a JSON Schema (draft 2020-12) of one transaction's features. */
    public String schema() { return schema(null); }

    /** The same as {@link #schema()}. @param context null means the defaults */
    public String schema(Context context) { return Text.decode(text(1, context)); }

    /** 16 hexadecimal digits that engines of the same content share. O(size of the file). */
    public String hash() { return hash(null); }

    /** The same as {@link #hash()}. @param context null means the defaults */
    public String hash(Context context) { return Text.decode(text(2, context)); }

    private byte[] text(int what, Context context) {
        try (Use self = use(); Use with = Use.of(context)) {
            return Native.engineText(self.address(), with.address(), what);
        }
    }

    /** Rows of the clustering inside. */
    public long rows() {
        try (Use self = use()) {
            return Native.engineRows(self.address());
        }
    }

    /**
     * The same engine with new labels of the rows that its clustering was made of, in their order: risk is worked out
     * again, all else stays.
     *
     * @param fraud one a row
     * @param amounts one a row, or null
     * @param times one a row, or null
     * @throws CoveyException MISMATCH, INVALID_DATA
     */
    public Engine rerate(byte[] fraud, double[] amounts, double[] times) { return rerate(fraud, amounts, times, null); }

    /** The same as {@link #rerate(byte[], double[], double[])}. @param context null means the defaults */
    public Engine rerate(byte[] fraud, double[] amounts, double[] times, Context context) {
        Objects.requireNonNull(fraud, "fraud");
        try (Use self = use(); Use with = Use.of(context)) {
            return new Engine(Native.engineRerate(self.address(), with.address(), fraud, amounts, times));
        }
    }

    /** The encoder inside, where there is one. It keeps the engine's memory until it is closed itself. */
    public Optional<SequenceEncoder> encoder() {
        try (Use self = use()) {
            long address = Native.engineEncoder(self.address());
            return address == 0 ? Optional.empty() : Optional.of(SequenceEncoder.borrow(handle, address));
        }
    }

    /** The feature columns that scoring needs: those of the hybrid features, then those that only rules use. */
    public List<Feature> features() {
        try (Use self = use()) {
            Feature[] features = new Feature[(int)Native.engineFeatureCount(self.address())];
            for (int index = 0; index < features.length; ++index) {
                features[index] =
                    new Feature(Text.decode(Native.engineFeatureName(self.address(), index)),
                                FeatureTable.Kind.values()[Native.engineFeatureKind(self.address(), index)]);
            }
            return List.of(features);
        }
    }

    /** The index in {@link #features} of a column; -1 if scoring needs none of this name. For {@link Scorer}. */
    public int featureIndex(String name) {
        byte[] text = Text.encode(name, "name");
        try (Use self = use()) {
            return (int)Native.engineFeatureIndex(self.address(), text);
        }
    }

    /**
     * Scores transactions. The score of a transaction does not depend on the other transactions of the batch.
     *
     * <p>risk = max(strength * share(cluster) + (1 - strength) * base, precision of the best rule that fires). share is
     * the cluster's share of fraud; if no row of it is labelled, it is the base rate. base is the base rate of the
     * labelled rows. A rule counts with its precision * the share of the cluster that it describes.
     *
     * @param sequences one for each transaction; null if the engine has no encoder
     * @param features one row for each transaction
     * @param context null means the defaults
     * @throws CoveyException MISMATCH, INVALID_DATA, INVALID_ARGUMENT, OUT_OF_MEMORY, CANCELLED
     */
    public Scores score(Sequences sequences, FeatureTable features, Context context) {
        return score(sequences, features, ScoreOptions.defaults(), context);
    }

    /**
     * The same with options: a status for each transaction, the last events alone, a deadline.
     *
     * @throws CoveyException as {@link #score(Sequences, FeatureTable, Context)}; CANCELLED after the deadline
     */
    public Scores score(Sequences sequences, FeatureTable features, ScoreOptions options, Context context) {
        try (Use self = use(); Use with = Use.of(context)) {
            return new Scores(scored(self, with, sequences, features, options, options.keepsGoing()));
        }
    }

    private static long scored(Use self, Use with, Sequences sequences, FeatureTable features, ScoreOptions options,
                               boolean keepsGoing) {
        Objects.requireNonNull(features, "features");
        return Native.engineScore(self.address(), with.address(), sequences, features, keepsGoing ? 1 : 0,
                                  options.maxEvents(), options.seconds());
    }

    /**
     * Scores one transaction, like {@link #score}. The result needs no closing.
     *
     * @throws CoveyException MISMATCH unless there is exactly one row
     */
    public Score scoreOne(Sequences sequences, FeatureTable features, Context context) {
        return scoreOne(sequences, features, ScoreOptions.defaults(), context);
    }

    /** The same with options. A transaction that cannot be scored fails the call in any case. */
    public Score scoreOne(Sequences sequences, FeatureTable features, ScoreOptions options, Context context) {
        Objects.requireNonNull(features, "features");
        if (features.rows != 1) {
            throw new CoveyException(StatusCode.MISMATCH, "features must have 1 row, got " + features.rows);
        }
        try (Use self = use(); Use with = Use.of(context)) {
            long scores = scored(self, with, sequences, features, options, false);
            try {
                return Scores.read(scores, 0);
            } finally { Native.scoresDestroy(scores); }
        }
    }

    /**
     * What the engine itself says about one of its clusters, as JSON; covey_engine_profile in covey.h says what it
     * holds.
     *
     * @param context null means the defaults
     * @throws CoveyException INVALID_ARGUMENT for a cluster that the engine does not have
     */
    public String profile(long cluster, Context context) {
        try (Use self = use(); Use with = Use.of(context)) {
            return Text.decode(Native.engineProfile(self.address(), with.address(), cluster));
        }
    }

    /**
     * Finds the cheapest changes of one transaction after which this engine scores it as the options ask for.
     *
     * @param sequences one sequence; null if the engine has no encoder
     * @param features one row
     * @param options what may be changed, at what cost, and what for
     * @param context null means the defaults
     * @return the answers, or why there are none, which is no error
     * @throws CoveyException as {@link #score}; MISMATCH for a feature that the engine does not have, and for more or
     *     less than one transaction
     */
    public Counterfactuals counterfactual(Sequences sequences, FeatureTable features, CounterfactualOptions options,
                                          Context context) {
        Objects.requireNonNull(features, "features");
        try (Use self = use(); Use with = Use.of(context)) {
            long result = Native.counterfactualsFind(self.address(), with.address(), sequences, features,
                                                     options.names(), options.limitReals(), options.limitIntegers(),
                                                     options.categories(), options.integers(), options.reals());
            try {
                return Counterfactuals.read(result);
            } finally { Native.counterfactualsDestroy(result); }
        }
    }

    /**
     * Explains a number that the engine gives each transaction by its events and features: a distance to the
     * transaction's cluster, the membership in it, or the risk. covey.h describes the methods and their figures of
     * faithfulness.
     *
     * @param sequences one for each transaction; null if the engine has no encoder
     * @param features one row for each transaction; null if the engine needs none
     * @param options null means the defaults
     * @param context null means the defaults
     * @throws CoveyException INVALID_ARGUMENT (options out of range, GRADIENTS of a membership or a risk, an unknown
     *     cluster), MISMATCH (an engine without clusters or encoder), INVALID_DATA, OUT_OF_MEMORY, CANCELLED
     */
    public Explanations explain(Sequences sequences, FeatureTable features, ExplainOptions options, Context context) {
        ExplainOptions chosen = options == null ? ExplainOptions.defaults() : options;
        try (Use self = use(); Use with = Use.of(context)) {
            return new Explanations(
                Native.engineExplain(self.address(), with.address(), sequences, features, chosen.integers()));
        }
    }

    /**
     * A column that scoring needs.
     *
     * @param name the name of the column
     * @param kind the kind of its values
     */
    public record Feature(String name, FeatureTable.Kind kind) {}

    /** The parts of an engine. The engine keeps what it needs, so the parts may be closed afterwards. */
    public static final class Builder {
        private SequenceEncoder encoder;
        private HybridFeatures hybrid;
        private Clustering clustering;
        private ClusterRisk risk;
        private final List<RuleSet> rules = new ArrayList<>();
        private final List<Long> ruleClusters = new ArrayList<>();

        private Builder() {}

        /** The encoder; omit it if the hybrid features have no embeddings. */
        public Builder encoder(SequenceEncoder encoder) {
            this.encoder = encoder;
            return this;
        }

        /** The hybrid features; required. */
        public Builder hybrid(HybridFeatures hybrid) {
            this.hybrid = hybrid;
            return this;
        }

        /** The clustering of the rows of these hybrid features, with {@link ClusterOptions#prediction()}; required. */
        public Builder clustering(Clustering clustering) {
            this.clustering = clustering;
            return this;
        }

        /** The risk of the labels of this clustering; required. */
        public Builder risk(ClusterRisk risk) {
            this.risk = risk;
            return this;
        }

        /** Adds a rule set and the cluster that it describes; -1 means no single cluster. */
        public Builder rules(RuleSet rules, long cluster) {
            this.rules.add(Objects.requireNonNull(rules, "rules"));
            ruleClusters.add(cluster);
            return this;
        }

        /** @throws CoveyException INVALID_ARGUMENT, MISMATCH (dimensions, clusters) */
        public Engine build() { return build(null); }

        /**
         * The same as {@link #build()}.
         *
         * @param context null means the defaults
         * @throws CoveyException INVALID_ARGUMENT, MISMATCH (dimensions, clusters), OUT_OF_MEMORY, CANCELLED
         */
        public Engine build(Context context) {
            Objects.requireNonNull(hybrid, "hybrid");
            Objects.requireNonNull(clustering, "clustering");
            Objects.requireNonNull(risk, "risk");
            List<Use> uses = new ArrayList<>();
            try (Use with = Use.of(context); Use ofEncoder = Use.of(encoder); Use ofHybrid = hybrid.use();
                 Use ofClustering = clustering.use(); Use ofRisk = risk.use()) {
                for (RuleSet set : rules) uses.add(set.use());
                return new Engine(Native.engineBuild(with.address(), ofEncoder.address(), ofHybrid.address(),
                                                     ofClustering.address(), ofRisk.address(),
                                                     uses.stream().mapToLong(Use::address).toArray(),
                                                     ruleClusters.stream().mapToLong(Long::longValue).toArray()));
            } finally { uses.forEach(Use::close); }
        }
    }
}
