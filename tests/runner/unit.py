"""cmocka binaries, which report in TAP on standard output."""
from __future__ import annotations

import os
import pty
import re
import time
import tty
from pathlib import Path

from .report import Report
from .suite import Suite

_RESULT = re.compile(r"(?P<bad>not )?ok\b(\s+\d+)?(\s+-)?(?P<skip>\s+#\s*SKIP\b)?\s*(?P<name>.*)", re.IGNORECASE)


def run_unit(binary: Path, report: Report, logs: Path, timeout: float) -> None:
    """Run one binary and report every test of it, and whatever is wrong with the binary itself."""
    name = f"{binary.parent.name}/{binary.name}"
    if not os.access(binary, os.X_OK):
        report.test(name, f"{binary} is not there, or not executable", 0)
        return
    channel, remote = pty.openpty()  # standard output is line by line on a terminal, so each test has its time
    tty.setraw(remote)
    suite = Suite(name, [str(binary)], channel, remote, logs / f"unit.{name.replace('/', '.')}.log", timeout,
                  {"CMOCKA_MESSAGE_OUTPUT": "TAP"}, stdout_is_channel=True)
    planned, seen, last = 0, 0, time.monotonic()
    pending: list = []  # a result waits for its explanation, which comes in the lines after it
    said: list[str] = []

    def settle() -> None:
        if pending:
            report.test(*pending, "\n".join([*said, suite.output()]) if pending[1] else "")
        pending.clear()
        said.clear()

    try:
        for line in suite.lines():
            plan, result = re.match(r"1\.\.(\d+)", line), _RESULT.match(line)
            if plan:
                planned += int(plan[1])
            elif result:
                settle()
                now, seen = time.monotonic(), seen + 1
                problem = "skipped" if result["skip"] else "failed" if result["bad"] else ""
                pending[:], last = [result["name"] or f"test {seen}", problem, now - last], now
            else:
                said.append(line)
        ending = suite.finish()
        settle()
    finally:
        left = suite.end()
    explained = ending.startswith("exit code") and report.failed > 0
    problems = [ending] if ending and not explained else []
    if not seen and not ending:
        problems.append("no test reported")
    elif planned != seen:
        problems.append(f"planned {planned} tests, reported {seen}")
    if left:
        problems.append(f"left {left} processes running")
    if problems:
        report.test(name, "; ".join(problems), time.monotonic() - last, "\n".join([*said, suite.output()]))
