#include "lineage.h"

#include <string.h>

/* FNV-1a, 32 bits (RFC draft-eastlake-fnv, section 2): a short name for a boot id, which is random. */
static uint32_t mark_of(const char *boot)
{
    uint32_t mark = 2166136261U;

    for (; *boot != '\0'; boot++)
        mark = (mark ^ (unsigned char)*boot) * 16777619U;
    return mark;
}

struct generation generation_of(int64_t epoch, const char *boot)
{
    return (struct generation){.number = epoch, .mark = mark_of(boot)};
}

bool generation_equal(struct generation a, struct generation b)
{
    return a.number == b.number && a.mark == b.mark && a.number != GENERATION_FORGOTTEN;
}

static struct generation root_of(const struct lineage *lineage)
{
    return (struct generation){.number = lineage->root};
}

struct generation lineage_generation(const struct lineage *lineage, int64_t seqno)
{
    for (size_t i = lineage->count; i-- > 0;) {
        if (lineage->entry[i].base < seqno)
            return lineage->entry[i].generation;
    }
    return root_of(lineage);
}

struct generation lineage_newest(const struct lineage *lineage)
{
    return lineage->count == 0 ? root_of(lineage) : lineage->entry[lineage->count - 1].generation;
}

void lineage_append(struct lineage *lineage, struct generation generation, int64_t base)
{
    while (lineage->count > 0 && lineage->entry[lineage->count - 1].base >= base)
        lineage->count--;
    if (lineage->count == LINEAGE_MOST) {
        lineage->count--;
        memmove(lineage->entry, lineage->entry + 1, lineage->count * sizeof lineage->entry[0]);
        lineage->root = GENERATION_FORGOTTEN;
    }
    lineage->entry[lineage->count].generation = generation;
    lineage->entry[lineage->count].base = base;
    lineage->count++;
}

bool lineage_equal(const struct lineage *a, const struct lineage *b)
{
    if (a->root != b->root || a->count != b->count)
        return false;
    for (size_t i = 0; i < a->count; i++) {
        if (!generation_equal(a->entry[i].generation, b->entry[i].generation) || a->entry[i].base != b->entry[i].base)
            return false;
    }
    return true;
}

bool lineage_contains(const struct lineage *lineage, struct place place)
{
    return generation_equal(lineage_generation(lineage, place.seqno), place.generation);
}

int place_compare(struct place a, struct place b)
{
    if (a.generation.number != b.generation.number)
        return a.generation.number < b.generation.number ? -1 : 1;
    if (a.seqno != b.seqno)
        return a.seqno < b.seqno ? -1 : 1;
    return 0;
}

bool place_is_forked(struct place a, struct place b)
{
    return a.generation.number == b.generation.number && a.generation.mark != b.generation.mark;
}
