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

from checkcase import reasons, whole
from harness import http_probe, wait_until
from residentcase import PORT, Resident, ResidentCase, load, one_shot

from galeralab import host
from galeralab.checker import service_text
from galeralab.process import Process

SCHEMA = host.CHECKOUT / "conf" / "status.schema.json"
PATHS = ("/", "/rw", "/ro", "/live", "/writer")
SEND_STATE = "X-Haproxy-Server-State: UP 2/3; name=b/n1; node=lb; weight=1/{}; scur=0/0; qcur=0\r\n"


def fill(path: Path) -> None:
    """Send to a datagram socket until it takes no more."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as client:
        client.connect(str(path))
        client.setblocking(False)
        try:
            while True:
                client.send(b"full")
        except BlockingIOError:
            pass


class SameTruth(ResidentCase):
    """One list of node states, asked in both ways. Three nodes: one can be cut off, or die, and come back."""

    NODES = 3

    def compare(self, service: Resident, reason: str) -> None:
        for path in PATHS:
            for header in ("", SEND_STATE.format(1), SEND_STATE.format(3)):
                alone = whole(one_shot(self, path, header))
                wait_until(lambda: service.probe(path, header).raw == alone.raw, 60,
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
        self.assertEqual(service.process.wait(60), 64)


class Life(ResidentCase):
    def test_sigterm_drains(self) -> None:
        service = self.resident(timeout="2s")
        self.freeze()
        time.sleep(0.6)
        with service.connect() as connection:
            connection.sendall(b"GET / HTTP/1.0\r\n\r\n")
            wait_until(lambda: service.waiting() == 0, 60, "the service to take the client")
            service.process.send_signal(signal.SIGTERM)
            self.assertTrue(connection.recv(65536).startswith(b"HTTP/1.1 503"))
        self.assertEqual(service.process.wait(60), 0)

    def test_sighup_reads_the_configuration_again(self) -> None:
        service = self.resident(body="galera")
        self.assertIn(b"Galera", service.probe().body)
        self.policy(body="percona")
        service.process.send_signal(signal.SIGHUP)
        wait_until(lambda: b"Percona" in service.probe().body, 60, "the new sentence")
        self.policy(body="nonsense")
        service.process.send_signal(signal.SIGHUP)
        wait_until(lambda: "stays as it was" in self.checker.log.read_text(), 60, "the complaint")
        self.assertIn(b"Percona", service.probe().body)

    def test_a_listening_socket_that_somebody_else_makes_wait(self) -> None:
        """As systemd does with every command that it runs for the unit, ExecReload= for example: O_NONBLOCK is shared."""
        service = self.resident()
        for number in (0, signal.SIGHUP):
            os.set_blocking(service.listener.fileno(), True)
            service.process.send_signal(number)
            for _ in range(5):
                self.assertEqual(service.probe().reason, "synced")
        wait_until(lambda: not os.get_blocking(service.listener.fileno()), 60, "the reload to end that")
        os.set_blocking(service.listener.fileno(), True)
        self.assertEqual(service.probe().reason, "synced")
        self.assertEqual(service.end(), 0)

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
        self.assertEqual(service.end(), 0)  # with all lines written
        lines = self.checker.log.read_text().splitlines()
        self.assertEqual([line.split("reason=")[1].split()[0] for line in lines if "reason=" in line][-2:],
                         ["desynced", "synced"])
        self.assertLessEqual(len(lines), 3)

    def test_syslog_that_hangs_keeps_nobody_waiting(self) -> None:
        """A daemon that has stopped reading: answers change as ever, and the lines come when it goes on."""
        shim, path = self.node.home / "syslogto.so", self.node.home / "log.sock"
        subprocess.run(["cc", "-shared", "-fPIC", "-O1", "-o", shim, host.CHECKOUT / "tests" / "system" / "syslogto.c"],
                       check=True, timeout=60)
        for last in self.checker.state.glob("*.last"):
            last.unlink()
        self.policy(log="syslog")
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as daemon:
            daemon.bind(str(path))
            self.addCleanup(path.unlink)
            fill(path)
            service = Resident(self.checker.argv(), self.lab.address(1), env={
                "LD_PRELOAD": str(shim), "SYSLOG_TO": str(path), "ASAN_OPTIONS": "verify_asan_link_order=0"})
            self.addCleanup(service.close)
            service.start()
            for reason, value in (("synced", "OFF"), ("desynced", "ON"), ("synced", "OFF")):
                self.node.sql(f"SET GLOBAL wsrep_desync={value}")
                self.wait_answer(service, 200 if reason == "synced" else 503, reason)
            lines: list[str] = []
            daemon.settimeout(60)
            while len(lines) < 3:
                lines += [text for text in [daemon.recv(65536).decode()] if text != "full"]
            self.assertEqual([line.split("reason=")[1].split()[0] for line in lines], ["synced", "desynced", "synced"])
            fill(path)
            self.checker.disable_file.touch()
            self.wait_answer(service, 503, "disabled")
            self.assertEqual(service.end(), 0, "a stop does not wait for the log either")

    def test_mysqld_sees_a_proper_goodbye(self) -> None:
        self.wait_sessions(0)  # of who was killed in a test before
        service = self.resident()
        self.wait_sessions(1)
        before = int(self.node.sql("SHOW GLOBAL STATUS LIKE 'Aborted_clients'")[0][1])
        self.assertEqual(service.end(), 0)
        self.wait_sessions(0)
        self.assertEqual(int(self.node.sql("SHOW GLOBAL STATUS LIKE 'Aborted_clients'")[0][1]), before)


    def wait_sessions(self, count: int) -> None:
        """The server has so many sessions of the checks' account."""
        question = "SELECT COUNT(*) FROM information_schema.processlist WHERE user = 'clustercheck'"
        wait_until(lambda: self.node.sql(question) == [[str(count)]], 60, f"{count} sessions of the check")


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
        wait_until(lambda: http_probe(address, PORT).code, 60, "xinetd to serve")
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
        wait_until(lambda: http_probe(address, PORT).code, 60, "the service to be started")
        for _ in range(100):
            self.assertEqual(reasons(whole(http_probe(address, PORT))), (200, "synced"))
        child.terminate()
        self.assertEqual(child.wait(60), 0)


class Agent(ResidentCase):
    def test_lines(self) -> None:
        service = self.resident("--agent", available_when_donor="always")
        self.assertEqual(service.agent(), "up ready 100%\n")
        self.checker.drain_file.touch()
        wait_until(lambda: service.agent() == "drain\n", 60, "drain")
        self.checker.disable_file.touch()
        wait_until(lambda: service.agent() == "maint\n", 60, "maint")
        self.checker.disable_file.unlink()
        self.checker.drain_file.unlink()
        wait_until(lambda: service.agent() == "up ready 100%\n", 60, "up and ready again")
        self.node.sql("SET GLOBAL wsrep_desync=ON")
        wait_until(lambda: service.agent() == "down #desynced\n", 60, "down")
        self.node.sql("SET GLOBAL wsrep_desync=OFF")
        wait_until(lambda: service.agent() == "up ready 100%\n", 60, "up again")
        self.node.freeze()
        wait_until(lambda: service.agent() == "down #timed-out\n", 60, "a server that hangs")
        self.node.thaw()
        wait_until(lambda: service.agent() == "up ready 100%\n", 60, "up again")

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
        wait_until(lambda: self.check_schema(service.probe("/status").body)["age_ms"] <= 500, 60, "a fresh answer")
        self.checker.disable_file.touch()
        wait_until(lambda: self.check_schema(service.probe("/status").body)["files"]["disabled"], 60, "the file")
        self.node.kill()
        wait_until(lambda: self.check_schema(service.probe("/status").body)["node"] == {}, 60, "nothing known")

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
            self.assertEqual(child.wait(60), 1)
        finally:
            child.kill()
            child.wait()
            child.stdout.close()
            self.node.thaw()
        self.assertEqual([line.split()[1:3] for line in lines],
                         [["up", "synced"], ["down", "desynced"], ["unknown", "timed-out"], ["down", "desynced"]])


if __name__ == "__main__":
    unittest.main()
