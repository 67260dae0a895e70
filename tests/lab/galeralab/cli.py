"""The command line of the lab."""
from __future__ import annotations

import argparse
import subprocess
import sys
import time
from typing import Callable, Optional, Sequence

from . import haproxy, host
from .cluster import DEFAULT_NET, Lab
from .managed import InitOptions, Managed
from .mariadb import NodeOptions, Server
from .status import status_lines
from .wait import LabError

EPILOG = f"""
Node i has the address NET.i and the standard ports 3306, 4567, 4568, 4444 and, for the check, 9200.
HAProxy has NET.100: port {haproxy.ANY_PORT} any node, {haproxy.WRITER_PORT} one writer, {haproxy.READERS_PORT} readers.
etcd has NET.201 and up, port 2379.

example:  lab up 3;  lab status;  lab kill 2;  lab status;  lab start 2;  lab down

environment:
  LAB_NET           the network, like --net
  LAB_DIR           where labs keep their files (default: build/lab)
  BUILD             the build directory (default: build)
  CLUSTERCHECK_BIN  the program that xinetd starts (default: $BUILD/bin/clustercheck)
"""


Action = Callable[[Lab, argparse.Namespace], Optional[int]]


def cmd_up(lab: Lab, args: argparse.Namespace) -> None:
    started = time.monotonic()
    options = NodeOptions(sst=args.sst)
    if args.managed:
        lab.up_managed(args.size, InitOptions(args.size, options), xinetd=args.xinetd, use_haproxy=args.haproxy)
    else:
        lab.up(args.size, options, xinetd=args.xinetd, use_haproxy=args.haproxy)
    print(f"{args.size} nodes are Synced after {time.monotonic() - started:.1f} s")
    cmd_status(lab, args)


def cmd_down(lab: Lab, _args: argparse.Namespace) -> None:
    lab.down()


def cmd_start(lab: Lab, args: argparse.Namespace) -> None:
    node = lab.node(args.node)
    if args.sst:
        node.forget_position()
    node.bootstrap() if args.new_cluster else node.join()


def node_command(action: Callable[[Server], None]) -> Action:
    return lambda lab, args: action(lab.node(args.node))


def cmd_init(lab: Lab, args: argparse.Namespace) -> int:
    """galera-init on the node's host; it speaks to this terminal itself."""
    node = lab.managed(args.node)
    return subprocess.run(node.argv(*args.arguments), env={**host.clean_env(), **node.env()}, check=False).returncode


def cmd_sql(lab: Lab, args: argparse.Namespace) -> None:
    for row in lab.node(args.node).sql(args.statement):
        print("\t".join(row))


def cmd_logs(lab: Lab, args: argparse.Namespace) -> None:
    node = lab.node(args.node)
    files = [str(node.output)] if isinstance(node, Managed) and not args.server else [str(node.log)]
    follow = ["-F"] if args.follow else []
    subprocess.run([host.tool("tail"), *follow, "-n", str(args.lines), *files], check=False)


def cmd_status(lab: Lab, _args: argparse.Namespace) -> None:
    print("\n".join(status_lines(lab)))
    for member in lab.etcd.members:
        print(f"{member.name}  {member.process.state()}  {member.address}:2379")


def cmd_env(lab: Lab, _args: argparse.Namespace) -> None:
    values = {"LAB_NET": lab.net, "LAB_STATE": lab.directory, "LAB_NODES": len(lab.numbers())}
    for number, node in zip(lab.numbers(), lab.nodes):
        values |= {f"NODE{number}_ADDRESS": node.address, f"NODE{number}_SOCKET": node.socket,
                   f"NODE{number}_CHECK": f"http://{node.address}:9200/",
                   f"NODE{number}_CONFIG": node.home / "clustercheck.conf"}
    values |= {"HAPROXY_ANY": f"{lab.haproxy.address}:{haproxy.ANY_PORT}",
               "HAPROXY_WRITER": f"{lab.haproxy.address}:{haproxy.WRITER_PORT}", "HAPROXY_ADMIN": lab.haproxy.admin}
    if lab.etcd.members:
        values["ETCD_ENDPOINTS"] = ",".join(lab.etcd.endpoints)
    for name, value in values.items():
        print(f"{name}='{value}'")


def cmd_etcd(lab: Lab, args: argparse.Namespace) -> None:
    if args.action == "up":
        lab.etcd_up(args.number or 1, v2=args.v2, tls=args.tls)
        print("\n".join(lab.etcd.endpoints))
    elif args.action == "down":
        lab.etcd.down()
    else:
        number = args.number or 1
        if number > len(lab.etcd.members):
            raise LabError(f"etcd has no member {number}: 'lab etcd up' first")
        act = lab.etcd.start if args.action == "start" else None
        act(number) if act else getattr(lab.etcd.member(number), args.action)()


def parser() -> argparse.ArgumentParser:
    top = argparse.ArgumentParser(prog="lab", epilog=EPILOG, formatter_class=argparse.RawDescriptionHelpFormatter,
                                  description="Real Galera nodes, HAProxy, xinetd and etcd on loopback addresses.")
    top.add_argument("--net", help=f"three numbers of a loopback network (default: {DEFAULT_NET})")
    commands = top.add_subparsers(title="commands", metavar="COMMAND", required=True)

    def command(name: str, text: str, action: Action,
                node: bool = False) -> argparse.ArgumentParser:
        sub = commands.add_parser(name, help=text, description=text)
        sub.set_defaults(action_function=action)
        if node:
            sub.add_argument("node", type=int, help="the node's number")
        return sub

    up = command("up", "start a cluster, with a check on every node and HAProxy in front", cmd_up)
    up.add_argument("size", type=int, nargs="?", default=3)
    up.add_argument("--sst", choices=["mariabackup", "rsync"], default="mariabackup",
                    help="state transfer of later joins (the first ones use rsync, which is quicker)")
    up.add_argument("--managed", action="store_true", help="let galera-init boot and run the nodes, with etcd beside them")
    up.add_argument("--no-xinetd", dest="xinetd", action="store_false")
    up.add_argument("--no-haproxy", dest="haproxy", action="store_false")
    command("status", "show every node as itself, its check and HAProxy see it", cmd_status)
    command("kill", "kill -9 a node", node_command(Server.kill), True)
    command("stop", "stop a node cleanly", node_command(Server.stop), True)
    start = command("start", "start a node and wait until it is Synced", cmd_start, True)
    start.add_argument("--sst", action="store_true", help="forget the position, so that all data are transferred")
    start.add_argument("--new-cluster", action="store_true", help="bootstrap; only when every node is stopped")
    command("freeze", "SIGSTOP: the server hangs", node_command(Server.freeze), True)
    command("thaw", "SIGCONT: it goes on", node_command(Server.thaw), True)
    command("isolate", "cut a node off from the others", node_command(lambda node: node.isolate()), True)
    command("rejoin", "end the isolation", node_command(lambda node: node.rejoin()), True)
    command("sql", "run a statement as root", cmd_sql, True).add_argument("statement")
    logs = command("logs", "show a node's error log; of a managed one, what galera-init said", cmd_logs, True)
    logs.add_argument("--server", action="store_true", help="the error log of a managed node's server instead")
    logs.add_argument("-n", "--lines", type=int, default=50)
    logs.add_argument("-f", "--follow", action="store_true")
    init = command("init", "run galera-init on a managed node's host: lab init 1 plan", cmd_init, True)
    init.add_argument("arguments", nargs=argparse.REMAINDER, help="options and operands of galera-init")
    command("env", "print addresses and sockets as shell assignments", cmd_env)
    etcd = command("etcd", "start and treat etcd", cmd_etcd)
    etcd.add_argument("action", choices=["up", "down", "start", "stop", "kill", "freeze", "thaw", "wipe"])
    etcd.add_argument("number", type=int, nargs="?", help="up: 1 or 3 members; otherwise which one")
    etcd.add_argument("--v2", action="store_true", help="up: with the v2 API")
    etcd.add_argument("--tls", action="store_true", help="up: HTTPS for clients")
    command("down", "end everything on this network, also after a crash; logs stay", cmd_down)
    return top


def main(argv: Optional[Sequence[str]] = None) -> int:
    args = parser().parse_args(argv)
    try:
        return args.action_function(Lab(args.net), args) or 0
    except LabError as error:
        print(f"lab: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
