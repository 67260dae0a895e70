"""The lab's command line with nodes that galera-init is in charge of."""
from __future__ import annotations

import unittest

from harness import LabCase

from test_lab import lab_command, wait_status



class Managed(LabCase):
    def test_a_cluster_that_galera_init_runs_from_the_command_line(self) -> None:
        def lab(*arguments: str) -> str:
            done = lab_command(*arguments)
            self.assertEqual(done.returncode, 0, done.stderr)
            return done.stdout

        self.assertRegex(lab("up", "--managed", "2", "--sst", "rsync"), r"2 nodes are Synced")
        self.assertIn(f"ETCD_ENDPOINTS='http://{self.lab.net}.201:2379'", lab("env"))
        lab("kill", "2")
        wait_status(self, r"n2 +stopped")
        self.assertRegex(lab("init", "1", "plan"), r"(?m)^n2 ")
        lab("start", "2")
        wait_status(self, r"n2 +running +Synced +Primary +2 ")
        self.assertIn("galera-init: notice: ", lab("logs", "2"))
        self.assertIn("WSREP", lab("logs", "2", "--server"))
        lab("stop", "1")
        self.assertEqual(self.lab.keys.position("n1")["state"], "attested")


if __name__ == "__main__":
    unittest.main()
