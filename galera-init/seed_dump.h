/*
 * A file of SQL statements: plain, or compressed by gzip or zstd. What it is is seen by its first bytes, not by its
 * name.
 *
 * It is opened once: the bytes that were hashed are those that are loaded, also when another file takes its name.
 */
#ifndef INIT_SEED_DUMP_H
#define INIT_SEED_DUMP_H

#include <stdbool.h>
#include <stdint.h>

#include "error.h"
#include "seed_mark.h"

struct dump {
    const char *path;         /* the caller's */
    int fd;                   /* -1: closed */
    int64_t size;             /* bytes, as the file is */
    const char *decompressor; /* NULL: plain */
};

/* EXIT_CONFIG when it cannot be read, is empty, or is none of these. */
bool dump_open(struct dump *dump, const char *path, struct error *error);
void dump_close(struct dump *dump);

/*
 * For --check-config: warns when the file that `key` names, NULL for none, cannot be used. That is no error: it is read
 * when the cluster is made, by one node.
 */
void dump_look(const char *key, const char *path);

/*
 * SHA-256 of the file as it is, 64 hexadecimal digits, by sha256sum(1): it is on every system that has this suite's
 * Debian packages, and takes no library for one sum in a cluster's life. Given up (EXIT_TRY_AGAIN) when `wake_fd`
 * becomes readable.
 */
bool dump_hash(const struct dump *dump, int wake_fd, char sha256[MARK_SHA256_SIZE], struct error *error);

#endif
