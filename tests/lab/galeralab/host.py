"""Where things are: the checkout, the programs of the system, the addresses and the state directory."""
from __future__ import annotations

import contextlib
import hashlib
import os
import pwd
import re
import shutil
import socket
import subprocess
from pathlib import Path
from typing import Iterable

from .wait import LabError

CHECKOUT = Path(__file__).resolve().parents[3]
_PACKAGES = {"mariadbd": "mariadb-server", "mariadb": "mariadb-client", "mariadb-install-db": "mariadb-server",
             "mariabackup": "mariadb-backup", "etcd": "etcd-server", "etcdctl": "etcd-client"}
_PATH = os.pathsep.join([os.environ.get("PATH", ""), "/usr/local/sbin", "/usr/sbin", "/sbin", "/usr/bin"])
_LONGEST = "haproxy/admin.sock.1234567.tmp"  # HAProxy binds a temporary name first
_SUN_PATH = 107


class MissingTool(LabError):
    """A server that the lab needs is not installed."""


def tool(name: str) -> str:
    """The path of an installed program; its Debian package is named when it is missing."""
    found = shutil.which(name, path=_PATH)
    if not found:
        raise MissingTool(f"{name} is not installed (Debian package {_PACKAGES.get(name, name)}; 'make deps')")
    return found


def search_path() -> str:
    """PATH for servers: the state-transfer scripts look for ss, socat and rsync in it."""
    return _PATH


def clean_env() -> dict[str, str]:
    return {**os.environ, "LC_ALL": "C"}


def build_dir() -> Path:
    return CHECKOUT / os.environ.get("BUILD", "build")


def program(name: str) -> Path:
    """A program of the suite, as it was built."""
    return (build_dir() / "bin" / name).absolute()


def clustercheck_bin() -> Path:
    """The program under test."""
    return Path(os.environ.get("CLUSTERCHECK_BIN") or build_dir() / "bin" / "clustercheck").absolute()


def is_root() -> bool:
    return os.geteuid() == 0


def own_user() -> str:
    return pwd.getpwuid(os.geteuid()).pw_name


def server_user() -> str:
    """Who runs mariadbd.  Never root: its rsync daemon would become `nobody`, and fail to write."""
    return "mysql" if is_root() else own_user()


def give_to_server(path: Path) -> None:
    """Let mariadbd own what the lab made for it."""
    if is_root():
        shutil.chown(path, "mysql", "mysql")


def lab_base() -> Path:
    return Path(os.environ.get("LAB_DIR") or build_dir() / "lab").absolute()


def check_net(net: str) -> str:
    if not re.fullmatch(r"127\.(\d{1,3})\.(\d{1,3})", net) or any(int(part) > 255 for part in net.split(".")):
        raise LabError(f"'{net}' is not a loopback network: write three numbers, as in 127.0.7")
    return net


def _suitable(directory: Path) -> bool:
    """Can unix sockets live here (their paths are short), and can mariadbd get here?"""
    if len(str(directory / _LONGEST)) > _SUN_PATH:
        return False
    if not is_root():
        return True
    reach = subprocess.run([tool("test"), "-x", str(directory)], user="mysql", group="mysql", extra_groups=[],
                           cwd="/", check=False)
    return reach.returncode == 0


def _private_tmp() -> Path:
    """A directory of ours under /tmp with a predictable name, hence checked for being ours."""
    path = Path(f"/tmp/galeralab-{os.geteuid()}")
    try:
        path.mkdir(mode=0o711)
    except FileExistsError:
        status = path.lstat()
        if path.is_symlink() or status.st_uid != os.geteuid() or status.st_mode & 0o022:
            raise LabError(f"{path} is not safe to use: remove it, or set LAB_DIR to a short path") from None
    return path


def state_dir(net: str) -> Path:
    """Where the lab on this network lives, or will: in build/lab, if that serves.

    Where it does not serve (path too long for sockets, closed to the user mysql), the lab lives in /tmp
    and build/lab/NET is a link to it."""
    usual = lab_base() / net
    if usual.is_symlink():
        return Path(os.readlink(usual))
    return usual


def make_state_dir(net: str) -> Path:
    """The state directory, created if need be; it may hold what runs already, or logs of an older lab."""
    usual, real = lab_base() / net, state_dir(net)
    if usual.is_symlink() and real.is_dir():
        return real
    if usual.is_symlink():
        usual.unlink()
    usual.mkdir(parents=True, exist_ok=True)
    if _suitable(usual):
        return usual
    shutil.rmtree(usual)
    name = f"{hashlib.sha256(str(usual).encode()).hexdigest()[:8]}-{net}"
    while True:
        real = _private_tmp() / name
        shutil.rmtree(real, ignore_errors=True)
        try:
            real.mkdir()
            break
        except FileNotFoundError:  # another lab, which was the last one there, has just taken the directory away
            continue
    usual.symlink_to(real)
    return real


def bring_home(net: str) -> None:
    """End of a lab that had to live in /tmp: what is left of it moves to build/lab."""
    usual, real = lab_base() / net, state_dir(net)
    if usual.is_symlink():
        usual.unlink()
        if real.is_dir():
            shutil.move(real, usual)
        with contextlib.suppress(OSError):  # other labs are there, or have taken it away already
            real.parent.rmdir()


def check_free(addresses: Iterable[tuple[str, int]]) -> None:
    """Fail with a sentence, before anything starts, when a port of the lab is taken."""
    for address, port in addresses:
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((address, port))
            except OSError as error:
                raise LabError(f"cannot use {address}:{port}: {error.strerror}; "
                               "another lab or server has it: choose another --net") from None
