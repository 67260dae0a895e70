"""Churn: registrations come and go at random while etcd's members do too; then the registry equals the living.

SOAK_SECONDS is for how long (default 20; `make soak` takes an hour), SOAK_SEED repeats a run: the same decisions in the
same order, as far as time allows.
"""
from __future__ import annotations

import json
import os
import random
import signal
import sys
import threading
import time
import unittest
from typing import Callable, Optional

from registrycase import Program, RegistryCase, wait_until

SLOW = True

SECONDS = float(os.environ.get("SOAK_SECONDS") or 20)
SEED = int(os.environ.get("SOAK_SEED") or random.SystemRandom().randrange(1_000_000))
NODES = 50


class LastLine:
    """Keeps what a program has printed last: a watcher prints a great deal in an hour."""

    def __init__(self) -> None:
        self.text = ""
        reader, self.writer = os.pipe()
        threading.Thread(target=self._read, args=(reader,), daemon=True).start()

    def _read(self, reader: int) -> None:
        with open(reader) as lines:
            for self.text in lines:
                pass

    def ids(self) -> list[str]:
        return [node["id"] for node in json.loads(self.text)["nodes"]]


class Soak(RegistryCase):
    MEMBERS = 3

    def setUp(self) -> None:
        super().setUp()
        self.random = random.Random(SEED)
        self.living: dict[str, Program] = {}
        self.frozen: list[Program] = []
        self.ended: list[Program] = []
        self.counts: dict[str, int] = {}
        self.next_etcd = 0.0
        self.mend: Optional[Callable[[], None]] = None  # what makes etcd whole again

    # -- nodes

    def start_node(self, id: str) -> None:
        number = int(id[4:])
        urls = self.random.sample(self.etcd.endpoints, 3)
        arguments = ["--host", f"{id}.example"]
        self.living[id] = self.register(id, *arguments, ip=f"10.0.0.{number + 1}",
                                        settings={"etcd": {"endpoints": ",".join(urls)}, "register": {"stop_timeout": "1s"}})

    def end_node(self, id: str, number: int) -> None:
        program = self.living.pop(id)
        program.signal(number)
        self.ended.append(program)

    def restart_node(self, id: str) -> None:
        """As after a crash that a supervisor mends at once: its own leftover may be there."""
        self.end_node(id, self.random.choice((signal.SIGKILL, signal.SIGTERM)))
        self.ended[-1].wait()
        self.start_node(id)

    def freeze_node(self, id: str) -> None:
        """It goes on at the end, if nothing has thawed it before; then it is living as the others are."""
        self.living[id].signal(signal.SIGSTOP)
        self.frozen.append(self.living[id])
        if len(self.frozen) > 5:
            self.frozen.pop(0).signal(signal.SIGCONT)

    def disturb_node(self) -> str:
        id = f"node{self.random.randrange(NODES)}"
        if id not in self.living:
            self.start_node(id)
            return "start"
        action = self.random.choice(("SIGTERM", "SIGTERM", "SIGKILL", "SIGKILL", "restart", "freeze"))
        if self.living[id] in self.frozen:  # it would not hear a SIGTERM
            action = "SIGKILL"
            self.frozen.remove(self.living[id])
        if action == "restart":
            self.restart_node(id)
        elif action == "freeze":
            self.freeze_node(id)
        else:
            self.end_node(id, getattr(signal, action))
        return action

    # -- etcd

    def disturb_etcd(self) -> str:
        """One member away, mostly; sometimes two or all of them.  The next disturbance begins with mending this one."""
        if self.mend:
            self.mend()
            self.mend = None
            return "etcd mended"
        numbers = self.random.sample((1, 2, 3), self.random.choice((1, 1, 1, 1, 2, 3)))
        action = self.random.choice(("kill", "kill", "freeze"))
        for number in numbers:
            getattr(self.etcd.member(number), action)()

        def mend() -> None:
            for number in numbers:
                self.etcd.launch(number) if action == "kill" else self.etcd.member(number).thaw()

        self.mend = mend
        return f"etcd {action} {len(numbers)}"

    # -- the run

    def note(self, what: str) -> None:
        self.counts[what] = self.counts.get(what, 0) + 1

    def churn(self) -> None:
        end = time.monotonic() + SECONDS
        while time.monotonic() < end:
            self.note(self.disturb_node())
            if time.monotonic() >= self.next_etcd:
                self.note(self.disturb_etcd())
                self.next_etcd = time.monotonic() + self.random.uniform(0.5, 2.5)
            self.reap()
            time.sleep(self.random.uniform(0.01, 0.15))
        if self.mend:
            self.mend()
        for program in self.frozen:
            program.signal(signal.SIGCONT)
        self.etcd.wait_healthy()

    def reap(self) -> None:
        """Forget who has ended as it was told to; an hour's churn would leave a hundred thousand files."""
        gone = [program for program in self.ended if not program.alive()]
        self.ended = [program for program in self.ended if program not in gone]
        for program in gone:
            # Who is told to stop before he has begun (a busy machine) ends by the signal, and has done nothing yet.
            unborn = {-signal.SIGTERM} if program.err == "" else set()
            self.assertIn(program.child.returncode, {0, -signal.SIGKILL} | unborn, program.err)
            program.forget()

    def assert_no_node_gave_up(self) -> None:
        """None that lives may have ended by itself: its id and address are its own."""
        for id, program in self.living.items():
            self.assertTrue(program.alive(), f"{id} has ended with {program.child.returncode}: {program.err}")
        for program in self.ended:
            program.wait(60)
        self.reap()

    def assert_registry_is(self, expected: dict[str, dict[str, str]]) -> None:
        """Soon, and then it stays so."""
        def difference() -> dict[str, list[str]]:
            found = self.entries()
            return {"ghosts": sorted(found.keys() - expected.keys()),
                    "missing": sorted(expected.keys() - found.keys()),
                    "wrong": sorted(id for id in found.keys() & expected.keys() if found[id] != expected[id])}

        wait_until(lambda: not any(difference().values()) or None, 60, "the registry to equal the living")
        end = time.monotonic() + self.end_of_ttl()
        while time.monotonic() < end:
            self.assertEqual(difference(), {"ghosts": [], "missing": [], "wrong": []})
            time.sleep(0.2)

    def test_the_registry_equals_the_living(self) -> None:
        print(f"soak: SOAK_SEED={SEED} SOAK_SECONDS={SECONDS:g}", file=sys.stderr, flush=True)
        shown = LastLine()
        watcher = self.watcher(settings={"discover": {"resync": "2s"}}, stdout=shown.writer)
        os.close(shown.writer)
        for number in range(NODES):
            self.start_node(f"node{number}")
        try:
            self.churn()
            self.assert_no_node_gave_up()
            self.assert_registry_is({id: {"ip": f"10.0.0.{int(id[4:]) + 1}", "port": "3306", "host": f"{id}.example"}
                                     for id in self.living})
            watcher.until(lambda: shown.ids() == sorted(self.living), 60, "the watcher to show the living")
            self.assertEqual(watcher.stop(), 0)
            self.assertGreater(len(self.living), 0)
        except AssertionError as error:
            raise AssertionError(f"with SOAK_SEED={SEED} after {self.counts}: {error}") from None
        print(f"soak: {len(self.living)} living after {self.counts}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    unittest.main()
