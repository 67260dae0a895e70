"""What the runner prints, and the two numbers that everything ends in."""
from __future__ import annotations

import sys
import threading
from typing import Callable, Optional


class Report:
    """One suite's part of the output: every test becomes one line; what failed is followed by all it said."""

    def __init__(self, name: str, say: Callable[[str], None]) -> None:
        self.name, self._say = name, say
        self.passed = 0
        self.failures: list[str] = []

    @property
    def failed(self) -> int:
        return len(self.failures)

    def test(self, name: str, problem: str, seconds: float, output: str = "") -> None:
        """An empty problem means that the test passed."""
        if problem:
            self.failures.append(name if name.startswith(self.name) else f"{self.name}: {name}")
        else:
            self.passed += 1
        self._say(f"  {'FAIL' if problem else 'ok  '} {seconds:7.2f} s  {name}{': ' + problem if problem else ''}")
        if problem and output.strip():
            self._say("\n".join("       | " + line for line in output.strip().splitlines()))

    def note(self, text: str) -> None:
        self._say(f"       {text}")


class Output:
    """Puts the suites' reports one after the other, though the suites run side by side."""

    def __init__(self) -> None:
        self.passed = 0
        self.failures: list[str] = []
        self._lock = threading.Lock()
        self._said: dict[int, list[str]] = {}

    def begin(self, name: str, live: bool) -> Report:
        """A suite begins. Alone it is shown as it goes on; among others it is shown when it ends."""
        if live:
            self._print(f"\n{name}")
            return Report(name, self._print)
        said: list[str] = []
        report = Report(name, said.append)
        self._said[id(report)] = said
        return report

    def end(self, report: Report, seconds: Optional[float] = None) -> None:
        """It has ended: its block is printed in one piece, and its tests count."""
        with self._lock:
            self.passed += report.passed
            self.failures += report.failures
            said = self._said.pop(id(report), None)
            if said is not None:
                self._print("\n".join([f"\n{report.name}" + (f"  ({seconds:.1f} s)" if seconds else ""), *said]))

    def fail(self, name: str, problem: str) -> None:
        """What is wrong with the run as a whole counts as a test that failed."""
        report = self.begin(name, live=True)
        report.test(name, problem, 0)
        self.end(report)

    def finish(self) -> int:
        """Which tests have failed, the last line of everything, and the exit code."""
        if self.failures:
            self._print("\nfailed:\n" + "\n".join(f"  {name}" for name in self.failures))
        self._print(f"\n{self.passed} passed, {len(self.failures)} failed")
        return 0 if self.passed and not self.failures else 1

    @staticmethod
    def _print(text: str) -> None:
        print(text)
        sys.stdout.flush()
