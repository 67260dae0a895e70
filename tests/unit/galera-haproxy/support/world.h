/*
 * A registry and a HAProxy written down in words, for tables of cases.
 *
 * Members, with blanks between them:   ID/LAST[/WAY[/SECONDS]]
 *     db1/1          listed, at 10.0.0.1:3306, registered first
 *     db2/2/removed/5   its entry was removed 5 s ago; `expired` likewise; leaving/5: removed, drained for 5 s
 *     -/9/expired/5     known from HAProxy alone
 * Slots, s1 first:                     LAST/STATE[/SESSIONS] or -
 *     1/up           10.0.0.1:3306, UP by passed checks
 *     1/fresh        UP, not checked since it left maintenance
 *     1/down  1/drain  1/draindown  1/pending (drain, not checked yet)  1/failing (drain, its check fails)
 *     1/maint  1/busy (maintenance, a check is under way)  1/nolb (404)
 *     1/agent/drain ... with an agent: agent+STATE ("agent-drain", "agent-maint", "agent-up", "quiet-drain": disabled)
 *     -              free
 */
#ifndef TEST_WORLD_H
#define TEST_WORLD_H

#include "plan.h"

enum { WORLD_NOW_MS = 10000000 };

struct world {
    struct settings settings;
    struct roster roster;
    struct view view;
    struct plan plan;
    struct writer_memory writer;
    bool confirmed;
};

/* Settings at their defaults, nobody anywhere. */
void world_begin(struct world *world);

void world_members(struct world *world, const char *words);
void world_slots(struct world *world, enum section section, const char *words);

/* Plans at WORLD_NOW_MS. */
void world_plan(struct world *world);

/* The commands, one a line without its last newline; "galera-any/" is left out of them. */
const char *world_steps(const struct world *world, char *text, size_t size);

#endif
