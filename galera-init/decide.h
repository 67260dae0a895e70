/*
 * What this node does next: facts in, action and cause out. Pure; the model in tests/unit/galera-init/test_model.c
 * explores what three nodes that obey it can come to.
 *
 * THE PROTOCOL
 *
 * What must never be: two Primary Components of one cluster, and a cluster that goes on without a transaction that was
 * acknowledged and is still on a node that nobody gave up. Both come from starting a server with --wsrep-new-cluster
 * (or telling one pc.bootstrap) while another node's server runs or holds more. etcd decides who may; leases do not,
 * since a process can be alive after its lease is gone (etcd#11456).
 *
 * Keys, under /galera/<cluster>/:
 *
 *     uuid              of the history; created once, with the first Primary Component
 *     bootstrap         struct bootstrap: the claim, and the lineage of the history from then on
 *     position/<node>   struct record: what the node says of its server, or an operator says for it
 *     member/<node>     struct member, leased: for patience and for words only
 *
 * In the state directory of each node, on disk before anything that rests on it: the lineage, the epoch, the pledge
 * (rule 2), the names of all nodes ever seen in position/, the addresses of the last members.
 *
 *  1. EPOCH. An epoch starts when a claim reaches phase `starting`; its number is the claim's. Everybody takes the
 *     highest that bootstrap, the records or his own state directory know of. An attestation counts in its epoch only.
 *
 *  2. ATTEST. A node whose server is stopped, and which sees no Primary member that it could join, writes
 *     position/<self> = attested, with its position. Before that it notes on its own disk that it has pledged: from
 *     then on its server stays stopped until that record is replaced (rule 4), also when etcd is out of reach. It
 *     attests again, with a new revision, when the epoch, its boot id or its copy has changed, and never otherwise.
 *     A clean stop ends with the same: note, server stopped, record.
 *
 *  3. CLAIM. When every expected node is accounted for (attested in this epoch, or attested lost by rule 7), and the
 *     election chooses us, one transaction puts bootstrap = {we, our boot id, epoch + 1, claimed, base, lineage},
 *     provided that bootstrap, uuid and *every* key of position/, and the set of them, are as they were read.
 *     Expected is every node that has a record; there must be at least as many as the largest `nodes` that any of them
 *     is configured with; and when etcd forgot, the names of our own cache are expected as well.
 *     The election takes the highest place (generation, then seqno; lineage.h) among copies of the recorded UUID.
 *     Doubtful copies count when there is no trusted one; when a doubtful copy is ahead of the best trusted one, or
 *     somebody once recorded more than anybody has now, an operator has to choose. Nodes that have attested need not
 *     be alive, but for the one that claims. Of equals the one that is alive goes first, then the one with
 *     safe_to_bootstrap, then the lowest name. A claim that is still `claimed` may be replaced by
 *     another one: its holder's next step fails then (rule 4).
 *
 *  4. START. *Every* start of a server replaces our record first, in one transaction that holds only if bootstrap and
 *     position/<self> are as they were read:
 *         bootstrap      bootstrap.phase = starting and position/<self> = running; the claim names us and our boot id
 *         join, remerge  position/<self> = running
 *     So of a claim and the start of a node that it counts on, one fails, in whatever order they come and however long
 *     a process sleeps between reading and writing. After the transaction, in this order, each on disk before the next:
 *     blank grastate.dat where `discard` says so (a nil UUID, seqno -1: a lineage must never be saved over a copy that
 *     it does not describe); save bootstrap.lineage and the epoch; clear the pledge; remove gvwstate.dat where
 *     `drop_view` says so; for a bootstrap set safe_to_bootstrap to 1 in grastate.dat (Galera insists); start.
 *     A join is decided only when bootstrap says `primary` and a member itself says that it is Primary.
 *
 *  5. PRIMARY. When our server is Primary, one transaction puts bootstrap.phase = primary and creates uuid, provided
 *     that both are as they were read. When it fails, the next decision sees who was first: with our lineage that is no
 *     harm (another member of the same re-merge), with another one our server is ended at once. An etcd that
 *     forgot is told again by every Primary member: bootstrap, uuid, its own record.
 *     Until the holder of a claim in `starting` attests in the new epoch, or is attested lost in it, nobody else can
 *     claim, since its server may have been Primary and acknowledged transactions. It goes on with its own claim
 *     when it comes back with at least the base: the transaction of rule 4, with its new boot id.
 *
 *  6. REMERGE. When all expected nodes are back and all have the view of one gvwstate.dat that has exactly them as its
 *     members, one of the stopped ones claims KIND_REMERGE by rule 3, straight to `starting`: it names every member of
 *     that view. Each starts by rule 4 and keeps its gvwstate.dat, and Galera makes the view Primary when all are
 *     there. No generation begins, since Galera itself finds the newest of all members. Each has one try: who loses
 *     patience, or its server, attests in the new epoch; that calls it off for all, and the next claim is an election.
 *     Every other start removes gvwstate.dat. So an old view cannot come back beside a bootstrap: its members
 *     attested, and lose their name in it when they start; or were attested lost, and start by rule 4 alone.
 *
 *  7. ATTEST-LOST is an operator's word: "its server is stopped, and do not wait for its data". It counts in its epoch,
 *     and only when its revision is higher than those of all records that it is counted with: a node that recorded
 *     something later may have been Primary in between, with the lost one for a member. A node that comes back
 *     replaces it by its own record. What the cluster did without it is a generation of its own; by that the node
 *     learns that its copy is left behind, and takes a full transfer.
 *
 *  8. SURVIVOR. A server that has lost its Primary Component runs on and records `idle`. When all others are stopped
 *     and accounted for and none is newer, it claims KIND_SURVIVOR by rule 3 and is told pc.bootstrap by rule 4.
 *     When one is newer, or several are idle and their old view cannot come back, all but the best stop and attest.
 *
 *  9. WITHOUT ETCD a running server goes on. A stopped one may join Primary members of the cached list, if it has not
 *     pledged and a member tells a generation that equals ours: then our copy is a beginning of its history. What a
 *     member tells must be of its present view, never left over: in every Primary view its galera-init writes a row
 *     {node, wsrep_gcomm_uuid, wsrep_cluster_conf_id, generation} into the suite's own schema, and a row that does not
 *     match the server's status variables tells nothing. Nothing else starts without etcd.
 *
 * Between two decisions everything may change; therefore a decision names what must still be so (`compare`) and what is
 * written (`write`), in the one transaction that carries it out. When that fails, or nobody knows whether it did: read
 * again, decide again.
 *
 * LIMITS. What an operator attests must be true: that server is stopped, its galera-init too. Two hosts must not share
 * a node name. An etcd that was restored from a snapshot has to lose this prefix (`etcdctl del --prefix`) before
 * anybody reads it: records that were true once are worse than none. A galera-init that died and left its server
 * running finds a stranger when it comes back, and stops it before anything else.
 */
#ifndef GALERA_INIT_DECIDE_H
#define GALERA_INIT_DECIDE_H

#include "cause.h"
#include "situation.h"

enum action {
    ACTION_ATTEST,       /* write our record and decide again */
    ACTION_CLAIM,        /* write bootstrap and decide again */
    ACTION_BOOTSTRAP,    /* write, then start with --wsrep-new-cluster */
    ACTION_JOIN,         /* write, then start with the addresses of `who` */
    ACTION_REMERGE,      /* write, then start with the addresses of `who` and our gvwstate.dat */
    ACTION_PC_BOOTSTRAP, /* write, then SET GLOBAL wsrep_provider_options='pc.bootstrap=YES' */
    ACTION_RECORD,       /* our server is fine: bring etcd in line */
    ACTION_RUN,          /* our server is fine: nothing to do */
    ACTION_WAIT,
    ACTION_REFUSE, /* waiting will not help: end, saying why */
    ACTION_STOP,   /* stop our server, take a new boot id, decide again */
};

/* What must be as it was read. COMPARE_POSITIONS: every key of position/, and that there are no others. */
enum { COMPARE_BOOTSTRAP = 1, COMPARE_UUID = 2, COMPARE_OWN = 4, COMPARE_POSITIONS = 8 };

enum { WRITE_BOOTSTRAP = 1, WRITE_UUID = 2, WRITE_OWN = 4 };

struct decision {
    enum action action;
    enum cause cause;
    nodes_t who; /* whom the cause is about; of ACTION_JOIN and ACTION_REMERGE: whom to connect to, never empty */

    /* The transaction. Nothing is written, and there is none, when `write` is 0. */
    unsigned compare;
    unsigned write;
    struct bootstrap bootstrap;
    struct uuid uuid;
    struct record own;

    /* Before the server starts. */
    bool drop_view; /* remove gvwstate.dat */
    bool discard;   /* blank grastate.dat, so that nothing less than a full transfer is possible */
    nodes_t donors; /* ACTION_JOIN: whom to prefer; the list ends with a comma so that others may serve as well */
};

struct decision decide(const struct situation *situation);

/* "attest", "claim", "bootstrap", "join" .. */
const char *action_word(enum action action);

#endif
