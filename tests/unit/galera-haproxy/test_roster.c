#include <stdlib.h>
#include <string.h>

#include "../row.h"
#include "roster.h"

enum { NOW_MS = 1000000 };

/*
 * Entries in words: ID/LAST[/CREATED[/LEASE]], or ID/! for an entry that is not usable. With blanks between them; "" is
 * an empty registry, "~" a store that was reset before the next words.
 */
static struct registry registry;
static struct registry_entry entries[16];
static struct registry_problem problems[16];

static void read_words(const char *words)
{
    char copy[256];
    char *rest = copy;
    char *word;

    registry = (struct registry){.entry = entries, .problem = problems};
    snprintf(copy, sizeof copy, "%s", words);
    while ((word = strsep(&rest, " ")) != NULL) {
        if (word[0] == '\0')
            continue;
        char *id = strsep(&word, "/");
        char *last = strsep(&word, "/");
        char *created = word == NULL ? NULL : strsep(&word, "/");
        if (strcmp(last, "!") == 0) {
            snprintf(problems[registry.problem_count++].id, REGISTRY_ID_SIZE, "%s", id);
            continue;
        }
        struct registry_entry *entry = &entries[registry.count];
        *entry = (struct registry_entry){.port = 3306,
                                         .created =
                                             created == NULL ? (int64_t)registry.count + 1 : strtol(created, NULL, 10),
                                         .lease = word == NULL ? 0 : strtol(word, NULL, 10)};
        snprintf(entry->id, sizeof entry->id, "%s", id);
        snprintf(entry->ip, sizeof entry->ip, "10.0.0.%s", last);
        registry.count++;
    }
}

static const char *shown(const struct roster *roster, char *text, size_t size)
{
    size_t length = 0;

    text[0] = '\0';
    for (size_t i = 0; i < roster->count; i++) {
        const struct member *member = &roster->member[i];
        length += (size_t)snprintf(text + length, size - length, "%s%s/%s%s%s", i == 0 ? "" : " ", member->id,
                                   strrchr(member->ip, '.') + 1, member->presence == PRESENCE_LISTED ? "" : "/",
                                   member->presence == PRESENCE_LISTED ? "" : presence_word(member->presence));
    }
    return text;
}

static void comings_and_goings(void **state)
{
    static const struct {
        const char *name;
        const char *first;
        bool leases;
        int64_t left_s;    /* that the lease of every entry has, asked at NOW_MS; -1: not asked */
        int64_t passed_ms; /* until the next registry */
        const char *then[3];
        const char *shown;
    } rows[] = {
        {"the same", "a/1 b/2", true, -1, 10, {"a/1 b/2"}, "a/1 b/2"},
        {"ordered by age, not by name", "a/1/9 b/2/3", true, -1, 10, {"a/1/9 b/2/3"}, "b/2 a/1"},
        {"registered anew: younger now", "a/1/1 b/2/2", true, -1, 10, {"a/1/5 b/2/2"}, "b/2 a/1"},
        {"without a lease: removed", "a/1 b/2", true, -1, 10, {"a/1"}, "a/1 b/2/removed"},
        {"long before its lease ends: removed", "a/1/1/7 b/2/2/8", true, 9, 8999, {"a/1/1/7"}, "a/1 b/2/removed"},
        {"when its lease may have ended: expired", "a/1/1/7 b/2/2/8", true, 9, 9000, {"a/1/1/7"}, "a/1 b/2/expired"},
        {"its lease was never asked: expired", "a/1/1/7 b/2/2/8", true, -1, 10, {"a/1/1/7"}, "a/1 b/2/expired"},
        {"a new lease since it was asked: expired",
         "a/1/1/7 b/2/2/8",
         true,
         9,
         100,
         {"a/1/1/7 b/2/2/9", "a/1/1/7"},
         "a/1 b/2/expired"},
        {"no leases there (v2): expired", "a/1 b/2", false, -1, 10, {"a/1"}, "a/1 b/2/expired"},
        {"its entry is broken: expired", "a/1 b/2", true, -1, 10, {"a/1 b/!"}, "a/1 b/2/expired"},
        {"mended", "a/1 b/2", true, -1, 10, {"a/1 b/!", "a/1 b/2"}, "a/1 b/2"},
        {"an empty registry changes nothing", "a/1 b/2", true, -1, 10, {""}, "a/1 b/2"},
        {"what is missing after that was not removed", "a/1 b/2", true, -1, 10, {"", "a/1"}, "a/1 b/2/expired"},
        {"... nor after a reset of the store", "a/1 b/2", true, -1, 10, {"~", "a/1"}, "a/1 b/2/expired"},
        {"... but what vanishes later is",
         "a/1 b/2 c/3",
         true,
         -1,
         10,
         {"", "a/1 b/2 c/3", "a/1 b/2"},
         "a/1 b/2 c/3/removed"},
        {"the id is at another address", "a/1 b/2", true, -1, 10, {"a/1 b/5"}, "a/1 b/2/removed b/5"},
        {"the address has another id", "a/1 b/2", true, -1, 10, {"a/1 z/2"}, "a/1 z/2"},
        {"one address twice: the older entry", "a/1/5 b/1/3", true, -1, 10, {"a/1/5 b/1/3"}, "b/1"},
        {"... and the other one when that is gone", "a/1/5 b/1/3", true, -1, 10, {"a/1/5"}, "a/1"},
        {"back again", "a/1 b/2", true, -1, 10, {"a/1", "a/1 b/2"}, "a/1 b/2"},
    };

    (void)state;
    for (size_t i = 0; i < ROW_COUNT(rows); i++) {
        struct roster *roster = calloc(1, sizeof *roster);
        char text[512];
        assert_non_null(roster);
        read_words(rows[i].first);
        roster_take(roster, &registry, rows[i].leases, NOW_MS);
        for (size_t m = 0; m < roster->count && rows[i].left_s >= 0; m++)
            roster_note_lease(roster, m, rows[i].left_s, NOW_MS);
        for (size_t t = 0; t < 3 && rows[i].then[t] != NULL; t++) {
            if (strcmp(rows[i].then[t], "~") == 0) {
                roster_note_reset(roster);
                continue;
            }
            read_words(rows[i].then[t]);
            roster_take(roster, &registry, rows[i].leases, NOW_MS + rows[i].passed_ms);
        }
        row_text(rows[i].name, shown(roster, text, sizeof text), rows[i].shown);
        free(roster);
    }
}

static void titles(void **state)
{
    struct member member = {.id = "db1", .ip = "10.0.0.1", .port = 3306};
    char text[128];

    (void)state;
    assert_string_equal(member_title(&member, text, sizeof text), "db1 (10.0.0.1:3306)");
    member = (struct member){.ip = "::1", .ipv6 = true, .port = 3307};
    assert_string_equal(member_title(&member, text, sizeof text), "[::1]:3307");
}

static void no_more_than_there_is_room_for(void **state)
{
    struct roster *roster = calloc(1, sizeof *roster);
    char ip[32];

    (void)state;
    assert_non_null(roster);
    for (int i = 0; i < ROSTER_MOST; i++) {
        snprintf(ip, sizeof ip, "10.0.%d.%d", i / 200, i % 200 + 1);
        assert_true(roster_adopt(roster, ip, 3306, 9200, NOW_MS) >= 0);
    }
    assert_int_equal(roster_adopt(roster, "10.9.9.9", 3306, 9200, NOW_MS), -1);
    read_words("a/1 b/2");
    entries[0].port = 1;
    roster_take(roster, &registry, true, NOW_MS);
    assert_int_equal(roster->count, ROSTER_MOST);
    roster_drop(roster, 0);
    roster_drop(roster, ROSTER_MOST - 2);
    assert_int_equal(roster->count, ROSTER_MOST - 2);
    free(roster);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(comings_and_goings),
        cmocka_unit_test(titles),
        cmocka_unit_test(no_more_than_there_is_room_for),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
