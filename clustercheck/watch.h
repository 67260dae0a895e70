/* --watch: a line on the terminal for every change of the verdict, for people during an incident. */
#ifndef CLUSTERCHECK_WATCH_H
#define CLUSTERCHECK_WATCH_H

#include "settings.h"
#include "verdict.h"

/*
 * Prints until SIGINT or SIGTERM, or until nobody reads any more; `last` is the newest verdict then. False when it
 * could not begin.
 */
bool watch_run(const struct settings *settings, struct verdict *last, struct error *error);

#endif
