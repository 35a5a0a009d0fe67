/* Every way in which input can be bad, one row each: the status, and a message that names the field and the value. */
#include "abi_test.h"

extern const abi_case arrow_cases[];
extern const abi_case clustering_cases[];
extern const abi_case clustering_result_cases[];
extern const abi_case parts_cases[];
extern const abi_case context_cases[];
extern const abi_case counterfactual_cases[];
extern const abi_case derived_cases[];
extern const abi_case encoder_cases[];
extern const abi_case engine_cases[];
extern const abi_case engine_contents_cases[];
extern const abi_case explain_cases[];
extern const abi_case find_cases[];
extern const abi_case hybrid_cases[];
extern const abi_case matrix_cases[];
extern const abi_case risk_cases[];
extern const abi_case rule_option_cases[];
extern const abi_case rule_set_cases[];
extern const abi_case rules_cases[];
extern const abi_case sequence_cases[];
extern const abi_case training_cases[];

static const abi_case *const tables[] = {
    arrow_cases,    context_cases,     matrix_cases,          sequence_cases,          encoder_cases,
    training_cases, hybrid_cases,      clustering_cases,      clustering_result_cases, parts_cases,
    risk_cases,     engine_cases,      engine_contents_cases, counterfactual_cases,    explain_cases,
    find_cases,     rule_option_cases, rules_cases,           rule_set_cases,          derived_cases,
};

static void run(const abi_case *row) {
    covey_error *error = (covey_error *)1;
    covey_status status = row->call(&error);
    CHECK(status == row->expected);
    CHECK(covey_error_code(error) == status);
    const char *message = covey_error_message(error);
    CHECK(strstr(message, row->message) != NULL);
    if (status != row->expected || strstr(message, row->message) == NULL)
        printf("  %s: got %s, \"%s\"\n", row->name, covey_status_name(status), message);
    covey_error_destroy(error);
    /* The error is optional. */
    CHECK(row->call(NULL) == row->expected);
}

int main(void) {
    for (size_t table = 0; table < sizeof tables / sizeof *tables; table++)
        for (const abi_case *row = tables[table]; row->name != NULL; row++) run(row);
    return finish();
}
