#include <string.h>

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

static void what_cannot_be_meant_is_refused(void **state)
{
    static const struct {
        const char *endpoints;
        const char *user;
        const char *password_file;
        const char *words; /* NULL: it is right */
    } rows[] = {
        {"http://10.0.0.1:2379, https://[2001:db8::1]:2379/", NULL, NULL, NULL},
        {"http://10.0.0.1:2379", "root", "/nowhere", NULL}, /* the file is for the start */
        {"http://10.0.0.1:2379", "root", NULL, "has a user and no password"},
        {"http://10.0.0.1:2379,ftp://x", NULL, NULL, "etcd endpoint 'ftp://x' is not a URL like"},
        {"10.0.0.1:2379", NULL, NULL, "is not a URL like"},
        {"", NULL, NULL, "no etcd endpoint is configured"},
        {",", NULL, NULL, "no etcd endpoint is configured"},
    };

    (void)state;
    for (size_t i = 0; i < ROW_COUNT(rows); i++) {
        struct etcd_settings settings = {.endpoints = (char *)(uintptr_t)rows[i].endpoints,
                                         .user = (char *)(uintptr_t)rows[i].user,
                                         .password_file = (char *)(uintptr_t)rows[i].password_file};
        struct error error = {.text = ""};
        row_number(rows[i].endpoints, etcd_check(&settings, &error), rows[i].words == NULL);
        if (rows[i].words != NULL) {
            row_number(rows[i].endpoints, (int)error.code, EXIT_CONFIG);
            row_number(rows[i].endpoints, strstr(error.text, rows[i].words) != NULL, true);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_endpoint_gets_its_timeout),
        cmocka_unit_test(what_cannot_be_meant_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
