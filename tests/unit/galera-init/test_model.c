/*
 * All that three nodes can come to that do what decide() says; support/model.h says what is modelled. Scenarios marked
 * ALL are explored to the end, the others as far as time allows, and random histories go deeper in both.
 *
 *     MODEL_STATES=6000000 MODEL_WALKS=100000 MODEL_SEED=7 build/tests/unit/galera-init/test_model
 *
 * looks further, as `make soak` does: MODEL_STATES bounds each exploration, MODEL_DEEPER is added to every budget of
 * the scenarios, MODEL_SETTLE looks at the end of one state in so many, MODEL_TRACE=1 shows how each broken rule was
 * found.
 */
#include "../row.h"

#include <stdlib.h>

#include "num.h"
#include "support/model.h"

#if defined(__SANITIZE_ADDRESS__)
enum { STATES_ALL = 25000, STATES_SOME = 20000, WALKS = 200 };
#else
enum { STATES_ALL = 800000, STATES_SOME = 40000, WALKS = 400 };
#endif

enum { SETTLE_EVERY = 64, PATIENCE = 1, STATES_EXPECTED = 800000, WALK_LENGTH = 150, STATES_TEETH = 100000 };

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
    enum { ALL, SOME } seen; /* of its states, in `make test` */
    enum leases leases;
    uint8_t left[BUDGET_COUNT];
} scenarios[] = {
#define LEFT(budget, count) [BUDGET_##budget] = (count)
    {"first boot, a kill", nothing, ALL, LEASES_TRUE, {LEFT(CRASH, 1), LEFT(COMMIT, 1)}},
    {"first boot, lost answers, no leases", nothing, ALL, LEASES_ALL_GONE, {LEFT(CRASH, 1), LEFT(UNCERTAIN, 1)}},
    {"first boot, kills at each step", nothing, SOME, LEASES_TRUE, {LEFT(CRASH, 2), LEFT(COMMIT, 1)}},
    {"first boot, etcd wiped", nothing, SOME, LEASES_TRUE, {LEFT(CRASH, 1), LEFT(WIPE, 1), LEFT(COMMIT, 1)}},
    {"first boot, lost ones, etcd wiped",
     nothing,
     SOME,
     LEASES_TRUE,
     {LEFT(LOST, 1), LEFT(CRASH, 1), LEFT(WIPE, 1), LEFT(COMMIT, 2)}},
    {"running, two kills", running, ALL, LEASES_TRUE, {LEFT(CRASH, 2), LEFT(COMMIT, 1)}},
    {"running, three kills, no leases", running, ALL, LEASES_ALL_GONE, {LEFT(CRASH, 3)}},
    {"running, a partition and a kill", running, ALL, LEASES_TRUE, {LEFT(NET, 1), LEFT(CRASH, 1)}},
    {"running, cut off etcd", running, ALL, LEASES_TRUE, {LEFT(CUT, 1), LEFT(CRASH, 1), LEFT(STOP, 1)}},
    {"running, etcd wiped", running, ALL, LEASES_TRUE, {LEFT(WIPE, 1), LEFT(CRASH, 1), LEFT(STOP, 1)}},
    {"running, kills", running, SOME, LEASES_TRUE, {LEFT(CRASH, 3), LEFT(COMMIT, 2)}},
    {"running, kills, no leases", running, SOME, LEASES_ALL_GONE, {LEFT(CRASH, 3), LEFT(COMMIT, 1)}},
    {"running, clean stops", running, SOME, LEASES_TRUE, {LEFT(STOP, 3), LEFT(COMMIT, 2), LEFT(CRASH, 1)}},
    {"running, partitions", running, SOME, LEASES_TRUE, {LEFT(NET, 2), LEFT(CRASH, 2), LEFT(COMMIT, 1)}},
    {"running, no etcd", running, SOME, LEASES_TRUE, {LEFT(CUT, 2), LEFT(CRASH, 2), LEFT(STOP, 1), LEFT(COMMIT, 1)}},
    {"running, etcd wiped, kills", running, SOME, LEASES_TRUE, {LEFT(WIPE, 1), LEFT(CRASH, 3), LEFT(COMMIT, 1)}},
    {"the trap, killed again", trapped, ALL, LEASES_TRUE, {LEFT(CRASH, 1), LEFT(COMMIT, 1)}},
    {"the trap, one attested lost comes back",
     trapped,
     ALL,
     LEASES_TRUE,
     {LEFT(LOST, 1), LEFT(CRASH, 1), LEFT(COMMIT, 1)}},
    {"the trap, lost ones, no leases",
     trapped,
     SOME,
     LEASES_ALL_GONE,
     {LEFT(LOST, 2), LEFT(CRASH, 1), LEFT(COMMIT, 1), LEFT(UNCERTAIN, 1)}},
    {"all killed, a disk lost", killed, ALL, LEASES_TRUE, {LEFT(DISK, 1), LEFT(LOST, 1), LEFT(COMMIT, 1)}},
    {"all killed, re-merge", killed, SOME, LEASES_TRUE, {LEFT(CRASH, 2), LEFT(COMMIT, 1)}},
    {"all killed, lost, no etcd",
     killed,
     SOME,
     LEASES_TRUE,
     {LEFT(LOST, 1), LEFT(CUT, 1), LEFT(STOP, 1), LEFT(COMMIT, 2)}},
    {"all killed, lost ones, etcd wiped",
     killed,
     SOME,
     LEASES_TRUE,
     {LEFT(LOST, 1), LEFT(CRASH, 1), LEFT(WIPE, 1), LEFT(COMMIT, 2)}},
    {"a survivor, lost ones", survivor, SOME, LEASES_TRUE, {LEFT(LOST, 2), LEFT(CRASH, 1), LEFT(COMMIT, 1)}},
    {"a survivor, etcd wiped", survivor, SOME, LEASES_TRUE, {LEFT(WIPE, 1), LEFT(CRASH, 1), LEFT(COMMIT, 1)}},
    {"a survivor, lost answers, no leases",
     survivor,
     SOME,
     LEASES_ALL_GONE,
     {LEFT(LOST, 1), LEFT(CRASH, 1), LEFT(UNCERTAIN, 2), LEFT(COMMIT, 1)}},
    {"a bootstrap unheard of, lost, etcd wiped", unheard, ALL, LEASES_TRUE, {LEFT(LOST, 1), LEFT(COMMIT, 2)}},
    {"pledged, and no etcd", pledged, SOME, LEASES_TRUE, {LEFT(CRASH, 2), LEFT(COMMIT, 1), LEFT(STOP, 1)}},
    {"attested lost in vain", lost_in_vain, SOME, LEASES_TRUE, {LEFT(STOP, 2), LEFT(NET, 1), LEFT(COMMIT, 1)}},
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
    int64_t deeper = setting("MODEL_DEEPER", 0);

    (void)unused;
    model.weakness = WEAK_NONE;
    for (size_t k = 0; k < ROW_COUNT(scenarios); k++) {
        struct state state = first_state(&scenarios[k], (uint8_t)deeper);
        bool all = scenarios[k].seen == ALL && deeper == 0;
        size_t most = (size_t)setting("MODEL_STATES", all ? STATES_ALL : STATES_SOME);
        struct exploration found = explore(&state, most, (size_t)setting("MODEL_SETTLE", SETTLE_EVERY));
        fprintf(stderr, "%-42s %8zu states%s, %zu steps, depth %u, %zu ends, %.1f s\n", scenarios[k].name, found.states,
                found.complete ? " (all)" : "", found.steps, found.deepest, found.settled, found.seconds);
        report(scenarios[k].name, &found);
        if (all && most >= STATES_EXPECTED)
            row_true(scenarios[k].name, found.complete);
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
        struct exploration found = walk_randomly(&state, (size_t)setting("MODEL_WALKS", WALKS), WALK_LENGTH,
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
    {WEAK_FORGETS_A_NODE, "the positions of one node are ignored", "the trap, killed again"},
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
        struct exploration found = explore(&state, STATES_TEETH, 0);
        if (found.violation == NULL) {
            state = first_state(scenario, 1);
            found = walk_randomly(&state, 3000, WALK_LENGTH, t + 1);
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
