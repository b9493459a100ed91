#!/usr/bin/env bats
# Update, and the way back.

load common

# An installation of an older version, whose service START_STATUS lets start.
installed() {
    env_set MODE systemd
    env_set COMPOSE_PROFILES x
    env_set SOURCE_DIR /old
    mkdir -p "$INSTALL_DIR"/{data,acme,backups}
    touch "$INSTALL_DIR/.complete" "$INSTALL_DIR/config/config.toml"
    echo old >"$BINARY"
    echo old >"$UNIT"
    echo old >"$INSTALL_DIR/install.sh"
    echo new >"$BATS_TEST_TMPDIR/built"
    export MTPANNEL_BIN=$BATS_TEST_TMPDIR/built
    fake systemctl
    fake setpriv '
        case "${*: -2:1}" in
            backup) cat "$BINARY" >"${*: -1}"; exit ;;
            restore) cp "${*: -1}" "$BATS_TEST_TMPDIR/restored"; exit ;;
        esac
        '"$SAME_USER"
    fake chown
    fake useradd
    fake curl '[ "$(cat "$BINARY")" != "$REFUSED" ]'
    export REFUSED=nothing START_TIMEOUT=0
}

update() { strictly do_update; }
what_runs() { cat "$BINARY" "$UNIT" "$INSTALL_DIR/install.sh" "$INSTALL_DIR/.env"; }

@test "an update brings program, unit and installer, and keeps settings" {
    installed
    update
    [ "$(cat "$BINARY")" = new ]
    cmp "$ROOT/install.sh" "$INSTALL_DIR/install.sh"
    grep -q ExecStart "$UNIT"
    [ ! -e "$INSTALL_DIR/.updating" ]
}

@test "the backup is made by the program that made the data" {
    installed
    update
    [ "$(tar -xOzf "$INSTALL_DIR"/backups/*.tar.gz panel.db)" = old ]
}

@test "a backup that fails ends the update before anything is replaced" {
    installed
    before=$(what_runs)
    fake setpriv 'exit 1'
    run update
    [ "$status" -ne 0 ]
    [ "$(what_runs)" = "$before" ]
    refuses asked "systemctl restart"
    [ ! -e "$INSTALL_DIR/.updating" ]
}

@test "a program that cannot be built ends the update before anything is touched" {
    installed
    before=$(what_runs)
    MTPANNEL_BIN=/no/such/program run update
    [ "$status" -ne 0 ]
    [ "$(what_runs)" = "$before" ]
    [ -z "$(ls "$INSTALL_DIR/backups")" ]
}

@test "PostgreSQL ends the update before anything is replaced, and it says what to do" {
    installed
    env_set DATABASE_URL postgres://h/d
    before=$(what_runs)
    run update
    [ "$status" -eq 1 ]
    [[ "$output" == *pg_dump*DATABASE_SAVED* ]]
    [ "$(what_runs)" = "$before" ]
}

@test "a new version that does not start is taken back" {
    installed
    before=$(what_runs)
    REFUSED=new run update
    [ "$status" -eq 1 ]
    [[ "$output" == *"the previous version and data are restored"* ]]
    [ "$(what_runs)" = "$before" ]
    [ "$(cat "$BATS_TEST_TMPDIR/restored")" = old ]
    [ ! -e "$INSTALL_DIR/.updating" ]
}

@test "an update that was killed with its parts in place still knows the way back" {
    installed
    before=$(what_runs)
    # Killed at the restart, with everything that belongs to it.
    fake systemctl '[ "$1" != restart ] || kill -KILL 0'
    run update
    [ "$status" -eq 137 ]
    [ -e "$INSTALL_DIR/.updating" ]
    [ "$(cat "$BINARY")" = new ]
    fake systemctl
    REFUSED=new run update
    [ "$status" -eq 1 ]
    [[ "$output" == *"is continued"*"are restored"* ]]
    [ "$(what_runs)" = "$before" ]
    [ "$(find "$INSTALL_DIR/backups" -name '*.tar.gz' | wc -l)" -eq 1 ]
}

@test "an update that was killed is completed by the next" {
    installed
    make_backup
    keep_parts
    echo "$BACKUP" >"$INSTALL_DIR/.updating"
    cp "$BATS_TEST_TMPDIR/built" "$BINARY"
    run update
    [ "$status" -eq 0 ]
    [ "$(cat "$BINARY")" = new ]
    [ "$(cat "$INSTALL_DIR/.previous/${BINARY##*/}")" = old ]
    [ ! -e "$INSTALL_DIR/.updating" ]
}

@test "a signal in the middle of an update brings back the former version" {
    installed
    before=$(what_runs)
    for signal in INT TERM HUP; do
        # It reaches the whole group, like Ctrl+C or the end of a terminal.
        fake systemctl "[ \"\$1\" != restart ] || [ \"\$(cat \"\$BINARY\")\" = old ] || kill -$signal 0"
        run update
        [ "$status" -eq 1 ]
        [ "$(what_runs)" = "$before" ]
        [ ! -e "$INSTALL_DIR/.updating" ]
    done
    grep "are restored" "$INSTALL_DIR/update.log"
}

@test "an installation that is not complete is completed, not updated" {
    installed
    rm "$INSTALL_DIR/.complete"
    run update
    [ "$status" -eq 1 ]
    [[ "$output" == *"install.sh install"* ]]
}

@test "what a failed update replaced comes back, with containers" {
    fake_docker "panel:local panel:previous"
    env_set MODE docker
    mkdir -p "$INSTALL_DIR/traefik" "$INSTALL_DIR/deploy/install"
    echo old >"$INSTALL_DIR/docker-compose.yml"
    echo old >"$INSTALL_DIR/traefik/traefik.yml"
    echo old >"$INSTALL_DIR/deploy/install/a.sh"
    keep_parts
    echo new >"$INSTALL_DIR/docker-compose.yml"
    echo new >"$INSTALL_DIR/traefik/traefik.yml"
    echo new >"$INSTALL_DIR/deploy/install/b.sh"
    bring_back_parts
    [ "$(cat "$INSTALL_DIR/docker-compose.yml" "$INSTALL_DIR/traefik/traefik.yml")" = "old
old" ]
    [ "$(ls "$INSTALL_DIR/deploy/install")" = a.sh ]
    [ "$(grep tag "$ASKED")" = "docker tag panel:local panel:previous
docker tag panel:previous panel:local" ]
    [ "$(parts_of_installation | grep -c "^$INSTALL_DIR/")" -eq 4 ]
}
