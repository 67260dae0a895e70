#include "render.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "words.h"

#define HEAD                                                                                                           \
    "# Written by galera-haproxy(8) and written anew whenever the nodes change: what you change here is lost. "        \
    "Settings\n"                                                                                                       \
    "# are in section [haproxy] of clustercheck.conf, everything else belongs into HAProxy's main file.\n"

/*
 * Every line says what a `defaults` section of the admin might say otherwise. MySQL sessions are idle for long: the
 * server ends them (wait_timeout, 8 hours), keepalive finds those that have died.
 */
#define COMMON                                                                                                         \
    "    mode tcp\n"                                                                                                   \
    "    log global\n"                                                                                                 \
    "    option tcplog\n"                                                                                              \
    "    option dontlognull\n"                                                                                         \
    "    option log-health-checks\n"                                                                                   \
    "    timeout connect 3s\n"                                                                                         \
    "    timeout client 9h\n"                                                                                          \
    "    timeout server 9h\n"                                                                                          \
    "    timeout check 2s\n"                                                                                           \
    "    option clitcpka\n"                                                                                            \
    "    option srvtcpka\n"                                                                                            \
    "    clitcpka-idle 60s\n"                                                                                          \
    "    clitcpka-intvl 15s\n"                                                                                         \
    "    clitcpka-cnt 4\n"                                                                                             \
    "    srvtcpka-idle 60s\n"                                                                                          \
    "    srvtcpka-intvl 15s\n"                                                                                         \
    "    srvtcpka-cnt 4\n"

/* Up is a 200 alone; the first rule passes every answer so that the second has the node's reason for the log. */
#define EXPECT                                                                                                         \
    "    http-check expect ! rstatus ^$\n"                                                                             \
    "    http-check set-var(check.reason) res.hdr(x-galera-reason)\n"                                                  \
    "    http-check expect status 200 on-error \"%[var(check.reason)]\"\n"

static const char *bind_of(const struct settings *settings, enum section section)
{
    switch (section) {
    case SECTION_ANY:
        return settings->bind;
    case SECTION_READERS:
        return settings->reader_bind;
    case SECTION_WRITER:
    case SECTION_COUNT:
        break;
    }
    return settings->writer_bind;
}

static void add_rules(struct text *text, const struct settings *settings, enum section section)
{
    switch (section) {
    case SECTION_ANY:
    case SECTION_READERS:
        text_format(text, "    balance %s\n    option redispatch\n    option httpchk\n", settings->balance);
        text_format(text, "    http-check send meth OPTIONS uri %s\n", section == SECTION_ANY ? "/" : "/ro");
        text_add(text, EXPECT "    http-check send-state\n    http-check disable-on-404\n");
        break;
    case SECTION_WRITER:
        /*
         * The first usable server, in order; then all sessions stick to it until it fails. No redispatch: one session
         * that cannot connect must not move the role. No disable-on-404: sticking is stronger than draining, so a 404
         * counts as down here. No send-state: the numbers are wrong with backup servers. The table has room for more
         * than its one entry because sessions that begin at the same moment each reserve one.
         */
        text_add(text, "    balance first\n    stick-table type integer size 100k nopurge\n    stick on int(1)\n"
                       "    option httpchk\n    http-check send meth OPTIONS uri /rw\n" EXPECT);
        break;
    case SECTION_COUNT:
        break;
    }
}

static void add_extra(struct text *text, const char *extra)
{
    const char *line;
    size_t length;

    if (extra == NULL)
        return;
    while (words_next_line(&extra, &line, &length))
        text_format(text, "    %.*s\n", (int)length, line);
}

static void add_server(struct text *text, const struct roster *roster, const struct plan *plan, size_t k)
{
    char title[128];
    char address[REGISTRY_IP_SIZE + 16];

    if (plan == NULL || plan->slot[k].member < 0) {
        text_format(text, "    server s%zu %s:%d disabled\n", k + 1, FREE_ADDRESS, FREE_PORT);
        return;
    }
    const struct member *member = &roster->member[plan->slot[k].member];
    text_format(text, "    server s%zu %s", k + 1, member_address(member, address, sizeof address));
    if (member->check_port != 0)
        text_format(text, " check port %u", (unsigned)member->check_port);
    text_format(text, " # %s\n", member->id[0] != '\0' ? member->id : member_title(member, title, sizeof title));
}

/* The writer first: then a HAProxy that restarts alone goes on with it. */
static void add_servers(struct text *text, const struct settings *settings, const struct roster *roster,
                        const struct plan *plan, const struct view *view)
{
    bool done[SLOTS_MOST] = {false};
    size_t slots = (size_t)settings->slots;

    for (size_t k = slots; plan != NULL && k < SLOTS_MOST; k++) {
        if (plan_slot_is_admitted(plan, view, k))
            slots = k + 1; /* HAProxy was started with more */
    }
    if (plan != NULL && plan->writer >= 0 && (size_t)plan->writer < slots &&
        plan_slot_is_admitted(plan, view, (size_t)plan->writer)) {
        add_server(text, roster, plan, (size_t)plan->writer);
        done[plan->writer] = true;
    }
    for (size_t i = 0; plan != NULL && i < roster->count; i++) {
        for (size_t k = 0; k < slots; k++) {
            if (plan->slot[k].member != (long)i || done[k] || !plan_slot_is_admitted(plan, view, k))
                continue;
            add_server(text, roster, plan, k);
            done[k] = true;
        }
    }
    for (size_t k = 0; k < slots; k++) {
        if (!done[k])
            add_server(text, roster, NULL, k);
    }
}

/* All sections have the same servers. */
static void add_sections(struct text *text, const struct settings *settings, const struct text *servers)
{
    static const enum section order[] = {SECTION_ANY, SECTION_WRITER, SECTION_READERS};

    text_add(text, HEAD);
    for (size_t i = 0; i < SECTION_COUNT; i++) {
        enum section section = order[i];
        if (bind_of(settings, section) == NULL)
            continue;
        text_format(text, "\nlisten %s\n    bind %s\n" COMMON, section_name(section), bind_of(settings, section));
        add_rules(text, settings, section);
        add_extra(text, settings->extra);
        /* The agent's weight is a share of the server's own, which must not be 1 then. */
        text_format(text, "    default-server check port %" PRId64 " weight 100 %s on-marked-down shutdown-sessions",
                    settings->check_port, settings->check);
        if (section == SECTION_WRITER)
            text_add(text, " backup");
        else if (settings->agent_port != 0)
            text_format(text, " agent-check agent-port %" PRId64 " agent-inter 1s", settings->agent_port);
        text_add(text, "\n");
        text_add(text, text_string(servers));
    }
    text->failed |= servers->failed;
}

void render_config(struct text *text, const struct settings *settings, const struct roster *roster,
                   const struct plan *plan, const struct view *view)
{
    struct text servers = {0};

    add_servers(&servers, settings, roster, plan, view);
    add_sections(text, settings, &servers);
    text_free(&servers);
}

/* A line of ours whose slot has a node. */
static bool is_kept(const char *line, size_t *k)
{
    static const char head[] = "    server ";
    char name[8];

    if (strncmp(line, head, sizeof head - 1) != 0)
        return false;
    line += sizeof head - 1;
    size_t length = strcspn(line, " \n");
    if (length >= sizeof name || line[length] != ' ')
        return false;
    snprintf(name, sizeof name, "%.*s", (int)length, line);
    return view_slot_index(name, k) && strncmp(line + length + 1, FREE_ADDRESS ":", sizeof FREE_ADDRESS) != 0;
}

/* As add_servers() would, of the nodes in the section of another file. */
static void keep_servers(struct text *text, const struct settings *settings, const char *section)
{
    bool done[SLOTS_MOST] = {false};
    size_t slots = (size_t)settings->slots;
    const char *end = strstr(section, "\nlisten ");
    size_t k = 0;

    for (const char *line = section; *line != '\0' && line != end;) {
        size_t length = strcspn(line, "\n");
        if (is_kept(line, &k) && !done[k]) {
            text_format(text, "%.*s\n", (int)length, line);
            done[k] = true;
            slots = k + 1 > slots ? k + 1 : slots;
        }
        line += length;
        line += *line == '\n' && line != end ? 1 : 0;
    }
    for (k = 0; k < slots; k++) {
        if (!done[k])
            add_server(text, NULL, NULL, k);
    }
}

void render_around(struct text *text, const struct settings *settings, const char *present)
{
    static const char heading[] = "\nlisten galera-any\n";
    const char *section = strstr(present, heading);
    struct text servers = {0};

    keep_servers(&servers, settings, section == NULL ? "" : section + sizeof heading - 1);
    add_sections(text, settings, &servers);
    text_free(&servers);
}

/* The next line that is no server; false at the end. */
static bool next_frame_line(const char **rest, const char **line, size_t *length)
{
    while (**rest != '\0') {
        *line = *rest;
        *length = strcspn(*rest, "\n");
        *rest += *length + ((*rest)[*length] == '\n' ? 1 : 0);
        if (strncmp(*line, "    server ", 11) != 0)
            return true;
    }
    return false;
}

static size_t count_servers(const char *text)
{
    size_t count = 0;

    for (const char *at = strstr(text, "\n    server "); at != NULL; at = strstr(at + 1, "\n    server "))
        count++;
    return count;
}

bool render_same_frame(const char *left, const char *right)
{
    const char *line[2];
    size_t length[2];

    if (count_servers(left) != count_servers(right))
        return false;
    for (;;) {
        bool more = next_frame_line(&left, &line[0], &length[0]);
        if (next_frame_line(&right, &line[1], &length[1]) != more)
            return false;
        if (!more)
            return true;
        if (length[0] != length[1] || memcmp(line[0], line[1], length[0]) != 0)
            return false;
    }
}
