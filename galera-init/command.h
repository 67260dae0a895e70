/*
 * What people ask of galera-init besides running a node: the plan, and the operator's words (verbs.h). None of them
 * needs the galera-init of this host, or touches its server.
 */
#ifndef INIT_COMMAND_H
#define INIT_COMMAND_H

#include "server.h"
#include "settings.h"

/* The facts, the decision and the reason, on standard output; nothing is changed. Returns the exit code. */
int command_plan(const struct settings *settings, const struct server_command *command, bool as_json,
                 struct error *error);

int command_attest_lost(const struct settings *settings, const char *node, struct error *error);
int command_forget(const struct settings *settings, const char *node, struct error *error);

/* `typed`: the cluster's name as it was typed for confirmation; NULL: it is asked for on the terminal. */
int command_force(const struct settings *settings, const char *typed, struct error *error);

/* Loads the database now. `boot`: of the galera-init that asks; NULL: a person does. */
int command_seed(const struct settings *settings, const struct server_command *command, const char *boot,
                 struct error *error);

#endif
