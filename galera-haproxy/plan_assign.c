#include <string.h>

#include "plan_internal.h"

/* While there are more members than this nobody is remembered who has left: there has to be room for those that come.
 */
enum { REMEMBERED_MOST = ROSTER_MOST / 2 };

static bool has_address(const struct view_slot *slot, const struct member *member)
{
    return slot->present && slot->port == member->port && strcmp(slot->ip, member->ip) == 0;
}

static bool leads_nowhere(const struct view_slot *slot)
{
    return slot->ip[0] == '\0' || (strcmp(slot->ip, FREE_ADDRESS) == 0 && slot->port == FREE_PORT);
}

/* Slot k exists in every section that there is. */
static bool slot_exists(const struct view *view, size_t k)
{
    for (int section = 0; section < SECTION_COUNT; section++) {
        if (view->section[section].present && !slot_in(view, (enum section)section, k)->present)
            return false;
    }
    return view->section[SECTION_ANY].present;
}

/* A slot that has the member's address, where it is in use rather than where it is not. -1: none. */
static long find_slot(const struct plan *plan, const struct view *view, const struct member *member, bool in_use)
{
    for (int section = 0; section < SECTION_COUNT; section++) {
        for (size_t k = 0; k < SLOTS_MOST; k++) {
            const struct view_slot *slot = slot_in(view, (enum section)section, k);
            if (plan->slot[k].member < 0 && slot_exists(view, k) && has_address(slot, member) &&
                view_slot_in_maint(slot) != in_use)
                return (long)k;
        }
    }
    return -1;
}

/* An address that a slot still has though nobody uses it is no reason to come back for one that has left. */
static void find_slots(const struct plan_input *input, struct plan *plan)
{
    for (int in_use = 1; in_use >= 0; in_use--) {
        for (size_t i = 0; i < input->roster->count; i++) {
            const struct member *member = &input->roster->member[i];
            bool placed = in_use == 0 && member->presence != PRESENCE_LISTED;
            for (size_t k = 0; k < SLOTS_MOST; k++)
                placed |= plan->slot[k].member == (long)i;
            long k = placed ? -1 : find_slot(plan, input->view, member, in_use == 1);
            if (k >= 0)
                plan->slot[k] = (struct assignment){.member = (long)i, .wanted = WANT_SERVE};
        }
    }
}

/* --- who has to go ------------------------------------------------------------------------------------------------ */

/* HAProxy's checks find it alive, drained or not; a node that has not been checked yet does not count. */
static bool is_alive(const struct view *view, size_t k)
{
    const struct view_slot *slot = slot_in(view, SECTION_ANY, k);

    return !view_slot_in_maint(slot) && slot->op_state != SERVER_STOPPED &&
           (view_slot_passed(slot) || !view_slot_in_drain(slot));
}

static bool has_to_go(const struct plan_input *input, size_t k, const struct member *member)
{
    switch (member->presence) {
    case PRESENCE_LISTED:
        return false;
    case PRESENCE_REMOVED:
        return true;
    case PRESENCE_EXPIRED:
        break;
    }
    return !is_alive(input->view, k) || input->now_ms - member->since_ms >= input->settings->expired_grace_ms;
}

static bool is_usable(const struct view *view, size_t k)
{
    const struct view_slot *slot = slot_in(view, SECTION_ANY, k);

    return view_slot_is_up(slot) && is_alive(view, k);
}

/* Those that stay: all of them, and the usable ones. */
struct staff {
    int64_t all;
    int64_t usable;
};

static struct staff count_staff(const struct plan_input *input, const struct plan *plan)
{
    struct staff staff = {0};

    for (size_t k = 0; k < SLOTS_MOST; k++) {
        if (plan->slot[k].member < 0 || plan->slot[k].wanted != WANT_SERVE)
            continue;
        staff.all++;
        staff.usable += is_usable(input->view, k) ? 1 : 0;
    }
    return staff;
}

/* A usable node goes only when min_servers usable ones remain; another one when so many remain at all. */
static bool may_go(const struct plan_input *input, const struct plan *plan, size_t k)
{
    struct staff staff = count_staff(input, plan);
    int64_t least = input->settings->min_servers;

    return is_usable(input->view, k) ? staff.usable > least : staff.all > least;
}

static bool is_leaving(const struct member *member)
{
    return member->leaving_ms != INT64_MIN;
}

/* Those that are on their way out already come first, so that the limits meet the new ones. */
static void choose_leavers(const struct plan_input *input, struct plan *plan, bool leaving)
{
    for (size_t k = 0; k < SLOTS_MOST; k++) {
        if (plan->slot[k].member < 0)
            continue;
        const struct member *member = &input->roster->member[plan->slot[k].member];
        if (is_leaving(member) != leaving || !has_to_go(input, k, member))
            continue;
        if (!may_go(input, plan, k)) {
            plan->kept++;
            continue;
        }
        plan->slot[k].wanted = WANT_LEAVE;
        plan->removals += leaving ? 0 : 1;
    }
}

static void undo_new_removals(const struct plan_input *input, struct plan *plan)
{
    for (size_t k = 0; k < SLOTS_MOST; k++) {
        if (plan->slot[k].wanted == WANT_LEAVE && !is_leaving(&input->roster->member[plan->slot[k].member]))
            plan->slot[k].wanted = WANT_SERVE;
    }
}

static void note_leaving(const struct plan_input *input, const struct plan *plan)
{
    for (size_t k = 0; k < SLOTS_MOST; k++) {
        if (plan->slot[k].member < 0)
            continue;
        struct member *member = &input->roster->member[plan->slot[k].member];
        if (plan->slot[k].wanted != WANT_LEAVE)
            member->leaving_ms = INT64_MIN;
        else if (!is_leaving(member))
            member->leaving_ms = input->now_ms;
    }
}

/* --- who comes in ------------------------------------------------------------------------------------------------- */

/* Behind the last one that is in use, so that HAProxy's order is that of the registrations; else the first. */
static long free_slot(const struct plan *plan, const struct view *view)
{
    long first = -1;
    long behind = -1;

    for (size_t k = 0; k < SLOTS_MOST; k++) {
        if (plan->slot[k].member >= 0)
            behind = -1;
        else if (slot_exists(view, k)) {
            first = first < 0 ? (long)k : first;
            behind = behind < 0 ? (long)k : behind;
        }
    }
    return behind >= 0 ? behind : first;
}

static void place_new(const struct plan_input *input, struct plan *plan)
{
    for (size_t i = 0; i < input->roster->count; i++) {
        bool placed = input->roster->member[i].presence != PRESENCE_LISTED;
        for (size_t k = 0; k < SLOTS_MOST; k++)
            placed |= plan->slot[k].member == (long)i;
        if (placed)
            continue;
        long k = free_slot(plan, input->view);
        if (k >= 0) {
            plan->slot[k] = (struct assignment){.member = (long)i, .wanted = WANT_SERVE};
        } else {
            plan->first_unplaced = plan->unplaced == 0 ? (long)i : plan->first_unplaced;
            plan->unplaced++;
        }
    }
}

void plan_assign(const struct plan_input *input, struct plan *plan)
{
    find_slots(input, plan);
    choose_leavers(input, plan, true);
    choose_leavers(input, plan, false);
    if ((int64_t)plan->removals > input->settings->max_removals && !input->confirmed) {
        plan->confirm = true;
        undo_new_removals(input, plan);
    }
    note_leaving(input, plan);
    place_new(input, plan);
}

static bool is_in_use(const struct view *view, const struct member *member)
{
    for (int section = 0; section < SECTION_COUNT; section++) {
        for (size_t k = 0; k < SLOTS_MOST; k++) {
            const struct view_slot *slot = slot_in(view, (enum section)section, k);
            if (has_address(slot, member) && !view_slot_in_maint(slot))
                return true;
        }
    }
    return false;
}

static void adopt_strangers(struct roster *roster, const struct view *view, int64_t now_ms)
{
    for (int section = 0; section < SECTION_COUNT; section++) {
        for (size_t k = 0; k < SLOTS_MOST; k++) {
            const struct view_slot *slot = slot_in(view, (enum section)section, k);
            if (slot->present && !view_slot_in_maint(slot) && !leads_nowhere(slot) &&
                roster_find(roster, slot->ip, slot->port) < 0)
                (void)roster_adopt(roster, slot->ip, slot->port, slot->check_port, now_ms);
        }
    }
}

void plan_tidy(struct roster *roster, const struct view *view, int64_t now_ms)
{
    size_t i = 0;

    adopt_strangers(roster, view, now_ms);
    while (i < roster->count) {
        struct member *member = &roster->member[i];
        if (member->presence != PRESENCE_LISTED && !is_in_use(view, member)) {
            if (member->presence != PRESENCE_REMOVED || roster->count > REMEMBERED_MOST) {
                roster_drop(roster, i);
                continue;
            }
            member->leaving_ms = INT64_MIN;
        }
        i++;
    }
}
