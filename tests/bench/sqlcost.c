/*
 * Which form of question costs the server least? Every candidate is asked in
 * batches, in turn within one run; the server's processor time is read from its
 * process clock before and after each batch, so the table shows what one
 * question takes from mysqld, beside what the client waits for it.
 *
 * The server must run on this machine and this user must be let in.
 */
#include "sample.h"

#include <errno.h>
#include <getopt.h>
#include <mysql.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define STATUS_NAMES                                                                                                   \
    "'wsrep_local_state','wsrep_local_state_comment','wsrep_cluster_status',"                                          \
    "'wsrep_ready','wsrep_connected','wsrep_cluster_size','wsrep_local_index',"                                        \
    "'wsrep_local_recv_queue','wsrep_flow_control_paused'"
#define VARIABLE_NAMES                                                                                                 \
    "'wsrep_on','wsrep_reject_queries','wsrep_desync','wsrep_sst_method',"                                             \
    "'wsrep_sst_donor_rejects_queries','read_only','pxc_maint_mode','version',"                                        \
    "'wsrep_provider'"
/* As SHOW would write them: ON and OFF for what SELECT gives as 1 and 0. */
#define VARIABLE_SELECT                                                                                                \
    "SELECT IF(@@GLOBAL.wsrep_on,'ON','OFF') AS wsrep_on,@@GLOBAL.wsrep_reject_queries AS "                            \
    "wsrep_reject_queries,"                                                                                            \
    "IF(@@GLOBAL.wsrep_desync,'ON','OFF') AS wsrep_desync,@@GLOBAL.wsrep_sst_method AS wsrep_sst_method,"              \
    "IF(@@GLOBAL.wsrep_sst_donor_rejects_queries,'ON','OFF') AS wsrep_sst_donor_rejects_queries,"                      \
    "IF(CONCAT(@@GLOBAL.read_only) IN ('0','OFF'),'OFF','ON') AS read_only,@@GLOBAL.version AS version,"               \
    "@@GLOBAL.wsrep_provider AS wsrep_provider"
#define NO_WAIT "SET SESSION wsrep_sync_wait=0;"

enum { IDLE_MAX = 10000, ERROR_SIZE = 160 };

struct candidate {
    const char *name;
    const char *text;
    struct sample wall; /* ns a question */
    struct sample cpu;  /* ns of mysqld a question */
    uint64_t rows;
    uint64_t bytes;
    char error[ERROR_SIZE];
};

/* clang-format off */
static struct candidate candidates[] = {
	{ .name = "ping", .text = "DO 0" },
	{ .name = "set-only", .text = "SET SESSION wsrep_sync_wait=0" },
	{ .name = "status-global-in", .text = NO_WAIT
	  "SHOW GLOBAL STATUS WHERE Variable_name IN (" STATUS_NAMES ")" },
	{ .name = "status-session-in", .text = NO_WAIT
	  "SHOW SESSION STATUS WHERE Variable_name IN (" STATUS_NAMES ")" },
	{ .name = "status-session-like", .text = NO_WAIT
	  "SHOW SESSION STATUS LIKE 'wsrep\\_%'" },
	{ .name = "status-like-local-state", .text = NO_WAIT
	  "SHOW SESSION STATUS LIKE 'wsrep\\_local\\_state'" },
	{ .name = "status-is-eq", .text = NO_WAIT
	  "SELECT VARIABLE_VALUE FROM information_schema.SESSION_STATUS "
	  "WHERE VARIABLE_NAME='wsrep_local_state'" },
	{ .name = "variables-global-in", .text = NO_WAIT
	  "SHOW GLOBAL VARIABLES WHERE Variable_name IN (" VARIABLE_NAMES ")" },
	{ .name = "variables-session-in", .text = NO_WAIT
	  "SHOW SESSION VARIABLES WHERE Variable_name IN (" VARIABLE_NAMES ")" },
	{ .name = "variables-like-wsrep", .text = NO_WAIT
	  "SHOW GLOBAL VARIABLES LIKE 'wsrep\\_%'" },
	{ .name = "variables-like-one", .text = NO_WAIT
	  "SHOW GLOBAL VARIABLES LIKE 'read\\_only'" },
	{ .name = "variables-select", .text = NO_WAIT VARIABLE_SELECT },
	{ .name = "a global-in+in", .text = NO_WAIT
	  "SHOW GLOBAL STATUS WHERE Variable_name IN (" STATUS_NAMES ");"
	  "SHOW GLOBAL VARIABLES WHERE Variable_name IN (" VARIABLE_NAMES ")" },
	{ .name = "a' session-in+in", .text = NO_WAIT
	  "SHOW SESSION STATUS WHERE Variable_name IN (" STATUS_NAMES ");"
	  "SHOW GLOBAL VARIABLES WHERE Variable_name IN (" VARIABLE_NAMES ")" },
	{ .name = "b session-like+in", .text = NO_WAIT
	  "SHOW SESSION STATUS LIKE 'wsrep\\_%';"
	  "SHOW GLOBAL VARIABLES WHERE Variable_name IN (" VARIABLE_NAMES ")" },
	{ .name = "c session-like+select", .text = NO_WAIT
	  "SHOW SESSION STATUS LIKE 'wsrep\\_%';" VARIABLE_SELECT },
	{ .name = "c' session-in+select", .text = NO_WAIT
	  "SHOW SESSION STATUS WHERE Variable_name IN (" STATUS_NAMES ");" VARIABLE_SELECT },
	{ .name = "d is-union", .text = NO_WAIT
	  "SELECT VARIABLE_NAME,VARIABLE_VALUE FROM information_schema.SESSION_STATUS "
	  "WHERE VARIABLE_NAME IN (" STATUS_NAMES ") UNION ALL "
	  "SELECT VARIABLE_NAME,VARIABLE_VALUE FROM information_schema.GLOBAL_VARIABLES "
	  "WHERE VARIABLE_NAME IN (" VARIABLE_NAMES ")" },
	{ .name = "e set-statement", .text =
	  "SET STATEMENT wsrep_sync_wait=0 FOR "
	  "SHOW GLOBAL STATUS WHERE Variable_name IN (" STATUS_NAMES ")" },
};
/* clang-format on */

enum { CANDIDATES = sizeof candidates / sizeof candidates[0] };

struct options {
    const char *socket;
    const char *host;
    const char *user;
    const char *password;
    uint64_t port;
    uint64_t pid;
    uint64_t batches;
    uint64_t batch;
    uint64_t idle;
    bool connect;
    bool json;
    const char *only;
    const char *extra;
};

static const char usage_text[] =
    "usage: sqlcost [OPTION]...\n"
    "Compares forms of the question \"how is this node\" by what they cost the server.\n"
    "  -S, --socket PATH    Unix socket of the server\n"
    "  -H, --host ADDRESS   or its address, with -P, --port N (default 3306)\n"
    "  -u, --user NAME      user (default root); the password is in SQLCOST_PASSWORD\n"
    "  -p, --pid PID        the server's process (default: asked for its pid_file)\n"
    "  -n, --batches N      batches of every candidate (default 60)\n"
    "  -b, --batch N        questions in a batch (default 50)\n"
    "  -i, --idle N         other connections kept open, doing nothing (default 0)\n"
    "  -c, --connect        connect anew for every question, as a one-shot check does\n"
    "  -o, --only TEXT      only candidates whose name contains TEXT\n"
    "  -x, --extra SQL      one more candidate, called \"extra\"\n"
    "  -j, --json           print JSON\n"
    "Exit: 0, or 1 when a candidate failed; 2 cannot connect, 64 usage, 70 internal error.\n";

static MYSQL *server_connect(const struct options *o)
{
    MYSQL *link = mysql_init(NULL);
    if (!link)
        bench_die(70, "mysql_init: out of memory");
    unsigned int seconds = 10;
    mysql_options(link, MYSQL_OPT_READ_TIMEOUT, &seconds);
    mysql_options(link, MYSQL_OPT_WRITE_TIMEOUT, &seconds);
    if (!mysql_real_connect(link, o->host, o->user, o->password, NULL, (unsigned int)o->port, o->socket,
                            CLIENT_MULTI_STATEMENTS))
        bench_die(2, "cannot connect: %s", mysql_error(link));
    return link;
}

/* Asks once and reads every result; false with the error kept in the candidate. */
static bool question_ask(MYSQL *link, struct candidate *c, bool measure)
{
    uint64_t rows = 0;
    uint64_t bytes = 0;
    int rc = mysql_real_query(link, c->text, (unsigned long)strlen(c->text));
    while (rc == 0) {
        MYSQL_RES *result = mysql_store_result(link);
        if (result) {
            unsigned int fields = mysql_num_fields(result);
            while (mysql_fetch_row(result)) {
                const unsigned long *lengths = mysql_fetch_lengths(result);
                rows++;
                for (unsigned int i = 0; i < fields; i++)
                    bytes += lengths[i];
            }
            mysql_free_result(result);
        } else if (mysql_field_count(link) != 0) {
            break;
        }
        rc = mysql_next_result(link);
    }
    if (mysql_errno(link) != 0) {
        (void)snprintf(c->error, sizeof c->error, "%u %s", mysql_errno(link), mysql_error(link));
        return false;
    }
    if (measure) {
        c->rows = rows;
        c->bytes = bytes;
    }
    return true;
}

static uint64_t server_clock(clockid_t clock)
{
    struct timespec used;
    if (clock_gettime(clock, &used) != 0)
        bench_die(70, "the server's clock: %s", strerror(errno));
    return (uint64_t)used.tv_sec * 1000000000U + (uint64_t)used.tv_nsec;
}

static void pause_ms(long milliseconds)
{
    struct timespec span = {.tv_nsec = milliseconds * 1000000L};
    (void)nanosleep(&span, NULL);
}

/* Asks the server where it keeps its process number. */
static uint64_t server_pid(MYSQL *link)
{
    static const char question[] = "SHOW GLOBAL VARIABLES LIKE 'pid\\_file'";
    char line[32] = "";
    if (mysql_real_query(link, question, sizeof question - 1) != 0)
        bench_die(2, "pid_file: %s", mysql_error(link));
    MYSQL_RES *result = mysql_store_result(link);
    MYSQL_ROW row = result ? mysql_fetch_row(result) : NULL;
    FILE *file = row && row[1] ? fopen(row[1], "re") : NULL;
    uint64_t pid = 0;
    if (file) {
        if (fgets(line, sizeof line, file))
            line[strcspn(line, "\n")] = '\0';
        (void)fclose(file);
    }
    mysql_free_result(result);
    if (!number_parse(line, 1, INT32_MAX, &pid))
        bench_die(2, "cannot read the server's pid file; use --pid");
    return pid;
}

static void batch_run(MYSQL *link, struct candidate *c, const struct options *o, clockid_t clock)
{
    /* What the last candidate left to do must not be this one's. */
    pause_ms(2);
    uint64_t cpu = server_clock(clock);
    uint64_t spent = 0;
    for (uint64_t i = 0; i < o->batch && c->error[0] == '\0'; i++) {
        uint64_t start = clock_now();
        MYSQL *asked = o->connect ? server_connect(o) : link;
        (void)question_ask(asked, c, true);
        uint64_t took = clock_now() - start;
        if (o->connect)
            mysql_close(asked);
        sample_add(&c->wall, took);
        spent += took;
    }
    if (o->connect)
        pause_ms(2);
    if (c->error[0] == '\0' && spent > 0)
        sample_add(&c->cpu, (server_clock(clock) - cpu) / o->batch);
}

static bool candidate_wanted(const struct candidate *c, const struct options *o)
{
    return c->text && (!o->only || strstr(c->name, o->only) != NULL);
}

static void report(struct candidate *all, size_t count, const struct options *o)
{
    uint64_t least = 0;
    if (!o->json) {
        printf("%-24s  %9s  %9s  %9s  %6s  %6s\n", "question", "mysqld us", "median us", "p99 us", "rows", "bytes");
    } else {
        printf("{\"idle\":%llu,\"connect\":%s,\"questions\":[", (unsigned long long)o->idle,
               o->connect ? "true" : "false");
    }
    for (size_t i = 0; i < count; i++) {
        struct candidate *c = &all[i];
        if (!candidate_wanted(c, o))
            continue;
        double cpu = (double)sample_quantile(&c->cpu, 500) / 1e3;
        double wall = (double)sample_quantile(&c->wall, 500) / 1e3;
        double tail = (double)sample_quantile(&c->wall, 990) / 1e3;
        if (o->json) {
            printf("%s{\"name\":", least++ ? "," : "");
            json_string(stdout, c->name);
            printf(",\"mysqld_us\":%.1f,\"wall_us\":{\"p50\":%.1f,\"p99\":%.1f},\"rows\":%llu,"
                   "\"bytes\":%llu,\"error\":",
                   cpu, wall, tail, (unsigned long long)c->rows, (unsigned long long)c->bytes);
            json_string(stdout, c->error);
            putchar('}');
        } else if (c->error[0]) {
            printf("%-24s  error %s\n", c->name, c->error);
        } else {
            printf("%-24s  %9.1f  %9.1f  %9.1f  %6llu  %6llu\n", c->name, cpu, wall, tail, (unsigned long long)c->rows,
                   (unsigned long long)c->bytes);
        }
    }
    if (o->json)
        printf("]}\n");
}

static uint64_t number_option(const char *name, const char *text, uint64_t least, uint64_t most)
{
    uint64_t value = 0;
    if (!number_parse(text, least, most, &value)) {
        bench_die(64, "--%s %s: want %llu to %llu", name, text, (unsigned long long)least, (unsigned long long)most);
    }
    return value;
}

static void options_read(int argc, char **argv, struct options *o)
{
    static const struct option longs[] = {
        {"socket", required_argument, NULL, 'S'}, {"host", required_argument, NULL, 'H'},
        {"port", required_argument, NULL, 'P'},   {"user", required_argument, NULL, 'u'},
        {"pid", required_argument, NULL, 'p'},    {"batches", required_argument, NULL, 'n'},
        {"batch", required_argument, NULL, 'b'},  {"idle", required_argument, NULL, 'i'},
        {"connect", no_argument, NULL, 'c'},      {"only", required_argument, NULL, 'o'},
        {"extra", required_argument, NULL, 'x'},  {"json", no_argument, NULL, 'j'},
        {"help", no_argument, NULL, 'h'},         {NULL, 0, NULL, 0},
    };
    int letter;
    while ((letter = getopt_long(argc, argv, "S:H:P:u:p:n:b:i:co:x:jh", longs, NULL)) != -1) {
        switch (letter) {
        case 'S':
            o->socket = optarg;
            break;
        case 'H':
            o->host = optarg;
            break;
        case 'P':
            o->port = number_option("port", optarg, 1, 65535);
            break;
        case 'u':
            o->user = optarg;
            break;
        case 'p':
            o->pid = number_option("pid", optarg, 1, INT32_MAX);
            break;
        case 'n':
            o->batches = number_option("batches", optarg, 1, 100000);
            break;
        case 'b':
            o->batch = number_option("batch", optarg, 1, 100000);
            break;
        case 'i':
            o->idle = number_option("idle", optarg, 0, IDLE_MAX);
            break;
        case 'c':
            o->connect = true;
            break;
        case 'o':
            o->only = optarg;
            break;
        case 'x':
            o->extra = optarg;
            break;
        case 'j':
            o->json = true;
            break;
        case 'h':
            (void)fputs(usage_text, stdout);
            exit(0);
        default:
            (void)fputs(usage_text, stderr);
            exit(64);
        }
    }
    if (optind < argc)
        bench_die(64, "%s: not an option", argv[optind]);
    o->password = getenv("SQLCOST_PASSWORD");
}

int main(int argc, char **argv)
{
    struct options o = {.user = "root", .port = 3306, .batches = 60, .batch = 50};
    options_read(argc, argv, &o);

    static struct candidate all[CANDIDATES + 1];
    memcpy(all, candidates, sizeof candidates);
    all[CANDIDATES] = (struct candidate){.name = "extra", .text = o.extra};

    MYSQL *link = server_connect(&o);
    clockid_t clock;
    uint64_t pid = o.pid ? o.pid : server_pid(link);
    int rc = clock_getcpuclockid((pid_t)pid, &clock);
    if (rc != 0)
        bench_die(2, "process %llu: %s", (unsigned long long)pid, strerror(rc));

    static MYSQL *idle[IDLE_MAX];
    for (uint64_t i = 0; i < o.idle; i++)
        idle[i] = server_connect(&o);

    /* A candidate that this server refuses is left out of the batches. */
    int code = 0;
    for (size_t i = 0; i <= CANDIDATES; i++) {
        if (candidate_wanted(&all[i], &o) && !question_ask(link, &all[i], true)) {
            mysql_close(link);
            link = server_connect(&o);
            code = 1;
        }
    }
    for (uint64_t n = 0; n < o.batches; n++) {
        for (size_t i = 0; i <= CANDIDATES; i++) {
            if (candidate_wanted(&all[i], &o) && all[i].error[0] == '\0')
                batch_run(link, &all[i], &o, clock);
        }
    }
    report(all, CANDIDATES + 1, &o);

    for (uint64_t i = 0; i < o.idle; i++)
        mysql_close(idle[i]);
    mysql_close(link);
    for (size_t i = 0; i <= CANDIDATES; i++) {
        sample_free(&all[i].wall);
        sample_free(&all[i].cpu);
    }
    return fflush(stdout) == 0 ? code : 70;
}
