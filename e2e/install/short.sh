#!/bin/bash
# The part of docker.sh that every run of the tests includes: install.sh with a real engine, Compose and Traefik, a client
# that connects, another masking domain whose site is on this machine, and removal. See machine.sh for what is real. A few minutes; without root it says
# that it did not run.
set -euo pipefail

cd "$(dirname "$0")/../.."
if [ "$(id -u)" != 0 ]; then
    echo 'NOT RUN: the installer with a real Docker engine, which needs root: sudo make test-install-short'
    exit
fi
sh scripts/needs.sh test-install --install
# shellcheck source=e2e/install/machine.sh
. e2e/install/machine.sh

# The site of the masking domain, on another port of this machine.
start_site() {
    nsenter --net --target "$(cat "$folder/pid")" "$python/bin/python" - <<'PYTHON' &
import asyncio, ssl, sys, tempfile
sys.path.insert(0, "e2e/chain")
sys.dont_write_bytecode = True
import masked_site

async def answer(reader, writer):
    await reader.readuntil(b"\r\n\r\n")
    writer.write(masked_site.ANSWER)
    writer.close()

async def main():
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    with tempfile.NamedTemporaryFile() as file:
        file.write(masked_site.certificate("new.example")[0])
        file.flush()
        context.load_cert_chain(file.name)
    await (await asyncio.start_server(answer, "0.0.0.0", 8444, ssl=context)).serve_forever()

asyncio.run(main())
PYTHON
    site=$!
    trap 'kill "$centre" "$site" 2>/dev/null || true; finish' EXIT
}
# visit NAME: what a browser gets under this name on the proxy's port.
visit() { inside curl --silent --insecure --max-time 5 --resolve "$1:8443:127.0.0.1" "https://$1:8443/"; }

images
step "images are made"
installer install
offline docker restart mtpannel-proxy
start_centre
served "$(link)" --up 300000 --down 200000
step "after install a client is served with its link"

printf "A='x\$y # z' # comment\nB=1\nexport B = 2\n" >>"$INSTALL_DIR/.env"
# shellcheck disable=SC2016 # for Compose
printf 'services: {x: {image: x, environment: {A: "${A}", B: "${B}"}}}\n' >"$folder/names.yml"
said=$(docker-compose --env-file "$INSTALL_DIR/.env" --file "$folder/names.yml" config)
# Compose writes $ twice here.
# shellcheck disable=SC2016
if [[ "$said" != *'x$$y # z'* || "$said" != *'B: "2"'* ]]; then fail "Compose reads .env otherwise: $said"; fi
installer status
grep -q 'B is set more than once' "$folder/output" || fail "a setting that stands twice is not told: $(cat "$folder/output")"
step ".env is read as Compose reads it, and a setting that stands twice is told"

key=$(cat "$INSTALL_DIR/secrets/secret_key")
docker inspect mtpannel-panel | cat - "$INSTALL_DIR/.env" >"$folder/seen"
if grep -q "$key" "$folder/seen"; then fail "the key is in the environment"; fi
docker exec mtpannel-panel sh -c 'cat /run/secrets/secret_key' | grep -qx "$key" || fail "the panel cannot read its key"
if docker exec mtpannel-panel sh -c 'echo x >>/run/secrets/secret_key' 2>/dev/null; then fail "the panel can write its key"; fi
for name in mtpannel-traefik mtpannel-proxy mtpannel-panel; do
    read -r memory pids <<<"$(docker inspect --format '{{.HostConfig.Memory}} {{.HostConfig.PidsLimit}}' $name)"
    ((memory > 100000000 && pids == 1024)) || fail "$name has no limits: memory $memory, processes $pids"
done
step "secrets are files, and containers have limits"

for name in mtpannel-traefik mtpannel-proxy mtpannel-panel; do
    [ "$(docker inspect --format '{{.Config.User}} {{.HostConfig.ReadonlyRootfs}} {{.HostConfig.CapDrop}}' $name)" = "65532:65532 true [ALL]" ] ||
        fail "$name is not locked down"
done
step "no root, no writable root"

echo 'of root' >"$folder/roots-file"
docker exec mtpannel-panel ln -s "$folder/roots-file" /app/telemt-config/config.toml.new
before=$(link)
start_site
if CONFIRM=y MASK_SITE=172.29.43.1:8443 inside ./install.sh --yes change-domain new.example >"$folder/output" 2>&1; then
    fail "the proxy itself is taken as the masking site"
fi
CONFIRM=y MASK_SITE=172.29.43.1:8444 installer change-domain new.example
[ "$(cat "$folder/roots-file")" = 'of root' ] || fail "root wrote through a link in a folder of the container's user"
[ "$(link)" != "$before" ] || fail "the link has the old domain"
served "$(link)"
if client "$before" >/dev/null 2>&1; then fail "the old link is served"; fi
step "another masking domain is served, and root follows no link of the container's user"

[ "$(visit new.example)" = site ] || fail "who knows no secret does not see the site on this machine"
[ "$(visit other.example)" = site ] || fail "other names are not passed on to the site"
step "the masking site is on this machine, and other names reach it, too"

verify
CONFIRM=y installer uninstall --data
[ ! -e "$INSTALL_DIR" ] || fail "data is left"
[ -z "$(docker ps --all --quiet --filter name=mtpannel)" ] || fail "containers are left"
step "uninstall leaves nothing"
