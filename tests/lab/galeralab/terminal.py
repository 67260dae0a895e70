"""Programs that talk to a person: run on a terminal of their own, which the caller reads and types on."""
from __future__ import annotations

import fcntl
import os
import pty
import select
import struct
import subprocess
import termios
import time
from pathlib import Path
from typing import Mapping, Sequence

from .wait import LabTimeout


def run_on_terminal(argv: Sequence[str], env: Mapping[str, str], cwd: Path, typed: Mapping[str, str] = {}, columns: int = 80,
                    timeout: float = 60) -> tuple[int, str]:
    """Its exit code and all that came to the terminal; `typed`: what to type, once, when a text has appeared."""
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    with subprocess.Popen(argv, env=dict(env), cwd=cwd, stdin=slave, stdout=slave, stderr=slave,
                          start_new_session=True) as child:
        os.close(slave)
        try:
            text = _converse(master, dict(typed), time.monotonic() + timeout)
            return child.wait(timeout), text
        finally:
            os.close(master)
            if child.poll() is None:
                child.kill()


def _converse(master: int, typed: dict[str, str], end: float) -> str:
    """Until nobody has the terminal open any more."""
    seen = b""
    while time.monotonic() < end:
        if not select.select([master], [], [], 0.2)[0]:
            continue
        try:
            got = os.read(master, 65536)
        except OSError:  # EIO: the other end is closed
            got = b""
        if not got:
            return seen.decode(errors="replace")
        seen += got
        for prompt in [prompt for prompt in typed if prompt.encode() in seen]:
            os.write(master, typed.pop(prompt).encode())
    raise LabTimeout(f"nothing ended on the terminal: {seen[-2000:]!r}")
