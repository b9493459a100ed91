#!/usr/bin/env bats
# Backup and what comes back from it.

load common

# An installation with a panel of which the database says DATA.
installed() {
    fake_docker "panel:local"
    PANEL=y IMAGES=panel:local PROXY_KIND=builtin
    settle
    mkdir -p "$INSTALL_DIR"/{data,acme,backups}
    echo 'x = 1' >"$INSTALL_DIR/config/config.toml"
    touch "$INSTALL_DIR/.complete"
    fake_database
}

# backup and restore, which see the data folder as /app/data.
fake_database() {
    fake_panel '
        file=$INSTALL_DIR/data/${name##*/}
        case $command in
            backup) echo "${DATA:-rows}" >"$file" ;;
            restore) cp "$file" "$BATS_TEST_TMPDIR/restored" ;;
        esac'
    stop() { echo stop >>"$ASKED"; }
    start() { echo start >>"$ASKED"; }
}

@test "a backup holds settings, configuration, certificates, the operator's own file and the database" {
    installed
    touch "$INSTALL_DIR/docker-compose.override.yml"
    echo stale >"$INSTALL_DIR/backups/panel.db"
    make_backup
    [ "$(stat -c %a "$BACKUP")" = 600 ]
    [ "$(members "$BACKUP" | sort | tr '\n' ' ')" = ".env acme/ config/ config/config.toml docker-compose.override.yml panel.db " ]
    [ "$(tar -xOzf "$BACKUP" panel.db)" = rows ]
    [ ! -e "$INSTALL_DIR/backups/panel.db" ]
    [ "$(do_backup 2>/dev/null | wc -l)" -eq 1 ]
}

broken_archive() {
    fake tar 'if [[ "$*" == *-czf* ]]; then for last in "$@"; do case $last in *.new) echo broken >"$last" ;; esac; done; else /bin/tar "$@"; fi'
}

@test "without the panel a backup holds no database" {
    PANEL=n
    settle
    mkdir -p "$INSTALL_DIR/acme"
    echo '[server]' >"$INSTALL_DIR/config/config.toml"
    make_backup
    [ "$(members "$BACKUP" | sort | tr '\n' ' ')" = ".env acme/ config/ config/config.toml " ]
    broken_archive
    run strictly do_backup
    [ "$status" -ne 0 ]
}

@test "a backup that fails is none" {
    installed
    fake_panel 'return 1'
    run strictly do_backup
    [ "$status" -ne 0 ]
    [ -z "$(ls "$INSTALL_DIR/backups")" ]
}

@test "files that are replaced while they are read do no harm, and a broken archive is none" {
    installed
    fake tar '/bin/tar "$@"; [[ "$*" != *-czf* ]] || exit 1'
    make_backup
    fake tar '[[ "$*" != *-czf* ]] || exit 2; /bin/tar "$@"'
    run strictly do_backup
    [ "$status" -ne 0 ]
    broken_archive
    run strictly do_backup
    [ "$status" -ne 0 ]
    [ "$(find "$INSTALL_DIR/backups" -name '*.tar.gz' | wc -l)" -eq 1 ]
}

@test "what is no backup is told before anything is touched" {
    echo x >"$BATS_TEST_TMPDIR/file"
    run check_archive "$BATS_TEST_TMPDIR/file"
    [ "$status" -eq 1 ]
    run do_restore "$BATS_TEST_TMPDIR/file"
    [ "$status" -eq 1 ]
    run do_restore
    [ "$status" -eq 1 ]
    [[ "$output" == *usage* ]]
    [ ! -e "$INSTALL_DIR/.env" ]
}

@test "a PostgreSQL database is saved by its own tool, and the backup says that it is not in it" {
    installed
    env_set DATABASE_URL postgres://h/d
    refuses holds_database
    run need_saved_database
    [ "$status" -eq 1 ]
    [[ "$output" == *pg_dump* ]]
    DATABASE_SAVED=y need_saved_database
    run do_backup
    [ "$status" -eq 0 ]
    [[ "$output" == *pg_dump* ]]
    refuses asked "panel backup"
}

@test "settings, configuration and database come back" {
    installed
    make_backup
    env_set TLS_DOMAIN other.example
    echo 'x = 2' >"$INSTALL_DIR/config/config.toml"
    restore_from "$BACKUP"
    [ "$(env_get TLS_DOMAIN)" = mask.example ]
    [ "$(cat "$INSTALL_DIR/config/config.toml")" = "x = 1" ]
    [ "$(cat "$BATS_TEST_TMPDIR/restored")" = rows ]
    [ ! -e "$INSTALL_DIR/data/restored.db" ]
    [ "$(grep -E '^(stop|panel restore|start)' "$ASKED" | tr '\n' ' ')" = "stop panel restore /app/data/restored.db start " ]
}

@test "an empty machine becomes what the backup says" {
    installed
    make_backup
    cp "$BACKUP" "$BATS_TEST_TMPDIR/backup.tar.gz"
    rm -r "$INSTALL_DIR"
    fake ss
    forget
    do_restore "$BATS_TEST_TMPDIR/backup.tar.gz"
    is_installed
    [ "$(env_get TLS_DOMAIN)" = mask.example ]
    [ "$(env_get SOURCE_DIR)" = "$ROOT" ]
    [ -f "$INSTALL_DIR/docker-compose.yml" ]
    [ "$(cat "$BATS_TEST_TMPDIR/restored")" = rows ]
}

@test "a machine whose ports are taken is not touched by restore" {
    installed
    make_backup
    cp "$BACKUP" "$BATS_TEST_TMPDIR/backup.tar.gz"
    rm -r "$INSTALL_DIR"
    fake ss 'echo "LISTEN $2"'
    forget
    run do_restore "$BATS_TEST_TMPDIR/backup.tar.gz"
    [ "$status" -eq 1 ]
    [[ "$output" == *"port 443 is in use"* ]]
    [ ! -e "$INSTALL_DIR" ]
}

@test "what runs is replaced after a yes only, and is saved before" {
    installed
    make_backup
    cp "$BACKUP" "$BATS_TEST_TMPDIR/backup.tar.gz"
    env_set TLS_DOMAIN other.example
    run do_restore "$BATS_TEST_TMPDIR/backup.tar.gz"
    [ "$status" -eq 1 ]
    [ "$(env_get TLS_DOMAIN)" = other.example ]
    forget
    CONFIRM=y do_restore "$BATS_TEST_TMPDIR/backup.tar.gz"
    [ "$(env_get TLS_DOMAIN)" = mask.example ]
    tar -xOzf "$BACKUP" .env | grep -x TLS_DOMAIN=other.example
}
