#include "../fake_etcd/fake_etcd.h"
#include "../row.h"
#include "store.h"

/*
 * announce.c and store*.c together, as galera-register runs them, against an etcd in memory and many things that go
 * wrong: thousands of random histories, each the same for the same number. REGISTER_HISTORY=v3:17 plays one of them and
 * tells what happens, REGISTER_HISTORIES=100000 plays more of them.
 *
 * Three processes fight for the id db1: ours, that of another node, and a second one for the same server. What must
 * hold in every history:
 *
 * - while our entry is wanted, and nothing has gone wrong for longer than the TTL, it is there and whole;
 * - while nothing goes wrong its lease is never older than its TTL;
 * - nobody overwrites another node's entry while its lease lives;
 * - who withdraws with success has left nothing, and a stop takes no longer than it may;
 * - who ends because another lives is right, and in the end there are no two.
 */

enum {
    HISTORIES = 4000,
    AGENTS = 3,
    US = 0,
    OTHER = 1,
    TWIN = 2,
    CHAOS_MS = 60000,
    STOP_TIMEOUT_MS = 900,
    SLACK_MS = 250,
    TOLD = 400,
};

struct agent {
    bool runs;
    struct announce announce;
    struct store store;
    struct registry_entry entry;
    struct etcd *client;
    bool cut_off;
    int64_t renewed_ms;   /* when its lease was, whether it knows or not */
    int64_t contested_ms; /* since when it waits for another to die */
    int64_t stop_ms;      /* when it was told to stop */
    enum announce_news last;
};

struct history {
    const char *name;
    struct agent agent[AGENTS];
    enum etcd_api api;
    int64_t ttl_ms;
    int64_t answer_ms;
    int64_t failure_ms;
    uint32_t fault_percent;
    bool chaos;
    bool in_gap;   /* a call is being made; what happens now happens before it */
    bool refused;  /* etcd has refused something */
    bool stranger; /* somebody has written an address without a lease */
    bool twin_was; /* there was a second process for our server */
    bool down;
    int64_t leader_ms[2]; /* when etcd had a new leader: the last time, and the time before */
    int64_t calm_ms;      /* since when nothing has gone wrong for us */
    int64_t renewed_ms;   /* by our own account */
    char told[TOLD][96];
    size_t told_count;
    bool loud;
};

static const char directory[] = "/p/db1/";
static const char *const addresses[AGENTS] = {"10.0.0.5", "10.0.0.6", "10.0.0.5"};
static const char *const agent_names[AGENTS] = {"we", "the other", "the twin"};

/* --- telling ------------------------------------------------------------------------------------------------------ */

static void tell(struct history *history, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void tell(struct history *history, const char *format, ...)
{
    char *line = history->told[history->told_count++ % TOLD];
    va_list arguments;

    int used = snprintf(line, sizeof history->told[0], "%8d ", (int)fake_now_ms());
    va_start(arguments, format);
    vsnprintf(line + used, sizeof history->told[0] - (size_t)used, format, arguments);
    va_end(arguments);
    if (history->loud)
        fprintf(stderr, "%s\n", line);
}

#define check(history, condition)                                                                                      \
    do {                                                                                                               \
        if (!(condition))                                                                                              \
            give_up(history, #condition, __LINE__);                                                                    \
    } while (0)

static void give_up(struct history *history, const char *condition, int line)
{
    size_t first = history->told_count > 40 ? history->told_count - 40 : 0;

    for (size_t i = first; i < history->told_count && !history->loud; i++)
        fprintf(stderr, "%s\n", history->told[i % TOLD]);
    for (size_t i = 0; i < fake_keys()->count; i++)
        fprintf(stderr, "         %s = %s, lease %x\n", fake_keys()->kv[i].key, fake_keys()->kv[i].value,
                (unsigned)fake_keys()->kv[i].lease);
    fail_msg("history %s, at %d, line %d: not so: %s", history->name, (int)fake_now_ms(), line, condition);
}

/* --- what is in etcd ---------------------------------------------------------------------------------------------- */

static const struct etcd_range *keys(const struct history *history)
{
    return history->api == ETCD_V2 ? fake_v2_keys() : fake_keys();
}

static const struct etcd_kv *address_there(const struct history *history)
{
    const struct etcd_range *all = keys(history);

    for (size_t i = 0; i < all->count; i++) {
        if (strcmp(all->kv[i].key, "/p/db1/ip") == 0)
            return &all->kv[i];
    }
    return NULL;
}

static bool is_whole(const struct history *history, const struct agent *agent)
{
    struct holder holder = holder_find(keys(history), directory, &agent->entry, agent->store.lease);

    return holder.intact && (history->api == ETCD_V3 || fake_v2_left_ms("/p/db1") > 0);
}

static bool others_entry_is_there(const struct history *history)
{
    const struct etcd_kv *ip = address_there(history);

    return ip != NULL && strcmp(ip->value, addresses[US]) != 0;
}

/* --- processes ---------------------------------------------------------------------------------------------------- */

static void start(struct history *history, int number)
{
    struct agent *agent = &history->agent[number];

    if (agent->client != NULL)
        etcd_close(agent->client);
    *agent = (struct agent){.runs = true,
                            .client = fake_client(addresses[number]),
                            .cut_off = agent->cut_off,
                            .renewed_ms = agent->renewed_ms};
    agent->entry = (struct registry_entry){.id = "db1", .port = 3306, .state = "joiner"};
    snprintf(agent->entry.host, sizeof agent->entry.host, "%s", number == OTHER ? "two" : "one");
    store_init(&agent->store, agent->client, &agent->entry, "/p", history->ttl_ms);
    announce_init(&agent->announce, history->ttl_ms, STOP_TIMEOUT_MS, false);
    announce_want(&agent->announce, true, fake_now_ms());
    history->twin_was |= number == TWIN;
    history->calm_ms = fake_now_ms();
    tell(history, "%s: start", agent_names[number]);
}

static void kill_agent(struct history *history, int number)
{
    history->agent[number].runs = false;
    history->calm_ms = fake_now_ms();
    tell(history, "%s: killed", agent_names[number]);
}

/*
 * Somebody else has renewed, or will for ever hold, what this one has waited for. Two new leaders in that time look
 * like somebody who lives.
 */
static bool another_lives(const struct history *history, const struct agent *agent)
{
    for (int i = 0; i < AGENTS; i++) {
        const struct agent *another = &history->agent[i];
        if (another != agent && another->renewed_ms >= agent->contested_ms)
            return true;
    }
    return history->stranger || history->leader_ms[1] >= agent->contested_ms;
}

static void judge_withdrawal(struct history *history, const struct agent *agent, int64_t lease)
{
    for (size_t i = 0; i < keys(history)->count; i++)
        check(history, lease == 0 || keys(history)->kv[i].lease != lease);
    /* What a process of before has left and this one has not adopted, expires by itself. */
    if (!agent->announce.was_held || history->twin_was)
        return;
    if (history->api == ETCD_V2 && others_entry_is_there(history))
        return; /* its directory, with all that is in it */
    for (size_t i = 0; i < keys(history)->count; i++) {
        const struct etcd_kv *kv = &keys(history)->kv[i];
        bool below = strncmp(kv->key, directory, strlen(directory)) == 0;
        check(history, !below || strcmp(kv->value, agent->entry.ip) != 0);
        check(history, !below || strcmp(kv->value, agent->entry.host) != 0);
    }
}

static void judge_news(struct history *history, struct agent *agent, enum announce_news news)
{
    if (news == NEWS_CONTESTED)
        agent->contested_ms = fake_now_ms() - history->answer_ms;
    if (news == NEWS_OWNED)
        check(history, another_lives(history, agent));
    if (news == NEWS_DISPLACED)
        check(history, history->twin_was && agent != &history->agent[OTHER]);
    if (news == NEWS_REFUSED)
        check(history, history->refused);
    check(history, news != NEWS_IMPOSSIBLE && news != NEWS_GIVEN_UP);
    if (agent->announce.ended) {
        agent->runs = false;
        history->calm_ms = fake_now_ms();
        if (agent->announce.stopping && agent == &history->agent[US])
            check(history, fake_now_ms() <= agent->stop_ms + STOP_TIMEOUT_MS + SLACK_MS);
        if (news == NEWS_NOT_WITHDRAWN)
            check(history, agent->cut_off || history->chaos || history->down);
    }
}

static void act(struct history *history, struct agent *agent, struct announce_step step)
{
    static const char *const actions[] = {"wait", "claim", "keep", "verify", "update", "withdraw", "end"};
    struct error error = {.code = EXIT_YES};
    struct announce_report report;
    int64_t sent_ms = fake_now_ms();
    int64_t lease = agent->store.lease;

    if (step.action == ANNOUNCE_KEEP && agent == &history->agent[US])
        check(history, history->calm_ms >= history->renewed_ms || sent_ms - history->renewed_ms < history->ttl_ms);
    store_do(&agent->store, step.action, (struct deadline){step.until_ms * 1000000}, &report, &error);
    check(history, fake_now_ms() <= (step.until_ms > sent_ms ? step.until_ms : sent_ms) + SLACK_MS);
    check(history, report.outcome == OUTCOME_DONE || error.code != EXIT_YES);
    report.sent_ms = sent_ms;
    enum announce_news news = announce_take(&agent->announce, &report, fake_now_ms(), fake_random(UINT32_MAX));
    tell(history, "%s: %s: outcome %d, news %d%s%.40s", agent_names[agent - history->agent], actions[step.action],
         (int)report.outcome, (int)news, error.code == EXIT_YES ? "" : ": ", error.code == EXIT_YES ? "" : error.text);
    if (report.outcome == OUTCOME_DONE && (step.action == ANNOUNCE_CLAIM || step.action == ANNOUNCE_KEEP) &&
        agent == &history->agent[US])
        history->renewed_ms = sent_ms;
    if (step.action == ANNOUNCE_CLAIM && agent == &history->agent[TWIN])
        history->calm_ms = fake_now_ms(); /* it takes over what is ours */
    if (step.action == ANNOUNCE_WITHDRAW && report.outcome == OUTCOME_DONE)
        judge_withdrawal(history, agent, lease);
    judge_news(history, agent, news);
}

/* Lets a process do what is due. False: nothing is. */
static bool run_agent(struct history *history, int number)
{
    struct agent *agent = &history->agent[number];

    if (!agent->runs)
        return false;
    struct announce_step step = announce_next(&agent->announce, fake_now_ms());
    if (step.action == ANNOUNCE_WAIT)
        return false;
    if (step.action == ANNOUNCE_END)
        agent->runs = false;
    else
        act(history, agent, step);
    return true;
}

/* --- what goes wrong ---------------------------------------------------------------------------------------------- */

static void write_key(const struct history *history, const char *field, const char *value)
{
    char key[64];

    snprintf(key, sizeof key, "%s%s", directory, field);
    if (history->api == ETCD_V2 && value == NULL)
        fake_v2_delete(key);
    else if (history->api == ETCD_V2)
        fake_v2_put(key, value, 0);
    else if (value == NULL)
        fake_delete(key, false);
    else
        fake_put(key, value, 0);
}

static void meddle(struct history *history)
{
    static const char *const fields[] = {"ip", "port", "host", "state"};
    const char *field = fields[fake_random(4)];

    history->calm_ms = fake_now_ms();
    switch (fake_random(6)) {
    case 0:
        tell(history, "somebody deletes %s", field);
        write_key(history, field, NULL);
        break;
    case 1:
        tell(history, "somebody writes host");
        write_key(history, "host", "elsewhere");
        break;
    case 2:
        tell(history, "somebody deletes all");
        fake_v2_delete("/p/db1");
        fake_delete(directory, true);
        break;
    case 3:
        tell(history, "our lease is revoked");
        fake_revoke(history->agent[US].store.lease);
        break;
    case 4:
        if (fake_random(4) != 0 || history->stranger)
            break;
        tell(history, "somebody writes an address");
        write_key(history, "ip", "10.0.0.9");
        history->stranger = true;
        break;
    default:
        tell(history, "etcd is emptied");
        fake_wipe();
        break;
    }
}

static void note_leader(struct history *history)
{
    history->leader_ms[1] = history->leader_ms[0];
    history->leader_ms[0] = fake_now_ms();
}

static void trouble_network(struct history *history)
{
    int number = (int)fake_random(AGENTS);
    struct agent *agent = &history->agent[number];

    history->calm_ms = fake_now_ms();
    switch (fake_random(4)) {
    case 0:
        history->down = !history->down;
        tell(history, "etcd is %s", history->down ? "down" : "up");
        fake_set_down(history->down);
        note_leader(history);
        break;
    case 1:
        tell(history, "another leader");
        fake_change_leader();
        note_leader(history);
        break;
    default:
        agent->cut_off = !agent->cut_off;
        tell(history, "%s: %s", agent_names[number], agent->cut_off ? "cut off" : "reachable");
        break;
    }
}

static void trouble_process(struct history *history)
{
    int number = fake_random(3) == 0 ? (int)fake_random(AGENTS) : US;
    struct agent *agent = &history->agent[number];

    /* v2 has no leases that could tell two processes for the same server from each other. */
    if (!agent->runs && (number != TWIN || history->api == ETCD_V3))
        start(history, number);
    if (!agent->runs)
        return;
    if (number == US)
        history->calm_ms = fake_now_ms();
    switch (fake_random(5)) {
    case 0:
        kill_agent(history, number);
        break;
    case 1:
        agent->stop_ms = agent->announce.stopping ? agent->stop_ms : fake_now_ms();
        announce_stop(&agent->announce, fake_now_ms());
        etcd_ignore_wake(agent->client);
        tell(history, "%s: stop", agent_names[number]);
        break;
    case 2:
        announce_want(&agent->announce, !agent->announce.wanted, fake_now_ms());
        tell(history, "%s: %swanted", agent_names[number], agent->announce.wanted ? "" : "not ");
        break;
    default:
        snprintf(agent->entry.state, sizeof agent->entry.state, fake_random(2) == 0 ? "synced" : "donor");
        announce_outdate(&agent->announce);
        tell(history, "%s: state %s", agent_names[number], agent->entry.state);
        break;
    }
}

/* A call of one process, and what happens between it and the call before. */
static enum fake_fault before(void *context, struct etcd *client, enum fake_call call)
{
    static const enum fake_fault faults[] = {
        FAKE_NO_ANSWER, FAKE_NO_ANSWER, FAKE_LOST,    FAKE_LOST,        FAKE_TWICE,
        FAKE_TWICE,     FAKE_NO_SPACE,  FAKE_REFUSED, FAKE_INTERRUPTED, FAKE_INTERRUPTED_LATE,
        FAKE_DENIED};
    struct history *history = context;
    enum fake_fault fault = FAKE_ANSWER;
    struct agent *agent = history->agent;

    while (agent->client != client)
        agent++;
    /* One after the other they wait here, and at the same time they would in life: only we take time. */
    fake_set_delay(history->answer_ms, agent == &history->agent[US] ? history->failure_ms : 1);
    if (history->chaos && !history->in_gap && history->api == ETCD_V3 && fake_random(100) < history->fault_percent) {
        history->in_gap = true;
        int number = (int)fake_random(AGENTS);
        if (fake_random(3) == 0)
            meddle(history);
        else if (&history->agent[number] != agent)
            run_agent(history, number);
        history->in_gap = false;
    }
    if (agent->cut_off)
        fault = FAKE_NO_ANSWER;
    else if (history->chaos && fake_random(100) < history->fault_percent)
        fault = faults[fake_random(ROW_COUNT(faults))];
    if (fault != FAKE_ANSWER && agent == &history->agent[US])
        history->calm_ms = fake_now_ms();
    history->refused |= fault == FAKE_REFUSED || fault == FAKE_DENIED;
    if ((call == FAKE_KEEP || call == FAKE_COMMIT || call == FAKE_PUT) && fault != FAKE_NO_ANSWER)
        agent->renewed_ms = fake_now_ms();
    if (fault != FAKE_ANSWER)
        tell(history, "%s: call %d gets fault %d", agent_names[agent - history->agent], (int)call, (int)fault);
    return fault;
}

/* Nobody writes into another node's entry while that lives. */
static void writes(void *context, struct etcd *client, const char *key, const struct etcd_kv *old)
{
    struct history *history = context;
    const struct etcd_kv *ip = address_there(history);
    struct agent *agent = history->agent;

    while (agent->client != client)
        agent++;
    check(history, strncmp(key, directory, strlen(directory)) == 0);
    bool foreign =
        ip != NULL && strcmp(ip->value, agent->entry.ip) != 0 && (ip->lease == 0 || ip->lease != agent->store.lease);
    bool own_key = old != NULL && old->lease != 0 && old->lease == agent->store.lease;
    check(history, !foreign || own_key);
}

/* --- a history ---------------------------------------------------------------------------------------------------- */

/* While nothing has gone wrong for longer than the TTL. */
static void check_presence(struct history *history)
{
    const struct agent *us = &history->agent[US];

    if (others_entry_is_there(history) || history->down || us->cut_off || !us->runs || !us->announce.wanted ||
        us->announce.stopping)
        history->calm_ms = fake_now_ms();
    if (fake_now_ms() - history->calm_ms > history->ttl_ms + SLACK_MS)
        check(history, is_whole(history, us));
}

static int64_t next_wake(const struct history *history, int64_t latest_ms)
{
    int64_t wake_ms = latest_ms;

    for (int i = 0; i < AGENTS; i++) {
        if (!history->agent[i].runs)
            continue;
        struct announce_step step = announce_next(&history->agent[i].announce, fake_now_ms());
        int64_t at_ms = step.action == ANNOUNCE_WAIT ? step.until_ms : fake_now_ms();
        wake_ms = at_ms < wake_ms ? at_ms : wake_ms;
    }
    return wake_ms;
}

/* Everybody does what is due, until then. */
static void live(struct history *history, int64_t until_ms)
{
    while (fake_now_ms() < until_ms) {
        int64_t wake_ms = next_wake(history, until_ms);
        if (wake_ms > fake_now_ms())
            fake_pass(wake_ms - fake_now_ms());
        check_presence(history);
        for (int i = 0; i < AGENTS; i++)
            run_agent(history, i);
        check_presence(history);
    }
}

static void end_trouble(struct history *history)
{
    history->chaos = false;
    history->calm_ms = fake_now_ms();
    if (history->down)
        fake_set_down(false);
    history->down = false;
    for (int i = 0; i < AGENTS; i++)
        history->agent[i].cut_off = false;
    if (history->stranger)
        write_key(history, "ip", NULL);
    tell(history, "no more trouble");
}

static void check_end(struct history *history)
{
    int registered = 0;

    for (int i = 0; i < AGENTS; i++) {
        const struct agent *agent = &history->agent[i];
        if (!agent->runs || !agent->announce.wanted)
            continue;
        check(history, agent->announce.held && is_whole(history, agent));
        registered++;
    }
    check(history, registered <= 1);
}

static void stop_all(struct history *history)
{
    for (int i = 0; i < AGENTS; i++) {
        struct agent *agent = &history->agent[i];
        agent->stop_ms = fake_now_ms();
        announce_stop(&agent->announce, fake_now_ms());
        tell(history, "%s: stop at the end", agent_names[i]);
        while (agent->runs)
            run_agent(history, i);
    }
    fake_pass(history->ttl_ms + 1000); /* of those that were killed */
    check(history, address_there(history) == NULL);
}

static void play(enum etcd_api api, uint32_t number, bool loud)
{
    static const int64_t ttls_ms[] = {2000, 3000, 5000, 10000};
    struct history history = {.api = api, .chaos = true, .loud = loud};
    const struct fake_hooks hooks = {.context = &history, .before = before, .writes = writes};
    char name[32];

    snprintf(name, sizeof name, "%s:%u", api == ETCD_V2 ? "v2" : "v3", number);
    history.name = name;
    fake_reset(number);
    fake_set_api(api);
    fake_set_hooks(&hooks);
    history.ttl_ms = ttls_ms[fake_random(ROW_COUNT(ttls_ms))];
    history.fault_percent = fake_random(3) * 8;
    history.answer_ms = 1 + fake_random(20);
    history.failure_ms = 1 + fake_random(1500);
    fake_set_lag(fake_random(2) == 0 ? 0 : 500);
    start(&history, US);
    for (int64_t end_ms = fake_now_ms() + CHAOS_MS; fake_now_ms() < end_ms;) {
        live(&history, fake_now_ms() + 1 + fake_random(fake_random(2) == 0 ? 1000 : 15000));
        if (fake_random(3) == 0)
            meddle(&history);
        else if (fake_random(2) == 0)
            trouble_network(&history);
        else
            trouble_process(&history);
    }
    end_trouble(&history);
    live(&history, fake_now_ms() + 4 * history.ttl_ms + 5000);
    check_end(&history);
    stop_all(&history);
    for (int i = 0; i < AGENTS; i++)
        etcd_close(history.agent[i].client);
}

static uint32_t how_many(void)
{
    const char *more = getenv("REGISTER_HISTORIES");

    return more == NULL ? HISTORIES : (uint32_t)strtoul(more, NULL, 10);
}

static void v3(void **state)
{
    (void)state;
    for (uint32_t number = 0; number < how_many(); number++)
        play(ETCD_V3, number, false);
}

static void v2(void **state)
{
    (void)state;
    for (uint32_t number = 0; number < how_many() / 2; number++)
        play(ETCD_V2, number, false);
}

static void chosen(void **state)
{
    const char *name = getenv("REGISTER_HISTORY");

    (void)state;
    assert_non_null(name);
    play(name[1] == '2' ? ETCD_V2 : ETCD_V3, (uint32_t)strtoul(name + 3, NULL, 10), true);
}

int main(void)
{
    const struct CMUnitTest all[] = {cmocka_unit_test(v3), cmocka_unit_test(v2)};
    const struct CMUnitTest one[] = {cmocka_unit_test(chosen)};
    const char *name = getenv("REGISTER_HISTORY");

    if (name != NULL && strlen(name) > 3)
        return cmocka_run_group_tests(one, NULL, NULL);
    return cmocka_run_group_tests(all, NULL, NULL);
}
