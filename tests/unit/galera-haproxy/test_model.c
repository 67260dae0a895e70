/*
 * The plan against a HAProxy in memory that does what 2.6 does with these commands, while nodes come, go and fail at
 * random. After every round: no server takes sessions before it has passed a check of its present address, never fewer
 * usable servers than there must be; when things have calmed down HAProxy has exactly the living nodes of the registry,
 * and two balancers have the same writer.
 */
#include <stdlib.h>
#include <string.h>

#include "../row.h"
#include "support/hap.h"

enum { NODES = 10, SLOTS = 6, RUNS = 10, CHANGES = 50, ROUND_MS = 100, CALM_ROUNDS = 120 };

struct node {
    bool alive; /* its check passes */
    bool listed;
    int64_t created;
};

struct history {
    uint32_t random;
    int64_t now_ms;
    int64_t revision;
    struct node node[NODES];
    struct hap hap[2];
    int64_t pid[2];
    struct roster roster[2];
    struct writer_memory memory[2];
    struct writer_memory agreed; /* what etcd has */
    struct settings settings;
    struct plan plan;
};

static uint32_t below(struct history *history, uint32_t n)
{
    history->random = history->random * 1103515245U + 12345U;
    return (history->random >> 16) % n;
}

static bool node_passes(const struct history *history, const char *ip)
{
    long number = strtol(strrchr(ip, '.') + 1, NULL, 10);

    return number >= 1 && number <= NODES && history->node[number - 1].alive;
}

/* Checks are not in step with rounds. */
static enum hap_verdict check_now(void *context, const char *ip)
{
    if (below(context, 3) == 0)
        return HAP_NOT_YET;
    return node_passes(context, ip) ? HAP_PASSES : HAP_FAILS;
}

static void take_registry(struct history *history, int which)
{
    struct registry_entry entry[NODES];
    struct registry registry = {.entry = entry};

    for (int i = 0; i < NODES; i++) {
        if (!history->node[i].listed)
            continue;
        struct registry_entry *into = &entry[registry.count++];
        *into = (struct registry_entry){.port = 3306, .check_port = 9200, .created = history->node[i].created};
        snprintf(into->id, sizeof into->id, "db%d", i);
        snprintf(into->ip, sizeof into->ip, "10.0.0.%d", i + 1);
    }
    roster_take(&history->roster[which], &registry, true, history->now_ms);
}

/* A compare-and-swap that everybody sees at once. */
static void propose(struct history *history, int which, const struct member *member)
{
    bool current = history->agreed.known == history->memory[which].known &&
                   strcmp(history->agreed.ip, history->memory[which].ip) == 0;

    if (!current)
        return;
    history->agreed = (struct writer_memory){.known = true, .port = member->port, .moved_ms = history->now_ms};
    memcpy(history->agreed.ip, member->ip, sizeof member->ip);
}

static void round_of(struct history *history, int which)
{
    struct hap *hap = &history->hap[which];
    struct roster *roster = &history->roster[which];

    hap_check(hap, check_now, history);
    bool same = history->memory[which].known && strcmp(history->memory[which].ip, history->agreed.ip) == 0 &&
                history->pid[which] == hap->view.pid;
    bool seated = same && history->memory[which].seated;
    history->pid[which] = hap->view.pid;
    history->memory[which] = history->agreed;
    history->memory[which].seated = seated || plan_is_led_to(&hap->view, &history->agreed);
    take_registry(history, which);
    plan_tidy(roster, &hap->view, history->now_ms);
    struct plan_input input = {.settings = &history->settings,
                               .roster = roster,
                               .view = &hap->view,
                               .writer = history->memory[which],
                               .confirmed = true,
                               .now_ms = history->now_ms};
    plan_make(&input, &history->plan);
    if (history->plan.propose >= 0)
        propose(history, which, &roster->member[history->plan.propose]);
    size_t before = hap_count_serving(hap);
    for (size_t i = 0; i < history->plan.count; i++)
        hap_do(hap, history->plan.step[i].command);
    assert_true(before == 0 || hap_count_serving(hap) > 0); /* the last one is never removed */
    hap_expect_checked(hap);
}

static void rounds(struct history *history, int count)
{
    for (int i = 0; i < count; i++) {
        history->now_ms += ROUND_MS;
        round_of(history, 0);
        round_of(history, 1);
    }
}

static void change(struct history *history)
{
    struct node *node = &history->node[below(history, NODES)];

    switch (below(history, 6)) {
    case 0:
    case 1:
        node->alive = !node->alive;
        break;
    case 2: /* a node comes, or registers anew */
        node->alive = true;
        node->listed = true;
        node->created = ++history->revision;
        break;
    case 3:
        node->listed = false;
        break;
    case 4: /* HAProxy was restarted from its file */
        hap_restart(&history->hap[below(history, 2)]);
        break;
    default: { /* another balancer takes its place, which knows nothing */
        uint32_t which = below(history, 2);
        hap_begin(&history->hap[which], SLOTS);
        history->roster[which] = (struct roster){0};
        break;
    }
    }
}

static int64_t living(const struct history *history)
{
    int64_t count = 0;

    for (int i = 0; i < NODES; i++)
        count += history->node[i].listed && history->node[i].alive ? 1 : 0;
    return count;
}

/* When nothing has changed for long. */
static void expect_calm(const struct history *history, uint32_t seed, int step)
{
    char name[64];
    int64_t listed = 0;

    snprintf(name, sizeof name, "run %u, change %d", seed, step);
    for (int i = 0; i < NODES; i++)
        listed += history->node[i].listed ? 1 : 0;
    for (int which = 0; which < 2; which++) {
        const struct hap *hap = &history->hap[which];
        for (int i = 0; i < NODES; i++) {
            char ip[REGISTRY_IP_SIZE];
            snprintf(ip, sizeof ip, "10.0.0.%d", i + 1);
            bool serves = hap_serves(hap, SECTION_ANY, ip);
            if (listed <= SLOTS && listed > 0)
                row_true(name, !history->node[i].listed || serves == history->node[i].alive);
            row_true(name, !serves || history->node[i].alive);
            row_true(name, !serves || history->node[i].listed || living(history) == 0);
        }
    }
    if (living(history) > 0 && listed <= SLOTS) {
        const char *writer = hap_writer(&history->hap[0]);
        row_true(name, writer[0] != '\0');
        row_text(name, hap_writer(&history->hap[1]), writer);
        row_text(name, hap_next_writer(&history->hap[1]), hap_next_writer(&history->hap[0]));
    }
}

static void random_histories(void **state)
{
    struct history *history = calloc(1, sizeof *history);

    (void)state;
    assert_non_null(history);
    for (uint32_t seed = 1; seed <= RUNS; seed++) {
        *history = (struct history){.random = seed, .now_ms = 1000000};
        history->agreed.moved_ms = INT64_MIN;
        history->settings = (struct settings){.slots = SLOTS,
                                              .check_port = 9200,
                                              .min_servers = 1,
                                              .max_removals = 1,
                                              .grace_ms = 1000,
                                              .expired_grace_ms = 5000,
                                              .writer_grace_ms = 300};
        hap_begin(&history->hap[0], SLOTS);
        hap_begin(&history->hap[1], SLOTS);
        for (int step = 0; step < CHANGES; step++) {
            change(history);
            if (below(history, 3) == 0) {
                rounds(history, (int)below(history, 5)); /* another change comes before this one is done */
                continue;
            }
            rounds(history, CALM_ROUNDS);
            expect_calm(history, seed, step);
        }
    }
    free(history);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(random_histories)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
