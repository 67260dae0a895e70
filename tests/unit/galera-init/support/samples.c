#include "samples.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

uint64_t sample_number(uint64_t *seed, uint64_t n)
{
    /* splitmix64 */
    uint64_t z = (*seed += 0x9E3779B97F4A7C15U);

    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9U;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBU;
    return (z ^ (z >> 31)) % n;
}

/* Often an end of the range. */
static int64_t between(uint64_t *seed, int64_t least, int64_t most)
{
    uint64_t choice = sample_number(seed, 6);

    if (choice < 2)
        return choice == 0 ? least : most;
    uint64_t width = (uint64_t)most - (uint64_t)least;
    if (choice < 5 && width > 1000)
        width = 1000;
    return (int64_t)((uint64_t)least + sample_number(seed, width == 0 ? 1 : width));
}

static struct uuid some_uuid(uint64_t *seed)
{
    struct uuid uuid = {{0}};

    for (size_t i = 0; sample_number(seed, 5) != 0 && i < sizeof uuid.bytes; i++)
        uuid.bytes[i] = (unsigned char)sample_number(seed, 256);
    return uuid;
}

static struct position some_position(uint64_t *seed)
{
    return (struct position){.uuid = some_uuid(seed), .seqno = between(seed, SEQNO_UNKNOWN, INT64_MAX)};
}

static struct generation some_generation(uint64_t *seed, int64_t least)
{
    return (struct generation){.number = between(seed, least, (int64_t)1 << 53),
                               .mark = (uint32_t)between(seed, 0, UINT32_MAX)};
}

static struct place some_place(uint64_t *seed)
{
    return (struct place){.generation = some_generation(seed, GENERATION_FORGOTTEN),
                          .seqno = between(seed, SEQNO_UNKNOWN, INT64_MAX)};
}

static struct view some_view(uint64_t *seed)
{
    struct view view = {.members = 0};
    struct uuid uuid = some_uuid(seed);
    char text[UUID_TEXT_SIZE];

    if (sample_number(seed, 3) == 0)
        return view;
    snprintf(view.id, sizeof view.id, "%s:%" PRId64, uuid_format(&uuid, text), between(seed, 0, UINT32_MAX));
    view.members = (int)between(seed, 1, 1024);
    view.self = some_uuid(seed);
    return view;
}

static void some_name(uint64_t *seed, char *name, size_t size)
{
    static const char letters[] = "abcxyzABC0189_-.";
    size_t length = (size_t)between(seed, 1, (int64_t)size - 1);

    for (size_t i = 0; i < length; i++)
        name[i] = letters[sample_number(seed, sizeof letters - 1)];
    name[0] = 'n'; /* neither "." nor ".." */
    name[length] = '\0';
}

struct lineage sample_lineage(uint64_t *seed)
{
    struct lineage lineage = {.root = -(int64_t)sample_number(seed, 2)};
    size_t count = (size_t)sample_number(seed, LINEAGE_MOST + 1);
    int64_t number = 0;
    int64_t base = SEQNO_UNKNOWN - 1;

    for (size_t i = 0; i < count; i++) {
        number += between(seed, 1, (int64_t)1 << 49);
        base += between(seed, 1, (int64_t)1 << 59);
        lineage.entry[i].generation =
            (struct generation){.number = number, .mark = (uint32_t)between(seed, 0, UINT32_MAX)};
        lineage.entry[i].base = base;
    }
    lineage.count = count;
    return lineage;
}

struct record sample_record(uint64_t *seed)
{
    struct record record = {
        .state = (enum record_state)between(seed, RECORD_RUNNING, RECORD_LOST),
        .epoch = between(seed, 0, (int64_t)1 << 53),
        .copy = (enum copy)between(seed, COPY_EMPTY, COPY_TRUSTED),
        .source = (enum source)between(seed, SOURCE_NONE, SOURCE_RECOVER),
        .position = some_position(seed),
        .place = some_place(seed),
        .held = some_place(seed),
        .safe_to_bootstrap = sample_number(seed, 2) == 0,
        .view = some_view(seed),
        .size = (int)between(seed, 0, NODES_MOST),
    };

    if (record.state != RECORD_LOST || sample_number(seed, 2) == 0)
        some_name(seed, record.boot, sizeof record.boot);
    return record;
}

struct bootstrap sample_bootstrap(uint64_t *seed)
{
    struct bootstrap bootstrap = {
        .phase = (enum bootstrap_phase)between(seed, BOOTSTRAP_CLAIMED, BOOTSTRAP_PRIMARY),
        .kind = (enum bootstrap_kind)between(seed, KIND_NEW, KIND_REMERGE),
        .epoch = between(seed, 0, (int64_t)1 << 53),
        .base = some_position(seed),
        .lineage = sample_lineage(seed),
        .view = some_view(seed),
    };

    some_name(seed, bootstrap.node, sizeof bootstrap.node);
    some_name(seed, bootstrap.boot, sizeof bootstrap.boot);
    return bootstrap;
}

/* lineage.h's own comparisons take "forgotten" for different from itself. */
static bool same_generation(struct generation a, struct generation b)
{
    return a.number == b.number && a.mark == b.mark;
}

static bool same_place(struct place a, struct place b)
{
    return same_generation(a.generation, b.generation) && a.seqno == b.seqno;
}

static bool same_view(const struct view *a, const struct view *b)
{
    return view_equal(a, b) && uuid_equal(&a->self, &b->self);
}

bool same_record(const struct record *a, const struct record *b)
{
    return a->state == b->state && a->epoch == b->epoch && strcmp(a->boot, b->boot) == 0 && a->copy == b->copy &&
           a->source == b->source && position_equal(&a->position, &b->position) && same_place(a->place, b->place) &&
           same_place(a->held, b->held) && a->safe_to_bootstrap == b->safe_to_bootstrap &&
           same_view(&a->view, &b->view) && a->size == b->size;
}

bool same_lineage(const struct lineage *a, const struct lineage *b)
{
    if (a->root != b->root || a->count != b->count)
        return false;
    for (size_t i = 0; i < a->count; i++) {
        if (!same_generation(a->entry[i].generation, b->entry[i].generation) || a->entry[i].base != b->entry[i].base)
            return false;
    }
    return true;
}

bool same_bootstrap(const struct bootstrap *a, const struct bootstrap *b)
{
    return a->phase == b->phase && a->kind == b->kind && strcmp(a->node, b->node) == 0 &&
           strcmp(a->boot, b->boot) == 0 && a->epoch == b->epoch && position_equal(&a->base, &b->base) &&
           same_lineage(&a->lineage, &b->lineage) && same_view(&a->view, &b->view);
}
