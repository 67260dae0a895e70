#include "../row.h"
#include "etcd.h"

#include <stdlib.h>

/* A range of revision 10 with the keys b, d and f; a script is events: key, value (none: deleted), revision. */

enum { REVISION = 10, EVENTS_MOST = 6 };

struct happening {
    const char *key;
    const char *value;
    int64_t revision;
};

static char *copy(const char *text)
{
    char *result = strdup(text);

    assert_non_null(result);
    return result;
}

static void fill(struct etcd_range *range)
{
    static const char *const keys[] = {"b", "d", "f"};

    *range = (struct etcd_range){.kv = calloc(ROW_COUNT(keys), sizeof *range->kv), .revision = REVISION};
    assert_non_null(range->kv);
    for (; range->count < ROW_COUNT(keys); range->count++)
        range->kv[range->count] = (struct etcd_kv){.key = copy(keys[range->count]), .value = copy("0")};
}

static void apply(const char *row, struct etcd_range *range, const struct happening *happening)
{
    struct etcd_events events = {.event = calloc(1, sizeof *events.event), .count = 1};

    assert_non_null(events.event);
    events.event->deleted = happening->value == NULL;
    events.event->kv = (struct etcd_kv){.key = copy(happening->key),
                                        .value = copy(happening->value == NULL ? "" : happening->value),
                                        .mod_revision = happening->revision};
    row_true(row, etcd_range_apply(range, events.event));
    etcd_events_free(&events);
}

static void events(void **state)
{
    static const struct {
        const char *name;
        struct happening happening[EVENTS_MOST];
        const char *result;
    } rows[] = {
        {"nothing", {{0}}, "b=0 d=0 f=0 "},
        {"new at the front", {{"a", "1", 11}}, "a=1 b=0 d=0 f=0 "},
        {"new in the middle", {{"c", "1", 11}}, "b=0 c=1 d=0 f=0 "},
        {"new at the end", {{"g", "1", 11}}, "b=0 d=0 f=0 g=1 "},
        {"another value", {{"d", "1", 11}}, "b=0 d=1 f=0 "},
        {"deleted", {{"b", NULL, 11}}, "d=0 f=0 "},
        {"deleted at the end", {{"f", NULL, 11}}, "b=0 d=0 "},
        {"all deleted, in one revision", {{"b", NULL, 11}, {"d", NULL, 11}, {"f", NULL, 11}}, ""},
        {"never there, deleted", {{"c", NULL, 11}}, "b=0 d=0 f=0 "},
        {"in the range already", {{"d", "old", 9}, {"b", NULL, 10}, {"c", "old", 10}}, "b=0 d=0 f=0 "},
        {"one after the other", {{"d", "1", 11}, {"d", NULL, 12}, {"d", "2", 13}}, "b=0 d=2 f=0 "},
        {"two of one revision", {{"d", "1", 11}, {"e", "1", 11}}, "b=0 d=1 e=1 f=0 "},
    };

    (void)state;
    for (size_t i = 0; i < ROW_COUNT(rows); i++) {
        struct etcd_range range;
        char result[128] = "";
        fill(&range);
        for (size_t k = 0; k < EVENTS_MOST && rows[i].happening[k].key != NULL; k++)
            apply(rows[i].name, &range, &rows[i].happening[k]);
        for (size_t k = 0; k < range.count; k++)
            snprintf(result + strlen(result), sizeof result - strlen(result), "%s=%s ", range.kv[k].key,
                     range.kv[k].value);
        row_text(rows[i].name, result, rows[i].result);
        etcd_range_free(&range);
    }
}

/* An empty range grows, and a great one is found through. */
static void growth(void **state)
{
    struct etcd_range range = {.revision = REVISION};
    char key[32];

    (void)state;
    for (int i = 0; i < 1000; i++) {
        snprintf(key, sizeof key, "%03d", i * 7 % 1000);
        apply(key, &range, &(struct happening){key, "x", REVISION + 1 + i});
    }
    assert_int_equal(range.count, 1000);
    for (size_t i = 0; i < range.count; i++) {
        snprintf(key, sizeof key, "%03zu", i);
        assert_string_equal(range.kv[i].key, key);
    }
    etcd_range_free(&range);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(events), cmocka_unit_test(growth)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
