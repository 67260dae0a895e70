#include "http.h"

#include <curl/curl.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { WAIT_FDS_MOST = 8 };

struct http {
    const struct http_tls *tls;
    int wake_fd;
    CURLM *multi;
    CURL *easy;
};

struct http_stream {
    CURLM *multi;
    CURL *easy;
    struct curl_slist *headers;
    struct text buffer;
    size_t consumed; /* of the buffer: the line that was handed out last */
    bool ended;
    CURLcode code;
    char problem[CURL_ERROR_SIZE];
};

/* --- what requests and streams have in common ------------------------------------------------------------------ */

/* CURLOPT_WRITEFUNCTION: what is not taken ends the transfer with an error. */
static size_t take_body(char *bytes, size_t size, size_t count, void *context)
{
    struct text *text = context;

    text_add_bytes(text, bytes, size * count);
    return text->failed ? 0 : size * count;
}

static struct curl_slist *header_list(const struct http_request *request)
{
    /* No "Expect: 100-continue", which costs a round trip. */
    struct curl_slist *list = curl_slist_append(NULL, "Expect:");

    for (size_t i = 0; i < HTTP_HEADERS_MOST && request->header[i] != NULL && list != NULL; i++) {
        struct curl_slist *longer = curl_slist_append(list, request->header[i]);
        if (longer == NULL)
            curl_slist_free_all(list);
        list = longer;
    }
    return list;
}

static void set_tls(CURL *easy, const struct http_tls *tls)
{
    if (tls->ca != NULL) {
        curl_easy_setopt(easy, CURLOPT_CAINFO, tls->ca);
        curl_easy_setopt(easy, CURLOPT_CAPATH, NULL);
    }
    if (tls->cert != NULL)
        curl_easy_setopt(easy, CURLOPT_SSLCERT, tls->cert);
    if (tls->key != NULL)
        curl_easy_setopt(easy, CURLOPT_SSLKEY, tls->key);
}

static void set_method(CURL *easy, const struct http_request *request)
{
    static const char *const names[] = {
        [HTTP_GET] = "GET", [HTTP_POST] = "POST", [HTTP_PUT] = "PUT", [HTTP_DELETE] = "DELETE"};

    if (request->body != NULL)
        curl_easy_setopt(easy, CURLOPT_POSTFIELDS, request->body);
    else
        curl_easy_setopt(easy, CURLOPT_HTTPGET, 1L);
    curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, names[request->method]);
}

static void set_request(CURL *easy, const struct http_tls *tls, const struct http_request *request,
                        const struct curl_slist *headers, char *problem)
{
    problem[0] = '\0';
    curl_easy_setopt(easy, CURLOPT_URL, request->url);
    curl_easy_setopt(easy, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, problem);
    curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    curl_easy_setopt(easy, CURLOPT_PROXY, "");
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    /* A name server that does not answer must not hold up the end of a request (libcurl, CURLOPT_QUICK_EXIT). */
    curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L);
    curl_easy_setopt(easy, CURLOPT_TCP_KEEPALIVE, 1L);
    set_tls(easy, tls);
    set_method(easy, request);
}

/* A server that takes a connection and ends it without an answer mostly wants another kind of client. */
static const char *hint_of(CURL *easy, CURLcode code)
{
    const char *scheme = NULL;
    long connects = 0;

    curl_easy_getinfo(easy, CURLINFO_SCHEME, &scheme);
    curl_easy_getinfo(easy, CURLINFO_NUM_CONNECTS, &connects);
    if (scheme == NULL || connects == 0 ||
        (code != CURLE_GOT_NOTHING && code != CURLE_SEND_ERROR && code != CURLE_RECV_ERROR))
        return "";
    return strcasecmp(scheme, "https") == 0 ? "; does the server refuse our certificate (cert and key)?"
                                            : "; does the server expect https?";
}

static bool report(CURL *easy, CURLcode code, const char *problem, struct error *error)
{
    return error_set(error, EXIT_UNAVAILABLE, "%s%s", problem[0] != '\0' ? problem : curl_easy_strerror(code),
                     hint_of(easy, code));
}

/* --- one request, one reply ------------------------------------------------------------------------------------- */

struct http *http_open(const struct http_tls *tls, int wake_fd, struct error *error)
{
    struct http *http = NULL;

    if (curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK && (http = calloc(1, sizeof *http)) != NULL) {
        *http = (struct http){.tls = tls, .wake_fd = wake_fd, .multi = curl_multi_init(), .easy = curl_easy_init()};
        if (http->multi != NULL && http->easy != NULL)
            return http;
    }
    http_close(http);
    error_set(error, EXIT_INTERNAL, "the HTTP library cannot start: out of memory");
    return NULL;
}

void http_close(struct http *http)
{
    if (http == NULL)
        return;
    curl_easy_cleanup(http->easy);
    curl_multi_cleanup(http->multi);
    free(http);
    curl_global_cleanup();
}

void http_ignore_wake(struct http *http)
{
    http->wake_fd = -1;
}

/* CURLOPT_HEADERFUNCTION: keeps the value of the header that the request wants. */
struct header_reading {
    const char *name;
    char *value;
};

static size_t take_header(char *bytes, size_t size, size_t count, void *context)
{
    struct header_reading *reading = context;
    size_t length = size * count;
    size_t name_length = reading->name == NULL ? 0 : strlen(reading->name);

    if (name_length == 0 || length <= name_length || bytes[name_length] != ':' ||
        strncasecmp(bytes, reading->name, name_length) != 0)
        return length;
    const char *value = bytes + name_length + 1;
    const char *end = bytes + length;
    while (value < end && *value == ' ')
        value++;
    while (end > value && (end[-1] == '\r' || end[-1] == '\n' || end[-1] == ' '))
        end--;
    size_t value_length = (size_t)(end - value);
    if (value_length < HTTP_HEADER_SIZE) {
        memcpy(reading->value, value, value_length);
        reading->value[value_length] = '\0';
    }
    return length;
}

/* Runs the transfer to its end; false when the deadline passed or the wake fd became readable first. */
static bool run_to_end(struct http *http, struct deadline deadline, bool *woken, CURLcode *code)
{
    struct curl_waitfd wake = {.fd = http->wake_fd, .events = CURL_WAIT_POLLIN};
    unsigned wake_count = http->wake_fd < 0 ? 0 : 1;
    int running = 1;
    int left;

    *woken = false;
    for (;;) {
        if (curl_multi_perform(http->multi, &running) != CURLM_OK)
            return false;
        const CURLMsg *message = curl_multi_info_read(http->multi, &left);
        if (message != NULL && message->msg == CURLMSG_DONE) {
            *code = message->data.result;
            return true;
        }
        if (deadline_passed(deadline))
            return false;
        wake.revents = 0;
        curl_multi_poll(http->multi, &wake, wake_count, deadline_left_ms(deadline), NULL);
        if (wake.revents != 0) {
            *woken = true;
            return false;
        }
    }
}

/* Whether the server may have read the request when the transfer failed: it has been sent once the connection stood. */
static enum http_result failure_of(CURL *easy)
{
    curl_off_t connected_us = 0;
    long written = 0;

    curl_easy_getinfo(easy, CURLINFO_PRETRANSFER_TIME_T, &connected_us);
    curl_easy_getinfo(easy, CURLINFO_REQUEST_SIZE, &written);
    return connected_us == 0 && written == 0 ? HTTP_NOT_SENT : HTTP_NO_ANSWER;
}

static void keep_facts(CURL *easy, struct http_reply *reply)
{
    const char *address = NULL;
    long status = 0;

    curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
    reply->status = (int)status;
    if (curl_easy_getinfo(easy, CURLINFO_LOCAL_IP, &address) == CURLE_OK && address != NULL &&
        strlen(address) < sizeof reply->local_address)
        memcpy(reply->local_address, address, strlen(address) + 1);
}

enum http_result http_perform(struct http *http, const struct http_request *request, struct deadline deadline,
                              struct http_reply *reply, struct error *error)
{
    char problem[CURL_ERROR_SIZE];
    struct header_reading reading = {.name = request->wanted, .value = reply->wanted};
    struct curl_slist *headers = header_list(request);
    enum http_result result = HTTP_ANSWERED;
    CURLcode code = CURLE_OK;
    bool woken;

    *reply = (struct http_reply){.body = {.most = HTTP_BODY_MOST}};
    if (headers == NULL) {
        error_set(error, EXIT_INTERNAL, "out of memory");
        return HTTP_NOT_SENT;
    }
    curl_easy_reset(http->easy);
    set_request(http->easy, http->tls, request, headers, problem);
    curl_easy_setopt(http->easy, CURLOPT_WRITEFUNCTION, take_body);
    curl_easy_setopt(http->easy, CURLOPT_WRITEDATA, &reply->body);
    curl_easy_setopt(http->easy, CURLOPT_HEADERFUNCTION, take_header);
    curl_easy_setopt(http->easy, CURLOPT_HEADERDATA, &reading);
    /* libcurl repeats a request whose kept connection turns out to be dead; the server may have obeyed the first. */
    curl_easy_setopt(http->easy, CURLOPT_FRESH_CONNECT, request->once ? 1L : 0L);
    curl_multi_add_handle(http->multi, http->easy);
    if (!run_to_end(http, deadline, &woken, &code)) {
        result = woken ? HTTP_INTERRUPTED : failure_of(http->easy);
        error_set(error, EXIT_UNAVAILABLE, woken ? "interrupted" : "no answer in time");
    } else if (code != CURLE_OK) {
        result = failure_of(http->easy);
        report(http->easy, code, problem, error);
    }
    keep_facts(http->easy, reply);
    curl_multi_remove_handle(http->multi, http->easy);
    curl_easy_reset(http->easy); /* forgets what lives in this frame */
    curl_slist_free_all(headers);
    return result;
}

void http_reply_free(struct http_reply *reply)
{
    text_free(&reply->body);
}

/* --- streams ------------------------------------------------------------------------------------------------------ */

struct http_stream *http_stream_open(const struct http_tls *tls, const struct http_request *request,
                                     struct deadline connect_by, struct error *error)
{
    struct http_stream *stream = calloc(1, sizeof *stream);
    int left_ms = deadline_left_ms(connect_by);

    if (stream == NULL) {
        error_set(error, EXIT_INTERNAL, "out of memory");
        return NULL;
    }
    stream->buffer.most = HTTP_BODY_MOST;
    stream->multi = curl_multi_init();
    stream->easy = curl_easy_init();
    stream->headers = header_list(request);
    if (stream->multi == NULL || stream->easy == NULL || stream->headers == NULL) {
        http_stream_close(stream);
        error_set(error, EXIT_INTERNAL, "out of memory");
        return NULL;
    }
    set_request(stream->easy, tls, request, stream->headers, stream->problem);
    if (request->body != NULL)
        curl_easy_setopt(stream->easy, CURLOPT_COPYPOSTFIELDS, request->body);
    curl_easy_setopt(stream->easy, CURLOPT_CONNECTTIMEOUT_MS, (long)(left_ms > 0 ? left_ms : 1));
    curl_easy_setopt(stream->easy, CURLOPT_WRITEFUNCTION, take_body);
    curl_easy_setopt(stream->easy, CURLOPT_WRITEDATA, &stream->buffer);
    curl_multi_add_handle(stream->multi, stream->easy);
    return stream;
}

void http_stream_close(struct http_stream *stream)
{
    if (stream == NULL)
        return;
    if (stream->multi != NULL && stream->easy != NULL)
        curl_multi_remove_handle(stream->multi, stream->easy);
    curl_easy_cleanup(stream->easy);
    curl_multi_cleanup(stream->multi);
    curl_slist_free_all(stream->headers);
    text_free(&stream->buffer);
    free(stream);
}

/* Moves the transfer on without waiting. */
static void stream_drive(struct http_stream *stream)
{
    int running;
    int left;

    if (stream->ended)
        return;
    if (curl_multi_perform(stream->multi, &running) != CURLM_OK) {
        stream->ended = true;
        stream->code = CURLE_FAILED_INIT;
        return;
    }
    const CURLMsg *message = curl_multi_info_read(stream->multi, &left);
    if (message != NULL && message->msg == CURLMSG_DONE) {
        stream->ended = true;
        stream->code = message->data.result;
    }
}

static void wait_without_stream(struct pollfd *fds, size_t count, struct deadline deadline)
{
    int ready = poll(fds, (nfds_t)count, deadline_left_ms(deadline));

    for (size_t i = 0; ready < 0 && i < count; i++)
        fds[i].revents = 0;
}

void http_stream_wait(struct http_stream *stream, struct pollfd *fds, size_t count, struct deadline deadline)
{
    struct curl_waitfd extra[WAIT_FDS_MOST] = {{0}};

    if (stream == NULL) {
        wait_without_stream(fds, count, deadline);
        return;
    }
    for (size_t i = 0; i < count && i < WAIT_FDS_MOST; i++) {
        extra[i].fd = fds[i].fd;
        extra[i].events = (short)(((fds[i].events & POLLIN) != 0 ? CURL_WAIT_POLLIN : 0) |
                                  ((fds[i].events & POLLOUT) != 0 ? CURL_WAIT_POLLOUT : 0));
    }
    stream_drive(stream);
    bool ready = stream->ended || stream->buffer.length > stream->consumed;
    curl_multi_poll(stream->multi, extra, (unsigned)count, ready ? 0 : deadline_left_ms(deadline), NULL);
    for (size_t i = 0; i < count && i < WAIT_FDS_MOST; i++)
        fds[i].revents = (short)(((extra[i].revents & CURL_WAIT_POLLIN) != 0 ? POLLIN : 0) |
                                 ((extra[i].revents & CURL_WAIT_POLLOUT) != 0 ? POLLOUT : 0));
    stream_drive(stream);
}

enum http_stream_news http_stream_next(struct http_stream *stream, const char **line, size_t *length,
                                       struct error *error)
{
    stream_drive(stream);
    text_drop(&stream->buffer, stream->consumed);
    stream->consumed = 0;
    const char *start = text_string(&stream->buffer);
    const char *newline = memchr(start, '\n', stream->buffer.length);
    if (newline != NULL || (stream->ended && stream->buffer.length > 0)) {
        *line = start;
        *length = newline != NULL ? (size_t)(newline - start) : stream->buffer.length;
        stream->consumed = *length + (newline != NULL ? 1 : 0);
        return HTTP_STREAM_LINE;
    }
    if (!stream->ended)
        return HTTP_STREAM_IDLE;
    if (stream->code == CURLE_OK)
        error_set(error, EXIT_UNAVAILABLE, "the server ended the stream");
    else
        report(stream->easy, stream->code, stream->problem, error);
    return HTTP_STREAM_ENDED;
}

int http_stream_status(struct http_stream *stream)
{
    long status = 0;

    curl_easy_getinfo(stream->easy, CURLINFO_RESPONSE_CODE, &status);
    return (int)status;
}
