"""Collectors for the log courier: JSON lines over TCP or TLS, and as much of Elasticsearch as rsyslog needs."""
from __future__ import annotations

import json
import socket
import ssl
import threading
from typing import Any, Optional

from galeralab.tls import Pair


class Collector:
    """Listens on an address and keeps the events it gets in `events`, which several collectors may share."""

    def __init__(self, address: str, port: int, events: list[dict], pair: Optional[Pair] = None) -> None:
        self.address, self.port, self.events = address, port, events
        self.own = 0  # events that came here
        self._tls: Optional[ssl.SSLContext] = None
        if pair:
            self._tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self._tls.load_cert_chain(*map(str, pair))
        self._listener = socket.create_server((address, port), backlog=64)
        self._connections: list[socket.socket] = []
        self._threads = [threading.Thread(target=self._accept, daemon=True)]
        self._threads[0].start()

    @property
    def entry(self) -> dict[str, str]:
        """What stands in etcd of it."""
        return {"ip": self.address, "port": str(self.port)}

    def _accept(self) -> None:
        while True:
            try:
                connection = self._listener.accept()[0]
            except OSError:
                return
            self._connections.append(connection.dup())  # TLS takes the other one over
            self._threads.append(threading.Thread(target=self._serve, args=(connection,), daemon=True))
            self._threads[-1].start()

    def _serve(self, connection: socket.socket) -> None:
        try:
            with (self._tls.wrap_socket(connection, server_side=True) if self._tls else connection) as stream:
                self.read(stream)
        except OSError:
            pass  # cut off, by us or by rsyslogd

    def read(self, stream: socket.socket) -> None:
        rest = b""
        while data := stream.recv(65536):
            *lines, rest = (rest + data).split(b"\n")
            for line in filter(None, lines):
                self.take(line)

    def take(self, line: bytes) -> None:
        self.events.append(json.loads(line))
        self.own += 1

    def leave(self) -> None:
        """Stop as a well-behaved collector does: no new connections, say so on the old ones, and read them to the end."""
        self._close_listener()
        self._end_connections(socket.SHUT_WR)
        self.crash()

    def crash(self) -> None:
        """Cut everything off."""
        self._close_listener()
        self._end_connections(socket.SHUT_RDWR)
        while self._connections:
            self._connections.pop().close()

    def _end_connections(self, how: int) -> None:
        """Below TLS, whose own way to end a connection rsyslog does not look for."""
        for connection in self._connections:
            try:
                connection.shutdown(how)
            except OSError:
                pass  # the other side was first
        for thread in self._threads:
            thread.join(60)
            if thread.is_alive():
                raise AssertionError(f"a connection of the collector {self.address} does not end")

    def _close_listener(self) -> None:
        if self._listener.fileno() >= 0:
            self._listener.shutdown(socket.SHUT_RDWR)  # close() alone does not wake accept()
            self._threads[0].join(10)
            self._listener.close()


class Elasticsearch(Collector):
    """Takes bulk requests; those that it has not read to the end it has not taken."""

    def __init__(self, address: str, port: int, events: list[dict], pair: Optional[Pair] = None) -> None:
        self.indices: set[str] = set()
        self.logins: set[bytes] = set()
        super().__init__(address, port, events, pair)

    def read(self, stream: socket.socket) -> None:
        file = stream.makefile("rb")
        while request := file.readline():
            size = 0
            while header := file.readline().strip():
                if header.lower().startswith(b"content-length:"):
                    size = int(header.partition(b":")[2])
                if header.lower().startswith(b"authorization:"):
                    self.logins.add(header.split()[-1])
            body = file.read(size)
            if len(body) < size:
                return
            answer: Any = {"status": "green"}
            if b"/_bulk" in request:
                answer = {"took": 1, "errors": False, "items": self._take_bulk(body)}
            text = json.dumps(answer).encode()
            stream.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s"
                           % (len(text), text))

    def _take_bulk(self, body: bytes) -> list[dict]:
        """An action, its document, and so on; Elasticsearch skips empty lines, too."""
        lines = list(filter(None, body.split(b"\n")))
        for action, document in zip(lines[::2], lines[1::2], strict=True):
            self.indices.add(json.loads(action)["index"]["_index"])
            self.take(document)
        return [{"index": {"status": 201}}] * (len(lines) // 2)
