#include "seed_failure.h"

#include <stdio.h>
#include <string.h>

#include "num.h"

enum { WORDS_SIZE = 600, NUMBER_SIZE = 8 };

struct row {
    int number;          /* "Server Error Message Reference"; 0: any */
    const char *pattern; /* also in the words; NULL: any */
    enum exit_code code;
    const char *remedy;
};

static const struct row rows[] = {
    /* The disk. */
    {0, "No space left", EXIT_TRY_AGAIN, "a disk of the server is full (datadir or tmpdir): make room on every node"},
    {0, "errno: 28", EXIT_TRY_AGAIN, "a disk of the server is full (datadir or tmpdir): make room on every node"},
    {0, "error 28", EXIT_TRY_AGAIN, "a disk of the server is full (datadir or tmpdir): make room on every node"},
    {1021, NULL, EXIT_TRY_AGAIN, "a disk of the server is full (datadir or tmpdir): make room on every node"},
    {1114, NULL, EXIT_TRY_AGAIN,
     "a disk of the server is full, or innodb_data_file_path has an end: make room on every node"},
    /* Sizes. */
    {0, "writeset", EXIT_TRY_AGAIN,
     "one transaction is larger than wsrep_max_ws_size: raise it on every node, or dump with smaller transactions "
     "(mariadb-dump with --skip-opt, or a smaller --net-buffer-length)"},
    {0, "Message too long", EXIT_TRY_AGAIN,
     "one transaction is larger than wsrep_max_ws_size: raise it on every node, or dump with smaller transactions"},
    {1153, NULL, EXIT_TRY_AGAIN, "a statement is larger than max_allowed_packet: raise it on every node"},
    {2006, NULL, EXIT_TRY_AGAIN,
     "the server ended, or it closed the session because a statement is larger than its max_allowed_packet: its error "
     "log "
     "tells which; raise max_allowed_packet on every node"},
    {2013, NULL, EXIT_TRY_AGAIN,
     "the server ended, or it closed the session because a statement is larger than its max_allowed_packet: its error "
     "log "
     "tells which; raise max_allowed_packet on every node"},
    {2020, NULL, EXIT_TRY_AGAIN, "a statement is larger than 1 GiB: dump with a smaller --net-buffer-length"},
    /* The cluster, and who else is at work. */
    {1047, NULL, EXIT_TRY_AGAIN, "the node lost the Primary Component"},
    {1213, NULL, EXIT_TRY_AGAIN, "somebody else writes to the same database: keep clients away until it is loaded"},
    {1205, NULL, EXIT_TRY_AGAIN,
     "somebody else holds locks in the same database: keep clients away until it is loaded"},
    {1040, NULL, EXIT_TRY_AGAIN, "all connections of the server are taken"},
    {1290, NULL, EXIT_TRY_AGAIN, "the server is read-only, or has an option that forbids the statement"},
    {1644, "galera-init:", EXIT_TRY_AGAIN, "what an earlier load began on this server has not ended yet"},
    {2002, NULL, EXIT_TRY_AGAIN, "the server is not there"},
    {1180, NULL, EXIT_TRY_AGAIN, "the cluster did not take the transaction"},
    /* Rights. */
    {1044, NULL, EXIT_CONFIG, "admin_user needs all rights"},
    {1045, NULL, EXIT_CONFIG, "admin_user must be an account identified via unix_socket"},
    {1698, NULL, EXIT_CONFIG, "admin_user must be an account identified via unix_socket"},
    {1142, NULL, EXIT_CONFIG, "admin_user needs all rights"},
    {1227, NULL, EXIT_CONFIG, "admin_user needs all rights (a DEFINER in the dump asks for SUPER or SET USER)"},
    /* The file. */
    {1064, NULL, EXIT_CONFIG, "that is no SQL that this server understands: is it the right file, and whole?"},
    {1273, NULL, EXIT_CONFIG,
     "the dump is from a newer server: replace the collation in it (utf8mb4_0900_ai_ci of MySQL 8 by "
     "utf8mb4_unicode_ci)"},
    {1115, NULL, EXIT_CONFIG, "the dump is from another kind of server, and names a character set that this one lacks"},
    {1193, NULL, EXIT_CONFIG, "the dump is from another kind of server, and sets a variable that this one lacks"},
    {1046, NULL, EXIT_CONFIG, "the dump names no database: set seed_database"},
    {1049, NULL, EXIT_CONFIG,
     "the dump uses a database that it does not make: set seed_database, or add CREATE DATABASE"},
    {1050, NULL, EXIT_CONFIG,
     "there is such a table already: without seed_database a dump that is loaded again must have DROP TABLE "
     "(mariadb-dump "
     "--add-drop-table)"},
};

enum { ROWS = sizeof rows / sizeof rows[0] };

/* The last "ERROR .." that begins a line: before it the client repeats the statement, which may be of any size. */
static const char *find_error(const char *words)
{
    const char *found = NULL;

    for (const char *line = words; line != NULL; line = strchr(line, '\n')) {
        line += *line == '\n' ? 1 : 0;
        if (strncmp(line, "ERROR", 5) == 0)
            found = line;
    }
    return found;
}

/* Of "ERROR 1064 (42000) at line 3: ..". */
static int64_t read_number(const char *words)
{
    char digits[NUMBER_SIZE] = "";
    int64_t number = 0;

    if (strncmp(words, "ERROR ", 6) != 0)
        return 0;
    size_t length = strspn(words + 6, "0123456789");
    if (length < sizeof digits)
        snprintf(digits, sizeof digits, "%.*s", (int)length, words + 6);
    return num_parse(digits, 0, 1000000, &number) ? number : 0;
}

static const struct row *find_row(const char *words)
{
    int64_t number = read_number(words);

    for (int i = 0; i < ROWS; i++) {
        if ((rows[i].number == 0 || rows[i].number == number) &&
            (rows[i].pattern == NULL || strcasestr(words, rows[i].pattern) != NULL))
            return &rows[i];
    }
    return NULL;
}

bool failure_explain(const char *words, const char *file, struct error *error)
{
    const char *found = find_error(words);
    char said[WORDS_SIZE];

    snprintf(said, sizeof said, "%s", found != NULL ? found : words);
    size_t length = strlen(said);
    while (length > 0 && (said[length - 1] == '\n' || said[length - 1] == '\r'))
        said[--length] = '\0';
    if (length == 0)
        return error_set(error, EXIT_TRY_AGAIN, "%s: the client ended without saying why", file);
    const struct row *row = find_row(said);
    if (row == NULL)
        return error_set(error, EXIT_CONFIG, "%s: %s", file, said);
    return error_set(error, row->code, "%s: %s: %s", file, said, row->remedy);
}
