"""An HTTP client by raw socket, which tells what a library hides: how the connection ended, and when."""
from __future__ import annotations

import socket
import time
from dataclasses import dataclass, field
from typing import Optional

OPTIONS = b"OPTIONS / HTTP/1.0\r\n\r\n"  # what HAProxy's `option httpchk` sends


@dataclass
class Answer:
    """ending: "fin" (proper end), "reset", "timeout" (nothing more came), "refused" (no connection)."""

    raw: bytes = b""
    ending: str = ""
    seconds: float = 0.0
    code: Optional[int] = None
    phrase: str = ""
    headers: dict[str, str] = field(default_factory=dict)  # names in lower case
    body: bytes = b""

    def parse(self) -> "Answer":
        head, separator, rest = self.raw.partition(b"\r\n\r\n")
        lines = head.decode("latin-1").split("\r\n")
        words = lines[0].split(" ", 2)
        if separator and len(words) >= 2 and words[0].startswith("HTTP/") and words[1].isdigit():
            self.code, self.phrase, self.body = int(words[1]), "".join(words[2:]), rest
            self.headers = {name.strip().lower(): value.strip()
                            for name, _, value in (line.partition(":") for line in lines[1:])}
        return self

    @property
    def reason(self) -> str:
        return self.headers.get("x-galera-reason", "")


def http_probe(host: str, port: int = 9200, request: bytes = OPTIONS, timeout: float = 20,
               half_close: bool = False) -> Answer:
    """Send the request (it may be empty) and read until the peer ends the connection."""
    answer, started = Answer(), time.monotonic()
    try:
        with socket.create_connection((host, port), timeout) as connection:
            if request:
                connection.sendall(request)
            if half_close:
                connection.shutdown(socket.SHUT_WR)
            while not answer.ending:
                connection.settimeout(max(0.001, started + timeout - time.monotonic()))
                data = connection.recv(65536)
                answer.raw += data
                answer.ending = "" if data else "fin"
    except TimeoutError:
        answer.ending = "timeout"
    except ConnectionRefusedError:
        answer.ending = "refused"
    except (ConnectionResetError, BrokenPipeError):
        answer.ending = "reset"
    answer.seconds = time.monotonic() - started
    return answer.parse()
