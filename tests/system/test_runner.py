"""The runner of the tests: whatever is no proof counts as a failure, and suites side by side do not meet."""
from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import textwrap
import unittest
from pathlib import Path
from typing import Optional
from unittest import mock

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tests" / "lab"), str(ROOT / "tests")]

from galeralab.process import identify  # noqa: E402
from galeralab.wait import wait_until  # noqa: E402
from runner import system  # noqa: E402
from runner.suite import Suite  # noqa: E402

HEAD = "import glob, os, pathlib, signal, subprocess, sys, time, unittest\n"
WHOLE = """\
    class Good(unittest.TestCase):
        def test_good(self):
            pass
"""


def hear_signals() -> None:
    """We may have been started by a script, in the background: such programs ignore SIGINT, and so would all they start."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)


class RunnerCase(unittest.TestCase):
    """Suites that are written for the test, in a directory of their own, run by a tests/run of its own."""

    def setUp(self) -> None:
        self.place = Path(tempfile.mkdtemp(prefix="runner-"))
        self.addCleanup(shutil.rmtree, self.place)

    def module(self, name: str, text: str) -> Path:
        path = self.place / f"test_{name}.py"
        path.write_text(HEAD + textwrap.dedent(text))
        return path

    def binary(self, name: str, *lines: str) -> Path:
        """What a cmocka binary says, said by a shell script."""
        path = self.place / name
        path.write_text("\n".join(["#!/bin/sh", *lines, ""]))
        path.chmod(0o755)
        return path

    def start(self, *arguments: object, jobs: Optional[int] = 3) -> subprocess.Popen:
        environment = {name: value for name, value in os.environ.items() if name not in ("LAB_NET", "LAB_DIR", "JOBS")}
        width = [] if jobs is None else [f"-j{jobs}"]
        return subprocess.Popen([sys.executable, ROOT / "tests" / "run", *width, *map(str, arguments)], text=True,
                                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                preexec_fn=hear_signals, cwd=self.place, env={**environment, "BUILD": str(self.place / "build")})

    def runs(self, passed: int, failed: int, *arguments: object, jobs: Optional[int] = 3) -> str:
        """Run it to its end, which is the line with these numbers; all that it has printed."""
        child = self.start(*arguments, jobs=jobs)
        said = child.communicate(timeout=300)[0]
        self.assertEqual(said.splitlines()[-1:], [f"{passed} passed, {failed} failed"], said)
        self.assertEqual(child.returncode, 1 if failed or not passed else 0, said)
        return said

    def pid(self, name: str) -> int:
        """What a suite has written into a file."""
        return int(wait_until(lambda: self.read(name).strip(), 60, f"{name} to be written"))

    def read(self, name: str) -> str:
        try:
            return (self.place / name).read_text()
        except OSError:
            return ""


class SystemSuites(RunnerCase):
    def fails(self, words: str, text: str, passed: int = 0, failed: int = 1, timeout: float = 60) -> str:
        """One suite, with so many failures; the words stand where it says so."""
        said = self.runs(passed, failed, f"--timeout={timeout}", "--system", self.module("one", text))
        self.assertRegex(said, rf"(?m)^  FAIL .*{words}")
        return said

    def test_good_suite(self) -> None:
        said = self.runs(1, 0, "--system", self.module("one", WHOLE))
        self.assertRegex(said, r"(?m)^system test_one\n  ok  .* test_one\.Good\.test_good$")

    def test_failure_and_error(self) -> None:
        said = self.fails("test_fails: failed", WHOLE + """
        def test_fails(self):
            print("what it said")
            self.assertEqual(1, 2)
        def test_raises(self):
            raise OSError("gone")
""", 1, 2)
        self.assertRegex(said, r"test_raises: error\n(.*\n)*.*OSError: gone")
        self.assertIn("| what it said", said)
        self.assertRegex(said, r"\nfailed:\n  system test_one: test_one\.Good\.test_fails\n")

    def test_failed_subtest(self) -> None:
        self.fails("test_two: failed", WHOLE + """
        def test_two(self):
            for number in 1, 2:
                with self.subTest(number=number):
                    self.assertEqual(number, 1)
""", 1)

    def test_skipped_test(self) -> None:
        self.fails("skipped: no reason", WHOLE + "        @unittest.skip('no reason')\n        def test_x(self): pass\n", 1)

    def test_skipped_class(self) -> None:
        self.fails("skipped: no server", WHOLE + "        @classmethod\n        def setUpClass(cls): "
                   "raise unittest.SkipTest('no server')\n")

    def test_skipped_module(self) -> None:
        self.fails("test_one: exit code 1", WHOLE + "    raise unittest.SkipTest('not here')\n")

    def test_expected_failure_and_unexpected_success(self) -> None:
        self.fails("test_x: failed, as it expects", WHOLE + """
        @unittest.expectedFailure
        def test_x(self): self.fail()
        @unittest.expectedFailure
        def test_y(self): pass
""", 1, 2)

    def test_set_up_and_tear_down_of_a_class(self) -> None:
        self.fails("setUpClass .*: error", WHOLE + "        @classmethod\n        def setUpClass(cls): cls.nothing\n")
        self.fails("tearDownClass .*: error", WHOLE + "        @classmethod\n        def tearDownClass(cls): "
                   "cls.nothing\n", 1)

    def test_suite_that_hangs(self) -> None:
        """It is ended, with what it has started, though it does not want to; and the test is named."""
        self.fails(r"test_one: not finished after 10 s in test_one\.Good\.test_hangs; left 1 processes running", WHOLE + f"""
        def test_hangs(self):
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
            child = subprocess.Popen(["sleep", "600"], start_new_session=True)
            open({str(self.place / "pid")!r}, "w").write(str(child.pid))
            time.sleep(600)
""", 1, timeout=10)  # in which a busy machine starts it
        self.assertIsNone(identify(self.pid("pid")))

    def test_suite_that_crashes(self) -> None:
        self.fails(r"test_one: crashed: SIGSEGV in test_one\.Good\.test_x", WHOLE + """
        def test_x(self): os.kill(os.getpid(), signal.SIGSEGV)
""", 1)

    def test_suite_that_exits(self) -> None:
        self.fails(r"test_one: exit code 3 in test_one\.Good\.test_x", WHOLE + "        def test_x(self): os._exit(3)\n", 1)

    def test_suite_that_exits_as_if_all_were_well(self) -> None:
        self.fails(r"test_one: ended by itself in test_one\.Good\.test_x", WHOLE + "        def test_x(self): os._exit(0)\n",
                   1)
        self.fails("test_one: ended by itself", WHOLE + "        @classmethod\n        def tearDownClass(cls): os._exit(0)\n",
                   1)

    def test_suite_that_leaves_a_process(self) -> None:
        self.fails("test_one: left 1 processes running", WHOLE + f"""
        def test_leaves(self):
            child = subprocess.Popen(["sleep", "600"], start_new_session=True)
            open({str(self.place / "pid")!r}, "w").write(str(child.pid))
            child.returncode = 0  # do not warn
""", 2)
        self.assertIsNone(identify(self.pid("pid")))

    def test_suite_without_a_test(self) -> None:
        self.fails("test_one: no test ran", "x = 1\n")
        said = self.runs(0, 1, "-k", "nothing_like_that", "--system", self.module("one", WHOLE))
        self.assertIn("no test ran", said)

    def test_suite_that_cannot_be_imported_or_is_not_there(self) -> None:
        self.fails("test_one: exit code 1", "this is no Python\n")
        said = self.runs(0, 1, "--system", self.place / "test_none.py")
        self.assertIn("test_none.py is not there", said)
        self.runs(0, 1, "--system", "no_such_suite")

    def test_pattern(self) -> None:
        said = self.runs(1, 0, "-k", "test_good", "--system", self.module("one", WHOLE + "        def test_x(self): 1/0\n"))
        self.assertNotIn("test_x", said)


class UnitTests(RunnerCase):
    def fails(self, words: str, passed: int, failed: int, *lines: str, timeout: float = 60) -> None:
        said = self.runs(passed, failed, f"--timeout={timeout}", "--unit", self.binary("test_one", *lines))
        self.assertRegex(said, rf"(?m)^  FAIL .*{words}")

    def test_good_binary(self) -> None:
        said = self.runs(2, 0, "--unit", self.binary("test_one", "echo 1..2", "echo ok 1 - first", "echo ok 2 - second"))
        self.assertRegex(said, rf"unit {self.place.name}/test_one.*\n  ok  .* first\n  ok  .* second\n")

    def test_failed_test(self) -> None:
        self.fails("second: failed", 1, 1, "echo 1..2", "echo ok 1 - first", "echo not ok 2 - second", "exit 1")

    def test_exit_code_that_no_test_explains(self) -> None:
        self.fails("test_one: exit code 1", 1, 1, "echo 1..1", "echo ok 1 - first", "exit 1")

    def test_skipped_test(self) -> None:
        self.fails("skipped", 1, 1, "echo 1..2", "echo ok 1 - first", "echo 'ok 2 # SKIP second'")

    def test_fewer_and_more_than_planned(self) -> None:
        self.fails("planned 2 tests, reported 1", 1, 1, "echo 1..2", "echo ok 1 - first")
        self.fails("planned 1 tests, reported 2", 2, 1, "echo 1..1", "echo ok 1 - first", "echo ok 2 - second")

    def test_binary_that_says_nothing(self) -> None:
        self.fails("no test reported", 0, 1, "exit 0")

    def test_binary_that_crashes(self) -> None:
        self.fails("crashed: SIGSEGV", 1, 1, "echo 1..2", "echo ok 1 - first", "kill -SEGV $$")

    def test_binary_that_hangs_and_leaves_a_process(self) -> None:
        self.fails("not finished after 10 s; .*left 1 processes running", 1, 1, "echo 1..2", "echo ok 1 - first",
                   f"setsid sleep 600 & echo $! > {self.place}/pid; wait", timeout=10)
        self.assertIsNone(identify(self.pid("pid")))

    def test_binary_that_is_not_there(self) -> None:
        said = self.runs(0, 2, "--unit", self.place / "none", "--replay", self.place / "replay_none")
        self.assertEqual(said.count("is not there, or not executable"), 2)
        self.runs(0, 2, "--unit", "--replay")

    def test_replay(self) -> None:
        said = self.runs(1, 0, "--replay", self.binary("replay_one", "echo 3 inputs"))
        self.assertRegex(said, "ok .* replay_one 3 inputs")
        said = self.runs(0, 1, "--replay", self.binary("replay_one", "echo 'it broke' >&2", "exit 1"))
        self.assertRegex(said, r"FAIL .* replay_one: exit code 1\n +\| it broke")
        self.runs(0, 1, "--replay", self.binary("replay_one", "kill -ABRT $$"))
        self.runs(0, 1, "--timeout=1", "--replay", self.binary("replay_one", "exec sleep 600"))

    def test_binaries_of_one_name(self) -> None:
        """Two programs may have a test of the same name: each has its own log, and both count."""
        for number in (1, 2):
            (self.place / f"p{number}").mkdir()
            self.binary(f"p{number}/test_x", f"echo said by {number} >&2; echo 1..1; sleep 0.3; echo not ok 1 - it")
        said = self.runs(0, 2, "--unit", self.place / "p1/test_x", self.place / "p2/test_x")
        for number in (1, 2):
            self.assertRegex(said, rf"unit p{number}/test_x.*\n  FAIL .* it: failed\n +\| said by {number}\n")


class Channel(RunnerCase):
    def test_what_is_said_at_the_very_end_is_heard(self) -> None:
        """The process speaks and ends after a look at the channel, and before the look whether it has ended."""
        reader, writer = os.pipe()
        suite = Suite("one", ["sh", "-c", f"sleep 0.5; echo the last word >&{writer}"], reader, writer, self.place / "log", 60)
        with mock.patch.object(suite.child, "poll", suite.child.wait):
            heard = list(suite.lines())
        self.assertEqual(suite.finish(), "")
        self.assertEqual(suite.end(), 0)
        self.assertEqual(heard, ["the last word"])


class SideBySide(RunnerCase):
    def meeting(self, name: str, other: str) -> Path:
        """A suite that needs another one to run at the same time."""
        return self.module(name, f"""
    class Meets(unittest.TestCase):
        def test_1(self):
            open({str(self.place / f"net-{name}")!r}, "w").write(os.environ["LAB_NET"])
        def test_2(self):
            end = time.monotonic() + 60
            while not os.path.exists({str(self.place / f"net-{other}")!r}):
                self.assertLess(time.monotonic(), end, "the other one never came")
                time.sleep(0.01)
""")

    def test_suites_run_at_the_same_time_in_networks_of_their_own(self) -> None:
        said = self.runs(4, 0, "--system", self.meeting("a", "b"), self.meeting("b", "a"))
        self.assertNotEqual(self.read("net-a"), self.read("net-b"))
        for name in "ab":
            self.assertRegex(said, rf"system test_{name}  \(.* s\)\n.*test_{name}\.Meets\.test_1\n.*test_{name}\.Meets\.test_2"
                             "\n", "a suite's lines are in one piece")

    def test_one_at_a_time(self) -> None:
        text = f"""
    class Lonely(unittest.TestCase):
        def test_nobody_is_here(self):
            mark = {str(self.place)!r} + "/here"
            os.mkdir(mark)
            time.sleep(0.3)
            os.rmdir(mark)
"""
        self.runs(3, 0, "--system", *(self.module(name, text) for name in "abc"), jobs=1)

    def test_suite_that_measures_runs_alone(self) -> None:
        """While the others run it has to wait, and none of them begins before it has ended."""
        busy = f"""
    class Busy(unittest.TestCase):
        def test_busy(self):
            self.assertFalse(os.path.exists({str(self.place / "alone")!r}))
            mark = {str(self.place / "busy")!r} + str(os.getpid())
            os.mkdir(mark)
            time.sleep(0.3)
            os.rmdir(mark)
"""
        alone = f"""
    ALONE = True
    class Alone(unittest.TestCase):
        def test_alone(self):
            os.mkdir({str(self.place / "alone")!r})
            time.sleep(0.5)
            self.assertEqual(glob.glob({str(self.place / "busy*")!r}), [])
            os.rmdir({str(self.place / "alone")!r})
"""
        modules = [self.module("a", alone), *(self.module(name, busy) for name in "bcdef"), self.module("g", alone)]
        self.runs(7, 0, "--system", *modules)

    def test_long_suite_runs_when_it_is_named(self) -> None:
        long, short = self.module("long", "    LONG = True\n" + WHOLE), self.module("short", WHOLE)
        with mock.patch.object(system, "TESTS", self.place):
            self.assertEqual(system.find_modules([]), [short])
            self.assertEqual(system.find_modules(["long"]), [long])
            self.assertEqual(system.find_modules(["long", "short", "test_long"]), [long, short])

    def test_longest_first_and_unknown_before_it(self) -> None:
        logs = self.place / "build" / "test"
        logs.mkdir(parents=True)
        (logs / "durations.json").write_text(json.dumps({"system test_a": 1, "system test_b": 20, "system test_c": 3}))
        modules = [self.module(name, WHOLE) for name in "abcd"]
        said = self.runs(4, 0, "--system", *modules, jobs=1)
        self.assertEqual(re.findall(r"(?m)^system test_(.)", said), ["d", "b", "c", "a"])
        kept = json.loads((logs / "durations.json").read_text())
        self.assertEqual(sorted(kept), [f"system test_{name}" for name in "abcd"])
        self.assertLess(kept["system test_b"], 20)

    def test_rubbish_among_the_durations(self) -> None:
        logs = self.place / "build" / "test"
        logs.mkdir(parents=True)
        for rubbish in ("", "[1]", '{"system test_a": "long"}', "\xff"):
            (logs / "durations.json").write_text(rubbish)
            self.runs(1, 0, "--system", self.module("a", WHOLE))

    def test_interrupt_ends_everything(self) -> None:
        """Two suites that hang, each with a server of its own, and one that has not begun."""
        modules = [self.module(name, f"""
    class Hangs(unittest.TestCase):
        def test_hangs(self):
            child = subprocess.Popen(["sleep", "600"], start_new_session=True)
            open({str(self.place / f"pid-{name}")!r}, "w").write(f"{{child.pid}}\\n")
            open({str(self.place / f"own-{name}")!r}, "w").write(f"{{os.getpid()}}\\n")
            time.sleep(600)
""") for name in "abc"]
        for number in (signal.SIGINT, signal.SIGTERM):
            with self.subTest(number):
                for name in "ab":
                    for kind in ("pid", "own"):
                        (self.place / f"{kind}-{name}").unlink(missing_ok=True)
                child = self.start("--system", *modules, jobs=2)
                self.addCleanup(child.stdout.close)
                self.addCleanup(child.kill)
                pids = [self.pid(f"{kind}-{name}") for name in "ab" for kind in ("pid", "own")]
                child.send_signal(number)
                said = child.communicate(timeout=120)[0]
                self.assertEqual((child.returncode, said.splitlines()[-1]), (130, "0 passed, 3 failed"), said)
                self.assertEqual(said.count("interrupted"), 3, said)
                self.assertEqual([identify(pid) for pid in pids], [None] * 4)
                self.assertEqual(self.read("pid-c"), "")


if __name__ == "__main__":
    unittest.main()
