"""galera-haproxy before a real cluster: servers, clustercheck through xinetd, galera-register; what clients notice."""
from __future__ import annotations

import time
import unittest

from balancercase import ANY, ANY_PORT, WRITER, WRITER_PORT, BalancerCase, wait_until
from harness import Load, Session, SqlError
from registrycase import Program

WHO = "SELECT @@wsrep_node_name"
CHECK = "inter 1s fastinter 300ms downinter 1s rise 2 fall 2"  # the default


class Cluster(BalancerCase):
    """One cluster for all tests, one balancer for each; every test leaves three Synced nodes."""

    SETTINGS = {"check": CHECK, "grace": "10s"}

    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        cls.lab.up(3, use_haproxy=False)

    def setUp(self) -> None:
        super().setUp()
        self.lab.heal()
        for number in self.lab.numbers():
            self.lab.checker(number).drain_file.unlink(missing_ok=True)
        self.registrars: dict[int, Program] = {}
        self.lb = self.running()
        for number in self.lab.numbers():
            self.announce(number)
            self.lb.wait_states({self.at(each): "UP" for each in range(1, number + 1)})

    def at(self, number: int) -> str:
        return f"{self.lab.address(number)}:3306"

    def announce(self, number: int) -> None:
        self.registrars[number] = self.registered(f"db{number}", ip=self.lab.address(number),
                                                  settings={"register": {"check_port": 9200}})

    def load(self, port: int = ANY_PORT, per_session: int = 1) -> Load:
        load = Load(self.lab.app(port), lambda number: WHO, clients=2, pause=0.02, per_session=per_session).start()
        self.addCleanup(load.stop)
        return load

    def session_on(self, name: str) -> Session:
        for _ in range(20):
            session = Session(self.lab.app(ANY_PORT))
            self.addCleanup(session.close)
            if session.query(WHO)[0][0] == name:
                return session
        raise AssertionError(f"no session gets to {name}")

    def test_desynced_drained_and_back(self) -> None:
        lb, node = self.lb, self.lab.node(3)
        load, downs = self.load(), self.downs()
        session = self.session_on("n3")
        node.sql("SET GLOBAL wsrep_desync=ON")
        lb.wait_states({self.at(1): "UP", self.at(2): "UP", self.at(3): "DOWN"})
        with self.assertRaises(SqlError):
            session.query(WHO)
        node.sql("SET GLOBAL wsrep_desync=OFF")
        lb.wait_up_addresses(self.at(1), self.at(2), self.at(3))
        session = self.session_on("n3")
        self.lab.checker(3).drain_file.touch()
        lb.wait_states({self.at(1): "UP", self.at(2): "UP", self.at(3): "NOLB"})
        self.assertEqual(session.query(WHO), [["n3"]])
        self.lab.checker(3).drain_file.unlink()
        lb.wait_up_addresses(self.at(1), self.at(2), self.at(3))
        load.stop()
        self.expect_errors(load, downs)

    def test_clean_stop_and_return(self) -> None:
        """Clients that connect anew do not notice that it goes, and it gets none of them before it is fit."""
        lb, node = self.lb, self.lab.node(3)
        load, downs = self.load(), self.downs()
        session = self.session_on("n3")
        self.assertEqual(self.registrars[3].stop(), 0)
        lb.program.wait_said(r"db3 .* leaves \(its entry was removed\)")
        self.assertEqual(session.query(WHO), [["n3"]])
        session.close()
        lb.wait_up_addresses(self.at(1), self.at(2))
        node.stop()
        load.stop()
        self.expect_errors(load, downs)
        load, failed = self.load(), self.failed()
        self.announce(3)
        lb.program.wait_said("db3 .* joins", times=2)
        node.join_launch()
        lb.wait_up_addresses(self.at(1), self.at(2), self.at(3), timeout=90)
        since = time.monotonic()
        wait_until(lambda: load.served_by(since)["n3"], 60, "n3 to serve again")
        self.expect_fit_from_the_start(load, failed)

    def test_killed_writer(self) -> None:
        lb, node = self.lb, self.lab.node(1)
        wait_until(lambda: self.writer() == "n1", 60, "n1 to be the writer")
        load = self.load(WRITER_PORT, per_session=0)
        wait_until(lambda: load.served_by()["n1"], 60, "load on n1")
        self.registrars[1].kill()
        node.kill()
        wait_until(lambda: load.served_by()["n2"], 60, "load on n2")
        lb.wait_up_addresses(self.at(2), self.at(3))
        self.announce(1)
        lb.program.wait_said("db1 .* joins", times=2)
        others, failed = self.load(), self.failed()
        (node.data / "gvwstate.dat").unlink(missing_ok=True)
        node.join("--wsrep-sst-donor=n3,")  # a donor is down for a while, and the writer would lose the role by right
        lb.wait_up_addresses(self.at(1), self.at(2), self.at(3), timeout=60)
        lb.wait_up_addresses(self.at(1), self.at(2), self.at(3), backend=WRITER)
        since = time.monotonic()
        wait_until(lambda: sum(load.served_by(since).values()) > 20, 60, "some writes")
        wait_until(lambda: others.served_by(since)["n1"], 60, "n1 to serve")
        self.assertEqual(set(load.served_by(since)), {"n2"}, "the role has not gone back")
        self.expect_fit_from_the_start(others, failed)

    def downs(self) -> int:
        """How often checks have taken a server out so far. On a busy host they may fail though nobody has done anything."""
        return sum(int(row["chkdown"] or 0) for row in self.lb.haproxy.stat()
                   if row["pxname"] == ANY and row["svname"].startswith("s"))

    def expect_errors(self, load: Load, downs: int) -> None:
        """None but those of what was under way (there are two clients) when a server went down since."""
        self.assertLessEqual(len(load.errors()), 2 * (self.downs() - downs), load.errors())

    def failed(self) -> int:
        """Sessions that HAProxy could not bring to a server, so far."""
        return sum(int(row["econ"] or 0) for row in self.lb.haproxy.stat()
                   if row["pxname"] == ANY and row["svname"].startswith("s"))

    def expect_fit_from_the_start(self, load: Load, failed: int) -> None:
        """No session got to a node that could not serve it. (The donor's are cut while it serves the transfer.)"""
        load.stop()
        self.assertEqual([outcome for outcome in load.errors() if "1047" in outcome.error], [])
        self.assertEqual(self.failed(), failed)

    def writer(self) -> str:
        with Session(self.lab.app(WRITER_PORT)) as session:
            try:
                return session.query(WHO)[0][0]
            except SqlError:
                return ""


if __name__ == "__main__":
    unittest.main()
