"""The units under a real systemd, on a machine of their own: one node with all that belongs to it."""
from __future__ import annotations

import json
import os
import subprocess
import sys

from bases import NODE
from machinecase import MachineCase

from galeralab import host, wait_until
from machines import Machine

LONG = True
SETTINGS = """
[mysql]
password_file = /etc/clustercheck.password
[init]
nodes = 1
drain = 2s
"""
ENVIRONMENT = """
CLUSTERCHECK_INIT_ADDRESS=10.0.0.11
CLUSTERCHECK_REGISTER_IP=10.0.0.11
CLUSTERCHECK_REGISTER_CHECK_INTERVAL=200ms
GALERA_LOG_CLUSTER=shop
"""
STAND_IN = """
[Service]
Type=exec
ExecStartPre=
ExecStart=
ExecStart=/usr/bin/sleep infinity
ExecStartPost=
"""


class UnitsOnAMachine(MachineCase):
    """Each test begins where the one before it ended."""

    BASE = NODE
    HOSTS = {"db1": "10.0.0.11"}

    @classmethod
    def before_boot(cls, machine: Machine) -> None:
        clean = {name: value for name, value in os.environ.items() if not name.startswith(("MAKE", "MFLAGS"))}
        subprocess.run(["make", "-C", str(host.CHECKOUT), "install", f"BUILD={host.build_dir()}", f"DESTDIR={machine.path('/')}",
                        "PREFIX=/usr"], check=True, env=clean, stdout=subprocess.DEVNULL, timeout=300)
        machine.write("/etc/clustercheck.conf", SETTINGS, 0o640)
        machine.write("/etc/clustercheck.password", "secret\n", 0o640)
        machine.write("/etc/default/galera", ENVIRONMENT)
        machine.write("/etc/systemd/system/mariadb.service.d/stand-in.conf", STAND_IN)
        machine.write("/etc/mysql/mariadb.conf.d/70-galera.cnf", (host.CHECKOUT / "conf" / "galera.cnf").read_text())

    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        cls.machines["db1"].sh("""
            systemd-sysusers && systemd-tmpfiles --create
            chown root:clustercheck /etc/clustercheck.conf /etc/clustercheck.password
            systemctl disable --now mariadb haproxy xinetd rsyslog 2> /dev/null
            find /var/lib/mysql -mindepth 1 -delete
            systemctl daemon-reload""")

    def tearDown(self) -> None:
        if not self._outcome.success:
            print(self.machine().journal(120, "galera* clustercheck*"), file=sys.stderr)

    def active(self, unit: str) -> str:
        return self.sh(f"systemctl is-active {unit} || true").strip()

    def wait_active(self, *units: str, timeout: float = 120) -> None:
        for unit in units:
            wait_until(lambda: self.active(unit) == "active", timeout, f"{unit} to be active", 0.3)

    def check(self, path: str = "/") -> str:
        """Status code and reason of the node's check, as a balancer sees it."""
        return self.sh(f"curl -s -m 5 -o /dev/null -w '%{{http_code}} %header{{x-galera-reason}}' http://10.0.0.11:9200{path} || true")

    def registered(self) -> bool:
        return self.machine().ok("galera-discover --timeout 5s | grep -q 10.0.0.11:3306")

    # -- tests

    def test_1_systemd_finds_nothing_to_complain_about(self) -> None:
        self.assertEqual(self.sh("systemd-analyze verify --man=no /usr/lib/systemd/system/clustercheck* "
                                 "/usr/lib/systemd/system/galera* 2>&1 || true"), "")

    def test_2_a_node_starts_with_all_that_belongs_to_it(self) -> None:
        self.sh("systemctl start mariadb")  # only by its name, see STAND_IN
        self.sh("systemctl enable --now clustercheck-resident.socket clustercheck-agent.socket")
        self.sh("systemctl enable galera@1 galera-register@1 && systemctl start galera@1", timeout=180)
        self.wait_active("galera@1", "galera-register@1")
        self.assertNotEqual(self.active("mariadb"), "active", "two servers at a time")
        wait_until(self.registered, 30, "the node to be registered")
        wait_until(lambda: self.check() == "200 synced", 30, "the check to be up")
        self.assertRegex(self.sh("socat -T 3 - TCP:10.0.0.11:9201 < /dev/null"), r"^up ready 100%")
        self.assertIn("synced in cluster", self.sh("systemctl show -P StatusText galera@1"))
        self.assertEqual(self.sh("cat /proc/$(pidof mariadbd)/oom_score_adj").strip(), "-600")
        self.assertIn("32768", self.sh("grep 'Max open files' /proc/$(pidof mariadbd)/limits"))
        self.assertEqual(self.sh("stat -c %U:%a /var/lib/galera-init").strip(), "mysql:750")

    def test_3_a_check_a_process_in_its_sandbox(self) -> None:
        self.sh("systemctl stop clustercheck-resident.socket clustercheck-resident.service && systemctl start clustercheck.socket")
        for _ in range(20):
            self.assertEqual(self.check(), "200 synced")
        self.sh("touch /run/clustercheck/disabled")
        self.assertEqual(self.check(), "503 disabled")
        self.sh("rm /run/clustercheck/disabled && touch /var/tmp/clustercheck.disabled")
        self.assertEqual(self.check(), "503 disabled")
        self.sh("rm /var/tmp/clustercheck.disabled")
        wait_until(lambda: not self.sh("systemctl list-units --no-legend 'clustercheck@*' | cat").strip(), 20,
                   "no check to be left behind")
        self.sh("systemctl stop clustercheck.socket && systemctl start clustercheck-resident.socket")

    def test_4_the_server_is_killed_and_comes_back_and_so_does_its_entry(self) -> None:
        before = self.sh("pidof mariadbd").strip()
        self.sh(f"kill -9 {before}")
        wait_until(lambda: self.sh("pidof mariadbd || true").strip() not in ("", before), 60, "another server")
        self.wait_active("galera@1", "galera-register@1")
        wait_until(self.registered, 30, "the node to be registered again")
        self.assertEqual(self.check(), "200 synced")

    def test_5_the_courier_ships_the_journal(self) -> None:
        self.sh("""
            systemd-run -q --unit collector socat -u TCP-LISTEN:5000,bind=10.0.0.11,fork,reuseaddr OPEN:/tmp/events,creat,append
            systemd-run -q --unit collector-entry galera-register --prefix /services/logcollector --id logs --ip 10.0.0.11 \
                --port 5000 --check-port 0 --check-interval 0s
            systemctl enable --now galera-log@1""")
        wait_until(lambda: self.machine().ok("grep -q mariadb-error /tmp/events && grep -q galera-register: /tmp/events"), 60,
                   "what is in the journal already")
        self.sh("systemctl restart galera-register@1 && mariadb -e \"SET GLOBAL wsrep_desync=ON\"")
        self.assertEqual(self.check(), "503 desynced")
        self.sh("mariadb -e \"SET GLOBAL wsrep_desync=OFF\"")
        wait_until(lambda: self.machine().ok("grep -q 'removed the entry' /tmp/events"), 30, "a new message")
        wait_until(lambda: self.machine().ok("grep '\"program\":\"clustercheck\"' /tmp/events | grep -q desynced"), 30,
                   "clustercheck's own")
        events = [json.loads(line) for line in self.sh("cat /tmp/events").splitlines()]
        server = next(event for event in events if event["type"] == "mariadb-error")
        self.assertEqual((server["program"], server["unit"], server["cluster"], server["instance"], server["host"]),
                         ("mariadbd", "galera@1.service", "shop", "galera@1.service", "db1"))
        own = next(event for event in events if "removed the entry" in event["message"])
        self.assertEqual((own["type"], own["program"], own["severity"]), ("galera-suite", "galera-register", "notice"))

    def test_6_a_stop_withdraws_the_entry_first_and_drains(self) -> None:
        self.sh("systemd-run -q --unit session sh -c \"(echo 'SELECT SLEEP(100);'; sleep 100) | mariadb\"")
        wait_until(lambda: self.machine().ok("mariadb -e 'SHOW PROCESSLIST' | grep -q SLEEP"), 20, "a session")
        self.sh("systemctl stop --no-block galera@1")
        wait_until(lambda: not self.registered(), 20, "the entry to be withdrawn")
        self.assertTrue(self.machine().ok("pidof mariadbd"), "the server ended before its entry did")
        wait_until(lambda: self.check() == "404 draining", 20, "the node to drain")
        wait_until(lambda: self.active("galera@1") == "inactive", 60, "the node to stop")
        self.assertEqual(self.sh("systemctl show -P Result galera@1").strip(), "success")
        self.assertFalse(self.machine().ok("test -e /run/clustercheck/drain"))
        self.assertEqual(self.active("galera-log@1"), "active", "the courier has nobody to tell it to stop")

    def test_7_a_wrong_configuration_is_tried_once(self) -> None:
        self.sh("echo CLUSTERCHECK_INIT_NODES=many > /etc/default/galera@1; systemctl start galera@1 || true")
        self.assertEqual(self.active("galera@1"), "failed")
        self.assertEqual(self.sh("systemctl show -P ExecMainStatus galera@1").strip(), "78")
        self.assertEqual(self.sh("systemctl show -P NRestarts galera@1").strip(), "0")
        self.sh("rm /etc/default/galera@1; systemctl reset-failed galera@1; systemctl start galera@1", timeout=180)
        self.wait_active("galera@1", "galera-register@1")


if __name__ == "__main__":
    import unittest
    unittest.main()
