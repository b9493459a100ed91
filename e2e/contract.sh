#!/bin/sh
# The OpenAPI document against the running panel: schemathesis calls every operation with data that fits and data that
# does not, and must find no answer that the document does not tell, and no 5xx.
set -eu

cd "$(dirname "$0")/.."
tools=$PWD/target/e2e/python
sh scripts/python-tools.sh
cargo build --quiet --locked --package mtpannel

folder=$(mktemp -d)
panel=""
finish() {
    if [ -n "$panel" ]; then
        kill "$panel" 2>/dev/null || true
        wait "$panel" || true
    fi
    rm -rf "$folder"
}
trap finish EXIT

port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
SECRET_KEY=$(head -c 32 /dev/urandom | od -An -tx1 | tr -d ' \n')
export SECRET_KEY
export DATABASE_URL="sqlite:///$folder/panel.db" TELEMT_CONFIG_PATH="$folder/telemt/config.toml"
export TELEMT_METRICS_URL=http://127.0.0.1:9/metrics PROXY_HOST=proxy.example.com TLS_DOMAIN=example.com
export LISTEN="127.0.0.1:$port" PANEL_METRICS_LISTEN=127.0.0.1:0 RUST_LOG=error
password=$(target/debug/mtpannel admin create contract --sudo </dev/null 2>/dev/null)
target/debug/mtpannel serve &
panel=$!
until curl -sf "http://$LISTEN/health" >/dev/null; do
    kill -0 "$panel" || exit 1
    sleep 0.1
done
token=$(printf 'username=contract&password=%s' "$password" | curl -sf --data @- "http://$LISTEN/api/admin/token" |
    sed 's/.*"access_token":"\([^"]*\)".*/\1/')
if [ -z "$token" ]; then
    echo "no token: the run would test nothing but refusals" >&2
    exit 1
fi

# Logging out everywhere would void the run's own token; crates/panel/tests covers it.
cat >"$folder/schemathesis.toml" <<CONFIG
headers = { Authorization = "Bearer $token" }

# A beginning after the end, no change at all, made-up names and passwords, the latter again and again: they have the right
# form and are still refused.
[[operations]]
include-path-regex = "/traffic\$|/admins/"
checks.positive_data_acceptance.expected-statuses = ["2xx", "401", "403", "404", "409", "422", "429"]

# Neither names nor a filter. The path is also that of a user of this name, whose methods stand under {username}.
[[operations]]
include-path = "/api/users/bulk"
checks.positive_data_acceptance.expected-statuses = ["2xx", "401", "403", "404", "409", "422"]
checks.allow_header_conformance.enabled = false
CONFIG
cd "$folder" # it leaves its notes where it runs
"$tools/bin/schemathesis" --config-file "$folder/schemathesis.toml" run "http://$LISTEN/api/openapi.json" \
    --exclude-path /api/admin/sessions \
    --max-examples "${EXAMPLES:-40}" --seed "${SEED:-1}" --no-color --suppress-health-check all
