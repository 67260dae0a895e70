"""galera-register against one etcd: what it writes, whose id it is, and what happens to the entry."""
from __future__ import annotations

import re
import signal
import socket
import subprocess
import time
import unittest

from registrycase import PREFIX, RegistryCase, binary, host, wait_until

from forwarder import Forwarder, own_address


class Keys(RegistryCase):
    """The layout, which others read: confd's templates above all."""

    def test_all_keys_in_one_transaction_under_one_lease(self) -> None:
        disabled = self.home / "disabled"
        disabled.touch()
        self.addCleanup(lambda: disabled.unlink(missing_ok=True))
        self.registered("db1", "--port", "3307", "--host", "db1.example", "--instance", "galera@1.service",
                        "--check-port", "9201", "--check-interval", "100ms",
                        settings={"clustercheck": {"disable_file": disabled}})
        keys = self.keys()
        self.assertEqual({key: kv.value for key, kv in keys.items()}, {
            f"{PREFIX}/db1/ip": "10.0.0.1", f"{PREFIX}/db1/port": "3307", f"{PREFIX}/db1/host": "db1.example",
            f"{PREFIX}/db1/service_instance_name": "galera@1.service", f"{PREFIX}/db1/check_port": "9201",
            f"{PREFIX}/db1/state": "disabled"})
        self.assertEqual(len({kv.modified for kv in keys.values()}), 1, "more than one transaction")
        self.assertEqual(len({kv.lease for kv in keys.values()}), 1, "more than one lease")
        lease = self.post("/v3/lease/timetolive", {"ID": str(keys[f"{PREFIX}/db1/ip"].lease)})
        self.assertEqual(lease["grantedTTL"], str(self.TTL))

    def test_the_state_follows_the_server(self) -> None:
        disabled = self.home / "disabled"
        disabled.touch()
        self.addCleanup(lambda: disabled.unlink(missing_ok=True))
        self.registered("db1", "--check-interval", "100ms",
                        settings={"clustercheck": {"disable_file": disabled},
                                  "mysql": {"socket": self.home / "nothing.sock"}})
        before = self.wait_entry("db1")
        self.assertEqual(self.entries()["db1"]["state"], "disabled")
        disabled.unlink()
        wait_until(lambda: self.entries()["db1"]["state"] == "cannot-connect", 60, "the new state")
        self.assertEqual(self.keys()[f"{PREFIX}/db1/state"].lease, before.lease)
        self.assertEqual(self.wait_entry("db1"), before, "the other keys must not be written again")

    def test_another_prefix_with_address_and_port_only(self) -> None:
        self.registered("log1", "--prefix", "/services/logcollector", "--port", "514")
        self.assertEqual(self.entries("/services/logcollector"),
                         {"log1": {"ip": "10.0.0.1", "port": "514", "host": "db.example"}})

    def test_default_id_and_address(self) -> None:
        """The address is the one on the way to etcd; over loopback there is none that others could use."""
        name, address = socket.gethostname(), own_address()
        with Forwarder((address, 0), (self.etcd.member(1).address, 2379)) as route:
            program = self.start("galera-register", "--port", "3310",
                                 settings={"etcd": {"endpoints": route.url}, "register": {"host": None}})
            program.wait_said("notice: registered id=")
            self.assertEqual(self.entries(), {f"{name}-3310": {"ip": address, "port": "3310", "host": name}})
            self.assertEqual(program.stop(), 0)
        refused = self.start("galera-register")
        self.assertEqual(refused.wait(), 78)
        self.assertRegex(refused.err, r"comes from 127\..*--ip")
        self.assertEqual(self.entries(), {})

    def test_once(self) -> None:
        done = self.register("db1", "--once")
        self.assertEqual(done.wait(), 0)
        self.wait_entry("db1", 0)
        self.wait_gone("db1")


class Owner(RegistryCase):
    """Whose id it is."""

    def test_an_id_of_a_living_other_is_refused(self) -> None:
        self.registered("db1", ip="10.0.0.7")
        before = self.wait_entry("db1")
        second = self.register("db1", ip="10.0.0.8")
        self.assertEqual(second.wait(), 1)
        self.assertRegex(second.err, r"err: .*db1 belongs to 10\.0\.0\.7:3306, which is alive")
        self.assertEqual(self.wait_entry("db1"), before)

    def test_an_entry_without_a_lease_is_refused(self) -> None:
        self.put_entry("db1", ip="10.0.0.9", port="3306")
        refused = self.register("db1")
        self.assertEqual(refused.wait(), 1)
        self.assertRegex(refused.err, r"belongs to 10\.0\.0\.9:3306")
        self.assertEqual(self.entries(), {"db1": {"ip": "10.0.0.9", "port": "3306"}})

    def test_another_port_is_another_server(self) -> None:
        self.registered("db1", "--port", "3306")
        self.assertEqual(self.register("db1", "--port", "3307").wait(), 1)

    def test_an_id_of_a_dead_other_is_taken_when_it_has_run_out(self) -> None:
        self.registered("db1", ip="10.0.0.7").kill()
        second = self.register("db1", ip="10.0.0.8")
        second.wait_said("waiting to see whether that node still lives")
        second.wait_said("notice: registered id=")
        self.assertEqual(self.entries()["db1"]["ip"], "10.0.0.8")

    def test_own_leftover_is_adopted_at_once(self) -> None:
        self.registered("db1").kill()
        before = self.wait_entry("db1")
        self.registered("db1")
        after = self.wait_entry("db1")
        self.assertNotEqual(after.lease, before.lease)
        time.sleep(self.end_of_ttl())  # the old lease ends in this time
        self.assertEqual(self.wait_entry("db1", 0).created, before.created, "it was away in between")

    def test_a_second_process_for_the_same_server_displaces_the_first(self) -> None:
        first = self.registered("db1")
        second = self.registered("db1")
        self.assertEqual(first.wait(), 1)
        self.assertIn("two galera-register run for the same server", first.err)
        self.assertEqual((list(self.entries()), second.alive()), (["db1"], True))
        self.assertNotIn("registered again", second.err)


class Life(RegistryCase):
    """The entry is there exactly while the node is."""

    def test_sigterm_removes_own_keys_only(self) -> None:
        self.put(PREFIX, "the parent")
        self.put_entry("db10", ip="10.0.0.3", port="3306")
        self.put_entry("db1", note="written by somebody else")
        others = self.keys(PREFIX)
        sibling = self.registered("db2", ip="10.0.0.2")
        program = self.registered("db1", settings={"register": {"ttl": "60s"}})
        self.assertEqual(set(self.entries()), {"db1", "db10", "db2"})
        started = time.monotonic()
        self.assertEqual(program.stop(), 0)
        self.assertLess(time.monotonic() - started, 30, "it was the TTL")
        self.assertNotIn("ip", self.entries()["db1"])
        self.assertRegex(program.err, "removed the entry of db1")
        sibling.signal(signal.SIGINT)
        self.assertEqual(sibling.wait(), 0)
        self.assertEqual(self.keys(PREFIX), others)

    def test_kill_and_the_entry_ends_with_its_ttl(self) -> None:
        program = self.registered("db1")
        lease = str(self.wait_entry("db1").lease)
        wait_until(lambda: int(self.post("/v3/lease/timetolive", {"ID": lease}).get("TTL", 0)) >= self.TTL - 2, 60,
                   "a lease that was just renewed")
        program.kill()
        started = time.monotonic()
        self.wait_gone("db1")
        self.assertGreater(time.monotonic() - started, self.TTL / 3, "it was not the TTL")

    def test_a_frozen_process_loses_its_entry_and_gets_it_back(self) -> None:
        program = self.registered("db1")
        program.signal(signal.SIGSTOP)
        self.wait_gone("db1")
        program.signal(signal.SIGCONT)
        program.wait_said("the entry of db1 is gone")
        program.wait_said("notice: registered again")
        self.wait_entry("db1", 0)

    def test_a_revoked_lease(self) -> None:
        program = self.registered("db1")
        before = self.wait_entry("db1")
        self.post("/v3/lease/revoke", {"ID": str(before.lease)})
        program.wait_said("notice: registered again")
        self.assertNotEqual(self.wait_entry("db1", 0).lease, before.lease)

    def test_wiped_and_changed_keys(self) -> None:
        """The lease lives on, so only reading back shows it."""
        harms = {"db1": lambda: self.delete(f"{PREFIX}/db1/port"), "db2": lambda: self.delete(f"{PREFIX}/db2/ip"),
                 "db3": lambda: self.put_entry("db3", host="wrong"),
                 "db4": lambda: self.delete(f"{PREFIX}/db4/", prefix=True)}
        programs = {id: self.registered(id, "--instance", "galera@1.service", ip=f"10.0.0.{id[2:]}") for id in harms}
        whole = self.entries()
        for harm in harms.values():
            harm()
        for program in programs.values():
            program.wait_said("the entry of .* is gone: .*; registering again")
            program.wait_said("notice: registered again")
        self.assertEqual(self.entries(), whole)
        before = {program: program.said("notice: registered again") for program in programs.values()}
        self.delete("/", prefix=True)
        for program, times in before.items():
            program.wait_said("notice: registered again", times=times + 1)
        self.assertEqual(self.entries(), whole)

    def test_sighup_changes_nothing(self) -> None:
        program = self.registered("db1")
        program.signal(signal.SIGHUP)
        program.wait_said("SIGHUP changes nothing")
        self.assertTrue(program.alive())
        self.wait_entry("db1", 0)

    def test_a_step_of_the_wall_clock_changes_nothing(self) -> None:
        """A day back and a day forward, seen by this process alone; and then a stop while its check hangs."""
        shim, step = self.home / "clock.so", self.home / "step"
        step.write_text("0\n")
        source = host.CHECKOUT / "tests" / "system" / "clockstep.c"
        subprocess.run(["cc", "-shared", "-fPIC", "-O1", "-o", shim, source, "-ldl"], check=True, timeout=60)
        with socket.socket() as silent:
            silent.bind(("127.0.0.1", 0))
            program = self.registered(
                "db1", "--check-interval", "100ms",
                settings={"mysql": {"host": "127.0.0.1", "port": silent.getsockname()[1]},
                          "register": {"check_timeout": "60s"}},
                env={"LD_PRELOAD": str(shim), "CLOCK_STEP_FILE": str(step), "ASAN_OPTIONS": "verify_asan_link_order=0"})
            before = self.wait_entry("db1")
            silent.listen()
            for seconds in ("-86400", "86400"):
                step.write_text(seconds + "\n")
                time.sleep(self.end_of_ttl())
                self.assertEqual(self.wait_entry("db1", 0), before, f"stepped by {seconds} s")
            self.assertEqual(program.stop(30), 0)
        self.assertEqual(self.entries(), {})

    def test_the_shim_steps_the_clock(self) -> None:
        """Else the test above proves nothing."""
        shim, step = self.home / "clock.so", self.home / "step"
        source = host.CHECKOUT / "tests" / "system" / "clockstep.c"
        subprocess.run(["cc", "-shared", "-fPIC", "-O1", "-o", shim, source, "-ldl"], check=True, timeout=60)
        step.write_text("-86400\n")
        refused = subprocess.run([binary("galera-register"), "--log-format", "json", "--ttl", "nonsense"],
                                 env={"LD_PRELOAD": str(shim), "CLOCK_STEP_FILE": str(step),
                                      "ASAN_OPTIONS": "verify_asan_link_order=0"},
                                 capture_output=True, text=True, check=False, timeout=20)
        day = re.search(r'"time":"(\d+-\d+-\d+)T', refused.stderr)
        self.assertIsNotNone(day, refused.stderr)
        self.assertNotEqual(day[1], time.strftime("%Y-%m-%d", time.gmtime()))


class CommandLine(RegistryCase):
    def test_what_is_wrong_is_named(self) -> None:
        for arguments, code, words in [
                (["--id", "a/b"], 78, "'a/b' cannot be an id"), (["--id", "x" * 65], 78, "cannot be an id"),
                (["--ip", "0.0.0.0"], 78, "ip = '0.0.0.0'"), (["--ip", "db1"], 78, "ip = 'db1'"),
                (["--port", "0"], 78, "port"), (["--port", "70000"], 78, "port"), (["--ttl", "1s"], 78, "ttl"),
                (["--ttl", "2500ms"], 78, "whole seconds"), (["-n", "--ttl", "2500ms"], 78, "whole seconds"),
                (["--prefix", "galera"], 78, "prefix = 'galera'"), (["--host", "a b"], 78, "host = 'a b'"),
                (["--instance", "a;b"], 78, "instance = 'a;b'"), (["--api", "v4"], 78, "v4"),
                (["--endpoints", "10.0.0.5:2379"], 78, "not a URL like"), (["--when", "synced"], 78, "check_interval"),
                (["--idd", "a"], 64, "--id"), (["db1"], 64, "unexpected argument 'db1'")]:
            with self.subTest(arguments):
                done = self.run_program("galera-register", "--ip", "10.0.0.1", *arguments)
                self.assertEqual((done.exit, done.out), (code, ""), done.err)
                self.assertIn(words, done.err)
        self.assertEqual(self.keys("/"), {})

    def test_check_config_masks_the_password_and_writes_nothing(self) -> None:
        done = self.run_program("galera-register", "-n", "--id", "db9",
                                settings={"etcd": {"user": "suite", "password": "word-of-etcd"}})
        self.assertEqual((done.exit, done.err), (0, ""))
        self.assertRegex(done.out, r"(?m)^id = db9")
        self.assertNotIn("word-of-etcd", done.out)
        self.assertEqual(self.keys("/"), {})


if __name__ == "__main__":
    unittest.main()
