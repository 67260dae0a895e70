"""Hosts with a network of their own, which can be cut: a namespace for each node, on a bridge that etcd is on as well.

Needs root and the kernel's bridges and namespaces.  Everything else of a lab is on loopback addresses, which cannot be
told apart once a connection is open."""
from __future__ import annotations

import subprocess
from typing import Iterable

from . import host
from .cluster import Lab
from .etcd import EtcdOptions
from .managed import InitOptions, Managed
from .wait import LabError


def ip(*arguments: str) -> None:
    done = subprocess.run([host.tool("ip"), *arguments], capture_output=True, text=True, check=False)
    if done.returncode:
        raise LabError(f"ip {' '.join(arguments)}: {done.stderr.strip()}")


class Network:
    """A bridge 10.A.B.254 with one namespace 10.A.B.N for each node N, for the lab on 127.A.B."""

    def __init__(self, net: str) -> None:
        a, b = net.split(".")[1:]
        self.prefix, self.name = f"10.{a}.{b}", f"lab{a}-{b}"
        self.gateway = f"{self.prefix}.254"

    def address(self, number: int) -> str:
        return f"{self.prefix}.{number}"

    def namespace(self, number: int) -> str:
        return f"{self.name}n{number}"

    def up(self, numbers: Iterable[int]) -> None:
        self.down()
        ip("link", "add", self.name, "type", "bridge")
        ip("addr", "add", f"{self.gateway}/24", "dev", self.name)
        ip("link", "set", self.name, "up")
        for number in numbers:
            space = self.namespace(number)
            ip("netns", "add", space)
            ip("link", "add", f"{space}o", "type", "veth", "peer", "name", "eth0", "netns", space)
            ip("link", "set", f"{space}o", "master", self.name, "up")
            ip("-n", space, "addr", "add", f"{self.address(number)}/24", "dev", "eth0")
            ip("-n", space, "link", "set", "lo", "up")
            ip("-n", space, "link", "set", "eth0", "up")

    def down(self) -> None:
        """Also what an earlier run has left."""
        listed = subprocess.run([host.tool("ip"), "netns", "list"], capture_output=True, text=True, check=False).stdout
        for line in listed.splitlines():
            if line.split()[0].startswith(f"{self.name}n"):
                ip("netns", "del", line.split()[0])
        if subprocess.run([host.tool("ip"), "link", "show", self.name], capture_output=True, check=False).returncode == 0:
            ip("link", "del", self.name)

    def cut(self, number: int) -> None:
        """Pull the plug of a node: neither the others nor etcd are reached, and nobody is told."""
        ip("link", "set", f"{self.namespace(number)}o", "down")

    def part(self, number: int, others: Iterable[int]) -> None:
        """What this node sends to these others is lost; etcd is still reached."""
        for other in others:
            ip("-n", self.namespace(number), "route", "add", "blackhole", f"{self.address(other)}/32")

    def mend(self, numbers: Iterable[int]) -> None:
        for number in numbers:
            ip("link", "set", f"{self.namespace(number)}o", "up")
            ip("-n", self.namespace(number), "route", "flush", "type", "blackhole")


class NamespaceLab(Lab):
    """A lab whose managed nodes are in namespaces."""

    def __init__(self) -> None:
        super().__init__()
        self.network = Network(self.net)

    def address(self, number: int) -> str:
        return self.network.address(number)

    def _managed(self, number: int) -> Managed:
        node = Managed(self.directory / f"n{number}", self.address(number), self.cluster,
                       [f"http://{self.network.gateway}:2379"])
        node.prefix = [host.tool("ip"), "netns", "exec", self.network.namespace(number)]
        return node

    def prepare(self, size: int = 3, options: InitOptions = InitOptions(), etcd_members: int = 1) -> list[Managed]:
        self._sweep_hosts()
        self.network.up(range(1, size + 1))
        host.make_state_dir(self.net)
        urls = f"http://{self.net}.201:2379,http://{self.network.gateway}:2379"
        self.etcd.up(1, EtcdOptions(arguments=["--listen-client-urls", urls, "--advertise-client-urls", urls]))
        nodes = [self._managed(i) for i in range(1, size + 1)]
        for node in nodes:
            node.configure(options)
        return nodes

    def down(self) -> None:
        super().down()
        self.network.down()
