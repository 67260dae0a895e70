#include "notify.h"

#include <errno.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "log.h"
#include "num.h"

enum { MESSAGE_SIZE = 1024, US_PER_MS = 1000 };

static struct {
    int fd;
    struct sockaddr_un address;
    socklen_t address_size;
    int64_t watchdog_ms;
} notify_state = {.fd = -1};

static void read_watchdog(void)
{
    const char *us_text = getenv("WATCHDOG_USEC");
    const char *pid_text = getenv("WATCHDOG_PID");
    int64_t us;
    int64_t pid;

    if (us_text == NULL || !num_parse(us_text, 1, INT64_MAX, &us))
        return;
    if (pid_text != NULL && (!num_parse(pid_text, 1, INT64_MAX, &pid) || pid != getpid()))
        return;
    int64_t half = us / 2 / US_PER_MS;
    notify_state.watchdog_ms = half > 0 ? half : 1;
}

void notify_open(void)
{
    const char *path = getenv("NOTIFY_SOCKET");
    size_t length = path == NULL ? 0 : strlen(path);

    read_watchdog();
    if (length > 0) {
        if ((path[0] != '/' && path[0] != '@') || length < 2 || length >= sizeof notify_state.address.sun_path) {
            log_warning("NOTIFY_SOCKET=%s is not the path of a socket; systemd is not notified", path);
        } else {
            notify_state.address.sun_family = AF_UNIX;
            memcpy(notify_state.address.sun_path, path, length + 1);
            /* '@' stands for the NUL byte of an abstract socket, whose name ends with its length (unix(7)). */
            if (path[0] == '@')
                notify_state.address.sun_path[0] = '\0';
            notify_state.address_size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length);
            notify_state.fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
            if (notify_state.fd < 0)
                log_warning("cannot open a socket to notify systemd: %s", strerror(errno));
        }
    }
    unsetenv("NOTIFY_SOCKET");
    unsetenv("WATCHDOG_USEC");
    unsetenv("WATCHDOG_PID");
}

void notify_close(void)
{
    if (notify_state.fd >= 0)
        close(notify_state.fd);
    notify_state.fd = -1;
}

void notify_send(const char *format, ...)
{
    char message[MESSAGE_SIZE];
    va_list arguments;

    if (notify_state.fd < 0)
        return;
    va_start(arguments, format);
    vsnprintf(message, sizeof message, format, arguments);
    va_end(arguments);
    if (sendto(notify_state.fd, message, strlen(message), MSG_NOSIGNAL, (const struct sockaddr *)&notify_state.address,
               notify_state.address_size) < 0)
        log_debug("cannot notify systemd: %s", strerror(errno));
}

int64_t notify_watchdog_ms(void)
{
    return notify_state.fd < 0 ? 0 : notify_state.watchdog_ms;
}

int64_t notify_patience_ms(int64_t most_ms)
{
    int64_t quarter_ms = notify_watchdog_ms() / 4;

    return quarter_ms != 0 && quarter_ms < most_ms ? quarter_ms : most_ms;
}
