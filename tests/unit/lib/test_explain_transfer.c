#include "../row.h"
#include "explain.h"
#include "support/logs.h"

#define START    "2026-01-01  0:00:00 0 [Note] Starting MariaDB 10.11.19-MariaDB source revision 1a2b as process 12\n"
#define SYNCED   "[Note] WSREP: Synchronized with group, ready for connections\n"
#define BROKEN   "[ERROR] WSREP: Process completed with error: wsrep_sst_rsync --role 'joiner': 32 (Broken pipe)\n"
#define REQUIRED "[Note] WSREP: State transfer required: \n\tGroup state: e8d0ed05:7\n\tLocal state: 00000000:-1\n"
#define RUNNING  "[Note] WSREP: Running: 'wsrep_sst_mariabackup --role 'joiner' --address '10.0.0.2:4444' --parent 9'\n"
#define SELECTED                                                                                                       \
    "[Note] WSREP: Member 1.0 (n2) requested state transfer from '*any*'. Selected 0.0 (n1)(SYNCED) as donor.\n"
#define OTHERS                                                                                                         \
    "[Note] WSREP: Member 2.0 (n3) requested state transfer from '*any*'. Selected 3.0 (n4)(SYNCED) as donor.\n"
#define SUCCESS     "[Note] WSREP: Requesting state transfer: success, donor: 0\n"
#define NO_POSITION "[Note] WSREP: ####### IST uuid:00000000-0000-0000-0000-000000000000 f: 0, l: 10, STRv: 3\n"
#define ASKED       REQUIRED RUNNING SELECTED SUCCESS
#define RECEIVING   "WSREP_SST: [INFO] Proceeding with SST (20260101 00:00:00.000)\n"
#define PREPARING   "WSREP_SST: [INFO] Preparing the backup at /var/lib/mysql/.sst (20260101 00:00:00.000)\n"

static void transfers(void **state)
{
    static const struct {
        const char *name;
        const char *log;
        struct transfer expected;
    } rows[] = {
        {"empty", "", {TRANSFER_NONE, "", "", -1}},
        {"of others", OTHERS, {TRANSFER_NONE, "", "", -1}},
        {"a donor", SELECTED "WSREP_SST: [ERROR] Cleanup after exit with status: 22\n", {TRANSFER_NONE, "", "", -1}},
        {"required", REQUIRED RUNNING, {TRANSFER_REQUESTED, "", "mariabackup", -1}},
        {"granted", ASKED, {TRANSFER_REQUESTED, "n1", "mariabackup", -1}},
        {"another's donor is not ours", REQUIRED RUNNING OTHERS SUCCESS, {TRANSFER_REQUESTED, "", "mariabackup", -1}},
        {"receiving", ASKED RECEIVING, {TRANSFER_SST_RECEIVING, "n1", "mariabackup", -1}},
        {"granted, and an IST will not do",
         REQUIRED RUNNING NO_POSITION SELECTED SUCCESS,
         {TRANSFER_SST_RECEIVING, "n1", "mariabackup", -1}},
        {"not granted, and an IST will not do",
         REQUIRED RUNNING NO_POSITION,
         {TRANSFER_REQUESTED, "", "mariabackup", -1}},
        {"preparing", ASKED RECEIVING PREPARING, {TRANSFER_SST_PREPARING, "n1", "mariabackup", -1}},
        {"done", ASKED RECEIVING PREPARING SYNCED, {TRANSFER_DONE, "n1", "mariabackup", -1}},
        {"IST begins",
         ASKED "[Note] WSREP: Receiving IST: 2002 writesets, seqnos 3-2005\n",
         {TRANSFER_IST, "n1", "mariabackup", 0}},
        {"IST goes on",
         ASKED "[Note] WSREP: Receiving IST...  9.9% ( 199/2002 events) complete.\n",
         {TRANSFER_IST, "n1", "mariabackup", 9}},
        {"IST is over",
         ASKED "[Note] WSREP: Receiving IST...100.0% (2002/2002 events) complete.\n",
         {TRANSFER_IST, "n1", "mariabackup", 100}},
        {"IST without a figure",
         ASKED "[Note] WSREP: Receiving IST... -nan% (0/0 events) complete.\n",
         {TRANSFER_IST, "n1", "mariabackup", -1}},
        {"IST by the script's word",
         ASKED "WSREP_SST: [INFO] 'xtrabackup_ist' received from donor: Running IST\n",
         {TRANSFER_IST, "n1", "mariabackup", -1}},
        {"the donor failed",
         ASKED RECEIVING "[ERROR] WSREP: Will never receive state. Need to abort.\n",
         {TRANSFER_FAILED, "n1", "mariabackup", -1}},
        {"the script failed",
         ASKED "WSREP_SST: [ERROR] Cleanup after exit with status: 32\n",
         {TRANSFER_FAILED, "n1", "mariabackup", -1}},
        {"failed stays failed", ASKED BROKEN RECEIVING, {TRANSFER_FAILED, "n1", "mariabackup", -1}},
        {"until it is tried again", ASKED BROKEN REQUIRED, {TRANSFER_REQUESTED, "", "", -1}},
        {"only since the last start", ASKED RECEIVING START, {TRANSFER_NONE, "", "", -1}},
        {"Percona",
         REQUIRED "[Note] [WSREP] Initiating SST/IST transfer on JOINER side (wsrep_sst_xtrabackup-v2 --role 'joiner' "
                  "--address '10.0.0.2')\n" SELECTED SUCCESS "[WSREP-SST] Proceeding with SST.........\n",
         {TRANSFER_SST_RECEIVING, "n1", "xtrabackup-v2", -1}},
        {"a name that is too long for a node",
         REQUIRED "[Note] WSREP: Member 1.0 (n2) requested state transfer from 'x'. Selected 0.0 "
                  "(xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx)(SYNCED) as "
                  "donor.\n" SUCCESS,
         {TRANSFER_REQUESTED, "", "", -1}},
    };

    (void)state;
    for (size_t i = 0; i < ROW_COUNT(rows); i++) {
        struct transfer transfer = transfer_read(rows[i].log);
        row_text(rows[i].name, transfer_stage_word(transfer.stage), transfer_stage_word(rows[i].expected.stage));
        row_text(rows[i].name, transfer.donor, rows[i].expected.donor);
        row_text(rows[i].name, transfer.method, rows[i].expected.method);
        row_number(rows[i].name, transfer.percent, rows[i].expected.percent);
    }
}

/* The same log cut off after each of its lines: the stages in the order in which they were seen. */
static void stages_of(const char *file, const char *expected)
{
    char *log = log_read(file);
    char seen[200] = "";
    enum transfer_stage last = TRANSFER_NONE;

    for (char *end = strchr(log, '\n'); end != NULL; end = strchr(end + 1, '\n')) {
        char kept = end[1];
        end[1] = '\0';
        struct transfer transfer = transfer_read(log);
        end[1] = kept;
        if (transfer.stage == last)
            continue;
        last = transfer.stage;
        size_t length = strlen(seen);
        snprintf(seen + length, sizeof seen - length, "%s%s", length == 0 ? "" : " ", transfer_stage_word(last));
    }
    row_text(file, seen, expected);
    free(log);
}

static void real_transfers(void **state)
{
    (void)state;
    stages_of("none.joiner-sst", "requested sst-receiving sst-preparing ist done");
    stages_of("none.joiner-ist", "requested ist done");
    stages_of("none.joiner-rsync", "requested sst-receiving sst-preparing ist done");
    stages_of("none.bootstrap", "");
    stages_of("donor-failed.joiner-wrong-auth", "requested sst-receiving failed");
    stages_of("donor-left.killed", "requested sst-receiving failed");
    stages_of("donor-unknown.26.4.23", "requested failed");
    stages_of("transfer-port-in-use.socat", "requested failed");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(transfers),
        cmocka_unit_test(real_transfers),
    };

    return cmocka_run_group_tests_name("explain_transfer", tests, NULL, NULL);
}
