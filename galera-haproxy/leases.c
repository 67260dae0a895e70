#include "leases.h"

#include <inttypes.h>

#include "deadline.h"
#include "log.h"
#include "notify.h"

/* As in agreement.c; what is asked here can wait for longer, so it holds up less. */
enum { NS_PER_MS = 1000000, REQUEST_MOST_MS = 2000, RETRY_MS = 2000, SOONEST_MS = 250 };

/* A lease that is not renewed is asked ever more often; one that is, at half of what it has left. */
static int64_t due_ms(const struct member *member)
{
    if (member->presence != PRESENCE_LISTED || member->lease == 0)
        return INT64_MAX;
    if (member->lease_asked_ms == INT64_MIN)
        return INT64_MIN;
    int64_t half_ms = (member->lease_until_ms - member->lease_asked_ms) / 2;
    return member->lease_asked_ms + (half_ms < SOONEST_MS ? SOONEST_MS : half_ms);
}

static size_t most_due(const struct roster *roster)
{
    size_t found = 0;

    for (size_t i = 1; i < roster->count; i++) {
        if (due_ms(&roster->member[i]) < due_ms(&roster->member[found]))
            found = i;
    }
    return found;
}

int64_t leases_due_ms(const struct leases *leases, const struct roster *roster)
{
    int64_t due = roster->count == 0 ? INT64_MAX : due_ms(&roster->member[most_due(roster)]);

    return due == INT64_MAX || due > leases->retry_ms ? due : leases->retry_ms;
}

void leases_refresh(struct leases *leases, struct etcd *etcd, struct roster *roster, int64_t now_ms)
{
    struct error error;
    int64_t left_s;

    if (roster->count == 0 || leases_due_ms(leases, roster) > now_ms)
        return;
    size_t member = most_due(roster);
    struct deadline deadline = deadline_in_ms(etcd_patience_ms(etcd, notify_patience_ms(REQUEST_MOST_MS)));
    enum etcd_failure failure = etcd_lease_left(etcd, roster->member[member].lease, deadline, &left_s, &error);
    if (failure == ETCD_OK) {
        log_debug("the lease of %s has %" PRId64 " s left", roster->member[member].id, left_s);
        roster_note_lease(roster, member, left_s, now_ms);
        return;
    }
    /* Gone: the entry is about to go too, and what was known before says which way. */
    leases->retry_ms = monotonic_ns() / NS_PER_MS + (failure == ETCD_NOT_FOUND ? SOONEST_MS : RETRY_MS);
    if (failure != ETCD_NOT_FOUND)
        log_debug("cannot ask for the lease of %s: %s", roster->member[member].id, error.text);
}
