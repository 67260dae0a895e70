"""What the tests of galera-init stand on: an etcd, hosts whose main process is galera-init, and a ledger of what clients
were promised.

A WholeCase finds a cluster that is whole before each test, a BlankCase finds empty hosts that were never in one."""
from __future__ import annotations

import re
import sys
import time
from typing import Any, Callable, Iterable, Optional

from harness import Lab, LabCase, LabTimeout, end_shared, shared, wait_until

from galeralab import LabError, host
from galeralab.keys import Keys
from galeralab.ledger import Ledger
from galeralab.managed import InitOptions, Managed, kill_together
from galeralab.mariadb import NodeOptions, SqlError

__all__ = ["BlankCase", "HEAL", "InitCase", "InitOptions", "Keys", "Lab", "LabError", "LabTimeout", "Ledger", "Managed",
           "NodeOptions", "REFUSED", "SqlError", "WholeCase", "host", "wait_until"]

REFUSED = 77
HEAL = 180.0  # seconds; a loaded machine and a state transfer for each node


class InitCase(LabCase):
    """Managed hosts n1.. and an etcd; nothing is started yet."""

    NODES = 3
    OPTIONS = InitOptions()
    nodes: list[Managed]
    keys: Keys
    ledger: Ledger

    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        cls.prepare()

    @classmethod
    def prepare(cls) -> None:
        cls.nodes = cls.lab.prepare(cls.NODES, cls.OPTIONS)
        cls.keys = cls.lab.keys
        cls.ledger = Ledger(cls.lab.directory / "ledger")
        cls.addClassCleanup(cls.ledger.stop)

    def node(self, number: int) -> Managed:
        return self.nodes[number - 1]

    # -- putting things right

    def mend_etcd(self) -> None:
        for number, member in enumerate(self.lab.etcd.members, 1):
            if member.process.frozen():
                member.thaw()
            if not member.process.alive():
                self.lab.etcd.launch(number)
        self.lab.etcd.wait_healthy()

    def blank(self) -> None:
        """Kill everything and forget all that there was: empty hosts, empty etcd, the class's configuration."""
        self.ledger.stop()
        self.ledger.clear()
        self.mend_etcd()
        for node in self.nodes:
            node.kill()
            node.blank()
            node.configure(self.OPTIONS)
        self.keys.clear()

    def heal(self, timeout: float = HEAL) -> None:
        """Take away whatever stands in the cluster's way; then it has to become whole by itself."""
        self.mend_etcd()
        for node in self.nodes:
            node.thaw_all()
        for node in self.nodes:
            if node.process.alive():
                try:
                    node.reconnect()
                except SqlError:  # nobody isolates a server that does not answer
                    pass
            else:
                node.launch()
        self.wait_whole(timeout)

    def wait_whole(self, timeout: float = HEAL) -> None:
        """All nodes are Synced members of one Primary Component."""
        self.wait_synced(self.nodes, timeout)

    def wait_synced(self, nodes: Iterable[Managed], timeout: float = HEAL) -> None:
        """These nodes, and no others, are Synced members of one Primary Component."""
        nodes = list(nodes)

        def view() -> dict[str, tuple[Optional[str], ...]]:
            status = {node.name: node.status() for node in nodes}
            return {name: tuple(each.get(f"wsrep_{key}") for key in
                                ("cluster_status", "local_state_comment", "ready", "cluster_size", "cluster_conf_id"))
                    for name, each in status.items()}

        def whole() -> bool:
            """A server that was left behind looks Synced until the next galera-init stops it."""
            seen = set(view().values())
            return all(node.in_charge() for node in nodes) and len(seen) == 1 and next(iter(seen))[:4] == ("Primary", "Synced", "ON", str(len(nodes)))

        def ended() -> Optional[str]:
            return next((node.name for node in nodes if not node.process.alive()), None)

        try:
            end = wait_until(lambda: whole() or ended(), timeout, f"{', '.join(node.name for node in nodes)} to be one cluster")
            if end is not True:
                raise LabTimeout(f"galera-init of {end} has ended")
        except LabTimeout as error:
            raise LabTimeout(f"{error}; {view()}\n{self.all_words(20)}") from None

    def all_words(self, lines: int) -> str:
        return "\n".join(node.words(lines) for node in self.nodes)

    def kill_all(self) -> None:
        """SIGKILL to all hosts at once, as when the power fails: nobody sees another one die."""
        inits = [node.process.identity for node in self.nodes]
        servers = [node.server() for node in self.nodes]
        kill_together([identity for identity in (*inits, *servers) if identity])
        for node in self.nodes:
            node.kill()

    def launch_all(self, **more: Any) -> None:
        for node in self.nodes:
            node.launch(**more)

    # -- what must be so whenever a cluster is whole

    def assert_one_cluster(self, uuid: str = "") -> str:
        """One history with one uuid, known to etcd, with all that was promised, the same everywhere; its uuid."""
        self.ledger.stop()
        uuids = {node.wsrep("cluster_state_uuid") for node in self.nodes}
        self.assertEqual(len(uuids), 1, uuids)
        found = uuids.pop()
        self.assertIn(uuid, ("", found), "the history is another one")
        wait_until(lambda: self.keys.uuid() == found and self.keys.bootstrap().get("phase") == "primary", 60,
                   "etcd to know the cluster")
        self.assert_ledger()
        self.assert_no_empty_address()
        return found

    def assert_ledger(self) -> None:
        """Every node has every row that was acknowledged, and all nodes have the same rows."""
        if not self.ledger.acknowledged:
            return
        for node in self.nodes:
            self.assertEqual(self.ledger.missing(node.root()), [], f"{node.name} lacks what was acknowledged")
        sums = {str(self.ledger.checksum(node.root())) for node in self.nodes}
        self.assertEqual(len(sums), 1, sums)

    def assert_no_empty_address(self) -> None:
        """An empty gcomm:// would bootstrap; nobody may so much as print one."""
        for node in self.nodes:
            for text in (node.words(), " ".join(node.server_argv())):
                self.assertIsNone(re.search(r"gcomm://(?![\w.\[])", text), node.name)

    def write_rows(self, node: Managed, rows: int = 1) -> None:
        self.ledger.write(node.name, node.app(), rows)

    def keep_writing(self) -> None:
        """A client a node, until assert_one_cluster() or the end of the test."""
        self.ledger.start({node.name: node.app() for node in self.nodes})
        self.addCleanup(self.ledger.stop)

    # -- what galera-init does on its own after SQL has shown a cluster to be whole

    def wait_quiet(self) -> None:
        """Every node has noted its view, which is the last that galera-init writes, and has what all have."""
        noted = ("SET SESSION wsrep_sync_wait=0; SELECT COUNT(*) FROM galera_init.view v WHERE conf_id = (SELECT variable_value "
                 "FROM information_schema.global_status WHERE variable_name = 'wsrep_cluster_conf_id')")

        def quiet() -> bool:
            seqnos = {node.status().get("wsrep_last_committed") for node in self.nodes}
            return len(seqnos) == 1 and None not in seqnos and \
                all(node.sql(noted) == [[str(len(self.nodes))]] for node in self.nodes)

        self.wait_for(quiet, 60, "all views to be noted everywhere")

    def wait_verdict(self, node: Managed, action: str, cause: str) -> None:
        """`galera-init plan` says so.  It speaks as the galera-init whose member key it sees, which is written beside all else."""
        self.wait_for(lambda: node.verdict() == (action, cause), 60, f"{node.name} to {action}, because {cause}")

    def wait_waiting(self, node: Managed) -> None:
        """etcd knows this galera-init as alive and waiting."""
        self.wait_for(lambda: self.keys.member(node.name).get("boot") == self.keys.position(node.name).get("boot"), 60,
                      f"etcd to know that {node.name} waits")

    def force(self, node: Managed) -> None:
        """The operator's last word, which is refused where no galera-init is known to be alive and waiting."""
        self.wait_waiting(node)
        done = node.command("bootstrap", "--force", "--yes-cluster", node.cluster)
        self.assertEqual(done.returncode, 0, done.stderr)

    # -- shorthand

    def marks(self) -> dict[str, int]:
        return {node.name: node.mark() for node in self.nodes}

    def wait_for(self, predicate: Callable[[], Any], timeout: float, what: str) -> Any:
        """wait_until, with what everybody said when it fails."""
        try:
            return wait_until(predicate, timeout, what, 0.1)
        except LabTimeout as error:
            raise LabTimeout(f"{error}\n{self.all_words(20)}") from None

    def begin_transfer(self, joiner: Managed) -> Managed:
        """This node lost its data and gets them anew, by rsync; its donor, which sends nothing before release_transfers()."""
        others = [node for node in self.nodes if node is not joiner]
        self.addCleanup(self.release_transfers)
        for node in others:
            node.hold_transfers()
        joiner.stop()
        joiner.lose_data()
        joiner.launch()
        return self.wait_for(lambda: next((node for node in others if node.status().get("wsrep_local_state") == "2"), None), 90,
                             "a donor")

    def release_transfers(self) -> None:
        for node in self.nodes:
            node.release_transfers()

    def wait_record(self, node: Managed, state: str, timeout: float = 60) -> None:
        self.wait_for(lambda: self.keys.position(node.name).get("state") == state, timeout,
                      f"position/{node.name} to say {state}")

    def wait_dead(self, node: Managed, timeout: float = 90) -> None:
        """The test hook has killed galera-init; its server, if there is one, dies with its host."""
        self.wait_for(lambda: not node.process.alive(), timeout, f"{node.name} to die at the step")
        self.assertEqual(node.process.exit_code(), -9, node.words(20))
        node.kill()


class BlankCase(InitCase):
    """Empty hosts before each test."""

    def setUp(self) -> None:
        self.blank()


class WholeCase(InitCase):
    """A cluster of all hosts, booted by galera-init, that is whole before each test.

    Classes that want the same kind of cluster get the same one, as long as none of another kind comes in between."""

    uuid = ""

    @classmethod
    def setUpClass(cls) -> None:
        kind = repr((cls.LAB, cls.NODES, cls.OPTIONS))
        if shared.get("kind") == kind:
            before = shared["case"]
            cls.lab, cls.nodes, cls.keys, cls.ledger = before.lab, before.nodes, before.keys, before.ledger
            cls.uuid = before.uuid
        else:
            end_shared()
            cls.lab = cls.LAB()
            cls.lab.down()
            shared["lab"] = cls.lab  # from here on somebody ends it
            cls.prepare()
        shared.update(kind=kind, case=cls)

    def setUp(self) -> None:
        whole = shared.pop("whole", False)  # the test before this one has seen to it
        try:
            if self.uuid and not whole:
                self.restore()
                self.assert_one_cluster(self.uuid)
        except (AssertionError, LabError) as error:  # a test before this one has failed; that must not spoil the rest
            print(f"a new cluster, because {str(error)[:2000]}", file=sys.stderr, flush=True)
            type(self).uuid = ""
        if not self.uuid:
            self.blank()
            began = time.monotonic()
            self.launch_all()
            self.wait_whole()
            print(f"first boot of {self.NODES} nodes: {time.monotonic() - began:.1f} s", file=sys.stderr, flush=True)
            self.ledger.create(self.nodes[0].root())
            type(self).uuid = self.assert_one_cluster()
        if not self.ledger.acknowledged:
            self.write_rows(self.node(1), 3)

    def restore(self) -> None:
        """The class's configuration on every host, and a whole cluster."""
        for node in self.nodes:
            if node.options is not self.OPTIONS:
                node.thaw_all()
                node.kill()
                node.configure(self.OPTIONS)
        self.heal()

    def finish(self, timeout: float = HEAL) -> None:
        """The end of a test: everything is mended, and it is still the one cluster with all that was promised."""
        self.heal(timeout)
        self.assert_one_cluster(self.uuid)
        if all(node.options is self.OPTIONS for node in self.nodes):
            shared["whole"] = True
