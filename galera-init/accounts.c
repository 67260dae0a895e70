#include "accounts.h"

#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "admin.h"
#include "child.h"
#include "log.h"
#include "schema.h"
#include "seed_mark.h"
#include "signals.h"
#include "teststep.h"
#include "worker.h"

/*
 * The supervision stands still meanwhile, signals too: a server that does not answer is asked again in the next turn.
 * systemd is content with a sign of life a minute (tell.c).
 */
enum { STATEMENT_MS = 10000 };

/* '_' would stand for any character: the database of a grant is a pattern. */
#define GRANTED "`galera\\_init`.*"

static void add_account(struct node *node, struct text *sql, const char *user)
{
    admin_add_literal(node, sql, user);
    text_add(sql, "@'%'");
}

static bool make_account(struct node *node, const struct settings *settings, struct error *error)
{
    const char *user = settings->node.user == NULL ? NODE_DEFAULT_USER : settings->node.user;
    struct text sql = {0};

    if (!settings->create_account)
        return true;
    if (settings->node.password == NULL) {
        log_notice(
            "no account is made for the check and the other nodes: [mysql] has no password; make %s yourself, with "
            "SELECT on " SCHEMA_NAME ".*",
            user);
        return true;
    }
    text_add(&sql, "CREATE USER IF NOT EXISTS ");
    add_account(node, &sql, user);
    text_add(&sql, " IDENTIFIED BY ");
    admin_add_literal(node, &sql, settings->node.password);
    text_add(&sql, "; GRANT USAGE ON *.* TO ");
    add_account(node, &sql, user);
    text_add(&sql, "; GRANT SELECT ON " GRANTED " TO ");
    add_account(node, &sql, user);
    bool done = admin_query(node, &sql, NULL, error);
    if (sql.bytes != NULL)
        explicit_bzero(sql.bytes, sql.length);
    text_free(&sql);
    return done || error_context(error, "cannot make the account %s@'%%'", user);
}

static bool run_file(struct node *node, const struct load *load, struct error *error)
{
    struct load users = *load;
    char sha256[MARK_SHA256_SIZE];

    users.database = "";
    users.what = "users_sql";
    if (!dump_hash(load->dump, load->wake_fd, sha256, error) || !load_run(&users, error))
        return false;
    log_notice("users_sql: %s was run", load->dump->path);
    return mark_users(node, sha256, error);
}

bool users_make(struct node *node, const struct load *load, struct error *error)
{
    const char *path = load->job->settings->users_sql;
    struct seed_mark mark;
    struct dump file;

    if (path == NULL)
        return true;
    if (!mark_read(node, &mark, error))
        return false;
    if (mark.users_done)
        return true;
    if (!dump_open(&file, path, error))
        return error_context(error, "users_sql");
    struct load users = *load;
    users.dump = &file;
    bool done = run_file(node, &users, error);
    dump_close(&file);
    return done || error_context(error, "users_sql");
}

/* users_sql may take its time. */
static bool go_on(void *context, struct error *error)
{
    (void)context;
    (void)error;
    child_tick();
    return true;
}

static bool make_all(struct node *node, const struct seed_job *job, int wake, struct error *error)
{
    struct load load = {.job = job, .wake_fd = wake, .may_go_on = go_on};

    return schema_make(node, error) && make_account(node, job->settings, error) && users_make(node, &load, error);
}

bool accounts_make(const struct seed_job *job, struct error *error)
{
    /* Looked at, but not read: they are for the caller as well. */
    int wake = signals_open((const int[]){SIGTERM, SIGINT, SIGQUIT, 0}, error);
    struct node *node = wake < 0 ? NULL : admin_open(job->settings, job->socket, STATEMENT_MS, error);
    bool done = node != NULL && make_all(node, job, wake, error);

    node_close(node);
    fd_close(&wake);
    if (done)
        test_step("accounts-made");
    return done;
}
