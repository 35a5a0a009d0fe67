/* Section 6 of covey.h: training. */
#include "support.h"

/** The Java listener of one training, called on the thread that makes the call. */
typedef struct listener {
    JNIEnv *env;
    jobject object;
    jmethodID on_progress;
    jclass progress;
    jmethodID progress_new;
} listener;

/** Asks the listener whether to go on. An exception stops the training and stays pending. */
static int32_t on_progress(void *user_data, const covey_training_progress *told) {
    listener *to = user_data;
    JNIEnv *env = to->env;
    if ((*env)->ExceptionCheck(env) || (*env)->PushLocalFrame(env, 8) != 0) return 1;
    int32_t stop = 1;
    jobject progress = (*env)->NewObject(env, to->progress, to->progress_new, (jlong)told->epoch, (jlong)told->step,
                                         (jlong)told->steps, told->loss, told->held_out_loss,
                                         told->sequences_per_second, told->learning_rate);
    if (progress) {
        jboolean proceed = (*env)->CallBooleanMethod(env, to->object, to->on_progress, progress);
        stop = (*env)->ExceptionCheck(env) || !proceed;
    }
    (*env)->PopLocalFrame(env, NULL);
    return stop;
}

/** Sets up the listener. Returns 0 with a pending exception on failure. */
static int listen(JNIEnv *env, jobject object, listener *to, covey_training_options *options) {
    if (!object) return 1;
    jclass type = (*env)->FindClass(env, "covey/TrainingListener");
    to->env = env;
    to->object = object;
    to->progress = (*env)->FindClass(env, "covey/TrainingListener$Progress");
    if (!type || !to->progress) return 0;
    to->on_progress = (*env)->GetMethodID(env, type, "onProgress", "(Lcovey/TrainingListener$Progress;)Z");
    to->progress_new = (*env)->GetMethodID(env, to->progress, "<init>", "(JJJDDDD)V");
    options->progress = on_progress;
    options->progress_user_data = to;
    return to->on_progress && to->progress_new;
}

/** Reads the numbers in the order of TrainingOptions. */
int read_training_numbers(arena *memory, jlongArray integers, jdoubleArray reals, covey_training_options *options) {
    const int64_t *n = numbers(memory, integers, NUMBER_I64, 0, 13);
    const double *x = n ? numbers(memory, reals, NUMBER_F64, 0, 13) : NULL;
    if (!x) return 0;
    options->embedding_size = n[0];
    options->category_embedding_size = n[1];
    options->hidden_size = n[2];
    options->attention_size = n[3];
    options->dimension = n[4];
    options->epochs = n[5];
    options->batch_size = n[6];
    options->slices = n[7];
    options->patience = n[8];
    options->window = n[9];
    options->seed = (uint64_t)n[10];
    options->checkpoint_steps = n[11];
    options->epoch_sequences = n[12];
    options->next_event = x[0];
    options->masked_event = x[1];
    options->autoencoder = x[2];
    options->contrastive = x[3];
    options->learning_rate = x[4];
    options->weight_decay = x[5];
    options->clip = x[6];
    options->warm_up = x[7];
    options->dropout = x[8];
    options->unknown = x[9];
    options->mask_share = x[10];
    options->margin = x[11];
    options->held_out = x[12];
    return 1;
}

JNIEXPORT void JNICALL Java_covey_Native_encoderTrain(JNIEnv *env, jclass class, jlong context, jobject sequences,
                                                      jlong vocabulary, jlongArray integers, jdoubleArray reals,
                                                      jbyteArray numeric_names, jbyteArray categorical_names,
                                                      jlongArray vocabularies, jbyteArray checkpoint, jobject object,
                                                      jlongArray result) {
    (void)class;
    arena memory;
    arena_start(&memory, env);
    listener to;
    covey_sequences view;
    const covey_sequences *batch;
    covey_training_options options = COVEY_TRAINING_OPTIONS_INIT;
    if (read_sequences(&memory, sequences, &view, &batch) &&
        read_training_numbers(&memory, integers, reals, &options) && listen(env, object, &to, &options)) {
        if (numeric_names) options.numeric_names = texts(&memory, numeric_names, batch->numeric_count);
        if (categorical_names && !(*env)->ExceptionCheck(env))
            options.categorical_names = texts(&memory, categorical_names, batch->categorical_count);
        options.checkpoint_path = text(&memory, checkpoint);
        const int64_t *handles = numbers(&memory, vocabularies, NUMBER_I64, 0, batch->categorical_count);
        const covey_vocabulary **words = arena_allocate(&memory, batch->categorical_count + 1, sizeof *words);
        if (handles && words && !(*env)->ExceptionCheck(env)) {
            for (int64_t i = 0; i < batch->categorical_count; i++) words[i] = POINTER(covey_vocabulary, handles[i]);
            options.categorical_vocabularies = words;
            covey_encoder *encoder = NULL;
            covey_training *training = NULL;
            covey_error *error = NULL;
            covey_status status = covey_encoder_train(context_of(context), batch, POINTER(covey_vocabulary, vocabulary),
                                                      &options, &encoder, &training, &error);
            covey_encoder_destroy(encoder); /* the training has the encoder, too */
            /* This comes before any exception is pending, because no array can be written then. */
            jlong handle = HANDLE(training);
            if ((*env)->ExceptionCheck(env)) {
                covey_training_destroy(training);
            } else {
                (*env)->SetLongArrayRegion(env, result, 0, 1, &handle);
            }
            succeeded(env, status, error);
        }
    }
    arena_end(&memory);
}

JNIEXPORT jlong JNICALL Java_covey_Native_trainingEncoder(JNIEnv *env, jclass class, jlong training) {
    (void)env, (void)class;
    return HANDLE(covey_training_encoder(POINTER(covey_training, training)));
}

JNIEXPORT jlong JNICALL Java_covey_Native_trainingSteps(JNIEnv *env, jclass class, jlong training) {
    (void)env, (void)class;
    return covey_training_steps(POINTER(covey_training, training));
}

JNIEXPORT jlong JNICALL Java_covey_Native_trainingBestStep(JNIEnv *env, jclass class, jlong training) {
    (void)env, (void)class;
    return covey_training_best_step(POINTER(covey_training, training));
}

JNIEXPORT jlong JNICALL Java_covey_Native_trainingEpochs(JNIEnv *env, jclass class, jlong training) {
    (void)env, (void)class;
    return covey_training_epochs(POINTER(covey_training, training));
}

JNIEXPORT void JNICALL Java_covey_Native_trainingGet(JNIEnv *env, jclass class, jlong training, jlong epoch,
                                                     jdoubleArray reals) {
    (void)class;
    covey_training_epoch found = COVEY_TRAINING_EPOCH_INIT;
    covey_error *error = NULL;
    covey_status status = covey_training_get(POINTER(covey_training, training), epoch, &found, &error);
    if (succeeded(env, status, error)) {
        const jdouble x[] = {found.loss, found.held_out_loss, found.seconds, found.sequences_per_second};
        (*env)->SetDoubleArrayRegion(env, reals, 0, 4, x);
    }
}

JNIEXPORT void JNICALL Java_covey_Native_trainingDestroy(JNIEnv *env, jclass class, jlong training) {
    (void)env, (void)class;
    covey_training_destroy(POINTER(covey_training, training));
}
