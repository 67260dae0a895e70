/*
 * A stage for tests of carry.c: a struct init on a disk of its own. What carry.c calls outside of this host's files is
 * replaced here by functions that note the call, and the disk as it is in that moment; so this is to be included by one
 * file of a program. etcd is the one of ../fake_etcd.
 */
#ifndef CARRY_STAGE_H
#define CARRY_STAGE_H

#include "../../fake_etcd/fake_etcd.h"
#include "../../row.h"

#include <sys/stat.h>
#include <unistd.h>

#include "accounts.h"
#include "init.h"
#include "log.h"
#include "scratch.h"
#include "teststep.h"
#include "words.h"

#define UUID_A "a0a0a0a0-a0a0-a0a0-a0a0-a0a0a0a0a0a0"
#define KNOWN  "me=n1 uuid=A boot=primary:n2 "

enum { TRACE_SIZE = 4096 };

static struct settings settings = {.cluster = (char[]){"x"}, .name = (char[]){"n1"}, .donor = (char[]){"auto"}};
static struct init init;

static char trace[TRACE_SIZE];
static enum fake_fault fault;
static int answers_after; /* so many waits; 0: whatever `fault` says stays so */
static bool condition_holds, starts, makes_accounts, makes_primary, stops;

static void __attribute__((format(printf, 1, 2))) note(const char *format, ...)
{
    size_t length = strlen(trace);
    va_list list;

    va_start(list, format);
    vsnprintf(trace + length, sizeof trace - length, format, list);
    va_end(list);
}

/* What a crash would leave behind now. */
static void note_disk(void)
{
    struct state on_disk;
    struct error error;
    const char *text = scratch_read("data/grastate.dat");
    struct grastate grastate = grastate_parse(text);

    assert_true(statefile_read(scratch_path("state"), &on_disk, &error));
    note(" [%s epoch %d generation %d", on_disk.pledged ? "pledged" : "free", (int)on_disk.epoch,
         (int)lineage_newest(&on_disk.lineage).number);
    if (grastate.condition == GRASTATE_GOOD)
        note(", %s:%d%s", uuid_is_nil(&grastate.position.uuid) ? "nil" : "A", (int)grastate.position.seqno,
             grastate.safe_to_bootstrap ? " safe" : "");
    /* What is said of a copy goes with it. */
    bool has_cache = scratch_has("data/galera.cache");
    assert_int_equal(scratch_has("data/ddl_recovery.log"), has_cache);
    assert_int_equal(on_disk.served, has_cache);
    note("%s%s]\n", scratch_has("data/gvwstate.dat") ? ", view" : "", has_cache ? ", cache" : "");
}

/* --- in place of the rest of galera-init, and of etcd ---------------------------------------------------------------
 */

bool keys_compose(struct keys_txn *out, const char *prefix, const struct situation *situation, const struct keys *keys,
                  const struct keys_change *change, struct error *error)
{
    static const struct etcd_compare never = {.key = "nothing", .target = ETCD_TARGET_CREATE, .relation = ETCD_GREATER};

    (void)prefix, (void)keys, (void)error;
    out->txn = (struct etcd_txn){.compare = &never, .compare_count = condition_holds ? 0 : 1};
    note("etcd:");
    if ((change->write & WRITE_BOOTSTRAP) != 0)
        note(" bootstrap=%s", bootstrap_phase_word(change->bootstrap->phase));
    if ((change->write & WRITE_UUID) != 0)
        note(" uuid");
    if ((change->write & WRITE_OWN) != 0) {
        assert_int_equal(change->node, situation->self);
        assert_string_equal(change->own->boot, init.boot);
        note(" %s", record_state_word(change->own->state));
    }
    note_disk();
    return true;
}

void keys_txn_free(struct keys_txn *txn)
{
    (void)txn;
}

bool process_start(struct init *with, const struct server_start *start, struct error *error)
{
    char from[POSITION_TEXT_SIZE];

    assert_ptr_equal(with, &init);
    assert_string_equal(start->cluster, "x");
    assert_string_equal(start->node, "n1");
    note("%s gcomm://%s", start->new_cluster ? "new" : "start", start->members);
    if (start->donors != NULL)
        note(" donors %s", start->donors);
    if (start->from != NULL)
        note(" from %s", position_format(start->from, from) + UUID_TEXT_SIZE);
    note_disk();
    return starts || error_set(error, EXIT_CONFIG, "it does not start");
}

/* Time passes while somebody waits. */
void tell_alive(void *context)
{
    assert_ptr_equal(context, &init);
    fake_pass(200);
    if (answers_after > 0 && --answers_after == 0)
        fault = FAKE_ANSWER;
}

int process_stop(struct init *with, enum urgency urgency)
{
    note("%s\n", urgency == STOP_AT_ONCE ? "kill" : "stop");
    if (stops) {
        with->process.child.pid = 0;
        with->process.ended = true;
    }
    return 0;
}

bool accounts_make(const struct seed_job *job, struct error *error)
{
    (void)job;
    note("accounts\n");
    return makes_accounts || error_set(error, EXIT_TRY_AGAIN, "no accounts");
}

int64_t keeper_lease(struct keeper *keeper)
{
    (void)keeper;
    return 0;
}

bool local_pc_bootstrap(struct local_server *local, struct error *error)
{
    (void)local;
    note("pc.bootstrap");
    note_disk();
    return makes_primary || error_set(error, EXIT_TRY_AGAIN, "it does not answer");
}

void test_step(const char *name)
{
    if (strcmp(name, "lineage-saved") == 0) {
        note("saved");
        note_disk();
    }
}

void init_new_boot(struct init *with)
{
    snprintf(with->boot, sizeof with->boot, "new");
}

bool look_at_disk(struct init *with, struct error *error)
{
    (void)with, (void)error;
    return true;
}

void look_begin(struct situation *situation, const struct settings *with, const struct state *state)
{
    (void)situation, (void)with, (void)state;
}

void look_at_self(struct init *with)
{
    memcpy(with->situation.boot, with->boot, sizeof with->boot);
    with->situation.local.server = SERVER_STOPPED;
}

void look_at_etcd(struct init *with, struct deadline deadline)
{
    (void)deadline;
    with->situation.etcd_reachable = fault == FAKE_ANSWER;
}

static enum fake_fault before_call(void *context, struct etcd *client, enum fake_call call)
{
    (void)context, (void)client, (void)call;
    return fault;
}

static const struct fake_hooks hooks = {.before = before_call};

/* --- the beginning of a case -------------------------------------------------------------------------------------- */

static int begin(void **state)
{
    init.file = (struct statefile){.directory_fd = -1, .lock_fd = -1};
    return scratch_begin(state);
}

static void close_all(void)
{
    statefile_close(&init.file);
    if (init.etcd != NULL)
        etcd_close(init.etcd);
    init.etcd = NULL;
}

static int end(void **state)
{
    close_all();
    return scratch_end(state);
}

static void write_data(const struct holding *holding)
{
    char text[256];

    scratch_directory("data");
    scratch_write("data/gvwstate.dat", "old");
    scratch_write("data/galera.cache", "old");
    scratch_write("data/ddl_recovery.log", "old");
    if (holding->copy == COPY_EMPTY)
        return;
    snprintf(text, sizeof text, "version: 2.1\nuuid: " UUID_A "\nseqno: %d\nsafe_to_bootstrap: 0\n",
             holding->source == SOURCE_RECOVER ? -1 : (int)holding->position.seqno);
    scratch_write("data/grastate.dat", text);
}

/* All works unless a case says otherwise. */
static void set_up(const char *words, bool recovered)
{
    struct error error;
    static struct state none;

    fake_reset(1);
    fake_set_hooks(&hooks);
    fault = FAKE_ANSWER;
    answers_after = 0;
    condition_holds = starts = makes_accounts = makes_primary = stops = true;
    trace[0] = '\0';
    close_all();
    int scratch_ended = scratch_end(NULL);
    assert_int_equal(scratch_ended, 0);
    assert_int_equal(scratch_begin(NULL), 0);
    memset(&init, 0, sizeof init);
    init.etcd = fake_client("10.0.0.1");
    init.settings = &settings;
    init.card.seqno = SEQNO_UNKNOWN;
    snprintf(init.card.address, sizeof init.card.address, "10.0.0.1");
    situation_from_words(words, &init.situation);
    memcpy(init.boot, init.situation.boot, sizeof init.boot);
    if (!recovered && init.situation.local.holding.copy == COPY_TRUSTED)
        init.situation.local.holding.source = SOURCE_GRASTATE;
    init.holding = init.situation.local.holding;
    init.view.view = init.situation.local.view;
    init.disk_known = true;
    if (init.situation.local.server != SERVER_STOPPED)
        init.process.child.pid = 1234567;
    for (size_t i = 0; i < init.situation.count; i++)
        snprintf(init.keys.card[i].address, sizeof init.keys.card[i].address, "10.0.0.%zu", i + 1);
    write_data(&init.holding);
    snprintf(init.info.datadir, sizeof init.info.datadir, "%s", scratch_path("data"));
    snprintf(init.info.ddl_log, sizeof init.info.ddl_log, "%s", scratch_path("data/ddl_recovery.log"));
    assert_true(statefile_open(&init.file, scratch_path("state"), "x", "n1", &none, &error));
    init.state.epoch = init.situation.local.epoch;
    init.state.lineage = init.situation.local.lineage;
    init.state.pledged = init.situation.local.pledged;
    init.state.served = true;
    assert_true(remember_now(&init, &error));
    init.decision = decide(&init.situation);
}

static int silence(void **state)
{
    (void)state;
    log_set_level(LOG_LEVEL_ERR);
    return 0;
}

#endif
