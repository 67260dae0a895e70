"""What every system test stands on: a shared lab that is whole before each test, and ways to look at it.

The first class of a run pays for the start of a cluster.  Later classes that ask for the same kind of
cluster get the same one; before every test it is healed, so tests may do to it what they like.
"""
from __future__ import annotations

import atexit
import os
import subprocess
import sys
import unittest
from dataclasses import dataclass
from pathlib import Path
from typing import Mapping, Optional

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "lab"))

from galeralab import (Answer, Lab, LabTimeout, Node, NodeOptions, Server, SqlError,  # noqa: E402
                       http_probe, wait_until)
from galeralab.checker import Checker, Settings  # noqa: E402
from galeralab.client import Load, Session  # noqa: E402

__all__ = ["Answer", "Checked", "ClusterCase", "Lab", "LabCase", "LabTimeout", "Load", "Node", "NodeOptions",
           "Server", "Session", "SqlError", "http_probe", "run_checker", "wait_until"]

shared: dict[str, object] = {}  # "lab", and of which "kind" it is


def end_shared() -> None:
    if shared:
        shared["lab"].down()
        shared.clear()


atexit.register(end_shared)


class LabCase(unittest.TestCase):
    """Tests that start what they need by themselves; the network is empty at the start of the class."""

    LAB = Lab
    lab: Lab

    @classmethod
    def setUpClass(cls) -> None:
        end_shared()
        cls.lab = cls.LAB()
        cls.lab.down()
        cls.addClassCleanup(cls.lab.down)


class ClusterCase(unittest.TestCase):
    """Tests against a cluster that is whole at the start of each of them."""

    NODES = 3
    OPTIONS = NodeOptions()
    XINETD = True
    HAPROXY = True
    lab: Lab

    @classmethod
    def setUpClass(cls) -> None:
        kind = repr((cls.NODES, cls.OPTIONS, cls.XINETD, cls.HAPROXY))
        if shared.get("kind") != kind:
            end_shared()
            lab = Lab()
            lab.down()
            lab.up(cls.NODES, cls.OPTIONS, xinetd=cls.XINETD, use_haproxy=cls.HAPROXY)
            shared.update(kind=kind, lab=lab)
        cls.lab = shared["lab"]

    def setUp(self) -> None:
        self.lab.heal()
        for number in self.lab.numbers() if self.XINETD else []:
            self.restore_checker(number)
        if self.XINETD and self.HAPROXY:
            self.lab.wait_haproxy()

    def restore_checker(self, number: int) -> None:
        """The default configuration again, and no file that disables or drains."""
        checker = self.lab.checker(number)
        checker.configure()
        checker.disable_file.unlink(missing_ok=True)
        checker.drain_file.unlink(missing_ok=True)

    def configure(self, number: int, overrides: Settings) -> Checker:
        """Another clustercheck.conf for one node, until the end of the test."""
        checker = self.lab.checker(number)
        checker.configure(overrides)
        return checker

    def probe(self, number: int, **arguments) -> Answer:
        """One HTTP check of a node through its xinetd."""
        return http_probe(self.lab.address(number), **arguments)

    def wait_code(self, number: int, code: int, reason: str = "", timeout: float = 60) -> Answer:
        """Wait until the check of a node answers with this code (and reason)."""
        last: list[Answer] = [Answer()]

        def answers() -> Optional[Answer]:
            last[0] = self.probe(number)
            return last[0] if last[0].code == code and reason in ("", last[0].reason) else None

        try:
            return wait_until(answers, timeout, f"n{number} to answer {code} {reason}")
        except LabTimeout as error:
            raise LabTimeout(f"{error}; last answer: {last[0]}") from None


@dataclass
class Checked:
    """A run of the program under test from a shell."""

    exit: int
    out: str
    err: str


def run_checker(arguments: list[str], env: Mapping[str, str] = {}, stdin: Optional[bytes] = None,
                timeout: float = 60) -> Checked:
    """Run the program as a script would: no terminal, output in pipes."""
    done = subprocess.run(arguments, env={**os.environ, **env}, capture_output=True, check=False, timeout=timeout,
                          **({"stdin": subprocess.DEVNULL} if stdin is None else {"input": stdin}))
    return Checked(done.returncode, done.stdout.decode(errors="replace"), done.stderr.decode(errors="replace"))
