"""Unit files as systemd and fleet read them."""
from __future__ import annotations

import re
import shlex
from pathlib import Path

Options = list[tuple[str, str]]


class UnitFile:
    """Sections of options in their order; an option may be there more than once."""

    def __init__(self, path: Path) -> None:
        self.path, self.name = path, path.name
        self.sections: dict[str, Options] = {}
        section = ""
        for number, line in enumerate(self._logical_lines(path.read_text(encoding="utf-8")), 1):
            if not line.strip() or line.startswith(("#", ";")):
                continue
            if match := re.fullmatch(r"\[([A-Za-z-]+)\]", line):
                section = match[1]
                self.sections.setdefault(section, [])
            elif (match := re.fullmatch(r"([A-Za-z]+)=(.*)", line)) and section:
                self.sections[section].append((match[1], match[2].strip()))
            else:
                raise AssertionError(f"{path}: line {number} is neither an option nor a section: {line}")

    @staticmethod
    def _logical_lines(text: str) -> list[str]:
        """Lines that end with a backslash go on in the next one, comments in between left out."""
        lines: list[str] = []
        open_line = False
        for line in text.splitlines():
            if open_line and line.startswith(("#", ";")):
                continue
            if open_line:
                lines[-1] = lines[-1][:-1] + " " + line.strip()
            else:
                lines.append(line)
            open_line = lines[-1].endswith("\\") and not lines[-1].startswith(("#", ";"))
        return lines

    def all(self, section: str, option: str) -> list[str]:
        return [value for name, value in self.sections.get(section, []) if name == option]

    def one(self, section: str, option: str) -> str:
        """The value in force, "" when there is none."""
        return (self.all(section, option) or [""])[-1]

    def words(self, section: str, option: str) -> list[str]:
        return [word for value in self.all(section, option) for word in value.split()]

    def commands(self) -> list[tuple[str, str, list[str]]]:
        """Every command: its option, its prefix (-, +, ! ...), and its words."""
        found = []
        for name, value in self.sections.get("Service", []):
            if name.startswith("Exec"):
                match = re.fullmatch(r"([-@+!:]*)(.*)", value)
                found.append((name, match[1], shlex.split(match[2])))
        return found


def seconds(duration: str) -> float:
    """A time span of systemd: 5min, 90s, 1h 30min, a bare number of seconds."""
    scale = {"ms": 0.001, "s": 1, "sec": 1, "m": 60, "min": 60, "h": 3600, "": 1}
    parts = re.findall(r"(\d+)\s*([a-z]*)", duration)
    if not parts or re.sub(r"[\d\sa-z]", "", duration):
        raise AssertionError(f"{duration} is not a time span")
    return sum(int(number) * scale[unit] for number, unit in parts)
