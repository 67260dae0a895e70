"""Follows a guide in docs/: runs its blocks of commands on machines, as they stand there.

A block that is run begins, in its first line, with a comment that names hosts: `# on db1 db2`. It is run as root on one after the
other. What the world does meanwhile stands in comments of the page: `<!-- test: power off db1; power on db1 -->`."""
from __future__ import annotations

import re
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Callable, Mapping, Sequence

import bases  # noqa: F401 (it finds the lab)
from galeralab import host
from machines import Machine, MachineError

DOCS = host.CHECKOUT / "docs"
_PIECE = re.compile(r"^```sh\n# on ([a-z0-9 ]+)\n(.*?)^```$|^<!-- test: ([^\n]*?) -->$|^## ([^\n]*)$", re.M | re.S)


@dataclass
class Step:
    """A block, an event or a heading of a page."""

    line: int
    hosts: list[str]
    script: str = ""
    event: str = ""
    heading: str = ""


def steps_of(page: str) -> list[Step]:
    text = (DOCS / page).read_text(encoding="utf-8")
    return [Step(text.count("\n", 0, found.start()) + 1, (found[1] or "").split(), found[2] or "", found[3] or "", found[4] or "")
            for found in _PIECE.finditer(text)]


def shell_blocks(page: str) -> int:
    """How many fenced blocks of shell there are; all of them are to be run."""
    return len(re.findall(r"(?m)^```sh$", (DOCS / page).read_text(encoding="utf-8")))


class Follower:
    """Follows pages on these machines. An event is `WORDS HOST...`; `events` has what to do for each."""

    def __init__(self, machines: Mapping[str, Machine], events: Mapping[str, Callable[[list[str]], None]] = {},
                 timeout: float = 900) -> None:
        self.machines, self.timeout = machines, timeout
        self.events = {"power off": self._power_off, "power on": self._power_on, **events}

    def follow(self, page: str, since: str = "", until: str = "") -> None:
        """From top to bottom, or the sections from one heading on and before another one, by their first words. A block of
        shell that names no host is an error of the page."""
        steps, inside = steps_of(page), not since
        if sum(bool(step.hosts) for step in steps) != shell_blocks(page):
            raise AssertionError(f"{page}: a block of shell does not say on which host")
        for words in (since, until):
            if words and not any(step.heading.startswith(words) for step in steps):
                raise AssertionError(f"{page} has no section '{words}'")
        for step in steps:
            if step.heading:
                if until and step.heading.startswith(until):
                    return
                inside = inside or step.heading.startswith(since)
            elif inside and step.event:
                for part in step.event.split(";"):
                    self._event(page, step.line, part.split())
            elif inside:
                self._run(page, step)

    def _run(self, page: str, step: Step) -> None:
        for name in step.hosts:
            began = time.monotonic()
            try:
                self.machines[name].sh(step.script, self.timeout)
            except Exception as error:
                raise AssertionError(f"{page}:{step.line} on {name}: {error}\n{self.journals()}") from None
            print(f"{page}:{step.line} on {name}: {time.monotonic() - began:.1f} s", flush=True)

    def _event(self, page: str, line: int, words: Sequence[str]) -> None:
        for name, act in self.events.items():
            if list(words[:len(name.split())]) == name.split():
                act(list(words[len(name.split()):]))
                return
        raise AssertionError(f"{page}:{line}: nobody knows how to {' '.join(words)}")

    def _power_off(self, names: list[str]) -> None:
        for name in names:
            self.machines[name].power_off()

    def _power_on(self, names: list[str]) -> None:
        for name in names:
            self.machines[name].boot(until="basic.target")

    def journals(self, lines: int = 25) -> str:
        """The last words of what matters on every machine that is on."""
        text = ""
        for name, machine in self.machines.items():
            try:
                text += f"--- {name}\n{machine.journal(lines)}\n"
            except MachineError as error:
                text += f"--- {name}: {error}\n"
        return text
