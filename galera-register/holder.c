#include "holder.h"

#include <stdio.h>
#include <string.h>

static const struct etcd_kv *find(const struct etcd_range *range, const char *directory, enum registry_field field)
{
    size_t length = strlen(directory);

    for (size_t i = 0; i < range->count; i++) {
        const char *key = range->kv[i].key;
        if (strncmp(key, directory, length) == 0 && strcmp(key + length, registry_field_name(field)) == 0)
            return &range->kv[i];
    }
    return NULL;
}

static bool has_value(const struct etcd_kv *kv, const struct registry_entry *own, enum registry_field field)
{
    char text[REGISTRY_INSTANCE_SIZE];
    const char *value = registry_field_text(own, field, text, sizeof text);

    if (kv == NULL || value == NULL)
        return kv == NULL && value == NULL;
    return strcmp(kv->value, value) == 0;
}

static bool is_intact(const struct etcd_range *range, const char *directory, const struct registry_entry *own,
                      int64_t lease)
{
    for (int field = 0; field < REGISTRY_FIELD_COUNT; field++) {
        const struct etcd_kv *kv = find(range, directory, (enum registry_field)field);
        if (!has_value(kv, own, (enum registry_field)field) || (kv != NULL && kv->lease != lease))
            return false;
    }
    return true;
}

/* The state changes; what else is there must say what our own keys do. */
static bool can_be_ours(const struct etcd_range *range, const char *directory, const struct registry_entry *own)
{
    for (int field = 0; field < REGISTRY_FIELD_COUNT; field++) {
        const struct etcd_kv *kv = find(range, directory, (enum registry_field)field);
        if (kv != NULL && field != REGISTRY_STATE && !has_value(kv, own, (enum registry_field)field))
            return false;
    }
    return true;
}

struct holder holder_find(const struct etcd_range *range, const char *directory, const struct registry_entry *own,
                          int64_t lease)
{
    const struct etcd_kv *ip = find(range, directory, REGISTRY_IP);
    const struct etcd_kv *port = find(range, directory, REGISTRY_PORT);
    struct holder holder = {.kind = HOLDER_NONE};

    holder.remains = ip == NULL && can_be_ours(range, directory, own);
    if (ip == NULL)
        return holder;
    holder.lease = ip->lease;
    holder.mod_revision = ip->mod_revision;
    snprintf(holder.address, sizeof holder.address, strchr(ip->value, ':') == NULL ? "%.45s:%.8s" : "[%.45s]:%.8s",
             ip->value, port == NULL ? "?" : port->value);
    /* A port that is missing or new is no other node. */
    bool same = has_value(ip, own, REGISTRY_IP) && (port == NULL || has_value(port, own, REGISTRY_PORT));
    /* Under our lease is what we have written, be it with the address that we had then. */
    if ((same || lease != 0) && ip->lease == lease)
        holder.kind = HOLDER_US;
    else
        holder.kind = same ? HOLDER_LEFTOVER : HOLDER_OTHER;
    holder.intact = holder.kind == HOLDER_US && is_intact(range, directory, own, lease);
    return holder;
}
