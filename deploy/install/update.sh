# shellcheck shell=bash disable=SC2034,SC2153 # names in capitals are shared by all parts
# The update, and the way back. While it runs, .updating holds the path of the backup, and .previous the parts before it.

# Prints the paths that an update replaces. Settings, configuration and data are in the backup.
parts_of_installation() {
    if uses_docker; then
        printf '%s\n' "$INSTALL_DIR"/{docker-compose.yml,traefik,install.sh,deploy}
    else
        printf '%s\n' "$BINARY" "$UNIT" "$INSTALL_DIR"/{install.sh,deploy}
    fi
}

keep_parts() {
    local previous="$INSTALL_DIR/.previous" part
    rm -rf "$previous"
    mkdir "$previous"
    if uses_docker; then tag_images local previous; fi
    while IFS= read -r part; do
        [[ ! -e "$part" ]] || cp -a "$part" "$previous"
    done < <(parts_of_installation)
}

bring_back_parts() {
    local part kept
    if uses_docker; then tag_images previous local; else stop || true; fi
    while IFS= read -r part; do
        kept=$INSTALL_DIR/.previous/${part##*/}
        if [[ -e "$kept" ]]; then
            rm -rf "$part"
            cp -a "$kept" "$part"
        fi
    done < <(parts_of_installation)
    if ! uses_docker; then systemctl daemon-reload; fi
}

do_update() {
    local marker="$INSTALL_DIR/.updating" status
    need_installed
    is_installed || die "the installation is not complete; run: install.sh install" "установка не завершена; запустите: install.sh install"
    choose_mode
    step "Backup, then update" "Резервная копия, затем обновление"
    need_saved_database
    check_build_tools
    make_parts
    if [[ -f "$marker" ]]; then
        # Some parts may be new already, so no other backup is made: only the previous program could read the database.
        BACKUP=$(cat "$marker")
        say "An update was interrupted and is continued" "Прерванное обновление продолжается"
    else
        make_backup
        keep_parts
        echo "$BACKUP" >"$marker.new"
        mv "$marker.new" "$marker"
    fi
    # A signal ends the step in the subshell, and this shell restores the previous version.
    trap : INT TERM
    trap 'exec >>"$INSTALL_DIR/update.log" 2>&1' HUP
    # Not as a condition, because bash would then ignore failures inside the subshell.
    set +e
    (
        trap - INT TERM HUP
        set -e
        write_files
        use_parts
        start
    )
    status=$?
    set -e
    ((status == 0)) || take_back
    trap - INT TERM HUP
    rm -f "$marker" "$INSTALL_DIR/.first-admin"
    say "Updated; backup: $BACKUP" "Обновлено; резервная копия: $BACKUP"
    # `close` was the default of older versions, and whether the operator has chosen it is not known.
    [[ "$(env_get OTHER_NAMES)" != close ]] ||
        say "Other names on the port are refused, which an ordinary site does not do; OTHER_NAMES=mask in .env passes them on" \
            "Другим именам на этом порту отказ, обычный сайт так не делает; OTHER_NAMES=mask в .env передаёт их сайту"
}

# Restores the previous version and ends the script. If this is killed, the next update continues with the marker.
take_back() {
    trap '' INT TERM HUP
    warn "the update failed; the previous version and data are restored" "обновление не удалось; возвращаются прежние версия и данные"
    bring_back_parts
    restore_from "$BACKUP"
    rm "$INSTALL_DIR/.updating"
    exit 1
}
