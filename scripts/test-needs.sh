#!/bin/sh
# What the tests need besides Rust: a PostgreSQL server, PgBouncer, promtool, Python with venv, flock, Node, Chromium,
# Pebble, fail2ban.
set -eu
# shellcheck source=scripts/needs.sh
. "$(dirname "$0")/needs.sh"

[ -n "$(find /usr/lib/postgresql -name initdb 2>/dev/null)" ] || missing="$missing postgresql"
need promtool prometheus
need flock util-linux
need pgbouncer pgbouncer
need unshare util-linux
need script bsdutils
need git git
need curl curl
need bats bats
need pebble pebble
need ss iproute2
need fail2ban-regex fail2ban
need node nodejs
need npm npm
need chromium chromium
python3 -c 'import ensurepip, venv' >/dev/null 2>&1 || missing="$missing python3-venv"
install_missing
