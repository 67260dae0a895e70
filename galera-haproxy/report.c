#include "report.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "escape.h"
#include "json_write.h"

enum { CELLS = 7, CELL_SIZE = 128 };

struct row {
    char cell[CELLS][CELL_SIZE];
};

static const struct row heading = {{"SLOT", "NODE", "ADDRESS", "WANTED", "ACTUAL", "CHECK", "SESSIONS"}};

static const struct view_slot *slot_of(const struct report *report, enum section section, size_t k)
{
    return &report->view->section[section].slot[k];
}

static int64_t sessions_of(const struct report *report, size_t k)
{
    int64_t sessions = 0;

    for (int section = 0; section < SECTION_COUNT; section++)
        sessions += slot_of(report, (enum section)section, k)->sessions;
    return sessions;
}

static bool is_writer(const struct report *report, size_t k)
{
    const struct view_slot *slot = slot_of(report, SECTION_WRITER, k);

    return slot->present && report->view->pinned != 0 && slot->server_id == report->view->pinned;
}

static const char *wanted_of(const struct report *report, size_t k)
{
    return report->registry ? wanted_word(report->plan->slot[k].wanted) : "unknown";
}

/* "L7OK 200", "L4CON", "L7STS 503 donor" */
static void write_check(const struct view_slot *slot, char *text, size_t size)
{
    struct line line = {.text = text, .size = size};
    char code[16] = "";

    text[0] = '\0';
    if (slot->check_status[0] == '\0') {
        line_add(&line, "-");
        return;
    }
    line_add_escaped(&line, slot->check_status);
    if (slot->check_code != 0) {
        snprintf(code, sizeof code, " %" PRId64, slot->check_code);
        line_add(&line, code);
    }
    if (slot->check_text[0] != '\0') {
        line_add(&line, " ");
        line_add_escaped(&line, slot->check_text);
    }
}

static bool in_use(const struct report *report, size_t k)
{
    return slot_of(report, SECTION_ANY, k)->present &&
           (report->plan->slot[k].member >= 0 || !view_slot_in_maint(slot_of(report, SECTION_ANY, k)));
}

static const struct member *member_of(const struct report *report, size_t k)
{
    return report->plan->slot[k].member < 0 ? NULL : &report->roster->member[report->plan->slot[k].member];
}

static void fill_row(const struct report *report, size_t k, struct row *row)
{
    const struct view_slot *slot = slot_of(report, SECTION_ANY, k);
    const struct member *member = member_of(report, k);
    char status[CELL_SIZE] = "";
    struct line line = LINE_IN(status);

    line_add_escaped(&line, slot->status);
    snprintf(row->cell[0], CELL_SIZE, "s%zu", k + 1);
    snprintf(row->cell[1], CELL_SIZE, "%s%s", member == NULL || member->id[0] == '\0' ? "-" : member->id,
             is_writer(report, k) ? " (writer)" : "");
    if (member != NULL)
        member_address(member, row->cell[2], CELL_SIZE);
    else
        snprintf(row->cell[2], CELL_SIZE, "%s:%u", slot->ip, (unsigned)slot->port);
    snprintf(row->cell[3], CELL_SIZE, "%s", wanted_of(report, k));
    snprintf(row->cell[4], CELL_SIZE, "%.*s", CELL_SIZE - 1, status);
    write_check(slot, row->cell[5], CELL_SIZE);
    snprintf(row->cell[6], CELL_SIZE, "%" PRId64, sessions_of(report, k));
}

static void widen(size_t *width, const struct row *row)
{
    for (size_t i = 0; i < CELLS; i++) {
        if (strlen(row->cell[i]) > width[i])
            width[i] = strlen(row->cell[i]);
    }
}

static void add_row(struct text *text, const size_t *width, const struct row *row)
{
    for (size_t i = 0; i + 1 < CELLS; i++)
        text_format(text, "%-*s  ", (int)width[i], row->cell[i]);
    text_format(text, "%s\n", row->cell[CELLS - 1]);
}

/* Listed and without a slot. */
static bool waits(const struct report *report, size_t member)
{
    for (size_t k = 0; k < SLOTS_MOST; k++) {
        if (report->plan->slot[k].member == (long)member)
            return false;
    }
    return report->roster->member[member].presence == PRESENCE_LISTED;
}

void report_table(struct text *text, const struct report *report)
{
    size_t width[CELLS] = {0};
    size_t unused = 0;
    struct row row;
    char title[160];

    widen(width, &heading);
    for (size_t k = 0; k < SLOTS_MOST; k++) {
        if (in_use(report, k)) {
            fill_row(report, k, &row);
            widen(width, &row);
        } else if (slot_of(report, SECTION_ANY, k)->present) {
            unused++;
        }
    }
    add_row(text, width, &heading);
    for (size_t k = 0; k < SLOTS_MOST; k++) {
        if (in_use(report, k)) {
            fill_row(report, k, &row);
            add_row(text, width, &row);
        }
    }
    for (size_t i = 0; i < report->roster->count; i++) {
        if (waits(report, i))
            text_format(text, "%s waits for a free slot\n",
                        member_title(&report->roster->member[i], title, sizeof title));
    }
    text_format(text, "%zu slots are free\n", unused);
}

/* --- JSON --------------------------------------------------------------------------------------------------------- */

static void add_member(struct text *text, const struct member *member)
{
    char address[REGISTRY_IP_SIZE + 16];

    if (member == NULL)
        return;
    if (member->id[0] != '\0')
        json_add_string(text, "node", member->id);
    json_add_string(text, "address", member_address(member, address, sizeof address));
    json_add_string(text, "registry", presence_word(member->presence));
}

static void add_sections(struct text *text, const struct report *report, size_t k)
{
    char check[CELL_SIZE];

    json_open_object(text, "sections");
    for (int section = 0; section < SECTION_COUNT; section++) {
        const struct view_slot *slot = slot_of(report, (enum section)section, k);
        if (!slot->present)
            continue;
        write_check(slot, check, sizeof check);
        json_open_object(text, section_name((enum section)section));
        json_add_string(text, "actual", slot->status);
        json_add_string(text, "check", check);
        json_add_number(text, "sessions", slot->sessions);
        json_close_object(text);
    }
    json_close_object(text);
}

static void add_slot(struct text *text, const struct report *report, size_t k)
{
    char name[8];

    json_open_object(text, NULL);
    json_add_string(text, "slot", view_slot_name(k, name, sizeof name));
    add_member(text, member_of(report, k));
    json_add_string(text, "wanted", wanted_of(report, k));
    json_add_string(text, "actual", slot_of(report, SECTION_ANY, k)->status);
    json_add_number(text, "sessions", sessions_of(report, k));
    if (is_writer(report, k))
        json_add_true(text, "writer");
    add_sections(text, report, k);
    json_close_object(text);
}

void report_json(struct text *text, const struct report *report)
{
    json_open_object(text, NULL);
    json_open_object(text, "haproxy");
    json_add_string(text, "version", report->view->version);
    json_add_number(text, "pid", report->view->pid);
    json_add_number(text, "uptime", report->view->uptime_s);
    json_close_object(text);
    if (report_is_settled(report))
        json_add_true(text, "settled");
    json_open_array(text, "slots");
    for (size_t k = 0; k < SLOTS_MOST; k++) {
        if (slot_of(report, SECTION_ANY, k)->present)
            add_slot(text, report, k);
    }
    json_close_array(text);
    json_open_array(text, "waiting");
    for (size_t i = 0; i < report->roster->count; i++) {
        if (!waits(report, i))
            continue;
        json_open_object(text, NULL);
        add_member(text, &report->roster->member[i]);
        json_close_object(text);
    }
    json_close_array(text);
    json_close_object(text);
    text_add(text, "\n");
}

void report_steps(struct text *text, const struct plan *plan)
{
    for (size_t i = 0; i < plan->count; i++) {
        const struct step *step = &plan->step[i];
        text_add(text, step->command);
        if (step->say[0] != '\0')
            text_format(text, "  # %s", step->say);
        text_add(text, "\n");
    }
}

/* A node that is drained, or has not passed its first check, is on its way. */
bool report_is_settled(const struct report *report)
{
    bool settled = report->registry && report->plan->count == 0 && !report->plan->waiting && !report->plan->confirm &&
                   report->plan->propose < 0 && report->plan->unplaced == 0;

    for (size_t k = 0; settled && k < SLOTS_MOST; k++) {
        enum wanted wanted = report->plan->slot[k].wanted;
        settled = wanted == WANT_FREE || (wanted == WANT_SERVE && plan_slot_is_admitted(report->plan, report->view, k));
    }
    return settled;
}
