/* Programs that work for us: the client, a decompressor, sha256sum. None of them outlives us. */
#ifndef INIT_WORKER_H
#define INIT_WORKER_H

#include <stdbool.h>
#include <sys/types.h>

#include "error.h"
#include "fd.h"

enum { WORKER_NOT_FOUND = 127 };

struct worker {
    pid_t pid; /* 0: none, or reaped */
    const char *name;
};

/*
 * Starts argv[0], found in PATH, with these as its standard input, output and error (-1: /dev/null) and nothing else
 * open. It is killed when the calling thread ends. In a process group of its own: what a terminal sends is for us, and
 * we end it. EXIT_TRY_AGAIN when there are no processes to be had; that the program does not exist shows only when it
 * ends with WORKER_NOT_FOUND.
 */
bool worker_start(struct worker *worker, const char *const argv[], int in, int out, int err, struct error *error);

/* Waits for its end; the status is that of waitpid(2). */
int worker_wait(struct worker *worker);

/* Kills it, if it still runs. */
void worker_end(struct worker *worker);

/* Whether it ended well; else false, with `error` saying how (EXIT_TRY_AGAIN, or EXIT_CONFIG when it is not installed).
 */
bool worker_succeeded(const struct worker *worker, int status, struct error *error);

/* A pipe, close on exec. False with EXIT_TRY_AGAIN. */
bool pipe_make(int ends[2], struct error *error);

#endif
