/* Feeding a file of statements to the local server, through the mariadb client. */
#ifndef INIT_SEED_LOAD_H
#define INIT_SEED_LOAD_H

#include <stdbool.h>

#include "error.h"
#include "seed.h"
#include "seed_dump.h"

/*
 * Held by the session of a client as long as its server works for it, which may be longer than the client lives. Locks
 * by this name are the server's own (GET_LOCK), not the cluster's.
 */
#define LOAD_LOCK "galera_init.load"

struct load {
    const struct seed_job *job;
    const struct dump *dump;
    const char *database; /* to begin in; "": none */
    const char *what;     /* "loading shop", for the progress */
    int wake_fd;          /* gives up when it becomes readable; nothing is read from it */
    /* Asked every second: false with the error set ends the load. */
    bool (*may_go_on)(void *context, struct error *error);
    void *context;
};

/*
 * Runs all statements, and stops at the first that fails. False with EXIT_TRY_AGAIN or EXIT_CONFIG; the client has
 * ended then, but its server may still be at work on its last statement.
 */
bool load_run(const struct load *load, struct error *error);

#endif
