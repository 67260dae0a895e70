#include "clients.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "client.h"
#include "reply.h"
#include "truth.h"

enum { ACCEPT_MOST = 64 }; /* connections in one go, before the others have their turn */

static void begin(int fd, int64_t now_ns)
{
    struct client *client = client_new(fd, now_ns);

    if (client == NULL) {
        close(fd);
        return;
    }
    clients.figures->connections++;
    client->request = request_parse("", 0);
    client_be_patient(client, STATE_READING, now_ns + clients.settings->request_wait_ms * NS_PER_MS);
    if (clients.agent)
        client_answer_or_wait(client, now_ns);
    else
        client_read(client, now_ns);
}

static void refuse(int fd)
{
    static const struct request nothing = {.progress = REQUEST_EMPTY};
    static const struct verdict verdict = {
        .state = VERDICT_UNKNOWN, .reason = REASON_INTERNAL_ERROR, .detail = "too many clients wait for the server"};
    static struct reply reply;

    if (clients.agent) {
        send(fd, "down #internal-error\n", 21, MSG_NOSIGNAL | MSG_DONTWAIT);
        return;
    }
    reply_format(&reply, &verdict, &nothing, (enum body_style)clients.settings->body, NULL);
    recv(fd, clients.bytes, sizeof clients.bytes, MSG_DONTWAIT);
    send(fd, reply.text, reply.length, MSG_NOSIGNAL | MSG_DONTWAIT);
    clients.figures->answers[CODE_503]++;
}

/* Ends the wait for a client that has had its time: it is answered by what it has said so far. */
static bool give_one_up(int64_t now_ns)
{
    for (uint32_t i = 0; i < clients.used; i++) {
        struct client *client = &clients.table[clients.hand++ % clients.used];
        uint32_t serial = client->serial;
        if (client->state != STATE_READING && client->state != STATE_LINGERING)
            continue;
        clients.figures->given_up++;
        if (client->state == STATE_READING && !(client->kept && client->length == 0)) {
            client->request.keep_alive = false;
            client->ended = true; /* no lingering: the place is needed */
            if (truth_judge(client->request.endpoint, now_ns) == FRESHNESS_WAIT)
                refuse(client->fd);
            else
                client_answer(client, now_ns);
        }
        if (client->state != STATE_FREE && client->serial == serial)
            client_drop(client);
        return true;
    }
    return false;
}

void clients_hold_reserve(void)
{
    clients.reserve = fcntl(clients.epoll, F_DUPFD_CLOEXEC, 3);
}

/* No file descriptor is left: true when it is worth trying again. */
static bool make_room(int listener, int64_t now_ns)
{
    if (give_one_up(now_ns))
        return true;
    if (clients.reserve < 0)
        return false;
    close(clients.reserve);
    int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd >= 0) {
        refuse(fd);
        close(fd);
    }
    clients_hold_reserve();
    if (fd < 0)
        poll(NULL, 0, 1); /* the system itself has none left: do not spin */
    return fd >= 0;
}

void clients_accept(int listener, int64_t now_ns)
{
    for (int i = 0; i < ACCEPT_MOST; i++) {
        int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd >= 0) {
            if (!client_table_is_full() || give_one_up(now_ns)) {
                begin(fd, now_ns);
            } else {
                refuse(fd);
                close(fd);
            }
        } else if (errno == EMFILE || errno == ENFILE) {
            if (!make_room(listener, now_ns))
                return;
        } else if (errno != ECONNABORTED && errno != EINTR) {
            return;
        }
    }
}
