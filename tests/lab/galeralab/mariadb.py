"""MariaDB servers: a node of a Galera cluster, or a plain server without wsrep."""
from __future__ import annotations

import re
import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from typing import Sequence

from . import host
from .client import Account, SqlError, columns, run_sql
from .process import Process, tail
from .wait import LabError, wait_until

__all__ = ["CHECK_PASSWORD", "Node", "NodeOptions", "Server", "SqlError"]

CHECK_PASSWORD, APP_PASSWORD, SST_PASSWORD = "check-secret", "app-secret", "sst-secret"

# The grants are the least that each account needs; root logs in through the socket as the lab's user.
CHECK_ACCOUNT = f"CREATE OR REPLACE USER clustercheck@'%' IDENTIFIED BY '{CHECK_PASSWORD}';"
USERS = f"""
CREATE DATABASE IF NOT EXISTS app;
CREATE OR REPLACE USER app@'%' IDENTIFIED BY '{APP_PASSWORD}';
GRANT ALL ON app.* TO app@'%';
CREATE OR REPLACE USER sst@localhost IDENTIFIED BY '{SST_PASSWORD}';
GRANT RELOAD, PROCESS, LOCK TABLES, BINLOG MONITOR ON *.* TO sst@localhost;
"""
ACCOUNTS = f"{CHECK_ACCOUNT}\n{USERS}"


@dataclass
class NodeOptions:
    """What a test may want different; everything else is the same for every server of a lab."""

    sst: str = "mariabackup"
    max_connections: int = 100
    extra_port: int = 0
    flush_log: int = 1
    provider: dict[str, str] = field(default_factory=dict)  # more wsrep_provider_options
    lines: list[str] = field(default_factory=list)  # more lines of [mysqld]; the last one wins


class Server:
    """A MariaDB server without wsrep, and what it has in common with a cluster's node."""

    def __init__(self, home: Path, address: str) -> None:
        self.home, self.address, self.name = home, address, home.name
        self.data, self.socket = home / "data", home / "mysql.sock"
        self.cnf, self.log = home / "my.cnf", home / "error.log"
        self.process = Process(home, "mariadbd")

    def root(self) -> Account:
        return Account(host.own_user(), socket=str(self.socket))

    def app(self) -> Account:
        return Account("app", APP_PASSWORD, host=self.address, database="app")

    # -- configuration

    def configure(self, options: NodeOptions = NodeOptions()) -> None:
        """Write my.cnf; the host's directory is created on the way."""
        for directory in (self.home, self.data, self.home / "tmp"):
            directory.mkdir(exist_ok=True)
            host.give_to_server(directory)
        self.data.chmod(0o755)  # as Debian's: clustercheck looks for sst_in_progress in it
        self.cnf.write_text("\n".join(self._lines(options)) + "\n")
        self.cnf.chmod(0o600)
        host.give_to_server(self.cnf)

    def _lines(self, options: NodeOptions) -> list[str]:
        return ["[mysqld]", f"datadir = {self.data}", f"socket = {self.socket}",
                f"pid-file = {self.home}/mysqld.pid", f"log-error = {self.log}", f"tmpdir = {self.home}/tmp",
                f"bind-address = {self.address}", "port = 3306", "skip-name-resolve",
                *([f"extra_port = {options.extra_port}"] if options.extra_port else []),
                f"max_connections = {options.max_connections}", "performance_schema = OFF",
                "innodb_buffer_pool_size = 32M", "innodb_log_file_size = 8M",
                f"innodb_flush_log_at_trx_commit = {options.flush_log}", *options.lines]

    # -- life

    def install(self, *arguments: str) -> None:
        """Create the system tables of a first node, or of a plain server."""
        command = [host.tool("mariadb-install-db"), f"--defaults-file={self.cnf}", "--skip-test-db",
                   "--skip-name-resolve", f"--user={host.server_user()}",
                   "--auth-root-authentication-method=socket", f"--auth-root-socket-user={host.own_user()}", *arguments]
        done = subprocess.run(command, capture_output=True, text=True, cwd=self.home, check=False, timeout=120)
        if done.returncode:
            raise LabError(f"mariadb-install-db failed: {done.stdout}{done.stderr}\n{tail(self.log)}")

    def launch(self, *arguments: str) -> None:
        """Start mariadbd and return at once; nothing is known about its readiness."""
        self.process.start([host.tool("mariadbd"), f"--defaults-file={self.cnf}",
                            f"--user={host.server_user()}", *arguments],
                           {"TMPDIR": str(self.home / "tmp"), "PATH": host.search_path()})

    def start(self, *arguments: str, timeout: float = 60) -> None:
        """Start and wait until the server is ready for queries."""
        self.launch(*arguments)
        self.wait_ready(timeout)

    def wait_ready(self, timeout: float = 60) -> None:
        self.process.wait_ready(self.usable, timeout, self.log)

    def usable(self) -> bool:
        return self.answers()

    def answers(self) -> bool:
        try:
            return self.sql("SELECT 1", timeout=5) == [["1"]]
        except SqlError:
            return False

    def create_accounts(self) -> None:
        self.sql(ACCOUNTS)

    def stop(self, timeout: float = 60) -> None:
        self.process.stop(timeout)

    def kill(self) -> None:
        self.process.kill()

    def freeze(self) -> None:
        self.process.freeze()

    def thaw(self) -> None:
        self.process.thaw()

    # -- questions

    def sql(self, statement: str, timeout: float = 30) -> list[list[str]]:
        """Run statements as root; rows of strings."""
        return run_sql(self.root(), statement, timeout)

    def value(self, expression: str) -> str:
        return self.sql(f"SELECT {expression}")[0][0]

    def variable(self, name: str) -> str:
        return columns(self.sql(f"SHOW GLOBAL VARIABLES LIKE '{name}'")).get(name, "")

    def status(self, timeout: float = 5) -> dict[str, str]:
        """wsrep_* status by name; empty when the server does not answer."""
        try:
            return columns(self.sql("SET SESSION wsrep_sync_wait=0; SHOW GLOBAL STATUS LIKE 'wsrep\\_%'", timeout))
        except SqlError:
            return {}


class Node(Server):
    """A node of the lab's Galera cluster."""

    def __init__(self, home: Path, address: str, peers: Sequence[str], cluster: str) -> None:
        super().__init__(home, address)
        self.peers, self.cluster = peers, cluster

    def _membership_lines(self) -> list[str]:
        """Which cluster the server belongs to, and as whom."""
        if not self.peers:
            raise LabError(f"{self.name}: an empty gcomm:// would bootstrap a second cluster")
        return [f"wsrep_cluster_name = {self.cluster}", f"wsrep_cluster_address = gcomm://{','.join(self.peers)}",
                f"wsrep_node_name = {self.name}", f"wsrep_node_address = {self.address}"]

    def _lines(self, options: NodeOptions) -> list[str]:
        provider = {"base_host": self.address, "gmcast.listen_addr": f"tcp://{self.address}:4567",
                    "ist.recv_addr": f"{self.address}:4568", "gcache.size": "32M", **options.provider}
        common, extra = super()._lines(NodeOptions(**{**vars(options), "lines": []})), options.lines
        return common + [
            "binlog_format = ROW", "default_storage_engine = InnoDB", "innodb_autoinc_lock_mode = 2",
            "wsrep_on = ON", "wsrep_provider = /usr/lib/galera/libgalera_smm.so",
            *self._membership_lines(),
            f"wsrep_node_incoming_address = {self.address}:3306",
            f"wsrep_sst_method = {options.sst}", f"wsrep_sst_auth = sst:{SST_PASSWORD}",
            f"wsrep_sst_receive_address = {self.address}:4444",
            'wsrep_provider_options = "' + ";".join(f"{key}={value}" for key, value in provider.items()) + '"',
            *extra,
            # socat binds every address unless told; two labs must not meet on port 4444
            "[sst]", f"sockopt = ,bind={self.address}", f"tmpdir = {self.home}/tmp",
            f"sst-log-archive-dir = {self.home}/tmp"]

    def bootstrap(self, timeout: float = 180) -> None:
        """Form a new cluster.  The option goes to argv only: left in a file, it would do so again."""
        self.start("--wsrep-new-cluster", *self._position(), timeout=timeout)

    def recover(self) -> str:
        """What `mariadbd --wsrep-recover` says: UUID:SEQNO."""
        log = self.home / "recover.log"
        log.unlink(missing_ok=True)
        subprocess.run([host.tool("mariadbd"), f"--defaults-file={self.cnf}", f"--user={host.server_user()}",
                        "--wsrep-recover", "--wsrep-cluster-address=dummy://", f"--log-error={log}"], cwd=self.home, check=False, timeout=60,
                       stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        found = re.search(r"Recovered position:\s*(\S+:-?\d+)", log.read_text(errors="replace"))
        if not found:
            raise LabError(f"{self.name}: no position recovered:\n{tail(log)}")
        return found.group(1)

    def crashed(self) -> bool:
        """Does grastate.dat show a history, but not where in it the server died?"""
        state = self.grastate()
        return state.get("seqno") == "-1" and bool(state.get("uuid", "").strip("0-"))

    def grastate(self) -> dict[str, str]:
        try:
            lines = (self.data / "grastate.dat").read_text().splitlines()
        except OSError:
            return {}
        return {key.strip(): value.strip() for key, _, value in (line.partition(":") for line in lines)}

    def forget_position(self) -> None:
        """Make the next start ask for a full state transfer."""
        (self.data / "grastate.dat").unlink(missing_ok=True)

    def _position(self) -> list[str]:
        """As Debian's service does: after a crash, start at the position that InnoDB still knows."""
        if not self.grastate().get("uuid", "").strip("0-"):
            # It died in a schema change, and gets a full transfer, which leaves this log; by it the server would drop
            # tables of the new copy.
            (self.data / "ddl_recovery.log").unlink(missing_ok=True)
        return [f"--wsrep-start-position={self.recover()}"] if self.crashed() else []

    def join_launch(self, *arguments: str) -> None:
        """Start as a member of the cluster and return at once."""
        self.launch(*self._position(), *arguments)

    def join(self, *arguments: str, timeout: float = 180) -> None:
        self.join_launch(*arguments)
        self.wait_ready(timeout)

    def usable(self) -> bool:
        """Synced in a Primary Component, and ready."""
        status = self.status()
        return (status.get("wsrep_local_state"), status.get("wsrep_cluster_status"),
                status.get("wsrep_ready")) == ("4", "Primary", "ON")

    def wsrep(self, name: str, timeout: float = 60) -> str:
        """One wsrep_* status of a server that is expected to answer, be it late."""
        return wait_until(lambda: self.status().get(f"wsrep_{name}"), timeout, f"{self.name} to tell its wsrep_{name}")

    def wait_status(self, name: str, value: str, timeout: float = 60) -> None:
        wait_until(lambda: self.status().get(f"wsrep_{name}") == value, timeout,
                   f"wsrep_{name} of {self.name} to be {value}")

    def isolate(self, timeout: float = 60) -> None:
        """Cut the node off from the others, as a network partition would; returns when it has noticed."""
        self.sql("SET GLOBAL wsrep_provider_options='gmcast.isolate=1'")
        wait_until(lambda: self.status().get("wsrep_cluster_status") != "Primary", timeout,
                   f"{self.name} to be non-Primary")

    def reconnect(self) -> None:
        self.sql("SET GLOBAL wsrep_provider_options='gmcast.isolate=0'")

    def rejoin(self, timeout: float = 60) -> None:
        """End the isolation, and wait until the node is Synced again."""
        self.reconnect()
        self.wait_ready(timeout)

    def heal(self, timeout: float = 180) -> None:
        """Undo whatever a test did to this node while its cluster is Primary; it is Synced afterwards."""
        if not self.process.alive():
            self.kill()  # also what state transfer left behind
            self.join(timeout=timeout)
        self.undo_settings()
        self.wait_ready(timeout)

    def undo_settings(self) -> None:
        """What an admin can set by hand, and a test may have."""
        self.sql("SET GLOBAL wsrep_desync=OFF; SET GLOBAL wsrep_reject_queries=NONE; SET GLOBAL read_only=OFF")
