"""The first boot: empty hosts become one cluster, once there are enough of them, whoever dies on the way."""
from __future__ import annotations

import os
import re
import shutil
import subprocess
import unittest
from pathlib import Path

from initcase import REFUSED, BlankCase, InitOptions, LabError, Managed, host, wait_until

from galeralab.client import Account, run_sql
from galeralab.mariadb import CHECK_PASSWORD


class ThreeNodes(BlankCase):
    def test_all_empty_nodes_become_one_cluster_when_the_last_has_registered(self) -> None:
        first, second, third = self.nodes
        shutil.rmtree(second.data)  # a directory that is not there is as empty as one that is
        third.launch()
        second.launch()
        too_few = r"2 of 3 nodes have registered \(missing one more\); not bootstrapping yet"
        second.wait_said(too_few)
        third.wait_said(too_few)
        self.assert_nobody_has_a_server()
        self.wait_verdict(second, "wait", "too-few")

        first.launch()
        self.wait_whole()
        self.assert_one_cluster()
        self.assertEqual(self.keys.bootstrap()["node"], "n1")
        self.assert_one_bootstrapped("n1")
        self.assert_accounts()
        self.assert_no_local_writes(second, third)
        self.assert_keys()
        self.assert_no_option_is_left_behind()

    def assert_nobody_has_a_server(self) -> None:
        self.assertEqual([node.server_argv() for node in self.nodes], [[], [], []])
        self.assertEqual(self.keys.bootstrap(), {})

    def assert_one_bootstrapped(self, name: str) -> None:
        for node in self.nodes:
            argv = node.server_argv()
            self.assertEqual("--wsrep-new-cluster" in argv, node.name == name, argv)
            self.assertIn(f"--wsrep-node-name={node.name}", argv)
            self.assertTrue(any(re.fullmatch(r"--wsrep-cluster-address=gcomm://\S+", word) for word in argv), argv)

    def assert_accounts(self) -> None:
        for node in self.nodes:
            check = Account("clustercheck", CHECK_PASSWORD, host=node.address)
            self.wait_for(lambda: run_sql(check, "SELECT COUNT(*) FROM galera_init.view") == [["3"]], 60,
                          f"all views to be noted on {node.name}")  # by each galera-init when it sees that it is Primary
            self.assertEqual(run_sql(node.app(), "SELECT 1"), [["1"]])

    def assert_no_local_writes(self, *joiners: Managed) -> None:
        """Accounts come with the transfer: a joiner that makes them itself has transactions that nobody else has."""
        for node in joiners:
            self.assertNotIn("CREATE", node.words().upper().split("USERS_SQL")[0] if "USERS_SQL" in node.words() else "")
            self.assertEqual(node.wsrep("cluster_state_uuid"), node.wsrep("local_state_uuid"))

    def assert_keys(self) -> None:
        for node in self.nodes:
            self.wait_for(lambda: self.keys.member(node.name).get("phase") == "synced", 60, f"{node.name} to be synced in etcd")
        keys = self.keys.all()
        self.assertEqual(sorted(name for name in keys if not name.startswith("seed")),
                         ["bootstrap", *(f"member/n{i}" for i in (1, 2, 3)), *(f"position/n{i}" for i in (1, 2, 3)),
                          "uuid"])
        for name, key in keys.items():
            self.assertEqual(key.lease != 0, name.startswith("member/"), name)
        for node in self.nodes:
            self.assertEqual(self.keys.position(node.name)["state"], "running")
            self.assertTrue(keys[f"member/{node.name}"].value["address"].startswith(node.address))

    def assert_no_option_is_left_behind(self) -> None:
        """--wsrep-new-cluster in a file would bootstrap again at the next start."""
        for node in self.nodes:
            for path in [path for path in node.home.rglob("*") if path.suffix in (".cnf", ".json", ".ini")]:
                self.assertNotIn("new-cluster", path.read_text(errors="replace").replace("_", "-"), path)


class Refusals(BlankCase):
    """What is not right on the host is told, and nothing is started."""

    NODES = 1
    OPTIONS = InitOptions(nodes=1)

    def assert_ends(self, code: int, pattern: str) -> None:
        node = self.node(1)
        node.launch()
        self.assertEqual(node.wait_exit(), code, node.words(20))
        self.assertRegex(node.words(), pattern)
        self.assertEqual(node.server_argv(), [])

    def test_a_state_directory_that_cannot_be_written(self) -> None:
        node = self.node(1)
        node.state.rmdir()
        node.state.write_text("a file, where a directory should be\n")
        self.addCleanup(node.state.unlink)
        node.launch()
        code = node.wait_exit()
        self.assertIn(code, (78, 77), node.words(20))
        self.assertRegex(node.words(), re.escape(str(node.state)))
        self.assertEqual(self.keys.all().keys() & {"bootstrap", "uuid", "position/n1"}, set())

    def test_a_full_disk_under_the_state_directory(self) -> None:
        """Nothing may be promised in etcd that could not be noted on the own disk."""
        node = self.node(1)
        if not host.is_root():
            self.fail("needs root, for a file system of its own")
        subprocess.run([host.tool("mount"), "-t", "tmpfs", "-o", "size=64k", "none", str(node.state)], check=True)
        self.addCleanup(subprocess.run, [host.tool("umount"), "-l", str(node.state)], check=True)
        filler = node.state / "filler"
        try:
            filler.write_bytes(b"x" * 10_000_000)
        except OSError:
            pass
        node.launch()
        wait_until(lambda: not node.process.alive() or node.said(r"No space left on device"), 60, "it to notice")
        node.wait_said(r"No space left on device")
        self.assertEqual(self.keys.all().keys() & {"bootstrap", "uuid", "position/n1"}, set())
        self.assertEqual(node.server_argv(), [])
        filler.unlink()
        if not node.process.alive():
            node.launch()
        node.wait_ready()
        node.stop()

    def test_a_server_without_galera(self) -> None:
        node = self.node(1)
        node.cnf.write_text(node.cnf.read_text().replace("wsrep_on = ON", "wsrep_on = OFF"))
        self.assert_ends(78, r"without Galera")

    def test_dumps_that_cannot_be_read(self) -> None:
        """The configuration is checked before there is a cluster to load them into."""
        node = self.node(1)
        done = node.command("-n")
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        gone = str(node.home / "gone.sql")
        node.configure(InitOptions(nodes=1, init={"seed": gone}))
        node.users.write_bytes(b"PK\x03\x04")
        done = node.command("-n")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn(f"galera-init: warning: seed: cannot open {gone}: No such file or directory", done.stderr)
        self.assertIn(f"galera-init: warning: users_sql: {node.users} is a zip archive", done.stderr)
        self.assertIn(f"seed = {gone}", done.stdout)

    def test_a_server_that_does_not_exist(self) -> None:
        node = self.node(1)
        argv = node.argv()
        argv[argv.index("--") + 1] = "/nonexistent/mariadbd"
        node.process.start(argv, node.env())
        self.assertIn(node.wait_exit(), (69, 78, 127), node.words(20))
        self.assertRegex(node.words(), r"/nonexistent/mariadbd")

    def test_sigterm_while_waiting_ends_at_once_and_cleanly(self) -> None:
        node = self.node(1)
        node.configure(InitOptions(nodes=3))
        node.launch()
        node.wait_said(r"1 of 3 nodes have registered \(missing two more\)")
        node.stop(60)
        self.assertEqual(self.keys.position("n1")["state"], "attested")
        wait_until(lambda: not self.keys.member("n1"), 60, "the lease to be given back")

    def test_sigterm_while_the_accounts_are_made(self) -> None:
        """users_sql may take long; the first server is not announced before it is through, and can be stopped."""
        node = self.node(1)
        statements = node.users.read_text()
        node.users.write_text("SELECT SLEEP(300);\n")
        node.launch()
        sleeping = "SELECT COUNT(*) FROM information_schema.PROCESSLIST WHERE INFO LIKE 'SELECT SLEEP%'"
        wait_until(lambda: node.answers() and node.sql(sleeping) == [["1"]], 120, "users_sql to run")
        self.assertEqual(self.keys.bootstrap()["phase"], "starting")
        node.stop(120)
        self.assertEqual(self.keys.bootstrap()["phase"], "starting")
        node.users.write_text(statements)
        node.launch()
        node.wait_settled()
        self.assertEqual(self.keys.bootstrap()["phase"], "primary")
        self.assertEqual(run_sql(node.app(), "SELECT 1"), [["1"]])

    def test_a_second_galera_init_with_the_name_of_a_living_one(self) -> None:
        """On another host, as far as that one knows: everything but the name is its own."""
        node = self.node(1)
        node.start()
        uuid, server = self.assert_one_cluster(), node.server()
        twin = Managed(self.lab.directory / "twin", self.lab.address(9), node.cluster, node.endpoints)
        twin.configure(InitOptions(nodes=1, init={"node": "n1"}))
        self.addCleanup(twin.kill)
        twin.launch()
        twin.wait_said(r"another galera-init holds the lease of node name n1")
        self.assertEqual(twin.server_argv(), [])
        self.assertEqual(node.server(), server)
        node.wait_ready()
        node.kill()  # now the name is free, but position/n1 is that of a node with data
        twin.wait_said(r"n1|restore a backup|seqno")
        self.assertEqual(twin.server_argv(), [])
        twin.kill()
        node.start()
        self.assert_one_cluster(uuid)

    def test_a_second_galera_init_on_the_same_host(self) -> None:
        node = self.node(1)
        node.start()
        uuid, server = self.assert_one_cluster(), node.server()
        second = subprocess.run(node.argv(), env={**host.clean_env(), **node.env()}, cwd=node.home, text=True,
                                capture_output=True, check=False, timeout=120)
        self.assertNotIn(second.returncode, (0, -9), second.stderr)
        self.assertEqual(node.server(), server, "the first one's server was hurt by the second")
        node.wait_ready()
        self.assert_one_cluster(uuid)


class PlainData(BlankCase):
    """A database that was never part of a cluster is nobody's to erase."""

    NODES = 2
    OPTIONS = InitOptions(nodes=2)

    def make_plain(self, node: Managed) -> None:
        """A server without wsrep has run here, and people kept things in it."""
        node.install("--wsrep-on=OFF")
        node.process.start([host.tool("mariadbd"), f"--defaults-file={node.cnf}", f"--user={host.server_user()}",
                            "--wsrep-on=OFF", "--wsrep-provider=none"], node.env())
        node.process.wait_ready(node.answers, 60, node.log)
        node.sql("CREATE DATABASE shop; CREATE TABLE shop.orders (id INT PRIMARY KEY) ENGINE=InnoDB;"
                 "INSERT INTO shop.orders VALUES (41), (42)")
        node.process.stop(60)

    def confirm(self, node: Managed, typed: str, code: int, said: str) -> None:
        """As a person at a terminal, who is told what the nodes have before anything is given up."""
        prompt = "Type the cluster's name to confirm: "
        found, seen = node.command_on_terminal("bootstrap", "--force", typed={prompt: typed})
        self.assertEqual(found, code, seen)
        before, _, after = seen.partition(prompt)
        self.assertRegex(before, r"will go on from the copy of n2:\r\n  n2: attested, copy plain\b")
        self.assertRegex(before, r"given up. What they have recorded:\r\n  n1: attested, copy empty\r\n")
        self.assertIn(f"\r\n{'' if code == 0 else 'galera-init: err: '}{said}", after)

    def test_it_is_not_erased_and_an_operator_may_make_it_the_clusters(self) -> None:
        first, second = self.nodes
        self.make_plain(second)
        first.launch()
        second.launch()
        for node in self.nodes:
            node.wait_said(r"(n2 has|this node has) a database that was never part of a cluster: joining would erase it, "
                           r"set foreign_data=discard to allow; or `galera-init bootstrap --force`")
        self.assertEqual([node.server_argv() for node in self.nodes], [[], []])
        refused = second.command("bootstrap", "--force", stdin="another-name\n")
        self.assertNotEqual(refused.returncode, 0)
        self.assertEqual(self.keys.bootstrap(), {}, refused.stderr)
        self.wait_waiting(second)
        self.confirm(second, "another-name\n", 1, "'another-name' is not the cluster's name")
        self.confirm(second, "\x04", 1, "nothing was typed: nothing was done")
        self.assertEqual(self.keys.bootstrap(), {})
        self.confirm(second, f"{second.cluster}\n", 0, "n2 has the claim")
        self.wait_whole()
        self.assert_one_cluster()
        self.assertEqual(self.keys.bootstrap()["node"], "n2")
        for node in self.nodes:
            self.assertEqual(node.sql("SELECT id FROM shop.orders"), [["41"], ["42"]])


if __name__ == "__main__":
    unittest.main()
