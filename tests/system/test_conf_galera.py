"""conf/galera.cnf as it is shipped: real servers take every line of it, and it does what its comments promise."""
from __future__ import annotations

import subprocess
import unittest
from pathlib import Path

from harness import LabCase, NodeOptions, wait_until

from galeralab import host
from galeralab.client import columns
from galeralab.mariadb import Node
from galeralab.optionfile import provider_options, section

SHIPPED = Path(__file__).resolve().parents[2] / "conf" / "galera.cnf"

# What galera-init gives the server itself, and what belongs to one host alone.
FORBIDDEN = {"wsrep_cluster_name", "wsrep_node_name", "wsrep_node_address", "wsrep_sst_donor",
             "wsrep_new_cluster", "wsrep_start_position", "wsrep_node_incoming_address", "wsrep_sst_receive_address"}


def words(name: str) -> str:
    return name.replace("-", "_").lower()


def help_values(cnf: Path) -> dict[str, str]:
    """What `mariadbd --help` makes of an option file; it fails on an option or a value that it does not know."""
    command = [host.tool("mariadbd"), f"--defaults-file={cnf}", f"--user={host.server_user()}", "--help", "--verbose"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False, cwd=cnf.parent)
    if done.returncode:
        raise AssertionError(f"mariadbd refuses {cnf}: {done.stderr}")
    table = done.stdout.partition("\n-----")[2].partition("\n\n")[0]
    return {words(line.split()[0]): " ".join(line.split()[1:]) for line in table.splitlines()[1:] if line.split()}


class ShippedConfiguration(LabCase):
    """A first node and a joiner that run with the file; the lab adds addresses and its own paths alone."""

    first: Node
    second: Node

    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        host.make_state_dir(cls.lab.net)
        # root@localhost and the account of the OS user that the server runs as, as Debian's package makes them.
        cls.first, cls.second = (cls.lab._node(number, [1, 2]) for number in (1, 2))
        lines = [f"{key} = {value}" if value else key for key, value in section(SHIPPED)
                 if words(key) not in ("bind_address", "wsrep_provider_options", "wsrep_cluster_address")]
        for node in (cls.first, cls.second):
            node.configure(NodeOptions(provider=provider_options(SHIPPED), lines=lines))
        cls.install(cls.first)
        cls.first.bootstrap()
        cls.second.join()

    @staticmethod
    def install(node: Node) -> None:
        command = [host.tool("mariadb-install-db"), f"--defaults-file={node.cnf}", "--skip-test-db",
                   "--skip-name-resolve", f"--user={host.server_user()}", "--auth-root-authentication-method=socket"]
        done = subprocess.run(command, capture_output=True, text=True, cwd=node.home, check=False, timeout=120)
        if done.returncode:
            raise AssertionError(f"mariadb-install-db failed: {done.stdout}{done.stderr}")

    def test_every_line_is_in_force(self) -> None:
        """The file alone, as the server reads it."""
        values = help_values(SHIPPED)
        for key, value in section(SHIPPED):
            with self.subTest(key):
                wanted = value.lower()
                self.assertIn(values[words(key)].lower(), (wanted, {"on": "true", "off": "false"}.get(wanted, wanted)))

    def test_provider_has_every_option(self) -> None:
        shown = self.first.variable("wsrep_provider_options")
        running = dict((key.strip(), value.strip()) for key, _, value in
                       (item.partition("=") for item in shown.split(";")) if key.strip())
        for key, value in provider_options(SHIPPED).items():
            with self.subTest(key):
                self.assertEqual(running[key], value)

    def test_nothing_that_galera_init_passes(self) -> None:
        self.assertEqual({words(key) for key, _ in section(SHIPPED)} & FORBIDDEN, set())
        self.assertEqual({key for key in provider_options(SHIPPED)
                          if key.startswith(("base_", "gmcast.listen", "ist.recv", "pc.bootstrap"))}, set())

    def test_a_start_by_hand_forms_no_cluster(self) -> None:
        """Without galera-init the server finds nobody, and ends."""
        spare = self.lab._node(3, [1, 2, 3])
        values = dict(section(SHIPPED))
        spare.configure(NodeOptions(lines=[f"wsrep_cluster_address = {values['wsrep_cluster_address']}"]))
        self.install(spare)
        spare.launch()
        self.addCleanup(spare.kill)
        spare.process.wait_gone(60)
        self.assertIn("No address to connect", spare.log.read_text(errors="replace"))

    def test_position_can_be_recovered_with_the_file_alone(self) -> None:
        spare = self.lab._node(4, [1, 2, 4])
        spare.configure()
        for option in (["--wsrep-recover"], ["--help", "--verbose"]):
            command = [host.tool("mariadbd"), f"--defaults-file={SHIPPED}", f"--datadir={spare.data}",
                       f"--user={host.server_user()}", "--skip-networking", *option]
            done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False, cwd=spare.home)
            self.assertEqual(done.returncode, 0, done.stderr)

    def test_mariabackup_needs_no_password(self) -> None:
        """The joiner's data came by mariabackup, as the account that the installation made for the server's OS user."""
        self.assertEqual(self.first.variable("wsrep_sst_method"), "mariabackup")
        self.assertEqual(dict(section(SHIPPED))["wsrep_sst_auth"], "mysql:")
        self.assertIn("unix_socket", self.first.sql("SHOW CREATE USER mysql@localhost")[0][0])
        log = self.second.log.read_text(errors="replace")
        self.assertIn("mariabackup SST completed on joiner", log)
        wait_until(self.second.usable, 60, "the joiner to be Synced")

    def test_safe_after_a_crash(self) -> None:
        values = columns(self.first.sql("SHOW GLOBAL VARIABLES"))
        self.assertEqual(values["innodb_flush_log_at_trx_commit"], "1")
        self.assertEqual(values["innodb_doublewrite"], "ON")
        self.assertEqual(values["binlog_format"], "ROW")
        self.assertEqual(values["innodb_autoinc_lock_mode"], "2")


if __name__ == "__main__":
    unittest.main()
