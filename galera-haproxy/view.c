#include "view.h"

#include <stdio.h>
#include <string.h>

#include "csv.h"
#include "num.h"

enum { ID_MOST = 1000000000, STATE_COLUMNS = 25, LINE_SIZE = 8192 };

static const char *const names[SECTION_COUNT] = {"galera-any", "galera-readers", "galera-writer"};

const char *section_name(enum section section)
{
    return names[section];
}

const char *view_slot_name(size_t k, char *name, size_t size)
{
    snprintf(name, size, "s%zu", k + 1);
    return name;
}

bool view_slot_index(const char *name, size_t *k)
{
    int64_t number;

    if (name[0] != 's' || name[1] == '0' || !num_parse(name + 1, 1, SLOTS_MOST, &number))
        return false;
    *k = (size_t)number - 1;
    return true;
}

/* Copies the next line without its newline; false at the end. A line that is too long is cut. */
static bool next_line(const char **rest, char *line, size_t size)
{
    size_t length = strcspn(*rest, "\n");
    size_t kept = length < size ? length : size - 1;

    if (**rest == '\0')
        return false;
    memcpy(line, *rest, kept);
    line[kept] = '\0';
    *rest += length + ((*rest)[length] == '\n' ? 1 : 0);
    return true;
}

/* Splits at blanks, in place; how many words there are, at most `most`. */
static size_t split(char *line, char **word, size_t most)
{
    size_t count = 0;
    char *rest = line;

    for (;;) {
        rest += strspn(rest, " \t\r");
        if (*rest == '\0' || count == most)
            return count;
        word[count++] = rest;
        rest += strcspn(rest, " \t\r");
        if (*rest != '\0')
            *rest++ = '\0';
    }
}

/* --- show info ---------------------------------------------------------------------------------------------------- */

bool view_read_info(struct view *view, const char *reply, struct error *error)
{
    char line[LINE_SIZE];
    bool named = false;

    view->pid = 0;
    view->uptime_s = -1;
    view->version[0] = '\0';
    while (next_line(&reply, line, sizeof line)) {
        named |= strcmp(line, "Name: HAProxy") == 0;
        if (strncmp(line, "Pid: ", 5) == 0 && !num_parse(line + 5, 1, INT64_MAX, &view->pid))
            break;
        if (strncmp(line, "Uptime_sec: ", 12) == 0 && !num_parse(line + 12, 0, INT64_MAX, &view->uptime_s))
            break;
        if (strncmp(line, "Version: ", 9) == 0)
            snprintf(view->version, sizeof view->version, "%.*s", VIEW_WORD_SIZE - 1, line + 9);
    }
    return (named && view->pid > 0 && view->uptime_s >= 0) ||
           error_set(error, EXIT_UNAVAILABLE, "the answer to 'show info' is not HAProxy's");
}

/* --- show servers state ------------------------------------------------------------------------------------------- */

/* Positions in a line of version 1 of the format, which is what all versions since 1.6 have. */
enum state_column {
    COLUMN_BACKEND = 1,
    COLUMN_SERVER_ID = 2,
    COLUMN_SERVER = 3,
    COLUMN_ADDRESS = 4,
    COLUMN_OP_STATE = 5,
    COLUMN_ADMIN = 6,
    COLUMN_CHECK_HEALTH = 12,
    COLUMN_CHECK_STATE = 13,
    COLUMN_AGENT_STATE = 14,
    COLUMN_PORT = 18,
    COLUMN_CHECK_PORT = 21,
    COLUMN_LEAST = 22
};

static bool take_state(struct view_section *section, char *const *word)
{
    size_t k;
    bool ipv6;
    int64_t port;
    int64_t check_port;
    int position = (int)section->positions++;

    if (!view_slot_index(word[COLUMN_SERVER], &k))
        return true; /* a server of somebody else in our section: none of our business */
    struct view_slot *slot = &section->slot[k];
    if (slot->present)
        return false;
    slot->present = true;
    slot->position = position;
    section->slots++;
    if (!registry_ip_normalize(word[COLUMN_ADDRESS], slot->ip, sizeof slot->ip, &ipv6))
        slot->ip[0] = '\0';
    if (!num_parse(word[COLUMN_SERVER_ID], 1, ID_MOST, &slot->server_id) ||
        !num_parse(word[COLUMN_OP_STATE], 0, SERVER_STOPPING, &slot->op_state) ||
        !num_parse(word[COLUMN_ADMIN], 0, 0xffff, &slot->admin) ||
        !num_parse(word[COLUMN_CHECK_HEALTH], 0, ID_MOST, &slot->check_health) ||
        !num_parse(word[COLUMN_CHECK_STATE], 0, 0xffff, &slot->check_state) ||
        !num_parse(word[COLUMN_AGENT_STATE], 0, 0xffff, &slot->agent_state) ||
        !num_parse(word[COLUMN_PORT], 0, 65535, &port) || !num_parse(word[COLUMN_CHECK_PORT], 0, 65535, &check_port))
        return false;
    slot->port = (uint16_t)port;
    slot->check_port = (uint16_t)check_port;
    return true;
}

bool view_read_state(struct view *view, enum section section, const char *reply, struct error *error)
{
    struct view_section *into = &view->section[section];
    char line[LINE_SIZE];
    char *word[STATE_COLUMNS];

    *into = (struct view_section){.present = false};
    if (strncmp(reply, "Can't find backend", 18) == 0)
        return true;
    if (!next_line(&reply, line, sizeof line) || strcmp(line, "1") != 0)
        return error_set(error, EXIT_UNAVAILABLE, "the answer to 'show servers state %s' has an unknown format",
                         names[section]);
    into->present = true;
    while (next_line(&reply, line, sizeof line)) {
        if (line[0] == '#' || line[0] == '\0')
            continue;
        size_t count = split(line, word, STATE_COLUMNS);
        if (count < COLUMN_LEAST || strcmp(word[COLUMN_BACKEND], names[section]) != 0 || !take_state(into, word)) {
            *into = (struct view_section){.present = false};
            return error_set(error, EXIT_UNAVAILABLE, "a line of the answer to 'show servers state %s' makes no sense",
                             names[section]);
        }
    }
    return true;
}

/* --- show stat ---------------------------------------------------------------------------------------------------- */

enum stat_field {
    STAT_NAME,
    STAT_SESSIONS,
    STAT_STATUS,
    STAT_CHECK_STATUS,
    STAT_CHECK_CODE,
    STAT_LAST_CHECK,
    STAT_RISE,
    STAT_FALL,
    STAT_FIELDS
};

static const char *const stat_names[STAT_FIELDS] = {"svname",     "scur",     "status",     "check_status",
                                                    "check_code", "last_chk", "check_rise", "check_fall"};

static int64_t number_or(const char *text, int64_t otherwise)
{
    int64_t number;

    return num_parse(text, 0, INT64_MAX, &number) ? number : otherwise;
}

static void take_stat(struct view_section *section, char field[STAT_FIELDS][VIEW_TEXT_SIZE])
{
    size_t k;

    if (!view_slot_index(field[STAT_NAME], &k) || !section->slot[k].present)
        return;
    struct view_slot *slot = &section->slot[k];
    slot->sessions = number_or(field[STAT_SESSIONS], 0);
    slot->check_code = number_or(field[STAT_CHECK_CODE], 0);
    slot->rise = number_or(field[STAT_RISE], 0);
    slot->fall = number_or(field[STAT_FALL], 0);
    snprintf(slot->status, sizeof slot->status, "%.*s", VIEW_WORD_SIZE - 1, field[STAT_STATUS]);
    snprintf(slot->check_status, sizeof slot->check_status, "%.*s", VIEW_WORD_SIZE - 1, field[STAT_CHECK_STATUS]);
    memcpy(slot->check_text, field[STAT_LAST_CHECK], sizeof slot->check_text);
}

bool view_read_stat(struct view *view, enum section section, const char *reply, struct error *error)
{
    struct view_section *into = &view->section[section];
    size_t column[STAT_FIELDS];
    char field[STAT_FIELDS][VIEW_TEXT_SIZE];

    if (!into->present)
        return true;
    if (!csv_header(&reply, stat_names, column, STAT_FIELDS))
        return error_set(error, EXIT_UNAVAILABLE, "the answer to 'show stat %s' lacks columns", names[section]);
    while (csv_row(&reply, column, STAT_FIELDS, &field[0][0], VIEW_TEXT_SIZE))
        take_stat(into, field);
    return true;
}

/* --- show table --------------------------------------------------------------------------------------------------- */

/* The server with this name leads, as in HAProxy; the number counts where the entry has no name. */
static int64_t entry_target(const struct view_section *section, const char *key, const char *id)
{
    size_t k;

    if (key != NULL && strcmp(key, "-") != 0)
        return view_slot_index(key, &k) && section->slot[k].present ? section->slot[k].server_id : 0;
    return id == NULL ? 0 : number_or(id, 0);
}

bool view_read_table(struct view *view, const char *reply, struct error *error)
{
    char line[LINE_SIZE];
    char *word[STATE_COLUMNS];

    view->pinned = 0;
    if (!view->section[SECTION_WRITER].present)
        return true;
    if (!next_line(&reply, line, sizeof line) || strncmp(line, "# table: galera-writer,", 23) != 0)
        return error_set(error, EXIT_UNAVAILABLE, "the answer to 'show table galera-writer' is not a table");
    while (next_line(&reply, line, sizeof line)) {
        const char *id = NULL;
        const char *key = NULL;
        bool ours = false;
        size_t count = split(line, word, STATE_COLUMNS);
        for (size_t i = 0; i < count; i++) {
            ours |= strcmp(word[i], "key=1") == 0;
            if (strncmp(word[i], "server_id=", 10) == 0)
                id = word[i] + 10;
            else if (strncmp(word[i], "server_key=", 11) == 0)
                key = word[i] + 11;
        }
        if (ours)
            view->pinned = entry_target(&view->section[SECTION_WRITER], key, id);
    }
    return true;
}

/* --- what a slot's numbers mean ----------------------------------------------------------------------------------- */

bool view_slot_passed(const struct view_slot *slot)
{
    return slot->rise > 0 && slot->check_health > slot->rise;
}

bool view_slot_is_up(const struct view_slot *slot)
{
    return slot->op_state == SERVER_RUNNING || slot->op_state == SERVER_STARTING;
}

bool view_slot_in_maint(const struct view_slot *slot)
{
    return (slot->admin & ADMIN_ANY_MAINT) != 0;
}

bool view_slot_in_drain(const struct view_slot *slot)
{
    return (slot->admin & ADMIN_ANY_DRAIN) != 0;
}

bool view_slot_agent_enabled(const struct view_slot *slot)
{
    return (slot->agent_state & CHECK_CONFIGURED) != 0 && (slot->agent_state & CHECK_ENABLED) != 0;
}

bool view_is_another(const struct view *view, int64_t pid, int64_t uptime_s)
{
    return view->pid != pid || view->uptime_s < uptime_s;
}

bool view_slot_serves(const struct view_slot *slot)
{
    return view_slot_is_up(slot) && !view_slot_in_maint(slot) && !view_slot_in_drain(slot);
}
