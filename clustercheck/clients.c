#include "clients.h"

#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#include "client.h"
#include "truth.h"

enum {
    OTHER_FDS = 64,         /* all that is open beside clients */
    TICK_NS = 10 * 1000000, /* how exact patience is */
};

static void go_on(struct client *client, int64_t now_ns)
{
    switch (client->state) {
    case STATE_READING:
        client_read(client, now_ns);
        break;
    case STATE_WRITING:
        client_write_rest(client, now_ns);
        client_resume(client, now_ns);
        break;
    case STATE_LINGERING:
        client_throw_away(client);
        break;
    case STATE_WAITING:
        client->missed = true;
        break;
    case STATE_FREE:
        break;
    }
}

void clients_event(uint64_t id, int64_t now_ns)
{
    struct client *client = &clients.table[id & UINT32_MAX];

    if (client->state != STATE_FREE && (client->serial & INT32_MAX) == id >> 32)
        go_on(client, now_ns);
}

void clients_answer_waiting(int64_t now_ns)
{
    for (uint32_t i = 0; i < clients.used && clients.waiting > 0; i++) {
        struct client *client = &clients.table[i];
        if (client->state == STATE_WAITING) {
            client_answer(client, now_ns);
            client_resume(client, now_ns);
        }
    }
}

static void lose_patience(struct client *client, int64_t now_ns)
{
    switch (client->state) {
    case STATE_READING:
        if (client->kept && client->length == 0) {
            client_drop(client);
        } else {
            client->request.keep_alive = false;
            client_answer_or_wait(client, now_ns);
        }
        break;
    case STATE_WAITING:
        truth_declare_late();
        client_answer(client, now_ns);
        break;
    case STATE_WRITING:
    case STATE_LINGERING:
        client_drop(client);
        break;
    case STATE_FREE:
        break;
    }
}

int64_t clients_expire(int64_t now_ns)
{
    if (clients.next_ns > now_ns)
        return clients.next_ns;
    clients.next_ns = INT64_MAX;
    for (uint32_t i = 0; i < clients.used; i++) {
        struct client *client = &clients.table[i];
        if (client->state != STATE_FREE && client->until_ns <= now_ns)
            lose_patience(client, now_ns);
        if (client->state != STATE_FREE && client->until_ns < clients.next_ns)
            clients.next_ns = client->until_ns;
    }
    /* Many ends lie close together: they are met in one go. */
    if (clients.next_ns < now_ns + TICK_NS)
        clients.next_ns = now_ns + TICK_NS;
    return clients.next_ns;
}

size_t clients_waiting(void)
{
    return clients.waiting;
}

static uint32_t table_size(int64_t wanted)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
        return (uint32_t)wanted;
    rlim_t needed = (rlim_t)wanted + OTHER_FDS;
    if (limit.rlim_cur < needed) {
        limit.rlim_cur = limit.rlim_max < needed ? limit.rlim_max : needed;
        setrlimit(RLIMIT_NOFILE, &limit);
    }
    return (uint32_t)wanted;
}

bool clients_open(int epoll, const struct settings *settings, bool agent, struct figures *figures, struct error *error)
{
    clients.epoll = epoll;
    clients.settings = settings;
    clients.agent = agent;
    clients.figures = figures;
    clients.size = table_size(settings->max_clients);
    clients.free = NO_ENTRY;
    clients.table = calloc(clients.size, sizeof *clients.table);
    clients_hold_reserve();
    return clients.table != NULL || error_set(error, EXIT_INTERNAL, "out of memory for %u clients", clients.size);
}

void clients_configure(const struct settings *settings)
{
    clients.settings = settings;
}

void clients_drain(void)
{
    clients.draining = true;
    for (uint32_t i = 0; i < clients.used; i++) {
        struct client *client = &clients.table[i];
        if (client->state == STATE_READING && client->kept && client->length == 0)
            client_drop(client);
    }
}

void clients_close(void)
{
    for (uint32_t i = 0; i < clients.used; i++) {
        if (clients.table[i].state != STATE_FREE)
            client_drop(&clients.table[i]);
    }
    free(clients.table);
    clients.table = NULL;
    close(clients.reserve);
}
