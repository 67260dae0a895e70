"""galera-haproxy: nodes come and go, HAProxy stays one process."""
from __future__ import annotations

import unittest

from balancercase import (ANY, ANY_PORT, WRITER, WRITER_PORT, BalancerCase, wait_until)
from balancercase import alive


class Joining(BalancerCase):
    def test_node_joins_and_is_served_after_its_first_passed_check(self) -> None:
        lb = self.running()
        first = self.node(1, "db1")
        lb.wait_up(first)
        self.assertEqual(lb.served(), {first.address})
        second = self.node(2, "db2", code=503)
        lb.program.wait_said("db2 .* joins in slot s2")
        wait_until(lambda: len(second.asked) >= 6, 15, "some checks of db2")
        self.assertEqual(lb.served(), {first.address})
        second.code = 200
        lb.wait_up(first, second)
        wait_until(lambda: lb.served() == {first.address, second.address}, 15, "both to be served")


if __name__ == "__main__":
    unittest.main()
