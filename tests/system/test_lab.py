"""The lab itself: what the other tests rely on."""
from __future__ import annotations

import os
import re
import shutil
import subprocess
import unittest
from pathlib import Path

from harness import ClusterCase, LabCase, Load, Server, Session, SqlError, http_probe, wait_until

from galeralab import host, process
from galeralab.checker import service_text

LAB = Path(__file__).resolve().parents[1] / "lab" / "lab"


def lab_command(*arguments: str) -> subprocess.CompletedProcess:
    return subprocess.run([LAB, *arguments], capture_output=True, text=True, check=False, timeout=300)


def wait_status(case: unittest.TestCase, pattern: str) -> None:
    """`lab status` waits two seconds for a node's answer, and a busy one may need longer."""
    def shown() -> bool:
        done = lab_command("status")
        case.assertEqual(done.returncode, 0, done.stderr)
        return bool(re.search(pattern, done.stdout))

    wait_until(shown, 60, f"the status to show {pattern}")


class Cluster(ClusterCase):
    def test_checks_answer_through_xinetd_and_haproxy_believes_them(self) -> None:
        for number in self.lab.numbers():
            answer = self.probe(number)
            self.assertEqual((answer.code, answer.ending), (200, "fin"), answer)
        self.lab.node(2).kill()
        self.wait_code(2, 503)
        self.lab.haproxy.wait_server("n2", "DOWN")

    def test_three_nodes_are_synced(self) -> None:
        for node in self.lab.nodes:
            self.assertEqual(node.status()["wsrep_cluster_size"], "3")
        self.lab.node(1).sql("CREATE OR REPLACE TABLE app.t (i INT PRIMARY KEY); INSERT INTO app.t VALUES (7)")
        for node in self.lab.nodes:
            self.assertEqual(node.sql("SET SESSION wsrep_sync_wait=1; SELECT i FROM app.t"), [["7"]])

    def test_status_shows_every_node(self) -> None:
        wait_status(self, r"n2 +running +Synced +Primary +3 ")

    def test_a_second_lab_on_the_network_is_refused(self) -> None:
        second = lab_command("up", "1")
        self.assertEqual(second.returncode, 1)
        self.assertIn("already up", second.stderr)

    def test_killed_node_restarts_by_ist(self) -> None:
        node, peer = self.lab.node(2), self.lab.node(1)
        node.kill()
        self.assertEqual(node.process.state(), "stopped")
        peer.wait_status("cluster_size", "2")
        node.join()
        self.assertIn("IST received", node.log.read_text(errors="replace"))
        peer.wait_status("cluster_size", "3")

    def test_isolated_node_is_non_primary_until_it_rejoins(self) -> None:
        node = self.lab.node(3)
        node.isolate()
        self.assertEqual(node.status()["wsrep_ready"], "OFF")
        with self.assertRaises(SqlError) as caught:
            node.sql("SELECT 1 FROM app.nothing")
        self.assertEqual(caught.exception.code, 1047)
        node.rejoin()
        self.assertTrue(node.usable())

    def test_frozen_node_does_not_answer(self) -> None:
        node = self.lab.node(2)
        node.freeze()
        with self.assertRaises(SqlError):
            node.sql("SELECT 1", timeout=0.5)
        node.thaw()
        wait_until(node.usable, 60, "the thawed node to answer")

    def test_heal_after_all_nodes_were_killed(self) -> None:
        self.lab.node(1).sql("CREATE OR REPLACE TABLE app.kept (i INT PRIMARY KEY)")
        for node in self.lab.nodes:
            node.kill()
        self.lab.heal()
        self.assertEqual(self.lab.node(3).sql("SHOW TABLES FROM app LIKE 'kept'"), [["kept"]])

    def test_load_counts_what_was_acknowledged(self) -> None:
        node = self.lab.node(1)
        node.sql("CREATE OR REPLACE TABLE app.loaded (i INT PRIMARY KEY)")
        with Load(node.app(), lambda number: f"INSERT INTO loaded VALUES ({number}); SELECT @@wsrep_node_name") as load:
            wait_until(lambda: len(load.acknowledged()) > 50, 60, "50 inserts")
        self.assertEqual(load.errors(), [])
        self.assertEqual(set(load.served_by()), {"n1"})
        held = {int(row[0]) for row in node.sql("SELECT i FROM app.loaded")}
        self.assertEqual(held, set(load.acknowledged()))

    def test_session_ends_with_the_server_s_error(self) -> None:
        with Session(self.lab.node(1).app()) as session:
            self.assertEqual(session.query("SELECT 1, 'a'"), [["1", "a"]])
            with self.assertRaises(SqlError) as caught:
                session.query("SELECT nonsense")
        self.assertEqual(caught.exception.code, 1054)

    def test_haproxy_reports_its_servers(self) -> None:
        self.assertEqual(self.lab.haproxy.server("n1")["pxname"], "galera-any")
        self.assertIn("galera-writer", self.lab.haproxy.servers_state())


class Life(LabCase):
    def setUp(self) -> None:
        self.addCleanup(self.lab.down)

    def test_down_leaves_no_process_and_only_logs(self) -> None:
        before = self.in_tmp()
        self.lab.up(1, xinetd=False)
        directory = self.lab.directory
        self.lab.node(1).process.record.unlink()  # as if the lab had crashed before writing it
        self.lab.down()
        self.assertEqual(list(process.marked(str(directory))), [])
        left = [path.name for path in host.lab_base().joinpath(self.lab.net).rglob("*")]
        self.assertFalse([name for name in left if name.endswith((".sock", ".pid", ".process")) or name == "data"])
        self.assertEqual(self.in_tmp() - before, set())
        self.lab.down()  # twice is no error

    def in_tmp(self) -> set[Path]:
        """What looks like a lab's, but for those that live there because their paths are long, on other networks."""
        tmp = Path("/tmp")
        return {*tmp.glob("*lab*"), *tmp.glob(f"galeralab-*/*-{self.lab.net}")} - {tmp / f"galeralab-{os.geteuid()}"}

    def test_plain_server(self) -> None:
        server: Server = self.lab.plain(xinetd=False)
        self.assertEqual(server.variable("wsrep_on"), "OFF")
        self.lab.remove_plain()
        self.assertFalse(server.process.alive())

    def test_etcd_survives_the_loss_of_one_member_of_three(self) -> None:
        etcd = self.lab.etcd_up(3)
        etcd.ctl("put", "key", "value")
        etcd.member(etcd.wait_leader()).kill()
        etcd.wait_leader()
        self.assertEqual(etcd.ctl("get", "key").split(), ["key", "value"])

    def test_etcd_with_tls_and_accounts(self) -> None:
        etcd = self.lab.etcd_up(1, tls=True, client_certs=True)
        etcd.enable_auth("secret", {"suite": ("word", "/galera/")})
        etcd.ctl("put", "/galera/a", "1", user="suite:word")
        with self.assertRaisesRegex(Exception, "permission denied"):
            etcd.ctl("put", "/other", "1", user="suite:word")

    def test_recycled_pid_is_never_signalled(self) -> None:
        other = process.identify(os.getpid())
        self.assertFalse(process.send(process.Identity(other.pid, other.start - 1), 9))

    def test_path_too_long_for_sockets(self) -> None:
        base = host.lab_base() / ("d" * 60) / ("e" * 60)
        os.environ["LAB_DIR"], before = str(base), os.environ.get("LAB_DIR")
        try:
            self.assertTrue(str(host.make_state_dir(self.lab.net)).startswith("/tmp/"))
            self.lab.etcd_up(1)
            self.lab.down()
            self.assertFalse((base / self.lab.net).is_symlink())
            self.assertTrue((base / self.lab.net / "etcd1" / "etcd.out").exists())
        finally:
            shutil.rmtree(base.parent)
            os.environ.pop("LAB_DIR")
            if before is not None:
                os.environ["LAB_DIR"] = before


class Helpers(unittest.TestCase):
    def test_service_file_attributes_are_replaced_or_added(self) -> None:
        text = service_text("service x\n{\n\tuser=nobody\n\tonly_from += 10.0.0.0/8\n\tport = 9200\n}\n",
                            {"user": "me", "only_from": "127.0.0.1", "bind": "127.0.0.9"})
        self.assertEqual(text.split(), "service x { port = 9200 user = me only_from = 127.0.0.1 "
                                       "bind = 127.0.0.9 }".split())

    def test_probe_of_a_closed_port(self) -> None:
        self.assertEqual(http_probe("127.0.0.1", 1).ending, "refused")


if __name__ == "__main__":
    unittest.main()
