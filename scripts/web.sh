#!/bin/sh
# Builds the web interface into web/dist, from where cargo takes it into the program.
# With --if-possible it goes without where there is no Node; with --lint it checks the sources instead.
set -eu

cd "$(dirname "$0")/../web"
if ! command -v npm >/dev/null 2>&1; then
    echo "Node 20 with npm is missing (Debian's packages nodejs and npm), so the web interface is not built" >&2
    [ "${1:-}" = --if-possible ] && exit 0
    exit 1
fi
if ! cmp -s package-lock.json node_modules/.installed; then
    npm ci --silent --no-audit --no-fund
    cp package-lock.json node_modules/.installed
fi
if [ "${1:-}" = --lint ]; then
    npm run --silent generate
    git diff --exit-code --stat src/api/schema.d.ts || {
        echo "src/api/schema.d.ts was not made from openapi.json; it is now, commit it" >&2
        exit 1
    }
    exec npm run --silent lint
fi
# Unchanged sources are not built again, and so the program is not either.
state=$(find src public scripts index.html package-lock.json vite.config.ts tsconfig.json -type f -exec sha256sum {} + | sort | sha256sum)
if [ "$(cat node_modules/.built 2>/dev/null)" != "$state" ] || [ ! -f dist/index.html ]; then
    npm run --silent build
    echo "$state" >node_modules/.built
fi
