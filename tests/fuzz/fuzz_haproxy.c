/*
 * What HAProxy, or something in its place, answers on its socket. The first byte chooses: one reply for one reader, or
 * 'v': "show servers state", "show stat" and "show table" with a NUL byte between them, from which a plan is made.
 */
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "plan.h"
#include "report.h"
#include "socket.h"

static struct view view;
static struct roster roster;
static struct plan plan;

static void expect_words(const char *text)
{
    for (; *text != '\0'; text++)
        MUST(*text >= 0x20 && *text < 0x7f);
}

static void expect_view(void)
{
    for (int section = 0; section < SECTION_COUNT; section++) {
        const struct view_section *of = &view.section[section];
        MUST(of->slots <= SLOTS_MOST && (of->present || of->slots == 0));
        for (size_t k = 0; k < SLOTS_MOST; k++) {
            const struct view_slot *slot = &of->slot[k];
            MUST(!slot->present || slot->server_id > 0);
            expect_words(slot->ip);
            MUST(memchr(slot->status, '\0', sizeof slot->status) != NULL);
            MUST(memchr(slot->check_text, '\0', sizeof slot->check_text) != NULL);
        }
    }
}

static void expect_report(void)
{
    struct report report = {.roster = &roster, .view = &view, .plan = &plan, .registry = true};
    struct text text = {0};

    report_table(&text, &report);
    for (const char *c = text_string(&text); *c != '\0'; c++)
        MUST(*c == '\n' || (unsigned char)*c >= 0x20);
    text_free(&text);
    report_json(&text, &report);
    MUST(!text.failed && text.length > 0);
    text_free(&text);
}

/* What is sent to the socket never has anything in it that a reply has put there, but addresses. */
static void try_plan(void)
{
    struct settings settings = {.slots = 16, .check_port = 9200, .min_servers = 1, .max_removals = 1};
    struct plan_input input = {.settings = &settings, .roster = &roster, .view = &view, .now_ms = 1000};

    roster.count = 0;
    plan_tidy(&roster, &view, 1000);
    plan_make(&input, &plan);
    for (size_t i = 0; i < plan.count; i++) {
        const char *command = plan.step[i].command;
        expect_words(command);
        MUST(strchr(command, '\n') == NULL);
        MUST(strchr(command, ';') == NULL || strncmp(command, "clear table galera-writer;set table ", 36) == 0);
    }
    expect_report();
}

/* The text up to a NUL byte; `*rest` goes behind it. */
static const char *next_text(const char **rest, const char *end)
{
    const char *text = *rest;
    const char *nul = text < end ? memchr(text, '\0', (size_t)(end - text)) : NULL;

    *rest = nul == NULL ? end : nul + 1;
    return text;
}

static void try_view(const char *text, size_t size)
{
    const char *end = text + size;
    struct error error;

    const char *state = next_text(&text, end);
    const char *stat = next_text(&text, end);
    const char *table = next_text(&text, end);
    for (int section = 0; section < SECTION_COUNT; section++) {
        if (view_read_state(&view, (enum section)section, state, &error))
            (void)view_read_stat(&view, (enum section)section, stat, &error);
    }
    (void)view_read_table(&view, table, &error);
    expect_view();
    try_plan();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct error error;

    if (size == 0)
        return 0;
    char *text = malloc(size);
    MUST(text != NULL);
    memcpy(text, data + 1, size - 1);
    text[size - 1] = '\0';
    view = (struct view){.pid = 0};
    view.section[SECTION_WRITER].present = true;
    switch (data[0]) {
    case 'i':
        MUST(!view_read_info(&view, text, &error) || view.pid > 0);
        break;
    case 't':
        (void)view_read_table(&view, text, &error);
        break;
    case 'r':
        (void)socket_reply_is_success(text);
        break;
    default:
        try_view(text, size - 1);
        break;
    }
    free(text);
    return 0;
}
