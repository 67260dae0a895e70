"""What clustercheck logs behind xinetd: one line for a change, none for a healthy check, a reminder of what lasts."""
from __future__ import annotations

import fcntl
import json
import os
import re
import unittest
from concurrent.futures import ThreadPoolExecutor

from checkcase import CheckCase
from harness import Answer


class Log(CheckCase):
    def setUp(self) -> None:
        super().setUp()
        for last in self.checker.state.glob("*.last"):
            last.unlink()
        self.checker.log.unlink(missing_ok=True)

    def ask(self, *arguments, **more) -> Answer:
        """A check, and the end of its process: the line is written after the answer."""
        answer = super().ask(*arguments, **more)
        self.expect_no_process_left()
        return answer

    def lines(self) -> list[str]:
        self.expect_no_process_left()
        return self.checker.log.read_text().splitlines() if self.checker.log.exists() else []

    def many(self, path: str = "/", count: int = 10) -> None:
        for _ in range(count):
            self.ask(path)

    def age(self, seconds: float, name: str = "policy") -> None:
        """As if the last line were older than it is."""
        last = self.checker.state / f"{name}.last"
        when = last.stat().st_mtime - seconds
        os.utime(last, (when, when))

    def test_one_line_per_change_and_none_while_nothing_changes(self) -> None:
        self.many()
        self.node.sql("SET GLOBAL wsrep_desync=ON")
        self.many()
        self.node.sql("SET GLOBAL wsrep_desync=OFF")
        self.wait_code(1, 200)
        self.many()
        words = [re.sub(r"^\S+ clustercheck: ", "", line) for line in self.lines()]
        self.assertEqual(words, [
            "notice: node is up: synced endpoint=/ reason=synced",
            "warning: node is down: desynced by hand; SET GLOBAL wsrep_desync=OFF brings it back"
            ' endpoint=/ reason=desynced before="up synced"',
            'notice: node is up: synced endpoint=/ reason=synced before="down desynced"'])

    def test_healthy_node_is_never_logged_again(self) -> None:
        self.many()
        self.age(100000)
        self.many()
        self.assertEqual(len(self.lines()), 1)

    def test_every_endpoint_has_a_memory_of_its_own(self) -> None:
        self.node.sql("SET GLOBAL read_only=ON")
        for path in ("/", "/rw", "/ro", "/live") * 3:
            self.ask(path)
        found = [re.search(r"endpoint=(\S+) reason=(\S+)", line).groups() for line in self.lines()]
        self.assertEqual(found, [("/", "synced"), ("/rw", "read-only"), ("/ro", "synced"), ("/live", "synced")])

    def test_server_that_cannot_be_asked_is_logged_again_after_log_repeat(self) -> None:
        self.policy(log_repeat="1m")
        self.node.kill()
        self.many()
        self.assertEqual(len(self.lines()), 1)
        self.age(61)
        self.many()
        lines = self.lines()
        self.assertEqual(len(lines), 2)
        for line in lines:
            self.assertIn(" err: node is unknown: ", line)
            self.assertIn("reason=cannot-connect", line)

    def test_log_repeat_of_zero_is_never_again(self) -> None:
        self.policy(log_repeat="0s")
        self.node.kill()
        self.many()
        self.age(100000)
        self.many()
        self.assertEqual(len(self.lines()), 1)

    def test_node_that_is_down_is_not_repeated(self) -> None:
        self.checker.disable_file.touch()
        self.many()
        self.age(100000)
        self.many()
        self.assertEqual(len(self.lines()), 1)

    def test_answer_of_the_watchdog_is_logged_once(self) -> None:
        self.ask()
        self.freeze()
        self.policy(timeout="200ms")
        self.many(count=3)
        self.node.thaw()
        self.policy(timeout="20s")
        self.ask()
        found = [re.search(r"reason=(\S+)", line)[1] for line in self.lines()]
        self.assertEqual(found, ["synced", "timed-out", "synced"])

    def test_many_checks_at_once_make_one_line(self) -> None:
        self.policy(timeout="20s")
        self.node.sql("SET GLOBAL wsrep_desync=ON")
        with ThreadPoolExecutor(16) as pool:
            codes = {answer.code for answer in pool.map(lambda _: self.probe(timeout=30), range(64))}
        self.assertEqual(codes, {503})
        self.assertEqual(len(self.lines()), 1)

    def test_check_that_finds_another_one_at_the_log_leaves_the_line_to_it(self) -> None:
        self.ask()
        with open(self.checker.state / "policy.last", "rb") as last:
            fcntl.flock(last, fcntl.LOCK_EX)
            self.checker.disable_file.touch()
            self.many()
            self.assertEqual(len(self.lines()), 1)
        self.many()
        self.assertEqual(len(self.lines()), 2)

    def test_without_a_state_dir_every_check_that_is_not_up_is_logged(self) -> None:
        self.policy(state_dir="/nonexistent")
        self.many()
        self.assertEqual(self.lines(), [])
        self.checker.disable_file.touch()
        self.many(count=3)
        self.assertEqual(len(self.lines()), 3)

    def test_state_file_with_rubbish_in_it_is_replaced(self) -> None:
        (self.checker.state / "policy.last").write_bytes(b"\xff\0\n" * 1000)
        self.many()
        self.assertEqual(len(self.lines()), 1)

    def test_wrong_configuration_is_answered_and_not_logged_by_every_check(self) -> None:
        """Until it has read where to log, the program logs to syslog."""
        self.policy(timeout="soon")
        self.many()
        self.assertEqual(self.lines(), [])

    def test_json_lines(self) -> None:
        self.service(server_args=f"-c {self.checker.conf} --log-format json")
        self.checker.disable_file.touch()
        self.ask()
        line = json.loads(self.lines()[0])
        self.assertEqual((line["level"], line["endpoint"], line["reason"]), ("warning", "/", "disabled"))

    def test_log_none(self) -> None:
        self.policy(log="none")
        self.checker.disable_file.touch()
        self.many()
        self.assertEqual(self.lines(), [])

    def test_log_that_is_not_written_does_not_keep_the_answer(self) -> None:
        """A pipe that nobody empties: the answer is there all the same, and the process goes away."""
        pipe = self.node.home / "log.pipe"
        os.mkfifo(pipe)
        self.addCleanup(pipe.unlink)
        reader = os.open(pipe, os.O_RDWR | os.O_NONBLOCK)
        self.addCleanup(os.close, reader)
        try:
            while True:
                os.write(reader, b"x" * 4096)
        except BlockingIOError:
            pass
        self.policy(log=str(pipe), state_dir="/nonexistent")
        self.checker.disable_file.touch()
        self.expect(503, "disabled")
        self.expect_no_process_left()

    def test_log_that_was_renamed_is_created_anew(self) -> None:
        self.ask()
        self.checker.log.rename(self.checker.log.with_suffix(".1"))
        self.checker.disable_file.touch()
        self.ask()
        self.assertEqual(len(self.lines()), 1)


if __name__ == "__main__":
    unittest.main()
