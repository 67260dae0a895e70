"""HAProxy with the configuration that the project ships, and what its clients notice of the checks' answers."""
from __future__ import annotations

import signal
import time
import unittest

from checkcase import CheckCase
from harness import LabTimeout, Session, SqlError, wait_until

from galeralab.haproxy import ANY, ANY_PORT, READERS, READERS_PORT, WRITER, WRITER_PORT

WHO = "SELECT @@wsrep_node_name"


class HAProxyCase(CheckCase):
    NODES, HAPROXY = 3, True
    TIMEOUT = ""  # HAProxy does not wait for longer

    def setUp(self) -> None:
        super().setUp()
        self.haproxy = self.lab.haproxy

    def session(self, port: int = ANY_PORT) -> Session:
        session = Session(self.lab.app(port))
        self.addCleanup(session.close)
        return session

    def sessions(self) -> dict[str, Session]:
        """One session on each node, by way of HAProxy."""
        found: dict[str, Session] = {}

        def everywhere() -> bool:
            session = self.session()
            found.setdefault(self.who(session), session)
            return len(found) == len(self.lab.numbers())

        wait_until(everywhere, 60, "a session on every node")
        return found

    @staticmethod
    def who(session: Session, timeout: float = 30) -> str:
        return session.query(WHO, timeout)[0][0]

    def served(self, port: int = ANY_PORT, count: int = 8) -> set[str]:
        """The nodes that new sessions get to."""
        return {self.who(self.session(port)) for _ in range(count)}

    def is_cut(self, session: Session) -> None:
        """The session has been ended: an error, and not a wait for an answer."""
        with self.assertRaises(SqlError) as caught:
            self.who(session, 30)
        self.assertNotIn("timed out", str(caught.exception))

    def wait_server(self, name: str, status: str, backend: str = ANY) -> None:
        self.haproxy.wait_server(name, status, backend, 60)


class AnyNode(HAProxyCase):
    def test_killed_node(self) -> None:
        sessions = self.sessions()
        self.lab.node(3).kill()
        for backend in (ANY, WRITER, READERS):
            self.wait_server("n3", "DOWN", backend)
        self.is_cut(sessions.pop("n3"))
        self.assertEqual({name: self.who(session) for name, session in sessions.items()}, {"n1": "n1", "n2": "n2"})
        self.assertEqual(self.served(), {"n1", "n2"})

    def test_hung_node_is_down_and_its_sessions_are_cut(self) -> None:
        """The server would leave its clients waiting for ever; it is HAProxy that ends their sessions."""
        sessions = self.sessions()
        frozen = self.lab.node(3)
        frozen.freeze()
        self.addCleanup(frozen.process.signal, signal.SIGCONT)
        self.wait_server("n3", "DOWN")
        wait_until(lambda: self.haproxy.server("n3")["check_code"] == "503", 60, "an answer, and not HAProxy's own timeout")
        self.is_cut(sessions["n3"])

    def test_reason_is_shown_by_haproxy(self) -> None:
        self.lab.checker(3).disable_file.touch()
        self.wait_server("n3", "DOWN")
        wait_until(lambda: (row := self.haproxy.server("n3"))["check_code"] == "503" and "disabled" in row["last_chk"], 60,
                   "the reason")

    def test_desynced_node_gets_no_new_session_and_loses_the_old_ones(self) -> None:
        sessions = self.sessions()
        self.lab.node(2).sql("SET GLOBAL wsrep_desync=ON")
        self.wait_server("n2", "DOWN")
        self.assertEqual(self.served(), {"n1", "n3"})
        self.is_cut(sessions["n2"])
        self.lab.node(2).sql("SET GLOBAL wsrep_desync=OFF")
        self.wait_server("n2", "UP")
        self.assertEqual(self.served(), {"n1", "n2", "n3"})

    def test_drained_node_gets_no_new_session_and_keeps_the_old_ones(self) -> None:
        sessions = self.sessions()
        self.lab.checker(2).drain_file.touch()
        self.wait_server("n2", "NOLB")
        self.assertEqual(self.haproxy.server("n2")["check_code"], "404")
        self.assertEqual(self.served(), {"n1", "n3"})
        self.assertEqual(self.who(sessions["n2"]), "n2")
        self.lab.checker(2).drain_file.unlink()
        self.wait_server("n2", "UP")
        self.assertEqual(self.who(sessions["n2"]), "n2")
        self.assertIn("n2", self.served())

    def test_200_404_503_and_back(self) -> None:
        checker = self.lab.checker(2)
        checker.drain_file.touch()
        self.wait_server("n2", "NOLB")
        checker.disable_file.touch()
        self.wait_server("n2", "DOWN")
        checker.disable_file.unlink()
        with self.assertRaises(LabTimeout):
            self.haproxy.wait_server("n2", "UP", timeout=1.5)  # what drains is no reason to come back
        checker.drain_file.unlink()
        self.wait_server("n2", "UP")

    def test_no_usable_node_is_no_session(self) -> None:
        for number in self.lab.numbers():
            self.lab.checker(number).disable_file.touch()
        for number in self.lab.numbers():
            self.wait_server(f"n{number}", "DOWN")
        with self.assertRaises(SqlError):
            self.who(self.session())

    def test_checks_of_healthy_nodes_never_fail(self) -> None:
        """HAProxy counts every check of a server that is UP that was reset, cut off, late or not a 200."""
        def failed() -> dict[tuple[str, str], str]:
            return {(row["pxname"], row["svname"]): row["chkfail"] for row in self.haproxy.stat() if row["chkfail"]}

        def clean() -> bool:
            before = failed()
            self.assertGreaterEqual(len(before), 9)
            time.sleep(2.5)  # nine servers, a check a second
            return failed() == before

        wait_until(clean, 60, "some seconds without a failed check; a busy machine may need several tries")


class OneWriter(HAProxyCase):
    def writer(self) -> str:
        return self.who(self.session(WRITER_PORT))

    def number(self, name: str) -> int:
        return int(name[1:])

    def test_all_sessions_get_to_one_node(self) -> None:
        self.assertEqual(len(self.served(WRITER_PORT)), 1)

    def test_role_moves_and_does_not_come_back_by_itself(self) -> None:
        first = self.writer()
        old = self.session(WRITER_PORT)
        self.assertEqual(self.who(old), first)
        checker = self.lab.checker(self.number(first))
        checker.disable_file.touch()
        self.wait_server(first, "DOWN", WRITER)
        self.is_cut(old)
        second = self.writer()
        self.assertNotEqual(second, first)
        stays = self.session(WRITER_PORT)
        self.assertEqual(self.who(stays), second)
        checker.disable_file.unlink()
        self.wait_server(first, "UP", WRITER)
        self.assertEqual(self.served(WRITER_PORT), {second}, "the former writer does not take the role back")
        self.assertEqual(self.who(stays), second)

    def test_drained_writer_gives_the_role_away(self) -> None:
        first = self.writer()
        self.lab.checker(self.number(first)).drain_file.touch()
        self.wait_server(first, "DOWN", WRITER)
        self.wait_server(first, "NOLB", ANY)
        self.assertNotIn(first, self.served(WRITER_PORT))

    def test_read_only_node_does_not_write_but_reads(self) -> None:
        first = self.writer()
        number = self.number(first)
        self.policy(number, available_when_readonly="no")
        self.lab.node(number).sql("SET GLOBAL read_only=ON")
        self.wait_server(first, "DOWN", WRITER)
        self.wait_server(first, "DOWN", ANY)
        self.wait_server(first, "UP", READERS)
        self.assertNotIn(first, self.served(WRITER_PORT))
        self.assertIn(first, self.served(READERS_PORT))
        self.restore_checker(number)
        self.wait_server(first, "UP", ANY)
        self.assertEqual(self.haproxy.server(first, WRITER)["status"], "DOWN")


if __name__ == "__main__":
    unittest.main()
