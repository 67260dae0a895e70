"""clustercheck and what it takes several nodes to see: state transfers by mariabackup and by rsync, and a partition.

A transfer is held while it is looked at: the programs that carry it out are stopped, the servers are not."""
from __future__ import annotations

import signal
import unittest

from checkcase import CheckCase
from harness import SqlError, wait_until

from galeralab import process
from galeralab.mariadb import Node

OTHERS_USABLE = "X-Haproxy-Server-State: UP; name=galera-any/n1; node=lab; weight=1/2; scur=0/0; qcur=0\r\n"
ALONE = "X-Haproxy-Server-State: UP; name=galera-any/n1; node=lab; weight=1/1; scur=0/0; qcur=0\r\n"
ALONE_AND_DOWN = "X-Haproxy-Server-State: DOWN 1/2; name=galera-any/n1; node=lab; weight=1/0; scur=0/0; qcur=0\r\n"


def helpers(node: Node) -> list[process.Identity]:
    """What the node's server has started: the state transfer's scripts and programs."""
    return [one for one in process.marked(node.process.mark) if one != node.process.identity]


def signal_all(node: Node, number: int) -> bool:
    """Signal the helpers until there is none that has not had it; True when there were any."""
    done: set[process.Identity] = set()
    while fresh := set(helpers(node)) - done:
        for one in fresh:
            process.send(one, number)
        done |= fresh
    return bool(done)


class Transfer(CheckCase):
    """n1 gives, n3 receives; the tests share the one transfer and leave it as it is."""

    NODES, HAPROXY = 3, True
    TIMEOUT = ""  # HAProxy does not wait for longer
    METHOD = ""

    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        cls.lab.heal()
        for number in cls.lab.numbers():
            cls.restore_checker(cls, number)
        donor, joiner = cls.lab.node(1), cls.lab.node(3)
        joiner.stop()
        donor.wait_status("cluster_size", "2")
        joiner.forget_position()
        cls.addClassCleanup(donor.sql, "SET GLOBAL wsrep_sst_method=mariabackup")
        donor.sql(f"SET GLOBAL wsrep_sst_method={cls.METHOD}")
        cls.addClassCleanup(joiner.kill)
        joiner.join_launch(f"--wsrep-sst-method={cls.METHOD}", "--wsrep-sst-donor=n1")
        # The server is a donor when it starts them. They are held first and it is asked then: they may not be there for long.
        wait_until(lambda: helpers(donor), 60, "n1 to begin the transfer", 0.01)
        cls.addClassCleanup(signal_all, donor, signal.SIGCONT)
        signal_all(donor, signal.SIGSTOP)
        donor.wait_status("local_state", "2")

    def setUp(self) -> None:
        for number in self.lab.numbers():
            self.restore_checker(number)
        self.node = self.lab.node(1)
        self.addCleanup(self.expect_no_process_left)

    @classmethod
    def let_go(cls) -> None:
        """The transfer goes on, and with it the life of the cluster."""
        signal_all(cls.lab.node(1), signal.SIGCONT)

    def donor(self, policy: str, code: int, header: str = "") -> None:
        self.policy(1, available_when_donor=policy)
        self.expect(code, "donor", header=header)


class DonorTests:
    """What is the same whatever the method."""

    def test_1_donor_is_down_by_default(self) -> None:
        answer = self.expect(503, "donor")
        self.assertEqual(answer.headers["x-galera-state"], "Donor/Desynced")
        self.assertIn(f"wsrep_sst_method={self.METHOD}".encode(), answer.body)
        self.expect(503, "donor", "/rw")

    def test_1_donor_is_alive(self) -> None:
        self.expect(200, "synced", "/live")

    def test_1_donor_is_up_when_always_available(self) -> None:
        self.donor("always", 200)
        self.donor("1", 200)
        self.donor("0", 503)

    def test_1_desync_during_a_transfer_counts_as_desync(self) -> None:
        self.addCleanup(self.node.sql, "SET GLOBAL wsrep_desync=OFF")
        self.node.sql("SET GLOBAL wsrep_desync=ON")
        self.policy(1, available_when_donor="always")
        self.expect(503, "desynced")

    def test_1_joiner_is_joining_and_alive(self) -> None:
        self.assertTrue((self.lab.node(3).data / "sst_in_progress").exists())
        with self.assertRaises(SqlError):
            self.lab.node(3).sql("SELECT 1")
        self.expect(503, "joining", number=3)
        self.expect(200, "joining", "/live", number=3)

    def test_1_joiner_cannot_be_told_from_a_dead_server_without_the_data_directory(self) -> None:
        self.policy(3, datadir="/nonexistent")
        self.expect(503, "cannot-connect", number=3)
        self.expect(503, "cannot-connect", "/live", number=3)

    def test_1_the_third_node_is_synced(self) -> None:
        self.expect(200, "synced", number=2)

    def test_2_both_are_up_after_the_transfer(self) -> None:
        self.let_go()
        self.lab.node(3).wait_ready(120)
        self.assertIn("SST received", self.lab.node(3).log.read_text(errors="replace").rpartition("starting as")[2])
        self.wait_code(3, 200, "synced")
        self.wait_code(1, 200, "synced")
        self.lab.wait_haproxy()


class DonorByMariabackup(DonorTests, Transfer):
    METHOD = "mariabackup"

    def test_1_donor_is_up_for_policies_that_know_a_nonblocking_method(self) -> None:
        self.donor("nonblocking", 200)
        self.donor("last", 200)
        self.donor("last", 200, OTHERS_USABLE)

    def test_1_donor_serves_queries(self) -> None:
        self.assertEqual(self.node.sql("SELECT COUNT(*) FROM mysql.user WHERE user='clustercheck'"), [["1"]])

    def test_1_setting_that_refuses_queries_counts_while_a_donor(self) -> None:
        self.addCleanup(self.node.sql, "SET GLOBAL wsrep_sst_donor_rejects_queries=OFF")
        self.node.sql("SET GLOBAL wsrep_sst_donor_rejects_queries=ON")
        self.policy(1, available_when_donor="always")
        self.expect(503, "rejecting-queries")

    def test_2_setting_that_refuses_queries_does_not_count_afterwards(self) -> None:
        self.let_go()
        self.lab.node(3).wait_ready(120)
        self.addCleanup(self.node.sql, "SET GLOBAL wsrep_sst_donor_rejects_queries=OFF")
        self.node.sql("SET GLOBAL wsrep_sst_donor_rejects_queries=ON")
        self.wait_code(1, 200, "synced")


class DonorByRsync(DonorTests, Transfer):
    METHOD = "rsync"

    def test_1_donor_is_down_for_a_policy_that_asks_for_a_nonblocking_method(self) -> None:
        self.donor("nonblocking", 503)
        self.donor("last", 503)

    def test_1_last_listens_to_the_balancer(self) -> None:
        self.donor("last", 503, OTHERS_USABLE)
        self.donor("last", 200, ALONE)
        self.donor("last", 200, ALONE_AND_DOWN)
        self.donor("nonblocking", 503, ALONE)

    def test_1_last_server_stays_up_in_haproxy(self) -> None:
        """What HAProxy really sends: it takes the donor back once the other node is gone, and lets it go again."""
        haproxy = self.lab.haproxy
        self.policy(1, available_when_donor="last")
        haproxy.wait_server("n1", "DOWN")
        self.assertEqual(haproxy.server("n2")["status"], "UP")
        self.lab.checker(2).disable_file.touch()
        haproxy.wait_server("n2", "DOWN")
        haproxy.wait_server("n1", "UP")
        self.lab.checker(2).disable_file.unlink()
        haproxy.wait_server("n2", "UP")
        haproxy.wait_server("n1", "DOWN")


class Partition(CheckCase):
    """Last in the file: its node comes back by itself, but not at once."""

    NODES, HAPROXY = 3, True
    TIMEOUT = ""

    def test_node_in_a_partition_is_non_primary_then_joining_then_synced(self) -> None:
        node, other = self.lab.node(3), self.lab.node(2)
        other.sql("CREATE OR REPLACE TABLE app.missed (i INT PRIMARY KEY, t VARCHAR(200), KEY (t))")
        node.isolate()
        answer = self.expect(503, "non-primary", number=3)
        self.assertEqual(answer.headers["x-galera-state"], "Initialized")
        self.expect(200, "synced", "/live", number=3)
        self.lab.haproxy.wait_server("n3", "DOWN")
        other.wait_status("cluster_size", "2")
        self.expect(200, "synced", number=1)
        self.expect(200, "synced", number=2)
        # Enough to miss for the incremental transfer, during which SQL is open, to take a while.
        self.policy(3, timeout="20s")  # a check that a busy node answers late is none of its states
        other.sql("USE app; INSERT INTO missed SELECT seq, REPEAT(MD5(seq), 5) FROM seq_1_to_60000")
        node.reconnect()
        seen: list[str] = []

        def synced() -> bool:
            answer = self.ask(number=3)
            self.assertEqual(answer.code, 200 if answer.reason == "synced" else 503, answer)
            seen.extend([answer.reason] if answer.reason not in seen else [])
            return answer.code == 200

        wait_until(synced, 60, "the node to come back", 0)
        self.assertEqual([word for word in seen if word != "joined"], ["non-primary", "joining", "synced"])
        self.lab.wait_haproxy()


if __name__ == "__main__":
    unittest.main()
