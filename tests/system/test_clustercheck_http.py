"""clustercheck as an HTTP server behind xinetd: every way to ask gets one whole answer, and no connection is reset."""
from __future__ import annotations

import json
import socket
import struct
import subprocess
import time
import unittest

from checkcase import BUSY, CheckCase, children, reasons
from harness import Answer, wait_until

from galeralab import host

EVERY_REQUEST = {
    "HTTP/1.0": b"GET / HTTP/1.0\r\n\r\n",
    "HTTP/1.1": b"GET / HTTP/1.1\r\nHost: n1:9200\r\nConnection: keep-alive\r\nUser-Agent: test\r\n\r\n",
    "OPTIONS, as HAProxy asks": b"OPTIONS / HTTP/1.0\r\n\r\n",
    "POST with a body": b"POST / HTTP/1.1\r\nHost: n1\r\nContent-Length: 5\r\n\r\nhello",
    "an unknown method": b"BREW /pot HTTP/1.1\r\n\r\n",
    "an absolute URL": b"GET http://n1:9200/ HTTP/1.1\r\n\r\n",
    "bare newlines": b"GET / HTTP/1.0\n\n",
    "blank lines first": b"\r\n\r\nGET / HTTP/1.0\r\n\r\n",
    "no version": b"GET /\r\n\r\n",
    "no blank line": b"GET / HTTP/1.0\r\nHost: n1\r\n",
    "half a header": b"GET / HTTP/1.0\r\nHos",
    "no HTTP": b"hello\r\n\r\n",
    "bytes": bytes(range(1, 256)) + b"\r\n\r\n",
    "NUL bytes": b"\0\0\0\r\n\0\r\n\r\n",
    "pipelined requests": b"GET / HTTP/1.1\r\n\r\n" * 20,
    "pipelined rubbish": b"GET / HTTP/1.1\r\n\r\n" + b"\xff\0rubbish" * 500,
    "a long path": b"GET /" + b"a" * 4000 + b" HTTP/1.0\r\n\r\n",
    "a long header": b"GET / HTTP/1.0\r\nCookie: " + b"a" * 7000 + b"\r\n\r\n",
    "many headers": b"GET / HTTP/1.0\r\n" + b"A: b\r\n" * 1000 + b"\r\n",
}


class Requests(CheckCase):
    def test_every_request_gets_the_answer(self) -> None:
        for name, request in EVERY_REQUEST.items():
            for half_close in (False, True):
                with self.subTest(request=name, half_close=half_close):
                    answer = self.probe(request=request, half_close=half_close, timeout=10)
                    self.assertEqual(reasons(answer), (200, "synced"), answer)
                    self.assertEqual(answer.raw.count(b"HTTP/1."), 1, "one answer")

    def test_headers_and_status_line(self) -> None:
        self.maxDiff = None
        expected = (b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nConnection: close\r\nCache-Control: no-store\r\n"
                    b"X-Galera-State: Synced\r\nX-Galera-Reason: synced\r\nContent-Length: 32\r\n\r\n"
                    b"Galera cluster node is synced.\r\n")
        self.assertEqual(self.ask().raw, expected)
        self.checker.disable_file.touch()
        answer = self.ask()
        self.assertEqual((answer.code, answer.phrase), (503, "Service Unavailable"))

    def test_head_has_the_headers_and_no_body(self) -> None:
        self.assert_head_is_get_without_body()
        self.checker.drain_file.touch()
        self.assert_head_is_get_without_body()

    def test_head_gets_no_body_from_the_watchdog_either(self) -> None:
        self.policy(timeout="500ms")
        self.freeze()
        self.assert_head_is_get_without_body()

    def assert_head_is_get_without_body(self) -> None:
        got = self.probe(request=b"GET / HTTP/1.1\r\n\r\n")
        head = self.probe(request=b"HEAD / HTTP/1.1\r\n\r\n")
        self.assertEqual(head.raw, got.raw[:len(got.raw) - len(got.body)])
        self.assertEqual(int(head.headers["content-length"]), len(got.body))

    def test_header_of_the_balancer_is_found_in_any_case(self) -> None:
        for name in ("X-Haproxy-Server-State", "x-haproxy-server-state"):
            answer = self.ask(header=f"Host: x\r\n{name}: UP; name=b/n1; weight=1/1\r\n")
            self.assertEqual(reasons(answer), (200, "synced"))


class SlowClients(CheckCase):
    def test_no_request_is_answered_after_a_short_wait(self) -> None:
        self.policy(timeout="30s", request_wait="300ms")
        answer = self.probe(request=b"", timeout=20)
        self.assertEqual(reasons(answer), (200, "synced"))
        self.assertGreater(answer.seconds, 0.25)
        self.assertLess(answer.seconds, 0.3 + BUSY)

    def test_end_of_input_is_not_waited_for(self) -> None:
        self.policy(timeout="60s", request_wait="10s")
        answer = self.probe(request=b"", half_close=True, timeout=30)
        self.assertEqual(reasons(answer), (200, "synced"))
        self.assertLess(answer.seconds, 10)

    def test_half_a_request_line_is_a_bad_request_at_half_of_the_timeout(self) -> None:
        """What it will ask for cannot be known: a 200 for "/r" would be wrong for what goes on to be "/rw"."""
        self.policy(timeout="2s")
        answer = self.probe(request=b"GET /r", timeout=20)
        self.assertEqual(reasons(answer), (503, "bad-request"))
        self.assertGreater(answer.seconds, 0.9)
        self.assertLess(answer.seconds, 1 + BUSY)

    def test_one_byte_at_a_time(self) -> None:
        self.policy(timeout="10s")
        self.node.sql("SET GLOBAL read_only=ON")
        client = self.raw()
        for byte in b"GET /rw HTTP/1.1\r\nHost: n1\r\n\r\n":
            client.sendall(bytes([byte]))
            time.sleep(0.005)
        answer = self.rest(client)
        self.assertEqual(reasons(answer), (503, "read-only"), "all of it was read")

    def test_client_that_never_ends_is_answered_in_time(self) -> None:
        """Bytes of an endless request line, one now and then: the deadline counts, not the silence between two."""
        self.policy(timeout="1s")
        client, started = self.raw(), time.monotonic()
        client.settimeout(0.05)
        reply = b""
        while not reply and time.monotonic() < started + 10 + BUSY:
            try:
                client.sendall(b"a")
                reply = client.recv(65536)
            except TimeoutError:
                continue
        self.assertIn(b"X-Galera-Reason: bad-request\r\n", reply)
        self.assertLess(time.monotonic() - started, 1 + BUSY)

    def rest(self, client: socket.socket) -> Answer:
        reply = b"".join(iter(lambda: client.recv(65536), b""))
        return Answer(raw=reply, ending="fin").parse()


class BadManners(CheckCase):
    def test_a_megabyte_of_rubbish_is_not_reset(self) -> None:
        for start in (b"GET / HTTP/1.0\r\n\r\n", b"GET / HTTP/1.0\r\nX: "):
            with self.subTest(start=start):
                answer = self.probe(request=start + b"x" * (1 << 20), timeout=15)
                self.assertEqual(reasons(answer), (200, "synced"))
        answer = self.probe(request=b"\xfe" * (1 << 20), timeout=15)
        self.assertEqual(answer.code, 503)

    def test_what_is_left_unread_makes_no_reset(self) -> None:
        """Not even a late one, which a client sees only after the end: the error of the socket tells."""
        for request in (EVERY_REQUEST["pipelined rubbish"], b"GET / HTTP/1.0\r\n\r\n" + b"x" * (1 << 20)):
            client = self.raw()
            client.sendall(request)
            reply = b"".join(iter(lambda: client.recv(65536), b""))
            self.assertTrue(reply.startswith(b"HTTP/1.1 200 OK\r\n"), reply)
            self.wait_no_check()
            self.assertEqual(client.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR), 0)

    def test_client_that_closes_at_once(self) -> None:
        for _ in range(20):
            self.raw().close()
        self.expect_no_process_left()
        self.expect(200, "synced")

    def test_client_that_resets_the_connection(self) -> None:
        for request in (b"", b"GET / HTTP/1.0\r\n\r\n"):
            for _ in range(10):
                client = self.raw()
                client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                client.sendall(request)
                client.close()
        self.expect_no_process_left()
        self.expect(200, "synced")

    def test_client_that_does_not_close_is_left(self) -> None:
        """The process ends although the client has neither read nor closed."""
        clients = [self.raw() for _ in range(5)]
        for client in clients:
            client.sendall(b"GET / HTTP/1.1\r\n\r\n")
        self.wait_no_check()
        for client in clients:
            self.assertTrue(client.recv(65536).startswith(b"HTTP/1.1 200 "))

    def test_client_that_goes_on_sending_is_left(self) -> None:
        self.policy(request_wait="10s")  # it is there for so long, and cannot be missed
        client = self.raw()
        parent = self.xinetd.process.identity.pid
        wait_until(lambda: bool(children(parent)), 60, "a check to run", 0.001)
        client.sendall(b"GET / HTTP/1.1\r\n\r\n")
        client.settimeout(0.02)

        def ended() -> bool:
            try:
                client.send(b"more")
            except OSError:
                pass
            return not children(parent)

        wait_until(ended, 60, "the check to end", 0.02)

    def wait_no_check(self) -> None:
        parent = self.xinetd.process.identity.pid
        wait_until(lambda: not children(parent), 60, "the checks to end", 0.02)


class UnderLoad(CheckCase):
    def load(self, *options: str, expect: str = "200") -> None:
        """Every check good in the eyes of checkload: status, length, no reset, not even a late one."""
        command = [host.build_dir() / "bench" / "checkload", "--json", "--expect", expect, "--timeout", "20000",
                   *options, f"{self.lab.address(1)}:9200"]
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        counted = json.loads(done.stdout)
        self.assertEqual(counted["ok"], counted["checks"], counted)

    def test_200_consecutive_checks(self) -> None:
        self.policy(timeout="20s")
        self.load("-n", "200")

    def test_16_clients_at_once(self) -> None:
        self.policy(timeout="20s")
        self.load("-n", "480", "-c", "16")

    def test_16_clients_of_a_node_that_is_down(self) -> None:
        self.policy(timeout="20s")
        self.node.sql("SET GLOBAL wsrep_desync=ON")
        self.load("-n", "160", "-c", "16", "-m", "GET", "-p", "/rw", expect="503")


if __name__ == "__main__":
    unittest.main()
