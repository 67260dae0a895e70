/*
 * The mark: the row of galera_init.seed with id = 1. It is replicated with the data and decides.
 *
 *   state         NULL: never begun; 'loading': somebody began, what is in the database is his; 'done'
 *   sha256        of the dump, as the file is
 *   database      seed_database; '' when the dump chooses itself
 *   made_with     character set and collation that the database had before, to make it again
 *   node, loader  who began, and a random word of that process: everything below holds only while it is unchanged
 *   users_sha256  of users_sql when it was completed
 *
 * A change is an UPDATE that names the loader that it replaces. Of two nodes that do so at the same time one fails, by
 * Galera's certification; so there is one loader at a time, whatever etcd says.
 *
 * A loader that lost its claim may still run: etcd cannot be reached from there, or the host was frozen. Who replaces
 * it therefore waits for SEED_GRACE_MS between taking the mark and touching the database. In that time the other one
 * sees that the mark is no longer its own and ends its client; or its session, when nothing comes out of a frozen
 * client, is ended by its server after SEED_IDLE_S.
 */
#ifndef INIT_SEED_MARK_H
#define INIT_SEED_MARK_H

#include <stdbool.h>

#include "error.h"
#include "node.h"
#include "seed_plan.h"

enum { SEED_IDLE_S = 20, SEED_GRACE_MS = 30000 };

enum { MARK_SHA256_SIZE = 65, MARK_DATABASE_SIZE = 257, MARK_NODE_SIZE = 65, MARK_LOADER_SIZE = 33 };

struct seed_mark {
    enum mark_state state;
    char sha256[MARK_SHA256_SIZE];
    char database[MARK_DATABASE_SIZE];
    char node[MARK_NODE_SIZE];
    char loader[MARK_LOADER_SIZE]; /* "": none */
    bool users_done;
    char users_sha256[MARK_SHA256_SIZE];
};

/* A word for `loader` that nobody else has. False with EXIT_INTERNAL. */
bool mark_new_loader(char loader[MARK_LOADER_SIZE], struct error *error);

/* The schema must exist. */
bool mark_read(struct node *node, struct seed_mark *mark, struct error *error);

/* Whether there is anything in `database`; in any database that is not the server's or ours, when it is "". */
bool mark_find_tables(struct node *node, const char *database, bool *found, struct error *error);

/* Puts `next` in the place of `now`, as 'loading'. EXIT_TRY_AGAIN when somebody else was quicker. */
bool mark_take(struct node *node, const struct seed_mark *now, const struct seed_mark *next, struct error *error);

/* 'loading' of `mark` becomes 'done'. */
bool mark_finish(struct node *node, const struct seed_mark *mark, struct error *error);

bool mark_users(struct node *node, const char *sha256, struct error *error);

/* Whether `mark` still stands, 'loading'. */
bool mark_stands(struct node *node, const struct seed_mark *mark, bool *stands, struct error *error);

/* Drops what the mark names, if `again`, and makes it. "" is nothing to do. */
bool mark_make_database(struct node *node, const struct seed_mark *mark, bool again, struct error *error);

#endif
