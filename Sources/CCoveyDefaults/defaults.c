/* Section 13 of covey.h: structs with their defaults. Each function copies what the macro makes, so that the two cannot
 * differ. They are in C because Swift sees no macros of braces. */
#include <covey.h>
#include <string.h>

enum { LARGEST = 4096 };

static covey_status fill(void *target, size_t size, const void *defaults, size_t known) {
    /* The call that takes the struct says which sizes it knows. */
    if (target == NULL || size < sizeof size || size > LARGEST || size % 8 != 0) return COVEY_INVALID_ARGUMENT;
    size_t copied = size < known ? size : known;
    memcpy(target, defaults, copied);
    memset((char *)target + copied, 0, size - copied);
    memcpy(target, &size, sizeof size);
    return COVEY_OK;
}

#define DEFINE(type, INIT) \
    __attribute__((visibility("default"))) covey_status type##_init(type *target, size_t size) { \
        static const type defaults = INIT; \
        return fill(target, size, &defaults, sizeof defaults); \
    }

DEFINE(covey_context_options, COVEY_CONTEXT_OPTIONS_INIT)
DEFINE(covey_matrix, COVEY_MATRIX_INIT)
DEFINE(covey_table, COVEY_TABLE_INIT)
DEFINE(covey_arrow_options, COVEY_ARROW_OPTIONS_INIT)
DEFINE(covey_sequences, COVEY_SEQUENCES_INIT)
DEFINE(covey_embed_options, COVEY_EMBED_OPTIONS_INIT)
DEFINE(covey_training_options, COVEY_TRAINING_OPTIONS_INIT)
DEFINE(covey_training_epoch, COVEY_TRAINING_EPOCH_INIT)
DEFINE(covey_hybrid_options, COVEY_HYBRID_OPTIONS_INIT)
DEFINE(covey_cluster_options, COVEY_CLUSTER_OPTIONS_INIT)
DEFINE(covey_risk_options, COVEY_RISK_OPTIONS_INIT)
DEFINE(covey_cluster_report, COVEY_CLUSTER_REPORT_INIT)
DEFINE(covey_rule_feature, COVEY_RULE_FEATURE_INIT)
DEFINE(covey_condition, COVEY_CONDITION_INIT)
DEFINE(covey_rules_options, COVEY_RULES_OPTIONS_INIT)
DEFINE(covey_rule_report, COVEY_RULE_REPORT_INIT)
DEFINE(covey_export_options, COVEY_EXPORT_OPTIONS_INIT)
DEFINE(covey_backtest_options, COVEY_BACKTEST_OPTIONS_INIT)
DEFINE(covey_backtest_report, COVEY_BACKTEST_REPORT_INIT)
DEFINE(covey_engine_parts, COVEY_ENGINE_PARTS_INIT)
DEFINE(covey_score_options, COVEY_SCORE_OPTIONS_INIT)
DEFINE(covey_score, COVEY_SCORE_INIT)
DEFINE(covey_counterfactual_options, COVEY_COUNTERFACTUAL_OPTIONS_INIT)
DEFINE(covey_counterfactual, COVEY_COUNTERFACTUAL_INIT)
DEFINE(covey_change, COVEY_CHANGE_INIT)
DEFINE(covey_event, COVEY_EVENT_INIT)
DEFINE(covey_session_state, COVEY_SESSION_STATE_INIT)
DEFINE(covey_explain_options, COVEY_EXPLAIN_OPTIONS_INIT)
DEFINE(covey_explanation, COVEY_EXPLANATION_INIT)
DEFINE(covey_find_options, COVEY_FIND_OPTIONS_INIT)
DEFINE(covey_risky_group, COVEY_RISKY_GROUP_INIT)
