/* A range that is kept up to date with events. Pure. */
#include <stdlib.h>
#include <string.h>

#include "etcd.h"

/* Where `key` stands, or would stand. */
static size_t place_of(const struct etcd_range *range, const char *key, bool *there)
{
    size_t low = 0;
    size_t high = range->count;

    *there = false;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = strcmp(range->kv[middle].key, key);
        if (order == 0) {
            *there = true;
            return middle;
        }
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static void remove_at(struct etcd_range *range, size_t i)
{
    free(range->kv[i].key);
    free(range->kv[i].value);
    memmove(&range->kv[i], &range->kv[i + 1], (range->count - i - 1) * sizeof range->kv[0]);
    range->count--;
}

static bool insert_at(struct etcd_range *range, size_t i)
{
    struct etcd_kv *kv = realloc(range->kv, (range->count + 1) * sizeof *kv);

    if (kv == NULL)
        return false;
    range->kv = kv;
    memmove(&kv[i + 1], &kv[i], (range->count - i) * sizeof kv[0]);
    kv[i] = (struct etcd_kv){0};
    range->count++;
    return true;
}

bool etcd_range_apply(struct etcd_range *range, struct etcd_event *event)
{
    bool there;
    size_t i = place_of(range, event->kv.key, &there);

    /* The revision of a whole range, not of the last event: the events of one transaction share theirs. */
    if (event->kv.mod_revision <= range->revision)
        return true;
    if (event->deleted) {
        if (there)
            remove_at(range, i);
        return true;
    }
    if (!there && !insert_at(range, i))
        return false;
    free(range->kv[i].key);
    free(range->kv[i].value);
    range->kv[i] = event->kv;
    event->kv = (struct etcd_kv){0};
    return true;
}
