#!/bin/sh
# Installs the foreign parts of the chain into target/e2e: what is in Python, and TDLib, once for each state of the list beside this
# file. Install scripts of npm packages stay off: they would compile or download.
set -eu

cd "$(dirname "$0")"
target=../../target/e2e

sh ../../scripts/python-tools.sh

node=$target/node
if ! cmp -s package-lock.json "$node/installed"; then
    rm -rf "$node"
    mkdir -p "$node"
    cp package.json package-lock.json "$node/"
    # Not `npm ci`: it refuses a list that was made where packages of other platforms cannot be had.
    (cd "$node" && npm install --silent --ignore-scripts --no-audit --no-fund)
    cp package-lock.json "$node/installed"
fi
