#include "admin.h"

#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "num.h"

/* "Server Error Message Reference": what an account without rights is told. */
enum {
    ACCESS_DENIED_DATABASE = 1044,
    ACCESS_DENIED = 1045,
    ACCESS_DENIED_TABLE = 1142,
    ACCESS_DENIED_PRIVILEGE = 1227,
    WSREP_NOT_READY = 1047,
    DEADLOCK = 1213,
};

/* Long enough for every password and name that the server accepts. */
enum { LITERAL_SIZE = 4096 };

const char *admin_user(const struct settings *settings, char name[ADMIN_USER_SIZE])
{
    if (settings->admin_user != NULL) {
        snprintf(name, ADMIN_USER_SIZE, "%s", settings->admin_user);
        return name;
    }
    const struct passwd *entry = getpwuid(geteuid());
    snprintf(name, ADMIN_USER_SIZE, "%s", entry == NULL ? "" : entry->pw_name);
    return name;
}

struct node *admin_open(const struct settings *settings, const char *socket, int64_t timeout_ms, struct error *error)
{
    char user[ADMIN_USER_SIZE];
    char path[4096];
    struct node *node;

    if (admin_user(settings, user)[0] == '\0') {
        error_set(error, EXIT_CONFIG, "the user that we run as has no name: set admin_user in [init]");
        return NULL;
    }
    if (socket == NULL || snprintf(path, sizeof path, "%s", socket) >= (int)sizeof path) {
        error_set(error, EXIT_CONFIG, "the Unix socket of the local server is not known");
        return NULL;
    }
    struct node_settings local = {.socket = path, .user = user};
    enum node_failure failure = node_open(&local, deadline_in_ms(timeout_ms), &node, error);
    if (failure == NODE_ANSWERED)
        return node;
    error->code = failure == NODE_ACCESS_DENIED ? EXIT_CONFIG : EXIT_TRY_AGAIN;
    error_context(error, "the local server (%s, account %s)%s", path, user,
                  failure == NODE_ACCESS_DENIED ? " needs an account for admin_user that may do all, identified via "
                                                  "unix_socket"
                                                : " cannot be reached");
    return NULL;
}

static bool explain(struct node *node, enum node_failure failure, struct error *error)
{
    unsigned number = failure == NODE_REFUSED ? node_error_number(node) : 0;

    error->code = EXIT_TRY_AGAIN;
    if (number == ACCESS_DENIED || number == ACCESS_DENIED_DATABASE || number == ACCESS_DENIED_TABLE ||
        number == ACCESS_DENIED_PRIVILEGE) {
        error->code = EXIT_CONFIG;
        return error_context(error, "admin_user has too few rights on the local server");
    }
    if (number == WSREP_NOT_READY)
        return error_context(error, "the local server is not part of a Primary Component");
    if (number == DEADLOCK)
        return error_context(error, "another node wrote the same at the same time");
    return error_context(error, "the local server");
}

bool admin_query(struct node *node, const struct text *sql, struct node_rows *rows, struct error *error)
{
    if (rows != NULL)
        *rows = (struct node_rows){0};
    if (sql->failed)
        return error_set(error, EXIT_INTERNAL, "out of memory, or a value is too long for a statement");
    enum node_failure failure = node_query(node, text_string(sql), rows, error);
    return failure == NODE_ANSWERED || explain(node, failure, error);
}

bool admin_do(struct node *node, const char *sql, struct error *error)
{
    enum node_failure failure = node_query(node, sql, NULL, error);

    return failure == NODE_ANSWERED || explain(node, failure, error);
}

bool admin_number(struct node *node, const struct text *sql, int64_t *number, struct error *error)
{
    struct node_rows rows;
    bool answered = admin_query(node, sql, &rows, error);

    *number = 0;
    if (answered && (rows.rows != 1 || rows.columns != 1))
        answered = error_set(error, EXIT_TRY_AGAIN, "the local server does not answer with one number");
    else if (answered && rows.cell[0] != NULL && !num_parse(rows.cell[0], INT64_MIN, INT64_MAX, number))
        answered = error_set(error, EXIT_TRY_AGAIN, "the local server answers %s for a number", rows.cell[0]);
    node_rows_free(&rows);
    return answered;
}

void admin_add_literal(struct node *node, struct text *sql, const char *value)
{
    char literal[LITERAL_SIZE];

    if (value == NULL)
        text_add(sql, "NULL");
    else if (node_quote(node, value, literal, sizeof literal))
        text_add(sql, literal);
    else
        sql->failed = true;
    explicit_bzero(literal, sizeof literal); /* passwords come this way */
}

void admin_add_name(struct text *sql, const char *name)
{
    text_add(sql, "`");
    for (; *name != '\0'; name++)
        text_add_bytes(sql, *name == '`' ? "``" : name, *name == '`' ? 2 : 1);
    text_add(sql, "`");
}
