/* The jobs of galera-discover: list the registry once, wait until it has enough entries, follow it. */
#ifndef DISCOVER_DISCOVER_H
#define DISCOVER_DISCOVER_H

#include <stdbool.h>

#include "error.h"
#include "settings.h"

struct job {
    int64_t wait_for;    /* entries that must be there first; 0: list what there is */
    bool watch;          /* go on and print every change */
    const char *command; /* --exec, NULL: print */
};

/* EXIT_YES, or the code of `error`. */
enum exit_code discover(struct settings *settings, const struct job *job, struct error *error);

#endif
