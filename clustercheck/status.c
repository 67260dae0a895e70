#include "report.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "reply.h"

/* Values that are names, lists or identifiers even when they happen to consist of digits. */
static const char *const texts[] = {
    "version",
    "wsrep_node_name",
    "wsrep_provider",
    "wsrep_provider_name",
    "wsrep_provider_vendor",
    "wsrep_provider_version",
    "wsrep_provider_capabilities",
    "wsrep_cluster_capabilities",
    "wsrep_cluster_state_uuid",
    "wsrep_local_state_uuid",
    "wsrep_gcomm_uuid",
    "wsrep_incoming_addresses",
    "wsrep_evs_delayed",
    "wsrep_evs_evict_list",
    "wsrep_sst_method",
    "wsrep_local_state_comment",
    "wsrep_cluster_status",
};

static size_t digits(const char *text)
{
    size_t count = 0;

    while (isdigit((unsigned char)text[count]))
        count++;
    return count;
}

bool is_json_number(const char *text)
{
    text += *text == '-';
    size_t whole = digits(text);
    if (whole == 0 || (whole > 1 && *text == '0'))
        return false;
    text += whole;
    if (*text == '.') {
        size_t fraction = digits(++text);
        if (fraction == 0)
            return false;
        text += fraction;
    }
    if (*text == 'e' || *text == 'E') {
        text++;
        text += *text == '+' || *text == '-';
        size_t exponent = digits(text);
        if (exponent == 0)
            return false;
        text += exponent;
    }
    return *text == '\0';
}

static bool is_text(const char *name)
{
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        if (strcasecmp(name, texts[i]) == 0)
            return true;
    }
    return false;
}

static void add_key(struct line *line, const char *key)
{
    char last = line->length == 0 ? '{' : line->text[line->length - 1];

    if (last != '{')
        line_add(line, ",");
    line_add_json(line, key);
    line_add(line, ":");
}

static void add_text(struct line *line, const char *key, const char *value)
{
    add_key(line, key);
    line_add_json(line, value);
}

static void add_bool(struct line *line, const char *key, bool value)
{
    add_key(line, key);
    line_add(line, value ? "true" : "false");
}

static void add_number(struct line *line, const char *key, int64_t value)
{
    char text[32];

    snprintf(text, sizeof text, "%" PRId64, value);
    add_key(line, key);
    line_add(line, text);
}

static void add_milliseconds(struct line *line, const char *key, int64_t ns)
{
    char text[48];

    snprintf(text, sizeof text, "%.3f", (double)ns / 1e6);
    add_key(line, key);
    line_add(line, text);
}

static void open_object(struct line *line, const char *key)
{
    add_key(line, key);
    line_add(line, "{");
}

static void add_verdict(struct line *line, const char *key, const struct verdict *verdict)
{
    open_object(line, key);
    add_text(line, "state", verdict_state_word(verdict->state));
    add_text(line, "reason", reason_word(verdict->reason));
    add_text(line, "detail", verdict->detail);
    add_number(line, "http", reply_status(verdict));
    line_add(line, "}");
}

static const char *donor_word(const struct settings *settings)
{
    static const char *const words[] = {
        [DONOR_NEVER] = "never", [DONOR_ALWAYS] = "always", [DONOR_NONBLOCKING] = "nonblocking", [DONOR_LAST] = "last"};

    return words[settings->available_when_donor];
}

static void add_policy(struct line *line, const struct settings *settings)
{
    open_object(line, "policy");
    add_text(line, "available_when_donor", donor_word(settings));
    add_bool(line, "available_when_readonly", settings->available_when_readonly);
    add_bool(line, "available_when_desynced", settings->available_when_desynced);
    add_number(line, "donor_weight", settings->donor_weight);
    add_number(line, "weight_queue", settings->weight_queue);
    add_number(line, "timeout_ms", settings->timeout_ms);
    add_number(line, "refresh_ms", settings->refresh_ms);
    add_number(line, "max_age_ms", settings->max_age_ms);
    line_add(line, "}");
}

static void add_service(struct line *line, const struct figures *figures)
{
    open_object(line, "service");
    add_number(line, "clients", (int64_t)figures->clients);
    add_number(line, "connections", (int64_t)figures->connections);
    add_number(line, "given_up", (int64_t)figures->given_up);
    add_number(line, "answers_200", (int64_t)figures->answers[CODE_200]);
    add_number(line, "answers_404", (int64_t)figures->answers[CODE_404]);
    add_number(line, "answers_503", (int64_t)figures->answers[CODE_503]);
    add_number(line, "refreshes", (int64_t)figures->refreshes);
    add_number(line, "failed_refreshes", (int64_t)figures->failed_refreshes);
    add_number(line, "reconnects", (int64_t)figures->reconnects);
    line_add(line, "}");
}

/* The server's own words, under its own names. */
static void add_node(struct line *line, const struct facts *facts)
{
    open_object(line, "node");
    for (size_t i = 0; i < facts->count; i++) {
        add_key(line, facts->row[i].name);
        if (!is_text(facts->row[i].name) && is_json_number(facts->row[i].value))
            line_add(line, facts->row[i].value);
        else
            line_add_json(line, facts->row[i].value);
    }
    line_add(line, "}");
}

void status_format(struct line *line, const struct report *report)
{
    const struct observation *seen = &report->observed->observation;

    line_add(line, "{");
    add_text(line, "program", "clustercheck");
    add_text(line, "version", report->version);
    add_text(line, "mode", report->figures == NULL ? "one-shot" : "resident");
    add_verdict(line, "verdict", &report->verdicts[ENDPOINT_POLICY]);
    open_object(line, "endpoints");
    for (int i = 0; i < ENDPOINT_VERDICTS; i++)
        add_verdict(line, endpoint_path((enum endpoint)i), &report->verdicts[i]);
    line_add(line, "}");
    add_number(line, "weight", report->weight);
    add_policy(line, report->settings);
    open_object(line, "files");
    add_bool(line, "disabled", seen->disabled);
    add_bool(line, "draining", seen->draining);
    line_add(line, "}");
    if (report->age_ns < 0) {
        add_key(line, "age_ms");
        line_add(line, "null");
    } else {
        add_milliseconds(line, "age_ms", report->age_ns);
    }
    if (report->figures != NULL)
        add_service(line, report->figures);
    add_node(line, &report->observed->facts);
    line_add(line, "}\n");
}
