"""What galera-init keeps in etcd, under /galera/CLUSTER/."""
from __future__ import annotations

import base64
import json
from typing import Any, NamedTuple, Optional

from .etcd import Etcd
from .wait import LabError


class Key(NamedTuple):
    """One key: the JSON in it (a plain string where it is none), and etcd's numbers."""

    value: Any
    lease: int
    revision: int


class Keys:
    """The keys of one cluster, read afresh each time."""

    def __init__(self, etcd: Etcd, cluster: str) -> None:
        self.etcd, self.prefix = etcd, f"/galera/{cluster}/"

    def all(self) -> dict[str, Key]:
        """Everything below the prefix, by what follows it: "uuid", "position/n1"..."""
        reply = self._post("/v3/kv/range", self._range(self.prefix))
        return {_decode(kv["key"]).removeprefix(self.prefix):
                Key(_parse(_decode(kv.get("value", ""))), int(kv.get("lease", 0)), int(kv["mod_revision"]))
                for kv in reply.get("kvs", [])}

    def get(self, name: str) -> Any:
        """The value of one key; None when it is not there."""
        key = self.all().get(name)
        return key.value if key else None

    def uuid(self) -> str:
        value = self.get("uuid")
        return value["uuid"] if isinstance(value, dict) else value or ""

    def bootstrap(self) -> dict[str, Any]:
        return self.get("bootstrap") or {}

    def position(self, node: str) -> dict[str, Any]:
        return self.get(f"position/{node}") or {}

    def member(self, node: str) -> dict[str, Any]:
        return self.get(f"member/{node}") or {}

    def clear(self) -> None:
        """Lose the keys, as an etcd that was rebuilt does."""
        self._post("/v3/kv/deleterange", self._range(self.prefix))

    def delete(self, name: str) -> None:
        self._post("/v3/kv/deleterange", {"key": _encode(self.prefix + name)})

    def put(self, name: str, value: str) -> None:
        self._post("/v3/kv/put", {"key": _encode(self.prefix + name), "value": _encode(value)})

    @staticmethod
    def _range(prefix: str) -> dict[str, str]:
        return {"key": _encode(prefix), "range_end": _encode(prefix[:-1] + chr(ord(prefix[-1]) + 1))}

    def _post(self, path: str, body: dict[str, str]) -> dict[str, Any]:
        problem: Optional[Exception] = None
        for number, member in enumerate(self.etcd.members, 1):
            try:
                if member.process.state() == "running":
                    return self.etcd.http(number, path, body, timeout=3)
            except (OSError, ValueError) as error:
                problem = error
        raise LabError(f"etcd does not answer {path}: {problem}")


def _encode(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def _decode(text: str) -> str:
    return base64.b64decode(text).decode(errors="replace")


def _parse(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text
