"""The RPM packages: they have what `make install` puts in place, each file once, and take it away again."""
from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
import unittest
from pathlib import Path

from galeralab import host

LONG = True
DIRECTORY = host.build_dir().absolute() / "rpm" / "RPMS"
NAMES = ("clustercheck", "galera-suite")


def package(name: str) -> Path:
    found = sorted(DIRECTORY.glob(f"*/{name}-[0-9]*.rpm"))
    if len(found) != 1:
        raise AssertionError(f"{DIRECTORY} has {len(found)} packages of {name}: run 'make rpm'")
    return found[0]


def rpm(*arguments: object) -> str:
    done = subprocess.run([host.tool("rpm"), *map(str, arguments)], capture_output=True, text=True, timeout=60, check=False,
                          stdin=subprocess.DEVNULL)
    if done.returncode:
        raise AssertionError(f"rpm {arguments}: {done.stdout}{done.stderr}")
    return done.stdout


def files(root: Path) -> set[str]:
    return {str(path.relative_to(root)) for path in root.rglob("*") if path.is_symlink() or not path.is_dir()}


class Rpm(unittest.TestCase):
    def directory(self) -> Path:
        path = Path(tempfile.mkdtemp(prefix="rpm-"))
        self.addCleanup(shutil.rmtree, path)
        return path

    def test_they_install_what_make_installs_and_remove_it(self) -> None:
        made, root = self.directory(), self.directory()
        clean = {name: value for name, value in os.environ.items() if not name.startswith(("MAKE", "MFLAGS"))}
        subprocess.run(["make", "-C", str(host.CHECKOUT), "install", f"BUILD={os.environ.get('BUILD', 'build')}", f"DESTDIR={made}",
                        "PREFIX=/usr"], check=True, env=clean, stdout=subprocess.DEVNULL, timeout=300)
        options = ("--root", root, "--dbpath", "/rpmdb", "--nodeps", "--noscripts")
        rpm("-i", *options, *map(package, NAMES))
        own = re.compile(r"rpmdb/|usr/lib/\.build-id/|usr/share/licenses/")
        self.assertEqual({re.sub(r"(/man8/.*)\.gz$", r"\1", name) for name in files(root) if not own.match(name)}, files(made))
        done = subprocess.run([root / "usr/bin/clustercheck", "--version"], capture_output=True, text=True, check=True, timeout=20)
        self.assertIn(rpm("-qp", "--qf", "%{VERSION}", package("clustercheck")), done.stdout)
        rpm("-e", *options, *NAMES)
        self.assertEqual({name for name in files(root) if not name.startswith("rpmdb/")}, set())

    def test_configuration_is_kept(self) -> None:
        everything = {name for package_name in NAMES for name in rpm("-qpl", package(package_name)).split()}
        wanted = {name for name in everything if name.startswith("/etc/") and not name.endswith("/galera-log")}
        marked = {name for package_name in NAMES for name in rpm("-qpc", package(package_name)).split()}
        self.assertGreater(len(wanted), 4)
        self.assertEqual(marked, wanted)

    def test_the_one_needs_the_other_in_the_same_version(self) -> None:
        self.assertRegex(rpm("-qpR", package("galera-suite")), r"(?m)^clustercheck = \S+-1")


if __name__ == "__main__":
    unittest.main()
