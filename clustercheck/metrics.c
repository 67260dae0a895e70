#include "report.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <strings.h>

#include "num.h"

enum kind {
    KIND_PLAIN,   /* the number as it stands */
    KIND_NS,      /* nanoseconds, told in seconds */
    KIND_BOOLEAN, /* ON, true, Primary: 1 */
};

/* The server's variables that have a meaning over time, under names by the conventions of Prometheus. */
static const struct variable {
    const char *name;
    const char *metric;
    const char *type;
    enum kind kind;
    const char *help;
} variables[] = {
    {"wsrep_local_state", "galera_local_state", "gauge", KIND_PLAIN,
     "State of the node: 0 initialized, 1 joining, 2 donor or desynced, 3 joined, 4 synced."},
    {"wsrep_cluster_size", "galera_cluster_size", "gauge", KIND_PLAIN, "Nodes in the component of this node."},
    {"wsrep_cluster_weight", "galera_cluster_weight", "gauge", KIND_PLAIN, "Sum of the quorum weights of these nodes."},
    {"wsrep_cluster_status", "galera_cluster_primary", "gauge", KIND_BOOLEAN,
     "Whether the component of this node is the Primary Component."},
    {"wsrep_ready", "galera_ready", "gauge", KIND_BOOLEAN, "Whether the node accepts queries."},
    {"wsrep_connected", "galera_connected", "gauge", KIND_BOOLEAN, "Whether the node is connected to the cluster."},
    {"wsrep_local_index", "galera_local_index", "gauge", KIND_PLAIN, "Position of the node in the component."},
    {"wsrep_desync_count", "galera_desync_operations", "gauge", KIND_PLAIN,
     "Operations in progress that keep the node desynced."},
    {"wsrep_last_committed", "galera_last_committed_seqno", "gauge", KIND_PLAIN,
     "Sequence number of the last committed write set."},
    {"wsrep_local_recv_queue", "galera_receive_queue_length", "gauge", KIND_PLAIN,
     "Write sets that wait to be applied."},
    {"wsrep_local_send_queue", "galera_send_queue_length", "gauge", KIND_PLAIN, "Write sets that wait to be sent."},
    {"wsrep_flow_control_paused_ns", "galera_flow_control_paused_seconds_total", "counter", KIND_NS,
     "Time for which replication was paused by flow control."},
    {"wsrep_flow_control_sent", "galera_flow_control_sent_total", "counter", KIND_PLAIN,
     "Pauses that this node has asked for."},
    {"wsrep_flow_control_recv", "galera_flow_control_received_total", "counter", KIND_PLAIN,
     "Pauses that any node has asked for."},
    {"wsrep_flow_control_active", "galera_flow_control_active", "gauge", KIND_BOOLEAN,
     "Whether replication is paused now."},
    {"wsrep_flow_control_requested", "galera_flow_control_requested", "gauge", KIND_BOOLEAN,
     "Whether this node asks for a pause now."},
    {"wsrep_local_commits", "galera_commits_total", "counter", KIND_PLAIN, "Write sets committed for local clients."},
    {"wsrep_local_cert_failures", "galera_certification_failures_total", "counter", KIND_PLAIN,
     "Local transactions that failed certification: conflicts."},
    {"wsrep_local_bf_aborts", "galera_bf_aborts_total", "counter", KIND_PLAIN,
     "Local transactions that replicated ones have aborted: conflicts."},
    {"wsrep_local_replays", "galera_replays_total", "counter", KIND_PLAIN, "Transactions that were replayed."},
    {"wsrep_replicated", "galera_replicated_writesets_total", "counter", KIND_PLAIN, "Write sets sent."},
    {"wsrep_replicated_bytes", "galera_replicated_bytes_total", "counter", KIND_PLAIN, "Bytes of write sets sent."},
    {"wsrep_received", "galera_received_writesets_total", "counter", KIND_PLAIN, "Write sets received."},
    {"wsrep_received_bytes", "galera_received_bytes_total", "counter", KIND_PLAIN, "Bytes of write sets received."},
    {"wsrep_cert_deps_distance", "galera_certification_dependency_distance", "gauge", KIND_PLAIN,
     "How many write sets could be applied in parallel, on average."},
    {"wsrep_open_transactions", "galera_open_transactions", "gauge", KIND_PLAIN,
     "Local transactions known to the replication provider."},
};

static void add(struct line *line, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void add(struct line *line, const char *format, ...)
{
    char text[512];
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    line_add(line, text);
}

static void add_head(struct line *line, const char *metric, const char *type, const char *help)
{
    add(line, "# HELP %s %s\n# TYPE %s %s\n", metric, help, metric, type);
}

static void add_gauge(struct line *line, const char *metric, double value, const char *help)
{
    add_head(line, metric, "gauge", help);
    add(line, "%s %.9g\n", metric, value);
}

static void add_counter(struct line *line, const char *metric, uint64_t value, const char *help)
{
    add_head(line, metric, "counter", help);
    add(line, "%s %" PRIu64 "\n", metric, value);
}

static bool is_yes(const char *value)
{
    return strcasecmp(value, "ON") == 0 || strcasecmp(value, "true") == 0 || strcasecmp(value, "Primary") == 0;
}

/* A variable that this server does not have, or whose value is no number, is left out. */
static void add_variable(struct line *line, const struct variable *variable, const struct facts *facts)
{
    const char *value = facts_get(facts, variable->name);
    int64_t ns = 0;

    if (value == NULL || (variable->kind != KIND_BOOLEAN && !is_json_number(value)))
        return;
    if (variable->kind == KIND_NS && !num_parse(value, 0, INT64_MAX, &ns))
        return;
    add_head(line, variable->metric, variable->type, variable->help);
    if (variable->kind == KIND_BOOLEAN)
        add(line, "%s %d\n", variable->metric, is_yes(value));
    else if (variable->kind == KIND_NS)
        add(line, "%s %.9f\n", variable->metric, (double)ns / 1e9);
    else
        add(line, "%s %.40s\n", variable->metric, value);
}

static void add_verdicts(struct line *line, const struct report *report)
{
    add_head(line, "clustercheck_up", "gauge", "Whether the node may take traffic, as this path is answered.");
    for (int i = 0; i < ENDPOINT_VERDICTS; i++)
        add(line, "clustercheck_up{path=\"%s\"} %d\n", endpoint_path((enum endpoint)i),
            report->verdicts[i].state == VERDICT_UP);
    add_head(line, "clustercheck_reason_info", "gauge", "Why: the state and the reason as labels.");
    for (int i = 0; i < ENDPOINT_VERDICTS; i++)
        add(line, "clustercheck_reason_info{path=\"%s\",state=\"%s\",reason=\"%s\"} 1\n",
            endpoint_path((enum endpoint)i), verdict_state_word(report->verdicts[i].state),
            reason_word(report->verdicts[i].reason));
    add_gauge(line, "clustercheck_weight_ratio", report->weight / 100.0,
              "The weight that --agent tells while the node is up.");
}

/* State 2 is a donor's unless the node was desynced by hand. */
static void add_transfer(struct line *line, const struct report *report)
{
    const struct observation *seen = &report->observed->observation;
    const struct facts *facts = &report->observed->facts;
    bool donor = facts_is(facts, "wsrep_local_state", "2") && !facts_is(facts, "wsrep_desync", "ON");
    bool joiner = seen->sst_in_progress || facts_is(facts, "wsrep_local_state", "1");

    add_head(line, "galera_state_transfer", "gauge",
             "Whether a state transfer is in progress, and this node's part in it.");
    add(line, "galera_state_transfer{role=\"donor\"} %d\n", donor);
    add(line, "galera_state_transfer{role=\"joiner\"} %d\n", joiner);
}

static void add_histogram(struct line *line, const char *metric, const struct histogram *histogram, const char *help)
{
    uint64_t below = 0;

    add_head(line, metric, "histogram", help);
    for (int i = 0; i < HISTOGRAM_BOUNDS; i++) {
        below += histogram->count[i];
        add(line, "%s_bucket{le=\"%g\"} %" PRIu64 "\n", metric, (double)histogram_bound_us[i] / 1e6, below);
    }
    add(line, "%s_bucket{le=\"+Inf\"} %" PRIu64 "\n", metric, histogram->total);
    add(line, "%s_sum %.9f\n", metric, (double)histogram->sum_ns / 1e9);
    add(line, "%s_count %" PRIu64 "\n", metric, histogram->total);
}

static void add_service(struct line *line, const struct figures *figures)
{
    add_head(line, "clustercheck_answers_total", "counter", "Answers given, by status code.");
    add(line, "clustercheck_answers_total{code=\"200\"} %" PRIu64 "\n", figures->answers[CODE_200]);
    add(line, "clustercheck_answers_total{code=\"404\"} %" PRIu64 "\n", figures->answers[CODE_404]);
    add(line, "clustercheck_answers_total{code=\"503\"} %" PRIu64 "\n", figures->answers[CODE_503]);
    add_histogram(line, "clustercheck_answer_duration_seconds", &figures->answer_time,
                  "From a connection, or a request on a kept one, to its answer.");
    add_histogram(line, "clustercheck_refresh_duration_seconds", &figures->refresh_time,
                  "How long the server took to be asked.");
    add_counter(line, "clustercheck_refreshes_total", figures->refreshes, "Times the server was asked.");
    add_counter(line, "clustercheck_refresh_failures_total", figures->failed_refreshes,
                "Times the server could not be asked.");
    add_counter(line, "clustercheck_reconnects_total", figures->reconnects,
                "Times the kept connection to the server had to be replaced.");
    add_counter(line, "clustercheck_connections_total", figures->connections, "Connections accepted.");
    add_counter(line, "clustercheck_connections_given_up_total", figures->given_up,
                "Connections closed early because there were too many.");
    add_gauge(line, "clustercheck_clients", (double)figures->clients, "Connections now.");
}

void metrics_format(struct line *line, const struct report *report)
{
    add_head(line, "clustercheck_build_info", "gauge", "The version of this program as a label.");
    add(line, "clustercheck_build_info{version=\"%s\"} 1\n", report->version);
    add_verdicts(line, report);
    if (report->age_ns >= 0)
        add_gauge(line, "clustercheck_refresh_age_seconds", (double)report->age_ns / 1e9,
                  "Age of what is known of the server.");
    if (report->figures != NULL)
        add_service(line, report->figures);
    add_transfer(line, report);
    for (size_t i = 0; i < sizeof variables / sizeof variables[0]; i++)
        add_variable(line, &variables[i], &report->observed->facts);
}
