/* The loop of galera-register: signals, the local server's state and etcd, brought together. */
#ifndef REGISTER_AGENT_H
#define REGISTER_AGENT_H

#include <stdbool.h>

#include "error.h"
#include "settings.h"

/*
 * Keeps `entry` registered until a signal comes (or, with `once`, registers it and leaves it to its TTL). EXIT_YES, or
 * the code of `error`.
 */
enum exit_code agent_run(struct settings *settings, struct registry_entry *entry, bool once, struct error *error);

#endif
