"""clustercheck when its own ground gives way: configuration, descriptors, memory, disks.  There is always an answer."""
from __future__ import annotations

import os
import sys
import unittest
from pathlib import Path

from checkcase import CheckCase, reasons
from harness import run_checker

from galeralab import host

MEGABYTE = 1 << 20


class Configuration(CheckCase):
    def wrong(self, *words: str) -> None:
        """A 503 with the reason in one line, at every path, without asking anybody."""
        for path in ("/", "/live"):
            answer = self.expect(503, "configuration-error", path)
            self.assertEqual(answer.headers["x-galera-state"], "unknown")
            for word in words:
                self.assertIn(word, answer.body.decode().splitlines()[1])

    def test_unknown_key_is_named_with_its_line_and_the_nearest_one(self) -> None:
        self.configure(1, {"clustercheck": {"timout": "1s"}})
        line = self.checker.conf.read_text().splitlines().index("timout = 1s") + 1
        self.wrong(f"{self.checker.conf}:{line}", "timout", "'timeout'")

    def test_unknown_section(self) -> None:
        self.configure(1, {"clusterchek": {"timeout": "1s"}})
        self.wrong("clusterchek", "clustercheck")

    def test_wrong_value(self) -> None:
        self.policy(available_when_donor="sometimes")
        self.wrong("available_when_donor", "sometimes")

    def test_file_that_is_no_configuration(self) -> None:
        self.checker.conf.write_bytes(bytes(range(256)) * 100)
        self.wrong(str(self.checker.conf))
        self.checker.conf.write_text("not a line of a configuration\n")
        self.wrong(str(self.checker.conf))

    def test_file_that_is_missing_or_cannot_be_read(self) -> None:
        self.service(server_args="-c /nonexistent/clustercheck.conf")
        self.wrong("/nonexistent/clustercheck.conf", "No such file")
        self.service(server_args=f"-c {self.node.home}")
        self.wrong(str(self.node.home))

    def test_password_file_that_cannot_be_read(self) -> None:
        for path, word in ((self.node.home / "none", "No such file"), (self.node.home, "Is a directory")):
            self.configure(1, {"mysql": {"password_file": str(path)}})
            self.wrong(str(path), word)

    def test_password_file_that_is_empty(self) -> None:
        empty = self.node.home / "empty.password"
        empty.touch()
        self.configure(1, {"mysql": {"password_file": str(empty)}})
        self.wrong(str(empty))

    def test_wrong_command_line(self) -> None:
        self.service(server_args=f"-c {self.checker.conf} --timout 1s")
        self.wrong("--timout", "timeout")
        self.service(server_args="a b c d e f g h")
        self.wrong("arguments")

    def test_options_for_a_shell_are_no_answer(self) -> None:
        for option in ("--help", "--version", "--check-config"):
            self.service(server_args=f"-c {self.checker.conf} {option}")
            self.wrong(option)

    def test_head_gets_the_headers_of_it(self) -> None:
        self.policy(timeout="soon")
        answer = self.probe(request=b"HEAD / HTTP/1.0\r\n\r\n")
        self.assertEqual(reasons(answer), (503, "configuration-error"))

    def test_client_that_says_nothing_is_told_as_well(self) -> None:
        self.policy(timeout="soon")
        self.assertEqual(reasons(self.probe(request=b"")), (503, "configuration-error"))


class Limits(CheckCase):
    def started(self, limit: str) -> bool:
        """Whether the loader can start the program at all; before that nobody can answer."""
        return run_checker([host.tool("prlimit"), limit, str(host.clustercheck_bin()), "-V"]).exit == 0

    def test_hardly_any_descriptor(self) -> None:
        """xinetd hands over three, the loader needs a fourth; with a fifth the server is asked while the log is open."""
        least = next(limit for limit in range(3, 20) if self.started(f"--nofile={limit}"))
        for limit in range(least, least + 4):
            with self.subTest(descriptors=limit):
                self.service(rlimit_files=str(limit))
                answer = self.ask()
                if limit > least:
                    self.assertEqual(reasons(answer), (200, "synced"), answer)
                self.assertIn(reasons(answer), ((503, "cannot-connect"), (200, "synced")))

    def test_table_of_descriptors_is_exhausted(self) -> None:
        """All but one that the limit allows are open when the program begins, and the log takes that one."""
        starter = self.node.home / "exhausted"
        starter.write_text(f"#!{sys.executable}\nimport os, resource, sys\n"
                           "resource.setrlimit(resource.RLIMIT_NOFILE, (12, 12))\n"
                           "for fd in range(4, 12):\n    os.dup2(0, fd, inheritable=True)\n"
                           "os.execv(sys.argv[1], sys.argv[1:])\n")
        starter.chmod(0o755)
        self.service(server=str(starter), server_args=f"{host.clustercheck_bin()} -c {self.checker.conf}")
        self.assertIn(b"(24)", self.expect(503, "cannot-connect").body)  # EMFILE
        self.policy(log="none")
        self.expect(200, "synced")

    def test_hardly_any_memory(self) -> None:
        """Where the watchdog cannot be started, the answer says so; with more, it is the right one."""
        if b"__asan_init" in host.clustercheck_bin().read_bytes():
            return  # the sanitizer reserves terabytes of address space
        least = next(limit for limit in range(2, 200) if self.started(f"--as={limit * MEGABYTE}"))
        seen = set()
        for limit in range(least, least + 24, 2):
            with self.subTest(megabytes=limit):
                self.service(rlimit_as=f"{limit}M")
                answer = self.ask()
                self.assertIn(reasons(answer), ((503, "internal-error"), (503, "cannot-connect"), (200, "synced")))
                seen.add(answer.reason)
        self.assertLessEqual({"internal-error", "synced"}, seen)


class Disks(CheckCase):
    """A log or a state directory that cannot be written costs a log line, never the answer."""

    def right(self) -> None:
        self.checker.disable_file.unlink(missing_ok=True)
        self.expect(200, "synced")
        self.expect(200, "synced", "/live")
        self.node.sql("SET GLOBAL wsrep_desync=ON")
        self.expect(503, "desynced")
        self.node.sql("SET GLOBAL wsrep_desync=OFF")

    def test_state_dir_is_missing(self) -> None:
        self.policy(state_dir="/nonexistent/state")
        self.right()

    def test_state_dir_cannot_be_written(self) -> None:
        self.policy(state_dir="/proc/self")  # where even root creates nothing
        self.right()
        self.policy(state_dir=str(self.checker.conf))
        self.right()

    def test_state_file_is_something_else(self) -> None:
        state = self.node.home / "odd-state"
        state.mkdir(exist_ok=True)
        self.policy(state_dir=str(state))
        target = self.node.home / "must-not-be-written"
        target.write_text("mine\n")
        for make in (lambda file: file.mkdir(), lambda file: file.symlink_to(target), self.fifo):
            last = state / "policy.last"
            make(last)
            self.right()
            last.rmdir() if last.is_dir() else last.unlink()
        self.assertEqual(target.read_text(), "mine\n")

    @staticmethod
    def fifo(path: Path) -> None:
        os.mkfifo(path)

    def test_log_cannot_be_opened(self) -> None:
        pipe = self.node.home / "log.fifo"
        self.fifo(pipe)
        self.addCleanup(pipe.unlink)
        for log in ("/nonexistent/log", str(self.node.home), "/proc/version", str(pipe)):
            with self.subTest(log=log):
                self.policy(log=log)
                self.right()

    def test_log_is_on_a_full_disk(self) -> None:
        self.policy(log="/dev/full")
        self.right()

    def test_every_disk_is_full(self) -> None:
        """A limit of no byte at all fails every write to a file, as a full disk does."""
        for name, line in (("full", "trap '' XFSZ"), ("full-and-signalled", ":")):
            with self.subTest(name):
                self.service(server=str(self.script(name, line, "ulimit -f 0")))
                self.right()


if __name__ == "__main__":
    unittest.main()
