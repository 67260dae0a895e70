/* What the client says when a statement fails, and what to do about it. Pure. */
#ifndef INIT_SEED_FAILURE_H
#define INIT_SEED_FAILURE_H

#include "error.h"

/*
 * `words`: the end of what the client wrote to its standard error. Sets `error` to the client's own words, with the
 * line, and the remedy. EXIT_TRY_AGAIN when the same may work later, EXIT_CONFIG when the file or the account has to be
 * changed first. Always returns false.
 */
bool failure_explain(const char *words, const char *file, struct error *error);

#endif
