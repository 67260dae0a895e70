/*
 * The resident service: standard input is a listening socket (xinetd `wait = yes`, systemd `Accept=no`), and one
 * process answers everybody who connects to it, from what a thread of its own learns of the server.
 */
#ifndef CLUSTERCHECK_RESIDENT_H
#define CLUSTERCHECK_RESIDENT_H

#include <stdbool.h>

#include "configure.h"

/*
 * Serves until nobody has asked for `idle_exit`, or a signal says to end, and gives the socket back: whoever connects
 * meanwhile stands in its queue. SIGHUP reads the configuration again. Returns the exit code.
 */
int resident_run(const struct sources *sources, struct config *config, struct settings *settings, bool agent,
                 struct error *error);

#endif
