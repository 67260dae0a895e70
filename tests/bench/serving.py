"""The resident service beside the fastest things that answer HTTP, and beside a process for every check.

HAProxy and nginx give a static answer with one thread: what they reach is what the machine and the load's
generator allow. All are measured in turn, with and without kept connections.
"""

import contextlib
import json
import pathlib
import shutil
import signal
import socket
import statistics
import subprocess
import time
import urllib.request

PORT = 9290
BODY = "Galera cluster node is synced."


class Service:
    """Something that answers on an address; `root` is the process whose tree it is."""

    def __init__(self, name, address, root, ours=False, keeps=True):
        self.name, self.address, self.root, self.ours, self.keeps = name, address, root, ours, keeps


def wait_for(address):
    host, port = address.rsplit(":", 1)
    deadline = time.monotonic() + 10
    while True:
        with socket.socket() as probe:
            if probe.connect_ex((host, int(port))) == 0:
                return
        if time.monotonic() > deadline:
            raise OSError(f"nobody serves {address}")
        time.sleep(0.05)


@contextlib.contextmanager
def running(command, **options):
    with subprocess.Popen(command, stderr=subprocess.DEVNULL, **options) as process:
        try:
            yield process
        finally:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()


def resident_start(stack, name, command, address):
    """As xinetd does with `wait = yes`: the listening socket is standard input and output."""
    host, port = address.rsplit(":", 1)
    listener = stack.enter_context(socket.socket())
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind((host, int(port)))
    listener.listen(64)
    process = stack.enter_context(running(command, stdin=listener, stdout=listener))
    return Service(name, address, process.pid, ours=True)


def haproxy_start(stack, folder, address):
    program = shutil.which("haproxy", path="/usr/sbin:/usr/bin:/usr/local/sbin")
    if not program:
        return None
    config = folder / "haproxy.cfg"
    config.write_text(
        "global\n    nbthread 1\n    maxconn 4000\n"
        "defaults\n    mode http\n    timeout client 10s\n    timeout server 10s\n    timeout connect 10s\n"
        f"frontend static\n    bind {address}\n"
        f'    http-request return status 200 content-type text/plain string "{BODY}"\n'
    )
    process = stack.enter_context(running([program, "-db", "-f", str(config)], stdout=subprocess.DEVNULL))
    return Service("HAProxy, static", address, process.pid)


def nginx_start(stack, folder, address):
    program = shutil.which("nginx", path="/usr/sbin:/usr/bin:/usr/local/sbin")
    if not program:
        return None
    config = folder / "nginx.conf"
    temporary = "".join(
        f"{kind}_temp_path {folder}/{kind};\n" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    config.write_text(
        f"worker_processes 1;\ndaemon off;\npid {folder}/nginx.pid;\nerror_log {folder}/nginx.log;\n"
        "events { worker_connections 8192; }\n"
        f"http {{ {temporary} access_log off; keepalive_requests 1000000000;\n"
        f"server {{ listen {address} backlog=4096;\n"
        f'location / {{ default_type text/plain; return 200 "{BODY}"; }} }} }}\n'
    )
    command = [program, "-c", str(config), "-e", str(folder / "nginx.log")]
    process = stack.enter_context(running(command, stdout=subprocess.DEVNULL))
    return Service("nginx, static", address, process.pid)


class Meter:
    """Processor time, memory and the server's questions, by the bench's own means."""

    def __init__(self, bench, args):
        self.bench, self.args = bench, args

    def cpu(self, service):
        return sum(self.bench["cpu_seconds"](pid, True) for pid in self.bench["process_tree"](service.root))

    def rss_kib(self, service):
        total = 0
        for pid in self.bench["process_tree"](service.root):
            with contextlib.suppress(OSError):
                for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines():
                    if line.startswith("VmRSS:"):
                        total += int(line.split()[1])
        return total

    def questions(self, service):
        """How often the server was asked: the resident service counts by itself, as several of them ask this server."""
        if service.ours:
            with urllib.request.urlopen(f"http://{service.address}/status", timeout=10) as answer:
                return json.load(answer)["service"]["refreshes"]
        if service.keeps:
            return 0  # a static answer
        command = ["mariadb", "--no-defaults", f"--socket={self.args.socket}", f"--user={self.args.user}", "-N", "-e",
                   "SHOW GLOBAL STATUS LIKE 'Com_show_status'"]
        env = {"PATH": "/usr/bin:/bin", "MYSQL_PWD": self.args.password}
        done = subprocess.run(command, env=env, capture_output=True, text=True, check=False)
        return int(done.stdout.split()[1]) if done.returncode == 0 else 0

    def measure(self, service, clients, keep, env):
        questions, cpu = self.questions(service), self.cpu(service)
        extra = ["-m", "GET", *(["-k"] if keep else [])]
        result = self.bench["load_once"](self.args, service.address, clients, self.args.seconds, env, extra)
        checks = max(result["checks"], 1)
        result["cpu"] = (self.cpu(service) - cpu) * 10000 / checks
        result["rss_kib"] = self.rss_kib(service)
        result["questions"] = (self.questions(service) - questions) / result["seconds"]
        return result


def serving_table(bench, args, services, clients, env):
    meter = Meter(bench, args)
    lines = [(service, keep) for keep in (False, True) for service in services if service.keeps or not keep]
    runs = {line: [] for line in lines}
    for _ in range(args.rounds):
        for service, keep in lines:
            runs[service, keep].append(meter.measure(service, clients, keep, env))
    rows = []
    for service, keep in lines:
        measured = runs[service, keep]
        row = {"name": service.name + (", kept" if keep else ""), "keep": keep, "clients": clients, "ours": service.ours,
               "p50_us": statistics.median(run["latency_us"]["p50"] for run in measured),
               "p99_us": statistics.median(run["latency_us"]["p99"] for run in measured),
               "bad": sum(run["checks"] - run["ok"] for run in measured)}
        for key in ("rate", "cpu", "rss_kib", "questions"):
            row[key] = statistics.median(run[key] for run in measured)
        rows.append(row)
    bases = {row["keep"]: row for row in rows if row["name"].startswith("HAProxy")}
    for row in rows:
        base = bases.get(row["keep"])
        row["ratio"] = row["rate"] / base["rate"] if base else None
        row["p99_ratio"] = row["p99_us"] / base["p99_us"] if base else None
    ratio = lambda value: "-" if value is None else f"{value:.2f}"  # noqa: E731
    bench["table_print"](
        f"Answers over HTTP, {clients} client{'s' if clients > 1 else ''} ({args.rounds} x {args.seconds} s, in turn; medians;"
        " x: of HAProxy's with the same kind of connections)",
        ["", "answers/s", "x", "p50 us", "p99 us", "x", "cpu s/10000", "RSS KiB", "asked/s", "bad"],
        [[row["name"], f"{row['rate']:.0f}", ratio(row["ratio"]), f"{row['p50_us']:.0f}", f"{row['p99_us']:.0f}",
          ratio(row["p99_ratio"]), f"{row['cpu']:.3f}", f"{row['rss_kib']:.0f}", f"{row['questions']:.1f}",
          f"{row['bad']}"] for row in rows])
    return rows


def serving_tables(bench, args, contenders, xinetd, folder, env):
    """One-shot through xinetd, resident, HAProxy, nginx and the peer, at every number of clients."""
    results = []
    with contextlib.ExitStack() as stack:
        address = f"{args.net}.251"
        services = [Service(f"{contender.name}, a process each", contender.address, xinetd.process.pid, keeps=False)
                    for contender in contenders if contender is contenders[0] or contender.name.startswith("peer ")]
        for number, contender in enumerate(c for c in contenders if c.ours):
            services.append(resident_start(stack, f"{contender.name}, resident", contender.command,
                                           f"{address}:{PORT + number}"))
        for start, port in ((haproxy_start, PORT + 8), (nginx_start, PORT + 9)):
            found = start(stack, folder, f"{address}:{port}")
            services += [found] if found else []
        for service in services:
            wait_for(service.address)
        time.sleep(0.3)
        for clients in sorted({*args.clients, 256}):
            results += serving_table(bench, args, services, clients, env)
    return results


def serving_targets_print(results):
    print()
    for row in results:
        if not row["ours"] or row["keep"] or row["ratio"] is None:
            continue
        text = f"{row['name']}, {row['clients']} clients: {row['ratio']:.2f} x HAProxy's rate (goal: at least 0.8)"
        if row["clients"] == 16:
            text += f", p99 {row['p99_ratio']:.2f} x HAProxy's (goal: at most 1.5)"
        print(f"{text}, {row['rss_kib']:.0f} KiB (goal: under 5120), asked {row['questions']:.1f}/s (goal: at most 4, one more in each round)")
