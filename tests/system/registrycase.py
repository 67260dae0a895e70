"""What the tests of galera-register and galera-discover stand on: a real etcd, whole and empty before each test."""
from __future__ import annotations

import base64
import json
import os
import re
import signal
import subprocess
import time
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Callable, Mapping, Optional

from harness import Checked, Lab, LabCase, run_checker, wait_until

from forwarder import PEER_PORT, PeerNetwork
from galeralab import Etcd, LabError, LabTimeout, host
from galeralab.process import MARK
from galeralab.wait import What

__all__ = ["KV", "MembersCase", "PREFIX", "Checked", "Etcd", "LabError", "LabTimeout", "Program", "RegistryCase",
           "binary", "encode", "host", "ini", "wait_until"]

PREFIX = "/components/galera"


def binary(name: str) -> str:
    """A program under test."""
    return str((host.build_dir() / "bin" / name).absolute())


def ini(sections: Mapping[str, Mapping[str, object]]) -> str:
    """The text of a configuration file; a value of None leaves its key out."""
    lines = []
    for section, keys in sections.items():
        lines += [f"[{section}]", *(f"{key} = {value}" for key, value in keys.items() if value is not None)]
    return "\n".join(lines) + "\n"


@dataclass
class KV:
    """A key of etcd's v3 store."""

    value: str
    lease: int
    created: int
    modified: int


class Program:
    """A program under test that runs beside the test, its output in files of the lab."""

    def __init__(self, home: Path, name: str, argv: list[str], env: Mapping[str, str] = {},
                 stdout: Optional[int] = None) -> None:
        self.name, self.home, self.conf = name, home, Path(argv[2])
        self.out_file, self.err_file = home / f"{name}.out", home / f"{name}.err"
        with open(self.out_file, "wb") as out, open(self.err_file, "wb") as err:
            self.child = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=out if stdout is None else stdout,
                                          stderr=err, env={**os.environ, **env, MARK: f"{home}/{name}"})

    @property
    def pid(self) -> int:
        return self.child.pid

    @property
    def out(self) -> str:
        return self.out_file.read_text(errors="replace")

    @property
    def err(self) -> str:
        return self.err_file.read_text(errors="replace")

    @property
    def lines(self) -> list[str]:
        """What it has printed, complete lines only."""
        return self.out.split("\n")[:-1]

    @property
    def last(self) -> Any:
        """The last line as JSON, None before there is one."""
        return json.loads(self.lines[-1]) if self.lines else None

    def ids(self) -> Optional[list[str]]:
        """The ids in the last line of a watcher with --format json."""
        return None if self.last is None else [node["id"] for node in self.last["nodes"]]

    def said(self, pattern: str) -> int:
        """How many times a line of the log matches."""
        return len(re.findall(pattern, self.err))

    def starved(self) -> float:
        """For how many seconds it has waited for a processor so far."""
        try:
            return int(Path(f"/proc/{self.pid}/schedstat").read_text().split()[1]) / 1e9
        except (OSError, ValueError, IndexError):
            return 0.0

    def alive(self) -> bool:
        return self.child.poll() is None

    def until(self, predicate: Callable[[], Any], timeout: float, what: What) -> Any:
        """wait_until, with the program's own words when it fails; an early end is a failure at once."""
        def check() -> Any:
            value = predicate()
            if not value and not self.alive() and not predicate():
                raise AssertionError(f"{self.name} has ended with {self.child.returncode}: {self.err}{self.out}")
            return value or predicate() if not self.alive() else value

        try:
            return wait_until(check, timeout, what, 0.02)
        except LabTimeout as error:
            raise LabTimeout(f"{error}\n{self.name} said: {self.err}{self.out[-2000:]}") from None

    def wait_said(self, pattern: str, timeout: float = 60, times: int = 1) -> None:
        self.until(lambda: self.said(pattern) >= times, timeout, f"{self.name} to say {pattern!r}")

    def wait_ids(self, *ids: str, timeout: float = 60) -> None:
        """A watcher with --format json shows exactly these."""
        self.until(lambda: self.ids() == sorted(ids), timeout, f"{self.name} to show {sorted(ids)}")

    def signal(self, number: int) -> None:
        self.child.send_signal(number)

    def wait(self, timeout: float = 60) -> int:
        """The exit code; an end that does not come in time is a failure."""
        try:
            return self.child.wait(timeout)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"{self.name} has not ended in {timeout} s: {self.err}") from None

    def stop(self, timeout: float = 60) -> int:
        self.signal(signal.SIGTERM)
        return self.wait(timeout)

    def outages(self, trouble: str, mended: str) -> int:
        """How often it has told of trouble, once it is certain that it did so once for each: an end of it stands between two.
        On a busy host there may be one that nobody has made."""
        heard = re.findall(f"({trouble})|({mended})", self.err)
        if any(first[0] and second[0] for first, second in zip(heard, heard[1:])):
            raise AssertionError(f"{self.name} says it more than once: {self.err}")
        return sum(bool(words[0]) for words in heard)

    def kill(self) -> None:
        if self.alive():
            self.child.kill()
        self.child.wait()

    def reconfigure(self, text: str) -> None:
        """Another configuration file, whole at any time: the program may be reading it because of an earlier SIGHUP."""
        replacement = self.conf.with_suffix(".new")
        replacement.write_text(text)
        replacement.chmod(0o600)
        replacement.rename(self.conf)

    def forget(self) -> None:
        """Remove its files; it has ended."""
        for path in (self.out_file, self.err_file, self.conf):
            path.unlink(missing_ok=True)


class RegistryCase(LabCase):
    """Tests against an etcd of MEMBERS members, healed and emptied before each of them."""

    MEMBERS = 1
    OPTIONS: dict[str, Any] = {}
    TTL = 6  # two beats may be late on a host that is busy or stands still for a while
    etcd: Etcd
    headers: dict[str, str] = {}  # of our own requests

    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        cls.etcd = cls.lab.etcd_up(cls.MEMBERS, **cls.OPTIONS)
        cls.home = cls.lab.directory / "programs"
        cls.home.mkdir(exist_ok=True)
        cls.started = 0

    def setUp(self) -> None:
        for number, member in enumerate(self.etcd.members, 1):
            if member.process.frozen():
                member.thaw()
            if not member.process.alive():
                self.etcd.launch(number)
        self.etcd.wait_healthy()
        self.etcd.wait_leader()
        wait_until(lambda: self.post("/v3/kv/deleterange", {"key": "AA==", "range_end": "AA=="}), 60, "an empty etcd")

    # -- etcd as the test sees it

    def post(self, path: str, body: Mapping[str, Any]) -> Any:
        """A request of v3 to the first member that answers."""
        problem: Optional[Exception] = None
        for number, member in enumerate(self.etcd.members, 1):
            try:
                if member.process.state() == "running":
                    patience = 20 if self.MEMBERS == 1 else 2  # one that is cut off does not answer, the next one does
                    return self.etcd.http(number, path, dict(body), timeout=patience, headers=self.headers)
            except (OSError, ValueError) as error:
                problem = error
        raise LabError(f"etcd does not answer {path}: {problem}")

    def put(self, key: str, value: str | bytes, lease: int = 0) -> None:
        data = value if isinstance(value, bytes) else value.encode()
        self.post("/v3/kv/put", {"key": encode(key.encode()), "value": encode(data), "lease": str(lease)})

    def put_entry(self, id: str, **fields: str | bytes) -> None:
        for field, value in fields.items():
            self.put(f"{PREFIX}/{id}/{field}", value)

    def delete(self, key: str, prefix: bool = False) -> None:
        end = {"range_end": encode(key.encode()[:-1] + bytes([key.encode()[-1] + 1]))} if prefix else {}
        self.post("/v3/kv/deleterange", {"key": encode(key.encode()), **end})

    def keys(self, prefix: str = PREFIX + "/") -> dict[str, KV]:
        end = prefix.encode()[:-1] + bytes([prefix.encode()[-1] + 1])
        reply = wait_until(lambda: self._range(prefix.encode(), end), 60, "etcd to answer")
        return {base64.b64decode(kv["key"]).decode(errors="replace"):
                KV(base64.b64decode(kv.get("value", "")).decode(errors="replace"), int(kv.get("lease", 0)),
                   int(kv["create_revision"]), int(kv["mod_revision"])) for kv in reply.get("kvs", [])}

    def _range(self, key: bytes, end: bytes) -> Optional[dict]:
        try:
            return self.post("/v3/kv/range", {"key": encode(key), "range_end": encode(end)})
        except LabError:
            return None

    def entries(self, prefix: str = PREFIX) -> dict[str, dict[str, str]]:
        """id -> field -> value"""
        found: dict[str, dict[str, str]] = defaultdict(dict)
        for key, kv in self.keys(prefix + "/").items():
            id, _, field = key.removeprefix(prefix + "/").partition("/")
            found[id][field] = kv.value
        return dict(found)

    def ip_key(self, id: str) -> Optional[KV]:
        return self.keys(f"{PREFIX}/{id}/").get(f"{PREFIX}/{id}/ip")

    def wait_entry(self, id: str, timeout: float = 60) -> KV:
        """Wait until an id is registered; its address."""
        return wait_until(lambda: self.ip_key(id), timeout, f"{id} to be registered")

    def wait_gone(self, id: str, timeout: float = 60) -> None:
        wait_until(lambda: id not in self.entries(), timeout, f"{id} to be gone")

    def assert_fed(self, hear: Callable[[], list[str]], heard: list[str], limit: float, seconds: float,
                   program: Program) -> None:
        """Never is systemd's watchdog left alone for as long as it would wait. When we or the program got no processor for a
        while, as on a busy host, that while counts for nobody."""
        end, last, before = time.monotonic() + seconds, time.monotonic(), time.monotonic()
        starved = program.starved()
        while time.monotonic() < end:
            now, waited = time.monotonic(), program.starved()
            last, before, starved = last + max(0.0, now - before - 0.1) + waited - starved, now, waited
            if "WATCHDOG=1" in hear():
                last = now
            heard.clear()
            self.assertLess(now - last, limit, program.err)
            time.sleep(0.02)

    def end_of_ttl(self) -> float:
        """For how long to look on when something must not vanish."""
        return self.TTL + 0.8  # etcd looks for expired leases twice a second

    # -- programs under test

    def settings(self, overrides: Mapping[str, Mapping[str, object]] = {}) -> str:
        """A configuration file of its own for every start; its path."""
        type(self).started += 1
        sections: dict[str, dict[str, object]] = {
            "etcd": {"endpoints": ",".join(self.etcd.endpoints)},
            "register": {"ttl": f"{self.TTL}s", "check_interval": "0s", "check_port": 0, "host": "db.example",
                         "stop_timeout": "20s"}}  # a busy etcd may need longer than a second to take an entry out
        for section, keys in overrides.items():
            sections.setdefault(section, {}).update(keys)
        path = self.home / f"{self.started}.conf"
        path.write_text(ini(sections))
        path.chmod(0o600)
        return str(path)

    def start(self, name: str, *arguments: str, settings: Mapping[str, Mapping[str, object]] = {},
              env: Mapping[str, str] = {}, stdout: Optional[int] = None) -> Program:
        conf = self.settings(settings)
        program = Program(self.home, f"{self.started}-{name}", [binary(name), "-c", conf, *arguments], env, stdout)
        self.addCleanup(program.kill)
        return program

    def register(self, id: str, *arguments: str, ip: str = "10.0.0.1",
                 settings: Mapping[str, Mapping[str, object]] = {}, env: Mapping[str, str] = {}) -> Program:
        """Start galera-register; nothing is known about it yet."""
        return self.start("galera-register", "--id", id, "--ip", ip, *arguments, settings=settings, env=env)

    def registered(self, id: str, *arguments: str, **more: Any) -> Program:
        """... and wait until it says that it has registered."""
        program = self.register(id, *arguments, **more)
        program.wait_said(r"notice: registered( again)? id=")
        return program

    def watcher(self, *arguments: str, **more: Any) -> Program:
        """A galera-discover that prints one line of JSON a change."""
        return self.start("galera-discover", "--watch", "--format", "json", *arguments, **more)

    def run_program(self, name: str, *arguments: str, settings: Mapping[str, Mapping[str, object]] = {},
                    timeout: float = 60) -> Checked:
        return run_checker([binary(name), "-c", self.settings(settings), *arguments], timeout=timeout)

    def discover(self, *arguments: str, **more: Any) -> Checked:
        return self.run_program("galera-discover", *arguments, **more)


class MembersCase(RegistryCase):
    """Tests against an etcd of three members, which can be cut off from each other."""

    MEMBERS = 3
    OPTIONS = {"advertised_peer_port": PEER_PORT}

    @classmethod
    def setUpClass(cls) -> None:
        net = Lab().net
        cls.network = PeerNetwork([f"{net}.{200 + number}" for number in range(1, cls.MEMBERS + 1)])
        cls.addClassCleanup(cls.network.close)
        super().setUpClass()

    def setUp(self) -> None:
        self.network.mend()
        super().setUp()

    def follower(self) -> int:
        """A member that does not lead."""
        return self.etcd.wait_leader() % self.MEMBERS + 1

    def through(self, first: int) -> dict[str, str]:
        """Section [etcd] with this member as the first endpoint."""
        urls = self.etcd.endpoints
        return {"endpoints": ",".join(urls[first - 1:] + urls[:first - 1])}

    def isolate(self, member: int) -> None:
        """Cut a member off from the others, and wait until it knows; clients still reach it."""
        identity = int(self.etcd.http(member, "/v3/maintenance/status", {})["header"]["member_id"])
        self.network.isolate(member, f"{identity:x}")
        wait_until(lambda: not self.etcd.healthy(member), 60, f"member {member} to be without a leader")


def encode(data: bytes) -> str:
    return base64.b64encode(data).decode()
