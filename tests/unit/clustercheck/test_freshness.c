#include "../row.h"
#include "freshness.h"

static const struct freshness_limits limits = {.refresh = 250, .max_age = 500, .timeout = 1000};

static void judge(void **state)
{
    static const struct {
        const char *name;
        struct freshness known;
        int64_t now;
        enum freshness_answer answer;
    } rows[] = {
        {"nothing is known", {0, 0, 0, false}, 5000, FRESHNESS_WAIT},
        {"nothing is known, asking", {0, 0, 4900, false}, 5000, FRESHNESS_WAIT},
        {"nothing is known, asking for too long", {0, 0, 4000, false}, 5000, FRESHNESS_LATE},
        {"new", {4900, 4901, 0, false}, 5000, FRESHNESS_SERVE},
        {"just new enough", {4500, 4501, 0, false}, 5000, FRESHNESS_SERVE},
        {"just too old", {4499, 4500, 0, false}, 5000, FRESHNESS_WAIT},
        {"new, asking again", {4700, 4701, 4990, false}, 5000, FRESHNESS_SERVE},
        {"old, asking again", {4400, 4401, 4650, false}, 5000, FRESHNESS_WAIT},
        {"old, asking for just less than the timeout", {3000, 3001, 4001, false}, 5000, FRESHNESS_WAIT},
        {"old, asking for the timeout", {3000, 3001, 4000, false}, 5000, FRESHNESS_LATE},
        {"timed out a moment ago", {4900, 4900, 0, true}, 5000, FRESHNESS_SERVE},
        {"timed out, asking again", {4000, 4000, 4250, true}, 5000, FRESHNESS_LATE},
        {"timed out, asking again at once", {4999, 4999, 4999, true}, 5000, FRESHNESS_LATE},
        {"timed out long ago, asking again now", {1000, 1000, 4990, true}, 5000, FRESHNESS_WAIT},
        {"timed out long ago", {1000, 1000, 0, true}, 5000, FRESHNESS_WAIT},
    };

    (void)state;
    for (size_t i = 0; i < ROW_COUNT(rows); i++)
        row_number(rows[i].name, freshness_judge(&rows[i].known, &limits, rows[i].now), rows[i].answer);
}

static void due(void **state)
{
    (void)state;
    assert_int_equal(freshness_due(&(struct freshness){0}, &limits), 0);
    assert_int_equal(freshness_due(&(struct freshness){.known_at = 4000}, &limits), 4250);
    assert_int_equal(freshness_due(&(struct freshness){.known_at = 4000, .asked_at = 4250}, &limits), INT64_MAX);
}

static void patience(void **state)
{
    (void)state;
    assert_int_equal(freshness_patience_end(&(struct freshness){.known_at = 4000}, &limits), 0);
    assert_int_equal(freshness_patience_end(&(struct freshness){.asked_at = 4250}, &limits), 5250);
}

/* Whatever is known: an answer that is served is not older than max_age, and whoever waits has a refresh to wait for.
 */
static void promises(void **state)
{
    (void)state;
    for (int64_t known = 0; known <= 3000; known += 100) {
        for (int64_t asked = 0; asked <= 3000; asked += 100) {
            for (int timed_out = 0; timed_out < 2; timed_out++) {
                struct freshness one = {known, known, asked, timed_out != 0};
                enum freshness_answer answer = freshness_judge(&one, &limits, 3000);
                if (answer == FRESHNESS_SERVE)
                    assert_true(3000 - known <= limits.max_age);
                if (answer == FRESHNESS_WAIT && asked != 0)
                    assert_true(freshness_patience_end(&one, &limits) > 3000);
            }
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(judge), cmocka_unit_test(due), cmocka_unit_test(patience),
                                       cmocka_unit_test(promises)};

    return cmocka_run_group_tests_name("freshness", tests, NULL, NULL);
}
