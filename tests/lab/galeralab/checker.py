"""What stands around the program under test on one host: clustercheck.conf, and xinetd on port 9200."""
from __future__ import annotations

import os
import re
import signal
import socket
from pathlib import Path
from typing import Mapping, Optional

from . import host
from .mariadb import CHECK_PASSWORD, Server
from .process import Process
from .wait import LabError

# section -> key -> value; a value of None leaves the key out of the file.
Settings = Mapping[str, Mapping[str, Optional[str]]]
SHIPPED_SERVICE = host.CHECKOUT / "xinetd.d" / "clustercheck"


class Checker:
    """clustercheck's files on the host of `server`."""

    def __init__(self, server: Server) -> None:
        self.server, self.home = server, server.home
        self.conf, self.log = self.home / "clustercheck.conf", self.home / "clustercheck.log"
        self.state = self.home / "clustercheck"
        self.disable_file, self.drain_file = self.state / "disabled", self.state / "drain"
        self.password_file = self.home / "clustercheck.password"

    def configure(self, overrides: Settings = {}) -> Path:
        """Write clustercheck.conf: this host's paths, and what the caller wants different."""
        self.state.mkdir(exist_ok=True)
        self.password_file.write_text(CHECK_PASSWORD + "\n")
        self.password_file.chmod(0o600)
        sections: dict[str, dict[str, Optional[str]]] = {
            "mysql": {"socket": str(self.server.socket), "user": "clustercheck",
                      "password_file": str(self.password_file)},
            "clustercheck": {"datadir": str(self.server.data), "disable_file": str(self.disable_file),
                             "drain_file": str(self.drain_file), "state_dir": str(self.state),
                             "log": str(self.log)}}
        for section, keys in overrides.items():
            sections.setdefault(section, {}).update(keys)
        lines = []
        for section, keys in sections.items():
            lines += [f"[{section}]", *(f"{key} = {value}" for key, value in keys.items() if value is not None)]
        replacement = self.conf.with_suffix(".new")
        replacement.write_text("\n".join(lines) + "\n")
        replacement.rename(self.conf)  # a check that runs meanwhile reads the old file or the new one
        return self.conf

    def argv(self, *arguments: str) -> list[str]:
        """The program under test with this host's configuration."""
        return [str(host.clustercheck_bin()), "-c", str(self.conf), *arguments]


def service_text(shipped: str, overrides: Mapping[str, str]) -> str:
    """The text of a service file with attributes set: each is replaced where it stands, or added."""
    lines: list[str] = []
    for line in shipped.splitlines():
        assignment = re.match(r"\s*(\w+)\s*[-+]?=", line)
        if assignment and assignment[1] in overrides:
            continue
        if line.strip() == "}":
            lines += [f"    {name} = {value}" for name, value in overrides.items()]
        lines.append(line)
    return "\n".join(lines) + "\n"


class Xinetd:
    """One xinetd, which makes a directory of the lab a host with a check on port 9200."""

    def __init__(self, home: Path, address: str) -> None:
        self.home, self.address = home, address
        self.conf, self.service = home / "xinetd.conf", home / "xinetd.service"
        self.process = Process(home, "xinetd")

    def configure(self, checker: Checker, overrides: Mapping[str, str] = {},
                  shipped: Path = SHIPPED_SERVICE) -> None:
        """Take the service file that the project ships, and change what differs on this host only."""
        program = host.clustercheck_bin()
        if not os.access(program, os.X_OK):
            raise LabError(f"{program} is missing: run 'make', or do without xinetd (--no-xinetd)")
        if not shipped.exists():
            raise LabError(f"{shipped} is missing")
        # `user` must be there even for an xinetd that may not change it.
        attributes = {"server": str(program), "server_args": f"-c {checker.conf}", "bind": self.address,
                      "user": host.own_user(), "only_from": "127.0.0.0/8", "disable": "no", **overrides}
        self.service.write_text(service_text(shipped.read_text(), attributes))
        self.conf.write_text(f"defaults\n{{\n\tlog_type = FILE {self.home}/xinetd.log\n}}\n"
                             f"include {self.service}\n")

    def start(self) -> None:
        pid_file = self.home / "xinetd.pid"
        pid_file.unlink(missing_ok=True)
        self.process.start([host.tool("xinetd"), "-dontfork", "-f", str(self.conf), "-pidfile", str(pid_file),
                            "-filelog", str(self.home / "xinetd.log")])
        self.process.wait_ready(lambda: listening(self.address, 9200), 60, self.home / "xinetd.log")

    def reload(self) -> None:
        """Restart with the configuration written last."""
        self.kill()
        self.start()

    def stop(self) -> None:
        """SIGQUIT ends xinetd but not its running servers, as `systemctl stop` would leave them to finish."""
        if self.process.alive():
            self.process.signal(signal.SIGQUIT)
            self.process.wait_gone(60)

    def kill(self) -> None:
        self.process.kill()


def listening(address: str, port: int) -> bool:
    """Is there a listener?  Read from the kernel's table: a connection would start a server for nothing."""
    packed = socket.inet_aton(address)[::-1].hex().upper()
    wanted = {f"{packed}:{port:04X}", f"00000000:{port:04X}"}
    for line in Path("/proc/net/tcp").read_text().splitlines()[1:]:
        fields = line.split()
        if fields[3] == "0A" and fields[1] in wanted:
            return True
    return False
