#!/bin/sh
# Installs the foreign parts of the chain (Traefik, TDLib, ciphers for Python) into target/e2e, once for each state of
# the lists beside this file. Install scripts of npm packages stay off: they would compile or download.
set -eu

cd "$(dirname "$0")"
target=../../target/e2e

python=$target/chain
if ! cmp -s requirements.txt "$python/requirements.txt"; then
    rm -rf "$python"
    python3 -m venv "$python"
    "$python/bin/pip" install --quiet --disable-pip-version-check --requirement requirements.txt
    cp requirements.txt "$python/"
fi

node=$target/node
if ! cmp -s package-lock.json "$node/installed"; then
    rm -rf "$node"
    mkdir -p "$node"
    cp package.json package-lock.json "$node/"
    # Not `npm ci`: it refuses a list that was made where packages of other platforms cannot be had.
    (cd "$node" && npm install --silent --ignore-scripts --no-audit --no-fund)
    cp package-lock.json "$node/installed"
fi
