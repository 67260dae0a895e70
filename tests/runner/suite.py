"""One suite: a child process in a session of its own, bounded in time, with nothing left behind."""
from __future__ import annotations

import os
import selectors
import signal
import subprocess
import threading
import time
from pathlib import Path
from typing import Iterator, Mapping, Optional, Sequence

from galeralab import process

VARIABLE = "CLUSTERCHECK_SUITE"
_POLL = 0.2  # seconds in which an interrupt is noticed

stopping = threading.Event()  # the whole run is to end


class Interrupted(Exception):
    """Raised in the thread of a suite when the run is to end."""


class Suite:
    """Start the command; lines() gives what it writes to `channel`, all other output goes to a file."""

    def __init__(self, name: str, argv: Sequence[str], channel: int, remote: int, log: Path, timeout: float,
                 env: Mapping[str, str] = {}, stdout_is_channel: bool = False) -> None:
        """`channel` is the end that is read here, `remote` the one that the child inherits."""
        self.name, self.log, self.timed_out = name, log, False
        self._channel, self._buffer = channel, b""
        self._deadline, self._timeout = time.monotonic() + timeout, timeout
        self._token = f"{os.getpid()}-{time.monotonic_ns()}"
        self._shown = 0
        log.parent.mkdir(parents=True, exist_ok=True)
        with open(log, "wb") as output:
            self.child = subprocess.Popen(list(argv), stdin=subprocess.DEVNULL, stderr=output, start_new_session=True,
                                          stdout=remote if stdout_is_channel else output, pass_fds=[remote],
                                          env={**os.environ, **env, VARIABLE: self._token})
        os.close(remote)

    def lines(self) -> Iterator[str]:
        """Lines as they come, until the channel closes or time is up."""
        with selectors.DefaultSelector() as selector:
            selector.register(self._channel, selectors.EVENT_READ)
            while True:
                left = self._deadline - time.monotonic()
                if stopping.is_set():
                    raise Interrupted
                if left <= 0:
                    self.timed_out = True
                    break
                ended = self.child.poll() is not None  # before the look at the channel: what it said last is there then
                if not selector.select(min(left, _POLL)):
                    if ended:
                        break  # something it started holds the channel open
                    continue
                try:
                    data = os.read(self._channel, 65536)
                except OSError:  # a pseudo terminal's way to say that nobody writes any more
                    data = b""
                if not data:
                    break
                *complete, self._buffer = (self._buffer + data).split(b"\n")
                yield from (line.decode(errors="replace").rstrip("\r") for line in complete)

    def output(self, upto: Optional[int] = None) -> str:
        """What was written to the log since the last call, up to this offset in it."""
        new = self.log.read_bytes()[self._shown:upto]
        self._shown += len(new)
        return new.decode(errors="replace")

    def finish(self) -> str:
        """Wait for the end, by force if it is late; what is wrong with how it ended, or ""."""
        while (code := self.child.poll()) is None and not self.timed_out:
            if stopping.is_set():
                raise Interrupted
            self.timed_out = time.monotonic() >= self._deadline
            time.sleep(0 if self.timed_out else 0.01)
        if self.timed_out or code is None:
            return f"not finished after {self._timeout:g} s"
        return f"crashed: {signal.Signals(-code).name}" if code < 0 else f"exit code {code}" if code else ""

    def end(self) -> int:
        """End what is left of the suite, its descendants included; how many processes that were."""
        if self.child.poll() is None:
            os.killpg(self.child.pid, signal.SIGKILL)
            self.child.wait()
        left = process.sweep(self._token, VARIABLE)
        os.close(self._channel)
        return left
