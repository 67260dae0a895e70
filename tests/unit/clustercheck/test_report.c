#include "../row.h"
#include "report.h"

static struct observed observed;
static struct settings settings = {.donor_weight = 25, .weight_queue = 100, .timeout_ms = 1000};
static struct figures figures;
static char text[REPORT_SIZE];

static struct report one_report(void)
{
    struct report report = {.observed = &observed,
                            .settings = &settings,
                            .weight = 85,
                            .age_ns = 1500000,
                            .figures = &figures,
                            .version = "1.2"};

    for (int i = 0; i < ENDPOINT_VERDICTS; i++)
        report.verdicts[i] = (struct verdict){.state = VERDICT_UP, .reason = REASON_SYNCED, .detail = "synced"};
    facts_clear(&observed.facts);
    observed.observation = (struct observation){.facts = &observed.facts};
    return report;
}

static const char *status_of(const struct report *report)
{
    struct line line = LINE_IN(text);

    status_format(&line, report);
    return text;
}

static const char *metrics_of(const struct report *report)
{
    struct line line = LINE_IN(text);

    text[0] = '\0';
    metrics_format(&line, report);
    return text;
}

static void numbers(void **state)
{
    static const struct {
        const char *text;
        bool is_number;
    } rows[] = {
        {"0", true},     {"-0", true},   {"12", true},       {"-12", true},
        {"0.5", true},   {"1e9", true},  {"3.86e-07", true}, {"18446744073709551615", true},
        {"", false},     {"-", false},   {"01", false},      {"+1", false},
        {".5", false},   {"1.", false},  {"1e", false},      {"nan", false},
        {"-nan", false}, {"inf", false}, {"0x10", false},    {"1 ", false},
        {" 1", false},   {"1,5", false}, {"1.2.3", false},   {"0/0", false},
    };

    (void)state;
    for (size_t i = 0; i < ROW_COUNT(rows); i++)
        row_number(rows[i].text, is_json_number(rows[i].text), rows[i].is_number);
}

static void status_has_the_servers_words(void **state)
{
    struct report report = one_report();

    (void)state;
    facts_add(&observed.facts, "wsrep_local_state", "4");
    facts_add(&observed.facts, "wsrep_provider_version", "26.4");
    facts_add(&observed.facts, "wsrep_cert_deps_distance", "nan");
    facts_add(&observed.facts, "wsrep_incoming_addresses", "a\"b\\c\n");
    const char *json = status_of(&report);
    row_contains("number", json, "\"wsrep_local_state\":4,");
    row_contains("a version is no number", json, "\"wsrep_provider_version\":\"26.4\"");
    row_contains("nan is no number", json, "\"wsrep_cert_deps_distance\":\"nan\"");
    row_contains("escaped", json, "\"wsrep_incoming_addresses\":\"a\\\"b\\\\c\\n\"");
    row_contains("resident", json, "\"mode\":\"resident\"");
    row_contains("age", json, "\"age_ms\":1.500,");
    assert_int_equal(json[strlen(json) - 1], '\n');
}

static void status_of_one_check(void **state)
{
    struct report report = one_report();

    (void)state;
    report.figures = NULL;
    report.age_ns = -1;
    const char *json = status_of(&report);
    row_contains("mode", json, "\"mode\":\"one-shot\"");
    row_contains("age", json, "\"age_ms\":null,");
    row_contains("nothing known", json, "\"node\":{}}");
    assert_null(strstr(json, "\"service\""));
}

/* Everything that `facts` can hold, with every byte escaped to six, is still whole. */
static void largest_report_is_whole(void **state)
{
    static char value[101];
    struct report report = one_report();
    char name[16];

    (void)state;
    memset(value, 1, sizeof value - 1);
    for (int i = 0; i < FACTS_MOST; i++) {
        snprintf(name, sizeof name, "v%d", i);
        if (!facts_add(&observed.facts, name, value))
            break;
    }
    const char *json = status_of(&report);
    assert_string_equal(json + strlen(json) - 4, "\"}}\n");
}

static void metrics_of_a_node(void **state)
{
    struct report report = one_report();

    (void)state;
    facts_add(&observed.facts, "wsrep_cluster_status", "Primary");
    facts_add(&observed.facts, "wsrep_flow_control_paused_ns", "1500000000");
    facts_add(&observed.facts, "wsrep_flow_control_active", "false");
    facts_add(&observed.facts, "wsrep_cert_deps_distance", "nan");
    facts_add(&observed.facts, "wsrep_local_state", "2");
    const char *metrics = metrics_of(&report);
    row_contains("boolean", metrics, "\ngalera_cluster_primary 1\n");
    row_contains("boolean", metrics, "\ngalera_flow_control_active 0\n");
    row_contains("seconds", metrics, "\ngalera_flow_control_paused_seconds_total 1.500000000\n");
    row_contains("donor", metrics, "\ngalera_state_transfer{role=\"donor\"} 1\n");
    row_contains("weight", metrics, "\nclustercheck_weight_ratio 0.85\n");
    row_contains("verdict", metrics, "\nclustercheck_up{path=\"/rw\"} 1\n");
    assert_null(strstr(metrics, "galera_certification_dependency_distance"));
    assert_null(strstr(metrics, "galera_cluster_size"));
}

static void histogram(void **state)
{
    struct report report = one_report();

    (void)state;
    figures = (struct figures){.clients = 3};
    histogram_add(&figures.answer_time, 10000);
    histogram_add(&figures.answer_time, 10001);
    histogram_add(&figures.answer_time, INT64_C(5000000000));
    const char *metrics = metrics_of(&report);
    row_contains("at the bound", metrics, "clustercheck_answer_duration_seconds_bucket{le=\"1e-05\"} 1\n");
    row_contains("above it", metrics, "clustercheck_answer_duration_seconds_bucket{le=\"2.5e-05\"} 2\n");
    row_contains("last bound", metrics, "clustercheck_answer_duration_seconds_bucket{le=\"1\"} 2\n");
    row_contains("all", metrics, "clustercheck_answer_duration_seconds_bucket{le=\"+Inf\"} 3\n");
    row_contains("count", metrics, "clustercheck_answer_duration_seconds_count 3\n");
    row_contains("sum", metrics, "clustercheck_answer_duration_seconds_sum 5.000020001\n");
    row_contains("clients", metrics, "\nclustercheck_clients 3\n");
}

static void pages(void **state)
{
    struct report report = one_report();
    struct request request = {.endpoint = ENDPOINT_STATUS, .keep_alive = true};
    char length[64];

    (void)state;
    struct page page = report_page(&report, &request);
    const char *body = strstr(page.text, "\r\n\r\n") + 4;
    snprintf(length, sizeof length, "\r\nContent-Length: %zu\r\n", page.length - (size_t)(body - page.text));
    row_contains("length", page.text, length);
    row_contains("kept", page.text, "\r\nConnection: keep-alive\r\n");
    row_contains("type", page.text, "\r\nContent-Type: application/json\r\n");
    request = (struct request){.endpoint = ENDPOINT_METRICS, .head = true};
    page = report_page(&report, &request);
    row_contains("closed", page.text, "\r\nConnection: close\r\n");
    assert_memory_equal(page.text + page.length - 4, "\r\n\r\n", 4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers),
        cmocka_unit_test(status_has_the_servers_words),
        cmocka_unit_test(status_of_one_check),
        cmocka_unit_test(largest_report_is_whole),
        cmocka_unit_test(metrics_of_a_node),
        cmocka_unit_test(histogram),
        cmocka_unit_test(pages),
    };

    return cmocka_run_group_tests_name("report", tests, NULL, NULL);
}
