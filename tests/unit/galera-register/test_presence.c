#include "../row.h"
#include "presence.h"

/* up_after 1000, down_after 5000; 'u' and 'd' are what is seen, at the time given. */
static void hysteresis(void **state)
{
    static const struct {
        int64_t at_ms;
        char seen; /* '-': nothing new */
        bool present;
    } rows[] = {
        {0, 'd', false},
        {500, 'u', false},
        {1499, '-', false},
        {1500, '-', true},
        {2000, 'd', true},
        {3000, 'u', true},
        /* a blip */ {4000, 'd', true},
        {8999, 'd', true},
        {9000, '-', false},
        {9100, 'u', false},
        {9500, 'd', false},
        {9600, 'u', false},
        {10500, 'u', false},
        {10600, 'u', true},
    };
    struct presence presence;

    (void)state;
    presence_init(&presence, 1000, 5000, 0);
    for (size_t i = 0; i < ROW_COUNT(rows); i++) {
        char name[32];
        snprintf(name, sizeof name, "at %d", (int)rows[i].at_ms);
        if (rows[i].seen != '-')
            presence_note(&presence, rows[i].seen == 'u', rows[i].at_ms);
        row_number(name, presence_is(&presence, rows[i].at_ms), rows[i].present);
    }
    assert_true(presence_change_ms(&presence) == INT64_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(hysteresis)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
