#include <stdlib.h>
#include <string.h>

#include "../row.h"
#include "render.h"
#include "report.h"
#include "support/world.h"

static char bind_any[] = ":33306";
static char bind_writer[] = ":33307";
static char bind_readers[] = ":33308";
static char check[] = "inter 1s rise 2 fall 2";
static char balance[] = "leastconn";
static char extra[] = "maxconn 200 | timeout queue 5s";

static struct world *make(const char *members, const char *any, const char *writers)
{
    struct world *world = calloc(1, sizeof *world);

    assert_non_null(world);
    world_begin(world);
    world->settings.bind = bind_any;
    world->settings.writer_bind = bind_writer;
    world->settings.check = check;
    world->settings.balance = balance;
    world_members(world, members);
    world_slots(world, SECTION_ANY, any);
    world_slots(world, SECTION_WRITER, writers);
    world_plan(world);
    return world;
}

/* The servers of the first section, "s1=10.0.0.1 s2=-". */
static const char *servers(const char *config, char *text, size_t size)
{
    size_t length = 0;
    const char *end = strstr(config, "\nlisten galera-writer");

    text[0] = '\0';
    for (const char *at = strstr(config, "\n    server "); at != NULL && at < end;
         at = strstr(at + 1, "\n    server ")) {
        char name[16];
        char address[64];
        assert_int_equal(sscanf(at, " server %15s %63s", name, address), 2);
        length += (size_t)snprintf(text + length, size - length, "%s%s=%s", length == 0 ? "" : " ", name,
                                   strstr(address, FREE_ADDRESS) != NULL ? "-" : strrchr(address, '.') + 1);
    }
    return text;
}

static void who_is_in_the_file(void **state)
{
    static const struct {
        const char *name;
        const char *members;
        const char *slots;
        int writer; /* last number; 0: none */
        const char *servers;
    } rows[] = {
        {"nobody", "", "- - - -", 0, "s1=- s2=- s3=- s4=-"},
        {"those that were admitted", "a/1 b/2", "1/up 2/pending - -", 0, "s1=1:3306 s2=- s3=- s4=-"},
        {"one that is down too", "a/1 b/2", "1/up 2/down - -", 0, "s1=1:3306 s2=2:3306 s3=- s4=-"},
        {"by age", "b/2 a/1", "1/up 2/up - -", 0, "s2=2:3306 s1=1:3306 s3=- s4=-"},
        {"the writer first", "a/1 b/2 c/3", "1/up 2/up 3/up -", 3, "s3=3:3306 s1=1:3306 s2=2:3306 s4=-"},
        {"not one that leaves", "a/1 b/2/leaving/3", "1/up 2/drain/1 - -", 0, "s1=1:3306 s2=- s3=- s4=-"},
        {"nor one in maintenance", "a/1 b/2", "1/up 2/maint - -", 0, "s1=1:3306 s2=- s3=- s4=-"},
        {"one whose agent drains it", "a/1 b/2", "1/up 2/agent-drain - -", 0, "s1=1:3306 s2=2:3306 s3=- s4=-"},
    };

    (void)state;
    for (size_t i = 0; i < ROW_COUNT(rows); i++) {
        struct world *world = make(rows[i].members, rows[i].slots, rows[i].slots);
        struct text text = {0};
        char shown[256];
        world->writer = (struct writer_memory){.known = rows[i].writer != 0, .port = 3306, .moved_ms = INT64_MIN};
        snprintf(world->writer.ip, sizeof world->writer.ip, "10.0.0.%d", rows[i].writer);
        world_plan(world);
        render_config(&text, &world->settings, &world->roster, &world->plan, &world->view);
        row_text(rows[i].name, servers(text_string(&text), shown, sizeof shown), rows[i].servers);
        text_free(&text);
        free(world);
    }
}

static void lines_of_a_section(void **state)
{
    struct world *world = make("a/1", "1/up - - -", "1/up - - -");
    struct text text = {0};

    (void)state;
    world->settings.reader_bind = bind_readers;
    world->settings.agent_port = 9201;
    world->settings.extra = extra;
    world->roster.member[0].check_port = 9300;
    render_config(&text, &world->settings, &world->roster, &world->plan, &world->view);
    const char *config = text_string(&text);
    row_contains("any", config, "listen galera-any\n    bind :33306\n    mode tcp\n");
    row_contains("extra", config, "\n    maxconn 200\n    timeout queue 5s\n    default-server check port 9200 ");
    row_contains("agent", config, " on-marked-down shutdown-sessions agent-check agent-port 9201 agent-inter 1s\n");
    row_contains("its own check port", config, "\n    server s1 10.0.0.1:3306 check port 9300 # a\n");
    row_contains("free", config, "\n    server s2 255.255.255.255:1 disabled\n");
    row_contains("readers", config, "listen galera-readers\n    bind :33308\n");
    const char *writer = strstr(config, "listen galera-writer\n    bind :33307\n");
    assert_non_null(writer);
    row_contains("backup", writer, " on-marked-down shutdown-sessions backup\n");
    row_contains("table", writer, "\n    stick-table type integer size 100k nopurge\n    stick on int(1)\n");
    text_free(&text);
    render_config(&text, &world->settings, &world->roster, NULL, NULL);
    assert_null(strstr(text_string(&text), "10.0.0.1"));
    text_free(&text);
    world->settings.writer_bind = NULL;
    render_config(&text, &world->settings, &world->roster, &world->plan, &world->view);
    assert_null(strstr(text_string(&text), "galera-writer\n"));
    text_free(&text);
    free(world);
}

/* While nobody knows better: what the settings say, around the nodes that the file has. */
static void around_the_nodes_of_a_file(void **state)
{
    static const struct {
        const char *name;
        const char *present; /* NULL: what was written of three nodes in four slots */
        int64_t slots;
        const char *servers;
    } rows[] = {
        {"as it was", NULL, 4, "s3=3:3306 s1=1:3306 s2=2:3306 s4=-"},
        {"more slots", NULL, 6, "s3=3:3306 s1=1:3306 s2=2:3306 s4=- s5=- s6=-"},
        {"fewer slots than nodes", NULL, 1, "s3=3:3306 s1=1:3306 s2=2:3306"},
        {"an empty file", "", 2, "s1=- s2=-"},
        {"another section", "\nlisten galera-writer\n    server s1 10.0.0.1:3306\n", 2, "s1=- s2=-"},
        {"no end of the line", "\nlisten galera-any\n    server s2 10.0.0.2:3306 # disabled", 2, "s2=2:3306 s1=-"},
        {"lines that are not ours",
         "\nlisten galera-any\n    server s1\n    server other 10.0.0.9:1\n    server s65 10.0.0.8:1\n    server s2 "
         "10.0.0.2:1\n    server s2 10.0.0.7:1\n",
         2, "s2=2:1 s1=-"},
    };
    struct world *world = make("a/1 b/2 c/3", "1/up 2/up 3/up -", "1/up 2/up 3/up -");
    struct text written = {0};

    (void)state;
    world->writer = (struct writer_memory){.known = true, .ip = "10.0.0.3", .port = 3306, .moved_ms = INT64_MIN};
    world_plan(world);
    render_config(&written, &world->settings, &world->roster, &world->plan, &world->view);
    for (size_t i = 0; i < ROW_COUNT(rows); i++) {
        struct text text = {0};
        char shown[256];
        world->settings.slots = rows[i].slots;
        render_around(&text, &world->settings, rows[i].present == NULL ? text_string(&written) : rows[i].present);
        row_text(rows[i].name, servers(text_string(&text), shown, sizeof shown), rows[i].servers);
        row_true(rows[i].name, i != 0 || strcmp(text_string(&text), text_string(&written)) == 0);
        text_free(&text);
    }
    struct text text = {0};
    world->settings.slots = 4;
    world->settings.bind = bind_writer;
    world->settings.writer_bind = bind_any;
    world->settings.reader_bind = bind_readers;
    render_around(&text, &world->settings, text_string(&written));
    const char *readers = strstr(text_string(&text), "listen galera-readers\n    bind :33308\n");
    row_contains("bind", text_string(&text), "listen galera-any\n    bind :33307\n");
    row_contains("writer", text_string(&text), "listen galera-writer\n    bind :33306\n");
    assert_non_null(readers);
    row_contains("a new section has them too", readers,
                 "\n    server s3 10.0.0.3:3306 check port 9200 # c\n    server s1 10.0.0.1");
    text_free(&text);
    text_free(&written);
    free(world);
}

static void frames(void **state)
{
    static const struct {
        const char *left;
        const char *right;
        bool same;
    } rows[] = {
        {"listen a\n    bind :1\n    server s1 x\n", "listen a\n    bind :1\n    server s1 y\n", true},
        {"listen a\n    server s1 x\n    server s2 y\n", "listen a\n    server s2 y\n    server s1 x\n", true},
        {"listen a\n    bind :1\n    server s1 x\n", "listen a\n    bind :2\n    server s1 x\n", false},
        {"listen a\n    server s1 x\n", "listen a\n    server s1 x\n    server s2 x\n", false},
        {"listen a\n", "listen a\nlisten b\n", false},
        {"", "", true},
        {"", "x", false},
    };

    (void)state;
    for (size_t i = 0; i < ROW_COUNT(rows); i++) {
        row_number(rows[i].left, render_same_frame(rows[i].left, rows[i].right), rows[i].same);
        row_number(rows[i].left, render_same_frame(rows[i].right, rows[i].left), rows[i].same);
    }
}

static void reports(void **state)
{
    struct world *world =
        make("a/1 b/2 c/3 d/4 e/5", "1/up/2 2/down 3/pending 9/maint", "1/up/1 2/down 3/pending 9/maint");
    struct report report = {.roster = &world->roster, .view = &world->view, .plan = &world->plan, .registry = true};
    struct text text = {0};
    struct view_slot *slot = &world->view.section[SECTION_ANY].slot[1];

    (void)state;
    world->view.pinned = 1;
    snprintf(slot->check_status, sizeof slot->check_status, "L7STS");
    snprintf(slot->check_text, sizeof slot->check_text, "donor\x1b[31m");
    slot->check_code = 503;
    report_table(&text, &report);
    assert_string_equal(text_string(&text),
                        "SLOT  NODE        ADDRESS        WANTED  ACTUAL  CHECK                    SESSIONS\n"
                        "s1    a (writer)  10.0.0.1:3306  serve   UP      -                        3\n"
                        "s2    b           10.0.0.2:3306  serve   DOWN    L7STS 503 donor\\x1b[31m  0\n"
                        "s3    c           10.0.0.3:3306  serve   DRAIN   -                        0\n"
                        "s4    d           10.0.0.4:3306  serve   MAINT   -                        0\n"
                        "e (10.0.0.5:3306) waits for a free slot\n"
                        "0 slots are free\n");
    text_free(&text);
    report_json(&text, &report);
    row_contains("writer", text_string(&text),
                 "{\"slot\":\"s1\",\"node\":\"a\",\"address\":\"10.0.0.1:3306\","
                 "\"registry\":\"listed\",\"wanted\":\"serve\",\"actual\":\"UP\","
                 "\"sessions\":3,\"writer\":true,");
    row_contains("waiting", text_string(&text), "\"waiting\":[{\"node\":\"e\",");
    assert_null(strstr(text_string(&text), "settled"));
    text_free(&text);
    report_steps(&text, &world->plan);
    row_contains("steps", text_string(&text),
                 "set server galera-any/s4 state drain  # d (10.0.0.4:3306): joins in slot s4; it gets sessions after "
                 "its first passed check\n");
    text_free(&text);
    free(world);
}

static void settled(void **state)
{
    static const struct {
        const char *name;
        const char *members;
        const char *slots;
        bool settled;
    } rows[] = {
        {"all is well", "a/1 b/2", "1/up 2/up - -", true},
        {"one is down", "a/1 b/2", "1/up 2/down - -", true},
        {"one waits for its check", "a/1 b/2", "1/up 2/pending - -", false},
        {"the check of a new one fails", "a/1 b/2", "1/up 2/failing - -", false},
        {"one leaves", "a/1 b/2/leaving/1", "1/up 2/drain/1 - -", false},
        {"one has no slot", "a/1 b/2 c/3", "1/up 2/up", false},
    };

    (void)state;
    for (size_t i = 0; i < ROW_COUNT(rows); i++) {
        struct world *world = make(rows[i].members, rows[i].slots, rows[i].slots);
        struct report report = {.roster = &world->roster, .view = &world->view, .plan = &world->plan, .registry = true};
        world->writer = (struct writer_memory){.known = true, .ip = "10.0.0.1", .port = 3306, .moved_ms = INT64_MIN};
        world->view.pinned = 1;
        world_plan(world);
        row_number(rows[i].name, report_is_settled(&report), rows[i].settled);
        report.registry = false;
        row_number(rows[i].name, report_is_settled(&report), false);
        free(world);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(who_is_in_the_file),
        cmocka_unit_test(lines_of_a_section),
        cmocka_unit_test(around_the_nodes_of_a_file),
        cmocka_unit_test(frames),
        cmocka_unit_test(reports),
        cmocka_unit_test(settled),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
