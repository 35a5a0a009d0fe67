/* Section 6 of covey.h: the encoder. */
#include "files.h"

JNIEXPORT jlong JNICALL Java_covey_Native_encoderLoad(JNIEnv *env, jclass class, jlong context, jbyteArray path) {
    (void)class;
    arena memory;
    arena_start(&memory, env);
    covey_encoder *encoder = NULL;
    const char *name = text(&memory, path);
    if (name) {
        covey_error *error = NULL;
        covey_status status = covey_load_model(context_of(context), name, &encoder, &error);
        if (!succeeded(env, status, error)) {
            covey_encoder_destroy(encoder);
            encoder = NULL;
        }
    }
    arena_end(&memory);
    return HANDLE(encoder);
}

SAVES(encoder, covey_encoder_save)

JNIEXPORT jlong JNICALL Java_covey_Native_encoderDimension(JNIEnv *env, jclass class, jlong encoder) {
    (void)env, (void)class;
    return covey_encoder_dimension(POINTER(covey_encoder, encoder));
}

/* Borrowed vocabularies: Java keeps the encoder alive as long as they exist. */
JNIEXPORT jlong JNICALL Java_covey_Native_encoderVocabulary(JNIEnv *env, jclass class, jlong encoder) {
    (void)env, (void)class;
    return HANDLE(covey_encoder_vocabulary(POINTER(covey_encoder, encoder)));
}

JNIEXPORT jlong JNICALL Java_covey_Native_encoderCategoricalVocabulary(JNIEnv *env, jclass class, jlong encoder,
                                                                       jlong channel) {
    (void)env, (void)class;
    return HANDLE(covey_encoder_categorical_vocabulary(POINTER(covey_encoder, encoder), channel));
}

JNIEXPORT jboolean JNICALL Java_covey_Native_encoderUsesDwell(JNIEnv *env, jclass class, jlong encoder) {
    (void)env, (void)class;
    return covey_encoder_uses_dwell(POINTER(covey_encoder, encoder)) != 0;
}

JNIEXPORT jlong JNICALL Java_covey_Native_encoderNumericCount(JNIEnv *env, jclass class, jlong encoder) {
    (void)env, (void)class;
    return covey_encoder_numeric_count(POINTER(covey_encoder, encoder));
}

JNIEXPORT jlong JNICALL Java_covey_Native_encoderCategoricalCount(JNIEnv *env, jclass class, jlong encoder) {
    (void)env, (void)class;
    return covey_encoder_categorical_count(POINTER(covey_encoder, encoder));
}

JNIEXPORT jbyteArray JNICALL Java_covey_Native_encoderNumericName(JNIEnv *env, jclass class, jlong encoder,
                                                                  jlong channel) {
    (void)class;
    return utf8(env, covey_encoder_numeric_name(POINTER(covey_encoder, encoder), channel));
}

JNIEXPORT jbyteArray JNICALL Java_covey_Native_encoderCategoricalName(JNIEnv *env, jclass class, jlong encoder,
                                                                      jlong channel) {
    (void)class;
    return utf8(env, covey_encoder_categorical_name(POINTER(covey_encoder, encoder), channel));
}

JNIEXPORT void JNICALL Java_covey_Native_encoderEmbed(JNIEnv *env, jclass class, jlong encoder, jlong context,
                                                      jobject sequences, jint precision, jobject embeddings,
                                                      jobject attention) {
    (void)class;
    arena memory;
    arena_start(&memory, env);
    covey_sequences view;
    const covey_sequences *batch;
    if (read_sequences(&memory, sequences, &view, &batch)) {
        int64_t count = batch->count * covey_encoder_dimension(POINTER(covey_encoder, encoder));
        int64_t events = batch->offsets[batch->count];
        float *rows = output_numbers(&memory, embeddings, NUMBER_F32, count);
        float *weights = rows && attention ? output_numbers(&memory, attention, NUMBER_F32, events) : NULL;
        if (rows && (weights || !attention)) {
            covey_error *error = NULL;
            covey_embed_options options = COVEY_EMBED_OPTIONS_INIT;
            options.precision = precision;
            covey_status status = covey_embed_sequences_with(POINTER(covey_encoder, encoder), context_of(context),
                                                             batch, &options, rows, 0, weights, &error);
            if (succeeded(env, status, error)) {
                write_back(&memory, embeddings, NUMBER_F32, rows, count);
                if (weights && !(*env)->ExceptionCheck(env))
                    write_back(&memory, attention, NUMBER_F32, weights, events);
            }
        }
    }
    arena_end(&memory);
}

JNIEXPORT void JNICALL Java_covey_Native_encoderDestroy(JNIEnv *env, jclass class, jlong encoder) {
    (void)env, (void)class;
    covey_encoder_destroy(POINTER(covey_encoder, encoder));
}
