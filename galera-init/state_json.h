/*
 * The contents of state.json; for statefile.c. Pure.
 *
 *     {"format": 1, "cluster", "node", "datadir",
 *      "epoch": the last epoch that we knew to have started, "lineage": of our copy (notation.h),
 *      "pledged": a record of ours that says "attested" may stand in etcd,
 *      "installing", "fresh": whether mariadb-install-db is making, made the data directory for us,
 *      "served": whether our server was Primary with the copy that is there,
 *      "server": {"pid", "start"}, as far as one runs,
 *      "lease": the last one that member/<node> was under,
 *      "peers": [{"name", "address", "sql"}, ..]: every node that was ever seen}
 */
#ifndef GALERA_INIT_STATE_JSON_H
#define GALERA_INIT_STATE_JSON_H

#include "statefile.h"

/* Every member must be there and make sense: EXIT_CONFIG. */
bool state_from_json(const char *text, size_t length, struct state *state, struct error *error);

/* Refuses what could not be read again: EXIT_INTERNAL. */
bool state_to_json(struct text *text, const struct state *state, struct error *error);

#endif
