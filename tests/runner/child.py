"""Runs inside the suite's process: one unittest module, every result as a line of JSON to a descriptor.

Arguments: the module's path, the descriptor's number, and a pattern for test names if only some are wanted."""
from __future__ import annotations

import importlib
import json
import os
import sys
import unittest
from pathlib import Path


class Events(unittest.TestResult):
    """A result that speaks as things happen; a skipped test is a problem, for it proves nothing."""

    def __init__(self, descriptor: int) -> None:
        super().__init__()
        self._channel = os.fdopen(descriptor, "w", buffering=1)
        self._problem, self._detail = "", ""

    def _send(self, event: str, test: object, **more: str) -> None:
        """`offset` tells which part of the output belongs to the events so far."""
        sys.stdout.flush()
        sys.stderr.flush()
        name = test.id() if hasattr(test, "id") else str(test)
        offset = os.lseek(1, 0, os.SEEK_CUR)
        self._channel.write(json.dumps({"event": event, "test": name, "offset": offset, **more}) + "\n")

    def end(self) -> None:
        """All tests have had their turn: a suite that ends without these words has ended too early."""
        self._send("end", "")

    def _note(self, problem: str, detail: str = "") -> None:
        self._problem = self._problem or problem
        self._detail += detail

    def startTest(self, test) -> None:
        super().startTest(test)
        self._problem = self._detail = ""
        self._send("start", test)

    def stopTest(self, test) -> None:
        super().stopTest(test)
        self._send("test", test, problem=self._problem, detail=self._detail)

    def _outside(self, test, problem: str, detail: str) -> bool:
        """Trouble in a set-up or a tear-down of a class or a module, which belongs to no test."""
        if isinstance(test, unittest.TestCase):
            return False
        self._send("test", test, problem=problem, detail=detail)
        return True

    def addFailure(self, test, err) -> None:
        super().addFailure(test, err)
        self._note("failed", self.failures[-1][1])

    def addError(self, test, err) -> None:
        super().addError(test, err)
        if not self._outside(test, "error", self.errors[-1][1]):
            self._note("error", self.errors[-1][1])

    def addSkip(self, test, reason) -> None:
        super().addSkip(test, reason)
        if not self._outside(test, f"skipped: {reason}", ""):
            self._note(f"skipped: {reason}")

    def addSubTest(self, test, subtest, err) -> None:
        before = len(self.failures) + len(self.errors)
        super().addSubTest(test, subtest, err)
        if err is not None and len(self.failures) + len(self.errors) > before:
            group = self.failures if issubclass(err[0], test.failureException) else self.errors
            self._note("failed", f"{subtest}\n{group[-1][1]}")

    def addExpectedFailure(self, test, err) -> None:
        super().addExpectedFailure(test, err)
        self._note("failed, as it expects")

    def addUnexpectedSuccess(self, test) -> None:
        super().addUnexpectedSuccess(test)
        self._note("succeeded unexpectedly")


def main() -> None:
    module, descriptor = Path(sys.argv[1]), int(sys.argv[2])
    os.set_inheritable(descriptor, False)
    sys.path[:0] = [str(module.parent), str(Path(__file__).resolve().parents[1] / "lab")]
    loader = unittest.TestLoader()
    loader.testNamePatterns = [f"*{pattern}*" for pattern in sys.argv[3:]] or None
    suite = loader.loadTestsFromModule(importlib.import_module(module.stem))
    events = Events(descriptor)
    suite.run(events)
    events.end()


main()
