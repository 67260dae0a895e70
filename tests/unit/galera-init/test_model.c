/*
 * All that three nodes can come to that do what decide() says: see support/model.h for what is modelled, and MODEL_*
 * below for how to look further than `make test` does.
 *
 *     MODEL_STATES=20000000 MODEL_DEEPER=1 build/tests/unit/galera-init/test_model
 *
 * MODEL_STATES bounds each exploration, MODEL_DEEPER adds that much to every budget of the scenarios, MODEL_SETTLE
 * looks at the end of one state in so many.
 */
#include "../row.h"

#include <stdlib.h>

#include "num.h"
#include "support/model.h"

#if defined(__SANITIZE_ADDRESS__)
enum { STATES_MOST = 20000 };
#else
enum { STATES_MOST = 150000 };
#endif

enum { SETTLE_EVERY = 64, PATIENCE = 1, WALKS = 1000 };

static int64_t setting(const char *name, int64_t fallback)
{
    const char *text = getenv(name);
    int64_t value = fallback;

    if (text != NULL && !num_parse(text, 0, INT32_MAX, &value))
        fail_msg("%s is no number", name);
    return value;
}

/* --- initial states
 * ---------------------------------------------------------------------------------------------------- */

/* Three hosts on which nothing was ever started. */
static struct state nothing(void)
{
    struct state state;

    memset(&state, 0, sizeof state);
    return state;
}

/* The first cluster, running, in step with etcd. */
static struct state running(void)
{
    struct state state = nothing();

    state.uuid = state.uuids = 1;
    state.bootstrap = (struct m_bootstrap){.phase = BOOTSTRAP_PRIMARY, .epoch = 1, .node = 1, .boot = 1};
    state.bootstrap.lineage.entry[0] = 1 << 4;
    state.bootstrap.lineage.mark[0] = 1;
    for (size_t i = 0; i < NODES; i++) {
        state.node[i] =
            (struct m_node){.copy = COPY_TRUSTED, .uuid = 1, .view = 1, .members = 7, .epoch = 1, .alive = 1};
        state.node[i].on = state.node[i].open = state.node[i].primary = state.node[i].complete = 1;
        state.node[i].group = state.node[i].last_members = 7;
        state.node[i].last = 1;
        state.node[i].lineage = state.bootstrap.lineage;
        state.position[i] = (struct m_record){.state = RECORD_RUNNING, .epoch = 1, .boot = 1, .seqno = 1};
        state.position[i].copy = COPY_TRUSTED;
        state.position[i].uuid = 1;
    }
    return state;
}

static void must(struct state *state, enum step step, size_t i)
{
    const char *violation;

    assert_true(step_do(state, step, i, &violation));
    assert_null(violation);
}

/* All dead, as the measured trap left them: one died first, the others went on without it and died later. */
static struct state trapped(void)
{
    struct state state = running();

    memset(state.left, 9, sizeof state.left);
    must(&state, STEP_COMMIT, 0);
    for (size_t i = 1; i < NODES; i++)
        must(&state, STEP_APPLY, i);
    must(&state, STEP_CRASH, 2);
    must(&state, STEP_FORM_VIEW, 0);
    must(&state, STEP_COMMIT, 1);
    must(&state, STEP_CRASH, 0);
    must(&state, STEP_CRASH, 1);
    return state;
}

/* All killed at once: one and the same view on all disks, and a transaction on one alone. */
static struct state killed(void)
{
    struct state state = running();

    memset(state.left, 9, sizeof state.left);
    must(&state, STEP_COMMIT, 1);
    for (size_t i = 0; i < NODES; i++)
        must(&state, STEP_CRASH, i);
    return state;
}

/* One survives, non-Primary. */
static struct state survivor(void)
{
    struct state state = running();

    memset(state.left, 9, sizeof state.left);
    must(&state, STEP_COMMIT, 0);
    must(&state, STEP_CRASH, 1);
    must(&state, STEP_CRASH, 2);
    must(&state, STEP_FORM_VIEW, 0);
    return state;
}

/*
 * The third node died and came back where it saw nobody, so that it attested; now it sees the others again, and etcd no
 * more.
 */
static struct state pledged(void)
{
    struct state state = running();

    memset(state.left, 9, sizeof state.left);
    must(&state, STEP_CRASH, 2);
    must(&state, STEP_NET, NET_3_ALONE);
    must(&state, STEP_FORM_VIEW, 0);
    must(&state, STEP_RESTART, 2);
    must(&state, STEP_READ, 2);
    must(&state, STEP_ACT, 2);
    must(&state, STEP_CUT_ETCD, 2);
    must(&state, STEP_NET, NET_WHOLE);
    return state;
}

/*
 * The third node was attested lost while the others could not see each other; they are Primary again by themselves, and
 * it came back without etcd and is a member.
 */
static struct state lost_in_vain(void)
{
    struct state state = running();

    memset(state.left, 9, sizeof state.left);
    must(&state, STEP_CRASH, 2);
    must(&state, STEP_FORM_VIEW, 0);
    must(&state, STEP_NET, NET_ALL_ALONE);
    for (size_t i = 0; i < 2; i++) {
        must(&state, STEP_FORM_VIEW, i);
        must(&state, STEP_READ, i);
        must(&state, STEP_ACT, i);
    }
    must(&state, STEP_ATTEST_LOST, 2);
    must(&state, STEP_NET, NET_WHOLE);
    must(&state, STEP_FORM_VIEW, 0);
    must(&state, STEP_CUT_ETCD, 2);
    must(&state, STEP_RESTART, 2);
    must(&state, STEP_READ, 2);
    must(&state, STEP_ACT, 2);
    must(&state, STEP_FORM_VIEW, 0);
    return state;
}

/* The second node bootstrapped and served and died before anybody else heard of it, and etcd lost its data. */
static struct state unheard(void)
{
    struct state state = killed();

    for (size_t i = 0; i < NODES; i++) {
        must(&state, STEP_RESTART, i);
        must(&state, STEP_READ, i);
        must(&state, STEP_ACT, i);
    }
    must(&state, STEP_CRASH, 0); /* else Galera's old view would be tried first */
    must(&state, STEP_LOSE_DISK, 0);
    must(&state, STEP_RESTART, 0);
    must(&state, STEP_READ, 0);
    must(&state, STEP_ACT, 0);
    for (int times = 0; times < 2; times++) { /* the claim, then what it allows */
        must(&state, STEP_READ, 1);
        must(&state, STEP_ACT, 1);
    }
    must(&state, STEP_ACT, 1);
    must(&state, STEP_COMMIT, 1);
    must(&state, STEP_CRASH, 1);
    must(&state, STEP_WIPE_ETCD, 0);
    return state;
}

/* --- scenarios
 * --------------------------------------------------------------------------------------------------------- */

static const struct scenario {
    const char *name;
    struct state (*initial)(void);
    uint8_t left[BUDGET_COUNT];
    enum leases leases;
} scenarios[] = {
    {"first boot, kills at each step", nothing, {[BUDGET_CRASH] = 2, [BUDGET_COMMIT] = 1}, LEASES_TRUE},
    {"first boot, lost answers, no leases", nothing, {[BUDGET_CRASH] = 1, [BUDGET_UNCERTAIN] = 1}, LEASES_ALL_GONE},
    {"first boot, etcd wiped", nothing, {[BUDGET_CRASH] = 1, [BUDGET_WIPE] = 1, [BUDGET_COMMIT] = 1}, LEASES_TRUE},
    {"running, kills", running, {[BUDGET_CRASH] = 3, [BUDGET_COMMIT] = 2}, LEASES_TRUE},
    {"running, clean stops", running, {[BUDGET_STOP] = 3, [BUDGET_COMMIT] = 2, [BUDGET_CRASH] = 1}, LEASES_TRUE},
    {"running, partitions", running, {[BUDGET_NET] = 2, [BUDGET_CRASH] = 2, [BUDGET_COMMIT] = 1}, LEASES_TRUE},
    {"running, no etcd",
     running,
     {[BUDGET_CUT] = 2, [BUDGET_CRASH] = 2, [BUDGET_STOP] = 1, [BUDGET_COMMIT] = 1},
     LEASES_TRUE},
    {"running, etcd wiped", running, {[BUDGET_WIPE] = 1, [BUDGET_CRASH] = 3, [BUDGET_COMMIT] = 1}, LEASES_TRUE},
    {"the trap, all killed again", trapped, {[BUDGET_CRASH] = 1, [BUDGET_COMMIT] = 1}, LEASES_TRUE},
    {"the trap, one attested lost comes back",
     trapped,
     {[BUDGET_LOST] = 1, [BUDGET_CRASH] = 1, [BUDGET_COMMIT] = 1},
     LEASES_TRUE},
    {"all killed, re-merge", killed, {[BUDGET_CRASH] = 2, [BUDGET_COMMIT] = 1}, LEASES_TRUE},
    {"all killed, lost, no etcd",
     killed,
     {[BUDGET_LOST] = 1, [BUDGET_CUT] = 1, [BUDGET_STOP] = 1, [BUDGET_COMMIT] = 2},
     LEASES_TRUE},
    {"all killed, a disk lost", killed, {[BUDGET_DISK] = 1, [BUDGET_LOST] = 1, [BUDGET_COMMIT] = 1}, LEASES_TRUE},
    {"a survivor, lost ones", survivor, {[BUDGET_LOST] = 2, [BUDGET_CRASH] = 1, [BUDGET_COMMIT] = 1}, LEASES_TRUE},
    {"a survivor, etcd wiped", survivor, {[BUDGET_WIPE] = 1, [BUDGET_CRASH] = 1, [BUDGET_COMMIT] = 1}, LEASES_TRUE},
    {"first boot, lost ones, etcd wiped",
     nothing,
     {[BUDGET_LOST] = 1, [BUDGET_CRASH] = 1, [BUDGET_WIPE] = 1, [BUDGET_COMMIT] = 2},
     LEASES_TRUE},
    {"all killed, lost ones, etcd wiped",
     killed,
     {[BUDGET_LOST] = 1, [BUDGET_CRASH] = 1, [BUDGET_WIPE] = 1, [BUDGET_COMMIT] = 2},
     LEASES_TRUE},
    {"a bootstrap unheard of, lost, etcd wiped", unheard, {[BUDGET_LOST] = 1, [BUDGET_COMMIT] = 2}, LEASES_TRUE},
    {"killed one after the other, no leases", running, {[BUDGET_CRASH] = 3, [BUDGET_COMMIT] = 1}, LEASES_ALL_GONE},
    {"the trap, lost ones, no leases",
     trapped,
     {[BUDGET_LOST] = 2, [BUDGET_CRASH] = 1, [BUDGET_COMMIT] = 1, [BUDGET_UNCERTAIN] = 1},
     LEASES_ALL_GONE},
    {"a survivor, lost answers, no leases",
     survivor,
     {[BUDGET_LOST] = 1, [BUDGET_CRASH] = 1, [BUDGET_UNCERTAIN] = 2, [BUDGET_COMMIT] = 1},
     LEASES_ALL_GONE},
    {"pledged, and no etcd", pledged, {[BUDGET_CRASH] = 2, [BUDGET_COMMIT] = 1, [BUDGET_STOP] = 1}, LEASES_TRUE},
    {"attested lost in vain", lost_in_vain, {[BUDGET_STOP] = 2, [BUDGET_NET] = 1, [BUDGET_COMMIT] = 1}, LEASES_TRUE},
};

/* The scenario's first state, with `more` of everything that it has some of. */
static struct state first_state(const struct scenario *scenario, uint8_t more)
{
    struct state state = scenario->initial();

    memcpy(state.left, scenario->left, sizeof state.left);
    state.left[BUDGET_PATIENCE] = PATIENCE;
    for (size_t k = 0; k < BUDGET_COUNT; k++) {
        if (state.left[k] != 0)
            state.left[k] = (uint8_t)(state.left[k] + more);
    }
    model.leases = scenario->leases;
    return state;
}

static void report(const char *name, struct exploration *found)
{
    if (found->violation != NULL)
        fprintf(stderr, "%s:\n%s", found->violation, found->trace);
    free(found->trace);
    row_text(name, found->violation, NULL);
}

static void no_invariant_is_broken(void **unused)
{
    (void)unused;
    fprintf(stderr, "%zu bytes a state\n", sizeof(struct state));
    model.weakness = WEAK_NONE;
    for (size_t k = 0; k < ROW_COUNT(scenarios); k++) {
        if (getenv("MODEL_ONLY") && strstr(scenarios[k].name, getenv("MODEL_ONLY")) == NULL)
            continue;
        struct state state = first_state(&scenarios[k], (uint8_t)setting("MODEL_DEEPER", 0));
        struct exploration found = explore(&state, (size_t)setting("MODEL_STATES", STATES_MOST),
                                           (size_t)setting("MODEL_SETTLE", SETTLE_EVERY));
        fprintf(stderr, "%-40s %8zu states%s, %zu steps, depth %u, %zu ends, %.1f s\n", scenarios[k].name, found.states,
                found.complete ? " (all)" : "", found.steps, found.deepest, found.settled, found.seconds);
        report(scenarios[k].name, &found);
    }
}

static void no_random_history_breaks_one(void **unused)
{
    (void)unused;
    model.weakness = WEAK_NONE;
    for (size_t k = 0; k < ROW_COUNT(scenarios); k++) {
        struct state state = first_state(&scenarios[k], 2);
        for (size_t b = 0; b < BUDGET_COUNT; b++)
            state.left[b] = (uint8_t)(state.left[b] + (b != BUDGET_COMMIT));
        struct exploration found = walk_randomly(&state, (size_t)setting("MODEL_WALKS", WALKS), 150,
                                                 (uint64_t)setting("MODEL_SEED", 1) * 100 + k);
        fprintf(stderr, "%-40s %zu histories, %zu steps, %.1f s\n", scenarios[k].name, found.settled, found.states,
                found.seconds);
        report(scenarios[k].name, &found);
    }
}

/* --- teeth ----------------------------------------------------------------------------------------------------------
 */

/* Where a broken rule shows; a model that finds nothing when a rule is broken proves nothing. */
static const struct {
    enum weakness weakness;
    const char *name;
    const char *scenario;
} teeth[] = {
    {WEAK_FORGETS_A_NODE, "the positions of one node are ignored", "the trap, all killed again"},
    {WEAK_LEASE_ATTESTS, "no lease counts as an attestation", "running, partitions"},
    {WEAK_CLAIM_COMPARES_LITTLE, "a claim does not compare the positions", "the trap, one attested lost comes back"},
    {WEAK_START_UNANNOUNCED, "a join does not replace the attestation", "running, kills"},
    {WEAK_SEQNO_ONLY, "only seqnos are compared", "the trap, one attested lost comes back"},
    {WEAK_NOTE_IGNORED, "a pledge is not kept without etcd", "pledged, and no etcd"},
    {WEAK_MEMBER_GENERATION_IGNORED, "any Primary member will do without etcd", "all killed, lost, no etcd"},
    {WEAK_LOST_ANY_TIME, "attest-lost counts whenever it was given", "attested lost in vain"},
    {WEAK_CLAIM_NOT_COMPARED, "a claim is carried out though it was replaced", "first boot, lost answers, no leases"},
    {WEAK_VIEW_KEPT, "gvwstate.dat is not removed", "running, clean stops"},
    {WEAK_FORK_IGNORED, "a copy that was left behind joins incrementally", "the trap, one attested lost comes back"},
    {WEAK_LOST_BY_HOLDER, "a started claim ends with its holder's lease", "first boot, kills at each step"},
    {WEAK_NUMBER_IS_NAME, "generations have a number and no mark", "a bootstrap unheard of, lost, etcd wiped"},
    {WEAK_LINEAGE_BEFORE_BLANK, "the lineage is saved before the copy is blanked",
     "the trap, one attested lost comes back"},
};

static void broken_rules_are_found(void **unused)
{
    (void)unused;
    assert_int_equal(ROW_COUNT(teeth), WEAK_COUNT - 1);
    for (size_t t = 0; t < ROW_COUNT(teeth); t++) {
        const struct scenario *scenario = scenarios;
        while (strcmp(scenario->name, teeth[t].scenario) != 0)
            scenario++;
        model.weakness = teeth[t].weakness;
        struct state state = first_state(scenario, 0);
        struct exploration found = explore(&state, STATES_MOST, 0);
        if (found.violation == NULL) {
            state = first_state(scenario, 1);
            found = walk_randomly(&state, 3000, 150, t + 1);
        }
        fprintf(stderr, "%-48s %s, in %u steps, %.1f s\n", teeth[t].name,
                found.violation == NULL ? "NOT FOUND" : found.violation, found.deepest, found.seconds);
        if (getenv("MODEL_TRACE") != NULL && found.trace != NULL)
            fprintf(stderr, "%s", found.trace);
        free(found.trace);
        row_true(teeth[t].name, found.violation != NULL);
    }
    model.weakness = WEAK_NONE;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_invariant_is_broken),
        cmocka_unit_test(no_random_history_breaks_one),
        cmocka_unit_test(broken_rules_are_found),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
