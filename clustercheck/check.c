#include "check.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "agent.h"
#include "answer.h"
#include "journal.h"
#include "log.h"
#include "quick_start.h"
#include "report.h"
#include "version.h"
#include "weight.h"

enum { REFUSAL_WAIT_MS = 1000, NS_PER_MS = 1000000 };

struct check check;

void check_adopt_input(void)
{
    check.input = input_of(STDIN_FILENO);
    if (check.input != INPUT_OTHER) {
        connection_detach();
        log_target("syslog");
    }
}

void check_open_log(void)
{
    if (check.input != INPUT_OTHER && check.settings.log != NULL && !log_target(check.settings.log))
        log_warning("cannot open the log %s: %s; logging to syslog instead", check.settings.log, strerror(errno));
}

static int answer_fd(void)
{
    if (check.input != INPUT_OTHER)
        return STDIN_FILENO;
    return check.quiet ? -1 : STDOUT_FILENO;
}

static void set_verdict(enum verdict_reason reason, const char *detail)
{
    check.verdict = (struct verdict){.state = VERDICT_UNKNOWN, .reason = reason};
    snprintf(check.verdict.detail, sizeof check.verdict.detail, "%.*s", VERDICT_DETAIL_SIZE - 1, detail);
}

/* Without a history there is nothing to smooth the weight with. */
static void format_agent_line(void)
{
    struct line line = LINE_IN(check.reply.text);
    int weight = weight_of(&check.observed.facts, check.settings.weight_queue);

    if (check.verdict.reason == REASON_DONOR)
        weight = weight_of_donor(weight, check.settings.donor_weight);
    agent_format(&line, &check.verdict, weight);
    check.reply.length = line.length;
}

static void format_reply(void)
{
    if (check.agent) {
        format_agent_line();
        return;
    }
    reply_format(&check.reply, &check.verdict, &check.request, (enum body_style)check.settings.body,
                 facts_get(&check.observed.facts, "wsrep_local_state_comment"));
}

/* A report tells of "/"'s verdict, and so does the agent. */
static enum endpoint journal_endpoint(void)
{
    return check.request.endpoint >= ENDPOINT_VERDICTS ? ENDPOINT_POLICY : check.request.endpoint;
}

static void note_verdict(const struct verdict *verdict)
{
    if (check.input != INPUT_OTHER)
        journal_note(&check.settings, journal_endpoint(), verdict);
}

/* "/status" and "/metrics"; the watchdog's answer to them is a plain 503. */
static void answer_report(void)
{
    static struct report report;

    for (int i = 0; i < ENDPOINT_VERDICTS; i++)
        report.verdicts[i] = endpoint_verdict(&check.observed, &check.settings, (enum endpoint)i);
    report.observed = &check.observed;
    report.settings = &check.settings;
    report.weight = weight_of(&check.observed.facts, check.settings.weight_queue);
    report.age_ns = 0;
    report.version = SUITE_VERSION;
    struct page page = report_page(&report, &check.request);
    answer_write_text(answer_fd(), check.input != INPUT_OTHER, page.text, page.length);
}

/* Answers with what stands in check.verdict, unless the watchdog has been first. */
static void answer(void)
{
    answer_claim();
    format_reply();
    if (answer_fd() >= 0 && check.reported)
        answer_report();
    else if (answer_fd() >= 0)
        answer_write(answer_fd(), check.input != INPUT_OTHER, &check.reply);
    note_verdict(&check.verdict);
}

/* Called by the watchdog's thread after it has answered; check.verdict may be half written by then. */
static void note_late(void)
{
    struct verdict late = verdict_late(&check.settings);

    note_verdict(&late);
}

/* What the watchdog answers for us when something hangs. */
static void prepare_late_answer(void)
{
    check.verdict = verdict_late(&check.settings);
    format_reply();
    answer_prepare(&check.reply, answer_fd(), check.input != INPUT_OTHER);
}

/* A slow client may use half of the time, so that the server has the other half. */
static void decide(int64_t started_ns, struct deadline deadline)
{
    struct deadline request_deadline = {started_ns + check.settings.timeout_ms * NS_PER_MS / 2};

    if (check.input != INPUT_OTHER && !check.agent)
        check.request = connection_read(STDIN_FILENO, check.settings.request_wait_ms, request_deadline);
    check.request.keep_alive = false;
    if (check.request.progress == REQUEST_STARTED) {
        check.verdict = verdict_bad_request();
        return;
    }
    prepare_late_answer(); /* again: a HEAD request must not get a body from the watchdog either */
    observe(&check.observed, &check.settings, &check.request, deadline);
    check.verdict = endpoint_verdict(&check.observed, &check.settings, check.request.endpoint);
    check.reported = check.request.endpoint >= ENDPOINT_VERDICTS && !check.agent;
}

/* Whether the connection to the server may use TLS; an option file may ask for it as well. */
static bool may_use_tls(const struct node_settings *node)
{
    return node->ssl_ca != NULL || node->ssl_cert != NULL || node->defaults_file != NULL ||
           node->defaults_group != NULL;
}

void check_quick_start(void)
{
    quick_start(may_use_tls(&check.settings.node));
}

bool check_run(int64_t started_ns, struct error *error)
{
    struct deadline deadline = {started_ns + check.settings.timeout_ms * NS_PER_MS};

    check_quick_start();
    prepare_late_answer();
    if (!answer_watch(deadline, check.classic ? EXIT_NO : EXIT_UNKNOWN, note_late, error))
        return false;
    decide(started_ns, deadline);
    answer();
    return true;
}

void check_refuse(const struct error *error)
{
    if (!check.agent)
        check.request = connection_read(STDIN_FILENO, REFUSAL_WAIT_MS, deadline_in_ms(REFUSAL_WAIT_MS));
    check.request.keep_alive = false;
    set_verdict(error->code == EXIT_INTERNAL ? REASON_INTERNAL_ERROR : REASON_CONFIGURATION_ERROR, error->text);
    answer();
}

int check_exit_code(void)
{
    static const enum exit_code codes[] = {
        [VERDICT_UP] = EXIT_YES, [VERDICT_DOWN] = EXIT_NO, [VERDICT_UNKNOWN] = EXIT_UNKNOWN};

    return check.classic && check.verdict.state == VERDICT_UNKNOWN ? EXIT_NO : (int)codes[check.verdict.state];
}
