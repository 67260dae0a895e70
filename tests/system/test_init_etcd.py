"""etcd comes and goes, hangs and forgets: running servers go on, and nobody bootstraps because of it."""
from __future__ import annotations

import unittest

from initcase import Managed, WholeCase

UNREACHABLE = r"etcd unreachable"


class EtcdTrouble(WholeCase):
    def etcd_dies(self) -> None:
        self.lab.etcd.member(1).kill()

    def etcd_returns_empty(self) -> None:
        self.lab.etcd.member(1).wipe()
        self.lab.etcd.start(1)

    def stop_all(self) -> None:
        for node in (self.node(3), self.node(2), self.node(1)):
            node.stop()

    def servers(self) -> list:
        return [node.server() for node in self.nodes]

    def assert_goes_on(self, servers: list) -> None:
        self.assertEqual(self.servers(), servers, "a server was stopped because of etcd")
        self.wait_whole(60)

    def test_running_nodes_go_on_without_it(self) -> None:
        servers, marks = self.servers(), self.marks()
        self.etcd_dies()
        for node in self.nodes:
            node.wait_said(UNREACHABLE, since=marks[node.name])
        self.write_rows(self.node(2), 5)
        self.assert_goes_on(servers)
        self.lab.etcd.start(1)
        self.wait_for(lambda: all(self.keys.member(node.name).get("phase") == "synced" for node in self.nodes), 60,
                      "all leases again")
        self.assert_goes_on(servers)
        self.assert_one_cluster(self.uuid)

    def test_a_killed_node_joins_the_members_that_it_knows(self) -> None:
        node = self.node(3)
        self.etcd_dies()
        node.kill()
        self.write_rows(self.node(1), 3)
        mark = node.mark()
        node.launch()
        node.wait_said(r"etcd unreachable, but (n1, n2|n[12]), known from before, (run|runs) as Primary: joining", since=mark)
        self.wait_whole()
        self.finish()

    def test_a_stopped_node_that_others_may_count_on_waits(self) -> None:
        node = self.node(3)
        node.stop()
        self.etcd_dies()
        mark = node.mark()
        node.launch()
        node.wait_said(r"etcd unreachable: n1, n2 run as Primary, but others may count on our record that says we are "
                       r"stopped; waiting for etcd", since=mark)
        self.assertIsNone(node.server())
        self.finish()

    def test_nobody_bootstraps_without_it(self) -> None:
        self.stop_all()
        self.etcd_dies()
        marks = self.marks()
        self.launch_all()
        for node in self.nodes:
            node.wait_said(r"etcd unreachable: will not bootstrap", since=marks[node.name])
        self.wait_verdict(self.node(1), "wait", "etcd-unreachable")
        self.assertEqual(self.servers(), [None, None, None])
        self.finish()

    def test_it_hangs(self) -> None:
        servers, marks = self.servers(), self.marks()
        self.lab.etcd.member(1).freeze()
        for node in self.nodes:
            node.wait_said(UNREACHABLE, since=marks[node.name])
        self.write_rows(self.node(1), 3)
        self.assert_goes_on(servers)
        self.lab.etcd.member(1).thaw()
        self.assert_goes_on(servers)
        self.finish()

    def test_it_hangs_while_everybody_starts_and_stops(self) -> None:
        self.stop_all()
        self.lab.etcd.member(1).freeze()
        marks = self.marks()
        self.launch_all()
        self.node(1).wait_said(UNREACHABLE)
        self.node(1).stop(60)
        self.lab.etcd.member(1).thaw()
        self.finish()

    def test_a_node_stops_without_it(self) -> None:
        node = self.node(2)
        self.etcd_dies()
        mark = node.mark()
        node.stop()
        self.assertTrue(node.said(r"cannot record where the server has stopped; the next start of this node does",
                                  since=mark), node.words(10))
        self.finish()

    # -- it forgets

    def test_it_forgets_while_the_cluster_runs(self) -> None:
        servers = self.servers()
        self.etcd_dies()
        self.etcd_returns_empty()
        self.wait_for(lambda: self.keys.uuid() == self.uuid and
                      all(self.keys.position(node.name).get("state") == "running" for node in self.nodes), 90,
                      "the members to tell etcd again")
        self.assertEqual(self.keys.bootstrap()["phase"], "primary")
        self.assert_goes_on(servers)

        joiner = self.node(3)
        joiner.stop()
        joiner.blank()
        self.finish()

    def test_it_forgets_while_everybody_is_stopped(self) -> None:
        self.stop_all()
        self.keys.clear()
        marks = self.marks()
        self.node(1).launch()
        self.node(1).wait_said(r"1 of 3 nodes have registered|n2, n3 have not reported")
        self.assertIsNone(self.node(1).server())
        self.finish()

    def test_it_forgets_and_an_empty_node_is_there_first(self) -> None:
        first, second, third = self.nodes
        self.stop_all()
        self.keys.clear()
        first.blank()
        first.launch()
        second.launch()
        first.wait_said(r"no cluster (is )?recorded, but n2 has data")
        self.assertEqual(self.servers(), [None, None, None])
        third.launch()
        self.wait_whole()
        self.assert_one_cluster(self.uuid)
        self.assertNotEqual(self.keys.bootstrap()["node"], "n1")


if __name__ == "__main__":
    unittest.main()
