/* Section 11: counterfactuals. Each answer is applied by hand and scored again. */
#include <math.h>

#include "counterfactual_sample.h"

static engine_sample sample;
static one_transaction given;

static covey_counterfactuals *find(const covey_engine *engine, const covey_counterfactual_options *options) {
    covey_counterfactuals *result = NULL;
    covey_error *error = NULL;
    CHECK_OK(covey_counterfactuals_find(engine, NULL, &given.sequences, &given.table, options, &result, &error));
    CHECK(error == NULL);
    return result;
}

static int same_score(const covey_scores *left, int64_t a, const covey_scores *right, int64_t b) {
    covey_score one = COVEY_SCORE_INIT, two = COVEY_SCORE_INIT;
    return covey_scores_get(left, a, &one, NULL) == COVEY_OK && covey_scores_get(right, b, &two, NULL) == COVEY_OK &&
           memcmp(&one, &two, sizeof one) == 0;
}

/* The transaction with an answer's changes, scored by the engine. */
static covey_scores *score_changed(const covey_engine *engine, const covey_counterfactuals *result, int64_t index) {
    covey_counterfactual answer = COVEY_COUNTERFACTUAL_INIT;
    CHECK(covey_counterfactuals_get(result, index, &answer, NULL) == COVEY_OK);
    double amount = *(const double *)given.columns[0].values, cost = 0;
    int32_t country = *(const int32_t *)given.columns[1].values;
    for (int64_t place = 0; place < answer.changes; place++) {
        covey_change change = COVEY_CHANGE_INIT;
        CHECK(covey_counterfactuals_change(result, index, place, &change, NULL) == COVEY_OK);
        cost += change.cost;
        if (strcmp(change.name, "amount") == 0) {
            CHECK(change.kind == COVEY_NUMERIC && change.old_value == amount && change.new_category == NULL);
            CHECK(fabs(change.cost - fabs(change.new_value - amount) / change.unit) < 1e-9);
            amount = change.new_value;
        } else {
            CHECK(strcmp(change.name, "country") == 0 && change.kind == COVEY_CATEGORICAL && change.unit == 1);
            CHECK(strcmp(change.old_category, sample_countries[country]) == 0 && isnan(change.new_value));
            for (int32_t code = 0; code < 3; code++)
                if (strcmp(change.new_category, sample_countries[code]) == 0) country = code;
        }
    }
    int64_t removed[16];
    CHECK(answer.removed <= 16);
    CHECK(covey_counterfactuals_removed(result, index, removed, 16, NULL) == COVEY_OK);
    CHECK(fabs(cost + (double)answer.removed - answer.cost) < 1e-9 && answer.cost > 0);
    /* The events that stay, in columns of their own. */
    int32_t types[16], codes[16];
    double times[16], dwell[16], numbers[16];
    int64_t offsets[2] = {0, 0};
    for (int64_t event = 0; event < given.offsets[1] - given.offsets[0]; event++) {
        int gone = 0;
        for (int64_t place = 0; place < answer.removed; place++) gone |= removed[place] == event;
        if (gone) continue;
        int64_t from = given.offsets[0] + event, to = offsets[1]++;
        types[to] = sample.types[from];
        times[to] = sample.times[from];
        dwell[to] = sample.dwell[from];
        numbers[to] = sample.numbers[from];
        codes[to] = sample.codes[from];
    }
    covey_channel numeric[2] = {{numbers, 0}, {numbers, 0}}, categorical[2] = {{codes, 0}, {codes, 0}};
    one_transaction changed = given;
    changed.sequences.offsets = offsets;
    changed.sequences.types = types;
    changed.sequences.times = times;
    changed.sequences.dwell = dwell;
    changed.sequences.numeric = numeric;
    changed.sequences.categorical = categorical;
    changed.columns[0].values = &amount;
    changed.columns[1].values = &country;
    changed.table.columns = changed.columns;
    covey_scores *scores = NULL;
    covey_error *error = NULL;
    CHECK_OK(covey_engine_score(engine, NULL, &changed.sequences, &changed.table, &scores, &error));
    return scores;
}

static void test_answers(const covey_engine *engine) {
    covey_counterfactual_options options = COVEY_COUNTERFACTUAL_OPTIONS_INIT;
    options.answers = 5;
    options.max_removed = 2;
    const int32_t goals[] = {COVEY_GOAL_AUTO, COVEY_GOAL_NOT_RISKY, COVEY_GOAL_NOT_RISKY + COVEY_GOAL_LEAVE_CLUSTER,
                             COVEY_GOAL_RISK_BELOW};
    for (size_t goal = 0; goal < sizeof goals / sizeof *goals; goal++) {
        options.goal = goals[goal];
        options.risk_below = goals[goal] == COVEY_GOAL_RISK_BELOW ? 0.2 : 0;
        covey_counterfactuals *result = find(engine, &options);
        const covey_scores *scores = covey_counterfactuals_scores(result);
        int64_t count = covey_counterfactuals_count(result);
        CHECK(covey_counterfactuals_outcome(result) == COVEY_COUNTERFACTUAL_FOUND && count >= 1 && count <= 5);
        CHECK(covey_counterfactuals_evaluations(result) > 0 && covey_scores_count(scores) == count + 1);
        CHECK(strncmp(covey_counterfactuals_text(result, -1), "The transaction's risk is ", 26) == 0);
        CHECK(covey_counterfactuals_text(result, count) == NULL && covey_counterfactuals_text(result, -2) == NULL);
        covey_scores *original = NULL;
        CHECK(covey_engine_score(engine, NULL, &given.sequences, &given.table, &original, NULL) == COVEY_OK);
        CHECK(same_score(original, 0, scores, 0));
        covey_scores_destroy(original);
        for (int64_t index = 0; index < count; index++) {
            covey_scores *changed = score_changed(engine, result, index);
            covey_score score = COVEY_SCORE_INIT;
            CHECK(covey_scores_get(changed, 0, &score, NULL) == COVEY_OK);
            CHECK(same_score(changed, 0, scores, index + 1));
            CHECK(goals[goal] == COVEY_GOAL_RISK_BELOW ? score.risk < 0.2 : !score.risky);
            CHECK(strstr(covey_counterfactuals_text(result, index), ", its risk would be ") != NULL);
            covey_scores_destroy(changed);
        }
        covey_counterfactuals_destroy(result);
    }
}

/* The result keeps the engine, and needs none of its inputs. */
static void test_outlives_the_engine(void) {
    covey_engine *engine = make_feature_engine(&sample);
    covey_counterfactuals *result = find(engine, NULL);
    covey_engine_destroy(engine);
    covey_score score = COVEY_SCORE_INIT;
    CHECK(covey_scores_get(covey_counterfactuals_scores(result), 1, &score, NULL) == COVEY_OK);
    CHECK(covey_scores_reason(covey_counterfactuals_scores(result), 1, 0) != NULL);
    covey_counterfactuals_destroy(result);
}

static void test_none_and_not_needed(const covey_engine *engine) {
    covey_counterfactual_options options = COVEY_COUNTERFACTUAL_OPTIONS_INIT;
    options.others_immutable = 1;
    covey_counterfactuals *none = find(engine, &options);
    CHECK(covey_counterfactuals_outcome(none) == COVEY_COUNTERFACTUAL_NONE && covey_counterfactuals_count(none) == 0);
    CHECK(strstr(covey_counterfactuals_text(none, -1), "None of ") != NULL);
    CHECK(covey_scores_count(covey_counterfactuals_scores(none)) == 1);
    covey_counterfactuals_destroy(none);
    take_transaction(&given, &sample, 0);
    options.goal = COVEY_GOAL_RISK_BELOW;
    options.risk_below = 0.9;
    covey_counterfactuals *ordinary = find(engine, &options);
    CHECK(covey_counterfactuals_outcome(ordinary) == COVEY_COUNTERFACTUAL_NOT_NEEDED);
    covey_counterfactuals_destroy(ordinary);
    take_transaction(&given, &sample, RISKY_ROW);
    CHECK(covey_counterfactuals_outcome(NULL) == 0 && covey_counterfactuals_count(NULL) == 0);
    CHECK(covey_counterfactuals_evaluations(NULL) == 0 && covey_counterfactuals_scores(NULL) == NULL);
    CHECK(covey_counterfactuals_text(NULL, 0) == NULL);
    covey_counterfactuals_destroy(NULL);
}

int main(void) {
    make_sample(&sample, 1);
    take_transaction(&given, &sample, RISKY_ROW);
    covey_engine *engine = make_feature_engine(&sample);
    test_answers(engine);
    test_none_and_not_needed(engine);
    test_outlives_the_engine();
    covey_engine_destroy(engine);
    return finish();
}
