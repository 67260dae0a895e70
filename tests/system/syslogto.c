/*
 * LD_PRELOAD: syslog(3) sends to the datagram socket SYSLOG_TO instead of /dev/log, and like the C library's it waits as
 * long as nobody reads there. For tests of a program whose log daemon hangs, beside others whose log does not.
 */
#define _GNU_SOURCE
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

void __syslog_chk(int level, int flag, const char *format, ...);
void syslog(int level, const char *format, ...);

static int connection(void)
{
    static int fd = -1;
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    const char *path = getenv("SYSLOG_TO");

    if (fd >= 0 || path == NULL)
        return fd;
    snprintf(address.sun_path, sizeof address.sun_path, "%s", path);
    fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (connect(fd, (struct sockaddr *)&address, sizeof address) != 0)
        abort();
    return fd;
}

static void say(const char *format, va_list arguments)
{
    char text[4096];

    vsnprintf(text, sizeof text, format, arguments);
    send(connection(), text, strlen(text), 0);
}

void __syslog_chk(int level, int flag, const char *format, ...)
{
    va_list arguments;

    (void)level;
    (void)flag;
    va_start(arguments, format);
    say(format, arguments);
    va_end(arguments);
}

void syslog(int level, const char *format, ...)
{
    va_list arguments;

    (void)level;
    va_start(arguments, format);
    say(format, arguments);
    va_end(arguments);
}
