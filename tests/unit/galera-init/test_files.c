/* What is read: grastate.dat, gvwstate.dat, the log of --wsrep-recover, positions. */
#include "../row.h"

#include <stdlib.h>

#include "grastate.h"
#include "gvwstate.h"
#include "recover.h"

#define U1  "c9a0ad1f-6d3c-11ef-9a52-0242ac110002"
#define U2  "d3124bc8-1605-11e4-aa3d-ab44303c044a"
#define U3  "0dae1307-1606-11e4-aa94-5255b1455aa0"
#define NIL "00000000-0000-0000-0000-000000000000"

static void positions(void **state)
{
    static const struct {
        const char *text;
        bool good;
        int64_t seqno;
    } rows[] = {
        {U1 ":0", true, 0},
        {U1 ":120", true, 120},
        {U1 ":-1", true, -1},
        {U1 ":9223372036854775807", true, INT64_MAX},
        {"C9A0AD1F-6D3C-11EF-9A52-0242AC110002:7", true, 7},
        {NIL ":-1", true, -1},
        {U1 ":-2", false, 0},
        {U1 ":9223372036854775808", false, 0},
        {U1 ":", false, 0},
        {U1 ": 7", false, 0},
        {U1 ":7x", false, 0},
        {U1 "7", false, 0},
        {U1, false, 0},
        {"c9a0ad1f-6d3c-11ef-9a52-0242ac11000:7", false, 0},
        {"c9a0ad1f_6d3c-11ef-9a52-0242ac110002:7", false, 0},
        {"g9a0ad1f-6d3c-11ef-9a52-0242ac110002:7", false, 0},
        {"c9a0ad1f", false, 0},
        {"", false, 0},
    };

    (void)state;
    for (size_t i = 0; i < ROW_COUNT(rows); i++) {
        struct position position;
        char text[POSITION_TEXT_SIZE];
        row_true(rows[i].text, position_parse(rows[i].text, &position) == rows[i].good);
        if (!rows[i].good)
            continue;
        row_number(rows[i].text, position.seqno, rows[i].seqno);
        position_format(&position, text);
        struct position again;
        row_true(rows[i].text, position_parse(text, &again) && position_equal(&position, &again));
    }
}

static void incarnations(void **state)
{
    struct uuid a, b, c;

    (void)state;
    assert_true(uuid_parse("d3124bc8-1605-11e4-aa3d-ab44303c044a", &a));
    assert_true(uuid_parse("d3124bc8-1605-11e4-aa3e-ab44303c044a", &b));
    assert_true(uuid_parse("d3124bc8-1605-11e5-aa3d-ab44303c044a", &c));
    assert_true(uuid_same_member(&a, &b));
    assert_false(uuid_equal(&a, &b));
    assert_false(uuid_same_member(&a, &c));
}

#define HEAD "# GALERA saved state\nversion: 2.1\n"

static void grastate(void **state)
{
    static const struct {
        const char *name;
        const char *text;
        enum grastate_condition condition;
        const char *position;
        bool safe;
    } rows[] = {
        {"none", NULL, GRASTATE_MISSING, NIL ":-1", false},
        {"closed", HEAD "uuid:    " U1 "\nseqno:   120\nsafe_to_bootstrap: 0\n", GRASTATE_GOOD, U1 ":120", false},
        {"last", HEAD "uuid:    " U1 "\nseqno:   120\nsafe_to_bootstrap: 1\n", GRASTATE_GOOD, U1 ":120", true},
        {"running or crashed", HEAD "uuid:    " U1 "\nseqno:   -1\nsafe_to_bootstrap: 0\n", GRASTATE_GOOD, U1 ":-1",
         false},
        {"in a transfer", HEAD "uuid:    " NIL "\nseqno:   -1\nsafe_to_bootstrap: 0\n", GRASTATE_GOOD, NIL ":-1",
         false},
        {"of an old server", HEAD "uuid:    " U1 "\nseqno:   7\ncert_index:\n", GRASTATE_GOOD, U1 ":7", false},
        {"CRLF, no last newline", "uuid: " U1 "\r\nseqno: 7\r\nsafe_to_bootstrap: 1\r", GRASTATE_GOOD, U1 ":7", true},
        {"other order", "safe_to_bootstrap: 1\nseqno: 7\nuuid: " U1, GRASTATE_GOOD, U1 ":7", true},
        {"empty", "", GRASTATE_CORRUPT, NIL ":-1", false},
        {"no uuid", HEAD "seqno: 7\n", GRASTATE_CORRUPT, NIL ":-1", false},
        {"no seqno", HEAD "uuid: " U1 "\n", GRASTATE_CORRUPT, NIL ":-1", false},
        {"cut off in the uuid", HEAD "uuid:    c9a0ad1f-6d3c-11e", GRASTATE_CORRUPT, NIL ":-1", false},
        {"cut off after a name", HEAD "uuid: " U1 "\nseqno:", GRASTATE_CORRUPT, NIL ":-1", false},
        {"seqno is no number", HEAD "uuid: " U1 "\nseqno: x\n", GRASTATE_CORRUPT, NIL ":-1", false},
        {"seqno below -1", HEAD "uuid: " U1 "\nseqno: -2\n", GRASTATE_CORRUPT, NIL ":-1", false},
        {"uuid too long", HEAD "uuid: " U1 "0\nseqno: 7\n", GRASTATE_CORRUPT, NIL ":-1", false},
        {"a value far too long", HEAD "uuid: " U1 U1 U1 U1 "\nseqno: 7\n", GRASTATE_CORRUPT, NIL ":-1", false},
        {"twice", HEAD "uuid: " U1 "\nuuid: " U2 "\nseqno: 7\n", GRASTATE_CORRUPT, NIL ":-1", false},
        {"safe is neither 0 nor 1", HEAD "uuid: " U1 "\nseqno: 7\nsafe_to_bootstrap: yes\n", GRASTATE_CORRUPT,
         NIL ":-1", false},
        {"zeroes of a crashed file system", "\0\0\0", GRASTATE_CORRUPT, NIL ":-1", false},
    };

    (void)state;
    for (size_t i = 0; i < ROW_COUNT(rows); i++) {
        char text[POSITION_TEXT_SIZE];
        struct grastate got = grastate_parse(rows[i].text);
        row_number(rows[i].name, got.condition, rows[i].condition);
        row_text(rows[i].name, position_format(&got.position, text), rows[i].position);
        row_true(rows[i].name, got.safe_to_bootstrap == rows[i].safe);
    }
}

#define MINE    "my_uuid: " U2 "\n"
#define MEMBERS "member: " U3 " 0\nmember: " U2 " 0\n"

static void gvwstate(void **state)
{
    static const struct {
        const char *name;
        const char *text;
        enum gvwstate_condition condition;
        const char *id;
        int members;
    } rows[] = {
        {"none", NULL, GVWSTATE_MISSING, "", 0},
        {"two members", MINE "#vwbeg\nview_id: 3 " U3 " 12\nbootstrap: 0\n" MEMBERS "#vwend\n", GVWSTATE_GOOD, U3 ":12",
         2},
        {"taken up once more",
         "my_uuid: d3124bc8-1605-11e4-aa3e-ab44303c044a\n#vwbeg\nview_id: 3 " U3 " 12\n" MEMBERS "#vwend",
         GVWSTATE_GOOD, U3 ":12", 2},
        {"segments", MINE "#vwbeg\nview_id: 3 " U3 " 1\nmember: " U2 " 17\n#vwend\n", GVWSTATE_GOOD, U3 ":1", 1},
        {"empty", "", GVWSTATE_USELESS, "", 0},
        {"empty lines", "\n\n", GVWSTATE_USELESS, "", 0},
        {"not Primary", MINE "#vwbeg\nview_id: 2 " U3 " 12\n" MEMBERS "#vwend\n", GVWSTATE_USELESS, "", 0},
        {"not a member", MINE "#vwbeg\nview_id: 3 " U3 " 12\nmember: " U3 " 0\n#vwend\n", GVWSTATE_USELESS, "", 0},
        {"no members", MINE "#vwbeg\nview_id: 3 " U3 " 12\n#vwend\n", GVWSTATE_USELESS, "", 0},
        {"cut off", MINE "#vwbeg\nview_id: 3 " U3 " 12\n" MEMBERS, GVWSTATE_USELESS, "", 0},
        {"no name of ours", "#vwbeg\nview_id: 3 " U3 " 12\n" MEMBERS "#vwend\n", GVWSTATE_USELESS, "", 0},
        {"a nil name", "my_uuid: " NIL "\n#vwbeg\nview_id: 3 " U3 " 12\n" MEMBERS "#vwend\n", GVWSTATE_USELESS, "", 0},
        {"a nil view", MINE "#vwbeg\nview_id: 3 " NIL " 0\n" MEMBERS "#vwend\n", GVWSTATE_USELESS, "", 0},
        {"two views", MINE "#vwbeg\nview_id: 3 " U3 " 12\nview_id: 3 " U3 " 13\n" MEMBERS "#vwend\n", GVWSTATE_USELESS,
         "", 0},
        {"sequence is no number", MINE "#vwbeg\nview_id: 3 " U3 " x\n" MEMBERS "#vwend\n", GVWSTATE_USELESS, "", 0},
        {"a broken member", MINE "#vwbeg\nview_id: 3 " U3 " 12\nmember: xyz 0\n" MEMBERS "#vwend\n", GVWSTATE_USELESS,
         "", 0},
    };

    (void)state;
    for (size_t i = 0; i < ROW_COUNT(rows); i++) {
        struct gvwstate got = gvwstate_parse(rows[i].text);
        row_number(rows[i].name, got.condition, rows[i].condition);
        row_text(rows[i].name, got.view.id, rows[i].id);
        row_number(rows[i].name, got.view.members, rows[i].members);
        row_true(rows[i].name, view_is_none(&got.view) == (rows[i].condition != GVWSTATE_GOOD));
    }
}

static void gvwstate_of_many(void **state)
{
    enum { LINES = 1100, LINE = 64 };
    char *text = calloc(LINES + 8, LINE);
    size_t length = (size_t)snprintf(text, 256, MINE "#vwbeg\nview_id: 3 " U3 " 12\n");

    (void)state;
    assert_non_null(text);
    for (int i = 0; i < LINES; i++)
        length += (size_t)snprintf(text + length, LINE, "member: " U2 " 0\n");
    snprintf(text + length, LINE, "#vwend\n");
    assert_int_equal(gvwstate_parse(text).condition, GVWSTATE_USELESS);
    free(text);
}

#define NOTE "2026-07-30 10:00:00 0 [Note] "

static void recover_logs(void **state)
{
    static const struct {
        const char *name;
        const char *log;
        enum recover_outcome outcome;
        const char *position;
        bool prepared;
    } rows[] = {
        {"not run", NULL, RECOVER_NOT_RUN, NIL ":-1", false},
        {"MariaDB", NOTE "InnoDB: started\n" NOTE "WSREP: Recovered position: " U1 ":120\n", RECOVER_POSITION,
         U1 ":120", false},
        {"with a domain and server id", NOTE "WSREP: Recovered position: " U1 ":120,0-1-7\n", RECOVER_POSITION,
         U1 ":120", false},
        {"the last one counts",
         NOTE "WSREP: Recovered position: " U1 ":1\n" NOTE "WSREP: Recovered position: " U1 ":2\n", RECOVER_POSITION,
         U1 ":2", false},
        {"never in a cluster", NOTE "WSREP: Recovered position: " NIL ":-1\n", RECOVER_NOTHING, NIL ":-1", false},
        {"a history and no place", NOTE "WSREP: Recovered position: " U1 ":-1\n", RECOVER_NOTHING, NIL ":-1", false},
        {"disabled", NOTE "WSREP: disabled, skipping position recovery\n", RECOVER_FAILED, NIL ":-1", false},
        {"cut off", NOTE "WSREP: Recovered position: c9a0ad1f-6d3c", RECOVER_FAILED, NIL ":-1", false},
        {"cut off inside the number", NOTE "WSREP: Recovered position: " U1 ":12", RECOVER_FAILED, NIL ":-1", false},
        {"two runs, the last one unreadable",
         NOTE "WSREP: Recovered position: " U1 ":1\n" NOTE "WSREP: Recovered position: ?\n", RECOVER_FAILED, NIL ":-1",
         false},
        {"far too long", NOTE "WSREP: Recovered position: " U1 ":" U1 U1 U1 "\n", RECOVER_FAILED, NIL ":-1", false},
        {"empty", "", RECOVER_FAILED, NIL ":-1", false},
        {"prepared",
         NOTE "InnoDB: Found 2 prepared transaction(s) in InnoDB\n" NOTE "WSREP: Recovered position: " U1 ":9\n",
         RECOVER_POSITION, U1 ":9", true},
        {"prepared, in capitals, and no position", "[ERROR] FOUND 1 prepared transactions! It means", RECOVER_FAILED,
         NIL ":-1", true},
        {"none prepared", NOTE "Found 0 prepared transactions\n", RECOVER_FAILED, NIL ":-1", false},
    };

    (void)state;
    for (size_t i = 0; i < ROW_COUNT(rows); i++) {
        char text[POSITION_TEXT_SIZE];
        struct recovered got = recover_parse(rows[i].log);
        row_number(rows[i].name, got.outcome, rows[i].outcome);
        row_text(rows[i].name, position_format(&got.position, text), rows[i].position);
        row_true(rows[i].name, got.prepared == rows[i].prepared);
    }
}

/* Logs of MariaDB 10.11 with data that were damaged, and with settings that were spoiled, on purpose. */
static void what_a_recovery_tells_of_the_data(void **state)
{
#define ERR       "2026-07-30 10:00:00 0 [ERROR] "
#define POSITION  NOTE "WSREP: Recovered position: " U1 ":120\n"
#define NO_INNODB ERR "Plugin 'InnoDB' registration as a STORAGE ENGINE failed.\n" ERR "Aborting\n"
#define CORRUPT   ERR "InnoDB: Plugin initialization aborted with error Data structure corruption\n" NO_INNODB
#define PREPARED  NOTE "InnoDB: Found 2 prepared transaction(s) in InnoDB\n"
    static const struct {
        const char *name;
        const char *log;
        bool tells;
        bool may_heal;
        bool wants_decision;
    } rows[] = {
        {"a position", POSITION, true, false, false},
        {"a position, though there is trouble",
         ERR "mariadbd: Error writing file './ddl_recovery-backup.log' (Errcode: 28 \"No space left on "
             "device\")\n" POSITION,
         true, true, false},
        {"none", NOTE "WSREP: Recovered position: " NIL ":-1\n", true, false, false},
        {"the log's header", ERR "InnoDB: Invalid log header checksum\n" CORRUPT, true, false, false},
        {"the log is empty", ERR "InnoDB: ib_logfile0 is empty, and LSN is unknown.\n" CORRUPT, true, false, false},
        {"the log's end", ERR "InnoDB: Missing FILE_CHECKPOINT(50883) at 54023\n" NO_INNODB, true, false, false},
        {"a page", ERR "InnoDB: Unable to apply log to corrupted page 7 in file ./ibdata1\n" NO_INNODB, true, false,
         false},
        {"the header of a tablespace", ERR "InnoDB: Inconsistent tablespace ID in ./ibdata1\n" CORRUPT, true, false,
         false},
        {"a typo in innodb_page_size",
         ERR "InnoDB: Data file './ibdata1' uses page size 16384, but the innodb_page_size start-up parameter is "
             "8192\n" CORRUPT,
         false, false, false},
        {"a typo in innodb_data_file_path",
         ERR "InnoDB: The Auto-extending data file './ibdata1' is of a different size 768 pages than specified by "
             "innodb_data_file_path\n" NO_INNODB,
         false, false, false},
        {"a typo in innodb_log_group_home_dir", ERR "InnoDB: File /srv/empty/ib_logfile0 was not found\n" NO_INNODB,
         false, false, false},
        {"a typo in log_bin", ERR "mariadbd: File '/srv/nowhere/bin.index' not found (Errcode: 2)\n" ERR "Aborting\n",
         false, false, false},
        {"the same after a crash inside a commit",
         PREPARED ERR "mariadbd: File '/srv/nowhere/bin.index' not found (Errcode: 2)\n" ERR "Aborting\n", false, false,
         false},
        {"no such tmpdir", ERR "InnoDB: Unable to create temporary file; errno: 2\n" NO_INNODB, false, false, false},
        {"no right", ERR "InnoDB: The innodb_system data file 'ibdata1' must be writable\n" NO_INNODB, false, false,
         false},
        {"no key", ERR "InnoDB: Encrypted page 3 in file ./d/t.ibd looks corrupted; key_version=1\n" NO_INNODB, false,
         false, false},
        {"without InnoDB", NOTE "Plugin 'InnoDB' is disabled.\n" NOTE "WSREP: Recovered position: " NIL ":-1\n", false,
         false, false},
        {"innodb_force_recovery",
         NOTE "InnoDB: !!! innodb_force_recovery is set to 6 !!!\n" NOTE "WSREP: Recovered position: " NIL ":-1\n",
         false, false, false},
        {"without wsrep", NOTE "WSREP: disabled, skipping position recovery\n", false, false, false},
        {"a crash", ERR "mysqld got signal 11 ;\n", false, false, false},
        {"no word", "", false, false, false},
        {"too little memory", ERR "InnoDB: Cannot allocate memory for the buffer pool\n" NO_INNODB, false, true, false},
        {"a full disk", ERR "InnoDB: Operating system error number 28 in a file operation.\n" NO_INNODB, false, true,
         false},
        {"a full disk that made a page bad",
         ERR "InnoDB: Operating system error number 28 in a file operation.\n" ERR
             "InnoDB: Database page corruption on disk or a failed read of file './ibdata1' page 5\n" NO_INNODB,
         false, true, false},
        {"the number was cut off by a full disk", NOTE "WSREP: Recovered position: " U1 ":12", false, false, false},
        {"another server is at it", ERR "InnoDB: Unable to lock ./ibdata1 error: 11\n" NO_INNODB, false, true, false},
        {"transactions without an end",
         PREPARED ERR "Found 2 prepared transactions! It means that server was not shut down\n", true, false, true},
        {"tc.log", PREPARED ERR "Bad magic header in tc log\n" ERR "Can't init tc log\n", false, false, true},
        {"tc.log, and nothing prepared", ERR "Bad magic header in tc log\n" ERR "Can't init tc log\n", false, false,
         false},
    };

    (void)state;
    for (size_t i = 0; i < ROW_COUNT(rows); i++) {
        struct recovered recovered = recover_parse(rows[i].log);
        row_number(rows[i].name, recover_tells(&recovered, rows[i].log), rows[i].tells);
        row_number(rows[i].name, recover_may_heal(rows[i].log), rows[i].may_heal);
        row_number(rows[i].name, recover_wants_decision(&recovered, rows[i].log), rows[i].wants_decision);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(positions),
        cmocka_unit_test(incarnations),
        cmocka_unit_test(grastate),
        cmocka_unit_test(gvwstate),
        cmocka_unit_test(gvwstate_of_many),
        cmocka_unit_test(recover_logs),
        cmocka_unit_test(what_a_recovery_tells_of_the_data),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
