/*
 * HAProxy as it is at one moment, read from the replies of its runtime socket. Pure: text in, a view out; whatever the
 * text, the view holds no more than its sizes and nothing that is not checked.
 *
 * Sources: HAProxy 2.6 "Management Guide", section 9.3 (show info, show servers state, show stat, show table); values
 * of the state columns from include/haproxy/server-t.h and check-t.h.
 */
#ifndef HAPROXY_VIEW_H
#define HAPROXY_VIEW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "error.h"
#include "registry.h"
#include "settings.h"

enum section { SECTION_ANY, SECTION_READERS, SECTION_WRITER, SECTION_COUNT };

/* "galera-any", "galera-readers", "galera-writer" */
const char *section_name(enum section section);

/* srv_op_state */
enum { SERVER_STOPPED = 0, SERVER_STARTING = 1, SERVER_RUNNING = 2, SERVER_STOPPING = 3 };

/* srv_admin_state */
enum { ADMIN_FORCED_MAINT = 0x01, ADMIN_ANY_MAINT = 0x23, ADMIN_FORCED_DRAIN = 0x08, ADMIN_ANY_DRAIN = 0x18 };

/* srv_check_state, srv_agent_state */
enum { CHECK_CONFIGURED = 0x02, CHECK_ENABLED = 0x04 };

enum { VIEW_WORD_SIZE = 32, VIEW_TEXT_SIZE = 96 };

/* One server line of a section. */
struct view_slot {
    bool present;
    int position;              /* in the order of HAProxy's configuration, from 0: which backup server is the first */
    int64_t server_id;         /* HAProxy's own number */
    char ip[REGISTRY_IP_SIZE]; /* normalized; "" when it is none */
    uint16_t port;
    uint16_t check_port;
    int64_t op_state;
    int64_t admin;
    int64_t check_state;
    int64_t agent_state;
    int64_t check_health;
    /* of "show stat" */
    int64_t sessions;
    int64_t rise; /* 0: not told */
    int64_t fall;
    char status[VIEW_WORD_SIZE];       /* "UP", "UP 1/2", "MAINT", "DRAIN", "no check" */
    char check_status[VIEW_WORD_SIZE]; /* "L7OK", "* L4CON", "" */
    int64_t check_code;                /* of HTTP, 0: none */
    char check_text[VIEW_TEXT_SIZE];   /* what the node said, untrusted */
};

struct view_section {
    bool present;
    size_t slots;                      /* that there are */
    size_t positions;                  /* lines that were seen, those that are no slots included */
    struct view_slot slot[SLOTS_MOST]; /* slot[k] is the server s<k+1> */
};

struct view {
    int64_t pid;
    int64_t uptime_s;
    char version[VIEW_WORD_SIZE];
    struct view_section section[SECTION_COUNT];
    int64_t pinned; /* server id that the writer's table leads to; 0: no entry */
};

/* "show info". False when the reply is none. */
bool view_read_info(struct view *view, const char *reply, struct error *error);

/* "show servers state galera-...". A reply that says that there is no such backend leaves the section absent. */
bool view_read_state(struct view *view, enum section section, const char *reply, struct error *error);

/* "show stat galera-... 4 -1", after view_read_state. */
bool view_read_stat(struct view *view, enum section section, const char *reply, struct error *error);

/* "show table galera-writer", after the state of that section. */
bool view_read_table(struct view *view, const char *reply, struct error *error);

/* The name of slot[k]: "s1" for 0. */
const char *view_slot_name(size_t k, char *name, size_t size);

/* "s1".."s64" -> 0..63; false for any other name. */
bool view_slot_index(const char *name, size_t *k);

/* It has passed a check since it left maintenance: HAProxy sets its health to `rise` then, and above that when one
 * passes. */
bool view_slot_passed(const struct view_slot *slot);

/* HAProxy takes it for usable by its checks, whether or not it is drained. */
bool view_slot_is_up(const struct view_slot *slot);

bool view_slot_in_maint(const struct view_slot *slot);
bool view_slot_in_drain(const struct view_slot *slot);
bool view_slot_agent_enabled(const struct view_slot *slot);

/*
 * Whether it is of another run of HAProxy than a view that had this pid and uptime. The same pid after less time is
 * one as well: in a container every HAProxy is the first process.
 */
bool view_is_another(const struct view *view, int64_t pid, int64_t uptime_s);

/* New sessions may go there. */
bool view_slot_serves(const struct view_slot *slot);

#endif
