"""HAProxy in front of the lab's nodes, on NET.100, with the configuration that the project ships."""
from __future__ import annotations

import csv
import io
import socket
from pathlib import Path
from typing import Mapping, Sequence

from . import host
from .checker import listening
from .process import Process
from .wait import LabError, wait_until

SHIPPED = host.CHECKOUT / "conf" / "haproxy" / "clustercheck.cfg"
ANY, WRITER, READERS = "galera-any", "galera-writer", "galera-readers"
ANY_PORT, WRITER_PORT, READERS_PORT = 33306, 33307, 33308


def adapt(shipped: str, address: str, admin: Path, servers: Mapping[str, str],
          extra: Mapping[str, Sequence[str]]) -> str:
    """The shipped configuration with the lab's addresses, servers (name -> address), socket and log.

    `extra` adds lines to a section by its name; the line "server: OPTIONS" adds options to its servers."""
    lines: list[str] = []
    section, more, served = "", [], False
    for line in shipped.splitlines():
        words = line.split("#")[0].split()
        if words and not line[0].isspace():
            section, served = words[-1], False
            more = [text for text in extra.get(section, ()) if not text.startswith("server:")]
            lines += [line, *(f"    {text}" for text in more)]
            continue
        if section == "global" and words[:1] in (["user"], ["group"]):
            continue
        if words[:1] == ["server"]:
            added = [text.removeprefix("server:") for text in extra.get(section, ()) if text.startswith("server:")]
            tail = " ".join([*words[3:], *added])
            if not served:
                lines += [f"    server {name} {where}:3306 {tail}".rstrip() for name, where in servers.items()]
            served = True
        elif words[:2] == ["stats", "socket"]:
            lines.append(f"    stats socket {admin} mode 600 level admin")
        elif words[:1] == ["log"] and len(words) > 2:
            lines.append("    log stdout format raw local0")
        elif words[:1] == ["peer"]:
            lines.append(f"    peer {words[1]} {address}:{words[2].rpartition(':')[2]}")
        elif words[:1] == ["bind"]:
            lines.append(f"    bind {address}:{words[1].rpartition(':')[2]} {' '.join(words[2:])}".rstrip())
        else:
            lines.append(line)
    return "\n".join(lines) + "\n"


class HAProxy:
    """The load balancer's process, and its admin socket."""

    def __init__(self, home: Path, address: str) -> None:
        self.home, self.address = home, address
        self.conf, self.admin = home / "haproxy.cfg", home / "admin.sock"
        self.process = Process(home, "haproxy")

    def configure(self, servers: Mapping[str, str], extra: Mapping[str, Sequence[str]] = {}) -> None:
        """Write haproxy.cfg for servers name -> address; about `extra` see adapt()."""
        if not SHIPPED.exists():
            raise LabError(f"{SHIPPED} is missing")
        self.home.mkdir(exist_ok=True)
        self.conf.write_text(adapt(SHIPPED.read_text(), self.address, self.admin, servers, extra))

    def start(self) -> None:
        self.process.start([host.tool("haproxy"), "-db", "-f", str(self.conf)])
        self.process.wait_ready(lambda: listening(self.address, WRITER_PORT), 60)

    def reload(self) -> None:
        """Restart with the configuration written last."""
        self.kill()
        self.start()

    def kill(self) -> None:
        self.process.kill()

    def command(self, line: str, timeout: float = 30) -> str:
        """One command on the admin socket, and the whole reply."""
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(timeout)
            connection.connect(str(self.admin))
            connection.sendall(line.encode() + b"\n")
            reply = b""
            while data := connection.recv(65536):
                reply += data
        return reply.decode()

    def stat(self, timeout: float = 30) -> list[dict[str, str]]:
        """`show stat` by column name."""
        return list(csv.DictReader(io.StringIO(self.command("show stat", timeout).removeprefix("# "))))

    def servers_state(self) -> str:
        return self.command("show servers state")

    def server(self, name: str, backend: str = ANY) -> dict[str, str]:
        """The row of one server: status ("UP", "DOWN", "UP 1/2"...), check_status, check_code, scur, stot..."""
        return next((row for row in self.stat() if row["pxname"] == backend and row["svname"] == name), {})

    def wait_server(self, name: str, status: str, backend: str = ANY, timeout: float = 60) -> None:
        """Wait until HAProxy gives this server this status."""
        wait_until(lambda: self.server(name, backend).get("status") == status, timeout,
                   f"HAProxy to see {name} in {backend} as {status}")
