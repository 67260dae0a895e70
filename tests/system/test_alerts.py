"""The alert rules for Prometheus: promtool takes them, each one comes when it should, and clustercheck has what they ask for."""
from __future__ import annotations

import re
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "lab"))

from galeralab import host  # noqa: E402

PROMETHEUS = ROOT / "conf" / "prometheus"
RULES, TESTS = PROMETHEUS / "galera.rules.yml", PROMETHEUS / "galera.test.yml"
PROMETHEUS_OWN = {"up"}


def promtool(*arguments: object) -> tuple[int, str]:
    done = subprocess.run([host.tool("promtool"), *map(str, arguments)], capture_output=True, text=True, timeout=120, check=False,
                          stdin=subprocess.DEVNULL)
    return done.returncode, done.stdout + done.stderr


class Alerts(unittest.TestCase):
    def alerts(self) -> list[str]:
        return re.findall(r"(?m)^ +- alert: (\w+)$", RULES.read_text(encoding="utf-8"))

    def test_promtool_takes_the_rules(self) -> None:
        code, text = promtool("check", "rules", "--lint-fatal", RULES)
        self.assertEqual(code, 0, text)
        self.assertIn(f"{len(self.alerts())} rules found", text)

    def test_each_comes_when_it_should(self) -> None:
        code, text = promtool("test", "rules", TESTS)
        self.assertEqual(code, 0, text)

    def test_each_has_a_test_that_sees_it_fire(self) -> None:
        text = TESTS.read_text(encoding="utf-8")
        fired = set(re.findall(r"alertname: (\w+)\n +exp_alerts:\n +- exp_labels", text))
        self.assertEqual(fired, set(self.alerts()))

    def test_a_rule_that_is_wrong_would_be_seen(self) -> None:
        """What the tests before rest on: every comparison with a number turned round fails them."""
        rules = RULES.read_text(encoding="utf-8")
        with tempfile.TemporaryDirectory() as directory:
            copy = Path(directory)
            (copy / TESTS.name).write_text(TESTS.read_text(encoding="utf-8"), encoding="utf-8")
            for old, new in (("> max by", "< max by"), ("for: 10m", "for: 20m"), ("> 100", "< 100")):
                self.assertIn(old, rules)
                (copy / RULES.name).write_text(rules.replace(old, new), encoding="utf-8")
                self.assertNotEqual(promtool("test", "rules", copy / TESTS.name)[0], 0, f"{old} -> {new}")

    def test_metrics_and_reasons_are_clustercheck_s(self) -> None:
        source = (ROOT / "clustercheck" / "metrics.c").read_text(encoding="utf-8")
        known = set(re.findall(r'"((?:galera|clustercheck)_\w+)"', source)) | PROMETHEUS_OWN
        rules = re.sub(r"(?m)^#.*$|^ +(summary|description): .*(\n {12}.*)*", "", RULES.read_text(encoding="utf-8"))
        used = set(re.findall(r"\b((?:galera|clustercheck)_\w+)", rules))
        self.assertGreater(len(used), 8)
        self.assertEqual(used - known, set())
        reasons = set(re.findall(r'\[REASON_\w+\] = "([a-z-]+)"', (ROOT / "lib" / "verdict.c").read_text(encoding="utf-8")))
        for group in re.findall(r'reason=~"([^"]+)"', RULES.read_text(encoding="utf-8")):
            self.assertLessEqual(set(group.split("|")), reasons)


if __name__ == "__main__":
    unittest.main()
