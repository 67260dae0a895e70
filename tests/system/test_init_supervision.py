"""A cluster that runs: single nodes come and go, hang, lose their galera-init or their network; and how they stop."""
from __future__ import annotations

import signal
import unittest

from initcase import InitOptions, WholeCase, wait_until

from galeralab.client import Session

SLOW = True


class OneNode(WholeCase):
    def test_a_killed_node_comes_back_by_an_incremental_transfer(self) -> None:
        node = self.node(2)
        self.keep_writing()
        node.kill()
        self.wait_synced((self.node(1), self.node(3)))
        log, mark = node.log.stat().st_size, node.mark()
        node.launch()
        self.wait_whole()
        node.wait_said(r"(n1, n3 run|n[13] runs) as Primary: joining from seqno \d+", 1, since=mark)
        self.assertIn("IST received", node.log.read_text(errors="replace")[log:])
        self.assertTrue(any(word.endswith(",") for word in node.server_argv() if word.startswith("--wsrep-sst-donor=")),
                        node.server_argv())
        self.assert_one_cluster(self.uuid)

    def test_a_wrong_setting_does_not_cost_a_good_copy(self) -> None:
        """A server that cannot tell its position because of a setting is not taken for one with damaged data."""
        node = self.node(2)
        self.keep_writing()
        node.kill()
        right = node.cnf.read_text()
        node.cnf.write_text(right.replace("[mysqld]\n", "[mysqld]\ninnodb_page_size = 8192\n", 1))
        node.launch()
        self.assertEqual(node.wait_exit(60), 78, node.words(20))
        node.wait_said(r"the server cannot tell its position .*: InnoDB's files are not as its settings say.*"
                       r"the data are damaged: they are kept", 1)
        self.assertEqual(self.keys.position("n2")["state"], "running")
        node.cnf.write_text(right)
        log = node.log.stat().st_size
        node.launch()
        self.wait_whole()
        self.assertIn("IST received", node.log.read_text(errors="replace")[log:])
        self.assert_one_cluster(self.uuid)

    def test_damaged_data_are_replaced(self) -> None:
        node = self.node(2)
        node.kill()
        with (node.data / "ib_logfile0").open("r+b") as redo:
            redo.write(bytes(range(256)) * 64)
        mark = node.mark()
        node.launch()
        self.wait_whole()
        node.wait_said(r"--wsrep-recover found no position, or damaged data", 1, since=mark)
        self.finish()

    def test_a_wiped_node_gets_everything(self) -> None:
        node = self.node(2)
        node.stop()
        node.lose_data()
        self.keep_writing()
        node.launch()
        self.finish()

    def test_a_wiped_host_gets_everything(self) -> None:
        node = self.node(2)
        node.kill()
        node.blank()
        self.finish()

    def test_galera_init_killed_alone(self) -> None:
        """Its server is a stranger to the next one, which stops it before anything else."""
        node = self.node(2)
        self.keep_writing()
        left = node.server()
        node.kill_init()
        self.assertEqual(node.server(), left)
        mark = node.mark()
        node.launch()
        node.wait_said(r"a server that we did not start uses the data directory: stopping it", since=mark)
        self.wait_for(lambda: node.server() not in (left, None), 90, "another server")
        self.finish()

    def test_galera_init_killed_alone_everywhere(self) -> None:
        self.keep_writing()
        for node in self.nodes:
            node.kill_init()
        self.launch_all()
        self.finish()

    def test_the_server_killed_alone(self) -> None:
        node = self.node(3)
        self.keep_writing()
        mark = node.mark()
        node.kill_server()
        code = node.wait_exit()
        self.assertNotIn(code, (0, None), "a server that was killed is no clean stop")
        self.assertTrue(node.said(r"(?i)kill", since=mark), node.words(20))
        self.assertEqual(self.keys.position("n3")["state"], "running", "nobody attested where that server stood")
        self.finish()

    def test_a_member_that_cannot_be_asked_with_the_configured_password(self) -> None:
        node = self.node(3)
        node.stop()
        wrong = node.home / "wrong.password"
        wrong.write_text("wrong\n")
        node.configure(InitOptions(mysql={"password_file": str(wrong)}))
        mark = node.mark()
        node.launch()
        node.wait_said(r"(?i)access denied", since=mark)
        self.assertIsNone(node.server())
        node.stop()
        self.restore()
        self.assert_one_cluster(self.uuid)

    def test_two_nodes_join_at_once(self) -> None:
        """One donor is left."""
        first, second, third = self.nodes
        second.stop()
        third.stop()
        for node in (second, third):
            node.lose_data()
        second.launch()
        third.launch()
        self.wait_whole()
        self.assert_one_cluster(self.uuid)


class Frozen(WholeCase):
    def test_galera_init_is_frozen_and_its_lease_expires(self) -> None:
        node = self.node(1)
        server = node.server()
        self.keep_writing()
        node.process.freeze()
        self.wait_for(lambda: not self.keys.member("n1"), 60, "the lease of n1 to expire")
        node.process.thaw()
        self.wait_for(lambda: self.keys.member("n1").get("phase") == "synced", 60, "a new lease")
        self.assertEqual(node.server(), server)
        self.assert_one_cluster(self.uuid)

    def test_a_frozen_galera_init_misses_the_whole_recovery(self) -> None:
        """It wakes up with old knowledge; whatever it was about to write must fail."""
        first, second, third = self.nodes
        first.stop()
        first.launch()
        first.process.freeze()  # somewhere on its way to joining
        for node in (second, third):
            node.stop()
        second.launch()
        third.launch()
        second.wait_said(r"n1|waiting")
        first.process.thaw()
        self.finish()

    def test_a_server_is_frozen_and_evicted(self) -> None:
        node = self.node(2)
        self.keep_writing()
        node.freeze_server()
        self.node(1).wait_status("cluster_size", "2", 60)
        self.finish()

    def test_a_server_that_does_not_stop_is_killed_after_stop_timeout(self) -> None:
        node = self.node(2)
        node.stop()
        node.configure(InitOptions(init={"stop_timeout": "3s"}))
        node.launch()
        self.wait_whole()
        mark = node.mark()
        node.freeze_server()
        node.terminate()
        node.wait_exit(60)
        self.assertIsNone(node.server())
        self.assertTrue(node.said(r"stop_timeout|(?i:kill)", since=mark), node.words(20))
        self.finish()


class Stops(WholeCase):
    def test_a_clean_stop_attests_and_drains(self) -> None:
        node = self.node(3)
        node.stop()
        node.configure(InitOptions(init={"drain": "60s", "ttl": "60s"}))
        node.launch()
        self.wait_whole()
        with Session(node.app()) as client:  # for as long as it is there the node drains
            self.assertEqual(client.query("SELECT 1"), [["1"]])
            node.terminate()
            wait_until(lambda: node.checker.drain_file.exists(), 60, "the node to drain", 0.02)
            self.assertEqual(client.query("SELECT 2"), [["2"]])
        self.assertEqual(node.wait_exit(), 0)
        self.assertFalse(node.checker.drain_file.exists())
        record = self.keys.position("n3")
        self.assertEqual((record["state"], record["copy"]), ("attested", "trusted"))
        self.assertRegex(record["position"], rf"^{self.uuid}:\d+$")
        self.wait_for(lambda: not self.keys.member("n3"), 30, "the lease to be given back, not to expire")
        self.finish()

    def test_a_stop_while_etcd_is_slow_is_recorded_when_it_answers(self) -> None:
        """Else the others would wait for a node that has nothing they lack."""
        node = self.node(3)
        etcd = self.lab.etcd.member(1)
        mark = node.mark()
        etcd.freeze()
        node.terminate()
        node.wait_said(r"where the server has stopped is not recorded yet; trying again", since=mark)
        etcd.thaw()
        self.assertEqual(node.wait_exit(), 0)
        self.assertEqual(self.keys.position("n3")["state"], "attested", node.words(20))
        self.finish()

    def test_a_stop_right_after_it_has_joined(self) -> None:
        """galera-init, asleep meanwhile, has not seen that its server became Primary."""
        node = self.node(3)
        node.stop()
        left = self.keys.position("n3")["position"]
        self.write_rows(self.node(1))
        node.configure(InitOptions(init={"drain": "2s"}))
        node.launch()
        self.wait_for(node.server, 60, "n3 to start its server")
        node.process.freeze()
        node.wait_status("local_state_comment", "Synced", 60)
        mark = node.mark()
        node.terminate()
        node.process.thaw()
        self.assertEqual(node.wait_exit(), 0)
        self.assertTrue(node.said(r"draining: ", since=mark), node.words(20))
        record = self.keys.position("n3")
        self.assertEqual((record["state"], record["copy"]), ("attested", "trusted"))
        self.assertNotEqual(record["position"], left)
        self.finish()

    def test_sigterm_while_it_joins(self) -> None:
        node = self.node(3)
        node.stop()
        node.lose_data()
        node.launch()
        self.wait_for(lambda: node.server(), 60, "n3 to start its server")
        node.terminate()
        code = node.wait_exit(120)
        self.assertIsNone(node.server())
        self.assertIsNotNone(code)
        self.finish()

    def test_sigterm_to_a_donor(self) -> None:
        donor = self.begin_transfer(self.node(3))
        server, mark = donor.server(), donor.mark()
        donor.terminate()
        donor.wait_said(r"a state transfer is under way; waiting up to \S+ \(stop_timeout\) for its end", since=mark)
        self.assertEqual(donor.server(), server)
        self.release_transfers()
        donor.wait_exit(120)
        self.finish()

    def test_sigint_and_a_second_signal(self) -> None:
        node = self.node(3)
        mark = node.mark()
        node.freeze_server()  # it would be gone before the second signal
        node.process.signal(signal.SIGINT)
        node.wait_said(r"stopping the server", since=mark)
        node.process.signal(signal.SIGTERM)
        node.thaw_server()
        self.assertEqual(node.wait_exit(90), 0, node.words(20))
        self.assertIsNone(node.server())
        self.finish()


class Partition(WholeCase):
    def test_a_minority_stays_non_primary_and_merges_later(self) -> None:
        node = self.node(3)
        server = node.server()
        self.keep_writing()
        mark = node.mark()
        node.isolate()
        self.node(1).wait_status("cluster_size", "2", 60)
        node.wait_said(r"in contact with n1, n2: Galera merges us by itself", since=mark)
        before = self.ledger.count("n1")
        self.wait_for(lambda: self.ledger.count("n1") > before + 5, 60, "the majority to take writes")
        self.assertEqual(node.wsrep("cluster_status"), "non-Primary")
        node.reconnect()
        self.finish()
        self.assertEqual(node.server(), server, "a partition is no reason to stop a server")

    def test_a_minority_that_cannot_ask_the_others_either(self) -> None:
        """A network that is cut does not carry questions; a locked account comes to the same."""
        node = self.node(3)
        server, mark = node.server(), node.mark()
        self.node(1).sql("ALTER USER clustercheck@'%' ACCOUNT LOCK")
        node.isolate()
        try:
            node.wait_said(r"partitioned from n1, n2", since=mark)
            self.assertEqual(node.wsrep("cluster_status"), "non-Primary")
        finally:
            self.node(1).sql("ALTER USER clustercheck@'%' ACCOUNT UNLOCK")
            node.reconnect()
        self.finish()
        self.assertEqual(node.server(), server)

    def test_isolated_and_killed(self) -> None:
        node = self.node(3)
        self.keep_writing()
        node.isolate()
        node.kill()
        self.finish()


if __name__ == "__main__":
    unittest.main()
