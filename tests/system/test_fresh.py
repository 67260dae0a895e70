"""From `make install` to a running system: fresh Debian machines, the documented steps and nothing else, queries through HAProxy,
a node that is killed, and an end without a trace."""
from __future__ import annotations

import re
import threading
from dataclasses import replace

from guide import steps_of
from guidecase import ANY, FIRST, NODES, WRITER, GuideCase
from machinecase import make_on

from galeralab import host, wait_until
from galeralab.client import SqlError, run_sql
from machines import Machine

LONG = True
PAGE = (host.CHECKOUT / "docs" / FIRST).read_text(encoding="utf-8")
# Debian's own records, and what belongs to other packages, which the guide has made run.
RECORDS = re.compile(r"/var/(lib/(dpkg|apt|systemd|dbus|etcd|haproxy|ucf)|log|cache|tmp|backups)(/|$)|/root/|/home/|/etc/(passwd|group|shadow|"
                     r"gshadow|subuid|subgid)-?$|/etc/(\.pwd\.lock|machine-id|hosts|default/etcd|ssh/.*)$|/etc/systemd/system/.*etcd")
# The first page has the reader disable it and remove its data.
SERVER_OF_DEBIAN = re.compile(r"/var/lib/mysql/|/etc/systemd/system/(.*/)?(mariadb|mysqld?)\.service$|/etc/rc\d\.d/[SK]\d+mariadb$")
DATA = ("/var/lib/mysql", "/var/lib/galera-init", "/etc/galera-accounts")
EDITED = {"/etc/clustercheck.conf", "/etc/haproxy/haproxy.cfg", "/etc/haproxy/galera.cfg", "/etc/haproxy/galera.cfg.bak",
          "/etc/mysql/mariadb.conf.d/70-galera.cnf"}


def files(machine: Machine) -> set[str]:
    return {name for name in machine.sh("find / -xdev").split("\n") if name and not RECORDS.search(name)}


class Writer(threading.Thread):
    """A client that writes one number after the other, whatever happens, and knows which of them it was told are there."""

    def __init__(self, client) -> None:
        super().__init__()
        self._client, self._ending = client, threading.Event()
        self.acknowledged: list[int] = []

    def run(self) -> None:
        number = 0
        while not self._ending.is_set():
            number += 1
            try:
                run_sql(self._client, f"INSERT INTO counted VALUES ({number})")
                self.acknowledged.append(number)
            except SqlError:
                pass  # it is not acknowledged, and that is all

    def wait(self, more: int, timeout: float, what: str) -> None:
        before = len(self.acknowledged)
        wait_until(lambda: len(self.acknowledged) >= before + more, timeout, what)

    def end(self) -> None:
        self._ending.set()
        self.join()


class Fresh(GuideCase):
    """One story, told by one test: what it makes takes minutes."""

    @staticmethod
    def pack(machine: Machine) -> None:
        """No packages here: there is `make install`."""

    def test_installed_used_broken_and_uninstalled(self) -> None:
        self.new()
        before = {name: files(machine) for name, machine in self.machines.items()}
        self.install()
        self.follower.follow(FIRST, since="2. etcd")
        self.serving()
        self.kill_a_node_while_clients_write()
        self.follower.follow("removal.md", until="2. The files")
        said = self.sh("journalctl -b --no-pager -o cat -u galera@1", "db3")  # the first to stop
        self.assertRegex(said, r"galera-init: notice: draining: \d+ sessions")
        self.assertNotIn("cannot remove", said)
        for machine in self.machines.values():
            make_on(machine, "uninstall")
            machine.sh("systemctl daemon-reload")
        self.follower.follow("removal.md", since="3. The accounts")
        for name, machine in self.machines.items():
            with self.subTest(uninstalled_from=name):
                after = files(machine)
                new = {file for file in after - before[name] if not file.startswith(DATA)} - EDITED
                gone = before[name] - after
                self.assertEqual({file for file in new | gone if not SERVER_OF_DEBIAN.match(file)}, set())
                self.assertFalse(machine.ok("command -v galera-init || command -v clustercheck || command -v galera-haproxy"))
                self.assertEqual(machine.sh("systemctl list-units --all --no-legend 'clustercheck*' 'galera*'").strip(), "")
                self.assertFalse(machine.ok("ss -Hltn | grep -E ':(9200|9201|3306|4567|33306|33307) '"))

    def install(self) -> None:
        """In place of the packages of the suite: what the page says of installing from source. The others are there."""
        after = re.search(r"`make deps && make && make install PREFIX=/usr\s+&& ([^`]+)`", PAGE)[1]
        for machine in self.machines.values():
            make_on(machine, "install")
            machine.sh(after)
        section = PAGE[:PAGE.index("\n## 2.")].count("\n") + 1
        rest = [step for step in steps_of(FIRST) if step.hosts and step.line < section and "apt-get" not in step.script]
        self.assertEqual([step.hosts for step in rest], [list(NODES)])
        for name in NODES:
            self.sh(rest[0].script, name, 300)

    def kill_a_node_while_clients_write(self) -> None:
        writer = self.client(WRITER)
        run_sql(writer, "CREATE TABLE counted (n INT PRIMARY KEY)")
        (victim,) = self.asked(writer, 1)
        writing = Writer(writer)
        writing.start()
        try:
            writing.wait(20, 60, "writes before the kill")
            self.machines[victim].power_off()
            writing.wait(20, 120, "writes after the kill")
        finally:
            writing.end()
        anybody = replace(writer, port=ANY)
        self.served_by(set(NODES) - {victim}, anybody)
        stored = {int(row[0]) for row in run_sql(anybody, "SET SESSION wsrep_sync_wait = 1; SELECT n FROM counted")}
        self.assertEqual(set(writing.acknowledged) - stored, set())
        self.machines[victim].boot()
        self.serving()
        self.assertEqual(int(self.sh("mariadb -N -e 'SET SESSION wsrep_sync_wait = 1; SELECT COUNT(*) FROM shop.counted'", victim)),
                         len(stored))
