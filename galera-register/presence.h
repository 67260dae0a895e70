/* Whether the node is to be in the registry, when that follows the server: a blip must not flap it. Pure. */
#ifndef REGISTER_PRESENCE_H
#define REGISTER_PRESENCE_H

#include <stdbool.h>
#include <stdint.h>

struct presence {
    int64_t up_after_ms;
    int64_t down_after_ms;
    bool present;
    bool fit;         /* what was seen last */
    int64_t since_ms; /* since when it was seen so */
};

void presence_init(struct presence *presence, int64_t up_after_ms, int64_t down_after_ms, int64_t now_ms);

/* What was seen of the server. */
void presence_note(struct presence *presence, bool fit, int64_t now_ms);

/* Is the node to be in the registry now? */
bool presence_is(struct presence *presence, int64_t now_ms);

/* When the answer may change although nothing new is seen; INT64_MAX: never. */
int64_t presence_change_ms(const struct presence *presence);

#endif
