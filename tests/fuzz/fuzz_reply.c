/* The HTTP answer, with hostile words from a server in it. */
#include <string.h>

#include "fuzz.h"
#include "reply.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char state[256];
    struct verdict verdict = {.state = VERDICT_UP};
    struct request request = {.progress = REQUEST_COMPLETE};
    struct reply reply;

    if (size < 3)
        return 0;
    verdict.state = (enum verdict_state)(data[0] % 3);
    verdict.reason = (enum verdict_reason)(data[1] % REASON_COUNT);
    request.endpoint = (enum endpoint)(data[2] % ENDPOINT_COUNT);
    request.head = (data[2] & 0x80) != 0;
    enum body_style style = (data[2] & 0x40) != 0 ? BODY_PERCONA : BODY_GALERA;
    snprintf(verdict.detail, sizeof verdict.detail, "%.*s", (int)(size - 3 < 255 ? size - 3 : 255),
             (const char *)data + 3);
    snprintf(state, sizeof state, "%s", verdict.detail);
    reply_format(&reply, &verdict, &request, style, (data[1] & 0x80) != 0 ? NULL : state);

    MUST(reply.length < sizeof reply.text && strlen(reply.text) == reply.length);
    const char *body = strstr(reply.text, "\r\n\r\n");
    const char *length = strstr(reply.text, "\r\nContent-Length: ");
    MUST(body != NULL && length != NULL && length < body);
    body += 4;
    if (request.head)
        MUST(*body == '\0');
    else
        MUST(strtoul(length + strlen("\r\nContent-Length: "), NULL, 10) == strlen(body));
    int lines = 0;
    for (const char *c = reply.text; *c != '\0'; c++) {
        MUST((unsigned char)*c >= 0x20 || (*c == '\r' && c[1] == '\n') || (*c == '\n' && c[-1] == '\r'));
        lines += *c == '\n';
    }
    MUST(lines == 8 + (request.head ? 0 : verdict.state == VERDICT_UP ? 1 : 2));
    return 0;
}
