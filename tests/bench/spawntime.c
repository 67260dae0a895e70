/*
 * Runs several commands many times, in turn within one run so that a drift of
 * the machine touches all of them alike, and compares what each one costs.
 *
 * The peak memory is wait4's ru_maxrss. The kernel counts the memory of the
 * process a child was spawned from as well, so no child can show less than
 * this program itself uses; that floor is printed.
 */
#include "sample.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <limits.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

enum { COMMANDS_MAX = 32, EXIT_ANY = -1 };

struct command {
    char **argv;
    const char *label;
    struct sample wall; /* ns */
    struct sample cpu;  /* us, user and system */
    long rss_kib;
    uint64_t failures;
    int odd_status; /* the first unexpected one, as waitpid gives it */
};

struct options {
    uint64_t runs;
    uint64_t warmup;
    int expected_exit;
    bool json;
    bool verbose;
};

static const char usage_text[] = "usage: spawntime [OPTION]... -- COMMAND [ARG]... [::: COMMAND [ARG]...]...\n"
                                 "Runs the commands in turn and compares their cost with the first one's.\n"
                                 "  -n, --runs N       runs of each command (default 300)\n"
                                 "  -w, --warmup N     further runs before, not counted (default 5)\n"
                                 "  -e, --exit CODE    the only good exit code (default: any but 126 and 127)\n"
                                 "  -l, --label NAME   name of the next command in the table\n"
                                 "  -j, --json         print JSON\n"
                                 "  -v, --verbose      leave the commands their standard error\n"
                                 "Exit: 0 all runs good, 1 some failed, 64 usage, 70 internal error.\n";

static void usage(FILE *out)
{
    (void)fputs(usage_text, out);
}

static bool status_good(int status, int expected)
{
    if (!WIFEXITED(status))
        return false;
    int code = WEXITSTATUS(status);
    return expected == EXIT_ANY ? code != 126 && code != 127 : code == expected;
}

static void command_run(struct command *c, const struct options *o, const posix_spawn_file_actions_t *actions,
                        const posix_spawnattr_t *attributes, bool counted)
{
    pid_t pid;
    int status;
    struct rusage used;
    uint64_t start = clock_now();
    int rc = posix_spawnp(&pid, c->argv[0], actions, attributes, c->argv, environ);
    if (rc != 0)
        bench_die(64, "cannot run %s: %s", c->argv[0], strerror(rc));
    while (wait4(pid, &status, 0, &used) < 0) {
        if (errno != EINTR)
            bench_die(70, "wait4: %s", strerror(errno));
    }
    uint64_t end = clock_now();
    if (!status_good(status, o->expected_exit)) {
        if (c->failures++ == 0)
            c->odd_status = status;
    }
    if (!counted)
        return;
    sample_add(&c->wall, end - start);
    sample_add(&c->cpu, (uint64_t)(used.ru_utime.tv_sec + used.ru_stime.tv_sec) * 1000000U +
                            (uint64_t)(used.ru_utime.tv_usec + used.ru_stime.tv_usec));
    if (used.ru_maxrss > c->rss_kib)
        c->rss_kib = used.ru_maxrss;
}

/* Splits argv at ":::"; the list of arguments is cut in place. */
static size_t commands_split(char **argv, const char **labels, size_t label_count, struct command *commands)
{
    size_t count = 0;
    char **start = argv;
    for (char **p = argv;; p++) {
        bool end = *p == NULL;
        if (!end && strcmp(*p, ":::") != 0)
            continue;
        if (p == start)
            bench_die(64, "empty command (see --help)");
        if (count == COMMANDS_MAX)
            bench_die(64, "more than %d commands", COMMANDS_MAX);
        *p = NULL;
        commands[count].argv = start;
        commands[count].label = count < label_count ? labels[count] : start[0];
        count++;
        if (end)
            return count;
        start = p + 1;
    }
}

static double ratio_to(uint64_t value, uint64_t base)
{
    return base ? (double)value / (double)base : 0;
}

static void command_explain(const struct command *c)
{
    char what[64];
    if (WIFEXITED(c->odd_status)) {
        (void)snprintf(what, sizeof what, "exit code %d", WEXITSTATUS(c->odd_status));
    } else {
        (void)snprintf(what, sizeof what, "signal %d", WTERMSIG(c->odd_status));
    }
    fprintf(stderr, "spawntime: %s: %llu failed runs, the first with %s\n", c->label, (unsigned long long)c->failures,
            what);
}

static void report_text(struct command *commands, size_t count, long floor_kib)
{
    int width = 7;
    for (size_t i = 0; i < count; i++) {
        int length = (int)strlen(commands[i].label);
        width = length > width ? length : width;
    }
    printf("%-*s  %6s  %9s  %9s  %6s  %9s  %6s  %9s  %6s\n", width, "command", "runs", "median us", "p99 us", "ratio",
           "cpu us", "ratio", "max KiB", "failed");
    for (size_t i = 0; i < count; i++) {
        struct command *c = &commands[i];
        uint64_t wall = sample_quantile(&c->wall, 500);
        uint64_t cpu = sample_quantile(&c->cpu, 500);
        printf("%-*s  %6zu  %9.0f  %9.0f  %6.2f  %9llu  %6.2f  %9ld  %6llu\n", width, c->label, c->wall.count,
               (double)wall / 1e3, (double)sample_quantile(&c->wall, 990) / 1e3,
               ratio_to(wall, sample_quantile(&commands[0].wall, 500)), (unsigned long long)cpu,
               ratio_to(cpu, sample_quantile(&commands[0].cpu, 500)), c->rss_kib, (unsigned long long)c->failures);
    }
    printf("no command can show less memory than %ld KiB, spawntime's own\n", floor_kib);
}

static void report_json(struct command *commands, size_t count, long floor_kib)
{
    printf("{\"rss_floor_kib\":%ld,\"commands\":[", floor_kib);
    for (size_t i = 0; i < count; i++) {
        struct command *c = &commands[i];
        uint64_t wall = sample_quantile(&c->wall, 500);
        uint64_t cpu = sample_quantile(&c->cpu, 500);
        printf("%s{\"name\":", i ? "," : "");
        json_string(stdout, c->label);
        printf(",\"runs\":%zu,\"failures\":%llu,\"wall_us\":{\"p50\":%.1f,\"p99\":%.1f,\"mean\":%.1f},"
               "\"cpu_us\":{\"p50\":%llu,\"mean\":%.1f},\"max_rss_kib\":%ld,"
               "\"wall_ratio\":%.3f,\"cpu_ratio\":%.3f}",
               c->wall.count, (unsigned long long)c->failures, (double)wall / 1e3,
               (double)sample_quantile(&c->wall, 990) / 1e3, sample_mean(&c->wall) / 1e3, (unsigned long long)cpu,
               sample_mean(&c->cpu), c->rss_kib, ratio_to(wall, sample_quantile(&commands[0].wall, 500)),
               ratio_to(cpu, sample_quantile(&commands[0].cpu, 500)));
    }
    printf("]}\n");
}

static void options_read(int argc, char **argv, struct options *o, const char **labels, size_t *label_count)
{
    static const struct option longs[] = {
        {"runs", required_argument, NULL, 'n'}, {"warmup", required_argument, NULL, 'w'},
        {"exit", required_argument, NULL, 'e'}, {"label", required_argument, NULL, 'l'},
        {"json", no_argument, NULL, 'j'},       {"verbose", no_argument, NULL, 'v'},
        {"help", no_argument, NULL, 'h'},       {NULL, 0, NULL, 0},
    };
    uint64_t number = 0;
    int letter;
    while ((letter = getopt_long(argc, argv, "+n:w:e:l:jvh", longs, NULL)) != -1) {
        switch (letter) {
        case 'n':
            if (!number_parse(optarg, 1, 1000000, &o->runs))
                bench_die(64, "--runs %s: want 1 to 1000000", optarg);
            break;
        case 'w':
            if (!number_parse(optarg, 0, 1000000, &o->warmup))
                bench_die(64, "--warmup %s: want 0 to 1000000", optarg);
            break;
        case 'e':
            if (!number_parse(optarg, 0, 255, &number))
                bench_die(64, "--exit %s: want 0 to 255", optarg);
            o->expected_exit = (int)number;
            break;
        case 'l':
            if (*label_count == COMMANDS_MAX)
                bench_die(64, "more than %d labels", COMMANDS_MAX);
            labels[(*label_count)++] = optarg;
            break;
        case 'j':
            o->json = true;
            break;
        case 'v':
            o->verbose = true;
            break;
        case 'h':
            usage(stdout);
            exit(0);
        default:
            usage(stderr);
            exit(64);
        }
    }
}

/* The children read nothing and are not heard; signals are theirs as usual. */
static void spawn_prepare(const struct options *o, posix_spawn_file_actions_t *actions, posix_spawnattr_t *attributes)
{
    sigset_t none;
    (void)sigemptyset(&none);
    int rc = posix_spawn_file_actions_init(actions);
    if (rc == 0)
        rc = posix_spawn_file_actions_addopen(actions, 0, "/dev/null", O_RDONLY, 0);
    if (rc == 0)
        rc = posix_spawn_file_actions_addopen(actions, 1, "/dev/null", O_WRONLY, 0);
    if (rc == 0 && !o->verbose)
        rc = posix_spawn_file_actions_addopen(actions, 2, "/dev/null", O_WRONLY, 0);
    if (rc == 0)
        rc = posix_spawnattr_init(attributes);
    if (rc == 0)
        rc = posix_spawnattr_setsigmask(attributes, &none);
    if (rc == 0)
        rc = posix_spawnattr_setflags(attributes, POSIX_SPAWN_SETSIGMASK);
    if (rc != 0)
        bench_die(70, "cannot prepare to spawn: %s", strerror(rc));
}

/* What this process has used at most, in KiB; wait4's figure would include whoever started it. */
static long own_peak(void)
{
    FILE *file = fopen("/proc/self/status", "re");
    char line[256];
    uint64_t kib = 0;
    while (file && fgets(line, sizeof line, file)) {
        if (strncmp(line, "VmHWM:", 6) != 0)
            continue;
        char *digits = line + 6 + strspn(line + 6, " \t");
        digits[strspn(digits, "0123456789")] = '\0';
        (void)number_parse(digits, 0, LONG_MAX, &kib);
    }
    if (file)
        (void)fclose(file);
    return (long)kib;
}

int main(int argc, char **argv)
{
    struct options o = {.runs = 300, .warmup = 5, .expected_exit = EXIT_ANY};
    const char *labels[COMMANDS_MAX] = {NULL};
    size_t label_count = 0;
    options_read(argc, argv, &o, labels, &label_count);

    static struct command commands[COMMANDS_MAX];
    size_t count = commands_split(argv + optind, labels, label_count, commands);

    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    spawn_prepare(&o, &actions, &attributes);
    for (uint64_t run = 0; run < o.warmup + o.runs; run++) {
        for (size_t i = 0; i < count; i++)
            command_run(&commands[i], &o, &actions, &attributes, run >= o.warmup);
    }
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&actions);

    if (o.json) {
        report_json(commands, count, own_peak());
    } else {
        report_text(commands, count, own_peak());
    }

    int code = 0;
    for (size_t i = 0; i < count; i++) {
        if (commands[i].failures) {
            command_explain(&commands[i]);
            code = 1;
        }
        sample_free(&commands[i].wall);
        sample_free(&commands[i].cpu);
    }
    return fflush(stdout) == 0 ? code : 70;
}
