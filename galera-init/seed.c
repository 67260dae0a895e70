#include "seed.h"

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/prctl.h>

#include "accounts.h"
#include "admin.h"
#include "log.h"
#include "schema.h"
#include "seed_claim.h"
#include "seed_dump.h"
#include "seed_load.h"
#include "seed_mark.h"
#include "seed_plan.h"
#include "seed_review.h"
#include "signals.h"
#include "teststep.h"
#include "worker.h"

/* Dropping a database may take long; a server that does not say which mark it has is asked again. */
enum { STATEMENT_MS = 600000, WATCH_MS = 5000, TICK_MS = 500, WHAT_SIZE = 300, SQL_SIZE = 128 };

/* Held for the whole of a run by its session: one at a time on a server. It ends with the process, whatever ends that.
 */
#define RUN_LOCK "galera_init.seed"

/* It may be idle while the load goes on; and it must not decide on a mark that is about to be replaced. */
#define SESSION "SET SESSION wait_timeout = 31536000, wsrep_sync_wait = 1"

struct run {
    const struct seed_job *job;
    const char *database; /* "": the dump chooses */
    int wake;             /* told to stop */
    struct node *node;
    struct node *watcher; /* the mark is watched over a session that gives up soon; NULL: to be opened */
    struct seed_claim claim;
    struct dump dump;
    struct seed_facts facts;
    struct seed_mark found; /* as it was */
    struct seed_mark mark;  /* as we set it */
    bool marked;
};

/* --- what is there ------------------------------------------------------------------------------------------------ */

static bool check_settings(struct run *run, struct error *error)
{
    static const char *const never[] = {"mysql", "sys", "information_schema", "performance_schema", SCHEMA_NAME};

    if (run->job->settings->seed == NULL)
        return error_set(error, EXIT_CONFIG, "there is no database to load: set seed in [init]");
    for (size_t i = 0; i < sizeof never / sizeof never[0]; i++) {
        if (strcasecmp(run->database, never[i]) == 0)
            return error_set(error, EXIT_CONFIG, "seed_database = '%s': that is not the application's", run->database);
    }
    if (strlen(run->database) >= MARK_DATABASE_SIZE)
        return error_set(error, EXIT_CONFIG, "seed_database is too long");
    return true;
}

/* Takes a lock of the server's, which ends with the session. */
static bool lock(struct node *node, const char *name, int seconds, bool *locked, struct error *error)
{
    struct text sql = {0};
    int64_t number = 0;

    text_format(&sql, "SELECT COALESCE(GET_LOCK('%s', %d), 0)", name, seconds);
    bool answered = admin_number(node, &sql, &number, error);
    text_free(&sql);
    *locked = number == 1;
    return answered;
}

static bool open_node(struct run *run, struct error *error)
{
    bool locked;

    run->node = admin_open(run->job->settings, run->job->socket, STATEMENT_MS, error);
    if (run->node == NULL || !admin_do(run->node, SESSION, error) || !lock(run->node, RUN_LOCK, 0, &locked, error))
        return false;
    return locked || error_set(error, EXIT_TRY_AGAIN, "another galera-init is loading the database on this node");
}

/* Tables first: when they are there and not the mark, it was not there before them. */
static bool look_at_database(struct run *run, struct error *error)
{
    run->facts.by_hand = run->job->by_hand;
    run->facts.nodes = run->job->settings->nodes;
    run->facts.database = run->database[0] != '\0';
    if (!schema_make(run->node, error) || !mark_find_tables(run->node, run->database, &run->facts.tables, error) ||
        !mark_read(run->node, &run->found, error))
        return false;
    run->facts.mark = run->found.state;
    run->facts.same_database = strcmp(run->found.database, run->database) == 0;
    return true;
}

static bool look_at_etcd(struct run *run, struct error *error)
{
    return claim_open(&run->claim, run->job, run->wake, error) && claim_look(&run->claim, &run->facts, error);
}

/* --- answers without a load --------------------------------------------------------------------------------------- */

/* The database is loaded, whether etcd hears of it now or later. */
static bool tell_loaded(struct run *run)
{
    struct error error = {0};

    log_info("the database is loaded, by %s", run->found.node[0] == '\0' ? "hand" : run->found.node);
    if (!look_at_etcd(run, &error) || !claim_record_found(&run->claim, &run->found, &error))
        log_warning("%s; the mark in the database is what counts", error.text);
    return true;
}

static bool refuse(const struct run *run, struct error *error)
{
    const char *where = run->facts.database ? run->database : "the server";

    return error_set(
        error, EXIT_NO,
        "there are tables in %s, and no mark in " SCHEMA_NAME
        ".seed that they come from the dump: they are never touched. If they are what the dump would bring, "
        "say so: UPDATE " SCHEMA_NAME ".seed SET state = 'done'; if they are not wanted, drop them",
        where);
}

static bool answer(struct run *run, enum seed_plan plan, struct error *error)
{
    switch (plan) {
    case SEED_PLAN_LOADED:
        return tell_loaded(run);
    case SEED_PLAN_NEVER:
        return refuse(run, error);
    case SEED_PLAN_OTHER_DATABASE:
        return error_set(
            error, EXIT_CONFIG,
            "a load into '%s' by %s has not been completed, and seed_database is '%s' now: set it back, or drop "
            "what that load left and UPDATE " SCHEMA_NAME ".seed SET state = NULL",
            run->found.database, run->found.node, run->database);
    case SEED_PLAN_WAIT_FOR_LOADER:
        return error_set(error, EXIT_TRY_AGAIN, "%s is loading the database", run->claim.holder);
    case SEED_PLAN_WAIT_FOR_NODES:
        return error_set(error, EXIT_TRY_AGAIN, "%lld of %lld nodes are synced: the database is loaded when all are",
                         (long long)run->facts.members, (long long)run->facts.nodes);
    case SEED_PLAN_LOAD:
    case SEED_PLAN_LOAD_AGAIN:
    case SEED_PLAN_LOAD_OVER:
        break;
    }
    return error_set(error, EXIT_INTERNAL, "no answer");
}

/* --- whether to go on --------------------------------------------------------------------------------------------- */

/* Only what the mark says counts: a server that does not answer has lost its clients as well. */
static bool mark_is_ours(struct run *run, struct error *error)
{
    struct error problem = {0};
    bool stands = true;

    if (!run->marked)
        return true;
    if (run->watcher == NULL)
        run->watcher = admin_open(run->job->settings, run->job->socket, WATCH_MS, &problem);
    if (run->watcher != NULL && mark_stands(run->watcher, &run->mark, &stands, &problem))
        return stands || error_set(error, EXIT_TRY_AGAIN, "another node has taken over and loads the database again");
    log_debug("the mark cannot be read: %s", problem.text);
    node_close(run->watcher);
    run->watcher = NULL;
    return true;
}

static bool may_go_on(void *context, struct error *error)
{
    struct run *run = context;

    return claim_keep(&run->claim, error) && mark_is_ours(run, error);
}

/* --- the load ----------------------------------------------------------------------------------------------------- */

static bool take_mark(struct run *run, const char *sha256, struct error *error)
{
    snprintf(run->mark.sha256, sizeof run->mark.sha256, "%s", sha256);
    snprintf(run->mark.database, sizeof run->mark.database, "%s", run->database);
    snprintf(run->mark.node, sizeof run->mark.node, "%s", run->job->settings->name);
    run->marked = mark_new_loader(run->mark.loader, error) && mark_take(run->node, &run->found, &run->mark, error);
    return run->marked;
}

/* What another node's client may still be doing ends in this time; seed_mark.h. */
static bool wait_for_grace(struct run *run, struct error *error)
{
    struct deadline end = deadline_in_ms(SEED_GRACE_MS);
    struct pollfd wake = {.fd = run->wake, .events = POLLIN};

    log_notice("%s began to load the database and did not complete it: taking over in %d s, when whatever it left "
               "running has ended",
               run->found.node, SEED_GRACE_MS / 1000);
    while (!deadline_passed(end)) {
        if (poll(&wake, 1, TICK_MS) > 0)
            return error_set(error, EXIT_TRY_AGAIN, "told to stop; it is begun anew another time");
        if (!may_go_on(run, error))
            return false;
    }
    return true;
}

/* On our own server the lock of the client's session tells when it has ended. */
static bool wait_for_session(struct run *run, struct error *error)
{
    bool locked = false;

    if (!lock(run->node, LOAD_LOCK, SEED_GRACE_MS / 1000, &locked, error))
        return false;
    if (!locked)
        return error_set(error, EXIT_TRY_AGAIN,
                         "the server still works on a statement of the load that died: SHOW PROCESSLIST shows it");
    return admin_do(run->node, "DO RELEASE_LOCK('" LOAD_LOCK "')", error);
}

static bool clear_the_ground(struct run *run, enum seed_plan plan, struct error *error)
{
    bool again = plan != SEED_PLAN_LOAD;
    bool foreign = again && strcmp(run->found.node, run->job->settings->name) != 0;

    if ((foreign && !wait_for_grace(run, error)) || !wait_for_session(run, error))
        return false;
    if (plan == SEED_PLAN_LOAD_OVER)
        log_notice("a load was not completed: it is repeated over what is there, since seed_database is not set");
    else if (again)
        log_notice("dropping %s, which a load that was not completed has left, and beginning anew", run->database);
    return mark_make_database(run->node, &run->mark, plan == SEED_PLAN_LOAD_AGAIN, error);
}

static bool load_dump(struct run *run, struct error *error)
{
    char what[WHAT_SIZE];
    struct load load = {.job = run->job,
                        .dump = &run->dump,
                        .database = run->database,
                        .what = what,
                        .wake_fd = run->wake,
                        .may_go_on = may_go_on,
                        .context = run};

    snprintf(what, sizeof what, "loading %s", run->facts.database ? run->database : run->dump.path);
    log_notice("%s from %s (%lld bytes)", what, run->dump.path, (long long)run->dump.size);
    return load_run(&load, error);
}

static bool make_users(struct run *run, struct error *error)
{
    struct load load = {.job = run->job, .wake_fd = run->wake, .may_go_on = may_go_on, .context = run};

    return users_make(run->node, &load, error);
}

static bool finish(struct run *run, struct error *error)
{
    struct error problem = {0};

    review_tables(run->node, run->database);
    if (!mark_finish(run->node, &run->mark, error))
        return false;
    run->marked = false;
    test_step("seed-marked");
    log_notice("the database is loaded");
    if (!claim_record(&run->claim, true, &problem))
        log_warning("%s; the mark in the database is what counts", problem.text);
    test_step("seed-recorded");
    return true;
}

/* The sum of a big file and users_sql take their time. */
static bool look_again(struct run *run, enum seed_plan plan, struct error *error)
{
    if (!look_at_database(run, error))
        return false;
    run->facts.claim = CLAIM_OURS;
    return seed_plan(&run->facts) == plan ||
           error_set(error, EXIT_TRY_AGAIN, "what is in the database has changed in the meantime");
}

static bool load_claimed(struct run *run, enum seed_plan plan, const char *sha256, struct error *error)
{
    test_step("seed-claimed");
    if (!make_users(run, error))
        return false;
    test_step("seed-users");
    if (!look_again(run, plan, error) || !take_mark(run, sha256, error))
        return false;
    test_step("seed-loading");
    if (!clear_the_ground(run, plan, error) || !load_dump(run, error))
        return false;
    test_step("seed-loaded");
    return finish(run, error);
}

/* What only a person can heal is left in etcd for all to see. */
static void record_failure(struct run *run, const struct error *error)
{
    struct error problem = {0};

    if (error->code == EXIT_CONFIG && !claim_record(&run->claim, false, &problem))
        log_warning("%s", problem.text);
}

static bool load_now(struct run *run, enum seed_plan plan, struct error *error)
{
    char sha256[MARK_SHA256_SIZE];

    if (!dump_open(&run->dump, run->job->settings->seed, error) || !dump_hash(&run->dump, run->wake, sha256, error) ||
        !claim_take(&run->claim, sha256, error))
        return false;
    if (load_claimed(run, plan, sha256, error))
        return true;
    record_failure(run, error);
    return error_context(error, "the database is not loaded");
}

static bool run_all(struct run *run, struct error *error)
{
    if (!check_settings(run, error) || !open_node(run, error) || !look_at_database(run, error))
        return false;
    /* These two do not need etcd to answer. */
    enum seed_plan plan = seed_plan(&run->facts);
    if (plan != SEED_PLAN_LOADED && plan != SEED_PLAN_NEVER) {
        if (!look_at_etcd(run, error))
            return false;
        plan = seed_plan(&run->facts);
    }
    if (plan != SEED_PLAN_LOAD && plan != SEED_PLAN_LOAD_AGAIN && plan != SEED_PLAN_LOAD_OVER)
        return answer(run, plan, error);
    return load_now(run, plan, error);
}

enum exit_code seed_run(const struct seed_job *job, struct error *error)
{
    struct run run = {.job = job, .dump = {.fd = -1}};

    run.database = job->settings->seed_database == NULL ? "" : job->settings->seed_database;
    /* Who asked has ended: so have the lease of the node and, soon, its server. */
    if (!job->by_hand)
        prctl(PR_SET_PDEATHSIG, SIGTERM);
    run.wake = signals_open((const int[]){SIGTERM, SIGINT, 0}, error);
    bool done = run.wake >= 0 && run_all(&run, error);
    dump_close(&run.dump);
    claim_close(&run.claim);
    node_close(run.watcher);
    node_close(run.node);
    fd_close(&run.wake);
    if (done) {
        *error = (struct error){0}; /* what failed on the way has been logged */
        return EXIT_YES;
    }
    if (error->code != EXIT_NO && error->code != EXIT_CONFIG)
        error->code = EXIT_TRY_AGAIN;
    return error->code;
}
