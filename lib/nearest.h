/* "Did you mean": the valid name that is nearest to what was written. */
#ifndef NEAREST_H
#define NEAREST_H

#include <stddef.h>

/*
 * Feeds candidates one by one and keeps the best: initialise with NEAREST_TO(word), call
 * nearest_offer for each valid name, and read `name`, which is NULL when nothing is near.
 */
struct nearest {
    const char *word;
    const char *name;
    size_t distance;
};

#define NEAREST_TO(text) ((struct nearest){.word = (text), .name = NULL, .distance = 0})

void nearest_offer(struct nearest *nearest, const char *candidate);

/* " (did you mean 'x'?)" or "" when nothing is near, in `text`; returns text. */
const char *nearest_hint(const struct nearest *nearest, char *text, size_t size);

#endif
