#include "../row.h"
#include "deadline.h"

#include <limits.h>

enum { NS_PER_MS = 1000000 };

static void left(void **state)
{
    static const struct {
        const char *name;
        int64_t from_now_ns;
        int at_least, at_most;
    } rows[] = {
        {"an hour ago", INT64_C(-3600000) * NS_PER_MS, 0, 0},
        {"a nanosecond ago", -1, 0, 0},
        {"now", 0, 0, 0},
        {"in an hour", INT64_C(3600000) * NS_PER_MS, 3540000, 3600000},
        {"half a millisecond above", INT64_C(3600000) * NS_PER_MS + NS_PER_MS / 2, 3540000, 3600001},
        {"in a year", INT64_C(31536000000) * NS_PER_MS, INT_MAX, INT_MAX},
    };

    (void)state;
    for (size_t i = 0; i < ROW_COUNT(rows); i++) {
        struct deadline deadline = {monotonic_ns() + rows[i].from_now_ns};
        int ms = deadline_left_ms(deadline);
        row_true(rows[i].name, ms >= rows[i].at_least && ms <= rows[i].at_most);
        row_number(rows[i].name, deadline_passed(deadline), rows[i].from_now_ns <= 0);
    }
}

static void never_comes(void **state)
{
    struct deadline never = {INT64_MAX};

    (void)state;
    assert_int_equal(deadline_left_ms(never), INT_MAX);
    assert_false(deadline_passed(never));
}

/* A wait of what is left must not end before the deadline, or its loop would spin. */
static void left_is_rounded_up(void **state)
{
    struct deadline deadline = deadline_in_ms(20);

    (void)state;
    while (!deadline_passed(deadline))
        assert_true(deadline_left_ms(deadline) > 0 || deadline_passed(deadline));
    assert_int_equal(deadline_left_ms(deadline), 0);
}

static void earlier(void **state)
{
    struct deadline soon = {1000};
    struct deadline late = {2000};

    (void)state;
    assert_int_equal(deadline_earlier(soon, late).at_ns, 1000);
    assert_int_equal(deadline_earlier(late, soon).at_ns, 1000);
}

static void as_timespec(void **state)
{
    struct timespec time = deadline_timespec((struct deadline){INT64_C(5000000007)});

    (void)state;
    assert_int_equal(time.tv_sec, 5);
    assert_int_equal(time.tv_nsec, 7);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(left),    cmocka_unit_test(never_comes), cmocka_unit_test(left_is_rounded_up),
        cmocka_unit_test(earlier), cmocka_unit_test(as_timespec),
    };

    return cmocka_run_group_tests_name("deadline", tests, NULL, NULL);
}
