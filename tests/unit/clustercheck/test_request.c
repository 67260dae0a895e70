#include "../row.h"
#include "request.h"

static void requests(void **state)
{
    static const struct {
        const char *name;
        const char *bytes;
        enum request_progress progress;
        enum endpoint endpoint;
        bool head;
        enum siblings siblings;
    } rows[] = {
        {"nothing", "", REQUEST_EMPTY, ENDPOINT_POLICY, false, 0},
        {"HAProxy", "OPTIONS / HTTP/1.0\r\n\r\n", REQUEST_COMPLETE, ENDPOINT_POLICY, false, 0},
        {"HAProxy with send-state",
         "OPTIONS / HTTP/1.0\r\nX-Haproxy-Server-State: UP 2/3; name=b/s; node=lb; weight=1/2; scur=0/0; "
         "qcur=0\r\n\r\n",
         REQUEST_COMPLETE, ENDPOINT_POLICY, false, SIBLINGS_USABLE},
        {"GET", "GET /rw HTTP/1.1\r\nHost: x\r\n\r\n", REQUEST_COMPLETE, ENDPOINT_RW, false, 0},
        {"HEAD", "HEAD /ro HTTP/1.1\r\nHost: x\r\n\r\n", REQUEST_COMPLETE, ENDPOINT_RO, true, 0},
        {"head in small letters", "head / http/1.0\r\n\r\n", REQUEST_COMPLETE, ENDPOINT_POLICY, true, 0},
        {"HEADER is another method", "HEADER / HTTP/1.0\r\n\r\n", REQUEST_COMPLETE, ENDPOINT_POLICY, false, 0},
        {"bare newlines", "GET /live HTTP/1.0\n\n", REQUEST_COMPLETE, ENDPOINT_LIVE, false, 0},
        {"HTTP/0.9", "GET /rw\r\n\r\n", REQUEST_COMPLETE, ENDPOINT_RW, false, 0},
        {"two blanks", "GET  /rw  HTTP/1.0\r\n\r\n", REQUEST_COMPLETE, ENDPOINT_RW, false, 0},
        {"blank lines in front", "\r\n\n\r\nGET /rw HTTP/1.0\r\n\r\n", REQUEST_COMPLETE, ENDPOINT_RW, false, 0},
        {"blank lines alone", "\r\n\r\n\r\n", REQUEST_STARTED, ENDPOINT_POLICY, false, 0},
        {"half a line", "GET /r", REQUEST_STARTED, ENDPOINT_POLICY, false, 0},
        {"line without its newline", "GET /rw HTTP/1.0\r", REQUEST_STARTED, ENDPOINT_POLICY, false, 0},
        {"line alone", "GET /rw HTTP/1.0\r\n", REQUEST_LINE, ENDPOINT_RW, false, 0},
        {"half a header", "GET /rw HTTP/1.0\r\nHost: x", REQUEST_LINE, ENDPOINT_RW, false, 0},
        {"half of send-state is not taken", "GET / HTTP/1.0\r\nX-Haproxy-Server-State: UP; weight=1/1", REQUEST_LINE,
         ENDPOINT_POLICY, false, SIBLINGS_NOT_TOLD},
        {"send-state in the body is not taken", "GET / HTTP/1.0\r\n\r\nX-Haproxy-Server-State: UP; weight=1/1\r\n\r\n",
         REQUEST_COMPLETE, ENDPOINT_POLICY, false, SIBLINGS_NOT_TOLD},
        {"header in small letters", "GET / HTTP/1.0\r\nx-haproxy-server-state:UP; weight=1/1\r\n\r\n", REQUEST_COMPLETE,
         ENDPOINT_POLICY, false, SIBLINGS_NONE_USABLE},
        {"header without value", "GET / HTTP/1.0\r\nX-Haproxy-Server-State\r\n\r\n", REQUEST_COMPLETE, ENDPOINT_POLICY,
         false, SIBLINGS_NOT_TOLD},
        {"pipelined", "GET /rw HTTP/1.1\r\n\r\nHEAD /ro HTTP/1.1\r\n\r\n", REQUEST_COMPLETE, ENDPOINT_RW, false, 0},
        {"not HTTP", "hello\r\n\r\n", REQUEST_COMPLETE, ENDPOINT_POLICY, false, 0},
        {"TLS hello", "\x16\x03\x01\x02", REQUEST_STARTED, ENDPOINT_POLICY, false, 0},
        {"no path", "GET\r\n\r\n", REQUEST_COMPLETE, ENDPOINT_POLICY, false, 0},
        {"blank for a path", "GET \r\n\r\n", REQUEST_COMPLETE, ENDPOINT_POLICY, false, 0},
        {"agent-check style", "up\n", REQUEST_LINE, ENDPOINT_POLICY, false, 0},
    };

    (void)state;
    for (size_t i = 0; i < ROW_COUNT(rows); i++) {
        struct request request = request_parse(rows[i].bytes, strlen(rows[i].bytes));
        row_number(rows[i].name, request.progress, rows[i].progress);
        row_number(rows[i].name, request.endpoint, rows[i].endpoint);
        row_number(rows[i].name, request.head, rows[i].head);
        row_number(rows[i].name, request.siblings, rows[i].siblings);
    }
}

/* However the bytes arrive, the request is the same and complete only at its blank line. */
static void every_prefix(void **state)
{
    static const char whole[] =
        "\r\nHEAD /rw?x HTTP/1.1\r\nHost: x\r\nX-Haproxy-Server-State: UP; weight=1/1\r\n\r\nrest";
    size_t line_end = (size_t)(strstr(whole, "1.1\r\n") - whole) + 5;
    size_t end = sizeof whole - 1 - strlen("rest");

    (void)state;
    for (size_t length = 0; length < sizeof whole; length++) {
        struct request request = request_parse(whole, length);
        char name[32];
        snprintf(name, sizeof name, "%zu bytes", length);
        row_number(name, request.progress,
                   length == 0         ? REQUEST_EMPTY
                   : length < line_end ? REQUEST_STARTED
                   : length < end      ? REQUEST_LINE
                                       : REQUEST_COMPLETE);
        row_number(name, request.head, length >= line_end);
        row_number(name, request.endpoint, length >= line_end ? ENDPOINT_RW : ENDPOINT_POLICY);
    }
}

static void nul_bytes(void **state)
{
    static const char bytes[] = "GET /rw\0x HTTP/1.0\r\nX\0: y\r\n\0\r\n\r\n";
    struct request request = request_parse(bytes, sizeof bytes - 1);

    (void)state;
    assert_int_equal(request.progress, REQUEST_COMPLETE);
    assert_int_equal(request.endpoint, ENDPOINT_POLICY);
}

static void paths(void **state)
{
    static const struct {
        const char *path;
        enum endpoint endpoint;
    } rows[] = {
        {"/", ENDPOINT_POLICY},       {"", ENDPOINT_POLICY},         {"/rw", ENDPOINT_RW},
        {"/ro", ENDPOINT_RO},         {"/live", ENDPOINT_LIVE},      {"/rw/", ENDPOINT_RW},
        {"/rw?a=b", ENDPOINT_RW},     {"/rw/?a", ENDPOINT_RW},       {"/?/rw", ENDPOINT_POLICY},
        {"/rwx", ENDPOINT_POLICY},    {"/r", ENDPOINT_POLICY},       {"rw", ENDPOINT_POLICY},
        {"/live/x", ENDPOINT_POLICY}, {"/unknown", ENDPOINT_POLICY}, {"?", ENDPOINT_POLICY},
        {"/rw//", ENDPOINT_POLICY},
    };

    (void)state;
    for (size_t i = 0; i < ROW_COUNT(rows); i++)
        row_number(rows[i].path, endpoint_of_path(rows[i].path, strlen(rows[i].path)), rows[i].endpoint);
    for (int i = 0; i < ENDPOINT_COUNT; i++) {
        const char *path = endpoint_path((enum endpoint)i);
        row_number(path, endpoint_of_path(path, strlen(path)), i);
    }
}

static void siblings(void **state)
{
    static const struct {
        const char *value;
        enum siblings siblings;
    } rows[] = {
        {"UP 2/3; name=bck/srv2; node=lb1; weight=1/2; scur=13/22; qcur=0", SIBLINGS_USABLE},
        {"UP; name=bck/srv2; node=lb1; weight=1/1; scur=13/22; qcur=0", SIBLINGS_NONE_USABLE},
        {"UP 1/3; weight=100/100", SIBLINGS_NONE_USABLE},
        {"UP 1/3; weight=100/101", SIBLINGS_USABLE},
        {"DOWN 1/2; weight=1/1", SIBLINGS_USABLE}, /* ours is not in the total while we are down */
        {"DOWN; weight=1/0", SIBLINGS_NONE_USABLE},
        {"NOLB 2/3; weight=1/1", SIBLINGS_USABLE},
        {"NOLB; weight=0/0", SIBLINGS_NONE_USABLE},
        {"no check; weight=1/2", SIBLINGS_USABLE},
        {"  UP  ;  weight=1/1  ", SIBLINGS_NONE_USABLE},
        {"up; WEIGHT=1/1", SIBLINGS_NONE_USABLE},
        {"UP; weight=1/1; weight=1/5", SIBLINGS_NONE_USABLE}, /* a server's name cannot add a field behind it */
        {"UP; name=x/weight=1/9; weight=1/1", SIBLINGS_NONE_USABLE},
        {"", SIBLINGS_NOT_TOLD},
        {"UP", SIBLINGS_NOT_TOLD},
        {"weight=1/1", SIBLINGS_NOT_TOLD}, /* the first field is the state */
        {"UP; weight=", SIBLINGS_NOT_TOLD},
        {"UP; weight=/", SIBLINGS_NOT_TOLD},
        {"UP; weight=1", SIBLINGS_NOT_TOLD},
        {"UP; weight=1/", SIBLINGS_NOT_TOLD},
        {"UP; weight=/1", SIBLINGS_NOT_TOLD},
        {"UP; weight=1/2/3", SIBLINGS_NOT_TOLD},
        {"UP; weight=-1/2", SIBLINGS_NOT_TOLD},
        {"UP; weight=1 /2", SIBLINGS_NOT_TOLD},
        {"UP; weight=x/y", SIBLINGS_NOT_TOLD},
        {"UP; weight=999999999/999999999", SIBLINGS_NONE_USABLE},
        {"UP; weight=9999999999/1", SIBLINGS_NOT_TOLD},
        {";;;;", SIBLINGS_NOT_TOLD},
    };

    (void)state;
    for (size_t i = 0; i < ROW_COUNT(rows); i++)
        row_number(rows[i].value, siblings_parse(rows[i].value, strlen(rows[i].value)), rows[i].siblings);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(requests), cmocka_unit_test(every_prefix), cmocka_unit_test(nul_bytes),
        cmocka_unit_test(paths),    cmocka_unit_test(siblings),
    };

    return cmocka_run_group_tests_name("request", tests, NULL, NULL);
}
