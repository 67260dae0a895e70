"""galera-register and galera-discover at an etcd with accounts, with TLS, and with the v2 API."""
from __future__ import annotations

import json
import signal
import time
import unittest
import urllib.error
import urllib.request

from registrycase import PREFIX, RegistryCase, encode, wait_until

from galeralab.tls import Authority

ROOT, WORD = "root-secret", "suite-secret"


class Accounts(RegistryCase):
    """Tokens live for a second here, so they expire between any two beats."""

    OPTIONS = {"arguments": ("--auth-token-ttl", "1")}

    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        cls.etcd.enable_auth(ROOT, {"suite": (WORD, PREFIX + "/"), "reader": (WORD, "/elsewhere/")})
        cls.password = cls.home / "etcd.password"
        cls.password.write_text(WORD + "\n")
        cls.password.chmod(0o600)

    def post(self, path, body):
        """As root, whose token expires as well."""
        token = self.etcd.http(1, "/v3/auth/authenticate", {"name": "root", "password": ROOT})["token"]
        self.headers = {"Authorization": token}
        return super().post(path, body)

    def user(self, name: str = "suite", **more: object) -> dict:
        return {"etcd": {"user": name, "password_file": self.password, **more}}

    def test_registers_and_is_discovered_while_tokens_expire(self) -> None:
        program = self.registered("db1", settings=self.user())
        watcher = self.watcher(settings=self.user())
        before = self.wait_entry("db1")
        watcher.wait_ids("db1")
        time.sleep(self.end_of_ttl())
        self.assertEqual(self.wait_entry("db1", 0), before, program.err)
        self.assertNotRegex(program.err, "token|user|permission|registered again", "trouble with tokens")
        second = self.registered("db2", ip="10.0.0.2", settings=self.user())
        watcher.wait_ids("db1", "db2")
        self.assertEqual((program.stop(), second.stop()), (0, 0))
        watcher.wait_ids()
        self.assertEqual(self.discover(settings=self.user()).exit, 1)

    def test_rights_change_and_etcd_forgets_its_tokens(self) -> None:
        program = self.registered("db1", settings=self.user())
        before = self.wait_entry("db1")
        self.etcd.ctl("role", "grant-permission", "suite", "readwrite", "/more/", "--prefix=true",
                      user=f"root:{ROOT}")
        time.sleep(self.end_of_ttl())
        self.assertEqual(self.wait_entry("db1", 0), before, program.err)
        self.etcd.member(1).stop()
        self.etcd.start(1)
        time.sleep(self.end_of_ttl())
        self.assertEqual(self.wait_entry("db1", 0).created, before.created, program.err)

    def test_who_is_refused_is_told_why(self) -> None:
        wrong = self.home / "wrong.password"
        wrong.write_text("something else\n")
        for settings, words in [(self.user(password_file=wrong), "refuses user suite"),
                                (self.user("nobody"), "refuses user nobody"),
                                ({}, "set user and password_file"), (self.user("reader"), "permission denied")]:
            with self.subTest(words):
                program = self.register("db1", settings=settings)
                self.assertEqual(program.wait(), 77, program.err)
                self.assertRegex(program.err, f"err: .*{words}")
                self.assertNotRegex(program.err, f"something else|{WORD}")
                listing = self.discover(settings=settings)
                self.assertEqual((listing.exit, listing.out), (77, ""), listing.err)
                self.assertRegex(listing.err, words)
        self.assertEqual(self.entries(), {})

    def test_a_password_that_cannot_be_read(self) -> None:
        missing = self.home / "missing.password"
        done = self.run_program("galera-register", "--id", "db1", "--ip", "10.0.0.1",
                                settings=self.user(password_file=missing))
        self.assertEqual(done.exit, 78, done.err)
        self.assertIn(str(missing), done.err)


class Tls(RegistryCase):
    """etcd wants certificates of the lab's authority."""

    OPTIONS = {"tls": True, "client_certs": True}

    def pair(self, **more: object) -> dict:
        pair = self.etcd.client_pair()
        return {"etcd": {"ca": self.etcd.authority.cert, "cert": pair.cert, "key": pair.key, **more}}

    def test_registers_watches_and_stops(self) -> None:
        watcher = self.watcher(settings=self.pair())
        watcher.wait_ids()
        program = self.registered("db1", settings=self.pair())
        watcher.wait_ids("db1")
        before = self.wait_entry("db1")
        time.sleep(self.end_of_ttl())
        self.assertEqual(self.wait_entry("db1", 0), before)
        self.assertEqual(program.stop(), 0)
        watcher.wait_ids()

    def test_what_does_not_fit_is_refused_and_named(self) -> None:
        stranger = Authority(self.home / "stranger")
        plain = {"endpoints": self.etcd.endpoints[0].replace("https", "http")}
        for settings, words in [(self.pair(ca=stranger.cert), "certificate"),
                                (self.pair(ca=None), "certificate"),
                                (self.pair(cert=None, key=None), "certificate"),
                                (self.pair(cert=stranger.cert, key=stranger.key), "certificate"),
                                (self.pair(**plain), "https")]:
            with self.subTest(str(settings)):
                done = self.run_program("galera-register", "--once", "--id", "db1", "--ip", "10.0.0.1",
                                        settings=settings)
                self.assertEqual(done.exit, 69, done.err)
                self.assertRegex(done.err, words)
                self.assertEqual(self.discover(settings=settings).exit, 69)
        self.assertEqual(self.entries(), {})


class Version2(RegistryCase):
    """The old API: an entry is a directory with a TTL.  This etcd has both."""

    OPTIONS = {"v2": True}
    OLD = {"etcd": {"api": "v2"}}

    def setUp(self) -> None:
        super().setUp()
        if self.v2() is not None:
            self.v2("?dir=true&recursive=true", method="DELETE")

    def v2(self, query: str = "?recursive=true&quorum=true", key: str = "/components", method: str = "GET",
           data: str | None = None):
        request = urllib.request.Request(f"{self.etcd.endpoints[0]}/v2/keys{key}{query}", method=method,
                                         data=data.encode() if data else None)
        try:
            with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=5) as answer:
                return json.load(answer)["node"]
        except urllib.error.HTTPError as error:
            if error.code == 404:
                return None
            raise

    def directories(self) -> dict[str, dict]:
        top = self.v2(key=PREFIX) or {}
        return {node["key"].removeprefix(PREFIX + "/"): node for node in top.get("nodes", []) if node.get("dir")}

    def old_entries(self) -> dict[str, dict[str, str]]:
        return {id: {node["key"].rpartition("/")[2]: node["value"] for node in directory.get("nodes", [])}
                for id, directory in self.directories().items()}

    def old_gone(self, id: str, timeout: float) -> None:
        wait_until(lambda: id not in self.directories(), timeout, f"{id} to be gone from v2")

    def test_a_directory_with_a_ttl_that_is_renewed(self) -> None:
        program = self.registered("db1", "--check-port", "9200", settings=self.OLD)
        directory = self.directories()["db1"]
        self.assertTrue(0 < directory["ttl"] <= self.TTL, directory)
        time.sleep(self.end_of_ttl())
        self.assertEqual(self.old_entries(), {"db1": {"ip": "10.0.0.1", "port": "3306", "host": "db.example",
                                                      "check_port": "9200"}})
        self.assertEqual(self.directories()["db1"]["createdIndex"], directory["createdIndex"], program.err)
        self.assertEqual(self.entries(), {}, "v3 is another store")
        program.kill()
        self.old_gone("db1", 60)

    def test_sigterm_leaves_the_siblings(self) -> None:
        self.v2("", PREFIX + "/db10/ip", "PUT", "value=10.0.0.9")
        programs = [self.registered(f"db{i}", ip=f"10.0.0.{i}", settings={"register": {"ttl": "60s"}, **self.OLD})
                    for i in (1, 2)]
        self.assertEqual(programs[0].stop(), 0)
        self.assertEqual(set(self.directories()), {"db10", "db2"})
        self.assertEqual(programs[1].stop(), 0)
        self.assertEqual(self.old_entries(), {"db10": {"ip": "10.0.0.9"}})

    def test_a_leftover_is_adopted_and_another_s_id_refused(self) -> None:
        self.registered("db1", settings=self.OLD).kill()
        index = self.directories()["db1"]["createdIndex"]
        self.registered("db1", settings=self.OLD)
        refused = self.register("db1", ip="10.0.0.2", settings=self.OLD)
        self.assertEqual(refused.wait(), 1)
        self.assertRegex(refused.err, r"belongs to 10\.0\.0\.1:3306, which is alive")
        self.assertEqual(self.directories()["db1"]["createdIndex"], index, "it was away in between")

    def test_wiped_frozen_and_restarted(self) -> None:
        program = self.registered("db1", settings=self.OLD)
        whole = self.old_entries()
        self.v2("", f"{PREFIX}/db1/port", "DELETE")
        program.wait_said("notice: registered again", times=1)
        self.assertEqual(self.old_entries(), whole)
        self.v2("?dir=true&recursive=true", method="DELETE")
        program.wait_said("notice: registered again", times=2)
        self.assertEqual(self.old_entries(), whole)
        program.signal(signal.SIGSTOP)
        self.old_gone("db1", 60)
        program.signal(signal.SIGCONT)
        program.wait_said("notice: registered again", times=3)
        self.etcd.member(1).kill()
        self.etcd.member(1).wipe()
        self.etcd.start(1)
        program.wait_said("notice: registered again", times=4)
        self.assertEqual(self.old_entries(), whole)

    def test_listed_and_watched(self) -> None:
        watcher = self.watcher(settings=self.OLD)
        watcher.wait_ids()
        programs = [self.registered(f"db{i}", ip=f"10.0.0.{i}", settings=self.OLD) for i in (2, 1)]
        watcher.wait_ids("db1", "db2")
        listing = self.discover("--format", "gcomm", settings=self.OLD)
        self.assertEqual((listing.exit, listing.out), (0, "gcomm://10.0.0.1,10.0.0.2\n"))
        programs[0].stop()
        watcher.wait_ids("db1")
        programs[1].kill()
        watcher.wait_ids()

    def test_a_watch_outlives_what_etcd_remembers(self) -> None:
        """v2 keeps the last 1,000 events: a watch from before them is told 401, and must read all again."""
        watcher = self.watcher(settings={"discover": {"resync": "1h"}, **self.OLD})
        watcher.wait_ids()
        watcher.signal(signal.SIGSTOP)
        for number in range(1100):
            self.v2("", "/elsewhere", "PUT", f"value={number}")
        self.registered("db1", settings=self.OLD)
        watcher.signal(signal.SIGCONT)
        watcher.wait_ids("db1")
        self.registered("db2", ip="10.0.0.2", settings=self.OLD)
        watcher.wait_ids("db1", "db2")

    def test_auto_takes_v3_where_it_exists(self) -> None:
        self.registered("db1")
        self.assertEqual((list(self.entries()), self.directories()), (["db1"], {}))


class WithoutVersion2(RegistryCase):
    def test_v2_that_is_not_enabled_is_named(self) -> None:
        done = self.run_program("galera-register", "--once", "--id", "db1", "--ip", "10.0.0.1", "--api", "v2")
        self.assertEqual(done.exit, 69, done.err)
        self.assertIn("--enable-v2", done.err)
        self.assertEqual(self.post("/v3/kv/range", {"key": encode(b"\0"), "range_end": encode(b"\0")}).get("kvs"), None)


if __name__ == "__main__":
    unittest.main()
