#!/bin/bash
# install.sh from an empty machine to its removal, with a real Docker engine, Compose and Traefik, in a network of their
# own. Needs root on Debian, dockerd and debootstrap. The base image comes from debootstrap, because a registry may be out
# of reach; so the proxy is the built-in one, and the image's compiled stage is a program that was built here.
set -euo pipefail

cd "$(dirname "$0")/../.."
export INSTALL_DIR DOCKER_HOST
folder=$(mktemp -d /var/tmp/mtpannel-install.XXXXXX)
INSTALL_DIR=$folder/mtpannel
DOCKER_HOST=unix://$folder/docker.sock
tools=$PWD/target/e2e/install-docker

step() { printf 'ok    %s\n' "$1"; }
fail() {
    printf 'FAIL  %s\n' "$1" >&2
    exit 1
}

if [ "$(id -u)" != 0 ] || ! command -v dockerd debootstrap >/dev/null; then
    fail "this needs root, and Debian's packages docker.io and debootstrap"
fi

# The engine is the process that unshare becomes.
unshare --net sh -c 'ip link set lo up && exec "$@"' sh dockerd --bridge=none --iptables=false --ip6tables=false \
    --data-root "$folder/data" --exec-root "$folder/exec" --pidfile "$folder/pid" --host "$DOCKER_HOST" \
    --storage-driver vfs >"$folder/dockerd.log" 2>&1 &
engine=$!
finish() {
    docker ps --quiet 2>/dev/null | xargs --no-run-if-empty docker rm --force >/dev/null 2>&1 || true
    kill "$engine" 2>/dev/null || true
    wait "$engine" || true
    rm -rf "$folder"
}
trap finish EXIT
for _ in $(seq 60); do
    if docker info >/dev/null 2>&1; then break; fi
    kill -0 "$engine" 2>/dev/null || break
    sleep 1
done
if ! docker info >/dev/null 2>&1; then
    tail -n 20 "$folder/dockerd.log" >&2
    fail "the Docker engine does not start here; nothing of the installation was tested"
fi

images() {
    if [ ! -f "$tools/ready" ]; then
        rm -rf "$tools"
        python3 -m venv "$tools"
        "$tools/bin/pip" install --quiet --requirement e2e/install/requirements.txt --requirement e2e/chain/requirements.txt
        debootstrap --variant=minbase --include=ca-certificates,curl bookworm "$tools/base" >"$folder/debootstrap.log"
        touch "$tools/ready"
    fi
    PATH=$tools/bin:$PATH
    cargo build --quiet --locked --package mtpannel
    tar -C "$tools/base" -c . | docker import - base:local >/dev/null
    mkdir "$folder/context"
    strip -o "$folder/context/mtpannel" target/debug/mtpannel
    cp "$tools/bin/traefik" "$folder/context/"
    {
        # shellcheck disable=SC2016 # meant for Docker
        printf 'ARG RUNTIME_IMAGE\nFROM ${RUNTIME_IMAGE} AS binary\nCOPY mtpannel /out/mtpannel\n'
        sed -n '/^FROM ${RUNTIME_IMAGE}/,$p' deploy/Dockerfile
    } >"$folder/context/Dockerfile"
    printf 'FROM base:local\nCOPY traefik /usr/local/bin/\nENTRYPOINT ["traefik"]\n' >"$folder/context/Dockerfile.traefik"
    export DOCKER_BUILDKIT=1
    docker build --quiet --network=none --build-arg RUNTIME_IMAGE=base:local --tag panel:local "$folder/context" >/dev/null
    docker build --quiet --network=none --file "$folder/context/Dockerfile.traefik" --tag traefik:local "$folder/context" >/dev/null
    docker tag panel:local panel:kept
}

inside() { nsenter --net --target "$(cat "$folder/pid")" "$@"; }
# The installer, its output kept for a failure.
installer() {
    inside ./install.sh --yes "$@" >"$folder/output" 2>&1 || {
        cat "$folder/output" >&2
        fail "install.sh $*"
    }
}
link() { docker exec mtpannel-panel mtpannel user links first | grep -o 'tg://[^ "]*' | head -n 1; }
# A FakeTLS client asks a data centre for resPQ, through Traefik and the proxy.
client() { (cd e2e/chain && inside "$tools/bin/python" client.py "$1"); }
state() { sort "$INSTALL_DIR/.env" | cat - "$INSTALL_DIR/config/config.toml" | sha256sum; }
verify() { BASE_URL=http://127.0.0.1:8080 ADMIN_PASS=$ADMIN_PASS CONTAINER=mtpannel-panel inside temp/e2e_panel_verify.sh; }

images
step "images are made"
export PROXY_HOST=127.0.0.1 PROXY_PORT=8443 TLS_DOMAIN=mask.example PROXY_KIND=builtin PANEL_DOMAIN=none
export IMAGES=panel:local TRAEFIK_IMAGE=traefik:local ADMIN_USER=admin ADMIN_PASS=only-for-this-test START_TIMEOUT=120

# Stopped at the start, after the settings and files are there.
if IMAGES=no.such.example/panel inside timeout 60 ./install.sh --yes >/dev/null 2>&1; then fail "an image that is not there was installed"; fi
installer
step "an interrupted installation is completed by the next run"
verify
first=$(link)

sed -i '/^\[access\]/i [dc_overrides]\n"2" = "172.29.43.1:9443"\n' "$INSTALL_DIR/config/config.toml"
docker restart mtpannel-proxy >/dev/null
inside "$tools/bin/python" - <<'PYTHON' &
import asyncio, sys
sys.path.insert(0, "e2e/chain")
sys.dont_write_bytecode = True
import dc

async def main():
    centre = dc.DataCentre()
    server = await asyncio.start_server(centre._serve, "172.29.43.1", 9443)
    centre._server = server
    await server.serve_forever()

asyncio.run(main())
PYTHON
centre=$!
trap 'kill "$centre" 2>/dev/null || true; finish' EXIT
served=""
for _ in $(seq 30); do
    if client "$first" >"$folder/client" 2>&1; then
        served=yes
        break
    fi
    sleep 1
done
[ -n "$served" ] || {
    cat "$folder/client" >&2
    fail "no client is served through Traefik and the proxy"
}
step "a client is served through Traefik and the proxy"

for name in traefik proxy panel; do
    [ "$(docker inspect --format '{{.Config.User}} {{.HostConfig.ReadonlyRootfs}} {{.HostConfig.CapDrop}}' "mtpannel-$name")" = "65532:65532 true [ALL]" ] ||
        fail "mtpannel-$name is not locked down"
done
ports=$(docker inspect --format '{{range .HostConfig.PortBindings}}{{range .}}{{.HostIp}}:{{.HostPort}} {{end}}{{end}}' mtpannel-traefik mtpannel-proxy mtpannel-panel | tr -d '\n')
[ "$ports" = ":8443 127.0.0.1:8080 " ] || fail "published: $ports"
step "no root, no writable root, no other port"

before=$(state)
installer
[ "$(state)" = "$before" ] || fail "a second run changed settings or configuration"
step "a second run is an update and changes nothing"

TLS_DOMAIN="" installer change-domain new.example
changed=$(link)
[[ "$changed" == *"$(printf new.example | od -An -tx1 | tr -d ' \n')" ]] || fail "the link has another domain: $changed"
client "$changed" >/dev/null || fail "the new link is not served"
if client "$first" >/dev/null 2>&1; then fail "the old link is served"; fi
step "a new domain is in the links, and only its links are served"

archive=$(inside ./install.sh backup 2>/dev/null)
cp "$archive" "$folder/backup.tar.gz"
CONFIRM=y installer uninstall --data
[ ! -e "$INSTALL_DIR" ] || fail "data is left"
[ -z "$(docker ps --all --quiet)" ] || fail "containers are left"
docker tag panel:kept panel:local
installer restore "$folder/backup.tar.gz"
[ "$(link)" = "$changed" ] || fail "the link is another one after restore"
verify
step "restore brings everything back"
