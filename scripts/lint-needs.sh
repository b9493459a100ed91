#!/bin/sh
# What lint needs besides Rust.
set -eu
# shellcheck source=scripts/needs.sh
. "$(dirname "$0")/needs.sh"

need node nodejs
need npm npm
need shellcheck shellcheck
need shfmt shfmt
install_missing
