"""Nodes that die in the middle of a schema change: what Galera and the server leave behind then looks like a spoilt copy, and
the rest of it would spoil the next one."""
from __future__ import annotations

import signal
import threading
import unittest
from typing import Callable

from galeralab.client import Session

from initcase import InitOptions, Managed, NodeOptions, SqlError, WholeCase

from galeralab.managed import LAN, freeze_together, kill_together
from galeralab.process import send

SLOW = True

BLOCK, EXECUTE = 4096, 1  # of ddl_recovery.log: an entry that is still to be carried out (sql/ddl_log.h)


def is_unsafe(node: Managed) -> bool:
    """Has Galera put a nil UUID into grastate.dat, as it does for as long as it applies a schema change?"""
    return not node.grastate().get("uuid", "").strip("0-")


def is_in_ddl_log(node: Managed) -> bool:
    """Would the server undo, or complete, a schema change at its next start?"""
    log = node.data / "ddl_recovery.log"
    return log.exists() and EXECUTE in log.read_bytes()[BLOCK::BLOCK]


class Creator:
    """A client that makes one table after the other, until it gets an error."""

    def __init__(self, node: Managed) -> None:
        self.made: set[str] = set()
        self._thread = threading.Thread(target=self._run, args=(node,), daemon=True)
        self._thread.start()

    def _run(self, node: Managed) -> None:
        try:
            with Session(node.root()) as session:
                for number in range(100_000):
                    session.query(f"CREATE TABLE app.made{number} (id INT PRIMARY KEY)", timeout=30)
                    self.made.add(f"made{number}")
        except SqlError:  # the server is dead
            pass

    def join(self) -> None:
        self._thread.join(60)


class SchemaChanges(WholeCase):
    OPTIONS = InitOptions(server=NodeOptions(sst="mariabackup", provider=LAN))

    def freeze_when(self, nodes: list[Managed], condition: Callable[[], bool], what: str) -> None:
        """Stop these servers all at once, in a moment in which the condition holds."""
        servers = [server for server in (node.server() for node in nodes) if server]
        self.assertEqual(len(servers), len(nodes))

        def caught() -> bool:
            freeze_together(servers)
            if condition():
                return True
            for server in servers:
                send(server, signal.SIGCONT)
            return False

        self.wait_for(caught, 60, what)

    def kill_frozen(self, nodes: list[Managed]) -> None:
        """The servers die first: the kernel thaws a stopped process whose parent is gone."""
        for node in nodes:
            node.process.freeze()
        kill_together([server for server in (node.server() for node in nodes) if server])
        for node in nodes:
            node.kill()

    def create_tables(self) -> Creator:
        left = self.tables(self.node(1))  # by a test that has failed
        self.node(1).sql("".join(f"DROP TABLE app.{name};" for name in left) or "DO 1", timeout=120)
        creator = Creator(self.node(1))
        self.wait_for(lambda: len(creator.made) > 2, 60, "tables to be made")
        return creator

    def tables(self, node: Managed) -> set[str]:
        return {row[0] for row in node.sql("SET SESSION wsrep_sync_wait = 1; SELECT table_name FROM information_schema.tables "
                                           "WHERE table_schema = 'app' AND table_name LIKE 'made%'")}

    def check(self, creator: Creator) -> None:
        """Every table that was promised is there, on every node, and can be used."""
        creator.join()
        self.assertGreater(len(creator.made), 0)
        self.wait_whole()
        first = self.tables(self.node(1))
        self.assertEqual(creator.made - first, set())
        for node in self.nodes:
            self.assertEqual(self.tables(node), first, node.name)
            node.sql("".join(f"SELECT * FROM app.{name};" for name in sorted(first)))
        self.node(2).sql("".join(f"DROP TABLE app.{name};" for name in sorted(first)), timeout=120)
        self.finish()

    def kill_one(self) -> tuple[Managed, Creator]:
        victim = self.node(1)
        creator = self.create_tables()
        self.freeze_when([victim], lambda: is_unsafe(victim) and is_in_ddl_log(victim), "a table that is half made")
        self.kill_frozen([victim])
        creator.join()
        self.wait_synced(self.nodes[1:])
        return victim, creator

    def test_one_node_is_killed(self) -> None:
        victim, creator = self.kill_one()
        victim.launch()
        victim.wait_said(r"killed during a schema change")
        self.check(creator)

    def test_one_node_is_killed_and_its_copy_given_up(self) -> None:
        """The others have the table; the log that would drop it must not outlive the copy that it is about."""
        victim, creator = self.kill_one()
        victim.lose_state()
        before = victim.log.stat().st_size
        victim.launch()
        victim.wait_said(r"given up as inconsistent or a transfer was interrupted")
        self.wait_whole()
        self.assertNotIn(b"DDL_LOG: Crash recovery executed", victim.log.read_bytes()[before:])
        self.check(creator)

    def test_all_are_killed(self) -> None:
        """grastate.dat is of no use on any of them: they go on from the newest copy by themselves."""
        creator = self.create_tables()
        self.freeze_when(self.nodes, lambda: all(is_unsafe(node) for node in self.nodes), "a schema change on all nodes")
        self.kill_frozen(self.nodes)
        self.launch_all()
        self.check(creator)


if __name__ == "__main__":
    unittest.main()
