"""The units under a real systemd, on a machine of their own: one node with all that belongs to it, and its balancer."""
from __future__ import annotations

import json

from bases import NODE
from machinecase import MachineCase, make_on

from galeralab import wait_until

LONG = True
ADDRESS = "10.0.0.11"
MOST_EXPOSURE = 3.0
SETTINGS = """
[mysql]
password_file = /etc/galera-accounts/check.password
[init]
cluster = shop
nodes = 1
drain = 2s
users_sql = /etc/galera-accounts/users.sql
"""
ENVIRONMENT = f"""
CLUSTERCHECK_INIT_ADDRESS={ADDRESS}
CLUSTERCHECK_REGISTER_IP={ADDRESS}
CLUSTERCHECK_REGISTER_CHECK_INTERVAL=200ms
GALERA_LOG_CLUSTER=shop
"""
# In place of Debian's server: something that runs under its name.
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
    HOSTS = {"db1": ADDRESS}

    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        machine = cls.machines["db1"]
        make_on(machine, "install")
        machine.sh("""
            systemd-sysusers && systemd-tmpfiles --create clustercheck.conf
            systemctl disable --now mariadb haproxy 2> /dev/null
            find /var/lib/mysql -mindepth 1 -delete
            galera-accounts --database shop --app-schema
            cp /usr/share/doc/galera-suite/examples/galera.cnf /etc/mysql/mariadb.conf.d/70-galera.cnf""")
        machine.write("/etc/clustercheck.conf", SETTINGS)
        machine.write("/etc/default/galera", ENVIRONMENT)
        machine.write("/etc/systemd/system/mariadb.service.d/stand-in.conf", STAND_IN)
        machine.sh("systemctl daemon-reload")

    def tearDown(self) -> None:
        if not self._outcome.success:
            print(self.machine().journal(120), flush=True)

    # -- what is asked again and again

    def active(self, unit: str) -> str:
        return self.sh(f"systemctl is-active {unit} || true").strip()

    def shown(self, unit: str, name: str) -> str:
        return self.sh(f"systemctl show -P {name} {unit}").strip()

    def wait_active(self, *units: str, timeout: float = 120) -> None:
        for unit in units:
            wait_until(lambda: self.active(unit) == "active", timeout, f"{unit} to be active", 0.3)

    def check(self, path: str = "/") -> str:
        """Status code and reason of the node's check, as a balancer sees it."""
        return self.sh(f"curl -s -m 5 -o /dev/null -w '%{{http_code}} %header{{x-galera-reason}}' http://{ADDRESS}:9200{path} || true")

    def holder(self) -> str:
        """Whose port 9200 is."""
        return self.sh("ss -Hltnp sport = :9200 | grep -o '\"[a-z]*\"' | sort -u | tr -d '\"' || true").strip()

    def registered(self) -> bool:
        return self.machine().ok(f"galera-discover --timeout 5s | grep -q {ADDRESS}:3306")

    def server(self) -> str:
        return self.sh("pidof mariadbd || true").strip()

    # -- tests

    def test_01_systemd_finds_nothing_to_complain_about(self) -> None:
        self.assertEqual(self.sh("systemd-analyze verify --man=no /usr/lib/systemd/system/clustercheck* "
                                 "/usr/lib/systemd/system/galera* 2>&1 || true"), "")

    def test_02_xinetd_gives_its_port_to_the_socket(self) -> None:
        """As README.md says: for xinetd, which Debian starts by a script, `systemctl disable --now` is not enough."""
        self.sh("systemctl restart xinetd")
        wait_until(lambda: self.holder() == "xinetd", 20, "xinetd to have the port")
        self.assertFalse(self.machine().ok("systemctl start clustercheck.socket"))
        self.sh("systemctl reset-failed clustercheck.socket; rm /etc/xinetd.d/clustercheck; systemctl reload xinetd")
        wait_until(lambda: self.holder() == "", 20, "xinetd to give the port up")
        self.sh("systemctl start clustercheck.socket")
        self.assertEqual(self.holder(), "systemd")
        self.sh("systemctl disable xinetd && systemctl stop xinetd && systemctl stop clustercheck.socket")
        self.assertFalse(self.machine().ok("pidof xinetd"))

    def test_03_a_node_starts_with_all_that_belongs_to_it(self) -> None:
        self.sh("systemctl start mariadb")  # only by its name, see STAND_IN
        self.sh("systemctl enable --now clustercheck-resident.socket clustercheck-agent.socket")
        self.sh("systemctl enable galera@1 galera-register@1 && systemctl start --no-block galera@1")
        wait_until(lambda: self.server(), 60, "a server")
        while (state := self.active("galera@1")) == "activating":
            self.assertNotEqual(self.active("galera-register@1"), "active", "it announces a node that is not ready")
        self.assertEqual(state, "active")
        self.assertEqual(self.sh("mariadb -N -e \"SHOW STATUS LIKE 'wsrep_local_state_comment'\"").split()[1], "Synced",
                         "systemd takes it for started before it is")
        self.wait_active("galera-register@1")
        self.assertNotEqual(self.active("mariadb"), "active", "two servers at a time")
        wait_until(self.registered, 30, "the node to be registered")
        wait_until(lambda: self.check() == "200 synced", 30, "the check to be up")
        self.assertIn("synced in cluster shop", self.shown("galera@1", "StatusText"))
        self.assertNotEqual(self.shown("galera-register@1", "StatusText"), "")
        self.assertEqual(self.sh("stat -c %U:%a /var/lib/galera-init").strip(), "mysql:750")
        if self.machine().ok("grep -q '^CapBnd:.*[13579bdf]......$' /proc/1/status"):  # CAP_SYS_RESOURCE, not in any container
            self.assertEqual(self.sh("cat /proc/$(pidof mariadbd)/oom_score_adj").strip(), "-600")
            self.assertIn("32768", self.sh("grep 'Max open files' /proc/$(pidof mariadbd)/limits"))

    def test_04_a_resident_check_and_the_agent(self) -> None:
        self.assertEqual({self.check() for _ in range(20)}, {"200 synced"})
        before = self.shown("clustercheck-resident.service", "MainPID")
        self.sh("systemctl reload clustercheck-resident.service")
        self.assertEqual(self.check(), "200 synced")
        self.assertEqual(self.shown("clustercheck-resident.service", "MainPID"), before)
        self.sh(f"kill -9 {before}")
        wait_until(lambda: self.check() == "200 synced", 20, "the check after a kill")
        self.assertNotEqual(self.shown("clustercheck-resident.service", "MainPID"), before)
        self.assertRegex(self.sh(f"socat -T 3 - TCP:{ADDRESS}:9201 < /dev/null"), r"^up ready 100%")
        self.wait_active("clustercheck-agent.service")
        self.sh(f"kill -9 {self.shown('clustercheck-agent.service', 'MainPID')}")
        wait_until(lambda: self.machine().ok(f"socat -T 3 - TCP:{ADDRESS}:9201 < /dev/null | grep -q '^up ready 100%'"), 20,
                   "the agent after a kill")

    def test_05_a_process_a_check_in_its_sandbox(self) -> None:
        self.sh("systemctl start clustercheck.socket")
        self.assertNotEqual(self.active("clustercheck-resident.socket"), "active")
        self.assertEqual({self.check() for _ in range(20)}, {"200 synced"})
        for file in ("/run/clustercheck/disabled", "/var/tmp/clustercheck.disabled"):
            self.sh(f"touch {file}")
            self.assertEqual(self.check(), "503 disabled", file)
            self.sh(f"rm {file}")
        self.assertEqual(self.check(), "200 synced")
        wait_until(lambda: not self.sh("systemctl list-units --no-legend 'clustercheck@*' | cat").strip(), 20,
                   "no check to be left behind")
        self.sh("systemctl start clustercheck-resident.socket")
        self.assertNotEqual(self.active("clustercheck.socket"), "active")

    def test_06_haproxy_loads_what_galera_haproxy_writes(self) -> None:
        examples = "/usr/share/doc/galera-suite/examples"
        self.sh(f"""
            cp {examples}/haproxy/main.cfg /etc/haproxy/haproxy.cfg
            systemctl enable galera-haproxy haproxy
            systemctl start galera-haproxy
            systemctl restart haproxy""")
        self.assertFalse(self.machine().ok("ss -Hltn sport = :33306 | grep ."), "nothing says that HAProxy should load it")
        self.sh(f"""
            install -D -m 0644 -t /etc/systemd/system/haproxy.service.d {examples}/haproxy.service.d/galera.conf
            systemctl daemon-reload
            systemctl restart haproxy""")
        wait_until(lambda: self.machine().ok("galera-haproxy --status"), 30, "HAProxy to have the node")
        query = f"MYSQL_PWD=$(cat /etc/galera-accounts/app.password) mariadb -h {ADDRESS} -P 33306 -u app -N -e 'SELECT @@hostname'"
        self.assertEqual(self.sh(query).strip(), "db1")
        self.sh("systemctl reload haproxy")
        wait_until(lambda: self.machine().ok(query), 20, "queries after a reload")
        before = self.shown("galera-haproxy", "MainPID")
        self.sh(f"kill -9 {before}")
        wait_until(lambda: self.shown("galera-haproxy", "MainPID") not in ("0", before), 30, "galera-haproxy after a kill")
        self.wait_active("galera-haproxy", "haproxy")
        self.assertEqual(self.sh(query).strip(), "db1")

    def test_07_the_server_is_killed_and_comes_back_and_so_does_its_entry(self) -> None:
        before = self.server()
        self.sh(f"kill -9 {before}")
        wait_until(lambda: self.server() not in ("", before), 60, "another server")
        self.wait_active("galera@1", "galera-register@1")
        self.assertEqual(self.shown("galera@1", "NRestarts"), "1")
        wait_until(self.registered, 30, "the node to be registered again")
        wait_until(lambda: self.check() == "200 synced", 30, "the check to be up")

    def test_08_the_courier_ships_the_journal(self) -> None:
        self.sh(f"""
            systemd-run -q --unit collector socat -u TCP-LISTEN:5000,bind={ADDRESS},fork,reuseaddr OPEN:/tmp/events,creat,append
            systemd-run -q --unit collector-entry galera-register --prefix /services/logcollector --id logs --ip {ADDRESS} \
                --port 5000 --check-port 0 --check-interval 0s
            systemctl enable --now galera-log@1""")
        wait_until(lambda: self.machine().ok("grep -q mariadb-error /tmp/events && grep -q galera-register: /tmp/events"), 60,
                   "what is in the journal already")
        self.sh("systemctl restart galera-register@1")
        wait_until(lambda: self.machine().ok("grep -q 'removed the entry' /tmp/events"), 30, "a new message")
        events = [json.loads(line) for line in self.sh("cat /tmp/events").splitlines()]
        server = next(event for event in events if event["type"] == "mariadb-error")
        self.assertEqual((server["program"], server["unit"], server["cluster"], server["instance"], server["host"]),
                         ("mariadbd", "galera@1.service", "shop", "galera@1.service", "db1"))
        own = next(event for event in events if "removed the entry" in event["message"])
        self.assertEqual((own["type"], own["program"], own["severity"]), ("galera-suite", "galera-register", "notice"))

    def test_09_exposure_of_what_runs(self) -> None:
        units = ["galera-register@1", "galera-log@1", "galera-haproxy", "clustercheck-resident", "clustercheck-agent",
                 "clustercheck@1"]
        for unit in units:
            with self.subTest(unit=unit):
                found = self.sh(f"systemd-analyze security --no-pager {unit}.service | grep -o 'Overall exposure.*: [0-9.]*'")
                self.assertLessEqual(float(found.split()[-1]), MOST_EXPOSURE)

    def test_10_a_stop_withdraws_the_entry_first_and_drains(self) -> None:
        self.sh("systemd-run -q --unit session sh -c \"(echo 'SELECT SLEEP(100);'; sleep 100) | mariadb\"")
        wait_until(lambda: self.machine().ok("mariadb -e 'SHOW PROCESSLIST' | grep -q SLEEP"), 20, "a session")
        self.sh("systemctl stop --no-block galera@1")
        wait_until(lambda: not self.registered(), 20, "the entry to be withdrawn")
        self.assertNotEqual(self.server(), "", "the server ended before its entry did")
        wait_until(lambda: self.check() == "404 draining", 20, "the node to drain", 0.05)
        wait_until(lambda: self.active("galera@1") == "inactive", 60, "the node to stop")
        self.assertEqual(self.shown("galera@1", "Result"), "success")
        self.assertEqual(self.server(), "")
        self.assertEqual(self.active("galera-register@1"), "inactive")
        self.assertFalse(self.machine().ok("test -e /run/clustercheck/drain"))
        self.assertEqual(self.active("galera-log@1"), "active", "the courier has nobody to tell it to stop")
        wait_until(lambda: self.check().startswith("503 "), 20, "the check to be down")

    def test_11_a_wrong_configuration_is_tried_once(self) -> None:
        self.sh("echo CLUSTERCHECK_INIT_NODES=many > /etc/default/galera@1; systemctl start galera@1 || true")
        self.assertEqual(self.active("galera@1"), "failed")
        self.assertEqual(self.shown("galera@1", "ExecMainStatus"), "78")
        self.assertEqual(self.shown("galera@1", "NRestarts"), "0")
        self.sh("rm /etc/default/galera@1; systemctl reset-failed galera@1; systemctl start galera@1", timeout=180)
        self.wait_active("galera@1", "galera-register@1")

    def test_12_everything_comes_back_after_a_power_cut(self) -> None:
        self.machine().power_off()
        self.machine().boot(timeout=180)
        self.wait_active("galera@1", "galera-register@1", "galera-log@1", "galera-haproxy", "haproxy")
        wait_until(self.registered, 30, "the node to be registered")
        wait_until(lambda: self.check() == "200 synced", 30, "the check to be up")
        wait_until(lambda: self.machine().ok("galera-haproxy --status"), 30, "HAProxy to have the node")
        self.assertEqual(self.sh("systemctl list-units --failed --plain --no-legend"), "")


if __name__ == "__main__":
    import unittest
    unittest.main()
