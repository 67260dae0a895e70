"""Root file systems made by debootstrap, kept under build/ for the next run."""
from __future__ import annotations

import fcntl
import hashlib
import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Optional, Sequence

from galeralab import host
from galeralab.wait import LabError


class BaseError(LabError):
    """No root file system could be made."""


def release() -> str:
    """This machine's Debian release: programs that are built here run there."""
    found = re.search(r"(?m)^VERSION_CODENAME=(\S+)", Path("/etc/os-release").read_text(encoding="utf-8"))
    if not found:
        raise BaseError("/etc/os-release names no Debian release")
    return found[1]


def _entries() -> list[tuple[str, list[str], str]]:
    """(URI, suites, options) of every source that apt is configured with, in both formats."""
    entries = []
    for path in [Path("/etc/apt/sources.list"), *sorted(Path("/etc/apt/sources.list.d").glob("*.list"))]:
        for line in path.read_text(encoding="utf-8").splitlines() if path.exists() else []:
            if match := re.match(r"deb\s+(\[.*?\]\s+)?(\S+)\s+(\S+)", line):
                entries.append((match[2], [match[3]]))
    for path in sorted(Path("/etc/apt/sources.list.d").glob("*.sources")):
        for stanza in re.split(r"\n\s*\n", path.read_text(encoding="utf-8")):
            fields = dict(re.findall(r"(?m)^([A-Za-z-]+):[ \t]*(.*)$", stanza))
            if "deb" in fields.get("Types", "").split():
                entries += [(uri, fields.get("Suites", "").split()) for uri in fields.get("URIs", "").split()]
    return entries


def mirror() -> str:
    """Where this machine gets its packages from."""
    for uri, suites in _entries():
        if release() in suites:
            return uri
    raise BaseError(f"apt knows no source of {release()}: debootstrap cannot be told where to get it from")


def sources() -> str:
    """All sources of this machine for its own release, for a root's sources.list."""
    return "".join(f"deb {uri} {suite} main\n" for uri, suites in _entries() for suite in suites
                   if re.fullmatch(rf"{release()}(-updates|-security)?", suite))


def _acquire_options() -> str:
    """How this machine gets packages (proxies, certificates), for the root's apt."""
    dump = subprocess.run(["apt-config", "dump"], capture_output=True, text=True, check=True).stdout
    return "".join(f"{line}\n" for line in dump.splitlines() if re.match(r"Acquire::(https?|Check-)\S* ", line))


# What Debian's images called "slim" are without.
NOT_IN_SLIM = ("doc", "info", "lintian", "locale", "man")


class Base:
    """A root file system with these packages; made when it is not there yet. Nobody writes to it afterwards."""

    def __init__(self, name: str, packages: Sequence[str] = (), below: Optional["Base"] = None, slim: bool = False) -> None:
        self.packages, self._slim = list(packages), slim
        mark = hashlib.sha256(" ".join([release(), *sorted(packages), below.path.name if below else ""]).encode())
        self.path = host.build_dir() / "machines" / f"base-{name}-{mark.hexdigest()[:12]}"
        self._below = below

    def make(self) -> Path:
        """The directory; one of several runs at a time makes it, and the others wait."""
        if os.geteuid() != 0:
            raise BaseError("machines need root")
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with open(f"{self.path}.lock", "w", encoding="utf-8") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not self.path.exists():
                draft = Path(f"{self.path}.draft")
                shutil.rmtree(draft, ignore_errors=True)
                self._fill(draft)
                draft.rename(self.path)
        return self.path.absolute()

    def _fill(self, draft: Path) -> None:
        if self._below:
            self._command(["cp", "-a", "--one-file-system", str(self._below.make()), str(draft)])
        else:
            # debootstrap may leave /proc mounted; with mounts of its own that ends with it.
            self._command(["unshare", "--mount", host.tool("debootstrap"), "--variant=minbase", release(), str(draft), mirror()])
            (draft / "etc/apt/sources.list").write_text(sources())
            (draft / "etc/apt/apt.conf.d/99host").write_text(_acquire_options())
        if self._slim:
            slim(draft)
        if self.packages:
            install(draft, self.packages)

    @staticmethod
    def _command(argv: list[str]) -> None:
        done = subprocess.run(argv, capture_output=True, text=True, check=False, timeout=900, stdin=subprocess.DEVNULL)
        if done.returncode:
            raise BaseError(f"{' '.join(argv)} failed:\n{done.stdout[-3000:]}{done.stderr[-3000:]}")


def chroot(root: Path, script: str, timeout: float = 900) -> subprocess.CompletedProcess:
    """Run a shell script in a root: /proc, PIDs and mounts of its own, the network of this machine."""
    inner = 'mount -t proc proc "$0/proc"; exec chroot "$0" /usr/bin/env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin ' \
            'HOME=/root LC_ALL=C.UTF-8 DEBIAN_FRONTEND=noninteractive sh -c "$1"'
    return subprocess.run(["unshare", "--mount", "--pid", "--fork", "--kill-child", "sh", "-ec", inner, str(root), script],
                          capture_output=True, text=True, check=False, timeout=timeout, stdin=subprocess.DEVNULL)


def slim(root: Path) -> None:
    """Remove what nobody reads in a container, and have it left out of what is installed later."""
    (root / "etc/dpkg/dpkg.cfg.d/slim").write_text("".join(f"path-exclude=/usr/share/{name}/*\n" for name in NOT_IN_SLIM)
                                                   + "path-include=/usr/share/doc/*/copyright\n")
    for name in (*(f"usr/share/{name}" for name in NOT_IN_SLIM), "var/cache/apt", "var/lib/apt/lists", "var/log"):
        for path in (root / name).glob("*"):
            shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()


def install(root: Path, packages: Sequence[str]) -> None:
    """Install packages without starting anything that they bring."""
    policy = root / "usr/sbin/policy-rc.d"
    policy.write_text("#!/bin/sh\nexit 101\n")
    policy.chmod(0o755)
    resolver = Path("/etc/resolv.conf")
    if resolver.exists():
        shutil.copyfile(resolver, root / "etc/resolv.conf")
    done = chroot(root, "apt-get update && apt-get install -y --no-install-recommends -o Dpkg::Use-Pty=0 "
                  + " ".join(packages) + " && apt-get clean")
    policy.unlink()
    if done.returncode:
        raise BaseError(f"cannot install {' '.join(packages)}:\n{done.stdout[-3000:]}{done.stderr[-3000:]}")
    (root / "etc/machine-id").write_text("")  # each machine gets its own
