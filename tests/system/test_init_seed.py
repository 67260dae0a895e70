"""galera-init loads the application's database exactly once, whoever dies at it, and touches nothing that is not its own."""
from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import unittest
from pathlib import Path
from typing import Any, Optional

from harness import Node, NodeOptions
from registrycase import Program, RegistryCase, binary, host, wait_until

from galeralab.terminal import run_on_terminal

from seeddump import DATABASE, Dump

SLOW = True

STEPS = ("seed-claimed", "seed-users", "seed-loading", "seed-half", "seed-loaded", "seed-marked", "seed-recorded")
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
                    + "DROP USER IF EXISTS customer@'%'", timeout=120)
        self.delete(KEY)
        for node in self.lab.nodes:
            node.sql("SET SESSION wsrep_sync_wait = 1; SELECT 1")

    # -- galera-init

    def init(self, node: Node, seed: Path, database: Optional[str] = DATABASE, users: Optional[Path] = None,
             nodes: int = 2, ttl: str = "2s") -> dict[str, Any]:
        state = self.home / f"state-{node.name}"
        state.mkdir(exist_ok=True)
        init = {"cluster": "lab", "node": node.name, "address": node.address, "nodes": nodes, "ttl": ttl,
                "state_dir": state, "admin_user": host.own_user(), "seed": seed, "seed_database": database,
                "users_sql": users}
        return {"init": init, "etcd": {"timeout": "1s"}}

    @staticmethod
    def words(node: Node, *words: str) -> list[str]:
        return ["seed", *words, "--", host.tool("mariadbd"), f"--defaults-file={node.cnf}"]

    def launch(self, node: Node, seed: Path, *words: str, kill_at: str = "", **more: Any) -> Program:
        return self.start("galera-init", "-v", *self.words(node, *words), settings=self.init(node, seed, **more),
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


class Once(SeedCase):
    def test_formats(self) -> None:
        """Plain, gzip and zstd; and what mariadb-dump makes of it, with its own DROP statements."""
        for suffix in (".sql", ".sql.gz", ".sql.zst"):
            with self.subTest(suffix):
                dump = self.dump if suffix == ".sql" else self.short
                path = dump.write(self.files / f"dump{suffix}")
                first = self.seed(self.n1, path, said="the database is loaded")
                self.check_loaded(dump)
                sum_of = subprocess.run(["sha256sum", path], capture_output=True, text=True, check=True).stdout[:64]
                self.assertEqual((self.mark("sha256"), self.key()["sha256"]), (sum_of, sum_of), first.err)
                if suffix == ".sql":
                    made = subprocess.run(
                        ["mariadb-dump", "--no-defaults", f"--socket={self.n1.socket}", f"--user={host.own_user()}",
                         "--routines", "--events", "--triggers", DATABASE], capture_output=True, check=True).stdout
                self.seed(self.n2, path, said="the database is loaded, by n1")
                self.check_loaded(dump)
                self.forget()
        self.seed(self.n2, self.write("made.sql", made))
        # Its triggers are made after the rows are there.
        self.assertEqual(self.dump.found(self.n1), self.dump.expected())

    def test_bar(self) -> None:
        """On a terminal: drawn over in place, so never longer than its line, and gone at the end."""
        path = self.dump.write(self.files / "dump.sql")
        argv = [binary("galera-init"), "-c", self.settings(self.init(self.n1, path)), *self.words(self.n1)]
        code, seen = run_on_terminal(argv, os.environ, self.home, columns=60, timeout=PATIENCE)
        self.assertEqual(code, LOADED, seen)
        bars = re.findall(r"\r\x1b\[K(\[#*-*\] [^\r\x1b]*)", seen)
        self.assertTrue(bars, seen)
        for bar in bars:
            self.assertRegex(bar, r"^\[#*-+\] \d+%, \S+ \w*B of \S+ \w*B, \S+ \w*B/s(, \d+m\d\ds left)?$|\] 100%,")
            self.assertLess(len(bar), 60, seen)
        self.assertRegex(seen, r"\r\x1b\[Kgalera-init: notice: the database is loaded\r\n$")
        self.check_loaded()

    def test_killed_at_each_step(self) -> None:
        """Whatever the step at which it is killed: the next one brings it to its end, and users_sql runs once."""
        users = self.write("users.sql", USERS)
        for step in STEPS:
            with self.subTest(step):
                dump = self.dump if step in ("seed-half", "seed-loaded") else self.short
                path = dump.write(self.files / "dump.sql")
                killed = self.launch(self.n1, path, kill_at=step, users=users)
                self.assertEqual(killed.wait(PATIENCE), -signal.SIGKILL, killed.err)
                half = step in ("seed-loading", "seed-half", "seed-loaded")
                if step not in ("seed-marked", "seed-recorded"):
                    self.assertEqual(self.mark(), "loading" if half else "NULL")
                self.seed(self.n1, path, users=users, said="beginning anew" if half else "the database is loaded")
                self.check_loaded(dump)
                self.assertEqual(self.n2.sql("SELECT COUNT(*) FROM diary.runs"), [["1"]])
                self.forget()

    def test_all_nodes_at_once(self) -> None:
        path = self.short.write(self.files / "dump.sql")
        programs = [self.launch(node, path) for node in (*self.lab.nodes, self.n1)]
        codes = [program.wait(PATIENCE) for program in programs]
        said = "\n".join(program.err for program in programs)
        self.assertEqual(sum(program.said("the database is loaded$") for program in programs), 1, said)
        self.assertTrue(set(codes) <= {LOADED, TRY_AGAIN} and LOADED in codes, said)
        self.assertEqual(self.short.found(self.n2), self.short.expected())
        for node in self.lab.nodes:
            self.seed(node, path, said="the database is loaded, by")

    def test_waits_for_the_nodes(self) -> None:
        """Started by a galera-init, it loads when as many as `nodes` are synced, or donors."""
        path = self.write("small.sql", "CREATE TABLE t (a INT PRIMARY KEY) ENGINE=InnoDB;")

        def member(name: str, phase: str) -> None:
            self.put(f"/galera/lab/member/{name}", json.dumps({"phase": phase, "boot": BOOT}))

        self.seed(self.n1, path, "--of", BOOT, code=TRY_AGAIN, said="0 of 2 nodes are synced")
        member("n1", "synced")
        member("n2", "joining")
        self.seed(self.n1, path, "--of", BOOT, code=TRY_AGAIN, said="1 of 2 nodes are synced")
        member("n2", "donor")
        self.seed(self.n1, path, "--of", BOOT, said="the database is loaded$")
        self.assertEqual(self.key()["state"], "done")

    def test_told_to_stop(self) -> None:
        """SIGTERM ends the client as well, within a moment; another node may go on at once."""
        path = self.dump.write(self.files / "dump.sql")
        program = self.launch(self.n1, path)
        program.until(lambda: self.has_table("t010", self.n1), PATIENCE, "the load to be under way")
        self.assertEqual(program.stop(), TRY_AGAIN)
        self.assertIn("told to stop", program.err)
        self.assertEqual((self.mark(), self.key()), ("loading", {}))
        wait_until(lambda: self.n1.sql("SELECT COUNT(*) FROM information_schema.processlist WHERE "
                                       f"db = '{DATABASE}'") == [["0"]], 60, "the client's session to end")
        self.seed(self.n1, path, said=f"dropping {DATABASE}")
        self.check_loaded()

    def test_client_dies(self) -> None:
        path = self.dump.write(self.files / "dump.sql")
        program = self.launch(self.n1, path)
        program.until(lambda: self.has_table("t010", self.n1), PATIENCE, "the load to be under way")
        for pid in children(program.pid):
            os.kill(pid, signal.SIGKILL)
        self.assertEqual(program.wait(PATIENCE), TRY_AGAIN, program.err)
        self.assertIn("mariadb was ended by signal 9", program.err)
        self.seed(self.n1, path)
        self.check_loaded()

    def test_etcd_away_in_between(self) -> None:
        """A load that is under way needs no etcd; etcd hears of its end later."""
        path = self.dump.write(self.files / "dump.sql")
        program = self.launch(self.n1, path)
        program.until(lambda: self.has_table("t005", self.n1), PATIENCE, "the load to be under way")
        self.etcd.members[0].freeze()
        try:
            self.assertEqual(program.wait(PATIENCE), LOADED, program.err)
            self.seed(self.n1, path, said="the mark in the database is what counts")
        finally:
            self.etcd.members[0].thaw()
        self.assertEqual(self.mark(), "done")
        self.seed(self.n2, path)
        self.check_loaded()


class TakenOver(SeedCase):
    NODES = 3

    def test_frozen_loader(self) -> None:
        """One that is frozen in the middle, and its client, do no harm when they wake up after another took over."""
        path = self.dump.write(self.files / "dump.sql")
        frozen = self.launch(self.n1, path, ttl="600s")  # longer than n2 may take to look at it
        frozen.until(lambda: self.has_table("t010", self.n1), PATIENCE, "the load to be under way")
        client = children(frozen.pid)
        frozen.signal(signal.SIGSTOP)
        for pid in client:
            os.kill(pid, signal.SIGSTOP)
        try:
            self.seed(self.n2, path, code=TRY_AGAIN, said="n1 is loading the database")
            self.post("/v3/lease/revoke", {"ID": str(self.keys(KEY)[KEY].lease)})  # as when it expires
            wait_until(lambda: self.key() == {}, 30, "the claim to go with its lease")
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


class NotOurs(SeedCase):
    """What is refused, and why."""

    def small(self) -> Path:
        return self.write("small.sql", "CREATE TABLE t (a INT PRIMARY KEY) ENGINE=InnoDB;\nINSERT INTO t VALUES (1);\n")

    def test_tables_without_mark(self) -> None:
        for statement in ("CREATE TABLE {}.precious (a INT PRIMARY KEY)", "CREATE VIEW {}.precious AS SELECT 1",
                          "CREATE PROCEDURE {}.precious() SELECT 1"):
            with self.subTest(statement):
                self.n1.sql(f"CREATE DATABASE {DATABASE}; {statement.format(DATABASE)}")
                for database in (DATABASE, None):
                    program = self.seed(self.n1, self.small(), code=NO, database=database, said="never touched")
                    self.assertRegex(program.err, f"tables in {database or 'the server'}")
                self.assertEqual((self.mark(), self.key()), ("NULL", {}))
                self.assertFalse(self.has_table("t", self.n1))
                self.n2.sql(f"SHOW CREATE {statement.split()[1]} {DATABASE}.precious")
                self.forget()

    def test_told_that_it_is_loaded(self) -> None:
        """As the refusal says how."""
        self.n1.sql(f"CREATE DATABASE {DATABASE}; CREATE TABLE {DATABASE}.precious (a INT PRIMARY KEY)")
        said = self.seed(self.n1, self.small(), code=NO).err
        self.n1.sql("UPDATE galera_init.seed SET state = 'done'")
        self.assertIn("UPDATE galera_init.seed SET state = 'done'", said)
        self.seed(self.n1, self.small(), said="the database is loaded, by hand")
        self.assertEqual(self.key()["state"], "done")
        self.assertFalse(self.has_table("t", self.n1))

    def test_only_what_the_mark_names_is_dropped(self) -> None:
        killed = self.launch(self.n1, self.small(), kill_at="seed-loaded")
        self.assertEqual(killed.wait(PATIENCE), -signal.SIGKILL, killed.err)
        self.n1.sql("CREATE DATABASE other; CREATE TABLE other.precious (a INT PRIMARY KEY)")
        self.seed(self.n1, self.small(), code=CONFIG, database="other", said=f"a load into '{DATABASE}' by n1")
        self.seed(self.n1, self.small(), code=CONFIG, database="mysql", said="not the application's")
        self.assertTrue(self.has_table("t", self.n1))
        self.seed(self.n1, self.small(), said=f"dropping {DATABASE}")
        self.assertEqual(self.n2.sql("SELECT COUNT(*) FROM other.precious"), [["0"]])

    def test_database_is_made_again_as_it_was(self) -> None:
        self.n1.sql(f"CREATE DATABASE {DATABASE} CHARACTER SET latin2 COLLATE latin2_bin")
        killed = self.launch(self.n1, self.small(), kill_at="seed-loaded")
        self.assertEqual(killed.wait(PATIENCE), -signal.SIGKILL, killed.err)
        self.seed(self.n1, self.small())
        self.assertEqual(self.n1.sql("SELECT default_collation_name FROM information_schema.schemata WHERE "
                                     f"schema_name = '{DATABASE}'"), [["latin2_bin"]])

    def test_wrong_dumps(self) -> None:
        text = self.dump.text()
        lines = text.split("\n")
        packed = Dump().write(self.files / "whole.sql.gz").read_bytes()
        big = "CREATE TABLE t (a INT PRIMARY KEY AUTO_INCREMENT, b LONGTEXT);\nINSERT INTO t (b) VALUES ('{}');\n"
        cases = {
            "bad.sql": ("\n".join([*lines[:20], "SELEC nonsense;", *lines[20:]]), CONFIG, "1064 .* at line 21: .*SELEC"),
            "cut.sql": (text[:len(text) // 4], CONFIG, "is cut off"),
            "cut.sql.gz": (packed[:len(packed) // 4], CONFIG, "cannot be decompressed"),
            "shell.sql": ("SELECT 1;\n\\! touch escaped\n", CONFIG, "at line 2"),
            "collation.sql": ("CREATE TABLE t (a INT) COLLATE utf8mb4_0900_ai_ci;\n", CONFIG, "from a newer server"),
            "empty.sql": ("", CONFIG, "is empty"),
            "wide.sql": (text.encode("utf-16"), CONFIG, "UTF-16"),
            "other.sql.xz": (b"\xfd7zXZ\0" + bytes(100), CONFIG, "compressed by xz"),
            # The client repeats all of it when it fails: nobody must wait for the other on the way.
            "packet.sql": (big.format("x" * 20_000_000), TRY_AGAIN, "2006 .* at line 2: .*max_allowed_packet"),
            "writeset.sql": (big.format("x" * 2_000_000), TRY_AGAIN, "at line 2: .*wsrep_max_ws_size"),
        }
        self.n1.sql("SET GLOBAL wsrep_max_ws_size = 1000000")
        self.addCleanup(self.n1.sql, "SET GLOBAL wsrep_max_ws_size = 2147483647")
        for name, (content, code, said) in cases.items():
            with self.subTest(name):
                self.seed(self.n1, self.write(name, content), code=code, said=said)
        self.seed(self.n1, self.files / "missing.sql", code=CONFIG, said="No such file")
        os.mkfifo(self.files / "fifo.sql")
        self.seed(self.n1, self.files / "fifo.sql", code=CONFIG, said="fifo.sql cannot be read as a file")
        self.assertEqual(self.mark(), "loading")
        self.assertNotEqual(self.key().get("state"), "done")
        self.seed(self.n1, self.small(), said="beginning anew")
        self.assertEqual((self.mark(), self.key()["state"]), ("done", "done"))

    def test_wrong_users(self) -> None:
        """An account that cannot be made keeps the database from being loaded, and is tried again."""
        self.seed(self.n1, self.small(), users=self.write("users.sql", "GRANT nonsense;"), code=CONFIG,
                  said="users_sql: .*users.sql: ERROR 1064 .* at line 1")
        self.assertEqual((self.mark(), self.key()["state"]), ("NULL", "failed"))
        self.seed(self.n1, self.small(), users=self.write("users.sql", USERS))
        self.assertEqual(self.n2.sql("SELECT COUNT(*) FROM diary.runs"), [["1"]])

    def test_not_replicated(self) -> None:
        path = self.write("old.sql", "CREATE TABLE t (a INT PRIMARY KEY) ENGINE=MyISAM;")
        self.seed(self.n1, path, said=f"not InnoDB .{DATABASE}.t MyISAM.: Galera does not replicate")

    def test_dump_that_chooses(self) -> None:
        """Without seed_database the dump says where; repeated, it drops what it makes."""
        path = self.write("chooses.sql", "CREATE DATABASE IF NOT EXISTS other;\nUSE other;\nDROP TABLE IF EXISTS t;\n"
                          "CREATE TABLE t (a INT PRIMARY KEY);\nINSERT INTO t VALUES (1);\n")
        killed = self.launch(self.n1, path, database=None, kill_at="seed-loaded")
        self.assertEqual(killed.wait(PATIENCE), -signal.SIGKILL, killed.err)
        self.seed(self.n1, path, database=None, said="repeated over what is there")
        self.assertEqual(self.n2.sql("SELECT COUNT(*) FROM other.t"), [["1"]])
        self.assertEqual(self.mark(), "done")


def children(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


if __name__ == "__main__":
    unittest.main()
