/* What keys_*.c share; for these alone. */
#ifndef GALERA_INIT_KEYS_INTERNAL_H
#define GALERA_INIT_KEYS_INTERNAL_H

#include "json.h"
#include "keys.h"

/* The names of keys below the prefix. */
#define KEY_UUID      "uuid"
#define KEY_BOOTSTRAP "bootstrap"
#define KEY_SEED      "seed"
#define KEY_POSITION  "position/"
#define KEY_MEMBER    "member/"

/* The values. Reading fills in what the value tells; what etcd tells of a key (revision, lease) is the caller's. */
bool uuid_value_read(const struct json *value, struct uuid *uuid, struct error *error);
bool bootstrap_read(const struct json *value, struct bootstrap *bootstrap, struct error *error);
bool record_read(const struct json *value, struct record *record, struct node_card *card, struct error *error);
bool member_read(const struct json *value, struct member *member, struct node_card *card, struct error *error);
bool seed_key_read(const struct json *value, struct seed_key *seed, struct error *error);

/* Into an empty text. EXIT_INTERNAL: memory runs out, or it could not be read again. `card` may be NULL. */
bool uuid_value_format(struct text *text, const struct uuid *uuid, struct error *error);
bool bootstrap_format(struct text *text, const struct bootstrap *bootstrap, struct error *error);
bool record_format(struct text *text, const struct record *record, const struct node_card *card, struct error *error);

/* How many words there are for each. */
enum {
    RECORD_WORDS = RECORD_LOST + 1,
    PHASE_WORDS = BOOTSTRAP_PRIMARY + 1,
    KIND_WORDS = KIND_REMERGE + 1,
    MEMBER_WORDS = MEMBER_LEAVING + 1,
    SEED_WORDS = SEED_KEY_FAILED + 1,
    COPY_WORDS = COPY_TRUSTED + 1,
    SOURCE_WORDS = SOURCE_RECOVER + 1,
};

#endif
