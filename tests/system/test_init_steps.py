"""kill -9 at every step: whoever dies wherever, it ends in one cluster with one uuid, and nothing acknowledged is lost.

The nodes die in chains, each start of a node at a later step than the one before: a cluster is booted once a chain
rather than once a step. INIT_THOROUGH=1 has each step of a first boot in a first boot of its own as well."""
from __future__ import annotations

import os
import unittest
from typing import Sequence

from initcase import BlankCase, Managed, WholeCase

SLOW = True

FIRST_BOOT = ("start-written", "lineage-saved", "server-started", "primary-seen", "accounts-made", "primary-written")
LEFT_RUNNING = ("primary-seen", "primary-written")  # here galera-init dies alone, elsewhere its whole host does
THOROUGH = bool(os.environ.get("INIT_THOROUGH"))
WAITS_FOR_HOLDER = r"{0} may still be bootstrapping: start it, or `galera-init attest-lost {0}`"


class Steps:
    """How nodes die at steps; for both kinds of cases."""

    def die(self, node: Managed, step: str) -> None:
        """Start a node that dies at this step; then its server is left running, or dies as well."""
        node.launch(kill_at=step)
        self.wait_dead_at(node, step)

    def wait_dead_at(self, node: Managed, step: str) -> None:
        self.wait_for(lambda: not node.process.alive(), 90, f"{node.name} to die at {step}")
        self.assertEqual(node.process.exit_code(), -9, f"{step}: {node.words(20)}")
        if step not in LEFT_RUNNING:
            node.kill()

    def die_through(self, node: Managed, steps: Sequence[str]) -> None:
        for step in steps:
            self.die(node, step)


class FirstBoot(Steps, BlankCase):
    def test_the_bootstrapper_dies_at_every_step(self) -> None:
        first, second, third = self.nodes
        self.die_through(first, ("attest-noted", "attest-written"))
        second.launch(kill_at="start-written")
        third.launch()
        first.launch(kill_at="claim-written")
        self.wait_dead_at(first, "claim-written")
        self.wait_dead_at(second, "start-written")  # it took the claim over, which was not carried out
        self.assertEqual(self.keys.bootstrap()["node"], "n2")
        third.wait_said(WAITS_FOR_HOLDER.format("n2"))
        first.launch()
        self.die_through(second, ("lineage-saved", "server-started"))
        if second.grastate().get("uuid", "").strip("0-"):
            # The server got as far as to begin a history, and not to write data for it: a broken copy, and the others would
            # rightly go first.
            second.lose_data()
        self.die_through(second, ("primary-seen", "accounts-made"))
        self.assertEqual(self.keys.bootstrap()["phase"], "starting")
        for node in (first, third):
            self.assertEqual(node.server_argv(), [], f"{node.name} does not know whether n2 is Primary")
        self.die(second, FIRST_BOOT[-1])
        second.launch()
        self.wait_whole()
        self.assert_one_cluster()
        self.assertEqual(self.keys.bootstrap()["node"], "n2")
        self.assertEqual(second.sql("SELECT COUNT(*) FROM mysql.user WHERE User IN ('clustercheck', 'app', 'sst')"),
                         [["3"]])

    def test_one_step_or_all_in_first_boots_of_their_own(self) -> None:
        """All nodes die at the step when they reach it, the first time."""
        steps = ("attest-noted", "attest-written", "claim-written", *FIRST_BOOT) if THOROUGH else ("primary-seen",)
        for step in steps:
            with self.subTest(step):
                self.blank()
                self.launch_all(kill_at=step)
                self.wait_for(lambda: any(not node.process.alive() for node in self.nodes), 60, step)
                self.wait_for(lambda: self.relaunch_the_dead() is None and all(n.usable() for n in self.nodes), 150, step)
                self.wait_whole()
                self.assert_one_cluster()

    def relaunch_the_dead(self) -> None:
        for node in self.nodes:
            if not node.process.alive():
                node.launch()


class Later(Steps, WholeCase):
    """The cluster exists and has data."""

    def test_a_joiner_dies_at_every_step(self) -> None:
        node = self.node(3)
        self.keep_writing()
        node.kill()
        self.die_through(node, ("start-written", "lineage-saved", "server-started"))
        self.finish()

    def test_a_node_that_stops_dies_at_every_step(self) -> None:
        node = self.node(2)
        node.stop()
        self.keep_writing()
        for step in ("stop-noted", "server-stopped", "stop-written"):
            node.launch(kill_at=step)
            node.wait_settled()
            node.terminate()
            self.wait_for(lambda: not node.process.alive(), 60, f"{node.name} to die at {step}")
            self.assertEqual(node.process.exit_code(), -9, step)
        self.finish()

    def test_recovery_after_a_full_crash_dies_at_every_step(self) -> None:
        first, second, third = self.nodes
        self.keep_writing()
        third.kill()
        self.wait_synced((first, second))
        self.ledger.stop()
        self.kill_all()
        seqno = {node.name: int(node.recover().rpartition(":")[2]) for node in self.nodes}
        if seqno["n2"] > seqno["n1"]:  # of equals the first by name goes first
            first, second = second, first
        third.launch()
        self.die_through(first, ("attest-noted", "attest-written"))
        second.launch(kill_at="start-written")
        first.launch(kill_at="claim-written")
        self.wait_dead_at(first, "claim-written")
        self.wait_dead_at(second, "start-written")
        self.assertEqual(self.keys.bootstrap()["node"], second.name)
        third.wait_said(WAITS_FOR_HOLDER.format(second.name))
        first.launch()
        self.die_through(second, ("lineage-saved", "server-started", "primary-seen", "primary-written"))
        self.finish()

    def test_the_forming_of_the_old_view_dies_after_its_claim(self) -> None:
        self.keep_writing()
        self.wait_for(lambda: self.ledger.count() > 20, 60, "rows")
        self.kill_all()
        self.ledger.stop()
        first, second, third = self.nodes
        second.launch()
        third.launch()
        self.die(first, "claim-written")
        self.assertEqual(self.keys.bootstrap()["kind"], "remerge")
        self.finish()

    def test_all_stop_and_die_while_they_do(self) -> None:
        """The last one dies between its server's end and its record: it has not attested what it had."""
        first, second, third = self.nodes
        first.stop()
        first.launch(kill_at="server-stopped")
        first.wait_settled()
        third.stop()
        second.stop()
        self.write_rows(first, 3)
        first.terminate()
        self.wait_for(lambda: not first.process.alive(), 60, "n1 to die")
        second.launch()
        third.launch()
        second.wait_said(r"n1 (has not reported and may hold newer data: start it, or `galera-init attest-lost n1`"
                         r"|recorded seqno \d+, we have \d+: waiting for n1)")
        self.finish()


if __name__ == "__main__":
    unittest.main()
