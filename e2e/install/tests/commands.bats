#!/usr/bin/env bats
# What the operator calls.

load common

# An installation that is complete; what runs is words in $ASKED.
installed() {
    fake_docker "panel:local"
    PANEL=${PANEL:-y} IMAGES=panel:local PROXY_KIND=builtin PROXY_PORT=443
    settle
    mkdir -p "$INSTALL_DIR"/{data,acme,backups}
    touch "$INSTALL_DIR/.complete" "$INSTALL_DIR/docker-compose.yml"
    printf '[censorship]\ntls_domain = "mask.example"\n' >"$INSTALL_DIR/config/config.toml"
    nothing_runs
    fake_panel "$SMALL_PANEL"
    forget
}
nothing_runs() {
    stop() { echo stop >>"$ASKED"; }
    start() { echo start >>"$ASKED"; }
    fake getent 'exit 2'
    fake ss
    fake curl
}

@test "a fresh machine becomes an installation, and the same command completes an interrupted one" {
    fake_docker "panel:local"
    nothing_runs
    fake_panel '
        case "$command $name" in
            "admin list") return 1 ;;
            "user links") echo "tg://proxy?x" ;;
            "config template") echo "[server]" ;;
            *) [ -t 0 ] || cat >/dev/null ;;
        esac'
    fake qrencode 'cat >/dev/null'
    export PROXY_HOST=192.0.2.1 TLS_DOMAIN=mask.example IMAGES=panel:local PROXY_KIND=builtin
    start() { return 1; }
    run strictly do_install
    [ "$status" -eq 1 ]
    [ -e "$INSTALL_DIR/.first-admin" ]
    refuses is_installed
    start() { echo start >>"$ASKED"; }
    run strictly do_install
    [ "$status" -eq 0 ]
    is_installed
    [ ! -e "$INSTALL_DIR/.first-admin" ]
    [[ "$output" == *"password (shown once)"*"tg://proxy?x"* ]]
}

@test "nothing is touched on a machine that does not fit" {
    fake_docker "panel:local"
    nothing_runs
    fake ss 'echo taken'
    export PROXY_HOST=192.0.2.1 TLS_DOMAIN=mask.example IMAGES=panel:local PROXY_KIND=builtin
    run do_install
    [ "$status" -eq 1 ]
    [[ "$output" == *"is in use"* ]]
    [ ! -e "$INSTALL_DIR/.env" ]
}

@test "on an installed machine install is update" {
    installed
    do_update() { echo update >>"$ASKED"; }
    do_install
    asked update
}

@test "status tells of containers and panel, and fails where the panel does not answer" {
    installed
    fake curl 'echo "{\"status\":\"ok\"}"'
    run do_status
    [ "$status" -eq 0 ]
    [[ "$output" == *ok* ]]
    fake curl 'exit 7'
    run do_status
    [ "$status" -eq 1 ]
    [[ "$output" == *"does not answer"* ]]
    env_set COMPOSE_PROFILES telemt
    run do_status
    [ "$status" -eq 0 ]
    env_set MODE systemd
    env_set LISTEN 127.0.0.1:8090
    fake systemctl 'exit 3'
    fake curl 'echo ready'
    run do_status
    [ "$status" -eq 0 ]
    asked "curl .*http://127.0.0.1:8090/health/ready"
}

@test "logs are the containers' or the service's, with the options that are given" {
    installed
    do_logs --follow
    asked "docker compose logs --tail 200 --follow"
    env_set MODE systemd
    fake journalctl
    do_logs --follow
    asked "journalctl --no-pager -u mtpannel -n 200 --follow"
}

@test "another masking domain is written everywhere after a yes" {
    installed
    run do_change_domain new.example
    [ "$status" -eq 1 ]
    refuses asked stop
    CONFIRM=y do_change_domain New.Example
    [ "$(env_get TLS_DOMAIN)" = new.example ]
    grep -qx 'tls_domain = "new.example"' "$INSTALL_DIR/config/config.toml"
    [ "$(grep -E '^(stop|start)' "$ASKED" | tr '\n' ' ')" = "stop start " ]
}

@test "a file that has no masking domain keeps the old one everywhere" {
    installed
    echo 'x = 1' >"$INSTALL_DIR/config/config.toml"
    CONFIRM=y run do_change_domain new.example
    [ "$status" -eq 1 ]
    [ "$(env_get TLS_DOMAIN)" = mask.example ]
    asked start
}

@test "a domain that is none, the panel's, or leads here is not taken as the masking domain" {
    installed
    env_set PANEL_DOMAIN panel.example
    export CONFIRM=y
    for bad in 'x;id' panel.example Panel.Example ""; do
        run do_change_domain "$bad"
        [ "$status" -eq 1 ]
    done
    fake getent 'echo 127.0.0.1'
    run do_change_domain here.example
    [ "$status" -eq 1 ]
    [ "$(env_get TLS_DOMAIN)" = mask.example ]
}

@test "add-panel says what it needs where the panel is already, and gives it a domain" {
    installed
    run do_add_panel
    [ "$status" -eq 1 ]
    [[ "$output" == *"add-panel DOMAIN"* ]]
    run do_add_panel mask.example
    [ "$status" -eq 1 ]
    do_add_panel Panel.Example
    [ "$(env_get PANEL_DOMAIN)" = panel.example ]
    asked start
    env_set PROXY_PORT 8443
    run do_add_panel other.example
    [ "$status" -eq 1 ]
    env_set MODE systemd
    run do_add_panel other.example
    [ "$status" -eq 1 ]
}

@test "add-panel installs the panel where there is none, on a port that is free" {
    PANEL=n
    installed
    do_install() { echo "install $PANEL $PANEL_DOMAIN" >>"$ASKED"; }
    fake ss 'echo taken'
    run do_add_panel
    [ "$status" -eq 1 ]
    fake ss
    do_add_panel panel.example
    asked "install y panel.example"
    refuses is_installed
}

@test "a new password is shown only if it was made here" {
    installed
    fake_panel 'cat >"$BATS_TEST_TMPDIR/password"'
    ADMIN_PASS=long-enough-for-this run do_reset_password boss
    [ "$status" -eq 0 ]
    [ -z "$output" ]
    [ "$(cat "$BATS_TEST_TMPDIR/password")" = long-enough-for-this ]
    asked "panel admin set-password boss --password-stdin"
    run do_reset_password
    [ "$output" = "Password of admin: $(cat "$BATS_TEST_TMPDIR/password")" ]
    ADMIN_PASS=short run do_reset_password
    [ "$status" -eq 1 ]
    env_set COMPOSE_PROFILES telemt
    run do_reset_password
    [ "$status" -eq 1 ]
}

@test "uninstall says no by itself" {
    installed
    run do_uninstall --data
    [ "$status" -eq 1 ]
    is_installed
}

@test "uninstall keeps the data, and with --data removes what is ours and nothing else" {
    installed
    echo mine >"$INSTALL_DIR/mine"
    export CONFIRM=y
    do_uninstall
    asked "docker compose down"
    asked "docker ps --all --quiet --filter label=com.docker.compose.project=mtpannel"
    refuses is_installed
    [ -f "$INSTALL_DIR/.env" ]
    do_uninstall --data
    [ "$(ls -A "$INSTALL_DIR")" = mine ]
}

@test "an installation that was broken off at any step is removed" {
    export CONFIRM=y
    mkdir -p "$INSTALL_DIR/source"
    do_uninstall --data
    [ ! -d "$INSTALL_DIR" ]
    mkdir -p "$INSTALL_DIR"
    env_set MODE docker
    PATH=$FAKES:/bin/nothing remove_containers
    do_uninstall --data
    [ ! -d "$INSTALL_DIR" ]
}

@test "the service is removed with its program" {
    fake systemctl 'exit 1'
    touch "$UNIT" "$BINARY"
    fake systemctl '[ "$1" != disable ]'
    remove_service
    [ ! -e "$UNIT" ]
    [ ! -e "$BINARY" ]
    asked "systemctl daemon-reload"
}

@test "another masking domain may be a site of one's own, and the next one is not asked where that was" {
    installed
    export CONFIRM=y
    fake getent 'echo "$2 STREAM"; [ "$2" != own.example ] || echo "192.0.2.1 STREAM"'
    fake hostname 'echo 192.0.2.1'
    MASK_SITE=172.29.43.1:443 run do_change_domain own.example
    [ "$status" -eq 1 ]
    [ "$(env_get TLS_DOMAIN)" = mask.example ]
    MASK_SITE=172.29.43.1:8444 do_change_domain own.example
    [ "$(env_get MASK_SITE)" = 172.29.43.1:8444 ]
    asked "panel config set-domain own.example --mask-site 172.29.43.1:8444"
    MASK_SITE=none
    forget
    do_change_domain other.example
    [ -z "$(env_get MASK_SITE)" ]
    asked "panel config set-domain other.example --mask-site none"
    # What the operator has written there stays.
    do_change_domain another.example
    grep -qx "panel config set-domain another.example" "$ASKED"
}
