#include "seed_review.h"

#include <string.h>

#include "admin.h"
#include "log.h"
#include "schema.h"
#include "seed_mark.h"

enum { NAMES_SHOWN = 10 };

static void add_where(struct node *node, struct text *sql, const char *database)
{
    text_add(sql, " FROM information_schema.tables WHERE table_type = 'BASE TABLE' AND engine <> 'InnoDB' AND ");
    if (database[0] == '\0') {
        text_add(sql, "table_schema NOT IN ('mysql', 'sys', 'information_schema', 'performance_schema')");
        return;
    }
    text_add(sql, "table_schema = ");
    admin_add_literal(node, sql, database);
}

static void warn_of(const struct node_rows *rows, size_t count)
{
    struct text names = {0};

    for (size_t i = 0; i < count; i++)
        text_format(&names, "%s%s", i == 0 ? "" : ", ", rows->cell[i]);
    log_warning("%zu%s tables are not InnoDB (%s): Galera does not replicate their rows, which are on this node alone; "
                "ALTER TABLE .. ENGINE=InnoDB brings them to the others",
                rows->rows, rows->rows > NAMES_SHOWN ? " or more" : "", text_string(&names));
    text_free(&names);
}

void review_tables(struct node *node, const char *database)
{
    struct text sql = {0};
    struct node_rows rows;
    struct error error = {0};
    bool found = true;

    text_add(&sql, "SELECT CONCAT(table_schema, '.', table_name, ' ', engine)");
    add_where(node, &sql, database);
    text_format(&sql, " ORDER BY table_schema, table_name LIMIT %d", NAMES_SHOWN + 1);
    bool answered = admin_query(node, &sql, &rows, &error);
    if (answered && rows.rows > 0)
        warn_of(&rows, rows.rows > NAMES_SHOWN ? NAMES_SHOWN : rows.rows);
    node_rows_free(&rows);
    text_free(&sql);
    answered = answered && mark_find_tables(node, database, &found, &error);
    if (answered && !found)
        log_warning("after the load there is nothing in %s: does the dump name another database by USE?",
                    database[0] == '\0' ? "any database" : database);
    if (!answered)
        log_info("what was loaded cannot be looked at: %s", error.text);
}
