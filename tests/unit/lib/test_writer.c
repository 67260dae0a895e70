#include "../row.h"
#include "verdict.h"

static void writers(void **state)
{
    static const struct {
        const char *name;
        enum verdict_state usable;
        const char *index;
        enum siblings siblings;
        enum verdict_state state;
        enum verdict_reason reason;
    } rows[] = {
        {"the first", VERDICT_UP, "0", SIBLINGS_NOT_TOLD, VERDICT_UP, REASON_SYNCED},
        {"the first, others usable", VERDICT_UP, "0", SIBLINGS_USABLE, VERDICT_UP, REASON_SYNCED},
        {"the second", VERDICT_UP, "1", SIBLINGS_NOT_TOLD, VERDICT_DOWN, REASON_NOT_WRITER},
        {"the second, others usable", VERDICT_UP, "1", SIBLINGS_USABLE, VERDICT_DOWN, REASON_NOT_WRITER},
        {"the second, alone", VERDICT_UP, "1", SIBLINGS_NONE_USABLE, VERDICT_UP, REASON_SYNCED},
        {"an index that begins with 0", VERDICT_UP, "01", SIBLINGS_NOT_TOLD, VERDICT_DOWN, REASON_NOT_WRITER},
        {"no index", VERDICT_UP, NULL, SIBLINGS_NOT_TOLD, VERDICT_DOWN, REASON_NOT_WRITER},
        {"the first is down", VERDICT_DOWN, "0", SIBLINGS_NONE_USABLE, VERDICT_DOWN, REASON_DESYNCED},
        {"the first is unknown", VERDICT_UNKNOWN, "0", SIBLINGS_NOT_TOLD, VERDICT_UNKNOWN, REASON_TIMED_OUT},
    };
    static const enum verdict_reason reasons[] = {
        [VERDICT_UP] = REASON_SYNCED, [VERDICT_DOWN] = REASON_DESYNCED, [VERDICT_UNKNOWN] = REASON_TIMED_OUT};
    static struct facts facts;

    (void)state;
    for (size_t i = 0; i < ROW_COUNT(rows); i++) {
        struct observation seen = {.facts = &facts, .siblings = rows[i].siblings};
        struct verdict usable = {.state = rows[i].usable, .reason = reasons[rows[i].usable]};
        facts_clear(&facts);
        if (rows[i].index != NULL)
            facts_add(&facts, "wsrep_local_index", rows[i].index);
        struct verdict verdict = verdict_writer(&seen, usable);
        row_number(rows[i].name, verdict.state, rows[i].state);
        row_number(rows[i].name, verdict.reason, rows[i].reason);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(writers)};

    return cmocka_run_group_tests_name("writer", tests, NULL, NULL);
}
