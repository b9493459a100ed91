#!/bin/sh
# Writes a first .env for a panel on this machine, readable by its owner only. Never overwrites one.
set -eu

file="${1:-.env}"
umask 077
set -C # refuse to overwrite
key=$(head -c 32 /dev/urandom | od -An -tx1 | tr -d ' \n')
cat >"$file" <<ENV
# Settings of the panel; README.md explains each. This file holds a secret: keep it to yourself.
SECRET_KEY=$key
DATABASE_URL=sqlite:///data/panel.db
TELEMT_CONFIG_PATH=data/telemt/config.toml
TELEMT_METRICS_URL=http://127.0.0.1:9090/metrics
# The built-in proxy, in one process with the panel. It listens on PROXY_PORT.
PROXY=embedded
# Name or address under which Telegram clients reach the proxy, for the links. Set it before you send any.
PROXY_HOST=127.0.0.1
PROXY_PORT=8443
# The site that the proxy pretends to be.
TLS_DOMAIN=www.example.com
ENV
echo "made $file with a fresh SECRET_KEY; set PROXY_HOST and TLS_DOMAIN in it before you send links"
