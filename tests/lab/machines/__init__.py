"""Machines for tests of the installation: Debian systems from debootstrap with a real systemd as their PID 1, on a network of
their own, made of namespaces and an overlay. Needs root, and Linux with overlayfs and cgroup v2."""
from .base import Base, BaseError
from .container import Container, Images
from .machine import Machine, MachineError
from .network import Network

__all__ = ["Base", "BaseError", "Container", "Images", "Machine", "MachineError", "Network"]
