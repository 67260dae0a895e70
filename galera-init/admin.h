/* Statements with all rights on the local server: through its Unix socket, without a password. */
#ifndef INIT_ADMIN_H
#define INIT_ADMIN_H

#include <stdbool.h>
#include <stdint.h>

#include "error.h"
#include "node.h"
#include "settings.h"
#include "text.h"

enum { ADMIN_USER_SIZE = 256 };

/* [init] admin_user, else the name of the user that we run as; returns `name`. "" when that has no name. */
const char *admin_user(const struct settings *settings, char name[ADMIN_USER_SIZE]);

/* Every statement may take `timeout_ms`. NULL with EXIT_TRY_AGAIN, or EXIT_CONFIG when the server refuses us. */
struct node *admin_open(const struct settings *settings, const char *socket, int64_t timeout_ms, struct error *error);

/*
 * Runs statements, and keeps the rows of the last one that has any (`rows` may be NULL; node_rows_free). False with
 * EXIT_TRY_AGAIN, or EXIT_CONFIG when we may not. `sql->failed` is an error, so a caller need not look at it.
 */
bool admin_query(struct node *node, const struct text *sql, struct node_rows *rows, struct error *error);

/* The same, without rows, for a text that is a constant. */
bool admin_do(struct node *node, const char *sql, struct error *error);

/* The one number that a statement returns; SQL's NULL counts as 0. */
bool admin_number(struct node *node, const struct text *sql, int64_t *number, struct error *error);

/* Adds a value as a string literal, NULL as NULL; and a name in backticks. */
void admin_add_literal(struct node *node, struct text *sql, const char *value);
void admin_add_name(struct text *sql, const char *name);

#endif
