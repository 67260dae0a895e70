#include "../row.h"

#include "holding.h"

/* Signs, short enough for a table. */
#define GRASTATE(condition, uuid, seqno, safe)                                                                         \
    {                                                                                                                  \
        GRASTATE_##condition, {uuid, seqno}, safe                                                                      \
    }
#define RECOVER(outcome, uuid, seqno, prepared)                                                                        \
    {                                                                                                                  \
        RECOVER_##outcome, {uuid, seqno}, prepared                                                                     \
    }
#define ONE                                                                                                            \
    {                                                                                                                  \
        {                                                                                                              \
            1                                                                                                          \
        }                                                                                                              \
    }
#define TWO                                                                                                            \
    {                                                                                                                  \
        {                                                                                                              \
            2                                                                                                          \
        }                                                                                                              \
    }
#define NIL                                                                                                            \
    {                                                                                                                  \
        {                                                                                                              \
            0                                                                                                          \
        }                                                                                                              \
    }

static void judging(void **state)
{
    static const struct {
        const char *name;
        struct holding_signs signs;
        bool asks;
        enum copy copy;
        enum source source;
        enum flaw flaw;
        int64_t seqno;
        bool safe;
    } rows[] = {
        {"nothing",
         {false, false, false, GRASTATE(MISSING, NIL, -1, false), RECOVER(NOT_RUN, NIL, -1, false)},
         false,
         COPY_EMPTY,
         SOURCE_NONE,
         FLAW_NONE,
         -1,
         false},
        {"nothing, with a safe grastate.dat",
         {false, false, false, GRASTATE(GOOD, NIL, -1, true), RECOVER(NOT_RUN, NIL, -1, false)},
         false,
         COPY_EMPTY,
         SOURCE_NONE,
         FLAW_NONE,
         -1,
         false},
        {"closed",
         {true, false, false, GRASTATE(GOOD, ONE, 9, false), RECOVER(NOT_RUN, NIL, -1, false)},
         false,
         COPY_TRUSTED,
         SOURCE_GRASTATE,
         FLAW_NONE,
         9,
         false},
        {"closed, the last",
         {true, false, false, GRASTATE(GOOD, ONE, 9, true), RECOVER(NOT_RUN, NIL, -1, false)},
         false,
         COPY_TRUSTED,
         SOURCE_GRASTATE,
         FLAW_NONE,
         9,
         true},
        {"closed, and InnoDB agrees",
         {true, false, false, GRASTATE(GOOD, ONE, 9, true), RECOVER(POSITION, ONE, 9, false)},
         false,
         COPY_TRUSTED,
         SOURCE_GRASTATE,
         FLAW_NONE,
         9,
         true},
        {"closed, and InnoDB does not",
         {true, false, false, GRASTATE(GOOD, ONE, 9, true), RECOVER(POSITION, ONE, 8, false)},
         false,
         COPY_DOUBTFUL,
         SOURCE_RECOVER,
         FLAW_DISAGREE,
         8,
         false},
        {"crashed",
         {true, false, false, GRASTATE(GOOD, ONE, -1, false), RECOVER(POSITION, ONE, 7, false)},
         true,
         COPY_TRUSTED,
         SOURCE_RECOVER,
         FLAW_NONE,
         7,
         false},
        {"crashed alone",
         {true, false, false, GRASTATE(GOOD, ONE, -1, true), RECOVER(POSITION, ONE, 7, false)},
         true,
         COPY_TRUSTED,
         SOURCE_RECOVER,
         FLAW_NONE,
         7,
         false},
        {"crashed, other history in InnoDB",
         {true, false, false, GRASTATE(GOOD, ONE, -1, false), RECOVER(POSITION, TWO, 7, false)},
         true,
         COPY_DOUBTFUL,
         SOURCE_RECOVER,
         FLAW_DISAGREE,
         7,
         false},
        {"crashed, prepared",
         {true, false, false, GRASTATE(GOOD, ONE, -1, false), RECOVER(POSITION, ONE, 7, true)},
         true,
         COPY_DOUBTFUL,
         SOURCE_RECOVER,
         FLAW_PREPARED,
         7,
         false},
        {"crashed, no position",
         {true, false, false, GRASTATE(GOOD, ONE, -1, false), RECOVER(NOTHING, NIL, -1, false)},
         true,
         COPY_BROKEN,
         SOURCE_NONE,
         FLAW_NO_POSITION,
         -1,
         false},
        {"crashed, recovery failed",
         {true, false, false, GRASTATE(GOOD, ONE, -1, false), RECOVER(FAILED, NIL, -1, false)},
         true,
         COPY_BROKEN,
         SOURCE_NONE,
         FLAW_NO_POSITION,
         -1,
         false},
        {"a nil UUID",
         {true, false, false, GRASTATE(GOOD, NIL, -1, false), RECOVER(POSITION, ONE, 7, false)},
         false,
         COPY_BROKEN,
         SOURCE_NONE,
         FLAW_INCONSISTENT,
         -1,
         false},
        {"a nil UUID after our server was Primary: a schema change",
         {true, false, true, GRASTATE(GOOD, NIL, -1, false), RECOVER(POSITION, ONE, 7, false)},
         true,
         COPY_DOUBTFUL,
         SOURCE_RECOVER,
         FLAW_SCHEMA,
         7,
         false},
        {"the same, no position",
         {true, false, true, GRASTATE(GOOD, NIL, -1, false), RECOVER(FAILED, NIL, -1, false)},
         true,
         COPY_BROKEN,
         SOURCE_NONE,
         FLAW_NO_POSITION,
         -1,
         false},
        {"the same, a transfer's mark",
         {true, true, true, GRASTATE(GOOD, NIL, -1, false), RECOVER(NOT_RUN, NIL, -1, false)},
         false,
         COPY_BROKEN,
         SOURCE_NONE,
         FLAW_TRANSFER,
         -1,
         false},
        {"a transfer's mark",
         {true, true, false, GRASTATE(GOOD, ONE, 9, true), RECOVER(POSITION, ONE, 9, false)},
         false,
         COPY_BROKEN,
         SOURCE_NONE,
         FLAW_TRANSFER,
         -1,
         false},
        {"no grastate.dat",
         {true, false, false, GRASTATE(MISSING, NIL, -1, false), RECOVER(POSITION, ONE, 7, false)},
         true,
         COPY_DOUBTFUL,
         SOURCE_RECOVER,
         FLAW_GRASTATE_MISSING,
         7,
         false},
        {"no grastate.dat, no position",
         {true, false, false, GRASTATE(MISSING, NIL, -1, false), RECOVER(NOTHING, NIL, -1, false)},
         true,
         COPY_PLAIN,
         SOURCE_NONE,
         FLAW_NONE,
         -1,
         false},
        {"no grastate.dat, recovery failed",
         {true, false, false, GRASTATE(MISSING, NIL, -1, false), RECOVER(FAILED, NIL, -1, false)},
         true,
         COPY_BROKEN,
         SOURCE_NONE,
         FLAW_NO_POSITION,
         -1,
         false},
        {"corrupt",
         {true, false, false, GRASTATE(CORRUPT, NIL, -1, false), RECOVER(POSITION, ONE, 7, false)},
         true,
         COPY_DOUBTFUL,
         SOURCE_RECOVER,
         FLAW_GRASTATE_CORRUPT,
         7,
         false},
        {"corrupt, no position",
         {true, false, false, GRASTATE(CORRUPT, NIL, -1, false), RECOVER(NOTHING, NIL, -1, false)},
         true,
         COPY_BROKEN,
         SOURCE_NONE,
         FLAW_NO_POSITION,
         -1,
         false},
    };

    (void)state;
    for (size_t i = 0; i < ROW_COUNT(rows); i++) {
        struct holding got = holding_judge(&rows[i].signs);
        row_true(rows[i].name, holding_needs_recover(&rows[i].signs) == rows[i].asks);
        row_text(rows[i].name, copy_word(got.copy), copy_word(rows[i].copy));
        row_text(rows[i].name, source_word(got.source), source_word(rows[i].source));
        row_text(rows[i].name, flaw_text(got.flaw), flaw_text(rows[i].flaw));
        row_number(rows[i].name, got.position.seqno, rows[i].seqno);
        row_true(rows[i].name, got.safe_to_bootstrap == rows[i].safe);
        row_true(rows[i].name, (got.flaw == FLAW_NONE) == (flaw_text(got.flaw)[0] == '\0'));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(judging),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
