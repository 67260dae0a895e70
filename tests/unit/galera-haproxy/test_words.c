#include <string.h>

#include "../row.h"
#include "words.h"

static struct error error;

static void checks(void **state)
{
    static const struct {
        const char *text;
        int64_t rise; /* 0: refused */
        int64_t fall;
    } rows[] = {
        {"inter 1s fastinter 300ms downinter 1s rise 2 fall 2", 2, 2},
        {"", 2, 3},
        {"  rise 1   fall 9 ", 1, 9},
        {"inter 2m slowstart 1m weight 10 maxconn 500 minconn 5 maxqueue 0", 2, 3},
        {"fall 1", 0, 0},
        {"rise 0", 0, 0},
        {"inter", 0, 0},
        {"inter 1", 0, 0},
        {"inter 1.5s", 0, 0},
        {"inter 1us", 0, 0},
        {"inter 0s", 0, 0},
        {"port 9200", 0, 0},
        {"backup", 0, 0},
        {"rise 2 fall 2\nserver", 0, 0},
        {"rise two", 0, 0},
        {"weight 999", 0, 0},
        {"rrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrr 2", 0, 0},
    };

    (void)state;
    for (size_t i = 0; i < ROW_COUNT(rows); i++) {
        struct check_words check;
        bool right = words_parse_check(rows[i].text, &check, &error);
        row_number(rows[i].text, right, rows[i].rise != 0);
        if (right) {
            row_number(rows[i].text, check.rise, rows[i].rise);
            row_number(rows[i].text, check.fall, rows[i].fall);
        } else {
            row_number(rows[i].text, error.code, EXIT_CONFIG);
        }
    }
}

static void how_long_the_first_checks_take(void **state)
{
    static const struct {
        const char *text;
        int64_t ms;
    } rows[] = {
        {"", 6000},
        {"inter 1s fastinter 300ms downinter 1s rise 2 fall 2", 3000},
        {"inter 10s rise 3", 40000},
        {"inter 1s downinter 5s fastinter 2s slowstart 1m rise 1", 10000},
        {"fastinter 5s", 15000},
    };

    (void)state;
    for (size_t i = 0; i < ROW_COUNT(rows); i++) {
        struct check_words check;
        assert_true(words_parse_check(rows[i].text, &check, &error));
        row_number(rows[i].text, words_first_checks_ms(&check), rows[i].ms);
    }
}

static void others(void **state)
{
    static const struct {
        const char *text;
        bool bind;
        bool balance;
        bool extra;
    } rows[] = {
        {":33306", true, false, true},
        {"10.0.0.1:33306,[::1]:33306", true, false, true},
        {"10.0.0.1:33306 interface eth0 maxconn 100", true, false, true},
        {"10.0.0.1:33306,x", false, false, true},
        {":33306,", true, false, true},
        {"33306", false, false, true},
        {":33306\nserver x 1.2.3.4:1", false, false, false},
        {":33306 # no", false, false, true},
        {"unix@/run/x", false, false, true},
        {"leastconn", false, true, true},
        {"roundrobin", false, true, true},
        {"uri", false, false, true},
        {"maxconn 200 | timeout queue 5s", false, false, true},
        {"maxconn 200 | server x 1.2.3.4:1", false, false, false},
        {"listen y", false, false, false},
        {" | backend z |", false, false, false},
        {"", false, false, true},
        {"servers", false, false, true},
        {"r\xc3\xa4ume", false, false, false},
    };

    (void)state;
    for (size_t i = 0; i < ROW_COUNT(rows); i++) {
        row_number(rows[i].text, words_check_bind("bind", rows[i].text, &error), rows[i].bind);
        row_number(rows[i].text, words_check_balance(rows[i].text, &error), rows[i].balance);
        row_number(rows[i].text, words_check_extra(rows[i].text, &error), rows[i].extra);
    }
    assert_true(words_check_bind("writer_bind", NULL, &error));
    assert_true(words_check_extra(NULL, &error));
}

static void lines(void **state)
{
    const char *rest = " maxconn 200 ||timeout queue 5s\t|  ";
    const char *line;
    size_t length;

    (void)state;
    assert_true(words_next_line(&rest, &line, &length));
    assert_int_equal(length, strlen("maxconn 200"));
    assert_memory_equal(line, "maxconn 200", length);
    assert_true(words_next_line(&rest, &line, &length));
    assert_int_equal(length, strlen("timeout queue 5s"));
    assert_false(words_next_line(&rest, &line, &length));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(checks), cmocka_unit_test(how_long_the_first_checks_take),
                                       cmocka_unit_test(others), cmocka_unit_test(lines)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
