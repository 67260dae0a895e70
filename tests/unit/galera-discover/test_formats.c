#include "../row.h"
#include "formats.h"
#include "selection.h"

static struct registry_entry entries[] = {
    {.id = "db1",
     .ip = "10.0.0.1",
     .port = 3306,
     .check_port = 9200,
     .host = "one",
     .instance = "galera@1.service",
     .state = "synced",
     .created = 5},
    {.id = "db2", .ip = "10.0.0.2", .port = 3307, .host = "db2", .state = "donor", .created = 6},
    {.id = "db6", .ip = "2001:db8::6", .ipv6 = true, .port = 3306, .created = 7},
};

static void listings(void **state)
{
    static const struct {
        const char *name;
        enum format format;
        size_t count;
        const char *text;
    } rows[] = {
        {"gcomm", FORMAT_GCOMM, 3, "gcomm://10.0.0.1,10.0.0.2,[2001:db8::6]\n"},
        {"gcomm of one", FORMAT_GCOMM, 1, "gcomm://10.0.0.1\n"},
        {"no gcomm", FORMAT_GCOMM, 0, ""},
        {"hosts", FORMAT_HOSTS, 3, "10.0.0.1\tone db1\n10.0.0.2\tdb2\n2001:db8::6\tdb6\n"},
        {"no hosts", FORMAT_HOSTS, 0, ""},
        {"haproxy", FORMAT_HAPROXY, 3,
         "server db1 10.0.0.1:3306 check port 9200\nserver db2 10.0.0.2:3307 check\nserver db6 [2001:db8::6]:3306 "
         "check\n"},
        {"no haproxy", FORMAT_HAPROXY, 0, ""},
        {"json", FORMAT_JSON, 2,
         "{\"revision\":9,\"count\":2,\"nodes\":[{\"id\":\"db1\",\"ip\":\"10.0.0.1\",\"port\":3306,\"host\":\"one\","
         "\"service_instance_name\":\"galera@1.service\",\"check_port\":9200,\"state\":\"synced\",\"created\":5},"
         "{\"id\":\"db2\",\"ip\":\"10.0.0.2\",\"port\":3307,\"host\":\"db2\",\"state\":\"donor\",\"created\":6}]}\n"},
        {"no json", FORMAT_JSON, 0, "{\"revision\":9,\"count\":0,\"nodes\":[]}\n"},
        {"env", FORMAT_ENV, 2,
         "GALERA_COUNT='2'\nGALERA_IDS='db1 db2'\nGALERA_IPS='10.0.0.1 10.0.0.2'\n"
         "GALERA_ADDRESSES='10.0.0.1:3306 10.0.0.2:3307'\nGALERA_GCOMM='gcomm://10.0.0.1,10.0.0.2'\n"},
        {"no env", FORMAT_ENV, 0,
         "GALERA_COUNT='0'\nGALERA_IDS=''\nGALERA_IPS=''\nGALERA_ADDRESSES=''\nGALERA_GCOMM=''\n"},
        {"table", FORMAT_TABLE, 2,
         "ID   ADDRESS        STATE   HOST  CHECK  INSTANCE\n"
         "db1  10.0.0.1:3306  synced  one   9200   galera@1.service\n"
         "db2  10.0.0.2:3307  donor   db2   -      -\n"},
        {"no table", FORMAT_TABLE, 0, ""},
    };

    (void)state;
    for (size_t i = 0; i < ROW_COUNT(rows); i++) {
        struct registry registry = {.entry = entries, .count = rows[i].count};
        struct text text = {0};
        format_registry(&text, rows[i].format, &registry, 9);
        row_text(rows[i].name, text_string(&text), rows[i].text);
        text_free(&text);
    }
}

static void selections(void **state)
{
    static const struct {
        const char *exclude;
        const char *states;
        const char *ids;
    } rows[] = {
        {NULL, NULL, "db1db2db6"}, {"db2", NULL, "db1db6"}, {"db1, db6", NULL, "db2"},
        {"db", NULL, "db1db2db6"}, {NULL, "synced", "db1"}, {NULL, "synced,donor", "db1db2"},
        {"db1", "synced", ""},     {",", "", "db1db2db6"},
    };
    struct registry all = {.entry = entries, .count = ROW_COUNT(entries)};

    (void)state;
    for (size_t i = 0; i < ROW_COUNT(rows); i++) {
        struct selection selection = {rows[i].exclude, rows[i].states};
        struct registry chosen;
        struct error error;
        struct text ids = {0};
        assert_true(selection_apply(&selection, &all, &chosen, &error));
        for (size_t k = 0; k < chosen.count; k++)
            text_add(&ids, chosen.entry[k].id);
        row_text(rows[i].ids, text_string(&ids), rows[i].ids);
        text_free(&ids);
        registry_free(&chosen);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(listings), cmocka_unit_test(selections)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
