#!/bin/bash
# install.sh from an empty machine to its removal, with a real Docker engine, Compose and Traefik, in a network of their
# own. Needs root on Debian, dockerd and debootstrap. The base image comes from debootstrap, because a registry may be out
# of reach; so the proxy is the built-in one, and the image's compiled stage is a program that was built here.
# TELEMT_BIN=/path/to/telemt repeats what a user sees with telemt as the proxy.
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
    >"$folder/dockerd.log" 2>&1 &
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
    # What is built here needs nothing of BuildKit, which a machine may not have.
    export DOCKER_BUILDKIT=0
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
# Kills it a second later each time, until it ends by itself.
interrupted_installer() {
    local seconds status
    for ((seconds = 1; seconds < 90; seconds++)); do
        status=0
        inside timeout --signal=KILL "$seconds" ./install.sh --yes "$@" >"$folder/output" 2>&1 || status=$?
        if ((status == 0)); then return; fi
        if ((status != 137)); then
            cat "$folder/output" >&2
            fail "install.sh $* after it was killed $((seconds - 1)) times"
        fi
    done
    fail "install.sh $* does not end"
}
link() { docker exec mtpannel-panel mtpannel user links first | grep -o 'tg://[^ "]*' | head -n 1; }
# A FakeTLS client asks a data centre for resPQ, through Traefik and the proxy, and moves bytes if it is told to.
client() { (cd e2e/chain && inside "$tools/bin/python" client.py "$@"); }
# The same, as soon as the proxy lets him.
served() {
    for _ in $(seq 60); do
        if client "$@" >"$folder/client" 2>&1; then return; fi
        sleep 1
    done
    cat "$folder/client" >&2
    fail "no client is served through Traefik and the proxy: $*"
}
refused() { if client "$1" >/dev/null 2>&1; then fail "$2"; fi; }
state() { sort "$INSTALL_DIR/.env" | cat - "$INSTALL_DIR/config/config.toml" | sha256sum; }
verify() { BASE_URL=http://127.0.0.1:8080 ADMIN_PASS=$ADMIN_PASS CONTAINER=mtpannel-panel inside temp/e2e_panel_verify.sh; }
# Every user with secret, limits and bytes, one a line.
users() {
    inside "$tools/bin/python" - <<'PYTHON'
import json, os, urllib.request

def call(method, path, body=None, token=None):
    headers = {"Content-Type": "application/json"} | ({"Authorization": f"Bearer {token}"} if token else {})
    data = json.dumps(body).encode() if body else None
    request = urllib.request.Request(f"http://127.0.0.1:8080/api{path}", data, headers, method=method)
    return json.load(urllib.request.urlopen(request))

token = call("POST", "/admin/token", {"username": "admin", "password": os.environ["ADMIN_PASS"]})["access_token"]
for user in call("GET", "/users?limit=200&sort=username", token=token)["users"]:
    print(user["username"], user["secret"], user["data_limit"], user["data_used"])
PYTHON
}
# Where the proxy finds data centre 2 here, and that telemt needs nothing else of the internet.
offline() {
    local host
    host=$(inside ip -4 -oneline address | grep -o -m 1 'inet 172\.29\.43\.[0-9]*' | cut -d ' ' -f 2)
    "$tools/bin/python" - "$INSTALL_DIR/config/config.toml" "$host" <<'PYTHON'
import pathlib, re, sys

file, host = pathlib.Path(sys.argv[1]), sys.argv[2]
text = file.read_text()
for section, lines in {
    "general": "use_middle_proxy = false\nmiddle_proxy_nat_probe = false",
    "network": "ipv6 = false\nstun_use = false\nstun_servers = []\nhttp_ip_detect_urls = []",
    "server.conntrack_control": "inline_conntrack_control = false",
}.items():
    if f"[{section}]\n" in text:
        text = text.replace(f"[{section}]\n", f"[{section}]\n{lines}\n", 1)
    else:
        text = f"[{section}]\n{lines}\n\n{text}"
text = re.sub(r"tls_emulation = true", "tls_emulation = false", text)
text = text.replace("[access.users]", f'[dc_overrides]\n"2" = "{host}:9443"\n\n[access.users]', 1)
file.write_text(text)
PYTHON
    docker restart "$1" >/dev/null
}
# The data centre, which containers reach at the address of their gateway.
start_centre() {
    inside "$tools/bin/python" - <<'PYTHON' &
import asyncio, sys
sys.path.insert(0, "e2e/chain")
sys.dont_write_bytecode = True
import dc

async def main():
    centre = dc.DataCentre()
    centre._server = await asyncio.start_server(centre._serve, "0.0.0.0", 9443)
    await centre._server.serve_forever()

asyncio.run(main())
PYTHON
    centre=$!
    trap 'kill "$centre" 2>/dev/null || true; finish' EXIT
}
locked_down() {
    local name ports
    for name in "$@"; do
        [ "$(docker inspect --format '{{.Config.User}} {{.HostConfig.ReadonlyRootfs}} {{.HostConfig.CapDrop}}' "$name")" = "65532:65532 true [ALL]" ] ||
            fail "$name is not locked down"
    done
    ports=$(docker inspect --format '{{range .HostConfig.PortBindings}}{{range .}}{{.HostIp}}:{{.HostPort}} {{end}}{{end}}' "$@" | tr -d '\n')
    [ "$ports" = ":8443 127.0.0.1:8080 " ] || fail "published: $ports"
}

images
step "images are made"
export PROXY_HOST=127.0.0.1 PROXY_PORT=8443 TLS_DOMAIN=mask.example PROXY_KIND=builtin
export IMAGES=panel:local TRAEFIK_IMAGE=traefik:local ADMIN_USER=admin ADMIN_PASS=only-for-this-test START_TIMEOUT=120

PANEL=n interrupted_installer install
step "an installation that is killed again and again is completed by the next run"
start_centre
first=$(grep -o 'tg://[^ ]*' "$folder/output" | head -n 1)
offline mtpannel-proxy
served "$first"
[ -z "$(docker ps --quiet --filter name=mtpannel-panel)" ] || fail "a panel runs"
step "without the panel a client is served with the link that was printed"

interrupted_installer add-panel
[ "$(link)" = "$first" ] || fail "the panel gives another link than before"
verify
served "$first" --up 300000 --down 200000
step "the panel is added, and the link stays"

locked_down mtpannel-traefik mtpannel-proxy mtpannel-panel
step "no root, no writable root, no other port"

before=$(state)
installer
[ "$(state)" = "$before" ] || fail "a second run changed settings or configuration"
step "a second run is an update and changes nothing"

newer=$folder/newer
mkdir "$newer"
cp -r install.sh deploy "$newer"
sed -i 's/^    container_name: mtpannel-panel$/&\n    command: ["no-such-command"]/' "$newer/deploy/docker-compose.yml"
if START_TIMEOUT=30 inside "$newer/install.sh" --yes update >"$folder/output" 2>&1; then fail "an update that does not start is taken for good"; fi
[ "$(state)" = "$before" ] || fail "a failed update changed settings or configuration"
cmp -s deploy/docker-compose.yml "$INSTALL_DIR/docker-compose.yml" || fail "a failed update left its compose file"
served "$first"
step "an update that does not start is taken back"

interrupted_installer change-domain new.example
changed=$(link)
[[ "$changed" == *"$(printf new.example | od -An -tx1 | tr -d ' \n')" ]] || fail "the link has another domain: $changed"
served "$changed"
refused "$first" "the old link is served"
step "a new domain is in the links, and only its links are served"

for _ in $(seq 60); do
    if users | grep -q '^first .* [1-9][0-9]\{5,\}$'; then break; fi
    sleep 1
done
known=$(users)
[[ "$known" =~ first\ .*\ [0-9]{6} ]] || fail "no bytes are accounted: $known"
archive=$(inside ./install.sh backup 2>/dev/null)
cp "$archive" "$folder/backup.tar.gz"
CONFIRM=y installer uninstall --data
[ ! -e "$INSTALL_DIR" ] || fail "data is left"
[ -z "$(docker ps --all --quiet)" ] || fail "containers are left"
docker tag panel:kept panel:local
installer restore "$folder/backup.tar.gz"
[ "$(users)" = "$known" ] || fail "users are others after restore: $(users)"
[ "$(link)" = "$changed" ] || fail "the link is another one after restore"
served "$changed"
verify
step "restore brings back every user, secret and byte"
CONFIRM=y installer uninstall --data

if [ -z "${TELEMT_BIN:-}" ]; then
    printf 'NOT RUN: telemt as the proxy; TELEMT_BIN=/path/to/telemt make test-install runs it\n'
    exit
fi
mkdir "$folder/telemt"
cp "$TELEMT_BIN" "$folder/telemt/telemt"
printf 'FROM base:local\nCOPY telemt /app/telemt\nUSER 65532:65532\nENTRYPOINT ["/app/telemt"]\n' >"$folder/telemt/Dockerfile"
docker build --quiet --network=none --tag telemt:local "$folder/telemt" >/dev/null
docker tag panel:kept panel:local
# It is healthy only where it needs nothing of the internet.
PROXY_KIND=telemt START_TIMEOUT=20 inside ./install.sh --yes >"$folder/output" 2>&1 || true
offline mtpannel-telemt
PROXY_KIND=telemt installer install
served "$(link)"
verify
locked_down mtpannel-traefik mtpannel-telemt mtpannel-panel
step "the same with telemt"
