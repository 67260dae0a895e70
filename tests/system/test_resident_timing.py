"""How fast and how fresh the resident service's answers are, and what it bears: limits of time, so nothing runs beside it."""
from __future__ import annotations

import json
import os
import signal
import threading
import time
import unittest

from checkcase import BUSY, reasons, whole
from harness import Answer, http_probe, wait_until
from residentcase import Resident, ResidentCase, load

from galeralab import host

ALONE = True


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
        delays = []
        for _ in range(3):  # the median: one slice of a busy processor does not decide
            delays.append(self.first_after(service, lambda: self.node.process.signal(signal.SIGKILL), 503, 0.55))
            self.lab.heal()
            self.wait_answer(service, 200, "synced")
        print(f"kill -9 to first 503, ms: {sorted(round(delay * 1000) for delay in delays)}")
        self.assertLess(sorted(delays)[1], 0.55, delays)

    def test_disable_file_is_told_at_once(self) -> None:
        service = self.resident()
        delays = []
        for _ in range(5):
            self.assertEqual(service.probe().code, 200)
            delays.append(self.first_after(service, self.checker.disable_file.touch, 503, 0.1))
            self.checker.disable_file.unlink()
            self.wait_answer(service, 200, "synced")
        self.assertLess(sorted(delays)[len(delays) // 2], 0.1, delays)

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
        ends = time.monotonic() + 4
        while time.monotonic() < ends:
            answers.append(whole(service.probe()))
        slowest = max(answer.seconds for answer in answers)
        self.assertLess(slowest, 0.5 + 1.5, "the slowest answer")
        self.assertEqual(reasons(answers[-1]), (503, "timed-out"))
        self.assertGreater(len(answers), 50, "once it is known that the server hangs, nobody waits for it")
        self.node.thaw()
        self.wait_answer(service, 200, "synced")

    def test_server_that_restarts_and_hangs_under_load(self) -> None:
        service = self.resident(timeout="500ms")
        results: list[dict] = []
        thread = threading.Thread(target=lambda: results.append(
            load(service.address, service.port, "-c", "16", "-d", "12", "-e", "any")))
        thread.start()
        time.sleep(0.5)
        self.node.freeze()
        time.sleep(4)
        self.node.thaw()
        time.sleep(0.5)
        self.node.kill()
        time.sleep(0.3)
        self.assertEqual(service.probe().code, 503)
        self.lab.heal()
        thread.join()
        measured = results[0]
        self.assertEqual(measured["checks"], measured["ok"], measured)
        self.assertLess(measured["latency_us"]["max"], 2500000, "the server hung for 4 s")
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
                connection.settimeout(60)
                answered += connection.recv(65536).startswith(b"HTTP/1.1 ")
            self.assertEqual(answered, 2000)
        finally:
            for connection in slow:
                connection.close()
        wait_until(lambda: service.fds() < 20, 60, "the connections to be closed")

    def test_more_clients_than_places(self) -> None:
        service = self.resident(max_clients="32", request_wait="5s")
        idle = [service.connect() for _ in range(100)]
        self.addCleanup(lambda: [connection.close() for connection in idle])
        for _ in range(50):
            self.assertEqual(reasons(whole(service.probe())), (200, "synced"))
        status = json.loads(service.probe("/status").body)
        self.assertGreater(status["service"]["given_up"], 60)
        idle[0].settimeout(60)
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
        self.assertLess(time.monotonic() - started, 3.8, "one timeout for all of them, not one after the other")
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
                self.assertLess(answer.seconds, 0.6 + BUSY)

    def test_byte_by_byte(self) -> None:
        service = self.resident()
        with service.connect() as connection:
            for byte in b"GET /rw HTTP/1.0\r\nX-A: b\r\n\r\n":
                connection.sendall(bytes([byte]))
                time.sleep(0.002)
            self.assertTrue(connection.recv(65536).startswith(b"HTTP/1.1 200"))

    def test_keep_alive_for_those_who_ask(self) -> None:
        service = self.resident(keep_alive="3s")
        with service.connect() as connection:
            for _ in range(3):
                connection.sendall(b"GET / HTTP/1.1\r\nConnection: keep-alive\r\n\r\n")
                answer = Answer(raw=connection.recv(65536)).parse()
                self.assertEqual((answer.code, answer.headers["connection"]), (200, "keep-alive"))
            connection.sendall(b"GET / HTTP/1.1\r\nConnection: keep-alive\r\n\r\n" * 3 +
                               b"HEAD /rw HTTP/1.1\r\nConnection: close\r\n\r\n")
            connection.settimeout(60)
            raw = b""
            while data := connection.recv(65536):
                raw += data
            self.assertEqual(raw.count(b"HTTP/1.1 200"), 4)
            self.assertTrue(raw.endswith(b"\r\n\r\n"), "no body for HEAD")
        with service.connect() as connection:
            connection.sendall(b"GET / HTTP/1.1\r\nConnection: keep-alive\r\n\r\n")
            connection.recv(65536)
            connection.settimeout(15)  # the default of keep_alive; an answer has come before
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
        wait_until(lambda: service.fds() <= fds, 60, "no file descriptor to be left")


if __name__ == "__main__":
    unittest.main()
