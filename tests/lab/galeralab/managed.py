"""Nodes whose main process is galera-init: it makes, starts, watches and ends their servers."""
from __future__ import annotations

import json
import re
import shlex
import shutil
import signal
import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Mapping, Optional, Sequence

from . import host
from .checker import Checker
from .mariadb import USERS, Node, NodeOptions
from .process import Identity, Process, at_rest, identify, marked, parent, send, stopped
from .terminal import run_on_terminal
from .wait import LabError, LabTimeout, wait_until

STARTED_BY_US = "--wsrep-node-name"  # in the argv of the server proper; not in that of --wsrep-recover and the like
KILL_AT = "GALERA_INIT_TEST_KILL"  # galera-init's own hook: it ends itself by SIGKILL at the step that this names
# Galera's group timeouts for a LAN: the defaults take twice as long to notice that a node is dead.
LAN = {"evs.keepalive_period": "PT0.5S", "evs.suspect_timeout": "PT3S", "evs.inactive_timeout": "PT6S",
       "evs.install_timeout": "PT6S"}
WITHOUT_SERVER = {"attest-lost", "forget"}  # verbs that are about another node


def freeze_together(servers: Sequence[Identity]) -> None:
    """Hold them all in the same moment; returns when all their threads are at rest."""
    for identity in servers:
        send(identity, signal.SIGSTOP)
    for identity in servers:
        wait_until(lambda: at_rest(identity), 60, f"the server {identity.pid} to freeze", 0.01)


def kill_together(processes: Sequence[Identity]) -> None:
    """SIGKILL to all of them in the same moment; returns when they are gone."""
    for identity in processes:
        send(identity, signal.SIGKILL)
    for identity in processes:
        wait_until(lambda: identify(identity.pid) != identity, 60, f"the process {identity.pid} to end", 0.02)


@dataclass
class InitOptions:
    """What a test may want different in a managed node."""

    nodes: int = 3
    server: NodeOptions = field(default_factory=lambda: NodeOptions(sst="rsync", provider=LAN))
    init: Mapping[str, Optional[str]] = field(default_factory=dict)  # more keys of [init]; None leaves one out
    mysql: Mapping[str, Optional[str]] = field(default_factory=dict)


class Managed(Node):
    """A host that galera-init is in charge of.  Its process is galera-init's; the server is a child of that."""

    def __init__(self, home: Path, address: str, cluster: str, endpoints: Sequence[str]) -> None:
        super().__init__(home, address, [], cluster)
        self.endpoints = endpoints
        self.process = Process(home, "galera-init")
        self.output, self.state = self.process.output, home / "state"
        self.checker = Checker(self)
        self.conf, self.users = self.checker.conf, home / "users.sql"
        self.prefix: list[str] = []  # what goes before every command line of this host
        self.options: Optional[InitOptions] = None  # as last configured
        self.launched = 0  # where in the log the last launch begins

    @staticmethod
    def is_at(home: Path) -> bool:
        """Is the host whose directory this is a managed one?"""
        return (home / "users.sql").exists()

    # -- configuration

    def _membership_lines(self) -> list[str]:
        return []  # galera-init passes them in argv

    def configure(self, options: InitOptions = InitOptions()) -> None:
        """Write my.cnf, clustercheck.conf and the statements of `users_sql`."""
        self.options = options
        super().configure(options.server)
        self.state.mkdir(exist_ok=True)
        self.users.write_text(USERS)
        init = {"cluster": self.cluster, "node": self.name, "address": self.address, "nodes": str(options.nodes),
                "state_dir": str(self.state), "users_sql": str(self.users), "admin_user": host.own_user(),
                "ttl": "2s", "poll": "200ms", "patience": "20s", "stop_timeout": "60s", "drain": "0s", **options.init}
        self.checker.configure({"etcd": {"endpoints": ",".join(self.endpoints), "timeout": "1s"}, "init": init,
                                "mysql": options.mysql})

    def argv(self, *arguments: str) -> list[str]:
        """galera-init with this host's configuration, and its server where that matters."""
        server = ["--", host.tool("mariadbd"), f"--defaults-file={self.cnf}", f"--user={host.server_user()}"]
        return [*self.prefix, str(host.program("galera-init")), "-c", str(self.conf), *arguments,
                *([] if WITHOUT_SERVER & set(arguments) else server)]

    def env(self) -> dict[str, str]:
        return {"TMPDIR": str(self.home / "tmp"), "PATH": f"{self.home}/bin:{host.search_path()}"}

    def hold_transfers(self) -> None:
        """As a donor by rsync it sends nothing before release_transfers()."""
        script, gate = self.home / "bin" / "rsync", self.home / "transfers-held"
        gate.touch()
        script.parent.mkdir(exist_ok=True)
        script.write_text(f"#!/bin/sh\nwhile [ -e {shlex.quote(str(gate))} ]; do sleep 0.1; done\nexec {host.tool('rsync')} \"$@\"\n")
        script.chmod(0o755)

    def release_transfers(self) -> None:
        (self.home / "transfers-held").unlink(missing_ok=True)

    def blank(self) -> None:
        """Make it the host of an empty node that was never in a cluster; it is stopped."""
        self.lose_data()
        self.lose_state()
        for path in (self.log, self.output):
            path.unlink(missing_ok=True)

    def lose_data(self) -> None:
        """The disk with the data directory was replaced."""
        shutil.rmtree(self.data, ignore_errors=True)
        self.data.mkdir(mode=0o755)
        host.give_to_server(self.data)

    def lose_state(self) -> None:
        shutil.rmtree(self.state, ignore_errors=True)
        self.state.mkdir()

    # -- life

    def launch(self, *arguments: str, kill_at: str = "", env: Mapping[str, str] = {}) -> None:
        """Start galera-init and return at once; with `kill_at`, one that dies at this step."""
        hook = {KILL_AT: kill_at} if kill_at else {}
        self.launched = self.mark()
        self.process.start(self.argv("-v", *arguments), {**self.env(), **env, **hook})

    def start(self, *arguments: str, timeout: float = 90) -> None:
        self.launch(*arguments)
        self.wait_ready(timeout)

    def wait_ready(self, timeout: float = 90) -> None:
        self.process.wait_ready(self.usable, timeout)

    def wait_settled(self, timeout: float = 90) -> None:
        """galera-init knows that its server is Primary, and has recorded it: accounts and databases are made by then."""
        self.wait_said(r"action=run cause=running", timeout)

    def join_launch(self, *arguments: str) -> None:
        self.launch(*arguments)

    def bootstrap(self, timeout: float = 60) -> None:
        raise LabError(f"{self.name}: galera-init decides who bootstraps: start it")

    def server(self) -> Optional[Identity]:
        """The server, whoever is its parent now."""
        for identity in marked(self.process.mark):
            try:
                words = Path(f"/proc/{identity.pid}/cmdline").read_bytes().split(b"\0")
            except OSError:
                continue
            if Path(words[0].decode()).name == "mariadbd" and any(w.startswith(STARTED_BY_US.encode()) for w in words):
                return identity
        return None

    def in_charge(self) -> bool:
        """Is its server a child of the galera-init that runs now, and not one that was left behind?"""
        init, server = self.process.identity, self.server()
        return bool(init and server) and parent(server) == init.pid

    def server_argv(self) -> list[str]:
        identity = self.server()
        if not identity:
            return []
        return Path(f"/proc/{identity.pid}/cmdline").read_bytes().decode().split("\0")[:-1]

    def kill_init(self) -> None:
        """SIGKILL to galera-init alone."""
        self.process.signal(signal.SIGKILL)
        self.process.wait_gone(60)

    def kill_server(self) -> None:
        """SIGKILL to the server alone."""
        kill_together([self._server()])

    def freeze_server(self) -> None:
        freeze_together([self._server()])

    def thaw_server(self) -> None:
        send(self._server(), signal.SIGCONT)

    def _server(self) -> Identity:
        identity = self.server()
        if not identity:
            raise LabError(f"{self.name} has no server")
        return identity

    def thaw_all(self) -> None:
        """Whatever of this host was frozen goes on."""
        for identity in marked(self.process.mark):
            if stopped(identity):
                send(identity, signal.SIGCONT)

    def terminate(self) -> None:
        """SIGTERM to galera-init, without waiting."""
        self.process.signal(signal.SIGTERM)

    def stop(self, timeout: float = 90) -> None:
        """Clean stop by SIGTERM; whoever does not obey, or ends in another way than cleanly, is an error."""
        if self.process.alive():
            self.process.thaw()
            self.terminate()
            code = self.wait_exit(timeout)
            if code not in (0, None):
                raise LabError(f"{self.name}: galera-init ended with {code}:\n{self.words(25)}")
        if self.server():
            raise LabError(f"{self.name}: galera-init has ended and left its server running")

    def wait_exit(self, timeout: float = 60) -> Optional[int]:
        """Wait until galera-init ends by itself; its exit code."""
        try:
            self.process.wait_gone(timeout)
        except LabTimeout as error:
            raise LabTimeout(f"{error}\n{self.words(25)}") from None
        return self.process.exit_code()

    def heal(self, timeout: float = 120) -> None:
        self.thaw_all()
        if not self.process.alive():
            self.launch()
        self.wait_ready(timeout)
        self.undo_settings()

    # -- what it says

    def words(self, lines: int = 0) -> str:
        """What galera-init and its server have written to their standard error: all, or the last lines."""
        try:
            text = self.output.read_text(errors="replace")
        except OSError:
            return ""
        return "\n".join(f"  {self.name}| {line}" for line in text.splitlines()[-lines:]) if lines else text

    def mark(self) -> int:
        """A place in its log, for said() and wait_said()."""
        return len(self.words())

    def said(self, pattern: str, since: Optional[int] = None) -> int:
        """How often its log matches, since the last launch or another mark."""
        return len(re.findall(pattern, self.words()[self.launched if since is None else since:]))

    def wait_said(self, pattern: str, timeout: float = 90, since: Optional[int] = None) -> None:
        try:
            wait_until(lambda: self.said(pattern, since), timeout, f"galera-init of {self.name} to say {pattern!r}")
        except LabTimeout as error:
            raise LabTimeout(f"{error}\n{self.words(25)}") from None

    # -- commands

    def command(self, *arguments: str, stdin: str = "", timeout: float = 90) -> subprocess.CompletedProcess:
        """galera-init with these operands, on this host."""
        return subprocess.run(self.argv(*arguments), env={**host.clean_env(), **self.env()}, cwd=self.home, text=True,
                              input=stdin, capture_output=True, check=False, timeout=timeout)

    def command_on_terminal(self, *arguments: str, typed: Mapping[str, str] = {}) -> tuple[int, str]:
        """The same on a terminal: the exit code, and what was seen there."""
        return run_on_terminal(self.argv(*arguments), {**host.clean_env(), **self.env()}, self.home, typed)

    def plan(self) -> dict[str, Any]:
        """What `galera-init plan` says, as JSON."""
        done = self.command("plan", "--format", "json")
        try:
            return json.loads(done.stdout)
        except ValueError:
            raise LabError(f"{self.name}: galera-init plan: {done.returncode} {done.stdout}{done.stderr}") from None

    def verdict(self) -> tuple[str, str]:
        """What it would do now, and why."""
        plan = self.plan()
        return plan["action"], plan["cause"]
