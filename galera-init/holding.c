#include "holding.h"

const char *copy_word(enum copy copy)
{
    static const char *const words[] = {
        [COPY_EMPTY] = "empty",       [COPY_PLAIN] = "plain",     [COPY_BROKEN] = "broken",
        [COPY_DOUBTFUL] = "doubtful", [COPY_TRUSTED] = "trusted",
    };

    return words[copy];
}

const char *source_word(enum source source)
{
    static const char *const words[] = {
        [SOURCE_NONE] = "none", [SOURCE_GRASTATE] = "grastate", [SOURCE_RECOVER] = "recover"};

    return words[source];
}

const char *flaw_text(enum flaw flaw)
{
    static const char *const texts[] = {
        [FLAW_NONE] = "",
        [FLAW_TRANSFER] =
            "killed during a state transfer: the copy is incomplete and will be replaced by a full transfer",
        [FLAW_INCONSISTENT] =
            "grastate.dat has no UUID: the copy was given up as inconsistent or a transfer was interrupted; "
            "it will be replaced by a full transfer",
        [FLAW_SCHEMA] =
            "killed during a schema change: only InnoDB's own position is known; let this node join another one, or go "
            "on from it when there is no better copy",
        [FLAW_GRASTATE_MISSING] =
            "grastate.dat is missing: only InnoDB's own position is known; restore the file or let this "
            "node join another one",
        [FLAW_GRASTATE_CORRUPT] =
            "grastate.dat is corrupt: only InnoDB's own position is known; remove the file and let this "
            "node join another one",
        [FLAW_PREPARED] =
            "prepared transactions were decided by --tc-heuristic-recover: compare this node's data, or let it "
            "join another one",
        [FLAW_DISAGREE] =
            "grastate.dat and InnoDB tell different positions; remove grastate.dat and let this node join "
            "another one",
        [FLAW_NO_LINEAGE] =
            "the state directory was lost: this copy may be one that the cluster has left behind; restore the "
            "directory or let this node join another one",
        [FLAW_NO_POSITION] = "--wsrep-recover found no position, or damaged data: read its log; the copy will be "
                             "replaced by a full transfer",
    };

    return texts[flaw];
}

static struct holding unusable(enum copy copy, enum flaw flaw)
{
    return (struct holding){.copy = copy, .flaw = flaw, .position = position_none()};
}

bool holding_needs_recover(const struct holding_signs *signs)
{
    if (!signs->has_data || signs->transfer_mark)
        return false;
    if (signs->grastate.condition != GRASTATE_GOOD)
        return true;
    if (uuid_is_nil(&signs->grastate.position.uuid))
        return signs->served;
    return signs->grastate.position.seqno == SEQNO_UNKNOWN;
}

/* grastate.dat is no help: InnoDB's position is all there is. */
static struct holding judge_without_grastate(const struct holding_signs *signs)
{
    bool missing = signs->grastate.condition == GRASTATE_MISSING;

    if (signs->recovered.outcome == RECOVER_POSITION)
        return (struct holding){.copy = COPY_DOUBTFUL,
                                .source = SOURCE_RECOVER,
                                .flaw = missing ? FLAW_GRASTATE_MISSING : FLAW_GRASTATE_CORRUPT,
                                .position = signs->recovered.position};
    if (missing && signs->recovered.outcome == RECOVER_NOTHING)
        return unusable(COPY_PLAIN, FLAW_NONE);
    return unusable(COPY_BROKEN, FLAW_NO_POSITION);
}

/* The server did not end cleanly: grastate.dat knows the history, InnoDB the place in it. */
static struct holding judge_crashed(const struct holding_signs *signs)
{
    struct holding holding = {.copy = COPY_TRUSTED, .source = SOURCE_RECOVER, .position = signs->recovered.position};

    if (signs->recovered.outcome != RECOVER_POSITION)
        return unusable(COPY_BROKEN, FLAW_NO_POSITION);
    if (!uuid_equal(&holding.position.uuid, &signs->grastate.position.uuid)) {
        holding.copy = COPY_DOUBTFUL;
        holding.flaw = FLAW_DISAGREE;
    } else if (signs->recovered.prepared) {
        holding.copy = COPY_DOUBTFUL;
        holding.flaw = FLAW_PREPARED;
    }
    return holding;
}

/* A nil UUID. */
static struct holding judge_unsafe(const struct holding_signs *signs)
{
    if (!signs->served)
        return unusable(COPY_BROKEN, FLAW_INCONSISTENT);
    if (signs->recovered.outcome != RECOVER_POSITION)
        return unusable(COPY_BROKEN, FLAW_NO_POSITION);
    return (struct holding){
        .copy = COPY_DOUBTFUL, .source = SOURCE_RECOVER, .flaw = FLAW_SCHEMA, .position = signs->recovered.position};
}

static struct holding judge_closed(const struct holding_signs *signs)
{
    const struct recovered *recovered = &signs->recovered;

    /* A seqno in grastate.dat that InnoDB does not confirm makes Galera skip or repeat transactions (codership,
     * PXC-4845). */
    if (recovered->outcome == RECOVER_POSITION && !position_equal(&recovered->position, &signs->grastate.position))
        return (struct holding){
            .copy = COPY_DOUBTFUL, .source = SOURCE_RECOVER, .flaw = FLAW_DISAGREE, .position = recovered->position};
    return (struct holding){.copy = COPY_TRUSTED,
                            .source = SOURCE_GRASTATE,
                            .position = signs->grastate.position,
                            .safe_to_bootstrap = signs->grastate.safe_to_bootstrap};
}

struct holding holding_judge(const struct holding_signs *signs)
{
    if (!signs->has_data)
        return unusable(COPY_EMPTY, FLAW_NONE);
    if (signs->transfer_mark)
        return unusable(COPY_BROKEN, FLAW_TRANSFER);
    if (signs->grastate.condition != GRASTATE_GOOD)
        return judge_without_grastate(signs);
    if (uuid_is_nil(&signs->grastate.position.uuid))
        return judge_unsafe(signs);
    if (signs->grastate.position.seqno == SEQNO_UNKNOWN)
        return judge_crashed(signs);
    return judge_closed(signs);
}
