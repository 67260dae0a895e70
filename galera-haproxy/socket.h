/*
 * HAProxy's runtime socket. One command line per connection, the reply to its end, all of it by a deadline.
 *
 * Source: HAProxy 2.6 "Management Guide", section 9.3 "Unix Socket commands".
 */
#ifndef HAPROXY_SOCKET_H
#define HAPROXY_SOCKET_H

#include <stdbool.h>
#include <stdint.h>

#include "deadline.h"
#include "error.h"
#include "text.h"
#include "view.h"

enum { SOCKET_REPLY_MOST = 4 * 1024 * 1024 };

/*
 * Sends one command line and adds the whole reply to `reply`. Fails with EXIT_UNAVAILABLE, or EXIT_PERMISSION when the
 * socket may not be opened; the error names the socket and what to do.
 */
bool socket_ask(const char *path, const char *command, struct deadline deadline, struct text *reply,
                struct error *error);

enum socket_result {
    SOCKET_DONE,
    SOCKET_REFUSED,   /* HAProxy answers, and does not do it: the error has its words; other commands may succeed */
    SOCKET_NO_ANSWER, /* it hangs, is gone, or its socket cannot be used: every other command would fail as well */
};

/* Carries out a command that changes something. Sets the error unless it is done. */
enum socket_result socket_do(const char *path, const char *command, struct deadline deadline, struct error *error);

/* Reads a whole view. `timeout_ms` for each of its few commands. */
bool socket_read_view(const char *path, int64_t timeout_ms, struct view *view, struct error *error);

/* A reply says that what was asked has been done (or was so already). */
bool socket_reply_is_success(const char *reply);

#endif
