/* Checks of single values of the registry. */
#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "registry.h"

static bool is_alphanumeric(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

/* Letters, digits and `others` alone, 1 to most. */
static bool is_made_of(const char *text, const char *others, size_t most)
{
    size_t length = strlen(text);

    if (length == 0 || length > most)
        return false;
    for (const char *c = text; *c != '\0'; c++) {
        if (!is_alphanumeric(*c) && strchr(others, *c) == NULL)
            return false;
    }
    return true;
}

bool registry_id_is_valid(const char *id)
{
    /* "." and ".." would climb in whatever takes an id for a file name. */
    return is_made_of(id, "_.-", REGISTRY_ID_SIZE - 1) && strcmp(id, ".") != 0 && strcmp(id, "..") != 0;
}

bool registry_host_is_valid(const char *host)
{
    enum { LABEL_MOST = 63 };
    size_t label = 0;

    if (!is_made_of(host, "_.-", REGISTRY_HOST_SIZE - 1))
        return false;
    for (const char *c = host; *c != '\0'; c++) {
        if (*c == '-' && (label == 0 || c[1] == '.' || c[1] == '\0'))
            return false;
        if (*c == '.' && label == 0)
            return false;
        label = *c == '.' ? 0 : label + 1;
        if (label > LABEL_MOST)
            return false;
    }
    return true;
}

bool registry_instance_is_valid(const char *instance)
{
    return is_made_of(instance, "_.-@:\\", REGISTRY_INSTANCE_SIZE - 1);
}

bool registry_state_is_valid(const char *state)
{
    size_t length = strspn(state, "abcdefghijklmnopqrstuvwxyz-");

    return length > 0 && length < REGISTRY_STATE_SIZE && state[length] == '\0';
}

bool registry_prefix_is_valid(const char *prefix)
{
    size_t length = strlen(prefix);

    if (length < 2 || length > REGISTRY_PREFIX_MOST || prefix[0] != '/' || prefix[length - 1] == '/' ||
        strstr(prefix, "//") != NULL)
        return false;
    return is_made_of(prefix, "/_.-@:", REGISTRY_PREFIX_MOST);
}

bool registry_ip_normalize(const char *text, char *ip, size_t size, bool *ipv6)
{
    struct in_addr v4;
    struct in6_addr v6;

    if (inet_pton(AF_INET, text, &v4) == 1) {
        *ipv6 = false;
        return v4.s_addr != INADDR_ANY && inet_ntop(AF_INET, &v4, ip, (socklen_t)size) != NULL;
    }
    if (inet_pton(AF_INET6, text, &v6) == 1) {
        *ipv6 = true;
        return !IN6_IS_ADDR_UNSPECIFIED(&v6) && inet_ntop(AF_INET6, &v6, ip, (socklen_t)size) != NULL;
    }
    return false;
}

static const char *port_text(uint16_t port, char *text, size_t size)
{
    snprintf(text, size, "%u", (unsigned)port);
    return port == 0 ? NULL : text;
}

static const char *copy_text(const char *value, char *text, size_t size)
{
    snprintf(text, size, "%s", value);
    return value[0] == '\0' ? NULL : text;
}

const char *registry_field_text(const struct registry_entry *entry, enum registry_field field, char *text, size_t size)
{
    switch (field) {
    case REGISTRY_IP:
        return copy_text(entry->ip, text, size);
    case REGISTRY_PORT:
        return port_text(entry->port, text, size);
    case REGISTRY_HOST:
        return copy_text(entry->host, text, size);
    case REGISTRY_INSTANCE:
        return copy_text(entry->instance, text, size);
    case REGISTRY_CHECK_PORT:
        return port_text(entry->check_port, text, size);
    case REGISTRY_STATE:
        return copy_text(entry->state, text, size);
    case REGISTRY_FIELD_COUNT:
        break;
    }
    return NULL;
}

const char *registry_address(const struct registry_entry *entry, char *text, size_t size)
{
    snprintf(text, size, entry->ipv6 ? "[%s]:%u" : "%s:%u", entry->ip, (unsigned)entry->port);
    return text;
}
