"""galera-haproxy: one writer, the same on every balancer, and the role does not go back."""
from __future__ import annotations

import random
import signal
import socket
import unittest
from concurrent.futures import ThreadPoolExecutor
from typing import Callable, Iterable, Mapping

from balancercase import (PREFIX, WRITER, WRITER_PORT, Balancer, BalancerCase, FakeNode, alive, wait_until)
from forwarder import Forwarder

from galeralab.checker import listening

KEY = f"/galera-haproxy{PREFIX}/writer"
CHANGES = 50


class WriterCase(BalancerCase):
    def agreed(self) -> str:
        key = self.keys(KEY).get(KEY)
        return key.value if key else ""


class OneWriter(WriterCase):
    def three(self, **settings: object) -> tuple[Balancer, list[FakeNode]]:
        lb = self.running(**settings)
        nodes = []
        for number in (1, 2, 3):
            nodes.append(self.node(number, f"db{number}"))
            lb.wait_up(*nodes, backend=WRITER)
        self.wait_writer(lb, nodes[0])
        return lb, nodes

    def wait_writer(self, lb: Balancer, node: FakeNode) -> None:
        lb.program.until(lambda: lb.writer() == node.address, 60, f"{node.address} to be the writer of {lb.name}")

    def test_the_role_moves_to_the_next_and_does_not_come_back(self) -> None:
        lb, (first, second, third) = self.three()
        wait_until(lambda: self.agreed() == first.address, 60, "etcd to have the writer")
        _, old = lb.connect(WRITER_PORT)
        first.code = 503
        self.wait_writer(lb, second)
        wait_until(lambda: not alive(old), 60, "sessions on the former writer to be cut")
        wait_until(lambda: self.agreed() == second.address, 60, "etcd to have the new writer")
        _, stays = lb.connect(WRITER_PORT)
        first.code = 200
        lb.wait_up(first, second, third, backend=WRITER)
        self.assertEqual(lb.served(WRITER_PORT), {second.address})
        self.assertTrue(alive(stays))

    def test_a_failure_that_is_over_before_anybody_looks_moves_the_role(self) -> None:
        lb, (first, second, _) = self.three()
        lb.program.signal(signal.SIGSTOP)
        first.code = 503
        self.wait_writer(lb, second)
        first.code = 200
        wait_until(lambda: lb.states(WRITER)[first.address] == "UP", 60, "the former writer to be up")
        _, session = lb.connect(WRITER_PORT)
        lb.program.signal(signal.SIGCONT)
        wait_until(lambda: self.agreed() == second.address, 60, "etcd to have the new writer")
        self.assertEqual(lb.served(WRITER_PORT), {second.address})
        self.assertTrue(alive(session))

    def test_a_writer_that_drains_gives_the_role_away(self) -> None:
        lb, (first, second, _) = self.three()
        first.code = 404
        self.wait_writer(lb, second)

    def test_a_writer_that_leaves_gives_the_role_away(self) -> None:
        lb, (first, second, third) = self.three(grace="60s")
        _, session = lb.connect(WRITER_PORT)
        self.leave("db1")
        self.wait_writer(lb, second)
        wait_until(lambda: not alive(session), 60, "its sessions to be cut")
        lb.wait_up(second, third)

    def test_an_overlap_lets_sessions_end(self) -> None:
        lb, (first, second, _) = self.three(grace="60s", writer_overlap="60s")
        _, session = lb.connect(WRITER_PORT)
        self.leave("db1")
        self.wait_writer(lb, second)
        self.assertTrue(alive(session))
        self.assertEqual(lb.served(WRITER_PORT), {second.address})

    def test_it_outlives_etcd_and_haproxy(self) -> None:
        lb, (first, second, third) = self.three()
        self.etcd.member(1).kill()
        lb.program.wait_said("the registry cannot be read")
        first.code = 503
        self.wait_writer(lb, second)
        first.code = 200
        lb.wait_up(first, second, third, backend=WRITER)
        wait_until(lambda: lb.file_servers(WRITER) == [address.address for address in (second, first, third)], 60,
                   "the writer to be the first in the file")
        self.assertEqual(lb.writer(), second.address)
        self.etcd.start(1)
        wait_until(lambda: self.agreed() == second.address, 60, "etcd to have the new writer")

    def test_members_of_etcd_that_are_slow_are_waited_for(self) -> None:
        member = self.etcd.member(1).address
        with Forwarder((member, 0), (member, 2379), delay=0.4) as route:
            lb = self.balancer()
            lb.start(env={"CLUSTERCHECK_ETCD_ENDPOINTS": ",".join([route.url] * 3)})
            lb.start_haproxy()
            node = self.node(1, "db1")
            lb.wait_up(node, backend=WRITER)
            wait_until(lambda: self.agreed() == node.address, 60, "etcd to have the writer")

    def test_many_sessions_at_once_go_to_one_node(self) -> None:
        lb, _ = self.three()
        first = lb.writer()
        lb.haproxy.command("clear table galera-writer")
        with ThreadPoolExecutor(64) as pool:
            answers = set(pool.map(lambda _: lb.writer(), range(1000)))
        self.assertEqual(answers, {first})

    def test_no_agreement_when_it_is_off(self) -> None:
        lb, (first, second, _) = self.three(writer_key="off")
        first.code = 503
        self.wait_writer(lb, second)
        self.assertEqual(self.agreed(), "")


class TwoBalancers(WriterCase):
    def two(self) -> list[Balancer]:
        return [self.running("lb1", 101), self.running("lb2", 102)]

    def one_writer(self, balancers: list[Balancer], usable: Callable[[], Mapping[str, FakeNode]], what: str) -> None:
        """Wait until both lead to the same usable node, and it stays: the second look is after what is under way now."""
        def same() -> bool:
            if not usable():
                return True
            now = [lb.writer() for lb in balancers]
            return now[0] == now[1] and now[0] in usable() and all(
                lb.states(WRITER).get(address) in ("UP", "DRAIN") for lb in balancers for address in usable())

        for lb in balancers:
            lb.program.until(same, 60, lambda: f"{what}: one writer of {sorted(usable())}; at last "
                                               f"{self.picture(balancers, usable().values())}")

    def picture(self, balancers: list[Balancer], nodes: Iterable[FakeNode]) -> str:
        """Who leads where and why; and whether the nodes themselves answer, without which nobody could lead to them."""
        answers = {node.address: listening(node.ip, node.port) for node in nodes}
        return "; ".join([f"etcd has {self.agreed()!r}", f"nodes that listen: {answers}", *(
            f"{lb.name} leads to {lb.writer()!r}, has {lb.states(WRITER)} and the table "
            f"{lb.haproxy.command('show table galera-writer').strip()!r}" for lb in balancers)])

    def test_the_same_writer_through_many_changes(self) -> None:
        chance = random.Random(20)
        balancers = self.two()
        nodes = {number: self.node(number) for number in range(1, 6)}
        listed: set[int] = set()

        def usable() -> dict[str, FakeNode]:
            return {nodes[number].address: nodes[number] for number in listed if nodes[number].code == 200}

        former, moves = "", 0
        for change in range(CHANGES):
            number = chance.randint(1, 5)
            node, kind = nodes[number], chance.choice(["code", "code", "register", "leave", "again", "clear"])
            if kind == "code":
                node.code = 503 if node.code == 200 else 200
            elif kind == "register" or not listed:
                self.enter(f"db{number}", node)
                listed.add(number)
            elif kind == "leave" and len(listed) > 1 and number in listed:
                self.leave(f"db{number}")
                listed.discard(number)
            elif kind == "again" and number in listed:  # younger now
                self.leave(f"db{number}")
                self.enter(f"db{number}", node)
            elif kind == "clear":
                balancers[chance.randint(0, 1)].haproxy.command("clear table galera-writer")
            self.one_writer(balancers, usable, f"change {change} ({kind} of db{number})")
            now = balancers[0].writer()
            if former and former in usable() and usable() and kind in ("code", "register") and now != former:
                self.assertNotEqual(nodes_code(nodes, former), 200, f"change {change}: the role moved without need")
            moves += now != former
            former = now
        self.assertGreater(moves, 3, "the test has to move the role")

    def test_a_writer_that_one_of_them_has_let_go_meanwhile(self) -> None:
        """Its entry ends while its check fails and nobody else can write. One balancer sees that and frees the slot, to which
        its HAProxy's table leads still; the other one looks when all is over."""
        balancers = self.two()
        first, second = self.node(1, "db1"), self.node(2)
        for lb in balancers:
            lb.wait_up(first, backend=WRITER)
        self.enter("db2", second)
        for lb in balancers:
            lb.wait_up(first, second, backend=WRITER)
        first.code = 503
        self.one_writer(balancers, lambda: {second.address: second}, "db1 fails")
        seen, late = balancers
        wait_until(lambda: self.agreed() == second.address, 60, "etcd to have the new writer")
        late.program.signal(signal.SIGSTOP)
        second.code = 503
        for lb in balancers:
            lb.wait_states({first: "DOWN", second: "DOWN"}, WRITER)
        self.delete(f"{PREFIX}/db2/ip")
        seen.wait_states({first: "DOWN"}, WRITER)
        self.leave("db1")
        self.enter("db2", second)
        second.code = 200
        seen.wait_up(second, backend=WRITER)
        late.program.signal(signal.SIGCONT)
        self.one_writer(balancers, lambda: {second.address: second}, "db2 is back")
        for lb in balancers:
            lb.wait_up(second, backend=WRITER)
        self.assertEqual(self.agreed(), second.address)

    def test_sessions_that_are_cut_before_the_node_has_taken_them(self) -> None:
        """As of a writer that is marked down on a busy host. Those after them are served."""
        balancers = self.two()
        node = self.node(1, "db1")
        self.one_writer(balancers, lambda: {node.address: node}, "db1 comes")

        def row(lb: Balancer) -> dict[str, str]:
            return lb.servers(WRITER)[node.address]

        before = [row(lb)["stot"] for lb in balancers]
        with self.nodes.busy():
            for lb in balancers:
                session = socket.create_connection((lb.ip, WRITER_PORT), 20)
                self.addCleanup(session.close)
            for lb, total in zip(balancers, before):
                wait_until(lambda: row(lb)["stot"] != total, 20, f"{lb.name} to lead a session to the node")
                lb.haproxy.command("shutdown sessions server galera-writer/s1")
                wait_until(lambda: row(lb)["scur"] == "0", 20, f"{lb.name} to have cut it")
        self.one_writer(balancers, lambda: {node.address: node}, "db1's sessions were cut")


def nodes_code(nodes: dict[int, FakeNode], address: str) -> int:
    return next(node.code for node in nodes.values() if node.address == address)


if __name__ == "__main__":
    unittest.main()
