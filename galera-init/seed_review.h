/* A look at what was loaded: what a cluster does not do with every kind of table. */
#ifndef INIT_SEED_REVIEW_H
#define INIT_SEED_REVIEW_H

#include "node.h"

/*
 * Warns of tables that Galera does not replicate, and of an empty `database` ("": all of them are looked at). Nothing
 * depends on it, so a failure is only logged.
 */
void review_tables(struct node *node, const char *database);

#endif
