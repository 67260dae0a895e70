"""`make install` and `make uninstall`: everything is there, and then nothing is, but for what an admin edited."""
from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
import unittest
from pathlib import Path

from test_docs import programs

from galeralab import host

EDITED = "# edited\n"


class Install(unittest.TestCase):
    PREFIX = "/usr"

    def setUp(self) -> None:
        self.root = Path(tempfile.mkdtemp(prefix="install-"))
        self.addCleanup(shutil.rmtree, self.root)

    def make(self, target: str) -> None:
        """Run make as a user would, with the programs that are there: they are newer than their sources."""
        clean = {name: value for name, value in os.environ.items() if not name.startswith(("MAKE", "MFLAGS", "CLUSTERCHECK_"))}
        done = subprocess.run(["make", "-C", str(host.CHECKOUT), target, f"BUILD={os.environ.get('BUILD', 'build')}",
                               f"DESTDIR={self.root}", f"PREFIX={self.PREFIX}"], capture_output=True, text=True, env=clean,
                              timeout=300, check=False, stdin=subprocess.DEVNULL)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

    def files(self) -> set[str]:
        """Every file and link below the root, but not the directories that any system has."""
        return {str(path.relative_to(self.root)) for path in self.root.rglob("*") if path.is_symlink() or not path.is_dir()}

    def prefixed(self, name: str) -> str:
        return f"{self.PREFIX[1:]}/{name}"

    def test_everything_is_there(self) -> None:
        self.make("install")
        files = self.files()
        names = [*programs(), "galera-accounts"]
        wanted = {self.prefixed(f"bin/{name}") for name in names}
        wanted |= {self.prefixed(f"share/man/man8/{name}.8") for name in names}
        wanted |= {self.prefixed(f"share/bash-completion/completions/{name}") for name in names}
        wanted |= {self.prefixed(f"lib/systemd/system/{unit.name}") for unit in (host.CHECKOUT / "conf/systemd").glob("*.*")
                   if unit.is_file()}
        for kind in ("sysusers.d", "tmpfiles.d"):
            wanted |= {self.prefixed(f"lib/{kind}/{file.name}") for file in (host.CHECKOUT / "conf" / kind).iterdir()}
        wanted |= {"etc/clustercheck.conf"} | {f"etc/xinetd.d/{file.name}" for file in (host.CHECKOUT / "xinetd.d").iterdir()}
        wanted |= {f"etc/galera-log/{file.name}" for file in (host.CHECKOUT / "conf/rsyslog").glob("*.conf")}
        wanted |= {self.prefixed("libexec/galera-log")}
        self.assertEqual(wanted - files, set())
        elsewhere = {file for file in files - wanted if not file.startswith(self.prefixed("share/doc/galera-suite/"))}
        self.assertEqual(elsewhere, set())

    def test_every_file_can_be_read_and_only_programs_run(self) -> None:
        self.make("install")
        for file in self.files():
            path = self.root / file
            mode = path.stat().st_mode & 0o777
            if "/bin/" in file or "/libexec/" in file:
                self.assertEqual(mode, 0o755, file)
            elif "share/doc" not in file:
                self.assertEqual(mode, 0o644, file)

    def test_units_and_services_name_programs_that_are_there(self) -> None:
        self.make("install")
        lines = ""
        for place in (self.prefixed("lib/systemd/system"), "etc/xinetd.d"):
            lines += "\n".join(path.read_text() for path in (self.root / place).iterdir())
        ours = [found for found in re.findall(r"(?m)^\s*(?:Exec\w+|server\s+)=[-+!@]*\s*(\S+)", lines)
                if Path(found).name.startswith(("clustercheck", "galera-"))]
        self.assertGreater(len(ours), 4)
        for program in ours:
            self.assertTrue((self.root / program[1:]).exists(), program)

    def test_uninstall_leaves_nothing(self) -> None:
        self.make("install")
        self.make("uninstall")
        self.assertEqual(self.files(), set())
        left = {str(path.relative_to(self.root)) for path in self.root.rglob("*")}
        usual = {"etc", self.prefixed(""), self.prefixed("bin"), self.prefixed("lib"), self.prefixed("share"),
                 self.prefixed("share/man"), self.prefixed("share/man/man8"), self.prefixed("share/doc")}
        usual |= {str(Path(self.PREFIX[1:]).parents[n]) for n in range(self.PREFIX.count("/"))}
        self.assertEqual(left - {path.rstrip("/") for path in usual}, set())

    def test_edited_configuration_survives_everything(self) -> None:
        self.make("install")
        edited = {"etc/clustercheck.conf", "etc/xinetd.d/clustercheck-agent"}
        for name in edited:
            with open(self.root / name, "a", encoding="utf-8") as file:
                file.write(EDITED)
        self.make("install")
        for name in edited:
            self.assertTrue((self.root / name).read_text().endswith(EDITED), name)
        self.make("uninstall")
        self.assertEqual(self.files(), edited)


class InstallLocal(Install):
    """Below /usr/local, the default."""

    PREFIX = "/usr/local"


class Debian(unittest.TestCase):
    def test_the_packages_have_the_version_of_the_suite(self) -> None:
        version = re.search(r'SUITE_VERSION "(.*)"', (host.CHECKOUT / "lib" / "version.h").read_text())[1]
        changelog = (host.CHECKOUT / "debian" / "changelog").read_text()
        self.assertTrue(changelog.startswith(f"clustercheck-suite ({version}) "), changelog.splitlines()[0])
