"""Random histories of three nodes that galera-init runs: starts, stops, kills at any step, hangs, partitions, etcd outages.

Each ends with everything mended, and then there is one cluster with one uuid, and every row that any server ever
acknowledged is on every node.

INIT_HISTORIES is how many (default 8; `make soak` has hundreds), INIT_SECONDS for how long a new one may begin,
INIT_SEED repeats a run: the same events with the same pauses between them. `make test` has the same ones every time, so that it
judges a change and not the dice; `make soak` throws them (INIT_SEED=random)."""
from __future__ import annotations

import os
import random
import sys
import time
import unittest

from initcase import LabError, Managed, SqlError, WholeCase

SLOW = True

HISTORIES = int(os.environ.get("INIT_HISTORIES") or 8)
SECONDS = float(os.environ.get("INIT_SECONDS") or 400)
WANTED = os.environ.get("INIT_SEED") or "978794"
SEED = random.SystemRandom().randrange(1_000_000) if WANTED == "random" else int(WANTED)
STEPS = ("attest-noted", "attest-written", "claim-written", "start-written", "lineage-saved", "server-started",
         "primary-seen", "primary-written", "stop-noted", "server-stopped", "stop-written")


class Soak(WholeCase):
    def setUp(self) -> None:
        super().setUp()
        self.random = random.Random(SEED)
        self.said: list[str] = []

    # -- what happens; whatever cannot happen as things are is left out

    def event_kill(self, node: Managed) -> None:
        node.kill()

    def event_kill_at_once(self, _node: Managed) -> None:
        self.kill_all()

    def event_kill_init(self, node: Managed) -> None:
        node.kill_init()

    def event_kill_server(self, node: Managed) -> None:
        node.kill_server()

    def event_stop(self, node: Managed) -> None:
        node.terminate()

    def event_stop_and_wait(self, node: Managed) -> None:
        node.terminate()
        node.process.wait_gone(15)

    def event_start(self, node: Managed) -> None:
        node.launch()

    def event_start_all(self, _node: Managed) -> None:
        self.start_the_dead()

    def event_start_to_die(self, node: Managed) -> None:
        node.launch(kill_at=self.random.choice(STEPS))

    def event_freeze_init(self, node: Managed) -> None:
        node.process.freeze()

    def event_freeze_server(self, node: Managed) -> None:
        node.freeze_server()

    def event_thaw(self, node: Managed) -> None:
        node.thaw_all()

    def event_isolate(self, node: Managed) -> None:
        node.sql("SET GLOBAL wsrep_provider_options='gmcast.isolate=1'", timeout=3)

    def event_reconnect(self, node: Managed) -> None:
        node.sql("SET GLOBAL wsrep_provider_options='gmcast.isolate=0'", timeout=3)

    def event_etcd_kill(self, _node: Managed) -> None:
        self.lab.etcd.member(1).kill()

    def event_etcd_freeze(self, _node: Managed) -> None:
        self.lab.etcd.member(1).freeze()

    def event_etcd_mend(self, _node: Managed) -> None:
        self.mend_etcd()

    WEIGHTS = {"kill": 5, "kill_at_once": 2, "kill_init": 2, "kill_server": 2, "stop": 3, "stop_and_wait": 2, "start": 7,
               "start_all": 4, "start_to_die": 5, "freeze_init": 2, "freeze_server": 1, "thaw": 3, "isolate": 2,
               "reconnect": 2, "etcd_kill": 2, "etcd_freeze": 1, "etcd_mend": 3}

    def event(self) -> None:
        name = self.random.choices(list(self.WEIGHTS), list(self.WEIGHTS.values()))[0]
        node = self.random.choice(self.nodes)
        try:
            getattr(self, f"event_{name}")(node)
            self.said.append(f"{name} {node.name}")
        except (LabError, SqlError):
            self.said.append(f"({name} {node.name})")
        pause = self.random.choice((0.0, 0.2, 1.0, 3.0))
        time.sleep(pause)

    # -- the end of each history

    def start_the_dead(self) -> None:
        """What a unit with Restart=always does."""
        for node in self.nodes:
            if not node.process.alive():
                node.launch()

    def mend(self) -> None:
        self.mend_etcd()
        for node in self.nodes:
            node.thaw_all()
            if node.process.alive():
                try:
                    node.reconnect()
                except SqlError:
                    pass

    def become_whole(self) -> None:
        def synced() -> bool:
            self.start_the_dead()
            return all(node.usable() and node.status().get("wsrep_cluster_size") == str(self.NODES) for node in self.nodes)

        self.mend()
        self.wait_for(synced, 180, "the nodes to be whole")
        self.wait_whole()
        self.assert_one_cluster(self.uuid)

    def history(self) -> None:
        self.said = []
        self.ledger.start({node.name: node.app() for node in self.nodes})
        for _ in range(self.random.randint(3, 9)):
            self.event()
        self.become_whole()

    def test_random_histories_end_in_one_cluster_with_all_that_was_acknowledged(self) -> None:
        print(f"soak: INIT_SEED={SEED} INIT_HISTORIES={HISTORIES}", file=sys.stderr, flush=True)
        self.addCleanup(self.ledger.stop)
        began = time.monotonic()
        done = 0
        while done < HISTORIES and (done < 3 or time.monotonic() - began < SECONDS):
            start = time.monotonic()
            try:
                self.history()
            except (AssertionError, LabError) as error:
                raise AssertionError(f"INIT_SEED={SEED}, history {done + 1}, after {', '.join(self.said)}: {error}") \
                    from None
            done += 1
            print(f"soak: history {done}: {time.monotonic() - start:.0f} s, {self.ledger.count()} rows: "
                  f"{', '.join(self.said)}", file=sys.stderr, flush=True)
        self.assertGreater(self.ledger.count(), done, "nothing was written meanwhile")


if __name__ == "__main__":
    unittest.main()
