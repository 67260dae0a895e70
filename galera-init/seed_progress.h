/* How far a load is, in words: on a terminal a bar that is drawn anew, else a line of the log from time to time. */
#ifndef INIT_SEED_PROGRESS_H
#define INIT_SEED_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

#include "deadline.h"

enum { PROGRESS_LINE_SIZE = 160, PROGRESS_LOG_MS = 10000, PROGRESS_BAR_MS = 250 };

struct progress {
    int64_t total; /* bytes */
    int64_t done;  /* bytes */
    int64_t spent_ms;
};

/* "42%, 126.0 of 300.0 MiB, 12.5 MiB/s, 14s left"; returns `line`. */
const char *progress_words(const struct progress *progress, char line[PROGRESS_LINE_SIZE]);

/*
 * "[########------------] 42%, ..", which is drawn over in place and so must fit into one line of a terminal that has
 * so many columns: the bar gets shorter, then is left out.
 */
const char *progress_bar(const struct progress *progress, int columns, char line[PROGRESS_LINE_SIZE]);

/* Telling it. */
struct teller {
    const char *what; /* "loading shop" */
    int64_t start_ns;
    bool terminal;
    bool drawn;
    struct deadline next;
};

void teller_start(struct teller *teller, const char *what);

/* Says how far it is, when that is due. */
void teller_tell(struct teller *teller, int64_t done, int64_t total);

/* Removes the bar. */
void teller_end(struct teller *teller);

#endif
