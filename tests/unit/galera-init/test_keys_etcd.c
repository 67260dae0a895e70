#include "../fake_etcd/fake_etcd.h"
#include "../row.h"
#include "keys.h"
#include "support/store.h"

/*
 * Whether a transaction is carried out when something happened between reading and writing: each happening with every
 * set of COMPARE_* flags. We are n2 of n1, n2, n3.
 */

enum { ALL = COMPARE_BOOTSTRAP | COMPARE_UUID | COMPARE_OWN | COMPARE_POSITIONS };

static struct etcd *client;

static struct deadline soon(void)
{
    return deadline_in_ms(10000);
}

static void put(const char *name, const char *value)
{
    char key[KEYS_KEY_SIZE];
    struct error error = {.text = ""};

    snprintf(key, sizeof key, "%s%s", name[0] == '/' ? "" : PREFIX, name);
    if (etcd_put(client, key, value, 0, soon(), &error) != ETCD_OK)
        fail_msg("%s: %s", key, error.text);
}

static void erase(const char *name)
{
    char key[KEYS_KEY_SIZE];
    int64_t deleted;
    struct error error = {.text = ""};

    snprintf(key, sizeof key, PREFIX "%s", name);
    if (etcd_delete(client, key, false, soon(), &deleted, &error) != ETCD_OK)
        fail_msg("%s: %s", key, error.text);
}

#define UUID_VALUE "{\"uuid\":\"" UUID_A "\"}"
#define OTHER_UUID "{\"uuid\":\"bbbbbbbb-1111-2222-3333-444444444444\"}"

/* All that can be there is, written in this order. */
static void set_up_all(void)
{
    put("uuid", UUID_VALUE);
    put("bootstrap", BOOTSTRAP);
    put("position/n1", RECORD);
    put("position/n2", RECORD);
    put("position/n3", RECORD);
    put("member/n2", MEMBER);
}

/* A first start: nobody wrote anything but n1 his position. */
static void set_up_first(void)
{
    put("unrelated", "1");
    put("position/n1", RECORD);
    put("member/n2", MEMBER);
    put("member/n3", MEMBER);
}

static void nothing(void)
{
}

static void bootstrap_written_again(void)
{
    put("bootstrap", BOOTSTRAP);
}

static void bootstrap_gone(void)
{
    erase("bootstrap");
}

static void bootstrap_gone_and_back(void)
{
    erase("bootstrap");
    put("bootstrap", BOOTSTRAP);
}

static void uuid_written_again(void)
{
    put("uuid", UUID_VALUE);
}

static void uuid_other(void)
{
    put("uuid", OTHER_UUID);
}

static void uuid_gone(void)
{
    erase("uuid");
}

static void own_written_again(void)
{
    put("position/n2", RECORD);
}

static void own_gone(void)
{
    erase("position/n2");
}

static void other_written_again(void)
{
    put("position/n1", RECORD);
}

static void other_gone(void)
{
    erase("position/n3");
}

static void other_comes(void)
{
    put("position/n3", RECORD);
}

static void other_comes_and_goes(void)
{
    put("position/n9", RECORD);
    erase("position/n9");
}

static void stranger_comes(void)
{
    put("position/n0", RECORD);
}

static void last_stranger_comes(void)
{
    put("position/zzz", "?");
}

static void things_that_do_not_matter(void)
{
    put("member/n1", MEMBER);
    put("member/n4", MEMBER);
    erase("member/n2");
    put("seed", "{}");
    put("note", "?");
    put("/galera/xx/position/n1", RECORD);
    put("/galera/w/bootstrap", BOOTSTRAP);
    put("/galera/x0", "?");
}

static void wiped(void)
{
    fake_wipe();
}

/* Other values at the very revisions that were read. */
static void wiped_and_other_values(void)
{
    fake_wipe();
    put("uuid", OTHER_UUID);
    put("bootstrap", "{}");
    put("position/n1", "{}");
    put("position/n2", "{}");
    put("position/n3", "{}");
    put("member/n2", MEMBER);
}

/* The very values at other revisions. */
static void wiped_and_same_values(void)
{
    fake_wipe();
    put("seed", "{}");
    set_up_all();
}

/* Only what belongs to somebody else is not as it was. */
static void wiped_and_one_other_value(void)
{
    fake_wipe();
    put("uuid", UUID_VALUE);
    put("bootstrap", BOOTSTRAP);
    put("position/n1", "{}");
    put("position/n2", RECORD);
    put("position/n3", RECORD);
}

static const struct happening {
    const char *name;
    void (*set_up)(void);
    void (*act)(void);
    unsigned noticed_by;
} happenings[] = {
    {"nothing", set_up_all, nothing, 0},
    {"nothing, first", set_up_first, nothing, 0},
    {"bootstrap again", set_up_all, bootstrap_written_again, COMPARE_BOOTSTRAP},
    {"bootstrap gone", set_up_all, bootstrap_gone, COMPARE_BOOTSTRAP},
    {"bootstrap gone and back", set_up_all, bootstrap_gone_and_back, COMPARE_BOOTSTRAP},
    {"bootstrap, first", set_up_first, bootstrap_written_again, COMPARE_BOOTSTRAP},
    {"uuid again", set_up_all, uuid_written_again, COMPARE_UUID},
    {"uuid other", set_up_all, uuid_other, COMPARE_UUID},
    {"uuid gone", set_up_all, uuid_gone, COMPARE_UUID},
    {"uuid, first", set_up_first, uuid_other, COMPARE_UUID},
    {"own again", set_up_all, own_written_again, COMPARE_OWN | COMPARE_POSITIONS},
    {"own gone", set_up_all, own_gone, COMPARE_OWN | COMPARE_POSITIONS},
    {"own, first", set_up_first, own_written_again, COMPARE_OWN | COMPARE_POSITIONS},
    {"other again", set_up_all, other_written_again, COMPARE_POSITIONS},
    {"other again, first", set_up_first, other_written_again, COMPARE_POSITIONS},
    {"other gone", set_up_all, other_gone, COMPARE_POSITIONS},
    {"other comes, first", set_up_first, other_comes, COMPARE_POSITIONS},
    {"other comes and goes", set_up_all, other_comes_and_goes, 0},
    {"stranger", set_up_all, stranger_comes, COMPARE_POSITIONS},
    {"stranger, first", set_up_first, stranger_comes, COMPARE_POSITIONS},
    {"last stranger", set_up_all, last_stranger_comes, COMPARE_POSITIONS},
    {"things that do not matter", set_up_all, things_that_do_not_matter, 0},
    {"things that do not matter, first", set_up_first, things_that_do_not_matter, 0},
    {"wiped", set_up_all, wiped, ALL},
    {"wiped, first", set_up_first, wiped, COMPARE_POSITIONS},
    {"wiped, other values", set_up_all, wiped_and_other_values, ALL},
    {"wiped, same values", set_up_all, wiped_and_same_values, ALL},
    {"wiped, one other value", set_up_all, wiped_and_one_other_value, COMPARE_POSITIONS},
};

struct scene {
    struct situation situation;
    struct keys keys;
    struct record own;
    struct bootstrap bootstrap;
    struct uuid uuid;
    struct keys_txn txn;
};

static void read_keys(struct scene *scene)
{
    struct etcd_range range;
    struct error error = {.text = ""};

    if (etcd_get_prefix(client, PREFIX, soon(), &range, &error) != ETCD_OK ||
        !keys_read(&scene->keys, PREFIX, &range, &scene->situation, &error))
        fail_msg("%s", error.text);
    etcd_range_free(&range);
}

static bool commit(struct scene *scene, const struct keys_change *change)
{
    struct etcd_txn_reply reply;
    struct error error = {.text = ""};

    if (!keys_compose(&scene->txn, PREFIX, &scene->situation, &scene->keys, change, &error) ||
        etcd_commit(client, &scene->txn.txn, soon(), &reply, &error) != ETCD_OK)
        fail_msg("%s", error.text);
    bool succeeded = reply.succeeded;
    etcd_txn_reply_free(&reply);
    return succeeded;
}

static struct keys_change change_of(struct scene *scene, unsigned compare, unsigned write)
{
    scene->own = (struct record){.state = RECORD_RUNNING, .boot = "later", .epoch = 7};
    scene->bootstrap = (struct bootstrap){.phase = BOOTSTRAP_STARTING, .node = "n2", .boot = "later", .epoch = 7};
    scene->uuid = (struct uuid){{7}};
    return (struct keys_change){.compare = compare,
                                .write = write,
                                .node = situation_find(&scene->situation, "n2"),
                                .own = &scene->own,
                                .bootstrap = &scene->bootstrap,
                                .uuid = &scene->uuid};
}

/* What is in etcd after the transaction. Not everything there can be understood. */
static bool is_written(const char *name)
{
    char key[KEYS_KEY_SIZE];
    struct etcd_range range;
    struct error error = {.text = ""};

    snprintf(key, sizeof key, PREFIX "%s", name);
    if (etcd_get(client, key, soon(), &range, &error) != ETCD_OK)
        fail_msg("%s", error.text);
    bool written = range.count == 1 &&
                   (strstr(range.kv[0].value, "\"later\"") != NULL || strstr(range.kv[0].value, "\"07000000-") != NULL);
    etcd_range_free(&range);
    return written;
}

static void begin(struct scene *scene, const struct happening *happening)
{
    memset(scene, 0, sizeof *scene);
    fake_reset(1);
    client = fake_client("10.0.0.2");
    scene->situation = situation_of("n2");
    happening->set_up();
    read_keys(scene);
}

static void end(struct scene *scene)
{
    keys_txn_free(&scene->txn);
    keys_free(&scene->keys);
    etcd_close(client);
}

static void what_happened_is_noticed(void **state)
{
    struct scene scene;
    char name[96];

    (void)state;
    for (size_t i = 0; i < ROW_COUNT(happenings); i++) {
        for (unsigned compare = 0; compare <= ALL; compare++) {
            bool allowed = (compare & happenings[i].noticed_by) == 0;
            snprintf(name, sizeof name, "%s, compare %u", happenings[i].name, compare);
            begin(&scene, &happenings[i]);
            struct keys_change change = change_of(&scene, compare, WRITE_BOOTSTRAP | WRITE_UUID | WRITE_OWN);
            happenings[i].act();
            row_number(name, commit(&scene, &change), allowed);
            row_number(name, is_written("bootstrap"), allowed);
            row_number(name, is_written("uuid"), allowed);
            row_number(name, is_written("position/n2"), allowed);
            end(&scene);
        }
    }
}

static void what_is_told_is_written_and_nothing_else(void **state)
{
    struct scene scene;

    (void)state;
    for (unsigned write = 1; write <= (WRITE_BOOTSTRAP | WRITE_UUID | WRITE_OWN); write++) {
        begin(&scene, &happenings[0]);
        struct keys_change change = change_of(&scene, ALL, write);
        assert_true(commit(&scene, &change));
        assert_int_equal(is_written("bootstrap"), (write & WRITE_BOOTSTRAP) != 0);
        assert_int_equal(is_written("uuid"), (write & WRITE_UUID) != 0);
        assert_int_equal(is_written("position/n2"), (write & WRITE_OWN) != 0);
        assert_false(is_written("position/n1"));
        end(&scene);
    }
}

/* The second of two that read the same fails: also when the first only wrote what was there already. */
static void of_two_one_wins(void **state)
{
    struct scene first, second;

    (void)state;
    for (unsigned flag = 1; flag <= COMPARE_OWN; flag *= 2) {
        begin(&first, &happenings[0]);
        second = (struct scene){.situation = situation_of("n2")};
        read_keys(&second);
        struct keys_change change = change_of(&first, flag, flag); /* WRITE_* are the same numbers */
        struct keys_change again = change_of(&second, flag, flag);
        assert_true(commit(&first, &change));
        assert_false(commit(&second, &again));
        keys_txn_free(&second.txn);
        keys_free(&second.keys);
        end(&first);
    }
}

/* galera-init forget, attest-lost: another node's record. */
static void another_node_can_be_meant(void **state)
{
    struct scene scene;
    struct keys_change change;

    (void)state;
    begin(&scene, &happenings[0]);
    change = change_of(&scene, COMPARE_OWN | COMPARE_BOOTSTRAP, WRITE_OWN);
    change.node = situation_find(&scene.situation, "n3");
    change.own = NULL;
    own_written_again();
    assert_true(commit(&scene, &change));
    keys_txn_free(&scene.txn);
    keys_free(&scene.keys);
    read_keys(&scene);
    assert_int_equal(scene.situation.nodes[2].record.state, RECORD_NONE);
    assert_int_equal(scene.situation.nodes[1].record.state, RECORD_ATTESTED);

    change.own = &scene.own;
    assert_true(commit(&scene, &change));
    keys_txn_free(&scene.txn);
    assert_true(is_written("position/n3"));
    assert_false(commit(&scene, &change));
    end(&scene);
}

/* A table of nodes as full as it can be is within what etcd takes. */
static void the_largest_cluster_fits(void **state)
{
    struct scene scene = {.situation = situation_of("n00")};
    char name[32];

    (void)state;
    fake_reset(1);
    client = fake_client("10.0.0.2");
    put("uuid", UUID_VALUE);
    put("bootstrap", BOOTSTRAP);
    for (int i = 0; i < NODES_MOST; i++) {
        snprintf(name, sizeof name, "position/n%02d", i);
        put(name, RECORD);
    }
    read_keys(&scene);
    struct keys_change change = change_of(&scene, ALL, WRITE_BOOTSTRAP | WRITE_UUID | WRITE_OWN);
    change.node = 31;
    assert_true(commit(&scene, &change));
    assert_true(scene.txn.txn.compare_count <= KEYS_COMPARE_MOST && scene.txn.txn.compare_count <= ETCD_OPS_MOST);
    end(&scene);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_happened_is_noticed), cmocka_unit_test(what_is_told_is_written_and_nothing_else),
        cmocka_unit_test(of_two_one_wins),          cmocka_unit_test(another_node_can_be_meant),
        cmocka_unit_test(the_largest_cluster_fits),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
