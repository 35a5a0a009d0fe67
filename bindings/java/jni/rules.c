/* Section 10 of covey.h: rules. */
#include "support.h"

#include "covey_NativeRules.h"

/* What experts say of features: `codes` holds use and direction of each. 0 with a pending exception on failure. */
static int read_policies(arena *memory, jbyteArray names, jintArray codes, covey_rules_options *options) {
    int64_t count = numbers_length(memory, codes) / 2;
    const int32_t *values = numbers(memory, codes, NUMBER_I32, 0, 2 * count);
    const char **features = values ? texts(memory, names, count) : NULL;
    covey_rule_feature *policies = features ? arena_allocate(memory, count + 1, sizeof *policies) : NULL;
    if (!policies) return 0;
    for (int64_t index = 0; index < count; ++index) {
        const covey_rule_feature policy = {sizeof policy, features[index], values[2 * index], values[2 * index + 1]};
        policies[index] = policy;
    }
    options->features = policies;
    options->feature_count = count;
    return 1;
}

/* Pinned conditions: `codes` holds kind and number of categories of each, `bounds` low and high. */
static int read_pinned(arena *memory, jbyteArray names, jintArray codes, jdoubleArray bounds, jbyteArray categories,
                       covey_rules_options *options) {
    int64_t count = numbers_length(memory, codes) / 2;
    const int32_t *values = numbers(memory, codes, NUMBER_I32, 0, 2 * count);
    const double *ends = values ? numbers(memory, bounds, NUMBER_F64, 0, 2 * count) : NULL;
    const char **features = ends ? texts(memory, names, count) : NULL;
    int64_t total = 0;
    for (int64_t index = 0; features && index < count; ++index) total += values[2 * index + 1];
    const char **named = features ? texts(memory, categories, total) : NULL;
    covey_condition *conditions = named ? arena_allocate(memory, count + 1, sizeof *conditions) : NULL;
    if (!conditions) return 0;
    for (int64_t index = 0; index < count; ++index) {
        const int32_t *code = values + 2 * index;
        covey_condition condition = COVEY_CONDITION_INIT;
        condition.feature = features[index];
        condition.low = ends[2 * index];
        condition.high = ends[2 * index + 1];
        condition.categories = named;
        condition.category_count = code[1];
        condition.kind = code[0];
        conditions[index] = condition;
        named += code[1];
    }
    options->pinned = conditions;
    options->pinned_count = count;
    return 1;
}

/* Pairs of columns from their names, each ending with NUL, and their kinds. */
static void read_pairs(arena *memory, jbyteArray names, jintArray kinds, covey_rules_options *options) {
    JNIEnv *env = memory->env;
    const jsize count = (*env)->GetArrayLength(env, kinds);
    if (count == 0) return;
    const char **name = texts(memory, names, 2 * (int64_t)count);
    const jint *kind = name ? numbers(memory, kinds, NUMBER_I32, 0, count) : NULL;
    covey_feature_pair *pairs = kind ? arena_allocate(memory, count, sizeof *pairs) : NULL;
    if (!pairs) return;
    for (jsize index = 0; index < count; ++index) {
        pairs[index] = (covey_feature_pair){name[2 * index], name[2 * index + 1], kind[index], 0};
    }
    options->pairs = pairs;
    options->pair_count = count;
}

JNIEXPORT jlong JNICALL Java_covey_NativeRules_rulesExtract(
    JNIEnv *env, jclass class, jlong context, jobject features, jbyteArray target, jlong max_conditions,
    jlong max_rules, jlong min_support, jdouble min_precision, jdouble min_lift, jlong max_bins, jlong beam_width,
    jdouble held_out, jdouble confidence, jdoubleArray times, jlong seed, jbyteArray target_name, jdoubleArray weights,
    jdoubleArray amounts, jint quality, jdouble beta, jbyteArray policy_names, jintArray policy_codes,
    jbyteArray pinned_names, jintArray pinned_codes, jdoubleArray pinned_bounds, jbyteArray pinned_categories,
    jlong given, jdouble rounding, jdouble significance, jlong permutations, jlong resamples, jdouble min_stability,
    jbyteArray age_to, jbyteArray pairs, jintArray pair_kinds) {
    (void)class;
    arena memory;
    arena_start(&memory, env);
    covey_rules *rules = NULL;
    covey_table view;
    const covey_table *table;
    covey_rules_options options = COVEY_RULES_OPTIONS_INIT;
    options.max_conditions = max_conditions;
    options.max_rules = max_rules;
    options.min_support = min_support;
    options.min_precision = min_precision;
    options.min_lift = min_lift;
    options.max_bins = max_bins;
    options.beam_width = beam_width;
    options.held_out = held_out;
    options.confidence = confidence;
    options.seed = (uint64_t)seed;
    options.quality = quality;
    options.beta = beta;
    options.given = POINTER(covey_rules, given);
    options.rounding = rounding;
    options.significance = significance;
    options.permutations = permutations;
    options.resamples = resamples;
    options.min_stability = min_stability;
    if (read_table(&memory, features, &view, &table) && read_policies(&memory, policy_names, policy_codes, &options) &&
        read_pinned(&memory, pinned_names, pinned_codes, pinned_bounds, pinned_categories, &options)) {
        const struct {
            jdoubleArray from;
            const double **to;
        } columns[] = {{times, &options.times}, {weights, &options.weights}, {amounts, &options.amounts}};
        const uint8_t *chosen = numbers(&memory, target, NUMBER_I8, 0, table->rows);
        for (int index = 0; index < 3 && !(*env)->ExceptionCheck(env); ++index) {
            if (columns[index].from)
                *columns[index].to = numbers(&memory, columns[index].from, NUMBER_F64, 0, table->rows);
        }
        if (!(*env)->ExceptionCheck(env)) options.target_name = text(&memory, target_name);
        if (!(*env)->ExceptionCheck(env)) options.age_to = text(&memory, age_to);
        if (!(*env)->ExceptionCheck(env)) read_pairs(&memory, pairs, pair_kinds, &options);
        if (!(*env)->ExceptionCheck(env)) {
            covey_error *error = NULL;
            covey_status status = covey_extract_rules(context_of(context), table, chosen, &options, &rules, &error);
            if (!succeeded(env, status, error)) {
                covey_rules_destroy(rules);
                rules = NULL;
            }
        }
    }
    arena_end(&memory);
    return HANDLE(rules);
}

JNIEXPORT jlong JNICALL Java_covey_NativeRules_rulesCount(JNIEnv *env, jclass class, jlong rules) {
    (void)env, (void)class;
    return covey_rules_count(POINTER(covey_rules, rules));
}

JNIEXPORT jlong JNICALL Java_covey_NativeRules_rulesTried(JNIEnv *env, jclass class, jlong rules) {
    (void)env, (void)class;
    return covey_rules_tried(POINTER(covey_rules, rules));
}

JNIEXPORT jlong JNICALL Java_covey_NativeRules_rulesFallen(JNIEnv *env, jclass class, jlong rules) {
    (void)env, (void)class;
    return covey_rules_fallen(POINTER(covey_rules, rules));
}

JNIEXPORT void JNICALL Java_covey_NativeRules_rulesGet(JNIEnv *env, jclass class, jlong rules, jlong rule,
                                                       jlongArray integers, jdoubleArray reals) {
    (void)class;
    covey_rule_report report = COVEY_RULE_REPORT_INIT;
    covey_error *error = NULL;
    covey_status status = covey_rules_get(POINTER(covey_rules, rules), rule, &report, &error);
    if (!succeeded(env, status, error)) return;
    const jlong whole[] = {report.condition_count, report.matched, report.support, report.search_matched,
                           report.search_support,  report.given,   report.measured};
    const jdouble real[] = {report.precision,
                            report.precision_low,
                            report.precision_high,
                            report.recall,
                            report.lift,
                            report.search_precision,
                            report.search_recall,
                            report.search_lift,
                            report.recall_low,
                            report.recall_high,
                            report.search_precision_low,
                            report.search_precision_high,
                            report.search_recall_low,
                            report.search_recall_high,
                            report.matched_weight,
                            report.support_weight,
                            report.search_matched_weight,
                            report.search_support_weight,
                            report.amount,
                            report.false_amount,
                            report.search_amount,
                            report.search_false_amount,
                            report.p_value,
                            report.search_p_value,
                            report.stability,
                            report.stated_precision};
    store(env, integers, whole, 7, reals, real, 26);
}

JNIEXPORT jbyteArray JNICALL Java_covey_NativeRules_rulesNote(JNIEnv *env, jclass class, jlong rules) {
    (void)class;
    const char *note = covey_rules_note(POINTER(covey_rules, rules));
    return note ? utf8(env, note) : NULL;
}

JNIEXPORT jbyteArray JNICALL Java_covey_NativeRules_rulesText(JNIEnv *env, jclass class, jlong rules, jlong rule) {
    (void)class;
    return utf8(env, covey_rules_text(POINTER(covey_rules, rules), rule));
}

JNIEXPORT jbyteArray JNICALL Java_covey_NativeRules_rulesConditionText(JNIEnv *env, jclass class, jlong rules,
                                                                       jlong rule, jlong index) {
    (void)class;
    return utf8(env, covey_rules_condition_text(POINTER(covey_rules, rules), rule, index));
}

/* Writes the kind and the number of categories to `integers`, low and high to `reals`; returns the feature's name. */
JNIEXPORT jbyteArray JNICALL Java_covey_NativeRules_rulesCondition(JNIEnv *env, jclass class, jlong rules, jlong rule,
                                                                   jlong index, jlongArray integers,
                                                                   jdoubleArray reals) {
    (void)class;
    covey_condition condition = COVEY_CONDITION_INIT;
    covey_error *error = NULL;
    covey_status status = covey_rules_condition(POINTER(covey_rules, rules), rule, index, &condition, &error);
    if (!succeeded(env, status, error)) return NULL;
    const jlong whole[] = {condition.kind, condition.category_count, condition.derived};
    const jdouble real[] = {condition.low, condition.high};
    return store(env, integers, whole, 3, reals, real, 2) ? utf8(env, condition.feature) : NULL;
}

/* The first (0) or second (1) column that a derived feature is worked out of; NULL where there is none. */
JNIEXPORT jbyteArray JNICALL Java_covey_NativeRules_rulesConditionColumn(JNIEnv *env, jclass class, jlong rules,
                                                                         jlong rule, jlong index, jint column) {
    (void)class;
    covey_condition condition = COVEY_CONDITION_INIT;
    covey_error *error = NULL;
    covey_status status = covey_rules_condition(POINTER(covey_rules, rules), rule, index, &condition, &error);
    if (!succeeded(env, status, error)) return NULL;
    const char *name = column == 0 ? condition.first : condition.second;
    return name ? utf8(env, name) : NULL;
}

JNIEXPORT jbyteArray JNICALL Java_covey_NativeRules_rulesConditionCategory(JNIEnv *env, jclass class, jlong rules,
                                                                           jlong rule, jlong index, jlong category) {
    (void)class;
    covey_condition condition = COVEY_CONDITION_INIT;
    covey_error *error = NULL;
    covey_status status = covey_rules_condition(POINTER(covey_rules, rules), rule, index, &condition, &error);
    if (!succeeded(env, status, error)) return NULL;
    return category >= 0 && category < condition.category_count ? utf8(env, condition.categories[category]) : NULL;
}

JNIEXPORT void JNICALL Java_covey_NativeRules_rulesEvaluate(JNIEnv *env, jclass class, jlong rules, jlong context,
                                                            jobject features, jbyteArray fired, jbyteArray any) {
    (void)class;
    arena memory;
    arena_start(&memory, env);
    covey_table view;
    const covey_table *table;
    if (read_table(&memory, features, &view, &table)) {
        int64_t count = table->rows * covey_rules_count(POINTER(covey_rules, rules));
        uint8_t *each = fired ? output_numbers(&memory, fired, NUMBER_I8, count) : NULL;
        uint8_t *one = any && (each || !fired) ? output_numbers(&memory, any, NUMBER_I8, table->rows) : NULL;
        if ((each || !fired) && (one || !any)) {
            covey_error *error = NULL;
            covey_status status =
                covey_rules_evaluate(POINTER(covey_rules, rules), context_of(context), table, each, one, &error);
            if (succeeded(env, status, error)) {
                if (each) write_back(&memory, fired, NUMBER_I8, each, count);
                if (one && !(*env)->ExceptionCheck(env)) write_back(&memory, any, NUMBER_I8, one, table->rows);
            }
        }
    }
    arena_end(&memory);
}

/* `texts` holds time zone, table, schema, catalog and name, each ending with NUL and empty where it is not given. */
JNIEXPORT jbyteArray JNICALL Java_covey_NativeRules_rulesExport(JNIEnv *env, jclass class, jlong rules, jlong context,
                                                                jint format, jint dialect, jboolean timestamps,
                                                                jbyteArray given) {
    (void)class;
    arena memory;
    arena_start(&memory, env);
    jbyteArray result = NULL;
    const char **text = texts(&memory, given, 5);
    if (text) {
        covey_export_options options = COVEY_EXPORT_OPTIONS_INIT;
        options.dialect = dialect;
        options.timestamps = timestamps ? 1 : 0;
        const char **fields[] = {&options.time_zone, &options.table, &options.schema, &options.catalog, &options.name};
        for (int field = 0; field < 5; ++field) *fields[field] = *text[field] ? text[field] : NULL;
        covey_buffer *written = NULL;
        covey_error *error = NULL;
        covey_status status =
            covey_rules_export(POINTER(covey_rules, rules), context_of(context), format, &options, &written, &error);
        if (succeeded(env, status, error)) result = utf8(env, covey_buffer_data(written));
        covey_buffer_destroy(written);
    }
    arena_end(&memory);
    return result;
}

JNIEXPORT jlong JNICALL Java_covey_NativeRules_rulesParse(JNIEnv *env, jclass class, jlong context, jbyteArray json) {
    (void)class;
    arena memory;
    arena_start(&memory, env);
    covey_rules *rules = NULL;
    const char *source = text(&memory, json);
    if (source) {
        covey_error *error = NULL;
        covey_status status =
            covey_rules_parse(context_of(context), source, (*env)->GetArrayLength(env, json), &rules, &error);
        succeeded(env, status, error);
    }
    arena_end(&memory);
    return HANDLE(rules);
}

JNIEXPORT void JNICALL Java_covey_NativeRules_rulesDestroy(JNIEnv *env, jclass class, jlong rules) {
    (void)env, (void)class;
    covey_rules_destroy(POINTER(covey_rules, rules));
}
