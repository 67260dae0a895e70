"""galera-register beside a real server: the state in the registry, and --when synced."""
from __future__ import annotations

import time
import unittest

from registrycase import KV, PREFIX, Program, RegistryCase, wait_until


class BesideAServer(RegistryCase):
    UP_AFTER, DOWN_AFTER = 1.0, 3.0

    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        cls.lab.up(1, xinetd=False, use_haproxy=False)
        cls.node = cls.lab.node(1)

    def setUp(self) -> None:
        super().setUp()
        self.lab.heal()
        self.disabled = self.home / "disabled"
        self.disabled.unlink(missing_ok=True)

    def beside(self, when: str, **register: object) -> Program:
        checker = self.lab.checker(1)
        settings = {"mysql": {"socket": self.node.socket, "user": "clustercheck",
                              "password_file": checker.password_file},
                    "clustercheck": {"datadir": self.node.data, "disable_file": self.disabled},
                    "register": {"check_interval": "100ms", "check_timeout": "1s", "up_after": f"{self.UP_AFTER}s",
                                 "down_after": f"{self.DOWN_AFTER}s", **register}}
        return self.register("db1", "--when", when, settings=settings)

    def wait_state(self, state: str, timeout: float = 60) -> None:
        wait_until(lambda: self.entries().get("db1", {}).get("state") == state, timeout, f"the state {state}", 0.02)

    def assert_there(self, before: KV, program: Program) -> None:
        self.assertEqual(self.wait_entry("db1", 0), before, program.err)

    def test_registered_when_it_has_been_synced_for_a_while(self) -> None:
        self.node.stop()
        self.disabled.touch()
        program = self.beside("synced")
        time.sleep(self.UP_AFTER + 0.5)
        self.assertEqual(self.entries(), {})
        self.node.bootstrap()
        self.assertEqual(self.entries(), {})
        started = time.monotonic()  # until here it is disabled, so that we know since when it has been seen as Synced
        self.disabled.unlink()
        wait_until(lambda: program.said("notice: registered"), 60, "the registration")
        self.assertGreater(time.monotonic() - started, self.UP_AFTER / 2, "up_after was not waited for")
        self.assertEqual(self.entries()["db1"]["state"], "synced")
        self.assertEqual(program.stop(), 0)
        self.assertEqual(self.entries(), {})

    def test_a_blip_does_not_flap_the_entry(self) -> None:
        """The state is told at once, the entry stays."""
        down_after = 10.0  # each blip has to be over by then
        program = self.beside("synced", down_after=f"{down_after}s")
        before = self.wait_entry("db1")
        for _ in range(2):
            self.node.sql("SET GLOBAL wsrep_desync=ON")
            self.wait_state("desynced")
            self.node.sql("SET GLOBAL wsrep_desync=OFF")
            self.wait_state("synced")
        time.sleep(down_after)
        self.assert_there(before, program)

    def test_a_desynced_node_leaves_and_comes_back(self) -> None:
        program = self.beside("synced")
        self.wait_entry("db1")
        started = time.monotonic()
        self.node.sql("SET GLOBAL wsrep_desync=ON")
        self.wait_gone("db1")
        self.assertGreater(time.monotonic() - started, self.DOWN_AFTER - 0.5, "down_after was not waited for")
        self.assertRegex(program.err, "removed the entry of db1")
        self.node.sql("SET GLOBAL wsrep_desync=OFF")
        self.wait_entry("db1")
        self.wait_state("synced")

    def test_a_stopped_server_leaves_or_is_shown_as_it_is(self) -> None:
        """--when always and --when synced side by side."""
        always = self.beside("always")
        self.wait_state("synced")
        before = self.wait_entry("db1")
        self.node.kill()
        self.wait_state("cannot-connect")
        self.assert_there(before, always)
        self.assertEqual(always.stop(), 0)
        self.node.bootstrap()
        synced = self.beside("synced")
        self.wait_entry("db1")
        self.node.stop()
        self.wait_gone("db1")
        self.assertTrue(synced.alive())

    def test_a_hanging_server_never_delays_a_keepalive(self) -> None:
        """The check of it takes far longer than the TTL; and a stop does not wait for it either."""
        program = self.beside("always", check_timeout="30s")
        self.wait_state("synced")
        before = self.wait_entry("db1")
        self.node.freeze()
        time.sleep(self.end_of_ttl())
        self.assert_there(before, program)
        started = time.monotonic()
        self.assertEqual(program.stop(), 0)
        self.assertLess(time.monotonic() - started, 15, "check_timeout is 30s")
        self.assertEqual(self.entries(), {})

    def test_a_hanging_server_is_seen(self) -> None:
        program = self.beside("synced", down_after="10s")  # the state has to be seen before the entry leaves
        self.wait_entry("db1")
        before = self.wait_entry("db1")
        self.node.freeze()
        self.wait_state("timed-out")
        self.assertEqual(self.keys()[f"{PREFIX}/db1/state"].lease, before.lease)
        self.wait_gone("db1")
        self.node.thaw()
        self.wait_entry("db1")
        self.wait_state("synced")
        self.assertTrue(program.alive())

    def test_a_drained_node_says_so(self) -> None:
        drain = self.home / "drain"
        self.addCleanup(lambda: drain.unlink(missing_ok=True))
        settings = {"mysql": {"socket": self.node.socket, "user": "clustercheck",
                              "password_file": self.lab.checker(1).password_file},
                    "clustercheck": {"drain_file": drain}, "register": {"check_interval": "100ms"}}
        self.register("db1", settings=settings)
        self.wait_state("synced")
        drain.touch()
        self.wait_state("draining")
        drain.unlink()
        self.wait_state("synced")


if __name__ == "__main__":
    unittest.main()
