"""The lab as a whole: which hosts there are, and bringing them up, down and back to health."""
from __future__ import annotations

import os
import re
import shutil
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Mapping, Optional

from . import host
from .checker import Checker, Settings, Xinetd
from .client import Account
from .etcd import Etcd, EtcdOptions
from .haproxy import ANY, ANY_PORT, WRITER, WRITER_PORT, HAProxy
from .keys import Keys
from .managed import InitOptions, Managed
from .mariadb import APP_PASSWORD, Node, NodeOptions, Server
from .probe import Answer, http_probe
from .process import sweep
from .wait import LabError, LabTimeout, wait_until

DEFAULT_NET = "127.0.1"
_SERVER_PORTS, _PLAIN = (3306, 4567, 4568, 4444, 9200), 50


@dataclass
class NodeView:
    """One line of `lab status`."""

    name: str
    process: str
    wsrep: dict[str, str]
    check: Answer
    haproxy: str


class Lab:
    """The lab on one network.  An object holds no state: any process sees the same lab on the same network."""

    def __init__(self, net: Optional[str] = None) -> None:
        self.net = host.check_net(net or os.environ.get("LAB_NET") or DEFAULT_NET)
        self.cluster = f"lab-{self.net}"

    @property
    def directory(self) -> Path:
        return host.state_dir(self.net)

    # -- the hosts

    def numbers(self) -> list[int]:
        names = [entry.name for entry in self.directory.glob("n*")]
        return sorted(int(name[1:]) for name in names if re.fullmatch(r"n\d+", name))

    def address(self, number: int) -> str:
        return f"{self.net}.{number}"

    def node(self, number: int) -> Node:
        if number not in self.numbers():
            raise LabError(f"there is no node {number} in the lab on {self.net}")
        return self._node(number, self.numbers())

    def _node(self, number: int, members: list[int]) -> Node:
        if Managed.is_at(self.directory / f"n{number}"):
            return self._managed(number)
        return Node(self.directory / f"n{number}", self.address(number), [self.address(i) for i in members],
                    self.cluster)

    @property
    def nodes(self) -> list[Node]:
        return [self.node(number) for number in self.numbers()]

    def _managed(self, number: int) -> Managed:
        return Managed(self.directory / f"n{number}", self.address(number), self.cluster, self.etcd.endpoints)

    def managed(self, number: int) -> Managed:
        """A node that galera-init is in charge of."""
        node = self.node(number)
        if not isinstance(node, Managed):
            raise LabError(f"node {number} of the lab on {self.net} runs without galera-init")
        return node

    def checker(self, number: int) -> Checker:
        return Checker(self.node(number))

    def xinetd(self, number: int) -> Xinetd:
        return xinetd_of(self.node(number))

    @property
    def haproxy(self) -> HAProxy:
        return HAProxy(self.directory / "haproxy", self.address(100))

    @property
    def etcd(self) -> Etcd:
        return Etcd(self.directory, self.net)

    def etcd_up(self, size: int = 1, **options) -> Etcd:
        host.make_state_dir(self.net)
        return self.etcd.up(size, EtcdOptions(**options))

    @property
    def keys(self) -> Keys:
        """What galera-init keeps in etcd."""
        return Keys(self.etcd, self.cluster)

    def app(self, port: int = ANY_PORT) -> Account:
        """The application's account, through HAProxy."""
        return Account("app", APP_PASSWORD, host=self.haproxy.address, port=port, database="app")

    # -- up and down

    def up(self, size: int = 3, options: NodeOptions = NodeOptions(), xinetd: bool = True, use_haproxy: bool = True,
           check: Settings = {}, service: Mapping[str, str] = {}) -> "Lab":
        """Bring up a cluster whose nodes are all Synced and, with xinetd and HAProxy, all UP.

        The first joins transfer by rsync, whatever method is configured for later ones: mariabackup's
        script sleeps for ten seconds in every transfer."""
        if any(node.process.alive() for node in self.nodes):
            raise LabError(f"a lab is already up on {self.net}: 'lab down' first, or choose another --net")
        self._sweep_hosts()
        numbers = list(range(1, size + 1))
        host.check_free((self.address(i), port) for i in numbers for port in _SERVER_PORTS)
        host.check_free((self.address(100), port) for port in (ANY_PORT, WRITER_PORT))
        host.make_state_dir(self.net)
        try:
            self._start_all([self._node(i, numbers) for i in numbers], options, xinetd, use_haproxy, check, service)
        except BaseException:
            self._sweep_hosts()
            raise
        return self

    def _start_all(self, nodes: list[Node], options: NodeOptions, xinetd: bool, use_haproxy: bool,
                   check: Settings, service: Mapping[str, str]) -> None:
        for node in nodes:
            node.configure(options)
            checker = Checker(node)
            checker.configure(check)
            if xinetd:
                xinetd_of(node).configure(checker, service)
                xinetd_of(node).start()
        if use_haproxy:
            self.haproxy.configure({node.name: node.address for node in nodes})
            self.haproxy.start()
        nodes[0].install()
        nodes[0].bootstrap()
        nodes[0].create_accounts()
        for node in nodes[1:]:
            node.join("--wsrep-sst-method=rsync")
            node.sql(f"SET GLOBAL wsrep_sst_method='{options.sst}'")
        if xinetd and use_haproxy:
            self.wait_haproxy()

    def prepare(self, size: int = 3, options: InitOptions = InitOptions(), etcd_members: int = 1) -> list[Managed]:
        """Empty hosts for galera-init, and a running etcd; nothing else is started."""
        if any(node.process.alive() for node in self.nodes):
            raise LabError(f"a lab is already up on {self.net}: 'lab down' first, or choose another --net")
        self._sweep_hosts()
        host.check_free((self.address(i), port) for i in range(1, size + 1) for port in _SERVER_PORTS)
        if not all(member.process.alive() for member in self.etcd.members) or not self.etcd.members:
            self.etcd_up(etcd_members)
        nodes = [self._managed(i) for i in range(1, size + 1)]
        for node in nodes:
            node.configure(options)
        return nodes

    def up_managed(self, size: int = 3, options: InitOptions = InitOptions(), xinetd: bool = True,
                   use_haproxy: bool = True) -> "Lab":
        """Bring up a cluster that galera-init boots, with etcd beside it."""
        nodes = self.prepare(size, options)
        try:
            for number, node in enumerate(nodes, 1):
                if xinetd:
                    self.xinetd(number).configure(node.checker)
                    self.xinetd(number).start()
                node.launch()
            if use_haproxy:
                host.check_free((self.address(100), port) for port in (ANY_PORT, WRITER_PORT))
                self.haproxy.configure({node.name: node.address for node in nodes})
                self.haproxy.start()
            for node in nodes:
                node.wait_ready()
            if xinetd and use_haproxy:
                self.wait_haproxy()
        except BaseException:
            self._sweep_hosts(keep_logs=True)
            raise
        return self

    def wait_haproxy(self, timeout: float = 60) -> None:
        """HAProxy sees every node UP."""
        for node in self.nodes:
            for backend in (ANY, WRITER):
                self.haproxy.wait_server(node.name, "UP", backend, timeout)

    def plain(self, options: NodeOptions = NodeOptions(), xinetd: bool = True) -> Server:
        """Start a server without wsrep on NET.50, with its check."""
        host.make_state_dir(self.net)
        server = Server(self.directory / "plain", self.address(_PLAIN))
        host.check_free([(server.address, port) for port in (3306, 9200)])
        server.configure(options)
        Checker(server).configure()
        if xinetd:
            xinetd_of(server).configure(Checker(server))
            xinetd_of(server).start()
        server.install()
        server.start()
        server.create_accounts()
        return server

    def remove_plain(self) -> None:
        self._end(self.directory / "plain")
        shutil.rmtree(self.directory / "plain", ignore_errors=True)

    def down(self) -> None:
        """End everything that runs on this network, crashed or not; logs and configurations stay."""
        self.etcd.down()
        self._sweep_hosts(keep_logs=True)
        sweep(str(self.directory))
        host.bring_home(self.net)

    def _sweep_hosts(self, keep_logs: bool = False) -> None:
        """End everything but etcd, and remove the data."""
        for home in [*self.directory.glob("n*"), self.directory / "plain", self.directory / "haproxy"]:
            self._end(home)
            for part in [home] if not keep_logs else [home / "data", home / "tmp"]:
                shutil.rmtree(part, ignore_errors=True)
            for left in [*home.glob("*.sock"), *home.glob("*.pid")]:
                left.unlink()

    @staticmethod
    def _end(home: Path) -> None:
        if home.exists():
            sweep(str(home))
            for record in home.glob("*.process"):
                record.unlink()

    # -- back to health

    def heal(self, timeout: float = 180) -> None:
        """Every node Synced again, whatever was done to them: thaw, reconnect, restart, re-bootstrap."""
        nodes = self.nodes
        for node in nodes:
            if node.process.frozen():
                node.thaw()
        for node in nodes:
            if node.status().get("wsrep_cluster_status") == "Primary":
                node.undo_settings()  # a desynced node would not count as usable below
        if all(node.usable() and node.status()["wsrep_cluster_size"] == str(len(nodes)) for node in nodes):
            for node in nodes:
                node.heal(timeout)
            return
        alive = [node for node in nodes if node.process.alive()]
        for node in alive:
            node.reconnect()
        try:
            # The survivors forget the dead first: a node that is back before that disturbs them for long.
            wait_until(lambda: any(node.usable() and node.status()["wsrep_cluster_size"] == str(len(alive))
                                   for node in alive), 20 if alive else 0, "a Primary Component of the living")
        except LabTimeout:
            self.restart_all()
        for node in nodes:
            node.heal(timeout)
        for node in nodes:
            node.wait_status("cluster_size", str(len(nodes)))

    def restart_all(self) -> None:
        """Kill every node and start the cluster again from the most advanced one."""
        nodes = self.nodes
        for node in nodes:
            node.kill()
            (node.data / "gvwstate.dat").unlink(missing_ok=True)
        first = max(nodes, key=lambda node: int(node.recover().rpartition(":")[2]))
        state = first.data / "grastate.dat"
        state.write_text(re.sub(r"(?m)^safe_to_bootstrap:.*", "safe_to_bootstrap: 1", state.read_text()))
        first.bootstrap()
        for node in nodes:
            if node.name != first.name:
                node.join()

    # -- at a glance

    def view(self) -> list[NodeView]:
        """How every node stands, asked in parallel, within seconds even if some of them hang."""
        rows: list[dict[str, str]] = []
        if self.haproxy.process.alive():
            rows = self.haproxy.stat(5)

        def look(node: Node) -> NodeView:
            seen = {row["pxname"]: row["status"] for row in rows
                    if row["svname"] == node.name or row["addr"] == f"{node.address}:3306"}
            return NodeView(node.name, node.process.state(), node.status(timeout=2),
                            http_probe(node.address, timeout=3),
                            " / ".join(seen.get(name, "-") for name in (ANY, WRITER)))

        nodes = self.nodes
        with ThreadPoolExecutor(max(1, len(nodes))) as pool:
            return list(pool.map(look, nodes))


def xinetd_of(server: Server) -> Xinetd:
    return Xinetd(server.home, server.address)
