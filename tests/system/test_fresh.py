"""From `make install` to a running system: fresh Debian machines, the documented steps and nothing else, queries through HAProxy,
a node that is killed, and an end without a trace."""
from __future__ import annotations

import os
import re
import subprocess
import threading

from guide import Follower
from test_guide import NODES, GuideCase

from galeralab import host, wait_until
from machines import Machine

LONG = True
# Debian's own records, and what belongs to other packages, which the guide has made run.
RECORDS = re.compile(r"/var/(lib/(dpkg|apt|systemd|dbus|etcd|haproxy|ucf)|log|cache|tmp|backups)(/|$)|/root/|/home/|/etc/(passwd|group|shadow|"
                     r"gshadow|subuid|subgid)-?$|/etc/(\.pwd\.lock|machine-id|hosts|default/etcd|ssh/.*)$|/etc/systemd/system/.*etcd")
DATA = ("/var/lib/mysql", "/var/lib/galera-init", "/etc/galera-accounts")
EDITED = {"/etc/clustercheck.conf", "/etc/haproxy/haproxy.cfg", "/etc/haproxy/galera.cfg", "/etc/haproxy/galera.cfg.bak",
          "/etc/mysql/mariadb.conf.d/70-galera.cnf", "/etc/systemd/system/haproxy.service.d",
          "/etc/systemd/system/haproxy.service.d/galera.conf"}


class Fresh(GuideCase):
    """One story; each test is the next part of it."""

    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        cls.before = {name: cls.files(machine) for name, machine in cls.machines.items()}

    @classmethod
    def pack(cls, machine: Machine) -> None:
        """No packages here: there is `make install`."""

    @staticmethod
    def files(machine: Machine) -> set[str]:
        return {name for name in machine.sh("find / -xdev").split("\n") if name and not RECORDS.search(name)}

    @staticmethod
    def make(target: str, machine: Machine) -> None:
        clean = {name: value for name, value in os.environ.items() if not name.startswith(("MAKE", "MFLAGS", "CLUSTERCHECK_"))}
        subprocess.run(["make", "-C", str(host.CHECKOUT), target, f"BUILD={os.environ.get('BUILD', 'build')}",
                        f"DESTDIR={machine.root}", "PREFIX=/usr"], env=clean, timeout=600, check=True, stdin=subprocess.DEVNULL,
                       stdout=subprocess.DEVNULL)

    def install(self) -> None:
        """In place of the packages: what README.md says of installing from source. Their other dependencies are there."""
        for name, machine in self.machines.items():
            self.make("install", machine)
            machine.sh("systemd-sysusers; systemd-tmpfiles --create clustercheck.conf; systemctl daemon-reload")
            if name in NODES:
                machine.sh("systemctl disable --now mariadb; find /var/lib/mysql -mindepth 1 -delete")

    def test_1_the_documented_steps_alone(self) -> None:
        Follower(self.machines).follow("three-hosts.md", {"1. Packages": self.install})

    def query(self, statement: str) -> str:
        password = self.sh("cat /etc/galera-accounts/app.password", "db1").strip()
        return self.network.run(f"MYSQL_PWD='{password}' mariadb --connect-timeout=5 -h 10.0.0.10 -P 33307 -u app shop -N "
                                f"-e '{statement}'").strip()

    def test_2_a_node_is_killed_while_clients_write(self) -> None:
        self.query("CREATE TABLE counted (n INT PRIMARY KEY)")
        acknowledged, stop = [], threading.Event()

        def write() -> None:
            number = 0
            while not stop.is_set():
                number += 1
                try:
                    self.query(f"INSERT INTO counted VALUES ({number})")
                    acknowledged.append(number)
                except Exception:  # pylint: disable=broad-except
                    pass  # it is not acknowledged, and that is all

        writer = threading.Thread(target=write)
        writer.start()
        try:
            wait_until(lambda: len(acknowledged) > 20, 60, "writes before the kill")
            serving = self.query("SELECT @@hostname")
            self.machines[serving].power_off()
            seen = len(acknowledged)
            wait_until(lambda: len(acknowledged) > seen + 20, 90, "writes after the kill")
        finally:
            stop.set()
            writer.join()
        stored = set(map(int, self.query("SELECT n FROM counted").split()))
        self.assertEqual(set(acknowledged) - stored, set())
        self.machines[serving].boot()
        other = next(name for name in NODES if name != serving)
        self.sh("galera-discover --wait 3 --states synced --timeout 5m", other, timeout=330)

    def test_3_uninstalled_without_a_trace(self) -> None:
        for name in ("lb1", *NODES):
            machine = self.machines[name]
            machine.sh("systemctl disable --now galera-haproxy clustercheck.socket galera-register@1 galera@1 2> /dev/null || true",
                       timeout=400)
            self.make("uninstall", machine)
            machine.sh("systemctl daemon-reload")
            left = {file for file in self.files(machine) - self.before[name] if not file.startswith(DATA)}
            self.assertEqual(left - EDITED, set(), name)
            self.assertFalse(machine.ok("command -v galera-init clustercheck galera-haproxy"))
