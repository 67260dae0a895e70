"""Waiting for conditions, always with a deadline: nothing in the lab sleeps and hopes."""
from __future__ import annotations

import time
from typing import Callable, TypeVar, Union

T = TypeVar("T")

REST, REST_MOST = 2, 0.5  # between two questions: so many times as long as one takes, and so many seconds at most


class LabError(Exception):
    """Something the lab was asked to do cannot be done; the message says why and what to do."""


class LabTimeout(LabError, AssertionError):
    """A condition did not come true in time (an AssertionError, so that a test counts it as a failure)."""


What = Union[str, Callable[[], str]]  # a function is asked when the waiting is over: for what was there in the end


def _said(what: What) -> str:
    """That the end cannot be described must not hide that it has come."""
    try:
        return what if isinstance(what, str) else what()
    except Exception as error:
        return f"a condition that cannot be described any more: {error!r}"


def wait_until(predicate: Callable[[], T], timeout: float, what: What, interval: float = 0.05) -> T:
    """Return the first truthy value of predicate(); after timeout seconds raise LabTimeout naming `what`.

    The predicate is always asked once more after the deadline, so a slow machine is not blamed
    for a predicate that took long itself; and one that costs much is asked less often, lest those
    that wait keep the machine from what they wait for."""
    deadline = time.monotonic() + timeout
    while True:
        began = time.monotonic()
        late = began >= deadline
        value = predicate()
        if value:
            return value
        if late:
            raise LabTimeout(f"waited {timeout:g} s in vain: {_said(what)}; last seen: {value!r}")
        time.sleep(max(interval, min(REST * (time.monotonic() - began), REST_MOST)))
