/* Section 5: vocabularies. */
#include "abi_test.h"

int main(void) {
    covey_error *error = NULL;
    const char *names[3] = {"login", "pay", "caf\xC3\xA9"};
    covey_vocabulary *vocabulary = NULL;
    CHECK_OK(covey_vocabulary_create(NULL, names, 3, &vocabulary, &error));
    CHECK(covey_vocabulary_size(vocabulary) == 4);
    CHECK(strcmp(covey_vocabulary_name(vocabulary, 0), "") == 0);
    for (int i = 0; i < 3; i++) CHECK(strcmp(covey_vocabulary_name(vocabulary, i + 1), names[i]) == 0);
    CHECK(covey_vocabulary_name(vocabulary, -1) == NULL);
    CHECK(covey_vocabulary_name(vocabulary, 4) == NULL);
    CHECK(covey_vocabulary_name(vocabulary, INT64_MAX) == NULL);
    CHECK(covey_vocabulary_name(vocabulary, INT64_MIN) == NULL);

    const char *sought[6] = {"pay", "", "nothing", "caf\xC3\xA9", "\xFF", "login"};
    int32_t indices[6];
    CHECK_OK(covey_vocabulary_lookup(vocabulary, NULL, sought, 6, indices, &error));
    const int32_t expected[6] = {2, 0, 0, 3, 0, 1};
    CHECK(memcmp(indices, expected, sizeof indices) == 0);
    covey_vocabulary_destroy(vocabulary);

    const char *events[8] = {"b", "c", "a", "c", "", "b", "d", "c"};
    CHECK_OK(covey_vocabulary_build(NULL, events, 8, 1, 0, &vocabulary, &error));
    const char *ordered[5] = {"", "c", "b", "a", "d"};
    CHECK(covey_vocabulary_size(vocabulary) == 5);
    for (int i = 0; i < 5; i++) CHECK(strcmp(covey_vocabulary_name(vocabulary, i), ordered[i]) == 0);
    covey_vocabulary_destroy(vocabulary);
    CHECK_OK(covey_vocabulary_build(NULL, events, 8, 2, 1, &vocabulary, &error));
    CHECK(covey_vocabulary_size(vocabulary) == 2);
    CHECK(strcmp(covey_vocabulary_name(vocabulary, 1), "c") == 0);
    covey_vocabulary_destroy(vocabulary);
    CHECK_OK(covey_vocabulary_build(NULL, NULL, 0, 1, 0, &vocabulary, &error));
    CHECK(covey_vocabulary_size(vocabulary) == 1);
    covey_vocabulary_destroy(vocabulary);

    covey_vocabulary_destroy(NULL);
    CHECK(covey_vocabulary_size(NULL) == 0);
    CHECK(covey_vocabulary_name(NULL, 0) == NULL);
    return finish();
}
