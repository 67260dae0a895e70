/* A state directory for a test, and states to keep in it. */
#ifndef STATEDIR_H
#define STATEDIR_H

#include "statefile.h"

struct place_on_disk {
    char root[64];      /* exists */
    char directory[80]; /* the state directory in it; does not exist yet */
};

/* Set-up and tear-down of a test; its state is a struct place_on_disk. It fails when anything strange is left there. */
int statedir_begin(void **state);
int statedir_end(void **state);

/* Its path, until the next call. */
const char *file_in(const struct place_on_disk *disk, const char *name);

/* Every member is something else than zero. */
struct state some_state(void);
void assert_same(const struct state *a, const struct state *b);

/* They end the test when it does not work. We are n1 of cluster x. */
void must_open(struct statefile *file, const struct place_on_disk *disk, struct state *state);
void must_save(struct statefile *file, const struct state *state);

/* Makes the directory if need be. */
void write_file(const struct place_on_disk *disk, const char *name, const char *text, size_t length);

#endif
