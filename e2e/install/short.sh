#!/bin/bash
# The part of docker.sh that every run of the tests includes: install.sh with a real engine, Compose and Traefik, a client
# that connects, another masking domain, and removal. See machine.sh for what is real. A few minutes; without root it says
# that it did not run.
set -euo pipefail

cd "$(dirname "$0")/../.."
if [ "$(id -u)" != 0 ]; then
    echo 'NOT RUN: the installer with a real Docker engine, which needs root: sudo make test-install-short'
    exit
fi
sh scripts/install-needs.sh
# shellcheck source=e2e/install/machine.sh
. e2e/install/machine.sh

images
step "images are made"
installer install
offline docker restart mtpannel-proxy
start_centre
served "$(link)" --up 300000 --down 200000
step "after install a client is served with its link"

for name in mtpannel-traefik mtpannel-proxy mtpannel-panel; do
    [ "$(docker inspect --format '{{.Config.User}} {{.HostConfig.ReadonlyRootfs}} {{.HostConfig.CapDrop}}' $name)" = "65532:65532 true [ALL]" ] ||
        fail "$name is not locked down"
done
step "no root, no writable root"

echo 'of root' >"$folder/roots-file"
docker exec mtpannel-panel ln -s "$folder/roots-file" /app/telemt-config/config.toml.new
before=$(link)
CONFIRM=y installer change-domain new.example
[ "$(cat "$folder/roots-file")" = 'of root' ] || fail "root wrote through a link in a folder of the container's user"
[ "$(link)" != "$before" ] || fail "the link has the old domain"
served "$(link)"
if client "$before" >/dev/null 2>&1; then fail "the old link is served"; fi
step "another masking domain is served, and root follows no link of the container's user"

verify
CONFIRM=y installer uninstall --data
[ ! -e "$INSTALL_DIR" ] || fail "data is left"
[ -z "$(docker ps --all --quiet --filter name=mtpannel)" ] || fail "containers are left"
step "uninstall leaves nothing"
