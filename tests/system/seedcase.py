"""What the tests of the loading of a database stand on: servers of the lab, and galera-init called by hand on each."""
from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Optional

from harness import Node, NodeOptions
from registrycase import Program, RegistryCase, host, wait_until

from galeralab.process import marked
from seeddump import DATABASE, Dump

__all__ = ["BOOT", "CONFIG", "DATABASE", "Dump", "LOADED", "NO", "PATIENCE", "SeedCase", "TRY_AGAIN", "USERS", "children",
           "host", "wait_until"]

LOADED, NO, TRY_AGAIN, CONFIG = 0, 1, 75, 78
KEY, BOOT = "/galera/lab/seed", "11111111-2222-3333-4444-555555555555"
PATIENCE = 180
# How the servers write to disk is not what is tested, and 200 statements that change a schema wait for every sync.
SERVER = NodeOptions(sst="rsync", flush_log=2, lines=["debug_no_sync = 1", "innodb_doublewrite = 0"])
USERS = """CREATE USER IF NOT EXISTS customer@'%' IDENTIFIED BY 'x';
CREATE DATABASE IF NOT EXISTS diary;
CREATE TABLE IF NOT EXISTS diary.runs (n INT AUTO_INCREMENT PRIMARY KEY);
INSERT INTO diary.runs VALUES ();
"""


class SeedCase(RegistryCase):
    """Lab nodes, and a galera-init that is called by hand on each of them; nothing is loaded at the start of a test."""

    NODES = 2
    dump, short = Dump(), Dump(tables=20)

    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        cls.lab.up(cls.NODES, SERVER, xinetd=False, use_haproxy=False)
        cls.files = cls.lab.directory / "dumps"
        cls.files.mkdir(exist_ok=True)

    def setUp(self) -> None:
        super().setUp()
        self.n1, self.n2 = self.lab.nodes[:2]
        self.forget()

    def forget(self) -> None:
        """As if nothing had ever been loaded."""
        self.n1.sql("".join(f"DROP DATABASE IF EXISTS {name};" for name in (DATABASE, "galera_init", "diary", "other"))
                    + "DROP USER IF EXISTS customer@'%'")
        self.delete(KEY)
        for node in self.lab.nodes:
            node.sql("SET SESSION wsrep_sync_wait = 1; SELECT 1")

    # -- galera-init

    def launch(self, node: Node, seed: Path, *words: str, kill_at: str = "", database: Optional[str] = DATABASE,
               users: Optional[Path] = None, nodes: int = 2) -> Program:
        state = self.home / f"state-{node.name}"
        state.mkdir(exist_ok=True)
        init = {"cluster": "lab", "node": node.name, "address": node.address, "nodes": nodes, "ttl": "2s",
                "state_dir": state, "admin_user": host.own_user(), "seed": seed, "seed_database": database,
                "users_sql": users}
        return self.start("galera-init", "-v", "seed", *words, "--", host.tool("mariadbd"),
                          f"--defaults-file={node.cnf}", settings={"init": init, "etcd": {"timeout": "1s"}},
                          env={"GALERA_INIT_TEST_KILL": kill_at} if kill_at else {})

    def seed(self, node: Node, seed: Path, *words: str, code: int = LOADED, said: str = "", **more: Any) -> Program:
        program = self.launch(node, seed, *words, **more)
        self.assertEqual(program.wait(PATIENCE), code, program.err)
        if said:
            self.assertRegex(program.err, said)
        return program

    def write(self, name: str, text: str | bytes) -> Path:
        path = self.files / name
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return path

    # -- what it did

    def key(self) -> dict[str, Any]:
        kv = self.keys("/galera/lab/").get(KEY)
        return json.loads(kv.value) if kv else {}

    def mark(self, column: str = "state", node: Optional[Node] = None) -> str:
        return (node or self.n1).sql(f"SELECT {column} FROM galera_init.seed WHERE id = 1")[0][0]

    def has_table(self, name: str, node: Node) -> bool:
        return node.sql("SELECT COUNT(*) FROM information_schema.tables WHERE "
                        f"table_schema = '{DATABASE}' AND table_name = '{name}'") == [["1"]]

    def check_loaded(self, dump: Optional[Dump] = None, by: str = "n1") -> None:
        """Everything is there once, on every node, and everybody is told so."""
        dump = dump or self.dump
        for node in self.lab.nodes:
            node.sql("SET SESSION wsrep_sync_wait = 1; SELECT 1")
            self.assertEqual(dump.found(node), dump.expected(), node.name)
        self.assertEqual((self.mark(), self.mark("node")), ("done", by))
        self.assertEqual((self.key()["state"], self.key()["node"]), ("done", by))
        self.assertEqual(self.keys("/galera/lab/")[KEY].lease, 0)

    def wait_alone(self, program: Program, node: Node) -> None:
        """Nothing that a load has started outlives it, and its session has ended."""
        wait_until(lambda: not marked(f"{program.home}/{program.name}"), 15, "the processes of the load to end")
        wait_until(lambda: node.sql("SELECT COUNT(*) FROM information_schema.processlist WHERE "
                                    f"db = '{DATABASE}'") == [["0"]], 15, "the client's session to end")


def children(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
