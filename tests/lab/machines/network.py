"""A network of its own for machines: a namespace with a bridge in it, which ends with the process that holds it."""
from __future__ import annotations

import ctypes
import os
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Callable, TypeVar

from galeralab.wait import LabError, wait_until

T = TypeVar("T")


class Network:
    """10.0.0.0/24 by default, as in the guides; this side of it has the last address, NET.254."""

    def __init__(self, net: str = "10.0.0") -> None:
        self.net = net
        self._holder = subprocess.Popen(["unshare", "--net", "--kill-child", "--fork", "sleep", "infinity"],
                                        stdin=subprocess.DEVNULL)
        own = os.readlink("/proc/self/ns/net")
        wait_until(lambda: os.readlink(f"/proc/{self._holder.pid}/ns/net") != own, 10, "a network namespace")
        self.run(f"ip link set lo up; ip link add bridge type bridge; ip addr add {net}.254/24 dev bridge; "
                 "ip link set bridge up")

    @property
    def pid(self) -> int:
        return self._holder.pid

    def run(self, script: str, timeout: float = 30) -> str:
        """Run a shell script on this side of the network, with the files of this machine."""
        done = subprocess.run(["nsenter", "-t", str(self.pid), "-n", "sh", "-ec", script], capture_output=True, text=True,
                              timeout=timeout, check=False, stdin=subprocess.DEVNULL)
        if done.returncode:
            raise LabError(f"in the network: {script}: {done.stdout}{done.stderr}")
        return done.stdout

    def spawn(self, argv: list[str], log: Path) -> subprocess.Popen:
        """A program of this machine on this side of the network, until it is killed."""
        with open(log, "wb") as output:
            return subprocess.Popen(["nsenter", "-t", str(self.pid), "-n", *argv], stdin=subprocess.DEVNULL, stdout=output,
                                    stderr=output)

    def within(self, act: Callable[[], T]) -> T:
        """Do something of Python on this side of the network: sockets that it opens are there for ever."""
        def enter() -> T:
            with open(f"/proc/{self.pid}/ns/net", "rb") as namespace:
                if ctypes.CDLL(None, use_errno=True).setns(namespace.fileno(), 0):
                    raise LabError(f"setns: {os.strerror(ctypes.get_errno())}")
            return act()

        with ThreadPoolExecutor(1) as thread:  # a namespace is a thread's
            return thread.submit(enter).result()

    def plug(self, name: str, pid: int, address: str) -> None:
        """Connect the network namespace of a process to the bridge, as eth0."""
        # The end of one that was here before goes when the kernel finds the time.
        self.run(f"ip link del {name} 2> /dev/null || true; "
                 f"ip link add {name} type veth peer name eth0 netns {pid}; ip link set {name} master bridge up")
        subprocess.run(["nsenter", "-t", str(pid), "-n", "sh", "-ec",
                        f"ip link set lo up; ip addr add {address}/24 dev eth0; ip link set eth0 up"], check=True, timeout=30, stdin=subprocess.DEVNULL)

    def unplug(self, name: str) -> None:
        """Pull the cable out: the machine lives on without a network."""
        self.run(f"ip link set {name} nomaster")

    def plug_again(self, name: str) -> None:
        self.run(f"ip link set {name} master bridge")

    def end(self) -> None:
        self._holder.kill()
        self._holder.wait()
