#include "../row.h"
#include "reply.h"

#include <stdlib.h>

static struct verdict verdict_with(enum verdict_state state, enum verdict_reason reason, const char *detail)
{
    struct verdict verdict = {.state = state, .reason = reason};

    snprintf(verdict.detail, sizeof verdict.detail, "%.*s", VERDICT_DETAIL_SIZE - 1, detail);
    return verdict;
}

static void whole_answers(void **state)
{
    static const char up[] = "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nConnection: close\r\n"
                             "Cache-Control: no-store\r\nX-Galera-State: Synced\r\nX-Galera-Reason: synced\r\n"
                             "Content-Length: 32\r\n\r\nGalera cluster node is synced.\r\n";
    static const char down[] =
        "HTTP/1.1 503 Service Unavailable\r\nContent-Type: text/plain\r\nConnection: close\r\n"
        "Cache-Control: no-store\r\nX-Galera-State: unknown\r\nX-Galera-Reason: timed-out\r\n"
        "Content-Length: 61\r\n\r\nGalera cluster node is not synced.\r\ntimed-out: too late\\x0d\r\n";
    struct request request = {.progress = REQUEST_COMPLETE};
    struct verdict verdict = verdict_with(VERDICT_UP, REASON_SYNCED, "synced");
    struct reply reply;

    (void)state;
    reply_format(&reply, &verdict, &request, BODY_GALERA, "Synced");
    assert_int_equal(reply.length, strlen(reply.text));
    assert_string_equal(reply.text, up);
    verdict = verdict_with(VERDICT_UNKNOWN, REASON_TIMED_OUT, "too late\r");
    reply_format(&reply, &verdict, &request, BODY_GALERA, NULL);
    assert_string_equal(reply.text, down);
}

static void bodies(void **state)
{
    static const struct {
        const char *name;
        enum verdict_state state;
        enum verdict_reason reason;
        enum endpoint endpoint;
        enum body_style style;
        int status;
        const char *line; /* the first of the body */
    } rows[] = {
        {"synced", VERDICT_UP, REASON_SYNCED, 0, BODY_GALERA, 200, "Galera cluster node is synced."},
        {"synced, Percona", VERDICT_UP, REASON_SYNCED, 0, BODY_PERCONA, 200, "Percona XtraDB Cluster Node is synced."},
        {"donor that serves", VERDICT_UP, REASON_DONOR, 0, BODY_GALERA, 200, "Galera cluster node is synced."},
        {"donor", VERDICT_DOWN, REASON_DONOR, 0, BODY_GALERA, 503, "Galera cluster node is not synced."},
        {"read-only", VERDICT_DOWN, REASON_READ_ONLY, ENDPOINT_RW, BODY_GALERA, 503,
         "Galera cluster node is read-only."},
        {"read-only, Percona", VERDICT_DOWN, REASON_READ_ONLY, 0, BODY_PERCONA, 503,
         "Percona XtraDB Cluster Node is read-only."},
        {"disabled", VERDICT_DOWN, REASON_DISABLED, 0, BODY_PERCONA, 503,
         "Percona XtraDB Cluster Node is manually disabled."},
        {"disabled, Galera", VERDICT_DOWN, REASON_DISABLED, 0, BODY_GALERA, 503,
         "Galera cluster node is manually disabled."},
        {"draining", VERDICT_DOWN, REASON_DRAINING, 0, BODY_GALERA, 404, "Galera cluster node is not synced."},
        {"unknown", VERDICT_UNKNOWN, REASON_CANNOT_CONNECT, 0, BODY_PERCONA, 503,
         "Percona XtraDB Cluster Node is not synced."},
        {"alive", VERDICT_UP, REASON_SYNCED, ENDPOINT_LIVE, BODY_GALERA, 200, "The server is alive."},
        {"not alive", VERDICT_UNKNOWN, REASON_TIMED_OUT, ENDPOINT_LIVE, BODY_PERCONA, 503, "The server is not alive."},
    };

    (void)state;
    for (size_t i = 0; i < ROW_COUNT(rows); i++) {
        struct verdict verdict = verdict_with(rows[i].state, rows[i].reason, "why");
        for (int head = 0; head <= 1; head++) {
            struct request request = {.endpoint = rows[i].endpoint, .head = head != 0};
            struct reply reply;
            char expected[256];
            reply_format(&reply, &verdict, &request, rows[i].style, "State");
            row_number(rows[i].name, reply_status(&verdict), rows[i].status);
            row_number(rows[i].name, strtol(reply.text + strlen("HTTP/1.1 "), NULL, 10), rows[i].status);
            if (rows[i].state == VERDICT_UP)
                snprintf(expected, sizeof expected, "%s\r\n", rows[i].line);
            else
                snprintf(expected, sizeof expected, "%s\r\n%s: why\r\n", rows[i].line, reason_word(rows[i].reason));
            const char *body = strstr(reply.text, "\r\n\r\n") + 4;
            row_text(rows[i].name, body, head ? "" : expected);
            const char *length = strstr(reply.text, "Content-Length: ");
            row_number(rows[i].name, strtol(length + strlen("Content-Length: "), NULL, 10), strlen(expected));
        }
    }
}

/* Hostile text from a server neither adds a header nor makes the length wrong nor runs over. */
static void hostile_texts(void **state)
{
    static const char *const pieces[] = {"\r\nX-Evil: 1\r\n\r\n", "\x01", "\xFF", "\xC2\x9B", "%s%n", "\\", "x",
                                         "\xE2\x82\xAC"};
    char text[VERDICT_DETAIL_SIZE * 4];

    (void)state;
    for (size_t i = 0; i < ROW_COUNT(pieces); i++) {
        text[0] = '\0';
        for (size_t length = 0; length + strlen(pieces[i]) < sizeof text; length += strlen(pieces[i]))
            snprintf(text + length, sizeof text - length, "%s", pieces[i]);
        struct verdict verdict = verdict_with(VERDICT_UNKNOWN, REASON_TOO_MANY_CONNECTIONS, text);
        struct request request = {.endpoint = ENDPOINT_POLICY};
        struct reply reply;
        reply_format(&reply, &verdict, &request, BODY_PERCONA, text);
        row_true(pieces[i], reply.length < sizeof reply.text && reply.length == strlen(reply.text));
        const char *body = strstr(reply.text, "\r\n\r\n") + 4;
        row_number(pieces[i], strtol(strstr(reply.text, "Content-Length: ") + 16, NULL, 10), strlen(body));
        row_true(pieces[i], strcmp(body + strlen(body) - 2, "\r\n") == 0);
        row_true(pieces[i], strstr(reply.text, "\nX-Evil") == NULL);
        int lines = 0;
        for (const char *c = reply.text; *c != '\0'; c++) {
            lines += *c == '\n';
            row_true(pieces[i], *c != '\n' || c[-1] == '\r');
            row_true(pieces[i], *c != '\r' || c[1] == '\n');
        }
        row_number(pieces[i], lines, 10);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(whole_answers),
        cmocka_unit_test(bodies),
        cmocka_unit_test(hostile_texts),
    };

    return cmocka_run_group_tests_name("reply", tests, NULL, NULL);
}
