/* What ends by itself: --once, --dry-run and --status. */
#ifndef HAPROXY_SINGLE_H
#define HAPROXY_SINGLE_H

#include <stdbool.h>

#include "error.h"
#include "settings.h"

/* Carries rounds out until HAProxy has what is wanted. EXIT_NO when that takes too long or the registry is empty. */
bool single_once(struct settings *settings, struct error *error);

/* Prints the steps of the first round and does nothing. */
bool single_dry_run(struct settings *settings, struct error *error);

/* Prints the table, or JSON. EXIT_NO when HAProxy does not have what is wanted, EXIT_UNKNOWN when that is not known. */
bool single_status(struct settings *settings, bool json, struct error *error);

#endif
