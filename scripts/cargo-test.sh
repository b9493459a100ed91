#!/bin/sh
# Every Rust test, with nextest where it is installed.
set -eu

if cargo nextest --version >/dev/null 2>&1; then
    cargo nextest run --workspace --locked
    cargo test --workspace --locked --doc
else
    cargo test --workspace --locked
fi
