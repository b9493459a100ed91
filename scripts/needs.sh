#!/bin/sh
# needs.sh TARGET [--install]: which Debian packages `make TARGET` needs besides Rust and that are missing here. With --install it
# installs them, as root on Debian; without, or where it may not, it names them and fails.
set -eu

missing=""

# need COMMAND PACKAGE: notes the package if the command is not there.
need() {
    command -v "$1" >/dev/null 2>&1 || missing="$missing $2"
}

need_python() {
    python3 -c 'import ensurepip, venv' >/dev/null 2>&1 || missing="$missing python3-venv"
}

need_node() {
    need node nodejs
    need npm npm
}

case "${1:-}" in
    lint)
        need_node
        need_python
        need shellcheck shellcheck
        need shfmt shfmt
        # The fuzz targets are linked with a library in C++.
        need c++ g++
        need promtool prometheus
        need systemd-analyze systemd
        ;;
    test)
        need_node
        need_python
        [ -n "$(find /usr/lib/postgresql -name initdb 2>/dev/null)" ] || missing="$missing postgresql"
        need pgbouncer pgbouncer
        need promtool prometheus
        need fail2ban-regex fail2ban
        need pebble pebble
        need chromium chromium
        need bats bats
        need flock util-linux
        need unshare util-linux
        need script bsdutils
        need ss iproute2
        need git git
        need curl curl
        ;;
    test-install)
        need_python
        need dockerd docker.io
        need debootstrap debootstrap
        need nsenter util-linux
        need ss iproute2
        need strip binutils
        [ -e /usr/share/keyrings/debian-archive-keyring.gpg ] || missing="$missing debian-archive-keyring"
        ;;
    bench)
        need wrk wrk
        ;;
    *)
        echo "usage: needs.sh lint|test|test-install|bench [--install]" >&2
        exit 2
        ;;
esac

[ -n "$missing" ] || exit 0
if [ "${2:-}" = --install ] && [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
    echo "installing$missing"
    apt-get update -qq >/dev/null
    # shellcheck disable=SC2086 # a list of packages
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing >/dev/null
else
    echo "missing:$missing (Debian's names); install them, or run this as root with --install" >&2
    exit 1
fi
