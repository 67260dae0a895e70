"""The images of conf/container: built by buildah on Debian from debootstrap, and run as an engine would run them."""
from __future__ import annotations

import json
import shutil
import subprocess
import unittest
from pathlib import Path
from typing import Mapping, Optional

from containercase import ETCD, TARGETS, USER, ContainerCase

from galeralab import LabTimeout, host, wait_until
from logcollector import Collector
from machines import Container

LONG = True
NODES = (1, 2, 3)
CHECK_PASSWORD, APP_PASSWORD = "a-Secret-for-the-check-1", "a-Secret-for-the-app-1"


class RunCase(ContainerCase):
    """Containers without an engine: what it would do, namespaces, mounts, user, is done here."""

    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        cls.roots = {target: cls.images.mount(target) for target in TARGETS}

    def container(self, target: str, name: str, number: int, mounts: Mapping[Path, str] = {}, **env: str) -> Container:
        """A container that is not started yet, at 10.0.0.NUMBER."""
        return Container(name, self.roots[target], self.configurations[target], self.network, f"10.0.0.{number}",
                         {"CLUSTERCHECK_ETCD_ENDPOINTS": ETCD, **env}, mounts)


class Image(RunCase):
    def node(self, name: str = "db9", volume: bool = True, **env: str) -> Container:
        node = self.container("node", name, 19, {self.volume(name): "/var/lib/galera"} if volume else {}, **env)
        self.addCleanup(node.end)
        return node

    def test_nobody_is_root_and_the_check_is_the_health(self) -> None:
        for target in TARGETS:
            with self.subTest(image=target):
                configuration = self.configurations[target]
                self.assertNotIn(configuration["User"], ("", "root", "0"))
                self.assertTrue(configuration["Entrypoint"])
                self.assertTrue(target == "courier" or configuration["Healthcheck"]["Test"])
                print(f"{target}: {self.images.size(target)}", flush=True)

    def test_no_image_has_data_a_password_or_a_compiler(self) -> None:
        for target in TARGETS:
            root = self.roots[target]
            for name in ("var/lib/mysql", "usr/bin/gcc", "source", "etc/galera-accounts"):
                self.assertFalse((root / name).exists(), f"{target}: {name}")
            self.assertNotIn("PASSWORD=", " ".join(self.configurations[target]["Env"]))

    def test_without_a_volume_it_refuses(self) -> None:
        node = self.node(volume=False).run()
        self.assertEqual(node.wait(), 78)
        self.assertIn("/var/lib/galera is not a volume", node.said)

    def test_without_a_volume_it_warns_when_that_is_meant(self) -> None:
        node = self.node(volume=False, GALERA_EPHEMERAL="yes").run()
        wait_until(lambda: "warning: /var/lib/galera is not a volume" in node.said, 20, "a warning")
        wait_until(lambda: "galera-init: " in node.said, 20, "galera-init to start")

    def test_a_name_that_changes_is_refused(self) -> None:
        node = self.node("0123456789ab").run()
        self.assertEqual(node.wait(), 78)
        self.assertIn("no name of its own", node.said)

    def test_a_volume_of_somebody_else_is_named(self) -> None:
        node = self.node("db8")
        shutil.chown(self.volume("db8"), 0, 0)
        node.run()
        self.assertEqual(node.wait(), 78)
        self.assertIn("chown 997:997", node.said)

    def test_a_key_that_does_not_exist_ends_it(self) -> None:
        node = self.node(CLUSTERCHECK_INIT_NODESS="3").run()
        self.assertEqual(node.wait(), 78)
        self.assertIn("CLUSTERCHECK_INIT_NODESS", node.said)

    def test_other_programs_can_be_run(self) -> None:
        node = self.node(volume=False).run(["galera-init", "--version"])
        self.assertEqual(node.wait(), 0)
        self.assertIn("galera-init", node.said)


class Cluster(RunCase):
    """Three nodes and a balancer, from nothing but images, volumes and environment; each test goes on with them."""

    balancer: Optional[Container] = None
    restarts = 0

    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        cls.start_etcd()
        (cls.work / "server.d").mkdir()
        (cls.work / "server.d" / "log.cnf").write_text("[mariadb]\nlog_error = /var/lib/galera/log/error.log\n")
        cls.files = {
            cls.secret("check", CHECK_PASSWORD + "\n"): "/run/secrets/check",
            cls.secret("users.sql", "CREATE DATABASE IF NOT EXISTS app;\n"
                       f"CREATE USER IF NOT EXISTS clustercheck@'%' IDENTIFIED BY '{CHECK_PASSWORD}';\n"
                       f"CREATE USER IF NOT EXISTS app@'%' IDENTIFIED BY '{APP_PASSWORD}';\nGRANT ALL ON app.* TO app@'%';\n"):
                "/run/secrets/users.sql",
            cls.work / "server.d": "/etc/galera/server.d"}
        cls.nodes: dict[int, Container] = {}

    @classmethod
    def tearDownClass(cls) -> None:
        for container in [*cls.nodes.values(), *([cls.balancer] if cls.balancer else [])]:
            container.end()

    def start(self, number: int) -> None:
        """A new container on the volume of that node."""
        if number in self.nodes:
            self.nodes[number].end()
        self.nodes[number] = self.container(
            "node", f"db{number}", 10 + number, {self.volume(f"db{number}"): "/var/lib/galera", **self.files},
            CLUSTERCHECK_MYSQL_PASSWORD_FILE="/run/secrets/check", CLUSTERCHECK_INIT_USERS_SQL="/run/secrets/users.sql",
            CLUSTERCHECK_INIT_CLUSTER="boxes").run()

    def check(self, number: int) -> str:
        """The status code of a check over the network."""
        try:
            return self.network.run(f"curl -s -o /dev/null -w '%{{http_code}}' -m 3 http://10.0.0.1{number}:9200/ || true").strip()
        except subprocess.TimeoutExpired:
            return ""

    def restart_failed(self) -> None:
        """As `--restart on-failure` does it: a transfer may fail, on a machine so busy that nodes lose sight of each other."""
        for number, node in list(self.nodes.items()):
            if node.ended() and node.code not in (0, 64, 77, 78):
                self.assertLess(self.restarts, 3, f"{node.name} ends again and again:\n{node.said[-4000:]}")
                type(self).restarts += 1
                print(f"{node.name} ended with {node.code} and is started again:\n{node.said[-1000:]}", flush=True)
                self.start(number)

    def wait_up(self, *numbers: int, timeout: float = 300) -> None:
        def up() -> bool:
            self.restart_failed()
            return all(self.check(number) == "200" for number in numbers)

        try:
            wait_until(up, timeout, f"nodes {numbers} to be up", 1)
        except LabTimeout as error:
            said = "".join(f"--- {node.name}\n{node.said[-4000:]}\n" for node in self.nodes.values())
            raise LabTimeout(f"{error}\n{said}") from None

    def wait_registered(self, *names: str) -> None:
        wait_until(lambda: self.registered() == set(names), 60, f"the registrations of {names}", 0.5)

    def registered(self) -> set[str]:
        done = self.nodes[1].inside("galera-discover", "--format", "json", "--timeout", "5s")
        return {node["id"] for node in json.loads(done.stdout)["nodes"]} if done.returncode == 0 else set()

    def query(self, statement: str, port: int = 33307) -> str:
        """As the application, through the balancer."""
        return self.network.run(f"MYSQL_PWD={APP_PASSWORD} mariadb --connect-timeout=5 -h 10.0.0.10 -P {port} -u app -N "
                                f"-e '{statement}'").strip()

    def answers(self, port: int = 33307) -> bool:
        try:
            return self.query("SELECT 1", port) == "1"
        except Exception:  # pylint: disable=broad-except
            return False

    def rows(self, number: int) -> str:
        """Seen by that node itself."""
        return self.nodes[number].inside("mariadb", "-N", "-e", "SELECT GROUP_CONCAT(id ORDER BY id) FROM app.t").stdout.strip()

    def test_1_three_nodes_become_a_cluster(self) -> None:
        for number in NODES:
            self.start(number)
        self.wait_up(*NODES)
        self.wait_registered("db1", "db2", "db3")
        self.assertTrue(all(node.healthy() for node in self.nodes.values()))

    def test_2_galera_init_is_pid_1_nobody_is_root_and_no_secret_is_in_an_environment(self) -> None:
        for node in self.nodes.values():
            self.assertEqual(node.inside("cat", "/proc/1/comm").stdout.strip(), "galera-init")
            self.assertEqual(set(node.inside("sh", "-c", "stat -c %U /proc/[0-9]*").stdout.split()), {"mysql"})
            said = node.inside("sh", "-c", "cat /proc/[0-9]*/environ /proc/[0-9]*/cmdline").stdout
            self.assertIn("/run/secrets/check", said)
            for secret in (CHECK_PASSWORD, APP_PASSWORD):
                self.assertNotIn(secret, said)
                self.assertNotIn(secret, node.said)

    def test_3_a_client_reaches_them_through_the_balancer(self) -> None:
        balancer = type(self).balancer = self.container("balancer", "lb1", 10).run()
        wait_until(balancer.healthy, 120, "the balancer to be healthy", 1)
        self.assertEqual(balancer.inside("cat", "/proc/1/comm").stdout.strip(), "haproxy")
        wait_until(self.answers, 60, "the balancer to serve", 1)
        self.query("CREATE TABLE app.t (id INT PRIMARY KEY); INSERT INTO app.t VALUES (1)")
        wait_until(lambda: self.answers(33306), 60, "the balancer to serve on any node", 1)
        served = {self.query("SELECT @@wsrep_node_name", 33306) for _ in range(9)}
        self.assertEqual(served, {"db1", "db2", "db3"})
        self.assertEqual(len({self.query("SELECT @@wsrep_node_name") for _ in range(6)}), 1)

    def test_4_killed_and_replaced_by_a_new_container_on_its_volume(self) -> None:
        writer = int(self.query("SELECT @@wsrep_node_name")[2:])
        self.nodes[writer].end()  # kill -9 of all that was in it, and nothing outside of the volume is left
        wait_until(self.answers, 60, "the others to serve", 1)
        self.query("INSERT INTO app.t VALUES (2)")
        self.start(writer)
        self.wait_up(writer)
        self.wait_registered("db1", "db2", "db3")
        self.assertEqual(self.rows(writer), "1,2")

    def test_5_what_the_server_says_reaches_the_collector(self) -> None:
        events: list[dict] = []
        collector = self.network.within(lambda: Collector("10.0.0.254", 5000, events))
        self.addCleanup(collector.crash)
        for field, value in collector.entry.items():
            self.etcdctl(f"put /services/logcollector/logs/{field} {value}")
        volumes = {self.volume("db1"): "/var/lib/galera", self.volume("log1"): "/var/lib/galera-log"}
        courier = self.container("courier", "log1", 21, volumes,
                                 GALERA_LOG_ERROR_LOG="/var/lib/galera/log/error.log{,.1}", GALERA_LOG_HOST="db1",
                                 GALERA_LOG_CLUSTER="boxes")
        self.addCleanup(courier.end)
        courier.run()
        written = (self.volume("db1") / "log" / "error.log").read_text().count("[Note]")
        wait_until(lambda: len(events) >= written > 0, 90, f"{written} events; it said:\n{courier.said[-2000:]}", 0.5)
        self.assertEqual({(event["host"], event["cluster"], event["type"]) for event in events}, {("db1", "boxes", "mariadb-error")})
        self.assertEqual(courier.inside("id", "-u").stdout.strip(), str(USER))
        self.assertEqual(courier.stop(), 0, courier.said)

    def test_6_a_stop_is_clean(self) -> None:
        self.assertEqual(self.nodes[3].stop(), 0, self.nodes[3].said[-3000:])
        self.wait_registered("db1", "db2")
        wait_until(self.answers, 30, "the others to serve", 1)
        self.assertRegex((self.volume("db3") / "mysql" / "grastate.dat").read_text(), r"seqno:\s+\d+")

    def test_7_everything_is_switched_off_and_comes_back(self) -> None:
        for container in [*self.nodes.values(), self.balancer]:
            container.end()
        for number in NODES:
            self.start(number)
        type(self).balancer = self.container("balancer", "lb1", 10).run()
        self.wait_up(*NODES)
        wait_until(self.answers, 120, "the balancer to serve again", 1)
        self.assertEqual(self.query("SELECT GROUP_CONCAT(id ORDER BY id) FROM app.t"), "1,2")

    def test_8_a_balancer_that_is_stopped_lets_its_sessions_end(self) -> None:
        log = self.work / "session.log"
        session = self.network.spawn(["env", f"MYSQL_PWD={APP_PASSWORD}", host.tool("mariadb"), "-h", "10.0.0.10", "-P", "33307",
                                      "-u", "app", "-N", "-e", "SELECT SLEEP(8)"], log)
        self.addCleanup(session.wait)
        self.addCleanup(session.kill)
        running = "SELECT COUNT(*) FROM information_schema.processlist WHERE user = 'app' AND info LIKE 'SELECT SLEEP%'"
        wait_until(lambda: any(node.inside("mariadb", "-N", "-e", running).stdout.strip() == "1" for node in self.nodes.values()), 8,
                   "the session to be under way")
        self.assertEqual(self.balancer.stop(), 0)
        self.assertEqual((session.wait(10), log.read_text().strip()), (0, "0"))


if __name__ == "__main__":
    unittest.main()
