#!/bin/sh
# Checks what a server runs: Dockerfile, compose file in every choice of profiles, Traefik's files, unit, alert rules; what it is
# built from: licences and sources of the dependencies; and where it is built: workflows, dev container.
set -eu

cd "$(dirname "$0")/.."
tools=$PWD/target/e2e/python
sh scripts/python-tools.sh

"$tools/bin/hadolint" deploy/Dockerfile .devcontainer/Dockerfile
python3 -m json.tool .devcontainer/devcontainer.json >/dev/null
for profile in telemt builtin telemt,panel builtin,panel; do
    SECRET_KEY=x PROXY_HOST=proxy.example TLS_DOMAIN=mask.example COMPOSE_PROFILES=$profile \
        "$tools/bin/docker-compose" --file deploy/docker-compose.yml config --quiet
done
promtool check rules deploy/monitoring/alerts.yml >/dev/null
python3 -m json.tool deploy/monitoring/dashboard.json >/dev/null
"$tools/bin/python" -c 'import sys, yaml; yaml.safe_load(open(sys.argv[1]))' deploy/traefik/traefik.yml
"$tools/bin/check-jsonschema" --quiet --builtin-schema vendor.github-workflows .github/workflows/*.yml
# cargo-deny reads every crate of the lock file, those for other platforms too. Where all are there, no network is needed.
cargo fetch --quiet --locked
"$tools/bin/cargo-deny" --log-level error --offline --locked check licenses bans sources

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
# The program need not be installed here.
sed 's#^ExecStart=.*#ExecStart=/bin/true#' deploy/mtpannel.service >"$folder/mtpannel.service"
systemd-analyze verify "$folder/mtpannel.service"
