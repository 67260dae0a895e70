"""Reading the option files of the server that the suite ships."""
from __future__ import annotations

from pathlib import Path


def section(path: Path, name: str = "mysqld") -> list[tuple[str, str]]:
    """The options of a section, in order; names as they are written, values without quotes."""
    found, inside = [], False
    for line in path.read_text().splitlines():
        line = line.strip()
        if line.startswith("["):
            inside = line == f"[{name}]"
        elif inside and line and line[0] not in "#;":
            key, _, value = line.partition("=")
            found.append((key.strip(), value.strip().strip('"')))
    return found


def provider_options(path: Path) -> dict[str, str]:
    """wsrep_provider_options as a dictionary."""
    pairs = (item.partition("=") for item in dict(section(path)).get("wsrep_provider_options", "").split(";"))
    return {key.strip(): value.strip() for key, _, value in pairs if key.strip()}
