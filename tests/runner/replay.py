"""Fuzz targets over the inputs that are kept for them: one test a target."""
from __future__ import annotations

import os
import time
from pathlib import Path

from .report import Report
from .suite import Suite

CORPUS = Path(__file__).resolve().parents[1] / "fuzz" / "corpus"


def run_replay(binary: Path, report: Report, logs: Path, timeout: float) -> None:
    """Run replay_NAME over corpus/NAME; it ends with 0 when every input went well and there was one."""
    corpus, began = CORPUS / binary.name.removeprefix("replay_"), time.monotonic()
    if not os.access(binary, os.X_OK):
        report.test(binary.name, f"{binary} is not there, or not executable", 0)
        return
    channel, remote = os.pipe()
    suite = Suite(binary.name, [str(binary.absolute()), str(corpus)], channel, remote, logs / f"{binary.name}.log",
                  timeout, stdout_is_channel=True)
    try:
        said = "\n".join(suite.lines())
        problem = suite.finish()
    finally:
        left = suite.end()
    problem = "; ".join(filter(None, [problem, f"left {left} processes running" if left else ""]))
    report.test(f"{binary.name} {said.strip()}" if not problem else binary.name, problem, time.monotonic() - began,
                said + "\n" + suite.output())
