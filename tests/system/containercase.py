"""What tests of the images in conf/container stand on: the images, built by buildah on Debian from debootstrap, and a network with
an etcd in it."""
from __future__ import annotations

import shutil
import subprocess
import tempfile
import unittest
from pathlib import Path

from bases import Base

from galeralab import host, wait_until
from machines import Images, Network

SLIM = Base("slim", below=Base("debian"), slim=True)
ETCD = "http://10.0.0.254:2379"
TARGETS = ("node", "balancer", "courier")
USER = 997  # of the server and the courier in the images


class ContainerCase(unittest.TestCase):
    """The images by what they are for: in `images`, and their files in `roots`."""

    @classmethod
    def setUpClass(cls) -> None:
        cls.work = Path(tempfile.mkdtemp(prefix="container-"))
        cls.work.chmod(0o755)
        cls.addClassCleanup(shutil.rmtree, cls.work)
        cls.images = Images()
        cls.addClassCleanup(cls.images.end)
        base = cls.images.import_root(SLIM.make())
        cls.copy_sources(cls.work / "source")
        for target in TARGETS:
            cls.images.build(cls.work / "source", target, base)
        cls.configurations = {target: cls.images.configuration(target) for target in TARGETS}
        cls.network = Network()
        cls.addClassCleanup(cls.network.end)

    @staticmethod
    def copy_sources(target: Path) -> None:
        """What git knows, and what is new and not ignored."""
        names = subprocess.run(["git", "-C", str(host.CHECKOUT), "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
                               capture_output=True, check=True).stdout.decode().split("\0")
        for name in filter(None, names):
            if (host.CHECKOUT / name).exists():
                (target / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(host.CHECKOUT / name, target / name)

    @classmethod
    def start_etcd(cls) -> None:
        etcd = cls.network.spawn([host.tool("etcd"), "--data-dir", str(cls.work / "etcd"), "--listen-client-urls", ETCD,
                                  "--advertise-client-urls", ETCD], cls.work / "etcd.log")
        cls.addClassCleanup(etcd.wait)
        cls.addClassCleanup(etcd.kill)
        wait_until(lambda: "ready to serve" in (cls.work / "etcd.log").read_text(), 60, "etcd")

    @classmethod
    def etcdctl(cls, words: str) -> str:
        return cls.network.run(f"{host.tool('etcdctl')} --endpoints {ETCD} {words}")

    @classmethod
    def secret(cls, name: str, text: str) -> Path:
        """A file as an engine mounts a secret: for the server's user, and nobody else."""
        path = cls.work / name
        path.write_text(text)
        path.chmod(0o400)
        shutil.chown(path, USER, USER)
        return path

    @classmethod
    def volume(cls, name: str) -> Path:
        """A volume, the same for the same name; an engine gives it the owner that the image's directory has."""
        path = cls.work / f"volume-{name}"
        if not path.exists():
            path.mkdir()
            shutil.chown(path, USER, USER)
        return path
