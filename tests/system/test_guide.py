"""The guides in docs/, followed on machines with systemd: every block of commands, as it stands there, and what came of it.

`tests/run --system guide -k recovery` follows one. Each but the first and the migration begins with the hosts as
three-hosts.md leaves them; these are kept under build/ for the next run."""
from __future__ import annotations

import json
import re
import tempfile
from pathlib import Path

from galeralab import wait_until
from galeralab.client import SqlError, run_sql
from guidecase import ANY, HOSTS, LEDGER, NODES, PACKAGES, GuideCase
from test_deb import newer, package
import oldworld

LONG = True


class Guides(GuideCase):
    """Each page by itself."""

    def test_three_hosts(self) -> None:
        self.new()
        self.follower.follow("three-hosts.md")
        self.serving()
        for name in NODES:
            self.assertEqual(self.rows(name, "shop.proof"), {1})
        self.nothing_failed()
        self.keep()  # and so they are switched off and on again
        self.assertEqual(self.rows("db2", "shop.proof"), {1})
        self.nothing_failed()

    def test_recovery(self) -> None:
        self.ready()
        self.follower.events["none missing"] = lambda _: self.none_missing(load)
        with self.writing() as load:
            wait_until(lambda: len(load.acknowledged()) > 100, 60, "the writers to write")
            self.follower.follow("recovery.md")
            self.serving()
        self.none_missing(load)
        for name in NODES:
            self.assertNotIn("recovery = manual", self.sh("cat /etc/clustercheck.conf", name))

    def test_maintenance(self) -> None:
        self.ready()
        self.follower.events.update({
            "reaches": lambda names: self.served_by(set(names)),
            "readers saw nothing": lambda _: self.assertEqual([outcome.error for outcome in reads.errors()], []),
        })
        with self.reading() as reads, self.writing() as writes:
            self.follower.follow("maintenance.md", until="All of them")
            # Sessions on the node: cut when it is desynced, and at the end of a drain that they do not end in.
            self.assertLessEqual(len(reads.errors()), 2 * 2, reads.errors())
            # Those on the writer: when it is drained, desynced or stopped.
            self.assertLessEqual(len(writes.errors()), 3 * 2, writes.errors())
            self.follower.follow("maintenance.md", since="All of them")
            self.serving()
        self.none_missing(writes)

    def test_nodes(self) -> None:
        self.ready()
        machine = self.add("db4", "10.0.0.14")
        self.pack(machine)
        machine.boot({**HOSTS, "db4": machine.address})
        for other in self.machines.values():
            other.sh(f"grep -w db4 /etc/hosts || echo '{machine.address} db4' >> /etc/hosts")
        self.let_db1_in(machine)
        self.follower.events["serving"] = lambda words: self.serving(int(words[0]))
        with self.writing() as load:
            self.follower.follow("nodes.md")
            self.serving()
        self.none_missing(load)
        self.assertNotIn("db4", self.sh("galera-init plan"))
        self.assertEqual(self.sh("etcdctl member list").count("started"), 3)

    def test_upgrade(self) -> None:
        self.ready()
        self.newer_packages()
        before = {name: self.main_pids(name) for name in self.machines}
        self.follower.events["upgraded"] = lambda _: self.upgraded(before)
        with self.reading() as reads, self.writing() as writes:
            self.follower.follow("upgrade.md")
            self.serving()
        print(f"errors: {len(reads.errors())} of {len(reads.outcomes)} reads, {len(writes.errors())} of {len(writes.outcomes)} writes; "
              f"longest pause of the writers {writes.longest_stall():.1f} s", flush=True)
        # What the page promises: a reader hardly ever, a writer once when the role moves.
        self.assertLessEqual(len(reads.errors()), 3, reads.errors())
        self.assertLessEqual(len(writes.errors()), 3 * 2, writes.errors())
        self.none_missing(writes)
        for name in NODES:
            self.assertNotEqual(self.main_pids(name)["galera@1"], before[name]["galera@1"])

    def test_security(self) -> None:
        self.ready()
        old = self.sh("cat /etc/galera-accounts/check.password").strip()
        with self.writing() as load:
            self.follower.follow("security.md", until="TLS between")
            self.serving()
        self.none_missing(load)
        self.options = ("--ssl",)
        self.follower.follow("security.md", since="TLS between")
        self.serving()
        self.none_missing(load)
        self.only_from_the_balancer()
        self.assertNotEqual(self.sh("cat /etc/galera-accounts/check.password").strip(), old)
        self.assertFalse(self.machines["db1"].ok(f"MYSQL_PWD='{old}' mariadb -h 10.0.0.11 -u clustercheck -e 'SELECT 1'"))
        self.only_with_tls()
        self.etcd_asks_for_a_password()

    def test_monitoring(self) -> None:
        self.ready()
        self.follower.follow("monitoring.md")
        for name in NODES:
            metrics = self.sh(f"curl -fsS http://{name}:9200/metrics", "lb1")
            self.assertRegex(metrics, r'(?m)^clustercheck_up\{path="/"\} 1$')
            status = json.loads(self.sh(f"curl -fsS http://{name}:9200/status", "lb1"))
            self.assertEqual(status["verdict"]["state"], "up", status)
        self.served_by(set(NODES))
        self.sh("pkill -STOP mariadbd", "db2")
        wait_until(lambda: re.search(r'(?m)^clustercheck_up\{path="/"\} 0$', self.sh("curl -sS http://db2:9200/metrics", "lb1")),
                   30, "the metrics of a hung node to say so")
        self.sh("pkill -CONT mariadbd", "db2")
        self.serving()

    def test_migration(self) -> None:
        self.new()
        self.follower.events["old world"] = self.old_world
        self.follower.follow("migration.md", until="4. The nodes")
        self.assertLess(self.old.longest_stall(), 30, "nothing but the last step interrupts the cluster")
        errors = len(self.old.errors())
        self.follower.follow("migration.md", since="4. The nodes")
        wait_until(lambda: self.old.outcomes[-1].error == "", 60, "the application to go on")
        self.old.stop()
        print(f"{errors} errors before the last step, {len(self.old.errors()) - errors} in it; longest pause "
              f"{self.old.longest_stall():.1f} s", flush=True)
        for name in NODES:
            self.assertEqual(set(self.old.acknowledged()) - self.rows(name, LEDGER), set())
            self.assertEqual(self.sh("mariadb -N -e 'SELECT n FROM shop.kept'", name), "42\n")
            self.assertFalse(self.machines[name].ok("pgrep -f 'classic.sh|/usr/local/bin/discovery'"))
        self.assertFalse(self.machines["lb1"].ok("pgrep -f /usr/local/bin/confd"))
        self.served_by(set(NODES), self.client(ANY, password="oldapp"))

    # -- what the pages promise

    def old_world(self, _words: list[str]) -> None:
        """The cluster of before, and an application that writes to it for as long as the migration takes."""
        oldworld.build(self.machines)
        self.old = self.writing(self.client(ANY, password="oldapp"), clients=1)
        self.old.start()
        self.addCleanup(self.old.stop)

    def newer_packages(self) -> None:
        """The next version of the packages takes the place of this one in root's home."""
        with tempfile.TemporaryDirectory() as drafts:
            for name in PACKAGES:
                file = newer(package(name), Path(drafts))
                for machine in self.machines.values():
                    machine.sh(f"rm ~/{name}_*.deb")
                    machine.put(file, "/root")

    def main_pids(self, name: str) -> dict[str, str]:
        units = ["galera-haproxy"] if name == "lb1" else ["galera@1", "galera-register@1"]
        return {unit: self.sh(f"systemctl show -p MainPID --value {unit}", name).strip() for unit in units}

    def upgraded(self, before: dict[str, dict[str, str]]) -> None:
        """The new version is there and runs, but for galera-init, whose turn comes later."""
        for name in self.machines:
            self.assertIn("next", self.sh("dpkg-query -W -f '${Version}' galera-suite", name))
            for unit, pid in self.main_pids(name).items():
                self.assertNotEqual(pid, "0", f"{unit} on {name}")
                self.assertEqual(pid == before[name][unit], unit == "galera@1", f"{unit} on {name}")

    def only_from_the_balancer(self) -> None:
        run_sql(self.client(), "SELECT 1")
        with self.assertRaises(SqlError) as refused:
            run_sql(self.client(3306, address=HOSTS["db1"]), "SELECT 1")
        self.assertIn(refused.exception.code, (1045, 1130, 1698))

    def only_with_tls(self) -> None:
        """A node's ports speak TLS that its certificate authority vouches for, and nothing else."""
        for name in NODES:
            self.assertIn("Verification: OK", self.sh(
                f"openssl s_client -connect {HOSTS[name]}:4567 -CAfile /etc/mysql/tls/ca.pem -verify_ip {HOSTS[name]} < /dev/null "
                "2>&1 || true"))
            options = self.sh("mariadb -N -e 'SELECT @@wsrep_provider_options'", name)
            self.assertIn("socket.ssl = YES", options)
        run_sql(self.client(), "SELECT 1")
        plain = self.client()
        plain.more = ["--skip-ssl"]
        with self.assertRaises(SqlError):
            run_sql(plain, "SELECT 1")
        # A node that speaks without it is not let in, and says so.
        self.sh("systemctl stop galera@1; sed -i.bak 's/socket[.]ssl=yes/socket.ssl=no/' /etc/mysql/mariadb.conf.d/70-galera.cnf; "
                "systemctl start --no-block galera@1", "db3", timeout=120)
        self.sh("galera-discover --wait 2 --states synced --timeout 30s")
        wait_until(lambda: "started mariadbd" in self.sh("systemctl status galera@1 -n 200 -l --no-pager || true", "db3"), 60,
                   "the node without TLS to be started")
        with self.assertRaises(Exception):
            self.sh("galera-discover --wait 3 --states synced --timeout 15s", timeout=60)
        self.sh("systemctl stop galera@1; mv /etc/mysql/mariadb.conf.d/70-galera.cnf.bak /etc/mysql/mariadb.conf.d/70-galera.cnf; "
                "systemctl start galera@1", "db3", timeout=300)
        self.serving()

    def etcd_asks_for_a_password(self) -> None:
        for command in ("get /galera/shop/uuid", "put /galera/shop/uuid x", "del --prefix /components/galera/"):
            self.assertIn("user name is empty", self.sh(f"etcdctl --command-timeout 30s {command} 2>&1 || true"))
        secret = self.sh("cat /etc/galera-accounts/etcd.password").strip()
        self.assertIn("permission denied", self.sh(
            f"etcdctl --command-timeout 30s --user galera:{secret} put /elsewhere x 2>&1 || true"))
