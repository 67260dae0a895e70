"""The guides in docs/, followed on machines with systemd: every block of commands, as it stands there."""
from __future__ import annotations

import os
import subprocess

from bases import NODE
from guide import Follower
from machinecase import MachineCase
import oldworld
from test_deb import package

from machines import Machine

LONG = True
NODES = ("db1", "db2", "db3")


class GuideCase(MachineCase):
    """db1 to db4 and lb1, with the packages in root's home and ssh from db1 to all others."""

    BASE = NODE
    HOSTS = {"lb1": "10.0.0.10", "db1": "10.0.0.11", "db2": "10.0.0.12", "db3": "10.0.0.13"}
    follower: Follower

    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        cls.follower = Follower(cls.machines, {"wipe": cls.wipe})
        if "db1" in cls.HOSTS:
            cls.let_in()

    @classmethod
    def before_boot(cls, machine: Machine) -> None:
        cls.pack(machine)

    @classmethod
    def pack(cls, machine: Machine) -> None:
        """What the page takes for granted: the packages are there, and no server of Debian's runs on a host that is new."""
        for name in ("clustercheck", "galera-suite"):
            source = package(name)
            target = machine.path(f"/root/{source.name}")
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(source.read_bytes())

    @classmethod
    def let_in(cls) -> None:
        """root on db1 may log in everywhere."""
        db1 = cls.machines["db1"]
        db1.sh("ssh-keygen -q -t ed25519 -N '' -f /root/.ssh/id_ed25519 < /dev/null")
        key = db1.sh("cat /root/.ssh/id_ed25519.pub")
        for machine in cls.machines.values():
            machine.write("/root/.ssh/authorized_keys", key, 0o600)
        db1.write("/root/.ssh/config", "StrictHostKeyChecking accept-new\nLogLevel ERROR\n", 0o600)

    @classmethod
    def wipe(cls, names: list[str]) -> None:
        """A new disk: nothing is left of what the suite, the server and etcd have written."""
        for name in names:
            for place in ("/var/lib/mysql", "/var/lib/galera-init", "/var/lib/etcd"):
                path = cls.machines[name].path(place)
                if path.exists():
                    subprocess.run(["find", str(path), "-mindepth", "1", "-delete"], check=True)
                    os.setxattr(path, "trusted.overlay.opaque", b"y")  # nothing of the base shows through


class Guides(GuideCase):
    """One cluster from zero; each page begins where the one before it ended."""

    def test_1_three_hosts(self) -> None:
        self.follower.follow("three-hosts.md")

    def test_2_maintenance(self) -> None:
        self.follower.follow("maintenance.md")

    def test_3_monitoring(self) -> None:
        self.follower.follow("monitoring.md")

    def test_4_upgrade(self) -> None:
        self.follower.follow("upgrade.md")

    def test_5_nodes(self) -> None:
        machine = Machine("db4", self.BASE, self.network, "10.0.0.14")
        self.addCleanup(machine.end)
        self.pack(machine)
        hosts = {**self.HOSTS, "db4": machine.address}
        machine.boot(hosts)
        for other in self.machines.values():
            other.sh(f"echo '{machine.address} db4' >> /etc/hosts")
        self.machines["db4"] = machine
        self.addCleanup(self.machines.pop, "db4")
        machine.write("/root/.ssh/authorized_keys", self.sh("cat /root/.ssh/id_ed25519.pub", "db1"), 0o600)
        self.follower.follow("nodes.md")

    def test_6_recovery(self) -> None:
        self.follower.follow("recovery.md")

    def test_7_security(self) -> None:
        self.follower.follow("security.md")


class Migration(GuideCase):
    """A cluster of before, and then this one."""

    def test_migration(self) -> None:
        self.follower.events["old world"] = lambda _: oldworld.build(self.machines)
        self.follower.follow("migration.md")
