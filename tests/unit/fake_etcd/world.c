/* Time, chance, clients, and what becomes of a call. */
#include "world.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

enum { MS_PER_S = 1000, NS_PER_MS = 1000000, START_MS = 100000 };

struct world world;

/* --- time and chance ---------------------------------------------------------------------------------------------- */

int clock_gettime(clockid_t clock, struct timespec *now)
{
    if (clock != CLOCK_MONOTONIC)
        return (int)syscall(SYS_clock_gettime, clock, now);
    *now = (struct timespec){.tv_sec = world.now_ms / MS_PER_S, .tv_nsec = world.now_ms % MS_PER_S * NS_PER_MS};
    return 0;
}

/* xorshift64* (Vigna 2016) */
static uint32_t next_random(void)
{
    world.random ^= world.random >> 12;
    world.random ^= world.random << 25;
    world.random ^= world.random >> 27;
    return (uint32_t)((world.random * 2685821657736338717ULL) >> 32);
}

ssize_t getrandom(void *buffer, size_t length, unsigned flags)
{
    (void)flags;
    for (size_t i = 0; i < length; i++)
        ((unsigned char *)buffer)[i] = (unsigned char)next_random();
    return (ssize_t)length;
}

uint32_t fake_random(uint32_t n)
{
    return next_random() % n;
}

int64_t fake_now_ms(void)
{
    return world.now_ms;
}

static int64_t earlier(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

void fake_pass(int64_t ms)
{
    int64_t until_ms = world.now_ms + ms;

    while (!world.down) {
        int64_t next_ms = earlier(leases_next_end(), v2_next_end());
        if (next_ms > until_ms)
            break;
        if (next_ms > world.now_ms)
            world.now_ms = next_ms;
        leases_expire();
        v2_expire();
    }
    world.now_ms = until_ms;
}

/* --- the world ---------------------------------------------------------------------------------------------------- */

void fake_reset(uint32_t seed)
{
    watches_reset();
    keys_reset();
    leases_reset();
    v2_reset();
    world = (struct world){.now_ms = START_MS,
                           .random = ((uint64_t)seed + 1) * 0x9E3779B97F4A7C15ULL,
                           .api = ETCD_V3,
                           .failure_ms = 10,
                           .timeout_ms = 2000};
    world.keys.revision = 1;
    world.index = 1;
}

void fake_set_api(enum etcd_api api)
{
    world.api = api;
}

void fake_set_delay(int64_t answer_ms, int64_t failure_ms)
{
    world.answer_ms = answer_ms;
    world.failure_ms = failure_ms;
}

void fake_set_timeout(int64_t timeout_ms)
{
    world.timeout_ms = timeout_ms;
}

void fake_set_lag(int64_t lag_ms)
{
    world.lag_ms = lag_ms;
}

void fake_set_down(bool down)
{
    bool comes_back = world.down && !down;

    world.down = down;
    if (down)
        fake_end_watches("etcdserver: no leader");
    if (comes_back)
        fake_change_leader();
    if (comes_back)
        fake_pass(0);
}

void fake_wipe(void)
{
    int64_t last_lease = world.last_lease;

    fake_end_watches("connection reset");
    keys_reset();
    leases_reset();
    v2_reset();
    world.keys.revision = 1;
    world.index = 1;
    world.compacted = 0;
    world.last_lease = last_lease; /* ids are random numbers in etcd: none comes twice */
}

void fake_set_hooks(const struct fake_hooks *hooks)
{
    world.hooks = *hooks;
}

/* --- clients ------------------------------------------------------------------------------------------------------ */

struct etcd *fake_client(const char *local_address)
{
    struct etcd *client = grown(NULL, 1, sizeof *client);

    *client = (struct etcd){.local_address = local_address};
    return client;
}

void fake_set_local_address(struct etcd *client, const char *address)
{
    client->local_address = address;
}

struct etcd *etcd_open(struct etcd_settings *settings, int wake_fd, struct error *error)
{
    (void)settings;
    (void)wake_fd;
    (void)error;
    return fake_client("10.0.0.5");
}

void etcd_close(struct etcd *etcd)
{
    free(etcd);
}

void etcd_ignore_wake(struct etcd *etcd)
{
    etcd->ignores_wake = true;
}

const char *etcd_endpoint(const struct etcd *etcd)
{
    static const char *const endpoints[] = {"http://etcd1", "http://etcd2"};

    return endpoints[etcd->endpoint];
}

void etcd_rotate(struct etcd *etcd)
{
    etcd->endpoint = 1 - etcd->endpoint;
}

int64_t etcd_patience_ms(const struct etcd *etcd, int64_t most_ms)
{
    (void)etcd;
    return earlier(2 * world.timeout_ms, most_ms);
}

const char *etcd_local_address(const struct etcd *etcd)
{
    return etcd->local_address;
}

/* --- what becomes of a call --------------------------------------------------------------------------------------- */

void call_observe(struct etcd *client, const char *key, const struct etcd_kv *old)
{
    if (client != NULL && world.hooks.writes != NULL)
        world.hooks.writes(world.hooks.context, client, key, old);
}

static int64_t left_ms(struct deadline deadline)
{
    int64_t left = deadline.at_ns / NS_PER_MS - world.now_ms;

    return left < 0 ? 0 : left;
}

static enum etcd_failure say(struct error *error, enum etcd_failure failure, enum exit_code code, const char *text)
{
    error_set(error, code, "%s", text);
    return failure;
}

static enum etcd_failure hear_nothing(struct etcd *client, const struct call *call, bool sent, struct error *error)
{
    fake_pass(earlier(world.failure_ms, left_ms(call->deadline)));
    etcd_rotate(client);
    return say(error, sent && !call->repeatable ? ETCD_UNCERTAIN : ETCD_UNREACHABLE, EXIT_UNAVAILABLE, "no answer");
}

static void do_and_forget(struct etcd *client, const struct call *call)
{
    struct error ignored;

    call->act(client, call->arguments, &ignored);
    if (call->discard != NULL)
        call->discard(call->arguments);
}

static enum fake_fault decide(struct etcd *client, const struct call *call)
{
    enum fake_fault fault = FAKE_ANSWER;

    if (world.hooks.before != NULL)
        fault = world.hooks.before(world.hooks.context, client, call->kind);
    if ((fault == FAKE_INTERRUPTED || fault == FAKE_INTERRUPTED_LATE) && client->ignores_wake)
        fault = FAKE_ANSWER;
    if (world.down)
        fault = fault == FAKE_INTERRUPTED || fault == FAKE_INTERRUPTED_LATE ? FAKE_INTERRUPTED : FAKE_NO_ANSWER;
    if (fault == FAKE_TWICE && !call->repeatable)
        fault = FAKE_LOST;
    return fault;
}

enum etcd_failure call_perform(struct etcd *client, const struct call *call, struct error *error)
{
    enum fake_fault fault = decide(client, call);

    if (left_ms(call->deadline) == 0)
        return say(error, ETCD_UNREACHABLE, EXIT_UNAVAILABLE, "no time is left");
    switch (fault) {
    case FAKE_ANSWER:
        break;
    case FAKE_NO_ANSWER:
        return hear_nothing(client, call, false, error);
    case FAKE_LOST:
        do_and_forget(client, call);
        return hear_nothing(client, call, true, error);
    case FAKE_TWICE:
        do_and_forget(client, call);
        etcd_rotate(client);
        break;
    case FAKE_INTERRUPTED_LATE:
        do_and_forget(client, call);
        return say(error, ETCD_INTERRUPTED, EXIT_UNKNOWN, "interrupted");
    case FAKE_INTERRUPTED:
        return say(error, ETCD_INTERRUPTED, EXIT_UNKNOWN, "interrupted");
    case FAKE_DENIED:
        return say(error, ETCD_DENIED, EXIT_PERMISSION, "permission denied");
    case FAKE_REFUSED:
        return say(error, ETCD_REFUSED, EXIT_UNAVAILABLE, "cannot understand the answer");
    case FAKE_NO_SPACE:
        return say(error, ETCD_NO_SPACE, EXIT_UNAVAILABLE, "database space exceeded");
    case FAKE_FAULTS:
        break;
    }
    if (world.answer_ms > left_ms(call->deadline))
        return hear_nothing(client, call, false, error);
    fake_pass(world.answer_ms);
    return call->act(client, call->arguments, error);
}

static enum etcd_failure act_nothing(struct etcd *client, void *arguments, struct error *error)
{
    (void)client;
    (void)arguments;
    (void)error;
    return ETCD_OK;
}

enum etcd_failure etcd_find_api(struct etcd *etcd, struct deadline deadline, enum etcd_api *api, struct error *error)
{
    const struct call call = {.kind = FAKE_FIND_API, .repeatable = true, .deadline = deadline, .act = act_nothing};

    *api = world.api;
    return call_perform(etcd, &call, error);
}

/* --- memory ------------------------------------------------------------------------------------------------------- */

/* Room is made for a power of two, so that growing one by one stays cheap. */
void *grown(void *memory, size_t count, size_t size)
{
    if (count > 0 && (count & (count - 1)) != 0)
        return memory;
    memory = realloc(memory, (count == 0 ? 1 : 2 * count) * size);
    if (memory == NULL)
        abort();
    return memory;
}

char *copy_of(const char *text)
{
    char *copy = strdup(text);

    if (copy == NULL)
        abort();
    return copy;
}
