/*
 * Running a command for every change, with the list on its standard input and GALERA_* in its environment. Never two at
 * once: what changes while it runs makes it run once more afterwards. A command that fails is reported and run again,
 * later each time, always with the newest list; one that does not end is ended.
 */
#ifndef DISCOVER_RUNNER_H
#define DISCOVER_RUNNER_H

#include <stdbool.h>
#include <sys/types.h>

#include "backoff.h"
#include "deadline.h"
#include "formats.h"
#include "registry.h"
#include "text.h"

struct runner {
    const char *command; /* for /bin/sh -c */
    int64_t timeout_ms;
    struct text input; /* the newest list */
    struct text variable[VARIABLES];
    bool pending; /* the newest list has not been delivered */
    bool failing;
    pid_t pid;                /* 0: not running */
    bool ended;               /* told to end */
    struct deadline end_at;   /* while it runs: when it is told to end, and then when it is killed */
    struct deadline retry_at; /* while pending: not before */
    struct backoff backoff;
};

void runner_init(struct runner *runner, const char *command, int64_t timeout_ms);

/* Takes the newest list; runner_step runs the command. */
void runner_submit(struct runner *runner, const struct text *list, const struct registry *registry);

/* Starts, reaps and ends the command as is due: after SIGCHLD, and when runner_wake has passed. */
void runner_step(struct runner *runner);

/* When the next step is due; never later than `latest`. */
struct deadline runner_wake(const struct runner *runner, struct deadline latest);

/* Ends a command that runs, with force after two seconds, and frees the rest. */
void runner_stop(struct runner *runner);

#endif
