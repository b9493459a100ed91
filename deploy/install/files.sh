# shellcheck shell=bash disable=SC2034,SC2153 # names in capitals are shared by all parts
# The program and its files.

SERVICE_USER=mtpannel
UNIT=${UNIT:-/etc/systemd/system/mtpannel.service}
BINARY=${BINARY:-/usr/local/bin/mtpannel}

# Prints USER:GROUP that own data and configuration: the user of both images, or that of the service.
owner() { if uses_docker; then echo 65532:65532; else echo "$SERVICE_USER:$SERVICE_USER"; fi; }

# The program is written as BINARY.new, beside the one that runs.
make_binary() {
    if [[ -n "${MTPANNEL_BIN:-}" ]]; then
        install -m 755 "$MTPANNEL_BIN" "$BINARY.new"
    else
        make -C "$SOURCE" web
        cargo build --release --locked --package mtpannel --manifest-path "$SOURCE/Cargo.toml"
        install -m 755 "$SOURCE/target/release/mtpannel" "$BINARY.new"
    fi
}

# Builds or downloads images or program. This may take long or fail, so it is done before anything that runs is changed.
make_parts() { if uses_docker; then make_images; else make_binary; fi; }

# Replaces images or program by the new ones.
use_parts() { if uses_docker; then use_images; else mv "$BINARY.new" "$BINARY"; fi; }

# Prints how many file descriptors a container may have: as many as a service of systemd, if the machine allows so many.
descriptors() {
    local most
    most=$(ulimit -Hn)
    if [[ "$most" == unlimited ]] || ((most > 524288)); then echo 524288; else echo "$most"; fi
}

# memory_share PERCENT: prints this share of the machine's memory in the form of Compose.
memory_share() { awk -v percent="$1" '/^MemTotal:/ { print int($2 / 1024 * percent / 100) "m" }' /proc/meminfo; }

# as_owner FOLDER COMMAND...: runs COMMAND in this folder of the installation as the user that owns the folder. What is in
# there may be a link that leads anywhere, so root never writes below it. The folder is entered by root, because its parents
# may be closed to that user. A session of its own keeps whoever has that user's rights away from root's terminal.
as_owner() (
    local owner
    owner=$(owner)
    cd "$INSTALL_DIR/$1" || exit
    exec setsid --wait setpriv --reuid "${owner%:*}" --regid "${owner#*:}" --clear-groups --no-new-privs "${@:2}"
)

# Creates the folders that belong to the service's user. Their contents are not touched.
make_folders() {
    local folder
    mkdir -p "$INSTALL_DIR/backups"
    for folder in config data acme; do
        mkdir -p "$INSTALL_DIR/$folder"
        chown -h "$(owner)" "$INSTALL_DIR/$folder"
    done
    warn_of_other_owners
}

# A file that root has put there cannot be read or replaced by the service.
warn_of_other_owners() {
    local owner others
    owner=$(owner)
    others=$(find "$INSTALL_DIR"/{config,data,acme} ! -user "${owner%:*}" -print 2>/dev/null | head -n 3) || true
    [[ -z "$others" ]] || warn "these do not belong to the service's user; look at them, then: chown -h $owner FILE
$others" "это не принадлежит пользователю службы; проверьте и выполните: chown -h $owner ФАЙЛ
$others"
}

write_files() {
    if uses_docker; then
        install -m 644 "$SOURCE/deploy/docker-compose.yml" "$INSTALL_DIR/docker-compose.yml"
        install -d -m 755 "$INSTALL_DIR/traefik"
        install -m 644 "$SOURCE"/deploy/traefik/*.yml "$INSTALL_DIR/traefik/"
        env_default NOFILE "$(descriptors)"
        env_default MEMORY_PROXY "$(memory_share 75)"
        env_default MEMORY_TRAEFIK "$(memory_share 50)"
        env_default MEMORY_PANEL "$(memory_share 50)"
        move_secrets
    else
        id "$SERVICE_USER" >/dev/null 2>&1 ||
            useradd --system --no-create-home --home-dir "$INSTALL_DIR" --shell /usr/sbin/nologin "$SERVICE_USER"
        sed "s#/opt/mtpannel#$INSTALL_DIR#g" "$SOURCE/deploy/mtpannel.service" >"$UNIT"
        chmod 644 "$UNIT"
        systemctl daemon-reload
    fi
    make_folders
    copy_installer
}

# The copy in INSTALL_DIR can run every command. For those that need the sources it remembers where they are.
copy_installer() {
    rm -rf "$INSTALL_DIR/deploy"
    install -D -m 600 -t "$INSTALL_DIR/deploy/install" "$SOURCE"/deploy/install/*.sh
    install -m 700 "$SOURCE/install.sh" "$INSTALL_DIR/install.sh"
    env_set SOURCE_DIR "$SOURCE"
}
