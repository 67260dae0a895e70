#include "client.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include "deadline.h"
#include "pages.h"
#include "truth.h"

/* False when the client is gone. */
static bool linger(struct client *client, int64_t now_ns)
{
    if (shutdown(client->fd, SHUT_WR) != 0 || !client_watch(client, EPOLLIN | EPOLLRDHUP)) {
        client_drop(client);
        return false;
    }
    client_be_patient(client, STATE_LINGERING, now_ns + LINGER_MS * NS_PER_MS);
    return true;
}

/*
 * The answer is on its way. A client that has said all it had to say gets a plain close; any other might, by what it
 * still sends, make the kernel reset the connection and lose the answer.
 */
static void finish(struct client *client, int64_t now_ns)
{
    bool said_all = client->ended || (client->request.progress == REQUEST_COMPLETE && !client->request.has_body &&
                                      !client->unread && client->length == 0 && !clients.agent);

    if (!client->request.keep_alive) {
        if (said_all)
            client_drop(client);
        else
            linger(client, now_ns);
        return;
    }
    if (client->ended || (!client->watched && !client_watch(client, EPOLLIN | EPOLLRDHUP))) {
        client_drop(client);
        return;
    }
    client->kept = true;
    client->request = request_parse("", 0);
    client_be_patient(client, STATE_READING, now_ns + clients.settings->keep_alive_ms * NS_PER_MS);
}

static void keep_rest(struct client *client, const struct page *page, size_t done, int64_t now_ns)
{
    client->rest = malloc(page->length - done);
    if (client->rest == NULL || !client_watch(client, EPOLLIN | EPOLLOUT)) {
        client_drop(client);
        return;
    }
    memcpy(client->rest, page->text + done, page->length - done);
    client->rest_length = page->length - done;
    client->rest_done = 0;
    client_be_patient(client, STATE_WRITING, now_ns + LINGER_MS * NS_PER_MS);
}

static void count_answer(const struct page *page, int64_t began_ns)
{
    clients.figures->answers[clients.agent ? CODE_AGENT : figures_code_of(page->status)]++;
    histogram_add(&clients.figures->answer_time, monotonic_ns() - began_ns);
}

static struct page page_for(struct client *client, int64_t now_ns)
{
    if (clients.agent)
        return pages_agent();
    client->request.keep_alive = client->request.keep_alive && !clients.draining && clients.settings->keep_alive_ms > 0;
    return pages_answer(&client->request, clients.figures, now_ns);
}

void client_answer(struct client *client, int64_t now_ns)
{
    struct page page = page_for(client, now_ns);
    /* The end of the connection travels with the last of the answer. */
    int more = client->request.keep_alive ? 0 : MSG_MORE;
    ssize_t sent = send(client->fd, page.text, page.length, MSG_NOSIGNAL | MSG_DONTWAIT | more);

    if (sent < 0 && errno != EAGAIN) {
        client_drop(client);
        return;
    }
    count_answer(&page, client->began_ns);
    if (sent == (ssize_t)page.length)
        finish(client, now_ns);
    else
        keep_rest(client, &page, sent < 0 ? 0 : (size_t)sent, now_ns);
}

void client_write_rest(struct client *client, int64_t now_ns)
{
    ssize_t sent = send(client->fd, client->rest + client->rest_done, client->rest_length - client->rest_done,
                        MSG_NOSIGNAL | MSG_DONTWAIT);

    if (sent < 0) {
        if (errno != EAGAIN)
            client_drop(client);
        return;
    }
    client->rest_done += (size_t)sent;
    if (client->rest_done < client->rest_length)
        return;
    free(client->rest);
    client->rest = NULL;
    client->missed = true; /* what has come meanwhile was not looked at */
    client_watch(client, EPOLLIN | EPOLLRDHUP);
    finish(client, now_ns);
}

void client_answer_or_wait(struct client *client, int64_t now_ns)
{
    enum endpoint endpoint = clients.agent ? ENDPOINT_POLICY : client->request.endpoint;

    if (client->request.progress != REQUEST_STARTED && truth_judge(endpoint, now_ns) == FRESHNESS_WAIT)
        client_be_patient(client, STATE_WAITING, client->began_ns + clients.settings->timeout_ms * NS_PER_MS);
    else
        client_answer(client, now_ns);
}
