/* Asking HAProxy itself whether a configuration is right. */
#ifndef HAPROXY_VALIDATE_H
#define HAPROXY_VALIDATE_H

#include <stdbool.h>

#include "error.h"
#include "settings.h"

/* `haproxy -c -f main_config -f candidate`, ended after validate_timeout. The error has what it said first. */
bool validate_config(const struct settings *settings, const char *candidate, struct error *error);

#endif
