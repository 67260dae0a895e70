#include "../row.h"
#include "nearest.h"

static void nearest_names(void **state)
{
    static const struct {
        const char *word;
        const char *candidates[5];
        const char *nearest;
    } rows[] = {
        {"hots", {"host", "port"}, "host"},
        {"prot", {"host", "port"}, "port"},
        {"host", {"host", "port"}, "host"},
        {"HOTS", {"host", "port"}, "host"},
        {"timout", {"timeout", "datadir"}, "timeout"},
        {"timeoutt", {"timeout", "datadir"}, "timeout"},
        {"avilable_when_dnor", {"available_when_donor", "available_when_readonly"}, "available_when_donor"},
        {"colour", {"timeout", "datadir"}, NULL},
        {"2", {"0", "1", "never"}, NULL}, /* a letter for a letter is another word */
        {"x", {"rw", "ro"}, NULL},
        {"", {"a", "ab"}, NULL},
        {"abc", {NULL}, NULL},
        {"ab", {"ac", "ad"}, "ac"}, /* the first of equals */
    };

    (void)state;
    for (size_t i = 0; i < ROW_COUNT(rows); i++) {
        struct nearest nearest = NEAREST_TO(rows[i].word);
        for (size_t k = 0; rows[i].candidates[k] != NULL; k++)
            nearest_offer(&nearest, rows[i].candidates[k]);
        row_text(rows[i].word, nearest.name, rows[i].nearest);
    }
}

static void too_long_is_nothing(void **state)
{
    char word[200];

    (void)state;
    memset(word, 'a', sizeof word);
    for (size_t length = 60; length < sizeof word; length++) {
        word[length - 1] = 'a';
        word[length] = '\0';
        struct nearest nearest = NEAREST_TO(word);
        nearest_offer(&nearest, word);
        row_true("the same word", nearest.name == (length <= 64 ? word : NULL));
        struct nearest reverse = NEAREST_TO("aaa");
        nearest_offer(&reverse, word);
        row_true("a long candidate", reverse.name == NULL);
    }
}

static void hints(void **state)
{
    char text[96];
    struct nearest nearest = NEAREST_TO("hots");

    (void)state;
    assert_string_equal(nearest_hint(&nearest, text, sizeof text), "");
    nearest_offer(&nearest, "host");
    assert_string_equal(nearest_hint(&nearest, text, sizeof text), " (did you mean 'host'?)");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nearest_names),
        cmocka_unit_test(too_long_is_nothing),
        cmocka_unit_test(hints),
    };

    return cmocka_run_group_tests_name("nearest", tests, NULL, NULL);
}
