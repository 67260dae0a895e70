/*
 * Processes that galera-init starts: the server, and programs that run to their end.
 *
 * A child waits between fork and exec until it is released, so that its pid can be on disk before it does anything;
 * when we die in between, it ends as well. A program that cannot be executed is an error here and not an exit status.
 */
#ifndef INIT_CHILD_H
#define INIT_CHILD_H

#include <stdbool.h>
#include <sys/types.h>

#include "deadline.h"
#include "error.h"

struct child {
    pid_t pid;     /* 0: none */
    int go_fd;     /* closing it without a byte ends the child */
    int result_fd; /* errno of a failed exec */
};

/* stdin is /dev/null; `out_fd` becomes stdout and stderr (-1: ours stay). Leads a process group of its own. */
bool child_fork(struct child *child, const char *const *argv, int out_fd, struct error *error);

/* Lets it go on to exec. False with the error set when the program cannot be executed; the child is gone then. */
bool child_release(struct child *child, const char *program, struct error *error);

/* Instead of releasing it. */
void child_abandon(struct child *child);

enum child_end {
    CHILD_EXITED,      /* `status` is that of waitpid(2) */
    CHILD_INTERRUPTED, /* `wake_fd` became readable; the child was ended */
    CHILD_LATE,        /* so was it at the deadline */
    CHILD_FAILED,      /* it could not be started: the error is set */
};

/* Runs a program to its end. `wake_fd`: a signalfd that is not read here, or -1. */
enum child_end child_run(const char *const *argv, int out_fd, int wake_fd, struct deadline deadline, int *status,
                         struct error *error);

/* Called several times a second while child_run waits: for signs of life. */
void child_set_tick(void (*call)(void *context), void *context);

/* The same from a wait of another kind. */
void child_tick(void);

/* "exit code 1", "signal 9 (Killed)"; returns text. */
const char *child_status_text(int status, char *text, size_t size);

/* The field starttime of /proc/PID/stat (clock ticks since boot; proc(5)), which together with the pid names a process.
 * 0: there is no such process, or only its zombie. */
int64_t process_start_time(pid_t pid);

#endif
