/* Passwords: read from files, and wiped where others could see them. */
#ifndef SECRET_H
#define SECRET_H

#include <stdbool.h>

#include "error.h"

/*
 * The first line of the file, without its newline, in `*secret`, which the caller frees; it replaces (and frees)
 * what was there. Mentions a file that every user may read, at level info: a check a second must not fill the log.
 * EXIT_CONFIG when it cannot be read, is empty or too long.
 */
bool secret_read(const char *path, char **secret, struct error *error);

/* Overwrites an argv element in place, so that ps(1) does not show it. */
void secret_wipe(char *argument);

#endif
