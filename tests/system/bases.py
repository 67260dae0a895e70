"""The root file systems that tests of the installation stand on."""
from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "lab"))

from machines import Base  # noqa: E402

# Debian with systemd, and the libraries that the packages of the suite depend on.
SYSTEM = Base("system", ["systemd", "systemd-sysv", "dbus", "iproute2", "procps", "libinih1", "libmariadb3", "libcurl4",
                         "libjansson4"])
# ... and the servers that a guide tells its reader to install.
NODE = Base("node", ["mariadb-server", "mariadb-backup", "galera-4", "rsync", "socat", "etcd-server", "etcd-client", "haproxy",
                     "xinetd", "rsyslog", "curl", "openssl", "openssh-server", "openssh-client", "zstd"], below=SYSTEM)
# ... and the host in front of them, which has no server of its own.
BALANCER = Base("balancer", ["haproxy", "mariadb-client", "curl", "openssh-server"], below=SYSTEM)
