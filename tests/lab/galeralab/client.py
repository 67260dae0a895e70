"""Speaking SQL to a server: one-off statements, a kept connection, and a load of many of them."""
from __future__ import annotations

import os
import re
import select
import subprocess
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import Callable, Optional, Sequence

from .host import tool
from .wait import LabError


class SqlError(LabError):
    """The server, or the client library, said no; `code` is its error number (0: unknown)."""

    def __init__(self, text: str) -> None:
        match = re.search(r"ERROR (\d+)", text)
        self.code = int(match.group(1)) if match else 0
        super().__init__(text.strip() or "the mariadb client ended without a word")


@dataclass
class Account:
    """How to log in: over a unix socket, or to host:port."""

    user: str
    password: str = ""
    socket: str = ""
    host: str = ""
    port: int = 3306
    database: str = ""

    def argv(self, *more: str, patience: int = 5) -> list[str]:
        where = ["--protocol=socket", f"--socket={self.socket}"] if self.socket else \
                ["--protocol=tcp", f"--host={self.host}", f"--port={self.port}"]
        return [tool("mariadb"), "--no-defaults", "--batch", "--skip-column-names", "--skip-reconnect",
                f"--connect-timeout={patience}", f"--user={self.user}", *where, *more,
                *([self.database] if self.database else [])]

    def env(self) -> dict[str, str]:
        return {**os.environ, "MYSQL_PWD": self.password, "MYSQL_HISTFILE": "/dev/null"}


def run_sql(account: Account, statement: str, timeout: float = 30) -> list[list[str]]:
    """Run statements over a new connection; the rows of all results. A busy server may need all the time for the login."""
    try:
        done = subprocess.run(account.argv(patience=max(5, int(timeout))), env=account.env(), input=statement, text=True, check=False,
                              capture_output=True, timeout=timeout)
    except subprocess.TimeoutExpired:
        raise SqlError(f"no answer within {timeout:g} s to: {statement}") from None
    if done.returncode:
        raise SqlError(done.stderr)
    return [line.split("\t") for line in done.stdout.splitlines()]


class Session:
    """One kept connection.  Any error ends it: the mariadb client exits, as an application's session would."""

    def __init__(self, account: Account) -> None:
        self.count, self._buffer = 0, b""
        self._client = subprocess.Popen(account.argv("--unbuffered"), env=account.env(), stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, stderr=subprocess.PIPE, bufsize=0)

    def query(self, statement: str, timeout: float = 30) -> list[list[str]]:
        self.count += 1
        end = f"end-of-query-{self.count}"
        try:
            self._client.stdin.write(f"{statement.rstrip(';')};\nSELECT '{end}';\n".encode())
        except OSError:
            raise SqlError(self._last_words()) from None
        rows: list[list[str]] = []
        deadline = time.monotonic() + timeout
        while (line := self._line(deadline)) != end:
            rows.append(line.split("\t"))
        return rows

    def _line(self, deadline: float) -> str:
        while b"\n" not in self._buffer:
            left = deadline - time.monotonic()
            if left <= 0 or not select.select([self._client.stdout], [], [], left)[0]:
                raise SqlError("timed out")
            data = os.read(self._client.stdout.fileno(), 65536)
            if not data:
                raise SqlError(self._last_words())
            self._buffer += data
        line, _, self._buffer = self._buffer.partition(b"\n")
        return line.decode(errors="replace")

    def _last_words(self) -> str:
        return self._client.stderr.read().decode(errors="replace")

    def close(self) -> None:
        self._client.kill()
        self._client.wait()
        for pipe in (self._client.stdin, self._client.stdout, self._client.stderr):
            pipe.close()

    def __enter__(self) -> "Session":
        return self

    def __exit__(self, *_exception) -> None:
        self.close()


@dataclass
class Outcome:
    """One statement of a load: when it began and ended (monotonic), what came back, or the error."""

    began: float
    ended: float
    number: int
    rows: list[list[str]] = field(default_factory=list)
    error: str = ""


class Load:
    """Clients that repeat a statement until stopped, reconnecting after every error, and after every `per_session`
    statements if that is not 0.

    `statement(number)` makes the text for a number that no two executions share: an INSERT of it lets a
    test compare what was acknowledged with what the servers hold."""

    def __init__(self, account: Account, statement: Callable[[int], str], clients: int = 4,
                 pause: float = 0.0, timeout: float = 30, per_session: int = 0) -> None:
        self._account, self._statement, self._per_session = account, statement, per_session
        self._pause, self._timeout = pause, timeout
        self._stop, self._lock, self._number = threading.Event(), threading.Lock(), 0
        self.outcomes: list[Outcome] = []
        self._threads = [threading.Thread(target=self._client, daemon=True) for _ in range(clients)]

    def start(self) -> "Load":
        for thread in self._threads:
            thread.start()
        return self

    def stop(self) -> list[Outcome]:
        self._stop.set()
        for thread in self._threads:
            thread.join(self._timeout + 10)
        return self.outcomes

    __enter__ = start

    def __exit__(self, *_exception) -> None:
        self.stop()

    def errors(self) -> list[Outcome]:
        return [outcome for outcome in self.outcomes if outcome.error]

    def acknowledged(self) -> list[int]:
        return [outcome.number for outcome in self.outcomes if not outcome.error]

    def served_by(self, since: float = 0.0) -> Counter:
        """How often each first column of a first row came back: SELECT @@wsrep_node_name tells who served."""
        return Counter(outcome.rows[0][0] for outcome in self.outcomes if outcome.rows and outcome.ended >= since)

    def longest_stall(self) -> float:
        """The longest time in which no statement succeeded."""
        ends = sorted(outcome.ended for outcome in self.outcomes if not outcome.error)
        return max((later - earlier for earlier, later in zip(ends, ends[1:])), default=0.0)

    def _client(self) -> None:
        session: Optional[Session] = None
        while not self._stop.is_set():
            with self._lock:
                self._number += 1
                number = self._number
            outcome = Outcome(time.monotonic(), 0.0, number)
            try:
                session = session or Session(self._account)
                outcome.rows = session.query(self._statement(number), self._timeout)
            except SqlError as error:
                outcome.error = str(error)
                if session:
                    session.close()
                session = None
                self._stop.wait(0.02)  # do not spin on a refused connection
            outcome.ended = time.monotonic()
            with self._lock:
                self.outcomes.append(outcome)
            if session and self._per_session and session.count >= self._per_session:
                session.close()
                session = None
            self._stop.wait(self._pause)
        if session:
            session.close()


def columns(rows: Sequence[Sequence[str]]) -> dict[str, str]:
    """SHOW STATUS or SHOW VARIABLES as a dictionary."""
    return {row[0]: row[1] if len(row) > 1 else "" for row in rows}
