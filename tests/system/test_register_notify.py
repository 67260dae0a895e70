"""What galera-register and galera-discover tell systemd."""
from __future__ import annotations

import os
import signal
import socket
import time
import unittest

from registrycase import Program, RegistryCase, wait_until


class Notify(RegistryCase):
    def setUp(self) -> None:
        super().setUp()
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.addCleanup(self.socket.close)
        self.heard: list[str] = []

    def listen(self, abstract: bool = False, watchdog_ms: int = 0) -> dict[str, str]:
        """The environment that systemd would give."""
        path = f"{self.home}/notify{id(self)}"
        self.socket.bind("\0galera-notify" + str(os.getpid()) if abstract else path)
        self.socket.setblocking(False)
        environment = {"NOTIFY_SOCKET": "@galera-notify" + str(os.getpid()) if abstract else path}
        return {**environment, "WATCHDOG_USEC": str(watchdog_ms * 1000)} if watchdog_ms else environment

    def hear(self) -> list[str]:
        """All that was said until now, line by line."""
        while True:
            try:
                self.heard += self.socket.recv(4096).decode().split("\n")
            except BlockingIOError:
                return self.heard

    def wait_heard(self, line: str, timeout: float = 60) -> None:
        wait_until(lambda: line in self.hear(), timeout, f"{line} among {self.heard}", 0.02)

    def assert_watchdog_fed(self, program: Program, timeout_ms: int, seconds: float) -> None:
        self.assert_fed(self.hear, self.heard, timeout_ms / 1000, seconds, program)

    def test_ready_status_and_stopping(self) -> None:
        program = self.register("db1", env=self.listen())
        self.wait_heard("READY=1")
        self.wait_entry("db1", 0)
        self.wait_heard("STATUS=registered as db1 (10.0.0.1:3306)")
        self.assertNotIn("WATCHDOG=1", self.hear())
        self.assertNotIn("STOPPING=1", self.heard)
        self.assertEqual(program.stop(), 0)
        self.assertIn("STOPPING=1", self.hear())

    def test_an_abstract_socket(self) -> None:
        self.register("db1", env=self.listen(abstract=True))
        self.wait_heard("READY=1")

    def test_the_watchdog_is_fed_whatever_etcd_does(self) -> None:
        """A request may take longer than systemd waits: 2 s here."""
        program = self.register("db1", env=self.listen(watchdog_ms=1500), settings={"register": {"ttl": "9s"}})
        self.wait_heard("READY=1")
        self.wait_heard("WATCHDOG=1")
        self.assert_watchdog_fed(program, 1500, 1)
        self.etcd.member(1).freeze()
        self.assert_watchdog_fed(program, 1500, 5)
        program.wait_said("cannot reach etcd")
        self.etcd.member(1).thaw()
        program.signal(signal.SIGSTOP)
        time.sleep(0.2)
        self.hear()
        self.heard.clear()
        time.sleep(1.5)
        self.assertEqual(self.hear(), [], "a frozen process looks alive")
        program.signal(signal.SIGCONT)
        self.wait_heard("WATCHDOG=1")

    def test_another_process_s_watchdog(self) -> None:
        self.register("db1", env={**self.listen(watchdog_ms=200), "WATCHDOG_PID": "1"})
        self.wait_heard("READY=1")
        time.sleep(1)
        self.assertNotIn("WATCHDOG=1", self.hear())

    def test_ready_although_etcd_is_away(self) -> None:
        """It does all that can be done, and must not hold up the start of the host."""
        self.etcd.member(1).kill()
        self.register("db1", env=self.listen())
        self.wait_heard("STATUS=etcd cannot be reached")
        self.wait_heard("READY=1")
        self.etcd.start(1)
        self.wait_heard("STATUS=registered as db1 (10.0.0.1:3306)")

    def test_a_watcher(self) -> None:
        self.put_entry("db1", ip="10.0.0.1", port="3306")
        program = self.watcher(env=self.listen(watchdog_ms=600))
        self.wait_heard("READY=1")
        self.wait_heard("STATUS=1 entries")
        self.assert_watchdog_fed(program, 600, 2)
        self.assertEqual(program.stop(), 0)
        self.assertIn("STOPPING=1", self.hear())

    def test_a_watcher_with_a_silent_etcd(self) -> None:
        """Reading through a frozen etcd takes time, and the watchdog is fed meanwhile."""
        program = self.watcher(env=self.listen(watchdog_ms=1000), settings={"discover": {"resync": "200ms"}})
        self.wait_heard("READY=1")
        self.etcd.member(1).freeze()
        self.assert_watchdog_fed(program, 1000, 3)
        program.wait_said("cannot be read")

    def test_a_single_answer_says_nothing(self) -> None:
        self.put_entry("db1", ip="10.0.0.1", port="3306")
        program = self.start("galera-discover", env=self.listen())
        self.assertEqual(program.wait(), 0)
        self.assertEqual(self.hear(), [], "it is part of somebody else's service")


if __name__ == "__main__":
    unittest.main()
