/*
 * The facts as JSON, in etcd and in the state directory alike. Reading is strict: a member that is missing, of the
 * wrong type or out of its range is an error that names it (EXIT_CONFIG), since a guess could be a wrong decision.
 */
#ifndef GALERA_INIT_NOTATION_H
#define GALERA_INIT_NOTATION_H

#include "error.h"
#include "json.h"
#include "situation.h"
#include "text.h"

/* Far from an overflow, and exact for readers to whom every number is a double. */
#define EPOCH_MOST ((int64_t)1 << 53)

/* --- reading ------------------------------------------------------------------------------------------------------ */

/* The object in `text`, to be freed with json_free, or NULL. */
struct json *notation_parse(const char *text, size_t length, struct error *error);

/* What stands there instead: always false. */
bool notation_refuse(const struct json *object, const char *name, const char *wanted, struct error *error);

/* Any string that fits, or one that `is_valid`. */
bool notation_text(const struct json *object, const char *name, char *text, size_t size, bool (*is_valid)(const char *),
                   struct error *error);
bool notation_number(const struct json *object, const char *name, int64_t min, int64_t max, int64_t *number,
                     struct error *error);
bool notation_boolean(const struct json *object, const char *name, bool *truth, struct error *error);

/* The index in words[first..count-1]. */
bool notation_word(const struct json *object, const char *name, const char *const *words, int first, int count,
                   int *index, struct error *error);

bool notation_uuid(const struct json *object, const char *name, struct uuid *uuid, struct error *error);
bool notation_position(const struct json *object, const char *name, struct position *position, struct error *error);
bool notation_place(const struct json *object, const char *name, struct place *place, struct error *error);
bool notation_lineage(const struct json *object, const char *name, struct lineage *lineage, struct error *error);

/* A view that is missing is none. */
bool notation_view(const struct json *object, const char *name, struct view *view, struct error *error);

/* For notation_text. A boot id is made of the characters of a node's name. */
bool name_is_valid(const char *name);
bool boot_is_valid(const char *boot);

/* --- writing ------------------------------------------------------------------------------------------------------ */

void notation_add_uuid(struct text *text, const char *name, const struct uuid *uuid);
void notation_add_position(struct text *text, const char *name, const struct position *position);
void notation_add_place(struct text *text, const char *name, struct place place);
void notation_add_lineage(struct text *text, const char *name, const struct lineage *lineage);
void notation_add_view(struct text *text, const char *name, const struct view *view); /* nothing when it is none */

#endif
