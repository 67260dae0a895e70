/*
 * The parts of HAProxy's language that may stand in our own configuration. Checked here, so that a mistake is named
 * with its key; `haproxy -c` has the last word when the file is written.
 */
#ifndef HAPROXY_WORDS_H
#define HAPROXY_WORDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "error.h"

struct check_words {
    int64_t rise;
    int64_t fall;
    int64_t inter_ms;
    int64_t other_inter_ms; /* the longer of fastinter and downinter; 0: neither is there */
};

/*
 * "inter 1s fastinter 300ms downinter 1s rise 2 fall 2", and slowstart, weight, maxconn, minconn, maxqueue. A `fall` of
 * 1 is refused: the first passed check after maintenance could not be told from no check at all (see plan.h).
 */
bool words_parse_check(const char *text, struct check_words *check, struct error *error);

/* How long it may take until a new node that answers at once is UP. */
int64_t words_first_checks_ms(const struct check_words *check);

/* NULL is right: no such listener. `name` is the key's. */
bool words_check_bind(const char *name, const char *text, struct error *error);
bool words_check_balance(const char *text, struct error *error);

/* NULL is right. No line may begin a section or add servers. */
bool words_check_extra(const char *text, struct error *error);

/* The next line of `extra` without blanks around it; false at the end. `*rest` begins as the whole text. */
bool words_next_line(const char **rest, const char **line, size_t *length);

#endif
