"""The whole system: nodes under galera-init that register themselves, and a HAProxy that galera-haproxy keeps equal to them."""
from __future__ import annotations

from . import host
from .cluster import Lab
from .haproxy import ANY, ANY_PORT, WRITER_PORT
from .managed import InitOptions, Managed
from .mariadb import NodeOptions
from .process import Process
from .wait import wait_until

MAIN = """global
    stats socket {admin} mode 600 level admin
    log stdout format raw local0
defaults
    timeout connect 5s
    timeout client 8h
    timeout server 8h
"""
TTL = "3s"


class Whole:
    """What stands around the nodes of `lab`."""

    def __init__(self, lab: Lab, writer_overlap: str = "0s") -> None:
        self.lab, self.haproxy, self.writer_overlap = lab, lab.haproxy, writer_overlap
        self.main, self.owned = self.haproxy.home / "main.cfg", self.haproxy.home / "galera.cfg"
        self.balancer = Process(self.haproxy.home, "galera-haproxy")

    def register(self, node: Managed) -> Process:
        """galera-register on this node's host."""
        return Process(node.home, "galera-register")

    # -- up

    def up(self, size: int = 3, server: NodeOptions = NodeOptions(sst="rsync")) -> None:
        """Empty hosts become a cluster in service."""
        options = InitOptions(size, server, init={"drain": "5s"})
        nodes = self.lab.prepare(size, options)
        self._configure_balancer()
        self.balancer.start([str(host.program("galera-haproxy")), "-v", "-c", str(self.haproxy.home / "clustercheck.conf")])
        wait_until(self.owned.exists, 20, f"{self.owned} to be written")
        self.haproxy.process.start([host.tool("haproxy"), "-db", "-f", str(self.main), "-f", str(self.owned)])
        for node in nodes:
            self.start(node)
        for node in nodes:
            self.wait_in_service(node)

    def add(self, number: int, size: int) -> Managed:
        """A further node, on an empty host."""
        node = self.lab._managed(number)
        node.configure(InitOptions(size, init={"drain": "5s"}))
        self.start(node)
        return node

    def start(self, node: Managed) -> None:
        """What the units of a node's host start."""
        number = int(node.name[1:])
        self._complete(node)
        xinetd = self.lab.xinetd(number)
        if not xinetd.process.alive():
            xinetd.configure(node.checker)
            xinetd.start()
        node.launch()
        self.register(node).start([str(host.program("galera-register")), "-c", str(node.conf)])

    def _complete(self, node: Managed) -> None:
        """The sections of the other programs of this host."""
        text = node.conf.read_text()
        if "[register]" not in text:
            node.conf.write_text(f"{text}\n[register]\nid = {node.name}\nip = {node.address}\nttl = {TTL}\n"
                                 f"host = {node.name}\ncheck_interval = 250ms\nwhen = synced\nup_after = 0s\n")

    def _configure_balancer(self) -> None:
        home, address = self.haproxy.home, self.haproxy.address
        home.mkdir(exist_ok=True)
        self.owned.unlink(missing_ok=True)
        self.main.write_text(MAIN.format(admin=self.haproxy.admin))
        (home / "clustercheck.conf").write_text(
            f"[etcd]\nendpoints = {','.join(self.lab.etcd.endpoints)}\n[haproxy]\nconfig = {self.owned}\n"
            f"main_config = {self.main}\nsocket = {self.haproxy.admin}\nbind = {address}:{ANY_PORT}\n"
            f"writer_bind = {address}:{WRITER_PORT}\nhaproxy = {host.tool('haproxy')}\ngrace = 5s\n"
            f"writer_overlap = {self.writer_overlap}\n"
            "check = inter 500ms fastinter 200ms downinter 500ms rise 2 fall 2\n")

    # -- what happens to a host

    def kill(self, node: Managed) -> None:
        """The host loses its power."""
        node.kill()
        self.register(node).kill()

    def stop(self, node: Managed) -> None:
        """The node's unit is stopped; galera-register's goes with it."""
        register = self.register(node)
        if register.alive():
            register.stop()
        node.stop()

    # -- as seen from HAProxy

    def status(self, node: Managed, backend: str = ANY) -> str:
        for row in self.haproxy.stat():
            if row["pxname"] == backend and row["addr"] == f"{node.address}:3306":
                return row["status"]
        return "-"

    def wait_in_service(self, node: Managed, timeout: float = 90) -> None:
        wait_until(lambda: self.status(node).startswith("UP"), timeout, f"{node.name} to be in service")

