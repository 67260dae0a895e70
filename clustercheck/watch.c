#include "watch.h"

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "deadline.h"
#include "escape.h"
#include "pages.h"
#include "signals.h"
#include "truth.h"

enum { LOOK_MS = 50, STOP_WAIT_MS = 250, LINE_SIZE = 2048 };

/* Local time, as in the other things that a person looks at meanwhile. */
static void add_time(struct line *line)
{
    struct timespec now;
    struct tm local;
    char date[32];
    char zone[16];
    char text[64];

    clock_gettime(CLOCK_REALTIME, &now);
    localtime_r(&now.tv_sec, &local);
    strftime(date, sizeof date, "%Y-%m-%dT%H:%M:%S", &local);
    strftime(zone, sizeof zone, "%z", &local);
    snprintf(text, sizeof text, "%s.%03ld%s", date, now.tv_nsec / 1000000, zone);
    line_add(line, text);
}

static bool print(const struct verdict *verdict)
{
    char text[LINE_SIZE] = "";
    struct line line = {.text = text, .size = sizeof text - 1, .length = 0};

    add_time(&line);
    line_add(&line, "  ");
    line_add(&line, verdict_state_word(verdict->state));
    line_add(&line, "  ");
    line_add(&line, reason_word(verdict->reason));
    line_add(&line, "  ");
    line_add_escaped(&line, verdict->detail);
    text[line.length] = '\n';
    return write(STDOUT_FILENO, text, line.length + 1) == (ssize_t)line.length + 1;
}

static bool differs(const struct verdict *a, const struct verdict *b)
{
    return a->state != b->state || a->reason != b->reason || strcmp(a->detail, b->detail) != 0;
}

/* One look; false when there is nobody to tell any more. */
static bool look(struct verdict *last, bool *told)
{
    int64_t now_ns = monotonic_ns();

    truth_tick(now_ns);
    if (truth_judge(ENDPOINT_POLICY, now_ns) == FRESHNESS_WAIT)
        return true;
    struct verdict verdict = pages_verdict();
    if (*told && !differs(&verdict, last))
        return true;
    *last = verdict;
    *told = true;
    return print(last);
}

bool watch_run(const struct settings *settings, struct verdict *last, struct error *error)
{
    static const int ends[] = {SIGINT, SIGTERM, SIGHUP, 0};
    static struct figures figures;
    bool told = false;
    int signals = signals_open(ends, error);

    if (signals < 0 || !truth_open(settings, &figures, error))
        return false;
    while (look(last, &told)) {
        struct pollfd waiting[] = {{.fd = truth_fd(), .events = POLLIN}, {.fd = signals, .events = POLLIN}};
        poll(waiting, 2, LOOK_MS);
        if (waiting[1].revents != 0)
            break;
        truth_learn();
    }
    if (!truth_close(STOP_WAIT_MS))
        _exit(EXIT_UNKNOWN);
    return true;
}
