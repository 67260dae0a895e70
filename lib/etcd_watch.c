/* Watches: a v3 stream of JSON lines, or a v2 long poll. */
#include <stdlib.h>

#include "etcd.h"
#include "etcd_client.h"
#include "etcd_request.h"

/* A member that has lost its leader ends the stream instead of staying silent (etcd clientv3, WithRequireLeader). */
static const char require_leader[] = "Grpc-Metadata-hasleader: true";

struct etcd_watch {
    struct http_stream *stream;
    enum etcd_api api;
    char *url;
};

static struct etcd_watch *watch_start(struct etcd *etcd, const struct etcd_call *call, struct deadline deadline,
                                      struct error *error)
{
    struct http_request request = {.method = HTTP_POST};
    struct text url = {0};
    struct etcd_watch *watch = calloc(1, sizeof *watch);
    size_t headers = 0;

    if (watch == NULL) {
        error_set(error, EXIT_INTERNAL, "out of memory");
        return NULL;
    }
    watch->api = call->api;
    if (etcd_address(etcd, call, &url, &request, error)) {
        while (request.header[headers] != NULL)
            headers++;
        request.header[headers] = call->api == ETCD_V3 ? require_leader : NULL;
        watch->stream = http_stream_open(&etcd->tls, &request, deadline, error);
    }
    watch->url = url.bytes;
    if (watch->stream == NULL) {
        etcd_watch_close(watch);
        return NULL;
    }
    return watch;
}

struct etcd_watch *etcd_watch_open(struct etcd *etcd, const char *prefix, int64_t revision, struct deadline deadline,
                                   struct error *error)
{
    struct etcd_call call = {.api = ETCD_V3, .path = "/watch", .repeatable = true};
    struct etcd_watch *watch = NULL;
    struct text body = {0};

    if (etcd_prepare(etcd, deadline, error) != ETCD_OK) {
        error_context(error, "etcd %s", etcd_endpoint(etcd));
        return NULL;
    }
    etcd_write_watch(&body, prefix, revision);
    call.body = text_string(&body);
    if (body.failed)
        error_set(error, EXIT_INTERNAL, "out of memory");
    else
        watch = watch_start(etcd, &call, deadline, error);
    text_free(&body);
    return watch;
}

struct etcd_watch *etcd_v2_watch_open(struct etcd *etcd, const char *directory, int64_t index, struct deadline deadline,
                                      struct error *error)
{
    struct etcd_call call = {.api = ETCD_V2, .method = HTTP_GET, .repeatable = true};
    struct etcd_watch *watch = NULL;
    struct text path = {0};

    if (etcd_prepare(etcd, deadline, error) != ETCD_OK) {
        error_context(error, "etcd %s", etcd_endpoint(etcd));
        return NULL;
    }
    text_format(&path, "/v2/keys%s?wait=true&recursive=true&waitIndex=%lld", directory, (long long)index + 1);
    call.path = text_string(&path);
    if (path.failed)
        error_set(error, EXIT_INTERNAL, "out of memory");
    else
        watch = watch_start(etcd, &call, deadline, error);
    text_free(&path);
    return watch;
}

void etcd_watch_close(struct etcd_watch *watch)
{
    if (watch == NULL)
        return;
    http_stream_close(watch->stream);
    free(watch->url);
    free(watch);
}

void etcd_watch_wait(struct etcd_watch *watch, struct pollfd *fds, size_t count, struct deadline deadline)
{
    http_stream_wait(watch == NULL ? NULL : watch->stream, fds, count, deadline);
}

/* The answer to a long poll is one change, or an error; an empty one means nothing and is asked again. */
static enum etcd_news v2_news(struct etcd_watch *watch, const char *line, size_t length, struct error *error)
{
    if (http_stream_status(watch->stream) == 200)
        return ETCD_NEWS_EVENTS;
    etcd_v2_read_problem(http_stream_status(watch->stream), line, length, error);
    return ETCD_NEWS_ENDED;
}

static enum etcd_news v3_news(struct etcd_watch *watch, const char *line, size_t length, struct etcd_events *events,
                              struct error *error)
{
    int status = http_stream_status(watch->stream);

    if (status == 200)
        return etcd_read_watch(line, length, events, error);
    etcd_read_problem(status, line, length, error);
    return ETCD_NEWS_ENDED;
}

enum etcd_news etcd_watch_next(struct etcd_watch *watch, struct etcd_events *events, struct error *error)
{
    const char *line;
    size_t length;

    *events = (struct etcd_events){0};
    switch (http_stream_next(watch->stream, &line, &length, error)) {
    case HTTP_STREAM_LINE:
        if (length == 0)
            return ETCD_NEWS_NONE;
        return watch->api == ETCD_V2 ? v2_news(watch, line, length, error)
                                     : v3_news(watch, line, length, events, error);
    case HTTP_STREAM_IDLE:
        return ETCD_NEWS_NONE;
    case HTTP_STREAM_ENDED:
        break;
    }
    return ETCD_NEWS_ENDED;
}
