#include "../row.h"
#include "registry.h"

enum { PAIRS_MOST = 12 };

/* Key, value, key, value... below /p, and what comes of them: "id=address" of the entries, "id:reason" of the problems.
 */
static void builds(void **state)
{
    static const struct {
        const char *name;
        const char *pair[2 * PAIRS_MOST];
        const char *result;
    } rows[] = {
        {"nothing", {NULL}, ""},
        {"one", {"/p/a/ip", "10.0.0.5", "/p/a/port", "3306"}, "a=10.0.0.5:3306 "},
        {"all fields",
         {"/p/a/check_port", "9200", "/p/a/host", "db1.example", "/p/a/ip", "10.0.0.5", "/p/a/port", "3306",
          "/p/a/service_instance_name", "galera@1.service", "/p/a/state", "synced"},
         "a=10.0.0.5:3306 "},
        {"IPv6", {"/p/a/ip", "2001:DB8:0::1", "/p/a/port", "3306"}, "a=[2001:db8::1]:3306 "},
        {"sorted by id and not by key",
         {"/p/a-b/ip", "10.0.0.1", "/p/a-b/port", "1", "/p/a.b/ip", "10.0.0.2", "/p/a.b/port", "2", "/p/a/ip",
          "10.0.0.3", "/p/a/port", "3"},
         "a=10.0.0.3:3 a-b=10.0.0.1:1 a.b=10.0.0.2:2 "},
        {"no port", {"/p/a/ip", "10.0.0.5"}, "a:incomplete: no port "},
        {"no ip", {"/p/a/port", "3306"}, "a:incomplete: no ip "},
        {"one bad, one good",
         {"/p/a/ip", "x", "/p/a/port", "1", "/p/b/ip", "1.2.3.4", "/p/b/port", "1"},
         "b=1.2.3.4:1 a:ip 'x' is not valid "},
        {"injection",
         {"/p/a/ip", "10.0.0.5\nserver evil", "/p/a/port", "1"},
         "a:ip '10.0.0.5\\nserver evil' is not valid "},
        {"name as address", {"/p/a/ip", "localhost", "/p/a/port", "1"}, "a:ip 'localhost' is not valid "},
        {"any address", {"/p/a/ip", "0.0.0.0", "/p/a/port", "1"}, "a:ip '0.0.0.0' is not valid "},
        {"any IPv6 address", {"/p/a/ip", "::", "/p/a/port", "1"}, "a:ip '::' is not valid "},
        {"port 0", {"/p/a/ip", "1.2.3.4", "/p/a/port", "0"}, "a:port '0' is not valid "},
        {"port too high", {"/p/a/ip", "1.2.3.4", "/p/a/port", "65536"}, "a:port '65536' is not valid "},
        {"port with a blank", {"/p/a/ip", "1.2.3.4", "/p/a/port", " 1"}, "a:port ' 1' is not valid "},
        {"bad host", {"/p/a/host", "a b", "/p/a/ip", "1.2.3.4", "/p/a/port", "1"}, "a:host 'a b' is not valid "},
        {"bad state",
         {"/p/a/ip", "1.2.3.4", "/p/a/port", "1", "/p/a/state", "Synced"},
         "a:state 'Synced' is not valid "},
        {"bad id", {"/p/a b/ip", "1.2.3.4", "/p/a b/port", "1"}, "a b:not a valid id: up to 64 of A-Z a-z 0-9 _ . - "},
        {"dots", {"/p/../ip", "1.2.3.4", "/p/../port", "1"}, "..:not a valid id: up to 64 of A-Z a-z 0-9 _ . - "},
        {"unknown field", {"/p/a/color", "red", "/p/a/ip", "1.2.3.4", "/p/a/port", "1"}, "a=1.2.3.4:1 "},
        {"deeper", {"/p/a/ip", "1.2.3.4", "/p/a/ip/x", "9", "/p/a/port", "1"}, "a=1.2.3.4:1 "},
        {"key and no directory", {"/p/a", "1.2.3.4"}, ""},
        {"other prefix", {"/q/a/ip", "1.2.3.4", "/q/a/port", "1"}, ""},
        {"longer prefix", {"/px/a/ip", "1.2.3.4", "/px/a/port", "1"}, ""},
    };

    (void)state;
    for (size_t i = 0; i < ROW_COUNT(rows); i++) {
        struct etcd_kv kv[PAIRS_MOST] = {{0}};
        struct registry registry;
        struct error error;
        char result[512] = "";
        char address[64];
        size_t count = 0;
        for (; rows[i].pair[2 * count] != NULL; count++) {
            kv[count].key = (char *)(uintptr_t)rows[i].pair[2 * count];
            kv[count].value = (char *)(uintptr_t)rows[i].pair[2 * count + 1];
            kv[count].value_length = strlen(kv[count].value);
        }
        row_true(rows[i].name, registry_build(&registry, "/p", kv, count, &error));
        for (size_t k = 0; k < registry.count; k++)
            snprintf(result + strlen(result), sizeof result - strlen(result), "%s=%s ", registry.entry[k].id,
                     registry_address(&registry.entry[k], address, sizeof address));
        for (size_t k = 0; k < registry.problem_count; k++)
            snprintf(result + strlen(result), sizeof result - strlen(result), "%s:%s ", registry.problem[k].id,
                     registry.problem[k].reason);
        row_text(rows[i].name, result, rows[i].result);
        registry_free(&registry);
    }
}

static void nul_in_value(void **state)
{
    char key[] = "/p/a/ip";
    char value[] = "1.2.3.4\0; rm";
    struct etcd_kv kv = {.key = key, .value = value, .value_length = sizeof value - 1};
    struct registry registry;
    struct error error;

    (void)state;
    assert_true(registry_build(&registry, "/p", &kv, 1, &error));
    assert_int_equal(registry.count, 0);
    assert_int_equal(registry.problem_count, 1);
    registry_free(&registry);
}

static void names(void **state)
{
    static const char *const valid[] = {"a", "db1", "db1.example.org", "a_b", "10.0.0.5", "a-b.c-d"};
    static const char *const wrong[] = {"", "-a", "a-", "a..b", ".a", "a b", "a/b", "a;b", "a-.b", "\xc3\xa4", "a'b"};

    (void)state;
    for (size_t i = 0; i < ROW_COUNT(valid); i++)
        row_true(valid[i], registry_host_is_valid(valid[i]));
    for (size_t i = 0; i < ROW_COUNT(wrong); i++)
        row_true(wrong[i], !registry_host_is_valid(wrong[i]));
    assert_true(registry_id_is_valid("0123456789012345678901234567890123456789012345678901234567890123"));
    assert_false(registry_id_is_valid("01234567890123456789012345678901234567890123456789012345678901234"));
    assert_true(registry_prefix_is_valid("/components/galera"));
    assert_false(registry_prefix_is_valid("/components/galera/"));
    assert_false(registry_prefix_is_valid("components"));
    assert_false(registry_prefix_is_valid("/a//b"));
    assert_false(registry_prefix_is_valid("/"));
    assert_true(registry_instance_is_valid("galera@1.service"));
    assert_false(registry_instance_is_valid("galera 1"));
}

static void equality(void **state)
{
    struct registry_entry one = {.id = "a", .ip = "10.0.0.1", .port = 1, .created = 5, .lease = 6};
    struct registry_entry two = one;
    struct registry_problem problem = {.id = "b", .reason = "r"};
    struct registry first = {.entry = &one, .count = 1, .problem = &problem, .problem_count = 1};
    struct registry second = {.entry = &two, .count = 1};

    (void)state;
    two.created = 50;
    two.lease = 60;
    assert_true(registry_equal(&first, &second));
    snprintf(two.state, sizeof two.state, "donor");
    assert_false(registry_equal(&first, &second));
    second.count = 0;
    assert_false(registry_equal(&first, &second));
    assert_false(registry_problem_is_new(&first, &problem));
    assert_true(registry_problem_is_new(&second, &problem));
    assert_ptr_equal(registry_find(&first, "a"), &one);
    assert_null(registry_find(&first, "b"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(builds), cmocka_unit_test(nul_in_value),
                                       cmocka_unit_test(names), cmocka_unit_test(equality)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
