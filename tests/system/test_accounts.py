"""galera-accounts: passwords that nobody knows beforehand, files that only their readers can read, rights that suffice and no
more."""
from __future__ import annotations

import os
import re
import shutil
import stat
import subprocess
import tempfile
import unittest
from pathlib import Path

from harness import LabCase

from galeralab import host
from galeralab.mariadb import Server, SqlError

SCRIPT = host.CHECKOUT / "conf" / "accounts" / "galera-accounts"
OWN_GROUPS = "clustercheck:x:4201:\nmysql:x:4202:\n"  # in a file in place of /etc/group: the machine's may lack them


class Directory(unittest.TestCase):
    """A directory of its own for each test."""

    def setUp(self) -> None:
        self.base = Path(tempfile.mkdtemp(prefix="accounts-"))
        self.base.chmod(0o755)
        self.addCleanup(shutil.rmtree, self.base)
        self.directory = self.base / "accounts"
        self.groups = self.base / "group"
        self.groups.write_text("root:x:0:\n" + OWN_GROUPS)

    def run_script(self, *arguments: str, code: int = 0) -> str:
        """Run it on the directory, with groups of our own where that can be done; what it says."""
        argv = [str(SCRIPT), "--directory", str(self.directory), *arguments]
        if host.is_root():
            argv = ["unshare", "--mount", "sh", "-ec", 'mount --bind "$0" /etc/group; exec "$@"', str(self.groups), *argv]
        done = subprocess.run(argv, capture_output=True, text=True, timeout=30, check=False, stdin=subprocess.DEVNULL)
        self.assertEqual(done.returncode, code, done.stdout + done.stderr)
        return done.stdout + done.stderr

    def content(self, name: str) -> str:
        return (self.directory / name).read_text()

    def password(self, account: str) -> str:
        return self.content(f"{account}.password").strip()

    def snapshot(self) -> dict[str, tuple]:
        """Every file with all that a second run could change."""
        return {path.name: (path.read_bytes(), stat.S_IMODE(path.stat().st_mode), path.stat().st_gid, path.stat().st_ino)
                for path in self.directory.iterdir()}


class Files(Directory):
    def test_passwords_are_random_and_long(self) -> None:
        seen = set()
        for _ in range(3):
            self.run_script("--transfer")
            seen |= {self.password(account) for account in ("check", "transfer", "app")}
            shutil.rmtree(self.directory)
        self.assertEqual(len(seen), 9)
        for password in seen:
            self.assertRegex(password, r"\A(?=.*[A-Z])(?=.*[a-z])(?=.*[0-9])[A-Za-z0-9_-]{32}\Z")

    def test_only_the_reader_of_a_file_can_read_it(self) -> None:
        if not host.is_root():
            self.run_script("--transfer")
            self.assertEqual({mode for _, mode, _, _ in self.snapshot().values()}, {0o600})
            return
        self.run_script("--transfer")
        modes = {name: (f"{mode:o}", group) for name, (_, mode, group, _) in self.snapshot().items()}
        self.assertEqual(modes, {
            "check.password": ("640", 4201), "transfer.password": ("600", 0), "app.password": ("600", 0),
            "users.sql": ("640", 4202), "transfer.cnf": ("640", 4202), "choices": ("600", 0)})
        self.assertEqual(stat.S_IMODE(self.directory.stat().st_mode), 0o711)

    def test_a_second_run_changes_nothing_and_remembers(self) -> None:
        self.run_script("--transfer", "--database", "shop", "-a", "shopkeeper", "--app-host", "10.0.0.%")
        before = self.snapshot()
        self.run_script()
        self.assertEqual(self.snapshot(), before)
        self.assertIn("'shopkeeper'@'10.0.0.%'", self.content("users.sql"))

    def test_owners_and_modes_are_mended(self) -> None:
        self.run_script()
        before = self.snapshot()
        for path in self.directory.iterdir():
            path.chmod(0o666)
        self.run_script("--quiet")
        self.assertEqual(self.snapshot(), before)

    def test_a_copy_on_another_node_is_the_same(self) -> None:
        self.run_script("--transfer", "--app-schema")
        before = {name: content for name, (content, *_) in self.snapshot().items()}
        shutil.copytree(self.directory, self.base / "other")
        shutil.rmtree(self.directory)
        (self.base / "other").rename(self.directory)
        self.run_script()
        self.assertEqual({name: content for name, (content, *_) in self.snapshot().items()}, before)

    def test_a_password_of_the_admin_is_taken(self) -> None:
        self.directory.mkdir()
        (self.directory / "app.password").write_text("correct.horse:battery=staple\n")
        self.run_script()
        self.assertIn("IDENTIFIED BY 'correct.horse:battery=staple'", self.content("users.sql"))

    def test_bad_passwords_are_refused(self) -> None:
        self.directory.mkdir()
        for bad in ("clustercheckpassword!", "", "short", "it's a long one indeed", "back\\slash-and-more", "x" * 129):
            (self.directory / "check.password").write_text(bad + "\n")
            said = self.run_script(code=78)
            self.assertIn("will not do", said)
            self.assertNotIn("it's", said)
            self.assertFalse((self.directory / "users.sql").exists())

    def test_renewing_changes_one_password(self) -> None:
        self.run_script("--transfer")
        old = {account: self.password(account) for account in ("check", "transfer", "app")}
        said = self.run_script("--renew", "app")
        self.assertIn("users.sql", said)
        self.assertNotEqual(self.password("app"), old["app"])
        self.assertEqual([self.password(name) for name in ("check", "transfer")], [old["check"], old["transfer"]])
        self.assertIn(self.password("app"), self.content("users.sql"))
        self.assertNotIn(old["app"], self.content("users.sql"))

    def test_no_password_is_printed(self) -> None:
        said = self.run_script("--transfer") + self.run_script("--renew", "check")
        for account in ("check", "transfer", "app"):
            self.assertNotIn(self.password(account), said)

    def test_names_that_could_leave_their_quotes_are_refused(self) -> None:
        for option, value in (("--app-user", "a'b"), ("--check-user", "x y"), ("--app-host", "%'; DROP"), ("--check-host", ""),
                              ("--database", "a`b"), ("--database", ""), ("--app-user", "two\nlines")):
            self.run_script(option, value, code=78)
        self.assertFalse(self.directory.exists())

    def test_wrong_usage(self) -> None:
        for arguments in (("--nonsense",), ("--database",), ("--renew", "root"), ("word",)):
            self.run_script(*arguments, code=64)

    def test_no_application_account(self) -> None:
        self.run_script("--app-user", "none")
        self.assertFalse((self.directory / "app.password").exists())
        self.assertNotIn("'none'", self.content("users.sql"))

    @unittest.skipUnless(host.is_root(), "only root gives files away")
    def test_a_group_that_does_not_exist_is_named_before_anything_is_written(self) -> None:
        self.groups.write_text("root:x:0:\n")
        self.assertIn("no group clustercheck", self.run_script(code=78))
        self.assertFalse(self.directory.exists())

    def test_nothing_of_a_draft_is_left(self) -> None:
        self.run_script("--transfer")
        self.assertEqual([name for name in os.listdir(self.directory) if name.startswith(".")], [])


class Rights(LabCase, Directory):
    """What the accounts may and may not do, on a server."""

    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        cls.server: Server = cls.lab.plain(xinetd=False)
        cls.server.sql("CREATE DATABASE my_app; CREATE DATABASE my1app; CREATE TABLE my_app.t (a INT);"
                       "CREATE DATABASE galera_init; CREATE TABLE galera_init.view (node INT)")

    def setUp(self) -> None:
        super().setUp()
        self.server.sql("DROP USER IF EXISTS clustercheck@'%', transfer@localhost, app@'%'")

    def create(self, *arguments: str) -> None:
        self.run_script("--database", "my_app", *arguments)
        for _ in range(2):  # the statements can be repeated
            self.server.sql(self.content("users.sql"))

    def as_account(self, account: str, statement: str) -> str:
        """Run a statement as the account, through the socket."""
        user = {"check": "clustercheck"}.get(account, account)
        defaults = self.base / "client.cnf"
        defaults.write_text(f"[client]\nuser={user}\npassword={self.password(account)}\nsocket={self.server.socket}\n")
        done = subprocess.run([host.tool("mariadb"), f"--defaults-file={defaults}", "-Nr", "-e", statement],
                              capture_output=True, text=True, timeout=30, check=False, stdin=subprocess.DEVNULL)
        if done.returncode:
            raise SqlError(done.stderr)
        return done.stdout

    def refuse(self, account: str, statement: str) -> None:
        with self.assertRaisesRegex(SqlError, "denied|command denied"):
            self.as_account(account, statement)

    def grants(self, account: str) -> list[str]:
        return re.findall(r"(?m)^GRANT (.*?) TO", self.as_account(account, "SHOW GRANTS"))

    def test_check(self) -> None:
        self.create()
        self.assertEqual(self.grants("check"), ["USAGE ON *.*", "SELECT ON `galera\\_init`.*"])
        self.assertIn("wsrep", self.as_account("check", "SHOW GLOBAL STATUS LIKE 'wsrep%'"))
        self.as_account("check", "SELECT * FROM galera_init.view")
        self.refuse("check", "SELECT * FROM my_app.t")
        self.refuse("check", "INSERT INTO galera_init.view VALUES (1)")

    def test_application(self) -> None:
        self.create()
        self.as_account("app", "INSERT INTO my_app.t VALUES (1); UPDATE my_app.t SET a = 2; DELETE FROM my_app.t")
        for statement in ("CREATE TABLE my_app.u (a INT)", "DROP TABLE my_app.t", "CREATE TABLE my1app.t (a INT)",
                          "SELECT * FROM mysql.global_priv", "SET GLOBAL read_only = 1", "SELECT * FROM galera_init.view"):
            self.refuse("app", statement)

    def test_application_with_its_schema(self) -> None:
        self.create("--app-schema")
        self.as_account("app", "CREATE TABLE my_app.v (a INT); ALTER TABLE my_app.v ADD b INT; DROP TABLE my_app.v")
        self.refuse("app", "CREATE TABLE my1app.t (a INT)")
        self.refuse("app", "CREATE USER x")

    def test_transfer_can_back_up(self) -> None:
        self.create("--transfer")
        defaults, target = self.base / "backup.cnf", self.base / "backup"
        defaults.write_text(f"[mariabackup]\nuser=transfer\npassword={self.password('transfer')}\n"
                            f"socket={self.server.socket}\ndatadir={self.server.data}\n")
        done = subprocess.run([host.tool("mariabackup"), f"--defaults-file={defaults}", "--backup", "--galera-info",
                               f"--target-dir={target}"], capture_output=True, text=True, timeout=120, check=False,
                              stdin=subprocess.DEVNULL)
        self.assertEqual(done.returncode, 0, done.stderr[-2000:])
        self.refuse("transfer", "SELECT * FROM my_app.t")
        self.refuse("transfer", "SELECT * FROM mysql.global_priv")

    def test_a_renewed_password_comes_into_force_with_the_statements(self) -> None:
        self.create()
        self.run_script("--renew", "app")
        self.refuse("app", "SELECT 1")
        self.server.sql(self.content("users.sql"))
        self.as_account("app", "SELECT 1")
