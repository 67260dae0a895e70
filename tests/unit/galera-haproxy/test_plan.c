#include <stdlib.h>
#include <string.h>

#include "../row.h"
#include "support/world.h"

/* The commands of a join in slot `s` at 10.0.0.`n`, from a free slot and from one that has the address already. */
#define JOIN(s, n) "set server " s " addr 10.0.0." n " port 3306\nenable health " s "\nset server " s " state drain"
#define REJOIN(s)  "enable health " s "\nset server " s " state drain"
#define READY(s)   "set server " s " state ready"
#define DRAIN(s)   "set server " s " state drain"
#define MAINT(s)   "set server " s " state maint"
#define EMPTY(s)   "set server " s " addr 255.255.255.255 port 1"
#define FREE(s)    MAINT(s) "\n" EMPTY(s)
#define CUT(s)     "shutdown sessions server " s

static void one_section(void **state)
{
    static const struct {
        const char *name;
        const char *members;
        const char *slots;
        const char *steps;
    } rows[] = {
        {"nobody anywhere", "", "- - - -", ""},
        {"all is well", "db1/1 db2/2", "1/up 2/up - -", ""},
        {"the first node", "db1/1", "- - - -", JOIN("s1", "1")},
        {"a second one goes behind it", "db1/1 db2/2", "1/up - - -", JOIN("s2", "2")},
        {"behind the last, not into a gap", "db1/1 db3/3 db4/4", "1/up - 3/up -", JOIN("s4", "4")},
        {"into a gap when nothing is behind", "db1/1 db4/4 db5/5", "1/up - - 4/up", JOIN("s2", "5")},
        {"two at once, in order", "db1/1 db2/2", "- - - -", JOIN("s1", "1") "\n" JOIN("s2", "2")},
        {"waits for its first check", "db1/1", "1/pending - - -", ""},
        {"whose check fails", "db1/1", "1/failing - - -", ""},
        {"passed: ready", "db1/1", "1/drain - - -", READY("s1")},
        {"a node that is down stays", "db1/1 db2/2", "1/up 2/down - -", ""},
        {"a node that drains itself stays", "db1/1 db2/2", "1/up 2/nolb - -", ""},
        {"HAProxy has just started", "db1/1 db2/2", "1/fresh 2/fresh - -", ""},
        {"put in maintenance by hand", "db1/1", "1/maint - - -", REJOIN("s1")},
        {"a former check is under way: wait", "db1/1", "1/busy - - -", ""},
        {"a slot in maintenance with another's address is free", "db1/1", "9/maint - - -", JOIN("s1", "1")},
        {"... but not while a check of that is under way", "db1/1", "9/busy - - -", ""},
        {"a free slot is made to lead nowhere", "db2/2", "9/maint 2/up - -", EMPTY("s1")},
        {"removed: drained", "db1/1 db2/2/removed/0", "1/up 2/up - -", DRAIN("s2")},
        {"... with sessions", "db1/1 db2/2/removed/0", "1/up 2/up/7 - -", DRAIN("s2")},
        {"draining, sessions left, grace left", "db1/1 db2/2/leaving/29", "1/up 2/drain/7 - -", ""},
        {"draining, no session left", "db1/1 db2/2/leaving/2", "1/up 2/drain - -", FREE("s2")},
        {"draining, grace over", "db1/1 db2/2/leaving/30", "1/up 2/drain/7 - -",
         MAINT("s2") "\n" CUT("s2") "\n" EMPTY("s2")},
        {"it stopped while it drained", "db1/1 db2/2/leaving/2", "1/up 2/draindown/0 - -", FREE("s2")},
        {"removed when it was down already", "db1/1 db2/2/removed/0", "1/up 2/down - -", FREE("s2")},
        {"removed, brought back by an older file", "db1/1 db2/2/removed/900 db3/3", "1/fresh 2/fresh 3/up -",
         DRAIN("s2")},
        {"removed, its slot not yet emptied", "db1/1 db2/2/removed/0", "1/up 2/maint - -", EMPTY("s2")},
        {"removed, its slot for somebody else", "db1/1 db2/2/removed/0 db3/3", "1/up 2/maint - -", JOIN("s2", "3")},
        {"removed before its first check", "db1/1 db2/2/removed/0", "1/up 2/pending - -", FREE("s2")},
        {"registered again while it drained", "db1/1 db2/2", "1/up 2/drain/7 - -", READY("s2")},
        {"expired, its check passes: kept", "db1/1 db2/2/expired/599", "1/up 2/up - -", ""},
        {"expired, drains itself: kept", "db1/1 db2/2/expired/5", "1/up 2/nolb - -", ""},
        {"expired, its check fails", "db1/1 db2/2/expired/5", "1/up 2/down - -", FREE("s2")},
        {"expired before its first check", "db1/1 db2/2/expired/5", "1/up 2/pending - -", FREE("s2")},
        {"expired long ago", "db1/1 db2/2/expired/600", "1/up 2/up - -", DRAIN("s2")},
        {"known from HAProxy alone, passes", "db1/1 -/9/expired/5", "1/up 9/up - -", ""},
        {"known from HAProxy alone, fails", "db1/1 -/9/expired/5", "1/up 9/down - -", FREE("s2")},
        {"the id moved: the old address leaves, the new one joins", "db1/1 db2/2/removed/0 db2/5", "1/up 2/up - -",
         DRAIN("s2") "\n" JOIN("s3", "5")},
        {"the last usable node is kept", "db1/1/removed/0", "1/up - - -", ""},
        {"... even though a new one has not been checked", "db1/1/removed/0 db2/2", "1/up 2/pending - -", ""},
        {"... and is let go when that has passed", "db1/1/removed/0 db2/2", "1/up 2/up - -", DRAIN("s1")},
        {"the last of all is kept though it is down", "db1/1/removed/0", "1/down - - -", ""},
        {"the others failed: the one that drains serves again", "db1/1 db2/2/leaving/5", "1/down 2/drain/7 - -",
         READY("s2")},
        {"two at once: nothing before it is confirmed", "db1/1 db2/2/removed/0 db3/3/removed/0", "1/up 2/up 3/up -",
         ""},
        {"a second one while the first is leaving", "db1/1 db2/2/leaving/5 db3/3/removed/0", "1/up 2/drain/1 3/up -",
         DRAIN("s3")},
        {"no slot is free", "db1/1 db2/2 db3/3 db4/4 db5/5", "1/up 2/up 3/up 4/up", ""},
        {"a slot becomes free for the one that waits", "db1/1 db2/2 db3/3/leaving/9 db4/4 db5/5",
         "1/up 2/up 3/drain 4/up", FREE("s3")},
        {"... and it moves in", "db1/1 db2/2 db4/4 db5/5", "1/up 2/up - 4/up", JOIN("s3", "5")},
        {"one address in two slots", "db1/1", "1/up 1/up/3 - -", MAINT("s2") "\n" CUT("s2") "\n" EMPTY("s2")},
        {"one address in two slots, the first unused", "db1/1", "1/maint 1/up/3 - -", EMPTY("s1")},
    };

    (void)state;
    for (size_t i = 0; i < ROW_COUNT(rows); i++) {
        struct world *world = calloc(1, sizeof *world);
        char text[4096];
        world_begin(world);
        world_members(world, rows[i].members);
        world_slots(world, SECTION_ANY, rows[i].slots);
        world_plan(world);
        row_text(rows[i].name, world_steps(world, text, sizeof text), rows[i].steps);
        free(world);
    }
}

static struct world *plan_of(const char *members, const char *any, const char *other, enum section section)
{
    struct world *world = calloc(1, sizeof *world);

    assert_non_null(world);
    world_begin(world);
    world_members(world, members);
    world_slots(world, SECTION_ANY, any);
    if (other != NULL)
        world_slots(world, section, other);
    return world;
}

static void two_sections(void **state)
{
#define R "galera-readers/"
    static const struct {
        const char *name;
        const char *members;
        const char *any;
        const char *readers;
        const char *steps;
    } rows[] = {
        {"equal", "db1/1", "1/up - - -", "1/up - - -", ""},
        {"joins in both", "db1/1", "- - - -", "- - - -", JOIN("s1", "1") "\n" JOIN(R "s1", "1")},
        {"each waits for its own check", "db1/1", "1/drain - - -", "1/pending - - -", READY("s1")},
        {"a section that was not finished", "db1/1", "1/up - - -", "- - - -", JOIN(R "s1", "1")},
        {"known in the second alone", "db1/1", "- - - -", "- - 1/up -", JOIN("s3", "1")},
        {"the second has another node there", "db1/1", "1/up - - -", "9/up/2 - - -", MAINT(R "s1")},
        {"drained in both", "db1/1 db2/2/removed/0", "1/up 2/up - -", "1/up 2/up - -", DRAIN("s2") "\n" DRAIN(R "s2")},
        {"freed when no section has sessions", "db1/1 db2/2/leaving/1", "1/up 2/drain - -", "1/up 2/drain/1 - -", ""},
        {"not freed while one is not drained", "db1/1 db2/2/leaving/1", "1/up 2/drain - -", "1/up 2/up - -",
         DRAIN(R "s2")},
        {"fewer slots in the second: only those that both have", "db1/1 db2/2 db3/3", "1/up 2/up -", "1/up 2/up", ""},
    };

    (void)state;
    for (size_t i = 0; i < ROW_COUNT(rows); i++) {
        char text[4096];
        struct world *world = plan_of(rows[i].members, rows[i].any, rows[i].readers, SECTION_READERS);
        world_plan(world);
        row_text(rows[i].name, world_steps(world, text, sizeof text), rows[i].steps);
        free(world);
    }
}

static void limits(void **state)
{
    static const struct {
        const char *name;
        const char *members;
        const char *slots;
        int64_t min_servers;
        int64_t max_removals;
        bool confirmed;
        const char *steps;
        bool confirm;
        size_t kept;
    } rows[] = {
        {"two of four", "a/1 b/2 c/3/removed/0 d/4/removed/0", "1/up 2/up 3/up 4/up", 1, 1, false, "", true, 0},
        {"two of four, confirmed", "a/1 b/2 c/3/removed/0 d/4/removed/0", "1/up 2/up 3/up 4/up", 1, 1, true,
         DRAIN("s3") "\n" DRAIN("s4"), false, 0},
        {"two of four, two may go", "a/1 b/2 c/3/removed/0 d/4/removed/0", "1/up 2/up 3/up 4/up", 1, 2, false,
         DRAIN("s3") "\n" DRAIN("s4"), false, 0},
        {"min_servers makes it one", "a/1 b/2 c/3/removed/0 d/4/removed/0", "1/up 2/up 3/up 4/up", 3, 1, false,
         DRAIN("s3"), false, 1},
        {"min_servers counts usable ones", "a/1 b/2 c/3/removed/0", "1/up 2/down 3/up -", 2, 1, false, "", false, 1},
        {"one that is down may go beside them", "a/1 b/2/removed/0 c/3", "1/up 2/down 3/up -", 2, 1, false, FREE("s2"),
         false, 0},
        {"all of them, confirmed: the last is kept", "a/1/removed/0 b/2/removed/0 c/3/removed/0", "1/up 2/up 3/up -", 1,
         1, true, DRAIN("s1") "\n" DRAIN("s2"), false, 1},
        {"two died at once", "a/1 b/2/expired/0 c/3/expired/0", "1/up 2/down 3/down -", 1, 1, false, "", true, 0},
        {"two died at once, confirmed", "a/1 b/2/expired/0 c/3/expired/0", "1/up 2/down 3/down -", 1, 1, true,
         FREE("s2") "\n" FREE("s3"), false, 0},
        {"all are dead and gone: one stays", "a/1/expired/0 b/2/expired/0", "1/down 2/down - -", 1, 9, false,
         FREE("s1"), false, 1},
    };

    (void)state;
    for (size_t i = 0; i < ROW_COUNT(rows); i++) {
        char text[4096];
        struct world *world = plan_of(rows[i].members, rows[i].slots, NULL, SECTION_ANY);
        world->settings.min_servers = rows[i].min_servers;
        world->settings.max_removals = rows[i].max_removals;
        world->confirmed = rows[i].confirmed;
        world_plan(world);
        row_text(rows[i].name, world_steps(world, text, sizeof text), rows[i].steps);
        row_number(rows[i].name, world->plan.confirm, rows[i].confirm);
        row_number(rows[i].name, world->plan.kept, rows[i].kept);
        free(world);
    }
}

static void agents(void **state)
{
    static const struct {
        const char *name;
        const char *members;
        const char *slots;
        const char *steps;
    } rows[] = {
        {"the agent of a free slot is silenced", "a/1", "1/agent-up 9/agent-maint - -",
         "disable agent s2\n" EMPTY("s2")},
        {"silenced first when a node joins", "a/1", "9/agent-maint - - -",
         "disable agent s1\nset server s1 addr 10.0.0.1 port 3306\nenable health s1\nset server s1 weight 100%\n" DRAIN(
             "s1")},
        {"speaks as soon as the check has passed", "a/1", "1/quiet-drain - - -", READY("s1") "\nenable agent s1"},
        {"the agent's drain is the node's own", "a/1", "1/agent-drain - - -", ""},
        {"the agent's maint is the node's own", "a/1", "1/agent-maint - - -", ""},
        {"silent though it serves: asked again", "a/1", "1/quiet-up - - -", "enable agent s1"},
        {"silenced when the node leaves", "a/1 b/2/removed/0", "1/agent-up 2/agent-up/3 - -",
         "disable agent s2\n" DRAIN("s2")},
        {"maintenance by hand, its agent silent", "a/1", "1/quiet-maint - - -",
         "enable health s1\nset server s1 weight 100%\n" DRAIN("s1")},
    };

    (void)state;
    for (size_t i = 0; i < ROW_COUNT(rows); i++) {
        char text[4096];
        struct world *world = plan_of(rows[i].members, rows[i].slots, NULL, SECTION_ANY);
        world_plan(world);
        row_text(rows[i].name, world_steps(world, text, sizeof text), rows[i].steps);
        free(world);
    }
}

static void check_ports(void **state)
{
    char text[1024];
    struct world *world = plan_of("a/1 b/2", "1/up - - -", NULL, SECTION_ANY);

    (void)state;
    world->roster.member[0].check_port = 9300; /* registers another one now */
    world->roster.member[1].check_port = 0;    /* registers none: that of the settings */
    world->settings.check_port = 9400;
    world_plan(world);
    assert_string_equal(world_steps(world, text, sizeof text),
                        "set server s1 check-port 9300\nset server s2 addr 10.0.0.2 port 3306\nset server s2 "
                        "check-port 9400\nenable health s2\nset server s2 state drain");
    free(world);
}

static void tidying(void **state)
{
    struct world *world = plan_of("a/1 b/2/removed/0 c/3/leaving/5 d/4/expired/0", "1/up 2/drain 3/maint 7/up",
                                  "- - - 8/down", SECTION_WRITER);
    struct roster *roster = &world->roster;

    (void)state;
    plan_tidy(roster, &world->view, WORLD_NOW_MS);
    assert_true(roster_find(roster, "10.0.0.1", 3306) >= 0);
    assert_true(roster_find(roster, "10.0.0.2", 3306) >= 0);     /* still drained */
    assert_int_equal(roster_find(roster, "10.0.0.4", 3306), -1); /* nobody has it any more */
    long found = roster_find(roster, "10.0.0.3", 3306);          /* likewise, and it was removed: that is remembered */
    assert_true(found >= 0);
    assert_int_equal(roster->member[found].presence, PRESENCE_REMOVED);
    assert_true(roster->member[found].leaving_ms == INT64_MIN); /* whenever it comes back, its grace begins anew */
    found = roster_find(roster, "10.0.0.7", 3306);
    assert_true(found >= 0);
    assert_int_equal(roster->member[found].presence, PRESENCE_EXPIRED);
    assert_int_equal(roster->member[found].since_ms, WORLD_NOW_MS);
    assert_true(roster_find(roster, "10.0.0.8", 3306) >= 0);
    assert_int_equal(roster_find(roster, FREE_ADDRESS, FREE_PORT), -1);
    free(world);
}

/* However many have been removed, there is room for those that come. */
static void memory_is_bounded(void **state)
{
    struct world *world = plan_of("a/1", "1/up", NULL, SECTION_ANY);
    struct roster *roster = &world->roster;

    (void)state;
    for (int i = 0; i < 1000; i++) {
        char ip[REGISTRY_IP_SIZE];
        snprintf(ip, sizeof ip, "10.1.%d.%d", i / 250, i % 250);
        long found = roster_adopt(roster, ip, 3306, 9200, WORLD_NOW_MS);
        assert_true(found >= 0);
        roster->member[found].presence = PRESENCE_REMOVED;
        plan_tidy(roster, &world->view, WORLD_NOW_MS);
    }
    assert_true(roster_find(roster, "10.0.0.1", 3306) >= 0);
    assert_true(roster->count > 1 && roster->count <= ROSTER_MOST / 2);
    free(world);
}

static void more_steps_than_fit_are_left_for_the_next_plan(void **state)
{
    struct world *world = plan_of("a/1", "1/up", NULL, SECTION_ANY);

    (void)state;
    for (int section = 0; section < SECTION_COUNT; section++) {
        for (size_t k = 0; k < SLOTS_MOST; k++) {
            struct view_slot *slot = &world->view.section[section].slot[k];
            world->view.section[section].present = true;
            *slot = (struct view_slot){.present = true,
                                       .op_state = SERVER_RUNNING,
                                       .agent_state = 22,
                                       .sessions = 1,
                                       .port = 1,
                                       .ip = "10.9.9.9",
                                       .rise = 2,
                                       .check_health = 3};
        }
    }
    world_plan(world);
    assert_int_equal(world->plan.count, PLAN_STEPS_MOST);
    free(world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_section),
        cmocka_unit_test(two_sections),
        cmocka_unit_test(limits),
        cmocka_unit_test(agents),
        cmocka_unit_test(check_ports),
        cmocka_unit_test(tidying),
        cmocka_unit_test(memory_is_bounded),
        cmocka_unit_test(more_steps_than_fit_are_left_for_the_next_plan),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
