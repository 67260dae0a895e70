/*
 * What a server without a log file writes: passed on to our standard error as it comes, and the end of it kept, since
 * it says why the server has ended.
 */
#ifndef INIT_OUTPUT_H
#define INIT_OUTPUT_H

#include <stddef.h>
#include <stdint.h>

#include "error.h"

enum { OUTPUT_KEPT = 64 * 1024 };

/*
 * The end of a pipe for the server to write to; a thread reads the other one until the server, and whatever has
 * inherited it, is gone. What is kept begins anew. -1 with the error set.
 */
int output_open(struct error *error);

/* Waits until all that was written to the last pipe is kept: until nobody has it open any more, or so long. */
void output_settle(int64_t most_ms);

/* A copy of what is kept, terminated; the caller frees it. NULL when memory runs out. */
char *output_kept(void);

#endif
