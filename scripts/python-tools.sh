#!/bin/sh
# Installs the Python packages of tests and lints (e2e/requirements.txt) into target/e2e/python, once for each state of that list.
set -eu

cd "$(dirname "$0")/.."
tools=target/e2e/python
if ! cmp -s e2e/requirements.txt "$tools/requirements.txt"; then
    rm -rf "$tools"
    python3 -m venv "$tools"
    "$tools/bin/pip" install --quiet --disable-pip-version-check --requirement e2e/requirements.txt
    cp e2e/requirements.txt "$tools/"
fi
