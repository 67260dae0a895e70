/*
 * The connections of the resident service: read a request, answer it as soon as the truth is known, close or keep.
 *
 * None of them can hold up the others: nothing here blocks, a connection that has nothing to say costs a table entry,
 * and each is bounded in bytes (REQUEST_SIZE_MOST) and in time (request_wait, half of `timeout` for the request,
 * `timeout` for the answer, keep_alive between two requests). When the table or the process's file descriptors are
 * full, the connection that has been waiting for its client for long is answered and closed to make room; if all wait
 * for the server, a new client gets its 503 at once.
 */
#ifndef CLUSTERCHECK_CLIENTS_H
#define CLUSTERCHECK_CLIENTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "error.h"
#include "figures.h"
#include "settings.h"

/* `epoll` is where connections are watched; clients_event gets the events' data.u64, which is never above CLIENTS_IDS.
 */
bool clients_open(int epoll, const struct settings *settings, bool agent, struct figures *figures, struct error *error);

#define CLIENTS_IDS (UINT64_MAX >> 1)

void clients_configure(const struct settings *settings);

/* Takes what stands in the listener's queue, up to a bound, and answers what can be answered at once. */
void clients_accept(int listener, int64_t now_ns);

void clients_event(uint64_t id, int64_t now_ns);

/* Answers all who wait for the server: what they are told is known now. */
void clients_answer_waiting(int64_t now_ns);

/* Ends the patience that is used up; returns when to call again, INT64_MAX without clients. */
int64_t clients_expire(int64_t now_ns);

size_t clients_waiting(void);

/* No connection is kept any longer, those that are between two requests end now. */
void clients_drain(void);

void clients_close(void);

#endif
