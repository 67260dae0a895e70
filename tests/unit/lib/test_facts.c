#include "../row.h"
#include "facts.h"

static void looked_up_by_name(void **state)
{
    static struct facts facts;

    (void)state;
    facts_clear(&facts);
    assert_null(facts_get(&facts, "wsrep_ready"));
    assert_false(facts_is(&facts, "wsrep_ready", "ON"));
    assert_true(facts_add(&facts, "wsrep_ready", "ON"));
    assert_true(facts_add(&facts, "wsrep_local_state_comment", ""));
    assert_string_equal(facts_get(&facts, "WSREP_Ready"), "ON");
    assert_true(facts_is(&facts, "wsrep_ready", "on"));
    assert_false(facts_is(&facts, "wsrep_ready", "ONE"));
    assert_false(facts_is(&facts, "wsrep_ready", ""));
    assert_true(facts_is(&facts, "wsrep_local_state_comment", ""));
    assert_null(facts_get(&facts, "wsrep_read"));
    assert_null(facts_get(&facts, ""));
}

static void last_one_counts(void **state)
{
    static struct facts facts;

    (void)state;
    facts_clear(&facts);
    assert_true(facts_add(&facts, "a", "1"));
    assert_true(facts_add(&facts, "b", "2"));
    assert_true(facts_add(&facts, "A", "3"));
    assert_int_equal(facts.count, 2);
    assert_string_equal(facts_get(&facts, "a"), "3");
    facts_clear(&facts);
    assert_null(facts_get(&facts, "a"));
}

static void texts_are_copied(void **state)
{
    static struct facts facts;
    char name[] = "name";
    char value[] = "value";

    (void)state;
    facts_clear(&facts);
    assert_true(facts_add(&facts, name, value));
    memset(name, 'x', 4);
    memset(value, 'x', 5);
    assert_string_equal(facts_get(&facts, "name"), "value");
}

static void full_of_rows(void **state)
{
    static struct facts facts;
    char name[32];

    (void)state;
    facts_clear(&facts);
    for (int i = 0; i < FACTS_MOST; i++) {
        snprintf(name, sizeof name, "wsrep_%d", i);
        assert_true(facts_add(&facts, name, "x"));
    }
    assert_false(facts_add(&facts, "one_more", "x"));
    assert_true(facts_add(&facts, "wsrep_0", "y"));
    assert_string_equal(facts_get(&facts, "wsrep_0"), "y");
    assert_int_equal(facts.count, FACTS_MOST);
}

static void full_of_text(void **state)
{
    static struct facts facts;
    static char big[FACTS_TEXT_SIZE];

    (void)state;
    memset(big, 'b', sizeof big - 1);
    facts_clear(&facts);
    assert_false(facts_add(&facts, "big", big));
    assert_null(facts_get(&facts, "big"));
    facts_clear(&facts);
    big[sizeof big - 1 - strlen("big") - 1] = '\0';
    assert_true(facts_add(&facts, "big", big));
    assert_string_equal(facts_get(&facts, "big"), big);
    assert_false(facts_add(&facts, "", ""));
    assert_false(facts_add(&facts, "big", "x"));
    assert_string_equal(facts_get(&facts, "big"), big);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(looked_up_by_name), cmocka_unit_test(last_one_counts), cmocka_unit_test(texts_are_copied),
        cmocka_unit_test(full_of_rows),      cmocka_unit_test(full_of_text),
    };

    return cmocka_run_group_tests_name("facts", tests, NULL, NULL);
}
