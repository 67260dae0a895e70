"""The units for fleet: options that fleet and systemd know, and none of the ways in which such units are known to go wrong."""
from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import tempfile
import unittest
from pathlib import Path
from typing import Mapping

from registrycase import RegistryCase, host, wait_until
from test_docs import all_defaults, help_options, programs
from test_units import analyze
from unitfile import UnitFile, seconds

from galeralab.process import MARK

FLEET = host.CHECKOUT / "conf" / "fleet"
UNITS = {path.name: UnitFile(path) for path in sorted(FLEET.glob("*.service"))}

# fleet's Documentation/unit-files-and-scheduling.md and the table in job/job.go. The forms with X- are deprecated since 0.8.
FLEET_OPTIONS = {"MachineID", "MachineOf", "MachineMetadata", "Conflicts", "Global", "Replaces"}
BESIDES_GLOBAL = {"MachineMetadata"}
FLEET_SPECIFIERS = set("nNpi")
SUFFIX = r"\.(service|socket|device|mount|automount|timer|path)$"

# docker-run(1): the options that the units use, all of which take an argument.
DOCKER_RUN = {"--name", "--net", "--hostname", "--env-file", "--env", "--volume", "--ulimit", "--oom-score-adj", "--cap-drop",
              "--user"}


def environment() -> dict[str, str]:
    """galera.env as Docker reads it."""
    lines = (FLEET / "galera.env").read_text(encoding="utf-8").splitlines()
    return dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))


def docker_run(words: list[str]) -> tuple[list[tuple[str, str]], list[str]]:
    """The options of `docker run`, and the image with the command in it."""
    options, rest = [], words[2:]
    while rest[0].startswith("-"):
        options.append((rest[0], rest[1]))
        rest = rest[2:]
    return options, rest


class Fleet(unittest.TestCase):
    def test_a_node_has_three_and_the_balancer_one(self) -> None:
        self.assertEqual(set(UNITS), {"galera@.service", "galera-discovery@.service", "galera-log@.service",
                                      "galera-haproxy.service"})

    def test_options_of_fleet(self) -> None:
        for name, unit in UNITS.items():
            with self.subTest(unit=name):
                options = dict(unit.sections["X-Fleet"])
                self.assertLessEqual(set(options), FLEET_OPTIONS)
                if options.get("Global") == "true":
                    self.assertLessEqual(set(options) - {"Global"}, BESIDES_GLOBAL)
                for option, value in options.items():
                    self.assertLessEqual(set(re.findall(r"%(.)", value)), FLEET_SPECIFIERS)
                    if option in ("MachineOf", "Conflicts"):
                        self.assertRegex(value, SUFFIX)
                        self.assertIn(re.sub(r"@[^.]*", "@", value), UNITS, "no such unit")
                    if option == "MachineMetadata":
                        self.assertRegex(value, r"^[^=\s]+=[^=\s]+$")

    def test_where_they_run(self) -> None:
        self.assertEqual(UNITS["galera@.service"].one("X-Fleet", "Conflicts"), "galera@*.service")
        for name in ("galera-discovery@.service", "galera-log@.service"):
            self.assertEqual(UNITS[name].one("X-Fleet", "MachineOf"), "galera@%i.service")
        self.assertEqual(UNITS["galera-haproxy.service"].one("X-Fleet", "Global"), "true")

    def test_the_registration_comes_back_with_its_node(self) -> None:
        """A unit that is bound to another ends with it, and is not started again by itself when that one is."""
        self.assertIn("galera@%i.service", UNITS["galera-discovery@.service"].words("Unit", "BindsTo"))
        self.assertIn("galera-discovery@%i.service", UNITS["galera@.service"].words("Unit", "Wants"))

    def test_nothing_for_systemd_to_complain_about(self) -> None:
        directory = Path(tempfile.mkdtemp(prefix="fleet"))
        self.addCleanup(shutil.rmtree, directory)
        for name, unit in UNITS.items():
            text = unit.path.read_text(encoding="utf-8").replace("/usr/bin/docker", "/bin/true")
            (directory / name).write_text(text, encoding="utf-8")
        (directory / "docker.service").write_text("[Service]\nExecStart=/bin/true\n", encoding="utf-8")
        for name in UNITS:
            with self.subTest(unit=name):
                self.assertEqual(analyze("verify", "--man=no", directory / name, SYSTEMD_UNIT_PATH=f"{directory}:"), (0, ""))

    def test_commands_have_no_shell_in_them(self) -> None:
        """systemd runs no shell: pipes, loops and $(...) are arguments to it, and `$VAR` splits at blanks."""
        for name, unit in UNITS.items():
            for option, _, words in unit.commands():
                with self.subTest(unit=name, command=words):
                    self.assertEqual(words[0], "/usr/bin/docker", "an absolute path, and no shell")
                    for word in words[1:]:
                        self.assertNotRegex(word, r"[|;&<>`]|\$\(|\$[A-Za-z]|\betcd(ctl)?\b")
                        for variable in re.findall(r"\$\{(\w+)\}", word):
                            self.assertIn(variable, environment(), "an id or an image that nobody sets")

    def test_what_may_fail_is_marked_so(self) -> None:
        """There is nothing to remove at a first start, a registry may be down, and a container may have ended by itself."""
        for name, unit in UNITS.items():
            kinds = [option for option, prefix, _ in unit.commands()]
            self.assertEqual(kinds.count("ExecStart"), 1, name)
            for option, prefix, words in unit.commands():
                with self.subTest(unit=name, command=words):
                    self.assertEqual(prefix, "" if option == "ExecStart" else "-")

    def test_leftovers_are_stopped_before_they_are_removed(self) -> None:
        for name, unit in UNITS.items():
            with self.subTest(unit=name):
                before = [words[1:] for option, _, words in unit.commands() if option == "ExecStartPre"]
                start = next(words for option, _, words in unit.commands() if option == "ExecStart")
                stop = next(words[1:] for option, _, words in unit.commands() if option == "ExecStop")
                container = dict(docker_run(start)[0])["--name"]
                self.assertEqual(before[0], stop)
                self.assertEqual(before[1], ["rm", "-f", container])
                self.assertEqual((stop[:2], stop[3:]), (["stop", "-t"], [container]))
                self.assertGreater(seconds(unit.one("Service", "TimeoutStopSec")), seconds(stop[2]))

    def test_the_server_has_the_time_to_stop(self) -> None:
        defaults = all_defaults()["init"]
        stop = next(words for option, _, words in UNITS["galera@.service"].commands() if option == "ExecStop")
        self.assertGreater(float(stop[3]), seconds(defaults["stop_timeout"]) + seconds(defaults["drain"]))
        self.assertEqual(UNITS["galera@.service"].words("Service", "RestartPreventExitStatus"), ["64", "77", "78"])

    def test_containers(self) -> None:
        for name, unit in UNITS.items():
            with self.subTest(unit=name):
                self.assertEqual(unit.all("Service", "EnvironmentFile"), ["/etc/galera.env"], "it must be there: no dash")
                options, rest = docker_run(next(words for option, _, words in unit.commands() if option == "ExecStart"))
                self.assertLessEqual({option for option, _ in options}, DOCKER_RUN)
                self.assertIn(("--env-file", "/etc/galera.env"), options)
                self.assertRegex(rest[0], r"^\$\{GALERA_\w+_IMAGE\}$")
                for option, value in options:
                    if option == "--env" and value.startswith("CLUSTERCHECK_"):
                        self.known_key(value.partition("=")[0])
                    if option == "--volume":
                        self.assertRegex(value, r"^[a-z/-]+:/[a-z/-]+(:ro)?$")
                if len(rest) > 1:
                    self.assertIn(rest[1], programs())
                    self.assertLessEqual({word[2:] for word in rest if word.startswith("--")}, set(help_options(rest[1])))

    def known_key(self, variable: str) -> None:
        section, key = re.fullmatch(r"CLUSTERCHECK_([A-Z]+)_([A-Z_]+)", variable).groups()
        self.assertIn(key.lower(), all_defaults()[section.lower()])

    def test_the_environment_names_keys_that_there_are(self) -> None:
        for name, value in environment().items():
            if name.startswith("CLUSTERCHECK_"):
                self.known_key(name)
            if name.endswith("_IMAGE"):
                self.assertRegex(value, r":[^/:]+$", "an image without a version")
                self.assertFalse(value.endswith(":latest"))
            self.assertNotRegex(value, r"[\"']", "Docker keeps quotes")


DOCKER = """#!/bin/sh
# As much of docker as the units use; a container is a process group with the image's programs in its PATH.
home=$FLEET_HOME
case $1 in
    run)
        shift
        while :; do
            case $1 in
                --name) name=$2 ;;
                --env) export "$2" ;;
                --env-file) while read -r line; do case $line in \\#* | '') ;; *) export "$line" ;; esac; done < "$FLEET_ENV" ;;
                -*) ;;
                *) break ;;
            esac
            shift 2
        done
        [ -n "$1" ] || exit 125
        [ ! -e "$home/$name" ] || { echo "docker: the name $name is taken" >&2; exit 125; }
        shift
        echo $$ > "$home/$name"
        exec "$@"
        ;;
    stop)
        [ -e "$home/$4" ] && kill -TERM "$(cat "$home/$4")" || exit 1
        left=$(($3 * 10))
        while kill -0 "$(cat "$home/$4")" 2> /dev/null && ! grep -q "^State:.Z" "/proc/$(cat "$home/$4")/status" && [ $left -gt 0 ]; do left=$((left - 1)); sleep 0.1; done
        ;;
    rm) [ -e "$home/$3" ] && rm "$home/$3" ;;
    *) exit 1 ;;
esac
"""


class Discovery(RegistryCase):
    """galera-discovery@ with a stand-in for docker: its commands run as they are written."""

    def setUp(self) -> None:
        super().setUp()
        self.directory = Path(tempfile.mkdtemp(prefix="fleet"))
        self.addCleanup(shutil.rmtree, self.directory)
        (self.directory / "docker").write_text(DOCKER)
        (self.directory / "docker").chmod(0o755)
        (self.directory / "galera.env").write_text(
            f"# comment\nCLUSTERCHECK_ETCD_ENDPOINTS={','.join(self.etcd.endpoints)}\nGALERA_NODE_IMAGE=node:1\n"
            "CLUSTERCHECK_REGISTER_CHECK_INTERVAL=200ms\nCLUSTERCHECK_REGISTER_STOP_TIMEOUT=20s\nCLUSTERCHECK_MYSQL_PORT=1\nCLUSTERCHECK_REGISTER_IP=10.0.0.1\n")
        self.env = {**os.environ, MARK: f"{self.home}/fleet", "FLEET_HOME": str(self.directory), "GALERA_NODE_IMAGE": "node:1",
                    "FLEET_ENV": str(self.directory / "galera.env"),
                    "PATH": f"{host.build_dir().absolute()}/bin:{host.search_path()}"}

    def command(self, words: list[str], more: Mapping[str, str] = {}) -> subprocess.Popen:
        specifiers = {"%i": "1", "%H": "machine-a", **more}
        words = [str(self.directory / "docker"), *words[1:]]
        for index, word in enumerate(words):
            for specifier, value in specifiers.items():
                word = word.replace(specifier, value)
            words[index] = re.sub(r"\$\{(\w+)\}", lambda match: self.env[match[1]], word)
        return subprocess.Popen(words, env=self.env, stdin=subprocess.DEVNULL)

    def start(self, unit: UnitFile, more: Mapping[str, str] = {}) -> subprocess.Popen:
        for option, prefix, words in unit.commands():
            if option == "ExecStartPre":
                code = self.command(words).wait(60)
                self.assertTrue(code == 0 or prefix == "-", words)
        started = self.command(next(words for option, _, words in unit.commands() if option == "ExecStart"), more)
        self.addCleanup(started.wait)
        self.addCleanup(started.kill)
        return started

    def test_registers_its_node_again_after_a_crash_and_stops_without_touching_others(self) -> None:
        unit = UNITS["galera-discovery@.service"]
        self.put_entry("other", ip="10.0.0.9", port="3306", host="other")
        more = {"CLUSTERCHECK_REGISTER_WHEN=synced": "CLUSTERCHECK_REGISTER_WHEN=always"}  # there is no server here
        first = self.start(unit, more)
        entry = self.wait_entry("machine-a")
        self.assertEqual(self.entries()["machine-a"]["service_instance_name"], "galera@1.service")
        first.send_signal(signal.SIGKILL)
        first.wait()
        second = self.start(unit, more)  # the leftover of the first one is in the way of its name
        wait_until(lambda: (key := self.ip_key("machine-a")) and key.lease != entry.lease, 60, "it to be registered again")
        stop = next(words for option, _, words in unit.commands() if option == "ExecStop")
        self.assertEqual(self.command(stop).wait(60), 0)
        self.assertEqual(second.wait(60), 0)
        self.assertEqual(set(self.entries()), {"other"})


if __name__ == "__main__":
    unittest.main()
