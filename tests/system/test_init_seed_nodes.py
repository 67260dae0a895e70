"""The loading of a database when nodes freeze or die, and by a running galera-init."""
from __future__ import annotations

import os
import signal
import unittest
from dataclasses import replace
from pathlib import Path
from typing import Optional

from initcase import BlankCase, InitOptions, Managed, NodeOptions
from seedcase import DATABASE, Dump, PATIENCE, SeedCase, TRY_AGAIN, children, wait_until


class TakenOver(SeedCase):
    NODES = 3

    def test_frozen_loader(self) -> None:
        """One that is frozen in the middle, and its client, do no harm when they wake up after another took over."""
        path = self.dump.write(self.files / "dump.sql")
        frozen = self.launch(self.n1, path)
        frozen.until(lambda: self.has_table("t010", self.n1), PATIENCE, "the load to be under way")
        client = children(frozen.pid)
        frozen.signal(signal.SIGSTOP)
        for pid in client:
            os.kill(pid, signal.SIGSTOP)
        try:
            self.seed(self.n2, path, code=TRY_AGAIN, said="n1 is loading the database")
            wait_until(lambda: self.key() == {}, 30, "the claim to expire")
            self.seed(self.n2, path, said="taking over")
            self.check_loaded(by="n2")
        finally:
            for pid in (frozen.pid, *client):
                os.kill(pid, signal.SIGCONT)
        self.assertEqual(frozen.wait(PATIENCE), TRY_AGAIN, frozen.err)
        self.check_loaded(by="n2")

    def test_node_dies(self) -> None:
        """The node that loads is gone, server and all: another one loads it anew, and the dead one gets it all."""
        path = self.dump.write(self.files / "dump.sql")
        killed = self.launch(self.n1, path, kill_at="seed-half")
        self.assertEqual(killed.wait(PATIENCE), -signal.SIGKILL, killed.err)
        self.n1.kill()
        wait_until(lambda: self.n2.usable() and self.key() == {}, 60, "the others to go on, and the claim to expire")
        self.seed(self.n2, path, said="taking over")
        self.lab.heal()
        self.check_loaded(by="n2")


class ByItself(BlankCase):
    """Three empty hosts; when their cluster is complete the database is loaded, and nobody had to say so."""

    DUMP = "shop.sql.gz"
    dump = Dump(tables=40)

    def setUp(self) -> None:
        super().setUp()
        path = self.dump.write(self.lab.directory / self.DUMP)
        self.options = InitOptions(server=NodeOptions(sst="rsync", flush_log=2, lines=["debug_no_sync = 1"]),
                                   init={"seed": str(path), "seed_database": DATABASE})
        for node in self.nodes:
            node.configure(self.options)

    def loader(self, node: Managed) -> Optional[int]:
        """The process that loads the database there."""
        for pid in children(node.process.identity.pid):
            words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
            if b"seed" in words:
                return pid
        return None

    def test_first_boot(self) -> None:
        """... also when the process that loads it is killed half way; and not again after a restart."""
        first = self.nodes[0]
        self.launch_all()
        self.wait_for(lambda: first.said(f"loading {DATABASE} from"), 150, "the load to begin")
        loader = self.loader(first)
        self.assertIsNotNone(loader, first.words(20))
        os.kill(loader, signal.SIGKILL)
        self.wait_for(lambda: (self.keys.get("seed") or {}).get("state") == "done", PATIENCE, "the database to be loaded")
        self.assertEqual(sum(node.said(f"dropping {DATABASE}") for node in self.nodes), 1, self.all_words(20))
        self.assert_once()
        first.stop()
        first.start()
        self.wait_whole()
        self.assert_once()

    def test_no_dump_on_the_first(self) -> None:
        """A node that cannot load does not keep the others from it: it is the next one's turn."""
        first, second = self.nodes[:2]
        first.configure(replace(self.options, init={**self.options.init, "seed": str(self.lab.directory / "missing.sql")}))
        self.launch_all()
        first.wait_said("cannot open .*missing.sql: No such file", 150)
        second.wait_said("the database is loaded\\n", PATIENCE)
        self.assertEqual(self.keys.get("seed")["node"], "n2")
        self.assert_once()

    def assert_once(self) -> None:
        self.assertEqual(sum(node.said("the database is loaded\\n") for node in self.nodes), 1, self.all_words(20))
        for node in self.nodes:
            self.assertEqual(self.dump.found(node), self.dump.expected(), node.name)
            self.assertEqual(node.sql("SELECT state, `database` FROM galera_init.seed"), [["done", DATABASE]])


if __name__ == "__main__":
    unittest.main()
