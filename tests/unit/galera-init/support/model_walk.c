/* Random histories: far deeper than an exploration can look, and not complete. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "deadline.h"
#include "model.h"
#include "text.h"

enum { WALK_MOST = 400, CHOICES_MOST = STEP_COUNT * NET_COUNT };

struct walk {
    struct choice {
        uint8_t step, node;
    } taken[WALK_MOST];
    size_t length;
};

static uint64_t next_random(uint64_t *seed)
{
    *seed ^= *seed << 13;
    *seed ^= *seed >> 7;
    *seed ^= *seed << 17;
    return *seed;
}

/* Faults are rarer than what comes of itself, so that things happen between them. */
static unsigned weight_of(enum step step)
{
    if (step >= STEP_FAULTS)
        return 1;
    return step == STEP_LOSE_PATIENCE || step == STEP_COMMIT || step == STEP_ACT_UNKNOWING ? 2 : 12;
}

static bool walk_once(const struct state *initial, size_t length, uint64_t *seed, struct walk *walk,
                      const char **violation)
{
    struct state state = *initial;

    walk->length = 0;
    while (walk->length < length && *violation == NULL) {
        struct choice choices[CHOICES_MOST];
        unsigned total = 0, weights[CHOICES_MOST];
        size_t count = 0;
        for (enum step step = 0; step < STEP_COUNT; step++) {
            for (size_t i = 0; i < (step == STEP_NET ? NET_COUNT : NODES); i++) {
                choices[count] = (struct choice){(uint8_t)step, (uint8_t)i};
                weights[count++] = weight_of(step);
                total += weight_of(step);
            }
        }
        /* Whatever is not possible now is passed over; something always is. */
        bool done = false;
        while (!done && total > 0 && *violation == NULL) {
            unsigned at = (unsigned)(next_random(seed) % total);
            size_t pick = 0;
            while (at >= weights[pick])
                at -= weights[pick++];
            total -= weights[pick];
            weights[pick] = 0;
            struct state after = state;
            done = step_do(&after, (enum step)choices[pick].step, choices[pick].node, violation);
            if (!done)
                continue;
            state = after;
            walk->taken[walk->length++] = choices[pick];
        }
        if (!done)
            break;
    }
    if (*violation == NULL)
        *violation = settle(&state, next_random(seed) % 2 == 0);
    return *violation == NULL;
}

/* What becomes of the first steps without the one at `without`; steps that are not possible any more are left out. */
static const char *replay(const struct state *initial, const struct walk *walk, size_t without, struct walk *shorter)
{
    struct state state = *initial;
    const char *violation = NULL;

    shorter->length = 0;
    for (size_t i = 0; i < walk->length && violation == NULL; i++) {
        struct state after = state;
        if (i == without || !step_do(&after, (enum step)walk->taken[i].step, walk->taken[i].node, &violation))
            continue;
        state = after;
        shorter->taken[shorter->length++] = walk->taken[i];
    }
    for (int restart = 0; restart < 2 && violation == NULL; restart++) {
        struct state copy = state;
        violation = settle(&copy, restart == 1);
    }
    return violation;
}

/* Leaves out one step after the other as long as an invariant is still broken. */
static void shorten(const struct state *initial, struct walk *walk, const char **violation)
{
    bool shorter = true;

    while (shorter) {
        shorter = false;
        for (size_t i = walk->length; i-- > 0;) {
            struct walk without;
            const char *still = replay(initial, walk, i, &without);
            if (still == NULL || without.length >= walk->length)
                continue;
            *walk = without;
            *violation = still;
            shorter = true;
            if (i > walk->length)
                i = walk->length;
        }
    }
}

static char *trace_walk(const struct state *initial, const struct walk *walk)
{
    struct state state = *initial;
    struct text trace = {.most = 0};
    const char *violation;

    for (size_t i = 0; i < walk->length; i++) {
        char words[512];
        text_format(&trace, "  %s\n",
                    step_text(&state, (enum step)walk->taken[i].step, walk->taken[i].node, words, sizeof words));
        step_do(&state, (enum step)walk->taken[i].step, walk->taken[i].node, &violation);
    }
    text_format(&trace, "  -- and then, at the latest when nothing goes wrong any more\n");
    return trace.bytes;
}

struct exploration walk_randomly(const struct state *initial, size_t walks, size_t length, uint64_t seed)
{
    struct exploration result = {.deepest = (unsigned)length};
    int64_t began = monotonic_ns();
    static struct walk walk;

    seed = seed * 0x9E3779B97F4A7C15u + 1;
    for (size_t i = 0; i < walks && result.violation == NULL; i++) {
        walk_once(initial, length < WALK_MOST ? length : WALK_MOST, &seed, &walk, &result.violation);
        result.states += walk.length;
        result.settled++;
    }
    if (result.violation != NULL) {
        shorten(initial, &walk, &result.violation);
        result.deepest = (unsigned)walk.length;
        result.trace = trace_walk(initial, &walk);
    }
    result.seconds = (double)(monotonic_ns() - began) / 1e9;
    return result;
}
