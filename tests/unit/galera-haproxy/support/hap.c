#include "hap.h"

#include <stdio.h>
#include <string.h>

#include "../../row.h"
#include "num.h"

enum { RISE = 2, FALL = 2 };

static void free_slot(struct view_slot *slot)
{
    snprintf(slot->ip, sizeof slot->ip, "%s", FREE_ADDRESS);
    slot->port = FREE_PORT;
    slot->check_port = 9200;
    slot->admin = 5;
    slot->op_state = SERVER_STOPPED;
    slot->check_health = 0;
    slot->check_state = 14;
    slot->rise = 0;
    slot->sessions = 0;
}

void hap_begin(struct hap *hap, size_t slots)
{
    static const enum section sections[] = {SECTION_ANY, SECTION_WRITER};

    int64_t pid = hap->view.pid;

    memset(hap, 0, sizeof *hap);
    hap->view.pid = pid + 1;
    for (size_t s = 0; s < 2; s++) {
        struct view_section *section = &hap->view.section[sections[s]];
        section->present = true;
        section->slots = slots;
        for (size_t k = 0; k < slots; k++) {
            section->slot[k] = (struct view_slot){.present = true, .position = (int)k, .server_id = (int64_t)k + 1};
            free_slot(&section->slot[k]);
        }
    }
}

void hap_restart(struct hap *hap)
{
    hap->view.pid++;
    hap->view.pinned = 0;
    for (size_t k = 0; k < SLOTS_MOST; k++) {
        struct view_slot any = hap->view.section[SECTION_ANY].slot[k];
        bool admitted = any.present && !view_slot_in_maint(&any) && !view_slot_in_drain(&any);
        for (int section = 0; section < SECTION_COUNT; section++) {
            struct view_slot *slot = &hap->view.section[section].slot[k];
            if (!slot->present)
                continue;
            free_slot(slot);
            if (!admitted)
                continue;
            *slot = (struct view_slot){.present = true,
                                       .position = slot->position,
                                       .server_id = slot->server_id,
                                       .port = any.port,
                                       .check_port = any.check_port,
                                       .op_state = SERVER_RUNNING,
                                       .check_health = RISE,
                                       .check_state = 6,
                                       .rise = RISE};
            memcpy(slot->ip, any.ip, sizeof slot->ip);
            memcpy(hap->checked[section][k], any.ip, sizeof any.ip);
        }
    }
}

static struct view_slot *named(struct hap *hap, const char *name, int *section, size_t *k)
{
    const char *slash = strchr(name, '/');
    int64_t number;

    if (slash == NULL)
        return NULL;
    for (*section = 0; *section < SECTION_COUNT; (*section)++) {
        const char *of = section_name((enum section) * section);
        if (strlen(of) == (size_t)(slash - name) && strncmp(of, name, strlen(of)) == 0 && slash[1] == 's' &&
            num_parse(slash + 2, 1, SLOTS_MOST, &number)) {
            *k = (size_t)number - 1;
            return &hap->view.section[*section].slot[*k];
        }
    }
    return NULL;
}

static void set_state(struct hap *hap, struct view_slot *slot, int section, size_t k, const char *state)
{
    bool was = view_slot_in_maint(slot);

    if (strcmp(state, "maint") == 0) {
        slot->admin = 5;
        slot->op_state = SERVER_STOPPED;
        slot->check_health = 0;
        slot->check_state |= 8;
        slot->rise = 0;
        slot->sessions = 0;
        hap->checked[section][k][0] = '\0';
        return;
    }
    slot->admin = strcmp(state, "drain") == 0 ? 12 : 4;
    if (was) {
        slot->check_health = RISE;
        slot->op_state = SERVER_RUNNING;
        slot->check_state = 6;
        slot->rise = RISE;
    }
}

static void set_server(struct hap *hap, const char *name, const char *rest)
{
    int section;
    size_t k;
    struct view_slot *slot = named(hap, name, &section, &k);
    char ip[REGISTRY_IP_SIZE];
    char state[16];
    unsigned port;

    if (slot == NULL)
        fail_msg("there is no server %s", name);
    if (sscanf(rest, "state %15s", state) == 1) {
        set_state(hap, slot, section, k, state);
    } else if (sscanf(rest, "addr %45s port %u", ip, &port) == 2) {
        assert_true(view_slot_in_maint(slot)); /* never under somebody's feet */
        memcpy(slot->ip, ip, sizeof ip);
        slot->port = (uint16_t)port;
    } else if (sscanf(rest, "check-port %u", &port) == 1) {
        slot->check_port = (uint16_t)port;
    } else {
        fail_msg("set server %s does not know '%s'", name, rest);
    }
}

void hap_do(struct hap *hap, const char *command)
{
    char name[64];
    int64_t id;
    int section;
    size_t k;
    int at = 0;

    if (sscanf(command, "set server %63s %n", name, &at) == 1 && at > 0) {
        set_server(hap, name, command + at);
    } else if (sscanf(command, "enable health %63s", name) == 1) {
        assert_non_null(named(hap, name, &section, &k));
    } else if (sscanf(command, "shutdown sessions server %63s", name) == 1) {
        struct view_slot *slot = named(hap, name, &section, &k);
        assert_non_null(slot);
        slot->sessions = 0;
    } else {
        const char *head = "clear table galera-writer;set table galera-writer key 1 data.server_id ";
        if (strncmp(command, head, strlen(head)) != 0 || !num_parse(command + strlen(head), 1, SLOTS_MOST, &id))
            fail_msg("'%s' is no command", command);
        hap->view.pinned = id;
    }
}

/* The first usable in order takes over when the one that the table leads to is down. */
static void follow_writer(struct hap *hap)
{
    const char *writer = hap_writer(hap);

    for (size_t k = 0; k < SLOTS_MOST; k++) {
        const struct view_slot *slot = &hap->view.section[SECTION_WRITER].slot[k];
        if (slot->present && writer[0] != '\0' && strcmp(slot->ip, writer) == 0 && view_slot_is_up(slot))
            hap->view.pinned = slot->server_id;
    }
}

void hap_check(struct hap *hap, enum hap_verdict (*check)(void *context, const char *ip), void *context)
{
    for (int section = 0; section < SECTION_COUNT; section++) {
        for (size_t k = 0; k < SLOTS_MOST; k++) {
            struct view_slot *slot = &hap->view.section[section].slot[k];
            if (!slot->present || view_slot_in_maint(slot))
                continue;
            enum hap_verdict verdict = check(context, slot->ip);
            if (verdict == HAP_NOT_YET)
                continue;
            if (verdict == HAP_PASSES) {
                slot->check_health++;
                if (slot->check_health >= RISE) {
                    slot->check_health = RISE + FALL - 1;
                    slot->op_state = SERVER_RUNNING;
                }
                memcpy(hap->checked[section][k], slot->ip, sizeof slot->ip);
            } else if (slot->check_health > RISE) {
                slot->check_health--;
            } else {
                slot->check_health = 0;
                slot->op_state = SERVER_STOPPED;
                slot->sessions = 0;
            }
        }
    }
    follow_writer(hap);
}

void hap_expect_checked(const struct hap *hap)
{
    for (int section = 0; section < SECTION_COUNT; section++) {
        for (size_t k = 0; k < SLOTS_MOST; k++) {
            const struct view_slot *slot = &hap->view.section[section].slot[k];
            if (slot->present && view_slot_serves(slot) && strcmp(slot->ip, hap->checked[section][k]) != 0)
                fail_msg("%s/s%zu takes sessions and has not passed a check", section_name((enum section)section),
                         k + 1);
        }
    }
}

bool hap_serves(const struct hap *hap, enum section section, const char *ip)
{
    for (size_t k = 0; k < SLOTS_MOST; k++) {
        const struct view_slot *slot = &hap->view.section[section].slot[k];
        if (slot->present && view_slot_serves(slot) && strcmp(slot->ip, ip) == 0)
            return true;
    }
    return false;
}

const char *hap_writer(const struct hap *hap)
{
    const struct view_section *section = &hap->view.section[SECTION_WRITER];

    for (size_t k = 0; k < SLOTS_MOST; k++) {
        if (section->slot[k].present && section->slot[k].server_id == hap->view.pinned &&
            view_slot_is_up(&section->slot[k]))
            return section->slot[k].ip;
    }
    for (size_t k = 0; k < SLOTS_MOST; k++) {
        if (section->slot[k].present && view_slot_serves(&section->slot[k]))
            return section->slot[k].ip;
    }
    return "";
}

const char *hap_next_writer(const struct hap *hap)
{
    const struct view_section *section = &hap->view.section[SECTION_WRITER];
    const char *writer = hap_writer(hap);

    for (size_t k = 0; k < SLOTS_MOST; k++) {
        if (section->slot[k].present && view_slot_serves(&section->slot[k]) && strcmp(section->slot[k].ip, writer) != 0)
            return section->slot[k].ip;
    }
    return "";
}

size_t hap_count_serving(const struct hap *hap)
{
    size_t count = 0;

    for (size_t k = 0; k < SLOTS_MOST; k++)
        count += view_slot_serves(&hap->view.section[SECTION_ANY].slot[k]) ? 1 : 0;
    return count;
}
