/*
 * Asking the other nodes' servers whether they are Primary, all at the same time, so that one that hangs does not hold
 * up the answers of the others.
 */
#ifndef INIT_MEMBERS_H
#define INIT_MEMBERS_H

#include "keys.h"
#include "node.h"

struct member_question {
    const char *address; /* "10.0.0.1:3306" */
    struct sighting sighting;
    enum node_failure failure;
    struct error error; /* when it did not answer */
};

/* The account is that of `settings`. Takes at most timeout_ms and a second, however many there are. */
void members_ask(const struct node_settings *settings, int64_t timeout_ms, struct member_question *question,
                 size_t count);

/*
 * What the status variables of a server say, and the row of the suite's schema (view_row: gcomm_uuid, conf_id,
 * generation, mark as texts; NULL: none). Pure.
 *
 * The generation counts only when the row is of the view that the server is in (decide.h, rule 9).
 */
struct sighting sighting_read(const struct facts *facts, char *const *view_row);

/* Whether the server is, or was taken into, a Primary Component as a member with a state: not one that still joins. */
bool facts_are_primary(const struct facts *facts);

/* wsrep_cluster_state_uuid and wsrep_last_committed; position_none() when the server does not tell. */
struct position facts_position(const struct facts *facts);

#endif
