#include "seed_mark.h"

#include <stdio.h>
#include <string.h>
#include <sys/random.h>

#include "admin.h"
#include "schema.h"

#define TABLE    "`" SCHEMA_NAME "`.`seed`"
#define NOT_OURS "NOT IN ('mysql', 'sys', 'information_schema', 'performance_schema', '" SCHEMA_NAME "')"

enum { COLUMN_STATE, COLUMN_SHA256, COLUMN_DATABASE, COLUMN_NODE, COLUMN_LOADER, COLUMN_USERS, COLUMNS };

bool mark_new_loader(char loader[MARK_LOADER_SIZE], struct error *error)
{
    unsigned char bytes[(MARK_LOADER_SIZE - 1) / 2];

    if (getrandom(bytes, sizeof bytes, 0) != (ssize_t)sizeof bytes)
        return error_set(error, EXIT_INTERNAL, "no random bytes");
    for (size_t i = 0; i < sizeof bytes; i++)
        snprintf(&loader[2 * i], 3, "%02x", bytes[i]);
    return true;
}

static bool take_state(const char *cell, enum mark_state *state)
{
    if (cell == NULL)
        *state = MARK_NONE;
    else if (strcmp(cell, "loading") == 0)
        *state = MARK_LOADING;
    else if (strcmp(cell, "done") == 0)
        *state = MARK_DONE;
    else
        return false;
    return true;
}

/* SQL's NULL becomes "". */
static bool take_text(const char *cell, char *text, size_t size)
{
    return snprintf(text, size, "%s", cell == NULL ? "" : cell) < (int)size;
}

static bool take_row(char *const *cell, struct seed_mark *mark, struct error *error)
{
    mark->users_done = cell[COLUMN_USERS] != NULL;
    if (take_state(cell[COLUMN_STATE], &mark->state) &&
        take_text(cell[COLUMN_SHA256], mark->sha256, sizeof mark->sha256) &&
        take_text(cell[COLUMN_DATABASE], mark->database, sizeof mark->database) &&
        take_text(cell[COLUMN_NODE], mark->node, sizeof mark->node) &&
        take_text(cell[COLUMN_LOADER], mark->loader, sizeof mark->loader) &&
        take_text(cell[COLUMN_USERS], mark->users_sha256, sizeof mark->users_sha256))
        return true;
    return error_set(error, EXIT_TRY_AGAIN,
                     "the row of " SCHEMA_NAME
                     ".seed makes no sense (state must be NULL, 'loading' or 'done'); repair it");
}

bool mark_read(struct node *node, struct seed_mark *mark, struct error *error)
{
    struct text sql = {0};
    struct node_rows rows;

    *mark = (struct seed_mark){0};
    text_add(&sql, "SELECT state, sha256, `database`, node, loader, users_sha256 FROM " TABLE " WHERE id = 1");
    bool done = admin_query(node, &sql, &rows, error);
    if (done && (rows.rows != 1 || rows.columns != COLUMNS))
        done = error_set(error, EXIT_TRY_AGAIN, "the row of " SCHEMA_NAME ".seed is missing");
    done = done && take_row(rows.cell, mark, error);
    node_rows_free(&rows);
    text_free(&sql);
    return done;
}

static void add_count(struct node *node, struct text *sql, const char *table, const char *column, const char *database)
{
    text_format(sql, "(SELECT COUNT(*) FROM information_schema.%s WHERE %s ", table, column);
    if (database[0] == '\0') {
        text_add(sql, NOT_OURS ")");
        return;
    }
    text_add(sql, "= ");
    admin_add_literal(node, sql, database);
    text_add(sql, ")");
}

bool mark_find_tables(struct node *node, const char *database, bool *found, struct error *error)
{
    struct text sql = {0};
    int64_t count = 0;

    text_add(&sql, "SELECT ");
    add_count(node, &sql, "tables", "table_schema", database); /* views and sequences too */
    text_add(&sql, " + ");
    add_count(node, &sql, "routines", "routine_schema", database);
    text_add(&sql, " + ");
    add_count(node, &sql, "events", "event_schema", database);
    bool answered = admin_number(node, &sql, &count, error);
    *found = count > 0;
    text_free(&sql);
    return answered;
}

static void add_mark(struct node *node, struct text *sql, const struct seed_mark *mark)
{
    static const char made_with[] =
        ", made_with = COALESCE((SELECT CONCAT('CHARACTER SET ', default_character_set_name, ' COLLATE ', "
        "default_collation_name) FROM information_schema.schemata WHERE schema_name = ";

    text_add(sql, "sha256 = ");
    admin_add_literal(node, sql, mark->sha256);
    text_add(sql, ", `database` = ");
    admin_add_literal(node, sql, mark->database);
    text_add(sql, ", node = ");
    admin_add_literal(node, sql, mark->node);
    text_add(sql, ", loader = ");
    admin_add_literal(node, sql, mark->loader);
    text_add(sql, made_with);
    admin_add_literal(node, sql, mark->database);
    text_add(sql, "), made_with)");
}

/* An UPDATE of the one row, and whether it was the one that it was meant for. */
static bool update(struct node *node, struct text *sql, const char *problem, struct error *error)
{
    int64_t changed = 0;

    text_add(sql, "; SELECT ROW_COUNT()");
    bool done = admin_number(node, sql, &changed, error);
    text_free(sql);
    return done && (changed == 1 || error_set(error, EXIT_TRY_AGAIN, "%s", problem));
}

bool mark_take(struct node *node, const struct seed_mark *now, const struct seed_mark *next, struct error *error)
{
    struct text sql = {0};

    text_add(&sql, "UPDATE " TABLE " SET state = 'loading', ");
    add_mark(node, &sql, next);
    text_add(&sql, " WHERE id = 1 AND state <=> ");
    admin_add_literal(node, &sql, now->state == MARK_NONE ? NULL : "loading");
    text_add(&sql, " AND COALESCE(loader, '') = ");
    admin_add_literal(node, &sql, now->loader);
    return update(node, &sql, "somebody else has begun to load the database at the same time", error) ||
           error_context(error, "cannot set the mark in " SCHEMA_NAME ".seed");
}

bool mark_finish(struct node *node, const struct seed_mark *mark, struct error *error)
{
    struct text sql = {0};

    text_add(&sql, "UPDATE " TABLE " SET state = 'done' WHERE id = 1 AND state = 'loading' AND loader = ");
    admin_add_literal(node, &sql, mark->loader);
    return update(node, &sql, "somebody else has taken over and loads it again", error) ||
           error_context(error, "the database is loaded, but cannot be marked so in " SCHEMA_NAME ".seed");
}

bool mark_users(struct node *node, const char *sha256, struct error *error)
{
    struct text sql = {0};

    text_add(&sql, "UPDATE " TABLE " SET users_sha256 = ");
    admin_add_literal(node, &sql, sha256);
    text_add(&sql, " WHERE id = 1");
    bool done = admin_query(node, &sql, NULL, error);
    text_free(&sql);
    return done || error_context(error, "cannot note in " SCHEMA_NAME ".seed that users_sql was run");
}

bool mark_stands(struct node *node, const struct seed_mark *mark, bool *stands, struct error *error)
{
    struct seed_mark now;
    bool answered = mark_read(node, &now, error);

    *stands = answered && now.state == MARK_LOADING && strcmp(now.loader, mark->loader) == 0;
    return answered;
}

/* "CHARACTER SET utf8mb4 COLLATE utf8mb4_bin", or "" when the row says anything else. */
static bool read_made_with(struct node *node, char *clause, size_t size, struct error *error)
{
    struct text sql = {0};
    struct node_rows rows;

    clause[0] = '\0';
    text_add(&sql, "SELECT made_with FROM " TABLE
                   " WHERE id = 1 AND made_with REGEXP '^CHARACTER SET [A-Za-z0-9_]+ COLLATE [A-Za-z0-9_]+$'");
    bool answered = admin_query(node, &sql, &rows, error);
    if (answered && rows.rows == 1 && rows.cell[0] != NULL)
        snprintf(clause, size, "%s", rows.cell[0]);
    node_rows_free(&rows);
    text_free(&sql);
    return answered;
}

bool mark_make_database(struct node *node, const struct seed_mark *mark, bool again, struct error *error)
{
    struct text sql = {0};
    char clause[256];

    if (mark->database[0] == '\0')
        return true;
    if (!read_made_with(node, clause, sizeof clause, error))
        return false;
    text_add(&sql, "SET SESSION wsrep_OSU_method = 'TOI';");
    if (again) {
        text_add(&sql, "DROP DATABASE IF EXISTS ");
        admin_add_name(&sql, mark->database);
        text_add(&sql, ";");
    }
    text_add(&sql, "CREATE DATABASE IF NOT EXISTS ");
    admin_add_name(&sql, mark->database);
    text_format(&sql, " %s", clause);
    bool done = admin_query(node, &sql, NULL, error);
    text_free(&sql);
    return done || error_context(error, "cannot make the database %s", mark->database);
}
