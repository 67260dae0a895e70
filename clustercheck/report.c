#include "report.h"

#include <stdio.h>
#include <string.h>

static const char *content_type(enum endpoint endpoint)
{
    return endpoint == ENDPOINT_STATUS ? "application/json" : "text/plain; version=0.0.4; charset=utf-8";
}

struct page report_page(const struct report *report, const struct request *request)
{
    static char body[REPORT_SIZE];
    static char whole[REPORT_SIZE + REPLY_SIZE];
    struct line line = LINE_IN(body);

    body[0] = '\0';
    if (request->endpoint == ENDPOINT_STATUS)
        status_format(&line, report);
    else
        metrics_format(&line, report);
    int head = snprintf(whole, sizeof whole,
                        "HTTP/1.1 200 OK\r\n"
                        "Content-Type: %s\r\n"
                        "Connection: %s\r\n"
                        "Cache-Control: no-store\r\n"
                        "Content-Length: %zu\r\n"
                        "\r\n",
                        content_type(request->endpoint), request->keep_alive ? "keep-alive" : "close", line.length);
    size_t length = (size_t)head;
    if (!request->head) {
        memcpy(whole + length, body, line.length);
        length += line.length;
    }
    return (struct page){.text = whole, .length = length, .status = 200};
}
