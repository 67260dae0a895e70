"""galera-discover --wait and --watch: what is printed when, and what a watch outlives."""
from __future__ import annotations

import signal
import time
import unittest

from registrycase import PREFIX, MembersCase, Program, RegistryCase

from forwarder import Forwarder

# So long that only the watch itself can have brought a change.
NO_RESYNC = {"discover": {"resync": "1h"}}


class Wait(RegistryCase):
    def entry(self, number: int, **more: str) -> None:
        self.put_entry(f"db{number}", ip=f"10.0.0.{number}", **{"port": "3306", **more})

    def test_returns_with_the_last_complete_entry(self) -> None:
        self.entry(1)
        self.put_entry("db2", ip="10.0.0.2")
        program = self.start("galera-discover", "--wait", "3", "--timeout", "60s", "--format", "gcomm", "-v")
        program.wait_said("1 of 3 entries are there")
        self.entry(3)
        program.wait_said("2 of 3 entries are there")
        self.assertEqual(program.out, "")
        started = time.monotonic()
        self.put_entry("db2", port="3306")
        self.assertEqual(program.wait(), 0)
        self.assertLess(time.monotonic() - started, 40, "it was the timeout")
        self.assertEqual(program.out, "gcomm://10.0.0.1,10.0.0.2,10.0.0.3\n")

    def test_on_timeout_it_says_what_is_missing(self) -> None:
        self.entry(1, state="synced")
        self.entry(2, state="joining")
        self.put_entry("db3", ip="10.0.0.3")
        for arguments, words in [
                ((), r"2 of 4 entries are below /components/galera after 3s, 2 missing: there are db1, db2; "
                     r"not counted: db3 \(incomplete: no port\)"),
                (("--states", "synced"), r"1 of 4 .* 3 missing: there are db1; not counted: .*db2 \(joining\)"),
                (("--exclude", "db1"), r"1 of 4 .*there are db2; not counted: .*db1 \(synced\)")]:
            with self.subTest(arguments):
                done = self.discover("--wait", "4", "--timeout", "3s", *arguments)  # etcd has to answer in it
                self.assertEqual((done.exit, done.out), (1, ""), done.err)
                self.assertRegex(done.err, "err: " + words)
        self.delete(PREFIX, prefix=True)
        self.assertIn("there are none", self.discover("--wait", "1", "--timeout", "3s").err)

    def test_an_etcd_that_comes_later(self) -> None:
        self.entry(1)
        self.etcd.member(1).stop()
        program = self.start("galera-discover", "--wait", "1", "--timeout", "60s", "--format", "gcomm")
        program.wait_said("warning: the registry cannot be read: .*trying again until etcd answers")
        self.etcd.start(1)
        self.assertEqual((program.wait(), program.out), (0, "gcomm://10.0.0.1\n"))

    def test_a_wait_before_a_watch(self) -> None:
        self.entry(1)
        watcher = self.watcher("--wait", "2", "-v")
        watcher.wait_said("1 of 2 entries are there")
        self.entry(2)
        watcher.wait_ids("db1", "db2")
        self.delete(f"{PREFIX}/db1/", prefix=True)
        watcher.wait_ids("db2")
        self.assertEqual(len(watcher.lines), 2, watcher.out)

    def test_signals_end_a_wait_and_a_watch(self) -> None:
        self.entry(1)
        for number in (signal.SIGINT, signal.SIGTERM):
            waiting = self.start("galera-discover", "--wait", "2", "--timeout", "60s", "-v")
            watcher = self.watcher()
            waiting.wait_said("1 of 2")
            watcher.wait_ids("db1")
            waiting.signal(number)
            watcher.signal(number)
            self.assertEqual((waiting.wait(40), waiting.out), (2, ""))
            self.assertEqual(watcher.wait(40), 0)


class Watch(RegistryCase):
    def test_every_change_is_one_line(self) -> None:
        watcher = self.watcher(settings=NO_RESYNC)
        watcher.wait_ids()
        self.put_entry("db1", ip="10.0.0.1", port="3306")
        watcher.wait_ids("db1")
        before = len(watcher.lines)
        self.put_entry("db1", state="synced")
        watcher.until(lambda: watcher.last["nodes"][0].get("state") == "synced", 60, "the state")
        self.put_entry("db1", state="donor")
        watcher.until(lambda: watcher.last["nodes"][0].get("state") == "donor", 60, "the next state")
        self.assertEqual(len(watcher.lines), before + 2)
        self.delete(f"{PREFIX}/db1/", prefix=True)
        watcher.wait_ids()
        self.assertEqual(len(watcher.lines), before + 3)

    def test_what_is_no_change_is_not_printed(self) -> None:
        self.put_entry("db1", ip="10.0.0.1", port="3306")
        watcher = self.watcher(settings={"discover": {"resync": "100ms"}})
        watcher.wait_ids("db1")
        self.put_entry("db1", ip="10.0.0.1", note="x")
        self.put_entry("bad", ip="x")
        self.put("/elsewhere", "x")
        watcher.wait_said("entry 'bad' of the registry is left out")
        time.sleep(1)
        self.assertEqual(len(watcher.lines), 1, watcher.out)
        self.assertEqual(watcher.said("entry 'bad'"), 1, "a warning for every resync: " + watcher.err)

    def test_bursts_are_one_change(self) -> None:
        watcher = self.watcher(settings={"discover": {"resync": "1h", "gather": "1s"}})
        watcher.wait_ids()
        ids = [f"db{number:02}" for number in range(20)]
        started = time.monotonic()
        for id in ids:
            self.put_entry(id, ip="10.0.0.1", port="3306")
        watcher.wait_ids(*ids)
        seconds = int(time.monotonic() - started)  # a busy etcd takes some for twenty entries
        self.assertLessEqual(len(watcher.lines), 1 + 3 + seconds, watcher.out)

    def test_formats_of_several_lines(self) -> None:
        program = self.start("galera-discover", "--watch", "--format", "hosts", settings=NO_RESYNC)
        program.wait_said("no usable entry is below")
        self.assertEqual(program.out, "")
        self.put_entry("db1", port="3306", ip="10.0.0.1")
        program.until(lambda: program.out == "10.0.0.1\tdb1\n\n", 60, "a list and an empty line")
        self.delete(f"{PREFIX}/db1/", prefix=True)
        program.wait_said("no usable entry is below", times=2)
        self.assertEqual(program.out, "10.0.0.1\tdb1\n\n")

    def test_gcomm_is_never_bare(self) -> None:
        program = self.start("galera-discover", "--watch", "--format", "gcomm", settings=NO_RESYNC)
        program.wait_said("no usable entry is below")
        self.put_entry("db1", port="3306", ip="10.0.0.1")
        program.until(lambda: program.lines, 60, "a line")
        self.delete(f"{PREFIX}/db1/", prefix=True)
        program.wait_said("no usable entry is below", times=2)
        self.assertEqual(program.out, "gcomm://10.0.0.1\n")

    def test_compaction(self) -> None:
        """What happened between the reading and the watch is compacted away; and while a watch stands."""
        with Forwarder((self.etcd.member(1).address, 0), (self.etcd.member(1).address, 2379)) as route:
            route.hold(b"/watch")
            watcher = self.watcher("-v", settings={"etcd": {"endpoints": route.url, "timeout": "20s"}, **NO_RESYNC})
            self.assertTrue(route.holding.wait(60), "no watch was opened")
            self.put_entry("db1", ip="10.0.0.1", port="3306")
            self.put_entry("db2", ip="10.0.0.2", port="3306")
            self.compact()
            route.release()
            watcher.wait_ids("db1", "db2")
            self.assertRegex(watcher.err, "the watch of the registry ended: .*compact")
            self.put_entry("db3", ip="10.0.0.3", port="3306")
            self.compact()
            self.put_entry("db4", ip="10.0.0.4", port="3306")
            self.compact()
            watcher.wait_ids("db1", "db2", "db3", "db4")

    def compact(self) -> None:
        revision = self.post("/v3/kv/range", {"key": "AA=="})["header"]["revision"]
        self.etcd.ctl("compact", revision)

    def test_a_restart_and_an_emptied_etcd(self) -> None:
        self.put_entry("db1", ip="10.0.0.1", port="3306")
        watcher = self.watcher(settings=NO_RESYNC)
        watcher.wait_ids("db1")
        self.etcd.member(1).stop()
        watcher.wait_said("the registry cannot be read: .*the last known one .1 entries. stands")
        self.etcd.start(1)
        watcher.wait_said("notice: the registry can be read again", times=1)
        self.put_entry("db2", ip="10.0.0.2", port="3306")
        watcher.wait_ids("db1", "db2")
        self.etcd.member(1).kill()
        watcher.wait_said("the registry cannot be read: .*the last known one .2 entries. stands")
        self.etcd.member(1).wipe()
        self.etcd.start(1)
        watcher.wait_ids()
        self.put_entry("db3", ip="10.0.0.3", port="3306")
        watcher.wait_ids("db3")
        self.assertGreaterEqual(watcher.outages("warning: the registry cannot be read", "can be read again"), 2)

    def test_a_frozen_etcd(self) -> None:
        """Its connections stand and say nothing: only reading again shows that, and is said once."""
        watcher = self.watcher(settings={"discover": {"resync": "500ms"}, "etcd": {"timeout": "500ms"}})
        watcher.wait_ids()
        self.etcd.member(1).freeze()
        watcher.until(lambda: watcher.said("cannot be read") > watcher.said("can be read again"), 60, "it to be missed")
        time.sleep(1.5)
        again = watcher.said("can be read again")
        self.etcd.member(1).thaw()
        watcher.wait_said("can be read again", times=again + 1)
        self.put_entry("db1", ip="10.0.0.1", port="3306")
        watcher.wait_ids("db1")
        self.assertGreaterEqual(watcher.outages("cannot be read", "can be read again"), 1)


class ThreeMembers(MembersCase):
    def watcher_through(self, first: int, **settings: dict) -> Program:
        watcher = self.watcher("-v", settings={**NO_RESYNC, **settings, "etcd": self.through(first)})
        watcher.wait_ids()
        return watcher

    def assert_follows(self, watcher: Program, without: int) -> None:
        """Changes are made through the other members."""
        for number in (1, 2):
            others = [url for index, url in enumerate(self.etcd.endpoints, 1) if index != without]
            register = self.registered(f"db{number}", settings={"etcd": {"endpoints": ",".join(others)}})
            watcher.wait_ids(*[f"db{each}" for each in range(1, number + 1)])
            self.assertTrue(register.alive())

    def test_the_member_in_use_is_killed(self) -> None:
        member = self.follower()
        watcher = self.watcher_through(member)
        self.etcd.member(member).kill()
        self.assert_follows(watcher, member)

    def test_the_leader_is_killed(self) -> None:
        """The watch goes through a member that stays, and has no leader for a while."""
        leader = self.etcd.wait_leader()
        watcher = self.watcher_through(leader % 3 + 1)
        self.etcd.member(leader).kill()
        self.etcd.wait_leader()
        self.assert_follows(watcher, leader)

    def test_the_member_in_use_is_frozen(self) -> None:
        member = self.follower()
        watcher = self.watcher_through(member, discover={"resync": "1s"})
        self.etcd.member(member).freeze()
        self.assert_follows(watcher, member)

    def test_the_member_in_use_is_cut_off_from_the_others(self) -> None:
        """It answers and stays silent, unless the watch has asked for `hasleader`."""
        member = self.follower()
        watcher = self.watcher_through(member)
        self.isolate(member)
        self.assert_follows(watcher, member)


if __name__ == "__main__":
    unittest.main()
