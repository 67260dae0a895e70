"""What tests on machines stand on: a network, machines that are booted once for a class, and their words when a test fails."""
from __future__ import annotations

import os
import subprocess
import unittest
from typing import Optional

from bases import Base

from galeralab import host
from machines import Machine, MachineError, Network

__all__ = ["MachineCase", "MachineError", "make_on"]


def make_on(machine: Machine, target: str) -> None:
    """`make install` or `make uninstall` in the tree that is here, with the programs that are built, on a machine that is on."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("MAKE", "MFLAGS", "CLUSTERCHECK_"))}
    done = subprocess.run(["make", "-C", str(host.CHECKOUT), target, f"BUILD={os.environ.get('BUILD', 'build')}",
                           f"DESTDIR={machine.root}", "PREFIX=/usr"], env=clean, timeout=600, check=False, text=True,
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    if done.returncode:
        raise MachineError(f"make {target} on {machine.name}: {done.stdout[-3000:]}")


class MachineCase(unittest.TestCase):
    """Machines by name; `HOSTS` says which, at which address."""

    HOSTS: dict[str, str] = {}
    BASE: Base
    network: Network
    machines: dict[str, Machine]

    @classmethod
    def setUpClass(cls) -> None:
        cls.BASE.make()
        cls.network = Network()
        cls.addClassCleanup(cls.network.end)
        cls.machines = {}
        for name, address in cls.HOSTS.items():
            machine = Machine(name, cls.BASE, cls.network, address)
            cls.addClassCleanup(machine.end)
            cls.machines[name] = machine
            cls.before_boot(machine)
            machine.boot(cls.HOSTS)

    @classmethod
    def before_boot(cls, machine: Machine) -> None:
        """A place to write to the disk of a machine that is still off."""

    def machine(self, name: Optional[str] = None) -> Machine:
        return self.machines[name or next(iter(self.machines))]

    def sh(self, script: str, name: Optional[str] = None, timeout: float = 60) -> str:
        return self.machine(name).sh(script, timeout)
