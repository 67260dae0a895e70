"""galera-haproxy while HAProxy, etcd, the disk or an admin make trouble."""
from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import time
import unittest
from pathlib import Path
from typing import Callable, Iterator

from balancercase import (ANY, ANY_PORT, PREFIX, READERS, READERS_PORT, WRITER, Balancer, BalancerCase, FakeNode, alive, host,
                          wait_until)


class TroubleCase(BalancerCase):
    def two(self, **settings: object) -> tuple[Balancer, FakeNode, FakeNode]:
        lb = self.running(**settings)
        first, second = self.node(1, "db1"), self.node(2, "db2")
        lb.wait_up(first, second)
        lb.program.wait_said("the writer is")
        wait_until(lambda: len(lb.file_servers()) == 2 and f"the writer is {self.id_of(lb.file_servers()[0])} " in lb.program.err,
                   60, "both in the file, the writer first: it is not written again")
        return lb, first, second

    def id_of(self, address: str) -> str:
        """Of a node that node() has registered as dbNUMBER."""
        return "db" + address.split(":")[0].rsplit(".", 1)[1]

    def restart_haproxy(self, lb: Balancer) -> None:
        lb.haproxy.kill()
        lb.haproxy.admin.unlink(missing_ok=True)
        lb.start_haproxy()


class HAProxyTrouble(TroubleCase):
    def test_restarted_alone_it_has_the_last_known_nodes(self) -> None:
        lb, first, second = self.two()
        lb.program.kill()
        self.etcd.member(1).kill()
        self.restart_haproxy(lb)
        wait_until(lambda: lb.states() == {first.address: "UP", second.address: "UP"}, 60, "both nodes")
        self.assertEqual(lb.served(), {first.address, second.address})

    def test_restarted_beside_us(self) -> None:
        lb, first, second = self.two()
        before = lb.program.said("HAProxy is not there")
        lb.haproxy.kill()
        lb.program.wait_said("HAProxy is not there", times=before + 1)
        third = self.node(3, "db3")
        lb.start_haproxy()
        lb.program.wait_said("HAProxy was restarted")
        lb.wait_up(first, second, third)
        self.assertEqual(lb.program.said("HAProxy is not there"), before + 1, "it is said once")

    def test_restarted_with_an_old_file(self) -> None:
        """It has a node that was removed since, and is alive; our slots had been free of it for a while."""
        lb, _, second = self.two()
        old = lb.config.read_text()
        self.leave("db1")
        lb.wait_up(second)
        third = self.node(3, "db3")
        lb.wait_up(second, third)
        lb.haproxy.kill()
        lb.config.write_text(old)
        lb.haproxy.admin.unlink(missing_ok=True)
        lb.start_haproxy()
        lb.wait_up(second, third)
        wait_until(lambda: sorted(lb.file_servers()) == [second.address, third.address], 60, "the file to be right")

    def test_hung(self) -> None:
        lb, first, second = self.two(timeout="300ms")
        lb.haproxy.process.freeze()
        # On a busy host it may have been late before.
        lb.program.until(lambda: lb.program.said("does not answer in time") > lb.program.said("HAProxy answers again"), 60,
                         "the program to miss its answers")
        again = lb.program.said("HAProxy answers again")
        self.leave("db2")
        third = self.node(3, "db3")
        time.sleep(1.5)
        lb.program.outages("does not answer in time", "HAProxy answers again")  # it is said once
        self.assertTrue(lb.program.alive())
        lb.haproxy.process.thaw()
        lb.program.wait_said("HAProxy answers again", times=again + 1)
        lb.wait_up(first, third)

    def test_another_configuration(self) -> None:
        """More slots and another listener: the file is written, a restart puts it in force."""
        lb, first, second = self.two(slots=2)
        third = self.node(3, "db3")
        lb.program.wait_said("no slot is free for db3")
        lb.settings.update(slots=4, reader_bind=f"{lb.ip}:33308")
        lb.program.reconfigure(lb.program.conf.read_text().replace("slots = 2", "slots = 4") +
                               f"reader_bind = {lb.ip}:33308\n")
        lb.program.signal(signal.SIGHUP)
        lb.program.wait_said("the configuration was read again")
        lb.program.wait_said("restart or reload HAProxy to put it in force")
        self.assertIn("galera-readers", lb.config.read_text())
        self.restart_haproxy(lb)
        lb.wait_up(first, second, third)
        lb.wait_up(first, second, third, backend="galera-readers")

    def test_a_wrong_configuration_is_not_taken(self) -> None:
        lb, first, _ = self.two()
        good = lb.program.conf.read_text()
        for wrong, said in ((good + "slotz = 3\n", "unknown key 'slotz'"),
                            (good.replace("http://", "ftp://"), "'ftp://[^']*' is not a URL like")):
            lb.program.reconfigure(wrong)
            lb.program.signal(signal.SIGHUP)
            lb.program.wait_said(f"{said}.*the configuration stays as it was")
        self.leave("db2")
        lb.wait_up(first)
        for _ in range(3):
            lb.program.reconfigure(good)
            lb.program.signal(signal.SIGHUP)
        lb.program.wait_said("the configuration was read again")
        second = self.node(4, "db4")
        lb.wait_up(first, second)

    def test_without_our_sections(self) -> None:
        lb = self.balancer()
        lb.start()
        lb.program.until(lb.config.exists, 60, "the file")
        lb.haproxy.process.start([host.tool("haproxy"), "-db", "-f", str(lb.main)])
        lb.haproxy.process.wait_ready(lambda: lb.haproxy.admin.exists(), 60)
        self.node(1, "db1")
        lb.program.wait_said("HAProxy runs without the section galera-any.*-f")

    def test_socket_without_permission(self) -> None:
        if not host.is_root():
            self.skipTest("needs root to become another user")
        lb, first, second = self.two()
        lb.program.kill()
        os.chmod(lb.haproxy.admin, 0o600)
        conf = Path(lb.program.conf)
        conf.chmod(0o644)
        done = subprocess.run([str(host.build_dir().absolute() / "bin" / "galera-haproxy"), "-c", str(conf), "--status"],
                              user="nobody", group="nogroup", extra_groups=[], capture_output=True, text=True, timeout=60,
                              check=False)
        self.assertEqual(done.returncode, 77, done.stderr)
        self.assertIn("may not use", done.stderr)

    def test_socket_without_admin_level(self) -> None:
        lb = self.balancer()
        lb.main.write_text(lb.main.read_text().replace("level admin", "level operator"))
        lb.up()
        self.addCleanup(self.expect_one_process, lb)
        self.node(1, "db1")
        lb.program.wait_said("needs 'level admin'")

    def test_old_node_hangs_in_its_check_while_its_slot_is_reused(self) -> None:
        """The answer to a check of the former tenant must not count for the next one."""
        lb = self.running(slots=2)
        first, second = self.node(1, "db1"), self.nodes.up(f"{self.lab.net}.2")
        self.enter("db2", second)
        lb.wait_up(first, second)
        second.silent = True
        seen = len(second.asked)
        wait_until(lambda: len(second.asked) > seen, 60, "a check that hangs")
        third = self.node(3, "db3", code=503)
        self.leave("db2")
        lb.program.wait_said("db3 .* joins")
        seen = len(third.asked)
        wait_until(lambda: len(third.asked) > seen + 3, 60, "checks of db3")
        self.assertNotIn(lb.states().get(third.address), ("UP", "UP 1/2"))
        self.assertEqual(lb.served(), {first.address})


class EtcdTrouble(TroubleCase):
    TTL = 3  # shorter than the outages here, past which the entries have ended

    def leased_by_register(self) -> tuple[Balancer, FakeNode, FakeNode]:
        """Two nodes whose entries real registrars keep."""
        lb = self.running()
        nodes = [self.node(1), self.node(2)]
        self.registrars = [self.registered(f"db{number}", "--check-port", "9200", ip=node.ip)
                           for number, node in enumerate(nodes, 1)]
        lb.wait_up(*nodes)
        return lb, nodes[0], nodes[1]

    def holds(self, lb: Balancer, *nodes: FakeNode, seconds: float) -> None:
        """All of them serve, and no session is lost, at any time."""
        sessions = [lb.connect()[1] for _ in range(4)]
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            # "UP 1/2" is one check that this test, which is also the nodes, has answered late.
            serving = {address: state.replace("UP 1/2", "UP") for address, state in lb.states().items()}
            self.assertEqual(serving, {node.address: "UP" for node in nodes}, lb.program.err)
            time.sleep(0.1)
        self.assertTrue(all(alive(session) for session in sessions))

    def test_down_past_every_ttl(self) -> None:
        lb, first, second = self.leased_by_register()
        self.etcd.member(1).kill()
        lb.program.wait_said("the registry cannot be read.*the last known one .* stands")
        self.holds(lb, first, second, seconds=self.TTL + 2)
        self.etcd.start(1)
        lb.program.wait_said("the registry can be read again")
        self.holds(lb, first, second, seconds=self.TTL + 1)

    def test_emptied(self) -> None:
        lb, first, second = self.leased_by_register()
        for registrar in self.registrars:  # they would register again at once, maybe before anybody has looked
            registrar.signal(signal.SIGSTOP)
        self.delete(PREFIX, prefix=True)
        lb.program.wait_said("the registry below .* is empty")
        self.holds(lb, first, second, seconds=1)
        for registrar in self.registrars:
            registrar.signal(signal.SIGCONT)
        self.holds(lb, first, second, seconds=self.TTL + 1)

    def test_wiped(self) -> None:
        lb, first, second = self.leased_by_register()
        member = self.etcd.member(1)
        member.kill()
        member.wipe()
        self.etcd.start(1)
        self.holds(lb, first, second, seconds=self.TTL + 3)
        third = self.node(3, "db3")
        lb.wait_up(first, second, third)

    def test_not_there_at_the_start(self) -> None:
        lb, first, second = self.two()
        lb.program.kill()
        self.etcd.member(1).kill()
        lb.start()
        lb.program.wait_said("the registry cannot be read")
        lb.program.wait_said("HAProxy 2.* is there")
        self.holds(lb, first, second, seconds=1.5)
        self.assertEqual(sorted(lb.file_servers()), [first.address, second.address])
        self.etcd.start(1)
        third = self.node(3, "db3")
        lb.wait_up(first, second, third)

    def test_killed_in_between_we_go_on_where_we_were(self) -> None:
        lb, first, second = self.two(grace="60s")
        third = self.node(3, "db3", code=503)
        lb.program.wait_said("db3 .* joins")
        self.leave("db2")
        lb.wait_states({first: "UP", third: "DOWN"})
        lb.program.kill()
        third.code = 200
        self.enter("db2", second)
        lb.start()
        lb.wait_up(first, second, third)


class FileTrouble(TroubleCase):
    def test_full_disk(self) -> None:
        if not host.is_root():
            self.skipTest("needs root to mount a small disk")
        place = self.home / "small"
        place.mkdir(exist_ok=True)
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "galera-test", str(place)], check=True)
        self.addCleanup(subprocess.run, ["umount", "-l", str(place)], check=True)
        lb = self.running(config=place / "galera.cfg")
        first = self.node(1, "db1")
        lb.wait_up(first)
        wait_until(lambda: lb.file_servers() == [first.address], 60, "the file")
        filler = place / "filler"
        with open(filler, "wb", 0) as file:
            try:
                while file.write(b"x" * 4096) == 4096:
                    pass
            except OSError:
                pass
        before = lb.config.read_text()
        second = self.node(2, "db2")
        lb.wait_up(first, second)
        lb.program.wait_said("No space left on device.*make room")
        self.assertEqual(lb.config.read_text(), before, "the old file is whole")
        self.assertEqual([path.name for path in place.glob("*.new")], [])
        filler.unlink()
        lb.program.wait_said("is up to date again")
        self.assertEqual(sorted(lb.file_servers()), [first.address, second.address])

    def test_the_previous_file_is_kept(self) -> None:
        lb = self.running()
        empty = lb.config.read_text()
        first = self.node(1, "db1")
        lb.wait_up(first)
        wait_until(lambda: lb.file_servers() == [first.address], 60, "the file")
        self.assertEqual((lb.home / "galera.cfg.bak").read_text(), empty)
        self.assertEqual(lb.config.stat().st_mode & 0o777, 0o644)

    def test_a_file_that_haproxy_refuses_is_not_put_in_place(self) -> None:
        lb, first, second = self.two()
        before = lb.config.read_text()
        good = lb.main.read_text()
        lb.main.write_text(good + "listen galera-any\n    bind nonsense\n")
        third = self.node(3, "db3")
        lb.wait_up(first, second, third)
        lb.program.wait_said("HAProxy does not accept")
        self.assertEqual(lb.config.read_text(), before)
        lb.main.write_text(good)
        lb.program.wait_said("is up to date again")
        self.assertEqual(len(lb.file_servers()), 3)

    def test_without_a_program_to_validate(self) -> None:
        lb, first, second = self.two()
        lb.program.kill()
        lb.settings["haproxy"] = "/nowhere/haproxy"
        lb.start()
        third = self.node(3, "db3")
        lb.wait_up(first, second, third)
        lb.program.wait_said("cannot run /nowhere/haproxy")

    def test_a_program_to_validate_that_hangs(self) -> None:
        hangs = self.home / "hangs"
        hangs.write_text("#!/bin/sh\nexec sleep 600\n")
        hangs.chmod(0o755)
        lb, first, second = self.two()
        lb.program.kill()
        lb.settings.update(haproxy=hangs, validate_timeout="200ms")
        lb.start()
        third = self.node(3, "db3")
        lb.wait_up(first, second, third)
        lb.program.wait_said("'[^']*hangs -c' has not ended in 200ms")

    def test_extra_lines_and_the_distributions_own_main_file(self) -> None:
        lb = self.balancer(extra="maxconn 300 | timeout queue 7s", balance="roundrobin")
        debian = Path("/etc/haproxy/haproxy.cfg")
        if debian.exists():
            shutil.copy(debian, lb.main)
        lb.start()
        lb.program.until(lb.config.exists, 60, "the file")
        self.assertEqual(lb.config.read_text().count("    maxconn 300\n    timeout queue 7s\n"), 2)
        self.assertIn("    balance roundrobin\n", lb.config.read_text())


class Running(TroubleCase):
    def test_stopped_it_leaves_haproxy_as_it_is(self) -> None:
        lb, first, second = self.two()
        _, session = lb.connect()
        self.assertEqual(lb.program.stop(), 0)
        self.assertTrue(alive(session))
        self.assertEqual(lb.states(), {first.address: "UP", second.address: "UP"})
        lb.program.wait_said("stopped; HAProxy goes on")

    def test_once(self) -> None:
        lb = self.balancer()
        arguments = {"settings": {"haproxy": lb.settings}}
        for wrong in (["--format", "json"], ["--format", "table"], ["--once", "--format", "json"]):
            done = self.run_program("galera-haproxy", *wrong, **arguments)
            self.assertEqual((done.exit, lb.config.exists()), (64, False), done.err)
            self.assertIn("--format is how --status prints: add --status", done.err)
        first = self.node(1, "db1")
        done = self.run_program("galera-haproxy", "--once", **arguments)
        self.assertEqual(done.exit, 69, done.err)  # there is no HAProxy, and so there is a file for it now
        self.assertTrue(lb.config.exists())
        lb.program = self.start("galera-discover", "--watch")
        lb.start_haproxy()
        self.addCleanup(self.expect_one_process, lb)
        steps = self.run_program("galera-haproxy", "--dry-run", **arguments)
        self.assertEqual(steps.exit, 0, steps.err)
        self.assertIn(f"set server galera-any/s1 addr {first.ip} port 3306\n", steps.out)
        self.assertEqual(lb.states(), {})
        self.assertEqual(self.run_program("galera-haproxy", "--status", **arguments).exit, 1)
        done = self.run_program("galera-haproxy", "--once", **arguments)
        self.assertEqual(done.exit, 0, done.err)
        self.assertEqual(lb.states(), {first.address: "UP"})
        self.assertEqual(lb.file_servers(), [first.address])
        self.assertEqual(self.run_program("galera-haproxy", "--dry-run", **arguments).out, "")
        self.assertEqual(self.run_program("galera-haproxy", "--status", **arguments).exit, 0)
        self.leave("db1")
        done = self.run_program("galera-haproxy", "--once", **arguments)
        self.assertEqual(done.exit, 1)
        self.assertIn("nothing is changed", done.err)
        self.assertEqual(lb.states(), {first.address: "UP"})
        self.etcd.member(1).kill()
        done = self.run_program("galera-haproxy", "--once", **arguments)
        self.assertEqual(done.exit, 69, done.err)
        done = self.run_program("galera-haproxy", "--status", **arguments)
        self.assertEqual(done.exit, 2, done.err)
        self.assertIn("unknown", done.out)

    def test_status(self) -> None:
        lb, first, second = self.two()
        _, session = lb.connect()
        wait_until(lambda: lb.status() and lb.status().get("settled"), 60, "a settled state")
        shown = lb.status()
        slots = {slot.get("node"): slot for slot in shown["slots"] if slot["wanted"] != "free"}
        self.assertEqual(set(slots), {"db1", "db2"})
        self.assertEqual(slots["db1"]["address"], first.address)
        self.assertEqual(slots["db1"]["actual"], "UP")
        self.assertIn("L7OK 200", slots["db1"]["sections"][ANY]["check"])
        self.assertEqual(sum(slot["sessions"] for slot in slots.values()), 1)
        self.assertEqual([name for name, slot in slots.items() if slot.get("writer")],
                         [self.id_of(lb.file_servers()[0])])
        self.assertEqual(shown["haproxy"]["pid"], lb.pid)
        self.assertTrue(alive(session))

    def systemd(self) -> tuple[str, list[str], Callable[[], list[str]]]:
        """What stands in for it: its socket, all that it was told, and what looks for more."""
        place = self.home / "notify"
        place.unlink(missing_ok=True)
        ears = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.addCleanup(ears.close)
        ears.bind(str(place))
        ears.setblocking(False)
        heard: list[str] = []

        def hear() -> list[str]:
            while True:
                try:
                    heard.extend(ears.recv(4096).decode().split("\n"))
                except BlockingIOError:
                    return heard

        return str(place), heard, hear

    def test_when_it_is_ready_the_file_has_the_listeners_that_are_configured(self) -> None:
        """Whoever starts or reloads HAProxy then needs not do it again. etcd is not there to say who the nodes are."""
        place, heard, hear = self.systemd()
        lb, first, second = self.two()
        nodes = lb.file_servers()
        lb.program.kill()
        lb.settings["bind"] = f"{lb.ip}:33316"
        with self.etcd_away():
            lb.start(env={"NOTIFY_SOCKET": place})
            wait_until(lambda: "READY=1" in hear(), 60, "READY=1")
            self.assertIn(f"bind {lb.ip}:33316\n", lb.config.read_text())
            self.assertEqual((lb.file_servers(), lb.file_servers(WRITER)), (nodes, nodes))
            lb.program.conf.write_text(lb.program.conf.read_text() + f"reader_bind = {lb.ip}:{READERS_PORT}\n")
            heard.clear()
            lb.program.signal(signal.SIGHUP)
            wait_until(lambda: "RELOADING=1" in hear() and "READY=1" in heard, 60, "the reload")
            self.assertIn(f"bind {lb.ip}:{READERS_PORT}\n", lb.config.read_text())
            self.assertEqual(lb.file_servers(READERS), nodes)
        lb.wait_up(first, second)

    @contextlib.contextmanager
    def etcd_away(self) -> Iterator[None]:
        self.etcd.member(1).freeze()
        try:
            yield
        finally:
            self.etcd.member(1).thaw()

    def test_systemd_is_told(self) -> None:
        place, heard, hear = self.systemd()
        lb = self.balancer(timeout="300ms")
        lb.start(env={"NOTIFY_SOCKET": place, "WATCHDOG_USEC": "1500000"})
        wait_until(lambda: "READY=1" in hear(), 60, "READY=1 without HAProxy")
        self.assertTrue(lb.config.exists(), "there is a file to start HAProxy from")
        lb.start_haproxy()
        hear()  # ten words fit into the socket; what is said while it is full is lost
        self.addCleanup(self.expect_one_process, lb)
        first = self.node(1, "db1")
        wait_until(lambda: f"STATUS=1 of 1 nodes serve, writer: db1 ({first.address})" in hear(), 60, "the status")

        def fed(seconds: float) -> None:
            self.assert_fed(hear, heard, 1.5, seconds, lb.program)

        fed(2)
        lb.haproxy.process.freeze()
        fed(2)
        lb.haproxy.process.thaw()
        self.etcd.member(1).freeze()
        fed(4)
        self.etcd.member(1).thaw()
        lb.program.signal(signal.SIGHUP)
        wait_until(lambda: "RELOADING=1" in hear() and "READY=1" in heard, 60, "the reload")
        self.assertEqual(lb.program.stop(), 0)
        self.assertIn("STOPPING=1", hear())


if __name__ == "__main__":
    unittest.main()
