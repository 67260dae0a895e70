#include "tally.h"

#include "escape.h"

int nodes_count(nodes_t nodes)
{
    return __builtin_popcount(nodes);
}

size_t nodes_first(nodes_t nodes)
{
    return (size_t)__builtin_ctz(nodes);
}

const char *nodes_text(const struct situation *situation, nodes_t nodes, const char *between, char *text, size_t size)
{
    struct line line = {.text = text, .size = size};
    bool first = true;

    text[0] = '\0';
    for (size_t i = 0; i < situation->count; i++) {
        if ((nodes & NODE_BIT(i)) == 0)
            continue;
        line_add(&line, first ? "" : between);
        line_add(&line, situation->nodes[i].name);
        first = false;
    }
    return text;
}

/* A name of our cache that etcd does not know was forgotten by an operator, unless it was etcd that forgot. */
static bool is_expected(const struct situation *situation, size_t i, bool etcd_forgot)
{
    const struct node_facts *node = &situation->nodes[i];

    return i == situation->self || node->record.state != RECORD_NONE || (node->cached && etcd_forgot);
}

/*
 * An operator's word holds for the nodes as they were when it was given. One that has started a server since may have
 * had the lost node for a member.
 */
static nodes_t lost_in_time(const struct situation *situation, const struct tally *tally, nodes_t marked)
{
    int64_t latest = 0;
    nodes_t in_time = 0;

    for (size_t i = 0; i < situation->count; i++) {
        if (((tally->attested | tally->idle) & NODE_BIT(i)) != 0 && situation->nodes[i].record.revision > latest)
            latest = situation->nodes[i].record.revision;
    }
    for (size_t i = 0; i < situation->count; i++) {
        if ((marked & NODE_BIT(i)) != 0 && situation->nodes[i].record.revision > latest)
            in_time |= NODE_BIT(i);
    }
    return in_time;
}

static bool is_idle(const struct situation *situation, size_t i)
{
    if (situation->nodes[i].record.state != RECORD_IDLE)
        return false;
    if (i == situation->self)
        return situation->local.server == SERVER_IDLE;
    return situation->nodes[i].sighting.sight == SIGHT_NON_PRIMARY;
}

struct tally tally_take(const struct situation *situation)
{
    struct tally tally = {.size = situation->size};
    int64_t epoch = situation_epoch(situation);
    bool etcd_forgot = situation_etcd_forgot(situation);
    nodes_t marked = 0;

    for (size_t i = 0; i < situation->count; i++) {
        const struct record *record = &situation->nodes[i].record;
        if (!is_expected(situation, i, etcd_forgot))
            continue;
        tally.expected |= NODE_BIT(i);
        tally.registered += record->state != RECORD_NONE;
        if (record->state != RECORD_NONE && record->size > tally.size)
            tally.size = record->size;
        if (record->epoch != epoch)
            continue;
        if (record->state == RECORD_ATTESTED)
            tally.attested |= NODE_BIT(i);
        else if (record->state == RECORD_LOST)
            marked |= NODE_BIT(i);
        else if (is_idle(situation, i))
            tally.idle |= NODE_BIT(i);
    }
    tally.lost = lost_in_time(situation, &tally, marked);
    tally.late = marked & ~tally.lost;
    tally.missing = tally.expected & ~(tally.attested | tally.lost | tally.idle | tally.late);
    return tally;
}

bool tally_is_complete(const struct tally *tally)
{
    return tally->missing == 0 && tally->late == 0 && tally->registered >= tally->size;
}
