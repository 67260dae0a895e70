"""The cluster of 2015 that docs/migration.md begins with: Debian's server, the classic check, a shell loop, and confd, whose place
a script takes that does what confd did there: poll etcd, render, reload."""
from __future__ import annotations

from typing import Mapping

import bases  # noqa: F401 (it finds the lab)
from galeralab import host
from machines import Machine

NODES = ("db1", "db2", "db3")
ETCD = "http://10.0.0.11:2379"

GALERA = """[mariadb]
wsrep_on = ON
wsrep_provider = /usr/lib/galera/libgalera_smm.so
wsrep_cluster_name = shop
wsrep_cluster_address = gcomm://10.0.0.11,10.0.0.12,10.0.0.13
binlog_format = ROW
innodb_autoinc_lock_mode = 2
bind_address = 0.0.0.0
"""

MYSQLCHK = """service mysqlchk
{
    type = UNLISTED
    port = 9200
    socket_type = stream
    protocol = tcp
    wait = no
    user = nobody
    server = /usr/local/bin/clustercheck
    server_args = clustercheckuser oldpassword
    per_source = UNLIMITED
    disable = no
}
"""

CHECK = """#!/bin/sh
MYSQL_PWD=$2 exec /usr/local/lib/classic.sh -s 0.1 -u "$1"
"""

LOOP = f"""#!/bin/sh
export ETCDCTL_API=3 ETCDCTL_ENDPOINTS={ETCD}
key=/components/galera/$(hostname)
address=$(getent hosts $(hostname) | cut -d ' ' -f 1)
while :; do
    lease=$(etcdctl lease grant 10 | cut -d ' ' -f 2)
    etcdctl put --lease=$lease $key/ip $address
    etcdctl put --lease=$lease $key/port 3306
    sleep 4
done
"""

CONFD = f"""#!/bin/bash
query='{{"key":"'$(printf /components/galera/ | base64)'","range_end":"'$(printf /components/galera0 | base64)'"}}'
shown=
while :; do
    addresses=$(curl -s {ETCD}/v3/kv/range -d "$query" | grep -o '"value":"[^"]*"' | cut -d '"' -f 4 |
        while read -r value; do base64 -d <<< "$value"; echo; done | grep -E '^10[.]' | sort -u)
    if [ "$addresses" != "$shown" ] && [ -n "$addresses" ]; then
        sed -i '/^# --- from confd/,$d' /etc/haproxy/haproxy.cfg
        {{
            printf '# --- from confd\\nlisten galera\\n    bind :33306\\n    mode tcp\\n    timeout client 1h\\n    timeout server 1h\\n'
            printf '    option httpchk\\n'
            for address in $addresses; do echo "    server n$address $address:3306 check port 9200"; done
        }} >> /etc/haproxy/haproxy.cfg
        systemctl reload-or-restart haproxy
        shown=$addresses
    fi
    sleep 2
done
"""

UNIT = """[Service]
ExecStart={program}
Restart=always
[Install]
WantedBy=multi-user.target
"""


def build(machines: Mapping[str, Machine]) -> None:
    """Bring it up; it serves at port 33306 of lb1 afterwards."""
    classic = (host.CHECKOUT / "tests" / "bench" / "classic.sh").read_text(encoding="utf-8")
    machines["db1"].write("/etc/default/etcd", f"ETCD_LISTEN_CLIENT_URLS=http://0.0.0.0:2379\nETCD_ADVERTISE_CLIENT_URLS={ETCD}\n")
    machines["db1"].sh("systemctl restart etcd")
    for name in NODES:
        machine = machines[name]
        machine.sh("systemctl stop mariadb")
        machine.write("/etc/mysql/mariadb.conf.d/60-galera.cnf", GALERA)
        machine.write("/usr/local/lib/classic.sh", classic, 0o755)
        machine.write("/usr/local/bin/clustercheck", CHECK, 0o755)
        machine.write("/etc/xinetd.d/mysqlchk", MYSQLCHK)
        machine.write("/usr/local/bin/discovery", LOOP, 0o755)
        machine.write("/etc/systemd/system/galera-discovery.service", UNIT.format(program="/usr/local/bin/discovery"))
        machine.sh("galera_new_cluster" if name == "db1" else "systemctl start mariadb", timeout=300)
        if name == "db1":
            machine.sh("mariadb -e \"CREATE USER clustercheckuser@localhost IDENTIFIED BY 'oldpassword'; CREATE DATABASE shop;"
                       "CREATE TABLE shop.kept (n INT PRIMARY KEY); INSERT INTO shop.kept VALUES (42);"
                       "CREATE USER app@'%' IDENTIFIED BY 'oldapp'; GRANT ALL ON shop.* TO app@'%'\"")
        machine.sh("systemctl restart xinetd; systemctl daemon-reload; systemctl enable --now galera-discovery")
    balancer = machines["lb1"]
    balancer.write("/usr/local/bin/confd", CONFD, 0o755)
    balancer.write("/etc/systemd/system/confd.service", UNIT.format(program="/usr/local/bin/confd"))
    balancer.sh("systemctl daemon-reload; systemctl enable --now haproxy confd")
    balancer.sh("until mariadb -h 127.0.0.1 -P 33306 -u app -poldapp -e 'SELECT 1'; do sleep 1; done", timeout=120)
