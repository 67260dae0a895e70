"""A laboratory of real servers: MariaDB Galera nodes, etcd, HAProxy and xinetd on loopback addresses.

Every host of a lab has an address of its own (node i is NET.i), so every server listens on its
standard port and several labs run side by side on different networks.  Start reading at cluster.py;
the command line is cli.py.
"""
from .cluster import Lab
from .etcd import Etcd
from .mariadb import Node, NodeOptions, Server, SqlError
from .probe import Answer, http_probe
from .wait import LabError, LabTimeout, wait_until

__all__ = ["Answer", "Etcd", "Lab", "LabError", "LabTimeout", "Node", "NodeOptions", "Server", "SqlError",
           "http_probe", "wait_until"]
