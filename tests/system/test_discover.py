"""galera-discover asked once: its formats, whom it lists, and what it makes of values that others wrote."""
from __future__ import annotations

import json
import os
import signal
import subprocess
import unittest

from registrycase import PREFIX, RegistryCase, binary, encode

FULL = {"ip": "10.0.0.5", "port": "3306", "host": "a.example", "service_instance_name": "galera@1.service",
        "check_port": "9200", "state": "synced"}


class Formats(RegistryCase):
    def setUp(self) -> None:
        """Written in another order than they are listed; '-' and '.' sort before the '/' that ends an id in a key."""
        super().setUp()
        self.put_entry("db2", ip="2001:DB8:0:0::5", port="3307")
        self.put_entry("db-1", ip="10.0.0.6", port="3306", host="b.example", state="donor")
        self.put_entry("db", **FULL)

    def listing(self, *arguments: str) -> str:
        done = self.discover(*arguments)
        self.assertEqual((done.exit, done.err), (0, ""))
        return done.out

    def test_gcomm(self) -> None:
        self.assertEqual(self.listing("--format", "gcomm"), "gcomm://10.0.0.5,10.0.0.6,[2001:db8::5]\n")

    def test_hosts(self) -> None:
        self.assertEqual(self.listing("--format", "hosts"),
                         "10.0.0.5\ta.example db\n10.0.0.6\tb.example db-1\n2001:db8::5\tdb2\n")

    def test_haproxy(self) -> None:
        self.assertEqual(self.listing("--format", "haproxy"),
                         "server db 10.0.0.5:3306 check port 9200\nserver db-1 10.0.0.6:3306 check\n"
                         "server db2 [2001:db8::5]:3307 check\n")

    def test_json(self) -> None:
        keys = self.keys()
        text = self.listing("--format", "json")
        self.assertEqual(text.count("\n"), 1)
        created = {id: keys[f"{PREFIX}/{id}/ip"].created for id in ("db", "db-1", "db2")}
        self.assertEqual(json.loads(text), {
            "revision": max(kv.modified for kv in keys.values()), "count": 3, "nodes": [
                {"id": "db", **FULL, "port": 3306, "check_port": 9200, "created": created["db"]},
                {"id": "db-1", "ip": "10.0.0.6", "port": 3306, "host": "b.example", "state": "donor",
                 "created": created["db-1"]},
                {"id": "db2", "ip": "2001:db8::5", "port": 3307, "created": created["db2"]}]})

    def test_env(self) -> None:
        text = self.listing("--format", "env")
        self.assertEqual(text, "GALERA_COUNT='3'\nGALERA_IDS='db db-1 db2'\n"
                               "GALERA_IPS='10.0.0.5 10.0.0.6 2001:db8::5'\n"
                               "GALERA_ADDRESSES='10.0.0.5:3306 10.0.0.6:3306 [2001:db8::5]:3307'\n"
                               "GALERA_GCOMM='gcomm://10.0.0.5,10.0.0.6,[2001:db8::5]'\n")
        shell = subprocess.run(["sh", "-c", f"{text}\nprintf '<%s>' $GALERA_IDS"], capture_output=True, text=True,
                               check=True)
        self.assertEqual(shell.stdout, "<db><db-1><db2>")

    def test_table(self) -> None:
        self.assertEqual(self.listing(), (
            "ID    ADDRESS             STATE   HOST       CHECK  INSTANCE\n"
            "db    10.0.0.5:3306       synced  a.example  9200   galera@1.service\n"
            "db-1  10.0.0.6:3306       donor   b.example  -      -\n"
            "db2   [2001:db8::5]:3307  -       -          -      -\n"))

    def test_selection(self) -> None:
        for arguments, ids in [(["--exclude", "db"], "db-1 db2"), (["--exclude", "db2,db"], "db-1"),
                               (["--exclude", "d"], "db db-1 db2"), (["--states", "synced"], "db"),
                               (["--states", "donor,synced"], "db db-1"),
                               (["--states", "synced,donor", "--exclude", "db"], "db-1")]:
            with self.subTest(arguments):
                self.assertIn(f"GALERA_IDS='{ids}'\n", self.listing("--format", "env", *arguments))

    def test_another_service(self) -> None:
        for id, address in (("b", "10.0.1.2"), ("a", "10.0.1.1")):
            self.put(f"/services/logcollector/{id}/ip", address)
            self.put(f"/services/logcollector/{id}/port", "514")
        self.assertEqual(self.listing("--prefix", "/services/logcollector", "--format", "haproxy"),
                         "server a 10.0.1.1:514 check\nserver b 10.0.1.2:514 check\n")

    def test_what_confd_walks(self) -> None:
        """`range lsdir "/components/galera"` and `getv "<dir>/ip"`: directories are what stands before a slash."""
        self.registered("node-7", ip="10.0.0.7")
        keys = self.keys()
        directories = sorted({key.removeprefix(PREFIX + "/").split("/")[0] for key in keys})
        rendered = [f"server {id} {keys[f'{PREFIX}/{id}/ip'].value}:{keys[f'{PREFIX}/{id}/port'].value}"
                    for id in directories]
        self.assertEqual(rendered, ["server db 10.0.0.5:3306", "server db-1 10.0.0.6:3306",
                                    "server db2 2001:DB8:0:0::5:3307", "server node-7 10.0.0.7:3306"])


class Hostile(RegistryCase):
    """Whoever can write to etcd must not be able to write into a command line or a configuration file."""

    WRONG = {"ip-newline": {"ip": "10.0.0.1\n10.0.0.2"}, "ip-command": {"ip": "10.0.0.1;reboot"},
             "ip-empty": {"ip": ""}, "ip-name": {"ip": "localhost"}, "ip-any": {"ip": "0.0.0.0"}, "ip-any6": {"ip": "::"},
             "ip-scope": {"ip": "fe80::1%eth0"}, "ip-brackets": {"ip": "[2001:db8::1]"}, "ip-short": {"ip": "10.1"},
             "ip-blank": {"ip": " 10.0.0.1"}, "ip-binary": {"ip": b"\xff\xfe\x00\x01"},
             "ip-nul": {"ip": b"10.0.0.1\0x"},
             "port-0": {"port": "0"}, "port-70000": {"port": "70000"}, "port-minus": {"port": "-1"},
             "port-hex": {"port": "0xCEA"}, "port-blank": {"port": " 3306"}, "port-empty": {"port": ""},
             "port-huge": {"port": "9" * 400}, "host-300": {"host": "h" * 300}, "host-quote": {"host": "a' ; reboot '"},
             "host-dash": {"host": "-rf"}, "host-dollar": {"host": "$(reboot)"}, "check-0": {"check_port": "0"},
             "state-newline": {"state": "synced\nx"}, "state-upper": {"state": "SYNCED"},
             "state-long": {"state": "s" * 33},
             "inst-quote": {"service_instance_name": "a'b"}, "inst-long": {"service_instance_name": "i" * 256}}
    IDS = ["semi;colon", "blank id", "quote'", "dollar$", "x" * 65, "..", "new\nline", "\x1b[31mred", "é"]

    def test_each_is_left_out_alone_and_named(self) -> None:
        self.put_entry("good", **FULL)
        for id, fields in self.WRONG.items():
            self.put_entry(id, **{"ip": "10.0.0.9", "port": "3306", **fields})
        for id in self.IDS:
            self.put_entry(id, ip="10.0.0.9", port="3306")
        self.put_entry("no-port", ip="10.0.0.9")
        self.put_entry("no-ip", port="3306")
        for form in ("gcomm", "hosts", "haproxy", "json", "env", "table"):
            with self.subTest(form):
                done = self.discover("--format", form)
                self.assertEqual(done.exit, 0, done.err)
                self.assertIn("10.0.0.5", done.out)
                self.assertNotRegex(done.out, r"10\.0\.0\.9|reboot|\x1b|red")
                lines = done.err.splitlines()
                self.assertEqual(len(lines), len(self.WRONG) + len(self.IDS) + 2, done.err)
                self.assertTrue(all(line.startswith("galera-discover: warning: entry '") for line in lines), done.err)
                self.assertTrue(all(character.isprintable() or character == "\n" for character in done.err), done.err)
        for id in [*self.WRONG, "no-port", "no-ip"]:
            self.assertIn(f"entry '{id}' of the registry is left out", done.err)
        self.assertIn("entry 'no-port' of the registry is left out: incomplete: no port", done.err)
        self.assertIn("entry 'no-ip' of the registry is left out: incomplete: no ip", done.err)

    def test_keys_that_are_none_of_ours_are_ignored(self) -> None:
        self.put_entry("good", ip="10.0.0.5", port="3306", note="'; reboot")
        self.put(f"{PREFIX}/good/ip/deeper", "x")
        self.put(f"{PREFIX}", "x")
        self.put(f"{PREFIX}/", "x")
        self.put(f"{PREFIX}/loose", "x")
        self.put(f"{PREFIX}x/other/ip", "10.0.0.6")
        self.post("/v3/kv/put", {"key": encode(f"{PREFIX}/go\0od/ip".encode()), "value": encode(b"10.0.0.6")})
        done = self.discover("--format", "gcomm")
        self.assertEqual((done.exit, done.out), (0, "gcomm://10.0.0.5\n"), done.err)

    def test_nothing_usable_prints_nothing(self) -> None:
        """Above all never a bare gcomm://, with which a node would form a cluster of its own."""
        for step, prepare in enumerate([lambda: None, lambda: self.put_entry("db1", ip="nonsense", port="3306"),
                                        lambda: self.put_entry("db2", ip="10.0.0.2"),
                                        lambda: self.put_entry("db3", ip="10.0.0.3", port="3306")]):
            prepare()
            for form in ("gcomm", "hosts", "haproxy", "json", "env", "table"):
                with self.subTest(step=step, form=form):
                    done = self.discover("--format", form, "--exclude", "db3")
                    self.assertEqual((done.exit, done.out), (1, ""), done.err)
                    self.assertIn(f"no usable entry is below {PREFIX}", done.err)


class Ends(RegistryCase):
    def test_unreachable(self) -> None:
        self.etcd.member(1).kill()
        done = self.discover("--format", "gcomm")
        self.assertEqual((done.exit, done.out), (69, ""))
        self.assertRegex(done.err, r"err: cannot read the registry: etcd http://\S+: .*connect")
        self.assertEqual(self.discover("--wait", "1", "--timeout", "500ms").exit, 69)

    def test_a_frozen_etcd_and_the_timeout(self) -> None:
        self.etcd.member(1).freeze()
        done = self.discover("--timeout", "300ms")
        self.assertEqual((done.exit, done.out), (69, ""), done.err)

    def test_interrupted_while_etcd_is_silent(self) -> None:
        self.etcd.member(1).freeze()
        for number in (signal.SIGINT, signal.SIGTERM):
            program = self.start("galera-discover", "--timeout", "60s", "-v")
            program.until(lambda: self.connected(program.pid), 60, "a connection to etcd")
            program.signal(number)
            self.assertEqual((program.wait(40), program.out), (2, ""))  # before the timeout

    @staticmethod
    def connected(pid: int) -> bool:
        """Does the process have a socket besides what it began with?  Then signals are blocked already."""
        try:
            links = [os.readlink(f"/proc/{pid}/fd/{fd}") for fd in os.listdir(f"/proc/{pid}/fd")]
        except OSError:
            return False
        return any(link.startswith("socket:") for link in links) and any("signalfd" in link for link in links)

    def test_output_that_cannot_be_written(self) -> None:
        self.put_entry("db", **FULL)
        for arguments in ([], ["--watch"], ["--wait", "1"]):
            with self.subTest(arguments), open("/dev/full", "wb") as full:
                program = self.start("galera-discover", *arguments, stdout=full.fileno())
                self.assertNotIn(program.wait(), (0, 1, 2))
                self.assertIn("err: cannot write the list: No space left on device", program.err)

    def test_a_reader_that_has_gone(self) -> None:
        self.put_entry("db", **FULL)
        reader, writer = os.pipe()
        os.close(reader)
        program = self.start("galera-discover", stdout=writer)
        os.close(writer)
        self.assertIn(program.wait(), (0, -signal.SIGPIPE))
        self.assertEqual(program.err, "")

    def test_a_thousand_entries_at_once(self) -> None:
        ids = [f"node-{number:04}" for number in range(1000)]
        for start in range(0, 1000, 50):
            puts = [{"request_put": {"key": encode(f"{PREFIX}/{id}/{field}".encode()),
                                     "value": encode(value.encode())}}
                    for id in ids[start:start + 50]
                    for field, value in (("ip", f"10.1.{int(id[5:]) // 250}.{int(id[5:]) % 250 + 1}"), ("port", "3306"))]
            self.post("/v3/kv/txn", {"success": puts})
        done = self.discover("--format", "json")
        self.assertEqual(done.exit, 0, done.err)
        self.assertEqual([node["id"] for node in json.loads(done.out)["nodes"]], ids)
        pipeline = f"'{binary('galera-discover')}' -c '{self.settings()}' --format json --watch | head -c 100"
        head = subprocess.run(pipeline, shell=True, capture_output=True, check=False, timeout=60)
        self.assertEqual((len(head.stdout), head.stderr), (100, b""), "--watch goes on after its reader has gone")

    def test_what_is_wrong_is_named(self) -> None:
        for arguments, code, words in [(["--format", "xml"], 78, "xml"), (["--wait", "0"], 64, "--wait"),
                                       (["--wait", "two"], 64, "--wait"), (["--exec", ""], 64, "--exec"),
                                       (["--prefix", "/a//b"], 78, "/a//b"), (["--formt", "json"], 64, "'format'"),
                                       (["db1"], 64, "db1"), (["--timeout", "soon"], 78, "soon")]:
            with self.subTest(arguments):
                done = self.discover(*arguments)
                self.assertEqual((done.exit, done.out), (code, ""), done.err)
                self.assertIn(words, done.err)


if __name__ == "__main__":
    unittest.main()
