"""Processes that outlive the command that started them, and are ended by nobody but the lab.

A process is remembered in a record file as pid *and* start time: a pid alone may belong to somebody
else by the time it is used.  Every process also carries a mark in its environment, which its children
inherit; so state-transfer scripts are found after their server has died, and servers after their lab
has crashed before it could write the record.
"""
from __future__ import annotations

import json
import os
import signal
import subprocess
from pathlib import Path
from typing import Callable, Iterator, Mapping, NamedTuple, Optional, Sequence, TypeVar

from .wait import LabError, LabTimeout, wait_until

T = TypeVar("T")
MARK = "GALERALAB"


class Identity(NamedTuple):
    """What makes a process itself: the pid, and when it started (clock ticks since boot)."""

    pid: int
    start: int


_children: list[subprocess.Popen] = []
_codes: dict[int, int] = {}  # pid -> how a child of ours has ended


def _reap() -> None:
    """Collect children that have ended, so that they are not left as zombies."""
    for child in _children:
        if child.poll() is not None:
            _codes[child.pid] = child.returncode
    _children[:] = [child for child in _children if child.returncode is None]


def _stat(pid: int) -> Optional[list[str]]:
    """The fields of /proc/PID/stat from the state on, or None when there is no such process."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text(errors="replace")
    except OSError:
        return None
    return text.rpartition(")")[2].split()


def identify(pid: int) -> Optional[Identity]:
    """The identity of a living process; a zombie counts as gone, once its other threads have closed its files too."""
    fields = _stat(pid)
    if not fields or (fields[0] in "ZX" and int(fields[17]) <= 1):
        return None
    return Identity(pid, int(fields[19]))


def stopped(identity: Identity) -> bool:
    """Is it held by SIGSTOP?"""
    fields = _stat(identity.pid)
    return bool(fields) and fields[0] in "Tt" and identify(identity.pid) == identity


def at_rest(identity: Identity) -> bool:
    """Is it held by SIGSTOP, with all its threads? One may still be at the end of a system call when the first is held."""
    def state(thread: Path) -> str:
        fields = _stat(int(thread.name))
        return fields[0] if fields else "X"  # it has ended

    return stopped(identity) and all(state(thread) in "TtZX" for thread in Path(f"/proc/{identity.pid}/task").iterdir())


def parent(identity: Identity) -> int:
    """The pid of its parent; 0 when it is gone."""
    fields = _stat(identity.pid)
    return int(fields[1]) if fields else 0


def send(identity: Identity, number: int) -> bool:
    """Signal exactly this process; False when it is gone.  The pidfd pins it while it is checked."""
    try:
        fd = os.pidfd_open(identity.pid)
    except ProcessLookupError:
        return False
    try:
        if identify(identity.pid) != identity:
            return False
        signal.pidfd_send_signal(fd, number)
        return True
    except ProcessLookupError:
        return False
    finally:
        os.close(fd)


def marked(prefix: str, variable: str = MARK) -> Iterator[Identity]:
    """Processes whose environment has the mark `prefix`, or one below it as in a path."""
    exact, below = f"{variable}={prefix}".encode(), f"{variable}={prefix}/".encode()
    for entry in os.listdir("/proc"):
        if not entry.isdigit() or int(entry) == os.getpid():
            continue
        identity = identify(int(entry))
        try:
            environment = Path(f"/proc/{entry}/environ").read_bytes().split(b"\0")
        except OSError:
            continue
        if identity and any(item == exact or item.startswith(below) for item in environment):
            yield identity


def sweep(prefix: str, variable: str = MARK, timeout: float = 60) -> int:
    """SIGKILL everything that bears the mark and wait until it is gone; how many there were."""
    seen: set[Identity] = set()

    def none_left() -> bool:
        _reap()
        found = set(marked(prefix, variable))
        seen.update(found)
        for identity in found:
            send(identity, signal.SIGKILL)
        return not found and not any(identify(identity.pid) == identity for identity in seen)

    wait_until(none_left, timeout, f"processes of {prefix} to end", 0.02)
    return len(seen)


class Process:
    """One server of the lab; any later command finds it again through its record file."""

    def __init__(self, home: Path, name: str) -> None:
        self.home, self.name = home, name
        self.record = home / f"{name}.process"
        self.output = home / f"{name}.out"
        self.mark = f"{home}/{name}"

    def start(self, argv: Sequence[str], env: Mapping[str, str] = {}) -> None:
        """Start in a session of its own, detached from the terminal, output to NAME.out."""
        if self.alive():
            raise LabError(f"{self.name} of {self.home} is already running")
        environment = {**os.environ, "LC_ALL": "C", **env, MARK: self.mark}
        with open(self.output, "ab") as output:
            child = subprocess.Popen(list(argv), env=environment, cwd=self.home, stdin=subprocess.DEVNULL,
                                     stdout=output, stderr=output, start_new_session=True)
        _children.append(child)
        _codes.pop(child.pid, None)
        identity = identify(child.pid)
        self.record.write_text(json.dumps(identity or Identity(child.pid, -1)))

    @property
    def identity(self) -> Optional[Identity]:
        """The recorded process while it lives."""
        _reap()
        try:
            recorded = Identity(*json.loads(self.record.read_text()))
        except (OSError, ValueError, TypeError):
            return None
        return recorded if identify(recorded.pid) == recorded else None

    def alive(self) -> bool:
        return self.identity is not None

    def exit_code(self) -> Optional[int]:
        """How it ended, negative for a signal; None while it lives, or when another process has started it."""
        _reap()
        try:
            return _codes.get(json.loads(self.record.read_text())[0])
        except (OSError, ValueError):
            return None

    def frozen(self) -> bool:
        identity = self.identity
        return identity is not None and stopped(identity)

    def state(self) -> str:
        return "frozen" if self.frozen() else "running" if self.alive() else "stopped"

    def signal(self, number: int) -> None:
        identity = self.identity
        if not identity or not send(identity, number):
            raise LabError(f"{self.name} of {self.home} is not running")

    def wait_gone(self, timeout: float) -> None:
        wait_until(lambda: not self.alive(), timeout, f"{self.mark} to end", 0.02)

    def kill(self) -> None:
        """SIGKILL the process and the helpers it left behind, as when a machine dies."""
        identity = self.identity
        if identity:
            send(identity, signal.SIGKILL)
        sweep(self.mark)
        self.wait_gone(60)
        self.record.unlink(missing_ok=True)

    def stop(self, timeout: float = 30) -> None:
        """Clean stop by SIGTERM; a process that does not obey in time is an error, not a silent kill."""
        identity = self.identity
        if identity:
            send(identity, signal.SIGCONT)
            send(identity, signal.SIGTERM)
            self.wait_gone(timeout)
        self.record.unlink(missing_ok=True)

    def freeze(self) -> None:
        self.signal(signal.SIGSTOP)
        wait_until(self.frozen, 60, f"{self.mark} to freeze", 0.01)

    def thaw(self) -> None:
        self.signal(signal.SIGCONT)

    def wait_ready(self, ready: Callable[[], T], timeout: float, log: Optional[Path] = None) -> T:
        """wait_until for a server's start: fails early when the process has died, and with its last words."""
        def last_words() -> str:
            return tail(log if log and log.exists() else self.output)

        def check() -> T:
            value = ready()
            if not value and not self.alive():
                raise LabError(f"{self.mark} has ended:\n{last_words()}")
            return value

        try:
            return wait_until(check, timeout, f"{self.mark} to be ready")
        except LabTimeout as error:
            raise LabTimeout(f"{error}\n{last_words()}") from None


def tail(path: Path, lines: int = 25) -> str:
    try:
        text = path.read_text(errors="replace").splitlines()
    except OSError as error:
        return str(error)
    return "\n".join(f"  | {line}" for line in text[-lines:])
