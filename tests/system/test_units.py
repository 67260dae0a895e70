"""The units for systemd: what systemd itself says of them, and that they fit the programs they start."""
from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
import unittest
from pathlib import Path

from test_docs import all_defaults, help_options, programs
from unitfile import UnitFile, seconds

from galeralab import host

CONF = host.CHECKOUT / "conf"
UNITS = sorted(path for path in (CONF / "systemd").iterdir() if path.suffix in (".service", ".socket"))
SERVICES = [path for path in UNITS if path.suffix == ".service"]
SERVER = "galera@.service"
MOST_EXPOSURE = 3.0

# Accounts that come with packages which the units need anyway: mariadb-server, haproxy, base-passwd, systemd.
FOREIGN = {"mysql", "haproxy", "adm", "systemd-journal"}


def analyze(*arguments: object, **env: str) -> tuple[int, str]:
    done = subprocess.run([host.tool("systemd-analyze"), "--no-pager", *map(str, arguments)], capture_output=True, text=True,
                          env={**os.environ, **env}, stdin=subprocess.DEVNULL, timeout=60, check=False)
    return done.returncode, done.stdout + done.stderr


def each_service(test):
    def run_all(self) -> None:
        self.assertGreater(len(SERVICES), 5)
        for path in SERVICES:
            with self.subTest(unit=path.name):
                test(self, UnitFile(path))
    run_all.__doc__, run_all.__name__ = test.__doc__, test.__name__
    return run_all


class Units(unittest.TestCase):
    def installed(self) -> Path:
        """The units as an installation would have them here: with programs that are there."""
        directory = Path(tempfile.mkdtemp(prefix="units"))
        self.addCleanup(shutil.rmtree, directory)
        for path in UNITS:
            text = path.read_text(encoding="utf-8")
            for program in programs():
                text = re.sub(rf"/usr/bin/{program}(?![\w-])", str((host.build_dir() / "bin" / program).absolute()), text)
            text = text.replace("/usr/libexec/galera-log", str(CONF / "rsyslog" / "galera-log"))
            (directory / path.name).write_text(text, encoding="utf-8")
        return directory

    def test_the_units_that_an_admin_looks_for_are_there(self) -> None:
        self.assertLessEqual({"galera@.service", "galera-register@.service", "galera-log@.service", "clustercheck.socket",
                              "clustercheck@.service", "clustercheck-resident.socket", "clustercheck-resident.service",
                              "clustercheck-agent.socket", "clustercheck-agent.service", "galera-register.service",
                              "galera-haproxy.service"},
                             {path.name for path in UNITS})

    def test_systemd_finds_nothing_to_complain_about(self) -> None:
        directory = self.installed()
        for path in UNITS:
            with self.subTest(unit=path.name):
                self.assertEqual(analyze("verify", "--man=no", directory / path.name, SYSTEMD_UNIT_PATH=f"{directory}:"),
                                 (0, ""))

    def test_verify_would_tell(self) -> None:
        """What the test before rests on."""
        directory = self.installed()
        with open(directory / SERVER, "a", encoding="utf-8") as file:
            file.write("[Service]\nKilMode=mixed\n")
        self.assertIn("KilMode", analyze("verify", "--man=no", directory / SERVER, SYSTEMD_UNIT_PATH=f"{directory}:")[1])

    @each_service
    def test_sandbox(self, unit: UnitFile) -> None:
        """All but the server itself."""
        if unit.name == SERVER:
            return
        code, text = analyze("security", "--offline=yes", f"--threshold={int(MOST_EXPOSURE * 10)}", unit.path)
        exposure = re.search(r"Overall exposure level for \S+: ([\d.]+)", text)
        self.assertIsNotNone(exposure, text)
        self.assertLessEqual(float(exposure[1]), MOST_EXPOSURE)
        self.assertEqual(code, 0, text)

    def test_manuals_are_there(self) -> None:
        for path in UNITS:
            pages = UnitFile(path).words("Unit", "Documentation")
            self.assertTrue(pages, path.name)
            for page in pages:
                with self.subTest(unit=path.name, page=page):
                    if match := re.fullmatch(r"man:([a-z-]+)\(8\)", page):
                        self.assertTrue((host.CHECKOUT / match[1] / f"{match[1]}.8").exists())
                    else:
                        file = page.removeprefix("file:/usr/share/doc/galera-suite/examples/")
                        self.assertTrue((CONF / file).is_file(), file)

    @each_service
    def test_starts_one_of_our_programs_with_options_that_it_has(self, unit: UnitFile) -> None:
        starts = [words for option, _, words in unit.commands() if option == "ExecStart"]
        self.assertEqual(len(starts), 1)
        program, arguments = Path(starts[0][0]), starts[0][1:]
        if program == Path("/usr/libexec/galera-log"):
            self.assertTrue(os.access(CONF / "rsyslog" / "galera-log", os.X_OK))
            return
        self.assertEqual(program.parent, Path("/usr/bin"))
        self.assertIn(program.name, programs())
        own = arguments[:arguments.index("--")] if "--" in arguments else arguments
        self.assertLessEqual({word.removeprefix("--") for word in own if word.startswith("-")}, set(help_options(program.name)))

    @each_service
    def test_environment_names_keys_that_there_are(self, unit: UnitFile) -> None:
        for assignment in unit.words("Service", "Environment"):
            name = assignment.strip('"').partition("=")[0]
            if name.startswith("CLUSTERCHECK_"):
                section, key = re.fullmatch(r"CLUSTERCHECK_([A-Z]+)_([A-Z_]+)", name).groups()
                self.assertIn(key.lower(), all_defaults()[section.lower()])

    @each_service
    def test_optional_files_may_be_missing(self, unit: UnitFile) -> None:
        for file in unit.all("Service", "EnvironmentFile"):
            self.assertTrue(file.startswith("-/etc/default/"), file)

    @each_service
    def test_accounts_are_made(self, unit: UnitFile) -> None:
        lines = [line.split() for file in (CONF / "sysusers.d").glob("*.conf")
                 for line in file.read_text(encoding="utf-8").splitlines() if line and not line.startswith("#")]
        made = {words[1] for words in lines if words[0] in ("u", "g")}
        wanted = {unit.one("Service", "User"), unit.one("Service", "Group"), *unit.words("Service", "SupplementaryGroups")}
        self.assertNotIn("", wanted)
        if unit.one("Service", "User") == "root":  # then without anything that root can do
            self.assertEqual(unit.all("Service", "CapabilityBoundingSet"), [""])
            wanted.remove("root")
        self.assertEqual(wanted - made - FOREIGN, set())

    def test_sysusers_and_tmpfiles_do_what_the_units_rest_on(self) -> None:
        root = Path(tempfile.mkdtemp(prefix="root"))
        self.addCleanup(shutil.rmtree, root)
        (root / "etc").mkdir()
        for tool, kind in (("systemd-sysusers", "sysusers.d"), ("systemd-tmpfiles", "tmpfiles.d")):
            files = sorted((CONF / kind).glob("*.conf"))
            command = [host.tool(tool), f"--root={root}", *(["--create"] if kind == "tmpfiles.d" else []), *map(str, files)]
            done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False, stdin=subprocess.DEVNULL)
            self.assertEqual(done.returncode, 0, f"{command}: {done.stderr}")
        accounts = {line.split(":")[0]: line.split(":") for line in (root / "etc" / "passwd").read_text().splitlines()}
        self.assertLessEqual({"clustercheck", "galera-log"}, set(accounts))
        for name in ("clustercheck", "galera-log"):
            self.assertTrue(accounts[name][6].endswith("nologin"), accounts[name])
        self.assertEqual((root / "run" / "clustercheck").stat().st_mode & 0o7777, 0o775)

    def test_the_directory_of_the_marks_has_one_mode(self) -> None:
        """A unit that starts sets it anew; galera-init, of the group, makes the drain file in it."""
        units = [UnitFile(path) for path in SERVICES]
        modes = {unit.name: unit.one("Service", "RuntimeDirectoryMode") for unit in units
                 if "clustercheck" in unit.words("Service", "RuntimeDirectory")}
        self.assertGreater(len(modes), 2)
        self.assertEqual(set(modes.values()), {"0775"}, modes)
        self.assertIn("clustercheck", UnitFile(CONF / "systemd" / SERVER).words("Service", "SupplementaryGroups"))

    def test_the_server_is_given_the_time_it_needs(self) -> None:
        unit, defaults = UnitFile(CONF / "systemd" / SERVER), all_defaults()["init"]
        needed = seconds(defaults["stop_timeout"]) + seconds(defaults["drain"])
        self.assertGreater(seconds(unit.one("Service", "TimeoutStopSec")), needed + 30)
        self.assertGreaterEqual(seconds(unit.one("Service", "TimeoutStartSec")), 60)
        self.assertEqual(unit.one("Service", "Type"), "notify")
        self.assertEqual(unit.one("Service", "NotifyAccess"), "main")
        self.assertEqual(unit.one("Service", "KillMode"), "mixed")
        self.assertEqual(unit.one("Service", "Restart"), "on-failure")
        self.assertEqual(unit.words("Service", "RestartPreventExitStatus"), ["64", "77", "78"])
        self.assertLess(int(unit.one("Service", "OOMScoreAdjust")), 0)
        self.assertGreaterEqual(int(unit.one("Service", "LimitNOFILE")), 16384)
        self.assertIn("mariadb.service", unit.words("Unit", "Conflicts"))
        # No watchdog: to end the supervisor would end the database.
        self.assertEqual(unit.one("Service", "WatchdogSec"), "")

    def test_what_lives_with_the_node(self) -> None:
        register = UnitFile(CONF / "systemd" / "galera-register@.service")
        self.assertEqual(register.words("Unit", "BindsTo"), ["galera@%i.service"])
        self.assertIn("galera@%i.service", register.words("Unit", "After"))
        self.assertEqual(register.words("Install", "WantedBy"), ["galera@%i.service"])
        courier = UnitFile(CONF / "systemd" / "galera-log@.service")
        self.assertEqual(courier.words("Unit", "BindsTo"), [], "the courier tells what a node said last")
        self.assertIn("galera@%i.service", courier.words("Unit", "Before"))

    @each_service
    def test_restarts_for_ever_but_not_where_that_changes_nothing(self, unit: UnitFile) -> None:
        """Services that are there all the time; one that a socket starts is started by its next client."""
        if unit.one("Service", "StandardInput") == "socket":
            self.assertEqual(unit.one("Unit", "StartLimitIntervalSec"), "0")
            return
        self.assertIn(unit.one("Service", "Restart"), ("always", "on-failure"))
        self.assertLessEqual({"64", "77", "78"}, set(unit.words("Service", "RestartPreventExitStatus")))
        if unit.name != SERVER:
            self.assertEqual(unit.one("Unit", "StartLimitIntervalSec"), "0")

    def test_sockets(self) -> None:
        ports = {}
        for path in UNITS:
            if path.suffix == ".socket":
                unit = UnitFile(path)
                ports[path.stem] = unit.one("Socket", "ListenStream")
                service = f"{path.stem}{'@' if unit.one('Socket', 'Accept') == 'yes' else ''}.service"
                self.assertTrue((CONF / "systemd" / service).exists(), service)
                self.assertEqual(unit.one("Socket", "TriggerLimitIntervalSec"), "0", "it would be closed for good")
        # Only with an order does the one that stops do so before the other starts.
        socket = UnitFile(CONF / "systemd" / "clustercheck.socket")
        for other in ("clustercheck-resident.socket", "clustercheck-resident.service"):
            self.assertIn(other, socket.words("Unit", "Conflicts"))
            self.assertIn(other, socket.words("Unit", "Before"))
        self.assertEqual(ports, {"clustercheck": "9200", "clustercheck-resident": "9200", "clustercheck-agent": "9201"})


if __name__ == "__main__":
    unittest.main()
