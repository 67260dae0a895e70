"""The resident service in tests: started as xinetd and systemd start it, and looked at from outside."""
from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import time
from pathlib import Path
from typing import Mapping, Optional, Sequence

from checkcase import CheckCase, reasons, whole
from harness import Answer, http_probe, wait_until

from galeralab import host

__all__ = ["PORT", "Resident", "ResidentCase", "load", "one_shot"]

PORT = 9300


def load(address: str, port: int, *arguments: str) -> dict:
    """Runs checkload and returns what it measured."""
    tool = host.build_dir() / "bench" / "checkload"
    done = subprocess.run([tool, "--json", *arguments, f"{address}:{port}"], capture_output=True, text=True, check=False,
                          timeout=600)
    if done.returncode not in (0, 1):
        raise AssertionError(f"checkload ends with {done.returncode}: {done.stderr}")
    return json.loads(done.stdout)


class Resident:
    """A process whose fds 0 and 1 are a listening socket, as under xinetd with `wait = yes`.

    The socket stays open here, as it does in xinetd: who connects while no process serves it stands in its queue."""

    def __init__(self, argv: Sequence[str], address: str, port: int = PORT, nofile: Optional[int] = None,
                 env: Mapping[str, str] = {}) -> None:
        self.argv, self.address, self.port, self.nofile = list(argv), address, port, nofile
        self.env = {**os.environ, **env}
        self.listener = socket.socket()
        self.listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.listener.bind((address, port))
        self.listener.listen(64)
        self.process: Optional[subprocess.Popen] = None
        self.errors = b""

    def start(self) -> "Resident":
        wrapper = ["prlimit", f"--nofile={self.nofile}:{self.nofile}"] if self.nofile else []
        self.process = subprocess.Popen([*wrapper, *self.argv], stdin=self.listener, stdout=self.listener,
                                        stderr=subprocess.PIPE, env=self.env)
        return self

    @property
    def pid(self) -> int:
        return self.process.pid

    def probe(self, path: str = "/", header: str = "", method: str = "GET", **arguments) -> Answer:
        request = f"{method} {path} HTTP/1.0\r\n{header}\r\n".encode()
        return http_probe(self.address, self.port, request=request, **arguments)

    def agent(self) -> str:
        return http_probe(self.address, self.port, request=b"").raw.decode()

    def connect(self) -> socket.socket:
        return socket.create_connection((self.address, self.port), 60)

    def waiting(self) -> int:
        """How many stand in the queue of the listening socket (proc_net_tcp: the receive queue of a listener)."""
        local = f"{socket.inet_aton(self.address)[::-1].hex().upper()}:{self.port:04X}"
        rows = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
        return next(int(row[4].split(":")[1], 16) for row in rows if row[1] == local and row[3] == "0A")

    def memory_kib(self) -> int:
        for line in Path(f"/proc/{self.pid}/status").read_text().splitlines():
            if line.startswith("VmRSS:"):
                return int(line.split()[1])
        return 0

    def fds(self) -> int:
        return len(os.listdir(f"/proc/{self.pid}/fd"))

    def end(self, number: int = signal.SIGTERM, timeout: float = 60) -> int:
        """Ends the process; what it wrote to standard error is in `errors` then (it should be nothing)."""
        if self.process.poll() is None:
            self.process.send_signal(number)
        self.process.wait(timeout)
        self.errors += self.process.stderr.read()
        self.process.stderr.close()
        return self.process.returncode

    def close(self) -> None:
        if self.process and self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        if self.process and not self.process.stderr.closed:
            self.process.stderr.close()
        self.listener.close()


class ResidentCase(CheckCase):
    """Node 1 without an xinetd, and a resident service beside it, on another port."""

    XINETD = False

    def setUp(self) -> None:
        super().setUp()
        self.restore_checker(1)

    def expect_no_process_left(self) -> None:
        pass

    def resident(self, *arguments: str, nofile: Optional[int] = None, ready: bool = True, **keys: str) -> Resident:
        """A service with these keys of [clustercheck], until the end of the test."""
        self.policy(**keys)
        service = Resident(self.checker.argv(*arguments), self.lab.address(1), nofile=nofile)
        self.addCleanup(service.close)
        service.start()
        if ready:
            wait_until(lambda: service.probe().code or service.agent(), 60, "the resident service to answer")
        return service

    def queries(self) -> int:
        """How often the server was asked for its status, this question included."""
        return int(self.node.sql("SHOW GLOBAL STATUS LIKE 'Com_show_status'")[0][1])

    def wait_answer(self, service: Resident, code: int, reason: str, timeout: float = 60) -> Answer:
        last: list[Answer] = [Answer()]

        def answers() -> bool:
            last[0] = service.probe()
            return reasons(last[0]) == (code, reason)

        try:
            wait_until(answers, timeout, f"the answer {code} {reason}", 0.02)
        except AssertionError as error:
            raise AssertionError(f"{error}; last answer: {last[0]}") from None
        return last[0]


def one_shot(case: ResidentCase, path: str, header: str) -> Answer:
    """The same question to a process for this one check, over a socket as xinetd with `wait = no` hands it over."""
    with socket.socket() as listener:
        listener.bind((case.lab.address(1), 0))
        listener.listen(1)
        client = socket.create_connection(listener.getsockname(), 10)
        server, _ = listener.accept()
    with client, server:
        child = subprocess.Popen(case.checker.argv(), stdin=server, stdout=server, stderr=server)
        server.close()
        client.sendall(f"GET {path} HTTP/1.0\r\n{header}\r\n".encode())
        answer, started = Answer(), time.monotonic()
        client.settimeout(60)
        while data := client.recv(65536):
            answer.raw += data
        answer.ending = "fin"
        answer.seconds = time.monotonic() - started
        client.close()  # it waits for that
        child.wait(60)
    return answer.parse()
