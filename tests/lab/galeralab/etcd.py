"""etcd: one or three members on NET.201 and up, with plain HTTP or TLS, with or without the v2 API."""
from __future__ import annotations

import json
import os
import shutil
import ssl
import subprocess
import urllib.error
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Optional, Sequence

from . import host
from .process import Process
from .tls import Authority, Pair
from .wait import LabError, wait_until


@dataclass
class EtcdOptions:
    v2: bool = False
    tls: bool = False
    client_certs: bool = False  # with tls: refuse clients without a certificate of the lab's authority
    heartbeat_ms: int = 50
    election_ms: int = 500
    advertised_peer_port: int = 2380  # another one when something stands between the members
    arguments: Sequence[str] = ()


class Member:
    """One etcd process and its data."""

    def __init__(self, home: Path, address: str) -> None:
        self.home, self.address, self.name = home, address, home.name
        self.data, self.log = home / "data", home / "etcd.out"
        self.process = Process(home, "etcd")

    def kill(self) -> None:
        self.process.kill()

    def stop(self) -> None:
        self.process.stop()

    def freeze(self) -> None:
        self.process.freeze()

    def thaw(self) -> None:
        self.process.thaw()

    def wipe(self) -> None:
        """Lose the data of a stopped member.  Alone it comes back empty; of three it must be re-added first."""
        if self.process.alive():
            raise LabError(f"{self.name} is running: stop or kill it first")
        shutil.rmtree(self.data, ignore_errors=True)


class Etcd:
    """The etcd of a lab."""

    def __init__(self, directory: Path, net: str) -> None:
        self.directory, self.net = directory, net
        self._saved = directory / "etcd.json"
        self.options = EtcdOptions()
        self._size = 0
        if self._saved.exists():
            saved = json.loads(self._saved.read_text())
            self._size = saved.pop("size")
            self.options = EtcdOptions(**saved)

    def member(self, number: int) -> Member:
        return Member(self.directory / f"etcd{number}", f"{self.net}.{200 + number}")

    @property
    def members(self) -> list[Member]:
        return [self.member(number) for number in range(1, self._size + 1)]

    @property
    def scheme(self) -> str:
        return "https" if self.options.tls else "http"

    @property
    def endpoints(self) -> list[str]:
        return [f"{self.scheme}://{member.address}:2379" for member in self.members]

    @property
    def authority(self) -> Authority:
        return Authority(self.directory / "tls")

    def client_pair(self) -> Pair:
        """A client's certificate and key."""
        pair = Pair(self.authority.home / "client.crt", self.authority.home / "client.key")
        return pair if pair.cert.exists() else self.authority.issue("client")

    # -- life

    def up(self, size: int = 1, options: EtcdOptions = EtcdOptions()) -> "Etcd":
        if size not in (1, 3):
            raise LabError("etcd runs with 1 or 3 members")
        self.down()
        self._size, self.options = size, options
        host.check_free((member.address, port) for member in self.members for port in (2379, 2380))
        self.directory.mkdir(parents=True, exist_ok=True)
        self._saved.write_text(json.dumps({**vars(options), "arguments": list(options.arguments), "size": size}))
        for number in range(1, size + 1):
            self.launch(number)
        self.wait_healthy()
        return self

    def launch(self, number: int) -> None:
        """Start one member without waiting: alone of three it is not healthy before a second is there."""
        member, options = self.member(number), self.options
        member.home.mkdir(exist_ok=True)
        urls = f"{self.scheme}://{member.address}:2379"
        peers = {each.name: f"http://{each.address}:{options.advertised_peer_port}" for each in self.members}
        arguments = ["--name", member.name, "--data-dir", str(member.data), "--listen-client-urls", urls,
                     "--advertise-client-urls", urls, "--listen-peer-urls", f"http://{member.address}:2380",
                     "--initial-advertise-peer-urls", peers[member.name],
                     "--initial-cluster", ",".join(f"{name}={url}" for name, url in peers.items()),
                     "--initial-cluster-token", f"lab-{self.net}",
                     "--heartbeat-interval", str(options.heartbeat_ms),
                     "--election-timeout", str(options.election_ms), "--log-outputs", "stderr"]
        if options.v2:
            arguments.append("--enable-v2")
        if options.tls:
            pair = self.authority.issue(member.name, [member.address])
            arguments += ["--cert-file", str(pair.cert), "--key-file", str(pair.key)]
        if options.client_certs:
            arguments += ["--trusted-ca-file", str(self.authority.cert), "--client-cert-auth"]
        member.process.start([host.tool("etcd"), *arguments, *options.arguments])

    def start(self, number: int, timeout: float = 60) -> None:
        """Start one member and wait until it serves with a leader."""
        self.launch(number)
        self.member(number).process.wait_ready(lambda: self.healthy(number), timeout)

    def wait_healthy(self, timeout: float = 60) -> None:
        """Every running member serves with a leader."""
        for number, member in enumerate(self.members, 1):
            if member.process.alive():
                member.process.wait_ready(lambda: self.healthy(number), timeout)

    def down(self) -> None:
        """End every member and remove its data; logs stay."""
        for member in self.members:
            member.kill()
            member.wipe()
        self._saved.unlink(missing_ok=True)
        self._size = 0

    # -- questions

    def healthy(self, number: int) -> bool:
        try:
            return self.http(number, "/health", timeout=2).get("health") == "true"
        except (OSError, ValueError):
            return False

    def http(self, number: int, path: str, body: Optional[dict] = None, timeout: float = 5,
             headers: dict[str, str] = {}) -> Any:
        """A JSON request to one member: GET, or POST when there is a body.  HTTPError is an OSError."""
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.endpoints[number - 1] + path, data=data, headers=headers)
        context = None
        if self.options.tls:
            context = ssl.create_default_context(cafile=str(self.authority.cert))
            context.load_cert_chain(*map(str, self.client_pair()))
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}),
                                             urllib.request.HTTPSHandler(context=context))
        with opener.open(request, timeout=timeout) as answer:
            return json.load(answer)

    def ctl(self, *arguments: str, user: str = "", timeout: float = 60) -> str:
        """etcdctl (API 3) against the running members; its output.  `user` is NAME:PASSWORD."""
        running = [url for member, url in zip(self.members, self.endpoints) if member.process.alive()]
        command = [host.tool("etcdctl"), "--command-timeout=30s", "--dial-timeout=30s", f"--endpoints={','.join(running)}"]
        if self.options.tls:
            pair = self.client_pair()
            command += [f"--cacert={self.authority.cert}", f"--cert={pair.cert}", f"--key={pair.key}"]
        if user:
            command.append(f"--user={user}")
        done = subprocess.run([*command, *arguments], env={**os.environ, "ETCDCTL_API": "3"}, text=True,
                              capture_output=True, check=False, timeout=timeout)
        if done.returncode:
            raise LabError(f"etcdctl {' '.join(arguments)}: {done.stderr.strip()}")
        return done.stdout

    def enable_auth(self, password: str, users: dict[str, tuple[str, str]] = {}) -> None:
        """Turn authentication on: root with this password, and users name -> (password, key prefix)."""
        self.ctl("user", "add", f"root:{password}")
        self.ctl("user", "grant-role", "root", "root")
        for name, (secret, prefix) in users.items():
            self.ctl("user", "add", f"{name}:{secret}")
            self.ctl("role", "add", name)
            self.ctl("role", "grant-permission", name, "readwrite", prefix, "--prefix=true")
            self.ctl("user", "grant-role", name, name)
        self.ctl("auth", "enable")

    def leader(self) -> int:
        """The number of the member that leads, 0 without one."""
        for number in range(1, self._size + 1):
            try:
                status = self.http(number, "/v3/maintenance/status", {}, timeout=2)
            except (OSError, ValueError):
                continue
            if status.get("leader") == status["header"]["member_id"]:
                return number
        return 0

    def wait_leader(self, timeout: float = 60) -> int:
        return wait_until(self.leader, timeout, "etcd to have a leader")
