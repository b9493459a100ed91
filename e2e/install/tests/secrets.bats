#!/usr/bin/env bats
# Secrets of the panel's container.

load common

# An installation of containers whose .env has the secrets, as a version before wrote it.
before_files() {
    fake_docker "panel:local"
    PANEL=y IMAGES=panel:local PROXY_KIND=builtin
    settle
    env_set SECRET_KEY 0123456789
    env_set DATABASE_URL "'postgres://u:p\$w#d@h/d'"
    env_set TELEMT_API_AUTH '"Bearer canary"'
    touch "$INSTALL_DIR/.complete"
}
old_compose_file() { echo 'SECRET_KEY: ${SECRET_KEY:?}' >"$INSTALL_DIR/docker-compose.yml"; }
secret() { cat "$INSTALL_DIR/secrets/$1"; }

@test "an update moves secrets out of the environment into files that only their reader may read" {
    before_files
    write_files
    write_files
    [ "$(secret secret_key)" = 0123456789 ]
    [ "$(secret database_url)" = 'postgres://u:p$w#d@h/d' ]
    [ "$(secret telemt_api_auth)" = "Bearer canary" ]
    refuses grep -E 'SECRET_KEY|DATABASE_URL|TELEMT_API_AUTH|canary' "$INSTALL_DIR/.env"
    [ "$(stat -c %a "$INSTALL_DIR/secrets" "$INSTALL_DIR"/secrets/* | tr '\n' ' ')" = "700 440 440 440 " ]
    asked "chown 0:65532 $INSTALL_DIR/secrets/secret_key.new"
    uses_postgres
}

@test "a fresh installation has a key in a file, and keeps it" {
    fake_docker ""
    settle
    write_files
    [[ "$(secret secret_key)" =~ ^[0-9a-f]{64}$ ]]
    [ "$(secret database_url)" = sqlite:////app/data/panel.db ]
    [ -z "$(secret telemt_api_auth)" ]
    before=$(cat "$INSTALL_DIR"/secrets/*)
    forget
    settle
    write_files
    [ "$(cat "$INSTALL_DIR"/secrets/*)" = "$before" ]
    refuses grep -E 'SECRET_KEY|DATABASE_URL' "$INSTALL_DIR/.env"
    refuses uses_postgres
}

@test "a secret that is written into .env later is moved by the next run" {
    before_files
    write_files
    env_set DATABASE_URL postgres://other/d
    [ "$(secret_get DATABASE_URL)" = postgres://other/d ]
    write_files
    [ "$(secret database_url)" = postgres://other/d ]
    [ -z "$(env_get DATABASE_URL)" ]
    # Also by one that asks the panel for a backup first, which would refuse it.
    env_set TELEMT_API_AUTH other
    panel_cli backup x
    [ "$(secret telemt_api_auth)" = other ]
    [ -z "$(env_get TELEMT_API_AUTH)" ]
}

@test "the former compose file finds its secrets in .env again" {
    before_files
    old_compose_file
    make_backup
    write_files
    refuses grep SECRET_KEY "$INSTALL_DIR/.env"
    old_compose_file
    stop() { :; }
    start() { :; }
    fake_panel '[ "$command" != backup ] || echo rows >"$INSTALL_DIR/data/${name##*/}"'
    restore_from "$BACKUP"
    [ "$(env_get SECRET_KEY)" = 0123456789 ]
    [ ! -e "$INSTALL_DIR/secrets" ]
}

@test "a backup brings secrets back, whether it has them in .env or in files" {
    before_files
    make_backup
    cp "$BACKUP" "$BATS_TEST_TMPDIR/in-env.tar.gz"
    write_files
    before=$(cat "$INSTALL_DIR"/secrets/*)
    make_backup
    cp "$BACKUP" "$BATS_TEST_TMPDIR/in-files.tar.gz"
    stop() { :; }
    start() { :; }
    fake_panel '[ "$command" != backup ] || echo rows >"$INSTALL_DIR/data/${name##*/}"'
    fake ss
    for archive in in-env in-files; do
        secret_set DATABASE_URL sqlite:////app/data/other.db
        CONFIRM=y DATABASE_SAVED=y do_restore "$BATS_TEST_TMPDIR/$archive.tar.gz"
        [ "$(cat "$INSTALL_DIR"/secrets/*)" = "$before" ]
        rm -r "$INSTALL_DIR"
        forget
        do_restore "$BATS_TEST_TMPDIR/$archive.tar.gz"
        [ "$(cat "$INSTALL_DIR"/secrets/*)" = "$before" ]
    done
}

@test "a restore that breaks off while it unpacks leaves each secret as it was" {
    before_files
    write_files
    make_backup
    before=$(cat "$INSTALL_DIR"/secrets/* "$INSTALL_DIR/.env")
    stop() { :; }
    start() { :; }
    panel_cli() { :; }
    fake tar 'case "$*" in *-xzf*secrets*) exit 137 ;; esac; /bin/tar "$@"'
    run strictly "restore_from '$BACKUP'"
    [ "$status" -ne 0 ]
    [ "$(cat "$INSTALL_DIR"/secrets/* "$INSTALL_DIR/.env")" = "$before" ]
    rm "$FAKES/tar"
    restore_from "$BACKUP"
    [ "$(cat "$INSTALL_DIR"/secrets/* "$INSTALL_DIR/.env")" = "$before" ]
    [ ! -e "$INSTALL_DIR/.unpacked" ]
}

@test "without containers secrets stay where systemd reads them" {
    fake systemctl
    fake useradd
    fake chown
    env_set MODE systemd
    env_set SECRET_KEY 0123456789
    write_files
    [ "$(env_get SECRET_KEY)" = 0123456789 ]
    [ ! -e "$INSTALL_DIR/secrets" ]
}

@test "containers have limits of memory and processes, which follow the machine" {
    fake_docker ""
    env_set MODE docker
    fake awk 'exec /usr/bin/awk "${@:1:$#-1}" "$BATS_TEST_TMPDIR/meminfo"'
    printf 'MemTotal:        2048000 kB\nMemFree: 1 kB\n' >"$BATS_TEST_TMPDIR/meminfo"
    [ "$(memory_share 75)" = 1500m ]
    rm "$FAKES/awk"
    write_files
    for name in MEMORY_PROXY MEMORY_TRAEFIK MEMORY_PANEL; do [[ "$(env_get $name)" =~ ^[1-9][0-9]*m$ ]]; done
    env_set MEMORY_PANEL 300m
    write_files
    [ "$(env_get MEMORY_PANEL)" = 300m ]
    # Each service has both, or its anchor has.
    [ "$(grep -c 'container_name:' "$ROOT/deploy/docker-compose.yml")" -eq "$(grep -c '    mem_limit:' "$ROOT/deploy/docker-compose.yml")" ]
    grep -q '^  pids_limit:' "$ROOT/deploy/docker-compose.yml"
    grep -q '^MemoryMax=' "$ROOT/deploy/mtpannel.service"
    grep -q '^TasksMax=' "$ROOT/deploy/mtpannel.service"
}
