"""galera-register while etcd itself has trouble: away, emptied, hanging, cut in two, without a leader."""
from __future__ import annotations

import time
import unittest

from registrycase import KV, PREFIX, MembersCase, Program, RegistryCase


class OneMember(RegistryCase):
    def test_a_restart_is_said_once_and_lost_nothing(self) -> None:
        program = self.registered("db1")
        before = self.wait_entry("db1")
        self.etcd.member(1).stop()
        program.wait_said("warning: cannot reach etcd")
        self.etcd.start(1)
        program.wait_said("notice: (etcd answers again|registered again)")
        time.sleep(self.end_of_ttl())
        self.assertEqual(self.wait_entry("db1", 0).created, before.created, "it was away in between")
        self.assertGreaterEqual(program.outages("warning: cannot reach etcd", "answers again|registered again"), 1)

    def test_an_outage_longer_than_the_ttl(self) -> None:
        """A frozen etcd: connections stand and nobody answers."""
        program = self.registered("db1")
        self.etcd.member(1).freeze()
        program.wait_said("the entry of db1 has expired")
        self.etcd.member(1).thaw()
        program.wait_said("notice: (etcd answers again|registered again)")
        self.wait_entry("db1")
        self.assertGreaterEqual(program.outages("warning: cannot reach etcd", "answers again|registered again"), 1)

    def test_an_emptied_etcd(self) -> None:
        program = self.registered("db1")
        whole = self.entries()["db1"]
        self.etcd.member(1).kill()
        self.etcd.member(1).wipe()
        self.etcd.start(1)
        program.wait_said("notice: registered again")
        self.assertEqual(self.entries(), {"db1": whole})

    def test_etcd_down_at_the_start(self) -> None:
        self.etcd.member(1).kill()
        program = self.register("db1")
        program.wait_said(r"warning: cannot reach etcd: .*this node is not registered; trying until it answers")
        time.sleep(1.5)  # several attempts
        self.assertEqual(program.err.count("\n"), 1, "more than one line: " + program.err)
        self.etcd.start(1)
        program.wait_said("notice: registered( again)? id=db1")
        self.wait_entry("db1", 0)

    def test_etcd_down_at_the_stop(self) -> None:
        """Gives up after its bound, and says when the entry ends; a refused connection, and one that hangs."""
        for hanging in (False, True):
            with self.subTest(hanging=hanging):
                program = self.registered(f"db{int(hanging)}", settings={"register": {"ttl": "60s", "stop_timeout": "1s"}})
                member = self.etcd.member(1)
                member.freeze() if hanging else member.kill()
                started = time.monotonic()
                self.assertEqual(program.stop(), 0)
                self.assertLess(time.monotonic() - started, 40, "stop_timeout is 1s, and the TTL 60 s")
                self.assertRegex(program.err, r"warning: cannot remove the entry of db\d in time: .*"
                                              r"expires by itself within ([1-5]\d|60|61) s")
                member.thaw() if hanging else self.etcd.start(1)

    def test_once_without_etcd(self) -> None:
        self.etcd.member(1).kill()
        refused = self.register("db1", "--once")
        self.assertEqual(refused.wait(), 69)
        self.assertRegex(refused.err, r"err: cannot register db1: etcd http.*connect")


class ThreeMembers(MembersCase):
    """The entry never goes away: what was created once stays, although keepalives have to find another way."""

    def start_with(self, first: int) -> Program:
        """Registered through this member."""
        return self.registered("db1", settings={"etcd": self.through(first)})

    def assert_never_away(self, program: Program, before: KV) -> None:
        """From now on for more than a TTL."""
        time.sleep(self.end_of_ttl())
        self.assertEqual(self.wait_entry("db1", 0), before, program.err)
        self.assertEqual(program.said("is gone|registered again"), 0, program.err)

    def test_the_member_in_use_is_killed(self) -> None:
        member = self.follower()
        program, before = self.start_with(member), self.wait_entry("db1")
        self.etcd.member(member).kill()
        self.assert_never_away(program, before)

    def test_the_member_in_use_is_frozen(self) -> None:
        member = self.follower()
        program, before = self.start_with(member), self.wait_entry("db1")
        self.etcd.member(member).freeze()
        self.assert_never_away(program, before)

    def test_the_member_in_use_is_cut_off_from_the_others(self) -> None:
        """It answers, but has no leader: what it says is worth nothing."""
        member = self.follower()
        program, before = self.start_with(member), self.wait_entry("db1")
        self.isolate(member)
        self.assert_never_away(program, before)

    def test_the_leader_is_killed(self) -> None:
        leader = self.etcd.wait_leader()
        program, before = self.start_with(leader), self.wait_entry("db1")
        self.etcd.member(leader).kill()
        self.etcd.wait_leader()
        self.assert_never_away(program, before)

    def test_the_majority_is_away_for_longer_than_the_ttl(self) -> None:
        program = self.start_with(1)
        for number in (2, 3):
            self.etcd.member(number).freeze()
        program.wait_said("the entry of db1 has expired")
        for number in (2, 3):
            self.etcd.member(number).thaw()
        program.wait_said("notice: (etcd answers again|registered again)")
        time.sleep(self.end_of_ttl())
        self.assertEqual(self.wait_entry("db1", 0).value, "10.0.0.1")
        self.assertEqual(self.entries().keys(), {"db1"})
        self.assertEqual(program.stop(), 0)
        self.assertNotIn(f"{PREFIX}/db1/ip", self.keys())


if __name__ == "__main__":
    unittest.main()
