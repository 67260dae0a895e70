/* A directory for one test, programs in it that stand in for a server, and what they leave there. */
#ifndef SCRATCH_H
#define SCRATCH_H

#include <stdbool.h>
#include <stddef.h>

/* Set-up and tear-down of a test. */
int scratch_begin(void **state);
int scratch_end(void **state);

/* Of a name in it; "": of the directory itself. One of the last eight stays valid. */
const char *scratch_path(const char *name);

/* They end the test when it does not work. */
void scratch_write(const char *name, const char *text);
void scratch_directory(const char *name);

/* A shell script; `$here` is the directory in it. Returns its path. */
const char *scratch_script(const char *name, const char *body);

bool scratch_has(const char *name);

/* All of a file, NULL when there is none; valid until the next call. */
const char *scratch_read(const char *name);

/* How many descriptors this process has open. */
size_t open_descriptors(void);

/* Whether it holds before 20 s have passed. */
bool eventually(bool (*condition)(void *context), void *context);

#endif
