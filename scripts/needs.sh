#!/bin/sh
# Sourced: gives `need COMMAND PACKAGE`, which installs a Debian package where it may.

missing=""

# need COMMAND PACKAGE: notes the package if the command is not there.
need() {
    command -v "$1" >/dev/null 2>&1 || missing="$missing $2"
}

# install_missing: installs what was noted, as root on Debian; elsewhere it says what is missing, and fails.
install_missing() {
    [ -n "$missing" ] || return 0
    if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
        echo "installing$missing"
        # shellcheck disable=SC2086 # a list of packages
        apt-get update -qq >/dev/null && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing >/dev/null
    else
        echo "missing:$missing (Debian's names); install them, or run this as root" >&2
        exit 1
    fi
}
