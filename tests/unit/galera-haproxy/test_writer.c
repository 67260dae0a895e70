#include <stdlib.h>
#include <string.h>

#include "../row.h"
#include "support/world.h"

#define PIN(n)   "clear table galera-writer;set table galera-writer key 1 data.server_id " #n
#define CUT(s)   "shutdown sessions server galera-writer/" s
#define HOLD(s)  "set server galera-writer/" s " state drain"
#define READY(s) "set server galera-writer/" s " state ready"

/* Only what is about the writer's section. */
static const char *writer_steps(const struct world *world, char *text, size_t size)
{
    size_t length = 0;

    text[0] = '\0';
    for (size_t i = 0; i < world->plan.count; i++) {
        const char *command = world->plan.step[i].command;
        if (strstr(command, "galera-writer") == NULL)
            continue;
        length += (size_t)snprintf(text + length, size - length, "%s%s", length == 0 ? "" : "\n", command);
        assert_true(length < size);
    }
    return text;
}

static void choices(void **state)
{
    static const struct {
        const char *name;
        const char *members;
        const char *any;
        const char *writers; /* NULL: as any */
        int known;           /* last number of the writer that was agreed on; 0: none */
        int moved_s;         /* how long ago the role came to it; -1: long ago */
        int pinned;          /* server id */
        int writer;          /* slot from 1; 0: none */
        const char *propose; /* id of the member; "" nobody */
        const char *steps;
    } rows[] = {
        {"nobody", "", "- - - -", NULL, 0, -1, 0, 0, "", ""},
        {"the first one that is usable", "a/1 b/2", "1/up 2/up - -", NULL, 0, -1, 0, 0, "a", ""},
        {"not one that waits for its check", "a/1 b/2", "1/pending 2/up - -", NULL, 0, -1, 0, 0, "b", ""},
        {"nobody is usable", "a/1 b/2", "1/down 2/down - -", NULL, 0, -1, 0, 0, "", ""},
        {"it is known and pinned", "a/1 b/2", "1/up 2/up - -", NULL, 1, -1, 1, 1, "", ""},
        {"it is known and not pinned yet", "a/1 b/2", "1/up 2/up - -", NULL, 1, -1, 0, 1, "", PIN(1)},
        {"a younger one is the writer: it stays", "a/1 b/2", "1/up 2/up - -", NULL, 2, -1, 2, 2, "", ""},
        {"pinned to another: back to the agreed one", "a/1 b/2", "1/up 2/up/3 - -", NULL, 1, -1, 2, 1, "",
         PIN(1) "\n" CUT("s2")},
        {"pinned rightly, sessions went astray", "a/1 b/2", "1/up/9 2/up/3 - -", NULL, 1, -1, 1, 1, "", CUT("s2")},
        {"it is down: the oldest that is usable", "a/1 b/2 c/3", "1/down 2/up 3/up -", NULL, 1, -1, 1, 0, "b", ""},
        {"... or the one that HAProxy has chosen", "a/1 b/2 c/3", "1/down 2/up 3/up -", NULL, 1, -1, 3, 0, "c", ""},
        {"... but not if that is not usable", "a/1 b/2 c/3", "1/down 2/up 3/down -", NULL, 1, -1, 3, 0, "b", ""},
        {"it is down just after the role came to it", "a/1 b/2", "1/down 2/up - -", NULL, 1, 2, 1, 0, "", ""},
        {"it is down some time after", "a/1 b/2", "1/down 2/up - -", NULL, 1, 3, 1, 0, "b", ""},
        {"it leaves: at once, however fresh the role", "a/1/removed/0 b/2", "1/up 2/up - -", NULL, 1, 1, 1, 0, "b",
         HOLD("s1")},
        {"it is not in HAProxy at all", "a/1 b/2", "1/up 2/up - -", NULL, 7, -1, 0, 0, "a", ""},
        {"down in one section, up for writing", "a/1 b/2", "1/down 2/up - -", "1/up 2/up - -", 1, -1, 1, 1, "", ""},
        {"up, but read-only", "a/1 b/2", "1/up 2/up - -", "1/down 2/up - -", 1, -1, 1, 0, "b", ""},
        {"its slot has another address there", "a/1 b/2", "1/up 2/up - -", "9/up 2/up - -", 0, -1, 0, 0, "b",
         "set server galera-writer/s1 state maint"},
        {"an older one behind a younger one: that is held back", "a/1 b/2 c/3", "3/up 1/up 2/up -", NULL, 1, -1, 2, 2,
         "", HOLD("s1")},
        {"held back and passed: it waits", "a/1 b/2 c/3", "3/up 1/up 2/up -", "3/drain 1/up 2/up -", 1, -1, 2, 2, "",
         ""},
        {"the older one is down: no need to", "a/1 b/2 c/3", "3/up 1/up 2/down -", "3/drain 1/up 2/down -", 1, -1, 2, 2,
         "", READY("s1")},
        {"held back before its first check: it waits for that", "a/1 b/2 c/3", "3/up 1/up 2/up -",
         "3/pending 1/up 2/up -", 1, -1, 2, 2, "", ""},
        {"the writer itself does not count", "a/1 b/2 c/3", "3/up 1/up 2/up -", NULL, 2, -1, 3, 3, "", HOLD("s1")},
        {"the writer is never held back", "a/1 b/2 c/3", "3/up 1/up 2/up -", NULL, 3, -1, 1, 1, "", ""},
        {"one that was held back becomes the writer", "a/1 b/2 c/3", "3/up 1/up 2/up -", "3/drain 1/up 2/up -", 3, -1,
         2, 1, "", READY("s1") "\n" PIN(1)},
    };

    (void)state;
    for (size_t i = 0; i < ROW_COUNT(rows); i++) {
        struct world *world = calloc(1, sizeof *world);
        char text[4096];
        assert_non_null(world);
        world_begin(world);
        world_members(world, rows[i].members);
        world_slots(world, SECTION_ANY, rows[i].any);
        world_slots(world, SECTION_WRITER, rows[i].writers != NULL ? rows[i].writers : rows[i].any);
        world->writer.known = rows[i].known != 0;
        world->writer.port = 3306;
        snprintf(world->writer.ip, sizeof world->writer.ip, "10.0.0.%d", rows[i].known);
        world->writer.moved_ms = rows[i].moved_s < 0 ? INT64_MIN : WORLD_NOW_MS - rows[i].moved_s * 1000;
        world->view.pinned = rows[i].pinned;
        world_plan(world);
        row_number(rows[i].name, world->plan.writer + 1, rows[i].writer);
        row_text(rows[i].name, world->plan.propose < 0 ? "" : world->roster.member[world->plan.propose].id,
                 rows[i].propose);
        row_text(rows[i].name, writer_steps(world, text, sizeof text), rows[i].steps);
        free(world);
    }
}

/* The writer is a, HAProxy leads to b although a is usable. */
static void another_one_at_the_socket(void **state)
{
    static const struct {
        const char *name;
        bool seated;
        int moved_s; /* -1: long ago */
        const char *slots;
        int pinned;
        int writer; /* slot from 1; 0: none */
        const char *propose;
    } rows[] = {
        {"it failed for a moment: the role does not go back", true, -1, "1/up 2/up", 2, 0, "b"},
        {"... some time after it had come", true, 3, "1/up 2/up", 2, 0, "b"},
        {"... but not twice in a short time", true, 2, "1/up 2/up", 2, 1, ""},
        {"it has just been chosen, HAProxy is to follow", false, 5, "1/up 2/up", 2, 1, ""},
        {"HAProxy was started anew", false, -1, "1/up 2/up", 2, 1, ""},
        {"nobody is noted", true, -1, "1/up 2/up", 0, 1, ""},
        {"the other one is down by now", true, -1, "1/up 2/down", 2, 1, ""},
    };

    (void)state;
    for (size_t i = 0; i < ROW_COUNT(rows); i++) {
        struct world *world = calloc(1, sizeof *world);
        assert_non_null(world);
        world_begin(world);
        world_members(world, "a/1 b/2");
        world_slots(world, SECTION_ANY, rows[i].slots);
        world_slots(world, SECTION_WRITER, rows[i].slots);
        world->writer = (struct writer_memory){.known = true, .ip = "10.0.0.1", .port = 3306, .seated = rows[i].seated};
        world->writer.moved_ms = rows[i].moved_s < 0 ? INT64_MIN : WORLD_NOW_MS - rows[i].moved_s * 1000;
        world->view.pinned = rows[i].pinned;
        world_plan(world);
        row_number(rows[i].name, world->plan.writer + 1, rows[i].writer);
        row_text(rows[i].name, world->plan.propose < 0 ? "" : world->roster.member[world->plan.propose].id,
                 rows[i].propose);
        row_number(rows[i].name, plan_is_led_to(&world->view, &world->writer), rows[i].pinned == 1);
        free(world);
    }
}

static void overlap(void **state)
{
    struct world *world = calloc(1, sizeof *world);
    char text[1024];

    (void)state;
    assert_non_null(world);
    world_begin(world);
    world_members(world, "a/1 b/2");
    world_slots(world, SECTION_ANY, "1/up 2/up");
    world_slots(world, SECTION_WRITER, "1/up/4 2/up");
    world->settings.writer_overlap_ms = 5000;
    world->writer = (struct writer_memory){.known = true, .ip = "10.0.0.2", .port = 3306};
    world->view.pinned = 2;
    world->writer.moved_ms = WORLD_NOW_MS - 4999;
    world_plan(world);
    assert_string_equal(writer_steps(world, text, sizeof text), "");
    world->writer.moved_ms = WORLD_NOW_MS - 5000;
    world_plan(world);
    assert_string_equal(writer_steps(world, text, sizeof text), CUT("s1"));
    free(world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(choices), cmocka_unit_test(another_one_at_the_socket),
                                       cmocka_unit_test(overlap)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
