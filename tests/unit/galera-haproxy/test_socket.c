/* What becomes of a command: HAProxy does it, refuses it, or is not there. One answer to one connection each. */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "../row.h"
#include "socket.h"

enum { TIME_MS = 20000, SHORT_MS = 100 };

static char place[] = "/tmp/test-socket-XXXXXX";
static char path[64];

struct haproxy {
    const char *reply; /* NULL: it takes the command and hangs */
    int listener;
    char asked[64];
    pthread_t thread;
};

static void *answer(void *context)
{
    struct haproxy *haproxy = context;
    int fd = accept(haproxy->listener, NULL, NULL);
    size_t length = 0;
    char byte;

    while (length + 1 < sizeof haproxy->asked && read(fd, haproxy->asked + length, 1) == 1 &&
           haproxy->asked[length] != '\n')
        length++;
    haproxy->asked[length] = '\0';
    if (haproxy->reply != NULL)
        (void)!write(fd, haproxy->reply, strlen(haproxy->reply));
    else
        (void)!read(fd, &byte, 1); /* until the other end has given up */
    close(fd);
    return NULL;
}

static void begin(struct haproxy *haproxy, const char *reply)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};

    *haproxy = (struct haproxy){.reply = reply, .listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)};
    snprintf(address.sun_path, sizeof address.sun_path, "%s", path);
    assert_int_equal(bind(haproxy->listener, (const struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(listen(haproxy->listener, 1), 0);
    assert_int_equal(pthread_create(&haproxy->thread, NULL, answer, haproxy), 0);
}

static void end(struct haproxy *haproxy)
{
    assert_int_equal(pthread_join(haproxy->thread, NULL), 0);
    close(haproxy->listener);
    assert_int_equal(unlink(path), 0);
}

static void what_becomes_of_a_command(void **state)
{
    static const struct {
        const char *name;
        const char *reply;
        enum socket_result result;
        enum exit_code code;
        const char *text;
    } rows[] = {
        {"done in silence", "\n", SOCKET_DONE, EXIT_YES, ""},
        {"another address", "IP changed from '10.0.0.1' to '10.0.0.2'\n\n", SOCKET_DONE, EXIT_YES, ""},
        {"no such server", "No such server.\n\n", SOCKET_REFUSED, EXIT_UNAVAILABLE,
         "HAProxy refuses 'set x': No such server."},
        {"no rights", "Permission denied\n\n", SOCKET_REFUSED, EXIT_PERMISSION,
         "HAProxy refuses 'set x': Permission denied (its 'stats socket' needs 'level admin')"},
        {"closed", "", SOCKET_NO_ANSWER, EXIT_UNAVAILABLE, "without an answer"},
        {"it hangs", NULL, SOCKET_NO_ANSWER, EXIT_UNAVAILABLE, "does not answer in time"},
    };

    (void)state;
    for (size_t i = 0; i < ROW_COUNT(rows); i++) {
        struct haproxy haproxy;
        struct error error = {.code = EXIT_YES};
        begin(&haproxy, rows[i].reply);
        int64_t time_ms = rows[i].reply == NULL ? SHORT_MS : TIME_MS;
        row_number(rows[i].name, socket_do(path, "set x", deadline_in_ms(time_ms), &error), rows[i].result);
        end(&haproxy);
        row_number(rows[i].name, error.code, rows[i].code);
        row_contains(rows[i].name, error.text, rows[i].text);
        if (rows[i].reply != NULL)
            row_text(rows[i].name, haproxy.asked, "set x");
    }
}

/* Whatever the path is called, an error that names it is no word of HAProxy's. */
static void nobody_is_there(void **state)
{
    static const struct {
        const char *path;
        const char *text;
    } rows[] = {{"/nowhere/HAProxy refuses", "HAProxy is not there: /nowhere/HAProxy refuses: "},
                {"/dev/null", "/dev/null"},
                {"/a/path/that/is/longer/than/the/hundred/and/seven/characters/that/the/address/of/a/Unix/socket/has/"
                 "room/for/at/most",
                 "too long"}};

    (void)state;
    for (size_t i = 0; i < ROW_COUNT(rows); i++) {
        struct error error;
        row_number(rows[i].path, socket_do(rows[i].path, "set x", deadline_in_ms(TIME_MS), &error), SOCKET_NO_ANSWER);
        row_contains(rows[i].path, error.text, rows[i].text);
    }
}

static int make_place(void **state)
{
    (void)state;
    if (mkdtemp(place) == NULL)
        return -1;
    snprintf(path, sizeof path, "%s/admin", place);
    return 0;
}

static int remove_place(void **state)
{
    (void)state;
    return rmdir(place);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_becomes_of_a_command),
        cmocka_unit_test(nobody_is_there),
    };

    return cmocka_run_group_tests(tests, make_place, remove_place);
}
