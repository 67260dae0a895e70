/*
 * clustercheck: may this node of a Galera cluster take traffic? An HTTP answer on a socket (xinetd,
 * systemd), the same text and an exit code anywhere else.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "answer.h"
#include "compat.h"
#include "connection.h"
#include "journal.h"
#include "num.h"
#include "observe.h"
#include "program.h"
#include "reply.h"
#include "settings.h"

enum { FALLBACK_TIMEOUT_MS = 1000 };

static const struct option_row options[] = {
    {'p', "path", "PATH", "answer as for this path: /, /rw, /ro or /live", NULL, NULL, NULL},
    {'t', "timeout", "TIME", "give the whole answer within TIME (default 1s)", "clustercheck", "timeout", NULL},
};

static const char *const classic_files[] = {"/etc/sysconfig/clustercheck", "/etc/default/clustercheck"};

/* Everything that one check needs; static, because the watchdog may have to tell of it. */
static struct check {
    struct config config;
    struct settings settings;
    struct request request;
    struct reply reply;
    struct observed observed;
    struct verdict verdict;
    enum input input;
    bool classic; /* classic arguments: their exit codes too */
    bool quiet;
} check;

static bool take_option(void *context, int id, const char *argument, struct error *error)
{
    struct check *self = context;

    if (id != 'p' || argument[0] != '/')
        return error_set(error, EXIT_USAGE, "--path takes a path that begins with '/', not '%s'", argument);
    self->request.endpoint = endpoint_of_path(argument, strlen(argument));
    return true;
}

static bool configure(struct program *program, int operands, char **operand, struct error *error)
{
    struct config *config = &check.config;

    if (!config_add(config, node_keys, node_key_count, &check.settings.node, error) ||
        !config_add(config, settings_keys, settings_key_count, &check.settings, error))
        return false;
    check.classic = operands > 0;
    if (check.classic && !compat_arguments(config, operands, operand, error))
        return false;
    if (!compat_environment(config, error))
        return false;
    for (size_t i = 0; i < sizeof classic_files / sizeof classic_files[0]; i++) {
        if (!compat_file(config, classic_files[i], error))
            return false;
    }
    return program_configure(program, config, error) && node_read_password(&check.settings.node, error);
}

static void format_reply(void)
{
    reply_format(&check.reply, &check.verdict, &check.request, (enum body_style)check.settings.body,
                 facts_get(&check.observed.facts, "wsrep_local_state_comment"));
}

static void note_verdict(void)
{
    if (check.input != INPUT_OTHER)
        journal_note(&check.settings, check.request.endpoint, &check.verdict);
}

/* Answers with what stands in check.verdict, unless the watchdog has been first. */
static void answer(void)
{
    answer_claim();
    format_reply();
    if (check.input != INPUT_OTHER)
        answer_write(STDIN_FILENO, &check.reply);
    else if (!check.quiet)
        answer_write(STDOUT_FILENO, &check.reply);
    note_verdict();
}

static void set_verdict(enum verdict_reason reason, const char *detail)
{
    check.verdict = (struct verdict){.state = VERDICT_UNKNOWN, .reason = reason};
    snprintf(check.verdict.detail, sizeof check.verdict.detail, "%s", detail);
}

static int exit_code(void)
{
    static const enum exit_code codes[] = {
        [VERDICT_UP] = EXIT_YES, [VERDICT_DOWN] = EXIT_NO, [VERDICT_UNKNOWN] = EXIT_UNKNOWN};

    return check.classic && check.verdict.state == VERDICT_UNKNOWN ? EXIT_NO : (int)codes[check.verdict.state];
}

/* The check cannot be made. A client gets a 503 that says why; a shell gets the message and the exit code. */
static int give_up(const struct program *program, const struct error *error)
{
    if (check.input == INPUT_OTHER)
        return program_fail(program, error);
    check.request = connection_read(STDIN_FILENO, FALLBACK_TIMEOUT_MS, deadline_in_ms(FALLBACK_TIMEOUT_MS));
    set_verdict(error->code == EXIT_INTERNAL ? REASON_INTERNAL_ERROR : REASON_CONFIGURATION_ERROR, error->text);
    answer();
    return (int)error->code;
}

/* The watchdog has answered: check.verdict may be half written by then, so this verdict is its own. */
static void note_late(void)
{
    struct verdict late = {.state = VERDICT_UNKNOWN, .reason = REASON_TIMED_OUT};

    snprintf(late.detail, sizeof late.detail, "the server did not answer in time");
    if (check.input != INPUT_OTHER)
        journal_note(&check.settings, check.request.endpoint, &late);
}

/* What the watchdog answers for us when something hangs. */
static void prepare_fallback(void)
{
    char time_text[32];
    char detail[VERDICT_DETAIL_SIZE];

    duration_format(check.settings.timeout_ms, time_text, sizeof time_text);
    snprintf(detail, sizeof detail, "the server did not answer within %s", time_text);
    set_verdict(REASON_TIMED_OUT, detail);
    format_reply();
    if (check.input != INPUT_OTHER)
        answer_prepare(&check.reply, STDIN_FILENO);
    else if (!check.quiet)
        answer_prepare(&check.reply, STDOUT_FILENO);
}

/* Where the checks over the network are logged; a log that cannot be opened must not cost the answer. */
static void open_log(void)
{
    if (check.input != INPUT_OTHER && check.settings.log != NULL && !log_target(check.settings.log))
        log_warning("cannot open the log %s: %s; logging to syslog", check.settings.log, strerror(errno));
}

/* Reads the request, asks the server, decides; check.verdict has the result. */
static void run_check(struct deadline deadline)
{
    if (check.input != INPUT_OTHER)
        check.request = connection_read(STDIN_FILENO, check.settings.request_wait_ms, deadline);
    if (check.request.progress == REQUEST_STARTED) {
        set_verdict(REASON_BAD_REQUEST, "the request line did not end, so what is asked is not known");
        return;
    }
    prepare_fallback();
    observe(&check.observed, &check.settings, &check.request, deadline);
    check.verdict = endpoint_verdict(&check.observed, &check.settings, check.request.endpoint);
}

static void adopt_input(void)
{
    check.input = input_of(STDIN_FILENO);
    if (check.input == INPUT_LISTENER)
        connection_accept();
    if (check.input != INPUT_OTHER) {
        connection_detach();
        log_target("syslog");
    }
}

int main(int argc, char **argv)
{
    struct program program = {
        .name = "clustercheck",
        .synopsis = "[OPTION]... [USER PASSWORD [DONOR [LOG [READONLY [FILE]]]]]",
        .summary = "Say whether the Galera node on this host may take traffic.",
        .footer = "On a socket as standard input (xinetd, systemd) it answers one HTTP request with 200 or 503;\n"
                  "elsewhere it prints the same answer.\n"
                  "Exit: 0 up, 1 down, 2 unknown, 64 wrong usage, 78 wrong configuration. See clustercheck(8).",
        .options = options,
        .option_count = sizeof options / sizeof options[0],
        .handle = take_option,
        .context = &check,
    };
    struct error error = {.code = EXIT_YES};
    int64_t started_ns = monotonic_ns();

    signal(SIGPIPE, SIG_IGN);
    log_open(program.name);
    adopt_input();
    switch (program_options(&program, argc, argv, &error)) {
    case PROGRAM_DONE:
        return EXIT_YES;
    case PROGRAM_WRONG:
        return give_up(&program, &error);
    case PROGRAM_GO_ON:
        break;
    }
    check.quiet = program.quiet;
    if (!configure(&program, argc - optind, argv + optind, &error))
        return give_up(&program, &error);
    if (program.check_config) {
        config_print(&check.config, stdout);
        return EXIT_YES;
    }
    open_log();
    struct deadline deadline = {started_ns + check.settings.timeout_ms * 1000000};
    prepare_fallback();
    if (!answer_watch(deadline, check.classic ? EXIT_NO : EXIT_UNKNOWN, note_late, &error))
        return give_up(&program, &error);
    run_check(deadline);
    answer();
    return exit_code();
}
