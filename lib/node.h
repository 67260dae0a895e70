/*
 * Asking a MySQL or MariaDB server what it knows about itself. The only module that knows the client library.
 */
#ifndef NODE_H
#define NODE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "config.h"
#include "deadline.h"
#include "error.h"
#include "facts.h"

/* Section [mysql]. Strings may be NULL: not set. */
struct node_settings {
    char *host;
    int64_t port; /* 0: the option file's, else the client library's default */
    char *socket;
    char *user;
    char *password;
    char *password_file;
    char *defaults_file;
    char *defaults_group;
    char *ssl_ca;
    char *ssl_cert;
    char *ssl_key;
    bool ssl_verify;
    int64_t extra_port; /* 0: none */
};

/* Without a user in the settings, and without an option file. */
#define NODE_DEFAULT_USER "clustercheck"

extern const struct config_key node_keys[];
extern const size_t node_key_count;

/* Why a server could not be asked. */
enum node_failure {
    NODE_ANSWERED,             /* no failure */
    NODE_CANNOT_CONNECT,       /* nobody listens, the connection broke, TLS failed, no MySQL there */
    NODE_ACCESS_DENIED,        /* a server is there and refuses our account */
    NODE_TOO_MANY_CONNECTIONS, /* error 1040, and extra_port did not help */
    NODE_TIMED_OUT,
    NODE_REFUSED, /* node_query: the server does not accept a statement */
};

/*
 * Replaces `password` by the first line of password_file, where that is set, unless a password comes from a source
 * that is as strong. A file that cannot be read is EXIT_CONFIG.
 */
bool node_read_password(struct config *config, struct node_settings *settings, struct error *error);

/*
 * One connection, one round trip of queries: fills `facts` with the wsrep status variables and the system variables
 * that decide a node's fitness. Fails with `error` saying which server and why.
 *
 * The client library counts its timeouts in whole seconds, so this may take up to a second more than `deadline`;
 * a caller with less patience needs a watchdog.
 */
enum node_failure node_ask(const struct node_settings *settings, struct deadline deadline, struct facts *facts,
                           struct error *error);

/* The same with every wsrep status variable, which costs the server a tenth more. */
enum node_failure node_ask_everything(const struct node_settings *settings, struct deadline deadline,
                                      struct facts *facts, struct error *error);

/* A connection that is kept between questions. */
struct node;

/* Connects; `*node` is set when that is NODE_ANSWERED, and NULL otherwise. The deadline is as loose as that of
 * node_ask. */
enum node_failure node_open(const struct node_settings *settings, struct deadline deadline, struct node **node,
                            struct error *error);

/*
 * Asks for everything over the connection. After a failure the connection is of no more use; whether the server is, a
 * new one tells. Every wait for the server takes at most the time that node_open had, in whole seconds.
 */
enum node_failure node_ask_again(struct node *node, struct deadline deadline, struct facts *facts, struct error *error);

/* What statements returned: a table of texts, NULL for SQL's NULL. */
struct node_rows {
    size_t rows, columns;
    char **cell; /* cell[row * columns + column] */
};

/*
 * Statements with ';' between them; the rows of the last one that returns any are kept. `rows` may be NULL; free it
 * with node_rows_free whatever the result. A statement that the server refuses is NODE_REFUSED, and node_error_number()
 * tells its error number; the connection is good for more then.
 */
enum node_failure node_query(struct node *node, const char *statements, struct node_rows *rows, struct error *error);
void node_rows_free(struct node_rows *rows);
unsigned node_error_number(const struct node *node);

/* `text` as a string literal of SQL, quotes included, in `literal`; false when it does not fit. */
bool node_quote(struct node *node, const char *text, char *literal, size_t size);

/* Closes and frees; NULL is nothing. */
void node_close(struct node *node);

#endif
