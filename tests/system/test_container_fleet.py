"""The units of conf/fleet on three machines with systemd and a real engine (Podman in place of Docker), as fleet would start them."""
from __future__ import annotations

import re
import shutil
import unittest
from pathlib import Path

from bases import SYSTEM, Base
from containercase import ETCD, USER, ContainerCase

from galeralab import LabTimeout, host, wait_until
from logcollector import Collector
from machines import Machine

LONG = True
ENGINE = Base("engine", ["podman", "crun"], below=SYSTEM)
FLEET = host.CHECKOUT / "conf" / "fleet"
MACHINES = {1: "m1", 2: "m2", 3: "m3"}
IMAGES = {"GALERA_NODE_IMAGE": "node", "GALERA_BALANCER_IMAGE": "balancer", "GALERA_LOG_IMAGE": "courier"}
CHECK_PASSWORD, APP_PASSWORD = "a-Secret-for-the-check-1", "a-Secret-for-the-app-1"

# Podman takes what the units say. Where these tests run, one may not be allowed to raise limits (CAP_SYS_RESOURCE), not even as
# root: then, and only then, the two options that do so are left out.
DOCKER = """#!/bin/bash
words=()
while [ $# -gt 0 ]; do
    case $1:$(cat /etc/no-limits 2> /dev/null) in
        --ulimit:yes | --oom-score-adj:yes) shift ;;
        *) words+=("$1") ;;
    esac
    shift
done
exec podman "${words[@]}"
"""
STORAGE = """[storage]
driver = "overlay"
graphroot = "/var/lib/containers/storage"
runroot = "/run/containers/storage"
[storage.options]
additionalimagestores = ["/images"]
"""
FILES = {
    "/usr/bin/docker": (DOCKER, 0o755),
    "/etc/containers/storage.conf": (STORAGE, 0o644),
    # As Docker does it: what a container says is not in the journal a second time. A container has no cgroup of its own: to give
    # it one, crun needs CAP_SYS_RESOURCE, too.
    "/etc/containers/containers.conf": (
        '[containers]\nlog_driver = "k8s-file"\ncgroups = "disabled"\n[engine]\nevents_logger = "file"\n', 0o644),
    "/etc/systemd/system/docker.service": ("[Service]\nType=oneshot\nRemainAfterExit=yes\nExecStart=/bin/true\n", 0o644),
    "/etc/galera-secrets/check-password": (CHECK_PASSWORD + "\n", 0o400),
    "/etc/galera-secrets/users.sql": (
        f"CREATE DATABASE IF NOT EXISTS app;\nCREATE USER IF NOT EXISTS clustercheck@'%' IDENTIFIED BY '{CHECK_PASSWORD}';\n"
        f"CREATE USER IF NOT EXISTS app@'%' IDENTIFIED BY '{APP_PASSWORD}';\nGRANT ALL ON app.* TO app@'%';\n", 0o400)}


def may_raise_limits() -> bool:
    found = re.search(r"(?m)^CapEff:\s*([0-9a-f]+)$", Path("/proc/self/status").read_text(encoding="utf-8"))
    return bool(int(found[1], 16) >> 24 & 1)  # CAP_SYS_RESOURCE


class Fleet(ContainerCase):
    """A node with its companions on each machine, the balancer on the first; each test goes on with them."""

    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        cls.start_etcd()
        cls.events: list[dict] = []
        cls.collector = cls.network.within(lambda: Collector("10.0.0.254", 5000, cls.events))
        cls.addClassCleanup(cls.collector.crash)
        for field, value in cls.collector.entry.items():
            cls.etcdctl(f"put /services/logcollector/logs/{field} {value}")
        ENGINE.make()
        cls.machines: dict[int, Machine] = {}
        for number, name in MACHINES.items():
            cls.machines[number] = machine = Machine(name, ENGINE, cls.network, f"10.0.0.1{number}")
            cls.addClassCleanup(machine.end)
            disk = cls.work / f"disk-{name}"
            disk.mkdir()
            machine.volumes = {disk: "/var/lib/containers", cls.images.home / "store": "/images"}
            cls.furnish(machine)
            machine.boot({label: f"10.0.0.1{other}" for other, label in MACHINES.items()})

    @classmethod
    def furnish(cls, machine: Machine) -> None:
        """What an admin does on a machine of the fleet, and fleet itself."""
        for path, (text, mode) in FILES.items():
            machine.write(path, text, mode)
            if "secrets" in path:
                shutil.chown(machine.path(path), USER, USER)
        if not may_raise_limits():
            machine.write("/etc/no-limits", "yes")
        for unit in FLEET.glob("*.service"):
            machine.write(f"/etc/systemd/system/{unit.name}", unit.read_text(encoding="utf-8"))
        machine.write("/etc/galera.env", cls.environment())

    @staticmethod
    def environment(**more: str) -> str:
        text = (FLEET / "galera.env").read_text(encoding="utf-8")
        settings = {"CLUSTERCHECK_ETCD_ENDPOINTS": ETCD, **{name: f"localhost/{image}:latest" for name, image in IMAGES.items()}}
        for name, value in settings.items():
            text, count = re.subn(rf"(?m)^{name}=.*$", f"{name}={value}", text)
            assert count == 1, name
        more["CLUSTERCHECK_INIT_USERS_SQL"] = "/etc/galera-secrets/users.sql"
        return text + "".join(f"{name}={value}\n" for name, value in more.items())

    def sh(self, number: int, script: str, timeout: float = 120) -> str:
        return self.machines[number].sh(script, timeout)

    def wait(self, predicate, timeout: float, what: str) -> None:
        try:
            wait_until(predicate, timeout, what, 1)
        except LabTimeout as error:
            said = "".join(f"--- {machine.name}\n{machine.journal(60)}\n" for machine in self.machines.values())
            raise LabTimeout(f"{error}\n{said}") from None

    def registered(self) -> set[str]:
        keys = self.etcdctl("get --prefix --keys-only /components/galera/")
        return set(re.findall(r"/components/galera/([^/]+)/ip", keys))

    def wait_registered(self, *names: str, timeout: float = 60) -> None:
        self.wait(lambda: self.registered() == set(names), timeout, f"registrations of {names}")

    def query(self, statement: str) -> str:
        return self.network.run(f"MYSQL_PWD={APP_PASSWORD} mariadb --connect-timeout=5 -h 10.0.0.11 -P 33307 -u app -N "
                                f"-e '{statement}'").strip()

    def answers(self) -> bool:
        try:
            return self.query("SELECT 1") == "1"
        except Exception:  # pylint: disable=broad-except
            return False

    def test_1_what_cannot_work_is_not_tried_again(self) -> None:
        machine = self.machines[1]
        for unit, variable in {"galera@9": "CLUSTERCHECK_INIT_NODESS", "galera-haproxy": "CLUSTERCHECK_HAPROXY_SLOTZ",
                               "galera-log@9": "GALERA_LOG_PROTOCOL"}.items():
            with self.subTest(unit=unit):
                machine.write("/etc/galera.env", self.environment(**{variable: "1"}))
                self.sh(1, f"systemctl start {unit}")
                state = f"systemctl show --value -p ActiveState -p ExecMainStatus -p NRestarts {unit}"
                self.wait(lambda: sorted(self.sh(1, state).split()) == ["0", "78", "failed"], 90, f"{unit} to have failed")
        machine.write("/etc/galera.env", self.environment())

    def test_2_three_machines_become_a_cluster(self) -> None:
        for number, machine in self.machines.items():
            machine.sh(f"systemctl start galera-log@{number} galera@{number} galera-discovery@{number}", 180)
        self.wait_registered(*MACHINES.values(), timeout=420)
        for number, machine in self.machines.items():
            machine.sh(f"systemctl is-active galera-log@{number} galera@{number} galera-discovery@{number}")
            machine.sh("podman healthcheck run galera")

    def test_3_the_balancer_serves_them(self) -> None:
        self.sh(1, "systemctl start galera-haproxy")
        self.wait(self.answers, 120, "the balancer to serve")
        self.query("CREATE TABLE app.t (id INT PRIMARY KEY); INSERT INTO app.t VALUES (1)")

    def test_4_what_they_say_reaches_the_collector(self) -> None:
        wanted = {(name, unit, program) for number, name in MACHINES.items() for unit, program in (
            (f"galera@{number}.service", "galera-init"), (f"galera@{number}.service", "mariadbd"),
            (f"galera-discovery@{number}.service", "galera-register"))}
        self.wait(lambda: wanted <= {(event["host"], event.get("unit", ""), event["program"]) for event in list(self.events)}, 90,
                  "events of all units")

    def test_5_a_killed_node_comes_back(self) -> None:
        self.sh(2, "podman kill -s KILL galera")
        self.wait_registered("m1", "m3")
        self.wait(self.answers, 60, "the others to serve")
        self.query("INSERT INTO app.t VALUES (2)")
        self.wait_registered(*MACHINES.values(), timeout=300)
        self.assertEqual(self.sh(2, "podman exec galera mariadb -N -e 'SELECT COUNT(*) FROM app.t'").strip(), "2")

    def test_6_a_machine_that_lost_its_power_too(self) -> None:
        self.machines[3].power_off()
        self.wait_registered("m1", "m2")
        self.machines[3].boot()
        self.sh(3, "systemctl start galera-log@3 galera@3 galera-discovery@3", 180)
        self.wait_registered(*MACHINES.values(), timeout=300)

    def test_7_a_stop_is_clean(self) -> None:
        self.sh(3, "systemctl stop galera@3", 400)
        self.wait_registered("m1", "m2")
        self.assertEqual(self.sh(3, "systemctl show --value -p Result galera@3 galera-discovery@3").split(), ["success"] * 2)
        self.wait(self.answers, 30, "the others to serve")
        self.sh(3, "systemctl is-active galera-log@3")

    def test_8_without_units_with_a_secret_of_the_engine_and_its_log_in_the_journal(self) -> None:
        """As conf/container/README.md has it, but for the network."""
        before = len(self.events)
        self.sh(3, "podman secret create check-password /etc/galera-secrets/check-password")
        self.sh(3, "podman run -d --name db3 --hostname m3 --net host -v galera:/var/lib/galera "
                   f"--secret check-password,uid={USER},mode=0400 -e CLUSTERCHECK_ETCD_ENDPOINTS={ETCD} "
                   "-e CLUSTERCHECK_MYSQL_PASSWORD_FILE=/run/secrets/check-password --stop-timeout 360 "
                   f"--log-driver journald --log-opt tag=galera-init localhost/{IMAGES['GALERA_NODE_IMAGE']}:latest")
        self.wait_registered(*MACHINES.values(), timeout=300)
        self.assertEqual(self.sh(3, "podman exec db3 mariadb -N -e 'SELECT COUNT(*) FROM app.t'").strip(), "2")
        wanted = {("m3", "galera-init"), ("m3", "mariadbd"), ("m3", "galera-register")}
        self.wait(lambda: wanted <= {(event["host"], event["program"]) for event in self.events[before:]}, 90, "its events")
        self.sh(3, "podman stop db3", 400)
        self.wait_registered("m1", "m2")
        self.assertEqual(self.sh(3, "podman inspect --format '{{.State.ExitCode}}' db3").strip(), "0")


if __name__ == "__main__":
    unittest.main()
