/*
 * The forms in which the registry is printed. Pure. Every value has been checked by lib/registry.h, so nothing here can
 * break out of its line.
 */
#ifndef DISCOVER_FORMATS_H
#define DISCOVER_FORMATS_H

#include <stdint.h>

#include "registry.h"
#include "text.h"

enum format {
    FORMAT_TABLE,
    FORMAT_GCOMM,   /* gcomm://10.0.0.5,10.0.0.6: a value for wsrep_cluster_address */
    FORMAT_HOSTS,   /* lines of /etc/hosts: address, host name, id */
    FORMAT_HAPROXY, /* server lines */
    FORMAT_JSON,    /* one object on one line */
    FORMAT_ENV,     /* assignments for a shell */
};

/*
 * Adds the whole listing, which ends with a newline. An empty registry gives nothing but for json and env: "gcomm://"
 * alone would make a node form a new cluster.
 */
void format_registry(struct text *text, enum format format, const struct registry *registry, int64_t revision);

/* Variables of FORMAT_ENV, which --exec passes too. */
enum variable { VARIABLE_COUNT, VARIABLE_IDS, VARIABLE_IPS, VARIABLE_ADDRESSES, VARIABLE_GCOMM, VARIABLES };

const char *variable_name(enum variable variable);
void variable_value(struct text *text, enum variable variable, const struct registry *registry);

#endif
