"""Networks that break: each node has one of its own, which is cut from the others' and from etcd.

The partitions that Galera itself can simulate are in test_init_supervision.py; there etcd and the servers' SQL stay
within reach."""
from __future__ import annotations

import unittest

from initcase import HEAL, Managed, SqlError, WholeCase

from galeralab.netns import NamespaceLab



class Network(WholeCase):
    LAB = NamespaceLab
    lab: NamespaceLab

    def heal(self, timeout: float = HEAL) -> None:
        self.mend_network()
        super().heal(timeout)

    def mend_network(self) -> None:
        self.lab.network.mend(range(1, self.NODES + 1))

    def wait_non_primary(self, node: Managed) -> None:
        node.wait_status("cluster_status", "non-Primary")

    def servers(self) -> list:
        return [node.server() for node in self.nodes]

    def test_a_node_that_loses_the_others_but_not_etcd(self) -> None:
        node, servers = self.node(3), self.servers()
        self.keep_writing()
        mark = node.mark()
        self.lab.network.part(3, (1, 2))
        node.wait_said(r"partitioned from n1, n2", 60, since=mark)
        self.assertEqual(node.wsrep("cluster_status"), "non-Primary")
        self.wait_synced(self.nodes[:2])
        self.finish()
        self.assertEqual(self.servers(), servers, "a partition is no reason to stop a server")

    def test_the_bootstrapper_loses_everything(self) -> None:
        node, servers = self.node(1), self.servers()
        self.keep_writing()
        mark = node.mark()
        self.lab.network.cut(1)
        self.wait_non_primary(node)
        node.wait_said(r"etcd unreachable", since=mark)
        self.wait_synced(self.nodes[1:])
        self.wait_for(lambda: not self.keys.member("n1"), 60, "the lease of n1 to expire")
        self.finish()
        self.assertEqual(self.servers(), servers)

    def test_a_cut_off_node_restarts(self) -> None:
        """With what it remembers alone, it must not begin anything."""
        node = self.node(3)
        self.keep_writing()
        self.lab.network.cut(3)
        self.wait_non_primary(node)
        node.kill()
        mark = node.mark()
        node.launch()
        node.wait_said(r"etcd unreachable: will not bootstrap", since=mark)
        self.assertIsNone(node.server())
        self.finish()

    def test_a_node_that_reaches_etcd_alone_restarts(self) -> None:
        node = self.node(3)
        self.keep_writing()
        self.lab.network.part(3, (1, 2))
        self.wait_non_primary(node)
        node.kill()
        mark = node.mark()
        node.launch()
        node.wait_said(r"waiting|n1, n2", since=mark)
        self.assertIsNone(node.server())
        self.finish()

    def test_everybody_is_cut_off_from_everybody(self) -> None:
        """Nobody is a majority, and nobody may become one by himself; then Galera merges them."""
        servers = self.servers()
        self.keep_writing()
        for number in (1, 2, 3):
            self.lab.network.cut(number)
        for node in self.nodes:
            self.wait_non_primary(node)
        self.assertEqual([node.wsrep("cluster_status") for node in self.nodes], ["non-Primary"] * 3)
        self.finish()
        self.assertEqual(self.servers(), servers)

    def test_a_minority_alone_with_etcd_after_the_majority_died_elsewhere(self) -> None:
        """n3 reaches etcd, n1 and n2 reach each other: they acknowledge writes that n3 must not do without."""
        self.lab.network.part(3, (1, 2))
        self.wait_non_primary(self.node(3))
        self.wait_synced(self.nodes[:2])
        self.lab.network.cut(1)
        self.lab.network.cut(2)
        self.write_rows_locally()
        mark = self.node(3).mark()
        self.wait_for(lambda: not self.keys.member("n1") and not self.keys.member("n2"), 60, "their leases to expire")
        self.node(3).wait_said(r"n1, n2 unaccounted for: start them, or attest their loss", since=mark)
        self.assertEqual(self.node(3).wsrep("cluster_status"), "non-Primary")
        self.finish()

    def write_rows_locally(self) -> None:
        """On whoever still takes them; a cut link does not cut the Unix socket."""
        for node in self.nodes[:2]:
            try:
                self.ledger.write(node.name, node.root(), 1)
            except SqlError:  # it turned non-Primary meanwhile
                pass


if __name__ == "__main__":
    unittest.main()
