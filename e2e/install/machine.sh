# shellcheck shell=bash
# A machine on which install.sh runs with a real Docker engine, Compose and Traefik, in a network of its own, with a data
# centre and a Telegram client beside it. Sourced, in the repository's root.
# The base image comes from debootstrap, because a registry may be out of reach; so the proxy is the built-in one, and the
# image's compiled stage is a program that was built here. Without MTPANNEL_BIN it is built.

# shellcheck source=e2e/install/engine.sh
. e2e/install/engine.sh
# Its own lock, so that another run on this machine is no other run of the installer.
export INSTALL_DIR=$folder/mtpannel LOCK=$folder/install.lock
export PROXY_HOST=127.0.0.1 PROXY_PORT=8443 TLS_DOMAIN=mask.example PROXY_KIND=builtin
export IMAGES=panel:local TRAEFIK_IMAGE=traefik:local ADMIN_USER=admin ADMIN_PASS=only-for-this-test START_TIMEOUT=120
tools=$PWD/target/e2e/install-docker
python=$PWD/target/e2e/python

start_engine unshare --net sh -c 'ip link set lo up && exec "$@"' sh

images() {
    sh scripts/python-tools.sh
    local packages=ca-certificates,curl,iproute2,systemd-sysv
    if [ "$(cat "$tools/ready" 2>/dev/null)" != $packages ]; then
        rm -rf "$tools"
        mkdir -p "$tools"
        debootstrap --variant=minbase --include=$packages bookworm "$tools/base" >"$folder/debootstrap.log"
        echo $packages >"$tools/ready"
    fi
    PATH=$python/bin:$PATH
    if [ -z "${MTPANNEL_BIN:-}" ]; then
        cargo build --quiet --locked --package mtpannel
        MTPANNEL_BIN=$PWD/target/debug/mtpannel
    fi
    tar -C "$tools/base" -c . | docker import - base:local >/dev/null
    mkdir "$folder/context"
    strip -o "$folder/context/mtpannel" "$MTPANNEL_BIN"
    cp "$python/bin/traefik" "$folder/context/"
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
}

inside() { nsenter --net --target "$(cat "$folder/pid")" "$@"; }
# Where the installer runs: on the machine of the engine, or in the container with systemd.
machine=(inside)
# The installer, its output kept for a failure.
installer() {
    "${machine[@]}" ./install.sh --yes "$@" >"$folder/output" 2>&1 || {
        cat "$folder/output" >&2
        fail "install.sh $*"
    }
}
link() { users | sed -n 's/^first .* //p'; }
# A FakeTLS client asks a data centre for resPQ, through Traefik and the proxy, and moves bytes if it is told to.
client() { (cd e2e/chain && inside "$python/bin/python" client.py "$@"); }
# The same, as soon as the proxy lets them.
served() {
    for _ in $(seq 60); do
        if client "$@" >"$folder/client" 2>&1; then return; fi
        sleep 1
    done
    cat "$folder/client" >&2
    fail "no client is served through Traefik and the proxy: $*"
}
verify() { BASE_URL=http://127.0.0.1:8080 CONFIG_PATH=$INSTALL_DIR/config/config.toml inside temp/e2e_panel_verify.sh; }
# Every user with limit, bytes and link, one a line.
users() { ask_panel users; }
# ask_panel users, or scraped: when the proxy's counters were read. A panel that was just started is waited for.
ask_panel() {
    inside curl --silent --retry 30 --retry-delay 1 --retry-connrefused --output /dev/null http://127.0.0.1:8080/health
    inside "$python/bin/python" - "$1" <<'PYTHON'
import json, os, sys, urllib.request

def call(method, path, body=None, token=None):
    headers = {"Content-Type": "application/json"} | ({"Authorization": f"Bearer {token}"} if token else {})
    data = json.dumps(body).encode() if body else None
    request = urllib.request.Request(f"http://127.0.0.1:8080/api{path}", data, headers, method=method)
    return json.load(urllib.request.urlopen(request))

token = call("POST", "/admin/token", {"username": "admin", "password": os.environ["ADMIN_PASS"]})["access_token"]
if sys.argv[1] == "scraped":
    print(call("GET", "/system/stats", token=token)["proxy"]["scraped_at"])
    sys.exit()
for user in call("GET", "/users?limit=200&sort=username", token=token)["users"]:
    link = call("GET", f"/users/{user['username']}/links", token=token)["tg_link"]
    print(user["username"], user["data_limit"], user["data_used"], link)
PYTHON
}
# Where the proxy finds data centre 2 here, and that telemt needs nothing else of the internet.
# offline RESTART...: the command that makes the proxy read it.
offline() {
    local host
    host=$(inside ip -4 -oneline address | sed -n 's/.* inet \(172\.29\.43\.[0-9]*\).*/\1/p')
    "$python/bin/python" - "$INSTALL_DIR/config/config.toml" "${host:-127.0.0.1}" <<'PYTHON'
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
    "$@" >/dev/null
}
# The data centre, which containers reach at the address of their gateway.
start_centre() {
    # Not by the function: the shell's child has to be the program itself, which is ended later.
    nsenter --net --target "$(cat "$folder/pid")" "$python/bin/python" - <<'PYTHON' &
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
