"""galera-discover --exec: a command for every change, never two at once, never a change that is lost."""
from __future__ import annotations

import os
import signal
import time
import unittest
from pathlib import Path

from registrycase import PREFIX, Program, RegistryCase, wait_until

from galeralab.process import identify


class Exec(RegistryCase):
    def setUp(self) -> None:
        super().setUp()
        self.put_entry("db1", ip="10.0.0.1", port="3306", check_port="9200")
        type(self).started += 1
        self.place = self.home / f"exec{self.started}"
        self.place.mkdir()

    def exec(self, script: str, *arguments: str, **settings: object) -> Program:
        """A script that runs in a directory of its own."""
        path = self.place / "script"
        path.write_text(f"cd '{self.place}' || exit 99\n{script}\n")
        return self.start("galera-discover", "--exec", f". '{path}'", *arguments,
                          settings={"discover": {"resync": "1h", **settings}}, env={"NOTIFY_SOCKET": ""})

    def file(self, name: str) -> str:
        try:
            return (self.place / name).read_text()
        except OSError:
            return ""

    def wait_file(self, name: str, text: str, timeout: float = 60) -> None:
        wait_until(lambda: self.file(name) == text, timeout, f"{name} to be {text!r}, not {self.file(name)!r}", 0.02)

    def test_the_list_is_its_input_and_its_environment(self) -> None:
        program = self.exec("cat > input; env | grep ^GALERA_ | sort > env; grep SigBlk /proc/self/status > signals;"
                            "ls -l /proc/$$/fd > fds; echo >> runs", "--format", "haproxy")
        self.wait_file("runs", "\n")
        self.assertEqual(self.file("input"), "server db1 10.0.0.1:3306 check port 9200\n")
        self.assertEqual(self.file("env"), "GALERA_ADDRESSES=10.0.0.1:3306\nGALERA_COUNT=1\n"
                                           "GALERA_GCOMM=gcomm://10.0.0.1\nGALERA_IDS=db1\nGALERA_IPS=10.0.0.1\n")
        self.assertRegex(self.file("signals"), r"SigBlk:\s0+$", "it would not hear SIGTERM")
        self.assertNotRegex(self.file("fds"), "socket:|anon_inode:", "descriptors leak")
        self.put_entry("db2", ip="2001:db8::2", port="3307")
        self.wait_file("runs", "\n\n")
        self.assertEqual(self.file("input"), "server db1 10.0.0.1:3306 check port 9200\n"
                                             "server db2 [2001:db8::2]:3307 check\n")
        self.assertIn("GALERA_ADDRESSES=10.0.0.1:3306 [2001:db8::2]:3307\n", self.file("env"))
        self.delete(PREFIX, prefix=True)
        self.wait_file("runs", "\n\n\n")
        self.assertEqual(self.file("input"), "", "an empty list, and no gcomm://")
        self.assertIn("GALERA_COUNT=0\nGALERA_GCOMM=\n", self.file("env"))
        self.assertEqual((program.out, program.stop()), ("", 0))

    def test_never_two_at_once_and_the_last_change_is_delivered(self) -> None:
        program = self.exec("mkdir lock || echo twice >> trouble; while ! test -e changed; do sleep 0.1; done; sleep 0.3;"
                            "cat > input; rmdir lock; echo >> runs", "--format", "gcomm", gather="0s")
        wait_until((self.place / "lock").exists, 60, "the first run")
        for number in range(2, 12):
            self.put_entry(f"db{number}", ip=f"10.0.0.{number}", port="3306")
            time.sleep(0.1)
        (self.place / "changed").touch()
        ips = ",".join(f"10.0.0.{number}" for number in (1, 10, 11, *range(2, 10)))
        self.wait_file("input", f"gcomm://{ips}\n")
        self.assertEqual(self.file("trouble"), "")
        self.assertLess(self.file("runs").count("\n"), 9, "what changes while it runs is one change")
        self.assertEqual(program.stop(), 0)

    def test_a_failure_is_reported_and_run_again(self) -> None:
        program = self.exec("echo >> runs; test -e mended || exit 3; cat > input", "--format", "gcomm")
        program.wait_said("warning: '.*' failed with exit code 3; it will be run again", times=2)
        self.put_entry("db2", ip="10.0.0.2", port="3306")
        (self.place / "mended").touch()
        self.wait_file("input", "gcomm://10.0.0.1,10.0.0.2\n")
        program.wait_said("notice: '.*' has succeeded")
        runs = self.file("runs")
        time.sleep(1.5)
        self.assertEqual(self.file("runs"), runs, "it has succeeded and must not run again")

    def test_a_command_that_is_not_there(self) -> None:
        program = self.start("galera-discover", "--exec", "/nowhere/at/all")
        program.wait_said("failed with exit code 127")
        self.assertTrue(program.alive())

    def test_a_command_that_does_not_end_is_ended(self) -> None:
        program = self.exec("echo $$ >> pids; test -e mended && exit 0; trap '' TERM; sleep 60; sleep 60",
                            exec_timeout="300ms")
        program.wait_said("has not ended within 300ms .exec_timeout.; ending it")
        # It is run again and again; on a busy host SIGTERM may come before its trap is set.
        program.wait_said("was ended by signal 9 because it took too long; it will be run again")
        (self.place / "mended").touch()
        program.wait_said("has succeeded")
        self.assert_gone(int(self.file("pids").split()[0]))

    def test_a_command_that_does_not_read(self) -> None:
        for number in range(200):
            self.put_entry(f"n{number}", ip="10.1.0.1", port="3306", host=f"{'h' * 60}.{'h' * 60}.{'h' * 60}.example",
                           service_instance_name="i" * 255)
        self.exec("echo >> runs", "--format", "table")
        self.wait_file("runs", "\n")

    def test_a_signal_ends_the_command_and_what_it_has_started(self) -> None:
        for number in (signal.SIGTERM, signal.SIGINT):
            (self.place / "pids").unlink(missing_ok=True)
            program = self.exec("sleep 60 & echo $$ $! > pids; wait")
            wait_until(lambda: len(self.file("pids").split()) == 2, 60, "the command to run")
            program.signal(number)
            self.assertEqual(program.wait(40), 0, program.err)  # it would sleep for a minute
            for pid in self.file("pids").split():
                self.assert_gone(int(pid))

    def test_a_command_that_ignores_sigterm_at_the_stop(self) -> None:
        program = self.exec("trap '' TERM; echo $$ > pids; sleep 60; sleep 60")
        wait_until(lambda: self.file("pids"), 60, "the command to run")
        program.signal(signal.SIGTERM)
        self.assertEqual(program.wait(40), 0, program.err)
        self.assert_gone(int(self.file("pids")))

    def assert_gone(self, pid: int) -> None:
        wait_until(lambda: identify(pid) is None, 30, f"process {pid} to be gone")

    def test_a_closed_standard_output_does_not_matter(self) -> None:
        reader, writer = os.pipe()
        os.close(reader)
        path: Path = self.place / "runs"
        program = self.start("galera-discover", "--exec", f"echo >> '{path}'", stdout=writer)
        os.close(writer)
        self.wait_file("runs", "\n")
        self.put_entry("db2", ip="10.0.0.2", port="3306")
        program.until(lambda: self.file("runs").count("\n") >= 2, 60, "another run")
        self.assertTrue(program.alive())


if __name__ == "__main__":
    unittest.main()
