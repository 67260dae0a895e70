#include "reply.h"

#include <stdio.h>
#include <string.h>

#include "escape.h"

enum { BODY_SIZE = 1024, STATE_SIZE = 64 };

int reply_status(const struct verdict *verdict)
{
    if (verdict->state == VERDICT_UP)
        return 200;
    return verdict->reason == REASON_DRAINING ? 404 : 503;
}

static const char *status_phrase(int status)
{
    return status == 200 ? "OK" : status == 404 ? "Not Found" : "Service Unavailable";
}

/* What scripts that know the classic check look for. */
static const char *classic_predicate(const struct verdict *verdict)
{
    if (verdict->state == VERDICT_UP)
        return "is synced.";
    if (verdict->reason == REASON_READ_ONLY)
        return "is read-only.";
    if (verdict->reason == REASON_DISABLED)
        return "is manually disabled.";
    return "is not synced.";
}

static void add_sentence(struct line *body, const struct verdict *verdict, enum endpoint endpoint,
                         enum body_style style)
{
    if (endpoint == ENDPOINT_LIVE) {
        line_add(body, verdict->state == VERDICT_UP ? "The server is alive." : "The server is not alive.");
        return;
    }
    line_add(body, style == BODY_PERCONA ? "Percona XtraDB Cluster Node " : "Galera cluster node ");
    line_add(body, classic_predicate(verdict));
}

void reply_format(struct reply *reply, const struct verdict *verdict, const struct request *request,
                  enum body_style style, const char *state)
{
    char body_text[BODY_SIZE] = "";
    char state_text[STATE_SIZE] = "";
    struct line body = LINE_IN(body_text);
    struct line state_line = LINE_IN(state_text);
    int status = reply_status(verdict);

    add_sentence(&body, verdict, request->endpoint, style);
    line_add(&body, "\r\n");
    if (verdict->state != VERDICT_UP) {
        body.size -= 2; /* for the end of the line */
        line_add(&body, reason_word(verdict->reason));
        line_add(&body, ": ");
        line_add_escaped(&body, verdict->detail);
        body.size += 2;
        line_add(&body, "\r\n");
    }
    line_add_escaped(&state_line, state == NULL ? "unknown" : state);

    int used = snprintf(reply->text, sizeof reply->text,
                        "HTTP/1.1 %d %s\r\n"
                        "Content-Type: text/plain\r\n"
                        "Connection: %s\r\n"
                        "Cache-Control: no-store\r\n"
                        "X-Galera-State: %s\r\n"
                        "X-Galera-Reason: %s\r\n"
                        "Content-Length: %zu\r\n"
                        "\r\n"
                        "%s",
                        status, status_phrase(status), request->keep_alive ? "keep-alive" : "close", state_text,
                        reason_word(verdict->reason), body.length, request->head ? "" : body_text);
    reply->length = (size_t)used;
}
