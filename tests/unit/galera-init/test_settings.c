#include "../row.h"

#include "settings.h"

/* What no key's type shows; the words of each refusal. */
static void what_is_refused(void **state)
{
    static const struct {
        const char *name;
        const char *key;
        const char *value;
        const char *text; /* "": it is taken */
    } rows[] = {
        {"a cluster", "cluster", "shop", ""},
        {"no cluster", "cluster", "", "cluster = '' cannot be a cluster's name (up to 64 of A-Z a-z 0-9 _ . -)"},
        {"two words", "cluster", "a b", "cluster = 'a b' cannot be a cluster's name (up to 64 of A-Z a-z 0-9 _ . -)"},
        {"a node", "node", "a/b", "node = 'a/b' cannot be a node's name (up to 64 of A-Z a-z 0-9 _ . -)"},
        {"an address", "address", "10.0.0.300:x", "address = '10.0.0.300:x' is not an address, or an address:port"},
        {"any donor", "donor", "auto", ""},
        {"a donor", "donor", "n1", ""},
        {"two donors", "donor", "n1,n2.example.org", ""},
        {"two donors, or any other", "donor", "n1,n2,", ""},
        {"no donor", "donor", "", "donor is empty: write auto, or names with commas between them"},
        {"a blank in a name", "donor", "n1,n 2", "donor = 'n1,n 2': 'n 2' cannot be a node's name"},
        {"a blank between", "donor", "n1, n2", "donor = 'n1, n2': ' n2' cannot be a node's name"},
        {"a name is missing", "donor", "n1,,n2", "donor = 'n1,,n2': '' cannot be a node's name"},
        {"nothing but a comma", "donor", ",", "donor = ',': '' cannot be a node's name"},
        {"a name that is too long", "donor",
         "n1,n123456789012345678901234567890123456789012345678901234567890123456789",
         "donor = 'n1,n123456789012345678901234567890123456789012345678901234567890123456789': "
         "'n123456789012345678901234567890123456789012345678901234567890123456789' cannot be a node's name"},
    };

    (void)state;
    for (size_t i = 0; i < ROW_COUNT(rows); i++) {
        struct settings settings;
        struct config config;
        struct error error = {.code = EXIT_YES};
        memset(&settings, 0, sizeof settings);
        config_init(&config);
        row_true(rows[i].name, config_add(&config, settings_keys, settings_key_count, &settings, &error));
        row_true(rows[i].name, config_set(&config, "init", rows[i].key, rows[i].value, CONFIG_FROM_FILE, &error));
        bool taken = settings_complete(&settings, &error);
        row_true(rows[i].name, taken == (rows[i].text[0] == '\0'));
        row_text(rows[i].name, taken ? "" : error.text, rows[i].text);
        row_number(rows[i].name, error.code, taken ? EXIT_YES : EXIT_CONFIG);
        config_free(&config);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
