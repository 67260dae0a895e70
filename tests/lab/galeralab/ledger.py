"""What clients were promised: rows that servers acknowledged, to be compared with what the servers hold later."""
from __future__ import annotations

import threading
from pathlib import Path
from typing import Optional, Sequence

from .client import Account, Session, SqlError, run_sql

TABLE = "app.ledger"


class Ledger:
    """One client a node inserts rows for as long as it runs, through whatever happens to the nodes.

    Every row that was acknowledged is in the file before the next one is sent.  What was not acknowledged may be
    there or not."""

    def __init__(self, path: Path, pause: float = 0.03) -> None:
        self.path, self._pause = path, pause
        self._stop, self._lock = threading.Event(), threading.Lock()
        self._threads: list[threading.Thread] = []
        self._number = 0
        self.acknowledged: dict[int, str] = {}  # id -> node

    def create(self, account: Account) -> None:
        """The table, before the first start."""
        run_sql(account, f"CREATE TABLE IF NOT EXISTS {TABLE} (id INT PRIMARY KEY, node VARCHAR(20) NOT NULL)")

    def clear(self) -> None:
        """There are new servers, which nothing was written to."""
        self.acknowledged.clear()
        self.path.unlink(missing_ok=True)

    def start(self, accounts: dict[str, Account]) -> "Ledger":
        """Begin to write, by node name."""
        self._stop.clear()
        self._threads = [threading.Thread(target=self._client, args=item, daemon=True) for item in accounts.items()]
        for thread in self._threads:
            thread.start()
        return self

    def stop(self) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join(30)
        self._threads = []

    def count(self, node: str = "") -> int:
        with self._lock:
            return sum(1 for where in self.acknowledged.values() if node in ("", where))

    def write(self, node: str, account: Account, rows: int = 1) -> None:
        """Write some rows right now; an error is the caller's."""
        with Session(account) as session:
            for _ in range(rows):
                self._insert(session, node)

    def missing(self, account: Account) -> list[int]:
        """The acknowledged rows that a server does not have, all that was committed elsewhere considered."""
        rows = run_sql(account, f"SET SESSION wsrep_sync_wait=1; SELECT id FROM {TABLE}")
        return sorted(set(self.acknowledged) - {int(row[0]) for row in rows})

    @staticmethod
    def checksum(account: Account, tables: Sequence[str] = (TABLE,)) -> list[list[str]]:
        return run_sql(account, f"SET SESSION wsrep_sync_wait=1; CHECKSUM TABLE {', '.join(tables)} EXTENDED")

    def _insert(self, session: Session, node: str) -> None:
        with self._lock:
            self._number += 1
            number = self._number
        session.query(f"INSERT INTO {TABLE} VALUES ({number}, '{node}')", timeout=10)
        with self._lock:
            self.acknowledged[number] = node
            with open(self.path, "a") as file:
                file.write(f"{number} {node}\n")

    def _client(self, node: str, account: Account) -> None:
        session: Optional[Session] = None
        while not self._stop.is_set():
            try:
                session = session or Session(account)
                self._insert(session, node)
                self._stop.wait(self._pause)
            except SqlError:
                if session:
                    session.close()
                session = None
                self._stop.wait(0.2)
        if session:
            session.close()
