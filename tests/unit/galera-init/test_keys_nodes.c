#include "../row.h"
#include "keys.h"
#include "support/store.h"

/* Who is who: the order of nodes, what is forgotten, cards, and what is no part of the cluster. */

static const char *names(const struct situation *situation, char *text, size_t size)
{
    text[0] = '\0';
    for (size_t i = 0; i < situation->count; i++)
        snprintf(text + strlen(text), size - strlen(text), "%s%s", i == 0 ? "" : " ", situation->nodes[i].name);
    return text;
}

static void nodes_stay_in_order(void **state)
{
    static const struct {
        const char *self, *cached, *keys[3], *names;
    } rows[] = {
        {"n1", NULL, {NULL}, "n1"},
        {"n1", NULL, {"position/n1", "member/n1"}, "n1"},
        {"n2", NULL, {"position/n1", "member/n3"}, "n1 n2 n3"},
        {"n3", NULL, {"member/n1", "position/n2"}, "n1 n2 n3"},
        {"b", "d", {"position/a", "position/c", "position/e"}, "a b c d e"},
        {"n2", "n3", {"position/n10", "position/N1", "position/n2"}, "N1 n10 n2 n3"},
        {NULL, NULL, {"position/n2", "member/n1", "member/n2"}, "n1 n2"},
    };

    (void)state;
    for (size_t i = 0; i < ROW_COUNT(rows); i++) {
        char key[3][KEYS_KEY_SIZE];
        char text[128];
        struct store store = {.range = {.count = 0}};
        struct situation situation = situation_of(rows[i].self == NULL ? "" : rows[i].self);
        struct keys keys;

        if (rows[i].self == NULL)
            situation = (struct situation){.self = NODES_MOST};
        if (rows[i].cached != NULL) {
            snprintf(situation.nodes[1].name, NODE_NAME_SIZE, "%s", rows[i].cached);
            situation.nodes[1].cached = true;
            situation.nodes[1].sighting.seqno = 5;
            situation.count = 2;
        }
        for (size_t k = 0; k < ROW_COUNT(key) && rows[i].keys[k] != NULL; k++) {
            snprintf(key[k], sizeof key[k], PREFIX "%s", rows[i].keys[k]);
            store_add(&store, key[k], rows[i].keys[k][0] == 'p' ? RECORD : MEMBER);
        }
        store_read(&store, &keys, &situation);
        row_text(rows[i].names, names(&situation, text, sizeof text), rows[i].names);
        if (rows[i].self == NULL)
            row_number(rows[i].names, situation.self, NODES_MOST);
        else
            row_text(rows[i].names, situation.nodes[situation.self].name, rows[i].self);
        if (rows[i].cached != NULL) {
            size_t cached = situation_find(&situation, rows[i].cached);
            row_true(rows[i].names, situation.nodes[cached].cached && situation.nodes[cached].sighting.seqno == 5);
        }
        keys_free(&keys);
    }
}

/* The index of what was read is that of the node after all others were inserted. */
static void each_node_gets_what_is_its_own(void **state)
{
    struct store store = {.range = {.count = 0}};
    struct situation situation = situation_of("n3");
    struct keys keys;

    (void)state;
    store_add(&store, PREFIX "position/n3", RECORD);
    store_add(
        &store, PREFIX "position/n1",
        "{\"state\":\"lost\",\"epoch\":4,\"boot\":\"\",\"copy\":\"empty\",\"source\":\"none\",\"position\":\"" UUID_A
        ":-1\",\"place\":" PLACE ",\"nodes\":0}");
    store_add(&store, PREFIX "member/n2", "{\"phase\":\"donor\",\"boot\":\"b2\",\"seqno\":44}");
    store_add(&store, PREFIX "bootstrap", BOOTSTRAP);
    store_add(&store, PREFIX "uuid", "{\"uuid\":\"" UUID_A "\"}");
    store_read(&store, &keys, &situation);
    assert_int_equal(keys.revision, 50);

    assert_int_equal(situation.nodes[0].record.state, RECORD_LOST);
    assert_int_equal(situation.nodes[0].record.revision, 20);
    assert_int_equal(situation.nodes[0].member.phase, MEMBER_NONE);
    assert_int_equal(situation.nodes[0].record.held.generation.number, GENERATION_NONE); /* it has none */
    assert_int_equal(situation.nodes[0].record.held.seqno, SEQNO_UNKNOWN);
    assert_false(situation.nodes[0].record.safe_to_bootstrap);

    assert_int_equal(situation.nodes[1].record.state, RECORD_NONE);
    assert_int_equal(situation.nodes[1].member.phase, MEMBER_DONOR);
    assert_string_equal(situation.nodes[1].member.boot, "b2");
    assert_int_equal(keys.card[1].seqno, 44);
    assert_int_equal(keys.card[1].member_lease, 77);
    assert_null(keys.position_value[1]);

    assert_int_equal(situation.nodes[2].record.state, RECORD_ATTESTED);
    assert_int_equal(situation.nodes[2].record.revision, 10);
    assert_string_equal(keys.position_value[2], RECORD);
    assert_int_equal(keys.card[2].seqno, SEQNO_UNKNOWN);
    assert_int_equal(keys.card[2].member_lease, 0);

    assert_int_equal(situation.bootstrap.phase, BOOTSTRAP_CLAIMED);
    assert_int_equal(situation.bootstrap.revision, 40);
    assert_string_equal(keys.bootstrap_value, BOOTSTRAP);
    assert_true(situation.has_uuid);
    assert_int_equal(situation.uuid_revision, 50);
    keys_free(&keys);
    assert_null(keys.bootstrap_value);
}

static void what_is_gone_is_none(void **state)
{
    struct store store = {.range = {.count = 0}};
    struct store empty = {.range = {.revision = 99}};
    struct situation situation = situation_of("n1");
    struct keys keys;

    (void)state;
    situation.etcd_reachable = true;
    situation.local.epoch = 3;
    store_add(&store, PREFIX "position/n1", RECORD);
    store_add(&store, PREFIX "position/n2", RECORD);
    store_add(&store, PREFIX "member/n2", MEMBER);
    store_add(&store, PREFIX "bootstrap", BOOTSTRAP);
    store_add(&store, PREFIX "uuid", "{\"uuid\":\"" UUID_A "\"}");
    store_add(&store, PREFIX "seed",
              "{\"state\":\"done\",\"sha256\":"
              "\"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef\",\"node\":"
              "\"n1\",\"epoch\":1}");
    store_read(&store, &keys, &situation);
    assert_int_equal(keys.seed.state, SEED_KEY_DONE);
    assert_int_equal(keys.seed.revision, 60);
    assert_string_equal(keys.seed.node, "n1");
    keys_free(&keys);

    store_read(&empty, &keys, &situation);
    assert_int_equal(keys.revision, 99);
    assert_int_equal(keys.seed.state, SEED_KEY_NONE);
    assert_int_equal(situation.count, 2);
    assert_string_equal(situation.nodes[1].name, "n2");
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(situation.nodes[i].record.state, RECORD_NONE);
        assert_int_equal(situation.nodes[i].record.revision, 0);
        assert_int_equal(situation.nodes[i].member.phase, MEMBER_NONE);
        assert_null(keys.position_value[i]);
    }
    assert_int_equal(situation.bootstrap.phase, BOOTSTRAP_NONE);
    assert_int_equal(situation.bootstrap.revision, 0);
    assert_false(situation.has_uuid);
    assert_true(situation.etcd_reachable);
    assert_int_equal(situation.local.epoch, 3);
    keys_free(&keys);
}

static void strangers_are_let_alone(void **state)
{
    struct store store = {.range = {.count = 0}};
    struct situation situation = situation_of("n1");
    struct keys keys;

    (void)state;
    store_add(&store, "/galera/x", "?");
    store_add(&store, "/galera/xy/uuid", "?");
    store_add(&store, "/galera/y/position/n5", RECORD);
    store_add(&store, PREFIX, "?");
    store_add(&store, PREFIX "note", "anything");
    store_add(&store, PREFIX "uuid2", "?");
    store_add(&store, PREFIX "position", "?");
    store_add(&store, PREFIX "positions/n7", "?");
    store_add(&store, PREFIX "member/n1",
              "{\"later\":[1,{\"phase\":2}],\"boot\":\"b\",\"phase\":\"synced\",\"view\":\"not ours\"}");
    store_read(&store, &keys, &situation);
    assert_int_equal(situation.count, 1);
    assert_int_equal(situation.nodes[0].member.phase, MEMBER_SYNCED);
    keys_free(&keys);
}

static void more_nodes_than_fit_are_an_error(void **state)
{
    char key[NODES_MOST][KEYS_KEY_SIZE];
    struct store store = {.range = {.count = 0}};
    struct situation situation = situation_of("self");
    struct keys keys;
    struct error error;

    (void)state;
    for (int i = 0; i < NODES_MOST; i++) {
        snprintf(key[i], sizeof key[i], PREFIX "position/n%02d", i);
        store_add(&store, key[i], RECORD);
        assert_int_equal(keys_read(&keys, PREFIX, &store.range, &situation, &error), i < NODES_MOST - 1);
        keys_free(&keys);
    }
    assert_int_equal(situation.count, NODES_MOST);
    assert_non_null(strstr(error.text, "more than 32 nodes"));
    assert_non_null(strstr(error.text, "position/n31"));
}

static void a_member_speaks_first(void **state)
{
    static const struct {
        const char *name, *position, *member, *address, *sql;
    } rows[] = {
        {"neither", "", "", "", ""},
        {"position", ",\"address\":\"10.0.0.1\",\"sql\":\"10.0.0.1:3306\"", NULL, "10.0.0.1", "10.0.0.1:3306"},
        {"member", "", ",\"address\":\"h:1\",\"sql\":\"h:2\"", "h:1", "h:2"},
        {"both", ",\"address\":\"10.0.0.1\",\"sql\":\"10.0.0.1:3306\"", ",\"address\":\"h:1\",\"sql\":\"h:2\"", "h:1",
         "h:2"},
        {"half", ",\"address\":\"10.0.0.1\",\"sql\":\"10.0.0.1:3306\"", ",\"sql\":\"h:2\"", "10.0.0.1", "h:2"},
    };

    (void)state;
    for (size_t i = 0; i < ROW_COUNT(rows); i++) {
        char position[1024], member[1024];
        struct store store = {.range = {.count = 0}};
        struct situation situation = situation_of("n1");
        struct keys keys;

        snprintf(position, sizeof position, "%.*s%s}", (int)strlen(RECORD) - 1, RECORD, rows[i].position);
        store_add(&store, PREFIX "position/n1", position);
        snprintf(member, sizeof member, "%.*s%s}", (int)strlen(MEMBER) - 1, MEMBER,
                 rows[i].member == NULL ? "" : rows[i].member);
        if (rows[i].member != NULL)
            store_add(&store, PREFIX "member/n1", member);
        for (int turn = 0; turn < 2; turn++) {
            store_read(&store, &keys, &situation);
            row_text(rows[i].name, keys.card[0].address, rows[i].address);
            row_text(rows[i].name, keys.card[0].sql, rows[i].sql);
            keys_free(&keys);
            /* The order of keys does not matter. */
            struct etcd_kv first = store.kv[0];
            store.kv[0] = store.kv[store.range.count - 1];
            store.kv[store.range.count - 1] = first;
        }
    }
}

static void addresses(void **state)
{
    static const struct {
        const char *text;
        bool alone, with_port;
    } rows[] = {
        {"10.0.0.1", true, false},
        {"10.0.0.1:4567", true, true},
        {"db1.example.com", true, false},
        {"db1.example.com:4567", true, true},
        {"my_container:4567", true, true},
        {"::1", true, false},
        {"2001:db8::1", true, false},
        {"[2001:db8::1]", true, false},
        {"[2001:db8::1]:4567", true, true},
        {"", false, false},
        {":", false, false},
        {":4567", false, false},
        {"h:", false, false},
        {"h:0", false, false},
        {"h:65536", false, false},
        {"h:1:2", false, false},
        {"h:4567?socket.ssl=no", false, false},
        {"h?gmcast.segment=1", false, false},
        {"h,evil", false, false},
        {"h:4567,evil:4567", false, false},
        {"gcomm://h", false, false},
        {"h;x", false, false},
        {"h h", false, false},
        {"-h", false, false},
        {"[10.0.0.1]:4567", false, false},
        {"[h]", false, false},
        {"[::1", false, false},
        {"[::1]4567", false, false},
        {"[::1]]:1", false, false},
        {"::1]:1", false, false},
        {"[]:1", false, false},
        {"h\n", false, false},
    };

    (void)state;
    for (size_t i = 0; i < ROW_COUNT(rows); i++) {
        row_number(rows[i].text, keys_address_is_valid(rows[i].text, false), rows[i].alone);
        row_number(rows[i].text, keys_address_is_valid(rows[i].text, true), rows[i].with_port);
    }
    char longest[KEYS_ADDRESS_SIZE + 1];
    memset(longest, 'a', sizeof longest);
    longest[40] = longest[80] = '.';
    longest[KEYS_ADDRESS_SIZE] = '\0';
    assert_false(keys_address_is_valid(longest, false));
    longest[KEYS_ADDRESS_SIZE - 1] = '\0';
    assert_true(keys_address_is_valid(longest, false));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nodes_stay_in_order),
        cmocka_unit_test(each_node_gets_what_is_its_own),
        cmocka_unit_test(what_is_gone_is_none),
        cmocka_unit_test(strangers_are_let_alone),
        cmocka_unit_test(more_nodes_than_fit_are_an_error),
        cmocka_unit_test(a_member_speaks_first),
        cmocka_unit_test(addresses),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
