/* What a server's status variables say: of a member that is asked, and of our own. */
#include "../row.h"

#include <stdlib.h>
#include <unistd.h>

#include "deadline.h"
#include "members.h"

#define UUID  "c9a0ad1f-1111-2222-3333-444444444444"
#define GCOMM "d3124bc8-1111-2222-3333-444444444444"

/* "name=value name=value": what a server tells. */
static const struct facts *facts_of(const char *words)
{
    static struct facts facts;
    char name[64], value[128];
    int used;

    facts_clear(&facts);
    while (sscanf(words, " %63[^=]=%127[^ ]%n", name, value, &used) == 2) {
        assert_true(facts_add(&facts, name, value));
        words += used;
    }
    return &facts;
}

#define VIEW     "wsrep_gcomm_uuid=" GCOMM " wsrep_cluster_conf_id=7 "
#define HISTORY  "wsrep_cluster_state_uuid=" UUID " wsrep_last_committed=90 "
#define PRIMARY  "wsrep_cluster_status=Primary " VIEW HISTORY
#define STATE(n) "wsrep_local_state=" #n " "

/* --- sightings ---------------------------------------------------------------------------------------------------- */

static void what_a_member_shows(void **state)
{
    static const struct {
        const char *name;
        const char *facts;
        const char *row; /* "gcomm conf generation mark", "-" for SQL's NULL; NULL: none */
        enum sight sight;
        bool synced, donor;
        int64_t seqno;
        int64_t generation;
        uint32_t mark;
    } rows[] = {
        {"synced", PRIMARY STATE(4), GCOMM " 7 3 5", SIGHT_PRIMARY, true, false, 90, 3, 5},
        {"a donor", PRIMARY STATE(2), GCOMM " 7 3 5", SIGHT_PRIMARY, false, true, 90, 3, 5},
        {"joined", PRIMARY STATE(3), GCOMM " 7 3 5", SIGHT_PRIMARY, false, false, 90, 3, 5},
        {"it joins: nothing to lean on", PRIMARY STATE(1), GCOMM " 7 3 5", SIGHT_NONE, false, false, 0,
         GENERATION_FORGOTTEN, 0},
        {"it has just connected", PRIMARY STATE(0), NULL, SIGHT_NONE, false, false, 0, GENERATION_FORGOTTEN, 0},
        {"it does not tell its state", PRIMARY, NULL, SIGHT_NONE, false, false, 0, GENERATION_FORGOTTEN, 0},
        {"its state makes no sense", PRIMARY "wsrep_local_state=many", NULL, SIGHT_NONE, false, false, 0,
         GENERATION_FORGOTTEN, 0},
        {"without a Primary Component", "wsrep_cluster_status=non-Primary " VIEW HISTORY STATE(0), GCOMM " 7 3 5",
         SIGHT_NON_PRIMARY, false, false, 90, GENERATION_FORGOTTEN, 0},
        {"disconnected", "wsrep_cluster_status=Disconnected " STATE(0), NULL, SIGHT_NON_PRIMARY, false, false, -1,
         GENERATION_FORGOTTEN, 0},
        {"no Galera", "wsrep_on=OFF ", NULL, SIGHT_NONE, false, false, 0, GENERATION_FORGOTTEN, 0},
        {"nothing at all", "", NULL, SIGHT_NONE, false, false, 0, GENERATION_FORGOTTEN, 0},
        {"lower case", "wsrep_cluster_status=primary " VIEW HISTORY STATE(4), NULL, SIGHT_PRIMARY, true, false, 90,
         GENERATION_FORGOTTEN, 0},

        /* Its generation counts when the row is of the view that it is in, and whole. */
        {"no row", PRIMARY STATE(4), NULL, SIGHT_PRIMARY, true, false, 90, GENERATION_FORGOTTEN, 0},
        {"a row of an older view", PRIMARY STATE(4), GCOMM " 6 3 5", SIGHT_PRIMARY, true, false, 90,
         GENERATION_FORGOTTEN, 0},
        {"a row of another group", PRIMARY STATE(4), UUID " 7 3 5", SIGHT_PRIMARY, true, false, 90,
         GENERATION_FORGOTTEN, 0},
        {"a row with a number for the view that only begins alike", PRIMARY STATE(4), GCOMM " 70 3 5", SIGHT_PRIMARY,
         true, false, 90, GENERATION_FORGOTTEN, 0},
        {"NULL for the generation", PRIMARY STATE(4), GCOMM " 7 - 5", SIGHT_PRIMARY, true, false, 90,
         GENERATION_FORGOTTEN, 0},
        {"NULL for the mark", PRIMARY STATE(4), GCOMM " 7 3 -", SIGHT_PRIMARY, true, false, 90, GENERATION_FORGOTTEN,
         0},
        {"NULL for the group", PRIMARY STATE(4), "- 7 3 5", SIGHT_PRIMARY, true, false, 90, GENERATION_FORGOTTEN, 0},
        {"a generation below none", PRIMARY STATE(4), GCOMM " 7 -1 5", SIGHT_PRIMARY, true, false, 90,
         GENERATION_FORGOTTEN, 0},
        {"no generation yet", PRIMARY STATE(4), GCOMM " 7 0 0", SIGHT_PRIMARY, true, false, 90, GENERATION_NONE, 0},
        {"a mark that is too large", PRIMARY STATE(4), GCOMM " 7 3 4294967296", SIGHT_PRIMARY, true, false, 90,
         GENERATION_FORGOTTEN, 0},
        {"the largest mark", PRIMARY STATE(4), GCOMM " 7 3 4294967295", SIGHT_PRIMARY, true, false, 90, 3, UINT32_MAX},
        {"a generation that is no number", PRIMARY STATE(4), GCOMM " 7 3x 5", SIGHT_PRIMARY, true, false, 90,
         GENERATION_FORGOTTEN, 0},
        {"a server that does not name its view", "wsrep_cluster_status=Primary " HISTORY STATE(4), GCOMM " 7 3 5",
         SIGHT_PRIMARY, true, false, 90, GENERATION_FORGOTTEN, 0},
    };

    (void)state;
    for (size_t i = 0; i < ROW_COUNT(rows); i++) {
        char text[256] = "";
        char *cell[4] = {NULL};
        char *rest = NULL;
        if (rows[i].row != NULL) {
            snprintf(text, sizeof text, "%s", rows[i].row);
            char *next = text;
            for (size_t k = 0; k < 4; k++) {
                cell[k] = strtok_r(next, " ", &rest);
                next = NULL;
                if (strcmp(cell[k], "-") == 0)
                    cell[k] = NULL;
            }
        }
        struct sighting seen = sighting_read(facts_of(rows[i].facts), rows[i].row == NULL ? NULL : cell);
        row_number(rows[i].name, seen.sight, rows[i].sight);
        row_number(rows[i].name, seen.synced, rows[i].synced);
        row_number(rows[i].name, seen.donor, rows[i].donor);
        row_number(rows[i].name, seen.generation.number, rows[i].generation);
        row_number(rows[i].name, seen.generation.mark, rows[i].mark);
        if (seen.sight == SIGHT_NONE)
            continue;
        row_number(rows[i].name, seen.seqno, rows[i].seqno);
        row_number(rows[i].name, uuid_is_nil(&seen.uuid), rows[i].seqno < 0);
    }
}

static void who_is_primary(void **state)
{
    static const struct {
        const char *facts;
        bool primary;
    } rows[] = {
        {"wsrep_cluster_status=Primary wsrep_local_state=4", true},
        {"wsrep_cluster_status=Primary wsrep_local_state=3", true},
        {"wsrep_cluster_status=Primary wsrep_local_state=2", true},
        {"wsrep_cluster_status=Primary wsrep_local_state=1", false},
        {"wsrep_cluster_status=Primary wsrep_local_state=0", false},
        {"wsrep_cluster_status=Primary", false},
        {"wsrep_cluster_status=non-Primary wsrep_local_state=4", false},
        {"wsrep_local_state=4", false},
        {"", false},
    };

    (void)state;
    for (size_t i = 0; i < ROW_COUNT(rows); i++)
        row_number(rows[i].facts, facts_are_primary(facts_of(rows[i].facts)), rows[i].primary);
}

static void what_position_a_server_tells(void **state)
{
    static const struct {
        const char *facts;
        const char *position; /* NULL: none */
    } rows[] = {
        {"wsrep_cluster_state_uuid=" UUID " wsrep_last_committed=90", UUID ":90"},
        {"wsrep_cluster_state_uuid=" UUID " wsrep_last_committed=0", UUID ":0"},
        {"wsrep_cluster_state_uuid=" UUID " wsrep_last_committed=9223372036854775807", UUID ":9223372036854775807"},
        {"wsrep_cluster_state_uuid=" UUID " wsrep_last_committed=-1", NULL},
        {"wsrep_cluster_state_uuid=" UUID " wsrep_last_committed=18446744073709551615", NULL},
        {"wsrep_cluster_state_uuid=" UUID " wsrep_last_committed=", NULL},
        {"wsrep_cluster_state_uuid=" UUID, NULL},
        {"wsrep_cluster_state_uuid=" UUID "x wsrep_last_committed=90", NULL},
        {"wsrep_cluster_state_uuid=c9a0 wsrep_last_committed=90", NULL},
        {"wsrep_cluster_state_uuid=00000000-0000-0000-0000-000000000000 wsrep_last_committed=90", NULL},
        {"wsrep_last_committed=90", NULL},
        {"", NULL},
    };
    char text[POSITION_TEXT_SIZE];

    (void)state;
    for (size_t i = 0; i < ROW_COUNT(rows); i++) {
        struct position position = facts_position(facts_of(rows[i].facts));
        struct position none = position_none();
        if (rows[i].position == NULL)
            row_true(rows[i].facts, position_equal(&position, &none));
        else
            row_text(rows[i].facts, position_format(&position, text), rows[i].position);
    }
}

/* --- asking ------------------------------------------------------------------------------------------------------- */

/* Nobody of these answers; each says why, in order, and they are asked at the same time. */
static void nobody_answers(void **state)
{
    static const char *const addresses[] = {"127.0.0.1:1", "[::1]:1", "127.0.0.1", "",        ":3306",
                                            "127.0.0.1:",  "host:0",  "host:x",    "[]:3306", "127.0.0.1:65536"};
    struct node_settings settings = {.user = (char[]){"nobody"}};
    struct member_question question[NODES_MOST];

    (void)state;
    for (size_t i = 0; i < NODES_MOST; i++)
        question[i] = (struct member_question){.address = addresses[i % ROW_COUNT(addresses)],
                                               .sighting = {.sight = SIGHT_PRIMARY}};
    members_ask(&settings, 1000, question, NODES_MOST);
    for (size_t i = 0; i < NODES_MOST; i++) {
        row_number(question[i].address, question[i].sighting.sight, SIGHT_NONE);
        row_true(question[i].address, question[i].failure != NODE_ANSWERED);
        row_true(question[i].address, question[i].error.code != EXIT_YES && question[i].error.text[0] != '\0');
    }
    members_ask(&settings, 1000, question, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_a_member_shows),
        cmocka_unit_test(who_is_primary),
        cmocka_unit_test(what_position_a_server_tells),
        cmocka_unit_test(nobody_answers),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
