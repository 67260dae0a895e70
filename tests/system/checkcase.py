"""What the tests of clustercheck have in common: every answer is looked at closely, and no process is left behind."""
from __future__ import annotations

import os
import signal
import socket
from pathlib import Path
from typing import Mapping, Optional

from harness import Answer, Checked, ClusterCase, run_checker, wait_until

from galeralab import host, process
from galeralab.checker import Checker, Settings, Xinetd

__all__ = ["BUSY", "CheckCase", "children", "reasons", "service", "whole"]

BUSY = 5.0  # seconds that a busy machine may add to anything; a limit that is tested is longer, or measured against it


def whole(answer: Answer, head: bool = False) -> Answer:
    """The answer, once it is certain that it is a complete one: ended properly, of the length that it promises."""
    if answer.ending != "fin" or answer.code is None:
        raise AssertionError(f"no whole answer: {answer}")
    length = int(answer.headers.get("content-length", "-1"))
    if head and (answer.body or length <= 0) or not head and length != len(answer.body):
        raise AssertionError(f"Content-Length is {length}, the body has {len(answer.body)} bytes: {answer}")
    for name in ("x-galera-reason", "x-galera-state"):
        if not answer.headers.get(name):
            raise AssertionError(f"no {name} in {answer}")
    if not head and (answer.body.count(b"\r\n") > 2 or not answer.body.endswith(b"\r\n")):
        raise AssertionError(f"the body is not one or two lines: {answer}")
    return answer


def reasons(answer: Answer) -> tuple[Optional[int], str]:
    """What most tests compare."""
    return answer.code, answer.reason


def children(parent: int) -> dict[int, str]:
    """Pid and state letter of every child, zombies included."""
    found = {}
    for entry in os.listdir("/proc"):
        try:
            fields = Path(f"/proc/{entry}/stat").read_text(errors="replace").rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[1]) == parent:
            found[int(entry)] = fields[0]
    return found


def service(case: ClusterCase, xinetd: Xinetd, checker: Checker, attributes: Mapping[str, str]) -> None:
    """Other attributes of the xinetd service, until the end of the test."""
    xinetd.configure(checker, attributes)
    xinetd.reload()
    case.addCleanup(xinetd.reload)
    case.addCleanup(xinetd.configure, checker)


class CheckCase(ClusterCase):
    """Tests of the program on node 1; without a word to the contrary node 1 is all there is."""

    NODES, HAPROXY = 1, False
    TIMEOUT = "6s"  # a busy machine may need more than the default of 1s, which tests that are about it take: ""

    def configure(self, number: int, overrides: Settings) -> Checker:
        return super().configure(number, {**overrides, "clustercheck": {**self.patient(), **overrides.get("clustercheck", {})}})

    def restore_checker(self, number: int) -> None:
        ClusterCase.restore_checker(self, number)  # not super(): a class that prepares for all its tests has no object yet
        if self.TIMEOUT:
            self.lab.checker(number).configure({"clustercheck": {"timeout": self.TIMEOUT}})

    def patient(self) -> Mapping[str, str]:
        return {"timeout": self.TIMEOUT} if self.TIMEOUT else {}

    def setUp(self) -> None:
        super().setUp()
        self.checker, self.xinetd, self.node = self.lab.checker(1), self.lab.xinetd(1), self.lab.node(1)
        self.addCleanup(self.expect_no_process_left)

    def expect_no_process_left(self) -> None:
        """Every check has ended, and xinetd has collected it."""
        for number in self.lab.numbers():
            parent = self.lab.xinetd(number).process.identity
            if parent:
                wait_until(lambda: not children(parent.pid), 60, f"xinetd of n{number} to have no child", 0.02)
            mark = f"{self.lab.node(number).home}/xinetd"
            wait_until(lambda: set(process.marked(mark)) <= {parent}, 60, f"checks of n{number} to end", 0.02)

    # -- asking through xinetd

    def probe(self, number: int = 1, **arguments) -> Answer:
        """One check through xinetd, whose answer must be a whole one."""
        return whole(super().probe(number, **arguments), arguments.get("request", b"").startswith(b"HEAD "))

    def ask(self, path: str = "/", number: int = 1, header: str = "", timeout: float = 30) -> Answer:
        request = f"GET {path} HTTP/1.0\r\n{header}\r\n".encode()
        return self.probe(number, request=request, timeout=timeout)

    def expect(self, code: int, reason: str, path: str = "/", number: int = 1, header: str = "") -> Answer:
        answer = self.ask(path, number, header)
        self.assertEqual(reasons(answer), (code, reason), answer)
        if code != 200:
            self.assertTrue(answer.body.splitlines()[1].startswith(reason.encode() + b": "), answer)
        return answer

    def expect_with(self, settings: Settings, code: int, reason: str, path: str = "/", number: int = 1) -> Answer:
        """The same with other settings, until the end of the test."""
        self.configure(number, settings)
        return self.expect(code, reason, path, number)

    def policy(self, number: int = 1, **keys: str) -> None:
        """Other keys of [clustercheck], until the end of the test."""
        self.configure(number, {"clustercheck": keys})

    def service(self, **attributes: str) -> None:
        service(self, self.xinetd, self.checker, attributes)

    def bound(self, answer: Answer, timeout: float) -> None:
        """The answer came at the timeout: not before, and not long after."""
        self.assertGreater(answer.seconds, timeout * 0.8, answer)
        self.assertLess(answer.seconds, timeout + BUSY, answer)

    # -- asking from a shell

    def shell(self, *arguments: str, env: Mapping[str, str] = {}) -> Checked:
        return run_checker(self.checker.argv(*arguments), env)

    def freeze(self) -> None:
        """The server hangs until the end of the test."""
        self.node.freeze()
        self.addCleanup(self.node.process.signal, signal.SIGCONT)

    def script(self, name: str, *lines: str) -> Path:
        """A shell script beside the node's files: what xinetd is to start instead of the program."""
        path = self.node.home / name
        path.write_text("\n".join(["#!/bin/sh", *lines, f'exec {host.clustercheck_bin()} "$@"', ""]))
        path.chmod(0o755)
        return path

    def raw(self) -> socket.socket:
        """A connection to the check, for a client with manners of its own."""
        connection = socket.create_connection((self.lab.address(1), 9200), 10)
        self.addCleanup(connection.close)
        return connection
