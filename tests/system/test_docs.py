"""The sample configuration, the manuals and what the programs themselves say about keys and options are the same."""
from __future__ import annotations

import functools
import os
import re
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "lab"))

from galeralab import host  # noqa: E402

SAMPLE = ROOT / "conf" / "clustercheck.conf"

Keys = dict[str, dict[str, str]]  # section -> key -> default


def programs() -> list[str]:
    """Every directory with a main.c is a program, and so has to have been built."""
    return sorted(path.parent.name for path in ROOT.glob("*/main.c"))


def run(program: str, *arguments: str) -> str:
    """What the program prints when nothing in the environment speaks to it."""
    clean = {name: value for name, value in os.environ.items()
             if not name.startswith(("CLUSTERCHECK_", "MYSQL_", "AVAILABLE_WHEN_", "ERR_FILE", "DEFAULTS_EXTRA"))}
    done = subprocess.run([host.build_dir() / "bin" / program, *arguments], capture_output=True, text=True, timeout=20,
                          env=clean, stdin=subprocess.DEVNULL, check=False)
    if done.returncode != 0:
        raise AssertionError(f"{program} {' '.join(arguments)} exits with {done.returncode}: {done.stderr}")
    return done.stdout


def effective(program: str, path: str) -> tuple[Keys, set[str]]:
    """The configuration in force with this file, and the origins of its values."""
    keys: Keys = {}
    origins, section = set(), ""
    for line in run(program, "-n", "-c", path).splitlines():
        if match := re.fullmatch(r"\[(\w+)\]", line):
            section = match[1]
            keys.setdefault(section, {})
        elif match := re.fullmatch(r"(\w+) = (.*)  ; (.+)", line):
            keys[section][match[1]] = match[2].strip()
            origins.add(re.sub(r":\d+$", "", match[3]))
        elif line:
            raise AssertionError(f"{program} -n prints a line that is no key: {line}")
    return keys, origins


def defaults(program: str) -> Keys:
    return effective(program, "/dev/null")[0]


@functools.lru_cache
def all_defaults() -> Keys:
    """What all programs together read; some read a few keys of another one's section."""
    keys: Keys = {}
    for program in programs():
        for section, own in defaults(program).items():
            keys[section] = {**own, **keys.get(section, {})}
    return keys


def sample_keys() -> tuple[Keys, list[str]]:
    """The keys that stand commented in the sample file, and the lines that are neither key nor comment nor section."""
    keys: Keys = {}
    strays, section = [], ""
    for number, line in enumerate(SAMPLE.read_text(encoding="utf-8").splitlines(), 1):
        if match := re.fullmatch(r"\[(\w+)\]", line):
            section = match[1]
            keys.setdefault(section, {})
        elif match := re.fullmatch(r"#(\w+) =(.*)", line):
            if match[1] in keys.setdefault(section, {}):
                strays.append(f"{number}: {line} (again)")
            keys[section][match[1]] = match[2].strip()
        elif line and not re.match(r"#( |$)", line):
            strays.append(f"{number}: {line}")
    return keys, strays


def manual(program: str) -> dict[str, list[str]]:
    """The lines of the manual by their heading, .Sh and .Ss alike."""
    headings: dict[str, list[str]] = {}
    lines: list[str] = []
    for line in (ROOT / program / f"{program}.8").read_text(encoding="utf-8").splitlines():
        if match := re.match(r"\.S[hs] (.+)", line):
            lines = headings.setdefault(match[1].lower(), [])
        else:
            lines.append(line)
    return headings


def manual_keys(program: str) -> dict[str, dict[str, str]]:
    """Section -> key -> what stands in parentheses behind it ("" when nothing does)."""
    keys: dict[str, dict[str, str]] = {}
    for heading, lines in manual(program).items():
        if match := re.fullmatch(r"section (\w+)", heading):
            items = (re.match(r"\.It Cm (\w+)(?: No \((.*)\))?$", line) for line in lines)
            keys[match[1]] = {item[1]: item[2] or "" for item in items if item}
    return keys


def help_options(program: str) -> dict[str, tuple[str, bool]]:
    """Long name -> short letter or "", and whether it takes an argument."""
    pattern = re.compile(r"  (?:-(\S), |    )--([a-z0-9-]+)( \S+)?(?:  .*)?")
    found = (pattern.fullmatch(line) for line in run(program, "--help").splitlines())
    return {match[2]: (match[1] or "", match[3] is not None) for match in found if match}


def manual_options(program: str) -> dict[str, tuple[str, bool]]:
    options = {}
    for line in manual(program).get("options", []):
        if match := re.fullmatch(r"\.It (?:Fl (\S) , )?Fl Fl (\S+)( .+)?", line):
            options[match[2]] = (match[1] or "", match[3] is not None)
    return options


def each_program(test):
    """The test with each program in turn."""
    @functools.wraps(test)
    def run_all(self) -> None:
        self.assertIn("clustercheck", programs())
        for program in programs():
            with self.subTest(program=program):
                test(self, program)
    return run_all


class Documentation(unittest.TestCase):
    maxDiff = None

    def test_sample_has_every_key_at_its_default(self) -> None:
        keys, strays = sample_keys()
        self.assertEqual(strays, [], "lines of the sample that are neither a comment nor a section")
        self.assertEqual(keys, all_defaults())

    def test_programs_agree_on_the_defaults_of_keys_that_they_share(self) -> None:
        for program in programs():
            for section, own in defaults(program).items():
                self.assertEqual(own, {key: all_defaults()[section][key] for key in own}, f"[{section}] of {program}")

    @each_program
    def test_sample_changes_nothing(self, program: str) -> None:
        self.assertEqual(effective(program, str(SAMPLE)), (defaults(program), {"default"}))

    @each_program
    def test_sample_with_every_key_uncommented_changes_nothing(self, program: str) -> None:
        text = re.sub(r"(?m)^#(\w+ =)", r"\1", SAMPLE.read_text(encoding="utf-8"))
        with tempfile.NamedTemporaryFile("w", suffix=".conf", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            self.assertEqual(effective(program, file.name), (defaults(program), {file.name}))

    @each_program
    def test_manual_has_every_key(self, program: str) -> None:
        expected = defaults(program)
        written = manual_keys(program)
        self.assertEqual({section: sorted(keys) for section, keys in written.items()},
                         {section: sorted(expected.get(section, {})) for section in written})
        for section, keys in written.items():
            for key, default in keys.items():
                if default:
                    self.assertEqual(default, expected[section][key] or "none", f"default of {key}")

    @each_program
    def test_check_config_refuses_endpoints_that_are_no_urls(self, program: str) -> None:
        if "endpoints" not in help_options(program):
            return
        self.assertIn("endpoints = http://x:2379", run(program, "-n", "-c", "/dev/null", "-e", "http://x:2379"))
        with self.assertRaisesRegex(AssertionError, "exits with 78.*'ftp://x' is not a URL"):
            run(program, "-n", "-c", "/dev/null", "-e", "ftp://x")

    def test_some_manual_has_every_section(self) -> None:
        """Sections that several programs read are described once, and the other manuals say where."""
        written = {section for program in programs() for section in manual_keys(program)}
        self.assertEqual(written, set(all_defaults()))

    @each_program
    def test_manual_has_every_option(self, program: str) -> None:
        options = help_options(program)
        self.assertGreaterEqual(set(options), {"config", "check-config", "verbose", "quiet", "help", "version"})
        self.assertEqual(manual_options(program), options)

    @each_program
    def test_synopsis_has_no_option_that_does_not_exist(self, program: str) -> None:
        letters = {short for short, _ in help_options(program).values()}
        flags = re.findall(r"\bFl ((?:\w+ ?\|? ?)+)", "\n".join(manual(program)["synopsis"]).replace("Fl Fl", ""))
        for flag in flags:
            written = set(re.split(r" [A-Z]", flag)[0]) - {" ", "|"}
            self.assertLessEqual(written, letters, flag)

    @each_program
    def test_manual_has_the_exit_codes_of_the_suite(self, program: str) -> None:
        header = (ROOT / "lib" / "exitcode.h").read_text(encoding="utf-8")
        codes = set(re.findall(r"EXIT_\w+ = (\d+)", header))
        written = re.findall(r"(?m)^\.It (?:Er |Li )?(\d+)$", "\n".join(manual(program)["exit status"]))
        self.assertEqual(len(written), len(set(written)))
        self.assertLessEqual({"0", "64", "78"}, set(written))
        self.assertLessEqual(set(written), codes)

    def test_manual_of_clustercheck_has_every_reason(self) -> None:
        source = (ROOT / "lib" / "verdict.c").read_text(encoding="utf-8")
        reasons = set(re.findall(r"\[REASON_\w+\] = \"([a-z-]+)\"", source))
        sections = manual("clustercheck")
        written = {match[1] for heading in ("up", "down", "unknown") for line in sections[heading]
                   if (match := re.fullmatch(r"\.It Cm ([a-z-]+)", line))}
        self.assertGreater(len(reasons), 15)
        self.assertEqual(written, reasons)


if __name__ == "__main__":
    unittest.main()
