#!/bin/sh
# What the benchmarks need besides Rust.
set -eu
# shellcheck source=scripts/needs.sh
. "$(dirname "$0")/needs.sh"

need wrk wrk
install_missing
