"""What the runner prints, and the two numbers that everything ends in."""
from __future__ import annotations

import sys


class Report:
    """Every test becomes one line; what failed is followed by all it said."""

    def __init__(self) -> None:
        self.passed = self.failed = 0

    def suite(self, name: str) -> None:
        print(f"\n{name}", flush=True)

    def test(self, name: str, problem: str, seconds: float, output: str = "") -> None:
        """An empty problem means that the test passed."""
        if problem:
            self.failed += 1
        else:
            self.passed += 1
        print(f"  {'FAIL' if problem else 'ok  '} {seconds:7.2f} s  {name}{': ' + problem if problem else ''}")
        if problem and output.strip():
            print("\n".join("       | " + line for line in output.strip().splitlines()))
        sys.stdout.flush()

    def end(self) -> int:
        """The last line of everything, and the exit code."""
        print(f"\n{self.passed} passed, {self.failed} failed", flush=True)
        return 0 if self.passed and not self.failed else 1
