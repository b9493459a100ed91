#!/bin/bash
# install.sh from an empty machine to its removal, with a real Docker engine, Compose and Traefik: see machine.sh.
# Then the same without Docker, on a machine of its own with systemd, which is a container of that engine.
# TELEMT_BIN=/path/to/telemt repeats what a user sees with telemt as the proxy.
set -euo pipefail

cd "$(dirname "$0")/../.."
# shellcheck source=e2e/install/machine.sh
. e2e/install/machine.sh
# A copy of the sources that becomes another version. What is installed, and that copy, as the installer sees them.
newer=$folder/opt/newer
there=$INSTALL_DIR
newer_there=$newer

interrupted_installer() { interrupted ./install.sh --yes "$@"; }
# interrupted COMMAND...: kills it three seconds later each time, until it ends by itself.
interrupted() {
    local seconds status
    for ((seconds = 1; seconds < 120; seconds += 3)); do
        status=0
        "${machine[@]}" timeout --signal=KILL "$seconds" "$@" >"$folder/output" 2>&1 || status=$?
        if ((status == 0)); then return; fi
        if ((status != 137)); then
            cat "$folder/output" >&2
            fail "$* after it was killed $((seconds / 3)) times"
        fi
    done
    fail "$* does not end"
}
refused() { if client "$1" >/dev/null 2>&1; then fail "$2"; fi; }
state() { sort "$INSTALL_DIR/.env" | cat - "$INSTALL_DIR/config/config.toml"; }
# unchanged STATE WHAT: settings and configuration are still STATE.
unchanged() { state | diff <(printf '%s\n' "$1") - >&2 || fail "$2 changed settings or configuration"; }
verify_in_container() { BASE_URL=http://127.0.0.1:8080 CONTAINER=mtpannel-panel inside temp/e2e_panel_verify.sh; }
container() { docker inspect --format '{{.Id}}' "$1"; }
# Waits until everything that was moved so far is accounted: a reading may have begun before.
accounted() {
    local before
    for _ in 1 2; do
        before=$(ask_panel scraped)
        for _ in $(seq 60); do
            if [ "$(ask_panel scraped)" != "$before" ]; then break; fi
            sleep 1
        done
    done
}
# A machine without Docker: systemd as the first process, with the engine's network.
start_machine() {
    printf 'FROM base:local\nRUN systemctl mask %s\nCMD ["/sbin/init"]\n' \
        "getty.target systemd-modules-load.service systemd-sysctl.service" >"$folder/context/Dockerfile.machine"
    docker build --quiet --network=none --file "$folder/context/Dockerfile.machine" --tag machine:local "$folder/context" >/dev/null
    # What systemd needs, and no more: --privileged asks for capabilities that the engine itself may lack.
    docker run --detach --name machine --network host --env container=docker --tmpfs /run --tmpfs /tmp \
        --cap-add SYS_ADMIN --cap-add NET_ADMIN --cgroupns host --volume /sys/fs/cgroup:/sys/fs/cgroup --stop-signal SIGRTMIN+3 \
        --security-opt seccomp=unconfined --security-opt apparmor=unconfined --security-opt systempaths=unconfined \
        --volume "$folder/opt:/opt" --volume "$PWD:/source:ro" --volume "$folder/context:/program:ro" machine:local >/dev/null
    for _ in $(seq 60); do
        if [ "$(docker exec machine systemctl is-system-running)" = running ]; then return; fi
        sleep 1
    done
    docker exec machine systemctl --no-pager --failed >&2
    fail "systemd does not start here; the installation without Docker was not tested"
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

second_run() {
    local router
    # A deleted user stays in the file as disabled until their connections are known to be cut.
    for _ in $(seq 90); do
        if ! grep -q e2e-verify "$INSTALL_DIR/config/config.toml"; then break; fi
        sleep 1
    done
    before=$(state)
    router=$(container mtpannel-traefik 2>/dev/null) || router=""
    installer
    unchanged "$before" "a second run"
    [ -z "$router" ] || [ "$router" = "$(container mtpannel-traefik)" ] || fail "a second run replaces containers"
    step "a second run is an update and changes nothing"
}
# The copy of the installer takes the new version from where the sources are, which has changed a file that is mounted.
new_version() {
    local router
    rm -rf "$newer"
    mkdir "$newer"
    cp -r install.sh deploy "$newer"
    "${machine[@]}" sed -i "s#^SOURCE_DIR=.*#SOURCE_DIR=$newer_there#" "$there/.env"
    before=$(state)
    router=$(container mtpannel-traefik 2>/dev/null) || router=""
    echo '# Another version.' >>"$newer/deploy/traefik/dynamic.yml"
    interrupted "$there/install.sh" --yes update
    [ ! -e "$INSTALL_DIR/.updating" ] || fail "the update is not over"
    before=$(grep -v ^TRAEFIK_FILES= <<<"$before")
    [ "$(state | grep -v ^TRAEFIK_FILES=)" = "$before" ] || fail "an update changed settings or configuration"
    [ -z "$router" ] || [ "$router" != "$(container mtpannel-traefik)" ] || fail "changed files of Traefik are not applied"
    before=$(state)
    served "$first"
    step "an update that is killed again and again is completed by the next run"
}
# failing_update SETTING...: an update that cannot start, killed once when its parts are in place.
failing_update() {
    local update=(env "$@" "$there/install.sh" --yes update)
    # shellcheck disable=SC2016 # for the other shell
    "${machine[@]}" bash -c 'setsid "${@:2}" &
        until [ -e "$1" ]; do kill -0 $! && sleep 0.1; done
        sleep 3
        kill -KILL -- -$!' bash "$there/.updating" "${update[@]}" >"$folder/output" 2>&1 || true
    [ -e "$INSTALL_DIR/.updating" ] || fail "a killed update does not know the way back: $(cat "$folder/output")"
    if "${machine[@]}" "${update[@]}" >"$folder/output" 2>&1; then fail "an update that does not start is taken for good"; fi
    grep -q "the previous version and data are restored" "$folder/output" || {
        cat "$folder/output" >&2
        fail "the update does not fail where it should"
    }
    [ ! -e "$INSTALL_DIR/.updating" ] || fail "the way back is not at its end"
    unchanged "$before" "a failed update"
    served "$first"
    step "an update that does not start is taken back, though it was killed before"
}
other_domain() {
    CONFIRM=y interrupted_installer change-domain new.example
    changed=$(link)
    [[ "$changed" == *"$(printf new.example | od -An -tx1 | tr -d ' \n')" ]] || fail "the link has another domain: $changed"
    served "$changed"
    refused "$first" "the old link is served"
    step "a new domain is in the links, and only its links are served"
}
installed_again() {
    local known
    # Not the bytes: what was under way is still accounted at the end.
    known=$(users | cut -d ' ' -f 1,2,4)
    CONFIRM=y installer uninstall
    (
        unset ADMIN_PASS TLS_DOMAIN
        installer install
    )
    if grep -qi password "$folder/output"; then fail "a password that opens nothing is shown"; fi
    [ "$(users | cut -d ' ' -f 1,2,4)" = "$known" ] || fail "users are others after a new installation over the data: $(users)"
    served "$changed"
    step "after uninstall the data stays, and a new installation goes on with it"
}
# removed_and_restored FOLDER: the backup's name for the installer, where it does not see all of this machine.
removed_and_restored() {
    local archive known
    accounted
    known=$(users)
    [[ "$known" =~ first\ None\ [0-9]{6} ]] || fail "no bytes are accounted: $known"
    archive=$("${machine[@]}" ./install.sh backup 2>/dev/null)
    cp "$INSTALL_DIR/backups/${archive##*/}" "$folder/opt/backup.tar.gz"
    CONFIRM=y installer uninstall --data
    [ ! -e "$INSTALL_DIR" ] || fail "data is left"
    [ -z "$(docker ps --all --quiet --filter name=mtpannel)" ] || fail "containers are left"
    docker image inspect panel:local >/dev/null || fail "an image that was brought by hand is gone"
    installer restore "$1/backup.tar.gz"
    [ "$(users)" = "$known" ] || fail "users are others after restore: $(users)"
    [ "$(link)" = "$changed" ] || fail "the link is another one after restore"
    served "$changed"
    verify
    step "restore brings back every user, secret and byte"
    CONFIRM=y installer uninstall --data
    rm -rf "$newer"
}

mkdir "$folder/opt"
images
step "images are made"

PANEL=n interrupted_installer install
step "an installation that is killed again and again is completed by the next run"
start_centre
first=$(grep -o 'tg://[^ ]*' "$folder/output" | head -n 1)
offline docker restart mtpannel-proxy
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
verify_in_container
grep -q mtpannel_build_info <<<"$(docker exec mtpannel-panel curl -s http://mtpannel-panel:9100/metrics)" ||
    fail "the panel's metrics are not to be had inside"
installer status
grep -q mtpannel-traefik "$folder/output" || fail "no status: $(cat "$folder/output")"
step "status and metrics are to be had"

second_run
new_version
sed -i 's/^    container_name: mtpannel-panel$/&\n    command: ["no-such-command"]/' "$newer/deploy/docker-compose.yml"
cp "$INSTALL_DIR/docker-compose.yml" "$folder/compose.yml"
failing_update START_TIMEOUT=30
cmp "$folder/compose.yml" "$INSTALL_DIR/docker-compose.yml" || fail "the former compose file is not back"
other_domain
installed_again
removed_and_restored "$folder/opt"

start_machine
INSTALL_DIR=$folder/opt/mtpannel
there=/opt/mtpannel
newer_there=/opt/newer
machine=(docker exec --workdir /source --env PROXY_HOST --env PROXY_PORT --env TLS_DOMAIN --env ADMIN_USER --env ADMIN_PASS
    --env START_TIMEOUT --env CONFIRM --env MODE=systemd --env MTPANNEL_BIN=/program/mtpannel machine)
interrupted_installer install
offline "${machine[@]}" systemctl restart mtpannel
first=$(link)
served "$first" --up 300000 --down 200000
verify
step "the same with systemd, killed again and again"
second_run
new_version
failing_update MTPANNEL_BIN=/bin/false START_TIMEOUT=10
docker restart machine >/dev/null
served "$first"
step "it starts with the machine"
other_domain
installed_again
removed_and_restored /opt
docker rm --force machine >/dev/null
INSTALL_DIR=$folder/mtpannel
there=$INSTALL_DIR
newer_there=$newer
machine=(inside)

if [ -z "${TELEMT_BIN:-}" ]; then
    printf 'NOT RUN: telemt as the proxy; TELEMT_BIN=/path/to/telemt make test-install runs it\n'
    exit
fi
mkdir "$folder/telemt"
cp "$TELEMT_BIN" "$folder/telemt/telemt"
printf 'FROM base:local\nCOPY telemt /app/telemt\nUSER 65532:65532\nENTRYPOINT ["/app/telemt"]\n' >"$folder/telemt/Dockerfile"
docker build --quiet --network=none --tag telemt:local "$folder/telemt" >/dev/null
# It is healthy only where it needs nothing of the internet.
PROXY_KIND=telemt START_TIMEOUT=20 inside ./install.sh --yes >"$folder/output" 2>&1 || true
offline docker restart mtpannel-telemt
PROXY_KIND=telemt installer install
served "$(link)"
verify
locked_down mtpannel-traefik mtpannel-telemt mtpannel-panel
step "the same with telemt"
