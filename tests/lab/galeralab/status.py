"""The cluster at a glance, as `lab status` and the demonstration show it."""
from __future__ import annotations

from typing import Mapping, Sequence

from .cluster import Lab, NodeView

_HEAD = ("NODE", "PROCESS", "WSREP STATE", "CLUSTER", "SIZE", "HTTP", "REASON", "HAPROXY any / writer")


def _reason(view: NodeView) -> str:
    if view.check.code is None:
        return view.check.ending
    return view.check.reason or view.check.body.decode("latin-1").strip()


def _row(view: NodeView) -> tuple[str, ...]:
    wsrep = [view.wsrep.get(f"wsrep_{name}", "-") for name in ("local_state_comment", "cluster_status", "cluster_size")]
    return (view.name, view.process, *wsrep, str(view.check.code or "-"), _reason(view), view.haproxy)


def columns_text(rows: Sequence[Sequence[str]]) -> list[str]:
    """Rows as lines with aligned columns."""
    widths = [max(map(len, column)) for column in zip(*rows)]
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip() for row in rows]


def status_lines(lab: Lab, title: str = "", extra: Mapping[str, str] = {}) -> list[str]:
    """One line a node; `extra` (by node name) adds a last column with this title."""
    rows = [_HEAD + ((title,) if title else ())]
    rows += [_row(view) + ((extra.get(view.name, "-"),) if title else ()) for view in lab.view()]
    return columns_text(rows)
