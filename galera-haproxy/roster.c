#include "roster.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *presence_word(enum presence presence)
{
    static const char *const words[] = {"listed", "removed", "expired"};

    return words[presence];
}

const char *member_address(const struct member *member, char *text, size_t size)
{
    snprintf(text, size, member->ipv6 ? "[%s]:%u" : "%s:%u", member->ip, (unsigned)member->port);
    return text;
}

const char *member_title(const struct member *member, char *text, size_t size)
{
    char address[REGISTRY_IP_SIZE + 16];

    member_address(member, address, sizeof address);
    if (member->id[0] == '\0')
        snprintf(text, size, "%s", address);
    else
        snprintf(text, size, "%s (%s)", member->id, address);
    return text;
}

long roster_find(const struct roster *roster, const char *ip, uint16_t port)
{
    for (size_t i = 0; i < roster->count; i++) {
        if (roster->member[i].port == port && strcmp(roster->member[i].ip, ip) == 0)
            return (long)i;
    }
    return -1;
}

static int compare(const void *left, const void *right)
{
    const struct member *a = left;
    const struct member *b = right;

    if (a->created != b->created)
        return a->created < b->created ? -1 : 1;
    int order = strcmp(a->id, b->id);
    if (order == 0)
        order = strcmp(a->ip, b->ip);
    return order != 0 ? order : (int)a->port - (int)b->port;
}

static void sort(struct roster *roster)
{
    qsort(roster->member, roster->count, sizeof roster->member[0], compare);
}

static struct member *append(struct roster *roster)
{
    if (roster->count == ROSTER_MOST)
        return NULL;
    struct member *member = &roster->member[roster->count++];
    *member = (struct member){.created = INT64_MAX, .leaving_ms = INT64_MIN, .lease_asked_ms = INT64_MIN};
    return member;
}

/* Of two entries with one address the older one counts. */
static bool is_duplicate(const struct registry *registry, const struct registry_entry *entry)
{
    for (size_t i = 0; i < registry->count; i++) {
        const struct registry_entry *other = &registry->entry[i];
        if (other == entry || other->port != entry->port || strcmp(other->ip, entry->ip) != 0)
            continue;
        if (other->created < entry->created || (other->created == entry->created && strcmp(other->id, entry->id) < 0))
            return true;
    }
    return false;
}

static void take_entry(struct roster *roster, const struct registry_entry *entry)
{
    long found = roster_find(roster, entry->ip, entry->port);
    struct member *member = found >= 0 ? &roster->member[found] : append(roster);

    if (member == NULL)
        return;
    if (member->lease != entry->lease) {
        member->lease_asked_ms = INT64_MIN;
        member->lease_until_ms = INT64_MIN;
    }
    memcpy(member->id, entry->id, sizeof member->id);
    memcpy(member->ip, entry->ip, sizeof member->ip);
    member->ipv6 = entry->ipv6;
    member->port = entry->port;
    member->check_port = entry->check_port;
    member->created = entry->created;
    member->lease = entry->lease;
    member->presence = PRESENCE_LISTED;
}

static bool has_problem(const struct registry *registry, const char *id)
{
    for (size_t i = 0; i < registry->problem_count; i++) {
        if (strcmp(registry->problem[i].id, id) == 0)
            return true;
    }
    return false;
}

/* How a listed member that is not in the registry any more has left. */
static enum presence way_out(const struct roster *roster, const struct member *member, const struct registry *registry,
                             bool leases, int64_t now_ms)
{
    if (registry_find(registry, member->id) != NULL)
        return PRESENCE_REMOVED; /* the id is now at another address */
    if (has_problem(registry, member->id) || roster->emptied || !leases)
        return PRESENCE_EXPIRED;
    if (member->lease == 0)
        return PRESENCE_REMOVED; /* it could not expire */
    return member->lease_asked_ms != INT64_MIN && now_ms < member->lease_until_ms ? PRESENCE_REMOVED : PRESENCE_EXPIRED;
}

static bool lists(const struct registry *registry, const struct member *member)
{
    for (size_t i = 0; i < registry->count; i++) {
        if (registry->entry[i].port == member->port && strcmp(registry->entry[i].ip, member->ip) == 0)
            return true;
    }
    return false;
}

void roster_take(struct roster *roster, const struct registry *registry, bool leases, int64_t now_ms)
{
    if (registry->count == 0) {
        roster->emptied = true;
        return;
    }
    for (size_t i = 0; i < roster->count; i++) {
        struct member *member = &roster->member[i];
        if (member->presence == PRESENCE_LISTED && !lists(registry, member)) {
            member->presence = way_out(roster, member, registry, leases, now_ms);
            member->since_ms = now_ms;
        }
    }
    roster->refused = 0;
    for (size_t i = 0; i < registry->count; i++) {
        if (is_duplicate(registry, &registry->entry[i]))
            roster->refused++;
        else
            take_entry(roster, &registry->entry[i]);
    }
    sort(roster);
    roster->known = true;
    roster->emptied = false;
}

void roster_note_reset(struct roster *roster)
{
    roster->emptied = true;
}

void roster_note_lease(struct roster *roster, size_t member, int64_t left_s, int64_t now_ms)
{
    struct member *of = &roster->member[member];

    of->lease_asked_ms = now_ms;
    of->lease_until_ms = now_ms + left_s * 1000; /* etcd tells whole seconds, rounded down: it cannot be less */
}

long roster_adopt(struct roster *roster, const char *ip, uint16_t port, uint16_t check_port, int64_t now_ms)
{
    struct member *member = append(roster);

    if (member == NULL)
        return -1;
    snprintf(member->ip, sizeof member->ip, "%s", ip);
    member->ipv6 = strchr(ip, ':') != NULL;
    member->port = port;
    member->check_port = check_port;
    member->presence = PRESENCE_EXPIRED;
    member->since_ms = now_ms;
    sort(roster);
    return roster_find(roster, ip, port);
}

void roster_drop(struct roster *roster, size_t member)
{
    roster->count--;
    memmove(&roster->member[member], &roster->member[member + 1], (roster->count - member) * sizeof roster->member[0]);
}
