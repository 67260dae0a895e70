#include "../row.h"
#include "keys.h"
#include "support/samples.h"
#include "support/store.h"

/* Keys and values as etcd would return them, and what becomes of them. */

enum { RANDOM_ROUNDS = 5000 };

/* --- there and back ----------------------------------------------------------------------------------------------- */

static void check_there_and_back(const struct record *record, const struct bootstrap *bootstrap, const char *name)
{
    struct situation before = situation_of("n1");
    struct situation after = before;
    struct uuid uuid = {{1, 2, 3}};
    struct node_card card = {.address = "10.0.0.1:4567", .sql = "10.0.0.1:3306"};
    struct keys_change change = {.write = WRITE_OWN | WRITE_BOOTSTRAP | WRITE_UUID,
                                 .own = record,
                                 .card = &card,
                                 .bootstrap = bootstrap,
                                 .uuid = &uuid};
    struct keys none = {.revision = 1};
    struct keys keys;
    struct keys_txn txn;
    struct error error = {.text = ""};
    struct store store = {.range = {.count = 0}};

    if (!keys_compose(&txn, PREFIX, &before, &none, &change, &error))
        fail_msg("row \"%s\": %s", name, error.text);
    row_number(name, txn.txn.success_count, 3);
    row_number(name, txn.txn.compare_count, 0);
    row_true(name, !txn.txn.repeatable && txn.txn.failure_count == 0);
    for (size_t i = 0; i < txn.txn.success_count; i++) {
        row_true(name, txn.txn.success[i].verb == ETCD_PUT && txn.txn.success[i].lease == 0);
        store_add(&store, txn.txn.success[i].key, txn.txn.success[i].value);
    }
    store_read(&store, &keys, &after);
    row_true(name, same_record(&after.nodes[0].record, record));
    row_true(name, same_bootstrap(&after.bootstrap, bootstrap));
    row_true(name, after.has_uuid && uuid_equal(&after.uuid, &uuid));
    row_text(name, keys.card[0].address, card.address);
    row_text(name, keys.card[0].sql, card.sql);
    keys_free(&keys);
    keys_txn_free(&txn);
}

static void random_values_come_back_as_they_were(void **state)
{
    (void)state;
    for (uint64_t i = 0; i < RANDOM_ROUNDS; i++) {
        uint64_t seed = i;
        char name[32];
        struct record record = sample_record(&seed);
        struct bootstrap bootstrap = sample_bootstrap(&seed);
        snprintf(name, sizeof name, "seed %llu", (unsigned long long)i);
        check_there_and_back(&record, &bootstrap, name);
    }
}

/* What an operator's attest-lost makes of a node that never wrote a record. */
static void a_record_of_nothing_comes_back(void **state)
{
    uint64_t seed = 1;
    struct record record = {.state = RECORD_LOST};
    struct bootstrap bootstrap = sample_bootstrap(&seed);

    (void)state;
    check_there_and_back(&record, &bootstrap, "nothing");
}

static void the_longest_lineage_comes_back(void **state)
{
    struct bootstrap bootstrap = {.phase = BOOTSTRAP_PRIMARY, .node = "n1", .boot = "b1", .epoch = 20};
    struct record record = {.state = RECORD_RUNNING, .boot = "b1", .position = position_none()};

    (void)state;
    record.place = (struct place){.generation = {.number = GENERATION_FORGOTTEN}, .seqno = SEQNO_UNKNOWN};
    for (int64_t epoch = 1; epoch <= 20; epoch++)
        lineage_append(&bootstrap.lineage, generation_of(epoch, "b1"), epoch * 100);
    assert_int_equal(bootstrap.lineage.count, LINEAGE_MOST);
    assert_int_equal(bootstrap.lineage.root, GENERATION_FORGOTTEN);
    check_there_and_back(&record, &bootstrap, "longest");
}

/* --- as people read it -------------------------------------------------------------------------------------------- */

static void values_are_what_the_manual_says(void **state)
{
    struct situation situation = situation_of("n1");
    struct keys keys = {.revision = 1};
    struct keys_txn txn;
    struct error error;
    struct node_card card = {.address = "10.0.0.1", .sql = "10.0.0.1:3306", .seqno = 90};
    struct record record = {.state = RECORD_ATTESTED,
                            .epoch = 1,
                            .boot = "b1",
                            .copy = COPY_TRUSTED,
                            .source = SOURCE_GRASTATE,
                            .place = {{1, 7}, 90},
                            .held = {{1, 7}, 90},
                            .size = 3};
    struct bootstrap bootstrap = {
        .phase = BOOTSTRAP_STARTING, .kind = KIND_REMERGE, .node = "n1", .boot = "b1", .epoch = 2};
    struct keys_change change = {
        .write = WRITE_OWN | WRITE_BOOTSTRAP | WRITE_UUID, .own = &record, .bootstrap = &bootstrap};
    struct text text = {.failed = false};

    (void)state;
    assert_true(position_parse(UUID_A ":90", &record.position));
    bootstrap.base = record.position;
    change.uuid = &record.position.uuid;
    lineage_append(&bootstrap.lineage, (struct generation){1, 7}, -1);
    bootstrap.view = (struct view){.id = UUID_A ":12", .members = 3, .self = record.position.uuid};
    assert_true(keys_compose(&txn, PREFIX, &situation, &keys, &change, &error));
    assert_string_equal(txn.op[0].key, PREFIX "bootstrap");
    assert_string_equal(txn.op[0].value,
                        "{\"phase\":\"starting\",\"kind\":\"remerge\",\"node\":\"n1\",\"boot\":\"b1\",\"epoch\":2,"
                        "\"base\":\"" UUID_A ":90\",\"lineage\":{\"root\":0,\"generations\":[{\"generation\":1,\"mark\""
                        ":7,\"base\":-1}]},\"view\":{\"id\":\"" UUID_A ":12\",\"members\":3,\"self\":\"" UUID_A "\"}}");
    assert_string_equal(txn.op[1].key, PREFIX "uuid");
    assert_string_equal(txn.op[1].value, "{\"uuid\":\"" UUID_A "\"}");
    assert_string_equal(txn.op[2].key, PREFIX "position/n1");
    assert_string_equal(txn.op[2].value, RECORD);
    keys_txn_free(&txn);

    assert_true(member_format(&text, MEMBER_SYNCED, "b1", &card));
    assert_string_equal(text_string(&text), "{\"phase\":\"synced\",\"boot\":\"b1\",\"address\":\"10.0.0.1\",\"sql\":"
                                            "\"10.0.0.1:3306\",\"seqno\":90}");
    text_free(&text);
}

/* --- reading ------------------------------------------------------------------------------------------------------ */

/* Each is complete, has one thing wrong, and the complaint names key and member. */
static void what_cannot_be_understood_stops_everything(void **state)
{
    static const struct {
        const char *key, *value, *words;
    } rows[] = {
        {"position/n2", "", "not JSON"},
        {"position/n2", "{", "not JSON"},
        {"position/n2", "[]", "no JSON object"},
        {"position/n2", "\"lost\"", "not JSON"},
        {"position/n2", RECORD "x", "not JSON"},
        {"position/n2", "{}", "has no \"state\""},
        {"position/n2", "{\"state\":\"none\"}", "\"state\""},
        {"position/n2", "{\"state\":\"stopped\"}", "\"stopped\""},
        {"position/n2", "{\"state\":3}", "\"state\""},
        {"position/n2", "{\"state\":\"running\"}", "\"boot\""},
        {"position/n2", "{\"state\":\"running\",\"boot\":\"\"}", "\"boot\""},
        {"position/n2", "{\"state\":\"lost\",\"boot\":null}", "\"boot\""},
        {"position/n2", "{\"state\":\"running\",\"boot\":\"a b\"}", "\"boot\""},
        {"position/n2", "{\"state\":\"running\",\"boot\":\"0123456789012345678901234567890123456789\"}", "\"boot\""},
        {"position/n2", "{\"state\":\"lost\",\"boot\":\"\",\"copy\":\"good\"}", "\"copy\""},
        {"position/", RECORD, "position/"},
        {"position/n2/more", RECORD, "position/n2/more"},
        {"position/n 2", RECORD, "position/n 2"},
        {"position/..", RECORD, "position/.."},
        {"member/n,2", MEMBER, "member/n,2"},
        {"member/n2", "{\"phase\":\"none\",\"boot\":\"b\"}", "\"phase\""},
        {"member/n2", "{\"phase\":\"synced\"}", "\"boot\""},
        {"member/n2", "{\"phase\":\"synced\",\"boot\":\"b\",\"seqno\":-2}", "\"seqno\""},
        {"member/n2", "{\"phase\":\"synced\",\"boot\":\"b\",\"seqno\":1.5}", "\"seqno\""},
        {"member/n2", "{\"phase\":\"synced\",\"boot\":\"b\",\"seqno\":9223372036854775808}", "not JSON"},
        {"member/n2", "{\"phase\":\"synced\",\"boot\":\"b\",\"address\":\"10.0.0.1,evil\"}", "\"address\""},
        {"member/n2", "{\"phase\":\"synced\",\"boot\":\"b\",\"address\":\"\"}", "\"address\""},
        {"member/n2", "{\"phase\":\"synced\",\"boot\":\"b\",\"sql\":\"10.0.0.1\"}", "\"sql\""},
        {"uuid", "{}", "\"uuid\""},
        {"uuid", "{\"uuid\":\"" UUID_A "x\"}", "\"uuid\""},
        {"uuid", "{\"uuid\":\"00000000-0000-0000-0000-000000000000\"}", "\"uuid\""},
        {"bootstrap", "{\"phase\":\"done\"}", "\"phase\""},
        {"bootstrap", "{\"phase\":\"primary\",\"kind\":\"old\"}", "\"kind\""},
        {"bootstrap", "{\"phase\":\"primary\",\"kind\":\"new\",\"node\":\"n/1\"}", "\"node\""},
        {"seed", "{\"state\":\"none\"}", "\"state\""},
        {"seed", "{\"state\":\"done\",\"sha256\":\"12\"}", "\"sha256\""},
    };

    (void)state;
    for (size_t i = 0; i < ROW_COUNT(rows); i++) {
        char key[KEYS_KEY_SIZE];
        struct store store = {.range = {.count = 0}};
        struct situation situation = situation_of("n1");
        struct situation before;
        struct keys keys;
        struct error error = {.code = EXIT_YES};

        snprintf(key, sizeof key, PREFIX "%s", rows[i].key);
        memcpy(&before, &situation, sizeof before);
        store_add(&store, PREFIX "member/n3", MEMBER);
        store_add(&store, PREFIX "position/n1", RECORD);
        store_add(&store, key, rows[i].value);
        row_true(rows[i].value, !keys_read(&keys, PREFIX, &store.range, &situation, &error));
        row_contains(rows[i].value, error.text, key);
        row_contains(rows[i].value, error.text, rows[i].words);
        row_number(rows[i].value, error.code, EXIT_CONFIG);
        row_true(rows[i].value, memcmp(&before, &situation, sizeof before) == 0);
        keys_free(&keys);
    }
}

/* A good value with one part of it replaced. */
static void one_wrong_part_is_found(void **state)
{
    static const struct {
        const char *key, *value, *part, *instead, *words;
    } rows[] = {
        {"position/n2", RECORD, "\"epoch\":1", "\"epoch\":-1", "\"epoch\""},
        {"position/n2", RECORD, "\"epoch\":1", "\"epoch\":9007199254740993", "\"epoch\""},
        {"position/n2", RECORD, "\"epoch\":1", "\"epoch\":\"one\"", "\"epoch\""},
        {"position/n2", RECORD, "\"epoch\":1,", "", "\"epoch\""},
        {"position/n2", RECORD, "grastate", "grandstate", "\"source\""},
        {"position/n2", RECORD, ":90\"", ":-2\"", "\"position\""},
        {"position/n2", RECORD, ":90\"", "\"", "\"position\""},
        {"position/n2", RECORD, "\"place\":" PLACE ",", "", "\"place\""},
        {"position/n2", RECORD, "\"place\":" PLACE, "\"place\":3", "\"place\""},
        {"position/n2", RECORD, "\"generation\":1", "\"generation\":-2", "in its \"place\""},
        {"position/n2", RECORD, "\"mark\":7,", "", "\"mark\""},
        {"position/n2", RECORD, "\"mark\":7", "\"mark\":4294967296", "\"mark\""},
        {"position/n2", RECORD, "\"held\":" PLACE, "\"held\":null", "\"held\""},
        {"position/n2", RECORD, "\"held\":{\"generation\"", "\"held\":{\"number\"", "in its \"held\""},
        {"position/n2", RECORD, "false", "\"no\"", "\"safe_to_bootstrap\""},
        {"position/n2", RECORD, "false", "0", "\"safe_to_bootstrap\""},
        {"position/n2", RECORD, "\"nodes\":3", "\"nodes\":33", "\"nodes\""},
        {"position/n2", RECORD, ",\"nodes\":3", "", "\"nodes\""},
        {"position/n2", RECORD, "\"nodes\":3", "\"nodes\":3,\"view\":\"x\"", "\"view\""},
        {"position/n2", RECORD, "\"nodes\":3", "\"nodes\":3,\"view\":{\"id\":\"x\"}", "in its \"view\""},
        {"position/n2", RECORD, "\"nodes\":3", "\"nodes\":3,\"view\":{\"id\":\"" UUID_A ":1\",\"members\":0}",
         "\"members\""},
        {"position/n2", RECORD, "\"nodes\":3", "\"nodes\":3,\"view\":{\"id\":\"" UUID_A ":1\",\"members\":2}",
         "\"self\""},
        {"position/n2", RECORD, "\"nodes\":3", "\"nodes\":3,\"sql\":\"h:0\"", "\"sql\""},
        {"bootstrap", BOOTSTRAP, "\"epoch\":2", "\"epoch\":null", "\"epoch\""},
        {"bootstrap", BOOTSTRAP, ":90\"", ":ninety\"", "\"base\""},
        {"bootstrap", BOOTSTRAP, "\"root\":0", "\"root\":1", "\"root\""},
        {"bootstrap", BOOTSTRAP, "\"root\":0,", "", "\"root\""},
        {"bootstrap", BOOTSTRAP, "[]", "{}", "\"generations\""},
        {"bootstrap", BOOTSTRAP, "[]", "[1]", "generation 0"},
        {"bootstrap", BOOTSTRAP, "[]", "[{\"generation\":0,\"mark\":1,\"base\":1}]", "\"generation\""},
        {"bootstrap", BOOTSTRAP, "[]", "[{\"generation\":1,\"mark\":1}]", "\"base\""},
        {"bootstrap", BOOTSTRAP, "[]",
         "[{\"generation\":2,\"mark\":1,\"base\":1},{\"generation\":2,\"mark\":1,\"base\":2}]", "come after"},
        {"bootstrap", BOOTSTRAP, "[]",
         "[{\"generation\":2,\"mark\":1,\"base\":1},{\"generation\":3,\"mark\":1,\"base\":1}]", "come after"},
        {"bootstrap", BOOTSTRAP, "[]", "[1,2,3,4,5,6,7,8,9]", "more than 8"},
        {"bootstrap", BOOTSTRAP, "{\"root\":0,\"generations\":[]}", "null", "\"lineage\""},
    };

    (void)state;
    for (size_t i = 0; i < ROW_COUNT(rows); i++) {
        char key[KEYS_KEY_SIZE];
        char value[1024];
        const char *at = strstr(rows[i].value, rows[i].part);
        struct store store = {.range = {.count = 0}};
        struct situation situation = situation_of("n1");
        struct keys keys;
        struct error error = {.code = EXIT_YES};

        row_true(rows[i].instead, at != NULL);
        snprintf(key, sizeof key, PREFIX "%s", rows[i].key);
        store_add(&store, key, rows[i].value);
        store_read(&store, &keys, &situation);
        keys_free(&keys);
        snprintf(value, sizeof value, "%.*s%s%s", (int)(at - rows[i].value), rows[i].value, rows[i].instead,
                 at + strlen(rows[i].part));
        store.kv[0].value = value;
        store.kv[0].value_length = strlen(value);
        row_true(value, !keys_read(&keys, PREFIX, &store.range, &situation, &error));
        row_contains(value, error.text, key);
        row_contains(value, error.text, rows[i].words);
        keys_free(&keys);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_values_come_back_as_they_were),
        cmocka_unit_test(a_record_of_nothing_comes_back),
        cmocka_unit_test(the_longest_lineage_comes_back),
        cmocka_unit_test(values_are_what_the_manual_says),
        cmocka_unit_test(what_cannot_be_understood_stops_everything),
        cmocka_unit_test(one_wrong_part_is_found),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
