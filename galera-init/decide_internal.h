/* What the files of the decision share; for decide*.c alone. */
#ifndef GALERA_INIT_DECIDE_INTERNAL_H
#define GALERA_INIT_DECIDE_INTERNAL_H

#include "decide.h"
#include "election.h"
#include "tally.h"

/* A decision that writes nothing. */
struct decision decision_of(enum action action, enum cause cause, nodes_t who);

/* Adds our own record to what is written, provided that it is as it was read. */
void decision_write_own(struct decision *decision, const struct situation *situation, enum record_state state);

/* The claim of rule 3 (6 for KIND_REMERGE), from the copy of nodes[from]. */
struct decision claim_of(const struct situation *situation, enum bootstrap_kind kind, enum cause cause, size_t from);

/* The nodes that answered as Primary members. */
nodes_t primary_members(const struct situation *situation);

/* Whether bootstrap is a claim that is in force and not carried out yet. */
bool claim_is_open(const struct situation *situation);

/* Whether bootstrap names us in the boot that we are in. */
bool claim_is_ours(const struct situation *situation);

/*
 * A claim that has started and is not of our history: the cluster goes on without us. One that has not started is of no
 * account to a Primary member, which is the proof that it must not.
 */
bool cluster_went_on(const struct situation *situation);

/* Somebody called the re-merge off that bootstrap speaks of: who. */
nodes_t remerge_called_off(const struct situation *situation);

/* The nodes whose records are ahead of ours and that are not accounted for, else all of the missing ones with the
 * fitting cause. */
struct decision wait_for_missing(const struct situation *situation, const struct tally *tally);

/* What comes of an election that nobody can win. */
struct decision judge_no_winner(const struct election *election);

/* Our server is stopped. */
struct decision decide_stopped(const struct situation *situation);

/* Our server lost its Primary Component. */
struct decision decide_idle(const struct situation *situation);

#endif
