/* What is read of a dump, and what is said of a load: a whole file, a client's last words, the progress. */
#include "../row.h"

#include <stdlib.h>

#include "seed_failure.h"
#include "seed_progress.h"
#include "seed_whole.h"

static void failures(void **state)
{
    static const struct {
        const char *words;
        enum exit_code code;
        const char *said; /* a part of it */
    } rows[] = {
        {"--------------\nSELEC 1\n--------------\n\nERROR 1064 (42000) at line 7: You have an error near 'SELEC 1' at "
         "line 1\n",
         EXIT_CONFIG,
         "d.sql: ERROR 1064 (42000) at line 7: You have an error near 'SELEC 1' at line 1: that is no SQL"},
        {"near 'x\nERROR 1 in the statement' \nERROR 1064 (42000) at line 9: near 'y\nz' at line 1\n", EXIT_CONFIG,
         "d.sql: ERROR 1064 (42000) at line 9: near 'y\nz' at line 1: that"},
        {"ERROR 1114 (HY000) at line 3: The table 't1' is full\n", EXIT_TRY_AGAIN, "a disk of the server is full"},
        {"ERROR 3 (HY000) at line 3: Error writing file './x' (Errcode: 28 \"No space left on device\")",
         EXIT_TRY_AGAIN, "a disk of the server is full"},
        {"ERROR 1030 (HY000) at line 3: Got error 28 \"No space left on device\" from storage engine InnoDB",
         EXIT_TRY_AGAIN, "a disk of the server is full"},
        {"ERROR 1105 (HY000) at line 2: Maximum writeset size exceeded\n", EXIT_TRY_AGAIN, "wsrep_max_ws_size"},
        {"ERROR 1180 (HY000) at line 2: Got error 90 \"Message too long\" during COMMIT\n", EXIT_TRY_AGAIN,
         "wsrep_max_ws_size"},
        {"ERROR 1153 (08S01) at line 2: Got a packet bigger than 'max_allowed_packet' bytes\n", EXIT_TRY_AGAIN,
         "larger than max_allowed_packet"},
        {"ERROR 2006 (HY000) at line 2: Server has gone away\n", EXIT_TRY_AGAIN, "max_allowed_packet"},
        {"ERROR 2002 (HY000): Can't connect to local server through socket '/x' (2)\n", EXIT_TRY_AGAIN, "not there"},
        {"ERROR 1047 (08S01) at line 2: WSREP has not yet prepared node for application use\n", EXIT_TRY_AGAIN,
         "lost the Primary Component"},
        {"ERROR 1213 (40001) at line 2: Deadlock found when trying to get lock\n", EXIT_TRY_AGAIN, "keep clients away"},
        {"ERROR 1644 (45000): galera-init: another session loads here\n", EXIT_TRY_AGAIN, "has not ended yet"},
        {"ERROR 1644 (45000) at line 5: a trigger of the application\n", EXIT_CONFIG,
         "d.sql: ERROR 1644 (45000) at line 5: a trigger of the application"},
        {"ERROR 1273 (HY000) at line 1: Unknown collation: 'utf8mb4_0900_ai_ci'\n", EXIT_CONFIG, "utf8mb4_unicode_ci"},
        {"ERROR 1046 (3D000) at line 1: No database selected\n", EXIT_CONFIG, "set seed_database"},
        {"ERROR 1698 (28000): Access denied for user 'x'@'localhost'\n", EXIT_CONFIG, "unix_socket"},
        {"ERROR 99999999999 (HY000) at line 1: what\n", EXIT_CONFIG, "what"},
        {"ERROR at line 2: Unknown command '\\!'.\n", EXIT_CONFIG, "d.sql: ERROR at line 2: Unknown command '\\!'."},
        {"Segmentation fault\n", EXIT_CONFIG, "d.sql: Segmentation fault"},
        {"\n", EXIT_TRY_AGAIN, "d.sql: the client ended without saying why"},
        {"", EXIT_TRY_AGAIN, "d.sql: the client ended without saying why"},
    };

    (void)state;
    for (size_t i = 0; i < ROW_COUNT(rows); i++) {
        struct error error = {0};
        row_true(rows[i].words, !failure_explain(rows[i].words, "d.sql", &error));
        row_number(rows[i].words, error.code, rows[i].code);
        if (strstr(error.text, rows[i].said) == NULL)
            fail_msg("row \"%s\" gives \"%s\"", rows[i].words, error.text);
    }
}

/* The same bytes in pieces of every size say the same. */
static bool whole_in_pieces(const char *bytes, size_t length, size_t piece)
{
    struct whole whole = {0};

    whole_look(&whole, bytes, length < 64 ? length : 64);
    for (size_t i = 64; i < length; i += piece)
        whole_look(&whole, bytes + i, length - i < piece ? length - i : piece);
    return whole_is(&whole);
}

static void whole_files(void **state)
{
    static const struct {
        const char *name, *begin, *end;
        bool whole;
    } rows[] = {
        {"no dump", "CREATE TABLE t (a INT);\n", "\n", true},
        {"a dump", "-- MariaDB dump 10.19\n", "-- Dump completed on 2026-01-01\n", true},
        {"MySQL's", "-- MySQL dump 10.13\n", "-- Dump completed\n", true},
        {"sandbox", "/*M!999999\\- enable the sandbox mode */\n-- MariaDB dump 10.19\n", "-- Dump completed\n", true},
        {"cut off", "-- MariaDB dump 10.19\n", "-- Dump complete", false},
        {"cut off before", "-- MySQL dump 10.13\n", "INSERT INTO t VALUES (1),(", false},
        {"more behind it", "-- MySQL dump 10.13\n", "-- Dump completed\nGRANT ALL ON x.* TO y;\n", true},
    };

    (void)state;
    for (size_t i = 0; i < ROW_COUNT(rows); i++) {
        char bytes[1024];
        int length = snprintf(bytes, sizeof bytes, "%s%0500d%s", rows[i].begin, 0, rows[i].end);
        for (size_t piece = 1; piece < 100; piece++)
            row_number(rows[i].name, whole_in_pieces(bytes, (size_t)length, piece), rows[i].whole);
    }
}

static void nothing_is_whole(void **state)
{
    struct whole whole = {0};

    (void)state;
    assert_true(whole_is(&whole));
}

static void progress_in_words(void **state)
{
    static const struct {
        const char *name;
        struct progress progress;
        const char *words;
    } rows[] = {
        {"begins", {1000, 0, 0}, "0%, 0 B of 1000 B, 0 B/s"},
        {"half", {300LL << 20, 126LL << 20, 10000}, "42%, 126.0 MiB of 300.0 MiB, 12.6 MiB/s, 0m14s left"},
        {"long", {3LL << 40, 1LL << 30, 1000}, "0%, 1.0 GiB of 3.0 TiB, 1.0 GiB/s, 51m12s left"},
        {"all", {4096, 4096, 2000}, "100%, 4.0 KiB of 4.0 KiB, 2.0 KiB/s"},
        {"an empty file", {0, 0, 5}, "100%, 0 B of 0 B, 0 B/s"},
        {"grown", {100, 200, 1000}, "100%, 200 B of 100 B, 200 B/s"},
    };
    char line[PROGRESS_LINE_SIZE];

    (void)state;
    for (size_t i = 0; i < ROW_COUNT(rows); i++)
        row_text(rows[i].name, progress_words(&rows[i].progress, line), rows[i].words);
}

/* A bar that is longer than a line of the terminal would leave a line behind each time that it is drawn. */
static void bars(void **state)
{
    static const struct progress third = {300, 100, 1000};
    static const struct {
        const char *name;
        struct progress progress;
        int columns;
        const char *bar;
    } rows[] = {
        {"wide", third, 200, "[#########---------------------] 33%, 100 B of 300 B, 100 B/s, 0m03s left"},
        {"full", {100, 200, 1000}, 200, "[##############################] 100%, 200 B of 100 B, 200 B/s"},
        {"80 columns",
         {300LL << 20, 126LL << 20, 10000},
         80,
         "[##########---------------] 42%, 126.0 MiB of 300.0 MiB, 12.6 MiB/s, 0m14s left"},
        {"just", third, 74, "[#########---------------------] 33%, 100 B of 300 B, 100 B/s, 0m03s left"},
        {"one less", third, 73, "[#########--------------------] 33%, 100 B of 300 B, 100 B/s, 0m03s left"},
        {"shortest", third, 49, "[#----] 33%, 100 B of 300 B, 100 B/s, 0m03s left"},
        {"no room", third, 48, "33%, 100 B of 300 B, 100 B/s, 0m03s left"},
        {"narrow", third, 20, "33%, 100 B of 300 B"},
        {"nothing", third, 0, ""},
    };
    char line[PROGRESS_LINE_SIZE];

    (void)state;
    for (size_t i = 0; i < ROW_COUNT(rows); i++) {
        row_text(rows[i].name, progress_bar(&rows[i].progress, rows[i].columns, line), rows[i].bar);
        row_true(rows[i].name, rows[i].columns == 0 || strlen(line) < (size_t)rows[i].columns);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(failures),          cmocka_unit_test(whole_files), cmocka_unit_test(nothing_is_whole),
        cmocka_unit_test(progress_in_words), cmocka_unit_test(bars),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
