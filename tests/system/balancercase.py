"""What the tests of galera-haproxy stand on: a real HAProxy and a real etcd, and nodes that cost nothing.

A fake node answers checks with a code that the test chooses, and every session with its own address; where it matters how a
server behaves the tests take real ones (test_haproxy_cluster.py)."""
from __future__ import annotations

import contextlib
import json
import selectors
import socket
import threading
from pathlib import Path
from typing import Any, Callable, Iterator, Mapping

from registrycase import PREFIX, LabError, Program, RegistryCase, binary, wait_until

from galeralab import host
from galeralab.haproxy import ANY, ANY_PORT, READERS, READERS_PORT, WRITER, WRITER_PORT, HAProxy

__all__ = ["ANY", "ANY_PORT", "Balancer", "BalancerCase", "FakeNode", "FakeNodes", "PREFIX", "READERS", "READERS_PORT",
           "WRITER", "WRITER_PORT", "alive", "host", "wait_until"]

MAIN = """global
    stats socket {admin} mode 600 level admin
    log stdout format raw local0
    maxconn 4000
defaults
    mode http
    option httplog
    timeout connect 5s
    timeout client 50s
    timeout server 50s
"""
CHECK = "inter 200ms fastinter 100ms downinter 200ms rise 2 fall 2"  # faster than in life
FREE = "255.255.255.255"


class FakeNode:
    """A node's answers; the listeners are served by FakeNodes."""

    def __init__(self, ip: str, port: int, check_port: int) -> None:
        self.ip, self.port, self.check_port = ip, port, check_port
        self.code = 200
        self.silent = False  # takes checks and does not answer
        self.word = "up ready 100%"  # what its agent says
        self.agent_asked = 0
        self.listeners: list[socket.socket] = []
        self.sessions: set[socket.socket] = set()
        self.asked: list[str] = []  # what checks asked for

    @property
    def address(self) -> str:
        return f"{self.ip}:{self.port}"


class FakeNodes:
    """One thread that is all fake nodes of a class."""

    def __init__(self) -> None:
        self._selector = selectors.DefaultSelector()
        self._nodes: dict[str, FakeNode] = {}
        self._lock = threading.RLock()
        self._wake, self._woken = socket.socketpair()
        self._selector.register(self._woken, selectors.EVENT_READ, lambda _: self._woken.recv(100))
        self._ended = False
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def up(self, ip: str, port: int = 3306, check_port: int = 9200, agent_port: int = 0) -> FakeNode:
        node = FakeNode(ip, port, check_port)
        services = [(port, self._session), (check_port, self._check)]
        with self._lock:
            for number, accept in services + ([(agent_port, self._agent)] if agent_port else []):
                listener = socket.socket()
                listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                listener.bind((ip, number))
                listener.listen(1024)
                listener.setblocking(False)
                node.listeners.append(listener)
                self._selector.register(listener, selectors.EVENT_READ,
                                        lambda at, node=node, accept=accept: self._accept(at, node, accept))
            self._nodes[node.address] = node
        self._wake.send(b"x")
        return node

    def down(self, node: FakeNode) -> None:
        """As kill -9 of everything on the host."""
        with self._lock:
            for open_socket in [*node.listeners, *node.sessions]:
                self._forget(open_socket)
            node.listeners.clear()
            node.sessions.clear()
            self._nodes.pop(node.address, None)

    @contextlib.contextmanager
    def busy(self) -> Iterator[None]:
        """No node takes or answers anything, as on a host that has no processor to spare; what comes waits in the backlog."""
        with self._lock:
            yield

    def all_down(self) -> None:
        for node in list(self._nodes.values()):
            self.down(node)

    def close(self) -> None:
        self._ended = True
        self._wake.send(b"x")
        self._thread.join(5)
        self.all_down()

    def _forget(self, open_socket: socket.socket) -> None:
        try:
            self._selector.unregister(open_socket)
        except (KeyError, ValueError):
            pass
        open_socket.close()

    def _run(self) -> None:
        while not self._ended:
            for key, _ in self._selector.select(1):
                with self._lock:
                    try:
                        key.data(key.fileobj)
                    except OSError:
                        self._forget(key.fileobj)

    def _accept(self, listener: socket.socket, node: FakeNode,
                accept: Callable[[socket.socket, FakeNode], None]) -> None:
        """The listener outlives whatever becomes of a connection: HAProxy cuts those of a server that it has just marked down,
        and on a busy host that is before we have taken them."""
        if listener.fileno() < 0:
            return
        try:
            connection, _ = listener.accept()
        except OSError:
            return
        try:
            connection.setblocking(False)
            accept(connection, node)
        except OSError:
            self._forget(connection)

    def _session(self, connection: socket.socket, node: FakeNode) -> None:
        connection.send(node.address.encode() + b"\n")
        node.sessions.add(connection)
        self._selector.register(connection, selectors.EVENT_READ, lambda at: self._talk(at, node))

    def _talk(self, connection: socket.socket, node: FakeNode) -> None:
        data = connection.recv(4096)
        if data:
            connection.send(data)
        else:
            node.sessions.discard(connection)
            self._forget(connection)

    def _agent(self, connection: socket.socket, node: FakeNode) -> None:
        node.agent_asked += 1
        connection.send(node.word.encode() + b"\n")
        connection.close()

    def _check(self, connection: socket.socket, node: FakeNode) -> None:
        self._selector.register(connection, selectors.EVENT_READ, lambda at: self._answer(at, node))

    def _answer(self, connection: socket.socket, node: FakeNode) -> None:
        request = connection.recv(4096).decode("latin-1")
        node.asked.append(request.split("\r\n")[0])
        if node.silent and request:
            return
        reason = {200: "synced", 404: "draining"}.get(node.code, "desynced")
        connection.send(f"HTTP/1.1 {node.code} X\r\nX-Galera-Reason: {reason}\r\nConnection: close\r\n"
                        "Content-Length: 0\r\n\r\n".encode())
        self._forget(connection)


class Balancer:
    """A HAProxy at an address, and the galera-haproxy beside it."""

    def __init__(self, case: "BalancerCase", name: str, ip: str, settings: Mapping[str, object]) -> None:
        self.case, self.name, self.ip = case, name, ip
        self.home = case.home / name
        self.home.mkdir(exist_ok=True)
        self.haproxy = HAProxy(self.home, ip)
        self.main, self.config = self.home / "main.cfg", Path(str(settings.get("config", self.home / "galera.cfg")))
        for left in (self.config, self.home / "galera.cfg.bak"):
            left.unlink(missing_ok=True)
        self.main.write_text(MAIN.format(admin=self.haproxy.admin))
        self.settings: dict[str, object] = {
            "config": self.config, "main_config": self.main, "socket": self.haproxy.admin, "bind": f"{ip}:{ANY_PORT}",
            "writer_bind": f"{ip}:{WRITER_PORT}", "check": CHECK, "grace": "2s", "writer_grace": "200ms",
            "haproxy": host.tool("haproxy"), **settings}
        self.program: Program
        self.verbosity = "-v"
        self.pid = 0

    # -- life

    def start(self, env: Mapping[str, str] = {}) -> Program:
        self.program = self.case.start("galera-haproxy", self.verbosity, settings={"haproxy": self.settings}, env=env)
        return self.program

    def start_haproxy(self) -> None:
        """HAProxy with what is in the file, as systemd would start it."""
        self.program.until(self.config.exists, 60, f"{self.config} to be written")
        self.haproxy.process.start([host.tool("haproxy"), "-db", "-f", str(self.main), "-f", str(self.config)])
        self.pid = int(self.haproxy.process.wait_ready(lambda: self.haproxy.admin.exists() and self.info().get("Pid"), 60))

    def up(self) -> "Balancer":
        self.start()
        self.start_haproxy()
        return self

    def down(self) -> None:
        if hasattr(self, "program"):
            self.program.kill()
        self.haproxy.kill()

    # -- HAProxy as the test sees it

    def info(self) -> dict[str, str]:
        try:
            return dict(line.split(": ", 1) for line in self.haproxy.command("show info").splitlines() if ": " in line)
        except OSError:
            return {}

    def servers(self, backend: str = ANY) -> dict[str, dict[str, str]]:
        """address -> row, of the slots that are not free."""
        return {row["addr"]: row for row in self.haproxy.stat()
                if row["pxname"] == backend and row["svname"].startswith("s") and not row["addr"].startswith(FREE)}

    def states(self, backend: str = ANY) -> dict[str, str]:
        return {address: row["status"] for address, row in self.servers(backend).items()}

    def wait_states(self, expected: Mapping[FakeNode | str, str], backend: str = ANY, timeout: float = 60) -> None:
        """Exactly these servers in these states."""
        wanted = {node if isinstance(node, str) else node.address: state for node, state in expected.items()}
        self.program.until(lambda: self.states(backend) == wanted, timeout,
                           lambda: f"{self.name} to have {wanted} in {backend}, which it has as {self.states(backend)}")

    def wait_up(self, *nodes: FakeNode, backend: str = ANY, timeout: float = 60) -> None:
        self.wait_states({node: "UP" for node in nodes}, backend, timeout)

    def wait_up_addresses(self, *addresses: str, backend: str = ANY, timeout: float = 60) -> None:
        self.wait_states({address: "UP" for address in addresses}, backend, timeout)

    def connect(self, port: int = ANY_PORT) -> tuple[str, socket.socket]:
        """A new session: the node that answers, "" when nobody does, and the session."""
        connection = socket.create_connection((self.ip, port), 20)
        self.case.addCleanup(connection.close)
        connection.settimeout(20)
        try:
            return connection.recv(100).decode().strip(), connection
        except OSError:
            return "", connection

    def served(self, port: int = ANY_PORT, count: int = 8) -> set[str]:
        answers = set()
        for _ in range(count):
            answer, connection = self.connect(port)
            connection.close()
            answers.add(answer)
        return answers

    def writer(self) -> str:
        """Where the writer's listener leads, "" when that is nowhere."""
        answer, connection = self.connect(WRITER_PORT)
        connection.close()
        return answer

    def file_servers(self, backend: str = ANY) -> list[str]:
        """The addresses in a section of the file, in their order, free slots left out."""
        section, found = "", []
        for line in self.config.read_text().splitlines():
            words = line.split()
            if words[:1] == ["listen"]:
                section = words[1]
            elif words[:1] == ["server"] and section == backend and not words[2].startswith(FREE):
                found.append(words[2])
        return found

    def status(self) -> Any:
        """--status --format json; None when it prints none."""
        done = self.case.run_program("galera-haproxy", "--status", "--format", "json",
                                     settings={"haproxy": self.settings})
        return json.loads(done.out) if done.out else None


def alive(connection: socket.socket) -> bool:
    """Whether a session still gets its echo."""
    try:
        connection.send(b"ping")
        return connection.recv(100) == b"ping"
    except OSError:
        return False


class BalancerCase(RegistryCase):
    """Tests with fake nodes, whose HAProxy must be one process from start to end."""

    SETTINGS: dict[str, object] = {}
    nodes: FakeNodes

    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        cls.nodes = FakeNodes()
        cls.addClassCleanup(cls.nodes.close)

    def setUp(self) -> None:
        super().setUp()
        self.addCleanup(self.nodes.all_down)

    def balancer(self, name: str = "lb", number: int = 100, **settings: object) -> Balancer:
        balancer = Balancer(self, name, f"{self.lab.net}.{number}", {**self.SETTINGS, **settings})
        self.addCleanup(balancer.down)
        return balancer

    def running(self, name: str = "lb", number: int = 100, **settings: object) -> Balancer:
        """A balancer that runs; at the end of the test its HAProxy must be the process that it was."""
        balancer = self.balancer(name, number, **settings).up()
        self.addCleanup(self.expect_one_process, balancer)
        return balancer

    def expect_one_process(self, balancer: Balancer) -> None:
        pid = wait_until(lambda: balancer.info().get("Pid"), 60, "HAProxy to answer")
        self.assertEqual(int(pid), balancer.pid, "HAProxy is not the process that it was")

    def node(self, number: int, id: str = "", code: int = 200) -> FakeNode:
        """A fake node at NET.number, registered unless the id is empty."""
        node = self.nodes.up(f"{self.lab.net}.{number}")
        node.code = code
        if id:
            self.enter(id, node)
        return node

    def enter(self, id: str, node: FakeNode, **more: str) -> None:
        """Register without a lease, as by hand: what is gone then was removed."""
        self.put_entry(id, port=str(node.port), check_port=str(node.check_port), state="synced", ip=node.ip, **more)

    def leave(self, id: str) -> None:
        self.delete(f"{PREFIX}/{id}/", prefix=True)

    def kept(self, id: str, node: FakeNode, ttl: int = 6) -> Callable[[], None]:
        """Register under a short lease, which is renewed until the function that is returned is called."""
        lease, ended = self.leased(id, node, ttl), threading.Event()

        def renew() -> None:
            while not ended.wait(0.5):
                with contextlib.suppress(LabError):
                    self.post("/v3/lease/keepalive", {"ID": str(lease)})

        def let_go() -> None:
            ended.set()
            thread.join()

        thread = threading.Thread(target=renew, daemon=True)
        thread.start()
        self.addCleanup(let_go)
        return let_go

    def leased(self, id: str, node: FakeNode, ttl: int) -> int:
        """Register under a lease that nobody renews; its number."""
        lease = int(self.post("/v3/lease/grant", {"TTL": str(ttl)})["ID"])
        for field, value in (("port", node.port), ("check_port", node.check_port), ("ip", node.ip)):
            self.put(f"{PREFIX}/{id}/{field}", str(value), lease)
        return lease
