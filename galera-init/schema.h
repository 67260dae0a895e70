/* The suite's own schema in the database: galera_init.view (who is in which view) and galera_init.seed (the mark). */
#ifndef INIT_SCHEMA_H
#define INIT_SCHEMA_H

#include <stdbool.h>

#include "error.h"
#include "node.h"

#define SCHEMA_NAME "galera_init"

/*
 * Makes what is missing, and writes nothing when all is there: a statement that changes a schema stops the whole
 * cluster for a moment. False with EXIT_TRY_AGAIN.
 *
 *   view   node VARCHAR(64) PRIMARY KEY, gcomm_uuid CHAR(36), conf_id BIGINT, generation BIGINT, mark BIGINT UNSIGNED
 *   seed   one row, id = 1; see seed_mark.h
 */
bool schema_make(struct node *node, struct error *error);

#endif
