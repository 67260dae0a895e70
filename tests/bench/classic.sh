#!/bin/bash
# The usual way to check a Galera node, for comparison only: a shell script that
# starts the mariadb client and turns wsrep_local_state into an HTTP answer. Like
# its kind it does not read the request.
#
# usage: classic.sh [-s SECONDS] [CLIENT OPTION]...
#   -s SECONDS   wait before leaving, which hides most of the resets that an
#                unread request causes (0.1 is what people use)
# Everything else goes to the client: --no-defaults -S SOCKET -u USER ...
# A password is best given in MYSQL_PWD. Exit: 0 synced, 1 not.

pause=
if [ "$1" = -s ]; then
    pause=$2
    shift 2
fi

answer() {
    printf 'HTTP/1.1 %s\r\n' "$1"
    printf 'Content-Type: text/plain\r\nConnection: close\r\n'
    printf 'Content-Length: %d\r\n\r\n%s\r\n' $((${#2} + 2)) "$2"
    if [ -n "$pause" ]; then sleep "$pause"; fi
}

row=$(mariadb "$@" --connect-timeout=10 --batch --skip-column-names \
    --execute="SHOW STATUS LIKE 'wsrep_local_state'" 2>/dev/null)

if [ "${row##*[[:space:]]}" = 4 ]; then
    answer '200 OK' 'The node is synced.'
    exit 0
fi
answer '503 Service Unavailable' 'The node is not synced.'
exit 1
