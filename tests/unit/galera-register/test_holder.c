#include "../row.h"
#include "holder.h"

/* Keys below /p/db1/ are "field=value@lease", with blanks between them; we are 10.0.0.5:3306, our lease is 7. */

enum { KEYS_MOST = 8, OUR_LEASE = 7 };

static struct registry_entry own = {.id = "db1", .ip = "10.0.0.5", .port = 3306, .host = "one", .state = "synced"};

struct parsed {
    char text[256];
    char key[KEYS_MOST][64];
    struct etcd_kv kv[KEYS_MOST];
    struct etcd_range range;
};

static void parse(struct parsed *parsed, const char *keys)
{
    char *save = NULL;

    *parsed = (struct parsed){.range = {.kv = parsed->kv}};
    snprintf(parsed->text, sizeof parsed->text, "%s", keys);
    for (char *word = strtok_r(parsed->text, " ", &save); word != NULL; word = strtok_r(NULL, " ", &save)) {
        size_t i = parsed->range.count++;
        char *value = strchr(word, '=');
        char *lease = strrchr(word, '@');
        *value++ = '\0';
        *lease++ = '\0';
        snprintf(parsed->key[i], sizeof parsed->key[i], "%s%s", word[0] == '/' ? "" : "/p/db1/", word);
        parsed->kv[i] = (struct etcd_kv){.key = parsed->key[i],
                                         .value = value,
                                         .value_length = strlen(value),
                                         .lease = strtol(lease, NULL, 10),
                                         .mod_revision = 100 + (int64_t)i};
    }
}

#define OURS(lease) "host=one@" lease " ip=10.0.0.5@" lease " port=3306@" lease " state=synced@" lease

static void holders(void **state)
{
    static const struct {
        const char *name;
        const char *keys;
        int64_t lease;
        enum holder_kind kind;
        bool intact;
        int64_t holder_lease;
        const char *address;
    } rows[] = {
        {"nothing", "", OUR_LEASE, HOLDER_NONE, false, 0, ""},
        {"we, whole", OURS("7"), OUR_LEASE, HOLDER_US, true, 7, "10.0.0.5:3306"},
        {"we, of before", OURS("6"), OUR_LEASE, HOLDER_LEFTOVER, false, 6, "10.0.0.5:3306"},
        {"we, of before, without a lease", OURS("0"), OUR_LEASE, HOLDER_LEFTOVER, false, 0, "10.0.0.5:3306"},
        {"we have no lease yet", OURS("6"), 0, HOLDER_LEFTOVER, false, 6, "10.0.0.5:3306"},
        {"v2: whole", OURS("0"), 0, HOLDER_US, true, 0, "10.0.0.5:3306"},
        {"v2: another state", "host=one@0 ip=10.0.0.5@0 port=3306@0 state=joiner@0", 0, HOLDER_US, false, 0, NULL},
        {"a field is missing", "ip=10.0.0.5@7 port=3306@7 state=synced@7", OUR_LEASE, HOLDER_US, false, 7, NULL},
        {"a field too many", OURS("7") " check_port=9200@7", OUR_LEASE, HOLDER_US, false, 7, NULL},
        {"an unknown field is not ours", OURS("7") " color=red@0", OUR_LEASE, HOLDER_US, true, 7, NULL},
        {"a field under no lease", "host=one@7 ip=10.0.0.5@7 port=3306@0 state=synced@7", OUR_LEASE, HOLDER_US, false,
         7, NULL},
        {"a field under an old lease", "host=one@6 ip=10.0.0.5@7 port=3306@7 state=synced@7", OUR_LEASE, HOLDER_US,
         false, 7, NULL},
        {"the state of before", "host=one@7 ip=10.0.0.5@7 port=3306@7 state=joiner@7", OUR_LEASE, HOLDER_US, false, 7,
         NULL},
        {"no port", "ip=10.0.0.5@6", OUR_LEASE, HOLDER_LEFTOVER, false, 6, "10.0.0.5:?"},
        {"no ip", "host=two@6 port=3306@6", OUR_LEASE, HOLDER_NONE, false, 0, ""},
        {"another address", "ip=10.0.0.6@6 port=3306@6", OUR_LEASE, HOLDER_OTHER, false, 6, "10.0.0.6:3306"},
        {"another address for ever", "ip=10.0.0.6@0 port=3306@0", OUR_LEASE, HOLDER_OTHER, false, 0, "10.0.0.6:3306"},
        {"another address in v2", "ip=10.0.0.6@0 port=3306@0", 0, HOLDER_OTHER, false, 0, "10.0.0.6:3306"},
        {"another port", "ip=10.0.0.5@6 port=3307@6", OUR_LEASE, HOLDER_OTHER, false, 6, "10.0.0.5:3307"},
        {"IPv6", "ip=2001:db8::5@6 port=3306@6", OUR_LEASE, HOLDER_OTHER, false, 6, "[2001:db8::5]:3306"},
        {"rubbish, cut short", "ip=0123456789012345678901234567890123456789012345678901@6 port=333333333333@6",
         OUR_LEASE, HOLDER_OTHER, false, 6, "012345678901234567890123456789012345678901234:33333333"},
        {"our lease, an address that we had", "ip=10.0.0.4@7 port=3306@7", OUR_LEASE, HOLDER_US, false, 7,
         "10.0.0.4:3306"},
        {"our lease, a port of somebody", "ip=10.0.0.5@7 port=3307@0", OUR_LEASE, HOLDER_US, false, 7, "10.0.0.5:3307"},
        {"deeper keys and other ids", "/p/db1/ip/x=9@6 /p/db10/ip=10.0.0.6@6 /p/db/ip=10.0.0.6@6", OUR_LEASE,
         HOLDER_NONE, false, 0, ""},
    };

    (void)state;
    for (size_t i = 0; i < ROW_COUNT(rows); i++) {
        struct parsed parsed;
        parse(&parsed, rows[i].keys);
        struct holder holder = holder_find(&parsed.range, "/p/db1/", &own, rows[i].lease);
        row_number(rows[i].name, holder.kind, rows[i].kind);
        row_number(rows[i].name, holder.intact, rows[i].intact);
        row_number(rows[i].name, holder.lease, rows[i].holder_lease);
        if (rows[i].address != NULL)
            row_text(rows[i].name, holder.address, rows[i].address);
    }
}

/* Half an entry: can it be of another node? */
static void remains(void **state)
{
    static const struct {
        const char *keys;
        bool remains;
    } rows[] = {
        {"", true},
        {"host=one@0 port=3306@0", true},
        {"host=one@0 port=3306@0 state=joiner@0", true},
        {"host=one@0 color=red@0", true},
        {"host=two@0", false},
        {"port=3307@0", false},
        {"check_port=9200@0", false},
        {OURS("0"), false},
        {"ip=10.0.0.6@0", false},
    };

    (void)state;
    for (size_t i = 0; i < ROW_COUNT(rows); i++) {
        struct parsed parsed;
        parse(&parsed, rows[i].keys);
        row_number(rows[i].keys, holder_find(&parsed.range, "/p/db1/", &own, 0).remains, rows[i].remains);
    }
}

/* The revision that a claim compares with is that of the address. */
static void revision(void **state)
{
    struct parsed parsed;

    (void)state;
    parse(&parsed, "host=one@7 ip=10.0.0.5@7 port=3306@7");
    assert_int_equal(holder_find(&parsed.range, "/p/db1/", &own, OUR_LEASE).mod_revision, 101);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(holders), cmocka_unit_test(remains),
                                       cmocka_unit_test(revision)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
