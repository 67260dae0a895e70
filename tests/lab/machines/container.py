"""Containers: images built by buildah, run as an engine would run them, with the entrypoint as PID 1 of its namespaces."""
from __future__ import annotations

import json
import os
import signal
import subprocess
from pathlib import Path
from typing import Mapping, Optional, Sequence

from galeralab import host
from galeralab.process import tail
from galeralab.wait import LabError, wait_until

from .machine import Machine
from .network import Network


class Images:
    """A store of images of its own."""

    def __init__(self) -> None:
        self.home = host.build_dir().absolute() / "machines" / "images"
        self.home.mkdir(parents=True, exist_ok=True)
        self._mounted: list[str] = []

    def buildah(self, *arguments: str, timeout: float = 1800) -> str:
        """Output of a buildah command; its errors are ours."""
        done = subprocess.run([host.tool("buildah"), "--root", str(self.home / "store"), "--runroot", str(self.home / "run"),
                               "--storage-driver", "overlay", *arguments], capture_output=True, text=True, timeout=timeout,
                              check=False, stdin=subprocess.DEVNULL, env={**os.environ, "BUILDAH_ISOLATION": "chroot"})
        if done.returncode:
            raise LabError(f"buildah {' '.join(arguments)} failed:\n{done.stdout[-4000:]}{done.stderr[-4000:]}")
        return done.stdout.strip()

    def import_root(self, root: Path) -> str:
        """An image out of a root file system, and its name; only once, since what is built on it is kept as long as it is."""
        if not self.buildah("images", "--quiet", "--filter", f"reference=localhost/{root.name}"):
            container = self.buildah("from", "scratch")
            self.buildah("add", "-q", container, str(root), "/")
            self.buildah("commit", "-q", "--rm", container, root.name)
        return root.name

    def build(self, context: Path, target: str, base: str) -> None:
        self.buildah("bud", "-q", "--layers", "--isolation", "chroot", "--pull-never", "--format", "docker", "--build-arg", f"BASE={base}",
                     "--target", target, "-f", str(context / "conf/container/Containerfile"), "-t", target, str(context))

    def configuration(self, name: str) -> dict:
        return json.loads(self.buildah("inspect", "--type", "image", name))["Docker"]["config"]

    def mount(self, name: str) -> Path:
        """The files of an image, not to be written to."""
        self._mounted.append(self.buildah("from", "--pull-never", name))
        return Path(self.buildah("mount", self._mounted[-1]))

    def size(self, name: str) -> str:
        """Of all layers together, unpacked."""
        return json.loads(self.buildah("images", "--json", "--filter", f"reference=localhost/{name}:latest"))[0]["size"]

    def end(self) -> None:
        if self._mounted:
            self.buildah("rm", *self._mounted)


class Container(Machine):
    """One container of an image. Nothing but its volumes outlives `end`."""

    KIND = "container"

    def __init__(self, name: str, root: Path, configuration: Mapping, network: Network, address: str,
                 env: Mapping[str, str] = {}, volumes: Mapping[Path, str] = {}) -> None:
        super().__init__(name, root, network, address)
        self._configuration, self._env, self._volumes = configuration, env, volumes
        self.volumes.update(volumes)
        self.code: Optional[int] = None

    def run(self, command: Sequence[str] = ()) -> "Container":
        """Start the entrypoint, with these arguments."""
        words = [*(f"{key}={value}" for key, value in self.environment().items()), *self._identity(),
                 *self._configuration["Entrypoint"], *command]
        self._identify({})
        self._start(words)
        return self

    def environment(self) -> dict[str, str]:
        image = dict(pair.split("=", 1) for pair in self._configuration["Env"])
        return {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", **image, **self._env}

    def _identity(self) -> list[str]:
        """The image's user and no capabilities, as an engine does for a user that is not root."""
        user = self._configuration["User"]
        return ["setpriv", "--reuid", user, "--regid", user, "--clear-groups", "--no-new-privs", "--inh-caps=-all",
                "--bounding-set=-all"]

    def inside(self, *command: str, timeout: float = 30) -> subprocess.CompletedProcess:
        """What `podman exec` does."""
        return subprocess.run(["nsenter", "-t", str(self._pid), "--all", "--root", "--wd", "--", "/usr/bin/env", "-i",
                               *(f"{key}={value}" for key, value in self.environment().items()), *self._identity(), *command],
                              capture_output=True, text=True, timeout=timeout, check=False, stdin=subprocess.DEVNULL, cwd="/")

    def healthy(self) -> bool:
        return self.inside(*self._configuration["Healthcheck"]["Test"][1:]).returncode == 0

    @property
    def said(self) -> str:
        return self.log.read_text(errors="replace")

    def ended(self) -> bool:
        """Whether PID 1 is gone; then its exit code is `code`."""
        if self._outer and self._outer.poll() is not None:
            self.code = self._outer.returncode
            self._forget()
        return self.code is not None

    def wait(self, timeout: float = 60) -> int:
        wait_until(self.ended, timeout, f"{self.name} to end; it said:\n{tail(self.log)}")
        return self.code

    def stop(self, timeout: float = 120) -> int:
        """What `podman stop` does, with patience."""
        name = self._configuration.get("StopSignal", "SIGTERM")
        if not self._pid:
            raise LabError(f"{self.name} does not run")
        os.kill(self._pid, getattr(signal, name))
        return self.wait(timeout)
