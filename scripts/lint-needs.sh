#!/bin/sh
# What lint needs besides Rust.
set -eu
# shellcheck source=scripts/needs.sh
. "$(dirname "$0")/needs.sh"

need node nodejs
need npm npm
need shellcheck shellcheck
need shfmt shfmt
# The fuzz targets are linked with a library in C++.
need c++ g++
need promtool prometheus
need systemd-analyze systemd
python3 -c 'import ensurepip, venv' >/dev/null 2>&1 || missing="$missing python3-venv"
install_missing
