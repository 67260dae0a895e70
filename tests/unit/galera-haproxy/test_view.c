#include <string.h>

#include "../row.h"
#include "socket.h"
#include "view.h"

/* Replies of HAProxy 2.6.12, shortened. */
#define COLUMNS                                                                                                        \
    "# be_id be_name srv_id srv_name srv_addr srv_op_state srv_admin_state srv_uweight srv_iweight "                   \
    "srv_time_since_last_change srv_check_status srv_check_result srv_check_health srv_check_state srv_agent_state "   \
    "bk_f_forced_id srv_f_forced_id srv_fqdn srv_port srvrecord srv_use_ssl srv_check_port srv_check_addr "            \
    "srv_agent_addr srv_agent_port\n"
#define S1    "2 galera-any 1 s1 10.0.0.1 2 4 1 1 0 15 3 3 6 0 0 0 - 3306 - 0 9200 - - 9200\n"
#define S2    "2 galera-any 2 s2 2001:db8::2 0 5 1 1 0 15 3 0 14 22 0 0 - 3307 - 0 9201 - - 9200\n"
#define OTHER "2 galera-any 3 standby 10.0.0.9 0 0 1 1 121 8 2 0 6 0 0 0 - 3306 - 0 9200 - - 9200\n"
#define STATE "1\n" COLUMNS S1 OTHER S2 "\n"

static struct view view;
static struct error error;

static void info(void **state)
{
    static const struct {
        const char *name;
        const char *reply;
        bool right;
    } rows[] = {
        {"whole", "Name: HAProxy\nVersion: 2.6.12-1+deb12u4\nPid: 12\nUptime: 0d 0h00m02s\nUptime_sec: 2\n\n", true},
        {"no pid", "Name: HAProxy\nUptime_sec: 2\n\n", false},
        {"no uptime", "Name: HAProxy\nPid: 12\n\n", false},
        {"another program", "Name: Varnish\nPid: 12\nUptime_sec: 2\n\n", false},
        {"a pid that is none", "Name: HAProxy\nPid: -3\nUptime_sec: 2\n\n", false},
        {"nothing", "", false},
        {"denied", "Permission denied\n\n", false},
    };

    (void)state;
    for (size_t i = 0; i < ROW_COUNT(rows); i++)
        row_number(rows[i].name, view_read_info(&view, rows[i].reply, &error), rows[i].right);
    assert_true(view_read_info(&view, rows[0].reply, &error));
    assert_int_equal(view.pid, 12);
    assert_int_equal(view.uptime_s, 2);
    assert_string_equal(view.version, "2.6.12-1+deb12u4");
}

static void servers_state(void **state)
{
    const struct view_section *section = &view.section[SECTION_ANY];

    (void)state;
    assert_true(view_read_state(&view, SECTION_ANY, STATE, &error));
    assert_int_equal(section->slots, 2);
    const struct view_slot *slot = &section->slot[0];
    assert_true(slot->present && slot->position == 0 && slot->server_id == 1);
    assert_string_equal(slot->ip, "10.0.0.1");
    assert_int_equal(slot->port, 3306);
    assert_int_equal(slot->check_port, 9200);
    assert_int_equal(slot->check_health, 3);
    assert_false(view_slot_in_maint(slot) || view_slot_in_drain(slot) || view_slot_agent_enabled(slot));
    assert_true(view_slot_serves(slot));
    slot = &section->slot[1];
    assert_true(slot->present && slot->position == 2 && slot->server_id == 2);
    assert_string_equal(slot->ip, "2001:db8::2");
    assert_true(view_slot_in_maint(slot) && view_slot_agent_enabled(slot) && !view_slot_is_up(slot));
    assert_false(section->slot[2].present);
}

static void state_replies(void **state)
{
    static const struct {
        const char *name;
        const char *reply;
        bool right;
        bool present;
    } rows[] = {
        {"no such backend", "Can't find backend.\n\n", true, false},
        {"no server", "1\n" COLUMNS "\n", true, true},
        {"another version", "2\n" COLUMNS S1 "\n", false, false},
        {"nothing", "", false, false},
        {"a slot twice", "1\n" COLUMNS S1 S1 "\n", false, false},
        {"another backend", "1\n2 galera-x 1 s1 10.0.0.1 2 4 1 1 0 15 3 3 6 0 0 0 - 3306 - 0 9200 - - 9200\n", false,
         false},
        {"a short line", "1\n2 galera-any 1 s1 10.0.0.1 2 4\n", false, false},
        {"a port that is none", "1\n2 galera-any 1 s1 10.0.0.1 2 4 1 1 0 15 3 3 6 0 0 0 - 99999 - 0 9200 - - 1\n",
         false, false},
        {"a state that is none", "1\n2 galera-any 1 s1 10.0.0.1 9 4 1 1 0 15 3 3 6 0 0 0 - 3306 - 0 9200 - - 1\n",
         false, false},
        {"an address that is none", "1\n2 galera-any 1 s1 - 2 4 1 1 0 15 3 3 6 0 0 0 - 3306 - 0 9200 - - 1\n", true,
         true},
        {"a slot beyond all", "1\n2 galera-any 1 s999 10.0.0.1 2 4 1 1 0 15 3 3 6 0 0 0 - 3306 - 0 9200 - - 1\n", true,
         true},
        {"denied", "Permission denied\n\n", false, false},
    };

    (void)state;
    for (size_t i = 0; i < ROW_COUNT(rows); i++) {
        row_number(rows[i].name, view_read_state(&view, SECTION_ANY, rows[i].reply, &error), rows[i].right);
        row_number(rows[i].name, view.section[SECTION_ANY].present, rows[i].present);
    }
}

static void stat_replies(void **state)
{
    const struct view_slot *slot = &view.section[SECTION_ANY].slot[0];

    (void)state;
    assert_true(view_read_state(&view, SECTION_ANY, STATE, &error));
    assert_true(
        view_read_stat(&view, SECTION_ANY,
                       "# pxname,svname,qcur,scur,status,check_status,check_code,check_rise,check_fall,last_chk,\n"
                       "galera-any,s1,0,17,UP,* L7STS,503,2,3,\"donor, \"\"rsync\"\"\",\n"
                       "galera-any,standby,0,5,UP,L7OK,200,2,3,,\n"
                       "galera-any,s2,0,,MAINT,,,,,,\n\n",
                       &error));
    assert_int_equal(slot->sessions, 17);
    assert_int_equal(slot->check_code, 503);
    assert_int_equal(slot->rise, 2);
    assert_int_equal(slot->fall, 3);
    assert_string_equal(slot->status, "UP");
    assert_string_equal(slot->check_status, "* L7STS");
    assert_string_equal(slot->check_text, "donor, \"rsync\"");
    assert_true(view_slot_passed(slot));
    assert_int_equal(slot[1].sessions, 0);
    assert_int_equal(slot[1].rise, 0);
    assert_false(view_slot_passed(&slot[1]));
    assert_string_equal(slot[1].status, "MAINT");
    assert_false(view_read_stat(&view, SECTION_ANY, "# pxname,svname,scur\ngalera-any,s1,1\n\n", &error));
    assert_false(view_read_stat(&view, SECTION_ANY, "No such proxy.\n\n", &error));
}

static void tables(void **state)
{
#define HEAD "# table: galera-writer, type: integer, size:102400, used:1\n"
    static const struct {
        const char *name;
        const char *reply;
        bool right;
        int64_t pinned;
    } rows[] = {
        {"empty", "# table: galera-writer, type: integer, size:102400, used:0\n\n", true, 0},
        {"made by a session", HEAD "0x7f: key=1 use=0 exp=0 server_id=1 server_key=s2\n\n", true, 2},
        {"set by us", HEAD "0x7f: key=1 use=0 exp=0 server_id=2 server_key=-\n\n", true, 2},
        {"a newer HAProxy's line", HEAD "0x7f: key=1 use=0 exp=0 shard=0 server_id=1 server_key=s1\n\n", true, 1},
        {"a server that is no slot", HEAD "0x7f: key=1 use=0 exp=0 server_id=3 server_key=standby\n\n", true, 0},
        {"a slot that is not there", HEAD "0x7f: key=1 use=0 exp=0 server_id=3 server_key=s7\n\n", true, 0},
        {"another key", HEAD "0x7f: key=10 use=0 exp=0 server_id=1 server_key=s1\n\n", true, 0},
        {"another table", "# table: x, type: integer, size:102400, used:1\n", false, 0},
        {"no table", "No such table\n\n", false, 0},
    };

    (void)state;
    view = (struct view){.pid = 1};
    assert_true(view_read_table(&view, "No such table\n\n", &error)); /* no such section either */
    view.section[SECTION_WRITER].present = true;
    for (int k = 0; k < 2; k++)
        view.section[SECTION_WRITER].slot[k] = (struct view_slot){.present = true, .server_id = k + 1};
    for (size_t i = 0; i < ROW_COUNT(rows); i++) {
        row_number(rows[i].name, view_read_table(&view, rows[i].reply, &error), rows[i].right);
        row_number(rows[i].name, view.pinned, rows[i].pinned);
    }
}

static void successes(void **state)
{
    static const struct {
        const char *reply;
        bool success;
    } rows[] = {
        {"\n", true},
        {"", true},
        {"\n\n", true},
        {"IP changed from '127.0.0.1' to '10.0.0.1', port changed from '1' to '3306' by 'stats socket command'\n\n",
         true},
        {"no need to change the addr, port changed from '1' to '3306' by 'stats socket command'\n\n", true},
        {"No such server.\n\n", false},
        {"Permission denied\n\n", false},
        {"Invalid addr 'foo' by 'stats socket command'\n\n", false},
        {"Unknown command, but maybe\n\n", false},
    };

    (void)state;
    for (size_t i = 0; i < ROW_COUNT(rows); i++)
        row_number(rows[i].reply, socket_reply_is_success(rows[i].reply), rows[i].success);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(info),         cmocka_unit_test(servers_state), cmocka_unit_test(state_replies),
        cmocka_unit_test(stat_replies), cmocka_unit_test(tables),        cmocka_unit_test(successes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
