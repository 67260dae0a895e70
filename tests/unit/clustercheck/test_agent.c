#include "../row.h"
#include "agent.h"

static void lines(void **state)
{
    static const struct {
        const char *name;
        enum verdict_state state;
        enum verdict_reason reason;
        int weight;
        const char *line;
    } rows[] = {
        {"up", VERDICT_UP, REASON_SYNCED, 100, "up ready 100%\n"},
        {"donor", VERDICT_UP, REASON_DONOR, 25, "up ready 25%\n"},
        {"donor that is down", VERDICT_DOWN, REASON_DONOR, 25, "down #donor\n"},
        {"drained", VERDICT_DOWN, REASON_DRAINING, 100, "drain\n"},
        {"disabled", VERDICT_DOWN, REASON_DISABLED, 100, "maint\n"},
        {"maintenance", VERDICT_DOWN, REASON_MAINTENANCE, 100, "maint\n"},
        {"unknown", VERDICT_UNKNOWN, REASON_TIMED_OUT, 100, "down #timed-out\n"},
    };

    (void)state;
    for (size_t i = 0; i < ROW_COUNT(rows); i++) {
        char text[128] = "";
        struct line line = LINE_IN(text);
        struct verdict verdict = {.state = rows[i].state, .reason = rows[i].reason};
        agent_format(&line, &verdict, rows[i].weight);
        row_text(rows[i].name, text, rows[i].line);
    }
}

/* "ready" undoes what the agent has asked for earlier; without a node that is up it would do harm. */
static void ready_goes_with_up(void **state)
{
    (void)state;
    for (int reason = 0; reason < REASON_COUNT; reason++) {
        for (int s = VERDICT_UP; s <= VERDICT_UNKNOWN; s++) {
            char text[128] = "";
            struct line line = LINE_IN(text);
            struct verdict verdict = {.state = (enum verdict_state)s, .reason = (enum verdict_reason)reason};
            agent_format(&line, &verdict, 50);
            row_number(text, strstr(text, " ready ") != NULL, s == VERDICT_UP);
            row_number(text, strncmp(text, "up ", 3) == 0, s == VERDICT_UP);
            row_number(text, text[strlen(text) - 1], '\n');
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(lines), cmocka_unit_test(ready_goes_with_up)};

    return cmocka_run_group_tests_name("agent", tests, NULL, NULL);
}
