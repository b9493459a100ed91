#!/bin/bash
# Builds the image as an operator does: every stage of deploy/Dockerfile, by BuildKit, with the packages of the lock files.
# Where no registry of images can be reached, the base images are made here of Debian and of this machine's Rust and Node.
# Needs root on Debian, dockerd and debootstrap, and as much room as a toolchain takes.
set -euo pipefail

cd "$(dirname "$0")/../.."
# shellcheck source=e2e/install/engine.sh
. e2e/install/engine.sh
base=$PWD/target/e2e/image-base

debian() {
    if [ ! -e "$base/ready" ]; then
        rm -rf "$base"
        mkdir -p "$base"
        debootstrap --variant=minbase bookworm "$base/root" >"$folder/debootstrap.log"
        mkdir -p "$base/root/etc/ssl/certs"
        cp -L /etc/ssl/certs/ca-certificates.crt "$base/root/etc/ssl/certs/"
        touch "$base/ready"
    fi
    cp -a "$base/root" "$1"
}
rust() {
    debian "$1"
    cp /etc/resolv.conf "$1/etc/"
    chroot "$1" sh -c 'apt-get update --quiet=2 && apt-get install --yes --no-install-recommends gcc g++ make libc6-dev' \
        >"$folder/apt.log" 2>&1
    cp -a "$(rustc --print sysroot)" "$1/usr/local/toolchain"
}
node() {
    local program modules
    debian "$1"
    program=$(type -P node)
    modules=$(npm root --global)
    mkdir -p "$1/usr/local/bin" "$1/usr/local/lib"
    cp -L "$program" "$1/usr/local/bin/"
    cp -a "$modules/npm" "$1/usr/local/lib/"
    ln -s ../lib/npm/bin/npm-cli.js "$1/usr/local/bin/npm"
    ln -s ../lib/npm/bin/npx-cli.js "$1/usr/local/bin/npx"
    ldd "$program" | grep -o '/[^ ]*' | xargs cp -nL --parents --target-directory "$1" || true
}
declare -A images
# have ARGUMENT KIND ENVIRONMENT: pulls the image that this argument of deploy/Dockerfile names, or makes one of this kind.
have() {
    images[$1]=$(sed -n "s/^ARG $1=//p" deploy/Dockerfile)
    if timeout 300 docker pull --quiet "${images[$1]}" >/dev/null 2>&1; then return; fi
    # An image that is made here has another digest.
    images[$1]=${images[$1]%@*}
    "$2" "$folder/image"
    tar --directory "$folder/image" --create . | docker import --change "ENV $3" - "${images[$1]}" >/dev/null
    rm -rf "$folder/image"
    made="$made ${images[$1]}"
}
# build SECONDS. The engine is asked without its client, which needs a plugin to ask for BuildKit.
build() {
    local name arguments=() encoded
    for name in "${!images[@]}"; do arguments+=("$name=${images[$name]}"); done
    encoded=$(python3 -c '
import json, sys, urllib.parse
print(urllib.parse.quote(json.dumps(dict(argument.split("=", 1) for argument in sys.argv[1:]))))' "${arguments[@]}")
    tar --directory "$folder/source" --create . |
        timeout "$1" curl --silent --show-error --unix-socket "${DOCKER_HOST#unix://}" --header 'Content-Type: application/x-tar' \
            --upload-file - --request POST \
            "http://engine/build?version=2&networkmode=host&dockerfile=deploy/Dockerfile&t=panel:local&buildargs=$encoded" |
        python3 -c '
import base64, json, sys
for line in sys.stdin:
    answer = json.loads(line)
    if "errorDetail" in answer:
        sys.exit(answer["errorDetail"]["message"])
    if isinstance(answer.get("aux"), str):
        sys.stdout.write(base64.b64decode(answer["aux"]).decode("utf-8", "replace"))
' >"$folder/build.log" || {
        tail -c 4000 "$folder/build.log" >&2
        fail "the image does not build"
    }
}
compiled() { grep -ao Compiling "$folder/build.log" | wc -l; }
of_image() { docker image inspect --format "$1" panel:local; }

start_engine env
made=
have RUNTIME_IMAGE debian PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
have RUST_IMAGE rust "CARGO_HOME=/usr/local/cargo PATH=/usr/local/toolchain/bin:/usr/sbin:/usr/bin:/sbin:/bin"
have NODE_IMAGE node "NODE_EXTRA_CA_CERTS=/etc/ssl/certs/ca-certificates.crt PATH=/usr/local/bin:/usr/bin:/bin"
step "base images are there${made:+, made here:$made}"

mkdir "$folder/source"
git ls-files -z | tar --null --files-from - --create | tar --directory "$folder/source" --extract
build 2400
[ "$(compiled)" -gt 100 ] || fail "nothing was compiled"
[ "$(of_image '{{.Config.User}}')" = 65532:65532 ] || fail "the image runs as $(of_image '{{.Config.User}}')"
[ "$(of_image '{{len .Config.Healthcheck.Test}}')" -gt 1 ] || fail "the image has no health check"
grep -q mtpannel <<<"$(of_image '{{json .Config.Labels}}')" || fail "the image has no labels"
inside() { docker run --rm --network=none --read-only --cap-drop=ALL --entrypoint "$1" panel:local "${@:2}"; }
inside mtpannel --version | grep -q '^mtpannel [0-9]' || fail "the program does not run"
inside curl --version >/dev/null || fail "there is no curl inside"
openapi=$(inside mtpannel openapi)
diff <(printf '%s\n' "$openapi") openapi.json >/dev/null || fail "it is another program"
step "the image is built of the sources: $(($(of_image '{{.Size}}') >> 20)) MiB, $(($(docker image inspect --format '{{.Size}}' "${images[RUNTIME_IMAGE]}") >> 20)) of them the base"

printf '// another\n' >>"$folder/source/crates/panel/src/main.rs"
began=$SECONDS
build 1200
[ "$(compiled)" -le 3 ] || fail "a change of one file has $(compiled) crates compiled"
step "after a change of one file its crate alone is compiled, in $((SECONDS - began)) s"
