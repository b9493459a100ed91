#!/bin/sh
# The end-to-end chain; chain.py tells what it reads from the environment. Without MTPANNEL_BIN the panel is built.
set -eu

cd "$(dirname "$0")/../.."
if [ -z "${MTPANNEL_BIN:-}" ]; then
    cargo build --quiet --locked --package mtpannel
    MTPANNEL_BIN=$PWD/target/debug/mtpannel
fi
export MTPANNEL_BIN PYTHONDONTWRITEBYTECODE=1
e2e/chain/tools.sh
exec target/e2e/python/bin/python e2e/chain/chain.py
