# shellcheck shell=bash disable=SC2034,SC2153 # names in capitals are shared by all parts
# Backup and restore.

# Writes an archive, and sets BACKUP to its path. An incomplete archive never gets its final name.
make_backup() {
    local name archive parts=() part
    name=mtpannel-$(date -u +%Y%m%dT%H%M%SZ)-$(random_hex 2)
    archive=$INSTALL_DIR/backups/$name.tar.gz
    mkdir -p "$INSTALL_DIR/backups"
    for part in .env docker-compose.override.yml secrets config acme; do
        [[ ! -e "$INSTALL_DIR/$part" ]] || parts+=("$part")
    done
    rm -f "$INSTALL_DIR/backups/panel.db"
    if holds_database; then
        panel_cli backup "$(panel_data)/$name.db" >&2
        # Read as its owner, because there may be a link in its place.
        as_owner data cat "$name.db" >"$INSTALL_DIR/backups/panel.db"
        as_owner data rm -f "$name.db"
        parts+=(-C backups panel.db)
    fi
    # Status 1 means that a file has changed meanwhile, as the proxy's file may at any time.
    tar -C "$INSTALL_DIR" -czf "$archive.new" "${parts[@]}" || (($? == 1))
    rm -f "$INSTALL_DIR/backups/panel.db"
    check_archive "$archive.new"
    ! holds_database || [[ "$(members "$archive.new")" == *panel.db ]] || die "the backup has no database" "в копии нет базы"
    mv "$archive.new" "$archive"
    BACKUP=$archive
}

# Whether a backup includes the database.
holds_database() { has_panel && ! uses_postgres; }

# members ARCHIVE: prints the names in it.
members() { tar -tzf "$1"; }

# holds_member ARCHIVE NAME: whether it has this name.
holds_member() { grep -qxF "$2" <<<"$(members "$1")"; }

check_archive() {
    holds_member "$1" .env 2>/dev/null || die "not a backup of mtpannel: $1" "это не копия mtpannel: $1"
}

# A PostgreSQL database is not in the archive: the operator has to save it with the tool of PostgreSQL.
need_saved_database() {
    uses_postgres || return 0
    warn "The database is PostgreSQL: save it with pg_dump --format=custom; to go back: pg_restore --clean --if-exists" \
        "База в PostgreSQL: сохраните её через pg_dump --format=custom; вернуть: pg_restore --clean --if-exists"
    ask DATABASE_SAVED n "Is it saved? (y/N)" "Она сохранена? (y/N)"
    is_yes "$DATABASE_SAVED" || die "nothing was replaced; DATABASE_SAVED=y says yes without a terminal" \
        "ничего не заменено; без терминала согласие даёт DATABASE_SAVED=y"
}

do_backup() {
    need_installed
    ! uses_postgres || warn "without the database, which is PostgreSQL: use pg_dump" "без базы: она в PostgreSQL, используйте pg_dump"
    make_backup
    echo "$BACKUP"
}

# restore_from ARCHIVE: restores settings, configuration and database; the program is not changed.
restore_from() {
    local part
    stop || true
    unpack_settings "$1"
    move_secrets
    make_folders
    for part in config acme; do
        ! holds_member "$1" "$part/" ||
            as_owner "$part" tar --strip-components 1 --preserve-permissions -xzf - "$part" <"$1"
    done
    if holds_member "$1" panel.db; then
        # shellcheck disable=SC2016 # for the other shell
        tar -xzOf "$1" panel.db | as_owner data bash -c 'rm -f restored.db && cat >restored.db'
        panel_cli restore "$(panel_data)/restored.db"
        as_owner data rm -f restored.db
    fi
    start
}

# unpack_settings ARCHIVE: restores the files of root. They are unpacked into another folder first, so that a killed run leaves
# no secret half written.
unpack_settings() {
    local new="$INSTALL_DIR/.unpacked" part parts=()
    for part in .env docker-compose.override.yml secrets/; do
        ! holds_member "$1" "$part" || parts+=("${part%/}")
    done
    rm -rf "$new"
    mkdir "$new"
    tar -C "$new" -xzf "$1" "${parts[@]}"
    if [[ -d "$new/secrets" ]]; then
        mkdir -p "$INSTALL_DIR/secrets"
        mv "$new"/secrets/* "$INSTALL_DIR/secrets"
        rmdir "$new/secrets"
    fi
    find "$new" -maxdepth 1 -type f -exec mv -t "$INSTALL_DIR" {} +
    rmdir "$new"
    # The archive of an older version has the secrets in .env.
    [[ " ${parts[*]} " == *" secrets "* ]] || rm -rf "$INSTALL_DIR/secrets"
}

# Restores from an archive, also on an empty machine.
do_restore() {
    local archive=${1:-} settings
    [[ -f "$archive" ]] || die "usage: restore FILE" "использование: restore ФАЙЛ"
    archive=$(realpath "$archive")
    check_archive "$archive"
    settings=$(tar -xOzf "$archive" .env)
    MODE=$(value_of MODE <<<"$settings")
    choose_mode
    if is_installed; then
        confirm "Replace what is installed with this backup? The present state is saved first (y/N)" \
            "Заменить установленное этой копией? Текущее состояние будет сохранено (y/N)"
        make_backup
        say "Backup of the present state: $BACKUP" "Копия текущего состояния: $BACKUP"
    elif [[ ! -f "$INSTALL_DIR/.env" ]]; then
        check_before_restore "$settings"
    fi
    mkdir -p "$INSTALL_DIR"
    chmod 711 "$INSTALL_DIR"
    unpack_settings "$archive"
    ! uses_docker || install_docker "$(env_get IMAGES)"
    make_parts
    write_files
    use_parts
    restore_from "$archive"
    env_set SOURCE_DIR "$SOURCE"
    touch "$INSTALL_DIR/.complete"
}

# check_before_restore SETTINGS: checks what an installation with these settings needs.
check_before_restore() {
    need_tools ss
    check_build_tools
    PROXY_PORT=$(value_of PROXY_PORT <<<"$1")
    LISTEN=$(value_of LISTEN <<<"$1")
    if [[ "$(value_of COMPOSE_PROFILES <<<"$1")" == *,panel ]]; then PANEL=y; else PANEL=n; fi
    # shellcheck disable=SC2046 # ports, one a word
    check_ports $(wanted_ports)
    check_space "$(value_of IMAGES <<<"$1")"
}
