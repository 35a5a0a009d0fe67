/*
 * covey.h - find fraud rings by how they behave
 * =============================================
 *
 * A transaction comes with the click stream that led to it. Covey turns the stream into a vector, joins it with the
 * features of a risk expert, clusters the rows, finds the risky clusters, describes each of them in rules that a person
 * can read, and scores the next transaction. The method is FinDeepBehaviorCluster (Min et al., arXiv 2101.04285).
 *
 * This header is the specification. It is read in the order of the road:
 *
 *   1. Version      2. Status and errors   3. Context        4. Matrices and tables   5. Vocabulary and sequences
 *   6. Encoder      7. Hybrid features     8. Clustering     9. Cluster risk          10. Rules        11. Engine
 *   12. Find         13. Initialisers
 *
 * covey_find goes the whole road in one call, and is where to start. Four verbs carry it: covey_load_model,
 * covey_embed_sequences, covey_cluster_matrix, covey_extract_rules; the engine then puts the four in one file that
 * scores transactions.
 *
 * Rules that hold for every function
 * ----------------------------------
 * - Status. A function that can fail returns a covey_status. Its last argument is an optional `covey_error **error`. On
 *   failure *error (if error is not NULL) receives an object that the caller frees with covey_error_destroy; on success
 *   it is set to NULL. On failure output handles are set to NULL, and output buffers may be partly written.
 * - Handles are opaque and typed. covey_x_destroy(NULL) does nothing. Handles may be destroyed in any order: a handle
 *   that needs another one keeps it alive. After a failed or cancelled call every handle can still be used.
 * - Threads. Every handle below is immutable, and any number of threads may use it at once, if no thread destroys it at
 *   the same time. A covey_error belongs to the thread that received it.
 * - Borrowing. Input is read during the call and never kept, unless a function says that it copies it. Strings are
 *   UTF-8 and end with NUL. A `const char *` result belongs to the handle that returned it, and is valid as long as
 *   that handle.
 * - Structs. A struct that begins with `size_t struct_size` is versioned: initialise it with its COVEY_..._INIT macro
 *   or its covey_..._init.
 *   Later versions only append fields. A size below the one of version 1.0, above 4096 or no multiple of 8, or unknown
 *   trailing fields that are not zero, give COVEY_INVALID_ARGUMENT. NULL in the place of an options struct means the
 *   defaults. Values out of range are rejected, never clamped. Reserved fields must be zero.
 * - Output. Into the caller's buffers. `capacity` counts elements; too small gives COVEY_BUFFER_TOO_SMALL and writes
 *   nothing.
 * - Contexts. A function whose cost grows with its input takes a covey_context, which bounds its memory and cancels
 *   it. Functions without one say what a handle holds already: they copy at most what the caller's buffer takes.
 * - Stacks. A thread that calls Covey needs 128 KB of stack beside what its callbacks take; Covey's own threads have 1
 *   MB each. A callback must return: to leave it by longjmp or by a C++ exception ends the process.
 * - Names. Names of columns, categories, events and targets come back as they were given; in sentences, reasons and
 *   messages control characters, line breaks and marks of direction are written out ("\n", "\u{1b}"), and a name that
 *   is more than a few plain words stands in quotes.
 * - Bytes. Results do not depend on the number of threads. Embeddings, hybrid rows, trainings, clusterings, scores,
 *   profiles, explanations and what covey_find gives may differ in their last digits between processors with other
 *   instruction sets (SSE, AVX2, AVX-512), as sums are taken in another order there, unless covey_set_instructions says
 *   otherwise. Rules, their evaluation and cluster risk are the same wherever the C library's exp, log and lgamma are;
 *   glibc's differ in the last digit between processors with and without FMA.
 * - Guest. Nothing is printed, no signal handled, no thread outlives its call, no state lives outside handles but the
 *   choice of covey_set_instructions and the permission to use AMX that it describes; works in a child after fork().
 *   Covey reads no environment; the OpenBLAS and Swift
 *   run-time libraries that it is made of read theirs (OPENBLAS_CORETYPE, SWIFT_...) when they are loaded. BLAS runs on
 *   the calling thread or on threads of the call; the host's BLAS and OpenMP settings stay as they are. Calls compute
 *   in the standard floating-point environment (to the nearest, nothing flushed to zero, no traps), callbacks run in
 *   it, and the caller's comes back bit for bit.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef COVEY_H
#define COVEY_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* =================================================================================================== 1. Version === */

#define COVEY_VERSION_MAJOR 1
#define COVEY_VERSION_MINOR 0
#define COVEY_VERSION_PATCH 0

/** The version of the linked library, "major.minor.patch". Static; never freed. */
const char *covey_version(void);

/** The version of the linked library as major * 10000 + minor * 100 + patch. */
int32_t covey_version_number(void);

/* ======================================================================================= 2. Status and errors === */

/** The outcome of a call. Codes never change; new ones may be added. */
typedef int32_t covey_status;

#define COVEY_OK 0                /**< Success. */
#define COVEY_INVALID_ARGUMENT 1  /**< A null pointer, an option out of range, a wrong struct size, a bad enum. */
#define COVEY_INVALID_DATA 2      /**< Input numbers cannot be used: NaN or infinity where they are not allowed, or bad
                                       offsets. */
#define COVEY_MISMATCH 3          /**< Inputs do not fit together or do not fit the model: row counts, columns,
                                       channels. */
#define COVEY_OUT_OF_MEMORY 4     /**< The call needs more memory than the context's budget or the system allows. */
#define COVEY_CANCELLED 5         /**< covey_cancel or the progress callback cancelled the call. */
#define COVEY_IO 6                /**< Opening, reading, writing, syncing or renaming a file failed. */
#define COVEY_CORRUPT_FILE 7      /**< A file or JSON text is truncated, malicious or inconsistent. */
#define COVEY_UNSUPPORTED 8       /**< The input is well formed, but from a newer version, or not supported by this
                                       build. */
#define COVEY_BUFFER_TOO_SMALL 9  /**< The caller's capacity is below the size that the size query returns. */
#define COVEY_INTERNAL 10         /**< A defect in Covey; please report it with the message. */

/** Returns "COVEY_OK", "COVEY_INVALID_ARGUMENT", ...; "COVEY_UNKNOWN" for other values. Static. */
const char *covey_status_name(covey_status status);

/** A failure: a code, and a message that names the field and the value. */
typedef struct covey_error covey_error;

/** Returns the status of the error; COVEY_OK for NULL. */
covey_status covey_error_code(const covey_error *error);

/** Returns the message, for example "min_cluster_size must be at least 2, got 1"; "" for NULL. */
const char *covey_error_message(const covey_error *error);

void covey_error_destroy(covey_error *error);

/** A text (UTF-8) or bytes that a call made. */
typedef struct covey_buffer covey_buffer;

/** The bytes, with a NUL after the last, and how many there are without it; NULL and 0 for NULL. */
const char *covey_buffer_data(const covey_buffer *buffer);
int64_t covey_buffer_size(const covey_buffer *buffer);
void covey_buffer_destroy(covey_buffer *buffer);

/* =================================================================================================== 3. Context === */

/* The instructions that a process computes with. */
#define COVEY_INSTRUCTIONS_ALL 0    /**< All that the processor has, up to AVX-512 and AMX. The default. */
#define COVEY_INSTRUCTIONS_AVX2 1   /**< AVX2 and FMA, and the same loops on every processor that has both. */
#define COVEY_INSTRUCTIONS_NO_AMX 2 /**< All but AMX. Results have the same bytes as with all. */

/** Sets the instructions of the whole process. With COVEY_INSTRUCTIONS_AVX2 all results have the same bytes on every
 *  processor with AVX2 and FMA (Intel since 2013, AMD since 2015) and the same C library; then AVX-512 is not used, and
 *  bfloat16 is computed as float32. On a processor without AVX-512 this costs nothing.
 *
 *  AMX (Intel since Sapphire Rapids) is used by exact clustering of rows in many columns. When such a call begins for
 *  the first time, Covey asks the kernel for permission (arch_prctl, ARCH_REQ_XCOMP_PERM, Linux 5.16), which the whole
 *  process then has. From then on the kernel refuses signal stacks (sigaltstack) that cannot hold the state of AMX,
 *  about 11 KB (getauxval(AT_MINSIGSTKSZ)). If a thread has a smaller one already, the kernel refuses the permission,
 *  and Covey works without AMX. A host that sets up small signal stacks later chooses COVEY_INSTRUCTIONS_NO_AMX.
 *
 *  The first call that takes a context, also NULL, decides on COVEY_INSTRUCTIONS_ALL if nothing is set, so this call
 *  comes before. Later it succeeds only for what is decided already.
 *  Errors: COVEY_INVALID_ARGUMENT (unknown, or too late); COVEY_UNSUPPORTED (the processor lacks AVX2 or FMA). */
covey_status covey_set_instructions(int32_t instructions, covey_error **error);

/** Threads, memory budget, progress and cancellation for the calls that use the context. */
typedef struct covey_context covey_context;

/** Called with the current stage (static text) and the fraction of it that is done, 0 to 1. It is called at most about
 *  50 times a second, and only on the thread that made the Covey call. If the extent of some work is not known, the
 *  last stage and fraction are reported again. A result other than 0 cancels the call with COVEY_CANCELLED. The
 *  callback must not call Covey with the same context, except covey_cancel. */
typedef int32_t (*covey_progress_fn)(void *user_data, const char *stage, double fraction);

typedef struct covey_context_options {
    size_t struct_size;
    int32_t threads;            /**< Threads a call may use, 0 to 1024; 0 = the processors this process may run on. */
    int32_t reserved;           /**< 0. */
    uint64_t memory_budget;     /**< Bytes a call may allocate beside its input; 0 = the least of the machine's memory
                                     and of the limits of this process's control groups. If the address space is
                                     limited (RLIMIT_AS), a call takes no more than what is left of it. */
    covey_progress_fn progress; /**< NULL = none. */
    void *progress_user_data;   /**< Handed to progress. */
} covey_context_options;

#define COVEY_CONTEXT_OPTIONS_INIT {sizeof(covey_context_options), 0, 0, 0, NULL, NULL}

/** Creates a context. Everywhere else NULL in its place means one with these defaults. Results never depend on
 *  `threads`.
 *  Errors: COVEY_INVALID_ARGUMENT. */
covey_status covey_context_create(const covey_context_options *options, covey_context **context, covey_error **error);

/** Cancels every call that is running with this context now, within about 100 ms. Later calls are not affected. Any
 *  thread and a progress callback may call it; a signal handler may not. NULL does nothing. */
void covey_cancel(covey_context *context);

void covey_context_destroy(covey_context *context);

/** A file that the library wrote to memory instead of a disk. Immutable; any number of threads may use it. */
typedef struct covey_bytes covey_bytes;

/** Return the bytes and their number. The bytes are valid as long as the handle. NULL and 0 for NULL. */
const void *covey_bytes_data(const covey_bytes *bytes);
int64_t covey_bytes_size(const covey_bytes *bytes);

void covey_bytes_destroy(covey_bytes *bytes);

/* ======================================================================================= 4. Matrices and tables === */

#define COVEY_FLOAT32 0
#define COVEY_FLOAT64 1

/** A borrowed, row-major matrix. */
typedef struct covey_matrix {
    size_t struct_size;
    const void *data;   /**< rows x columns numbers; may be NULL if rows is 0. */
    int64_t rows;       /**< At least 0. */
    int64_t columns;    /**< 1 to 65,536. */
    int64_t row_stride; /**< Bytes from one row to the next, a multiple of the number's size; 0 means columns * size. */
    int32_t type;       /**< COVEY_FLOAT32 or COVEY_FLOAT64. */
    int32_t reserved;   /**< 0. */
} covey_matrix;

#define COVEY_MATRIX_INIT {sizeof(covey_matrix), NULL, 0, 1, 0, COVEY_FLOAT32, 0}

#define COVEY_NUMERIC 0     /**< values: double; NaN means missing; infinities are refused. */
#define COVEY_CATEGORICAL 1 /**< values: int32_t, an index into categories; -1 means missing. */
#define COVEY_BOOLEAN 2     /**< values: int8_t, 0 or 1; -1 means missing. */
#define COVEY_DATE 3        /**< values: double, seconds since 1970-01-01 UTC, at most 8.64e12 (100,000,000 days) before
                                 or after it; NaN means missing. Rules use the hour and the age of a date; hybrid
                                 features refuse dates. */

/** A borrowed column of expert features. */
typedef struct covey_column {
    const char *name;              /**< Not empty, unique in its table. */
    const void *values;            /**< One for each row, of the type of `kind`. */
    int64_t stride;                /**< Bytes from one value to the next; 0 means contiguous. */
    const char *const *categories; /**< COVEY_CATEGORICAL: the names, unique; otherwise NULL. If there are more than 256
                                        and more than rows, Covey reads only the names of codes that occur. */
    int64_t category_count;        /**< COVEY_CATEGORICAL: the number of names, 0 to 2^31 - 1; otherwise 0. */
    int32_t kind;                  /**< COVEY_NUMERIC, COVEY_CATEGORICAL, COVEY_BOOLEAN or COVEY_DATE. */
    int32_t reserved;              /**< 0. */
} covey_column;

/** A borrowed table of expert features. */
typedef struct covey_table {
    size_t struct_size;
    size_t column_size;          /**< sizeof(covey_column) when the caller was compiled. */
    int64_t rows;                /**< At least 0. */
    int64_t column_count;        /**< 0 to 65,536. */
    const covey_column *columns; /**< column_count columns. */
} covey_table;

#define COVEY_TABLE_INIT {sizeof(covey_table), sizeof(covey_column), 0, 0, NULL}

/* ---------------------------------------------------------------------------------------- Arrow C data interface ---
 * https://arrow.apache.org/docs/format/CDataInterface.html: pyarrow, polars, Arrow Java, DuckDB and others export their
 * tables as these two structs. The guard is the one that the specification prescribes. */
#ifndef ARROW_C_DATA_INTERFACE
#define ARROW_C_DATA_INTERFACE

#define ARROW_FLAG_DICTIONARY_ORDERED 1
#define ARROW_FLAG_NULLABLE 2
#define ARROW_FLAG_MAP_KEYS_SORTED 4

struct ArrowSchema {
    const char *format;
    const char *name;
    const char *metadata;
    int64_t flags;
    int64_t n_children;
    struct ArrowSchema **children;
    struct ArrowSchema *dictionary;
    void (*release)(struct ArrowSchema *);
    void *private_data;
};

struct ArrowArray {
    int64_t length;
    int64_t null_count;
    int64_t offset;
    int64_t n_buffers;
    int64_t n_children;
    const void **buffers;
    struct ArrowArray **children;
    struct ArrowArray *dictionary;
    void (*release)(struct ArrowArray *);
    void *private_data;
};

#endif /* ARROW_C_DATA_INTERFACE */

/* https://arrow.apache.org/docs/format/CStreamInterface.html: batches one after the other. */
#ifndef ARROW_C_STREAM_INTERFACE
#define ARROW_C_STREAM_INTERFACE

struct ArrowArrayStream {
    int (*get_schema)(struct ArrowArrayStream *, struct ArrowSchema *out);
    int (*get_next)(struct ArrowArrayStream *, struct ArrowArray *out);
    const char *(*get_last_error)(struct ArrowArrayStream *);
    void (*release)(struct ArrowArrayStream *);
    void *private_data;
};

#endif /* ARROW_C_STREAM_INTERFACE */

/** A table of expert features that is read from Arrow record batches. */
typedef struct covey_arrow_table covey_arrow_table;

/** Reads a record batch (a struct array, format "+s") as a table.
 *
 *  These types become COVEY_NUMERIC, with 8 bytes for each value:
 *  - float64; it is not copied if it has no nulls
 *  - float16, float32 and integers (int64 becomes the nearest double)
 *  - decimals of 32 to 256 bits (the nearest double up to 15 digits, otherwise within two units of the last place)
 *  - durations and times of day, as seconds
 *  - the null type, as missing values
 *
 *  bool becomes COVEY_BOOLEAN, with 1 byte. utf8, large utf8 and utf8 view become COVEY_CATEGORICAL, with 4 bytes.
 *  date32, date64 and timestamps of any unit become COVEY_DATE, with 8 bytes; a timestamp without a zone is read as
 *  UTC. Dictionaries and run-end encoded columns become what their values become. int32 indices of a dictionary of
 *  distinct strings are not copied if they have no nulls. Nulls become missing values, also nulls among the entries of
 *  a dictionary.
 *
 *  The producer remains the owner of both structs: Covey neither moves nor releases them. The producer must not release
 *  the array before the table is destroyed. Covey trusts that buffers have the size that Arrow's format requires; it
 *  checks everything else. Cost: O(rows x columns); each string is hashed once. Source: the Arrow C data interface, and
 *  the columnar format 1.5.
 *
 *  Errors: COVEY_INVALID_ARGUMENT (NULL, a released struct), COVEY_INVALID_DATA (with the name of the column: lengths,
 *  offsets, indices outside of the dictionary, run ends that do not increase, invalid UTF-8), COVEY_UNSUPPORTED (with
 *  the column and its format: binary or nested columns; rows that are null as a whole), COVEY_OUT_OF_MEMORY,
 *  COVEY_CANCELLED. */
covey_status covey_arrow_table_import(const covey_context *context, const struct ArrowSchema *schema,
                                      const struct ArrowArray *array, covey_arrow_table **table, covey_error **error);

/** Selects the columns that are read from an Arrow table. */
typedef struct covey_arrow_options {
    size_t struct_size;
    const char *const *names; /**< The columns to read; NULL means all. Other columns may have any format. Names that no
                                   column has are ignored. */
    int64_t name_count;       /**< 0 to 65,536. */
} covey_arrow_options;

#define COVEY_ARROW_OPTIONS_INIT {sizeof(covey_arrow_options), NULL, 0}

/** The same as covey_arrow_table_import for the rows of `count` record batches of one schema, one after the other. 0
 *  batches give a table without rows. The batches may have different dictionaries. If there is more than one batch, all
 *  data is copied. The producer remains the owner of the schema and the arrays, until the table is destroyed. `options`
 *  may be NULL.
 *  Errors: as covey_arrow_table_import. */
covey_status covey_arrow_table_import_batches(const covey_context *context, const struct ArrowSchema *schema,
                                              const struct ArrowArray *const *arrays, int64_t count,
                                              const covey_arrow_options *options, covey_arrow_table **table,
                                              covey_error **error);

/** The same as covey_arrow_table_import_batches for all batches of a stream. The calling thread reads the stream to its
 *  end. The table owns the batches, and releases them when it is destroyed. The caller releases the stream after this
 *  call.
 *  Errors: as covey_arrow_table_import; COVEY_IO, with the stream's own message, if the stream fails. */
covey_status covey_arrow_table_import_stream(const covey_context *context, struct ArrowArrayStream *stream,
                                             const covey_arrow_options *options, covey_arrow_table **table,
                                             covey_error **error);

/** Returns the table for any function that takes one. It is valid as long as `table`. NULL for NULL. */
const covey_table *covey_arrow_table_view(const covey_arrow_table *table);

void covey_arrow_table_destroy(covey_arrow_table *table);

/** Sets *matrix to the numbers of an Arrow array of fixed-size lists of float32 or float64 (format "+w:COLUMNS")
 *  without nulls. Nothing is copied: the view is valid as long as the producer's array.
 *  Errors: as covey_arrow_table_import. */
covey_status covey_arrow_matrix(const struct ArrowSchema *schema, const struct ArrowArray *array, covey_matrix *matrix,
                                covey_error **error);

/* ================================================================================ 5. Vocabulary and sequences === */

/** The event types that a model knows. Index 0 is the unknown entry; the names follow from index 1. */
typedef struct covey_vocabulary covey_vocabulary;

/** Creates a vocabulary of distinct names. They get the indices 1 to `count` in the given order. Cost: O(count).
 *  Errors: COVEY_INVALID_ARGUMENT (NULL, an empty or repeated name, invalid UTF-8, `count` not 0 to 2^31 - 2),
 *  COVEY_OUT_OF_MEMORY, COVEY_CANCELLED. */
covey_status covey_vocabulary_create(const covey_context *context, const char *const *names, int64_t count,
                                     covey_vocabulary **vocabulary, covey_error **error);

/** Builds a vocabulary from the events of a data set, with one string for each event. It has the names that occur at
 *  least `min_count` (>= 1) times, the most frequent first, and at most `max_size` of them (0 means no limit). Equally
 *  frequent names are ordered by their UTF-8 bytes. An empty string is the unknown entry. Cost: O(count).
 *  Errors: COVEY_INVALID_ARGUMENT (NULL, invalid UTF-8, min_count below 1, a negative max_size or count),
 *  COVEY_OUT_OF_MEMORY, COVEY_CANCELLED. */
covey_status covey_vocabulary_build(const covey_context *context, const char *const *events, int64_t count,
                                    int64_t min_count, int64_t max_size, covey_vocabulary **vocabulary,
                                    covey_error **error);

/** Returns the number of entries, including the unknown entry; at least 1. 0 for NULL. */
int64_t covey_vocabulary_size(const covey_vocabulary *vocabulary);

/** Returns the name of an entry: "" for the unknown entry (index 0), NULL if the index is outside of the vocabulary. */
const char *covey_vocabulary_name(const covey_vocabulary *vocabulary, int64_t index);

/** Sets indices[i] to the index of names[i], or to 0 if it is unknown. `indices` has space for `count` numbers. Cost:
 *  O(bytes of the names).
 *  Errors: COVEY_INVALID_ARGUMENT (NULL, a negative count), COVEY_CANCELLED. */
covey_status covey_vocabulary_lookup(const covey_vocabulary *vocabulary, const covey_context *context,
                                     const char *const *names, int64_t count, int32_t *indices, covey_error **error);

void covey_vocabulary_destroy(covey_vocabulary *vocabulary);

/** A numeric or categorical channel: one additional value for each event. */
typedef struct covey_channel {
    const void *values; /**< double (NaN means missing), or int32_t (a number outside of the channel's vocabulary means
                             unknown). */
    int64_t stride;     /**< Bytes from one event to the next; 0 means contiguous. */
} covey_channel;

/** A borrowed batch of event sequences of different lengths. Sequence i has the events from offsets[i] to
 *  offsets[i + 1] - 1.
 *
 *  - offsets: they must not decrease; offsets[0] may be above 0. Two equal offsets make an empty sequence; its
 *    embedding is zero.
 *  - types: vocabulary indices. An index outside of the vocabulary is the unknown entry.
 *  - times: seconds on any common clock, finite. The events of a sequence are used in the order of time. Events with
 *    equal times keep their given order. The last event is the transaction. Attention weights are in the order of the
 *    events as given.
 *  - dwell: seconds spent on the event, finite and >= 0; NaN means missing.
 *  - A sequence has 0 to 2^31 - 1 events. The lengths may differ by any factor. */
typedef struct covey_sequences {
    size_t struct_size;
    size_t channel_size;              /**< sizeof(covey_channel) when the caller was compiled. */
    int64_t count;                    /**< The number of sequences, at least 0. */
    const int64_t *offsets;           /**< count + 1 numbers; may be NULL if count is 0. */
    const int32_t *types;             /**< offsets[count] numbers. */
    const double *times;              /**< offsets[count] numbers. */
    const double *dwell;              /**< offsets[count] numbers, or NULL. */
    const covey_channel *numeric;     /**< numeric_count channels, or NULL. */
    const covey_channel *categorical; /**< categorical_count channels, or NULL. */
    int64_t numeric_count;            /**< 0 to 1024. */
    int64_t categorical_count;        /**< 0 to 1024. */
    int64_t types_stride;             /**< Bytes from one type to the next; 0 means contiguous. */
    int64_t times_stride;             /**< The same for times. */
    int64_t dwell_stride;             /**< The same for dwell. */
} covey_sequences;

#define COVEY_SEQUENCES_INIT \
    {sizeof(covey_sequences), sizeof(covey_channel), 0, NULL, NULL, NULL, NULL, NULL, NULL, 0, 0, 0, 0, 0}

/* =================================================================================================== 6. Encoder === */

/** A bidirectional LSTM with time attention that turns a sequence into a vector.
 *
 *  For the events t = 1..T of a sequence, in the order of time:
 *    x_t     = [event embedding; time features; numeric channels; categorical embeddings]
 *    tau_t   = the time features: log1p(gap since the previous event), log1p(time until the last event) and, if the
 *              model uses dwell, log1p(dwell). Each is standardised with the mean and deviation in the model file. A
 *              missing value becomes 0 after that. Values beyond 10,000 deviations are limited to 10,000.
 *    h_t     = [forward; backward] states of a Bi-LSTM (Hochreiter & Schmidhuber 1997; Graves & Schmidhuber 2005) with
 *              the gate order i, f, g, o and both biases, as in torch.nn.LSTM
 *    s_t     = v . tanh(W_h h_t + b + W_t tau_t)        (additive attention, Bahdanau et al. 2015, with time features)
 *    alpha   = softmax(s)
 *    z       = sum_t alpha_t h_t,   embedding = P z + p, or z if the model has no projection
 *
 *  Model files are safetensors, never pickles. The tensors are float32 and have these PyTorch names:
 *    event_embedding.weight [V, e]
 *    lstm.weight_ih_l{k}[_reverse] [4H, in], lstm.weight_hh_l{k}[_reverse] [4H, H]
 *    lstm.bias_ih_l{k}[_reverse] [4H], lstm.bias_hh_l{k}[_reverse] [4H]
 *    attention.hidden.weight [A, 2H], attention.hidden.bias [A]
 *    attention.time.weight [A, 2 or 3], attention.score.weight [1, A]
 *    projection.weight [d, 2H], projection.bias [d]        (optional)
 *    categorical_embeddings.{c}.weight [V_c, e_c]          (one for each categorical channel)
 *
 *  The metadata entry "covey.encoder" is a JSON object: format_version (1), vocabulary (the names of the entries
 *  1..V-1), time_mean and time_deviation (2 numbers, 3 with dwell), dwell (boolean), numeric ([{name, mean,
 *  deviation}]) and categorical ([{name, vocabulary}]). The last two may be omitted. Deviations are above 0. Covey
 *  refuses a tensor with any other name, numbers that are not finite, and more than 64 layers.
 *
 *  covey_encoder_train makes an encoder. examples/python/train_with_pytorch.py shows how another library makes one. */
typedef struct covey_encoder covey_encoder;

/** LOAD MODEL: reads an encoder from a safetensors file.
 *  Errors: COVEY_IO (the file cannot be opened or read), COVEY_CORRUPT_FILE (with the name of the tensor or of the
 *  entry), COVEY_UNSUPPORTED (a newer format_version), COVEY_OUT_OF_MEMORY. */
covey_status covey_load_model(const covey_context *context, const char *path, covey_encoder **encoder,
                              covey_error **error);

/** Writes the encoder to a file. The write is atomic: Covey writes a temporary file in the folder of `path`, syncs it
 *  and renames it. `path` has the complete old or the complete new file, even if the process is killed or the machine
 *  stops.
 *
 *  A file that is replaced keeps its mode, and its owner and group if the system allows it. If the system does not
 *  allow the group, the new group gets no more rights than everybody. A new file has the mode 0666 minus the umask. If
 *  `path` is a symbolic link, its target is replaced and the link stays. Other hard links to the old file and access
 *  control lists are not kept. `path` must be a regular file or not exist. The temporary file has no name while it is
 *  written, if the file system supports that (O_TMPFILE). Otherwise its name is .covey-*.tmp. If a killed process left
 *  such a file, the next save to the same path removes it.
 *  Errors: COVEY_IO, COVEY_OUT_OF_MEMORY, COVEY_CANCELLED. The file at `path` is then unchanged. */
covey_status covey_encoder_save(const covey_encoder *encoder, const covey_context *context, const char *path,
                                covey_error **error);

/** Returns the length d of an embedding; 0 for NULL. */
int64_t covey_encoder_dimension(const covey_encoder *encoder);

/** Returns the event vocabulary. It is borrowed: it is valid as long as the encoder, and must not be destroyed. NULL
 *  for NULL. */
const covey_vocabulary *covey_encoder_vocabulary(const covey_encoder *encoder);

/** Returns 1 if the model uses dwell. A batch must then have it. */
int32_t covey_encoder_uses_dwell(const covey_encoder *encoder);

/** Return the number of channels of the model. A batch must have the same number, in the same order. */
int64_t covey_encoder_numeric_count(const covey_encoder *encoder);
int64_t covey_encoder_categorical_count(const covey_encoder *encoder);

/** Return the name of a channel; NULL if `channel` is not 0..count-1. */
const char *covey_encoder_numeric_name(const covey_encoder *encoder, int64_t channel);
const char *covey_encoder_categorical_name(const covey_encoder *encoder, int64_t channel);

/** Returns the vocabulary of a categorical channel, borrowed; NULL if `channel` is not 0..count-1. */
const covey_vocabulary *covey_encoder_categorical_vocabulary(const covey_encoder *encoder, int64_t channel);

/** EMBED SEQUENCES: writes one embedding for each sequence.
 *
 *  embeddings  count x d float32. `row_stride` is the number of bytes from one row to the next; 0 means d * 4. The
 *              result does not depend on the number of threads, nor on the other sequences of the batch: it is the same
 *              byte for byte.
 *  attention   NULL, or offsets[count] - offsets[0] float32: alpha of each event, in the order of the events as given.
 *              The weights of a sequence sum to 1.
 *
 *  Cost: O(events * H^2); working memory O(threads * longest sequence * H).
 *  Errors: COVEY_INVALID_ARGUMENT, COVEY_INVALID_DATA (offsets, times, dwell, infinite channels; weights so large that
 *  an embedding is not finite), COVEY_MISMATCH (channels), COVEY_OUT_OF_MEMORY, COVEY_CANCELLED. */
covey_status covey_embed_sequences(const covey_encoder *encoder, const covey_context *context,
                                   const covey_sequences *sequences, float *embeddings, int64_t row_stride,
                                   float *attention, covey_error **error);

#define COVEY_PRECISION_FLOAT32 0  /**< The error is at most 1e-5 of the equations above. */
#define COVEY_PRECISION_BFLOAT16 1 /**< The error is at most 2e-3 for models that training makes (3.8e-4 in the
                                        benchmark), and about ten times that if large weights saturate the gates. About
                                        twice as fast on processors with AVX512_BF16; on others the call computes as
                                        FLOAT32. These are rounded to bfloat16: the weights of states (recurrent, of the
                                        upper layers, of the attention), and the states that they are multiplied with.
                                        Sums, cells, embeddings, time features and the softmax stay in float32. The
                                        first such call packs the weights a second time, in the encoder. */

typedef struct covey_embed_options {
    size_t struct_size;
    int32_t precision; /**< COVEY_PRECISION_...; default FLOAT32. */
    int32_t reserved;  /**< 0. */
} covey_embed_options;

#define COVEY_EMBED_OPTIONS_INIT {sizeof(covey_embed_options), COVEY_PRECISION_FLOAT32, 0}

/** The same as covey_embed_sequences, with options; NULL means the defaults. In each precision, the result does not
 *  depend on the number of threads, nor on the other sequences of the batch. bfloat16 is float32 with 8 bits of
 *  precision (Kalamkar et al. 2019, A Study of BFLOAT16 for Deep Learning Training).
 *  Errors: as covey_embed_sequences; COVEY_INVALID_ARGUMENT for another precision. */
covey_status covey_embed_sequences_with(const covey_encoder *encoder, const covey_context *context,
                                        const covey_sequences *sequences, const covey_embed_options *options,
                                        float *embeddings, int64_t row_stride, float *attention, covey_error **error);

void covey_encoder_destroy(covey_encoder *encoder);

/* ----------------------------------------------------------------------------------------------------- Training --- */

/** The report of a training, and its best weights; see covey_encoder_train. */
typedef struct covey_training covey_training;

typedef struct covey_training_progress {
    size_t struct_size;
    int64_t epoch;               /**< The epoch, from 1. */
    int64_t step;                /**< The number of steps done. */
    int64_t steps;               /**< The number of steps of all epochs; early stopping may end the training before. */
    double loss;                 /**< The mean over the sequences since the epoch began. */
    double held_out_loss;        /**< The held-out loss at the end of an epoch; NaN before it, and if nothing is held
                                      out. */
    double sequences_per_second; /**< The rate in this epoch. */
    double learning_rate;        /**< The learning rate of the last step. */
} covey_training_progress;

/** Called after each epoch, and about once a second, on the thread that made the call. A result other than 0 cancels
 *  the training with COVEY_CANCELLED. The callback must not call Covey with the same context, except covey_cancel. */
typedef int32_t (*covey_training_fn)(void *user_data, const covey_training_progress *progress);

/** The objectives. The loss is their weighted sum; at least one weight must be above 0.
 *
 *  A view is a sequence. If the sequence is longer than `window`, a view is a run of `window` events, drawn again in
 *  each epoch, and its time features are those of this run. The loss of types is the cross-entropy of a softmax. The
 *  loss of numbers is Huber's (1964); the numbers are standardised as in tau. In the formulas, y is the type of an
 *  event, g its log gap, M the number of pairs of neighbouring events in the batch, G the number of events that are
 *  neither the first nor the last of their view, and B the number of sequences in the batch.
 *
 *    next_event    (1/M) sum_t [-log p(y_t+1 | forward h_t) - log p(y_t-1 | backward h_t)]
 *                  + (1/G) sum_t [huber(g_t+1 | forward h_t) + huber(g_t-1 | backward h_t)].
 *                  No state has read what it predicts. The gap of the last event is left out, because the state before
 *                  it has read it as the time until the last event. This is language modelling in both directions, as
 *                  in ELMo (Peters et al. 2018). It trains neither the attention nor the projection.
 *    masked_event  The mean of -log p(y_t | h_t) over the masked events: a share `mask_share` of all events, presented
 *                  with an unknown type and missing channels (Devlin et al. 2019). They keep their time features,
 *                  because the features of their neighbours would reveal them. It trains neither the attention nor the
 *                  projection.
 *    autoencoder   (1/B) sum over sequences of [(1/T) sum_t l_t + l_T + huber(log T | embedding)],
 *                  l_t = -log p(y_t | q_t) + sum huber(tau_t, x_t | q_t), x the standardised numeric channels (0 =
 *                  missing),
 *                  q_t = relu(D [embedding; cos(k pi (t-1)/(T-1)), k = 1..8] + d).
 *                  The events are predicted from the embedding and their relative position alone (Srivastava et al.
 *                  2015, without the decoder's recurrence). The last event is the one that is judged, so it has an
 *                  additional weight: that of all events together.
 *    contrastive   CoLES (Babaev et al. 2022): the mean of D^2 over all pairs of views of one sequence, and of
 *                  max(0, margin - D)^2 over the pairs of each view and its 5 nearest views of other sequences. D is
 *                  the distance of two embeddings that are scaled to length 1. The views are the sequence and `slices`
 *                  - 1 random slices of it, each with at least a quarter of its events. Every view is compared with all
 *                  others of the batch: the time is quadratic in batch_size * slices.
 *
 *  The optimiser is AdamW (Loshchilov & Hutter 2019; beta 0.9 and 0.999, epsilon 1e-8; biases do not decay). The
 *  gradient is clipped by its global norm (Pascanu et al. 2013). The learning rate increases linearly in the warm-up,
 *  then decreases to 0 along a cosine (Loshchilov & Hutter 2017). If a vocabulary has more than 4,096 entries, a step
 *  changes only the entries that occur in it, and their moments (lazy Adam). The softmax is then over the types of the
 *  batch and 1,024 types drawn at random (Jean et al. 2015). All numbers are float32; losses and norms are summed in
 *  float64. */
typedef struct covey_training_options {
    size_t struct_size;
    int64_t embedding_size;          /**< The length of the embedding of an event type, 1 to 4,096; default 32. */
    int64_t category_embedding_size; /**< The length of the embedding of a category, 1 to 4,096; default 8. */
    int64_t hidden_size;             /**< H, the units in each direction, 1 to 4,096; default 64. */
    int64_t attention_size;          /**< A, the attention units, 1 to 4,096; default 64. */
    int64_t dimension;               /**< d, the length of an embedding, 1 to 65,536; 0 (default) means 2H, without a
                                          projection. */
    double next_event;               /**< The weights of the objectives, 0 to 1e6. Default 1. */
    double masked_event;             /**< Default 0. */
    double autoencoder;              /**< Default 1. */
    double contrastive;              /**< Default 0. The default weights were the best in `make bench-embed-quality`. */
    int64_t epochs;                  /**< 1 to 1,000,000; default 20. */
    int64_t batch_size;              /**< The sequences in a step, 1 to 65,536; default 128. */
    double learning_rate;            /**< The largest learning rate; finite, > 0; default 3e-3. */
    double weight_decay;             /**< Multiplied by the learning rate; 0 to 1; default 0.01. */
    double clip;                     /**< The largest norm of the gradient; > 0, may be infinite; default 1. */
    double warm_up;                  /**< The share of the steps in the warm-up, 0 to 1; default 0.05. */
    double dropout;                  /**< The share of the states that are dropped before predictions, 0 to below 1;
                                          default 0.1. */
    double unknown;                  /**< The share of the events with an unknown type, 0 to below 1; default 0.02. It
                                          trains this entry. */
    double mask_share;               /**< The share of masked events in masked_event; above 0, below 1; default 0.15. */
    int64_t slices;                  /**< The views of a sequence in contrastive, 2 to 64; default 4. */
    double margin;                   /**< The margin of contrastive; finite, > 0; default 0.5. */
    double held_out;                 /**< The share of the sequences that are held out, drawn by the seed; 0 to below 1;
                                          default 0.05. */
    int64_t patience;                /**< Stops after this number of epochs without a better held-out loss; 0 means
                                          never; default 5. */
    int64_t window;                  /**< The largest number of events in a view, 2 to 1,000,000; default 1,024. */
    uint64_t seed;                   /**< Default 0. */
    const char *const *numeric_names;     /**< A name for each numeric channel; NULL means "numeric 0", ... */
    const char *const *categorical_names; /**< The same; NULL means "categorical 0", ... */
    const covey_vocabulary *const *categorical_vocabularies; /**< One for each categorical channel. */
    const char *checkpoint_path;     /**< The checkpoint file, from which a killed training can continue; NULL means
                                          none. */
    int64_t checkpoint_steps;        /**< The steps between two checkpoints, at least 1; default 1,000. There is one
                                          after each epoch too. */
    covey_training_fn progress;      /**< NULL means none. */
    void *progress_user_data;        /**< Passed to progress. */
    int64_t epoch_sequences;         /**< The most sequences of an epoch, drawn anew for each from all that are not held
                                          out; 0 means all; default 20,000. The held-out share counts over the same
                                          number. It bounds the time, however many sequences there are. */
} covey_training_options;

#define COVEY_TRAINING_OPTIONS_INIT                                                                                    \
    {sizeof(covey_training_options), 32, 8, 64, 64, 0, 1.0, 0.0, 1.0, 0.0, 20, 128, 0.003, 0.01, 1.0, 0.05, 0.1, 0.02, \
     0.15, 4, 0.5, 0.05, 5, 1024, 0, NULL, NULL, NULL, NULL, 1000, NULL, NULL, 20000}

/** TRAIN: trains an encoder of one layer, without labels. The encoder keeps the vocabularies: their handles may be
 *  destroyed.
 *
 *  Sequences without events are left out. The scaling of time features and numeric channels is measured on all
 *  sequences. If they have dwell, the model uses it. After each epoch the loss of the held-out sequences is computed.
 *  The encoder gets the weights of the epoch with the smallest held-out loss, or those of the last epoch if nothing is
 *  held out.
 *
 *  On one kind of processor the weights depend only on the input, the options and the seed. They do not depend on the
 *  number of threads, nor on whether the training was killed and continued from `checkpoint_path`. If there is a file
 *  at that path, the training continues from it, or refuses it if it belongs to other input or options. Writing it is
 *  atomic. It stays at the end, and a later call with the same input and options then returns the same encoder at once.
 *
 *  training  NULL, or the report. It is the only output that a failed call may set. If the training had begun and ends
 *            with COVEY_CANCELLED, COVEY_INVALID_DATA (the loss is not finite; the message has the step) or COVEY_IO
 *            (the checkpoint), covey_training_encoder returns the best weights so far. Before the end of the first
 *            epoch these are the last weights with a finite loss.
 *
 *  Cost: O(events H^2) for each epoch, of its events (`epoch_sequences`), about three times the cost of embedding, plus
 *  the softmax. Memory: the step with the longest sequences, and four times the weights; it is checked before it is
 *  allocated. Cancelling takes about 100 ms, plus the time that the file system needs to remove an incomplete
 *  checkpoint. The encoder's tables are made when it first embeds, or when an engine is built with it.
 *  Errors: COVEY_INVALID_ARGUMENT, COVEY_INVALID_DATA (as covey_embed_sequences; no events; see above), COVEY_MISMATCH
 *  (a checkpoint of another training), COVEY_CORRUPT_FILE (with the name of the tensor), COVEY_UNSUPPORTED, COVEY_IO,
 *  COVEY_OUT_OF_MEMORY, COVEY_CANCELLED. */
covey_status covey_encoder_train(const covey_context *context, const covey_sequences *sequences,
                                 const covey_vocabulary *vocabulary, const covey_training_options *options,
                                 covey_encoder **encoder, covey_training **training, covey_error **error);

/** Returns the encoder with the best weights. It is borrowed: it is valid as long as the report, and must not be
 *  destroyed. NULL if there are none yet. */
const covey_encoder *covey_training_encoder(const covey_training *training);

/** Return the number of steps done, and the step whose weights the encoder has; 0 for NULL. */
int64_t covey_training_steps(const covey_training *training);
int64_t covey_training_best_step(const covey_training *training);

/** Returns the number of completed epochs; 0 for NULL. */
int64_t covey_training_epochs(const covey_training *training);

typedef struct covey_training_epoch {
    size_t struct_size;
    double loss;                 /**< The mean over the training sequences. */
    double held_out_loss;        /**< The mean over the held-out sequences; NaN if nothing is held out. */
    double seconds;
    double sequences_per_second;
} covey_training_epoch;

#define COVEY_TRAINING_EPOCH_INIT {sizeof(covey_training_epoch), 0, 0, 0, 0}

/** Returns the results of an epoch, 0..epochs-1. Errors: COVEY_INVALID_ARGUMENT. */
covey_status covey_training_get(const covey_training *training, int64_t epoch, covey_training_epoch *result,
                                covey_error **error);

void covey_training_destroy(covey_training *training);

/* =========================================================================================== 7. Hybrid features === */

/** A fitted transform that joins embeddings and expert features into the rows that are clustered.
 *
 *  Embeddings: centred; projected on their leading principal components if asked (the sign of an axis makes its
 *  largest entry positive); divided by the root of the block's total variance, that of the kept components; all 0 if
 *  it has none, or no more than the rounding of the numbers.
 *  Features: numeric columns are scaled (see below) and clipped; booleans become 0 and 1; categories become 0/1 columns
 *  over sqrt(2), one for each category that occurs in fitting, so that two rows of different categories lie at distance
 *  1; the block is divided by the root of the number of features. Each block is then multiplied by its weight, each
 *  feature by its own. Missing numbers and booleans stand at the column's median (0 if fitting saw none at all); a
 *  missing category, or one not seen in fitting, is a row of zeros. No output is NaN or infinite: what float32 cannot
 *  hold stands at its largest number. */
typedef struct covey_hybrid covey_hybrid;

#define COVEY_SCALING_NONE 0     /**< As given. */
#define COVEY_SCALING_STANDARD 1 /**< (x - mean) / standard deviation (population); 0 for a column that is constant or
                                      all missing in fitting. Constant, as in scikit-learn, is a deviation of at most
                                      n 2^-52 |mean|, for n numbers. */
#define COVEY_SCALING_ROBUST 2   /**< (x - median) / (q75 - q25) (linear quantiles, as sklearn's RobustScaler); the
                                      standard deviation if the quartiles are equal; 0 as above. */
#define COVEY_SCALING_QUANTILE 3 /**< The normal quantile of the share of values below (ties: half of them), held
                                      within [1/2m, 1 - 1/2m] for m values, over 1.349, so that quartiles lie 1 apart
                                      as with ROBUST; no value is far out. At most 1,024 values are kept, linear
                                      between them. */
#define COVEY_SCALING_LOG 4      /**< ROBUST on sign(x) log(1 + |x| / u), u = max(|median|, q75 - q25). */
#define COVEY_SCALING_AUTO 5     /**< For each column ROBUST, or if the standard deviation is above twice that of
                                      a normal column with these quartiles LOG (none below 0) or QUANTILE. */

#define COVEY_MISSING_REJECT 0    /**< A missing value, in fitting or later, gives COVEY_INVALID_DATA. */
#define COVEY_MISSING_MEDIAN 1    /**< The median of the fitted column. */
#define COVEY_MISSING_INDICATOR 2 /**< The median, and a 0/1 column "missing" for each feature that had a missing value
                                       in fitting. For a categorical feature it is divided by sqrt(2), like one more
                                       category. */

typedef struct covey_hybrid_options {
    size_t struct_size;
    int32_t scaling;              /**< COVEY_SCALING_...; default ROBUST. */
    int32_t missing;              /**< COVEY_MISSING_...; default MEDIAN. */
    int64_t embedding_components; /**< The number of principal components of the embeddings to keep, 0 to d; 0 means all
                                       columns, unrotated. */
    double embedding_weight;      /**< Finite, >= 0; default 1. */
    double feature_weight;        /**< Finite, >= 0; default 1. */
    double clip;                  /**< Scaled numeric values are limited to [-clip, clip]; > 0, may be infinite; default
                                       10. */
    const double *column_weights; /**< One for each feature column, finite, >= 0; NULL means 1 for all. */
} covey_hybrid_options;

#define COVEY_HYBRID_OPTIONS_INIT \
    {sizeof(covey_hybrid_options), COVEY_SCALING_ROBUST, COVEY_MISSING_MEDIAN, 0, 1.0, 1.0, 10.0, NULL}

/** Fits the transform. `embeddings` (n x d) or `features` (n rows) may be NULL, but not both. It copies what it needs.
 *  Cost: O(n d + n f); with components O(n d^2 + d^3). Cancelling takes about 100 ms up to about 20,000 columns.
 *  Errors: COVEY_INVALID_ARGUMENT, COVEY_INVALID_DATA (NaN in embeddings, infinities, codes that are not categories, no
 *  rows, no column with a value, more than 65,536 columns in a hybrid row), COVEY_MISMATCH (row counts),
 *  COVEY_OUT_OF_MEMORY, COVEY_CANCELLED. */
covey_status covey_hybrid_fit(const covey_context *context, const covey_matrix *embeddings, const covey_table *features,
                              const covey_hybrid_options *options, covey_hybrid **hybrid, covey_error **error);

/** Returns the number of columns of a transformed row; 0 for NULL. */
int64_t covey_hybrid_dimension(const covey_hybrid *hybrid);

/** Returns the name of a transformed column: "embedding[3]" (or "component[3]" for a principal component), "amount",
 *  "country=NL", "age missing"; NULL if there is no such column. Embeddings come first, then the features in the order
 *  of the fitted table. */
const char *covey_hybrid_column_name(const covey_hybrid *hybrid, int64_t column);

/** Transforms n rows and writes n x dimension float32 to `output`. `row_stride` is the number of bytes from one row to
 *  the next; 0 means dimension * 4. Columns of the table are found by name, in any order, and other columns are
 *  ignored. Categories are matched by name. n may be 0. The result of a row does not depend on the other rows, nor on
 *  the number of threads.
 *  Errors: as covey_hybrid_fit; COVEY_MISMATCH with the name of a column that is missing or of another kind. It is also
 *  returned if `embeddings` have another number of columns, are missing, or are given to a transform that was fitted
 *  without them. */
covey_status covey_hybrid_transform(const covey_hybrid *hybrid, const covey_context *context,
                                    const covey_matrix *embeddings, const covey_table *features, float *output,
                                    int64_t row_stride, covey_error **error);

/** Save and load a fitted transform, like covey_clustering_save and its companions. */
covey_status covey_hybrid_save(const covey_hybrid *hybrid, const covey_context *context, const char *path,
                               covey_error **error);
covey_status covey_hybrid_load(const covey_context *context, const char *path, covey_hybrid **hybrid,
                               covey_error **error);
covey_status covey_hybrid_write(const covey_hybrid *hybrid, const covey_context *context, covey_bytes **bytes,
                                covey_error **error);
covey_status covey_hybrid_read(const covey_context *context, const void *bytes, int64_t length, covey_hybrid **hybrid,
                               covey_error **error);

void covey_hybrid_destroy(covey_hybrid *hybrid);

/* ================================================================================================ 8. Clustering === */

/** The outcome of HDBSCAN (Campello, Moulavi, Sander 2013; Campello et al. 2015; McInnes & Healy 2017): labels,
 *  strengths, outlier scores and the trees they come from. */
typedef struct covey_clustering covey_clustering;

#define COVEY_METRIC_EUCLIDEAN 0
#define COVEY_METRIC_MANHATTAN 1
#define COVEY_METRIC_COSINE 2 /**< 1 - cosine similarity. A row of zeros is at distance 1 from every other row. */

#define COVEY_SELECTION_EXCESS_OF_MASS 0
#define COVEY_SELECTION_LEAF 1

#define COVEY_SEARCH_EXACT 0       /**< The result equals the reference's. */
#define COVEY_SEARCH_APPROXIMATE 1 /**< Neighbours from the nearest k-means cells and by neighbours of neighbours,
                                        clusters joined by edges searched for; euclidean only. Exact, with a recall
                                        of 1, if that is expected to be faster: for up to 12 columns, for rows
                                        near a subspace of so few, for fewer rows than 180,000 / cbrt(d) (71,000 of
                                        16 columns, 45,000 of 64, 20,000 of 768), or with min_samples above 256. */

#define COVEY_MISSING_ROWS_REJECT 0 /**< A NaN or an infinity gives COVEY_INVALID_DATA. */
#define COVEY_MISSING_ROWS_NOISE 1  /**< Rows that have one are noise, as in hdbscan: label -1, strength 0, score 1. */

/** What strengths, outlier scores and persistence are relative to. The two are the same unless min_cluster_size rows,
 *  or more than min_samples, are equal: their density is infinite. */
#define COVEY_STRENGTHS_HDBSCAN 0 /**< The largest lambda, as in hdbscan: beside such rows every strength is 0 or 1. */
#define COVEY_STRENGTHS_BOUNDED 1 /**< The largest finite lambda; rows beyond it have strength 1 and score 0. An
                                       engine scores with these. */

typedef struct covey_cluster_options {
    size_t struct_size;
    int64_t min_cluster_size;         /**< At least 2; default 5. */
    int64_t min_samples;              /**< The core distance is the distance to this neighbour, the row itself not
                                           counted, as in hdbscan (scikit-learn counts it: its min_samples is one
                                           more); 0 (default) = min_cluster_size. n - 1 is taken if it is more
                                           than that. */
    int64_t max_cluster_size;         /**< Larger clusters are not selected: excess of mass takes those below them,
                                           larger leaves are noise; 0 (default) = no limit. */
    double cluster_selection_epsilon; /**< Clusters born below this distance are merged; finite, >= 0; default 0
                                           (Malzer & Baum 2020). */
    double alpha;                     /**< Distances are divided by it in mutual reachability; finite, > 0, and so
                                           large that no distance divided by it overflows; default 1. */
    int32_t metric;                   /**< COVEY_METRIC_...; default EUCLIDEAN. */
    int32_t selection;                /**< COVEY_SELECTION_...; default EXCESS_OF_MASS. */
    int32_t allow_single_cluster;     /**< 0 (default) or 1: the root may be the only cluster. */
    int32_t search;                   /**< COVEY_SEARCH_...; default EXACT. */
    int32_t missing;                  /**< COVEY_MISSING_ROWS_...; default REJECT. */
    int32_t prediction;               /**< 1 keeps a copy of the rows, which covey_clustering_predict and an engine
                                           need; default 0. */
    uint64_t seed;                    /**< Of the approximate search; default 0. */
    double cluster_selection_epsilon_max; /**< Excess of mass passes over clusters born above this distance; >= 0,
                                               may be infinite; 0 (default) = no limit. */
    double cluster_selection_persistence; /**< Leaves of the tree that live for less than this, in lambda, are
                                               dissolved in the cluster above them before clusters are selected;
                                               finite, >= 0; default 0. */
    int64_t clusters;                 /**< How many clusters there are to be; 0 (default) = as many as selected. The
                                           tree is cut by the largest epsilon that gives so many, in the place of
                                           cluster_selection_epsilon, and if excess of mass has fewer, its leaves
                                           are; as hdbscan's flat functions. COVEY_INVALID_ARGUMENT if none gives
                                           so many. */
    int32_t match_reference;          /**< 0 (default) or 1: a row that leaves its cluster where that is born is
                                           noise, as with hdbscan's match_reference_implementation (which also takes
                                           min_cluster_size + 1 and min_samples - 1; set these too). */
    int32_t strengths;                /**< COVEY_STRENGTHS_...; default HDBSCAN. Changes no label. */
    const int64_t *weights;           /**< NULL (default) = every row counts once; otherwise n whole numbers, borrowed
                                           for the call: a row of weight w stands for w equal rows, in every result
                                           (neighbours of the core distance, sizes in trees and options,
                                           persistence) up to the numbers of clusters, and the row's values are those
                                           of each of them. A row of weight 0 is left out: noise, whatever its numbers
                                           are. At least 0, and at most 2^30 together. For rows and distances alone. */
    const char *index;                /**< NULL (default) = Covey's own approximate search; otherwise the index of FAISS
                                           that finds the neighbours, by its name there: see below. Only with
                                           COVEY_SEARCH_APPROXIMATE. */
    const char *index_search;         /**< NULL (default) or parameters of its searches, as FAISS names them:
                                           "nprobe=32,efSearch=64". */
} covey_cluster_options;

#define COVEY_CLUSTER_OPTIONS_INIT                                                                                   \
    {sizeof(covey_cluster_options), 5, 0, 0, 0.0, 1.0, COVEY_METRIC_EUCLIDEAN, COVEY_SELECTION_EXCESS_OF_MASS, 0,    \
     COVEY_SEARCH_EXACT, COVEY_MISSING_ROWS_REJECT, 0, 0, 0.0, 0.0, 0, 0, COVEY_STRENGTHS_HDBSCAN, NULL, NULL, NULL}

/** CLUSTER MATRIX: clusters the rows of `matrix` (n x d).
 *
 *  Exact search equals hdbscan and scikit-learn's HDBSCAN up to the numbering of clusters and ties. Clusters are
 *  numbered by their place in the condensed tree, as hdbscan does. n = 0 gives an empty result and n = 1 noise (hdbscan
 *  refuses both); fewer rows than min_cluster_size, and rows that are all equal, give noise alone, as in hdbscan. At
 *  most 2^30 rows.
 *
 *  Ties. Mutual reachability has many, and hdbscan's labels then depend on the order of the rows. Here edges of one
 *  length first let the components that are large enough to be clusters grow, by one small component at a time, and
 *  then join them. If at most 12 edges of one length join clusters, the largest cluster takes the small components, and
 *  the left node of a merge is the larger one: then labels do not depend on which of several minimum spanning trees was
 *  found. Rows at distance 0 of each other are never split. Two more differences: the root is no cluster if
 *  n is below min_cluster_size, and beside infinitely dense duplicates the outlier score is 1, in hdbscan NaN.
 *  Cost: exact search uses a k-d tree up to 4 columns, and up to 128 if the rows lie near a subspace of few
 *  dimensions and a sample of searches in it looks at few rows: O(n log n) typically, about 150 + 4 min_samples + 12 d
 *  bytes a row beside the input. Otherwise tiles: O(n^2 d) at the worst; memory O(n k), for they keep the rows in
 *  float32 too: at most n (4 d + 12 k + 450) bytes, d rounded up to a multiple of 16, and 2 MB + 1 KB d + 6 n bytes for
 *  each thread.
 *  Approximate search takes O(n sqrt(n) d), and O(n d) for each of up to 12,288 rows that measure the recall; at most n
 *  (4 d + max(4 d, 20 k) + 300) bytes, k = min_samples + 6 and d rounded up to a multiple of 16. It reads the matrix
 *  twice in its order and then rows of it at chance.
 *
 *  An index of FAISS. `options.index` is a name of FAISS's index_factory:
 *      [PCAn | PCARn | PCAWn | PCAWRn | OPQm[_n] | RRn | Padn ,] [IVFn | IVFn_HNSW[m] | IMI2xb ,]
 *      Flat | SQ4 | SQ6 | SQ8 | SQfp16 | PQm[xb][np] | PQmx4fs[r] | HNSWm[_SQ8 | _PQm] [, RFlat | Refine(...)]
 *  such as "IVF4096,Flat", "HNSW32", "IVF4096,PQ16". It finds the near rows of each row, their distances are computed
 *  again in float64 from the matrix, rows for which it finds too few are searched for exactly, and clusters are joined
 *  as without it. covey_clustering_recall measures what it found. min_samples is at most 256. `options.index_search` is
 *  nprobe, efSearch, efConstruction, k_factor_rf, max_codes, quantizer_efSearch or quantizer_efConstruction,
 *  whole numbers from 1. Names of FAISS beyond these, and an index that the rows are too few for (an IVF of n lists
 *  needs n rows, PQmxb 2^b) or whose parts do not divide the columns, are COVEY_INVALID_ARGUMENT. Nothing is read from
 *  a file of FAISS: there is no name for one. The index is trained on a sample, filled on one thread, searched on all,
 *  and freed before the clusters are joined. Its size counts against the memory budget before it is made: a row of
 *  "IVF4096,PQ16" takes 24 bytes (twice that while its lists grow), one of "HNSW32" 4 d + 350. Besides, each thread
 *  that searches takes 16 MB.
 *  Numbers whose distances float64 cannot hold are refused: with the euclidean metric about 1e153 and above, or none
 *  above 1e-135; with manhattan, sums of |a - b| above 1.8e308.
 *  Errors: COVEY_INVALID_ARGUMENT, COVEY_INVALID_DATA (names row and column), COVEY_OUT_OF_MEMORY, COVEY_CANCELLED. */
covey_status covey_cluster_matrix(const covey_context *context, const covey_matrix *matrix,
                                  const covey_cluster_options *options, covey_clustering **clustering,
                                  covey_error **error);

/** Clusters n rows of which only the distances to each other are known: `distances` is n x n, finite, at least 0 and
 *  symmetric; whatever they measure. Everything follows but prediction, exemplars' rows and soft membership:
 *  options.prediction must be 0 and search COVEY_SEARCH_EXACT; metric and missing are ignored.
 *  Cost: O(n^2); memory beside the matrix O(n).
 *  Errors: as covey_cluster_matrix; COVEY_MISMATCH (not square), COVEY_INVALID_DATA (names row and column). */
covey_status covey_cluster_distances(const covey_context *context, const covey_matrix *distances,
                                     const covey_cluster_options *options, covey_clustering **clustering,
                                     covey_error **error);

/** n, the number of clustered rows; 0 for NULL. */
int64_t covey_clustering_rows(const covey_clustering *clustering);

/** d, the columns of the clustered rows; 0 for NULL. */
int64_t covey_clustering_columns(const covey_clustering *clustering);

/** What the clustering was made with, or selected by; min_samples is the one that it came to, if a number of
 *  clusters was asked for, cluster_selection_epsilon is the one that gave it, weights is NULL, and index and
 *  index_search live as long as the clustering. `options` must begin with its struct_size. */
covey_status covey_clustering_options(const covey_clustering *clustering, covey_cluster_options *options,
                                      covey_error **error);

/** The rows that the clustering keeps with `prediction` = 1: n x d numbers, by rows; NaN in those that were not used.
 *  `capacity` counts numbers. Errors: COVEY_INVALID_ARGUMENT (no prediction data), COVEY_BUFFER_TOO_SMALL. */
covey_status covey_clustering_fitted_rows(const covey_clustering *clustering, double *rows, int64_t capacity,
                                          covey_error **error);

/** The number of clusters, without noise; 0 for NULL. */
int64_t covey_clustering_clusters(const covey_clustering *clustering);

/** The share of the true min_samples nearest neighbours that the approximate search found; 1 for exact search. Measured
 *  on as many rows as bring its standard error to 0.004, on 12,288 at the most, which leaves 0.0045 if min_samples
 *  is 1: 97 of 100 times or more within 0.01 of the true share. It falls with the number of rows if they fill many
 *  dimensions: Gaussian clusters of full rank in 64 columns gave 0.44 at 200,000 rows, 0.33 at 1,000,000. Their labels
 *  agree with exact ones nevertheless (adjusted Rand index 0.9998 and more): a neighbour that is missed is replaced by
 *  one hardly farther away, as distances are much alike there, and of the edges between clusters, which decide the
 *  labels, the shortest are searched for apart. Rows of real data, which fill fewer dimensions, gave a recall above
 *  0.95; if their clusters are faint, labels agree less (0.92 to 0.998 on noisy copies of two real sets). */
double covey_clustering_recall(const covey_clustering *clustering);

/** labels: n numbers, 0..clusters-1, -1 = noise. */
covey_status covey_clustering_labels(const covey_clustering *clustering, int32_t *labels, int64_t capacity,
                                     covey_error **error);

/** probabilities: n numbers, the strength of membership, 0 (noise) to 1. */
covey_status covey_clustering_probabilities(const covey_clustering *clustering, double *probabilities, int64_t capacity,
                                            covey_error **error);

/** scores: n numbers, GLOSH outlier scores, 0 to 1 (Campello et al. 2015). */
covey_status covey_clustering_outlier_scores(const covey_clustering *clustering, double *scores, int64_t capacity,
                                             covey_error **error);

/** persistence: one number a cluster, its stability relative to the largest that its rows could have, 0 to 1. For a
 *  root that is the only cluster and keeps only its densest rows, hdbscan's number can exceed 1; it is 1 here. */
covey_status covey_clustering_persistence(const covey_clustering *clustering, double *persistence, int64_t capacity,
                                          covey_error **error);

/** An edge of the minimum spanning tree of mutual reachability. */
typedef struct covey_edge {
    int64_t from;
    int64_t to;
    double distance;
} covey_edge;

/** A merge of the single-linkage tree, as a row of scipy's linkage matrix: nodes 0..n-1 are rows, node n + i is merge
 *  i. */
typedef struct covey_merge {
    int64_t left;
    int64_t right;
    double distance;
    int64_t size;
} covey_merge;

/** A row of the condensed tree, as in hdbscan: `child` leaves `parent` at lambda = 1 / distance. Rows are 0..n-1, of
 *  size 1 or their weight, clusters n (the root) and above. */
typedef struct covey_condensed_edge {
    int64_t parent;
    int64_t child;
    double lambda;
    int64_t size;
} covey_condensed_edge;

/** Clusters n rows by a spanning tree of theirs, made elsewhere: n - 1 edges, in any order. Distances are mutual
 *  reachability; for the rest as covey_cluster_distances, but that search is ignored too and weights must be NULL.
 *  Cost: O(n log n). Errors: COVEY_INVALID_DATA (no tree; names the edge). */
covey_status covey_cluster_spanning_tree(const covey_context *context, int64_t rows, const covey_edge *edges,
                                         const covey_cluster_options *options, covey_clustering **clustering,
                                         covey_error **error);

/** Clusters n rows by any weighted edges between them: a spanning tree, the forests of parts of the data, a graph. The
 *  minimum spanning forest of the edges counts; of edges of one length those between lower rows.
 *
 *  edges           edge_count edges in any order, at finite distances of at least 0. A pair of rows stands once, or
 *                  once in each direction at the same distance up to rounding (1e-5 of it); the shorter one counts.
 *  core_distances  n finite numbers of at least 0: distances become max(core, core, distance / alpha); NULL = distances
 *                  are mutual reachability, and taken as they are.
 *
 *  Parts that no edge joins are joined at an infinite distance (lambda 0), the largest first: no cluster holds rows of
 *  two parts, but for the root, and parts smaller than min_cluster_size are noise. covey_clustering_parts counts them.
 *  For the rest as covey_cluster_distances.
 *  Cost: O(m log m) for m edges; memory 72 bytes an edge and 200 a row.
 *  Errors: COVEY_INVALID_ARGUMENT; COVEY_INVALID_DATA (a row out of range, a row joined to itself, a repeated pair, a
 *  distance that is negative or not finite, directions that differ; names the edge), COVEY_OUT_OF_MEMORY,
 *  COVEY_CANCELLED. */
covey_status covey_cluster_edges(const covey_context *context, int64_t rows, const covey_edge *edges,
                                 int64_t edge_count, const double *core_distances,
                                 const covey_cluster_options *options, covey_clustering **clustering,
                                 covey_error **error);

/** Clusters n rows by lists of their nearest rows, found elsewhere (a GPU, FAISS, another machine).
 *
 *  indices    n x k row numbers, row by row, in any order; -1 = no neighbour. The row itself, which many searches list,
 *             is passed over.
 *  distances  n x k numbers of at least 0, in the metric's own unit (FAISS gives squares of euclidean distances: take
 *             their roots). k is at least min_samples: the core distance is read from the list. A row whose list is
 *             shorter is joined at an infinite distance, as parts are that no list joins (covey_cluster_edges).
 *  certified  NULL, or how many of the n - 1 edges of the tree are certified: no edge that is in no list could replace
 *             them, if each list holds the nearest rows. With n - 1 the result is exact; the others join parts that
 *             lists of k rows cannot tell.
 *
 *  Errors: as covey_cluster_edges, COVEY_INVALID_DATA names row and slot; a row that is listed twice is refused. */
covey_status covey_cluster_neighbours(const covey_context *context, int64_t rows, int64_t k, const int64_t *indices,
                                      const double *distances, const covey_cluster_options *options,
                                      covey_clustering **clustering, int64_t *certified, covey_error **error);

/** The parts of the graph that was clustered, which no edge joins: 1 for clustered rows, 0 without rows or for NULL. */
int64_t covey_clustering_parts(const covey_clustering *clustering);

/* Clustering by parts. Rows that do not fit in one machine are clustered exactly from blocks of them: covey_nearest
 * over all blocks gives each row's core distance; covey_spanning_edges of each pair of blocks, with these, holds every
 * edge that the spanning tree of all rows needs; covey_merge_edges makes one forest of them; covey_cluster_edges
 * clusters it. Labels are those of one machine, but if many rows are at equal distances (more than 12 edges of one
 * length that join clusters): there they differ as those of hdbscan do for rows in another order. */

/** The k nearest rows of each query, exactly, ascending by distance and then by row number.
 *
 *  query_numbers  the queries' numbers among the rows of all blocks, at least 0: a row of that number is the query
 *                 itself and left out. NULL = the queries are none of the rows.
 *  row_numbers    the rows' numbers, at least 0 and ascending; NULL = 0 and up.
 *  merge          0 = the lists are written; 1 = they hold what was found in other rows, and the nearest of both are
 *                 kept. Rows that are there already are not put in twice.
 *  indices, distances  m x k numbers for m queries; -1 and infinity if there are fewer rows. `capacity` counts
 *                      numbers of each.
 *  Errors: COVEY_INVALID_ARGUMENT, COVEY_INVALID_DATA, COVEY_MISMATCH (columns), COVEY_BUFFER_TOO_SMALL,
 *  COVEY_OUT_OF_MEMORY, COVEY_CANCELLED. */
covey_status covey_nearest(const covey_context *context, const covey_matrix *queries, const int64_t *query_numbers,
                           const covey_matrix *rows, const int64_t *row_numbers, int64_t k, int32_t metric,
                           int32_t merge, int64_t *indices, double *distances, int64_t capacity, covey_error **error);

/** The minimum spanning tree of a block of rows, or of a pair of blocks one after the other, by mutual reachability
 *  with core distances that were found among all rows. (Those of the block alone would be too large, and the edges
 *  wrong.)
 *
 *  row_numbers     the rows' numbers, at least 0 and ascending, by which edges name them; NULL = 0 and up.
 *  core_distances  one a row, finite and at least 0.     alpha  as in covey_cluster_options.
 *  edges           rows - 1, 0 at the least; `capacity` counts edges.
 *  Errors: as covey_nearest; with COVEY_METRIC_COSINE a row of zeros is COVEY_INVALID_DATA. */
covey_status covey_spanning_edges(const covey_context *context, const covey_matrix *rows, const int64_t *row_numbers,
                                  const double *core_distances, int32_t metric, double alpha, covey_edge *edges,
                                  int64_t capacity, covey_error **error);

/** Keeps the edges of the minimum spanning forest of n rows at the beginning of `edges`, in order, with from < to, and
 *  writes their number to `kept`. Ties are broken by distance, then by row numbers, never by the order of arrival. To
 *  merge any number of lists in bounded memory, write the next one behind the kept edges and call again.
 *  Cost: O(m log m) for m edges; memory 24 bytes an edge and 4 a row. Errors: as covey_cluster_edges. */
covey_status covey_merge_edges(const covey_context *context, int64_t rows, covey_edge *edges, int64_t count,
                               int64_t *kept, covey_error **error);

/** Two rows that must be in one cluster, or must not be. */
typedef struct covey_row_pair {
    int64_t first;
    int64_t second;
} covey_row_pair;

/** The minimum spanning forest of edges under constraints, for covey_cluster_edges: rows that must link are joined
 *  first, at distance 0, then edges join parts in the order of covey_merge_edges, except that an edge is left out if it
 *  would bring two rows that cannot link into one part. So no cluster holds such a pair, and rows that must link share
 *  a cluster or are noise together.
 *
 *  edges        `count` edges in any order, as covey_merge_edges: those of covey_clustering_spanning_tree, or all pairs
 *               of rows. Parts that an edge of a tree would have joined stay apart if it is left out; with all pairs
 *               they are joined by longer edges if that is allowed.
 *  must_link, cannot_link  pairs of different rows; NULL if there are none.
 *  forest       at most rows - 1 edges; `capacity` counts edges, and must be at least the lesser of rows - 1 and
 *               count + must_link_count. `kept` is their number.
 *  Cost: O(m log m) for m edges, and for each edge left out the pairs of the smaller of its parts.
 *  Errors: as covey_merge_edges; COVEY_INVALID_DATA for a pair out of range, of a row with itself, or that must and
 *  cannot link (names the pair); COVEY_BUFFER_TOO_SMALL. */
covey_status covey_constrain_edges(const covey_context *context, int64_t rows, const covey_edge *edges, int64_t count,
                                   const covey_row_pair *must_link, int64_t must_link_count,
                                   const covey_row_pair *cannot_link, int64_t cannot_link_count, covey_edge *forest,
                                   int64_t capacity, int64_t *kept, covey_error **error);

/** How many edges (rows used - 1, 0 at the least), merges (likewise) and condensed rows there are; 0 for NULL. */
int64_t covey_clustering_edge_count(const covey_clustering *clustering);
int64_t covey_clustering_condensed_count(const covey_clustering *clustering);

/** The spanning tree, by ascending distance. With COVEY_MISSING_ROWS_NOISE indices are those of the caller's matrix. */
covey_status covey_clustering_spanning_tree(const covey_clustering *clustering, covey_edge *edges, int64_t capacity,
                                            covey_error **error);

/** The single-linkage tree: covey_clustering_edge_count merges. */
covey_status covey_clustering_single_linkage_tree(const covey_clustering *clustering, covey_merge *merges,
                                                  int64_t capacity, covey_error **error);

/** The condensed tree: covey_clustering_condensed_count rows. With COVEY_MISSING_ROWS_NOISE the rows that were not used
 *  come first and leave the root at lambda 0, as in hdbscan. */
covey_status covey_clustering_condensed_tree(const covey_clustering *clustering, covey_condensed_edge *edges,
                                             int64_t capacity, covey_error **error);

/** The node of the condensed tree that each cluster is: clusters numbers. */
covey_status covey_clustering_selected_nodes(const covey_clustering *clustering, int64_t *nodes, int64_t capacity,
                                             covey_error **error);

/** How many exemplars a cluster has: the rows that stay longest in its leaves. 0 outside 0..clusters-1 or for NULL. */
int64_t covey_clustering_exemplar_count(const covey_clustering *clustering, int64_t cluster);

/** The exemplars' row numbers, ascending. */
covey_status covey_clustering_exemplars(const covey_clustering *clustering, int64_t cluster, int64_t *rows,
                                        int64_t capacity, covey_error **error);

/** Places new rows (m x d) in the clusters without changing them, as hdbscan's approximate_predict: the cluster in
 *  which the row would fall out of the tree, and its strength. labels: m, probabilities: m or NULL. Needs `prediction`
 *  = 1. Rows with a NaN or an infinity are noise with COVEY_MISSING_ROWS_NOISE, otherwise refused. A row that was
 *  clustered gets its own label again, whatever the options (of rows at equal distances, perhaps its neighbour's).
 *  Cost: one search among the n rows for each new row.
 *  Errors: COVEY_INVALID_ARGUMENT (no prediction data), COVEY_MISMATCH (columns), COVEY_INVALID_DATA, COVEY_CANCELLED.
 */
covey_status covey_clustering_predict(const covey_clustering *clustering, const covey_context *context,
                                      const covey_matrix *matrix, int32_t *labels, double *probabilities,
                                      covey_error **error);

/** As covey_clustering_predict, with more to say of each row.
 *  outlier_scores  m or NULL: the GLOSH score, 0 to 1, relative to what the row falls out of (hdbscan's
 *                  approximate_predict_scores): near 0 for a row as dense as its surroundings, 1 far from everything.
 *  neighbours      m or NULL: the number of the clustered row beside which the new one stands in the tree (hdbscan's
 *                  connecting point); -1 if there is none. */
covey_status covey_clustering_place(const covey_clustering *clustering, const covey_context *context,
                                    const covey_matrix *matrix, int32_t *labels, double *probabilities,
                                    double *outlier_scores, int64_t *neighbours, covey_error **error);

/** Labels of a cut through the single-linkage tree, DBSCAN* (Campello, Moulavi, Sander 2013) with that radius and the
 *  clustering's min_samples: rows joined by edges shorter than `distance` (>= 0) are a cluster if they are at least
 *  `min_cluster_size` (>= 1), otherwise noise. As hdbscan's dbscan_clustering. labels: n numbers. Cost: O(n). */
covey_status covey_clustering_cut(const covey_clustering *clustering, const covey_context *context, double distance,
                                  int64_t min_cluster_size, int32_t *labels, int64_t capacity, covey_error **error);

/** Soft membership: how much each row belongs to every cluster, 0 to 1 with a sum of at most 1; what is missing from 1
 *  is the chance that it is in none. Needs `prediction` = 1.
 *
 *  matrix       m x d new rows (hdbscan's membership_vector), or NULL = the n clustered rows
 *               (all_points_membership_vectors); rows that were not used, or have a NaN with COVEY_MISSING_ROWS_NOISE,
 *               belong to none.
 *  count        0 = a number for every cluster, in their order, and `clusters` is ignored; otherwise the `count`
 *               clusters with the largest numbers, the largest first, in `clusters`, -1 and 0 if there are fewer.
 *  clusters     m x count numbers, row by row, or NULL.     memberships  m x count, or m x clusters, likewise.
 *  capacity     of `memberships`.
 *  An infinite lambda (equal rows), which is NaN in hdbscan, counts as the largest.
 *  Cost: the distance from each row to every exemplar; memory O(m + clusters) beside the output.
 *  Errors: COVEY_INVALID_ARGUMENT, COVEY_MISMATCH, COVEY_INVALID_DATA, COVEY_BUFFER_TOO_SMALL, COVEY_CANCELLED. */
covey_status covey_clustering_membership(const covey_clustering *clustering, const covey_context *context,
                                         const covey_matrix *matrix, int64_t count, int32_t *clusters,
                                         double *memberships, int64_t capacity, covey_error **error);

/** How good any labels of n rows are: DBCV (Moulavi, Jaskowiak, Campello, Zimek, Sander 2014), as hdbscan's
 *  validity_index.
 *
 *  labels           n numbers from -1 (noise).
 *  plain_distances  1 = distances as they are in the place of mutual reachability (hdbscan's mst_raw_dist); otherwise
 *                   0.
 *  index            -1 to 1, the larger the better; NaN if there is one cluster alone.
 *  clusters         NULL, or one number for each label up to the largest, -1 to 1; 0 for one without rows.
 *  Cost: O(d m^2) for each cluster of m rows and O(d m m') for each pair; memory O(n). */
covey_status covey_validity(const covey_context *context, const covey_matrix *matrix, const int32_t *labels,
                            int32_t metric, int32_t plain_distances, double *index, double *clusters, int64_t capacity,
                            covey_error **error);

/** Selects clusters anew on the trees of a clustering, without clustering again; `clustering` stays as it is, and
 *  `selected` shares the rows and the spanning tree with it. Everything follows: labels, strengths, prediction, files,
 *  engines.
 *
 *  options  as in covey_cluster_matrix. min_samples, alpha, metric, search, missing, prediction, seed and weights stay
 *           those of `clustering`, whatever stands there; with another min_cluster_size the tree is condensed anew.
 *  nodes    NULL = as the options say; otherwise the `node_count` nodes of the condensed tree (n = the root, and above)
 *           that are the clusters, as covey_clustering_condensed_tree numbers them for the same min_cluster_size and
 *           cluster_selection_persistence, none above another. All rows below a node are in its cluster.
 *  Example: options.clusters = 8 gives eight clusters.
 *  Cost: O(n). Errors: COVEY_INVALID_ARGUMENT, COVEY_OUT_OF_MEMORY, COVEY_CANCELLED. */
covey_status covey_clustering_select(const covey_clustering *clustering, const covey_context *context,
                                     const covey_cluster_options *options, const int64_t *nodes, int64_t node_count,
                                     covey_clustering **selected, covey_error **error);

/** Which min_cluster_size to take, if nobody knows: the sizes at which the leaves of the tree change, ascending,
 *  from the one that the clustering was made with, and how persistent its leaves are there, the sum over them of how
 *  many sizes each is a leaf for; PLSCAN (persistent leaves, arXiv 2512.16558). The size with the largest sum is the
 *  choice, the other peaks are coarser and finer layers; covey_clustering_select with that min_cluster_size and
 *  COVEY_SELECTION_LEAF gives the clusters of each. sizes, persistence (may be NULL): covey_clustering_size_count
 *  numbers, 0 if no cluster is ever split or for NULL. They are worked out with the clustering. */
int64_t covey_clustering_size_count(const covey_clustering *clustering);
covey_status covey_clustering_sizes(const covey_clustering *clustering, int64_t *sizes, double *persistence,
                                    int64_t capacity, covey_error **error);

/** A clustering in a file (safetensors, with a checksum and a version): the spanning tree, the options and, with
 *  prediction data, the rows; all else is worked out again in O(n log n). Saving is atomic, as covey_encoder_save; the
 *  same clustering gives the same bytes. The bytes of a file can be kept elsewhere: covey_clustering_write,
 *  covey_clustering_read.
 *  Errors: COVEY_IO, COVEY_CORRUPT_FILE (names what is wrong), COVEY_UNSUPPORTED (of a newer version),
 *  COVEY_OUT_OF_MEMORY, COVEY_CANCELLED. */
covey_status covey_clustering_save(const covey_clustering *clustering, const covey_context *context, const char *path,
                                   covey_error **error);
covey_status covey_clustering_load(const covey_context *context, const char *path, covey_clustering **clustering,
                                   covey_error **error);
covey_status covey_clustering_write(const covey_clustering *clustering, const covey_context *context,
                                    covey_bytes **bytes,
                                    covey_error **error);
covey_status covey_clustering_read(const covey_context *context, const void *bytes, int64_t length,
                                   covey_clustering **clustering, covey_error **error);

void covey_clustering_destroy(covey_clustering *clustering);

/* ============================================================================================== 9. Cluster risk === */

/** Which clusters are risky, from late and partial labels. */
typedef struct covey_risk covey_risk;

#define COVEY_LABEL_UNKNOWN (-1)
#define COVEY_LABEL_LEGITIMATE 0
#define COVEY_LABEL_FRAUD 1

/* The rows over which a share of fraud is counted. Unknown is not legitimate: if hardly any row is known to be
 * legitimate, a share over the labelled rows says nothing. A share over all rows is the share of known fraud, which is
 * known_share times the share of fraud (Elkan and Noto 2008). */
#define COVEY_SHARES_AUTO 0     /**< covey_cluster_risk: ALL if no row is labelled as legitimate, otherwise
                                     LABELLED. covey_find: LABELLED if at least a fifth of the rows are labelled
                                     as legitimate, otherwise ALL. */
#define COVEY_SHARES_LABELLED 1 /**< fraud / labelled. */
#define COVEY_SHARES_ALL 2      /**< (fraud / size) / known_share, at most 1. */

typedef struct covey_risk_options {
    size_t struct_size;
    double confidence;   /**< Of the Wilson intervals, 0.5 to 0.9999; default 0.95. */
    double min_lift;     /**< See `risky` below; finite, > 0; default 3. */
    int64_t min_fraud;   /**< Likewise; at least 1; default 3. */
    double known_share;  /**< With shares over all rows: the share of all fraud that is labelled, above 0, at most 1;
                              0 = 1. */
    int32_t shares_over; /**< COVEY_SHARES_...; default AUTO. */
    int32_t reserved;    /**< 0. */
} covey_risk_options;

#define COVEY_RISK_OPTIONS_INIT {sizeof(covey_risk_options), 0.95, 3.0, 3, 0, COVEY_SHARES_AUTO, 0}

/** One cluster's figures; cluster -1 is the noise. */
typedef struct covey_cluster_report {
    size_t struct_size;
    int64_t cluster;       /**< Its label. */
    int64_t rank;          /**< 0 = riskiest: by `share_low` descending, then by loss, then by label. Noise takes
                                part. */
    int64_t size;          /**< Rows. */
    int64_t labelled;      /**< Rows whose label is known (fraud or legitimate). */
    int64_t fraud;         /**< Rows labelled as fraud. */
    double labelled_share; /**< labelled / size. */
    double share;          /**< fraud / labelled, or as COVEY_SHARES_ALL says; NaN if nothing is counted. */
    double share_low;      /**< Wilson score interval (Wilson 1927) of the share; 0 and 1 if nothing is counted. */
    double share_high;
    double lift;           /**< share / base rate; NaN if either is undefined. */
    double loss;           /**< Sum of amounts of the rows labelled as fraud; 0 without amounts. */
    double amount;         /**< Sum of amounts of all rows; 0 without amounts. */
    double first_seen;     /**< Smallest and largest time; NaN without times. */
    double last_seen;
    int32_t risky;         /**< 1 if fraud >= min_fraud and the odds of share_low are at least min_lift times
                                those of the base rate, and not noise. */
    int32_t reserved;
} covey_cluster_report;

#define COVEY_CLUSTER_REPORT_INIT {sizeof(covey_cluster_report), 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}

/** Rates the clusters of n rows.
 *
 *  labels   n cluster labels, -1 = noise, none below.
 *  fraud    n of COVEY_LABEL_...: if a missing chargeback says nothing, pass UNKNOWN; if it mostly means that all
 *           is well, LEGITIMATE.
 *  amounts  n finite numbers >= 0, or NULL.   times  n finite numbers (seconds), or NULL.
 *  The base rate is the share of all rows together, of the same kind. Cost: O(n).
 *  Errors: COVEY_INVALID_ARGUMENT, COVEY_INVALID_DATA. */
covey_status covey_cluster_risk(const covey_context *context, const int32_t *labels, const int8_t *fraud,
                                const double *amounts, const double *times, int64_t rows,
                                const covey_risk_options *options, covey_risk **risk, covey_error **error);

/** Reports: one for each label that occurs, noise among them; 0 for NULL. */
int64_t covey_risk_count(const covey_risk *risk);

/** The share of all rows together; NaN if no row is labelled. */
double covey_risk_base_rate(const covey_risk *risk);

/** The report at a rank, 0..count-1. Errors: COVEY_INVALID_ARGUMENT. */
covey_status covey_risk_get(const covey_risk *risk, int64_t rank, covey_cluster_report *report, covey_error **error);

/** Save and load cluster risk, like covey_clustering_save and its companions. */
covey_status covey_risk_save(const covey_risk *risk, const covey_context *context, const char *path,
                             covey_error **error);
covey_status covey_risk_load(const covey_context *context, const char *path, covey_risk **risk, covey_error **error);
covey_status covey_risk_write(const covey_risk *risk, const covey_context *context, covey_bytes **bytes,
                              covey_error **error);
covey_status covey_risk_read(const covey_context *context, const void *bytes, int64_t length, covey_risk **risk,
                             covey_error **error);

void covey_risk_destroy(covey_risk *risk);

/* ==================================================================================================== 10. Rules === */

/** A small set of conjunctions over expert features that describes a target. */
typedef struct covey_rules covey_rules;

/* Numbers that are derived from a row's columns and stand in rules beside them. Each is missing if one of its columns
 * is missing. */
#define COVEY_DERIVED_NONE 0       /**< A column of the table. */
#define COVEY_DERIVED_HOUR 1       /**< "hour of X": of a date in UTC, 0 to 24, with its minutes as a fraction. */
#define COVEY_DERIVED_DAYS 2       /**< "days from X to Y": of two dates, with fractions; negative if Y is
                                        earlier. */
#define COVEY_DERIVED_RATIO 3      /**< "X / Y"; missing if Y is 0. */
#define COVEY_DERIVED_DIFFERENCE 4 /**< "X - Y". A difference or ratio too large for a double is infinite. */

/** Two numeric columns of which rules may use the ratio first / second or the difference first - second. */
typedef struct covey_feature_pair {
    const char *first;
    const char *second;
    int32_t kind;     /**< COVEY_DERIVED_RATIO or COVEY_DERIVED_DIFFERENCE. */
    int32_t reserved; /**< 0. */
} covey_feature_pair;

/** What makes one rule better than another. P and N are the weights of the matching target rows and of the other
 *  matching rows, P0 and N0 those of all rows under search. */
#define COVEY_QUALITY_LIKELIHOOD 0        /**< The likelihood ratio less the length of the rule; see
                                               covey_extract_rules. */
#define COVEY_QUALITY_WEIGHTED_ACCURACY 1 /**< Weighted relative accuracy (Lavrac et al. 1999): share of rows x gain
                                               in share. */
#define COVEY_QUALITY_F_BETA 2            /**< (1 + beta^2) P / (beta^2 P0 + P + N). */
#define COVEY_QUALITY_LIFT 3              /**< Share of the target over its share everywhere. */
#define COVEY_QUALITY_AMOUNT 4            /**< Amount of the matching target rows for each false alarm: sum / (N +
                                               1). */

#define COVEY_FEATURE_FREE 0      /**< May appear in rules, unless any other feature is ALLOWED. */
#define COVEY_FEATURE_ALLOWED 1   /**< If any feature is, the search uses no others. */
#define COVEY_FEATURE_FORBIDDEN 2 /**< The search does not use it; a given rule may. */
#define COVEY_FEATURE_SENSITIVE 3 /**< Never in a rule: the search does not use it nor what is derived from it; given
                                       rules and pinned conditions that name it are refused. */

#define COVEY_DIRECTION_ANY 0
#define COVEY_DIRECTION_MORE 1    /**< More is riskier: no upper bounds (COVEY_NUMERIC), not "false" (COVEY_BOOLEAN). */
#define COVEY_DIRECTION_LESS (-1) /**< Less is riskier: no lower bounds, not "true". */

/** What an expert says of a feature. */
typedef struct covey_rule_feature {
    size_t struct_size;
    const char *feature; /**< The name of a column; named once. */
    int32_t use;         /**< COVEY_FEATURE_... */
    int32_t direction;   /**< COVEY_DIRECTION_...; not for categorical columns. */
} covey_rule_feature;

#define COVEY_RULE_FEATURE_INIT {sizeof(covey_rule_feature), NULL, COVEY_FEATURE_FREE, COVEY_DIRECTION_ANY}

#define COVEY_CONDITION_INTERVAL 0 /**< low <= x < high (either may be infinite); missing does not match. */
#define COVEY_CONDITION_IN 1       /**< One of the named categories. */
#define COVEY_CONDITION_NOT_IN 2   /**< None of the named categories, and not missing. */
#define COVEY_CONDITION_TRUE 3
#define COVEY_CONDITION_FALSE 4
#define COVEY_CONDITION_MISSING 5
#define COVEY_CONDITION_PRESENT 6

typedef struct covey_condition {
    size_t struct_size;
    const char *feature;       /**< Belongs to the rules handle, as do the other strings. For example "amount", "hour
                                    of opened". */
    double low;                /**< INTERVAL only. */
    double high;
    const char *const *categories; /**< IN and NOT_IN only. */
    int64_t category_count;
    int32_t kind;              /**< COVEY_CONDITION_... */
    int32_t reserved;
    int32_t derived;           /**< COVEY_DERIVED_...: what `feature` is. The name says it if a condition is
                                    handed in. */
    int32_t reserved2;
    const char *first;         /**< The columns that it is worked out of; NULL for a column, and the second for an
                                    hour. */
    const char *second;
} covey_condition;

#define COVEY_CONDITION_INIT {sizeof(covey_condition), NULL, 0, 0, NULL, 0, 0, 0, 0, 0, NULL, NULL}

typedef struct covey_rules_options {
    size_t struct_size;
    int64_t max_conditions; /**< In one rule, 1 to 8; default 3. */
    int64_t max_rules;      /**< In the set, 1 to 1000; default 8. */
    int64_t min_support;    /**< Target rows that a rule must match in the search rows, at least 1; default 10. */
    double min_precision;   /**< Smallest precision, on the rows of the search and on those never seen, 0 to 1;
                                 default 0.5. */
    double min_lift;        /**< Smallest lift, likewise; finite, >= 0; default 2. */
    int64_t max_bins;       /**< Of a numeric feature, 2 to 254; default 64. */
    int64_t beam_width;     /**< 1 to 10,000; default 64. */
    double held_out;         /**< Share of rows the search never sees, 0.05 to 0.95; default 0.3. */
    double confidence;      /**< Of the Wilson intervals, 0.5 to 0.9999; default 0.95. */
    const double *times;    /**< One a row, finite: the latest rows are held out. NULL = a seeded random share. */
    uint64_t seed;          /**< Default 0. */
    const char *target_name; /**< What the sentences call the target, "target" if NULL. Copied. */
    const double *weights;  /**< One a row, 0 to 1e12: how many rows it stands for; 0 leaves it out. NULL = 1 each. */
    const double *amounts;  /**< One a row, 0 to 1e15: what is lost if it is in the target. NULL = none. */
    int32_t quality;        /**< COVEY_QUALITY_...; default COVEY_QUALITY_LIKELIHOOD. */
    int32_t reserved;       /**< 0. */
    double beta;            /**< Of COVEY_QUALITY_F_BETA: how much more recall counts than precision, 0.01 to 100; 0
                                 = 1. */
    const covey_rule_feature *features; /**< feature_count of them, struct_size bytes apart, or NULL. */
    int64_t feature_count;  /**< 0 to 65,536. */
    const covey_condition *pinned; /**< Conditions that every rule contains, struct_size bytes apart, or NULL. They
                                        count among max_conditions; their features are not searched further. */
    int64_t pinned_count;   /**< 0 to max_conditions. */
    const covey_rules *given; /**< Rules written by hand, or NULL: measured on the same rows and returned after those
                                   found. */
    double rounding;        /**< 0 to 0.5: how much precision and recall may each fall, as shares of themselves, on
                                 the search's rows for a threshold of fewer digits. 0 = by less than one row's
                                 evidence. */
    double significance;    /**< A rule whose p_value or search_p_value is above it falls, 0 to 1; default 0.05; 0 =
                                 none falls. */
    int64_t permutations;   /**< Searches on permuted targets behind search_p_value, 0 to 10,000; default 0 = none. */
    int64_t resamples;      /**< Searches on halves of the rows behind stability, 0 to 1,000; default 0 = none. */
    double min_stability;   /**< A rule of less stability falls, 0 to 1; default 0. Above 0 needs resamples. */
    const char *age_to;      /**< A COVEY_DATE column: every other date also takes part as its age, "days from X to"
                                  this one. NULL = dates take part by their hour alone. */
    const covey_feature_pair *pairs; /**< Pairs of columns that may stand in rules as their ratio or difference. */
    int64_t pair_count;      /**< 0 to 65,536. */
} covey_rules_options;

#define COVEY_RULES_OPTIONS_INIT \
    {sizeof(covey_rules_options), 3, 8, 10, 0.5, 2.0, 64, 64, 0.3, 0.95, NULL, 0, NULL, NULL, NULL, 0, 0, 0, \
     NULL, 0, NULL, 0, \
     NULL, 0, 0.05, 0, 0, 0, NULL, NULL, 0}

/** EXTRACT RULES: finds conjunctions that hold in the target rows and rarely elsewhere.
 *
 *  features  a table of n rows; names are kept in the rules.     target  n numbers, 1 = in the target, 0 = not.
 *  Rows are split: by time the latest are held out (of equal times those that come last in the table), otherwise a
 *  random share of the target and of the rest; the search sees the others alone. Rows of weight 0 are on neither side.
 *
 *  Search. Features are binned once, missing being a bin of its own. Conjunctions grow by beam search, and as the paths
 *  of a decision tree, on a sample of at most 40,960 rows, each extended by the best interval or set of categories of
 *  each feature; a branch ends if its optimistic bound (all of its target rows and nothing else: Morishita and Sese
 *  2000; Grosskreutz, Rueping and Wrobel 2008) is no better than what is known. The default quality is the likelihood
 *  ratio (mutual information times rows), less the nats L that it takes to say the rule (minimum description length,
 *  Rissanen 1978). The other qualities pay for L too: their precision P / (P + N) is the lower end of its Wilson
 *  interval with z^2 = 2 L, as the best of e^L rules looks better than it is by chance (Occam's razor bound: Blumer et
 *  al. 1987, Langford 2005), and it must exceed the target's share among the rows that no other rule covers. The best
 *  are polished on all rows of the search: conditions fitted again value by value, those that can go dropped, others
 *  added. The best one joins the set, its rows are set aside, so that overlap earns nothing, and the search starts
 *  again on the rest (separate and conquer, Fuernkranz 1999). Then rules are fitted again to what the others leave,
 *  those that add
 *  nothing go, and thresholds are rounded: see `rounding`.
 *
 *  Truth. Every figure is measured again on the rows held out. A rule is rejected there if it has less than
 *  min_precision, min_lift, `significance` or min_stability; covey_rules_fallen counts them.
 *    p_value         If target and features are independent, every way of placing the target among the unseen rows
 *                    is equally likely: the share of them in which the rule matches as many target rows or more is
 *                    known exactly (hypergeometric, Fisher's test). The search never saw these rows, so that what it
 *                    tried needs no correction there; the number of rules chosen does (holdout evaluation, Webb 2007),
 *                    by Holm's method (1979). Rules that were given are corrected for their own number. Counts rows,
 *                    not weights.
 *    search_p_value  The same search, but for separate and conquer, on `permutations` targets permuted among its rows:
 *                    (1 + those with a rule of at least this score) / (1 + permutations), so corrected for everything
 *                    tried (maxT, Westfall and Young 1993).
 *    stability       The same search on `resamples` random halves of its rows (Meinshausen and Buehlmann 2010), with
 *                    half of min_support: the share that finds a rule of the same features, each with the same kind of
 *                    condition bounded on the same sides.
 *  With weights, shares are of weights, min_support is a weight, and the Wilson intervals take for the number of trials
 *  the effective one of Kish (1965): the square of the sum of weights over the sum of their squares.
 *
 *  No rule found is a success with 0 rules, as is a target with fewer than min_support rows in the search, or a
 *  min_lift that the target's share puts out of reach.
 *  Dates take part by their hour and as ages, pairs as ratios and differences (`age_to`, `pairs`): 8 bytes a row for
 *  each. At most 2^31 - 1 rows. Cost: O(n f) to read, O(beam_width * max_conditions * sample * f) for each rule found,
 *  and some passes over n for each condition; once more for each permutation and resample. The result depends on the
 *  input, the options and the seed alone.
 *  Errors: COVEY_INVALID_ARGUMENT (options out of range or against each other: a pinned condition on a forbidden
 *  feature or against its direction, COVEY_QUALITY_AMOUNT without amounts), COVEY_INVALID_DATA (infinite values, codes
 *  outside the categories, a target of one class, duplicate names, weights or amounts out of range), COVEY_MISMATCH (an
 *  option or a given rule that names no column, or one of another kind), COVEY_OUT_OF_MEMORY, COVEY_CANCELLED. */
covey_status covey_extract_rules(const covey_context *context, const covey_table *features, const uint8_t *target,
                                 const covey_rules_options *options, covey_rules **rules, covey_error **error);

/** The number of rules, those given among them; 0 for NULL. */
int64_t covey_rules_count(const covey_rules *rules);

/** How many candidate rules were tried, and how many chosen ones fell on the unseen rows. 0 for NULL. */
int64_t covey_rules_tried(const covey_rules *rules);
int64_t covey_rules_fallen(const covey_rules *rules);

/** Why the search returned no rule, as a sentence: too few rows of the target, a lift that no rule can have, rules that
 *  fell on the unseen rows, or nothing that was worth saying; NULL if it returned one, for a set that was read
 *  without it, and for NULL. */
const char *covey_rules_note(const covey_rules *rules);

/** A rule's figures. Those named search_ were measured on the search's rows, the others on the rows it never saw. */
typedef struct covey_rule_report {
    size_t struct_size;
    int64_t condition_count;
    int64_t matched;       /**< Unseen rows that the rule matches. */
    int64_t support;       /**< Unseen target rows that it matches. */
    double precision;      /**< support / matched. */
    double precision_low;  /**< Its Wilson interval. */
    double precision_high;
    double recall;         /**< support / unseen target rows. */
    double lift;           /**< precision / share of the target among the unseen rows. */
    int64_t search_matched;
    int64_t search_support;
    double search_precision;
    double search_recall;
    double search_lift;
    double recall_low;     /**< Wilson intervals, as that of precision. */
    double recall_high;
    double search_precision_low;
    double search_precision_high;
    double search_recall_low;
    double search_recall_high;
    double matched_weight; /**< Sums of weights; the numbers of rows without weights. */
    double support_weight;
    double search_matched_weight;
    double search_support_weight;
    double amount;         /**< Sum of weight x amount over `support` rows; 0 without amounts. */
    double false_amount;   /**< The same over the other matching rows. */
    double search_amount;
    double search_false_amount;
    double p_value;        /**< Of chance on the unseen rows, corrected for the rules chosen; NaN if not tested. */
    double search_p_value; /**< Of chance on the search's rows, corrected for all rules tried; NaN without
                                permutations. */
    double stability;      /**< Share of the resamples in which the rule comes back; NaN without resamples. */
    int32_t given;         /**< 1 if it was given by hand. */
    int32_t measured;      /**< 0 if it was measured on no rows: the figures say nothing. */
    double stated_precision; /**< What the author of such a rule says, which counts when an engine scores; NaN if
                                  nothing. */
} covey_rule_report;

#define COVEY_RULE_REPORT_INIT \
    {sizeof(covey_rule_report), 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, \
     0, 0, 0, 0, 0, 0, \
     0}

/** A rule's figures, best rule first, those given last. Errors: COVEY_INVALID_ARGUMENT. */
covey_status covey_rules_get(const covey_rules *rules, int64_t rule, covey_rule_report *report, covey_error **error);

/** The rule as a sentence with its figures; NULL outside. */
const char *covey_rules_text(const covey_rules *rules, int64_t rule);

/** A condition of a rule. Errors: COVEY_INVALID_ARGUMENT. */
covey_status covey_rules_condition(const covey_rules *rules, int64_t rule, int64_t index, covey_condition *condition,
                                   covey_error **error);

/** The condition in words, "amount is at least 100"; NULL outside. */
const char *covey_rules_condition_text(const covey_rules *rules, int64_t rule, int64_t index);

/** Evaluates all rules on a table; columns are found by name, categories matched by name; one not seen before matches
 *  no IN and every NOT_IN. Dates of derived features must be there as COVEY_DATE columns.
 *  Up to 16 rows are looked up in tables on the calling thread, without progress reports: well below a microsecond a
 *  row for 100 rules. More are evaluated by blocks of columns, as fast as memory delivers them.
 *
 *  fired  NULL, or rows x count bytes, row-major: 1 if the rule matches.   any  NULL, or rows bytes: 1 if one
 *         does.
 *  Errors: COVEY_MISMATCH names a column that is missing or of another kind; COVEY_INVALID_DATA. */
covey_status covey_rules_evaluate(const covey_rules *rules, const covey_context *context, const covey_table *features,
                                  uint8_t *fired, uint8_t *any, covey_error **error);

/* What a rule set is written as. */
#define COVEY_RULES_JSON 0   /**< The whole set with figures; covey_rules_parse reads it back.
                                  COVEY_RULES_JSON_SCHEMA describes it. */
#define COVEY_RULES_SQL 1    /**< A boolean expression, true if a rule matches, for a WHERE clause; see
                                  covey_export_options. NULL and NaN are missing. Columns of numbers may be of any
                                  numeric type, categories of any type that becomes text; booleans are TRUE and
                                  FALSE; dates are seconds since 1970-01-01 UTC. */
#define COVEY_RULES_DRL 2    /**< Drools rule language: a declared type Row, and a fact Fired for each rule that
                                  matches a row. */
#define COVEY_RULES_DMN 3    /**< DMN 1.3: a decision table, hit policy COLLECT, whose results are the numbers of the
                                  rules that match, from 0. What rules derive of columns is an input of its own,
                                  which the caller works out. */
#define COVEY_RULES_PMML 4   /**< PMML 4.4: a RuleSetModel with the score "match" or "none", and the first rule that
                                  matches. */
#define COVEY_RULES_PYTHON 5 /**< A Python 3 module with a function of a mapping; its result is the list of the rules
                                  that match. */
#define COVEY_RULES_C 6      /**< A C99 and C++ header: a struct for a row, and NAME_fired. */
#define COVEY_RULES_JAVA 7   /**< A Java 11 class with a class Row, matches and fired. */
#define COVEY_RULES_JSON_SCHEMA 8 /**< The JSON Schema (draft 2020-12) of COVEY_RULES_JSON, the same for every set. */

#define COVEY_SQL_ANSI 0       /**< Standard SQL. */
#define COVEY_SQL_POSTGRESQL 1
#define COVEY_SQL_SQLITE 2     /**< SQLite 3.23 and later. It takes an unknown name in double quotes for a text; this
                                    dialect writes names in back quotes, so that it is an error. Timestamps are
                                    texts, to the millisecond. */
#define COVEY_SQL_DUCKDB 3
#define COVEY_SQL_SPARK 4
#define COVEY_SQL_BIGQUERY 5

/** How covey_rules_export writes. NULL stands for the defaults, which are 0 and NULL. All but `name` is for SQL alone.
 */
typedef struct covey_export_options {
    size_t struct_size;
    int32_t dialect;       /**< COVEY_SQL_... */
    int32_t timestamps;    /**< 1 = dates are timestamp columns, those with a time zone and those without. */
    const char *time_zone; /**< The zone in which timestamps without a zone were written, "Europe/Vienna"; NULL =
                                UTC. Not for columns with a zone; PostgreSQL, DuckDB and BigQuery. */
    const char *table;     /**< The text is then the SELECT that finds the table's rows, with qualified columns. */
    const char *schema;    /**< Of the table; each name is quoted by itself. */
    const char *catalog;   /**< Of the schema. */
    const char *name;      /**< Of the Python or C function, the decision, the PMML model, the DRL package
                                ("risk.rules") or the Java class (likewise); an ASCII identifier. NULL = "rules", in
                                Java "Rules". */
} covey_export_options;

#define COVEY_EXPORT_OPTIONS_INIT {sizeof(covey_export_options), COVEY_SQL_ANSI, 0, NULL, NULL, NULL, NULL, NULL}

/** Writes the set in another language, as a text in UTF-8. Every format gives the same decision on every row as
 *  covey_rules_evaluate. O(size of the text). Names that are no identifiers of a language get similar ones, with the
 *  name in a comment.
 *  Errors: COVEY_INVALID_ARGUMENT, COVEY_UNSUPPORTED for what a format cannot hold (control characters in XML, texts
 *  beyond 20,000 letters in Java), COVEY_OUT_OF_MEMORY, COVEY_CANCELLED. */
covey_status covey_rules_export(const covey_rules *rules, const covey_context *context, int32_t format,
                                const covey_export_options *options, covey_buffer **text, covey_error **error);

/** Reads a rule set from JSON: `length` bytes, UTF-8, at most 64 MiB. A set written by hand needs no more than
 *  format_version, features (name and kind) and rules, each with its conditions and, if its author knows, a
 *  stated_precision. A key that is unknown or stands twice is an error.
 *  Errors: COVEY_INVALID_ARGUMENT, COVEY_CORRUPT_FILE (says where), COVEY_UNSUPPORTED, COVEY_OUT_OF_MEMORY,
 *  COVEY_CANCELLED. */
covey_status covey_rules_parse(const covey_context *context, const char *json, int64_t length, covey_rules **rules,
                               covey_error **error);

void covey_rules_destroy(covey_rules *rules);

/* ------------------------------------------------------------------------------------------------- Backtest --- */

/** What a rule set would have done on transactions of the past. Immutable, for any number of threads. */
typedef struct covey_backtest covey_backtest;

typedef struct covey_backtest_options {
    size_t struct_size;
    const double *amounts;   /**< One a row, finite and at least 0, or NULL. */
    const double *times;     /**< One a row, finite, seconds, in any order, or NULL: all rows are one period then. */
    const int32_t *outcomes; /**< What became of each row (disputed, refunded, blocked, passed), 0 to outcome_count -
                                  1, or NULL. */
    int64_t outcome_count;   /**< 0 to 64. */
    double period;           /**< Seconds of a period, above 0; default 604800, a week. At most 10,000 periods. */
    double confidence;       /**< Of the Wilson intervals, 0.5 to 0.9999; default 0.95. */
    const uint8_t *live;     /**< One a rule: 1 = in force already; NULL = none is. `added` figures are what a rule
                                  brings beside those in force. */
    const covey_rules *shadow; /**< A second set that is compared with the first, or NULL. */
} covey_backtest_options;

#define COVEY_BACKTEST_OPTIONS_INIT {sizeof(covey_backtest_options), NULL, NULL, NULL, 0, 604800, 0.95, NULL, NULL}

/** What a rule matched. Fraud is what it would have caught, legitimate rows are its false alarms. */
typedef struct covey_backtest_report {
    size_t struct_size;
    int64_t rows;
    int64_t fraud;             /**< Of these rows, labelled as fraud. */
    int64_t legitimate;        /**< Labelled as legitimate; the others are not labelled. */
    double amount;             /**< Sums of amounts; 0 without amounts. */
    double fraud_amount;
    double legitimate_amount;
    double precision;          /**< fraud / (fraud + legitimate) with its Wilson interval; NaN, 0 and 1 if none is
                                    labelled. */
    double precision_low;
    double precision_high;
    double recall;             /**< fraud / all fraud of the table, likewise. */
    double recall_low;
    double recall_high;
    int64_t added_rows;        /**< Of the rows, those that no other rule in force matches. 0 for a period and for a
                                    shadow. */
    int64_t added_fraud;
    int64_t added_legitimate;
    double added_amount;
    double added_fraud_amount;
    double added_legitimate_amount;
    double decay_p;            /**< The chance that a constant precision seems to fall so over the periods
                                    (Cochran-Armitage, one-sided), corrected for the number of rules (Holm 1979); NaN
                                    if nothing can be tested. */
    double hit_rate_p;         /**< Of a share of matching rows that changes so, two-sided, likewise. */
    int64_t recent_rows;       /**< In the last quarter of the periods. */
    int64_t recent_fraud;
    int64_t recent_legitimate;
    int32_t retire;            /**< 1 if, of at least 4 periods, the rule matched before and either matches no
                                    more in the last quarter, or the upper end of its precision there is below the
                                    base rate. */
    int32_t reserved;
} covey_backtest_report;

#define COVEY_BACKTEST_REPORT_INIT \
    {sizeof(covey_backtest_report), 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}

#define COVEY_BACKTEST_ANY (-1) /**< In the place of a rule: rows that any rule matches. */
#define COVEY_BACKTEST_ALL (-2) /**< For covey_backtest_period: all rows. */

#define COVEY_SHADOW_BOTH 0   /**< Rows that both sets match, the first alone, the second alone, none. */
#define COVEY_SHADOW_FIRST 1
#define COVEY_SHADOW_SECOND 2
#define COVEY_SHADOW_NEITHER 3

/** Runs rules on a table of n rows. fraud: n of COVEY_LABEL_... O(n x rules) bit operations, and O(rows that match) for
 *  amounts and outcomes; the result does not depend on the threads.
 *  Errors: as covey_rules_evaluate; COVEY_INVALID_ARGUMENT, COVEY_INVALID_DATA (a label, amount, time or outcome that
 *  is none). */
covey_status covey_backtest_run(const covey_context *context, const covey_rules *rules, const covey_table *features,
                                const int8_t *fraud, const covey_backtest_options *options, covey_backtest **backtest,
                                covey_error **error);

/** The figures of a rule, or of COVEY_BACKTEST_ANY. Errors: COVEY_INVALID_ARGUMENT, as of all below. */
covey_status covey_backtest_get(const covey_backtest *backtest, int64_t rule, covey_backtest_report *report,
                                covey_error **error);

/** The periods, from the earliest time on, and when each begins (seconds); 0 for NULL, NaN outside and without times.
 */
int64_t covey_backtest_period_count(const covey_backtest *backtest);
double covey_backtest_period_start(const covey_backtest *backtest, int64_t period);

/** The figures of a rule, COVEY_BACKTEST_ANY or COVEY_BACKTEST_ALL in a period; the added and later fields are 0 or
 *  NaN. */
covey_status covey_backtest_period(const covey_backtest *backtest, int64_t rule, int64_t period,
                                   covey_backtest_report *report, covey_error **error);

/** Rows of an outcome that a rule (or COVEY_BACKTEST_ANY) matches, and the sum of their amounts; either may be NULL. */
covey_status covey_backtest_outcome(const covey_backtest *backtest, int64_t rule, int64_t outcome, int64_t *rows,
                                    double *amount, covey_error **error);

/** Rows that two rules match; -1 outside, for NULL, and for sets of more than 1024 rules. */
int64_t covey_backtest_overlap(const covey_backtest *backtest, int64_t first, int64_t second);

/** Rows by which of two sets matches them: COVEY_SHADOW_... */
covey_status covey_backtest_shadow(const covey_backtest *backtest, int32_t which, covey_backtest_report *report,
                                   covey_error **error);

void covey_backtest_destroy(covey_backtest *backtest);

/* =================================================================================================== 11. Engine === */

/** Everything that scores a transaction, in one file. */
typedef struct covey_engine covey_engine;

/** What an engine is made of. It keeps what it needs: the handles may be destroyed afterwards. */
typedef struct covey_engine_parts {
    size_t struct_size;
    const covey_encoder *encoder;       /**< NULL if the hybrid has no embeddings. */
    const covey_hybrid *hybrid;         /**< Required. */
    const covey_clustering *clustering; /**< Required, of rows that `hybrid` made, with `prediction` = 1. */
    const covey_risk *risk;             /**< Required, of that clustering's labels. */
    const covey_rules *const *rules;    /**< rule_count rule sets, or NULL. */
    const int64_t *rule_clusters;       /**< The cluster each set describes; -1 = no single cluster but fraud itself. */
    int64_t rule_count;                 /**< 0 to 65,536. */
} covey_engine_parts;

#define COVEY_ENGINE_PARTS_INIT {sizeof(covey_engine_parts), NULL, NULL, NULL, NULL, NULL, NULL, 0}

/** Puts the parts together. Errors: COVEY_INVALID_ARGUMENT (no prediction data), COVEY_MISMATCH (an encoder if the
 *  hybrid has no embeddings or none if it has, dimensions, clusters that the clustering does not have, a risk of
 *  other rows than the clustering's, columns of two kinds), COVEY_OUT_OF_MEMORY, COVEY_CANCELLED. */
covey_status covey_engine_build(const covey_context *context, const covey_engine_parts *parts, covey_engine **engine,
                                covey_error **error);

/** Reads and writes the one file (safetensors, with a checksum). Saving is as covey_encoder_save says; the same engine
 *  gives the same bytes.
 *  Errors: COVEY_IO, COVEY_CORRUPT_FILE, COVEY_UNSUPPORTED, COVEY_OUT_OF_MEMORY, COVEY_CANCELLED. */
covey_status covey_engine_load(const covey_context *context, const char *path, covey_engine **engine,
                               covey_error **error);
covey_status covey_engine_save(const covey_engine *engine, const covey_context *context, const char *path,
                               covey_error **error);

/** The encoder inside, borrowed; NULL if there is none or for NULL. */
const covey_encoder *covey_engine_encoder(const covey_engine *engine);

/** The feature columns that scoring needs (those of the hybrid, then those of rules alone): how many, their name and
 *  their kind (COVEY_NUMERIC..., COVEY_DATE); NULL and -1 outside. */
int64_t covey_engine_feature_count(const covey_engine *engine);
const char *covey_engine_feature_name(const covey_engine *engine, int64_t feature);
int32_t covey_engine_feature_kind(const covey_engine *engine, int64_t feature);

/** The feature columns as a JSON Schema (draft 2020-12) of one transaction's features: names, types, kinds
 *  ("x-covey-kind") and, as examples, the categories that occurred in fitting or that rules name. Errors:
 *  COVEY_INVALID_ARGUMENT, COVEY_OUT_OF_MEMORY, COVEY_CANCELLED. */
covey_status covey_engine_schema(const covey_engine *engine, const covey_context *context, covey_buffer **text,
                                 covey_error **error);

/** 16 hexadecimal digits that engines of the same content share: the checksum over all that the engine's file says. It
 *  finds damage and confusion, not malice. O(size of the file). Errors: COVEY_INVALID_ARGUMENT, COVEY_OUT_OF_MEMORY,
 *  COVEY_CANCELLED. */
covey_status covey_engine_hash(const covey_engine *engine, const covey_context *context, covey_buffer **text,
                               covey_error **error);

/** The bytes of the engine's file, for a database or an object store, and back; covey_engine_read copies what it needs.
 *  Errors: as covey_engine_save and covey_engine_load. */
covey_status covey_engine_write(const covey_engine *engine, const covey_context *context, covey_buffer **bytes,
                                covey_error **error);
covey_status covey_engine_read(const covey_context *context, const void *bytes, int64_t size, covey_engine **engine,
                               covey_error **error);

/** Rows of the clustering inside; 0 for NULL. */
int64_t covey_engine_rows(const covey_engine *engine);

/** The same engine with new labels of the rows that its clustering was made of (covey_engine_rows of them, in their
 *  order), since chargebacks come late: risk is worked out again as by covey_cluster_risk; clustering, hybrid features,
 *  encoder and rules stay. options: NULL = those of the engine's risk.
 *  The evidence of an engine of covey_find is learnt again from the rows that the engine keeps: the result scores as
 *  the engine that covey_find makes with these labels, the same encoder and options; shares_over is AUTO unless
 *  `options` say more. Forests are grown again if the engine has some, for which covey_find needs two known frauds.
 *  Errors: as covey_cluster_risk; COVEY_MISMATCH for another number of rows; COVEY_INVALID_DATA if an engine with
 *  evidence gets no known fraud, or nothing else. */
covey_status covey_engine_rerate(const covey_engine *engine, const covey_context *context, const int8_t *fraud,
                                 const double *amounts, const double *times, int64_t rows,
                                 const covey_risk_options *options, covey_engine **rated, covey_error **error);

void covey_engine_destroy(covey_engine *engine);

/** The scores of a batch of transactions. */
typedef struct covey_scores covey_scores;

/* The parts of the evidence: see covey_find. */
#define COVEY_EVIDENCE_TREE 0       /**< Known fraud around the row, along the tree of clusters. */
#define COVEY_EVIDENCE_NEIGHBOURS 1 /**< Known fraud among its nearest rows. */
#define COVEY_EVIDENCE_FEATURES 2   /**< A forest on the features. */
#define COVEY_EVIDENCE_EVENTS 3     /**< A forest on features and counts of events, and a linear model of
                                         event types, pairs and gaps. */
#define COVEY_EVIDENCE_JOINT 4      /**< A forest on all columns and the embeddings. */

typedef struct covey_score {
    size_t struct_size;
    int64_t cluster;      /**< The cluster it behaves like; -1 = none. */
    double strength;      /**< Of that membership, 0 to 1. */
    double risk;          /**< 0 to 1; see covey_engine_score. */
    int64_t rule_count;   /**< Rules that fire. */
    int64_t reason_count; /**< Sentences. */
    int32_t risky;        /**< 1 if the cluster is risky, or a rule fires of a risky cluster or of no single one.
                               Of an engine of covey_find: 1 in a risky group. */
    int32_t has_evidence; /**< 1 if the engine is one of covey_find that knew fraud; without, what follows is 0
                               and -1. */
    double evidence[5];   /**< By COVEY_EVIDENCE_...: the parts of the sum behind `risk`, in log odds; 0 says
                               nothing. */
    int64_t group;        /**< The risky group, as numbered by the covey_found; -1 = none. */
} covey_score;

#define COVEY_SCORE_INIT {sizeof(covey_score), 0, 0, 0, 0, 0, 0, 0, {0, 0, 0, 0, 0}, 0}

/** Scores transactions: `sequences` (NULL if the engine has no encoder) and `features` with as many rows. From any
 *  number of threads at once, with the same result as in any batch.
 *
 *  risk = max(strength * share(cluster) + (1 - strength) * base, precision * share of the best rule that fires), where
 *  share is the cluster's share of fraud (the base rate if nothing in it is labelled; for a rule, that of the
 *  cluster it describes, or 1 for -1), and base is the base rate of the labelled rows (0 if there are none). An
 *  engine of covey_find that knew fraud gives the risk of its evidence instead; the cluster, the rules that fire and
 *  what is unusual in a transaction without a cluster are among the reasons. It is for new transactions: those that it
 *  was made from meet their own labels in it, and covey_found_scores judges them by the others alone. `features` may be
 *  NULL if covey_engine_feature_count is 0. No transactions are fine.
 *  Errors: as covey_embed_sequences, covey_hybrid_transform, covey_clustering_predict and covey_rules_evaluate;
 *  COVEY_MISMATCH for an input that is missing, for sequences given to an engine without an encoder, and for row counts
 *  that differ. */
covey_status covey_engine_score(const covey_engine *engine, const covey_context *context,
                                const covey_sequences *sequences, const covey_table *features, covey_scores **scores,
                                covey_error **error);

#define COVEY_BAD_ROWS_FAIL 0   /**< A transaction that cannot be scored fails the call. */
#define COVEY_BAD_ROWS_STATUS 1 /**< It has a status of its own: see covey_scores_status. */

typedef struct covey_score_options {
    size_t struct_size;
    int32_t bad_rows;   /**< COVEY_BAD_ROWS_...; default FAIL. */
    int32_t reserved;   /**< 0. */
    int64_t max_events; /**< The largest number of events of a sequence that are used: its last ones by time, as if the
                             others had not been given; 0 (default) = all; at most 2^31 - 1. */
    double seconds;     /**< The call fails with COVEY_CANCELLED if it is not done after as many seconds, 0 to 1e9; 0
                             (default) = never. It notices this within about a millisecond. */
} covey_score_options;

#define COVEY_SCORE_OPTIONS_INIT {sizeof(covey_score_options), COVEY_BAD_ROWS_FAIL, 0, 0, 0.0}

/** The same with options; NULL = the defaults. With COVEY_BAD_ROWS_STATUS numbers that cannot be used (what else would
 *  give COVEY_INVALID_DATA: times that are not finite, infinite features, bad codes) concern their transaction alone;
 *  offsets and lengths that do not fit still fail the call.
 *  Errors: as covey_engine_score; COVEY_INVALID_ARGUMENT (options), COVEY_CANCELLED (too late). */
covey_status covey_engine_score_with(const covey_engine *engine, const covey_context *context,
                                     const covey_sequences *sequences, const covey_table *features,
                                     const covey_score_options *options, covey_scores **scores, covey_error **error);

/** COVEY_OK, or why a transaction has no score: its risk is NaN, its cluster -1, it has no rules and no reasons.
 *  COVEY_INVALID_ARGUMENT outside. */
covey_status covey_scores_status(const covey_scores *scores, int64_t transaction);

/** The message of such a transaction, as if it had been scored alone; NULL if there is a score, and outside. */
const char *covey_scores_message(const covey_scores *scores, int64_t transaction);

/** Transactions; 0 for NULL. */
int64_t covey_scores_count(const covey_scores *scores);

/** What is odd about a batch of 20 transactions and more, as a sentence; NULL outside, so that most batches have NULL
 *  at index 0. One in five events has a type that the encoder does not know (names in upper case), or the mean
 *  logarithm of the time between events or of dwell lies two deviations from that of training (milliseconds for
 *  seconds). */
const char *covey_scores_warning(const covey_scores *scores, int64_t index);

/** Errors: COVEY_INVALID_ARGUMENT. */
covey_status covey_scores_get(const covey_scores *scores, int64_t transaction, covey_score *score, covey_error **error);

/** A rule that fires, as its sentence, and the cluster it describes; NULL and -1 outside. */
const char *covey_scores_rule(const covey_scores *scores, int64_t transaction, int64_t index);
int64_t covey_scores_rule_cluster(const covey_scores *scores, int64_t transaction, int64_t index);

/** A reason, as a sentence: the cluster and its figures, the rules, the events with the most attention; NULL outside.
 */
const char *covey_scores_reason(const covey_scores *scores, int64_t transaction, int64_t index);

void covey_scores_destroy(covey_scores *scores);

/** Scores one transaction after another in memory that is used again: what a payment page needs. The features are set
 *  by their index, which is looked up once by covey_engine_feature_index, and keep their values until they are set
 *  again; at first all are missing. The numbers are those of covey_engine_score.
 *
 *      int64_t amount = covey_engine_feature_index(engine, "amount"), country = covey_engine_feature_index(...);
 *      covey_scorer_create(engine, NULL, &scorer, &error);
 *      for (each transaction) {
 *          covey_scorer_set_number(scorer, amount, 12.5, &error);
 *          covey_scorer_set_category(scorer, country, "NL", &error);
 *          covey_scorer_score(scorer, &sequences, NULL, &score, &error);
 *      }
 *
 *  Once it has scored transactions as long and with as many rules that fire, covey_scorer_score and the setters
 *  allocate nothing, if events come in the order of time, max_events cuts none off, the engine has no evidence (see
 *  covey_score.has_evidence) and its clustering is Euclidean. The memory of the longest sequence is kept.
 *
 *  One thread at a time: a second one gets COVEY_INVALID_ARGUMENT. Each thread can have a scorer of its own. The engine
 *  may be destroyed before it, the context may not. */
typedef struct covey_scorer covey_scorer;

/** The index of a feature column that scoring needs, as covey_engine_feature_name counts; -1 if it needs none of this
 *  name. */
int64_t covey_engine_feature_index(const covey_engine *engine, const char *name);

/** Errors: COVEY_INVALID_ARGUMENT, COVEY_OUT_OF_MEMORY. */
covey_status covey_scorer_create(const covey_engine *engine, const covey_context *context, covey_scorer **scorer,
                                 covey_error **error);

/** Makes all features missing. Errors: COVEY_INVALID_ARGUMENT. */
covey_status covey_scorer_clear(covey_scorer *scorer, covey_error **error);

/** Sets a number, a date (seconds since 1970) or a boolean (0 or 1); NaN = missing. Errors: COVEY_INVALID_ARGUMENT (no
 *  such feature), COVEY_MISMATCH (a categorical feature), COVEY_INVALID_DATA (infinite, out of range). */
covey_status covey_scorer_set_number(covey_scorer *scorer, int64_t feature, double value, covey_error **error);

/** Sets a category; NULL = missing. One that the engine does not know is fine. Errors: COVEY_INVALID_ARGUMENT (no such
 *  feature, not UTF-8), COVEY_MISMATCH (a feature that is not categorical). */
covey_status covey_scorer_set_category(covey_scorer *scorer, int64_t feature, const char *category,
                                       covey_error **error);

/** Scores the features that were set and one sequence (NULL if the engine has no encoder). options: NULL = the
 *  defaults; bad_rows changes nothing for one transaction. Errors: as covey_engine_score_with. */
covey_status covey_scorer_score(covey_scorer *scorer, const covey_sequences *sequences,
                                const covey_score_options *options, covey_score *score, covey_error **error);

/** The last score with its rules and reasons, to be destroyed by the caller; this allocates. Errors:
 *  COVEY_INVALID_ARGUMENT before the first score and after one that failed. */
covey_status covey_scorer_scores(const covey_scorer *scorer, covey_scores **scores, covey_error **error);

void covey_scorer_destroy(covey_scorer *scorer);

/** What the engine itself says about one of its clusters (0 to the number of clusters - 1), as JSON:
 *
 *  - "size", "labelled", "fraud", "share", "share_low", "share_high" (with "confidence"), "lift", "base_rate", "risky",
 *    "rank", "loss", "amount", "first_seen", "last_seen": as covey_cluster_report, null if unknown
 *  - "persistence" and "mean_strength" of the clustering
 *  - "features": numbers that set the cluster apart: Cliff's delta against the "compared_with" rows of no cluster (all
 *    others if every row is in one), its interval, corrected for all "comparisons" (Bonferroni), and quartiles. Only
 *    those whose interval does not hold 0, the surest first. "categories": likewise the shares of categories and
 *    booleans, with Newcombe's interval of the difference, and the lift
 *  - "nearest": the 5 other clusters whose exemplars' means are nearest, by hybrid rows
 *  - "exemplars": up to 8 rows of the clustering; "rules": the sentences of its rules
 *  - "cautions": why nobody should act on it alone: "no_known_fraud", "few_labels" (below 5), "near_base_rate" (the
 *    interval begins at or below the base rate), "wide_interval" (above 0.5), "few_rows" (below 5)
 *  - "not_known": what an engine does not keep: "events", "links" (shared values), "growth",
 *    "stability_over_resamples", "amounts", "times". The case report works these out from raw rows.
 *
 *  Values are read back from the hybrid rows: exact to a float, held within the clip; the median stands for missing
 *  values unless there is an indicator. Of more than 50,000 rows on a side an even sample is read.
 *  Errors: COVEY_INVALID_ARGUMENT (a cluster that the engine does not have), COVEY_OUT_OF_MEMORY, COVEY_CANCELLED. */
covey_status covey_engine_profile(const covey_engine *engine, const covey_context *context, int64_t cluster,
                                  covey_buffer **text, covey_error **error);

/** COUNTERFACTUALS: what would change the score of one transaction. */
typedef struct covey_counterfactuals covey_counterfactuals;

/** What may become of one feature. A feature without a limit has cost 1 and no more. */
typedef struct covey_change_limit {
    const char *name;              /**< A feature of the engine; each at most once. */
    double cost;                   /**< Finite, above 0: of one unit of a number (see covey_change), or of any other
                                        change. */
    double low;                    /**< The least new number, if has_low is 1; finite. */
    double high;                   /**< The largest, if has_high is 1; finite, at least low. */
    const char *const *categories; /**< The only new categories of a categorical feature, unique; NULL = those that
                                        occur in the rows that the engine keeps (the 32 most frequent) or in rules. */
    int64_t category_count;        /**< 0 to 65,536; 0 with NULL. */
    int32_t has_low;               /**< 0 or 1. 0: no number below those of the rows that the engine keeps. */
    int32_t has_high;              /**< 0 or 1. 0: likewise above. */
    int32_t immutable;             /**< 1: the feature is not changed. Dates never are. */
    int32_t reserved;              /**< 0. */
} covey_change_limit;

/* What an answer must reach, all that is added up. */
#define COVEY_GOAL_AUTO 0          /**< NOT_RISKY for a transaction that is risky; otherwise a risk of at most the base
                                        rate of the labelled rows. */
#define COVEY_GOAL_NOT_RISKY 1     /**< covey_score.risky is 0. */
#define COVEY_GOAL_LEAVE_CLUSTER 2 /**< Another cluster or none, and not one that is risky. */
#define COVEY_GOAL_RISK_BELOW 4    /**< The risk is below risk_below. */

typedef struct covey_counterfactual_options {
    size_t struct_size;
    size_t limit_size;                /**< sizeof(covey_change_limit) when the caller was compiled. */
    const covey_change_limit *limits; /**< limit_count of them, or NULL. */
    int64_t limit_count;              /**< 0 to 65,536. */
    double risk_below;                /**< With COVEY_GOAL_RISK_BELOW: above 0, at most 1; otherwise 0. */
    int64_t answers;                  /**< The most answers, 1 to 100; default 3. */
    int64_t max_changes;              /**< The most features and events that an answer changes; 0 (default) = any. */
    int64_t max_removed;              /**< The most events that an answer removes; default 0. Only the 64 events with
                                           the most attention are tried, and never the last one in time, which is the
                                           transaction. */
    double event_cost;                /**< Of one removed event; finite, above 0; default 1. */
    int64_t max_evaluations;          /**< The most alternatives that are scored, 100 to 1,000,000; default 10,000. */
    int32_t goal;                     /**< A sum of COVEY_GOAL_...; default AUTO. */
    int32_t others_immutable;         /**< 1: features without a limit are not changed. Default 0. */
} covey_counterfactual_options;

#define COVEY_COUNTERFACTUAL_OPTIONS_INIT \
    {sizeof(covey_counterfactual_options), sizeof(covey_change_limit), NULL, 0, 0.0, 3, 0, 0, 1.0, 10000, \
     COVEY_GOAL_AUTO, 0}

#define COVEY_COUNTERFACTUAL_NONE 0       /**< Nothing that was tried reaches the goal. */
#define COVEY_COUNTERFACTUAL_FOUND 1      /**< There are answers. */
#define COVEY_COUNTERFACTUAL_NOT_NEEDED 2 /**< The transaction reaches the goal as it is. */

/** Searches for the cheapest changes of a transaction after which covey_engine_score says what `goal` asks for.
 *
 *  sequences   one sequence, or NULL if the engine has no encoder.   features   one row, or NULL if it needs none.
 *
 *  Every answer is scored by the engine from the changed inputs, as covey_engine_score would score them for a host, and
 *  is left out if it does not reach the goal. An answer's cost is the sum of those of its changes and removed events.
 *  Answers come by cost; none has all the changes of a cheaper one (the same features, numbers in the same direction,
 *  events), so that they are different ways.
 *
 *  Three searches propose answers: all values of each single feature (those that occur, those around the bounds of
 *  rules, and some between) and each single event; the nearest rows among those that the engine keeps and that are in
 *  no risky cluster; and a beam over combinations (Mothilal, Sharma and Tan 2020 call for the same: valid, near,
 *  sparse, diverse). Then changes are taken back while the goal holds, and numbers are moved towards the given ones,
 *  to a ten thousandth of a unit. A number stays whole if it is whole in the rows that the engine keeps. A missing
 *  value may become known, at one unit more; a known one never becomes missing. It is a search and no proof: a cheaper
 *  answer may exist. The result depends on the inputs and options alone.
 *
 *  An answer says what the engine would score. It does not say that a customer could or should change that, or that the
 *  transaction would be honest then.
 *
 *  Cost: max_evaluations times that of covey_engine_score for one transaction at most; the embedding is computed anew
 *  only if events are removed. Of the rows that the engine keeps at most 50,000 are read.
 *  Errors: as covey_engine_score; COVEY_INVALID_ARGUMENT for options out of range or that do not suit a feature's kind;
 *  COVEY_MISMATCH for a feature that the engine does not have, more or less than one transaction, max_removed without
 *  an encoder, and COVEY_GOAL_LEAVE_CLUSTER without clusters. That nothing was found is no error. */
covey_status covey_counterfactuals_find(const covey_engine *engine, const covey_context *context,
                                        const covey_sequences *sequences, const covey_table *features,
                                        const covey_counterfactual_options *options, covey_counterfactuals **result,
                                        covey_error **error);

/** COVEY_COUNTERFACTUAL_...; 0 for NULL. */
int32_t covey_counterfactuals_outcome(const covey_counterfactuals *result);

/** Answers, and the alternatives that were scored; 0 for NULL. */
int64_t covey_counterfactuals_count(const covey_counterfactuals *result);
int64_t covey_counterfactuals_evaluations(const covey_counterfactuals *result);

/** An answer. */
typedef struct covey_counterfactual {
    size_t struct_size;
    double cost;
    int64_t changes; /**< Changed features. */
    int64_t removed; /**< Removed events. */
} covey_counterfactual;

#define COVEY_COUNTERFACTUAL_INIT {sizeof(covey_counterfactual), 0, 0, 0}

/** A changed feature. */
typedef struct covey_change {
    size_t struct_size;
    const char *name;         /**< Texts belong to the covey_counterfactuals. */
    const char *old_category; /**< COVEY_CATEGORICAL: the given category, NULL = missing; otherwise NULL. */
    const char *new_category; /**< COVEY_CATEGORICAL: the new one; otherwise NULL. */
    double old_value;         /**< The given number, or 0 or 1; NaN = missing, and for categories. */
    double new_value;         /**< The new one, likewise. */
    double cost;              /**< Of a number: the feature's cost * |new - old| / unit, and one unit more if it was
                                    missing, from the median on. Of other kinds: the feature's cost. */
    double unit;              /**< Of a number: the distance between the quartiles of the rows that the engine keeps; a
                                    quarter of the range if they are equal; the largest bound of rules for a feature
                                    that rules alone use; 1 if all these are 0. 1 for other kinds. */
    int32_t kind;             /**< COVEY_NUMERIC, COVEY_CATEGORICAL or COVEY_BOOLEAN. */
    int32_t reserved;         /**< 0. */
} covey_change;

#define COVEY_CHANGE_INIT {sizeof(covey_change), NULL, NULL, NULL, 0, 0, 0, 0, 0, 0}

/** Errors of these: COVEY_INVALID_ARGUMENT, COVEY_BUFFER_TOO_SMALL. */
covey_status covey_counterfactuals_get(const covey_counterfactuals *result, int64_t answer,
                                       covey_counterfactual *counterfactual, covey_error **error);
covey_status covey_counterfactuals_change(const covey_counterfactuals *result, int64_t answer, int64_t index,
                                          covey_change *change, covey_error **error);

/** The events that an answer removes: positions in the sequence as it was given, from 0, ascending. */
covey_status covey_counterfactuals_removed(const covey_counterfactuals *result, int64_t answer, int64_t *events,
                                           int64_t capacity, covey_error **error);

/** The score of the transaction as it was given, at 0, then that of each answer; borrowed. NULL for NULL. */
const covey_scores *covey_counterfactuals_scores(const covey_counterfactuals *result);

/** An answer as a sentence; -1: what was found at all, or why nothing was. NULL outside. */
const char *covey_counterfactuals_text(const covey_counterfactuals *result, int64_t answer);

void covey_counterfactuals_destroy(covey_counterfactuals *result);

/** SESSIONS: events that come one at a time. A session is memory of the caller, and Covey keeps nothing of it: it may
 *  lie in a file or a database, and be moved with memcpy. It has a header of 64 bytes, and for each event that it keeps
 *  8 bytes for the time, 8 for dwell if the encoder uses it, 8 for each numeric channel, 4 for the type and 4 for
 *  each categorical channel, rounded up to a multiple of 8. One thread at a time may change a session.
 *
 *  A session keeps the last `largest_events` events that came. The older ones are forgotten, so that one client with
 *  100,000 events cannot hold a thread. Embedding and score are those of the events that are kept, byte for byte as
 *  covey_embed_sequences and covey_engine_score give them for one sequence: nothing is approximated. */

/** An event of a session. */
typedef struct covey_event {
    size_t struct_size;
    int32_t type;               /**< Index in the encoder's vocabulary. Another number counts as an unknown event. */
    int32_t reserved;           /**< 0. */
    double time;                /**< Seconds on the clock of the session's other events; finite. */
    const double *dwell;        /**< Seconds, at least 0; NULL or NaN = missing. Not used by encoders without dwell. */
    const double *numeric;      /**< One for each numeric channel of the encoder; NaN = missing. */
    const int32_t *categorical; /**< One for each categorical channel of the encoder. */
    int64_t numeric_count;      /**< As many as the encoder has. */
    int64_t categorical_count;  /**< Likewise. */
} covey_event;

#define COVEY_EVENT_INIT {sizeof(covey_event), 0, 0, 0, NULL, NULL, NULL, 0, 0}

/** What a session says of itself. */
typedef struct covey_session_state {
    size_t struct_size;
    int64_t events;         /**< Events that it keeps now. */
    int64_t largest_events; /**< The most that it keeps. */
    int64_t total;          /**< Events that came since covey_session_start, with those that were forgotten. */
    int64_t unknown;        /**< Those of them whose type the vocabulary does not have. */
} covey_session_state;

#define COVEY_SESSION_STATE_INIT {sizeof(covey_session_state), 0, 0, 0, 0}

/** The bytes of a session that keeps 1 to 16,777,216 events; 0 outside, for NULL and for an engine without an
 *  encoder. */
int64_t covey_session_size(const covey_engine *engine, int64_t largest_events);

/** Makes `size` bytes at `session` an empty session, of as many events as they hold; also to begin again. Any alignment
 *  will do. Errors: COVEY_INVALID_ARGUMENT, COVEY_MISMATCH (the engine has no encoder), COVEY_BUFFER_TOO_SMALL. */
covey_status covey_session_start(const covey_engine *engine, void *session, int64_t size, covey_error **error);

/** Adds an event. The session is unchanged if the call fails. Cost: O(channels), without any allocation. The engine may
 *  be another than that which started the session, if its encoder has the same names of events and channels.
 *  Errors: COVEY_INVALID_ARGUMENT; COVEY_INVALID_DATA (the value is named); COVEY_MISMATCH (other channels, other
 *  names); COVEY_CORRUPT_FILE for bytes that are no session. */
covey_status covey_session_add(const covey_engine *engine, void *session, int64_t size, const covey_event *event,
                               covey_error **error);

/** Counts. Errors: COVEY_INVALID_ARGUMENT, COVEY_MISMATCH, COVEY_CORRUPT_FILE. */
covey_status covey_session_get(const covey_engine *engine, const void *session, int64_t size,
                               covey_session_state *state, covey_error **error);

/** The embedding of the events that are kept; `capacity` is the number of floats that `embedding` holds, at least the
 *  encoder's dimension. Errors: as covey_embed_sequences and covey_session_get; COVEY_BUFFER_TOO_SMALL. */
covey_status covey_session_embed(const covey_engine *engine, const covey_context *context, const void *session,
                                 int64_t size, float *embedding, int64_t capacity, covey_error **error);

/** The score of the session as one transaction; `features` has one row. Errors: as covey_engine_score and
 *  covey_session_get. */
covey_status covey_session_score(const covey_engine *engine, const covey_context *context, const void *session,
                                 int64_t size, const covey_table *features, covey_scores **scores,
                                 covey_error **error);

/** DRIFT: counts what is scored, to say whether it still looks like what the engine was made of. Any number of threads
 *  may add to one, and counts of other threads and machines are added to it: whole numbers alone are counted, so their
 *  order changes nothing. */
typedef struct covey_drift covey_drift;

/** Makes an empty one, with the histograms of the rows that the engine keeps (50,000 of them at most). It keeps the
 *  engine. Errors: COVEY_INVALID_ARGUMENT, COVEY_OUT_OF_MEMORY, COVEY_CANCELLED. */
covey_status covey_drift_create(const covey_engine *engine, const covey_context *context, covey_drift **drift,
                                covey_error **error);

/** Counts transactions: any of sequences, features and scores may be NULL, but not all. Nothing is counted if it fails.
 *  Embeddings are not made again, so that this costs a small part of scoring.
 *  Errors: as covey_engine_score. */
covey_status covey_drift_add(covey_drift *drift, const covey_context *context, const covey_sequences *sequences,
                             const covey_table *features, const covey_scores *scores, covey_error **error);

/** Adds what `other` counted. O(counts): those of event types, clusters and columns. Errors: COVEY_INVALID_ARGUMENT;
 *  COVEY_MISMATCH for another engine; COVEY_OUT_OF_MEMORY, COVEY_CANCELLED. */
covey_status covey_drift_merge(covey_drift *drift, const covey_context *context, const covey_drift *other,
                               covey_error **error);

/** What moved, as JSON: "warnings" (code and text, as covey_scores_warning and for categories that training did not
 *  have), "moved" (names), and for each feature column of the hybrid rows and for the mix of clusters the population
 *  stability index, the p value of a chi-squared test and whether it moved (index at least 0.2, and p times the number
 *  of comparisons at most 0.001), against the rows that the engine keeps. With `earlier`, counts of the same engine,
 *  against those, and for event types, the time between events, dwell and risk too, of which an engine keeps no counts.
 *  Errors: COVEY_INVALID_ARGUMENT; COVEY_MISMATCH (`earlier` counts for another engine); COVEY_OUT_OF_MEMORY,
 *  COVEY_CANCELLED. */
covey_status covey_drift_report(const covey_drift *drift, const covey_context *context, const covey_drift *earlier,
                                covey_buffer **text, covey_error **error);

/** The counts as bytes, and back, with an engine of the same content. Errors: COVEY_INVALID_ARGUMENT,
 *  COVEY_CORRUPT_FILE, COVEY_MISMATCH (another engine), COVEY_OUT_OF_MEMORY, COVEY_CANCELLED. */
covey_status covey_drift_write(const covey_drift *drift, const covey_context *context, covey_buffer **bytes,
                               covey_error **error);
covey_status covey_drift_read(const covey_engine *engine, const covey_context *context, const void *bytes,
                              int64_t size, covey_drift **drift, covey_error **error);

void covey_drift_destroy(covey_drift *drift);

/** EXPLANATIONS: what each event and each feature of a transaction adds to a number that the engine gives it. */
typedef struct covey_explanations covey_explanations;

/* The number that is explained. */
#define COVEY_EXPLAINED_EXEMPLAR 0   /**< The distance to the cluster's exemplar that is nearest to the transaction. */
#define COVEY_EXPLAINED_CENTRE 1     /**< The distance to the mean of the cluster's rows (for COVEY_METRIC_COSINE, of
                                          its rows scaled to length 1). */
#define COVEY_EXPLAINED_MEMBERSHIP 2 /**< The membership in the cluster, as covey_clustering_membership gives it. */
#define COVEY_EXPLAINED_RISK 3       /**< The risk, as covey_engine_score gives it. */
#define COVEY_EXPLAINED_CONTRAST 4   /**< What sets the cluster apart: Fisher's linear discriminant (1936) of its rows
                                          against all others, 0 at the others' mean and 1 at its own. Embeddings and
                                          features are taken as independent; a hundredth of the mean variance within
                                          the two groups is added to each variance. Of more than 20,000 rows on a side
                                          an even sample is read. */

/* How events get their attributions: see covey_engine_explain. */
#define COVEY_ATTRIBUTION_AUTO (-1)
#define COVEY_ATTRIBUTION_OCCLUSION 0
#define COVEY_ATTRIBUTION_SHAPLEY 1
#define COVEY_ATTRIBUTION_GRADIENTS 2

typedef struct covey_explain_options {
    size_t struct_size;
    int32_t explained;     /**< COVEY_EXPLAINED_...; default CONTRAST. */
    int32_t method;        /**< COVEY_ATTRIBUTION_...; default AUTO. */
    int64_t cluster;       /**< -1 (default) = the cluster that the transaction behaves like, and if it behaves like
                                none, that of the nearest exemplar. -1 for RISK. */
    int64_t largest_parts; /**< 1 to 4,096; default 256. A sequence with more events is divided into this number of
                                runs of consecutive events of about equal length; the events of a run share its
                                attribution equally. */
    int64_t permutations;  /**< SHAPLEY: even, 4 to 65,536; default 32. */
    int64_t largest_steps; /**< GRADIENTS: the most points on the path, 4 to 4,096; default 256. */
    uint64_t seed;         /**< SHAPLEY: default 0. */
    int32_t features;      /**< 1 (default) = features are explained too. */
    int32_t faithfulness;  /**< 1 (default) = the figures of faithfulness are measured, but for the sensitivity. */
    int32_t sensitivity;   /**< 1 = the sensitivity is measured, at four times the cost of the attributions; default
                                0. */
    int32_t reserved;      /**< 0. */
} covey_explain_options;

#define COVEY_EXPLAIN_OPTIONS_INIT \
    {sizeof(covey_explain_options), COVEY_EXPLAINED_CONTRAST, COVEY_ATTRIBUTION_AUTO, -1, 256, 32, 256, 0, 1, 1, 0, 0}

/** The explanation of a transaction. */
typedef struct covey_explanation {
    size_t struct_size;
    int64_t cluster;          /**< The cluster that is explained; -1 for RISK. */
    int64_t exemplar;         /**< The exemplar, a row of the engine's clustering; -1 = none. */
    double value;             /**< f(x), the number that is explained. */
    double base;              /**< f without any event, and for GRADIENTS that of the baseline. */
    double residual;          /**< value - base - the sum of the events' attributions. */
    int64_t events;           /**< T. */
    int64_t parts;            /**< min(T, largest_parts). */
    int64_t features;         /**< covey_engine_feature_count, or 0 if features are not explained. */
    int64_t steps;            /**< GRADIENTS: points on the path; otherwise 0. */
    double comprehensiveness; /**< The figures of faithfulness; NaN without events, and if they are not measured. */
    double sufficiency;
    double difference;
    double preservation;
    double infidelity;
    double sensitivity;       /**< NaN if it is not measured. */
    int32_t method;           /**< COVEY_ATTRIBUTION_..., never AUTO. */
    int32_t explained;
} covey_explanation;

#define COVEY_EXPLANATION_INIT {sizeof(covey_explanation), 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}

/** EXPLAIN: attributions of the events and features of each transaction. An attribution has the unit of f: a distance
 *  that an event makes smaller has a negative one. A transaction is explained the same alone and in any batch.
 *
 *    OCCLUSION  f(x) - f(x without the event). The gaps and the time until the last event are then those of the events
 *               that are left. T sequences of T - 1 events. They need not add up.
 *    SHAPLEY    The mean of what the event adds when the events join one by one, in sampled orders, each used forwards
 *               and backwards (Castro, Gomez and Tejada 2009; Mitchell et al. 2022). They add up to f(x) - f(without
 *               events). The standard error is that of the mean over the pairs of orders. permutations * (T - 1)
 *               sequences of T / 2 events on average.
 *    GRADIENTS  Integrated gradients (Sundararajan, Taly and Yan 2017), for distances and contrasts. The baseline has
 *               as many events, all unknown and with average times, gaps and dwell, and missing channels. Points on the
 *               path are doubled until what is left of f(x) - f(baseline) is at most 1 % of it (`residual`), or there
 *               are largest_steps.
 *    AUTO       OCCLUSION, which asks one run for each event.
 *
 *  Features: f(x) - f(x with the feature's usual value), which is the median of the rows that the hybrid features were
 *  fitted to, or their most frequent category (of at most 10,000 rows). Features that rules alone read become missing.
 *
 *  Faithfulness: parts (events, or runs of them) are left out in the order of the size of their attributions, in at
 *  most 16 steps, and the value is looked at; all figures but the sensitivity have the unit of f.
 *    comprehensiveness  Mean over the steps of the upper half of |f(x) - f(x without the most important)|: more is
 *                       better (DeYoung et al. 2020).
 *    sufficiency        The same of |f(x) - f(the most important alone)|: less is better.
 *    difference         The sum of |changes| from step to step while the upper half is left out: more is better
 *                       (cumulative prediction difference, Jang et al. 2025).
 *    preservation       The same while the lower half is left out: less is better.
 *    infidelity         The root mean square over all these steps of the change less the sum of the attributions of
 *                       what is left out: less is better (Yeh et al. 2019).
 *    sensitivity        By itself: the largest |attributions when all gaps and dwells are 5 or 2 % shorter or longer -
 *                       attributions| / |attributions|, with Euclidean lengths: less is better (Yeh et al. 2019).
 *
 *  `sequences` and `features` are as for covey_engine_score. An empty sequence has no attributions, and base = value.
 *  Without an encoder features alone are explained. Cost: that of covey_embed_sequences for the sequences above and,
 *  with faithfulness, at most 24 more of each transaction.
 *  Errors: as covey_engine_score; COVEY_INVALID_ARGUMENT (options out of range, GRADIENTS of a membership or risk, a
 *  cluster that the engine does not have), COVEY_MISMATCH (an engine without clusters if no risk is explained;
 *  CONTRAST of a cluster that has all rows; GRADIENTS without an encoder). */
covey_status covey_engine_explain(const covey_engine *engine, const covey_context *context,
                                  const covey_sequences *sequences, const covey_table *features,
                                  const covey_explain_options *options, covey_explanations **explanations,
                                  covey_error **error);

/** Transactions; 0 for NULL. */
int64_t covey_explanations_count(const covey_explanations *explanations);

/** Errors of these: COVEY_INVALID_ARGUMENT, COVEY_BUFFER_TOO_SMALL. */
covey_status covey_explanations_get(const covey_explanations *explanations, int64_t transaction,
                                    covey_explanation *explanation, covey_error **error);

/** attributions: one for each event, in the order as given. errors: NULL, or likewise the standard errors, NaN if
 *  the method has none. */
covey_status covey_explanations_events(const covey_explanations *explanations, int64_t transaction,
                                       double *attributions, double *errors, int64_t capacity, covey_error **error);

/** attributions: one for each feature, in the order of covey_engine_feature_name. */
covey_status covey_explanations_features(const covey_explanations *explanations, int64_t transaction,
                                         double *attributions, int64_t capacity, covey_error **error);

void covey_explanations_destroy(covey_explanations *explanations);

/* ===================================================================================================== 12. Find === */

/** What covey_find found. Immutable, for any number of threads. */
typedef struct covey_found covey_found;

/* What `significance` bounds. */
#define COVEY_ERROR_RATE_FAMILYWISE 0      /**< The chance that any group is a false one. */
#define COVEY_ERROR_RATE_FALSE_DISCOVERY 1 /**< The share of false ones among the groups. */

#define COVEY_SEARCH_AUTO (-1) /**< covey_find: EXACT up to 100,000 rows, APPROXIMATE above. */

typedef struct covey_find_options {
    size_t struct_size;
    uint64_t seed;           /**< Of all that is drawn; default 0. */
    double known_share;      /**< c, the share of all fraud that is known; above 0, at most 1; 0 (default) =
                                  estimated. */
    int32_t shares_over;     /**< COVEY_SHARES_...; default AUTO. */
    int32_t error_rate;      /**< COVEY_ERROR_RATE_...; default FAMILYWISE. */
    double significance;     /**< The largest corrected p value of a risky group, above 0, at most 1; default 0.05. */
    double confidence;       /**< Of the intervals, 0.5 to 0.9999; default 0.95. */
    double min_share;        /**< The smallest estimated share of fraud in a risky group, 0 to 1; default 0.8. */
    int64_t min_fraud;       /**< The fewest known frauds in a risky group, at least 2; default 2. */
    int64_t permutations;    /**< Behind the p values, 19 to 100,000; default 999. */
    int64_t trees;           /**< Of each forest, 0 to 10,000; 0 = without them; default 200. */
    int64_t max_rules;       /**< Rules for fraud, 0 to 1,000; default 8. */
    int64_t min_cluster_size; /**< Of the clusters that labels name, at least 2; default 5. */
    int32_t scaling;         /**< COVEY_SCALING_... of numeric features; default ROBUST. */
    int32_t search;          /**< COVEY_SEARCH_...; default AUTO. */
    double embedding_weight; /**< Of the blocks in joined rows; finite, above 0; default 1. */
    double feature_weight;   /**< Likewise. */
    const covey_training_options *training; /**< Of the encoder, if one is trained; NULL = the defaults. Its seed
                                                 is `seed`. */
} covey_find_options;

#define COVEY_FIND_OPTIONS_INIT                                                                                        \
    {sizeof(covey_find_options), 0, 0, COVEY_SHARES_AUTO, COVEY_ERROR_RATE_FAMILYWISE, 0.05, 0.95, 0.8, 2, 999, \
     200, 8, \
     5, COVEY_SCALING_ROBUST, COVEY_SEARCH_AUTO, 1.0, 1.0, NULL}

/** FIND: the whole road in one call, from events and features to who is likely to be fraud, with the engine that says
 *  it of new transactions.
 *
 *  sequences   n click streams, or NULL: then features alone. A transaction without events has an empty sequence.
 *  vocabulary  of their event types, if an encoder is trained; otherwise NULL.
 *  features    n rows, or NULL: then sequences alone. Dates take part in rules alone.
 *  fraud       n of COVEY_LABEL_..., or NULL: then clusters, outliers and what is new. Late and few labels will do.
 *              What is not known is UNKNOWN, not LEGITIMATE.
 *  amounts     n numbers >= 0, NaN if not known, or NULL.   times  n finite numbers, seconds, or NULL.
 *  rows        n, at least 1.
 *  encoder     NULL = one is trained on the sequences (needs no categorical channels), with `training`.
 *
 *  1. Views. Rows are looked at in several ways, each clustered with min_samples 1: embeddings joined with features
 *     (the first, whose clusters are the labels), features alone, embeddings alone (if half of the sequences or more
 *     have events); without events the features as `scaling` says and by quantiles. With more than 100,000 rows
 *     embeddings of more than 32 numbers are their 32 leading principal components, and large parts of the trees are
 *     joined with fewer comparisons than in covey_cluster_matrix.
 *  2. Evidence. With y = 1 for known fraud and 0 for all other rows, s = K / n the base rate: P, the share of known
 *     fraud of the lowest node of a view's tree above the row, each node's shrunk towards its parent's, P = (k + 5
 *     P(parent)) / (size + 5) (empirical Bayes: Efron and Morris 1975); N, that of its 20 nearest rows, the t-th
 *     counting 1 / t, rows at one distance as their mean; forests on positive and unlabelled rows (balanced bagging:
 *     Mordelet and Vert 2014; Breiman 2001), each tree on at most 4,000 known frauds and four times as many others:
 *     on the features; on features and event columns (counts of the 64 most frequent types, gaps, dwell); on all of
 *     these and the 12 leading principal components of the embeddings. A linear model of events is added to the second
 *     forest: logistic regression on the types, the pairs of types in a row and the gaps of a sequence (in powers of
 *     two seconds), each counting sqrt(count) log(n / d) if d sequences have it (Spaerck Jones 1972), rows of length
 *     1; at most 4,096 of them, of the 128 most frequent types. It is fitted to the known frauds and to other rows, at
 *     most 20,000 of them or as many as there are known frauds; both sides weigh the same. Z = w1/2 mean of
 *     log((P + s) / 2s) + w2/2 mean of log((N + s) / 2s) + w3 to w6 times the log odds of forests and linear model. The
 *     weights are a logistic regression on these six sources, at least 0 and pulled towards equal ones (ridge
 *     regression: Hoerl and Kennard 1970): few known frauds leave them about equal, many let a source without signal
 *     fade. The settings name them. The rows of the call are judged in parts, at most 10, each by what is known of the
 *     other parts alone (cross-fitting; Stone 1974), so that a known fraud and its unknown twin see the same, as new
 *     rows do; a model may be fitted to the same labels with the score as a column (in log odds). The forests and the
 *     linear model are the supervised part; they are kept apart and can be left out.
 *  3. Risk. g, the chance that a row is known to be fraud, is a logistic regression on Z (Platt 1999). risk = g / c up
 *     to 0.9, above it 1 - 0.01 / (g / c - 0.8), so that order is kept, where c is the share of all fraud that is known
 *     (Elkan and Noto 2008): as given; otherwise the highest 95 % lower bound of the share of known fraud in any set
 *     of rows that is significant below (TIcE: Bekker and Davis 2018), for merges of the trees corrected for their
 *     number, and at least 0.1: below, the rows that are most fraud are more likely a mix than all fraud. If a fifth of
 *     the rows or more are known to be legitimate, c is the share of rows that are labelled, or up to that bound: fraud
 *     is often labelled sooner.
 *  4. Risky groups. Every merge of every view's single-linkage tree is a candidate (here and in P, of merges of one
 *     length right above each other the highest: their order is that of the rows); its statistic is the log likelihood
 *     ratio of its share of known fraud against s (tree scan: Kulldorff, Fang and Walsh 2003). The labels are permuted,
 *     and the best candidate of each permutation gives p values that are corrected for all candidates (maxT: Westfall
 *     and Young 1993). Of those significant with an estimated share of at least min_share, the disjoint ones with the
 *     largest sum of statistics are the groups. The rows that Z puts first and no group holds make one more, tested
 *     likewise over all beginnings of that order: the longest, up to half of the rows, with an estimated share of at
 *     least min_share that is 0.6 or more at its end (isotonic regression: Ayer et al. 1955; there c counts as 0.3 at
 *     least, if it was estimated).
 *  5. Rules for fraud, by the search of covey_extract_rules. It describes the rows that are known to be fraud, in a
 *     risky group, or at risk 0.5 and more (self-training); known fraud of other rows, which neither the search nor
 *     its evidence saw, tests the rules: their figures and p values count known fraud alone. With fewer than 100 known
 *     frauds the rows test in five parts (cross-validation; Stone 1974): a rule found on all rows is measured, part by
 *     part, by the rule that the search without that part has in its place (half of the rows in common), and needs one
 *     in half of the parts. Otherwise the latest rows are held out, or a random part of all rows if the latest are
 *     known to be fraud too seldom (their labels have not come yet) or hold more than half of the known fraud. A rule
 *     stands if it is significant and its interval reaches c / 2, half fraud (3 s if c is not known), and its share of
 *     known fraud half of the lower end of c. A rule's text says what it means for fraud. Where fraud is counted over
 *     labelled rows, known fraud alone is described.
 *  6. Findings: what to know about the result, and what to do if nothing was found, which is a success too.
 *
 *  Cost: that of covey_encoder_train and covey_embed_sequences; for each view that of covey_cluster_matrix and a search
 *  of 20 neighbours; O(permutations n) for each view; O(trees n) for each forest. Rules fit the evidence again with
 *  99 permutations and 50 trees, once, or five times with few known frauds. Everything is kept in memory: about 8 bytes
 *  a number of the views' rows and 400 bytes a row. The result depends on the input, the options and the seed alone.
 *  Errors: COVEY_INVALID_ARGUMENT, COVEY_INVALID_DATA (labels, amounts below 0, times that are not finite, no rows; as
 *  the stages), COVEY_MISMATCH (row counts; channels of the encoder), COVEY_OUT_OF_MEMORY, COVEY_CANCELLED.
 *
 *      covey_found *found = NULL;
 *      covey_find(NULL, &sequences, vocabulary, &features, fraud, NULL, NULL, n, NULL, NULL, &found, &error);
 *      covey_found_scores(found, scores, n, &error);
 *      covey_engine_save(covey_found_engine(found), NULL, "shop.engine", &error);
 *      covey_found_destroy(found); */
covey_status covey_find(const covey_context *context, const covey_sequences *sequences,
                        const covey_vocabulary *vocabulary,
                        const covey_table *features, const int8_t *fraud, const double *amounts, const double *times,
                        int64_t rows, const covey_encoder *encoder, const covey_find_options *options,
                        covey_found **found, covey_error **error);

/** n; 0 for NULL. */
int64_t covey_found_rows(const covey_found *found);

/** The number of clusters, without noise; 0 for NULL. */
int64_t covey_found_clusters(const covey_found *found);

/** labels: n numbers, 0..clusters-1, -1 = in no cluster. Errors of these: COVEY_INVALID_ARGUMENT,
 *  COVEY_BUFFER_TOO_SMALL. */
covey_status covey_found_labels(const covey_found *found, int32_t *labels, int64_t capacity, covey_error **error);

/** groups: n numbers, 0..covey_found_group_count-1, -1 = in no risky group. */
covey_status covey_found_row_groups(const covey_found *found, int32_t *groups, int64_t capacity, covey_error **error);

/** risky: n of 0 and 1, 1 = in a risky group. */
covey_status covey_found_risky(const covey_found *found, uint8_t *risky, int64_t capacity, covey_error **error);

/** scores: n numbers, 0 to 1: each row's risk of fraud, without what is known of the row itself. If no fraud is
 *  known, outlier scores. */
covey_status covey_found_scores(const covey_found *found, double *scores, int64_t capacity, covey_error **error);

/** values: n numbers, a part of Z; 0 if no fraud is known. `part`: COVEY_EVIDENCE_.... */
covey_status covey_found_evidence(const covey_found *found, int32_t part, double *values, int64_t capacity,
                                  covey_error **error);

/** A risky group. */
typedef struct covey_risky_group {
    size_t struct_size;
    int64_t rows;
    int64_t fraud;      /**< Known to be fraud. */
    int64_t legitimate; /**< Known to be legitimate. */
    int64_t unknown;    /**< Not known. */
    double share;       /**< The estimated share of fraud: fraud / rows / c, at most 1. Here and in lift, rows and
                             fraud count the whole group, of which earlier groups may have some rows. */
    double share_low;   /**< The Wilson interval of fraud / rows, its ends over those of c, likewise. */
    double share_high;
    double lift;        /**< fraud / rows over s. */
    double p_value;     /**< Corrected for all candidates. */
    double loss;        /**< Sum of amounts of the rows known to be fraud, and of all rows; 0 without amounts. */
    double amount;
    double first_seen;  /**< Smallest and largest time; NaN without times. */
    double last_seen;
    int32_t of_evidence; /**< 1 = the rows that all evidence together puts first; 0 = a knot of a tree. */
    int32_t reserved;
} covey_risky_group;

#define COVEY_RISKY_GROUP_INIT {sizeof(covey_risky_group), 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}

/** Risky groups, by share_low, that of the evidence last; 0 for NULL. */
int64_t covey_found_group_count(const covey_found *found);

/** Errors: COVEY_INVALID_ARGUMENT. */
covey_status covey_found_group(const covey_found *found, int64_t index, covey_risky_group *group, covey_error **error);

/** The group in a sentence; NULL outside. */
const char *covey_found_group_text(const covey_found *found, int64_t index);

/** The rules for fraud, borrowed; NULL if none were searched for, which a finding explains, or for NULL. */
const covey_rules *covey_found_rules(const covey_found *found);

/** The engine, borrowed: keep it by saving it, or `found`. NULL for NULL. */
const covey_engine *covey_found_engine(const covey_found *found);

/* Findings. Codes are fixed for ever; new ones may be added. */
#define COVEY_FINDING_NO_LABELS 1          /**< `fraud` is NULL. */
#define COVEY_FINDING_NO_KNOWN_FRAUD 2
#define COVEY_FINDING_TOO_FEW_FRAUDS 3     /**< Fewer than 5 are known. */
#define COVEY_FINDING_ONLY_FRAUD 4         /**< All rows are known fraud: nothing to tell it from. */
#define COVEY_FINDING_NO_SIGNAL 5          /**< Known fraud is spread as by chance. */
#define COVEY_FINDING_NO_GROUP 6           /**< There is signal, but no group that is fraud enough. */
#define COVEY_FINDING_GIANT_CLUSTER 7      /**< More than 90 % of the rows in one cluster. */
#define COVEY_FINDING_MUCH_NOISE 8         /**< More than half of the rows in none. */
#define COVEY_FINDING_NO_CLUSTERS 9
#define COVEY_FINDING_EMBEDDINGS_WITHOUT_SIGNAL 10
#define COVEY_FINDING_FEATURE_GIVES_LABEL_AWAY 11
#define COVEY_FINDING_UNLABELLED_COMPARED 12 /**< Known fraud is compared with rows of which nobody knows. */
#define COVEY_FINDING_KNOWN_SHARE 13         /**< c is estimated, or cannot be. */
#define COVEY_FINDING_NO_RULE 14
#define COVEY_FINDING_AMOUNTS_MISSING 15
#define COVEY_FINDING_FEW_EVENTS 16          /**< Less than half of the transactions have events. */
#define COVEY_FINDING_DATES_LEFT_OUT 17
#define COVEY_FINDING_NEW_BEHAVIOUR 18       /**< A cluster of the last tenth of the time. */
#define COVEY_FINDING_FEW_ROWS 19            /**< Fewer than 50. */
#define COVEY_FINDING_EVENTS_UNLIKE_TRAINING 20 /**< As covey_scores_warning. */

/** Findings; 0 for NULL. A finding's code, 0 outside, and its text with what to do, NULL outside. */
int64_t covey_found_finding_count(const covey_found *found);
int32_t covey_found_finding_code(const covey_found *found, int64_t index);
const char *covey_found_finding_text(const covey_found *found, int64_t index);

/** What was chosen and how, as a JSON object; NULL for NULL. */
const char *covey_found_settings(const covey_found *found);

void covey_found_destroy(covey_found *found);

/* ====================================================================================== 13. Initialisers === */

/* For languages that see no macros of braces, as Rust's bindgen: each fills a struct as its COVEY_..._INIT macro does.
 * `size` is that of the struct in the program, which becomes its struct_size; fields that this library does not know
 * are zero. The fields channel_size, column_size and limit_size, which give the size of other structs, are those of
 * this library.
 * Errors: COVEY_INVALID_ARGUMENT (NULL, a size below sizeof(size_t) or above 4096 or no multiple of 8). */
covey_status covey_context_options_init(covey_context_options *target, size_t size);
covey_status covey_matrix_init(covey_matrix *target, size_t size);
covey_status covey_table_init(covey_table *target, size_t size);
covey_status covey_arrow_options_init(covey_arrow_options *target, size_t size);
covey_status covey_sequences_init(covey_sequences *target, size_t size);
covey_status covey_embed_options_init(covey_embed_options *target, size_t size);
covey_status covey_training_options_init(covey_training_options *target, size_t size);
covey_status covey_training_epoch_init(covey_training_epoch *target, size_t size);
covey_status covey_hybrid_options_init(covey_hybrid_options *target, size_t size);
covey_status covey_cluster_options_init(covey_cluster_options *target, size_t size);
covey_status covey_risk_options_init(covey_risk_options *target, size_t size);
covey_status covey_cluster_report_init(covey_cluster_report *target, size_t size);
covey_status covey_rule_feature_init(covey_rule_feature *target, size_t size);
covey_status covey_condition_init(covey_condition *target, size_t size);
covey_status covey_rules_options_init(covey_rules_options *target, size_t size);
covey_status covey_rule_report_init(covey_rule_report *target, size_t size);
covey_status covey_export_options_init(covey_export_options *target, size_t size);
covey_status covey_backtest_options_init(covey_backtest_options *target, size_t size);
covey_status covey_backtest_report_init(covey_backtest_report *target, size_t size);
covey_status covey_engine_parts_init(covey_engine_parts *target, size_t size);
covey_status covey_score_options_init(covey_score_options *target, size_t size);
covey_status covey_score_init(covey_score *target, size_t size);
covey_status covey_counterfactual_options_init(covey_counterfactual_options *target, size_t size);
covey_status covey_counterfactual_init(covey_counterfactual *target, size_t size);
covey_status covey_change_init(covey_change *target, size_t size);
covey_status covey_event_init(covey_event *target, size_t size);
covey_status covey_session_state_init(covey_session_state *target, size_t size);
covey_status covey_explain_options_init(covey_explain_options *target, size_t size);
covey_status covey_explanation_init(covey_explanation *target, size_t size);
covey_status covey_find_options_init(covey_find_options *target, size_t size);
covey_status covey_risky_group_init(covey_risky_group *target, size_t size);

#ifdef __cplusplus
}
#endif

#endif /* COVEY_H */
