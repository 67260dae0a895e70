"""The completion for bash offers what each program's --help says, no more and no less."""
from __future__ import annotations

import re
import subprocess
import unittest

from test_docs import programs

from galeralab import host

FILE = host.CHECKOUT / "conf" / "bash-completion" / "clustercheck"
SCRIPTS = {"galera-accounts": host.CHECKOUT / "conf" / "accounts" / "galera-accounts"}
ROW = re.compile(r"  (?:(-.), |    )--([a-z0-9-]+)(?: (\S+))?(?:  .*)?")
COMPLETE = """
source "$0"
COMP_WORDS=("$@") COMP_CWORD=$(($# - 1)) COMPREPLY=()
_clustercheck
printf '%s\\n' "${COMPREPLY[@]}"
"""


def path(program: str) -> str:
    return str(SCRIPTS.get(program, host.build_dir() / "bin" / program))


def names() -> list[str]:
    return [*programs(), *SCRIPTS]


def options(program: str) -> dict[str, str]:
    """Option -> what --help calls its argument, "" when it takes none."""
    text = subprocess.run([path(program), "--help"], capture_output=True, text=True, check=True, timeout=20).stdout
    found = {}
    for line in text.splitlines():
        if match := ROW.fullmatch(line):
            letter, name, argument = match[1], match[2], match[3] or ""
            found.update({option: argument for option in (letter, f"--{name}") if option})
    return found


def complete(*words: str) -> list[str]:
    """What bash offers for the last word."""
    done = subprocess.run(["bash", "--norc", "-c", COMPLETE, str(FILE), path(words[0]), *words[1:]], capture_output=True,
                          text=True, check=True, timeout=20, stdin=subprocess.DEVNULL)
    return [line for line in done.stdout.splitlines() if line]


class Completion(unittest.TestCase):
    def test_every_program_is_covered_and_no_other(self) -> None:
        registered = re.search(r"(?ms)^complete -F _clustercheck (.*)", FILE.read_text())
        self.assertEqual(set(names()), set(registered[1].replace("\\", " ").split()))

    def test_every_option_is_offered_and_nothing_else(self) -> None:
        for program in names():
            with self.subTest(program):
                wanted = options(program)
                self.assertGreater(len(wanted), 8)
                self.assertEqual(set(complete(program, "-")), set(wanted))

    def test_a_beginning_narrows_the_offer(self) -> None:
        for program in names():
            wanted = {option for option in options(program) if option.startswith("--h")}
            self.assertEqual(set(complete(program, "--h")), wanted)

    def test_words_to_choose_from(self) -> None:
        for program in names():
            for option, argument in options(program).items():
                if "|" in argument:
                    with self.subTest(f"{program} {option}"):
                        self.assertEqual(complete(program, option, ""), argument.split("|"))
        self.assertIn("gcomm", complete("galera-discover", "--format", "g"))
        self.assertEqual(complete("galera-discover", "--format", "=", "g"), ["gcomm"])
        self.assertIn("/rw", complete("clustercheck", "-p", "/"))

    def test_files_where_files_are_wanted(self) -> None:
        conf = host.CHECKOUT / "conf" / "clustercheck.c"
        for program in programs():
            self.assertEqual(complete(program, "-c", str(conf)), [f"{conf}onf"])

    def test_an_argument_that_is_free_gets_no_options(self) -> None:
        self.assertEqual(complete("galera-register", "--host", ""), [])

    def test_the_verbs_of_galera_init(self) -> None:
        words = subprocess.run(["bash", "--norc", "-c", COMPLETE, str(FILE), "galera-init", ""], capture_output=True, text=True,
                               check=True, timeout=20).stdout.split()
        self.assertEqual(words, ["plan", "attest-lost", "forget", "bootstrap", "seed"])

    def test_what_follows_a_verb(self) -> None:
        self.assertEqual(complete("galera-init", "forget", ""), [])
        self.assertEqual(set(complete("galera-init", "bootstrap", "--")) - set(complete("galera-init", "--")),
                         {"--force", "--yes-cluster"})
        self.assertEqual(complete("galera-init", "-v", "plan", "--format", ""), ["text", "json"])
        self.assertEqual(complete("galera-init", "bootstrap", "--yes-cluster", ""), [])
