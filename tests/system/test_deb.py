"""The Debian packages on a machine of their own with systemd: installed, used, upgraded, removed, purged."""
from __future__ import annotations

import re
import shutil
import subprocess
import tempfile
from pathlib import Path

from bases import SYSTEM
from machinecase import MachineCase, MachineError

from galeralab import host, wait_until

LONG = True
DIRECTORY = host.build_dir().absolute() / "deb"
# What may differ afterwards: the records of dpkg and apt, logs, caches; and accounts, which Debian keeps, locked.
RECORDS = re.compile(r"/var/(lib/(dpkg|apt|systemd|ucf|dbus)|log|cache|tmp|backups)(/|$)|/etc/(passwd|group|shadow|gshadow|subuid|subgid)-?$|"
                     r"/etc/(\.pwd\.lock|machine-id)$|/root/|/usr/share/doc$")


def package(name: str) -> Path:
    found = sorted(DIRECTORY.glob(f"{name}_*.deb"))
    if len(found) != 1:
        raise AssertionError(f"{DIRECTORY} has {len(found)} packages of {name}: run 'make deb'")
    return found[0]


def newer(source: Path, target: Path) -> Path:
    """The same package with a higher version, and other words in its configuration files."""
    with tempfile.TemporaryDirectory() as work:
        tree = Path(work) / "tree"
        subprocess.run(["dpkg-deb", "-R", str(source), str(tree)], check=True)
        control = tree / "DEBIAN" / "control"
        control.write_text(re.sub(r"(?m)^(Version: \S+|Depends: clustercheck \(= [^)]+)", r"\1+next", control.read_text()))
        conffiles = tree / "DEBIAN" / "conffiles"
        for name in conffiles.read_text().split() if conffiles.exists() else []:
            with open(tree / name[1:], "a", encoding="utf-8") as file:
                file.write("# of the next version\n")
        result = target / f"{source.stem}-next.deb"
        subprocess.run(["dpkg-deb", "--root-owner-group", "-b", str(tree), str(result)], check=True, stdout=subprocess.DEVNULL)
        return result


class Packages(MachineCase):
    """The life of an installation; each test begins where the one before it ended."""

    BASE = SYSTEM
    HOSTS = {"db1": "10.0.0.11"}

    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        drafts = Path(tempfile.mkdtemp(prefix="deb-"))
        cls.addClassCleanup(shutil.rmtree, drafts)
        for name in ("clustercheck", "galera-suite"):
            cls.machines["db1"].put(package(name), "/root/old")
            cls.machines["db1"].put(newer(package(name), drafts), "/root/new")
        cls.before = cls.files()

    @classmethod
    def files(cls) -> set[str]:
        return {name for name in cls.machines["db1"].sh("find / -xdev").split("\n") if name and not RECORDS.search(name)}

    def apt(self, arguments: str) -> str:
        return self.sh(f"apt-get -y --no-install-recommends -o Dpkg::Options::=--force-confold {arguments} 2>&1", timeout=180)

    def check(self) -> str:
        """The first line of a check over the network."""
        return self.sh("exec 3<>/dev/tcp/127.0.0.1/9200; printf 'OPTIONS / HTTP/1.0\\r\\n\\r\\n' >&3; head -1 <&3").strip()

    def test_1_install(self) -> None:
        self.apt("install /root/old/*.deb")
        self.assertRegex(self.sh("getent passwd clustercheck"), r":/usr/sbin/nologin$")
        self.assertEqual(self.sh("stat -c '%U %a' /run/clustercheck").strip(), "clustercheck 775")
        programs = self.sh("dpkg -L clustercheck galera-suite | grep ^/usr/bin/").split()
        self.assertIn("/usr/bin/clustercheck", programs)
        for program in programs:
            self.sh(f"{program} --help > /dev/null")
            self.sh(f"test -e /usr/share/man/man8/{Path(program).name}.8.gz")
            self.sh(f"test -e /usr/share/bash-completion/completions/{Path(program).name}")

    def test_2_nothing_is_started_or_enabled(self) -> None:
        units = self.sh("dpkg -L clustercheck galera-suite | sed -n 's|^/lib/systemd/system/||p'").split()
        self.assertGreater(len(units), 4)
        for unit in units:
            if "@" not in unit:
                self.assertNotEqual(self.sh(f"systemctl is-enabled {unit} || true").strip(), "enabled", unit)
                self.assertEqual(self.sh(f"systemctl is-active {unit} || true").strip(), "inactive", unit)
        self.sh(f"systemd-analyze verify --man=no {' '.join(unit for unit in units if unit.startswith('clustercheck'))}")

    def test_3_what_the_shipped_files_say_is_in_force(self) -> None:
        self.sh("setpriv --reuid clustercheck --regid clustercheck --clear-groups clustercheck -n > /dev/null")
        self.sh("systemctl enable --now clustercheck.socket; systemctl enable galera-haproxy galera@1 galera-register@1 galera-log@1")
        self.assertEqual(self.check(), "HTTP/1.1 503 Service Unavailable")  # there is no server here
        self.sh("sed -i 's/^#timeout = 1s/timeout = 700ms/' /etc/clustercheck.conf; clustercheck -n | grep -q 700ms")

    def test_4_an_upgrade_keeps_edited_configuration(self) -> None:
        self.apt("install /root/new/*.deb")
        self.assertIn("+next", self.sh("dpkg-query -W clustercheck"))
        self.sh("grep -qx 'timeout = 700ms' /etc/clustercheck.conf")
        self.sh("grep -q 'of the next version' /etc/clustercheck.conf.dpkg-dist")
        self.sh("grep -q 'of the next version' /etc/xinetd.d/clustercheck")  # nobody had edited it
        wait_until(lambda: self.check() == "HTTP/1.1 503 Service Unavailable", 20, "the socket to serve after the upgrade")
        self.assertEqual(self.sh("systemctl is-enabled clustercheck.socket").strip(), "enabled")

    def test_5_removal_keeps_configuration_alone(self) -> None:
        self.sh("mkdir -p /etc/galera-accounts /var/lib/galera-init; touch /etc/galera-accounts/users.sql /var/lib/galera-init/db1")
        self.apt("remove clustercheck galera-suite")
        self.assertFalse(self.machine().ok("command -v clustercheck"))
        self.sh("grep -qx 'timeout = 700ms' /etc/clustercheck.conf")
        with self.assertRaises(MachineError):
            self.check()

    def test_6_purge_leaves_no_trace_but_data(self) -> None:
        self.apt("purge clustercheck galera-suite")
        data = {"/etc/galera-accounts", "/etc/galera-accounts/users.sql", "/var/lib/galera-init", "/var/lib/galera-init/db1"}
        self.assertEqual(self.files() - self.before, data)
        self.assertEqual(self.before - self.files(), set())
        self.assertFalse(self.machine().ok("test -e /run/clustercheck"))
        self.assertEqual(self.sh("systemctl list-units --all --no-legend 'clustercheck*' 'galera*'").strip(), "")
        self.sh("passwd --status clustercheck | grep -q ' L '")
