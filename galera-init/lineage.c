#include "lineage.h"

#include <string.h>

int64_t lineage_generation(const struct lineage *lineage, int64_t seqno)
{
    for (size_t i = lineage->count; i-- > 0;) {
        if (lineage->entry[i].base < seqno)
            return lineage->entry[i].number;
    }
    return lineage->root;
}

int64_t lineage_newest(const struct lineage *lineage)
{
    return lineage->count == 0 ? lineage->root : lineage->entry[lineage->count - 1].number;
}

void lineage_append(struct lineage *lineage, int64_t number, int64_t base)
{
    while (lineage->count > 0 && lineage->entry[lineage->count - 1].base >= base)
        lineage->count--;
    if (lineage->count == LINEAGE_MOST) {
        lineage->count--;
        memmove(lineage->entry, lineage->entry + 1, lineage->count * sizeof lineage->entry[0]);
        lineage->root = GENERATION_FORGOTTEN;
    }
    lineage->entry[lineage->count++] = (struct generation){.number = number, .base = base};
}

bool lineage_equal(const struct lineage *a, const struct lineage *b)
{
    if (a->root != b->root || a->count != b->count)
        return false;
    for (size_t i = 0; i < a->count; i++) {
        if (a->entry[i].number != b->entry[i].number || a->entry[i].base != b->entry[i].base)
            return false;
    }
    return true;
}

bool lineage_contains(const struct lineage *lineage, struct place place)
{
    int64_t generation = lineage_generation(lineage, place.seqno);

    return generation != GENERATION_FORGOTTEN && generation == place.generation;
}

int place_compare(struct place a, struct place b)
{
    if (a.generation != b.generation)
        return a.generation < b.generation ? -1 : 1;
    if (a.seqno != b.seqno)
        return a.seqno < b.seqno ? -1 : 1;
    return 0;
}
