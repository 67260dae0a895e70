#include "../row.h"
#include "announce.h"

/*
 * A script is a list of moments: something happens (an outcome of the action that was due, or a wish from outside), and
 * then this action is due next. TTL 9 s, so a beat is due after 3 s; the stop timeout is 1 s; without jitter.
 */

enum event {
    TIME,
    DONE,
    GONE,
    TAKEN,
    DISPLACED,
    UNREACHABLE,
    REFUSED,
    IMPOSSIBLE,
    INTERRUPTED,
    WANT,
    UNWANT,
    OUTDATE,
    STOP
};

struct moment {
    int64_t at_ms;
    enum event event;
    enum announce_news news; /* of an outcome */
    enum announce_action next;
    int64_t left_ms; /* TAKEN */
    int64_t holder;
};

enum { MOMENTS_MOST = 20, TTL_MS = 9000 };

static enum announce_outcome outcome_of(enum event event)
{
    static const enum announce_outcome outcomes[] = {
        [DONE] = OUTCOME_DONE,
        [GONE] = OUTCOME_GONE,
        [TAKEN] = OUTCOME_TAKEN,
        [DISPLACED] = OUTCOME_DISPLACED,
        [UNREACHABLE] = OUTCOME_UNREACHABLE,
        [REFUSED] = OUTCOME_REFUSED,
        [IMPOSSIBLE] = OUTCOME_IMPOSSIBLE,
        [INTERRUPTED] = OUTCOME_INTERRUPTED,
    };
    return outcomes[event];
}

static void play(const char *name, const struct moment *moments, bool once)
{
    struct announce announce;

    announce_init(&announce, TTL_MS, 1000, once);
    for (size_t i = 0; i < MOMENTS_MOST && (i == 0 || moments[i].at_ms != 0); i++) {
        const struct moment *moment = &moments[i];
        char row[96];
        snprintf(row, sizeof row, "%s, at %d ms", name, (int)moment->at_ms);
        if (moment->event == WANT || moment->event == UNWANT) {
            announce_want(&announce, moment->event == WANT, moment->at_ms);
        } else if (moment->event == OUTDATE) {
            announce_outdate(&announce);
        } else if (moment->event == STOP) {
            announce_stop(&announce, moment->at_ms);
        } else if (moment->event != TIME) {
            struct announce_report report = {
                .action = announce_next(&announce, moment->at_ms).action,
                .outcome = outcome_of(moment->event),
                .ttl_ms = TTL_MS,
                .left_ms = moment->left_ms,
                .holder = moment->holder,
                .sent_ms = moment->at_ms,
            };
            row_number(row, announce_take(&announce, &report, moment->at_ms, 0), moment->news);
        }
        row_number(row, announce_next(&announce, moment->at_ms).action, moment->next);
    }
}

#define W ANNOUNCE_WAIT
#define C ANNOUNCE_CLAIM
#define K ANNOUNCE_KEEP
#define V ANNOUNCE_VERIFY
#define U ANNOUNCE_UPDATE
#define X ANNOUNCE_WITHDRAW
#define E ANNOUNCE_END

static void scripts(void **state)
{
    static const struct {
        const char *name;
        struct moment moment[MOMENTS_MOST];
    } rows[] = {
        {"a quiet life",
         {{1, TIME, 0, W, 0, 0},
          {2, WANT, 0, C, 0, 0},
          {10, DONE, NEWS_REGISTERED, W, 0, 0},
          {3009, TIME, 0, W, 0, 0},
          {3010, TIME, 0, K, 0, 0},
          {3020, DONE, 0, W, 0, 0},
          {6020, DONE, 0, V, 0, 0},
          {6030, DONE, 0, W, 0, 0},
          {9019, TIME, 0, W, 0, 0},
          {9020, TIME, 0, K, 0, 0},
          {9030, STOP, 0, X, 0, 0},
          {9040, DONE, NEWS_WITHDRAWN, E, 0, 0}}},
        {"state changes",
         {{1, WANT, 0, C, 0, 0},
          {2, DONE, NEWS_REGISTERED, W, 0, 0},
          {50, OUTDATE, 0, U, 0, 0},
          {60, DONE, 0, W, 0, 0},
          {70, OUTDATE, 0, U, 0, 0},
          {80, GONE, NEWS_LOST, C, 0, 0},
          {90, DONE, NEWS_REGISTERED_AGAIN, W, 0, 0}}},
        {"lease gone",
         {{1, WANT, 0, C, 0, 0},
          {2, DONE, NEWS_REGISTERED, W, 0, 0},
          {3002, GONE, NEWS_LOST, C, 0, 0},
          {3010, DONE, NEWS_REGISTERED_AGAIN, W, 0, 0},
          {6009, TIME, 0, W, 0, 0},
          {6010, TIME, 0, K, 0, 0}}},
        {"keys wiped",
         {{1, WANT, 0, C, 0, 0},
          {2, DONE, NEWS_REGISTERED, W, 0, 0},
          {3002, DONE, 0, W, 0, 0},
          {6002, DONE, 0, V, 0, 0},
          {6003, GONE, NEWS_LOST, C, 0, 0},
          {6004, DONE, NEWS_REGISTERED_AGAIN, W, 0, 0}}},
        {"etcd down at start",
         {{1, WANT, 0, C, 0, 0},
          {10, UNREACHABLE, NEWS_OUTAGE, W, 0, 0},
          {109, TIME, 0, W, 0, 0},
          {110, UNREACHABLE, 0, W, 0, 0},
          {309, TIME, 0, W, 0, 0},
          {310, UNREACHABLE, 0, W, 0, 0},
          {710, TIME, 0, C, 0, 0},
          {711, DONE, NEWS_REGISTERED_AGAIN, W, 0, 0}}},
        {"short outage",
         {{1, WANT, 0, C, 0, 0},
          {2, DONE, NEWS_REGISTERED, W, 0, 0},
          {3002, UNREACHABLE, NEWS_OUTAGE, W, 0, 0},
          {3102, UNREACHABLE, 0, W, 0, 0},
          {3302, DONE, NEWS_OUTAGE_OVER, V, 0, 0},
          {3303, DONE, 0, W, 0, 0}}},
        {"long outage",
         {{1, WANT, 0, C, 0, 0},
          {2, DONE, NEWS_REGISTERED, W, 0, 0},
          {3002, UNREACHABLE, NEWS_OUTAGE, W, 0, 0},
          {9100, UNREACHABLE, NEWS_EXPIRED, W, 0, 0},
          {9500, UNREACHABLE, 0, W, 0, 0},
          {20000, GONE, NEWS_LOST, C, 0, 0},
          {20001, DONE, NEWS_REGISTERED_AGAIN, W, 0, 0}}},
        {"a dead other",
         {{1, WANT, 0, C, 0, 0},
          {10, TAKEN, NEWS_CONTESTED, W, 5000, 7},
          {509, TIME, 0, W, 0, 0},
          {510, TAKEN, 0, W, 5000, 7},
          {1010, TAKEN, 0, W, 4000, 7},
          {5100, TAKEN, 0, W, 0, 7},
          {5700, DONE, NEWS_REGISTERED, W, 0, 0}}},
        {"a living other",
         {{1, WANT, 0, C, 0, 0},
          {10, TAKEN, NEWS_CONTESTED, W, 5000, 7},
          {1000, TAKEN, 0, W, 4000, 7},
          {3000, TAKEN, 0, W, 9000, 7},
          {5000, TAKEN, 0, W, 7000, 7},
          {6000, TAKEN, NEWS_OWNED, E, 9000, 7}}},
        {"a dead other, and a new leader",
         {{1, WANT, 0, C, 0, 0},
          {10, TAKEN, NEWS_CONTESTED, W, 5000, 7},
          {3000, TAKEN, 0, W, 9000, 7},
          {6000, TAKEN, 0, W, 6000, 7},
          {11999, TAKEN, 0, W, 0, 7},
          {12600, DONE, NEWS_REGISTERED, W, 0, 0}}},
        {"a living other with a short TTL",
         {{1, WANT, 0, C, 0, 0},
          {10, TAKEN, NEWS_CONTESTED, W, 1000, 7},
          {1000, TAKEN, 0, W, 1000, 7},
          {2000, TAKEN, 0, W, 1000, 7},
          {3000, TAKEN, 0, W, 1000, 7},
          {4000, TAKEN, NEWS_OWNED, E, 1000, 7}}},
        {"one other after another",
         {{1, WANT, 0, C, 0, 0},
          {10, TAKEN, NEWS_CONTESTED, W, 1000, 7},
          {1500, TAKEN, NEWS_CONTESTED, W, 9000, 8},
          {2000, TAKEN, 0, W, 8000, 8}}},
        {"an other for ever", {{1, WANT, 0, C, 0, 0}, {10, TAKEN, NEWS_OWNED, E, -1, 0}}},
        {"taken while out",
         {{1, WANT, 0, C, 0, 0},
          {2, DONE, NEWS_REGISTERED, W, 0, 0},
          {3002, DONE, 0, W, 0, 0},
          {6002, DONE, 0, V, 0, 0},
          {6003, TAKEN, NEWS_CONTESTED, W, 5000, 7},
          {8000, TAKEN, 0, W, 9000, 7},
          {11000, TAKEN, NEWS_OWNED, E, 9000, 7}}},
        {"displaced",
         {{1, WANT, 0, C, 0, 0},
          {2, DONE, NEWS_REGISTERED, W, 0, 0},
          {3002, DONE, 0, W, 0, 0},
          {6002, DONE, 0, V, 0, 0},
          {6003, DISPLACED, NEWS_DISPLACED, E, 0, 0}}},
        {"refused at start", {{1, WANT, 0, C, 0, 0}, {2, REFUSED, NEWS_REFUSED, E, 0, 0}}},
        {"refused later",
         {{1, WANT, 0, C, 0, 0}, {2, DONE, NEWS_REGISTERED, W, 0, 0}, {3002, REFUSED, NEWS_OUTAGE, W, 0, 0}}},
        {"impossible", {{1, WANT, 0, C, 0, 0}, {2, IMPOSSIBLE, NEWS_IMPOSSIBLE, E, 0, 0}}},
        {"not wanted any more",
         {{1, WANT, 0, C, 0, 0},
          {2, DONE, NEWS_REGISTERED, W, 0, 0},
          {3, UNWANT, 0, X, 0, 0},
          {4, UNREACHABLE, NEWS_OUTAGE, W, 0, 0},
          {104, DONE, NEWS_WITHDRAWN, W, 0, 0},
          {9000, WANT, 0, C, 0, 0},
          {9001, DONE, NEWS_REGISTERED_AGAIN, W, 0, 0}}},
        {"stopped before the start", {{1, STOP, 0, E, 0, 0}}},
        {"stopped in a claim",
         {{1, WANT, 0, C, 0, 0},
          {2, INTERRUPTED, 0, C, 0, 0},
          {3, STOP, 0, X, 0, 0},
          {4, DONE, NEWS_WITHDRAWN, E, 0, 0}}},
        {"stopped while etcd is away",
         {{1, WANT, 0, C, 0, 0},
          {2, DONE, NEWS_REGISTERED, W, 0, 0},
          {3, STOP, 0, X, 0, 0},
          {500, UNREACHABLE, 0, W, 0, 0},
          {550, UNREACHABLE, 0, W, 0, 0},
          {990, UNREACHABLE, NEWS_NOT_WITHDRAWN, E, 0, 0}}},
        {"stopped in a backoff",
         {{1, WANT, 0, C, 0, 0},
          {2, DONE, NEWS_REGISTERED, W, 0, 0},
          {3002, UNREACHABLE, NEWS_OUTAGE, W, 0, 0},
          {3003, STOP, 0, X, 0, 0}}},
    };

    (void)state;
    for (size_t i = 0; i < ROW_COUNT(rows); i++)
        play(rows[i].name, rows[i].moment, false);
}

static void once(void **state)
{
    static const struct moment done[MOMENTS_MOST] = {{1, WANT, 0, C, 0, 0}, {2, DONE, NEWS_REGISTERED, E, 0, 0}};
    static const struct moment away[MOMENTS_MOST] = {{1, WANT, 0, C, 0, 0}, {2, UNREACHABLE, NEWS_GIVEN_UP, E, 0, 0}};

    (void)state;
    play("once", done, true);
    play("once, etcd away", away, true);
}

/* Every attempt ends early enough for another one before the entry expires, and a stop in time. */
static void budgets(void **state)
{
    struct announce announce;

    (void)state;
    announce_init(&announce, TTL_MS, 1000, false);
    announce_want(&announce, true, 1);
    assert_int_equal(announce_next(&announce, 100).until_ms, 100 + TTL_MS / 3);
    struct announce_report report = {
        .action = ANNOUNCE_CLAIM, .outcome = OUTCOME_DONE, .ttl_ms = TTL_MS, .sent_ms = 100};
    announce_take(&announce, &report, 150, 0);
    assert_int_equal(announce.expires_at_ms, 100 + TTL_MS);
    assert_int_equal(announce_next(&announce, 150).until_ms, 3150);
    announce_take(&announce, &report, 150, UINT32_MAX);
    assert_in_range(announce_next(&announce, 150).until_ms, 150 + 2400, 150 + 2410);
    announce_stop(&announce, 500);
    assert_int_equal(announce_next(&announce, 700).until_ms, 1500);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(scripts), cmocka_unit_test(once), cmocka_unit_test(budgets)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
