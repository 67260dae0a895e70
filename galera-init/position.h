/*
 * Where a copy of the database stands in the history of its cluster: UUID:SEQNO.
 *
 * The UUID names the history, the seqno counts its transactions (Galera documentation, "Database Replication": global
 * transaction ID). Two copies with the same UUID need not have the same transactions at the same seqno: see lineage.h.
 */
#ifndef GALERA_INIT_POSITION_H
#define GALERA_INIT_POSITION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct uuid {
    unsigned char bytes[16];
};

enum { UUID_TEXT_SIZE = 37, POSITION_TEXT_SIZE = UUID_TEXT_SIZE + 21, SEQNO_UNKNOWN = -1 };

struct position {
    struct uuid uuid; /* nil: no history */
    int64_t seqno;    /* SEQNO_UNKNOWN: not known */
};

/* 36 characters at `text`, of either case; what follows them is not looked at. */
bool uuid_parse(const char *text, struct uuid *uuid);

/* Lower case, as Galera writes it; returns text. */
const char *uuid_format(const struct uuid *uuid, char text[UUID_TEXT_SIZE]);

bool uuid_is_nil(const struct uuid *uuid);
bool uuid_equal(const struct uuid *a, const struct uuid *b);

/*
 * Whether two names of group members are the same member in perhaps different incarnations: Galera counts bytes 8 and 9
 * up whenever a member returns with its gvwstate.dat (gcomm/uuid.hpp, fixed_part_matches).
 */
bool uuid_same_member(const struct uuid *a, const struct uuid *b);

/* The whole of "UUID:SEQNO", as wsrep_start_position and --wsrep-recover have it; a seqno below -1 is refused. */
bool position_parse(const char *text, struct position *position);

/* Returns text. */
const char *position_format(const struct position *position, char text[POSITION_TEXT_SIZE]);

bool position_equal(const struct position *a, const struct position *b);

/* The position of a data directory that has no history. */
struct position position_none(void);

#endif
