#include "client.h"

#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

struct clients clients = {.reserve = -1, .next_ns = INT64_MAX};

void client_be_patient(struct client *client, enum state state, int64_t until_ns)
{
    clients.waiting += (state == STATE_WAITING) - (size_t)(client->state == STATE_WAITING);
    client->state = state;
    client->until_ns = until_ns;
    if (until_ns < clients.next_ns)
        clients.next_ns = until_ns;
}

bool client_table_is_full(void)
{
    return clients.free == NO_ENTRY && clients.used == clients.size;
}

struct client *client_new(int fd, int64_t now_ns)
{
    struct client *client;

    if (clients.free != NO_ENTRY) {
        client = &clients.table[clients.free];
        clients.free = client->next_free;
    } else if (clients.used < clients.size) {
        client = &clients.table[clients.used++];
    } else {
        return NULL;
    }
    *client = (struct client){.fd = fd, .serial = client->serial + 1, .state = STATE_READING, .began_ns = now_ns};
    clients.figures->clients++;
    return client;
}

static void forget_bytes(struct client *client)
{
    free(client->bytes);
    client->bytes = NULL;
    client->length = 0;
}

void client_drop(struct client *client)
{
    close(client->fd);
    forget_bytes(client);
    free(client->rest);
    client->rest = NULL;
    client_be_patient(client, STATE_FREE, INT64_MAX);
    client->next_free = clients.free;
    clients.free = (uint32_t)(client - clients.table);
    clients.figures->clients--;
}

bool client_watch(struct client *client, uint32_t events)
{
    struct epoll_event event = {.events = events | EPOLLET,
                                .data.u64 =
                                    (uint64_t)(client->serial & INT32_MAX) << 32 | (uint64_t)(client - clients.table)};
    int operation = client->watched ? EPOLL_CTL_MOD : EPOLL_CTL_ADD;

    client->watched = epoll_ctl(clients.epoll, operation, client->fd, &event) == 0;
    return client->watched;
}

bool client_keep_bytes(struct client *client, const char *bytes, size_t length)
{
    char *copy = length == 0 ? NULL : malloc(length);

    if (length > 0 && copy == NULL)
        return false;
    if (length > 0)
        memcpy(copy, bytes, length);
    free(client->bytes);
    client->bytes = copy;
    client->length = length;
    return true;
}
