"""The demonstration: a cluster of three under load, what is done to it, and what everybody sees of it."""
from __future__ import annotations

import shutil
import sys
import time
from typing import Callable

from .client import Load
from .cluster import Lab
from .haproxy import ANY_PORT, WRITER_PORT
from .mariadb import Node
from .status import status_lines
from .wait import LabError

PACE = 4.0  # seconds that a reached state stays on a terminal, so that it can be read


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
        print(back + "".join(f"\x1b[2K{line[:width - 1]}\n" for line in lines), end="", flush=True)
        self._drawn = len(lines)


class Demo:
    """The acts, in order."""

    def __init__(self, lab: Lab) -> None:
        self.lab, self.screen = lab, Screen()
        self.began = time.monotonic()
        self.readers = Load(lab.app(ANY_PORT), lambda _number: "SELECT @@wsrep_node_name", clients=4, pause=0.02,
                            per_session=25)  # as an application's pool that renews its connections
        self.writer = Load(lab.app(WRITER_PORT), lambda number: f"INSERT INTO demo VALUES ({number})", clients=1,
                           pause=0.02)

    def show(self, reached: Callable[[], bool], timeout: float, what: str) -> None:
        """Draw the table until the condition holds, and a while longer where somebody is watching."""
        deadline, until = time.monotonic() + timeout, None
        while until is None or time.monotonic() < until:
            since = time.monotonic() - 1
            served = self.readers.served_by(since)
            table = status_lines(self.lab)
            lines = status_lines(self.lab, "READS/s", {name: str(count) for name, count in served.items()})
            self.screen.draw([*lines, self.traffic()], "\n".join(table))
            if until is None and reached():
                until = time.monotonic() + (PACE if self.screen.live else 1.0)
            if until is None and time.monotonic() > deadline:
                raise LabError(f"waited {timeout:g} s in vain: {what}")
            time.sleep(0.2)

    def traffic(self) -> str:
        return (f"reads: {len(self.readers.acknowledged())} answered, {len(self.readers.errors())} failed    "
                f"writes: {len(self.writer.acknowledged())} committed, {len(self.writer.errors())} failed")

    def seen(self, node: Node, status: str) -> Callable[[], bool]:
        """HAProxy gives the node this status for the readers' port."""
        return lambda: self.lab.haproxy.server(node.name).get("status") == status

    def start(self) -> None:
        self.screen.say("A cluster of three MariaDB nodes with Galera, a check behind xinetd on each, HAProxy in front ...")
        began = time.monotonic()
        self.lab.up(3)
        print(f"... all Synced and in service after {time.monotonic() - began:.1f} s", flush=True)
        self.lab.node(1).sql("CREATE OR REPLACE TABLE app.demo (id BIGINT PRIMARY KEY)")
        self.readers.start()
        self.writer.start()

    def acts(self) -> None:
        first, second, third = self.lab.nodes
        self.screen.say(f"1. Four readers on :{ANY_PORT} (any node), one writer on :{WRITER_PORT} (one node at a time).")
        self.show(lambda: len(self.readers.served_by()) == 3, 20, "every node to serve reads")

        self.screen.say("2. kill -9 n2: its check answers 503 at once, HAProxy takes it out, the others serve on.")
        second.kill()
        self.show(self.seen(second, "DOWN"), 20, "HAProxy to see n2 as DOWN")

        self.screen.say("3. SET GLOBAL wsrep_desync=ON on n3: it answers queries, but it may fall behind. Its check says so.")
        third.sql("SET GLOBAL wsrep_desync=ON")
        self.show(self.seen(third, "DOWN"), 20, "HAProxy to see n3 as DOWN")

        self.screen.say("4. n3 is synced again and n2 comes back: a TCP check would send it queries while it joins.")
        third.sql("SET GLOBAL wsrep_desync=OFF")
        second.join_launch()
        back = time.monotonic()
        self.show(lambda: all(self.seen(node, "UP")() and self.readers.served_by(back)[node.name]
                              for node in self.lab.nodes), 90, "every node to serve reads again")

    def end(self) -> None:
        self.readers.stop()
        self.writer.stop()
        lost = set(self.writer.acknowledged()) - {int(row[0]) for row in self.lab.node(2).sql("SELECT id FROM app.demo")}
        self.screen.say(f"That was the demonstration, {time.monotonic() - self.began:.0f} s:")
        print(f"  {self.traffic()}")
        print(f"  longest pause of the reads {self.readers.longest_stall():.1f} s, of the writes "
              f"{self.writer.longest_stall():.1f} s (Galera stops writes until it has given up a killed node)")
        print(f"  rows that were committed and are missing on n2 now: {len(lost)}")
        if lost:
            raise LabError("committed rows are missing")


EXPLORE = """
Explore further by hand:
  tests/lab/lab up 3               the same cluster, and it stays
  tests/lab/lab status             the table
  tests/lab/lab kill 2             or stop, start, freeze, thaw, isolate, rejoin
  curl -i http://127.0.1.1:9200/   what HAProxy asks; also /rw, /ro and /live
  tests/lab/lab down
"""


def main() -> int:
    demo = Demo(Lab())
    try:
        demo.start()
        demo.acts()
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
