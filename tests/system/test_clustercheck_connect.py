"""The ways from clustercheck to the server: TCP, IPv6, TLS, option files."""
from __future__ import annotations

import socket
import unittest

from checkcase import CheckCase
from fakeserver import FakeServer, relay
from harness import NodeOptions

from galeralab import Lab, host, tls

ACCOUNTS = """
CREATE OR REPLACE USER secret@'%' IDENTIFIED BY 'check-secret' REQUIRE SSL;
CREATE OR REPLACE USER certified@'%' IDENTIFIED BY 'check-secret' REQUIRE X509;
CREATE OR REPLACE USER optional@'%' IDENTIFIED BY 'from the option file';
"""


class Tcp(CheckCase):
    def test_address(self) -> None:
        self.expect_with({"mysql": {"host": self.node.address, "socket": None}}, 200, "synced")

    def test_localhost_means_the_socket(self) -> None:
        self.expect_with({"mysql": {"host": "localhost", "port": "9"}}, 200, "synced")

    def test_ipv6(self) -> None:
        """The server of the lab has an IPv4 address; a relay lends it one of the other family."""
        if not socket.has_dualstack_ipv6():
            self.expect_with({"mysql": {"host": "::1", "socket": None}}, 503, "cannot-connect")
            return
        with FakeServer(self.lab.net, relay((self.node.address, 3306)), "::1") as server:
            self.configure(1, {"mysql": {"host": "::1", "port": str(server.port), "socket": None}})
            self.expect(200, "synced")
            self.assertEqual(server.connections, 1)

    def test_socket_that_is_not_there(self) -> None:
        answer = self.expect_with({"mysql": {"socket": "/nonexistent/mysql.sock"}}, 503, "cannot-connect")
        self.assertIn(b"/nonexistent/mysql.sock", answer.body)


class OptionFiles(CheckCase):
    """What is empty in the configuration comes from a MySQL option file."""

    def setUp(self) -> None:
        super().setUp()
        self.node.sql(ACCOUNTS)
        self.file = self.node.home / "options.cnf"
        self.file.write_text(f"[client]\nsocket={self.node.socket}\nuser=optional\npassword='from the option file'\n"
                             f"[other]\nuser=nobody-knows\n[elsewhere]\nsocket=/nonexistent.sock\n")

    def options(self, **keys: str) -> None:
        empty = {"socket": None, "user": "", "password_file": None}
        self.configure(1, {"mysql": {**empty, "defaults_file": str(self.file), **keys}})

    def test_account_and_socket_come_from_the_file(self) -> None:
        self.options()
        self.expect(200, "synced")

    def test_group_is_read_besides_client(self) -> None:
        self.options(defaults_group="other")
        self.assertIn(b"nobody-knows", self.expect(503, "access-denied").body)
        self.options(defaults_group="elsewhere")
        self.assertIn(b"/nonexistent.sock", self.expect(503, "cannot-connect").body)

    def test_configuration_is_stronger_than_the_file(self) -> None:
        self.options(user="clustercheck", password_file=str(self.checker.password_file))
        self.expect(200, "synced")
        self.options(socket="/nonexistent.sock")
        self.expect(503, "cannot-connect")

    def test_port_comes_from_the_file(self) -> None:
        with FakeServer(self.lab.net, relay((self.node.address, 3306))) as server:
            self.file.write_text(self.file.read_text().replace("[client]", f"[client]\nport={server.port}"))
            self.options(host=server.address)
            self.expect(200, "synced")
            self.assertEqual(server.connections, 1)


class Tls(CheckCase):
    """Accounts that insist on TLS show that it is really used."""

    @classmethod
    def setUpClass(cls) -> None:
        home = host.make_state_dir(Lab().net) / "tls"
        cls.authority, cls.stranger = tls.Authority(home), tls.Authority(home / "stranger")
        pair = cls.authority.issue("server", [f"{Lab().net}.1"])
        host.give_to_server(pair.key)
        cls.ours, cls.theirs = cls.authority.issue("clustercheck"), cls.stranger.issue("clustercheck")
        cls.OPTIONS = NodeOptions(lines=[f"ssl_ca = {cls.authority.cert}", f"ssl_cert = {pair.cert}",
                                         f"ssl_key = {pair.key}"])
        super().setUpClass()

    def setUp(self) -> None:
        super().setUp()
        self.node.sql(ACCOUNTS)

    def tls(self, **keys: object) -> None:
        where = {"host": self.node.address, "socket": None, "user": "secret"}
        self.configure(1, {"mysql": {**where, **{name: str(value) for name, value in keys.items()}}})

    def test_account_that_insists_on_tls_is_refused_without(self) -> None:
        self.tls()
        self.expect(503, "access-denied")

    def test_server_with_a_certificate_of_the_authority(self) -> None:
        self.tls(ssl_ca=self.authority.cert)
        self.expect(200, "synced")
        self.expect(200, "synced", "/live")

    def test_server_with_a_certificate_of_another_authority(self) -> None:
        self.tls(ssl_ca=self.stranger.cert)
        self.assertIn(b"certificate", self.expect(503, "cannot-connect").body)
        self.tls(ssl_ca=self.stranger.cert, ssl_verify="no")
        self.expect(200, "synced")

    def test_certificate_must_name_the_host(self) -> None:
        with FakeServer(self.lab.net, relay((self.node.address, 3306))) as server:
            self.tls(ssl_ca=self.authority.cert, host=server.address, port=server.port)
            self.expect(503, "cannot-connect")
            self.tls(ssl_ca=self.authority.cert, host=server.address, port=server.port, ssl_verify="no")
            self.expect(200, "synced")

    def test_own_certificate(self) -> None:
        self.tls(user="certified", ssl_ca=self.authority.cert)
        self.expect(503, "access-denied")
        self.tls(user="certified", ssl_ca=self.authority.cert, ssl_cert=self.ours.cert, ssl_key=self.ours.key)
        self.expect(200, "synced")

    def test_own_certificate_that_the_server_does_not_trust(self) -> None:
        self.tls(user="certified", ssl_ca=self.authority.cert, ssl_cert=self.theirs.cert, ssl_key=self.theirs.key)
        self.assertIn(self.ask().reason, ("access-denied", "cannot-connect"))

    def test_certificates_that_cannot_be_read(self) -> None:
        self.tls(ssl_ca="/nonexistent/ca.pem")
        self.assertEqual(self.ask().code, 503)
        self.tls(ssl_ca=self.authority.cert, ssl_cert=self.ours.cert, ssl_key="/nonexistent/key.pem")
        self.assertEqual(self.ask().code, 503)

    def test_tls_over_the_socket(self) -> None:
        self.tls(host="", socket=self.node.socket, ssl_ca=self.authority.cert, ssl_verify="no")
        self.expect(200, "synced")

    def test_server_without_tls_is_refused(self) -> None:
        server = self.lab.plain()
        self.addCleanup(self.lab.remove_plain)
        self.tls(host=server.address, user="clustercheck")
        self.expect(503, "standalone")
        for verify in ("yes", "no"):
            self.tls(host=server.address, user="clustercheck", ssl_ca=self.authority.cert, ssl_verify=verify)
            self.assertRegex(self.expect(503, "cannot-connect").body, b"SSL|TLS")

    def test_hung_server_over_tls(self) -> None:
        self.tls(ssl_ca=self.authority.cert)
        self.freeze()
        self.bound(self.expect(503, "timed-out"), 6)


if __name__ == "__main__":
    unittest.main()
