/*
 * Asking the local server for its state, in a thread of its own: the client library may hang for longer than an entry
 * in etcd lives, and keeping that entry must not wait for it.
 */
#ifndef REGISTER_SAMPLER_H
#define REGISTER_SAMPLER_H

#include <stdbool.h>

#include "error.h"
#include "settings.h"
#include "verdict.h"

struct sampler;

/* Starts the thread. `settings` must outlive it and not change. NULL with the error set. */
struct sampler *sampler_start(const struct settings *settings, struct error *error);

/* Becomes readable when there is a verdict. */
int sampler_fd(const struct sampler *sampler);

/* The latest verdict since the last call; false when there is none. Up: the server is synced or serves a transfer. */
bool sampler_read(struct sampler *sampler, struct verdict *verdict);

/* Ends the thread; one that hangs is left behind, for a process that is about to exit. */
void sampler_stop(struct sampler *sampler);

#endif
