#include "../row.h"
#include "error.h"

static void context_goes_in_front(void **state)
{
    struct error error = {.code = EXIT_YES};

    (void)state;
    assert_false(error_set(&error, EXIT_UNAVAILABLE, "connection %s", "refused"));
    assert_false(error_context(&error, "etcd %s", "http://10.0.0.9:2379"));
    assert_false(error_context(&error, "cannot register %s", "db1"));
    assert_string_equal(error.text, "cannot register db1: etcd http://10.0.0.9:2379: connection refused");
    assert_int_equal(error.code, EXIT_UNAVAILABLE);
}

static void long_texts_are_cut(void **state)
{
    static const struct {
        const char *name;
        size_t cause, context;
        bool marked;
    } rows[] = {
        {"both short", 10, 10, false},
        {"just fits", ERROR_TEXT_SIZE - 13, 10, false},
        {"one too many", ERROR_TEXT_SIZE - 12, 10, true},
        {"long cause", ERROR_TEXT_SIZE + 100, 10, true},
        {"long context", 10, ERROR_TEXT_SIZE - 3, true},
        {"context fills everything", 10, ERROR_TEXT_SIZE - 1, true},
        {"context is too long", 10, ERROR_TEXT_SIZE + 100, true},
    };
    char cause[2 * ERROR_TEXT_SIZE];
    char context[2 * ERROR_TEXT_SIZE];

    (void)state;
    for (size_t i = 0; i < ROW_COUNT(rows); i++) {
        struct error error;
        memset(cause, 'c', sizeof cause);
        memset(context, 'x', sizeof context);
        cause[rows[i].cause] = '\0';
        context[rows[i].context] = '\0';
        error_set(&error, EXIT_CONFIG, "%s", cause);
        error_context(&error, "%s", context);
        size_t length = strlen(error.text);
        row_true(rows[i].name, length < sizeof error.text);
        row_number(rows[i].name, length >= 3 && strcmp(error.text + length - 3, "...") == 0, rows[i].marked);
        size_t shown = rows[i].context < 1000 ? rows[i].context : 1000;
        row_number(rows[i].name, strncmp(error.text, context, shown), 0);
    }
}

static void context_may_quote_its_own_cause(void **state)
{
    struct error error;

    (void)state;
    error_set(&error, EXIT_CONFIG, "100%% %s", "%s%n");
    error_context(&error, "%s", "50%d");
    assert_string_equal(error.text, "50%d: 100% %s%n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(context_goes_in_front),
        cmocka_unit_test(long_texts_are_cut),
        cmocka_unit_test(context_may_quote_its_own_cause),
    };

    return cmocka_run_group_tests_name("error", tests, NULL, NULL);
}
