#include "sampler.h"

#include "marks.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { STOP_WAIT_NS = 300000000, NS_PER_S = 1000000000 };

/* Written to a pipe in one piece. */
_Static_assert(sizeof(struct verdict) <= 512, "a verdict must fit into PIPE_BUF");

struct sampler {
    const struct settings *settings;
    pthread_t thread;
    int verdicts[2]; /* from the thread */
    int stop[2];     /* closed to end it */
    struct facts facts;
};

static struct verdict sample(struct sampler *sampler)
{
    /* A donor stays registered, whatever clustercheck's policy makes of it: its address is still that of a member. */
    static const struct policy policy = {.donor = DONOR_ALWAYS, .readonly = true, .desynced = false};
    const struct settings *settings = sampler->settings;
    struct error error = {.code = EXIT_YES};
    struct observation seen = {
        .failure = NODE_ANSWERED,
        .facts = &sampler->facts,
        .disabled = mark_disabled(settings->disable_file),
        .draining = mark_draining(settings->drain_file),
    };

    facts_clear(&sampler->facts);
    if (!seen.disabled && !seen.draining)
        seen.failure = node_ask(&settings->node, deadline_in_ms(settings->check_timeout_ms), &sampler->facts, &error);
    if (seen.failure != NODE_ANSWERED) {
        seen.failure_text = error.text;
        seen.sst_in_progress = mark_transfer(settings->datadir);
    }
    return verdict_decide(&seen, &policy);
}

static void *run(void *context)
{
    struct sampler *sampler = context;
    struct pollfd stop = {.fd = sampler->stop[0], .events = POLLIN};

    do {
        struct verdict verdict = sample(sampler);
        /* A full pipe means that nobody has read for a while; the next verdict is as good. */
        if (write(sampler->verdicts[1], &verdict, sizeof verdict) < 0 && errno != EAGAIN)
            break;
    } while (poll(&stop, 1, (int)sampler->settings->check_interval_ms) == 0);
    return NULL;
}

static void close_pipes(struct sampler *sampler)
{
    for (int end = 0; end < 2; end++) {
        if (sampler->verdicts[end] >= 0)
            close(sampler->verdicts[end]);
        if (sampler->stop[end] >= 0)
            close(sampler->stop[end]);
    }
}

struct sampler *sampler_start(const struct settings *settings, struct error *error)
{
    struct sampler *sampler = calloc(1, sizeof *sampler);

    if (sampler == NULL) {
        error_set(error, EXIT_INTERNAL, "out of memory");
        return NULL;
    }
    *sampler = (struct sampler){.settings = settings, .verdicts = {-1, -1}, .stop = {-1, -1}};
    int failure = 0;
    if (pipe2(sampler->verdicts, O_CLOEXEC | O_NONBLOCK) != 0 || pipe2(sampler->stop, O_CLOEXEC) != 0)
        failure = errno;
    else
        failure = pthread_create(&sampler->thread, NULL, run, sampler);
    if (failure == 0)
        return sampler;
    error_set(error, EXIT_INTERNAL, "cannot start the check of the local server: %s", strerror(failure));
    close_pipes(sampler);
    free(sampler);
    return NULL;
}

int sampler_fd(const struct sampler *sampler)
{
    return sampler->verdicts[0];
}

bool sampler_read(struct sampler *sampler, struct verdict *verdict)
{
    bool any = false;

    while (read(sampler->verdicts[0], verdict, sizeof *verdict) == (ssize_t)sizeof *verdict)
        any = true;
    return any;
}

void sampler_stop(struct sampler *sampler)
{
    struct timespec until;

    if (sampler == NULL)
        return;
    close(sampler->stop[1]);
    sampler->stop[1] = -1;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_nsec += STOP_WAIT_NS;
    until.tv_sec += until.tv_nsec / NS_PER_S;
    until.tv_nsec %= NS_PER_S;
    if (pthread_clockjoin_np(sampler->thread, NULL, CLOCK_MONOTONIC, &until) != 0)
        return; /* it still uses all of this */
    close_pipes(sampler);
    free(sampler);
}
