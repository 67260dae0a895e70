"""The images of conf/container: built by buildah on Debian from debootstrap, and run as an engine would run them."""
from __future__ import annotations

import json
import shutil
import subprocess
import tempfile
import unittest
from pathlib import Path

from bases import Base

from galeralab import host, wait_until
from galeralab.wait import LabTimeout
from machines import Container, Images, Network

LONG = True
DEBIAN = Base("debian")
ETCD = "http://10.0.0.254:2379"
TARGETS = ("node", "balancer", "courier")
NODES = (1, 2, 3)


class Case(unittest.TestCase):
    """Both images, and a network with an etcd in it."""

    @classmethod
    def setUpClass(cls) -> None:
        cls.work = Path(tempfile.mkdtemp(prefix="container-"))
        cls.work.chmod(0o755)
        cls.addClassCleanup(shutil.rmtree, cls.work)
        cls.images = Images()
        cls.addClassCleanup(cls.images.end)
        base = cls.images.import_root(DEBIAN.make())
        cls.copy_sources(cls.work / "source")
        for target in TARGETS:
            cls.images.build(cls.work / "source", target, base)
        cls.configurations = {target: cls.images.configuration(target) for target in TARGETS}
        cls.roots = {target: cls.images.mount(target) for target in TARGETS}
        cls.network = Network()
        cls.addClassCleanup(cls.network.end)

    @staticmethod
    def copy_sources(target: Path) -> None:
        """What git knows, and what is new and not ignored."""
        names = subprocess.run(["git", "-C", str(host.CHECKOUT), "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
                               capture_output=True, check=True).stdout.decode().split("\0")
        for name in filter(None, names):
            if (host.CHECKOUT / name).exists():
                (target / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(host.CHECKOUT / name, target / name)

    def container(self, target: str, name: str, address: str, volumes: bool = True, **env: str) -> Container:
        """A container that is not started yet."""
        mounts: dict[Path, str] = {}
        if volumes and target == "node":
            volume = self.work / f"volume-{name}"
            volume.mkdir(exist_ok=True)
            shutil.chown(volume, 997, 997)
            mounts[volume] = "/var/lib/galera"
        for file, place in self.files().items():
            mounts[file] = place
        made = Container(name, self.roots[target], self.configurations[target], self.network, address,
                         {"CLUSTERCHECK_ETCD_ENDPOINTS": ETCD, **env}, mounts)
        self.addCleanup(made.end)
        return made

    def files(self) -> dict[Path, str]:
        return {}


class Image(Case):
    def test_nobody_is_root_and_the_check_is_the_health(self) -> None:
        for target in TARGETS:
            configuration = self.configurations[target]
            self.assertNotIn(configuration["User"], ("", "root", "0"), target)
            self.assertTrue(configuration["Healthcheck"]["Test"], target)
            self.assertTrue(configuration["Entrypoint"], target)

    def test_no_image_has_data_a_password_or_a_compiler(self) -> None:
        for target in TARGETS:
            root = self.roots[target]
            for name in ("var/lib/mysql", "usr/bin/gcc", "source", "etc/galera-accounts"):
                self.assertFalse((root / name).exists(), f"{target}: {name}")
            self.assertNotIn("PASSWORD=", " ".join(self.configurations[target]["Env"]))

    def test_without_a_volume_it_refuses(self) -> None:
        node = self.container("node", "db9", "10.0.0.19", volumes=False).run()
        self.assertEqual(node.wait(), 78)
        self.assertIn("/var/lib/galera is not a volume", node.said)

    def test_without_a_volume_it_warns_when_that_is_meant(self) -> None:
        node = self.container("node", "db9", "10.0.0.19", volumes=False, GALERA_EPHEMERAL="yes").run()
        wait_until(lambda: "warning: /var/lib/galera is not a volume" in node.said, 20, "a warning")
        wait_until(lambda: "galera-init: " in node.said, 20, "galera-init to start")

    def test_a_name_that_changes_is_refused(self) -> None:
        node = self.container("node", "0123456789ab", "10.0.0.19").run()
        self.assertEqual(node.wait(), 78)
        self.assertIn("no name of its own", node.said)

    def test_a_volume_of_somebody_else_is_named(self) -> None:
        node = self.container("node", "db8", "10.0.0.18")
        shutil.chown(self.work / "volume-db8", 0, 0)
        node.run()
        self.assertEqual(node.wait(), 78)
        self.assertIn("chown 997:997", node.said)

    def test_other_programs_can_be_run(self) -> None:
        node = self.container("node", "db9", "10.0.0.19", volumes=False).run(["galera-init", "--version"])
        self.assertEqual(node.wait(), 0)
        self.assertIn("galera-init", node.said)


class Cluster(Case):
    """Three nodes and a balancer, from nothing but images, volumes and environment; each test goes on with them."""

    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        cls.etcd = cls.network.spawn([host.tool("etcd"), "--data-dir", str(cls.work / "etcd"), "--listen-client-urls", ETCD,
                                      "--advertise-client-urls", ETCD], cls.work / "etcd.log")
        cls.addClassCleanup(cls.etcd.wait)
        cls.addClassCleanup(cls.etcd.kill)
        (cls.work / "password").write_text("a-Secret-for-the-check-1\n")
        (cls.work / "users.sql").write_text(
            "CREATE DATABASE IF NOT EXISTS app;\nCREATE USER IF NOT EXISTS app@'%' IDENTIFIED BY 'a-Secret-for-the-app-1';\n"
            "GRANT ALL ON app.* TO app@'%';\n")
        for name in ("password", "users.sql"):
            shutil.chown(cls.work / name, 997, 997)
            (cls.work / name).chmod(0o400)
        cls.nodes: dict[int, Container] = {}

    def files(self) -> dict[Path, str]:
        return {self.work / "password": "/run/secrets/check", self.work / "users.sql": "/run/secrets/users.sql"}

    @classmethod
    def tearDownClass(cls) -> None:
        for node in [*cls.nodes.values(), *([cls.balancer] if hasattr(cls, "balancer") else [])]:
            node.end()

    def start(self, number: int) -> Container:
        node = Container(f"db{number}", self.roots["node"], self.configurations["node"], self.network, f"10.0.0.1{number}",
                         {"CLUSTERCHECK_ETCD_ENDPOINTS": ETCD, "CLUSTERCHECK_MYSQL_PASSWORD_FILE": "/run/secrets/check",
                          "CLUSTERCHECK_INIT_USERS_SQL": "/run/secrets/users.sql", "CLUSTERCHECK_INIT_CLUSTER": "boxes"},
                         {self.volume(number): "/var/lib/galera", **self.files()})
        self.nodes[number] = node.run()
        return node

    def volume(self, number: int) -> Path:
        volume = self.work / f"volume-db{number}"
        if not volume.exists():
            volume.mkdir()
            shutil.chown(volume, 997, 997)
        return volume

    def check(self, number: int) -> str:
        """The status line of a check over the network."""
        try:
            return self.network.run(f"curl -s -o /dev/null -w '%{{http_code}}' -m 3 http://10.0.0.1{number}:9200/ || true").strip()
        except subprocess.TimeoutExpired:
            return ""

    def wait_up(self, *numbers: int, timeout: float = 240) -> None:
        try:
            wait_until(lambda: all(self.check(number) == "200" for number in numbers), timeout, f"nodes {numbers} to be up", 1)
        except LabTimeout as error:
            said = "".join(f"--- {node.name}\n{node.said[-4000:]}\n" for node in self.nodes.values())
            raise LabTimeout(f"{error}\n{said}") from None

    def registered(self) -> set[str]:
        done = self.nodes[1].inside("galera-discover", "--format", "json", "--timeout", "5s")
        return {node["id"] for node in json.loads(done.stdout)["nodes"]} if done.returncode == 0 else set()

    def test_1_three_nodes_become_a_cluster(self) -> None:
        for number in NODES:
            self.start(number)
        self.wait_up(*NODES)
        wait_until(lambda: self.registered() == {"db1", "db2", "db3"}, 30, "three registrations")
        self.assertTrue(all(node.healthy() for node in self.nodes.values()))

    def test_2_galera_init_is_pid_1_and_nobody_is_root(self) -> None:
        for node in self.nodes.values():
            self.assertEqual(node.inside("cat", "/proc/1/comm").stdout.strip(), "galera-init")
            users = node.inside("sh", "-c", "stat -c %U /proc/[0-9]*").stdout.split()
            self.assertNotIn("root", users)

    def test_3_the_balancer_finds_them(self) -> None:
        balancer = Container("lb1", self.roots["balancer"], self.configurations["balancer"], self.network, "10.0.0.10",
                             {"CLUSTERCHECK_ETCD_ENDPOINTS": ETCD})
        type(self).balancer = balancer.run()
        wait_until(balancer.healthy, 90, f"the balancer to be healthy; it said:\n{balancer.said[-3000:]}", 1)
        self.assertEqual(balancer.inside("cat", "/proc/1/comm").stdout.strip(), "haproxy")
        self.query("CREATE TABLE app.t (id INT PRIMARY KEY); INSERT INTO app.t VALUES (1)")
        self.assertEqual(self.query("SELECT id FROM app.t"), "1")

    def query(self, statement: str, port: int = 33307) -> str:
        return self.network.run(f"MYSQL_PWD=a-Secret-for-the-app-1 mariadb --connect-timeout=5 -h 10.0.0.10 -P {port} -u app -N "
                                f"-e '{statement}'").strip()

    def test_4_a_new_container_on_the_old_volume_is_the_same_node(self) -> None:
        self.nodes[3].end()  # killed, and everything outside of the volume is gone
        wait_until(lambda: self.answers(), 60, "the others to serve", 1)
        self.query("INSERT INTO app.t VALUES (2)")
        self.start(3)
        self.wait_up(3)
        done = self.nodes[3].inside("mariadb", "-N", "-e", "SELECT COUNT(*) FROM app.t")
        self.assertEqual(done.stdout.strip(), "2", done.stderr)
        wait_until(lambda: self.registered() == {"db1", "db2", "db3"}, 30, "three registrations")

    def answers(self) -> bool:
        try:
            return self.query("SELECT 1") == "1"
        except Exception:  # pylint: disable=broad-except
            return False

    def test_5_a_stop_is_clean(self) -> None:
        node = self.nodes[3]
        self.assertEqual(node.stop(), 0, node.said[-3000:])
        wait_until(lambda: self.registered() == {"db1", "db2"}, 30, "db3 to be out of etcd")
        self.assertTrue(self.answers())
        self.assertRegex((self.volume(3) / "mysql" / "grastate.dat").read_text(), r"seqno:\s+\d+")

    def test_6_everything_is_switched_off_and_comes_back(self) -> None:
        for node in self.nodes.values():
            node.end()
        for number in NODES:
            self.start(number)
        self.wait_up(*NODES)
        wait_until(self.answers, 90, "the balancer to serve again", 1)
        self.assertEqual(self.query("SELECT COUNT(*) FROM app.t"), "2")
