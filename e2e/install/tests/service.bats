#!/usr/bin/env bats
# The running installation.

load common

# A service that counts its starts.
fake_service() {
    env_set MODE systemd
    fake systemctl "$@"
    fake curl
}

@test "the panel's command line runs in its container" {
    fake_docker ""
    env_set MODE docker
    touch "$INSTALL_DIR/docker-compose.yml"
    panel_cli user list
    asked "docker compose run --rm --no-deps -T panel user list"
    [ "$(panel_data)" = /app/data ]
}

@test "the panel's command line runs as the service's user, with its settings" {
    env_set MODE systemd
    env_set DATABASE_URL "'postgres://u:p\$w@h/d'"
    env_set LISTEN 127.0.0.1:8090
    mkdir "$INSTALL_DIR/data"
    fake setpriv 'echo "$PWD $DATABASE_URL $LISTEN"'
    [ "$(panel_cli user list)" = "$INSTALL_DIR/data postgres://u:p\$w@h/d 127.0.0.1:8090" ]
    asked "setpriv --reuid mtpannel --regid mtpannel --clear-groups --no-new-privs $BINARY user list"
    [ "$(panel_data)" = "$INSTALL_DIR/data" ]
}

@test "the panel is asked where it listens" {
    env_set MODE docker
    [ "$(panel_url)" = http://127.0.0.1:8080 ]
    env_set PANEL_BIND 192.0.2.1
    [ "$(panel_url)" = http://192.0.2.1:8080 ]
    env_set BASE_PATH /panel
    [ "$(panel_url)" = http://192.0.2.1:8080/panel ]
    env_set MODE systemd
    env_set LISTEN 0.0.0.0:8090
    [ "$(panel_url)" = http://127.0.0.1:8090/panel ]
    env_set LISTEN '[::]:8090'
    [ "$(panel_url)" = 'http://[::1]:8090/panel' ]
}

@test "changed files of Traefik are a changed setting" {
    mkdir "$INSTALL_DIR/traefik"
    echo a >"$INSTALL_DIR/traefik/dynamic.yml"
    note_traefik_files
    first=$(env_get TRAEFIK_FILES)
    note_traefik_files
    [ "$(env_get TRAEFIK_FILES)" = "$first" ]
    echo b >"$INSTALL_DIR/traefik/dynamic.yml"
    note_traefik_files
    [ "$(env_get TRAEFIK_FILES)" != "$first" ]
}

@test "containers are started, again where a killed run still holds a name, and a failure is a failure" {
    fake sleep
    env_set MODE docker
    compose() {
        echo "$*" >>"$ASKED"
        [ "$(grep -c "^up " "$ASKED")" -ge 3 ] || { echo 'The name is already in use by container "x"'; return 1; }
    }
    START_TIMEOUT=7 start_containers
    [ "$(grep -c "^up --detach --wait --wait-timeout 7" "$ASKED")" -eq 3 ]
    compose() { return 1; }
    run start_containers
    [ "$status" -eq 1 ]
}

@test "start and stop are those of the kind" {
    compose() { echo "compose $*" >>"$ASKED"; }
    env_set MODE docker
    mkdir "$INSTALL_DIR/traefik"
    touch "$INSTALL_DIR/traefik/dynamic.yml"
    start
    stop
    asked "compose up"
    asked "compose stop"
    [ -n "$(env_get TRAEFIK_FILES)" ]
    fake_service
    start
    stop
    asked "systemctl enable --quiet mtpannel"
    asked "systemctl restart mtpannel"
    asked "systemctl stop mtpannel"
}

@test "a panel that does not answer is waited for, but not for ever" {
    fake_service
    wait_for_panel
    fake curl 'exit 7'
    refuses is_ready
    START_TIMEOUT=0 run wait_for_panel
    [ "$status" -eq 1 ]
    [[ "$output" == *logs* ]]
}
