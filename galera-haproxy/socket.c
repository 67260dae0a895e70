#include "socket.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static bool no_answer(const char *path, struct error *error)
{
    return error_set(error, EXIT_UNAVAILABLE, "HAProxy does not answer in time on %s: it hangs, or its host is busy",
                     path);
}

static bool cannot_connect(const char *path, int number, struct error *error)
{
    switch (number) {
    case ENOENT:
    case ECONNREFUSED:
        return error_set(error, EXIT_UNAVAILABLE,
                         "HAProxy is not there: %s: %s; start it, or set socket in [haproxy] to its 'stats socket'",
                         path, strerror(number));
    case EACCES:
    case EPERM:
        return error_set(error, EXIT_PERMISSION,
                         "may not use %s: %s; run as a user of its group, or give 'stats socket' another mode or group",
                         path, strerror(number));
    default:
        return error_set(error, EXIT_UNAVAILABLE, "cannot connect to %s: %s", path, strerror(number));
    }
}

static bool wait_for(int fd, short events, const char *path, struct deadline deadline, struct error *error)
{
    struct pollfd poller = {.fd = fd, .events = events};

    for (;;) {
        int count = poll(&poller, 1, deadline_left_ms(deadline));
        if (count > 0)
            return true;
        if (count == 0)
            return no_answer(path, error);
        if (errno != EINTR)
            return error_set(error, EXIT_INTERNAL, "cannot wait for %s: %s", path, strerror(errno));
    }
}

/* EAGAIN on a Unix socket: HAProxy's queue of connections is full, as it is when it has hung for long. */
static int open_socket(const char *path, struct error *error)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};

    if (strlen(path) >= sizeof address.sun_path) {
        error_set(error, EXIT_CONFIG, "the path of the socket is too long: %s", path);
        return -1;
    }
    memcpy(address.sun_path, path, strlen(path) + 1);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0) {
        error_set(error, EXIT_INTERNAL, "cannot make a socket: %s", strerror(errno));
        return -1;
    }
    if (connect(fd, (const struct sockaddr *)&address, sizeof address) == 0)
        return fd;
    if (errno == EAGAIN)
        no_answer(path, error);
    else
        cannot_connect(path, errno, error);
    close(fd);
    return -1;
}

static bool send_all(int fd, const char *bytes, size_t length, const char *path, struct deadline deadline,
                     struct error *error)
{
    size_t done = 0;

    while (done < length) {
        ssize_t count = send(fd, bytes + done, length - done, MSG_NOSIGNAL);
        if (count > 0)
            done += (size_t)count;
        else if (count < 0 && errno != EAGAIN && errno != EINTR)
            return error_set(error, EXIT_UNAVAILABLE, "HAProxy closed %s: %s", path, strerror(errno));
        else if (!wait_for(fd, POLLOUT, path, deadline, error))
            return false;
    }
    return true;
}

static bool read_all(int fd, const char *path, struct deadline deadline, struct text *reply, struct error *error)
{
    char bytes[16384];

    reply->most = SOCKET_REPLY_MOST;
    for (;;) {
        ssize_t count = recv(fd, bytes, sizeof bytes, 0);
        if (count == 0)
            break;
        if (count > 0) {
            text_add_bytes(reply, bytes, (size_t)count);
            if (reply->failed)
                return error_set(error, EXIT_UNAVAILABLE, "the answer on %s is longer than it can be", path);
        } else if (errno != EAGAIN && errno != EINTR) {
            return error_set(error, EXIT_UNAVAILABLE, "HAProxy closed %s: %s", path, strerror(errno));
        } else if (!wait_for(fd, POLLIN, path, deadline, error)) {
            return false;
        }
    }
    if (reply->length == 0)
        return error_set(error, EXIT_UNAVAILABLE, "HAProxy closed %s without an answer", path);
    return true;
}

bool socket_ask(const char *path, const char *command, struct deadline deadline, struct text *reply,
                struct error *error)
{
    int fd = open_socket(path, error);

    if (fd < 0)
        return false;
    bool done = send_all(fd, command, strlen(command), path, deadline, error) &&
                send_all(fd, "\n", 1, path, deadline, error) && read_all(fd, path, deadline, reply, error);
    close(fd);
    return done;
}

/* Success is silent, but for an address. */
bool socket_reply_is_success(const char *reply)
{
    static const char *const words[] = {"IP changed from ", "port changed from ", "no need to change "};

    reply += strspn(reply, " \r\n");
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (strncmp(reply, words[i], strlen(words[i])) == 0)
            return true;
    }
    return *reply == '\0';
}

static void refused(const char *command, const char *words, struct error *error)
{
    bool denied = strncmp(words, "Permission denied", 17) == 0;

    error_set(error, denied ? EXIT_PERMISSION : EXIT_UNAVAILABLE, "HAProxy refuses '%s': %.*s%s", command,
              (int)strcspn(words, "\n"), words, denied ? " (its 'stats socket' needs 'level admin')" : "");
}

enum socket_result socket_do(const char *path, const char *command, struct deadline deadline, struct error *error)
{
    struct text reply = {0};
    enum socket_result result = SOCKET_NO_ANSWER;

    if (socket_ask(path, command, deadline, &reply, error)) {
        const char *words = text_string(&reply);
        result = socket_reply_is_success(words) ? SOCKET_DONE : SOCKET_REFUSED;
        if (result == SOCKET_REFUSED)
            refused(command, words + strspn(words, " \r\n"), error);
    }
    text_free(&reply);
    return result;
}

/* --- the view ----------------------------------------------------------------------------------------------------- */

static bool ask(const char *path, int64_t timeout_ms, const char *command, const char *argument, struct text *reply,
                struct error *error)
{
    char line[96];

    text_clear(reply);
    snprintf(line, sizeof line, "%s%s", command, argument);
    return socket_ask(path, line, deadline_in_ms(timeout_ms), reply, error);
}

static bool read_section(const char *path, int64_t timeout_ms, struct view *view, enum section section,
                         struct text *reply, struct error *error)
{
    char argument[48];

    if (!ask(path, timeout_ms, "show servers state ", section_name(section), reply, error) ||
        !view_read_state(view, section, text_string(reply), error))
        return false;
    if (!view->section[section].present)
        return true;
    snprintf(argument, sizeof argument, "%s 4 -1", section_name(section)); /* 4: servers; -1: all of them */
    return ask(path, timeout_ms, "show stat ", argument, reply, error) &&
           view_read_stat(view, section, text_string(reply), error);
}

bool socket_read_view(const char *path, int64_t timeout_ms, struct view *view, struct error *error)
{
    struct text reply = {0};

    *view = (struct view){.pid = 0};
    bool done =
        ask(path, timeout_ms, "show info", "", &reply, error) && view_read_info(view, text_string(&reply), error);
    for (int section = 0; done && section < SECTION_COUNT; section++)
        done = read_section(path, timeout_ms, view, (enum section)section, &reply, error);
    if (done && view->section[SECTION_WRITER].present)
        done = ask(path, timeout_ms, "show table ", section_name(SECTION_WRITER), &reply, error) &&
               view_read_table(view, text_string(&reply), error);
    text_free(&reply);
    return done;
}
