/* Who stands under our id in the registry. Pure. */
#ifndef REGISTER_HOLDER_H
#define REGISTER_HOLDER_H

#include "etcd.h"
#include "registry.h"

enum holder_kind {
    HOLDER_NONE,     /* nobody: there is no address */
    HOLDER_US,       /* an address under our lease */
    HOLDER_LEFTOVER, /* our address under another lease: a former run of ours, or a second process for the same server
                      */
    HOLDER_OTHER,    /* another address */
};

struct holder {
    enum holder_kind kind;
    bool intact;                         /* HOLDER_US: every key is there, ours, and says what it should */
    bool remains;                        /* HOLDER_NONE: no key is there that can be of another node */
    int64_t lease;                       /* 0: none */
    int64_t mod_revision;                /* of its address */
    char address[REGISTRY_IP_SIZE + 16]; /* as it stands there, not checked */
};

/* `range` is what is below `directory` ("<prefix>/<id>/"), `lease` ours. With v2, where there are no leases, it is 0.
 */
struct holder holder_find(const struct etcd_range *range, const char *directory, const struct registry_entry *own,
                          int64_t lease);

#endif
