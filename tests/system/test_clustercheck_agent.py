"""HAProxy with clustercheck's agent: what it makes of every line, alone and beside the HTTP check."""
from __future__ import annotations

import dataclasses
import signal
import unittest
from pathlib import Path

from harness import LabTimeout, Session, SqlError, wait_until
from residentcase import PORT, Resident, ResidentCase

from galeralab.haproxy import WRITER_PORT, HAProxy

AGENT_ONLY, BOTH = "agent-only", "check-and-agent"
AGENT_ONLY_PORT = 33309
PORTS = (AGENT_ONLY_PORT, WRITER_PORT)
UP = ("no check", "UP")  # HAProxy's word for a server that has an agent alone
CONFIGURATION = """
global
    stats socket {admin} mode 600 level admin
defaults
    mode tcp
    timeout connect 3s
    timeout client 1h
    timeout server 1h
    timeout check 2s
    default-server weight 100 agent-check agent-port {agent_port} agent-inter 200ms fall 2 rise 2
listen agent-only
    bind {address}:{agent_only_port}
    server n1 {node}:3306
listen check-and-agent
    bind {address}:{writer_port}
    option httpchk OPTIONS /
    http-check disable-on-404
    default-server check port {check_port} inter 200ms on-marked-down shutdown-sessions
    server n1 {node}:3306
"""


class Agent(ResidentCase):
    """One node; its agent on one port and its HTTP service on another, and HAProxy asks both five times a second."""

    TIMEOUT = ""  # HAProxy does not wait for longer

    def setUp(self) -> None:
        super().setUp()
        self.agent = self.resident("--agent", available_when_donor="always", donor_weight="25%")
        self.http = Resident(self.checker.argv(), self.lab.address(1), PORT + 1)
        self.addCleanup(self.http.close)
        self.http.start()
        self.haproxy = self.start_haproxy()
        self.wait_statuses(*UP)
        self.wait_weight("100")

    def start_haproxy(self) -> HAProxy:
        home: Path = self.lab.directory / "agent-haproxy"
        home.mkdir(exist_ok=True)
        haproxy = HAProxy(home, self.lab.address(101))
        haproxy.conf.write_text(CONFIGURATION.format(
            admin=haproxy.admin, address=haproxy.address, node=self.node.address, agent_port=self.agent.port,
            check_port=self.http.port, agent_only_port=AGENT_ONLY_PORT, writer_port=WRITER_PORT))
        self.addCleanup(haproxy.kill)
        haproxy.start()
        return haproxy

    def row(self, backend: str) -> dict[str, str]:
        return self.haproxy.server("n1", backend)

    def statuses(self) -> tuple[str, str]:
        # "UP 1/2" is one check that was late.
        return self.row(AGENT_ONLY)["status"], self.row(BOTH)["status"].replace("UP 1/2", "UP")

    def wait_statuses(self, *expected: str) -> None:
        """Wait until HAProxy gives the server these states in the two backends."""
        try:
            wait_until(lambda: self.statuses() == expected, 60, f"the server to be {expected}")
        except LabTimeout as error:
            raise LabTimeout(f"{error}; it is {self.statuses()}") from None

    def wait_weight(self, weight: str) -> None:
        wait_until(lambda: {self.row(backend)["weight"] for backend in (AGENT_ONLY, BOTH)} == {weight}, 60,
                   f"the weight {weight}")

    def session(self, port: int) -> Session:
        """A session through HAProxy, established."""
        session = Session(dataclasses.replace(self.lab.app(port), host=self.haproxy.address))
        self.addCleanup(session.close)
        session.query("SELECT 1")
        return session

    def assert_refused(self, port: int) -> None:
        with self.assertRaises(SqlError):
            self.session(port)

    def test_up_and_the_weight_of_a_donor(self) -> None:
        """A backup's lock makes the server a donor in all but name."""
        with Session(self.node.root()) as held:
            held.query("FLUSH TABLES WITH READ LOCK")
            self.wait_weight("25")
            self.assertEqual(self.statuses(), UP)
            held.query("UNLOCK TABLES")
            self.wait_weight("100")

    def test_drain(self) -> None:
        """No new sessions; the old ones go on."""
        old = {port: self.session(port) for port in PORTS}
        self.checker.drain_file.touch()
        self.wait_statuses("DRAIN (agent)", "NOLB")  # the check says 404, which is HAProxy's last word
        for port, session in old.items():
            self.assertEqual(session.query("SELECT 1"), [["1"]])
            self.assert_refused(port)
        self.checker.drain_file.unlink()
        self.wait_statuses(*UP)
        self.assertEqual(self.session(AGENT_ONLY_PORT).query("SELECT 1"), [["1"]])

    def test_maint(self) -> None:
        self.checker.disable_file.touch()
        self.wait_statuses("MAINT", "MAINT")
        self.assert_refused(AGENT_ONLY_PORT)
        self.checker.disable_file.unlink()
        self.wait_statuses(*UP)

    def test_down_with_its_reason(self) -> None:
        old = self.session(WRITER_PORT)
        self.node.sql("SET GLOBAL wsrep_desync=ON")
        self.wait_statuses("DOWN (agent)", "DOWN (agent)")
        self.assertEqual(self.row(AGENT_ONLY)["last_agt"], "via agent : down (desynced)")
        self.assert_refused(AGENT_ONLY_PORT)
        with self.assertRaises(SqlError) as caught:
            old.query("SELECT 1")
        self.assertNotIn("timed out", str(caught.exception), "HAProxy ends the sessions of who is down")
        self.node.sql("SET GLOBAL wsrep_desync=OFF")
        self.wait_statuses(*UP)

    def test_server_that_hangs(self) -> None:
        self.node.freeze()
        self.wait_statuses("DOWN (agent)", "DOWN (agent)")
        self.assertEqual(self.row(AGENT_ONLY)["last_agt"], "via agent : down (timed-out)")
        self.node.thaw()
        self.wait_statuses(*UP)

    def test_agent_that_hangs_leaves_it_to_the_check(self) -> None:
        """An agent that says nothing changes nothing: alone it is not enough."""
        self.agent.process.send_signal(signal.SIGSTOP)
        self.addCleanup(self.agent.process.send_signal, signal.SIGCONT)
        wait_until(lambda: self.row(BOTH)["agent_status"].strip("* ") == "L7TOUT", 60, "HAProxy to miss the agent")
        self.assertEqual(self.statuses(), UP)
        self.node.sql("SET GLOBAL wsrep_desync=ON")
        self.wait_statuses(UP[0], "DOWN")
        self.node.sql("SET GLOBAL wsrep_desync=OFF")
        self.wait_statuses(*UP)
        self.checker.disable_file.touch()
        self.wait_statuses(UP[0], "DOWN")
        self.agent.process.send_signal(signal.SIGCONT)
        self.wait_statuses("MAINT", "MAINT")

    def test_what_an_operator_asks_of_haproxy_is_undone(self) -> None:
        """As the manual says: whoever wants a node out tells the node."""
        for state, shown in (("drain", "DRAIN (agent)"), ("maint", "MAINT")):  # it says "(agent)" whoever asked
            self.agent.process.send_signal(signal.SIGSTOP)
            self.assertEqual(self.haproxy.command(f"set server {BOTH}/n1 state {state}").strip(), "")
            self.wait_statuses(UP[0], shown)
            self.agent.process.send_signal(signal.SIGCONT)
            self.wait_statuses(*UP)


if __name__ == "__main__":
    unittest.main()
