#include "client.h"

#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>

/* How long to wait for more; see connection_read, which does the same for one client. */
static int64_t patience(const struct client *client, int64_t now_ns)
{
    int64_t silence = now_ns + clients.settings->request_wait_ms * NS_PER_MS;
    int64_t whole = client->began_ns + clients.settings->timeout_ms * NS_PER_MS / 2;

    if (client->request.progress == REQUEST_STARTED)
        return whole;
    return silence < whole ? silence : whole;
}

/* `length` bytes of a request stand in clients.bytes. */
static void take_bytes(struct client *client, size_t length, int64_t now_ns)
{
    uint32_t serial = client->serial;

    for (;;) {
        client->request = request_parse(clients.bytes, length);
        bool complete = client->request.progress == REQUEST_COMPLETE || length == sizeof clients.bytes || client->ended;
        size_t taken = complete && client->request.progress == REQUEST_COMPLETE ? client->request.length : 0;
        if (!client_keep_bytes(client, clients.bytes + taken, length - taken)) {
            client_drop(client);
            return;
        }
        if (!complete) {
            client_be_patient(client, STATE_READING, patience(client, now_ns));
            if (!client->watched && !client_watch(client, EPOLLIN | EPOLLRDHUP))
                client_drop(client);
            return;
        }
        client_answer_or_wait(client, now_ns);
        /* Requests may follow each other without a wait between them. */
        if (client->serial != serial || client->state != STATE_READING || client->length == 0)
            return;
        length = client->length;
        memcpy(clients.bytes, client->bytes, length);
        client->began_ns = now_ns;
    }
}

/* One read: a client that always has more waits for its next turn. */
void client_read(struct client *client, int64_t now_ns)
{
    size_t had = client->length;
    size_t room = sizeof clients.bytes - had;
    ssize_t count;

    client->missed = false;
    if (had > 0)
        memcpy(clients.bytes, client->bytes, had);
    count = recv(client->fd, clients.bytes + had, room, MSG_DONTWAIT);
    if (count < 0) {
        if (errno != EAGAIN || (!client->watched && !client_watch(client, EPOLLIN | EPOLLRDHUP)))
            client_drop(client);
        return;
    }
    if (count == 0 && client->kept && had == 0) {
        client_drop(client);
        return;
    }
    if (client->kept && had == 0)
        client->began_ns = now_ns;
    client->ended = count == 0;
    client->unread = (size_t)count == room;
    if (client->unread && client->watched)
        client_watch(client, EPOLLIN | EPOLLRDHUP); /* and be told again */
    take_bytes(client, had + (size_t)count, now_ns);
}

/* A kept connection after an answer that took time: what has come meanwhile is the next request. */
void client_resume(struct client *client, int64_t now_ns)
{
    uint32_t serial = client->serial;

    if (client->state == STATE_READING && client->length > 0) {
        memcpy(clients.bytes, client->bytes, client->length);
        client->began_ns = now_ns;
        take_bytes(client, client->length, now_ns);
    }
    if (client->serial == serial && client->state == STATE_READING && client->missed)
        client_read(client, now_ns);
}

void client_throw_away(struct client *client)
{
    ssize_t count = recv(client->fd, clients.bytes, sizeof clients.bytes, MSG_DONTWAIT);

    if (count == 0 || (count < 0 && errno != EAGAIN))
        client_drop(client);
    else if (count == (ssize_t)sizeof clients.bytes)
        client_watch(client, EPOLLIN | EPOLLRDHUP);
}
