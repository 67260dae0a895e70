#include <dirent.h>
#include <stdbool.h>
#include <stdlib.h>

#include "../row.h"
#include "explain.h"
#include "explain_internal.h"
#include "support/logs.h"

static void real_logs(void **state)
{
    DIR *directory = opendir(LOGS);
    size_t count = 0;

    (void)state;
    if (directory == NULL)
        fail_msg("cannot read %s: run the tests from the top of the source tree", LOGS);
    for (const struct dirent *entry; (entry = readdir(directory)) != NULL;) {
        const char *dot = strchr(entry->d_name, '.');
        struct explanation explanation;
        if (dot == NULL || dot == entry->d_name)
            continue;
        char *log = log_read(entry->d_name);
        char word[64];
        snprintf(word, sizeof word, "%.*s", (int)(dot - entry->d_name), entry->d_name);
        bool known = explain(log, &explanation);
        row_text(entry->d_name, known ? explanation.word : "none", word);
        row_true(entry->d_name, !known || strlen(explanation.line) > 0);
        row_true(entry->d_name, known == (explanation.cause[0] != '\0' && explanation.remedy[0] != '\0'));
        free(log);
        count++;
    }
    closedir(directory);
    assert_true(count > 30);
}

/* Wordings of other versions, and of troubles that are hard to bring about. Sources: see lib/explain_rows_*.c. */
static void wordings(void **state)
{
    static const struct {
        const char *word;
        const char *line;
    } rows[] = {
        {"not-safe-to-bootstrap", "[ERROR] WSREP: it may not be SAFE to bootstrap the cluster from this node."},
        {"no-primary-component",
         "[ERROR] WSREP: failed to open gcomm backend connection: 110: failed to reach primary view: 110 "
         "(Connection timed out)"},
        {"no-primary-component",
         "2026-01-01T00:00:00.320969Z 0 [ERROR] [MY-000000] [Galera] failed to open gcomm backend "
         "connection: 110: failed to reach primary view (pc.wait_prim_timeout)"},
        {"old-view", "[Note] WSREP: restore pc from disk successfully"},
        {"view-file-invalid", "[Warning] WSREP: invalid UUID: 00000000"},
        {"view-file-foreign", "[ERROR] WSREP: node uuid: 1a2b is inconsistent to restored view"},
        {"no-address", "[ERROR] WSREP: failed to open gcomm backend connection: 131: No address to connect (FATAL)"},
        {"peers-not-primary", "[Note] WSREP: No nodes coming from primary view, primary view is not possible"},
        {"members-unaccounted", "[Note] WSREP: 1a2b 3c4d are still in unknown state unable to rebootstrap new prim"},
        {"wrong-cluster-name", "[Note] WSREP: handshake failed, my group: 'a', peer group: 'b'"},
        {"unresolved-name", "[Warning] WSREP: Failed to resolve tcp://db2:4567"},
        {"group-port-in-use",
         "[ERROR] WSREP: failed to open gcomm backend connection: 98: error while trying to listen "
         "'tcp://0.0.0.0:4567?socket.non_blocking=1', asio error 'bind: Address already in use': 98 "
         "(Address already in use)"},
        {"group-port-in-use",
         "[ERROR] WSREP: gcs/src/gcs_core.cpp:gcs_core_open():209: Failed to open backend connection: -98 "
         "(Die Adresse wird bereits verwendet)"},
        {"same-uuid",
         "[ERROR] WSREP: A node with the same UUID already exists in the cluster. Removing gvwstate.dat file"},
        {"conflicting-primaries",
         "[Warning] WSREP: 1a2b conflicting prims: my prim: view_id(PRIM,1,2) other prim: view_id(PRIM,3,4)"},
        {"conflicting-primaries",
         "[ERROR] WSREP: caught exception in PC: 1a2b aborting due to conflicting prims: older overrides"},
        {"conflicting-histories", "[ERROR] WSREP: Quorum impossible: conflicting group UUIDs:"},
        {"foreign-history", "[Warning] WSREP: Failed to prepare for incremental state transfer: Local state UUID "
                            "(11111111-2222-11f1-8888-333333333333) does not match group state UUID "
                            "(e8d0ed05-eb2f-11f1-be7f-ce0cfa3ff04e): 1 (Operation not permitted)"},
        {"no-history", "[Warning] WSREP: Failed to prepare for incremental state transfer: Local state UUID "
                       "(00000000-0000-0000-0000-000000000000) does not match group state UUID "
                       "(e8d0ed05-eb2f-11f1-be7f-ce0cfa3ff04e): 1 (Operation not permitted)"},
        {"ahead-of-cluster",
         "[ERROR] WSREP: gcs/src/gcs_group.cpp:group_post_state_exchange():321: Reversing history: 9 -> 5, "
         "this member has applied 4 more events than the primary component."},
        {"new-history", "[Note] WSREP: Starting new group from scratch: e8d0ed05-eb2f-11f1-be7f-ce0cfa3ff04e"},
        {"no-donor",
         "[Note] WSREP: Requesting state transfer failed: -11(Resource temporarily unavailable). Will keep retrying "
         "every 1 second(s)"},
        {"no-donor", "[Note] WSREP: Requesting state transfer failed: -11(Nenn mich nicht)"},
        {"no-donor",
         "[Warning] WSREP: Member 1.0 (n2) requested state transfer from '*any*', but it is impossible to select State "
         "Transfer donor: Resource temporarily unavailable"},
        {"donor-unknown", "[ERROR] WSREP: Requesting state transfer failed: -113(No route to host)"},
        {"donor-unknown",
         "[Warning] WSREP: Member 1.0 (n2) requested state transfer from 'x', but it is impossible to select State "
         "Transfer donor: No route to host"},
        {"donor-is-joiner", "[ERROR] WSREP: Requesting state transfer failed: -112(Host is down)"},
        {"waited-too-long-for-donor",
         "[ERROR] WSREP: Slave queue grew too long while trying to request state transfer 12 time(s)."},
        {"donor-failed",
         "[ERROR] WSREP: gcs/src/gcs_group.cpp:gcs_group_handle_join_msg():780: Will never receive state. Need to "
         "abort."},
        {"donor-left",
         "[Warning] WSREP: Donor 1a2b is no longer in the group. State transfer cannot be completed, need to abort. "
         "Aborting..."},
        {"transfer-broken",
         "[ERROR] WSREP: Process completed with error: wsrep_sst_xtrabackup-v2 --role 'joiner' --address "
         "'10.0.0.2' --parent '60079'  '' : 32 (Broken pipe)"},
        {"transfer-failed",
         "[ERROR] WSREP: Process completed with error: wsrep_sst_rsync --role 'joiner' --address '10.0.0.2': 255 "
         "(Unknown error 255)"},
        {"transfer-tool-missing", "[ERROR] WSREP: sh: 1: wsrep_sst_mariabackup: not found"},
        {"transfer-tool-missing", "WSREP_SST: [ERROR] 'socat' not found in path (20260101 00:00:00.000)"},
        {"transfer-tool-missing", "WSREP_SST: [ERROR] mariadb-backup binary not found in path"},
        {"transfer-no-data",
         "WSREP_SST: [ERROR] Possible timeout in receiving first data from donor in gtid stage: exit codes: 124 0"},
        {"transfer-no-data", "[WSREP-SST] Possible timeout in receving first data from donor in gtid/keyring stage"},
        {"transfer-secret", "WSREP_SST: [ERROR] Donor does not know my secret!"},
        {"backup-failed",
         "WSREP_SST: [ERROR] mariabackup finished with error: 1. Check syslog or '/d/mariabackup.backup.log'"},
        {"backup-failed",
         "[WSREP-SST] xtrabackup finished with error: 1.  Check /var/lib/mysql//innobackup.backup.log"},
        {"backup-failed", "WSREP_SST: [ERROR] innobackupex finished with error: 1."},
        {"backup-login",
         "[00] 2026-01-01 00:00:00 Failed to connect to MariaDB server: Access denied for user 'sst'@'localhost' "
         "(using password: YES)."},
        {"backup-grants",
         "mariabackup: Error: failed to execute query FLUSH NO_WRITE_TO_BINLOG TABLES: Access denied; you need (at "
         "least one of) the RELOAD privilege(s) for this operation"},
        {"transfer-still-running", "WSREP_SST: [ERROR] previous SST script still running..."},
        {"transfer-port-in-use",
         "WSREP_SST: [ERROR] rsync or stunnel daemon port '4444' has been taken by another program"},
        {"incremental-failed",
         "[ERROR] WSREP: Receiving IST failed, node restart required: IST receiver reported failure"},
        {"cache-too-small", "[Note] WSREP: IST first seqno 5 not found from cache, falling back to SST"},
        {"cache-lost", "[Warning] WSREP: Failed to recover GCache ring buffer: no position"},
        {"inconsistent", "[ERROR] WSREP: Inconsistent by consensus on e8d0ed05-eb2f-11f1-be7f-ce0cfa3ff04e:7"},
        {"inconsistent", "[ERROR] WSREP: Node consistency compromized, aborting..."},
        {"prepared-transactions",
         "[ERROR] Found 1 prepared transactions! It means that server was not shut down properly last time"},
        {"prepared-transactions",
         "[ERROR] Found 12 prepared transactions! It means that mysqld was not shut down properly last time"},
        {"commit-log-damaged", "[ERROR] Can't init tc log"},
        {"state-file-unwritable",
         "[ERROR] WSREP: Could not open state file for writing: '/d/grastate.dat'. Check permissions and/or "
         "disk space.: 13 (Permission denied)"},
        {"state-file-locked",
         "[Warning] WSREP: Could not get exclusive lock on state file: /d/grastate.dat: Resource temporarily "
         "unavailable"},
        {"evicted",
         "[Warning] WSREP: handshake with 1a2b tcp://10.0.0.1:4567 failed: 'evicted' \"This node was evicted "
         "permanently from cluster, restart is required\""},
        {"evicted", "[ERROR] WSREP: exception from gcomm, backend must be restarted: this node has been evicted out of "
                    "the cluster, "
                    "gcomm backend restart is required"},
        {"install-timeout", "[Note] WSREP: evs::proto(1a2b, GATHER, view_id(REG,1,2)) install timer expired"},
        {"recovery-without-wsrep", "[Note] WSREP: disabled, skipping position recovery"},
        {"isolated", "[Warning] WSREP: evs::proto(1) max install timeouts reached, will isolate node for PT35S"},
        {"tls", "[Warning] WSREP: Handshake failed: wrong version number"},
        {"not-allowed", "[Warning] WSREP: Connection not allowed, IP 10.0.0.9 not found in allowlist."},
        {"upgrade-needed",
         "[ERROR] WSREP: Group requested gcs_proto_ver: 5, max supported by this node: 4. Upgrade the node before "
         "joining this group. Must abort."},
        {"transfer-address",
         "[ERROR] WSREP: Failed to guess base node address. Set it explicitly via wsrep_node_address."},
        {"provider-missing",
         "[ERROR] WSREP: wsrep_load(): dlopen(): /usr/lib/galera/libgalera_smm.so: cannot open shared object "
         "file: No such file or directory"},
        {"disk-full", "[ERROR] mysqld: Disk full (/tmp/#sql); waiting for someone to free some space... (errno: 28)"},
        {"disk-full", "[ERROR] InnoDB: Operating system error number 28 in a file operation."},
        {"permission", "[ERROR] InnoDB: Operating system error number 13 in a file operation."},
        {"permission", "[ERROR] InnoDB: The innodb_system data file 'ibdata1' must be writable"},
        {"permission",
         "[Warning] Can't create test file /var/lib/mysql/db1.lower-test (Errcode: 13 \"Permission denied\")"},
        {"datadir-missing",
         "[ERROR] mysqld: Can't change dir to '/srv/mysql/' (Errcode: 2 \"No such file or directory\")"},
        {"data-corrupt",
         "[ERROR] InnoDB: Database page corruption on disk or a failed read of file './ibdata1' page [page id: "
         "space=0, page number=5]. You may have to recover from a backup."},
        {"data-corrupt", "[ERROR] InnoDB: Invalid log header checksum"},
        {"data-corrupt", "[ERROR] InnoDB: ib_logfile0 is empty, and LSN is unknown."},
        {"data-corrupt", "[ERROR] InnoDB: Inconsistent tablespace ID in ./ibdata1"},
        {"data-corrupt", "[ERROR] InnoDB: Unable to apply log to corrupted page 7 in file ./ibdata1"},
        {"data-encrypted", "[ERROR] InnoDB: cannot enable encryption, encryption plugin is not available"},
        {"data-encrypted", "[ERROR] InnoDB: Encrypted page [page id: space=7, page number=3] in file ./d/t.ibd looks "
                           "corrupted; key_version=1"},
        {"data-misplaced", "[ERROR] InnoDB: Data file './ibdata1' uses page size 16384, but the innodb_page_size "
                           "start-up parameter is 8192"},
        {"data-misplaced", "[ERROR] InnoDB: The Auto-extending data file './ibdata1' is of a different size 768 pages "
                           "than specified by innodb_data_file_path"},
        {"data-misplaced", "[ERROR] InnoDB: File /srv/logs/ib_logfile0 was not found"},
        {"data-misplaced", "[ERROR] InnoDB: redo log file './ib_logfile0' exists. Creating system tablespace with "
                           "existing redo log file is not recommended."},
        {"innodb-forced", "[Note] InnoDB: !!! innodb_force_recovery is set to 6 !!!"},
        {"innodb-forced", "[Note] Plugin 'InnoDB' is disabled."},
        {"temporary-files", "[ERROR] InnoDB: Unable to create temporary file; errno: 2"},
        {"disk-full", "[ERROR] mariadbd: Can't create/write to file '/tmp/ib1' (Errcode: 28 \"No space left on "
                      "device\")"},
        {"option-unknown", "[ERROR] mariadbd: Error while setting value 'abc' to 'innodb-page-size'"},
        {"data-version",
         "[ERROR] InnoDB: Upgrade after a crash is not supported. The redo log was created with MySQL 5.7"},
        {"data-version", "[ERROR] InnoDB: Unsupported redo log format. The redo log was created with MariaDB 10.3."},
        {"datadir-in-use", "[ERROR] InnoDB: Unable to lock ./ibdata1 error: 11"},
        {"too-many-files", "[ERROR] InnoDB: Operating system error number 24 in a file operation."},
        {"out-of-memory", "[ERROR] InnoDB: mmap(137363456 bytes) failed; errno 12"},
        {"out-of-memory", "[ERROR] InnoDB: Cannot allocate memory for the buffer pool"},
        {"sql-port-in-use", "[ERROR] Can't start server: Bind on TCP/IP port. Got error: 98: Address already in use"},
        {"sql-port-in-use", "[ERROR] Do you already have another mysqld server running on port: 3306 ?"},
        {"run-as-root", "[ERROR] Please consult the Knowledge Base to find out how to run mysqld as root!"},
        {"option-unknown", "[ERROR] /usr/sbin/mariadbd: unknown option '--wsrep-ma'"},
        {"not-installed",
         "[ERROR] Could not open mysql.plugin table: \"Table 'mysql.plugin' doesn't exist\". Some plugins may be not "
         "loaded"},
        {"crashed", "260101  0:00:00 [ERROR] mysqld got signal 11 ;"},
        {"none", ""},
        {"none", "[Note] /usr/sbin/mariadbd: ready for connections."},
        {"none", "[Warning] Access denied for user 'app'@'10.0.0.9' (using password: YES)"},
        {"none", "[Note] /usr/sbin/mariadbd (initiated by: unknown): Normal shutdown"},
        {"none", "[Note] WSREP: restore pc from disk failed"},
    };

    (void)state;
    for (size_t i = 0; i < ROW_COUNT(rows); i++) {
        struct explanation explanation;
        bool known = explain(rows[i].line, &explanation);
        row_text(rows[i].line, known ? explanation.word : "none", rows[i].word);
        if (known)
            row_text(rows[i].line, explanation.line, rows[i].line);
    }
}

static void any_line(void **state)
{
    static const char log[] = "[Note] Starting MariaDB 10.11 source revision 1 as process 1\n"
                              "[ERROR] InnoDB: Missing FILE_CHECKPOINT(7) at 9\n"
                              "[Note] Starting MariaDB 10.11 source revision 1 as process 2\n"
                              "[Note] InnoDB: !!! innodb_force_recovery is set to 6 !!!\n"
                              "[ERROR] InnoDB: Operating system error number 28 in a file operation.\n";

    (void)state;
    assert_true(explain_finds(log, "disk-full"));
    assert_true(explain_finds(log, "innodb-forced"));
    assert_false(explain_finds(log, "data-corrupt"));
    assert_false(explain_finds("", "disk-full"));
}

static void most_telling_line(void **state)
{
#define START     "2026-01-01  0:00:00 0 [Note] Starting MariaDB 10.11.19-MariaDB source revision 1a2b as process 12\n"
#define OLD_START "2026-01-01  0:00:00 0 [Note] /usr/sbin/mysqld (server 10.5.8-MariaDB) starting as process 12 ...\n"
#define NAME      "[Note] WSREP: handshake failed, my group: 'a', peer group: 'b'\n"
#define PRIMARY   "[Note] WSREP: view(view_id(PRIM,4471f2a9-9168,1) memb {\n"
#define SYNCED    "[Note] WSREP: Synchronized with group, ready for connections\n"
#define VIEW      "[Note] WSREP: restore pc from disk successfully\n"
#define FULL      "[ERROR] InnoDB: Operating system error number 28 in a file operation.\n"
#define BROKEN    "[ERROR] WSREP: Process completed with error: wsrep_sst_rsync --role 'joiner': 32 (Broken pipe)\n"
    static const struct {
        const char *name;
        const char *log;
        const char *word;
        const char *line;
    } rows[] = {
        {"a cause outweighs what follows from it", FULL BROKEN, "disk-full",
         "[ERROR] InnoDB: Operating system error number 28 in a file operation."},
        {"in whatever order", BROKEN FULL, "disk-full",
         "[ERROR] InnoDB: Operating system error number 28 in a file operation."},
        {"of equals the last", NAME "[Note] WSREP: handshake failed, my group: 'a', peer group: 'c'\n",
         "wrong-cluster-name", "[Note] WSREP: handshake failed, my group: 'a', peer group: 'c'"},
        {"only since the last start", FULL START NAME, "wrong-cluster-name",
         "[Note] WSREP: handshake failed, my group: 'a', peer group: 'b'"},
        {"only since the last start of an older server", FULL OLD_START NAME, "wrong-cluster-name",
         "[Note] WSREP: handshake failed, my group: 'a', peer group: 'b'"},
        {"nothing since the last start", FULL START, "none", ""},
        {"cured by Synced", NAME VIEW SYNCED, "none", ""},
        {"a Primary view cures an old view", VIEW PRIMARY, "none", ""},
        {"... and nothing that it proves nothing about", VIEW NAME PRIMARY, "wrong-cluster-name",
         "[Note] WSREP: handshake failed, my group: 'a', peer group: 'b'"},
        {"nothing cures a full disk", FULL SYNCED, "disk-full",
         "[ERROR] InnoDB: Operating system error number 28 in a file operation."},
        {"trouble after the cure", VIEW SYNCED NAME, "wrong-cluster-name",
         "[Note] WSREP: handshake failed, my group: 'a', peer group: 'b'"},
        {"unknown: the last error", "[ERROR] one\n[ERROR] two\n[Note] three\n[ERROR] Aborting\n", "none",
         "[ERROR] two"},
        {"carriage returns", "[ERROR] one\r\n[ERROR] two\r\n", "none", "[ERROR] two"},
        {"no end of line", NAME "[ERROR] Aborting", "wrong-cluster-name",
         "[Note] WSREP: handshake failed, my group: 'a', peer group: 'b'"},
    };

    (void)state;
    for (size_t i = 0; i < ROW_COUNT(rows); i++) {
        struct explanation explanation;
        bool known = explain(rows[i].log, &explanation);
        row_text(rows[i].name, known ? explanation.word : "none", rows[i].word);
        row_text(rows[i].name, explanation.line, rows[i].line);
        row_true(rows[i].name, known == (explanation.word[0] != '\0'));
    }
}

static void long_line_is_cut_off(void **state)
{
    char log[2000];
    struct explanation explanation;

    (void)state;
    memset(log, 'x', sizeof log - 1);
    log[sizeof log - 1] = '\0';
    memcpy(log, "Disk is full ", 13);
    assert_true(explain(log, &explanation));
    assert_int_equal(strlen(explanation.line), sizeof explanation.line - 1);
    memset(log, 'x', 13);
    memcpy(log + sizeof log - 14, "Disk is full", 12);
    assert_true(explain(log, &explanation));
    assert_string_equal(explanation.word, "disk-full");
}

/* What people and scripts get to see: words of the usual form, each once; clauses that can stand in a sentence. */
static void rows_are_in_order(void **state)
{
    const struct explain_row *tables[] = {explain_group, explain_transfer, explain_server};
    const char *words[256];
    size_t count = 0;

    (void)state;
    for (size_t t = 0; t < ROW_COUNT(tables); t++) {
        for (const struct explain_row *row = tables[t]; row->word != NULL; row++) {
            row_number(row->word, strspn(row->word, "abcdefghijklmnopqrstuvwxyz-"), strlen(row->word));
            for (size_t w = 0; w < count; w++)
                row_true(row->word, strcmp(words[w], row->word) != 0);
            words[count++] = row->word;
            row_true(row->word, row->weight >= WEIGHT_HINT && row->weight <= WEIGHT_ROOT);
            row_true(row->word, row->patterns[0] != NULL && strlen(row->cause) > 10 && strlen(row->remedy) > 6);
            row_true(row->word,
                     row->cause[strlen(row->cause) - 1] != '.' && row->remedy[strlen(row->remedy) - 1] != '.');
            for (size_t p = 0; p < EXPLAIN_PATTERNS && row->patterns[p] != NULL; p++)
                row_true(row->patterns[p], strlen(row->patterns[p]) >= 6);
        }
    }
    assert_true(count >= 60);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(real_logs),
        cmocka_unit_test(wordings),
        cmocka_unit_test(any_line),
        cmocka_unit_test(most_telling_line),
        cmocka_unit_test(long_line_is_cut_off),
        cmocka_unit_test(rows_are_in_order),
    };

    return cmocka_run_group_tests_name("explain", tests, NULL, NULL);
}
