#!/usr/bin/env bats
# Whoever has the rights of the service's user owns the folders config, data and acme, and can put links there. With real
# users, so this needs root; what a service of systemd or a container would do is done by its user directly.

load common

# Some user without rights, as the service's.
SERVICE_ID=64321

setup_file() { [ "$EUID" -eq 0 ] || skip "real owners need root"; }

# installed KIND: an installation as it is on a server, and beside it FILE, which is root's.
installed() {
    rm "$FAKES/setpriv" "$FAKES/id"
    SERVICE_USER=$SERVICE_ID
    eval "owner() { if uses_docker; then echo 65532:65532; else echo $SERVICE_ID:$SERVICE_ID; fi; }"
    fake useradd
    fake systemctl
    fake docker 'case "$1 $2" in "compose version") echo 2.24.0 ;; esac'
    fake getent 'exit 2'
    fake_panel 'case $command in
        backup) as_owner data bash -c "echo rows >$name" ;;
        restore) as_owner data cp "$name" restored.copy ;;
    esac
    '"$SMALL_PANEL"
    panel_data() { echo .; }
    stop() { :; }
    start() { :; }
    PANEL=y PROXY_KIND=builtin IMAGES=panel:local MODE=$1 DATABASE_URL="" PROXY_HOST=192.0.2.1 PROXY_PORT=8443 TLS_DOMAIN=mask.example
    PANEL_DOMAIN="" OTHER_NAMES=mask LISTEN=127.0.0.1:8080
    write_settings
    rmdir "$INSTALL_DIR/config"
    write_files
    touch "$INSTALL_DIR/.complete"
    FILE=$BATS_TEST_TMPDIR/roots-file
    printf '# root\n[censorship]\ntls_domain = "roots.example"\n' >"$FILE"
    chmod 600 "$FILE"
    mkdir "$BATS_TEST_TMPDIR/roots-folder"
    before=$(roots)
}
# What belongs to root and must stay as it is.
roots() { find "$FILE" "$BATS_TEST_TMPDIR/roots-folder" -printf '%p %U:%G %m\n' -type f -exec cat {} +; }
untouched() {
    [ "$(roots)" = "$before" ] || {
        diff <(echo "$before") <(roots)
        return 1
    }
}
# attacker FOLDER COMMAND...: does it in this folder with the rights of the service's user.
attacker() { (cd "$INSTALL_DIR/$1" && setpriv --reuid "$(id_of_owner)" --regid "$(id_of_owner)" --clear-groups "${@:2}"); }
id_of_owner() { local of; of=$(owner); echo "${of%:*}"; }

kinds() {
    local kind
    for kind in docker systemd; do
        rm -rf "$INSTALL_DIR" "$BATS_TEST_TMPDIR/roots-folder"
        mkdir -p "$INSTALL_DIR/config"
        fake setpriv
        fake id
        installed "$kind"
        echo "with $kind"
        "$@"
    done
}

own_files_are_made() {
    write_first_config
    [ "$(stat -c %u "$INSTALL_DIR"/{config,data,acme} | sort -u)" = "$(id_of_owner)" ]
    if uses_docker; then [ "$(stat -c '%u %a' "$INSTALL_DIR/config/config.toml")" = "65532 640" ]; fi
    [ "$(stat -c '%u %a' "$INSTALL_DIR/.env")" = "0 600" ]
    [ -z "$(warn_of_other_owners 2>&1)" ]
}
@test "files in the service's folders are made by its user, below folders that are closed to it" {
    kinds own_files_are_made
}

link_in_place_of_new_file() {
    rm -f "$INSTALL_DIR/config/config.toml"
    attacker config ln -s "$FILE" config.toml.new
    write_first_config
    untouched
}
@test "the first configuration is not written through a link that waits in its place" {
    kinds link_in_place_of_new_file
}

link_in_place_of_config() {
    attacker config ln -sf "$FILE" config.toml
    CONFIRM=y run do_change_domain new.example
    untouched
    [ "$status" -eq 1 ]
    run write_first_config
    untouched
}
@test "another masking domain is neither read nor written through a link to root's file" {
    kinds link_in_place_of_config
}

domain_changes() {
    attacker config bash -c 'printf "[censorship]\ntls_domain = \"mask.example\"\n" >config.toml; chmod 640 config.toml'
    attacker config ln -s "$FILE" config.toml.new
    CONFIRM=y do_change_domain new.example
    untouched
    grep -qx 'tls_domain = "new.example"' "$INSTALL_DIR/config/config.toml"
    [ "$(stat -c '%u %a' "$INSTALL_DIR/config/config.toml")" = "$(id_of_owner) 640" ]
}
@test "another masking domain is written by the service's user" {
    kinds domain_changes
}

# telemt_alone CHECK: the same where the installer edits the file without the program.
telemt_alone() {
    uses_docker || return 0
    env_set COMPOSE_PROFILES telemt
    "$@"
}
@test "where telemt is alone the file is written by the container's user, and through no link" {
    kinds telemt_alone link_in_place_of_new_file
    kinds telemt_alone link_in_place_of_config
    kinds telemt_alone domain_changes
}

an_update_follows_nothing() {
    attacker config ln -s "$FILE" link
    attacker data ln -s "$BATS_TEST_TMPDIR/roots-folder" folder
    attacker acme ln -s "$FILE" acme.json
    write_files
    untouched
    # As after an editor of root's.
    echo 'x = 1' >"$INSTALL_DIR/config/mine.toml"
    [[ "$(write_files 2>&1)" == *"chown -h"*mine.toml* ]]
    [ "$(stat -c %u "$INSTALL_DIR/config/mine.toml")" = 0 ]
}
@test "what stands in the service's folders changes its owner by no run of the installer, which tells what is root's" {
    kinds an_update_follows_nothing
}

a_backup_follows_nothing() {
    attacker config bash -c 'echo "x = 1" >config.toml'
    attacker config ln -s "$FILE" link
    echo 'rows of root' >"$BATS_TEST_TMPDIR/roots-folder/file"
    before=$(roots)
    # The panel's command is told to write a backup, and a link is there instead.
    fake_panel '[ "$command" != backup ] || as_owner data ln -s "$BATS_TEST_TMPDIR/roots-folder/file" "$name"'
    run strictly make_backup
    [ "$status" -ne 0 ]
    rm "$INSTALL_DIR"/data/*.db
    untouched
    if ls "$INSTALL_DIR"/backups/*.tar.gz; then return 1; fi
    fake_panel '[ "$command" != backup ] || as_owner data bash -c "echo rows >$name"'
    make_backup
    [ "$(tar -xOzf "$BACKUP" panel.db)" = rows ]
    if ls "$INSTALL_DIR/data"/*.db; then return 1; fi
}
@test "a backup holds nothing that a link leads to" {
    kinds a_backup_follows_nothing
}

a_restore_follows_nothing() {
    attacker config bash -c 'mkdir tls && echo "x = 1" >config.toml && echo "x = 2" >tls/file && chmod 640 config.toml'
    make_backup
    attacker config bash -c 'rm -r tls config.toml'
    attacker config ln -s "$BATS_TEST_TMPDIR/roots-folder" tls
    attacker config ln -s "$FILE" config.toml
    attacker data ln -sf "$FILE" restored.db
    restore_from "$BACKUP" || true
    untouched
    attacker config bash -c 'rm -rf tls config.toml'
    restore_from "$BACKUP"
    untouched
    [ "$(stat -c '%u %a' "$INSTALL_DIR/config/config.toml")" = "$(id_of_owner) 640" ]
    [ "$(cat "$INSTALL_DIR/config/tls/file")" = "x = 2" ]
    [ "$(cat "$INSTALL_DIR/data/restored.copy")" = rows ]
    [ ! -e "$INSTALL_DIR/data/restored.db" ]
}
@test "restore unpacks nothing through a link, whether it is a file, a folder or the database" {
    kinds a_restore_follows_nothing
}

@test "the link of the first user is not read from root's file" {
    PANEL=n
    installed docker
    env_set COMPOSE_PROFILES builtin
    printf 'first = "%s"\n' "$(random_hex 16)" >>"$FILE"
    attacker config ln -s "$FILE" config.toml
    secret=$(sed -n 's/^first = "\(.*\)"/\1/p' "$FILE")
    [[ "$(link_of_first 2>/dev/null)" != *"$secret"* ]]
}
