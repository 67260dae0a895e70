"""Fuzz targets over the inputs that are kept for them: one test a target."""
from __future__ import annotations

import signal
import subprocess
import time
from pathlib import Path

from .report import Report

CORPUS = Path(__file__).resolve().parents[1] / "fuzz" / "corpus"


def run_replay(binary: Path, report: Report, timeout: float) -> None:
    """Run replay_NAME over corpus/NAME; it ends with 0 when every input went well and there was one."""
    corpus, began = CORPUS / binary.name.removeprefix("replay_"), time.monotonic()
    problem, said = "", ""
    try:
        done = subprocess.run([str(binary.absolute()), str(corpus)], capture_output=True, timeout=timeout, check=False)
        said = (done.stdout + done.stderr).decode(errors="replace")
        if done.returncode:
            problem = f"crashed: {signal.Signals(-done.returncode).name}" if done.returncode < 0 else \
                f"exit code {done.returncode}"
    except subprocess.TimeoutExpired:
        problem = f"not finished after {timeout:g} s"
    except OSError as error:
        problem = str(error)
    report.test(f"{binary.name} {said.strip()}" if not problem else binary.name, problem, time.monotonic() - began, said)
