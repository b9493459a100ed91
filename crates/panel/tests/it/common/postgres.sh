#!/bin/sh
# Makes sure that a PostgreSQL server for tests runs, and prints the directory of its socket.
#
# All test processes share one throw-away server: no network, no fsync, data under the temporary directory. A watchdog
# stops it and removes its data once no test has asked for it for three minutes. As root it runs as user postgres.
set -eu

home="${TMPDIR:-/tmp}/mtpannel-test-postgres-$(id -u)"
bin=$(find /usr/lib/postgresql -maxdepth 2 -name bin 2>/dev/null | sort -V | tail -n 1)
if [ -z "$bin" ]; then
    echo "PostgreSQL is missing: install Debian's package postgresql ('make test' does it as root)" >&2
    exit 1
fi

as_owner() {
    if [ "$(id -u)" = 0 ]; then su postgres -s /bin/sh -c "$1"; else sh -c "$1"; fi
}

mkdir -p "$home"
exec 9>"$home.lock"
flock 9
touch "$home/wanted"
if ! as_owner "$bin/pg_ctl -D $home/data status" >/dev/null 2>&1; then
    rm -rf "$home/data"
    if [ "$(id -u)" = 0 ]; then chown postgres "$home"; fi
    as_owner "$bin/initdb -D $home/data -U postgres -A trust -E UTF8 --locale=C --no-sync" >"$home/initdb.log" 2>&1
    as_owner "$bin/pg_ctl -D $home/data -w -l $home/data/server.log start -o '-c listen_addresses= \
        -c unix_socket_directories=$home -c fsync=off -c synchronous_commit=off -c full_page_writes=off \
        -c max_connections=400'" >"$home/start.log" 2>&1 9>&-
    (
        trap '' HUP
        while [ -n "$(find "$home/wanted" -mmin -3 2>/dev/null)" ]; do sleep 10; done
        as_owner "$bin/pg_ctl -D $home/data -m immediate stop"
        rm -rf "$home"
    ) >/dev/null 2>&1 9>&- </dev/null &
fi
echo "$home"
