"""unittest modules, each in a process of its own with a lab of its own."""
from __future__ import annotations

import json
import os
import shutil
import socket
import sys
import time
from pathlib import Path
from typing import Sequence

from galeralab import Lab, host

from .report import Report
from .suite import Suite

CHILD = Path(__file__).with_name("child.py")
TESTS = Path(__file__).resolve().parents[1] / "system"
_claims: list[socket.socket] = []


def claim_net() -> str:
    """A loopback network that no other run uses: LAB_NET, or the first that can be claimed.

    The claim is an abstract socket, which vanishes with the process that holds it."""
    wanted = os.environ.get("LAB_NET")
    for net in [wanted] if wanted else [f"127.0.{number}" for number in range(20, 60)]:
        claim = socket.socket(socket.AF_UNIX)
        try:
            claim.bind(f"\0galeralab-{net}")
        except OSError:
            claim.close()
            continue
        _claims.append(claim)
        return net
    raise SystemExit(f"tests/run: another run of tests uses the network {wanted or '127.0.20 to 127.0.59'}")


def find_modules(names: Sequence[str]) -> list[Path]:
    """All modules, or those named: `lab`, `test_lab` and `test_lab.py` are the same.

    A name stands for its family too: `clustercheck` for test_clustercheck_http.py and the others."""
    if not names:
        return sorted(TESTS.glob("test_*.py"))
    found: list[Path] = []
    for name in names:
        stem = Path(name).stem.removeprefix("test_")
        module, family = TESTS / f"test_{stem}.py", sorted(TESTS.glob(f"test_{stem}_*.py"))
        found += [module] * (module.exists() or not family) + family
    return found


def run_system(module: Path, report: Report, logs: Path, timeout: float, net: str, pattern: str) -> None:
    """Run one module; whatever happens, its lab is torn down."""
    name = module.stem
    report.suite(f"system {name}")
    if not module.exists():
        report.test(name, f"{module} is not there", 0)
        return
    os.environ["LAB_NET"] = net
    channel, remote = os.pipe()
    arguments = [sys.executable, "-B", str(CHILD), str(module), str(remote), *([pattern] if pattern else [])]
    suite = Suite(name, arguments, channel, remote, logs / f"{name}.log", timeout)
    failed_before, seen, last, current = report.failed, 0, time.monotonic(), ""
    try:
        for line in suite.lines():
            event = json.loads(line)
            if event["event"] == "start":
                current = event["test"]
                continue
            now, seen, current = time.monotonic(), seen + 1, ""
            report.test(event["test"], event["problem"], now - last,
                        event["detail"] + "\n" + suite.output(event["offset"]))
            last = now
        ending = suite.finish()
    finally:
        left = suite.end()
        Lab(net).down()
        kept = logs / f"{name}.lab"
        shutil.rmtree(kept, ignore_errors=True)
        if (host.lab_base() / net).exists():
            shutil.move(host.lab_base() / net, kept)
    problems = [ending + (f" in {current}" if current else "")] if ending else []
    if not seen and not ending:
        problems.append("no test ran")
    if left:
        problems.append(f"left {left} processes running")
    if problems:
        report.test(name, "; ".join(problems), time.monotonic() - last, suite.output())
    if report.failed > failed_before and kept.exists():
        print(f"       the lab's logs are in {os.path.relpath(kept)}", flush=True)
