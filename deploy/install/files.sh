# shellcheck shell=bash disable=SC2034,SC2153 # names in capitals are shared by all parts
# What is written: the program, its files, and the first config.toml.

SERVICE_USER=mtpannel
UNIT=${UNIT:-/etc/systemd/system/mtpannel.service}
BINARY=${BINARY:-/usr/local/bin/mtpannel}

# Who owns data and configuration: the user in both images, or the service's.
owner() { if uses_docker; then echo 65532:65532; else echo "$SERVICE_USER:$SERVICE_USER"; fi; }

# The program is made as BINARY.new, beside the one that runs.
make_binary() {
    if [[ -n "${MTPANNEL_BIN:-}" ]]; then
        install -m 755 "$MTPANNEL_BIN" "$BINARY.new"
    else
        make -C "$SOURCE" web
        cargo build --release --locked --package mtpannel --manifest-path "$SOURCE/Cargo.toml"
        install -m 755 "$SOURCE/target/release/mtpannel" "$BINARY.new"
    fi
}

# Everything that takes long or may not be had is made first, and nothing that runs is touched.
make_parts() { if uses_docker; then make_images; else make_binary; fi; }

# Puts into place what was made.
use_parts() { if uses_docker; then use_images; else mv "$BINARY.new" "$BINARY"; fi; }

# How many descriptors a container may have: as many as a service of systemd, if the machine allows them.
descriptors() {
    local most
    most=$(ulimit -Hn)
    if [[ "$most" == unlimited ]] || ((most > 524288)); then echo 524288; else echo "$most"; fi
}

# memory_share PERCENT: so much of this machine's memory, for Compose.
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

# The folders that belong to the service's user. What is in them is not touched.
make_folders() {
    local folder
    mkdir -p "$INSTALL_DIR/backups"
    for folder in config data acme; do
        mkdir -p "$INSTALL_DIR/$folder"
        chown -h "$(owner)" "$INSTALL_DIR/$folder"
    done
    warn_of_other_owners
}

# A file that somebody has put there as root cannot be read or replaced by the service.
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

# The copy does everything but bring a new version, for which it remembers where the sources are.
copy_installer() {
    rm -rf "$INSTALL_DIR/deploy"
    install -D -m 600 -t "$INSTALL_DIR/deploy/install" "$SOURCE"/deploy/install/*.sh
    install -m 700 "$SOURCE/install.sh" "$INSTALL_DIR/install.sh"
    env_set SOURCE_DIR "$SOURCE"
}

# with_proxy_protocol ADDRESS: adds to the configuration on standard input that clients come through this router.
with_proxy_protocol() {
    awk -v address="$1" '
        { print }
        $0 == "[server]" {
            print "# Traefik tells who the client is, and nobody else is believed."
            print "proxy_protocol = true"
            print "proxy_protocol_trusted_cidrs = [\"" address "/32\"]"
        }'
}

# The first config.toml, because a proxy behind Traefik needs more than the panel's own template says. One that is there,
# of an installation before this one, follows the domain that was chosen now.
write_first_config() {
    local text
    if as_owner config test -f config.toml; then
        set_masking_domain "$(env_get TLS_DOMAIN)" "$(env_get MASK_SITE)" ||
            warn "set tls_domain in $INSTALL_DIR/config/config.toml" "задайте tls_domain в $INSTALL_DIR/config/config.toml"
        return
    fi
    # Without containers the panel writes it, unless something else has to stand there.
    uses_docker || [[ -n "$(env_get MASK_SITE)" ]] || return 0
    text=$(first_config)
    as_owner config bash -c '
        set -e
        umask 027
        rm -f config.toml.new
        cat >config.toml.new
        mv config.toml.new config.toml' <<<"$text"
}

first_config() {
    local address
    address=$(env_get TRAEFIK_ADDRESS)
    if has_panel; then
        panel_cli migrate >/dev/null
        panel_cli config render
    else
        plain_config
    fi | with_router "${address:-172.29.43.2}" | with_mask_site "$(env_get MASK_SITE)"
}

with_router() { if uses_docker; then with_proxy_protocol "$1"; else cat; fi; }

# The configuration of a proxy without the panel: one user, whom the panel takes over when it is added.
plain_config() {
    cat <<CONFIG
[general.modes]
classic = false
secure = false
tls = true

[general.links]
show = []
public_host = "$(env_get PROXY_HOST)"
public_port = $(env_get PROXY_PORT)

[server]
port = 1234
listen_addr_ipv4 = "0.0.0.0"
listen_addr_ipv6 = "::"
metrics_listen = "0.0.0.0:9090"
metrics_whitelist = ["127.0.0.0/8", "::1/128", "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7"]

[server.api]
enabled = true
listen = "127.0.0.1:9091"
whitelist = ["127.0.0.0/8"]
read_only = true

[censorship]
tls_domain = "$(env_get TLS_DOMAIN)"
mask = true
mask_port = 443
tls_emulation = true
tls_front_dir = "tlsfront"

[[upstreams]]
type = "direct"
weight = 1
enabled = true

[access.users]
first = "$(random_hex 16)"
CONFIG
}

# Changes tls_domain in [censorship], and where the site is reached, if `host` is given: `-` for the site itself.
# shellcheck disable=SC2016 # for awk
MASKING='
    function site() {
        if (host == "-") print "mask_port = 443"
        else if (host != "") print "mask_host = \"" host "\"\nmask_port = " port
    }
    /^[ \t]*\[/ { inside = ($0 ~ /^[ \t]*\[[ \t]*censorship[ \t]*\]/) }
    inside && host != "" && /^[ \t]*mask_(host|port)[ \t]*=/ { next }
    inside && /^[ \t]*tls_domain[ \t]*=/ {
        found = 1
        if (domain != "" && !index($0, "\"" domain "\"")) $0 = "tls_domain = \"" domain "\""
        print
        site()
        next
    }
    { print }
    END { exit !(found || domain == "") }'

# mask_variables SITE: host and port for MASKING, on one line each.
mask_variables() {
    local host=${1%:*}
    host=${host#[}
    printf 'host=%s\nport=%s\n' "${host%]}" "${1##*:}"
}

# with_mask_site SITE: adds to the configuration on standard input where the site of the masking domain is reached.
with_mask_site() {
    local variables
    mapfile -t variables < <(mask_variables "$1")
    awk -v "${variables[0]}" -v "${variables[1]}" "$MASKING"
}

# set_masking_domain DOMAIN [SITE]: changes censorship.tls_domain in config.toml, and with SITE where the site is reached, and
# keeps its mode; the file is never half written, and stays as it is where it says this already. Fails where there is no
# such line.
set_masking_domain() {
    local variables
    mapfile -t variables < <(mask_variables "${2:-}")
    # shellcheck disable=SC2016 # for the other shell
    as_owner config bash -c '
        set -e
        trap "rm -f config.toml.new" EXIT
        rm -f config.toml.new
        cp -p config.toml config.toml.new
        awk -v "domain=$1" -v "$2" -v "$3" "$4" config.toml >config.toml.new
        mv config.toml.new config.toml' bash "$1" "${variables[@]}" "$MASKING"
}
