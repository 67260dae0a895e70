"""A certificate authority for tests, by the openssl program."""
from __future__ import annotations

import subprocess
from pathlib import Path
from typing import NamedTuple, Sequence

from .host import tool
from .wait import LabError

_EC = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "30"]


class Pair(NamedTuple):
    cert: Path
    key: Path


class Authority:
    """Keeps ca.crt and ca.key in `home`, and issues certificates beside them."""

    def __init__(self, home: Path) -> None:
        home.mkdir(parents=True, exist_ok=True)
        self.home, self.cert, self.key = home, home / "ca.crt", home / "ca.key"
        if not self.cert.exists():
            self._openssl("req", "-x509", *_EC, "-subj", "/CN=lab authority", "-keyout", self.key, "-out", self.cert)

    def issue(self, name: str, addresses: Sequence[str] = ()) -> Pair:
        """A certificate for both ends of a connection; the addresses are IP addresses or DNS names."""
        pair = Pair(self.home / f"{name}.crt", self.home / f"{name}.key")
        names = [f"{'IP' if address.replace('.', '').isdigit() else 'DNS'}:{address}" for address in addresses]
        alternatives = ["-addext", "subjectAltName=" + ",".join(names)] if names else []
        self._openssl("req", "-x509", "-CA", self.cert, "-CAkey", self.key, *_EC, "-subj", f"/CN={name}",
                      "-addext", "extendedKeyUsage=serverAuth,clientAuth", *alternatives,
                      "-addext", "basicConstraints=CA:FALSE", "-keyout", pair.key, "-out", pair.cert)
        return pair

    @staticmethod
    def _openssl(*arguments: object) -> None:
        done = subprocess.run([tool("openssl"), *map(str, arguments)], capture_output=True, text=True, check=False)
        if done.returncode:
            raise LabError(f"openssl failed: {done.stderr}")
