#include "rule_sample.h"

/* What experts say of a search, and what they may not. */
static double weights[rows];
static double amounts[rows];
static covey_rule_feature features[2];
static covey_condition pinned[2];

static void reset(void) {
    reset_sample();
    for (int i = 0; i < rows; i++) {
        weights[i] = 1 + i % 2;
        amounts[i] = i;
    }
    options.weights = weights;
    options.amounts = amounts;
    const covey_rule_feature free_feature = COVEY_RULE_FEATURE_INIT;
    features[0] = features[1] = free_feature;
    features[0].feature = "yes";
    features[0].use = COVEY_FEATURE_FORBIDDEN;
    features[1].feature = "number";
    features[1].direction = COVEY_DIRECTION_MORE;
    options.features = features;
    options.feature_count = 2;
    const covey_condition condition = COVEY_CONDITION_INIT;
    pinned[0] = pinned[1] = condition;
    pinned[0].feature = "number";
    pinned[0].low = 3;
    pinned[0].high = INFINITY;
    pinned[1].feature = "code";
    pinned[1].kind = COVEY_CONDITION_IN;
    pinned[1].categories = names;
    pinned[1].category_count = 1;
    options.pinned = pinned;
    options.pinned_count = 1;
}

static covey_status extract(covey_error **error) {
    covey_rules *rules = (covey_rules *)1;
    covey_status status = covey_extract_rules(NULL, &table, target, &options, &rules, error);
    if (status != COVEY_OK && rules != NULL) return COVEY_INTERNAL;
    covey_rules_destroy(rules);
    return status;
}

/* With a rule written by hand. */
static covey_status extract_given(const char *json, covey_error **error) {
    covey_rules *given = NULL;
    covey_status status = covey_rules_parse(NULL, json, (int64_t)strlen(json), &given, error);
    if (status != COVEY_OK) return COVEY_INTERNAL;
    options.given = given;
    status = extract(error);
    options.given = NULL;
    covey_rules_destroy(given);
    return status;
}

#define EXTRACT(name, change) \
    static covey_status name(covey_error **error) { \
        reset(); \
        change; \
        return extract(error); \
    }
#define GIVEN(name, feature, kind, test, change) \
    static covey_status name(covey_error **error) { \
        reset(); \
        change; \
        return extract_given("{\"format_version\":1,\"features\":[{\"name\":\"" feature "\",\"kind\":\"" kind "\"}]," \
                             "\"rules\":[{\"conditions\":[{\"feature\":\"" feature "\"," test "}]}]}", \
                             error); \
    }

EXTRACT(good, (void)0)
EXTRACT(older, options.struct_size = offsetof(covey_rules_options, weights); options.quality = 77)
EXTRACT(smaller, options.struct_size = offsetof(covey_rules_options, weights) - 8)
EXTRACT(weight_nan, weights[3] = NAN)
EXTRACT(weight_negative, weights[39] = -1)
EXTRACT(weight_infinite, weights[0] = INFINITY)
EXTRACT(weight_huge, weights[0] = 1e13)
EXTRACT(weights_zero, memset(weights, 0, sizeof weights))
EXTRACT(weights_zero_in_target, for (int i = 20; i < rows; i++) weights[i] = 0)
EXTRACT(amount_nan, amounts[3] = NAN)
EXTRACT(amount_negative, amounts[3] = -0.5)
EXTRACT(amounts_zero, memset(amounts, 0, sizeof amounts); options.quality = COVEY_QUALITY_AMOUNT)
EXTRACT(no_amounts, options.amounts = NULL; options.quality = COVEY_QUALITY_AMOUNT)
EXTRACT(quality_5, options.quality = 5)
EXTRACT(quality_negative, options.quality = -1)
EXTRACT(reserved, options.reserved = 1)
EXTRACT(beta_negative, options.beta = -1)
EXTRACT(beta_nan, options.beta = NAN)
EXTRACT(beta_huge, options.beta = 101)
EXTRACT(feature_count_negative, options.feature_count = -1)
EXTRACT(feature_count_huge, options.feature_count = INT64_MAX)
EXTRACT(features_null, options.features = NULL)
EXTRACT(feature_unknown, features[0].feature = "nothing")
EXTRACT(feature_null, features[0].feature = NULL)
EXTRACT(feature_twice, features[1].feature = "yes")
EXTRACT(feature_use, features[0].use = 4)
EXTRACT(feature_direction, features[1].direction = 2)
EXTRACT(feature_category_direction, features[1].feature = "code"; options.pinned_count = 0)
EXTRACT(feature_size_0, features[0].struct_size = 0)
EXTRACT(feature_sizes, features[1].struct_size += 8)
EXTRACT(everything_forbidden, features[1].use = COVEY_FEATURE_FORBIDDEN; features[0].feature = "code";
        options.pinned_count = 0)
EXTRACT(pinned_null, options.pinned = NULL)
EXTRACT(pinned_count_negative, options.pinned_count = -1)
EXTRACT(pinned_count_4, options.pinned_count = 4; options.max_conditions = 3)
EXTRACT(pinned_2_of_1, options.pinned_count = 2; options.max_conditions = 1)
EXTRACT(pinned_all, options.pinned_count = 2; options.max_conditions = 2)
EXTRACT(pinned_unknown, pinned[0].feature = "nothing")
EXTRACT(pinned_forbidden, features[1].use = COVEY_FEATURE_FORBIDDEN)
EXTRACT(pinned_sensitive, features[1].use = COVEY_FEATURE_SENSITIVE)
EXTRACT(pinned_not_allowed, features[0].use = COVEY_FEATURE_ALLOWED)
EXTRACT(pinned_direction, pinned[0].low = -INFINITY; pinned[0].high = 3)
EXTRACT(pinned_twice, pinned[1] = pinned[0]; options.pinned_count = 2)
EXTRACT(pinned_nan, pinned[0].low = NAN)
EXTRACT(pinned_order, pinned[0].low = 9; pinned[0].high = 2)
EXTRACT(pinned_another_kind, pinned[0].feature = "yes"; options.feature_count = 0)
EXTRACT(pinned_kind, pinned[0].kind = 7)
EXTRACT(pinned_reserved, pinned[0].reserved = 1)
EXTRACT(pinned_no_categories, pinned[1].category_count = 0; options.pinned_count = 2)
EXTRACT(pinned_null_categories, pinned[1].categories = NULL; options.pinned_count = 2)
EXTRACT(pinned_unseen_category, static const char *const other[] = {"z"}; pinned[1].categories = other;
        options.pinned_count = 2)
EXTRACT(rounding_negative, options.rounding = -0.1)
EXTRACT(rounding_nan, options.rounding = NAN)
EXTRACT(significance_2, options.significance = 2)
EXTRACT(permutations_negative, options.permutations = -1)
EXTRACT(permutations_huge, options.permutations = INT64_MAX)
EXTRACT(resamples_negative, options.resamples = -1)
EXTRACT(resamples_huge, options.resamples = 1001)
EXTRACT(stability_alone, options.min_stability = 0.5)
EXTRACT(stability_2, options.min_stability = 2; options.resamples = 3)
EXTRACT(everything, options.permutations = 3; options.resamples = 3; options.min_stability = 0.1;
        options.rounding = 0.1)
GIVEN(given_good, "number", "numeric", "\"kind\":\"interval\",\"low\":20", (void)0)
GIVEN(given_unknown, "other", "numeric", "\"kind\":\"interval\",\"low\":20", (void)0)
GIVEN(given_another_kind, "yes", "numeric", "\"kind\":\"interval\",\"low\":20", (void)0)
GIVEN(given_forbidden, "yes", "boolean", "\"kind\":\"true\"", (void)0)
GIVEN(given_sensitive, "yes", "boolean", "\"kind\":\"true\"", features[0].use = COVEY_FEATURE_SENSITIVE)

const abi_case rule_option_cases[] = {
    {"rule options: good", COVEY_OK, "", good},
    {"rule options: of version 1.0", COVEY_OK, "", older},
    {"rule options: smaller than of version 1.0", BAD_ARGUMENT,
     "options.struct_size must be 104 to 4096 and a multiple of 8, got 96", smaller},
    {"rule options: weight NaN", BAD_DATA, "options.weights[3] must be 0 to 1e12, got nan", weight_nan},
    {"rule options: weight -1", BAD_DATA, "options.weights[39] must be 0 to 1e12, got -1.0", weight_negative},
    {"rule options: weight infinite", BAD_DATA, "options.weights[0] must be 0 to 1e12, got inf", weight_infinite},
    {"rule options: weight 1e13", BAD_DATA, "options.weights[0] must be 0 to 1e12", weight_huge},
    {"rule options: weights 0", BAD_DATA, "target must have rows of both classes that weigh something, got 0",
     weights_zero},
    {"rule options: weights 0 in the target", BAD_DATA, "target must have rows of both classes that weigh",
     weights_zero_in_target},
    {"rule options: amount NaN", BAD_DATA, "options.amounts[3] must be 0 to 1e15, got nan", amount_nan},
    {"rule options: amount -0.5", BAD_DATA, "options.amounts[3] must be 0 to 1e15, got -0.5", amount_negative},
    {"rule options: amounts 0", COVEY_OK, "", amounts_zero},
    {"rule options: no amounts", BAD_ARGUMENT, "options.quality COVEY_QUALITY_AMOUNT needs options.amounts",
     no_amounts},
    {"rule options: quality 5", BAD_ARGUMENT, "options.quality must be a COVEY_QUALITY_, got 5", quality_5},
    {"rule options: quality -1", BAD_ARGUMENT, "options.quality must be a COVEY_QUALITY_, got -1", quality_negative},
    {"rule options: reserved", BAD_ARGUMENT, "options.reserved must be 0, got 1", reserved},
    {"rule options: beta -1", BAD_ARGUMENT, "options.beta must be 0.01 to 100.0, got -1.0", beta_negative},
    {"rule options: beta NaN", BAD_ARGUMENT, "options.beta must be 0.01 to 100.0, got nan", beta_nan},
    {"rule options: beta 101", BAD_ARGUMENT, "options.beta must be 0.01 to 100.0, got 101.0", beta_huge},
    {"rule options: feature_count -1", BAD_ARGUMENT, "options.feature_count must be 0 to 65536, got -1",
     feature_count_negative},
    {"rule options: feature_count huge", BAD_ARGUMENT, "options.feature_count must be 0 to 65536", feature_count_huge},
    {"rule options: null features", BAD_ARGUMENT, "options.features must not be NULL", features_null},
    {"rule options: unknown feature", COVEY_MISMATCH, "options.features[0] names \"nothing\"", feature_unknown},
    {"rule options: null feature", BAD_ARGUMENT, "options.features[0].feature must not be NULL", feature_null},
    {"rule options: feature twice", BAD_ARGUMENT, "options.features[1] names \"yes\" again", feature_twice},
    {"rule options: use 4", BAD_ARGUMENT, "options.features[0].use must be a COVEY_FEATURE_, got 4", feature_use},
    {"rule options: direction 2", BAD_ARGUMENT, "options.features[1].direction must be a COVEY_DIRECTION_, got 2",
     feature_direction},
    {"rule options: direction of a category", BAD_ARGUMENT, "the categorical column \"code\"",
     feature_category_direction},
    {"rule options: feature size 0", BAD_ARGUMENT, "options.features[0].struct_size must be", feature_size_0},
    {"rule options: feature sizes", BAD_ARGUMENT, "options.features[1].struct_size must be", feature_sizes},
    {"rule options: nothing allowed", COVEY_OK, "", everything_forbidden},
    {"rule options: null pinned", BAD_ARGUMENT, "options.pinned must not be NULL", pinned_null},
    {"rule options: pinned_count -1", BAD_ARGUMENT, "options.pinned_count must be 0 to", pinned_count_negative},
    {"rule options: pinned_count 4", BAD_ARGUMENT, "options.pinned", pinned_count_4},
    {"rule options: pinned above max_conditions", BAD_ARGUMENT, "must be 0 to max_conditions (1), got 2",
     pinned_2_of_1},
    {"rule options: pinned as many as max_conditions", COVEY_OK, "", pinned_all},
    {"rule options: pinned unknown", COVEY_MISMATCH, "options.pinned[0] names \"nothing\"", pinned_unknown},
    {"rule options: pinned forbidden", BAD_ARGUMENT, "options.pinned[0] is on \"number\", which", pinned_forbidden},
    {"rule options: pinned sensitive", BAD_ARGUMENT, "options.pinned[0] is on \"number\", which", pinned_sensitive},
    {"rule options: pinned not allowed", BAD_ARGUMENT, "options.pinned[0] is on \"number\", which", pinned_not_allowed},
    {"rule options: pinned against the direction", BAD_ARGUMENT, "options.pinned[0] is against the direction",
     pinned_direction},
    {"rule options: pinned twice", BAD_ARGUMENT, "options.pinned[1] is on \"number\" again", pinned_twice},
    {"rule options: pinned NaN", BAD_ARGUMENT, "options.pinned[0]: low must be below high, got nan", pinned_nan},
    {"rule options: pinned low > high", BAD_ARGUMENT, "options.pinned[0]: low must be below high, got 9", pinned_order},
    {"rule options: pinned another kind", BAD_ARGUMENT, "options.pinned[0]: the feature \"yes\" is boolean",
     pinned_another_kind},
    {"rule options: pinned kind 7", BAD_ARGUMENT, "options.pinned[0].kind must be a COVEY_CONDITION_, got 7",
     pinned_kind},
    {"rule options: pinned reserved", BAD_ARGUMENT, "options.pinned[0].reserved must be 0, got 1", pinned_reserved},
    {"rule options: pinned no categories", BAD_ARGUMENT, "categories must not be empty", pinned_no_categories},
    {"rule options: pinned null categories", BAD_ARGUMENT, "options.pinned[1].categories must not be NULL",
     pinned_null_categories},
    {"rule options: pinned unseen category", COVEY_OK, "", pinned_unseen_category},
    {"rule options: rounding -0.1", BAD_ARGUMENT, "options.rounding must be 0.0 to 0.5, got -0.1", rounding_negative},
    {"rule options: rounding NaN", BAD_ARGUMENT, "options.rounding must be 0.0 to 0.5, got nan", rounding_nan},
    {"rule options: significance 2", BAD_ARGUMENT, "options.significance must be 0.0 to 1.0, got 2.0", significance_2},
    {"rule options: permutations -1", BAD_ARGUMENT, "options.permutations must be 0 to 10000, got -1",
     permutations_negative},
    {"rule options: permutations huge", BAD_ARGUMENT, "options.permutations must be 0 to 10000", permutations_huge},
    {"rule options: resamples -1", BAD_ARGUMENT, "options.resamples must be 0 to 1000, got -1", resamples_negative},
    {"rule options: resamples 1001", BAD_ARGUMENT, "options.resamples must be 0 to 1000, got 1001", resamples_huge},
    {"rule options: stability alone", BAD_ARGUMENT, "options.min_stability above 0 needs options.resamples",
     stability_alone},
    {"rule options: stability 2", BAD_ARGUMENT, "options.min_stability must be 0.0 to 1.0, got 2.0", stability_2},
    {"rule options: everything", COVEY_OK, "", everything},
    {"rule options: given", COVEY_OK, "", given_good},
    {"rule options: given an unknown feature", COVEY_MISMATCH, "\"other\"", given_unknown},
    {"rule options: given another kind", COVEY_MISMATCH, "\"yes\" must be numeric", given_another_kind},
    {"rule options: given a forbidden feature", COVEY_OK, "", given_forbidden},
    {"rule options: given a sensitive feature", BAD_ARGUMENT, "rule 0 names \"yes\", which is sensitive",
     given_sensitive},
    {NULL, 0, NULL, NULL},
};
