"""Servers that are none: what may listen on the server's port when things go wrong, and stand-ins for MySQL and PXC."""
from __future__ import annotations

import contextlib
import re
import socket
import struct
import threading
from typing import Callable, Mapping

Handler = Callable[[socket.socket, threading.Event], None]


class FakeServer:
    """Listens on NET.60, or another address; every connection is given to `handler` in a thread of its own."""

    def __init__(self, net: str, handler: Handler, address: str = "") -> None:
        self.address, self._handler, self._end = address or f"{net}.60", handler, threading.Event()
        family = socket.AF_INET6 if ":" in self.address else socket.AF_INET
        self._listener = socket.create_server((self.address, 0), family=family)
        self.port = self._listener.getsockname()[1]
        self.connections = 0
        self._threads = [threading.Thread(target=self._accept, daemon=True)]

    def __enter__(self) -> "FakeServer":
        self._threads[0].start()
        return self

    def __exit__(self, *_exception) -> None:
        self._end.set()
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for thread in self._threads:
            thread.join(10)

    def _accept(self) -> None:
        while not self._end.is_set():
            try:
                connection = self._listener.accept()[0]
            except OSError:
                return
            self.connections += 1
            self._threads.append(threading.Thread(target=self._serve, args=[connection], daemon=True))
            self._threads[-1].start()

    def _serve(self, connection: socket.socket) -> None:
        with connection:
            connection.settimeout(30)
            try:
                self._handler(connection, self._end)
            except OSError:
                pass  # the client has had enough


def saying(text: bytes, then_close: bool = True) -> Handler:
    """Says something at once and closes, or waits for the client to go."""
    def handle(connection: socket.socket, _end: threading.Event) -> None:
        connection.sendall(text)
        while not then_close and connection.recv(4096):
            pass
    return handle


def dripping(text: bytes, pause: float) -> Handler:
    """Says one byte at a time, for ever: no single read takes long, and nothing is ever complete."""
    def handle(connection: socket.socket, end: threading.Event) -> None:
        while True:
            for byte in text:
                connection.sendall(bytes([byte]))
                if end.wait(pause):
                    return
    return handle


def relay(target: tuple[str, int]) -> Handler:
    """Passes everything on to another address."""
    def copy(source: socket.socket, sink: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                sink.sendall(data)
        with contextlib.suppress(OSError):
            sink.shutdown(socket.SHUT_WR)

    def handle(connection: socket.socket, _end: threading.Event) -> None:
        with socket.create_connection(target, 10) as server:
            back = threading.Thread(target=copy, args=[server, connection], daemon=True)
            back.start()
            copy(connection, server)
            back.join(10)
    return handle


# -- the protocol of MySQL, as far as a check needs it ("Client/Server Protocol": HandshakeV10, OK_Packet, ERR_Packet,
# Text Resultset)

_CAPABILITIES = 0x000A_A20D  # protocol 4.1, plain authentication by plugin, several statements and results
_AUTOCOMMIT, _MORE_RESULTS = 0x0002, 0x0008


def packet(number: int, payload: bytes) -> bytes:
    return struct.pack("<I", len(payload))[:3] + bytes([number]) + payload


def greeting(version: str) -> bytes:
    low, high = _CAPABILITIES & 0xFFFF, _CAPABILITIES >> 16
    return packet(0, b"\x0a" + version.encode() + b"\0" + struct.pack("<I", 7) + b"abcdefgh\0"
                  + struct.pack("<HBHHB", low, 45, _AUTOCOMMIT, high, 21) + bytes(10) + b"ijklmnopqrst\0"
                  + b"mysql_native_password\0")


def _text(value: str) -> bytes:
    return bytes([len(value)]) + value.encode()


def _ok(more: bool) -> bytes:
    return b"\0\0\0" + struct.pack("<HH", _AUTOCOMMIT | (_MORE_RESULTS if more else 0), 0)


def _rows(facts: Mapping[str, str], more: bool) -> list[bytes]:
    end = b"\xfe" + struct.pack("<HH", 0, _AUTOCOMMIT | (_MORE_RESULTS if more else 0))
    columns = [_text("def") + _text("") * 3 + _text(name) * 2 + b"\x0c" + struct.pack("<HIBHB", 45, 256, 253, 0, 0)
               + bytes(2) for name in ("Variable_name", "Value")]
    return [b"\x02", *columns, end, *(_text(name) + _text(value) for name, value in facts.items()), end]


def answering(version: str, facts: Mapping[str, str], unknown: bytes = b"@@GLOBAL") -> Handler:
    """A server that lets everybody in, knows these facts, and has no variable whose name contains `unknown`."""
    def replies(statements: list[bytes]) -> list[bytes]:
        packets: list[bytes] = []
        for i, statement in enumerate(statements):
            more = i + 1 < len(statements)
            if unknown in statement:
                return [*packets, b"\xff" + struct.pack("<H", 1193) + b"#HY000Unknown system variable"]
            if statement.startswith(b"SET"):
                packets.append(_ok(more))
                continue
            wanted = {name.decode() for name in re.findall(rb"'(\w+)'", statement)}
            is_status = statement.startswith(b"SHOW STATUS")
            packets += _rows({name: value for name, value in facts.items()
                              if name in wanted and (is_status or "GLOBAL" in statement.decode())}, more)
        return packets

    def handle(connection: socket.socket, _end: threading.Event) -> None:
        connection.sendall(greeting(version))
        connection.recv(65536)
        connection.sendall(packet(2, _ok(False)))
        while (command := connection.recv(65536)) and command[4] == 3:
            statements = [part.strip() for part in command[5:].split(b";") if part.strip()]
            connection.sendall(b"".join(packet(i + 1, payload) for i, payload in enumerate(replies(statements))))
    return handle
