#include "../fake_etcd/fake_etcd.h"
#include "../row.h"
#include "log.h"
#include "registry_watch.h"

#include <stdlib.h>

/*
 * The registry is followed while an etcd in memory changes. Time passes only while somebody waits, and in the calls.
 * WATCH_HISTORY=v3:17 plays one of the random histories and tells what happens.
 */

enum { RESYNC_MS = 60000, GATHER_MS = 20, REQUEST_MS = 4000, HISTORIES = 2000, HISTORY_MS = 40000 };

struct scene {
    struct etcd *client;
    struct registry_watch *watch;
    struct error error;
    enum etcd_api api;
    int call_count[FAKE_CALLS];
    /* what happens before call number `at` of this kind */
    enum fake_call call;
    int at;
    void (*happening)(struct scene *scene);
    enum fake_fault fault;
    /* what happens while it waits, at these times after the start of the wait */
    void (*idle)(struct scene *scene, int64_t until_ms);
    int step;
};

static void put(const struct scene *scene, const char *key, const char *value)
{
    char path[128];

    snprintf(path, sizeof path, "/p/%s", key);
    if (scene->api == ETCD_V2 && value == NULL)
        fake_v2_delete(path);
    else if (scene->api == ETCD_V2)
        fake_v2_put(path, value, 0);
    else if (value == NULL)
        fake_delete(path, false);
    else
        fake_put(path, value, 0);
}

static void add(const struct scene *scene, const char *id, const char *ip)
{
    char key[100];

    snprintf(key, sizeof key, "%s/ip", id);
    put(scene, key, ip);
    snprintf(key, sizeof key, "%s/port", id);
    put(scene, key, ip == NULL ? NULL : "3306");
}

static enum fake_fault before(void *context, struct etcd *client, enum fake_call call)
{
    struct scene *scene = context;

    (void)client;
    scene->call_count[call]++;
    if (call != scene->call || scene->call_count[call] != scene->at)
        return FAKE_ANSWER;
    if (scene->happening != NULL)
        scene->happening(scene);
    return scene->fault;
}

static void idle(void *context, int64_t until_ms)
{
    struct scene *scene = context;

    if (scene->idle != NULL)
        scene->idle(scene, until_ms);
    else
        fake_pass(until_ms - fake_now_ms());
}

static void begin(struct scene *scene, enum etcd_api api)
{
    static const struct registry_watch_settings settings = {"/p", RESYNC_MS, GATHER_MS, REQUEST_MS};
    const struct fake_hooks hooks = {.context = scene, .before = before, .idle = idle};

    *scene = (struct scene){.api = api};
    fake_reset(1);
    fake_set_api(api);
    fake_set_hooks(&hooks);
    scene->client = fake_client("10.0.0.5");
    scene->watch = registry_watch_open(scene->client, &settings, &scene->error);
    assert_non_null(scene->watch);
}

static void end(struct scene *scene)
{
    registry_watch_close(scene->watch);
    assert_int_equal(fake_open_watches(), 0);
    etcd_close(scene->client);
}

/* Turns until there is news, for at most that long. */
static enum registry_news turn_for(struct scene *scene, int64_t ms)
{
    struct deadline deadline = deadline_in_ms(ms);
    enum registry_news news = REGISTRY_SAME;

    while (news == REGISTRY_SAME && !deadline_passed(deadline))
        news = registry_watch_turn(scene->watch, NULL, 0, deadline, &scene->error);
    return news;
}

static const char *ids(const struct scene *scene, char *text, size_t size)
{
    const struct registry *registry = registry_watch_current(scene->watch);

    text[0] = '\0';
    for (size_t i = 0; i < registry->count; i++) {
        size_t length = strlen(text);
        snprintf(text + length, size - length, "%s%s", length == 0 ? "" : " ", registry->entry[i].id);
    }
    return text;
}

#define assert_ids(scene, expected)                                                                                    \
    do {                                                                                                               \
        char text[512];                                                                                                \
        assert_string_equal(ids(scene, text, sizeof text), expected);                                                  \
    } while (0)

/* --- the steps, one by one ---------------------------------------------------------------------------------------- */

static void first_and_next(enum etcd_api api)
{
    struct scene scene;

    begin(&scene, api);
    add(&scene, "a", "10.0.0.1");
    put(&scene, "half/ip", "10.0.0.9");
    assert_ids(&scene, "");
    assert_int_equal(turn_for(&scene, 1000), REGISTRY_CHANGED);
    assert_ids(&scene, "a");
    assert_int_equal(registry_watch_current(scene.watch)->problem_count, 1);
    assert_int_equal(turn_for(&scene, 1000), REGISTRY_SAME);
    int ranges = scene.call_count[FAKE_GET];
    add(&scene, "b", "10.0.0.2");
    int64_t changed_ms = fake_now_ms();
    assert_int_equal(turn_for(&scene, 1000), REGISTRY_CHANGED);
    assert_ids(&scene, "a b");
    assert_in_range(fake_now_ms() - changed_ms, GATHER_MS, GATHER_MS + 5);
    add(&scene, "a", NULL);
    assert_int_equal(turn_for(&scene, 1000), REGISTRY_CHANGED);
    assert_ids(&scene, "b");
    put(&scene, "b/state", "donor");
    assert_int_equal(turn_for(&scene, 1000), REGISTRY_CHANGED);
    assert_string_equal(registry_watch_current(scene.watch)->entry[0].state, "donor");
    if (api == ETCD_V3) /* all of it from the watch */
        assert_int_equal(scene.call_count[FAKE_GET], ranges);
    end(&scene);
}

static void v3_first_and_next(void **state)
{
    (void)state;
    first_and_next(ETCD_V3);
}

static void v2_first_and_next(void **state)
{
    (void)state;
    first_and_next(ETCD_V2);
}

/* An empty registry is an answer; what is no change is none. */
static void nothing_new(void **state)
{
    struct scene scene;

    (void)state;
    begin(&scene, ETCD_V3);
    assert_int_equal(turn_for(&scene, 1000), REGISTRY_CHANGED);
    assert_ids(&scene, "");
    put(&scene, "a/color", "red");
    put(&scene, "half/port", "1");
    fake_put("/pq/a/ip", "10.0.0.1", 0);
    assert_int_equal(turn_for(&scene, 1000), REGISTRY_SAME);
    fake_send_progress();
    assert_int_equal(turn_for(&scene, 1000), REGISTRY_SAME);
    assert_int_equal(scene.call_count[FAKE_GET], 1);
    assert_int_equal(turn_for(&scene, RESYNC_MS), REGISTRY_SAME);
    assert_int_equal(scene.call_count[FAKE_GET], 2);
    assert_int_equal(scene.call_count[FAKE_WATCH], 1);
    end(&scene);
}

static void add_in_gap(struct scene *scene)
{
    add(scene, "gap", "10.0.0.7");
}

/* Between the range and the watch. */
static void gap(void **state)
{
    static const enum etcd_api apis[] = {ETCD_V3, ETCD_V2};

    (void)state;
    for (size_t i = 0; i < ROW_COUNT(apis); i++) {
        struct scene scene;
        begin(&scene, apis[i]);
        add(&scene, "a", "10.0.0.1");
        scene.call = FAKE_WATCH;
        scene.at = 1;
        scene.happening = add_in_gap;
        while (strcmp("a gap", ids(&scene, (char[64]){0}, 64)) != 0)
            assert_int_equal(turn_for(&scene, 1000), REGISTRY_CHANGED);
        end(&scene);
    }
}

static void add_many(struct scene *scene, int64_t until_ms)
{
    char id[16];

    if (scene->step < 10) {
        snprintf(id, sizeof id, "n%d", scene->step++);
        add(scene, id, "10.0.0.9");
    }
    fake_pass(scene->step < 10 ? 1 : until_ms - fake_now_ms());
}

/* Ten changes within 10 ms are one. */
static void burst(void **state)
{
    struct scene scene;

    (void)state;
    begin(&scene, ETCD_V3);
    assert_int_equal(turn_for(&scene, 1000), REGISTRY_CHANGED);
    scene.idle = add_many;
    assert_int_equal(turn_for(&scene, 1000), REGISTRY_CHANGED);
    assert_int_equal(registry_watch_current(scene.watch)->count, 10);
    scene.idle = NULL;
    assert_int_equal(turn_for(&scene, 1000), REGISTRY_SAME);
    end(&scene);
}

static void add_for_ever(struct scene *scene, int64_t until_ms)
{
    char id[16];

    (void)until_ms;
    snprintf(id, sizeof id, "n%d", scene->step++);
    add(scene, id, "10.0.0.9");
    fake_pass(1);
}

/* A stream of changes without a pause is reported all the same. */
static void no_pause(void **state)
{
    struct scene scene;

    (void)state;
    begin(&scene, ETCD_V3);
    assert_int_equal(turn_for(&scene, 1000), REGISTRY_CHANGED);
    scene.idle = add_for_ever;
    for (int i = 0; i < 10; i++) {
        int64_t from_ms = fake_now_ms();
        assert_int_equal(turn_for(&scene, 1000), REGISTRY_CHANGED);
        assert_true(fake_now_ms() - from_ms <= 2 * GATHER_MS);
    }
    end(&scene);
}

/* The last of several events for a key counts, one revision at a time or all at once. */
static void order(void **state)
{
    struct scene scene;

    (void)state;
    for (int batch = 0; batch < 3; batch++) {
        begin(&scene, ETCD_V3);
        fake_set_batch(batch);
        add(&scene, "a", "10.0.0.1");
        assert_int_equal(turn_for(&scene, 1000), REGISTRY_CHANGED);
        add(&scene, "a", "10.0.0.2");
        add(&scene, "a", NULL);
        add(&scene, "a", "10.0.0.3");
        add(&scene, "b", "10.0.0.4");
        add(&scene, "b", NULL);
        assert_int_equal(turn_for(&scene, 1000), REGISTRY_CHANGED);
        assert_ids(&scene, "a");
        assert_string_equal(registry_watch_current(scene.watch)->entry[0].ip, "10.0.0.3");
        end(&scene);
    }
}

static void compact_in_gap(struct scene *scene)
{
    add(scene, "gap", "10.0.0.7");
    add(scene, "gap2", "10.0.0.8");
    fake_compact();
}

/* Whatever ends a watch, nothing is missed, and nothing is said that is not so. */
static void broken_watches(void **state)
{
    static const char *const reasons[] = {"the server ended the stream", "cannot understand the answer: Syntax error",
                                          "etcdserver: no leader", "permission denied"};
    struct scene scene;

    (void)state;
    for (size_t i = 0; i < ROW_COUNT(reasons); i++) {
        begin(&scene, ETCD_V3);
        add(&scene, "a", "10.0.0.1");
        assert_int_equal(turn_for(&scene, 1000), REGISTRY_CHANGED);
        fake_end_watches(reasons[i]);
        add(&scene, "b", "10.0.0.2"); /* never told by that watch */
        assert_int_equal(turn_for(&scene, 1000), REGISTRY_CHANGED);
        assert_ids(&scene, "a b");
        assert_int_equal(fake_open_watches(), 1);
        add(&scene, "c", "10.0.0.3");
        assert_int_equal(turn_for(&scene, 1000), REGISTRY_CHANGED);
        assert_ids(&scene, "a b c");
        end(&scene);
    }
    begin(&scene, ETCD_V3);
    scene.call = FAKE_WATCH;
    scene.at = 1;
    scene.happening = compact_in_gap;
    assert_int_equal(turn_for(&scene, 1000), REGISTRY_CHANGED);
    assert_int_equal(turn_for(&scene, 1000), REGISTRY_CHANGED);
    assert_ids(&scene, "gap gap2");
    add(&scene, "c", "10.0.0.3");
    assert_int_equal(turn_for(&scene, 1000), REGISTRY_CHANGED);
    assert_ids(&scene, "c gap gap2");
    end(&scene);
}

/* etcd begins anew, with lower revisions than before. */
static void emptied(void **state)
{
    struct scene scene;

    (void)state;
    begin(&scene, ETCD_V3);
    for (int i = 0; i < 50; i++)
        put(&scene, "x/color", "red");
    add(&scene, "a", "10.0.0.1");
    assert_int_equal(turn_for(&scene, 1000), REGISTRY_CHANGED);
    fake_wipe();
    add(&scene, "b", "10.0.0.2");
    assert_int_equal(turn_for(&scene, 1000), REGISTRY_CHANGED);
    assert_ids(&scene, "b");
    add(&scene, "c", "10.0.0.3");
    assert_int_equal(turn_for(&scene, 1000), REGISTRY_CHANGED);
    assert_ids(&scene, "b c");
    assert_true(registry_watch_revision(scene.watch) < 50);
    end(&scene);
}

/* The same, and the old watch is cut off without a word: the next range shows it. */
static void emptied_unheard(void **state)
{
    struct scene scene;

    (void)state;
    begin(&scene, ETCD_V3);
    for (int i = 0; i < 50; i++)
        put(&scene, "x/color", "red");
    assert_int_equal(turn_for(&scene, 1000), REGISTRY_CHANGED);
    fake_silence_watches();
    fake_wipe();
    add(&scene, "b", "10.0.0.2");
    assert_int_equal(turn_for(&scene, RESYNC_MS), REGISTRY_CHANGED);
    add(&scene, "c", "10.0.0.3");
    assert_int_equal(turn_for(&scene, 1000), REGISTRY_CHANGED);
    assert_ids(&scene, "b c");
    end(&scene);
}

/* A member that accepts a watch and says nothing is left for the next. */
static void silent_member(void **state)
{
    struct scene scene;

    (void)state;
    begin(&scene, ETCD_V3);
    fake_mute_watches(1);
    assert_int_equal(turn_for(&scene, 1000), REGISTRY_CHANGED);
    add(&scene, "a", "10.0.0.1");
    int64_t from_ms = fake_now_ms();
    assert_int_equal(turn_for(&scene, RESYNC_MS), REGISTRY_CHANGED);
    assert_true(fake_now_ms() - from_ms <= REQUEST_MS + GATHER_MS);
    assert_string_equal(etcd_endpoint(scene.client), "http://etcd2");
    add(&scene, "b", "10.0.0.2");
    assert_int_equal(turn_for(&scene, 1000), REGISTRY_CHANGED);
    assert_ids(&scene, "a b");
    end(&scene);
}

/* The registry stands while etcd is away, which is said once; and afterwards it is the new one. */
static void outage(void **state)
{
    struct scene scene;

    (void)state;
    begin(&scene, ETCD_V3);
    add(&scene, "a", "10.0.0.1");
    assert_int_equal(turn_for(&scene, 1000), REGISTRY_CHANGED);
    fake_set_down(true);
    assert_int_equal(turn_for(&scene, 5000), REGISTRY_UNKNOWN);
    assert_true(strlen(scene.error.text) > 0);
    assert_int_equal(turn_for(&scene, 60000), REGISTRY_SAME);
    assert_ids(&scene, "a");
    add(&scene, "b", "10.0.0.2");
    fake_set_down(false);
    int64_t from_ms = fake_now_ms();
    assert_int_equal(turn_for(&scene, 60000), REGISTRY_CHANGED);
    assert_true(fake_now_ms() - from_ms <= 5000);
    assert_ids(&scene, "a b");
    assert_int_equal(turn_for(&scene, 1000), REGISTRY_SAME);
    /* and the next one is said again */
    fake_set_down(true);
    assert_int_equal(turn_for(&scene, 5000), REGISTRY_UNKNOWN);
    end(&scene);
}

static void down_at_start(void **state)
{
    struct scene scene;

    (void)state;
    begin(&scene, ETCD_V3);
    fake_set_down(true);
    assert_int_equal(turn_for(&scene, 1000), REGISTRY_UNKNOWN);
    assert_int_equal(turn_for(&scene, 20000), REGISTRY_SAME);
    assert_in_range(scene.call_count[FAKE_FIND_API], 5, 15); /* no flood */
    fake_set_down(false);
    assert_int_equal(turn_for(&scene, 10000), REGISTRY_CHANGED);
    end(&scene);
}

/* etcd answers ranges and no watch: the registry is followed all the same, and nobody is flooded. */
static void no_watch(void **state)
{
    struct scene scene;

    (void)state;
    begin(&scene, ETCD_V3);
    fake_mute_watches(1000);
    for (int i = 0; i < 20; i++) {
        put(&scene, "a/ip", i % 2 == 0 ? "10.0.0.1" : "10.0.0.2");
        put(&scene, "a/port", "3306");
        assert_int_equal(turn_for(&scene, 2 * REQUEST_MS), REGISTRY_CHANGED);
    }
    assert_true(scene.call_count[FAKE_GET] <= 25);
    end(&scene);
}

/* A signal ends a turn at once, and a request that it interrupts is repeated in the next. */
static void interrupted(void **state)
{
    struct pollfd fds[] = {{.fd = 0, .events = POLLIN}};
    struct scene scene;

    (void)state;
    begin(&scene, ETCD_V3);
    add(&scene, "a", "10.0.0.1");
    scene.call = FAKE_GET;
    scene.at = 1;
    scene.fault = FAKE_INTERRUPTED;
    fake_wake();
    int64_t from_ms = fake_now_ms();
    assert_int_equal(registry_watch_turn(scene.watch, fds, 1, deadline_in_ms(10000), &scene.error), REGISTRY_SAME);
    assert_int_equal(fds[0].revents, POLLIN);
    assert_int_equal(fake_now_ms(), from_ms);
    assert_int_equal(turn_for(&scene, 1000), REGISTRY_CHANGED);
    assert_ids(&scene, "a");
    fake_wake();
    assert_int_equal(registry_watch_turn(scene.watch, fds, 1, deadline_in_ms(10000), &scene.error), REGISTRY_SAME);
    assert_int_equal(fds[0].revents, POLLIN);
    assert_int_equal(fake_now_ms(), from_ms);
    assert_int_equal(registry_watch_turn(scene.watch, fds, 1, deadline_in_ms(10), &scene.error), REGISTRY_SAME);
    assert_int_equal(fds[0].revents, 0);
    assert_int_equal(fake_now_ms(), from_ms + 10);
    end(&scene);
}

/* Who has to end by a moment does, even when etcd does not answer. */
static void limit(void **state)
{
    struct scene scene;

    (void)state;
    begin(&scene, ETCD_V3);
    fake_set_delay(0, 60000);
    scene.call = FAKE_GET;
    scene.at = 1;
    scene.fault = FAKE_NO_ANSWER;
    int64_t from_ms = fake_now_ms();
    registry_watch_limit(scene.watch, deadline_in_ms(300));
    assert_int_equal(turn_for(&scene, 300), REGISTRY_UNKNOWN);
    assert_int_equal(fake_now_ms(), from_ms + 300);
    end(&scene);
}

/* --- random histories --------------------------------------------------------------------------------------------- */

struct story {
    struct scene scene;
    bool trouble;
    bool down;
    bool loud;
    int64_t quiet_ms; /* since when nothing has happened */
    uint32_t fault_percent;
};

static struct story story;

static void tell(const char *what, const char *detail)
{
    if (story.loud)
        fprintf(stderr, "%8d %s %s\n", (int)fake_now_ms(), what, detail);
}

static void change_something(void)
{
    static const char *const fields[] = {"ip", "port", "host", "state", "color", "ip/deep"};
    static const char *const values[] = {"10.0.0.1", "10.0.0.2", "3306", "3307", "synced", "bad value"};
    char key[32];

    snprintf(key, sizeof key, "n%u/%s", fake_random(5), fields[fake_random(6)]);
    const char *value = fake_random(4) == 0 ? NULL : values[fake_random(6)];
    if (fake_random(3) == 0) {
        snprintf(key, sizeof key, "n%u", fake_random(5));
        value = fake_random(3) == 0 ? NULL : values[fake_random(2)];
        add(&story.scene, key, value);
    } else if (story.scene.api == ETCD_V3 || strstr(key, "deep") == NULL) {
        put(&story.scene, key, value);
    }
    story.quiet_ms = fake_now_ms();
    tell(key, value == NULL ? "-" : value);
}

static void cause_trouble(void)
{
    story.quiet_ms = fake_now_ms();
    switch (fake_random(6)) {
    case 0:
        tell("compaction", "");
        fake_compact();
        break;
    case 1:
        tell("watches end", "");
        fake_end_watches("EOF");
        break;
    case 2:
        tell("etcd emptied", "");
        fake_wipe();
        break;
    case 3:
        if (story.scene.api == ETCD_V2) /* a long poll is silent by nature: only the next range shows what it missed */
            break;
        tell("silent watches", "");
        fake_mute_watches((int)fake_random(3));
        break;
    case 4:
        fake_send_progress();
        break;
    default:
        story.down = !story.down;
        tell("down", story.down ? "yes" : "no");
        fake_set_down(story.down);
        break;
    }
}

static void live(void *context, int64_t until_ms)
{
    int64_t left_ms = until_ms - fake_now_ms();

    (void)context;
    if (story.trouble && fake_random(3) == 0) {
        if (fake_random(5) == 0)
            cause_trouble();
        else
            change_something();
    }
    int64_t step_ms = 1 + fake_random(story.trouble ? 200 : 2000);
    fake_pass(step_ms < left_ms ? step_ms : left_ms);
}

static enum fake_fault meddle(void *context, struct etcd *client, enum fake_call call)
{
    static const enum fake_fault faults[] = {FAKE_NO_ANSWER, FAKE_LOST,    FAKE_TWICE,
                                             FAKE_DENIED,    FAKE_REFUSED, FAKE_INTERRUPTED};

    (void)context;
    (void)client;
    (void)call;
    if (!story.trouble)
        return FAKE_ANSWER;
    if (fake_random(3) == 0)
        change_something();
    return fake_random(100) < story.fault_percent ? faults[fake_random(ROW_COUNT(faults))] : FAKE_ANSWER;
}

static void compare(const char *name)
{
    const struct etcd_range *keys = story.scene.api == ETCD_V2 ? fake_v2_keys() : fake_keys();
    struct registry truth;

    assert_true(registry_build(&truth, "/p", keys->kv, keys->count, &story.scene.error));
    if (!registry_equal(&truth, registry_watch_current(story.scene.watch)))
        fail_msg("history %s, at %d: the registry is another than etcd's", name, (int)fake_now_ms());
    registry_free(&truth);
}

/* A change that is reported is one; a registry that differs is reported. */
static void check_news(const char *name, enum registry_news news, struct registry *before, bool *known)
{
    const struct registry *now = registry_watch_current(story.scene.watch);
    bool same = *known && registry_equal(before, now);

    if ((news == REGISTRY_CHANGED) == same && (*known || news == REGISTRY_CHANGED))
        fail_msg("history %s, at %d: news %d of a registry that is %s", name, (int)fake_now_ms(), (int)news,
                 same ? "the same" : "another");
    *known |= news == REGISTRY_CHANGED;
    registry_free(before);
    before->entry = calloc(now->count + 1, sizeof *before->entry);
    assert_non_null(before->entry);
    for (size_t i = 0; i < now->count; i++)
        before->entry[i] = now->entry[i];
    before->count = now->count;
}

static void play(enum etcd_api api, uint32_t number, bool loud)
{
    const struct fake_hooks hooks = {.before = meddle, .idle = live};
    struct registry known_registry = {0};
    bool known = false;
    char name[32];

    snprintf(name, sizeof name, "%s:%u", api == ETCD_V2 ? "v2" : "v3", number);
    begin(&story.scene, api);
    fake_reset(number);
    fake_set_api(api);
    fake_set_hooks(&hooks);
    fake_set_delay(fake_random(5), 1 + fake_random(3000));
    fake_set_batch((int)fake_random(3));
    story.trouble = true;
    story.down = false;
    story.loud = loud;
    story.fault_percent = fake_random(3) * 10;
    /* The range is not read again but for a reason: what the watch misses stays missed. */
    const struct registry_watch_settings settings = {"/p", 3600000, GATHER_MS, REQUEST_MS};
    registry_watch_close(story.scene.watch);
    story.scene.watch = registry_watch_open(story.scene.client, &settings, &story.scene.error);
    for (int64_t end_ms = fake_now_ms() + HISTORY_MS, calm_ms = end_ms + 30000; fake_now_ms() < calm_ms;) {
        if (story.trouble && fake_now_ms() >= end_ms) {
            tell("no more trouble", "");
            story.trouble = false;
            fake_set_down(false);
            fake_mute_watches(0);
        }
        struct deadline deadline = deadline_in_ms(1 + fake_random(3000));
        enum registry_news news = registry_watch_turn(story.scene.watch, NULL, 0, deadline, &story.scene.error);
        tell("turn", news == REGISTRY_CHANGED ? "changed" : news == REGISTRY_SAME ? "same" : "unknown");
        check_news(name, news, &known_registry, &known);
        if (fake_now_ms() == story.quiet_ms) /* a turn that took no time */
            fake_pass(1);
    }
    compare(name);
    registry_free(&known_registry);
    end(&story.scene);
}

static void histories(void **state)
{
    const char *name = getenv("WATCH_HISTORY");

    (void)state;
    if (name != NULL && strlen(name) > 3) {
        play(name[1] == '2' ? ETCD_V2 : ETCD_V3, (uint32_t)strtoul(name + 3, NULL, 10), true);
        return;
    }
    for (uint32_t number = 0; number < HISTORIES; number++) {
        play(ETCD_V3, number, false);
        if (number % 2 == 0)
            play(ETCD_V2, number, false);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(v3_first_and_next),
        cmocka_unit_test(v2_first_and_next),
        cmocka_unit_test(nothing_new),
        cmocka_unit_test(gap),
        cmocka_unit_test(burst),
        cmocka_unit_test(no_pause),
        cmocka_unit_test(order),
        cmocka_unit_test(broken_watches),
        cmocka_unit_test(emptied),
        cmocka_unit_test(emptied_unheard),
        cmocka_unit_test(silent_member),
        cmocka_unit_test(outage),
        cmocka_unit_test(down_at_start),
        cmocka_unit_test(no_watch),
        cmocka_unit_test(interrupted),
        cmocka_unit_test(limit),
        cmocka_unit_test(histories),
    };

    log_target("none");
    return cmocka_run_group_tests(tests, NULL, NULL);
}
