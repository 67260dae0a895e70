"""clustercheck from a shell, with classic arguments, and started by a socket the way systemd does it."""
from __future__ import annotations

import os
import socket
import subprocess
import unittest
from pathlib import Path
from typing import Sequence

from checkcase import CheckCase, children, reasons, whole
from harness import Answer, Session, wait_until

from galeralab.mariadb import CHECK_PASSWORD


class Shell(CheckCase):
    def exits(self, code: int, *arguments: str, env: dict[str, str] = {}) -> Answer:
        """Run it; what it printed, which is an answer like any other."""
        done = self.shell(*arguments, env=env)
        self.assertEqual(done.exit, code, done)
        self.assertEqual(done.err, "")
        return whole(Answer(raw=done.out.encode(), ending="fin").parse())

    def test_exit_status_tells_up_down_and_unknown(self) -> None:
        self.assertEqual(reasons(self.exits(0)), (200, "synced"))
        self.node.sql("SET GLOBAL wsrep_desync=ON")
        self.assertEqual(reasons(self.exits(1)), (503, "desynced"))
        self.node.kill()
        self.assertEqual(reasons(self.exits(2)), (503, "cannot-connect"))

    def test_draining_and_disabled_are_down(self) -> None:
        self.checker.drain_file.touch()
        self.assertEqual(reasons(self.exits(1)), (404, "draining"))
        self.checker.disable_file.touch()
        self.assertEqual(reasons(self.exits(1)), (503, "disabled"))

    def test_output_is_the_answer_that_a_balancer_gets(self) -> None:
        self.assertEqual(self.shell().out.encode(), self.probe().raw)

    def test_path(self) -> None:
        self.node.sql("SET GLOBAL read_only=ON")
        self.exits(0, "--path", "/")
        self.assertEqual(self.exits(1, "--path", "/rw").reason, "read-only")
        self.exits(0, "-p", "/live")

    def test_timeout(self) -> None:
        self.freeze()
        self.assertEqual(self.exits(2, "-t", "300ms").reason, "timed-out")

    def test_quiet_prints_nothing(self) -> None:
        for code, sql in ((0, "DO 1"), (1, "SET GLOBAL wsrep_desync=ON")):
            self.node.sql(sql)
            done = self.shell("-q")
            self.assertEqual((done.exit, done.out, done.err), (code, "", ""))
        self.freeze()
        done = self.shell("-q", "-t", "200ms")
        self.assertEqual((done.exit, done.out, done.err), (2, "", ""))

    def test_closed_standard_output(self) -> None:
        command = " ".join(self.checker.argv())
        self.assertEqual(subprocess.run(f"{command} >&-", shell=True, check=False).returncode, 0)
        self.assertEqual(subprocess.run(f"{command} > /dev/full", shell=True, check=False).returncode, 0)
        read, write = os.pipe()
        os.close(read)
        with open(write, "wb") as nobody_reads:
            self.assertEqual(subprocess.run(self.checker.argv(), stdout=nobody_reads, check=False).returncode, 0)
        self.assertEqual(subprocess.run(f"{command} <&- | grep -q '^X-Galera-Reason: synced'", shell=True,
                                        check=False).returncode, 0)

    def message(self, code: int, *arguments: str) -> str:
        """It fails before it can ask: one line on standard error, and nothing that looks like an answer."""
        done = self.shell(*arguments)
        self.assertEqual((done.exit, done.out), (code, ""), done)
        self.assertRegex(done.err, r"\Aclustercheck: err: .*\n\Z")
        return done.err

    def test_wrong_usage(self) -> None:
        self.assertIn("'timeout'", self.message(64, "--timout=1s"))
        self.assertIn("--path", self.message(64, "--path", "rw"))
        self.assertIn("7", self.message(64, *"abcdefg"))

    def test_wrong_configuration(self) -> None:
        self.assertIn("timeout", self.message(78, "-t", "soon"))
        self.assertIn("/nonexistent.conf", self.message(78, "-c", "/nonexistent.conf"))
        self.policy(timout="1s")
        self.assertIn(f"{self.checker.conf}:", self.message(78))
        self.assertIn(f"{self.checker.conf}:", self.message(78, "-n"))

    def test_check_config_prints_what_is_in_force_with_secrets_masked(self) -> None:
        self.configure(1, {"mysql": {"password": "very-secret"}, "clustercheck": {"timeout": "1500ms"}})
        done = self.shell("-n", env={"CLUSTERCHECK_MYSQL_PORT": "3399"})
        self.assertEqual((done.exit, done.err), (0, ""))
        self.assertNotIn("very-secret", done.out)
        self.assertNotIn(CHECK_PASSWORD, done.out)
        self.assertRegex(done.out, r"(?m)^password = .*; .*clustercheck\.conf:\d+$")
        self.assertRegex(done.out, r"(?m)^timeout = 1500ms .*clustercheck\.conf:\d+$")
        self.assertRegex(done.out, r"(?m)^port = 3399 ")

    def test_environment_sets_every_key(self) -> None:
        env = {"CLUSTERCHECK_MYSQL_SOCKET": "/nonexistent.sock"}
        self.assertIn(b"/nonexistent.sock", self.exits(2, env=env).body)


class Classic(CheckCase):
    """The classic script's arguments, exit status and environment."""

    def setUp(self) -> None:
        super().setUp()
        self.configure(1, {"mysql": {"user": None, "password_file": None}})
        self.node.sql("CREATE OR REPLACE USER clustercheckuser@'%' IDENTIFIED BY 'clustercheckpassword!'")
        self.options = self.node.home / "classic.cnf"
        self.options.write_text(f"[client]\nuser=clustercheck\npassword={CHECK_PASSWORD}\n")

    def runs(self, code: int, *arguments: str, env: dict[str, str] = {}) -> None:
        """In a shell and through xinetd, which must agree."""
        done = self.shell(*arguments, env=env)
        self.assertEqual(done.exit, code, done)
        self.assertIn(f"HTTP/1.1 {200 if code == 0 else 503} ", done.out)
        words = [word or '""' for word in arguments]
        if '""' not in words:  # xinetd cannot pass an empty word
            self.service(server_args=" ".join([f"-c {self.checker.conf}", *words]),
                         env=" ".join(f"{name}={value}" for name, value in env.items()) or "A=b")
            self.assertEqual(self.ask().code, 200 if code == 0 else 503, arguments)

    def test_account(self) -> None:
        self.runs(0, "clustercheck", CHECK_PASSWORD)
        self.runs(1, "clustercheck", "wrong")

    def test_user_alone_gets_the_classic_password(self) -> None:
        self.runs(0, "clustercheckuser")

    def test_unknown_is_1_as_it_always_was(self) -> None:
        self.node.kill()
        self.runs(1, "clustercheck", CHECK_PASSWORD)

    def test_hung_is_1_too(self) -> None:
        self.policy(timeout="300ms")
        self.freeze()
        done = self.shell("a", "b")
        self.assertEqual(done.exit, 1)
        self.assertIn("X-Galera-Reason: ", done.out)

    def test_dash_takes_the_account_from_the_file(self) -> None:
        self.runs(0, "-", "0", "/dev/null", "1", str(self.options))
        self.runs(1, "-", "0", "/dev/null", "1", "/nonexistent.cnf")

    def test_empty_user_and_password_take_it_from_the_file(self) -> None:
        self.runs(0, "", "", "0", "/dev/null", "1", str(self.options))

    def test_readonly_argument(self) -> None:
        self.node.sql("SET GLOBAL read_only=ON")
        self.runs(0, "clustercheck", CHECK_PASSWORD, "0", "/dev/null", "1")
        self.runs(1, "clustercheck", CHECK_PASSWORD, "0", "/dev/null", "0")

    def test_donor_argument(self) -> None:
        """A backup's lock makes the server a donor in all but name."""
        with Session(self.node.root()) as held:
            held.query("FLUSH TABLES WITH READ LOCK")
            self.runs(1, "clustercheck", CHECK_PASSWORD, "0")
            self.runs(0, "clustercheck", CHECK_PASSWORD, "1")

    def test_log_argument(self) -> None:
        log = self.node.home / "classic.log"
        self.checker.disable_file.touch()
        self.runs(1, "clustercheck", CHECK_PASSWORD, "0", str(log))
        self.expect_no_process_left()
        self.assertIn("reason=disabled", log.read_text())

    def test_environment(self) -> None:
        account = {"MYSQL_USERNAME": "clustercheck", "MYSQL_PASSWORD": CHECK_PASSWORD}
        self.runs(0, env=account)
        self.assertEqual(self.shell(env={**account, "MYSQL_PASSWORD": "wrong"}).exit, 2)
        self.node.sql("SET GLOBAL read_only=ON")
        self.runs(1, env={**account, "AVAILABLE_WHEN_READONLY": "0"})
        self.runs(0, env={"MYSQL_USERNAME": "", "MYSQL_PASSWORD": "", "DEFAULTS_EXTRA_FILE": str(self.options)})

    def test_password_is_wiped_from_the_process_list(self) -> None:
        self.policy(timeout="60s")
        self.freeze()
        command = self.checker.argv("clustercheck", "a-secret-to-be-wiped", "0")
        child = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
        self.addCleanup(child.wait)
        self.addCleanup(child.kill)
        line = Path(f"/proc/{child.pid}/cmdline")
        wait_until(lambda: b"clustercheck.conf" in line.read_bytes(), 60, "the program to start", 0.01)
        wait_until(lambda: b"a-secret" not in line.read_bytes(), 60, "the password to be wiped", 0.01)
        self.assertIsNone(child.poll(), "still waiting for the server")
        self.assertEqual(line.read_bytes().split(b"\0")[-2], b"0", "only the password")


class SocketActivation(CheckCase):
    """A connected socket as standard input, by whoever started the program."""

    def start(self, descriptors: Sequence[int], request: bytes, family: str = "tcp") -> tuple[Answer, int]:
        """`descriptors` are those that are the socket; the others are /dev/null."""
        if family == "tcp":
            with socket.create_server((f"{self.lab.net}.60", 0)) as listener:
                ours = socket.create_connection(listener.getsockname(), 10)
                theirs = listener.accept()[0]
        else:
            ours, theirs = socket.socketpair(socket.AF_UNIX)
        with ours, theirs:
            given = {name: theirs if fd in descriptors else subprocess.DEVNULL
                     for fd, name in enumerate(("stdin", "stdout", "stderr"))}
            child = subprocess.Popen(self.checker.argv(), **given)
            theirs.close()
            ours.settimeout(60)
            ours.sendall(request)
            raw = b"".join(iter(lambda: ours.recv(65536), b""))
        return Answer(raw=raw, ending="fin").parse(), child.wait(60)

    def test_connected_socket_with_any_standard_output(self) -> None:
        """xinetd gives all three, systemd's Accept=yes standard input alone (or output as well)."""
        for descriptors in ((0, 1, 2), (0, 1), (0,)):
            with self.subTest(descriptors=descriptors):
                answer, code = self.start(descriptors, b"GET /rw HTTP/1.0\r\n\r\n")
                self.assertEqual((reasons(whole(answer)), code), ((200, "synced"), 0))

    def test_exit_status_is_that_of_a_shell(self) -> None:
        self.node.sql("SET GLOBAL wsrep_desync=ON")
        answer, code = self.start((0, 1), b"GET / HTTP/1.0\r\n\r\n")
        self.assertEqual((reasons(whole(answer)), code), ((503, "desynced"), 1))
        self.policy(timeout="soon")
        answer, code = self.start((0,), b"GET / HTTP/1.0\r\n\r\n")
        self.assertEqual((reasons(whole(answer)), code), ((503, "configuration-error"), 78))

    def test_unix_socket(self) -> None:
        answer, code = self.start((0, 1), b"GET / HTTP/1.0\r\n\r\n", "unix")
        self.assertEqual((reasons(whole(answer)), code), ((200, "synced"), 0))

    def test_nothing_that_is_printed_reaches_the_client(self) -> None:
        """xinetd makes the client standard output and standard error too; the program takes both away from it."""
        self.policy(timeout="60s")
        self.freeze()
        client = self.raw()
        client.sendall(b"GET / HTTP/1.0\r\n\r\n")
        parent = self.xinetd.process.identity.pid
        check = wait_until(lambda: list(children(parent)), 60, "the check to run", 0.01)[0]

        def kinds() -> list[str]:
            return [os.readlink(f"/proc/{check}/fd/{fd}").partition(":")[0] for fd in range(3)]

        wait_until(lambda: kinds() == ["socket", "/dev/null", "/dev/null"], 60, "standard output to be elsewhere", 0.01)
        self.node.thaw()
        self.assertTrue(client.recv(65536).startswith(b"HTTP/1.1 200 OK\r\n"))

    def test_listening_socket(self) -> None:
        """xinetd's wait = yes: one connection is taken and answered."""
        with socket.create_server((f"{self.lab.net}.60", 0)) as listener:
            child = subprocess.Popen(self.checker.argv(), stdin=listener, stdout=listener, stderr=listener)
            self.addCleanup(child.wait)
            self.addCleanup(child.kill)
            with socket.create_connection(listener.getsockname(), 20) as client:
                client.settimeout(60)
                client.sendall(b"GET / HTTP/1.0\r\n\r\n")
                raw = b"".join(iter(lambda: client.recv(65536), b""))
        self.assertEqual(reasons(whole(Answer(raw=raw, ending="fin").parse())), (200, "synced"))


if __name__ == "__main__":
    unittest.main()
