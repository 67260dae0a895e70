#include "../row.h"
#include "request.h"

#define KEEP "Connection: keep-alive\r\n"

static void connections(void **state)
{
    static const struct {
        const char *name;
        const char *bytes;
        bool keep_alive;
        bool has_body;
    } rows[] = {
        {"asks for it", "GET / HTTP/1.1\r\n" KEEP "\r\n", true, false},
        {"in other letters", "GET / http/1.1\r\nconnection:KEEP-ALIVE\r\n\r\n", true, false},
        {"does not ask", "GET / HTTP/1.1\r\nHost: x\r\n\r\n", false, false},
        {"HTTP/1.0", "GET / HTTP/1.0\r\n" KEEP "\r\n", false, false},
        {"HTTP/0.9", "GET /\r\n" KEEP "\r\n", false, false},
        {"says close", "GET / HTTP/1.1\r\nConnection: close\r\n\r\n", false, false},
        {"says close at last", "GET / HTTP/1.1\r\n" KEEP "Connection: close\r\n\r\n", false, false},
        {"says something else too", "GET / HTTP/1.1\r\nConnection: keep-alive, upgrade\r\n\r\n", false, false},
        {"is not done", "GET / HTTP/1.1\r\n" KEEP, false, false},
        {"has a body", "POST / HTTP/1.1\r\n" KEEP "Content-Length: 3\r\n\r\nabc", false, true},
        {"has an empty body", "POST / HTTP/1.1\r\n" KEEP "Content-Length: 0\r\n\r\n", true, false},
        {"has a body in chunks", "POST / HTTP/1.1\r\n" KEEP "Transfer-Encoding: chunked\r\n\r\n", false, true},
        {"a path with a blank", "GET /a b HTTP/1.1\r\n" KEEP "\r\n", false, false},
    };

    (void)state;
    for (size_t i = 0; i < ROW_COUNT(rows); i++) {
        struct request request = request_parse(rows[i].bytes, strlen(rows[i].bytes));
        row_number(rows[i].name, request.keep_alive, rows[i].keep_alive);
        row_number(rows[i].name, request.has_body, rows[i].has_body);
    }
}

static void lengths(void **state)
{
    static const char two[] = "GET /rw HTTP/1.1\r\n\r\nGET /ro HTTP/1.1\r\n\r\n";

    (void)state;
    struct request first = request_parse(two, sizeof two - 1);
    assert_int_equal(first.length, strlen("GET /rw HTTP/1.1\r\n\r\n"));
    assert_int_equal(first.endpoint, ENDPOINT_RW);
    struct request second = request_parse(two + first.length, sizeof two - 1 - first.length);
    assert_int_equal(second.endpoint, ENDPOINT_RO);
    assert_int_equal(first.length + second.length, sizeof two - 1);
    assert_int_equal(request_parse("GET / HTTP/1.1\r\n", 16).length, 0);
}

static void endpoints(void **state)
{
    (void)state;
    for (int i = 0; i < ENDPOINT_COUNT; i++) {
        const char *path = endpoint_path((enum endpoint)i);
        assert_int_equal(endpoint_of_path(path, strlen(path)), i);
    }
    assert_int_equal(endpoint_of_path("/status/", 8), ENDPOINT_STATUS);
    assert_int_equal(endpoint_of_path("/metrics?name=x", 15), ENDPOINT_METRICS);
    assert_true(ENDPOINT_WRITER < ENDPOINT_VERDICTS);
    assert_true(ENDPOINT_STATUS >= ENDPOINT_VERDICTS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(connections), cmocka_unit_test(lengths),
                                       cmocka_unit_test(endpoints)};

    return cmocka_run_group_tests_name("request, kept connections", tests, NULL, NULL);
}
