# shellcheck shell=bash disable=SC2034,SC2153 # names in capitals are shared by all parts
# The proxy's config.toml: the first one, and another masking domain. The program knows the file. Where only telemt is
# installed there is no program, so the last functions here do the same for the file that they have written.

# Whether the program is installed: as panel, as proxy, or as both.
has_program() { ! uses_docker || [[ "$(env_get COMPOSE_PROFILES)" != telemt ]]; }

# The proxy needs a first config.toml that says more than the one that the panel would write. A file that is there, of an
# installation before this one, gets the domain that was chosen now.
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

# The panel adds its users before the proxy starts. Without a panel there is one user, whom the panel takes over when it is
# added.
first_config() {
    if has_program; then program_template; else filled_template; fi
    has_panel || printf '\n[access.users]\nfirst = "%s"\n' "$(random_hex 16)"
}

program_template() {
    local options=() site
    ! uses_docker || options+=(--router "$(router_address)")
    site=$(env_get MASK_SITE)
    [[ -z "$site" ]] || options+=(--mask-site "$site")
    panel_cli config template ${options[@]+"${options[@]}"}
}

# Where Traefik reaches the proxy from.
router_address() {
    local address
    address=$(env_get TRAEFIK_ADDRESS)
    echo "${address:-172.29.43.2}"
}

# set_masking_domain DOMAIN [SITE]: changes censorship.tls_domain in config.toml, and with SITE where the proxy reaches the
# site: HOST:PORT, or `none` for the site itself. Says why it fails, and leaves the file as it is then.
set_masking_domain() {
    local options=()
    if has_program; then
        [[ -z "${2:-}" ]] || options=(--mask-site "$2")
        panel_cli config set-domain "$1" ${options[@]+"${options[@]}"} >/dev/null
    else
        edit_masking_domain "$1" "${2:-}"
    fi
}

# ---------------------------------------------------------------- telemt alone

# The program's template with the values of this installation.
filled_template() {
    sed -e "s/\"proxy\.example\"/\"$(env_get PROXY_HOST)\"/" -e "s/\"mask\.example\"/\"$(env_get TLS_DOMAIN)\"/" \
        -e "s/^public_port = .*/public_port = $(env_get PROXY_PORT)/" \
        -e "s|^metrics_whitelist = .*|&\n# The router names the client; nobody else is believed.\nproxy_protocol = true\nproxy_protocol_trusted_cidrs = [\"$(router_address)/32\"]|" \
        "$SOURCE/crates/core/src/template.toml" | with_masking_domain "" "$(env_get MASK_SITE)"
}

# with_masking_domain DOMAIN SITE: the file on standard input with this domain and site, of which either may be empty. Fails
# where a domain cannot be set, because [censorship] has no line for it.
with_masking_domain() {
    local host=${2%:*}
    host=${host#[}
    awk -v domain="$1" -v host="${host%]}" -v port="${2##*:}" '
        function site() {
            if (host == "none") print "mask_port = 443"
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
}

# edit_masking_domain DOMAIN SITE: the file keeps its mode and is never half written.
edit_masking_domain() {
    # shellcheck disable=SC2016 # for the other shell
    as_owner config bash -c '
        set -e
        eval "$3"
        trap "rm -f config.toml.new" EXIT
        rm -f config.toml.new
        cp -p config.toml config.toml.new
        with_masking_domain "$1" "$2" <config.toml >config.toml.new || {
            echo "config.toml has no line for tls_domain under [censorship]" >&2
            exit 1
        }
        mv config.toml.new config.toml' bash "$1" "$2" "$(declare -f with_masking_domain)"
}
