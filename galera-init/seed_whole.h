/*
 * Whether a dump is whole: mariadb-dump and mysqldump begin with a line that names them and end with one that says so
 * (unless they were told --skip-comments, when nothing can be known). A file that was cut off, by a full disk or a
 * broken copy, would else load without an error. Pure.
 */
#ifndef INIT_SEED_WHOLE_H
#define INIT_SEED_WHOLE_H

#include <stdbool.h>
#include <stddef.h>

enum { WHOLE_OVERLAP = 16 };

struct whole {
    size_t seen; /* bytes */
    bool begun;  /* the first line was there */
    bool ended;  /* ... and the last one */
    char overlap[WHOLE_OVERLAP];
    size_t overlap_length;
};

/* Looks at the next bytes; the first call should have the first kilobyte. */
void whole_look(struct whole *whole, const char *bytes, size_t length);

/* After the last one. */
bool whole_is(const struct whole *whole);

#endif
