# shellcheck shell=bash
# A Docker engine that is there for one script and gone with it. Sourced.

folder=$(mktemp -d /var/tmp/mtpannel-install.XXXXXX)
export DOCKER_HOST=unix://$folder/docker.sock

step() { printf 'ok    %s\n' "$1"; }
fail() {
    printf 'FAIL  %s\n' "$1" >&2
    exit 1
}

finish() {
    docker ps --quiet 2>/dev/null | xargs --no-run-if-empty docker rm --force >/dev/null 2>&1 || true
    kill "$engine" 2>/dev/null || true
    wait "$engine" || true
    umount "$folder/exec/netns/default" 2>/dev/null || true
    rm -rf "$folder"
}

# start_engine [COMMAND...]: COMMAND becomes the engine, for one in a network of its own.
start_engine() {
    if [ "$(id -u)" != 0 ] || ! command -v dockerd debootstrap >/dev/null; then
        fail "this needs root, and Debian's packages docker.io and debootstrap"
    fi
    "$@" dockerd --bridge=none --iptables=false --ip6tables=false --data-root "$folder/data" --exec-root "$folder/exec" \
        --pidfile "$folder/pid" --host "$DOCKER_HOST" >"$folder/dockerd.log" 2>&1 &
    engine=$!
    trap finish EXIT
    for _ in $(seq 60); do
        if docker info >/dev/null 2>&1; then return; fi
        kill -0 "$engine" 2>/dev/null || break
        sleep 1
    done
    tail -n 20 "$folder/dockerd.log" >&2
    fail "the Docker engine does not start here; nothing was tested"
}
