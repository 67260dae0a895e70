/*
 * Asks the server in a thread of its own, over one kept connection, so that a server that hangs keeps nobody else
 * waiting.
 *
 * The client library can neither be interrupted nor count less than whole seconds. So a refresh that hangs is left
 * alone for its bounded time (`timeout` rounded up to seconds for each wait; the resolver's own time where `host` is a
 * name), while the service says that the server is late; its connection is dropped then, and the next refresh begins
 * with a new one.
 *
 * One refresh at a time: ordered, run, taken. Only the caller's thread uses these functions.
 */
#ifndef CLUSTERCHECK_REFRESHER_H
#define CLUSTERCHECK_REFRESHER_H

#include <stdbool.h>
#include <stdint.h>

#include "observe.h"

/* What one refresh found. */
struct snapshot {
    struct observed observed; /* the admin's files and the siblings are not in it */
    int64_t began_ns;         /* before the server was asked */
    int64_t ended_ns;
    bool reconnected; /* the kept connection was of no use any more */
};

/* Starts the thread; signals are to be blocked before. */
bool refresher_start(struct error *error);

/* Becomes readable when a refresh has ended. */
int refresher_fd(void);

/* Begins a refresh, unless one runs. `settings` stays as it is until the refresh is taken. */
void refresher_order(const struct settings *settings);

bool refresher_runs(void);

/* The result of the refresh that has ended, the caller's until the next is taken; NULL: not yet. */
struct snapshot *refresher_take(void);

/* The next refresh begins with a new connection: the settings have changed. Only while none runs. */
void refresher_forget(void);

/* Ends the thread and closes the connection; false when it hangs and was left behind, after `wait_ms`. */
bool refresher_stop(int64_t wait_ms);

#endif
