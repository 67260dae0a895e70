"""A running galera-init has the database loaded: once, by whichever node can."""
from __future__ import annotations

import unittest
from dataclasses import replace

from initcase import BlankCase, InitOptions, NodeOptions

from seeddump import DATABASE, Dump

SLOW = True

PATIENCE = 180


class ByItself(BlankCase):
    """Three empty hosts; when their cluster is complete the database is loaded, and nobody had to say so."""

    dump = Dump(tables=40)

    def setUp(self) -> None:
        super().setUp()
        path = self.dump.write(self.lab.directory / "shop.sql.gz")
        self.options = InitOptions(server=NodeOptions(sst="rsync", flush_log=2, lines=["debug_no_sync = 1"]),
                                   init={"seed": str(path), "seed_database": DATABASE})
        for node in self.nodes:
            node.configure(self.options)

    def assert_loaded_once(self) -> None:
        self.assertEqual(sum(node.said("the database is loaded\n") for node in self.nodes), 1, self.all_words(20))
        for node in self.nodes:
            node.sql("SET SESSION wsrep_sync_wait = 1; SELECT 1")  # what one has loaded, the others may still apply
            self.assertEqual(self.dump.found(node), self.dump.expected(), node.name)
            self.assertEqual(node.sql("SELECT state, `database` FROM galera_init.seed"), [["done", DATABASE]])

    def test_no_dump_on_the_first(self) -> None:
        """A node that cannot load does not keep the others from it: it is the next one's turn."""
        first, second, third = self.nodes
        missing = {**self.options.init, "seed": str(self.lab.directory / "missing.sql")}
        first.configure(replace(self.options, init=missing))
        self.launch_all()
        first.wait_said("cannot open .*missing.sql: No such file", PATIENCE)
        # Usually n2, whose turn comes first; n3, when it has been slow for that long.
        self.wait_for(lambda: second.said("the database is loaded\n") or third.said("the database is loaded\n"), PATIENCE,
                      "another node to load the database")
        self.wait_for(lambda: (self.keys.get("seed") or {}).get("state") == "done", 60, "etcd to be told")
        self.assertIn(self.keys.get("seed")["node"], ("n2", "n3"))
        self.assert_loaded_once()
        first.stop()
        first.configure(self.options)
        mark = first.mark()
        first.start()
        self.wait_whole()
        first.wait_settled()
        self.assertFalse(first.said(f"loading {DATABASE} from", since=mark), first.words(20))
        self.assert_loaded_once()

    def test_a_dump_that_the_servers_refuse(self) -> None:
        """Each tries once, drops what the one before it has left, and says why it ends."""
        path = self.lab.directory / "wrong.sql"
        path.write_text("CREATE TABLE t (a INT PRIMARY KEY);\nSELEC nonsense;\n")
        for node in self.nodes:
            node.configure(replace(self.options, init={**self.options.init, "seed": str(path)}))
        self.launch_all()
        for node in self.nodes:
            node.wait_said("wrong.sql: ERROR 1064", PATIENCE)
        self.wait_for(lambda: (self.keys.get("seed") or {}).get("state") == "failed", 60, "the failure to be recorded")
        state, last = self.node(1).sql("SET SESSION wsrep_sync_wait = 1; SELECT state, node FROM galera_init.seed")[0]
        self.assertEqual((state, last != "n1"), ("loading", True), last)
        self.assertEqual([node.said(f"loading {DATABASE} from") for node in self.nodes], [1, 1, 1], self.all_words(20))


if __name__ == "__main__":
    unittest.main()
