/*
 * What a server said about itself: names and values as in SHOW STATUS and SHOW VARIABLES.
 *
 * A variable that a server does not have is absent here, which means "not applicable", never "bad".
 */
#ifndef FACTS_H
#define FACTS_H

#include <stdbool.h>
#include <stddef.h>

/* MariaDB 10.11 has 74 wsrep status variables, 2 KB of text; wsrep_incoming_addresses grows with the cluster. */
enum { FACTS_MOST = 160, FACTS_TEXT_SIZE = 16384 };

struct facts {
    struct {
        const char *name;
        const char *value;
    } row[FACTS_MOST];
    size_t count;
    char text[FACTS_TEXT_SIZE];
    size_t text_used;
};

void facts_clear(struct facts *facts);

/* Copies one pair; false when there is no room. A name that is there already is replaced. */
bool facts_add(struct facts *facts, const char *name, const char *value);

/* The value, or NULL when the server has no such variable; names are compared without regard to case. */
const char *facts_get(const struct facts *facts, const char *name);

/* True when the variable is there and its value is `word`, without regard to case. */
bool facts_is(const struct facts *facts, const char *name, const char *word);

#endif
