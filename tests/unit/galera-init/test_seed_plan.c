/* Whether to load: what the mark, the tables, the key and the members make of it, alone and against each other. */
#include "../row.h"

#include <string.h>

#include "seed_plan.h"

enum { TABLES = 1, BY_HAND = 2, OTHER_DATABASE = 4, NO_DATABASE = 8, FLAGS = 16 };

static struct seed_facts facts_of(enum mark_state mark, enum claim_state claim, int64_t members, unsigned flags)
{
    return (struct seed_facts){.mark = mark,
                               .same_database = (flags & OTHER_DATABASE) == 0,
                               .tables = (flags & TABLES) != 0,
                               .database = (flags & NO_DATABASE) == 0,
                               .claim = claim,
                               .by_hand = (flags & BY_HAND) != 0,
                               .members = members,
                               .nodes = 3};
}

struct row {
    const char *name;
    enum mark_state mark;
    enum claim_state claim;
    int64_t members; /* of 3 */
    unsigned flags;
    enum seed_plan plan;
};

static const struct row rows[] = {
    {"nothing there, all synced", MARK_NONE, CLAIM_NONE, 3, 0, SEED_PLAN_LOAD},
    {"one is missing", MARK_NONE, CLAIM_NONE, 2, 0, SEED_PLAN_WAIT_FOR_NODES},
    {"more than needed", MARK_NONE, CLAIM_NONE, 4, 0, SEED_PLAN_LOAD},
    {"by hand nobody is waited for", MARK_NONE, CLAIM_NONE, 0, BY_HAND, SEED_PLAN_LOAD},
    {"another is at it", MARK_NONE, CLAIM_ANOTHER, 3, 0, SEED_PLAN_WAIT_FOR_LOADER},
    {"another is at it, by hand", MARK_NONE, CLAIM_ANOTHER, 3, BY_HAND, SEED_PLAN_WAIT_FOR_LOADER},
    {"another is at it, which is said rather than that a node is missing", MARK_NONE, CLAIM_ANOTHER, 2, 0,
     SEED_PLAN_WAIT_FOR_LOADER},
    {"ours died before it marked", MARK_NONE, CLAIM_OURS, 3, 0, SEED_PLAN_LOAD},
    {"a load died", MARK_LOADING, CLAIM_NONE, 3, TABLES, SEED_PLAN_LOAD_AGAIN},
    {"a load died before its first statement", MARK_LOADING, CLAIM_NONE, 3, 0, SEED_PLAN_LOAD_AGAIN},
    {"ours died half way", MARK_LOADING, CLAIM_OURS, 3, TABLES, SEED_PLAN_LOAD_AGAIN},
    {"another loads", MARK_LOADING, CLAIM_ANOTHER, 3, TABLES, SEED_PLAN_WAIT_FOR_LOADER},
    {"a load died and a node is missing", MARK_LOADING, CLAIM_NONE, 2, TABLES, SEED_PLAN_WAIT_FOR_NODES},
    {"a load died and the dump chose its databases", MARK_LOADING, CLAIM_NONE, 3, TABLES | NO_DATABASE,
     SEED_PLAN_LOAD_OVER},
    {"a load into another database died", MARK_LOADING, CLAIM_NONE, 3, OTHER_DATABASE, SEED_PLAN_OTHER_DATABASE},
    {"another loads into another database", MARK_LOADING, CLAIM_ANOTHER, 3, OTHER_DATABASE, SEED_PLAN_WAIT_FOR_LOADER},
    {"loaded", MARK_DONE, CLAIM_NONE, 3, TABLES, SEED_PLAN_LOADED},
    {"loaded, and dropped since", MARK_DONE, CLAIM_NONE, 3, 0, SEED_PLAN_LOADED},
    {"loaded into another database", MARK_DONE, CLAIM_NONE, 3, OTHER_DATABASE, SEED_PLAN_LOADED},
    {"loaded, and the key says that somebody is at it", MARK_DONE, CLAIM_ANOTHER, 3, 0, SEED_PLAN_LOADED},
    {"loaded, and nodes are missing", MARK_DONE, CLAIM_NONE, 1, 0, SEED_PLAN_LOADED},
    {"tables of somebody", MARK_NONE, CLAIM_NONE, 3, TABLES, SEED_PLAN_NEVER},
    {"tables of somebody, by hand", MARK_NONE, CLAIM_NONE, 3, TABLES | BY_HAND, SEED_PLAN_NEVER},
    {"tables of somebody, whatever the key says", MARK_NONE, CLAIM_ANOTHER, 3, TABLES, SEED_PLAN_NEVER},
    {"tables of somebody, ours is dead", MARK_NONE, CLAIM_OURS, 3, TABLES, SEED_PLAN_NEVER},
    {"tables of somebody in any database", MARK_NONE, CLAIM_NONE, 3, TABLES | NO_DATABASE, SEED_PLAN_NEVER},
};

static void table(void **state)
{
    (void)state;
    for (size_t i = 0; i < ROW_COUNT(rows); i++) {
        struct seed_facts facts = facts_of(rows[i].mark, rows[i].claim, rows[i].members, rows[i].flags);
        row_number(rows[i].name, seed_plan(&facts), rows[i].plan);
    }
}

static bool drops_or_loads(enum seed_plan plan)
{
    return plan == SEED_PLAN_LOAD || plan == SEED_PLAN_LOAD_AGAIN || plan == SEED_PLAN_LOAD_OVER;
}

/* What must hold for every combination, whether or not there is a row for it. */
static void check_promises(const struct seed_facts *facts)
{
    enum seed_plan plan = seed_plan(facts);

    if (drops_or_loads(plan)) {
        assert_int_not_equal(facts->mark, MARK_DONE);
        assert_false(facts->mark == MARK_NONE && facts->tables);
        assert_int_not_equal(facts->claim, CLAIM_ANOTHER);
        assert_true(facts->by_hand || facts->members >= facts->nodes);
    }
    if (plan == SEED_PLAN_LOAD_AGAIN) { /* which drops the database */
        assert_int_equal(facts->mark, MARK_LOADING);
        assert_true(facts->same_database);
        assert_true(facts->database);
    }
    assert_true((plan == SEED_PLAN_LOADED) == (facts->mark == MARK_DONE));
}

static void promises(void **state)
{
    (void)state;
    for (unsigned flags = 0; flags < FLAGS; flags++) {
        for (int mark = MARK_NONE; mark <= MARK_DONE; mark++) {
            for (int claim = CLAIM_NONE; claim <= CLAIM_ANOTHER; claim++) {
                for (int64_t members = 0; members <= 4; members++) {
                    struct seed_facts facts = facts_of((enum mark_state)mark, (enum claim_state)claim, members, flags);
                    check_promises(&facts);
                }
            }
        }
    }
}

/* Nodes by name; letters as in the phases of member/: Synced, Donor, Joining, - none; the digit is who we are. */
static void turns(void **state)
{
    static const struct {
        const char *name;
        const char *nodes;
        size_t self;
        int64_t turn; /* in steps of SEED_TURN_MS; -1: none */
    } turn_rows[] = {
        {"the first at once", "SSS", 0, 0},
        {"the second later", "SSS", 1, 1},
        {"the third later still", "SSS", 2, 2},
        {"a donor counts", "DSS", 1, 1},
        {"one is missing", "SS-", 0, -1},
        {"one still joins", "SJS", 2, -1},
        {"more than are needed, the first is gone", "-SSS", 1, 0},
        {"more than are needed, and we join", "SSSJ", 3, -1},
        {"more than are needed, and one joins before us", "JSSS", 3, 2},
    };

    (void)state;
    for (size_t i = 0; i < ROW_COUNT(turn_rows); i++) {
        struct situation situation = {.size = 3, .self = turn_rows[i].self, .count = strlen(turn_rows[i].nodes)};
        for (size_t k = 0; k < situation.count; k++) {
            char phase = turn_rows[i].nodes[k];
            situation.nodes[k].member.phase = phase == 'S'   ? MEMBER_SYNCED
                                              : phase == 'D' ? MEMBER_DONOR
                                              : phase == 'J' ? MEMBER_JOINING
                                                             : MEMBER_NONE;
        }
        int64_t wanted = turn_rows[i].turn < 0 ? -1 : turn_rows[i].turn * SEED_TURN_MS;
        row_number(turn_rows[i].name, seed_turn_ms(&situation), wanted);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(table), cmocka_unit_test(promises), cmocka_unit_test(turns)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
