#!/bin/sh
# Builds the web interface into web/dist, from where cargo takes it into the program.
# With --if-possible it goes without where there is no Node. Instead of building, --lint checks the sources, --check checks them and
# runs their tests, and --generate makes src/api/schema.d.ts of openapi.json.
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
case "${1:-}" in
    --generate) exec npm run --silent generate ;;
    --lint) exec npm run --silent lint ;;
    --check)
        npm run --silent lint
        exec npm test --silent
        ;;
esac
# Unchanged sources are not built again, and so the program is not either.
state=$(find src public scripts index.html package-lock.json vite.config.ts tsconfig.json -type f -exec sha256sum {} + | sort | sha256sum)
if [ "$(cat node_modules/.built 2>/dev/null)" != "$state" ] || [ ! -f dist/index.html ]; then
    npm run --silent build
    echo "$state" >node_modules/.built
fi
