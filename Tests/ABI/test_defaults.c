/* The initialisers of section 13 of covey.h against the macros, at every size of a struct. */
#include "abi_test.h"

typedef covey_status (*init_fn)(void *target, size_t size);

/* `function` fills `size` bytes as `macro` has them, and touches no other. */
static void check_init(const char *name, init_fn function, const void *macro, size_t known) {
    unsigned char bytes[5000];
    int wrong = 0;
    for (size_t size = sizeof size; size <= 4096; size += 8) {
        memset(bytes, 0xA5, sizeof bytes);
        wrong += function(bytes, size) != COVEY_OK || memcmp(bytes, &size, sizeof size) != 0;
        size_t copied = size < known ? size : known;
        wrong += memcmp(bytes + sizeof size, (const char *)macro + sizeof size, copied - sizeof size) != 0;
        for (size_t place = copied; place < size; place++) wrong += bytes[place] != 0;
        for (size_t place = size; place < sizeof bytes; place++) wrong += bytes[place] != 0xA5;
    }
    memset(bytes, 0xA5, sizeof bytes);
    const size_t bad[] = {0, 4, 9, 100 * 8 + 1, 4104, SIZE_MAX, SIZE_MAX - 7};
    for (size_t index = 0; index < sizeof bad / sizeof *bad; index++)
        wrong += function(bytes, bad[index]) != COVEY_INVALID_ARGUMENT || bytes[0] != 0xA5;
    wrong += function(NULL, known) != COVEY_INVALID_ARGUMENT;
    if (wrong) printf("%s: %d wrong\n", name, wrong);
    CHECK(wrong == 0);
}

/* A call through a pointer of another type is not defined: each function has one of its own. */
#define TEST(type, INIT) \
    static covey_status type##_any(void *target, size_t size) { return type##_init(target, size); } \
    static void type##_test(void) { \
        static const type macro = INIT; \
        check_init(#type, type##_any, &macro, sizeof macro); \
    }

TEST(covey_context_options, COVEY_CONTEXT_OPTIONS_INIT)
TEST(covey_matrix, COVEY_MATRIX_INIT)
TEST(covey_table, COVEY_TABLE_INIT)
TEST(covey_arrow_options, COVEY_ARROW_OPTIONS_INIT)
TEST(covey_sequences, COVEY_SEQUENCES_INIT)
TEST(covey_embed_options, COVEY_EMBED_OPTIONS_INIT)
TEST(covey_training_options, COVEY_TRAINING_OPTIONS_INIT)
TEST(covey_training_epoch, COVEY_TRAINING_EPOCH_INIT)
TEST(covey_hybrid_options, COVEY_HYBRID_OPTIONS_INIT)
TEST(covey_cluster_options, COVEY_CLUSTER_OPTIONS_INIT)
TEST(covey_risk_options, COVEY_RISK_OPTIONS_INIT)
TEST(covey_cluster_report, COVEY_CLUSTER_REPORT_INIT)
TEST(covey_rule_feature, COVEY_RULE_FEATURE_INIT)
TEST(covey_condition, COVEY_CONDITION_INIT)
TEST(covey_rules_options, COVEY_RULES_OPTIONS_INIT)
TEST(covey_rule_report, COVEY_RULE_REPORT_INIT)
TEST(covey_export_options, COVEY_EXPORT_OPTIONS_INIT)
TEST(covey_backtest_options, COVEY_BACKTEST_OPTIONS_INIT)
TEST(covey_backtest_report, COVEY_BACKTEST_REPORT_INIT)
TEST(covey_engine_parts, COVEY_ENGINE_PARTS_INIT)
TEST(covey_score_options, COVEY_SCORE_OPTIONS_INIT)
TEST(covey_score, COVEY_SCORE_INIT)
TEST(covey_counterfactual_options, COVEY_COUNTERFACTUAL_OPTIONS_INIT)
TEST(covey_counterfactual, COVEY_COUNTERFACTUAL_INIT)
TEST(covey_change, COVEY_CHANGE_INIT)
TEST(covey_event, COVEY_EVENT_INIT)
TEST(covey_session_state, COVEY_SESSION_STATE_INIT)
TEST(covey_explain_options, COVEY_EXPLAIN_OPTIONS_INIT)
TEST(covey_explanation, COVEY_EXPLANATION_INIT)
TEST(covey_find_options, COVEY_FIND_OPTIONS_INIT)
TEST(covey_risky_group, COVEY_RISKY_GROUP_INIT)

int main(void) {
    void (*const tests[])(void) = {
        covey_context_options_test,
        covey_matrix_test,
        covey_table_test,
        covey_arrow_options_test,
        covey_sequences_test,
        covey_embed_options_test,
        covey_training_options_test,
        covey_training_epoch_test,
        covey_hybrid_options_test,
        covey_cluster_options_test,
        covey_risk_options_test,
        covey_cluster_report_test,
        covey_rule_feature_test,
        covey_condition_test,
        covey_rules_options_test,
        covey_rule_report_test,
        covey_export_options_test,
        covey_backtest_options_test,
        covey_backtest_report_test,
        covey_engine_parts_test,
        covey_score_options_test,
        covey_score_test,
        covey_counterfactual_options_test,
        covey_counterfactual_test,
        covey_change_test,
        covey_event_test,
        covey_session_state_test,
        covey_explain_options_test,
        covey_explanation_test,
        covey_find_options_test,
        covey_risky_group_test,
    };
    for (size_t index = 0; index < sizeof tests / sizeof *tests; index++) tests[index]();

    /* What they make is taken as it is. */
    covey_error *error = NULL;
    covey_context *context = NULL;
    covey_context_options options;
    CHECK(covey_context_options_init(&options, sizeof options) == COVEY_OK);
    CHECK_OK(covey_context_create(&options, &context, &error));
    covey_context_destroy(context);
    return finish();
}
