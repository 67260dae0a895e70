/*
 * The one file that is ours: replaced as a whole, after HAProxy itself has found the new one right, so that whoever
 * starts HAProxy at any moment finds a complete and valid file. The previous one stays beside it as FILE.bak.
 */
#ifndef HAPROXY_OWNED_H
#define HAPROXY_OWNED_H

#include <stdbool.h>

#include "error.h"
#include "settings.h"
#include "text.h"

enum owned_result {
    OWNED_SAME,     /* it had this content already */
    OWNED_WRITTEN,  /* replaced; HAProxy can have the rest at run time */
    OWNED_REFRAMED, /* replaced, and something else than servers is new: HAProxy has to be restarted for that */
    OWNED_FAILED,   /* the error says why; the file is as it was */
};

enum owned_result owned_update(const struct settings *settings, const char *content, struct error *error);

bool owned_exists(const struct settings *settings);

/* Reads the file; false when there is none, or none that could be ours. */
bool owned_read(const struct settings *settings, struct text *text);

#endif
