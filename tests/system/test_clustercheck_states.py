"""clustercheck and what one real server says of itself: every reason that needs no second node."""
from __future__ import annotations

import unittest

from checkcase import CheckCase, reasons, whole
from fakeserver import FakeServer, answering
from harness import Session, SqlError, http_probe

from galeralab import host

CLASSIC_FILE = b"/var/tmp/clustercheck.disabled"


class Synced(CheckCase):
    def test_synced_node_is_up(self) -> None:
        answer = self.expect(200, "synced")
        self.assertEqual(answer.headers["x-galera-state"], "Synced")
        self.assertEqual(answer.body, b"Galera cluster node is synced.\r\n")

    def test_body_is_the_sentence_of_the_chosen_classic(self) -> None:
        self.policy(body="percona")
        self.assertEqual(self.ask().body, b"Percona XtraDB Cluster Node is synced.\r\n")
        self.node.sql("SET GLOBAL wsrep_desync=ON")
        self.assertTrue(self.ask().body.startswith(b"Percona XtraDB Cluster Node is not synced.\r\n"))

    def test_every_path_is_up(self) -> None:
        for path in ("/rw", "/ro", "/live", "/anything", "/rw?a=b"):
            self.assertEqual(self.ask(path).code, 200, path)

    def test_account_needs_no_privilege(self) -> None:
        self.assertEqual(self.node.sql("SHOW GRANTS FOR clustercheck@'%'")[0][0].split(" TO ")[0], "GRANT USAGE ON *.*")


class ByHand(CheckCase):
    """What an admin does to the server."""

    def test_desynced_node_is_down_unless_the_policy_allows_it(self) -> None:
        self.node.sql("SET GLOBAL wsrep_desync=ON")
        answer = self.expect(503, "desynced")
        self.assertEqual(answer.headers["x-galera-state"], "Donor/Desynced")
        self.assertIn(b"wsrep_desync=OFF", answer.body)
        self.expect(200, "synced", "/live")
        self.policy(available_when_desynced="yes")
        self.expect(200, "desynced")

    def test_desynced_node_is_not_taken_for_a_donor(self) -> None:
        self.node.sql("SET GLOBAL wsrep_desync=ON")
        for policy in ("always", "nonblocking", "last"):
            self.policy(available_when_donor=policy)
            self.expect(503, "desynced")

    def test_node_that_a_backup_has_locked_counts_as_a_donor(self) -> None:
        with Session(self.node.root()) as session:
            session.query("FLUSH TABLES WITH READ LOCK")
            self.assertIn(b"locked by a backup", self.expect(503, "donor").body)
            session.query("UNLOCK TABLES")
            self.expect(200, "synced")

    def test_node_that_rejects_queries_is_down(self) -> None:
        self.node.sql("SET GLOBAL wsrep_reject_queries=ALL")
        with self.assertRaises(SqlError) as caught:
            self.node.sql("SELECT 1 FROM app.nothing")
        self.assertEqual(caught.exception.code, 1047)
        self.assertIn(b"wsrep_reject_queries is ALL", self.expect(503, "rejecting-queries").body)
        self.expect(200, "synced", "/live")
        self.node.sql("SET GLOBAL wsrep_reject_queries=ALL_KILL")
        self.expect(503, "rejecting-queries")

    def test_read_only_node_by_policy_and_path(self) -> None:
        self.node.sql("SET GLOBAL read_only=ON")
        self.expect(200, "synced")
        self.expect(503, "read-only", "/rw")
        self.expect(200, "synced", "/ro")
        self.policy(available_when_readonly="no")
        self.assertTrue(self.expect(503, "read-only").body.startswith(b"Galera cluster node is read-only.\r\n"))
        self.expect(200, "synced", "/ro")
        self.expect(200, "synced", "/live")

    def test_node_without_wsrep_on_is_standalone(self) -> None:
        self.addCleanup(self.node.sql, "SET GLOBAL wsrep_on=ON")
        self.node.sql("SET GLOBAL wsrep_on=OFF")
        self.assertIn(b"wsrep_on is OFF", self.expect(503, "standalone").body)
        self.expect(200, "synced", "/live")

    def test_node_that_left_the_cluster_is_non_primary(self) -> None:
        address = self.node.variable("wsrep_cluster_address")
        self.addCleanup(self.node.kill)
        self.node.sql("SET GLOBAL wsrep_cluster_address=''")
        self.assertIn(b"Disconnected", self.expect(503, "non-primary").body)
        self.expect(200, "synced", "/live")
        self.assertTrue(address.startswith("gcomm://"))


class Files(CheckCase):
    """What an admin says with a file; the server is not asked then, as the frozen one shows."""

    def test_disable_file_takes_the_node_out(self) -> None:
        self.checker.disable_file.touch()
        answer = self.expect(503, "disabled")
        self.assertTrue(answer.body.startswith(b"Galera cluster node is manually disabled.\r\n"))
        self.expect(503, "disabled", "/rw")
        self.expect(200, "synced", "/live")
        self.checker.disable_file.unlink()
        self.expect(200, "synced")

    def test_drain_file_answers_404(self) -> None:
        self.checker.drain_file.touch()
        self.assertEqual(self.expect(404, "draining").phrase, "Not Found")
        self.expect(404, "draining", "/ro")
        self.expect(200, "synced", "/live")
        self.checker.disable_file.touch()
        self.expect(503, "disabled")

    def test_server_is_not_asked_when_a_file_has_decided(self) -> None:
        self.policy(timeout="30s")
        self.freeze()
        self.checker.drain_file.touch()
        self.expect(404, "draining")
        self.checker.drain_file.unlink()
        self.checker.disable_file.touch()
        self.expect(503, "disabled")

    def test_classic_disable_file(self) -> None:
        """The real path would take out every other node on this machine: a copy of the program has another one."""
        marker = self.lab.directory / "classic"
        replacement = f"/proc/self/cwd/{marker.name}".encode().ljust(len(CLASSIC_FILE), b"\0")
        self.assertEqual(len(replacement), len(CLASSIC_FILE))
        program = host.clustercheck_bin().read_bytes()
        self.assertEqual(program.count(CLASSIC_FILE + b"\0"), 1)
        copy = self.lab.directory / "clustercheck-copy"
        copy.write_bytes(program.replace(CLASSIC_FILE, replacement))
        copy.chmod(0o755)
        starter = self.node.home / "start-copy"
        starter.write_text(f'#!/bin/sh\ncd {self.lab.directory} && exec {copy} "$@"\n')
        starter.chmod(0o755)
        self.service(server=str(starter))
        self.expect(200, "synced")
        marker.touch()
        self.addCleanup(marker.unlink)
        self.expect(503, "disabled")


class OtherServers(CheckCase):
    def test_server_without_wsrep_is_standalone(self) -> None:
        server = self.lab.plain()
        self.addCleanup(self.lab.remove_plain)
        answer = whole(http_probe(server.address))
        self.assertEqual(reasons(answer), (503, "standalone"), answer)
        answer = whole(http_probe(server.address, request=b"GET /live HTTP/1.0\r\n\r\n"))
        self.assertEqual(reasons(answer), (200, "synced"), answer)

    def against(self, server: FakeServer) -> None:
        self.configure(1, {"mysql": {"host": server.address, "port": str(server.port), "socket": None}})

    def test_xtradb_cluster_in_maintenance(self) -> None:
        """A stand-in that talks like PXC 8, which has names that MariaDB lacks, and the other way round."""
        facts = {"wsrep_local_state": "4", "wsrep_local_state_comment": "Synced", "wsrep_cluster_status": "Primary",
                 "wsrep_ready": "ON", "wsrep_on": "ON", "wsrep_provider": "/usr/lib/libgalera_smm.so",
                 "pxc_maint_mode": "DISABLED"}
        with FakeServer(self.lab.net, answering("8.0.36-28.1", facts)) as server:
            self.against(server)
            self.expect(200, "synced")
            facts["pxc_maint_mode"] = "SHUTDOWN"
            self.expect(503, "maintenance")
            facts.update(pxc_maint_mode="DISABLED", wsrep_local_state="0", wsrep_local_state_comment="Initialized")
            self.expect(503, "initialized")
            facts.update(wsrep_local_state="3")
            self.expect(503, "joined")
            facts.update(wsrep_local_state="9")
            self.expect(503, "not-ready")

    def test_mysql_without_wsrep_is_standalone(self) -> None:
        with FakeServer(self.lab.net, answering("8.0.36", {"read_only": "OFF", "version": "8.0.36"},
                                                unknown=b"wsrep_sync_wait")) as server:
            self.against(server)
            self.expect(503, "standalone")


if __name__ == "__main__":
    unittest.main()
