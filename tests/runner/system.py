"""unittest modules, each in a process of its own with a lab of its own."""
from __future__ import annotations

import ast
import contextlib
import errno
import json
import os
import shutil
import socket
import stat
import sys
import time
from pathlib import Path
from typing import Sequence

from galeralab import Lab, LabError, host
from galeralab.netns import Network

from .report import Report
from .suite import Suite

CHILD = Path(__file__).with_name("child.py")
TESTS = Path(__file__).resolve().parents[1] / "system"
_NETS = [f"127.0.{number}" for number in range(20, 110)]
_claims: list[socket.socket] = []


def claim_net() -> str:
    """A loopback network that no other run uses: LAB_NET, or the first that can be claimed.

    The claim is an abstract socket, which vanishes with the process that holds it."""
    wanted = os.environ.get("LAB_NET")
    for net in [wanted] if wanted else _NETS:
        claim = socket.socket(socket.AF_UNIX)
        try:
            claim.bind(f"\0galeralab-{net}")
        except OSError:
            claim.close()
            continue
        _claims.append(claim)
        return net
    raise SystemExit(f"tests/run: another run of tests uses the network {wanted or f'{_NETS[0]} to {_NETS[-1]}'}")


def find_modules(names: Sequence[str]) -> list[Path]:
    """All modules but the long ones, or those named: `lab`, `test_lab` and `test_lab.py` are the same.

    A name stands for its family too: `clustercheck` for test_clustercheck_http.py and the others. A path is a module
    that is elsewhere."""
    if not names:
        return [module for module in sorted(TESTS.glob("test_*.py")) if not says(module, "LONG")]
    found: list[Path] = []
    for name in names:
        if "/" in name:
            found.append(Path(name))
            continue
        stem = Path(name).stem.removeprefix("test_")
        module, family = TESTS / f"test_{stem}.py", sorted(TESTS.glob(f"test_{stem}_*.py"))
        found += [module] * (module.exists() or not family) + family
    return list(dict.fromkeys(found))


def says(module: Path, word: str) -> bool:
    """Whether a module says of itself `ALONE = True` (it measures time), `LONG = True` (it runs only when named) or
    `SLOW = True` (it takes minutes).

    It is read, not imported: a module that cannot be imported is a suite that fails."""
    try:
        statements = ast.parse(module.read_text(encoding="utf-8")).body
    except (OSError, ValueError, SyntaxError):
        return False
    return any(isinstance(one, ast.Assign) and isinstance(one.value, ast.Constant) and one.value.value is True
               and [getattr(target, "id", "") for target in one.targets] == [word] for one in statements)


def run_system(module: Path, report: Report, logs: Path, timeout: float, net: str, pattern: str) -> None:
    """Run one module; whatever happens, its lab is torn down."""
    name = module.stem
    if not module.exists():
        report.test(name, f"{module} is not there", 0)
        return
    channel, remote = os.pipe()
    arguments = [sys.executable, "-B", str(CHILD), str(module), str(remote), *([pattern] if pattern else [])]
    suite = Suite(name, arguments, channel, remote, logs / f"{name}.log", timeout, {"LAB_NET": net})
    seen, last, current, ended, left = 0, time.monotonic(), "", False, 0
    kept = logs / f"{name}.lab"
    try:
        for line in suite.lines():
            event = json.loads(line)
            if event["event"] != "test":
                current, ended = event["test"], event["event"] == "end"
                continue
            now, seen, current = time.monotonic(), seen + 1, ""
            report.test(event["test"], event["problem"], now - last,
                        event["detail"] + "\n" + suite.output(event["offset"]))
            last = now
        ending = suite.finish()
    finally:
        try:
            left = suite.end()
        finally:
            keep_lab(net, kept)
    if not ending and not ended:
        ending = "ended by itself"
    problems = [ending + (f" in {current}" if current else "")] if ending else []
    if not seen and not ending:
        problems.append("no test ran")
    if left:
        problems.append(f"left {left} processes running")
    if problems:
        report.test(name, "; ".join(problems), time.monotonic() - last, suite.output())
    if report.failed and kept.exists():
        report.note(f"the lab's logs are in {os.path.relpath(kept)}")


def keep_lab(net: str, kept: Path) -> None:
    """End what the lab on this network runs, its namespaces too; its logs stay beside the suite's."""
    Lab(net).down()
    with contextlib.suppress(LabError):  # no `ip`, and so no namespace
        Network(net).down()
    shutil.rmtree(kept, ignore_errors=True)
    if (host.lab_base() / net).exists():
        keep_tree(host.lab_base() / net, kept)


def keep_tree(place: Path, kept: Path) -> None:
    """Move it, also to another file system: then without the sockets and pipes that killed servers have left."""
    try:
        place.rename(kept)
    except OSError as problem:
        if problem.errno != errno.EXDEV:
            raise
        shutil.copytree(place, kept, symlinks=True, ignore=specials)
        shutil.rmtree(place)


def specials(directory: str, names: list[str]) -> list[str]:
    """Those that are neither files, directories nor links, which copytree() cannot copy."""
    modes = {name: (Path(directory) / name).lstat().st_mode for name in names}
    return [name for name, mode in modes.items() if not (stat.S_ISREG(mode) or stat.S_ISDIR(mode) or stat.S_ISLNK(mode))]
