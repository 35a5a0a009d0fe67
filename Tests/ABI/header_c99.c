/* The header by itself: included first and twice, as strict C99 and (header_cxx.cpp) as C++, with every initialiser and
 * the defaults that its comments promise. Calls no function, so that it needs no library. */
#include <covey.h>
#include <covey.h>

#include <stdio.h>
#include <string.h>

static int failures;

static void check(int condition, const char *what) {
    if (!condition) {
        failures++;
        printf("failed: %s\n", what);
    }
}

/* Every versioned struct begins with its own size. */
static void check_size(const void *value, size_t size, const char *what) {
    size_t struct_size;
    memcpy(&struct_size, value, sizeof struct_size);
    check(struct_size == size, what);
}

#define CHECK(condition) check((condition), #condition)
#define CHECK_SIZE(value) check_size(&(value), sizeof(value), #value ".struct_size")

int main(void) {
    covey_context_options context_options = COVEY_CONTEXT_OPTIONS_INIT;
    covey_matrix matrix = COVEY_MATRIX_INIT;
    covey_arrow_options arrow_options = COVEY_ARROW_OPTIONS_INIT;
    covey_table table = COVEY_TABLE_INIT;
    covey_sequences sequences = COVEY_SEQUENCES_INIT;
    covey_embed_options embed_options = COVEY_EMBED_OPTIONS_INIT;
    covey_training_options training_options = COVEY_TRAINING_OPTIONS_INIT;
    covey_training_epoch training_epoch = COVEY_TRAINING_EPOCH_INIT;
    covey_hybrid_options hybrid_options = COVEY_HYBRID_OPTIONS_INIT;
    covey_cluster_options cluster_options = COVEY_CLUSTER_OPTIONS_INIT;
    covey_risk_options risk_options = COVEY_RISK_OPTIONS_INIT;
    covey_cluster_report cluster_report = COVEY_CLUSTER_REPORT_INIT;
    covey_rules_options rules_options = COVEY_RULES_OPTIONS_INIT;
    covey_rule_report rule_report = COVEY_RULE_REPORT_INIT;
    covey_rule_feature rule_feature = COVEY_RULE_FEATURE_INIT;
    covey_condition condition = COVEY_CONDITION_INIT;
    covey_export_options export_options = COVEY_EXPORT_OPTIONS_INIT;
    covey_backtest_options backtest_options = COVEY_BACKTEST_OPTIONS_INIT;
    covey_backtest_report backtest_report = COVEY_BACKTEST_REPORT_INIT;
    covey_engine_parts engine_parts = COVEY_ENGINE_PARTS_INIT;
    covey_score_options score_options = COVEY_SCORE_OPTIONS_INIT;
    covey_score score = COVEY_SCORE_INIT;
    covey_find_options find_options = COVEY_FIND_OPTIONS_INIT;
    covey_risky_group risky_group = COVEY_RISKY_GROUP_INIT;
    covey_explain_options explain_options = COVEY_EXPLAIN_OPTIONS_INIT;
    covey_explanation explanation = COVEY_EXPLANATION_INIT;
    covey_counterfactual_options counterfactual_options = COVEY_COUNTERFACTUAL_OPTIONS_INIT;
    covey_counterfactual counterfactual = COVEY_COUNTERFACTUAL_INIT;
    covey_change change = COVEY_CHANGE_INIT;
    covey_event event = COVEY_EVENT_INIT;
    covey_session_state session_state = COVEY_SESSION_STATE_INIT;

    CHECK_SIZE(context_options);
    CHECK_SIZE(matrix);
    CHECK_SIZE(arrow_options);
    CHECK_SIZE(table);
    CHECK_SIZE(sequences);
    CHECK_SIZE(embed_options);
    CHECK_SIZE(training_options);
    CHECK_SIZE(training_epoch);
    CHECK_SIZE(hybrid_options);
    CHECK_SIZE(cluster_options);
    CHECK_SIZE(risk_options);
    CHECK_SIZE(cluster_report);
    CHECK_SIZE(rules_options);
    CHECK_SIZE(rule_report);
    CHECK_SIZE(rule_feature);
    CHECK_SIZE(condition);
    CHECK_SIZE(export_options);
    CHECK_SIZE(backtest_options);
    CHECK_SIZE(backtest_report);
    CHECK_SIZE(engine_parts);
    CHECK_SIZE(score);
    CHECK_SIZE(score_options);
    CHECK(score_options.bad_rows == COVEY_BAD_ROWS_FAIL && score_options.max_events == 0);
    CHECK_SIZE(explain_options);
    CHECK_SIZE(explanation);
    CHECK_SIZE(find_options);
    CHECK_SIZE(risky_group);
    CHECK_SIZE(event);
    CHECK_SIZE(session_state);

    CHECK(context_options.threads == 0 && context_options.memory_budget == 0 && context_options.progress == NULL);
    CHECK(matrix.data == NULL && matrix.rows == 0 && matrix.row_stride == 0 && matrix.type == COVEY_FLOAT32);
    CHECK(arrow_options.names == NULL && arrow_options.name_count == 0);
    CHECK(table.column_size == sizeof(covey_column) && table.rows == 0 && table.columns == NULL);
    CHECK(sequences.channel_size == sizeof(covey_channel) && sequences.count == 0 && sequences.dwell == NULL);
    CHECK(sequences.numeric_count == 0 && sequences.categorical_count == 0 && sequences.dwell_stride == 0);
    CHECK(training_options.embedding_size == 32 && training_options.category_embedding_size == 8);
    CHECK(training_options.hidden_size == 64 && training_options.attention_size == 64 &&
          training_options.dimension == 0);
    CHECK(training_options.next_event == 1 && training_options.masked_event == 0);
    CHECK(training_options.autoencoder == 1 && training_options.contrastive == 0);
    CHECK(training_options.epochs == 20 && training_options.batch_size == 128 &&
          training_options.learning_rate == 3e-3);
    CHECK(training_options.weight_decay == 0.01 && training_options.clip == 1 && training_options.warm_up == 0.05);
    CHECK(training_options.dropout == 0.1 && training_options.unknown == 0.02 && training_options.mask_share == 0.15);
    CHECK(training_options.slices == 4 && training_options.margin == 0.5 && training_options.held_out == 0.05);
    CHECK(training_options.patience == 5 && training_options.window == 1024 && training_options.seed == 0);
    CHECK(training_options.checkpoint_path == NULL && training_options.checkpoint_steps == 1000 &&
          training_options.epoch_sequences == 20000);
    CHECK(training_options.numeric_names == NULL && training_options.progress == NULL);
    CHECK(training_epoch.loss == 0 && training_epoch.seconds == 0);
    CHECK(hybrid_options.scaling == COVEY_SCALING_ROBUST && hybrid_options.missing == COVEY_MISSING_MEDIAN);
    CHECK(embed_options.precision == COVEY_PRECISION_FLOAT32 && embed_options.reserved == 0);
    CHECK(hybrid_options.embedding_components == 0 && hybrid_options.column_weights == NULL);
    CHECK(hybrid_options.embedding_weight == 1 && hybrid_options.feature_weight == 1 && hybrid_options.clip == 10);
    CHECK(cluster_options.min_cluster_size == 5 && cluster_options.min_samples == 0);
    CHECK(cluster_options.max_cluster_size == 0 && cluster_options.cluster_selection_epsilon == 0);
    CHECK(cluster_options.alpha == 1 && cluster_options.metric == COVEY_METRIC_EUCLIDEAN);
    CHECK(cluster_options.selection == COVEY_SELECTION_EXCESS_OF_MASS && cluster_options.allow_single_cluster == 0);
    CHECK(cluster_options.search == COVEY_SEARCH_EXACT && cluster_options.missing == COVEY_MISSING_ROWS_REJECT);
    CHECK(cluster_options.prediction == 0 && cluster_options.seed == 0 && cluster_options.clusters == 0);
    CHECK(cluster_options.cluster_selection_epsilon_max == 0 && cluster_options.cluster_selection_persistence == 0);
    CHECK(cluster_options.match_reference == 0 && cluster_options.strengths == COVEY_STRENGTHS_HDBSCAN);
    CHECK(cluster_options.weights == NULL);
    CHECK(risk_options.confidence == 0.95 && risk_options.min_lift == 3 && risk_options.min_fraud == 3);
    CHECK(cluster_report.rank == 0 && cluster_report.risky == 0);
    CHECK(rules_options.max_conditions == 3 && rules_options.max_rules == 8 && rules_options.min_support == 10);
    CHECK(rules_options.min_precision == 0.5 && rules_options.min_lift == 2 && rules_options.max_bins == 64);
    CHECK(rules_options.beam_width == 64 && rules_options.held_out == 0.3 && rules_options.confidence == 0.95);
    CHECK(rules_options.times == NULL && rules_options.seed == 0 && rules_options.target_name == NULL);
    CHECK(rules_options.weights == NULL && rules_options.amounts == NULL && rules_options.beta == 0);
    CHECK(rules_options.quality == COVEY_QUALITY_LIKELIHOOD && rules_options.features == NULL);
    CHECK(rules_options.feature_count == 0 && rules_options.pinned == NULL && rules_options.pinned_count == 0);
    CHECK(rules_options.given == NULL && rules_options.rounding == 0 && rules_options.significance == 0.05);
    CHECK(rules_options.permutations == 0 && rules_options.resamples == 0 && rules_options.min_stability == 0);
    CHECK(rule_report.matched == 0 && rule_report.search_lift == 0 && rule_report.stability == 0 &&
          rule_report.given == 0);
    CHECK(rule_feature.feature == NULL && rule_feature.use == COVEY_FEATURE_FREE);
    CHECK(rule_feature.direction == COVEY_DIRECTION_ANY);
    CHECK(condition.feature == NULL && condition.categories == NULL && condition.kind == COVEY_CONDITION_INTERVAL);
    CHECK(export_options.dialect == COVEY_SQL_ANSI && export_options.table == NULL && export_options.name == NULL);
    CHECK(backtest_options.period == 604800 && backtest_options.confidence == 0.95 && backtest_options.shadow == NULL);
    CHECK(backtest_report.rows == 0 && backtest_report.retire == 0);
    CHECK(engine_parts.encoder == NULL && engine_parts.rules == NULL && engine_parts.rule_count == 0);
    CHECK(score.cluster == 0 && score.risky == 0);
    CHECK(counterfactual_options.limit_size == sizeof(covey_change_limit) && counterfactual_options.limits == NULL);
    CHECK(counterfactual_options.answers == 3 && counterfactual_options.max_changes == 0);
    CHECK(counterfactual_options.max_removed == 0 && counterfactual_options.event_cost == 1);
    CHECK(counterfactual_options.max_evaluations == 10000 && counterfactual_options.goal == COVEY_GOAL_AUTO);
    CHECK(counterfactual_options.risk_below == 0 && counterfactual_options.others_immutable == 0);
    CHECK(counterfactual.cost == 0 && counterfactual.removed == 0 && change.name == NULL && change.kind == 0);
    CHECK(explain_options.explained == COVEY_EXPLAINED_CONTRAST && explain_options.method == COVEY_ATTRIBUTION_AUTO);
    CHECK(explain_options.cluster == -1 && explain_options.largest_parts == 256 && explain_options.seed == 0);
    CHECK(explain_options.permutations == 32 && explain_options.largest_steps == 256);
    CHECK(explain_options.features == 1 && explain_options.faithfulness == 1);
    CHECK(explanation.cluster == 0 && explanation.value == 0 && explanation.explained == 0);
    CHECK(find_options.seed == 0 && find_options.known_share == 0 && find_options.shares_over == COVEY_SHARES_AUTO);
    CHECK(find_options.error_rate == COVEY_ERROR_RATE_FAMILYWISE && find_options.significance == 0.05);
    CHECK(find_options.confidence == 0.95 && find_options.min_share == 0.8 && find_options.min_fraud == 2);
    CHECK(find_options.permutations == 999 && find_options.trees == 200 && find_options.max_rules == 8);
    CHECK(find_options.min_cluster_size == 5 && find_options.scaling == COVEY_SCALING_ROBUST);
    CHECK(find_options.search == COVEY_SEARCH_AUTO && find_options.training == NULL);
    CHECK(find_options.embedding_weight == 1 && find_options.feature_weight == 1);
    CHECK(event.type == 0 && event.time == 0 && event.dwell == NULL && event.numeric_count == 0);
    CHECK(session_state.events == 0 && session_state.total == 0);
    CHECK(risky_group.rows == 0 && risky_group.fraud == 0 && risky_group.share == 0);
    CHECK(COVEY_LABEL_UNKNOWN == -1 && COVEY_LABEL_LEGITIMATE == 0 && COVEY_LABEL_FRAUD == 1);

    printf("header: %s\n", failures == 0 ? "good" : "bad");
    return failures != 0;
}
