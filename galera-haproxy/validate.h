/* Asking HAProxy itself whether a configuration is right. */
#ifndef HAPROXY_VALIDATE_H
#define HAPROXY_VALIDATE_H

#include <stdbool.h>

#include "error.h"

/* `haproxy -c -f main -f candidate`, ended after some seconds. The error has what it said first. */
bool validate_config(const char *haproxy, const char *main_config, const char *candidate, struct error *error);

#endif
