/*
 * Who is accounted for: of every node that may hold data, does somebody vouch that its server is stopped?
 */
#ifndef GALERA_INIT_TALLY_H
#define GALERA_INIT_TALLY_H

#include "situation.h"

struct tally {
    nodes_t expected; /* all nodes that may hold data of this cluster */
    nodes_t attested; /* stopped, by their own word, in this epoch */
    nodes_t lost;     /* stopped, by an operator's word, given after all others had been accounted for */
    nodes_t idle;     /* run without a Primary Component, and answered so just now */
    nodes_t late;     /* an operator's word that came too early to count: see decide.h, rule 7 */
    nodes_t missing;  /* none of these */
    int registered;   /* expected nodes that have a record */
    int size;         /* how many there should be, by the largest number that anybody expects */
};

struct tally tally_take(const struct situation *situation);

/* Everybody has registered and is accounted for. */
bool tally_is_complete(const struct tally *tally);

/* The names of the set's nodes with `between` between them, in `text`; returns text. */
const char *nodes_text(const struct situation *situation, nodes_t nodes, const char *between, char *text, size_t size);

int nodes_count(nodes_t nodes);

/* The lowest-named node of a set that is not empty. */
size_t nodes_first(nodes_t nodes);

#endif
