"""Runs suites side by side: the longest first, those that want to be alone one by one at the end."""
from __future__ import annotations

import json
import threading
import time
import traceback
from dataclasses import dataclass
from pathlib import Path
from typing import Callable, Iterable, Optional, Sequence

from .report import Output, Report
from .suite import Interrupted, stopping


@dataclass
class Job:
    """One suite. `run` is given the report and the number of its place, 0 to width - 1."""

    name: str
    run: Callable[[Report, int], None]
    alone: bool = False  # it measures time: nothing else may run beside it
    slow: bool = False  # it takes minutes: it begins first where nobody knows how long suites take


class Durations:
    """How long each suite took the last time, kept in a file; without it suites keep their order."""

    def __init__(self, path: Path, whole: bool = True) -> None:
        """What is remembered of suites that run in part would be wrong."""
        self._path, self._whole, self._lock = path, whole, threading.Lock()
        try:
            self._seconds = {str(name): float(value) for name, value in json.loads(path.read_text()).items()}
        except (OSError, ValueError, TypeError, AttributeError):
            self._seconds = {}

    def longest_first(self, jobs: Iterable[Job]) -> list[Job]:
        """Those that were never seen come first: they may be long."""
        return sorted(jobs, key=lambda job: (-self._seconds.get(job.name, float("inf")), not job.slow))

    def remember(self, name: str, seconds: float) -> None:
        if not self._whole:
            return
        with self._lock:
            self._seconds[name] = round(seconds, 2)
            self._path.parent.mkdir(parents=True, exist_ok=True)
            new = self._path.with_suffix(".new")
            new.write_text(json.dumps(self._seconds, indent=1, sort_keys=True) + "\n")
            new.replace(self._path)


def _run_one(job: Job, place: int, output: Output, durations: Durations, live: bool) -> None:
    """Whatever happens in it, it ends in the report; the runner's own mistakes are failures too."""
    report, began = output.begin(job.name, live), time.monotonic()
    try:
        job.run(report, place)
        durations.remember(job.name, time.monotonic() - began)
    except Interrupted:
        report.test(job.name, "interrupted", time.monotonic() - began)
    except BaseException as error:  # pylint: disable=broad-except
        report.test(job.name, f"the runner itself failed: {error}", time.monotonic() - began, traceback.format_exc())
    finally:
        output.end(report, time.monotonic() - began)


def _run_beside(jobs: Sequence[Job], width: int, output: Output, durations: Durations) -> None:
    """`width` at a time, each in a thread. (No join: one that a signal interrupts takes the thread for ended.)"""
    waiting, lock = list(reversed(jobs)), threading.Lock()
    ended = [threading.Event() for _ in range(width)]

    def next_job() -> Optional[Job]:
        with lock:
            return waiting.pop() if waiting and not stopping.is_set() else None

    def work(place: int) -> None:
        try:
            while job := next_job():
                _run_one(job, place, output, durations, live=width == 1)
        finally:
            ended[place].set()

    for place in range(width):
        threading.Thread(target=work, args=(place,)).start()
    for each in ended:
        each.wait()


def run_jobs(jobs: Sequence[Job], width: int, output: Output, durations: Durations) -> None:
    """Run all of them, or once `stopping` is set, end those that run."""
    beside = durations.longest_first(job for job in jobs if not job.alone)
    alone = durations.longest_first(job for job in jobs if job.alone)
    for group, places in ((beside, min(width, len(beside))), (alone, min(1, len(alone)))):
        if group and not stopping.is_set():
            _run_beside(group, places, output, durations)
