"""The demonstration: the whole system under load, what is done to it, and what everybody sees of it."""
from __future__ import annotations

import shutil
import sys
import time
from typing import Callable

from .client import Load
from .cluster import Lab
from .haproxy import ANY_PORT, WRITER, WRITER_PORT
from .managed import Managed
from .status import status_lines
from .wait import LabError, wait_until
from .whole import Whole

PACE = 3.0  # seconds that a reached state stays on a terminal, so that it can be read


class Screen:
    """On a terminal a table that is drawn again in place; elsewhere lines, whenever something changed."""

    def __init__(self) -> None:
        self.live = sys.stdout.isatty()
        self._drawn, self._last = 0, ""

    def say(self, text: str) -> None:
        print(f"\n{text}", flush=True)
        self._drawn, self._last = 0, ""

    def draw(self, lines: list[str], key: str) -> None:
        """`key` is what must change before a screen that cannot be redrawn is written to again."""
        if not self.live:
            if key != self._last:
                print("\n".join([*lines, ""]), flush=True)
            self._last = key
            return
        width = shutil.get_terminal_size().columns
        back = f"\x1b[{self._drawn}A" if self._drawn else ""
        print(back + "".join(f"\x1b[2K{line[:width - 1]}\n" for line in lines) + "\x1b[J", end="", flush=True)
        self._drawn = len(lines)


class Demo:
    """The acts, in order."""

    def __init__(self, lab: Lab) -> None:
        self.lab, self.whole, self.screen = lab, Whole(lab), Screen()
        self.began = time.monotonic()
        self.figures: list[tuple[str, str]] = []
        self.readers = Load(lab.app(ANY_PORT), lambda _number: "SELECT @@wsrep_node_name", clients=4, pause=0.02,
                            per_session=25)  # as an application's pool that renews its connections
        self.writer = Load(lab.app(WRITER_PORT), lambda number: f"INSERT INTO demo VALUES ({number})", clients=1,
                           pause=0.02, per_session=25)

    # -- looking on

    def show(self, reached: Callable[[], bool], timeout: float, what: str) -> float:
        """Draw the table until the condition holds, and a while longer where somebody is watching; how long it took."""
        began = time.monotonic()
        deadline, until, took = began + timeout, None, 0.0
        while until is None or time.monotonic() < until:
            served = self.readers.served_by(time.monotonic() - 1)
            table = status_lines(self.lab)
            lines = status_lines(self.lab, "READS/s", {name: str(count) for name, count in served.items()})
            self.screen.draw([*lines, self.traffic()], "\n".join(table))
            if until is None and reached():
                took = time.monotonic() - began
                until = time.monotonic() + (PACE if self.screen.live else 0.5)
            if until is None and time.monotonic() > deadline:
                raise LabError(f"waited {timeout:g} s in vain: {what}")
            time.sleep(0.2)
        return took

    def traffic(self) -> str:
        return (f"reads: {len(self.readers.acknowledged())} answered, {len(self.readers.errors())} failed    "
                f"writes: {len(self.writer.acknowledged())} committed, {len(self.writer.errors())} failed")

    def serves(self, *nodes: Managed) -> Callable[[], bool]:
        """Every one of the nodes has answered reads since now, and writes are committed."""
        since = time.monotonic()
        return lambda: all(self.readers.served_by(since)[node.name] for node in nodes) and \
            any(not outcome.error and outcome.began > since for outcome in self.writer.outcomes[-20:])

    def in_service(self, node: Managed, wanted: bool) -> Callable[[], bool]:
        return lambda: self.whole.status(node).startswith("UP") == wanted

    def writer_node(self) -> Managed:
        """The one that has the writers' sessions."""
        return wait_until(lambda: next((node for node in self.lab.nodes if self._writes_to(node)), None), 10, "a writer")

    def _writes_to(self, node: Managed) -> bool:
        rows = self.whole.haproxy.stat()
        return any(row["pxname"] == WRITER and row["addr"] == f"{node.address}:3306" and int(row["scur"] or 0) > 0
                   for row in rows)

    def figure(self, what: str, value: str) -> None:
        self.figures.append((what, value))

    def failed(self, before: tuple[int, int]) -> str:
        reads, writes = (len(load.errors()) for load in (self.readers, self.writer))
        return f"{reads - before[0]} reads and {writes - before[1]} writes failed"

    def count(self) -> tuple[int, int]:
        return len(self.readers.errors()), len(self.writer.errors())

    # -- the acts

    def start(self) -> None:
        self.screen.say("etcd, three empty hosts with galera-init, galera-register and clustercheck (xinetd), and HAProxy with "
                        "galera-haproxy.\nNobody is told who is first: each finds out ...")
        began = time.monotonic()
        self.whole.up(3)
        took = time.monotonic() - began
        print(f"... a cluster in service after {took:.1f} s", flush=True)
        self.figure("three empty hosts -> cluster in service", f"{took:.1f} s")
        self.lab.node(1).sql("CREATE TABLE app.demo (id BIGINT PRIMARY KEY)")
        self.readers.start()
        self.writer.start()
        self.screen.say(f"Four readers on :{ANY_PORT} (any node), one writer on :{WRITER_PORT} (one node at a time).")
        self.show(self.serves(*self.lab.nodes), 30, "every node to serve reads")

    def join(self) -> None:
        before = self.count()
        self.screen.say("1. A fourth node, on an empty host: it joins by a state transfer and gets its first query when it is "
                        "synced.")
        node = self.whole.add(4, 3)
        took = self.show(self.serves(node), 90, "n4 to serve reads")
        self.figure("a fourth node, empty -> serves queries", f"{took:.1f} s; {self.failed(before)}")

    def kill_writer(self) -> None:
        before = self.count()
        node = self.writer_node()
        self.screen.say(f"2. kill -9 of everything on {node.name}, which has the writers: another node takes the role over.")
        self.whole.kill(node)
        took = self.show(self.serves(*(each for each in self.lab.nodes if each.name != node.name)), 60, "writes to go on")
        self.figure("kill -9 of the writer -> reads and writes on the others", f"{took:.1f} s; {self.failed(before)}")
        before = self.count()
        self.screen.say(f"... and {node.name} comes back: it asks InnoDB where it stands, joins incrementally, and does not take "
                        "the role back.")
        self.whole.start(node)
        took = self.show(self.serves(node), 90, f"{node.name} to serve reads again")
        self.figure("its return -> serves queries", f"{took:.1f} s; {self.failed(before)}")

    def drain(self) -> None:
        before = self.count()
        node = next(each for each in self.lab.nodes if not self._writes_to(each))
        self.screen.say(f"3. systemctl stop on {node.name}: it drains, its sessions end, the server stops, the registry forgets it.")
        self.whole.stop(node)
        self.show(self.in_service(node, False), 30, f"{node.name} to be out of service")
        self.figure("clean stop of a node", self.failed(before))
        self.whole.start(node)
        self.show(self.serves(node), 90, f"{node.name} to serve reads again")

    def lose_etcd(self) -> None:
        before = self.count()
        self.screen.say("4. etcd is stopped for longer than any lease lasts: nodes and HAProxy go on as they are.")
        self.lab.etcd.member(1).kill()
        gone = time.monotonic()
        served = self.serves(*self.lab.nodes)
        self.show(lambda: time.monotonic() - gone > 6 and served(), 30, "all to go on without etcd")
        self.lab.etcd.start(1)
        self.show(self.serves(*self.lab.nodes), 60, "all to go on with etcd")
        self.figure("etcd away for 6 s and back", self.failed(before))

    def lose_everything(self) -> None:
        self.screen.say("5. kill -9 of everything on all four hosts, at once; then all of them start again.")
        nodes = self.lab.nodes
        for node in nodes:
            self.whole.kill(node)
        for node in nodes:
            self.whole.start(node)
        took = self.show(self.serves(*nodes), 120, "every node to serve again")
        self.figure("kill -9 of all nodes -> all serve again", f"{took:.1f} s")

    def end(self) -> None:
        self.readers.stop()
        self.writer.stop()
        acknowledged = set(self.writer.acknowledged())
        lost = {node.name: len(acknowledged - {int(row[0]) for row in node.sql("SELECT id FROM app.demo")})
                for node in self.lab.nodes}
        self.screen.say(f"That was the demonstration, {time.monotonic() - self.began:.0f} s:")
        for what, value in [*self.figures, ("all in all", self.traffic()),
                            ("committed rows that are missing on a node now", str(sum(lost.values())))]:
            print(f"  {what:<56} {value}")
        if any(lost.values()):
            raise LabError(f"committed rows are missing: {lost}")


EXPLORE = """
Explore further by hand:
  tests/lab/lab up 3 --managed     a cluster under galera-init, and it stays
  tests/lab/lab status             the table
  tests/lab/lab init 1 plan        what galera-init on n1 would do now, and why
  tests/lab/lab kill 2             or stop, start, freeze, thaw, isolate, rejoin
  curl -i http://127.0.1.1:9200/   what HAProxy asks; also /rw, /ro and /live
  tests/lab/lab down
"""


def main() -> int:
    demo = Demo(Lab())
    try:
        demo.start()
        demo.join()
        demo.kill_writer()
        demo.drain()
        demo.lose_etcd()
        demo.lose_everything()
        demo.end()
        print(EXPLORE)
        return 0
    except LabError as error:
        print(f"demo: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    finally:
        demo.lab.down()
