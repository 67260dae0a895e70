"""galera-haproxy: nodes come and go, and HAProxy stays one process."""
from __future__ import annotations

import signal
import time
import unittest

from balancercase import (PREFIX, READERS, READERS_PORT, WRITER, Balancer, BalancerCase, FakeNode, alive,
                          wait_until)


class Joining(BalancerCase):
    def test_no_session_before_the_first_passed_check(self) -> None:
        lb = self.running()
        first = self.node(1, "db1")
        lb.wait_up(first)
        second = self.node(2, "db2", code=503)
        lb.program.wait_said("db2 .* joins in slot s2")
        wait_until(lambda: len(second.asked) >= 6, 60, "some checks of db2")
        self.assertEqual(lb.served(), {first.address})
        self.assertNotIn(second.address, lb.file_servers(), "not for a HAProxy that restarts either")
        second.code = 200
        lb.wait_up(first, second)
        wait_until(lambda: lb.served() == {first.address, second.address}, 60, "both to be served")
        wait_until(lambda: lb.file_servers() == [first.address, second.address], 60, "both in the file")

    def test_the_check_port_is_the_one_that_is_registered(self) -> None:
        lb = self.running(check_port=9300)
        own = self.nodes.up(f"{self.lab.net}.1", check_port=9250)
        other = self.nodes.up(f"{self.lab.net}.2", check_port=9300)
        self.enter("db1", own)
        self.put_entry("db2", ip=other.ip, port="3306")  # registers none
        lb.wait_up(own, other)
        self.put(f"{PREFIX}/db2/check_port", "9301")
        lb.wait_states({own: "UP", other: "DOWN"})
        self.put(f"{PREFIX}/db2/check_port", "9300")
        lb.wait_up(own, other)

    def test_readers_have_a_listener_of_their_own(self) -> None:
        lb = self.running(reader_bind=f"{self.lab.net}.100:33308")
        node = self.node(1, "db1")
        lb.wait_up(node)
        lb.wait_up(node, backend=READERS)
        lb.wait_up(node, backend=WRITER)
        self.assertEqual(lb.served(READERS_PORT), {node.address})
        wait_until(lambda: {"OPTIONS /ro HTTP/1.0", "OPTIONS /rw HTTP/1.0", "OPTIONS / HTTP/1.0"} <= set(node.asked), 60,
                   "a check for each listener")

    def test_changes_are_gathered(self) -> None:
        lb = self.running(resync="1h", gather="1s")
        first = self.node(1, "db1")
        lb.wait_up(first)
        second = self.node(2)
        begin = time.monotonic()
        self.enter("db2", second)
        lb.wait_up(first, second)
        self.assertGreater(time.monotonic() - begin, 0.9)

    def test_more_nodes_than_slots(self) -> None:
        lb = self.running(slots=16)
        nodes = [self.node(number, f"db{number}") for number in range(1, 17)]
        lb.wait_up(*nodes)
        late = self.node(17, "db17")
        lb.program.wait_said(r"no slot is free for db17 .*raise slots")
        self.assertEqual(set(lb.states()), {node.address for node in nodes})
        self.assertIn("db17 (" + late.address + ") waits for a free slot",
                      self.run_program("galera-haproxy", "--status", settings={"haproxy": lb.settings}).out)
        self.leave("db5")
        lb.wait_up(*nodes[:4], *nodes[5:], late)

    def test_agents_set_weights_and_do_not_end_the_wait_for_the_first_check(self) -> None:
        lb = self.running(agent_port=9201)
        node = self.nodes.up(f"{self.lab.net}.1", agent_port=9201)
        node.code, node.word = 503, "up ready 50%"
        self.enter("db1", node)
        lb.program.wait_said("db1 .* joins")
        wait_until(lambda: len(node.asked) >= 6, 60, "some checks of db1")
        self.assertEqual(node.agent_asked, 0, "the agent is not asked before the check has passed")
        self.assertEqual(lb.served(), {""})
        node.code = 200
        lb.wait_up(node)
        wait_until(lambda: lb.servers()[node.address]["weight"] == "50", 60, "the agent's weight")
        node.word = "drain"
        lb.wait_states({node: "DRAIN (agent)"})
        node.word = "up ready 100%"
        lb.wait_up(node)
        self.assertEqual(lb.states(), {node.address: "UP"}, "free slots are nobody's")


class Leaving(BalancerCase):
    def two(self, **settings: object) -> tuple[Balancer, FakeNode, FakeNode]:
        lb = self.running(**settings)
        first, second = self.node(1, "db1"), self.node(2, "db2")
        lb.wait_up(first, second)
        return lb, first, second

    def session_on(self, lb: Balancer, node: FakeNode):
        """A session that HAProxy has led to this node."""
        for _ in range(20):
            answer, connection = lb.connect()
            if answer == node.address:
                return connection
        raise AssertionError(f"no session gets to {node.address}")

    def test_sessions_may_end_by_themselves(self) -> None:
        lb, first, second = self.two(grace="60s")
        session = self.session_on(lb, second)
        self.leave("db2")
        lb.wait_states({first: "UP", second: "DRAIN"})
        self.assertEqual(lb.served(), {first.address})
        self.assertTrue(alive(session))
        session.close()
        lb.wait_up(first)
        lb.program.wait_said("db2 .* has left with its last session")
        wait_until(lambda: lb.file_servers() == [first.address], 60, "one in the file")

    def test_sessions_are_closed_after_the_grace(self) -> None:
        lb, first, second = self.two(grace="1s")
        session = self.session_on(lb, second)
        began = time.monotonic()
        self.leave("db2")
        lb.wait_up(first)
        self.assertGreaterEqual(time.monotonic() - began, 1)
        wait_until(lambda: not alive(session), 60, "the session to be closed")

    def test_registered_again_while_it_leaves(self) -> None:
        lb, first, second = self.two(grace="60s")
        session = self.session_on(lb, second)
        self.leave("db2")
        lb.wait_states({first: "UP", second: "DRAIN"})
        self.enter("db2", second)
        lb.wait_up(first, second)
        self.assertTrue(alive(session))

    def test_a_dead_node_is_down_at_once_and_its_slot_free_when_its_entry_expires(self) -> None:
        lb = self.running()
        first, second = self.node(1, "db1"), self.nodes.up(f"{self.lab.net}.2")
        let_go = self.kept("db2", second)
        lb.wait_up(first, second)
        self.nodes.down(second)
        lb.wait_states({first: "UP", second: "DOWN"})
        let_go()
        lb.wait_up(first)

    def test_an_entry_that_expired_while_the_node_lives(self) -> None:
        lb = self.running(expired_grace="1h")
        first, second = self.node(1, "db1"), self.nodes.up(f"{self.lab.net}.2")
        let_go = self.kept("db2", second)
        lb.wait_up(first, second)
        session = self.session_on(lb, second)
        let_go()
        lb.program.wait_said(r"db2 .*expired.*kept while its check passes.*is galera-register running")
        self.assertEqual(lb.states(), {first.address: "UP", second.address: "UP"})
        self.assertTrue(alive(session))
        lb.program.reconfigure(lb.program.conf.read_text().replace("expired_grace = 1h", "expired_grace = 1s"))
        lb.program.signal(signal.SIGHUP)
        lb.program.wait_said(r"db2 .* leaves \(its entry expired long ago\)")
        lb.wait_up(first)

    def test_a_revoked_lease_is_a_removal(self) -> None:
        """As galera-register does it: the keys vanish with the lease, long before that would have ended."""
        lb = self.balancer(grace="60s")
        lb.verbosity = "-vv"
        lb.up()
        self.addCleanup(self.expect_one_process, lb)
        first, second = self.node(1, "db1"), self.nodes.up(f"{self.lab.net}.2")
        lease = self.leased("db2", second, ttl=60)
        lb.wait_up(first, second)
        self.session_on(lb, second)
        lb.program.wait_said("debug: the lease of db2 has .* s left")
        self.post("/v3/lease/revoke", {"ID": str(lease)})
        lb.program.wait_said(r"db2 .* leaves \(its entry was removed\)")
        lb.wait_states({first: "UP", second: "DRAIN"})

    def test_the_last_one_is_kept(self) -> None:
        lb, first, second = self.two()
        self.leave("db2")
        lb.wait_up(first)
        self.node(3, "db3", code=503)
        lb.program.wait_said("db3 .* joins")
        self.leave("db1")
        lb.program.wait_said("kept: fewer than min_servers")
        self.assertEqual(lb.served(), {first.address})

    def test_several_at_once_need_a_second_look(self) -> None:
        lb = self.running()
        nodes = [self.node(number, f"db{number}") for number in range(1, 5)]
        lb.wait_up(*nodes)
        self.post("/v3/kv/txn", {"success": [
            {"request_delete_range": self.range_of(f"{PREFIX}/db{number}/")} for number in (2, 3, 4)]})
        lb.program.wait_said("3 nodes are to leave at once.*reading the registry again")
        lb.wait_up(nodes[0])

    def range_of(self, prefix: str) -> dict[str, str]:
        from registrycase import encode
        data = prefix.encode()
        return {"key": encode(data), "range_end": encode(data[:-1] + bytes([data[-1] + 1]))}


class Changing(BalancerCase):
    def test_desynced_and_back(self) -> None:
        lb = self.running()
        first, second = self.node(1, "db1"), self.node(2, "db2")
        lb.wait_up(first, second)
        second.code = 503
        lb.wait_states({first: "UP", second: "DOWN"})
        self.assertEqual(lb.served(), {first.address})
        wait_until(lambda: second.address in lb.file_servers(), 60, "it in the file: it is still registered")
        second.code = 200
        lb.wait_up(first, second)

    def test_a_node_that_drains_itself_keeps_its_sessions(self) -> None:
        lb = self.running()
        first, second = self.node(1, "db1"), self.node(2, "db2")
        lb.wait_up(first, second)
        answers = [lb.connect() for _ in range(4)]
        second.code = 404
        lb.wait_states({first: "UP", second: "NOLB"})
        self.assertEqual(lb.served(), {first.address})
        self.assertTrue(all(alive(connection) for _, connection in answers))
        second.code = 200
        lb.wait_up(first, second)

    def test_an_id_that_comes_back_with_another_address(self) -> None:
        lb = self.running()
        first, old, new = self.node(1, "db1"), self.node(2, "db2"), self.node(3)
        lb.wait_up(first, old)
        self.put(f"{PREFIX}/db2/ip", new.ip)
        lb.wait_up(first, new)
        self.assertEqual(lb.served(), {first.address, new.address})

    def test_one_address_under_two_ids(self) -> None:
        lb = self.running()
        node = self.node(1, "db1")
        lb.wait_up(node)
        self.enter("twin", node)
        lb.program.wait_said("address of an older entry")
        self.leave("db1")
        lb.wait_up(node)
        self.assertEqual(lb.program.said("has left"), 0)

    def test_hostile_values(self) -> None:
        lb = self.running()
        first, second = self.node(1, "db1"), self.node(2, "db2")
        lb.wait_up(first, second)
        hostile = {
            "evil1": {"ip": "10.0.0.1; disable server galera-any/s1", "port": "3306"},
            "evil2": {"ip": "10.0.0.1\nshutdown sessions server galera-any/s1", "port": "3306"},
            "evil3": {"ip": "10.0.0.1", "port": "3306 weight 0"},
            "evil4": {"ip": "10.0.0.1", "port": "3306", "check_port": "9200;x"},
            "evil5": {"ip": "0.0.0.0", "port": "3306"},
            "evil6": {"ip": "localhost", "port": "3306"},
            "evil7 server x 1.2.3.4:1": {"ip": "10.0.0.1", "port": "3306"},
            "evil8": {"ip": "", "port": ""},
            "evil9": {"ip": b"\xff\xfe\x00\x01", "port": "3306"},
            "evil10": {"ip": "1" * 10000, "port": "9" * 10000},
        }
        for id, fields in hostile.items():
            self.put_entry(id, **fields)
        for id in hostile:
            lb.program.wait_said(f"entry '{id[:20]}")
        self.put(f"{PREFIX}/db2/port", "3306\nserver evil 1.2.3.4:1")  # the entry of a node that serves
        lb.program.wait_said("db2 .*expired or is not usable; it is kept")
        third = self.node(3, "db3")
        lb.wait_up(first, second, third)
        wait_until(lambda: len(lb.file_servers()) == 3, 60, "three nodes in the file")
        self.assertNotIn("evil", lb.config.read_text())
        self.assertEqual(lb.program.said("HAProxy refuses"), 0)

    def test_what_hands_have_changed_is_put_right(self) -> None:
        lb = self.running()
        first, second = self.node(1, "db1"), self.node(2, "db2")
        lb.wait_up(first, second)
        for command in ("set server galera-any/s1 state maint", "set server galera-any/s2 state drain",
                        "set server galera-any/s2 addr 10.1.2.3 port 99", "set server galera-writer/s1 state maint"):
            lb.haproxy.command(command)
            lb.wait_up(first, second)
            lb.wait_up(first, second, backend=WRITER)
        lb.config.write_text("nonsense\n")
        wait_until(lambda: sorted(lb.file_servers()) == [first.address, second.address], 60,
                   "the file to be right again")


if __name__ == "__main__":
    unittest.main()
