"""The log courier: a real rsyslogd between log files and a collector that is found in etcd, both of which go away at times."""
from __future__ import annotations

import base64
import os
import re
import signal
import socket
import subprocess
import tempfile
import threading
import unittest
from datetime import datetime, timezone
from pathlib import Path
from typing import Optional

from registrycase import RegistryCase, host, wait_until

from galeralab.process import MARK
from galeralab.tls import Authority
from logcollector import Collector, Elasticsearch

CONF = host.CHECKOUT / "conf" / "rsyslog"
PREFIX = "/services/logcollector"
PORT = 5000

# Becomes the courier; journald is a child of its.
JOURNAL = """mount -t tmpfs tmpfs /run
mkdir -p /run/systemd/journal
/lib/systemd/systemd-journald 2> /dev/null &
exec "$0" """


class Writer(threading.Thread):
    """Writes numbered lines into an error log (two lines an event) and a file of the suite until it is told to stop."""

    def __init__(self, directory: Path) -> None:
        super().__init__(daemon=True)
        self.directory, self.count = directory, 0
        self.done = threading.Event()

    def run(self) -> None:
        with open(self.directory / "error.log", "a", encoding="utf-8", buffering=1) as errors, \
                open(self.directory / "suite.log", "a", encoding="utf-8", buffering=1) as suite:
            while not self.done.wait(0.01):
                self.count += 1
                errors.write(f"2026-05-01  9:00:01 0 [Warning] WSREP: event e{self.count} of many\n")
                errors.write(f"    and its continuation c{self.count} here\n")
                suite.write(f"galera-init: notice: step s{self.count} taken\n")
            errors.write("2026-05-01  9:00:01 0 [Note] WSREP: the end\n")  # the last event is complete at once

    def finish(self) -> set[str]:
        """Stop, and name everything that was written."""
        self.done.set()
        self.join()
        return {f"{kind}{number}" for kind in "ecs" for number in range(1, self.count + 1)}


class LogShip(RegistryCase):
    """Each test starts its own courier; etcd stays."""

    def setUp(self) -> None:
        super().setUp()
        temporary = tempfile.TemporaryDirectory(prefix="logship")
        self.addCleanup(temporary.cleanup)
        self.directory = Path(temporary.name)
        (self.directory / "state").mkdir()
        self.events: list[dict] = []
        self.courier: Optional[subprocess.Popen] = None
        self.settings_file = self.settings()

    def address(self, number: int) -> str:
        return f"{self.lab.net}.{150 + number}"

    def collector(self, number: int = 1, kind: type[Collector] = Collector, **more) -> Collector:
        collector = kind(self.address(number), PORT, self.events, **more)
        self.addCleanup(collector.crash)
        return collector

    def announce(self, collector: Collector, id: str = "logs") -> None:
        for field, value in collector.entry.items():
            self.put(f"{PREFIX}/{id}/{field}", value)

    def start_courier(self, *prefix: object, **settings: str) -> None:
        env = {**os.environ, "PATH": f"{host.build_dir().absolute()}/bin:{host.search_path()}",
               MARK: f"{self.home}/galera-log", "STATE_DIRECTORY": str(self.directory / "state"),
               "CLUSTERCHECK_ETCD_ENDPOINTS": ",".join(self.etcd.endpoints), "GALERA_LOG_CONF": str(CONF),
               "GALERA_LOG_ERROR_LOG": str(self.directory / "error.log"),
               "GALERA_LOG_FILES": str(self.directory / "suite*.log"), "GALERA_LOG_JOURNAL": "off",
               "GALERA_LOG_CLUSTER": "shop", "GALERA_LOG_INSTANCE": "galera@1.service", "GALERA_LOG_HOST": "db1.example",
               **{f"GALERA_LOG_{name.upper()}": value for name, value in settings.items()}}
        with open(self.directory / "courier.log", "ab") as log:
            self.courier = subprocess.Popen([*prefix, CONF / "galera-log"], env=env, stdin=subprocess.DEVNULL, stderr=log, stdout=log,
                                            start_new_session=True)
        self.addCleanup(self.end_courier, self.courier)

    @staticmethod
    def end_courier(courier: subprocess.Popen) -> None:
        """As a service manager would: first it, then everything of it."""
        courier.terminate()
        try:
            courier.wait(60)
        finally:
            try:
                os.killpg(courier.pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
            courier.wait()

    @property
    def log(self) -> str:
        return (self.directory / "courier.log").read_text(errors="replace")

    def rsyslogd(self, other_than: int = 0) -> int:
        """The pid of the courier's rsyslogd, once it is there."""
        def find() -> int:
            for pid in Path(f"/proc/{self.courier.pid}/task/{self.courier.pid}/children").read_text().split():
                try:
                    words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
                except OSError:
                    continue  # one of the short-lived ones
                if words[0] == b"rsyslogd" and b"-n" in words and int(pid) != other_than:
                    return int(pid)
            self.assertIsNone(self.courier.poll(), self.log)
            return 0

        return wait_until(find, 60, "the courier to run rsyslogd")

    def kill_rsyslogd(self) -> None:
        pid = self.rsyslogd()
        os.kill(pid, signal.SIGKILL)
        self.rsyslogd(other_than=pid)

    def arrived(self) -> set[str]:
        return {word for event in list(self.events) for word in re.findall(r"\b([ecs]\d+)\b", event["message"])}

    def wait_arrived(self, wanted: set[str], timeout: float = 120) -> None:
        try:
            wait_until(lambda: wanted <= self.arrived(), timeout, "every line to arrive", 0.2)
        except AssertionError:
            missing = sorted(wanted - self.arrived())
            self.fail(f"{len(missing)} of {len(wanted)} lines are missing: {missing[:20]}\n{self.log[-3000:]}")

    def wait_more(self, collector: Collector, timeout: float = 60) -> None:
        seen = collector.own
        wait_until(lambda: collector.own > seen + 20, timeout, f"events at {collector.address}\n{self.log[-2000:]}")

    def write(self) -> Writer:
        writer = Writer(self.directory)
        writer.start()
        self.addCleanup(writer.done.set)
        return writer

    # -- tests

    def test_outage_of_the_collector_and_kills_of_rsyslogd_lose_nothing(self) -> None:
        collector = self.collector()
        self.announce(collector)
        self.start_courier()
        writer = self.write()
        self.wait_more(collector)
        collector.leave()
        before = writer.count
        for _ in range(3):
            wait_until(lambda: writer.count > before + 30 and list((self.directory / "state").glob("queue*")), 60,
                       "more lines to be written, which wait on disk")
            self.kill_rsyslogd()
            before = writer.count
        collector = self.collector()
        self.wait_more(collector)
        self.kill_rsyslogd()
        self.wait_more(collector)
        self.wait_arrived(writer.finish())

    def test_events_are_what_logstash_and_elasticsearch_expect(self) -> None:
        (self.directory / "error.log").write_bytes(
            b"2026-05-01  9:00:01 0 [Note] WSREP: Loading provider\n"
            b"2026-05-01T12:00:00.123456Z 0 [ERROR] [MY-1] \"quoted\"\tand \xff\xfe invalid\n"
            b"260501 12:00:00 [ERROR] mysqld got signal 11 ;\nThread pointer: 0x0\n  stack_bottom = 0x0\n")
        (self.directory / "suite.log").write_text("galera-register: warning: cannot reach etcd\n")
        collector = self.collector()
        self.announce(collector)
        self.start_courier(socket=str(self.directory / "log.sock"))
        wait_until(lambda: len(self.events) >= 4, 60, "four events", 0.1)
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as end:
            end.sendto(b"<27>May  1 09:00:00 clustercheck[123]: down: donor", str(self.directory / "log.sock"))
        wait_until(lambda: any("signal 11" in event["message"] for event in self.events), 60, "the last event", 0.1)
        note, error, crash = (next(event for event in self.events if text in event["message"])
                              for text in ("Loading", "quoted", "signal 11"))
        own = next(event for event in self.events if "cannot reach" in event["message"])
        check = wait_until(lambda: next((event for event in self.events if "donor" in event["message"]), None), 60, "a message")
        self.assertEqual({**check, "type": "galera-suite", "program": "clustercheck", "pid": "123", "severity": "err",
                          "message": "down: donor"}, check)
        for event in self.events:
            self.assertEqual({**event, "host": "db1.example", "cluster": "shop", "instance": "galera@1.service",
                              "@version": "1"}, event)
            self.assertIsNotNone(datetime.fromisoformat(event["@timestamp"]).tzinfo, event["@timestamp"])
        local = datetime.fromisoformat("2026-05-01T09:00:01").replace(tzinfo=datetime.now().astimezone().tzinfo)
        self.assertEqual(datetime.fromisoformat(note["@timestamp"]), local)
        self.assertEqual(datetime.fromisoformat(error["@timestamp"]),
                         datetime(2026, 5, 1, 12, 0, 0, 123456, tzinfo=timezone.utc))
        self.assertEqual((note["severity"], error["severity"], crash["severity"], own["severity"]),
                         ("notice", "err", "err", "warning"))
        self.assertEqual((note["program"], own["program"]), ("mariadbd", "galera-register"))
        self.assertEqual(note["file"], str(self.directory / "error.log"))
        self.assertEqual(error["message"], "2026-05-01T12:00:00.123456Z 0 [ERROR] [MY-1] \"quoted\"\tand    invalid")
        self.assertEqual(crash["message"], "260501 12:00:00 [ERROR] mysqld got signal 11 ;\nThread pointer: 0x0\n"
                                           "  stack_bottom = 0x0")

    def test_a_log_that_is_rotated_while_the_collector_is_away_is_read_to_its_end(self) -> None:
        collector = self.collector()
        self.announce(collector)
        collector.crash()
        log = self.directory / "error.log"
        log.write_text("".join(f"2026-05-01 10:00:01 0 [Note] event e{number}\n" for number in range(1, 100)))
        self.start_courier(error_log=f"{log}{{,.1}}")
        self.rsyslogd()
        log.rename(self.directory / "error.log.1")
        self.end_courier(self.courier)
        log.write_text("".join(f"2026-05-01 10:00:01 0 [Note] event e{number}\n" for number in range(100, 200)))
        collector = self.collector()
        self.start_courier(error_log=f"{log}{{,.1}}")
        self.wait_arrived({f"e{number}" for number in range(1, 200)})

    def test_of_the_journal_what_is_the_suite_s(self) -> None:
        """A journald of our own, in a namespace that the courier shares."""
        def log(tag: str, text: str, level: str = "daemon.notice") -> None:
            subprocess.run(["nsenter", "-t", str(self.courier.pid), "--mount", "logger", "-u", "/run/systemd/journal/dev-log",
                            "-t", tag, "-p", level, text], check=True, timeout=20)

        collector = self.collector()
        self.announce(collector)
        self.start_courier("unshare", "--mount", "--propagation", "private", "sh", "-ec", JOURNAL, journal="on", error_log="",
                           files="")
        socket_there = ["nsenter", "-t", str(self.courier.pid), "--mount", "test", "-S", "/run/systemd/journal/dev-log"]
        wait_until(lambda: subprocess.run(socket_there, check=False).returncode == 0, 60, "journald")
        log("galera-init", "galera-init: warning: waiting for db2")
        log("galera-init", "2026-05-01 10:00:01 0 [ERROR] InnoDB: trouble")
        log("sshd", "not ours")
        log("clustercheck", "down: donor", "daemon.err")
        wait_until(lambda: len(self.events) >= 3, 60, "three events")
        self.kill_rsyslogd()
        log("galera-register", "galera-register: notice: while rsyslogd was away")
        wait_until(lambda: len(self.events) >= 4, 60, "one more event")
        self.assertEqual({(event["type"], event["program"], event["severity"], event["message"][-5:]) for event in self.events},
                         {("galera-suite", "galera-init", "warning", "r db2"), ("mariadb-error", "mariadbd", "err", "ouble"),
                          ("galera-suite", "clustercheck", "err", "donor"),
                          ("galera-suite", "galera-register", "notice", " away")})

    def test_tls_follows_a_collector_that_moves_and_shuns_a_false_one(self) -> None:
        authority = Authority(self.directory / "tls")
        pair = authority.issue("logs", ["logs.example"])
        false = self.collector(1, pair=Authority(self.directory / "other").issue("logs", ["logs.example"]))
        self.announce(false)
        self.start_courier(protocol="tls", ca=str(authority.cert), peer="logs.example")
        writer = self.write()
        wait_until(lambda: re.search(r"rsyslogd: .*(certificate|GnuTLS|TLS)", self.log), 60, "rsyslogd to complain", 0.2)
        first = self.collector(2, pair=pair)
        self.announce(first)
        self.wait_more(first)
        second = self.collector(3, pair=pair)
        self.announce(second)
        self.wait_more(second)
        first.leave()
        self.wait_arrived(writer.finish())
        self.assertEqual(false.own, 0)

    def test_keeps_the_last_collector_while_none_is_registered_and_while_etcd_is_away(self) -> None:
        collector = self.collector(kind=Elasticsearch)
        self.start_courier(protocol="elasticsearch")
        writer = self.write()
        wait_until(lambda: "no collector is registered" in self.log, 60, "the courier to miss a collector")
        self.announce(collector)
        self.wait_more(collector)
        self.delete(PREFIX + "/", prefix=True)
        wait_until(lambda: "keeping " + collector.address in self.log, 60, "the courier to see it gone")
        self.wait_more(collector)
        self.end_courier(self.courier)
        self.assertEqual(self.courier.returncode, 0, self.log)
        self.etcd.members[0].kill()
        self.start_courier(protocol="elasticsearch")
        self.wait_more(collector)
        self.wait_arrived(writer.finish())

    def test_a_queue_that_was_being_written_when_all_was_killed_is_mended(self) -> None:
        collector = self.collector()
        self.announce(collector)
        collector.crash()
        self.start_courier()
        writer = self.write()
        queue = self.directory / "state" / "queue.00000001"
        wait_until(lambda: queue.exists() and queue.stat().st_size > 20000, 60, "a queue on disk")
        os.killpg(self.courier.pid, signal.SIGKILL)
        self.courier.wait()
        with open(queue, "ab") as file:  # the first half of an event, as a kill in the middle of a write leaves it
            file.write(queue.read_bytes()[:400])
        self.start_courier()
        wait_until(lambda: queue.stat().st_size > 40000, 60, "more in the queue")
        collector = self.collector()
        self.wait_arrived(writer.finish())
        self.assertNotRegex(self.log, "lost [0-9]+ messages|emergency switch")

    def test_elasticsearch_has_every_line_though_both_sides_crash(self) -> None:
        authority = Authority(self.directory / "tls")
        pair = authority.issue("search", [self.address(1)])
        password = self.directory / "password"
        password.write_text("se;cret\n")
        collector = self.collector(kind=Elasticsearch, pair=pair)
        self.announce(collector)
        self.start_courier(protocol="elasticsearch", ca=str(authority.cert), user="galera", password_file=str(password))
        writer = self.write()
        for _ in range(2):
            self.wait_more(collector)
            collector.crash()
            self.kill_rsyslogd()
            collector = self.collector(kind=Elasticsearch, pair=pair)
        self.wait_arrived(writer.finish())
        self.assertIn("galera-2026-05-01", collector.indices)
        self.assertEqual(collector.logins, {base64.b64encode(b"galera:se;cret")})

    def test_a_configuration_that_cannot_work_is_refused_with_its_reason(self) -> None:
        for settings, reason in (({"protocol": "udp"}, "none of tcp, tls, elasticsearch"),
                                 ({"protocol": "tls"}, "needs GALERA_LOG_CA"),
                                 ({"space": "much"}, "rsyslogd does not take")):
            with self.subTest(settings=settings):
                self.start_courier(**settings)
                self.assertEqual(self.courier.wait(60), 78, self.log)
                self.assertIn(reason, self.log)


if __name__ == "__main__":
    unittest.main()
