/* covey_find with its encoder, groups, rules, findings and engine. The engine is saved, loaded, and scores. */
#include "operations.h"

static digest texts_of(const covey_found *found, digest sum) {
    for (int64_t group = 0; group < covey_found_group_count(found); group++)
        sum = add_text(sum, covey_found_group_text(found, group));
    for (int64_t finding = 0; finding < covey_found_finding_count(found); finding++)
        sum = add_text(sum, covey_found_finding_text(found, finding));
    for (int64_t rule = 0; rule < covey_rules_count(covey_found_rules(found)); rule++)
        sum = add_text(sum, covey_rules_text(covey_found_rules(found), rule));
    return add_text(sum, covey_found_settings(found));
}

covey_status use_find(const guest *guest, covey_context *context, int number, digest *sum, covey_error **error) {
    static const char *const names[] = {"login", "basket", "pay", "photos"};
    char path[96];
    snprintf(path, sizeof path, "%s/engine-%d", guest->folder, number);
    const find_sample *sample = &guest->find;
    covey_training_options training = COVEY_TRAINING_OPTIONS_INIT;
    covey_find_options options = COVEY_FIND_OPTIONS_INIT;
    training.epochs = 1;
    training.hidden_size = 4;
    training.embedding_size = training.attention_size = 2;
    training.dimension = 4;
    options.trees = 4;
    options.permutations = 49;
    options.training = &training;
    double values[FIND_ROWS];
    covey_vocabulary *vocabulary = NULL;
    covey_found *found = NULL;
    covey_engine *loaded = NULL;
    covey_scores *scores = NULL;
    covey_status status = COVEY_OK;
    RUN(covey_vocabulary_create(NULL, names, 4, &vocabulary, error));
    RUN(covey_find(context, &sample->sequences, vocabulary, &sample->table, sample->fraud, sample->amounts,
                   sample->times, FIND_ROWS, NULL, &options, &found, error));
    RUN(covey_found_scores(found, values, FIND_ROWS, error));
    *sum = texts_of(found, add(*sum, values, sizeof values));
    for (int part = 0; part < 5; part++) {
        RUN(covey_found_evidence(found, part, values, FIND_ROWS, error));
        *sum = add(*sum, values, sizeof values);
    }
    RUN(covey_engine_save(covey_found_engine(found), context, path, error));
    RUN(covey_engine_load(context, path, &loaded, error));
    RUN(covey_engine_score(loaded, context, &sample->sequences, &sample->table, &scores, error));
    for (int row = 0; row < FIND_ROWS; row++) {
        covey_score score = COVEY_SCORE_INIT;
        RUN(covey_scores_get(scores, row, &score, error));
        *sum = add(*sum, &score, sizeof score);
        for (int64_t reason = 0; reason < score.reason_count; reason++)
            *sum = add_text(*sum, covey_scores_reason(scores, row, reason));
    }
done:
    unlink(path);
    covey_scores_destroy(scores);
    covey_engine_destroy(loaded);
    covey_found_destroy(found);
    covey_vocabulary_destroy(vocabulary);
    return status;
}
