#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "plan_internal.h"

/* The group of the steps that are about the whole section. */
enum { GROUP_WRITER = SECTION_COUNT * SLOTS_MOST };

bool plan_can_write(const struct plan *plan, const struct view *view, size_t k)
{
    const struct view_slot *slot = slot_in(view, SECTION_WRITER, k);

    return plan->slot[k].wanted == WANT_SERVE && slot->present && view_slot_is_up(slot) && !view_slot_in_maint(slot) &&
           (!view_slot_in_drain(slot) || view_slot_passed(slot));
}

/* The address is the member's in the writer's section too, not still that of a former tenant of the slot. */
static bool is_settled(const struct plan_input *input, const struct plan *plan, size_t k)
{
    const struct view_slot *slot = slot_in(input->view, SECTION_WRITER, k);
    const struct member *member = plan->slot[k].member < 0 ? NULL : &input->roster->member[plan->slot[k].member];

    return member != NULL && slot->port == member->port && strcmp(slot->ip, member->ip) == 0;
}

static bool is_candidate(const struct plan_input *input, const struct plan *plan, size_t k)
{
    return plan_can_write(plan, input->view, k) && is_settled(input, plan, k);
}

static long slot_of_current(const struct plan_input *input, const struct plan *plan)
{
    long member = input->writer.known ? roster_find(input->roster, input->writer.ip, input->writer.port) : -1;

    for (size_t k = 0; member >= 0 && k < SLOTS_MOST; k++) {
        if (plan->slot[k].member == member)
            return (long)k;
    }
    return -1;
}

bool plan_is_led_to(const struct view *view, const struct writer_memory *writer)
{
    for (size_t k = 0; writer->known && k < SLOTS_MOST; k++) {
        const struct view_slot *slot = slot_in(view, SECTION_WRITER, k);
        if (slot->present && slot->server_id == view->pinned)
            return slot->port == writer->port && strcmp(slot->ip, writer->ip) == 0;
    }
    return false;
}

static long pinned_candidate(const struct plan_input *input, const struct plan *plan)
{
    for (size_t k = 0; input->view->pinned != 0 && k < SLOTS_MOST; k++) {
        if (slot_in(input->view, SECTION_WRITER, k)->server_id == input->view->pinned)
            return is_candidate(input, plan, k) ? (long)k : -1;
    }
    return -1;
}

/* The candidate that HAProxy leads to by itself, else the one that was registered first. -1: nobody can. */
static long next_writer(const struct plan_input *input, const struct plan *plan)
{
    long best = pinned_candidate(input, plan);

    if (best >= 0)
        return best;
    for (size_t k = 0; k < SLOTS_MOST; k++) {
        if (is_candidate(input, plan, k) && (best < 0 || plan->slot[k].member < plan->slot[best].member))
            best = (long)k;
    }
    return best;
}

/*
 * HAProxy takes the first usable `backup` server in the order of its configuration. A node that stands before one that
 * was registered earlier is held back, so that on every balancer the next writer is the oldest registration.
 */
static void hold_back(const struct plan_input *input, struct plan *plan, long writer)
{
    for (size_t k = 0; k < SLOTS_MOST; k++) {
        if ((long)k == writer || !is_candidate(input, plan, k))
            continue;
        for (size_t other = 0; other < SLOTS_MOST; other++) {
            if ((long)other == writer || other == k || !is_candidate(input, plan, other))
                continue;
            plan->slot[k].held |= plan->slot[other].member < plan->slot[k].member &&
                                  slot_in(input->view, SECTION_WRITER, other)->position >
                                      slot_in(input->view, SECTION_WRITER, k)->position;
        }
    }
}

static bool moved_just_now(const struct plan_input *input)
{
    return input->writer.moved_ms != INT64_MIN &&
           input->now_ms - input->writer.moved_ms < input->settings->writer_grace_ms;
}

/*
 * HAProxy led to the current writer and leads to another one now: that one failed for a moment, sessions were cut, and
 * the role does not go back.
 */
static bool has_lost_it(const struct plan_input *input, const struct plan *plan, long current)
{
    long pinned = pinned_candidate(input, plan);

    return input->writer.seated && pinned >= 0 && pinned != current && !moved_just_now(input);
}

void plan_choose_writer(const struct plan_input *input, struct plan *plan)
{
    if (!input->view->section[SECTION_WRITER].present)
        return;
    long current = slot_of_current(input, plan);
    long next = next_writer(input, plan);
    bool usable = current >= 0 && is_candidate(input, plan, (size_t)current);
    if (usable && !has_lost_it(input, plan, current)) {
        plan->writer = current;
    } else if (next >= 0) {
        bool listed = current >= 0 && plan->slot[current].wanted == WANT_SERVE;
        if (!listed || !moved_just_now(input))
            plan->propose = plan->slot[next].member;
        plan->waiting = true;
    }
    hold_back(input, plan, current);
}

static void pin(const struct plan_input *input, struct plan *plan)
{
    const struct view_slot *slot = slot_in(input->view, SECTION_WRITER, (size_t)plan->writer);
    const struct member *member = &input->roster->member[plan->slot[plan->writer].member];
    char title[128];
    char say[STEP_SAY_SIZE];

    if (input->view->pinned == slot->server_id)
        return;
    snprintf(say, sizeof say, "the writer is %s", member_title(member, title, sizeof title));
    /* One line: between two, a session could be led to another node and make an entry for it. */
    plan_add(plan, GROUP_WRITER, say, "clear table galera-writer;set table galera-writer key 1 data.server_id %" PRId64,
             slot->server_id);
}

/* Sessions that were led elsewhere before the writer was known: for a time, two nodes would be written on. */
static void cut_strays(const struct plan_input *input, struct plan *plan)
{
    char name[8];

    if (input->writer.moved_ms != INT64_MIN &&
        input->now_ms - input->writer.moved_ms < input->settings->writer_overlap_ms)
        return;
    for (size_t k = 0; k < SLOTS_MOST; k++) {
        const struct view_slot *slot = slot_in(input->view, SECTION_WRITER, k);
        if ((long)k != plan->writer && slot->present && slot->sessions > 0)
            plan_add(plan, GROUP_WRITER, NULL, "shutdown sessions server galera-writer/%s",
                     view_slot_name(k, name, sizeof name));
    }
}

void plan_writer_steps(const struct plan_input *input, struct plan *plan)
{
    if (plan->writer < 0)
        return;
    pin(input, plan);
    cut_strays(input, plan);
}
