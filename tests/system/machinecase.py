"""What tests on machines stand on: a network, machines that are booted once for a class, and their words when a test fails."""
from __future__ import annotations

import unittest
from typing import Optional

from bases import Base

from machines import Machine, MachineError, Network

__all__ = ["MachineCase", "MachineError"]


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
