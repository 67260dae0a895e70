/* Which entries of the registry are wanted. Pure. */
#ifndef DISCOVER_SELECTION_H
#define DISCOVER_SELECTION_H

#include "registry.h"

/* Lists of words with commas or blanks between them; NULL: none. */
struct selection {
    const char *exclude; /* ids that are left out */
    const char *states;  /* states that are listed; none: all */
};

bool selection_has(const struct selection *selection, const struct registry_entry *entry);

/* The wanted entries of `all` in a registry of its own, without problems; freed with registry_free. False: memory. */
bool selection_apply(const struct selection *selection, const struct registry *all, struct registry *chosen,
                     struct error *error);

#endif
