/* The loop: the registry and HAProxy are watched, and the one is carried over to the other. */
#ifndef HAPROXY_BALANCER_H
#define HAPROXY_BALANCER_H

#include <stdbool.h>

#include "error.h"
#include "settings.h"

struct reloading {
    /* Reads the configuration again; NULL with the error set: the present one stays, and its settings stay valid. */
    struct settings *(*read)(void *context, struct error *error);
    void *context;
};

/*
 * Runs until SIGTERM or SIGINT, and leaves HAProxy as it is then. Notifies systemd. Returns false with the error set
 * when it could not begin.
 */
bool balancer_run(struct settings *settings, const struct reloading *reloading, struct error *error);

#endif
