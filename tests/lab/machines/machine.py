"""One machine: an overlay over a base, namespaces, and systemd in them."""
from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
from pathlib import Path
from typing import Mapping, Optional, Sequence, Union

from galeralab import host
from galeralab.process import tail
from galeralab.wait import LabError, wait_until

from .base import Base
from .network import Network

BOOT = Path(__file__).with_name("boot")


class MachineError(LabError):
    """A command on a machine failed."""


def _cgroup_root() -> Path:
    """Where cgroup v2 is mounted on this host."""
    found = re.search(r"(?m)^\S+ (\S+) cgroup2 ", Path("/proc/mounts").read_text(encoding="utf-8"))
    if not found:
        raise MachineError("cgroup v2 is not mounted on this host: systemd needs it")
    return Path(found[1])


class Machine:
    """A Debian system. Its files outlive a power-off, as a disk does; `end` removes everything."""

    KIND = "system"
    COMMAND = ["container=other", "PATH=/usr/sbin:/usr/bin:/sbin:/bin", "/lib/systemd/systemd", "--log-target=console",
               "--show-status=0"]

    def __init__(self, name: str, base: Union[Base, Path], network: Network, address: str) -> None:
        self.name, self.address, self._base, self._network = name, address, base, network
        self.volumes: dict[Path, str] = {}  # what of this host is mounted where
        self.home = host.build_dir().absolute() / "machines" / f"run-{os.getpid()}" / name
        self._outer: Optional[subprocess.Popen] = None
        self._pid = 0
        for part in ("upper", "work", "root"):
            (self.home / part).mkdir(parents=True)
        self.log = self.home / "console.log"

    # -- power

    def boot(self, hosts: Mapping[str, str] = {}, timeout: float = 60, until: str = "") -> "Machine":
        """Switch on; `hosts` is what /etc/hosts says. Returns when systemd has nothing left to start, or has reached the unit
        `until`: a node that waits for others is something to start for as long as it waits."""
        if hosts or not self.path("/etc/hostname").exists():
            self._identify(hosts)
        self._start(self.COMMAND)
        try:
            wait_until(lambda: self._running(until), timeout, f"{self.name} to start")
        except LabError as error:
            raise MachineError(f"{error}\n{tail(self.log)}") from None
        return self

    def _start(self, command: Sequence[str]) -> None:
        """A process in namespaces of its own that becomes the command, environment first."""
        group = _cgroup_root() / f"machine-{os.getpid()}-{self.name}"
        group.mkdir(exist_ok=True)
        lower = self._base.make() if isinstance(self._base, Base) else self._base
        overlay = f"lowerdir={lower},upperdir={self.home}/upper,workdir={self.home}/work"
        inner = 'mount -t overlay -o "$1" overlay "$3"; shift; exec "$0" "$@"'
        outer = ('echo $$ > "$1/cgroup.procs"; shift; exec unshare --cgroup --mount --pid --net --uts --ipc --fork '
                 '--kill-child sh -ec "$1" "$0" "$2" "$3" "$4" "$5" "${@:6}"')
        volumes = " ".join(f"{source}:{target}" for source, target in self.volumes.items())
        with open(self.log, "ab") as console:
            self._outer = subprocess.Popen(
                ["bash", "-ec", outer, str(BOOT), str(group), inner, overlay, self.KIND, str(self.home / "root"), self.name,
                 *command], stdin=subprocess.PIPE, stdout=console, stderr=console, start_new_session=True,
                env={**os.environ, "VOLUMES": volumes})
        self._pid = wait_until(self._inner, 10, f"{self.name} to have a PID 1")
        self._network.plug(self.name, self._pid, self.address)
        self._outer.stdin.write(b"go\n")
        self._outer.stdin.close()

    def _inner(self) -> int:
        """PID 1 of the machine, seen from here, once it waits for its network."""
        children = Path(f"/proc/{self._outer.pid}/task/{self._outer.pid}/children").read_text(encoding="utf-8").split()
        if self._outer.poll() is not None:
            raise MachineError(f"{self.name} cannot be started:\n{tail(self.log)}")
        own = os.readlink("/proc/self/ns/net")
        return int(children[0]) if children and os.readlink(f"/proc/{children[0]}/ns/net") != own else 0

    def _running(self, until: str) -> bool:
        question = f"systemctl is-active {until}" if until else "systemctl is-system-running"
        try:
            return self.sh(f"{question} || true", timeout=10).strip() in ("running", "degraded", "active")
        except (MachineError, subprocess.TimeoutExpired):
            return False

    def _identify(self, hosts: Mapping[str, str]) -> None:
        self.write("/etc/hostname", self.name + "\n")
        self.write("/etc/hosts", "127.0.0.1 localhost\n" + "".join(f"{address} {name}\n" for name, address in hosts.items()))

    def power_off(self) -> None:
        """Pull the plug: every process is killed at once; the disk stays."""
        if self._outer:
            # PID 1 itself: one that has changed its user does not end with its parent (prctl(2), PR_SET_PDEATHSIG).
            try:
                os.kill(self._pid or self._outer.pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
            self._outer.wait()
            self._forget()

    def shut_down(self, timeout: float = 120) -> None:
        """Switch off as a person does: systemd stops everything in its order."""
        self._run("systemctl poweroff", 30, b"")
        wait_until(lambda: self._outer.poll() is not None, timeout, f"{self.name} to be off")
        self._forget()

    def _forget(self) -> None:
        """PID 1 is gone, and with it whatever ran there."""
        if self._outer:
            self._outer, self._pid = None, 0
            group = _cgroup_root() / f"machine-{os.getpid()}-{self.name}"
            wait_until(lambda: self._remove_group(group), 20, f"the processes of {self.name} to end")

    @staticmethod
    def _remove_group(group: Path) -> bool:
        for path in sorted(group.rglob("*"), reverse=True):
            if path.is_dir():
                try:
                    path.rmdir()
                except OSError:
                    return False
        try:
            group.rmdir()
        except FileNotFoundError:
            pass
        except OSError:
            return False
        return True

    def keep(self, place: Path) -> None:
        """Copy the disk of a machine that is off, as far as it differs from the base."""
        place.mkdir(parents=True, exist_ok=True)
        self._copy(self.home / "upper", place)

    def take(self, place: Path) -> None:
        """Begin with a disk that was kept; before the first boot."""
        self._copy(place, self.home / "upper")

    @staticmethod
    def _copy(source: Path, target: Path) -> None:
        subprocess.run(["cp", "-a", "--sparse=always", f"{source}/.", str(target)], check=True)

    def end(self) -> None:
        self.power_off()
        shutil.rmtree(self.home, ignore_errors=True)
        try:
            self.home.parent.rmdir()
        except OSError:
            pass

    # -- from the outside

    @property
    def root(self) -> Path:
        """The running machine's files, seen from here."""
        return Path(f"/proc/{self._pid}/root")

    def path(self, inside: str) -> Path:
        """A file of the machine while it is off: where it is written to."""
        return self.home / "upper" / inside.lstrip("/")

    def write(self, inside: str, text: str, mode: int = 0o644) -> None:
        """Write a file, on or off."""
        if self._outer:
            self.sh(f"install -D -m {mode:o} /dev/stdin '{inside}'", stdin=text)
            return
        path = self.path(inside)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        path.chmod(mode)

    def put(self, source: Path, inside: str) -> None:
        """Copy a file of this host into a directory of the running machine."""
        data = source.read_bytes()
        done = self._run(f"mkdir -p '{inside}' && cat > '{inside}/{source.name}'", 60, data)
        if done.returncode:
            raise MachineError(f"cannot put {source} on {self.name}: {done.stderr.decode()}")

    def sh(self, script: str, timeout: float = 60, stdin: str = "") -> str:
        """Run a script as root in bash; its output. A failing command is an error, with what it said."""
        done = self._run(script, timeout, stdin.encode())
        out, err = done.stdout.decode(errors="replace"), done.stderr.decode(errors="replace")
        if done.returncode:
            raise MachineError(f"{self.name}: exit code {done.returncode} of\n{script}\n{out}{err}")
        return out

    def ok(self, script: str, timeout: float = 60) -> bool:
        return self._run(script, timeout, b"").returncode == 0

    def _run(self, script: str, timeout: float, stdin: bytes) -> subprocess.CompletedProcess:
        return subprocess.run(["nsenter", "-t", str(self._pid), "--all", "--root", "--wd", "--", "/usr/bin/env", "-i",
                               "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME=/root",
                               "LC_ALL=C.UTF-8", "DEBIAN_FRONTEND=noninteractive", "bash", "-euo", "pipefail", "-c", script],
                              input=stdin, capture_output=True, timeout=timeout, check=False, cwd="/")

    def journal(self, lines: int = 60, units: str = "galera* clustercheck* haproxy* mariadb*") -> str:
        which = " ".join(f"-u '{unit}'" for unit in units.split())
        return self.sh(f"journalctl --no-pager -o short-monotonic -n {lines} {which} | cut -c-400 || true")
