#include "weight.h"

#include <stddef.h>

#include "num.h"

static int64_t fact_number(const struct facts *facts, const char *name, int64_t otherwise)
{
    const char *text = facts_get(facts, name);
    int64_t number;

    return text != NULL && num_parse(text, 0, INT64_MAX, &number) ? number : otherwise;
}

/* MariaDB says true, PXC ON. */
static bool asks_for_a_pause(const struct facts *facts)
{
    return facts_is(facts, "wsrep_flow_control_requested", "true") ||
           facts_is(facts, "wsrep_flow_control_requested", "ON");
}

static double target_of(const struct facts *facts, int64_t weight_queue, bool pausing)
{
    double queue = (double)fact_number(facts, "wsrep_local_recv_queue", 0);
    double target = WEIGHT_FULL * (double)weight_queue / ((double)weight_queue + queue);

    return pausing ? target / 2 : target;
}

static int stepped(double weight)
{
    int steps = (int)(weight / WEIGHT_STEP + 0.5);

    return steps < 1 ? WEIGHT_STEP : steps * WEIGHT_STEP;
}

int weight_of(const struct facts *facts, int64_t weight_queue)
{
    int weight = (int)(target_of(facts, weight_queue, asks_for_a_pause(facts)) + 0.5);

    return weight < 1 ? 1 : weight;
}

int weight_follow(struct weight *weight, const struct facts *facts, int64_t weight_queue, int64_t now_ms)
{
    int64_t pauses = fact_number(facts, "wsrep_flow_control_sent", -1);
    bool paused = weight->begun && weight->pauses >= 0 && pauses > weight->pauses;
    double target = target_of(facts, weight_queue, paused || asks_for_a_pause(facts));

    if (!weight->begun) {
        *weight = (struct weight){.begun = true, .smooth = target, .told = stepped(target)};
    } else {
        double passed = (double)(now_ms > weight->at_ms ? now_ms - weight->at_ms : 0);
        double slowness = target < weight->smooth ? WEIGHT_DOWN_MS : WEIGHT_UP_MS;
        weight->smooth += (target - weight->smooth) * passed / (passed + slowness);
    }
    weight->at_ms = now_ms;
    weight->pauses = pauses;
    double moved = weight->smooth - weight->told;
    if (moved >= WEIGHT_DEADBAND || moved <= -WEIGHT_DEADBAND)
        weight->told = stepped(weight->smooth);
    return weight->told;
}

int weight_of_donor(int weight, int64_t donor_weight)
{
    return weight < donor_weight ? weight : (int)donor_weight;
}
