package covey;

import java.nio.FloatBuffer;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;

/** A bidirectional LSTM with time attention that turns a sequence of events into a vector. */
public final class SequenceEncoder extends NativeObject {
    private SequenceEncoder(long address) {
        super("SequenceEncoder", address, Native::encoderDestroy);
    }

    /** Borrowed from `owner`, of which it holds a use until it is freed itself. */
    private SequenceEncoder(long address, Handle owner) {
        super("SequenceEncoder", address, borrowed -> owner.release());
    }

    static SequenceEncoder borrow(Handle owner, long address) {
        owner.acquire();
        return new SequenceEncoder(address, owner);
    }

    /** How embeddings are computed. The order is that of COVEY_PRECISION_. */
    public enum Precision {
        /** Within 1e-5 of the model's equations. */
        FLOAT32,
        /** Within 2e-3, and about twice as fast where the processor has AVX512_BF16; on others as FLOAT32. */
        BFLOAT16
    }

    /** As {@link #load(Path, Context)} with the defaults. */
    public static SequenceEncoder load(Path path) {
        return load(path, null);
    }

    /**
     * Reads an encoder from a safetensors file, which may come from PyTorch.
     *
     * @throws CoveyException IO, CORRUPT_FILE (names the tensor or the entry), UNSUPPORTED, OUT_OF_MEMORY
     */
    public static SequenceEncoder load(Path path, Context context) {
        byte[] name = Text.encode(path);
        try (Use with = Use.of(context)) {
            return new SequenceEncoder(Native.encoderLoad(with.address(), name));
        }
    }

    /** As {@link #train(Sequences, Vocabulary, TrainingOptions, Context)} with the defaults. */
    public static Training train(Sequences sequences, Vocabulary vocabulary) {
        return train(sequences, vocabulary, null, null);
    }

    /**
     * Trains an encoder, without labels. The same input, options and seed give the same weights for any number of threads.
     *
     * @param vocabulary the event types that the sequences' types are indices of
     * @param options null = the defaults
     * @param context null = the defaults
     * @throws CoveyException INVALID_ARGUMENT, INVALID_DATA (no events; a loss that is not finite), MISMATCH (another
     *     training's checkpoint), CORRUPT_FILE, IO, OUT_OF_MEMORY, CANCELLED. Where the training had begun,
     *     {@link CoveyException#training} has the best encoder so far.
     */
    public static Training train(Sequences sequences, Vocabulary vocabulary, TrainingOptions options, Context context) {
        return Training.run(sequences, vocabulary, options, context);
    }

    /**
     * Writes the encoder, atomically: {@code path} holds the old or the new file, whole.
     *
     * @throws CoveyException IO
     */
    public void save(Path path) {
        save(path, null);
    }

    /**
     * As {@link #save(Path)}. A file that is replaced keeps its mode and owner; a symbolic link is followed.
     *
     * @param context null = the defaults
     * @throws CoveyException IO, OUT_OF_MEMORY, CANCELLED
     */
    public void save(Path path, Context context) {
        byte[] name = Text.encode(path);
        try (Use self = use();
                Use with = Use.of(context)) {
            Native.encoderSave(self.address(), with.address(), name);
        }
    }

    /** The length d of an embedding. */
    public int dimension() {
        try (Use self = use()) {
            return (int) Native.encoderDimension(self.address());
        }
    }

    /** The event vocabulary. It keeps the encoder's memory until it is closed itself. */
    public Vocabulary vocabulary() {
        try (Use self = use()) {
            return Vocabulary.borrow(handle, Native.encoderVocabulary(self.address()));
        }
    }

    /** Whether the model uses dwell; then sequences must have it. */
    public boolean usesDwell() {
        try (Use self = use()) {
            return Native.encoderUsesDwell(self.address());
        }
    }

    /** The numeric channels that sequences must have, in order. */
    public List<String> numericNames() {
        try (Use self = use()) {
            String[] names = new String[(int) Native.encoderNumericCount(self.address())];
            for (int channel = 0; channel < names.length; ++channel) {
                names[channel] = Text.decode(Native.encoderNumericName(self.address(), channel));
            }
            return List.of(names);
        }
    }

    /** The categorical channels that sequences must have, in order. */
    public List<String> categoricalNames() {
        try (Use self = use()) {
            String[] names = new String[(int) Native.encoderCategoricalCount(self.address())];
            for (int channel = 0; channel < names.length; ++channel) {
                names[channel] = Text.decode(Native.encoderCategoricalName(self.address(), channel));
            }
            return List.of(names);
        }
    }

    /**
     * A categorical channel's vocabulary. It keeps the encoder's memory until it is closed itself.
     *
     * @throws IndexOutOfBoundsException outside the channels
     */
    public Vocabulary categoricalVocabulary(int channel) {
        try (Use self = use()) {
            Objects.checkIndex(channel, (int) Native.encoderCategoricalCount(self.address()));
            return Vocabulary.borrow(handle, Native.encoderCategoricalVocabulary(self.address(), channel));
        }
    }

    /** As {@link #embed(Sequences, Context)} with the defaults. */
    public Matrix embed(Sequences sequences) {
        return embed(sequences, null);
    }

    /**
     * One embedding a sequence: count x d, float32. The same bytes for any number of threads and in any batch. Cost:
     * O(events * H^2) for a hidden size of H.
     *
     * @throws CoveyException INVALID_DATA (offsets, times, dwell, infinite channels), MISMATCH (channels, lengths),
     *     OUT_OF_MEMORY, CANCELLED
     */
    public Matrix embed(Sequences sequences, Context context) {
        return embed(sequences, context, Precision.FLOAT32);
    }

    /** Likewise, in a precision; the same bytes in any batch in each of them. */
    public Matrix embed(Sequences sequences, Context context, Precision precision) {
        return embed(sequences, context, precision, false).embeddings();
    }

    /** Likewise, with the attention of each event. */
    public Embedded embedWithAttention(Sequences sequences, Context context) {
        return embedWithAttention(sequences, context, Precision.FLOAT32);
    }

    /** Likewise, in a precision. */
    public Embedded embedWithAttention(Sequences sequences, Context context, Precision precision) {
        return embed(sequences, context, precision, true);
    }

    /**
     * Likewise, into what remains of a direct buffer in native byte order, without a copy.
     *
     * @throws CoveyException also BUFFER_TOO_SMALL
     */
    public void embed(Sequences sequences, Context context, FloatBuffer embeddings) {
        embed(sequences, context, Precision.FLOAT32, embeddings);
    }

    /** Likewise, in a precision. */
    public void embed(Sequences sequences, Context context, Precision precision, FloatBuffer embeddings) {
        Objects.requireNonNull(sequences, "sequences");
        requireWritable(embeddings);
        try (Use self = use();
                Use with = Use.of(context)) {
            Native.encoderEmbed(
                    self.address(),
                    with.address(),
                    sequences,
                    precision.ordinal(),
                    Numbers.direct(embeddings, "embeddings"),
                    null);
        }
    }

    static void requireWritable(FloatBuffer buffer) {
        if (buffer.isReadOnly()) {
            throw new CoveyException(StatusCode.INVALID_ARGUMENT, "the output must not be a read-only buffer");
        }
    }

    private Embedded embed(Sequences sequences, Context context, Precision precision, boolean withAttention) {
        Objects.requireNonNull(sequences, "sequences");
        try (Use self = use();
                Use with = Use.of(context)) {
            int dimension = (int) Native.encoderDimension(self.address());
            float[] embeddings = new float[Text.size(sequences.count(), dimension, "embeddings")];
            float[] attention = withAttention ? new float[sequences.attentionLength()] : null;
            Native.encoderEmbed(
                    self.address(), with.address(), sequences, precision.ordinal(), embeddings, attention);
            return new Embedded(Matrix.of(embeddings, sequences.count(), dimension), attention);
        }
    }

    /**
     * Embeddings and what they looked at.
     *
     * @param embeddings count x d, float32
     * @param attention one weight for each event from the first offset to the last, in the given order, 0 to 1; they sum to
     *     1 in each sequence
     */
    public record Embedded(Matrix embeddings, float[] attention) {}
}
