/*
 * The weight that --agent tells the load balancer: how much of its share of the traffic a node that is up should get.
 * Pure.
 *
 * One look at the node gives the weight
 *
 *     100 * weight_queue / (weight_queue + wsrep_local_recv_queue)
 *
 * halved while the node asks the cluster to pause (flow control): a node that lags behind gets less, and never nothing.
 * The resident service follows that with a first-order filter, fast downwards and slowly upwards, and tells the result
 * in steps of 5, and only when it has moved by 4 or more: a queue that comes and goes does not make the weight flutter.
 * A donor gets at most donor_weight. What is told is never less than 1, since 0 would mean drain.
 */
#ifndef CLUSTERCHECK_WEIGHT_H
#define CLUSTERCHECK_WEIGHT_H

#include <stdbool.h>
#include <stdint.h>

#include "facts.h"

enum { WEIGHT_FULL = 100, WEIGHT_STEP = 5, WEIGHT_DEADBAND = 4, WEIGHT_DOWN_MS = 1000, WEIGHT_UP_MS = 5000 };

/* What the resident service remembers between two looks. All zero: nothing yet. */
struct weight {
    bool begun;
    double smooth;
    int told;
    int64_t at_ms;
    int64_t pauses; /* wsrep_flow_control_sent, -1 where the server does not say */
};

/* The weight of one look alone, 1 to 100. */
int weight_of(const struct facts *facts, int64_t weight_queue);

/*
 * Follows with another look, taken at `now_ms`, and returns what is told. Between two looks a pause may have come and
 * gone: the count of those that the node has asked for tells.
 */
int weight_follow(struct weight *weight, const struct facts *facts, int64_t weight_queue, int64_t now_ms);

/* The weight of a node whose transfer does not keep it from serving. */
int weight_of_donor(int weight, int64_t donor_weight);

#endif
