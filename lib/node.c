#include "node.h"

#include <errno.h>
#include <mysql.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/*
 * Error numbers of the server and the client library (MariaDB and MySQL agree on them: "Server Error Message
 * Reference", "Client Error Message Reference"). The header that names them differs between the two libraries.
 */
enum {
    SERVER_TOO_MANY_CONNECTIONS = 1040,
    SERVER_ACCESS_DENIED_DATABASE = 1044,
    SERVER_ACCESS_DENIED = 1045,
    SERVER_WSREP_NOT_READY = 1047,
    SERVER_HOST_IS_BLOCKED = 1129,
    SERVER_HOST_NOT_PRIVILEGED = 1130,
    SERVER_UNKNOWN_SYSTEM_VARIABLE = 1193,
    SERVER_TOO_MANY_USER_CONNECTIONS = 1203,
    SERVER_USER_LIMIT_REACHED = 1226,
    SERVER_OLD_AUTHENTICATION = 1251,
    SERVER_ACCESS_DENIED_NO_PASSWORD = 1698,
    SERVER_PASSWORD_EXPIRED = 1820,
    SERVER_PASSWORD_EXPIRED_LOGIN = 1862,
    SERVER_ACCOUNT_LOCKED = 3118,
    SERVER_ACCOUNT_LOCKED_MARIADB = 4151,
    CLIENT_ERRORS = 2000, /* the client library's own begin here, and end before 3000 */
    CLIENT_AUTH_PLUGIN_CANNOT_LOAD = 2059,
    CLIENT_AUTH_PLUGIN_ERROR = 2061,
};

/*
 * The questions, in the order in which they are tried: a server that does not know a name, or refuses SELECT, is asked
 * with the next. wsrep_sync_wait would make SHOW wait for the apply queue (Galera documentation, wsrep_sync_wait, bit
 * 8).
 *
 * Every SHOW walks all of the server's variables, whatever its WHERE says, and SHOW GLOBAL STATUS sums up all
 * connections; a SELECT of the variables by name costs mysqld an eighth of SHOW VARIABLES (tests/bench/sqlcost).
 * MariaDB answers it even while wsrep_ready is OFF; a server that does not gives error 1047.
 */
#define NO_WAIT "SET SESSION wsrep_sync_wait=0;"
#define STATUS                                                                                                         \
    "SHOW STATUS WHERE Variable_name IN ('wsrep_local_state','wsrep_local_state_comment','wsrep_cluster_status',"      \
    "'wsrep_ready','wsrep_connected','wsrep_cluster_size','wsrep_local_index','wsrep_local_recv_queue',"               \
    "'wsrep_flow_control_paused');"
#define VARIABLES                                                                                                      \
    "SHOW GLOBAL VARIABLES WHERE Variable_name IN ('wsrep_on','wsrep_provider','wsrep_desync',"                        \
    "'wsrep_reject_queries','wsrep_sst_method','wsrep_sst_donor_rejects_queries','pxc_maint_mode','read_only','"       \
    "version')"
/* As SHOW would spell them: a boolean comes out of a SELECT as 0 or 1. */
#define MARIADB_VARIABLES                                                                                              \
    "SELECT IF(@@GLOBAL.wsrep_on,'ON','OFF') AS wsrep_on,@@GLOBAL.wsrep_provider AS wsrep_provider,"                   \
    "IF(@@GLOBAL.wsrep_desync,'ON','OFF') AS wsrep_desync,@@GLOBAL.wsrep_reject_queries AS wsrep_reject_queries,"      \
    "@@GLOBAL.wsrep_sst_method AS wsrep_sst_method,"                                                                   \
    "IF(@@GLOBAL.wsrep_sst_donor_rejects_queries,'ON','OFF') AS wsrep_sst_donor_rejects_queries,"                      \
    "IF(CONCAT(@@GLOBAL.read_only) IN ('0','OFF'),'OFF','ON') AS read_only,@@GLOBAL.version AS version"

/* Everything costs the server hardly more, as it walks all of them anyway. */
#define WHOLE_STATUS "SHOW STATUS LIKE 'wsrep\\_%';"

enum question { QUESTION_FITNESS, QUESTION_EVERYTHING, QUESTION_KINDS };

enum { FORM_MARIADB = 0, FORM_OTHERS = 1, FORMS = 3 };

static const char *const questions[QUESTION_KINDS][FORMS] = {
    [QUESTION_FITNESS] = {NO_WAIT STATUS MARIADB_VARIABLES, NO_WAIT STATUS VARIABLES, /* PXC and MySQL with wsrep */
                          STATUS VARIABLES}, /* a server that was built without wsrep */
    [QUESTION_EVERYTHING] = {NO_WAIT WHOLE_STATUS MARIADB_VARIABLES, NO_WAIT WHOLE_STATUS VARIABLES,
                             WHOLE_STATUS VARIABLES},
};

static enum node_failure failure_of(unsigned number, struct deadline deadline)
{
    switch (number) {
    case SERVER_TOO_MANY_CONNECTIONS:
    case SERVER_TOO_MANY_USER_CONNECTIONS:
    case SERVER_USER_LIMIT_REACHED:
        return NODE_TOO_MANY_CONNECTIONS;
    case SERVER_ACCESS_DENIED_DATABASE:
    case SERVER_ACCESS_DENIED:
    case SERVER_HOST_IS_BLOCKED:
    case SERVER_HOST_NOT_PRIVILEGED:
    case SERVER_OLD_AUTHENTICATION:
    case SERVER_ACCESS_DENIED_NO_PASSWORD:
    case SERVER_PASSWORD_EXPIRED:
    case SERVER_PASSWORD_EXPIRED_LOGIN:
    case SERVER_ACCOUNT_LOCKED:
    case SERVER_ACCOUNT_LOCKED_MARIADB:
    case CLIENT_AUTH_PLUGIN_CANNOT_LOAD:
    case CLIENT_AUTH_PLUGIN_ERROR:
        return NODE_ACCESS_DENIED;
    default:
        return deadline_passed(deadline) ? NODE_TIMED_OUT : NODE_CANNOT_CONNECT;
    }
}

static enum node_failure report(MYSQL *mysql, struct deadline deadline, struct error *error)
{
    error_set(error, EXIT_UNAVAILABLE, "%s (error %u)", mysql_error(mysql), mysql_errno(mysql));
    return failure_of(mysql_errno(mysql), deadline);
}

static bool wants_tls(const struct node_settings *settings)
{
    return settings->ssl_ca != NULL || settings->ssl_cert != NULL;
}

static void set_tls(MYSQL *mysql, const struct node_settings *settings)
{
    if (!wants_tls(settings))
        return;
    /* libmariadb checks against an authority that it was told of, whatever MYSQL_OPT_SSL_VERIFY_SERVER_CERT says. */
    mysql_ssl_set(mysql, settings->ssl_key, settings->ssl_cert, settings->ssl_verify ? settings->ssl_ca : NULL, NULL,
                  NULL);
#ifdef MARIADB_BASE_VERSION
    my_bool enforce = 1;
    my_bool verify = settings->ssl_verify ? 1 : 0;
    mysql_options(mysql, MYSQL_OPT_SSL_ENFORCE, &enforce);
    mysql_options(mysql, MYSQL_OPT_SSL_VERIFY_SERVER_CERT, &verify);
#else
    unsigned mode = settings->ssl_verify ? SSL_MODE_VERIFY_IDENTITY : SSL_MODE_REQUIRED;
    mysql_options(mysql, MYSQL_OPT_SSL_MODE, &mode);
#endif
}

static void set_options(MYSQL *mysql, const struct node_settings *settings, struct deadline deadline)
{
    unsigned left_ms = (unsigned)deadline_left_ms(deadline);
    unsigned seconds = left_ms / 1000 + (left_ms % 1000 == 0 && left_ms > 0 ? 0 : 1);
    unsigned no = 0;

    mysql_options(mysql, MYSQL_OPT_CONNECT_TIMEOUT, &seconds);
    mysql_options(mysql, MYSQL_OPT_READ_TIMEOUT, &seconds);
    mysql_options(mysql, MYSQL_OPT_WRITE_TIMEOUT, &seconds);
    /* Whoever answers on the server's port must not be able to ask for our files. */
    mysql_options(mysql, MYSQL_OPT_LOCAL_INFILE, &no);
    if (settings->defaults_file != NULL)
        mysql_options(mysql, MYSQL_READ_DEFAULT_FILE, settings->defaults_file);
    if (settings->defaults_file != NULL || settings->defaults_group != NULL)
        mysql_options(mysql, MYSQL_READ_DEFAULT_GROUP,
                      settings->defaults_group == NULL ? "client" : settings->defaults_group);
    set_tls(mysql, settings);
}

/* One row of SHOW is a name and its value; the one row of a SELECT has a name for each column. */
static bool take_row(MYSQL_RES *result, MYSQL_ROW row, struct facts *facts)
{
    const MYSQL_FIELD *fields = mysql_fetch_fields(result);
    unsigned count = mysql_num_fields(result);
    bool kept = true;

    if (count == 2)
        return row[0] == NULL || facts_add(facts, row[0], row[1] == NULL ? "" : row[1]);
    for (unsigned i = 0; i < count; i++)
        kept = facts_add(facts, fields[i].name, row[i] == NULL ? "" : row[i]) && kept;
    return kept;
}

/* Sends the statements and takes the rows of all their results: 0, or the error's number. */
static unsigned collect(MYSQL *mysql, const char *statements, struct facts *facts, bool *kept)
{
    int more = mysql_real_query(mysql, statements, strlen(statements));

    for (; more == 0; more = mysql_next_result(mysql)) {
        MYSQL_RES *result = mysql_use_result(mysql);
        for (MYSQL_ROW row; result != NULL && (row = mysql_fetch_row(result)) != NULL;)
            *kept = take_row(result, row, facts) && *kept;
        /* Rows that were cut off are a failure, or what is missing would count as "not applicable"; mysql_next_result
         * forgets the error. */
        unsigned number = mysql_errno(mysql);
        mysql_free_result(result);
        if (number != 0)
            return number;
    }
    return mysql_errno(mysql);
}

static enum node_failure ask_connected(MYSQL *mysql, enum question question, struct deadline deadline,
                                       struct facts *facts, struct error *error)
{
    size_t form = strstr(mysql_get_server_info(mysql), "MariaDB") == NULL ? FORM_OTHERS : FORM_MARIADB;
    bool kept = true;

    facts_clear(facts);
    unsigned number = collect(mysql, questions[question][form], facts, &kept);
    while ((number == SERVER_UNKNOWN_SYSTEM_VARIABLE || number == SERVER_WSREP_NOT_READY) && ++form < FORMS)
        number = collect(mysql, questions[question][form], facts, &kept);
    if (number != 0)
        return report(mysql, deadline, error);
    if (!kept) {
        error_set(error, EXIT_INTERNAL, "the server reports more about itself than this program can hold");
        return NODE_CANNOT_CONNECT;
    }
    return NODE_ANSWERED;
}

/* NULL leaves it to the option file. */
static const char *user_of(const struct node_settings *settings)
{
    bool from_file = settings->defaults_file != NULL || settings->defaults_group != NULL;

    return settings->user == NULL && !from_file ? NODE_DEFAULT_USER : settings->user;
}

static enum node_failure open_at(const struct node_settings *settings, const char *host, unsigned port,
                                 struct deadline deadline, MYSQL **connection, struct error *error)
{
    MYSQL *mysql = mysql_init(NULL);

    *connection = NULL;
    if (mysql == NULL) {
        error_set(error, EXIT_INTERNAL, "the client library cannot start: out of memory");
        return NODE_CANNOT_CONNECT;
    }
    set_options(mysql, settings, deadline);
    if (mysql_real_connect(mysql, host, user_of(settings), settings->password, NULL, port, settings->socket,
                           CLIENT_MULTI_STATEMENTS) == NULL) {
        enum node_failure failure = report(mysql, deadline, error);
        mysql_close(mysql);
        return failure;
    }
    /* libmariadb refuses a server without TLS only when it verifies certificates (MYSQL_OPT_SSL_ENFORCE or not). */
    if (wants_tls(settings) && mysql_get_ssl_cipher(mysql) == NULL) {
        error_set(error, EXIT_UNAVAILABLE, "the server does not offer TLS, which ssl_ca and ssl_cert ask for");
        mysql_close(mysql);
        return NODE_CANNOT_CONNECT;
    }
    *connection = mysql;
    return NODE_ANSWERED;
}

static enum node_failure open_anywhere(const struct node_settings *settings, struct deadline deadline,
                                       MYSQL **connection, struct error *error)
{
    enum node_failure failure =
        open_at(settings, settings->host, (unsigned)settings->port, deadline, connection, error);

    if (failure == NODE_TOO_MANY_CONNECTIONS && settings->extra_port != 0) {
        /* Never the Unix socket: its listener counts against max_connections. */
        const char *host =
            settings->host == NULL || strcmp(settings->host, "localhost") == 0 ? "127.0.0.1" : settings->host;
        struct error extra;
        if (open_at(settings, host, (unsigned)settings->extra_port, deadline, connection, &extra) == NODE_ANSWERED)
            return NODE_ANSWERED;
        error_context(error, "extra_port %u: %s; the usual port", (unsigned)settings->extra_port, extra.text);
    }
    return failure;
}

static enum node_failure ask_once(const struct node_settings *settings, enum question question,
                                  struct deadline deadline, struct facts *facts, struct error *error)
{
    MYSQL *mysql;
    enum node_failure failure = open_anywhere(settings, deadline, &mysql, error);

    facts_clear(facts);
    if (failure == NODE_ANSWERED) {
        failure = ask_connected(mysql, question, deadline, facts, error);
        mysql_close(mysql);
    }
    return failure;
}

enum node_failure node_ask(const struct node_settings *settings, struct deadline deadline, struct facts *facts,
                           struct error *error)
{
    return ask_once(settings, QUESTION_FITNESS, deadline, facts, error);
}

enum node_failure node_ask_everything(const struct node_settings *settings, struct deadline deadline,
                                      struct facts *facts, struct error *error)
{
    return ask_once(settings, QUESTION_EVERYTHING, deadline, facts, error);
}

struct node {
    MYSQL *mysql;
};

enum node_failure node_open(const struct node_settings *settings, struct deadline deadline, struct node **node,
                            struct error *error)
{
    *node = calloc(1, sizeof **node);
    if (*node == NULL) {
        error_set(error, EXIT_INTERNAL, "out of memory");
        return NODE_CANNOT_CONNECT;
    }
    enum node_failure failure = open_anywhere(settings, deadline, &(*node)->mysql, error);
    if (failure != NODE_ANSWERED) {
        free(*node);
        *node = NULL;
    }
    return failure;
}

enum node_failure node_ask_again(struct node *node, struct deadline deadline, struct facts *facts, struct error *error)
{
    return ask_connected(node->mysql, QUESTION_EVERYTHING, deadline, facts, error);
}

unsigned node_error_number(const struct node *node)
{
    return mysql_errno(node->mysql);
}

void node_rows_free(struct node_rows *rows)
{
    if (rows == NULL)
        return;
    for (size_t i = 0; i < rows->rows * rows->columns; i++)
        free(rows->cell[i]);
    free(rows->cell);
    rows->cell = NULL;
    rows->rows = rows->columns = 0;
}

static bool keep_cell(char **cell, const char *value)
{
    *cell = value == NULL ? NULL : strdup(value);
    return value == NULL || *cell != NULL;
}

/* False when memory runs out. */
static bool keep_rows(MYSQL_RES *result, struct node_rows *rows)
{
    node_rows_free(rows);
    rows->columns = mysql_num_fields(result);
    for (MYSQL_ROW row; (row = mysql_fetch_row(result)) != NULL;) {
        char **more = reallocarray(rows->cell, (rows->rows + 1) * rows->columns, sizeof *more);
        if (more == NULL)
            return false;
        rows->cell = more;
        memset(&more[rows->rows * rows->columns], 0, rows->columns * sizeof *more);
        rows->rows++;
        for (size_t i = 0; i < rows->columns; i++) {
            if (!keep_cell(&more[(rows->rows - 1) * rows->columns + i], row[i]))
                return false;
        }
    }
    return true;
}

enum node_failure node_query(struct node *node, const char *statements, struct node_rows *rows, struct error *error)
{
    MYSQL *mysql = node->mysql;
    int more = mysql_real_query(mysql, statements, strlen(statements));

    if (rows != NULL)
        *rows = (struct node_rows){0};
    for (; more == 0; more = mysql_next_result(mysql)) {
        MYSQL_RES *result = mysql_store_result(mysql);
        bool kept = result == NULL || rows == NULL || keep_rows(result, rows);
        unsigned number = mysql_errno(mysql);
        mysql_free_result(result);
        if (!kept) {
            error_set(error, EXIT_INTERNAL, "out of memory");
            return NODE_CANNOT_CONNECT;
        }
        if (number != 0)
            break;
    }
    if (mysql_errno(mysql) == 0)
        return NODE_ANSWERED;
    error_set(error, EXIT_UNAVAILABLE, "%s (error %u)", mysql_error(mysql), mysql_errno(mysql));
    bool lost = mysql_errno(mysql) >= CLIENT_ERRORS && mysql_errno(mysql) < CLIENT_ERRORS + 1000;
    return lost ? NODE_CANNOT_CONNECT : NODE_REFUSED;
}

bool node_quote(struct node *node, const char *text, char *literal, size_t size)
{
    size_t length = strlen(text);

    if (size < 2 * length + 3)
        return false;
    literal[0] = '\'';
    length = mysql_real_escape_string(node->mysql, literal + 1, text, length);
    literal[length + 1] = '\'';
    literal[length + 2] = '\0';
    return true;
}

void node_close(struct node *node)
{
    if (node == NULL)
        return;
    mysql_close(node->mysql);
    free(node);
}
