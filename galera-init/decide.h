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
 * In the state directory of each node, synced to disk before what rests on it: the lineage, the epoch, "a record of
 * ours may say attested", the names of all nodes ever seen in position/, the addresses of the last members.
 *
 *  1. EPOCH. An epoch starts when a claim reaches phase `starting`; its number is the claim's. Everybody knows the
 *     last one from bootstrap, from the records and from his own state directory, and takes the highest: so an etcd
 * that was wiped or set back makes nothing valid again that was not. An attestation counts only in the epoch that it
 * names.
 *
 *  2. ATTEST. A node whose server is stopped, and which sees no Primary member that it may join, notes "attested" on
 * its disk and writes position/<self> = attested, with its position. It keeps its server stopped until that record is
 * replaced. It attests again, with a new revision, when the epoch, its boot id or its copy has changed, and never
 * otherwise.
 *
 *  3. CLAIM. When every expected node is accounted for (attested in this epoch, or attested lost by rule 7) and the
 *     election chooses us, one transaction puts bootstrap = {we, our boot id, epoch + 1, claimed, base, lineage}
 * provided that bootstrap, uuid and *every* position/ key, and the set of them, are as they were read. Expected is
 * every node that has a record; there must be at least as many as the largest `nodes` that any of them is configured
 * with; and when etcd forgot, the names of our own cache count too. The election takes the highest place (generation,
 * then seqno; lineage.h), only copies of the recorded UUID, doubtful copies only when there is no trusted one, and
 * stops for an operator when a doubtful or a lost copy was newer. A claim that is still `claimed` may be replaced by
 * another (its holder's next step fails then, since it compares bootstrap).
 *
 *  4. START. *Every* start of a server replaces our record, and does nothing else first:
 *        bootstrap:  one transaction puts bootstrap.phase = starting and position/<self> = running, provided that
 * bootstrap and position/<self> are as read; bootstrap names us and our boot id. join, remerge: one transaction puts
 * position/<self> = running, provided that bootstrap and position/<self> are as read. So a claim and a start of any
 * node that it counts on exclude each other, in whatever order they come and however long a process sleeps between
 * reading and writing. After the transaction: save the lineage of bootstrap, clear the note of rule 2, remove
 * gvwstate.dat (`drop_view`), blank grastate.dat (`discard`: nil UUID, seqno -1), start. A join is only decided when
 * bootstrap says `primary` and a member says of itself that it is Primary.
 *
 *  5. PRIMARY. When our server is Primary, a transaction puts bootstrap.phase = primary and creates uuid, provided that
 * bootstrap is as read. The next decision after a failure sees who changed it: the same lineage is no harm, another one
 * ends our server at once. An etcd that forgot is told again by every Primary member: bootstrap, uuid, own record.
 *     Until the holder of a claim in `starting` attests in the new epoch, or is attested lost in it, nobody else can
 * claim: it may have been Primary and acknowledged transactions. It goes on with its own claim when it comes back with
 * at least the base
 *     (`resume`: the transaction of rule 4 with the new boot id).
 *
 *  6. REMERGE. When all expected nodes are back with one view that has them all, one of the stopped ones claims
 * KIND_REMERGE, straight to `starting`: the claim names every member of that view, each starts by rule 4 and keeps its
 * gvwstate.dat, and Galera makes the view Primary when all are there. No generation begins: Galera finds the newest
 * member itself. Whoever loses patience stops its server and attests in the new epoch; that calls it off for all, and
 * the next claim is an election. In every other start gvwstate.dat is removed first. That is why an old view can never
 * come back beside a bootstrap: the members of it that attested lose their names in it, and those attested lost cannot
 * start but by rule 4.
 *
 *  7. ATTEST-LOST is an operator's "its server is stopped, and do not wait for its data". It counts in its epoch and
 * only when its revision is higher than those of all records that it is counted with: a node that attested or was left
 * idle later may have been Primary, with the lost one as a member, in between. A node that comes back replaces it by
 * its own record. What the cluster did without it makes a generation, and by that the node finds out that its copy is
 * left behind: a full transfer.
 *
 *  8. SURVIVOR. A server that lost its Primary Component goes on running and records `idle`. When all others are
 * stopped and accounted for and none is newer, it claims KIND_SURVIVOR by rule 3 and gives pc.bootstrap by rule 4. When
 * one is newer, or when several are idle, all but the best stop and attest; a server may only be told pc.bootstrap when
 * it is the only one.
 *
 *  9. CLEAN STOP. After the server has ended: position/<self> = stopped, with position and safe_to_bootstrap. It is not
 * an attestation. But Galera sets safe_to_bootstrap on the one that was alone in the Primary Component when it stopped;
 * when everybody recorded a stop in this epoch and nobody recorded more, that node may claim without the others coming
 * back.
 *
 * 10. WITHOUT ETCD a running server goes on. A stopped one may join Primary members of the cached list, if no record of
 * ours can say attested and the member tells a generation that equals ours: then our copy is a beginning of its
 * history. Nothing else starts.
 *
 * Between two decisions everything may change; therefore a decision names what must still be so (`compare`) and what is
 * written (`write`) in the one transaction that carries it out. When that fails: read again, decide again.
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
