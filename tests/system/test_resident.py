"""clustercheck as a resident service: the same truth as a process for one check, for everybody, whatever anybody does."""
from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import threading
import time
import unittest
from pathlib import Path

from checkcase import BUSY, reasons, whole
from harness import Answer, http_probe, wait_until
from residentcase import PORT, Resident, ResidentCase, load, one_shot

from galeralab import host
from galeralab.checker import service_text
from galeralab.process import Process

SCHEMA = host.CHECKOUT / "conf" / "status.schema.json"
PATHS = ("/", "/rw", "/ro", "/live", "/writer")
SEND_STATE = "X-Haproxy-Server-State: UP 2/3; name=b/n1; node=lb; weight=1/{}; scur=0/0; qcur=0\r\n"


class SameTruth(ResidentCase):
    """One list of node states, asked in both ways. Three nodes: one can be cut off, or die, and come back."""

    NODES = 3

    def compare(self, service: Resident, reason: str) -> None:
        for path in PATHS:
            for header in ("", SEND_STATE.format(1), SEND_STATE.format(3)):
                alone = whole(one_shot(self, path, header))
                wait_until(lambda: service.probe(path, header).raw == alone.raw, 5,
                           f"{path} {header}: {service.probe(path, header).raw!r} to be {alone.raw!r}")
        self.assertEqual(service.probe().reason, reason)

    def test_every_state_gets_the_same_answer(self) -> None:
        service = self.resident(available_when_donor="last")
        root = self.node.sql
        states = [
            ("synced", lambda: None, lambda: None),
            ("desynced", lambda: root("SET GLOBAL wsrep_desync=ON"), lambda: root("SET GLOBAL wsrep_desync=OFF")),
            ("synced", lambda: root("SET GLOBAL read_only=ON"), lambda: root("SET GLOBAL read_only=OFF")),
            ("rejecting-queries", lambda: root("SET GLOBAL wsrep_reject_queries=ALL"),
             lambda: root("SET GLOBAL wsrep_reject_queries=NONE")),
            ("standalone", lambda: root("SET GLOBAL wsrep_on=OFF"), lambda: root("SET GLOBAL wsrep_on=ON")),
            ("non-primary", self.node.isolate, self.node.rejoin),
            ("disabled", self.checker.disable_file.touch, self.checker.disable_file.unlink),
            ("draining", self.checker.drain_file.touch, self.checker.drain_file.unlink),
            ("cannot-connect", self.node.kill, lambda: self.lab.heal()),
        ]
        for reason, begin, end in states:
            with self.subTest(reason=reason):
                begin()
                try:
                    self.wait_answer(service, 404 if reason == "draining" else 200 if reason == "synced" else 503, reason)
                    self.compare(service, reason)
                finally:
                    end()
        self.wait_answer(service, 200, "synced")

    def test_hung_server_gets_the_same_answer(self) -> None:
        service = self.resident(timeout="300ms")
        self.freeze()
        self.wait_answer(service, 503, "timed-out")
        for path in PATHS:
            self.assertEqual(service.probe(path).raw, one_shot(self, path, "").raw)

    def test_configuration_error_is_told(self) -> None:
        service = self.resident("--nonsense", ready=False)
        self.assertEqual(reasons(whole(service.probe())), (503, "configuration-error"))
        self.assertEqual(service.process.wait(10), 64)


class Freshness(ResidentCase):
    def first_after(self, service: Resident, act, code: int, limit: float) -> float:
        """Seconds from `act` to the first answer with the code, seen by a client that never stops asking."""
        seen: list[float] = []
        stop = threading.Event()

        def ask() -> None:
            while not stop.is_set():
                if service.probe().code == code:
                    seen.append(time.monotonic())
                    return

        thread = threading.Thread(target=ask)
        thread.start()
        try:
            time.sleep(0.3)
            act()
            acted = time.monotonic()
            thread.join(limit + BUSY)
        finally:
            stop.set()
            thread.join()
        self.assertTrue(seen, f"no {code} within {limit + BUSY} s")
        return seen[0] - acted

    def test_desync_is_told_within_max_age(self) -> None:
        service = self.resident()
        delays = []
        for _ in range(5):
            delays.append(self.first_after(service, lambda: self.node.sql("SET GLOBAL wsrep_desync=ON"), 503, 0.55))
            self.node.sql("SET GLOBAL wsrep_desync=OFF")
            self.wait_answer(service, 200, "synced")
        print(f"desync to first 503, ms: {sorted(round(d * 1000) for d in delays)}")
        self.assertLess(sorted(delays)[len(delays) // 2], 0.55, delays)

    def test_death_is_told_within_max_age(self) -> None:
        service = self.resident()
        delay = self.first_after(service, lambda: self.node.process.signal(signal.SIGKILL), 503, 0.55)
        print(f"kill -9 to first 503, ms: {round(delay * 1000)}")
        self.assertLess(delay, 0.55)

    def test_disable_file_is_told_at_once(self) -> None:
        service = self.resident()
        self.assertEqual(service.probe().code, 200)
        self.checker.disable_file.touch()
        self.assertLess(self.first_after(service, lambda: None, 503, 0.1), 0.1)

    def test_server_is_asked_once_per_refresh(self) -> None:
        service = self.resident()
        before, began = self.queries(), time.monotonic()
        measured = load(service.address, service.port, "-c", "64", "-d", "2")
        asked, seconds = self.queries() - before, time.monotonic() - began
        self.assertEqual(measured["checks"], measured["ok"], measured)
        self.assertGreater(measured["checks"], 2000)
        self.assertLessEqual(asked, seconds / 0.25 + 4)

    def test_nobody_is_asked_while_there_are_no_clients(self) -> None:
        service = self.resident()
        service.probe()
        time.sleep(4)
        before = self.queries()
        time.sleep(1)
        self.assertLessEqual(self.queries() - before, 2)  # our own questions
        self.assertEqual(reasons(service.probe()), (200, "synced"))

    def test_connection_that_the_server_has_closed_is_replaced_at_once(self) -> None:
        service = self.resident()
        for row in self.node.sql("SELECT id FROM information_schema.processlist WHERE user='clustercheck'"):
            self.node.sql(f"KILL CONNECTION {row[0]}")
        for _ in range(50):
            self.assertEqual(reasons(whole(service.probe())), (200, "synced"))
            time.sleep(0.02)


class Trouble(ResidentCase):
    def test_hang_costs_no_client_more_than_the_timeout(self) -> None:
        service = self.resident(timeout="500ms")
        self.freeze()
        answers: list[Answer] = []
        ends = time.monotonic() + 3
        while time.monotonic() < ends:
            answers.append(whole(service.probe()))
        slowest = max(answer.seconds for answer in answers)
        self.assertLess(slowest, 0.5 + 0.25, "the slowest answer")
        self.assertEqual(reasons(answers[-1]), (503, "timed-out"))
        self.assertGreater(len(answers), 100, "once it is known that the server hangs, nobody waits for it")
        self.node.thaw()
        self.wait_answer(service, 200, "synced", 5)

    def test_server_that_restarts_and_hangs_under_load(self) -> None:
        service = self.resident(timeout="500ms")
        results: list[dict] = []
        thread = threading.Thread(target=lambda: results.append(
            load(service.address, service.port, "-c", "16", "-d", "8", "-e", "any")))
        thread.start()
        time.sleep(0.5)
        self.node.freeze()
        time.sleep(1.5)
        self.node.thaw()
        time.sleep(0.5)
        self.node.kill()
        time.sleep(0.3)
        self.assertEqual(service.probe().code, 503)
        self.lab.heal()
        thread.join()
        measured = results[0]
        self.assertEqual(measured["checks"], measured["ok"], measured)
        self.assertLess(measured["latency_us"]["max"], 750000)
        self.wait_answer(service, 200, "synced")
        self.assertEqual(service.end(), 0)
        self.assertEqual(service.errors, b"")

    def test_two_thousand_slow_clients_delay_nobody(self) -> None:
        service = self.resident(request_wait="3s", timeout="6s")
        slow = []
        try:
            for i in range(2000):
                connection = service.connect()
                connection.sendall(b"GET / HT" if i % 2 else b"GET / HTTP/1.0\r\nX: ")
                slow.append(connection)
            measured = load(service.address, service.port, "-c", "16", "-d", "1")
            self.assertEqual(measured["checks"], measured["ok"], measured)
            self.assertLess(measured["latency_us"]["p99"], 50000)
            self.assertGreater(measured["rate"], 1000)
            answered = 0
            for connection in slow:
                connection.settimeout(10)
                answered += connection.recv(65536).startswith(b"HTTP/1.1 ")
            self.assertEqual(answered, 2000)
        finally:
            for connection in slow:
                connection.close()
        wait_until(lambda: service.fds() < 20, 5, "the connections to be closed")

    def test_more_clients_than_places(self) -> None:
        service = self.resident(max_clients="32", request_wait="5s")
        idle = [service.connect() for _ in range(100)]
        self.addCleanup(lambda: [connection.close() for connection in idle])
        for _ in range(50):
            self.assertEqual(reasons(whole(service.probe())), (200, "synced"))
        status = json.loads(service.probe("/status").body)
        self.assertGreater(status["service"]["given_up"], 60)
        idle[0].settimeout(5)
        self.assertTrue(idle[0].recv(65536).startswith(b"HTTP/1.1 200"), "who is given up is answered")

    def test_more_clients_than_file_descriptors(self) -> None:
        service = self.resident(nofile=40, request_wait="5s")
        idle = [service.connect() for _ in range(100)]
        self.addCleanup(lambda: [connection.close() for connection in idle])
        for _ in range(50):
            self.assertEqual(reasons(whole(service.probe())), (200, "synced"))

    def test_no_file_descriptor_and_everybody_waits_for_the_server(self) -> None:
        service = self.resident(nofile=40, timeout="2s")
        self.freeze()
        time.sleep(0.6)
        waiting = [service.connect() for _ in range(60)]
        for connection in waiting:
            connection.sendall(b"GET / HTTP/1.0\r\n\r\n")
        started = time.monotonic()
        answers = [connection.recv(65536) for connection in waiting]
        self.assertTrue(all(answer.startswith(b"HTTP/1.1 503") for answer in answers))
        self.assertTrue(any(b"too many clients" in answer for answer in answers))
        self.assertLess(time.monotonic() - started, 2.5)
        for connection in waiting:
            connection.close()

    def test_manners_of_clients(self) -> None:
        service = self.resident(timeout="600ms")
        cases = [
            (b"", 200, "synced"),  # after request_wait
            (b"GET / HTTP/1.0\r\n", 200, "synced"),
            (b"GET /", 503, "bad-request"),
            (b"GET / HTTP/1.0\r\n\r\n" + b"x" * 200000, 200, "synced"),
            (b"POST / HTTP/1.1\r\nContent-Length: 70000\r\n\r\n" + b"x" * 70000, 200, "synced"),
            (b"GET / HTTP/1.0\r\nX: " + b"y" * 9000 + b"\r\n\r\n", 200, "synced"),
            (b"\x16\x03\x01\n\n", 200, "synced"),
        ]
        for request, code, reason in cases:
            for half_close in (False, True):
                answer = whole(http_probe(service.address, service.port, request=request, half_close=half_close))
                self.assertEqual(reasons(answer), (code, reason), (request[:30], answer))
                self.assertLess(answer.seconds, 0.6 + 0.3)

    def test_byte_by_byte(self) -> None:
        service = self.resident()
        with service.connect() as connection:
            for byte in b"GET /rw HTTP/1.0\r\nX-A: b\r\n\r\n":
                connection.sendall(bytes([byte]))
                time.sleep(0.002)
            self.assertTrue(connection.recv(65536).startswith(b"HTTP/1.1 200"))

    def test_keep_alive_for_those_who_ask(self) -> None:
        service = self.resident(keep_alive="400ms")
        with service.connect() as connection:
            for _ in range(3):
                connection.sendall(b"GET / HTTP/1.1\r\nConnection: keep-alive\r\n\r\n")
                answer = Answer(raw=connection.recv(65536)).parse()
                self.assertEqual((answer.code, answer.headers["connection"]), (200, "keep-alive"))
            connection.sendall(b"GET / HTTP/1.1\r\nConnection: keep-alive\r\n\r\n" * 3 +
                               b"HEAD /rw HTTP/1.1\r\nConnection: close\r\n\r\n")
            connection.settimeout(5)
            raw = b""
            while data := connection.recv(65536):
                raw += data
            self.assertEqual(raw.count(b"HTTP/1.1 200"), 4)
            self.assertTrue(raw.endswith(b"\r\n\r\n"), "no body for HEAD")
        with service.connect() as connection:
            connection.sendall(b"GET / HTTP/1.1\r\nConnection: keep-alive\r\n\r\n")
            connection.recv(65536)
            connection.settimeout(5)
            self.assertEqual(connection.recv(65536), b"", "closed when it is silent for too long")
        for request in (b"GET / HTTP/1.1\r\n\r\n", b"GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n"):
            answer = whole(http_probe(service.address, service.port, request=request))
            self.assertEqual(answer.headers["connection"], "close")

    def test_no_growth(self) -> None:
        service = self.resident()
        load(service.address, service.port, "-c", "64", "-n", "20000")
        memory, fds = service.memory_kib(), service.fds()
        checks = int(os.environ.get("SOAK_CHECKS", "100000"))  # make soak: a million
        measured = load(service.address, service.port, "-c", "64", "-n", str(checks))
        self.assertEqual(measured["ok"], checks, measured)
        print(f"resident memory after {checks} checks: {service.memory_kib()} KiB, before: {memory} KiB")
        # A build with sanitizers keeps what was freed for a while.
        sanitized = b"__asan_init" in host.clustercheck_bin().read_bytes()
        self.assertLessEqual(service.memory_kib(), memory + (8192 if sanitized else 128))
        wait_until(lambda: service.fds() <= fds, 5, "no file descriptor to be left")


class Life(ResidentCase):
    def test_sigterm_drains(self) -> None:
        service = self.resident(timeout="2s")
        self.freeze()
        time.sleep(0.6)
        with service.connect() as connection:
            connection.sendall(b"GET / HTTP/1.0\r\n\r\n")
            time.sleep(0.2)
            service.process.send_signal(signal.SIGTERM)
            connection.settimeout(5)
            self.assertTrue(connection.recv(65536).startswith(b"HTTP/1.1 503"))
        self.assertEqual(service.process.wait(5), 0)

    def test_sighup_reads_the_configuration_again(self) -> None:
        service = self.resident(body="galera")
        self.assertIn(b"Galera", service.probe().body)
        self.policy(body="percona")
        service.process.send_signal(signal.SIGHUP)
        wait_until(lambda: b"Percona" in service.probe().body, 5, "the new sentence")
        self.policy(body="nonsense")
        service.process.send_signal(signal.SIGHUP)
        wait_until(lambda: "stays as it was" in self.checker.log.read_text(), 5, "the complaint")
        self.assertIn(b"Percona", service.probe().body)

    def test_idle_exit_loses_nobody(self) -> None:
        service = self.resident(idle_exit="100ms")
        stop, answers = threading.Event(), []

        def keep_running() -> None:
            while not stop.is_set():
                if service.process.poll() is not None:
                    service.process.stderr.close()
                    service.start()
                time.sleep(0.001)

        thread = threading.Thread(target=keep_running)
        thread.start()
        try:
            for i in range(40):
                time.sleep(0.09 + i % 10 * 0.004)
                answers.append(service.probe())
        finally:
            stop.set()
            thread.join()
        self.assertEqual([reasons(whole(answer)) for answer in answers], [(200, "synced")] * len(answers))

    def test_log_has_changes_and_nothing_else(self) -> None:
        self.checker.log.unlink(missing_ok=True)
        service = self.resident()
        for _ in range(20):
            service.probe()
        self.node.sql("SET GLOBAL wsrep_desync=ON")
        self.wait_answer(service, 503, "desynced")
        for _ in range(20):
            service.probe()
        self.node.sql("SET GLOBAL wsrep_desync=OFF")
        self.wait_answer(service, 200, "synced")
        lines = self.checker.log.read_text().splitlines()
        self.assertEqual([line.split("reason=")[1].split()[0] for line in lines if "reason=" in line][-2:],
                         ["desynced", "synced"])
        self.assertLessEqual(len(lines), 3)

    def test_mysqld_sees_a_proper_goodbye(self) -> None:
        service = self.resident()
        before = int(self.node.sql("SHOW GLOBAL STATUS LIKE 'Aborted_clients'")[0][1])
        self.assertEqual(service.end(), 0)
        time.sleep(0.2)
        self.assertEqual(int(self.node.sql("SHOW GLOBAL STATUS LIKE 'Aborted_clients'")[0][1]), before)


class Hosts(ResidentCase):
    """Under those who hand over the listening socket in earnest."""

    def test_xinetd(self) -> None:
        self.policy(idle_exit="1s")
        home, address = self.node.home, self.lab.address(1)
        shipped = (host.CHECKOUT / "xinetd.d" / "clustercheck-resident").read_text()
        agent = (host.CHECKOUT / "xinetd.d" / "clustercheck-agent").read_text()
        ours = {"server": str(host.clustercheck_bin()), "bind": address, "user": host.own_user(), "disable": "no"}
        (home / "resident.service").write_text(
            service_text(shipped, {**ours, "server_args": f"-c {self.checker.conf}", "port": str(PORT)}) +
            service_text(agent, {**ours, "server_args": f"-c {self.checker.conf} --agent", "port": str(PORT + 1)}))
        (home / "resident.conf").write_text(f"defaults\n{{\n\tlog_type = FILE {home}/resident.xinetd.log\n}}\n"
                                            f"include {home}/resident.service\n")
        xinetd = Process(home, "resident-xinetd")
        xinetd.start([host.tool("xinetd"), "-dontfork", "-f", str(home / "resident.conf"),
                      "-pidfile", str(home / "resident.pid")])
        self.addCleanup(xinetd.kill)
        wait_until(lambda: http_probe(address, PORT).code, 10, "xinetd to serve")
        for _ in range(200):
            self.assertEqual(reasons(whole(http_probe(address, PORT))), (200, "synced"))
        self.assertEqual(http_probe(address, PORT + 1, request=b"").raw, b"up ready 100%\n")
        time.sleep(2.5)  # both have gone home by now
        self.assertEqual(reasons(whole(http_probe(address, PORT))), (200, "synced"))
        self.assertEqual(http_probe(address, PORT + 1, request=b"").raw, b"up ready 100%\n")
        measured = load(address, PORT, "-c", "16", "-d", "1")
        self.assertEqual(measured["checks"], measured["ok"], measured)

    def test_systemd_socket_activate(self) -> None:
        tool = shutil.which("systemd-socket-activate")
        self.assertTrue(tool, "systemd-socket-activate is missing (Debian package systemd)")
        address = self.lab.address(1)
        child = subprocess.Popen([tool, "--inetd", "-l", f"{address}:{PORT}", *self.checker.argv()],
                                 stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        self.addCleanup(child.stdout.close)
        self.addCleanup(child.wait)
        self.addCleanup(child.terminate)
        wait_until(lambda: http_probe(address, PORT).code, 10, "the service to be started")
        for _ in range(100):
            self.assertEqual(reasons(whole(http_probe(address, PORT))), (200, "synced"))
        child.terminate()
        self.assertEqual(child.wait(5), 0)


class Agent(ResidentCase):
    def test_lines(self) -> None:
        service = self.resident("--agent", available_when_donor="always")
        self.assertEqual(service.agent(), "up ready 100%\n")
        self.checker.drain_file.touch()
        wait_until(lambda: service.agent() == "drain\n", 2, "drain")
        self.checker.disable_file.touch()
        wait_until(lambda: service.agent() == "maint\n", 2, "maint")
        self.checker.disable_file.unlink()
        self.checker.drain_file.unlink()
        wait_until(lambda: service.agent() == "up ready 100%\n", 2, "up and ready again")
        self.node.sql("SET GLOBAL wsrep_desync=ON")
        wait_until(lambda: service.agent() == "down #desynced\n", 2, "down")
        self.node.sql("SET GLOBAL wsrep_desync=OFF")
        wait_until(lambda: service.agent() == "up ready 100%\n", 2, "up again")
        self.node.freeze()
        wait_until(lambda: service.agent() == "down #timed-out\n", 5, "a server that hangs")
        self.node.thaw()
        wait_until(lambda: service.agent() == "up ready 100%\n", 5, "up again")

    def test_client_that_sends_something_first(self) -> None:
        service = self.resident("--agent")
        for _ in range(50):
            answer = http_probe(service.address, service.port, request=b"hello n1\n")
            self.assertEqual((answer.raw, answer.ending), (b"up ready 100%\n", "fin"))

    def test_shell_gets_the_line(self) -> None:
        done = self.shell("--agent")
        self.assertEqual((done.exit, done.out), (0, "up ready 100%\n"))
        self.node.sql("SET GLOBAL wsrep_desync=ON")
        done = self.shell("--agent")
        self.assertEqual((done.exit, done.out), (1, "down #desynced\n"))


class Reports(ResidentCase):
    def check_schema(self, text: bytes) -> dict:
        """jsonschema is Debian's, for Debian's python; the tests run under that."""
        import jsonschema
        report = json.loads(text)
        jsonschema.Draft7Validator.check_schema(json.loads(SCHEMA.read_text()))
        jsonschema.validate(report, json.loads(SCHEMA.read_text()))
        return report

    def check_metrics(self, text: bytes) -> None:
        promtool = shutil.which("promtool")
        self.assertTrue(promtool, "promtool is missing (Debian package prometheus)")
        done = subprocess.run([promtool, "check", "metrics"], input=text, capture_output=True, check=False)
        self.assertEqual((done.returncode, done.stderr), (0, b""))

    def test_status_follows_its_schema(self) -> None:
        service = self.resident()
        report = self.check_schema(service.probe("/status").body)
        self.assertEqual((report["mode"], report["verdict"]["reason"]), ("resident", "synced"))
        self.assertEqual(report["node"]["wsrep_cluster_size"], 1)
        self.assertEqual(report["node"]["wsrep_local_state_comment"], "Synced")
        self.assertLessEqual(report["age_ms"], 500)
        self.checker.disable_file.touch()
        wait_until(lambda: self.check_schema(service.probe("/status").body)["files"]["disabled"], 2, "the file")
        self.node.kill()
        wait_until(lambda: self.check_schema(service.probe("/status").body)["node"] == {}, 5, "nothing known")

    def test_metrics_are_as_prometheus_wants_them(self) -> None:
        service = self.resident()
        answer = service.probe("/metrics")
        self.check_metrics(answer.body)
        for line in (b'clustercheck_up{path="/"} 1', b"galera_cluster_primary 1", b"galera_local_state 4",
                     b'clustercheck_reason_info{path="/",state="up",reason="synced"} 1'):
            self.assertIn(line + b"\n", answer.body)
        self.node.kill()
        self.wait_answer(service, 503, "cannot-connect")
        answer = service.probe("/metrics")
        self.check_metrics(answer.body)
        self.assertIn(b'clustercheck_up{path="/"} 0\n', answer.body)

    def test_one_process_for_one_report(self) -> None:
        report = self.check_schema(one_shot(self, "/status", "").body)
        self.assertEqual((report["mode"], report["verdict"]["reason"]), ("one-shot", "synced"))
        self.check_metrics(one_shot(self, "/metrics", "").body)
        self.assertEqual(one_shot(self, "/writer", "").code, 200)

    def test_watch_prints_changes(self) -> None:
        child = subprocess.Popen(self.checker.argv("--watch"), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True)
        try:
            lines = [child.stdout.readline()]
            self.node.sql("SET GLOBAL wsrep_desync=ON")
            lines.append(child.stdout.readline())
            self.node.freeze()
            lines.append(child.stdout.readline())
            self.node.thaw()
            lines.append(child.stdout.readline())
            child.send_signal(signal.SIGINT)
            self.assertEqual(child.wait(5), 1)
        finally:
            child.kill()
            child.wait()
            child.stdout.close()
            self.node.thaw()
        self.assertEqual([line.split()[1:3] for line in lines],
                         [["up", "synced"], ["down", "desynced"], ["unknown", "timed-out"], ["down", "desynced"]])


if __name__ == "__main__":
    unittest.main()
