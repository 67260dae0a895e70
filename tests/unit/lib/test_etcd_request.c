#include "../row.h"
#include "etcd_request.h"

static void bodies(void **state)
{
    static const struct etcd_compare compares[] = {
        {.key = "/a", .target = ETCD_TARGET_CREATE, .relation = ETCD_EQUAL, .number = 0},
        {.key = "/a", .target = ETCD_TARGET_VALUE, .relation = ETCD_NOT_EQUAL, .value = "v"},
        {.key = "/a", .prefix = true, .target = ETCD_TARGET_LEASE, .relation = ETCD_GREATER, .number = 5},
        {.key = "/a", .target = ETCD_TARGET_MOD, .relation = ETCD_LESS, .number = 6},
        {.key = "/a", .target = ETCD_TARGET_VERSION, .relation = ETCD_EQUAL, .number = 7},
    };
    static const struct etcd_op success[] = {{.verb = ETCD_PUT, .key = "/a", .value = "", .lease = 8},
                                             {.verb = ETCD_DELETE, .key = "/a", .prefix = true}};
    static const struct etcd_op failure[] = {{.verb = ETCD_GET, .key = "/a"}};
    static const struct etcd_txn txn = {compares, 5, success, 2, failure, 1, false};
    struct text text[8] = {{0}};
    const char *const expected[] = {
        "{\"key\":\"L2E=\"}",
        "{\"key\":\"L2E=\",\"range_end\":\"L2I=\",\"sort_target\":\"KEY\"}",
        "{\"key\":\"L2E=\",\"value\":\"dg==\",\"lease\":\"9\"}",
        "{\"create_request\":{\"key\":\"L2Ev\",\"range_end\":\"L2Ew\",\"start_revision\":\"12\",\"progress_notify\":"
        "true}}",
        "{\"name\":\"a\\\"b\",\"password\":\"c\\\\d\"}",
        "{\"ID\":\"-1\"}",
        "{\"TTL\":\"10\"}",
        "{\"compare\":["
        "{\"key\":\"L2E=\",\"target\":\"CREATE\",\"result\":\"EQUAL\",\"create_revision\":\"0\"},"
        "{\"key\":\"L2E=\",\"target\":\"VALUE\",\"result\":\"NOT_EQUAL\",\"value\":\"dg==\"},"
        "{\"key\":\"L2E=\",\"range_end\":\"L2I=\",\"target\":\"LEASE\",\"result\":\"GREATER\",\"lease\":\"5\"},"
        "{\"key\":\"L2E=\",\"target\":\"MOD\",\"result\":\"LESS\",\"mod_revision\":\"6\"},"
        "{\"key\":\"L2E=\",\"target\":\"VERSION\",\"result\":\"EQUAL\",\"version\":\"7\"}],"
        "\"success\":[{\"request_put\":{\"key\":\"L2E=\",\"value\":\"\",\"lease\":\"8\"}},"
        "{\"request_delete_range\":{\"key\":\"L2E=\",\"range_end\":\"L2I=\"}}],"
        "\"failure\":[{\"request_range\":{\"key\":\"L2E=\"}}]}",
    };

    (void)state;
    etcd_write_range(&text[0], "/a", false);
    etcd_write_range(&text[1], "/a", true);
    etcd_write_put(&text[2], "/a", "v", 9);
    etcd_write_watch(&text[3], "/a/", 12);
    etcd_write_login(&text[4], "a\"b", "c\\d");
    etcd_write_lease(&text[5], -1);
    etcd_write_grant(&text[6], 10);
    etcd_write_txn(&text[7], &txn);
    for (size_t i = 0; i < ROW_COUNT(expected); i++) {
        row_text(expected[i], text_string(&text[i]), expected[i]);
        text_free(&text[i]);
    }
}

static void range_ends(void **state)
{
    static const struct {
        const char *prefix;
        const char *end;
    } rows[] = {{"/a/", ",\"e\":\"L2Ew\""},
                {"a\xff", ",\"e\":\"Yg==\""},
                {"\xff\xff", ",\"e\":\"AA==\""},
                {"", ",\"e\":\"AA==\""}};

    (void)state;
    for (size_t i = 0; i < ROW_COUNT(rows); i++) {
        struct text text = {0};
        etcd_add_range_end(&text, "e", rows[i].prefix);
        row_text(rows[i].prefix, text_string(&text), rows[i].end);
        text_free(&text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(bodies), cmocka_unit_test(range_ends)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
