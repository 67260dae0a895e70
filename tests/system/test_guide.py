"""The guides in docs/, followed on machines with systemd: every block of commands, as it stands there, and what came of it."""
from __future__ import annotations



from guidecase import NODES, GuideCase

LONG = True


class Guides(GuideCase):
    """Each page by itself, on hosts as three-hosts.md leaves them."""

    def test_three_hosts(self) -> None:
        self.new()
        self.follower.follow("three-hosts.md")
        self.serving()
        for name in NODES:
            self.assertEqual(self.rows(name, "shop.proof"), {1})
            self.assertEqual(self.sh("systemctl list-units --failed --plain --no-legend", name), "")
        self.keep()
        self.assertEqual(self.rows("db2", "shop.proof"), {1})
