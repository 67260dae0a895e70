"""TCP forwarders in the test's own process: another way to a server, and a network that can be cut."""
from __future__ import annotations

import re
import socket
import threading
import time

from galeralab.wait import LabError

PEER_PORT = 2381  # where the members of etcd reach each other when the network between them can be cut


def own_address() -> str:
    """This host's address on the way to elsewhere; nothing is sent."""
    for family, elsewhere in ((socket.AF_INET, "192.0.2.1"), (socket.AF_INET6, "2001:db8::1")):
        with socket.socket(family, socket.SOCK_DGRAM) as probe:
            try:
                probe.connect((elsewhere, 9))
                return probe.getsockname()[0]
            except OSError:
                continue
    raise LabError("this host has no address but loopback: give it one to run these tests")


class Forwarder:
    """Connections to one address go on to another, until they are cut; what comes back takes `delay` seconds longer."""

    def __init__(self, listen: tuple[str, int], target: tuple[str, int], delay: float = 0) -> None:
        self.delay = delay
        family = socket.AF_INET6 if ":" in listen[0] else socket.AF_INET
        self.target, self.server = target, socket.create_server(listen, family=family, backlog=64)
        self.address, self.port = self.server.getsockname()[:2]
        self._pairs: set[tuple[socket.socket, socket.socket, str]] = set()
        self._lock, self._cut = threading.Lock(), set()
        self._held, self._released, self.holding = b"", threading.Event(), threading.Event()
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://[{self.address}]:{self.port}" if ":" in self.address else f"http://{self.address}:{self.port}"

    def __enter__(self) -> "Forwarder":
        return self

    def __exit__(self, *_exception: object) -> None:
        self.server.shutdown(socket.SHUT_RDWR)
        self.server.close()
        self.cut()

    def cut(self, *senders: str) -> None:
        """End the connections of these senders and let them have no more; of everybody when none is named."""
        with self._lock:
            self._cut = set(senders) or {""}
            for client, server, sender in self._pairs:
                if self._is_cut(sender):
                    for end in (client, server):
                        _shut(end)

    def mend(self) -> None:
        with self._lock:
            self._cut = set()

    def hold(self, words: bytes) -> None:
        """Let the next request whose head has these words wait; `holding` is set when it has come."""
        self._released.clear()
        self.holding.clear()
        self._held = words

    def release(self) -> None:
        self._held = b""
        self._released.set()

    def _is_cut(self, sender: str) -> bool:
        return "" in self._cut or sender in self._cut

    def _accept(self) -> None:
        while True:
            try:
                client = self.server.accept()[0]
            except OSError:
                return
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        """etcd names the sender in the head of every request to a peer, and a connection has one sender."""
        with client:
            try:
                head = client.recv(65536)
                if self._held and self._held in head:
                    self.holding.set()
                    self._released.wait(30)
                found = re.search(rb"(?im)^X-Server-From: (\w+)", head)
                sender = found[1].decode() if found else ""
                with socket.create_connection(self.target, 5) as server:
                    server.settimeout(None)
                    self._join(client, server, sender, head)
            except OSError:
                pass

    def _join(self, client: socket.socket, server: socket.socket, sender: str, head: bytes) -> None:
        pair = (client, server, sender)
        with self._lock:
            if self._is_cut(sender):
                return
            self._pairs.add(pair)
        try:
            server.sendall(head)
            back = threading.Thread(target=_pump, args=(server, client, self.delay), daemon=True)
            back.start()
            _pump(client, server)
            back.join()
        finally:
            with self._lock:
                self._pairs.discard(pair)


def _shut(end: socket.socket) -> None:
    try:
        end.shutdown(socket.SHUT_RDWR)
    except OSError:
        pass


def _pump(source: socket.socket, target: socket.socket, delay: float = 0) -> None:
    try:
        while data := source.recv(65536):
            time.sleep(delay)
            target.sendall(data)
    except OSError:
        pass
    _shut(target)
    _shut(source)


class PeerNetwork:
    """The network between the members of an etcd that was started with advertised_peer_port = PEER_PORT."""

    def __init__(self, addresses: list[str]) -> None:
        self.ways = [Forwarder((address, PEER_PORT), (address, 2380)) for address in addresses]

    def close(self) -> None:
        for way in self.ways:
            way.__exit__()

    def isolate(self, number: int, identity: str) -> None:
        """Cut a member (its number, and its id in hexadecimal) off from the others; clients still reach it."""
        for index, way in enumerate(self.ways, 1):
            way.cut() if index == number else way.cut(identity)

    def mend(self) -> None:
        for way in self.ways:
            way.mend()
