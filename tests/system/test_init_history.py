"""Data of other clusters: nobody erases them, mixes them or guesses which are the right ones."""
from __future__ import annotations

import unittest

from initcase import REFUSED, InitOptions, Keys, Managed, WholeCase

TWO = InitOptions(nodes=2)


class Histories(WholeCase):
    NODES = 2
    OPTIONS = TWO

    def give_foreign_history(self, node: Managed) -> str:
        """The node was a cluster of its own under another name; its uuid."""
        node.stop()
        node.blank()
        Keys(self.lab.etcd, "another").clear()
        node.configure(InitOptions(nodes=1, init={"cluster": "another"}))
        node.launch()
        node.wait_settled()
        node.sql("CREATE TABLE app.foreign_data (id INT PRIMARY KEY)")
        uuid = node.wsrep("cluster_state_uuid")
        node.stop()
        node.lose_state()
        node.configure(TWO)
        return uuid

    def test_a_node_with_another_history_is_refused_until_it_is_told_to_discard_it(self) -> None:
        node = self.node(2)
        foreign = self.give_foreign_history(node)
        mark = node.mark()
        node.launch()
        self.assertEqual(node.wait_exit(), REFUSED, node.words(20))
        node.wait_said(rf"local data belongs to cluster {foreign}, running cluster is {self.uuid}: joining would erase it; "
                       r"set foreign_data=discard to allow", 1, since=mark)
        self.wait_verdict(node, "refuse", "foreign")
        node.configure(InitOptions(nodes=2, init={"foreign_data": "discard"}))
        node.launch()
        self.wait_whole()
        self.assert_one_cluster(self.uuid)
        self.assertEqual(node.sql("SHOW TABLES IN app LIKE 'foreign_data'"), [])

    def test_different_histories_and_no_record_of_the_right_one(self) -> None:
        first, second = self.nodes
        foreign = self.give_foreign_history(second)
        first.stop()
        self.keys.clear()
        marks = self.marks()
        self.launch_all()
        for node in self.nodes:
            self.assertEqual(node.wait_exit(), REFUSED, node.words(20))
            node.wait_said(rf"the nodes hold different histories, nobody starts: n1 {self.uuid}:\d+, n2 {foreign}:\d+; "
                           r"keep one, and start the others with foreign_data=discard", 1, since=marks[node.name])
            self.assertIsNone(node.server())
        self.assertEqual((self.keys.uuid(), self.keys.bootstrap()), ("", {}))
        type(self).uuid = ""  # there is no cluster any more


if __name__ == "__main__":
    unittest.main()
