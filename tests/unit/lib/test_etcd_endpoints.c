#include "../row.h"
#include "etcd.h"

/* What the endpoints in the settings come to before anything is sent. */

static struct etcd *opened(struct etcd_settings *settings, const char *endpoints, struct error *error)
{
    settings->endpoints = (char *)(uintptr_t)endpoints;
    return etcd_open(settings, -1, error);
}

static void every_endpoint_gets_its_timeout(void **state)
{
    static const struct {
        const char *endpoints;
        int64_t timeout_ms;
        int64_t most_ms;
        int64_t patience_ms;
    } rows[] = {
        {"http://10.0.0.1:2379", 2000, 10000, 2000},
        {"http://10.0.0.1:2379,http://10.0.0.2:2379,http://10.0.0.3:2379", 2000, 10000, 6000},
        {"http://10.0.0.1:2379,http://10.0.0.2:2379,http://10.0.0.3:2379", 60000, 10000, 10000},
        {"http://10.0.0.1:2379,http://10.0.0.2:2379", 60000, INT64_MAX, 120000},
    };

    (void)state;
    for (size_t i = 0; i < ROW_COUNT(rows); i++) {
        struct etcd_settings settings = {.timeout_ms = rows[i].timeout_ms};
        struct error error = {.text = ""};
        struct etcd *etcd = opened(&settings, rows[i].endpoints, &error);
        assert_non_null(etcd);
        row_number(rows[i].endpoints, etcd_patience_ms(etcd, rows[i].most_ms), rows[i].patience_ms);
        etcd_close(etcd);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_endpoint_gets_its_timeout),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
