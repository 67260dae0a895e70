/*
 * HTTP requests that end by a deadline or when the program is told to stop, and streams that are read line by line.
 * The only module that knows the HTTP library.
 *
 * Replies are bounded in size. Proxies of the environment are not used: what this talks to is in the local network, and
 * a proxy would buffer streams. Nothing here is for use by two threads at once.
 */
#ifndef HTTP_H
#define HTTP_H

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "deadline.h"
#include "error.h"
#include "text.h"

enum { HTTP_BODY_MOST = 64 * 1024 * 1024, HTTP_ADDRESS_SIZE = 64, HTTP_HEADER_SIZE = 64, HTTP_HEADERS_MOST = 8 };

enum http_method { HTTP_GET, HTTP_POST, HTTP_PUT, HTTP_DELETE };

struct http_request {
    enum http_method method;
    const char *url;
    const char *body;                      /* NULL: none */
    const char *header[HTTP_HEADERS_MOST]; /* "Name: value", the first NULL ends them */
    const char *wanted;                    /* name of a reply header to keep, or NULL */
    bool once; /* over a connection of its own: a connection that broke is never a reason to send the request twice */
};

struct http_reply {
    int status;
    struct text body;
    char wanted[HTTP_HEADER_SIZE];         /* value of the wanted header, "" when it is not there */
    char local_address[HTTP_ADDRESS_SIZE]; /* our end of the connection */
};

enum http_result {
    HTTP_ANSWERED,
    HTTP_NOT_SENT,    /* the server has not seen the request */
    HTTP_NO_ANSWER,   /* it may have seen and obeyed it */
    HTTP_INTERRUPTED, /* the wake fd was readable; as HTTP_NO_ANSWER */
};

/* Files in PEM, NULL when not set. */
struct http_tls {
    const char *ca;
    const char *cert;
    const char *key;
};

struct http;

/*
 * Requests are given up when `wake_fd` (a signalfd; -1: none) becomes readable; it is not read here. `tls` must outlive
 * the client. NULL with the error set.
 */
struct http *http_open(const struct http_tls *tls, int wake_fd, struct error *error);
void http_close(struct http *http);

/* From here on the wake fd is ignored: for the last requests of a program that stops. */
void http_ignore_wake(struct http *http);

/* Fails with the error set (EXIT_UNAVAILABLE). `reply` is freed with http_reply_free whatever the result. */
enum http_result http_perform(struct http *http, const struct http_request *request, struct deadline deadline,
                              struct http_reply *reply, struct error *error);
void http_reply_free(struct http_reply *reply);

struct http_stream;

/* Starts a request whose reply does not end. The connection must stand by `connect_by`. NULL with the error set. */
struct http_stream *http_stream_open(const struct http_tls *tls, const struct http_request *request,
                                     struct deadline connect_by, struct error *error);
void http_stream_close(struct http_stream *stream);

/*
 * Waits until the stream may have a line, one of `fds` (at most 8; revents is filled in) is ready or the deadline has
 * passed. `stream` may be NULL.
 */
void http_stream_wait(struct http_stream *stream, struct pollfd *fds, size_t count, struct deadline deadline);

enum http_stream_news { HTTP_STREAM_LINE, HTTP_STREAM_IDLE, HTTP_STREAM_ENDED };

/*
 * The next line, without its newline, valid until the next call. At the end, what follows the last newline is a line
 * too; then HTTP_STREAM_ENDED with the error set.
 */
enum http_stream_news http_stream_next(struct http_stream *stream, const char **line, size_t *length,
                                       struct error *error);

/* 0 until the status line has come. */
int http_stream_status(struct http_stream *stream);

#endif
