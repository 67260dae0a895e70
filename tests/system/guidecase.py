"""What tests of the guides stand on: the hosts of docs/README.md, as a reader has them, and as three-hosts.md leaves them."""
from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import time
import unittest
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Optional

from bases import BALANCER, NODE
from guide import DOCS, Follower
from test_deb import package

from galeralab import host, wait_until
from galeralab.client import Account, Load, Session, SqlError, run_sql
from machines import Machine, Network

HOSTS = {"lb1": "10.0.0.10", "db1": "10.0.0.11", "db2": "10.0.0.12", "db3": "10.0.0.13"}
NODES = ("db1", "db2", "db3")
PACKAGES = ("clustercheck", "galera-suite")
FIRST = "three-hosts.md"
ANY, WRITER = 33306, 33307
LEDGER = "shop.ledger"


@dataclass
class Client(Account):
    """An account, used from a host of the machines' network that is none of them."""

    network: int = 0  # a process in it
    more: list[str] = field(default_factory=list)  # options

    def argv(self, *more: str, patience: int = 5) -> list[str]:
        return ["nsenter", "-t", str(self.network), "-n", "--", *super().argv(*self.more, *more, patience=patience)]


class GuideCase(unittest.TestCase):
    """Every test has machines of its own."""

    network: Network
    machines: dict[str, Machine]
    follower: Follower
    options: tuple[str, ...] = ()  # of all clients

    def setUp(self) -> None:
        NODE.make()
        BALANCER.make()
        self.network = Network()
        self.addCleanup(self.network.end)
        self.machines = {}
        for name, address in HOSTS.items():
            self.add(name, address)
        self.follower = Follower(self.machines, {"wipe": self.wipe, "shut down": self.shut_down})

    def add(self, name: str, address: str) -> Machine:
        """One more machine, which is off."""
        self.machines[name] = Machine(name, BALANCER if name == "lb1" else NODE, self.network, address)
        self.addCleanup(self.machines[name].end)
        return self.machines[name]

    def sh(self, script: str, name: str = "db1", timeout: float = 60) -> str:
        return self.machines[name].sh(script, timeout)

    # -- states to begin with

    def new(self) -> None:
        """What every page takes for granted: Debian, the packages in root's home, ssh from db1 to all."""
        for machine in self.machines.values():
            self.pack(machine)
            machine.boot(HOSTS)
        self.let_in()

    def ready(self) -> None:
        """The hosts as the first page leaves them, from what a run before kept if it followed the same page with the same
        packages."""
        kept = self.kept()
        if not kept.exists():
            self.new()
            self.follower.follow(FIRST)
            self.keep()
            return
        for name, machine in self.machines.items():
            machine.take(kept / name)
        with ThreadPoolExecutor() as pool:
            list(pool.map(lambda machine: machine.boot(until="basic.target"), self.machines.values()))
        self.serving()

    def keep(self) -> None:
        """Switch off, keep the disks for other tests, switch on again."""
        self.shut_down(list(self.machines))
        kept = self.kept()
        for old in kept.parent.glob("state-*"):
            shutil.rmtree(old)
        draft = kept.with_suffix(".draft")
        shutil.rmtree(draft, ignore_errors=True)
        for name, machine in self.machines.items():
            machine.keep(draft / name)
        draft.rename(kept)
        for machine in self.machines.values():
            machine.boot(until="basic.target")
        self.serving()

    @staticmethod
    def kept() -> Path:
        mark = hashlib.sha256((DOCS / FIRST).read_bytes() + NODE.path.name.encode() + BALANCER.path.name.encode())
        for name in PACKAGES:
            mark.update(package(name).read_bytes())
        return NODE.path.parent / f"state-{mark.hexdigest()[:12]}"

    @staticmethod
    def pack(machine: Machine) -> None:
        root = machine.path("/root")
        root.mkdir(parents=True, exist_ok=True)
        for name in PACKAGES:
            shutil.copy(package(name), root)

    def let_in(self) -> None:
        """root on db1 may log in everywhere."""
        self.sh("ssh-keygen -q -t ed25519 -N '' -f /root/.ssh/id_ed25519 < /dev/null")
        self.machines["db1"].write("/root/.ssh/config", "StrictHostKeyChecking accept-new\nLogLevel ERROR\n", 0o600)
        for machine in self.machines.values():
            self.let_db1_in(machine)

    def let_db1_in(self, machine: Machine) -> None:
        machine.write("/root/.ssh/authorized_keys", self.sh("cat /root/.ssh/id_ed25519.pub"), 0o600)

    # -- what happens to machines

    def wipe(self, names: list[str]) -> None:
        """A new disk: nothing is left of what the suite, the server and etcd have written."""
        for name in names:
            for place in ("/var/lib/mysql", "/var/lib/galera-init", "/var/lib/etcd"):
                path = self.machines[name].path(place)
                if path.exists():
                    subprocess.run(["find", str(path), "-mindepth", "1", "-delete"], check=True)
                    os.setxattr(path, "trusted.overlay.opaque", b"y")  # nothing of the base shows through

    def shut_down(self, names: list[str]) -> None:
        """All at once, each in its own order."""
        began = time.monotonic()
        with ThreadPoolExecutor() as pool:
            list(pool.map(lambda name: self.machines[name].shut_down(), names))
        print(f"shut down {' '.join(names)}: {time.monotonic() - began:.1f} s", flush=True)

    # -- what is true

    def client(self, port: int = ANY, user: str = "app", password: Optional[str] = None, database: str = "shop",
               address: str = HOSTS["lb1"]) -> Client:
        """The application, which knows the balancer only."""
        if password is None:
            password = self.sh(f"cat /etc/galera-accounts/{user}.password").strip()
        return Client(user=user, password=password, host=address, port=port, database=database, network=self.network.pid,
                      more=list(self.options))

    def serving(self, nodes: int = 3, timeout: float = 300) -> None:
        """Nodes are synced, HAProxy has them all, and queries reach each of them."""
        self.sh(f"galera-discover --wait {nodes} --states synced --timeout {timeout:g}s", timeout=timeout + 20)
        wait_until(lambda: self.machines["lb1"].ok("galera-haproxy --status"), timeout, "HAProxy to have all nodes")
        self.served_by({f"db{number}" for number in range(1, nodes + 1)})

    def served_by(self, expected: set[str], client: Optional[Account] = None, timeout: float = 60) -> None:
        """New sessions at the balancer reach these nodes, all of them, and no others."""
        client, deadline = client or self.client(), time.monotonic() + timeout
        while (seen := self.asked(client, 4 * len(expected))) != expected:
            if time.monotonic() > deadline:
                self.fail(f"queries reach {sorted(seen)} and not {sorted(expected)}:\n{self.follower.journals()}")

    @staticmethod
    def asked(client: Account, count: int) -> set[str]:
        """Who answers in so many sessions at the same time, for the balancer prefers nodes with few; or the errors."""
        seen: set[str] = set()
        with ExitStack() as stack:
            for _ in range(count):
                try:
                    seen.add(stack.enter_context(Session(client)).query("SELECT @@hostname")[0][0])
                except SqlError as error:
                    seen.add(str(error))
        return seen

    def reading(self) -> Load:
        """Readers behind the balancer, with sessions that are renewed as a pool does."""
        return Load(self.client(ANY), lambda _number: "SELECT @@hostname", clients=2, pause=0.05, per_session=25)

    def writing(self, account: Optional[Account] = None, clients: int = 2) -> Load:
        """Writers behind the balancer; what they were promised can be compared with what is there (`none_missing`)."""
        account = account or self.client(WRITER)
        run_sql(account, f"CREATE OR REPLACE TABLE {LEDGER} (id INT PRIMARY KEY)")
        return Load(account, lambda number: f"INSERT INTO {LEDGER} VALUES ({number})", clients=clients, pause=0.05)

    def none_missing(self, load: Load) -> None:
        """Every row that was acknowledged until now is on every node."""
        acknowledged = set(load.acknowledged())
        self.assertGreater(len(acknowledged), 20)
        for name in NODES:
            missing = acknowledged - self.rows(name, LEDGER)
            self.assertEqual(missing, set(), f"{name} lacks {len(missing)} of {len(acknowledged)} rows")
        print(f"none of {len(acknowledged)} acknowledged rows is missing; {len(load.errors())} errors of {len(load.outcomes)}; "
              f"longest pause {load.longest_stall():.1f} s", flush=True)

    def nothing_failed(self) -> None:
        for name in self.machines:
            self.assertEqual(self.sh("systemctl list-units --failed --plain --no-legend", name), "", name)

    def rows(self, name: str, table: str) -> set[int]:
        """Numbers in a table as this node has it, all that was committed elsewhere considered."""
        return {int(line) for line in self.sh(f"mariadb -N -e 'SET SESSION wsrep_sync_wait = 1; SELECT id FROM {table}'",
                                              name).split()}
