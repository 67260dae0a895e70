"""After everything has stopped: who goes on, from which copy, and what the operator is told meanwhile."""
from __future__ import annotations

import json
import unittest

from initcase import InitOptions, Managed, WholeCase

SLOW = True

AHEAD = r"{0} recorded seqno \d+, we have \d+: waiting for {0}"
NOT_REPORTED = r"{0} has not reported and may hold newer data: start it, or `galera-init attest-lost {0}`"
LAST_TO_STOP = r"we were the last to stop, cleanly, at seqno \d+, and nobody recorded more: not waiting for the others"


class Recovery(WholeCase):
    def crash_leaving_behind(self, behind: Managed) -> None:
        """One dies first, the others write on and die at once."""
        others = [node for node in self.nodes if node.name != behind.name]
        behind.kill()
        self.wait_synced(others)
        self.write_rows(others[0], 3)
        for node in others:
            self.assertEqual(self.ledger.missing(node.root()), [])
        self.kill_all()

    def attest_lost(self, node: Managed, on: Managed) -> str:
        """The operator's word, which is not taken before the lease of the dead has expired."""
        self.wait_for(lambda: not self.keys.member(node.name), 60, f"the lease of {node.name} to expire")
        done = on.command("attest-lost", node.name)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout

    def plan_beside_a_lease_of(self, node: str, on: Managed) -> str:
        """The plan's reason while the lease of the dead has not run out; here it does not before it has been looked at."""
        self.keys.put(f"member/{node}", json.dumps(self.keys.member(on.name)))
        try:
            return on.plan()["reason"]
        finally:
            self.keys.delete(f"member/{node}")


class Stopped(Recovery):
    def test_all_stopped_cleanly_the_last_one_goes_on_without_the_others(self) -> None:
        first, second, third = self.nodes
        third.stop()
        self.write_rows(second, 3)
        first.stop()
        self.write_rows(second, 3)
        second.stop()
        third.launch()
        third.wait_said(AHEAD.format("n2"))
        self.wait_verdict(third, "wait", "recorded-ahead")
        second.launch()
        second.wait_said(LAST_TO_STOP)
        self.wait_synced((second, third))  # n1 is not needed, and joins when it comes
        self.finish()

    def test_all_stop_at_once(self) -> None:
        self.keep_writing()
        self.wait_for(lambda: self.ledger.count() > 30, 60, "rows")
        for node in self.nodes:
            node.terminate()
        for node in self.nodes:
            self.assertEqual(node.wait_exit(), 0)
        self.finish()

    def test_recovery_by_hand(self) -> None:
        for node in self.nodes:
            node.configure(InitOptions(init={"recovery": "manual"}))
        for node in self.nodes:
            node.stop()
        self.launch_all()
        last = self.node(3)
        last.wait_said(r"recovery = manual: `galera-init bootstrap --force` on n3 would go on from seqno \d+")
        self.assertEqual([node.server_argv() for node in self.nodes], [[], [], []])
        self.force(last)
        self.finish()

    def test_a_lost_disk_that_was_the_newest_is_not_passed_over(self) -> None:
        first, second, third = self.nodes
        second.stop()
        third.stop()
        first.sql("CREATE OR REPLACE TABLE app.given_up (id INT PRIMARY KEY)")
        first.stop()
        first.lose_data()
        self.launch_all()
        second.wait_said(r"n1 recorded seqno \d+ and does not have it any more: restore it, or `galera-init bootstrap "
                         r"--force` on the node to go on from without it")
        self.assertEqual([node.server_argv() for node in self.nodes], [[], [], []])
        self.force(second)
        self.finish()
        self.assertEqual(first.sql("SHOW TABLES IN app LIKE 'given_up'"), [])

    def test_a_killed_node_is_forgotten_and_comes_back_as_a_new_one(self) -> None:
        first, _, third = self.nodes
        refused = first.command("forget", "n3")
        self.assertEqual(refused.returncode, 1, refused.stderr)
        self.assertIn("n3 is alive and speaks for itself", refused.stderr)
        third.kill()
        self.wait_synced(self.nodes[:2])
        self.wait_for(lambda: not self.keys.member("n3"), 60, "the lease of n3 to expire")
        done = first.command("forget", "n3")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("There are 2 nodes left, and nodes in [init] is 3: unless another one is added, lower it", done.stdout)
        self.assertEqual(self.keys.position("n3"), {})
        third.blank()
        self.finish()


class Crashed(Recovery):
    def test_all_killed_at_once_form_their_old_view_again(self) -> None:
        self.keep_writing()
        self.wait_for(lambda: self.ledger.count() > 30, 60, "rows")
        self.kill_all()
        self.ledger.stop()
        self.launch_all()
        self.wait_whole()
        self.assertEqual(self.keys.bootstrap()["kind"], "remerge")
        self.assert_one_cluster(self.uuid)

    def test_the_trap_one_killed_first_and_the_others_later(self) -> None:
        """Left to Galera, all three would run, connected to each other and non-Primary, for ever."""
        self.crash_leaving_behind(self.node(3))
        self.launch_all()
        self.wait_whole()
        self.assertEqual(self.keys.bootstrap()["kind"], "new")
        self.assertIn(self.keys.bootstrap()["node"], ("n1", "n2"))
        self.assert_one_cluster(self.uuid)

    def test_the_newest_does_not_come_back_until_it_does(self) -> None:
        self.crash_leaving_behind(self.node(3))
        first, second, third = self.nodes
        second.launch()
        third.launch()
        second.wait_said(NOT_REPORTED.format("n1"))
        third.wait_said(NOT_REPORTED.format("n1"))
        self.wait_verdict(second, "wait", "not-reported")
        self.wait_for(lambda: self.keys.member("n2"), 60, "the lease of n2")  # one that was late is granted anew
        refused = first.command("attest-lost", "n2")
        self.assertEqual(refused.returncode, 1, refused.stderr)
        self.assertIn("n2 is alive and speaks for itself", refused.stderr)
        self.assertIn("if it has just died, its lease runs out within 2s (ttl): try again then", refused.stderr)
        self.assertIn("attest-lost n1` (n1 still holds its lease: unless it is alive, attest-lost works once that has run out, "
                      "within 2s)", self.plan_beside_a_lease_of("n1", on=second))
        unknown = first.command("attest-lost", "n7")
        self.assertIn("n7 is not a node of this cluster", unknown.stderr)
        for word in ("attest-lost", "forget"):
            wrong = first.command(word, "n2 n3")
            self.assertEqual(wrong.returncode, 64, wrong.stderr)
            self.assertIn("'n2 n3' cannot be a node's name", wrong.stderr)
        first.launch()
        self.wait_whole()
        self.assert_one_cluster(self.uuid)

    def test_a_node_attested_lost_comes_back_and_takes_the_others_history(self) -> None:
        """What it alone had is given up by the operator's word; what came later has the same seqnos and wins."""
        first, second, third = self.nodes
        second.kill()
        third.kill()
        first.wait_status("cluster_status", "non-Primary")
        first.kill()
        second.launch()
        third.launch()
        second.wait_said(NOT_REPORTED.format("n1"))
        said = self.attest_lost(first, on=second)
        self.assertRegex(said, r"n1 counts as lost: .*\nWhat is recorded of it:\n  n1: [a-z]+, copy .*\nand of the others:\n"
                               r"  n2: attested, copy .* at .*\n  n3: attested, copy .* at ")
        self.assertRegex(said, r"\nn1 (is recorded AHEAD of all others, at seqno \d+|ran when it recorded that)")
        self.wait_synced((second, third))
        self.write_rows(second, 3)
        early = second.command("attest-lost", "n1")
        self.assertEqual(early.returncode, 1, early.stderr)
        self.assertIn("the cluster is Primary: n1 joins by itself when it is started", early.stderr)
        self.finish()

    def test_grastate_missing_and_corrupt(self) -> None:
        """Copies that only InnoDB vouches for are not the first choice, whatever they are called."""
        first, second, third = self.nodes
        self.wait_quiet()  # or one of these has what n3 lacks, and an operator is asked
        self.kill_all()
        (first.data / "grastate.dat").unlink()
        (second.data / "grastate.dat").write_text("this is no state file\n")
        self.launch_all()
        self.wait_whole()
        self.assertEqual(self.keys.bootstrap()["node"], "n3")
        first.wait_said(r"grastate\.dat is missing: only InnoDB's own position is known")
        second.wait_said(r"grastate\.dat is corrupt: only InnoDB's own position is known")
        self.assert_one_cluster(self.uuid)

    def test_a_doubtful_copy_is_the_newest(self) -> None:
        first, second, third = self.nodes
        second.kill()
        self.wait_synced((first, third))
        third.kill()
        first.wait_status("cluster_status", "non-Primary")
        first.kill()
        first.launch()
        first.wait_said(NOT_REPORTED.format("n2, n3").replace("has not", "have not").replace("start it", "start them")
                        .replace("attest-lost n2, n3", "attest-lost n2 n3"))
        for node in (second, third):
            self.attest_lost(node, on=first)
        first.wait_ready()
        self.wait_for(lambda: self.keys.bootstrap()["phase"] == "primary", 60, "the bootstrap to be recorded as done")
        self.write_rows(first, 3)
        first.kill()
        (first.data / "grastate.dat").unlink()
        self.launch_all()
        second.wait_said(r"n1 has a newer copy \(seqno \d+\) that cannot be trusted: repair it, or `galera-init bootstrap "
                         r"--force` on the node to go on from")
        self.assertEqual([node.server_argv() for node in self.nodes], [[], [], []])
        self.force(first)
        self.finish()

    def test_the_state_directory_is_lost(self) -> None:
        self.kill_all()
        self.node(1).lose_state()
        self.launch_all()
        self.wait_whole()
        self.assert_one_cluster(self.uuid)


class Survivors(Recovery):
    def kill_two(self) -> Managed:
        """The others die at once; the survivor of three turns non-Primary and says so."""
        first, second, third = self.nodes
        self.write_rows(second, 3)
        mark = first.mark()
        second.kill()
        third.kill()
        first.wait_status("cluster_status", "non-Primary")
        first.wait_said(r"n2, n3 unaccounted for: start them, or attest their loss", since=mark)
        return first

    def test_two_of_three_killed_come_back(self) -> None:
        survivor = self.kill_two()
        server = survivor.server()
        self.wait_verdict(survivor, "wait", "unaccounted")
        self.node(2).launch()
        self.node(3).launch()
        self.wait_whole()
        self.assertEqual(survivor.server(), server, "the survivor need not have stopped")
        self.assert_one_cluster(self.uuid)

    def test_two_of_three_killed_and_one_lost_for_ever(self) -> None:
        survivor = self.kill_two()
        server, mark = survivor.server(), survivor.mark()
        self.node(2).launch()
        survivor.wait_said(r"n3 unaccounted for: start it, or attest its loss", since=mark)
        self.attest_lost(self.node(3), on=survivor)
        self.wait_synced((survivor, self.node(2)))
        self.assertEqual(survivor.server(), server, "pc.bootstrap makes the running server Primary")
        self.assertEqual(self.keys.bootstrap()["kind"], "survivor")
        self.finish()

    def test_all_cut_off_from_each_other(self) -> None:
        """Nobody is a majority; one must go on, and only one, and later the network works again."""
        for node in self.nodes:
            node.sql("SET GLOBAL wsrep_provider_options='gmcast.isolate=1'")
        for node in self.nodes:
            node.wait_status("cluster_status", "non-Primary")
        self.finish()


class Transfers(Recovery):
    def kill_in_transfer(self) -> Managed:
        node = self.node(3)
        self.begin_transfer(node)
        self.assertTrue((node.data / "sst_in_progress").exists() or (node.data / ".sst").exists())
        node.kill()
        self.release_transfers()
        return node

    def test_a_joiner_killed_in_its_transfer_joins_again(self) -> None:
        self.keep_writing()
        joiner = self.kill_in_transfer()
        joiner.launch()
        joiner.wait_said(r"killed during a state transfer: the copy is incomplete and will be replaced")
        self.finish()

    def test_its_donors_die_too(self) -> None:
        joiner = self.kill_in_transfer()
        self.kill_all()
        self.launch_all()
        self.wait_whole()
        self.assertNotEqual(self.keys.bootstrap()["node"], joiner.name)
        self.assert_one_cluster(self.uuid)

    def test_the_donor_dies_in_the_transfer(self) -> None:
        node = self.node(3)
        donor = self.begin_transfer(node)
        donor.kill()
        self.release_transfers()
        self.assertNotIn(node.wait_exit(90), (0, None), "Galera ends a server whose transfer was cut off")
        node.wait_said(r"the donor died or left during the transfer; restart this node")
        self.finish()

    def test_no_trusted_copy_is_left(self) -> None:
        """As after transfers that died everywhere; the operator restores one of them."""
        self.kill_all()
        for node in self.nodes:
            (node.data / "sst_in_progress").touch()
        self.launch_all()
        for node in self.nodes:
            node.wait_said(r"no trusted copy left: restore a backup")
        self.assertEqual([node.server_argv() for node in self.nodes], [[], [], []])
        for node in self.nodes:
            node.stop()
            (node.data / "sst_in_progress").unlink()
        self.finish()


if __name__ == "__main__":
    unittest.main()
