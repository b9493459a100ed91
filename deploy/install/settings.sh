# shellcheck shell=bash disable=SC2034,SC2153 # names in capitals are shared by all parts
# The choices of the operator, and .env, in which they are kept.

random_hex() { head -c "$1" /dev/urandom | od -An -tx1 | tr -d ' \n'; }

# env_set KEY VALUE: replaces or adds the line of this key. The file is never half written.
env_set() {
    local file="$INSTALL_DIR/.env"
    {
        without_setting "$1"
        printf '%s=%s\n' "$1" "$2"
    } >"$file.new"
    chmod 600 "$file.new"
    mv "$file.new" "$file"
}

# env_unset KEY: removes the line of this key.
env_unset() {
    local file="$INSTALL_DIR/.env"
    without_setting "$1" >"$file.new"
    chmod 600 "$file.new"
    mv "$file.new" "$file"
}

# without_setting KEY: prints all other lines of .env.
without_setting() { [[ ! -f "$INSTALL_DIR/.env" ]] || grep -vE "$(setting_line "$1")" "$INSTALL_DIR/.env" || true; }

# Prints the key of each line of .env; a key that is set twice is printed twice.
setting_names() { sed -nE "s/$(setting_line '[A-Za-z_][A-Za-z0-9_]*').*/\\3/p" "$INSTALL_DIR/.env"; }

# Warns of lines in .env that have another effect than they seem to have.
warn_of_settings() {
    local name value
    [[ -f "$INSTALL_DIR/.env" ]] || return 0
    for name in $(setting_names | sort | uniq -d); do
        warn "$name is set more than once in $INSTALL_DIR/.env; the last line counts" \
            "$name записана в $INSTALL_DIR/.env несколько раз; действует последняя строка"
    done
    for name in $(setting_names | sort -u); do
        value=$(grep -E "$(setting_line "$name")" "$INSTALL_DIR/.env" | tail -n 1)
        if uses_docker && [[ "${value#*=}" == *'$'* && ! "${value#*=}" =~ ^[[:blank:]]*\' ]]; then
            warn "Compose replaces what follows \$ in $name; write its value in single quotes" \
                "Compose подставляет значение вместо \$… в $name; возьмите значение в одинарные кавычки"
        elif ! uses_docker && [[ "$value" =~ ^[[:blank:]]*export[[:blank:]] ]]; then
            warn "systemd does not read $name, because the line begins with export" \
                "systemd не читает $name: строка начинается с export"
        fi
    done
}

# env_default KEY VALUE: sets it unless it is set already.
env_default() { [[ -n "$(env_get "$1")" ]] || env_set "$1" "$2"; }

is_domain() { [[ "$1" =~ ^([A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?\.)+[A-Za-z][A-Za-z0-9-]*[A-Za-z0-9]$ ]]; }
is_address() { [[ "$1" =~ ^[0-9]{1,3}(\.[0-9]{1,3}){3}$ || "$1" =~ ^[0-9A-Fa-f:]*:[0-9A-Fa-f:]*$ ]]; }
# HOST:PORT, with an IPv6 address in brackets.
is_site() { [[ "$1" =~ ^(\[[0-9A-Fa-f:]+\]|[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?):[0-9]+$ ]] && is_port "${1##*:}"; }
is_port() { [[ "$1" =~ ^[0-9]{1,5}$ ]] && ((10#$1 >= 1 && 10#$1 <= 65535)); }
is_name() { [[ "$1" =~ ^[A-Za-z0-9_.-]{3,32}$ ]]; }
is_password() { [[ "$1" =~ ^[^[:cntrl:]]{10,128}$ ]]; }
# An address that cannot be reached from the internet.
is_private() { [[ "$1" =~ ^(10|127|169\.254|192\.168|172\.(1[6-9]|2[0-9]|3[01])|100\.(6[4-9]|[7-9][0-9]|1[01][0-9]|12[0-7]))\. || "${1,,}" =~ ^(f[cd]|fe80:|::1$) ]]; }

need_domain() { is_domain "$1" || die "not a domain: $1" "это не домен: $1"; }

need_site() { is_site "$1" || die "not HOST:PORT: $1" "это не ИМЯ:ПОРТ: $1"; }

need_installed() { [[ -f "$INSTALL_DIR/.env" ]] || die "nothing is installed in $INSTALL_DIR" "в $INSTALL_DIR ничего не установлено"; }
is_installed() { [[ -f "$INSTALL_DIR/.env" && -f "$INSTALL_DIR/.complete" ]]; }
uses_docker() { [[ "$(env_get MODE)" != systemd ]]; }
has_panel() { ! uses_docker || [[ "$(env_get COMPOSE_PROFILES)" == *,panel ]]; }
uses_postgres() { [[ "$(secret_get DATABASE_URL)" == postgres* ]]; }

public_address() { hostname -I 2>/dev/null | tr ' ' '\n' | grep -m 1 . || echo 127.0.0.1; }

# Asks for everything that is not known yet, and checks it before anything is written.
choose() {
    choose_mode
    local name
    for name in PROXY_PORT TLS_DOMAIN PROXY_HOST PANEL_DOMAIN OTHER_NAMES MASK_SITE IMAGES LISTEN; do
        [[ -n "${!name:-}" ]] || printf -v "$name" %s "$(env_get "$name")"
    done
    DATABASE_URL=${DATABASE_URL:-$(secret_get DATABASE_URL)}
    ask PROXY_HOST "$(public_address)" "Name or address of this server in the links" "Имя или адрес сервера в ссылках"
    ask PROXY_PORT 443 "Port of the proxy" "Порт прокси"
    ask TLS_DOMAIN "" "Masking domain (the site that the proxy pretends to be)" \
        "Домен маскировки (сайт, за который выдаёт себя прокси)"
    [[ -n "$TLS_DOMAIN" ]] || die "TLS_DOMAIN is needed: the site that the proxy pretends to be" \
        "нужен TLS_DOMAIN: сайт, за который выдаёт себя прокси"
    PROXY_HOST=${PROXY_HOST,,} TLS_DOMAIN=${TLS_DOMAIN,,}
    is_port "$PROXY_PORT" || die "the port must be 1 to 65535" "порт должен быть от 1 до 65535"
    need_domain "$TLS_DOMAIN"
    is_domain "$PROXY_HOST" || is_address "$PROXY_HOST" ||
        die "not a name or address: $PROXY_HOST" "это не имя и не адрес: $PROXY_HOST"
    [[ "$MASK_SITE" != none ]] || MASK_SITE=""
    [[ -z "$MASK_SITE" ]] || need_site "$MASK_SITE"
    if [[ "$MODE" == systemd ]]; then choose_service; else choose_containers; fi
    if is_yes "$PANEL" && is_fresh; then choose_admin; fi
}

# The files of one kind of installation do not fit the other kind.
choose_mode() {
    local before
    before=$(env_get MODE)
    MODE=${MODE:-${before:-docker}}
    [[ -z "$before" || "$MODE" == "$before" ]] ||
        die "$INSTALL_DIR holds an installation of the kind '$before': choose another INSTALL_DIR, or uninstall --data" \
            "в $INSTALL_DIR установка вида «$before»: выберите другой INSTALL_DIR или uninstall --data"
}

choose_service() {
    PANEL=y PANEL_DOMAIN="" LISTEN=${LISTEN:-127.0.0.1:8080}
    [[ ! "$INSTALL_DIR" =~ ^/(home|root|tmp|var/tmp)/ ]] ||
        die "the service cannot see $INSTALL_DIR: choose a folder such as /opt/mtpannel" \
            "служба не видит $INSTALL_DIR: выберите каталог вроде /opt/mtpannel"
    is_port "${LISTEN##*:}" || die "LISTEN is ADDRESS:PORT" "LISTEN — это АДРЕС:ПОРТ"
}

choose_containers() {
    local chosen without_answer=y
    chosen=$(env_get COMPOSE_PROFILES)
    if [[ -n "$chosen" ]]; then
        PROXY_KIND=${PROXY_KIND:-${chosen%,panel}}
        if has_panel; then PANEL=${PANEL:-y}; else PANEL=${PANEL:-n}; fi
    fi
    # Without a terminal the panel is installed by default.
    ! has_terminal || without_answer=n
    ask PANEL "$without_answer" "Install the control panel? (y/N)" "Установить панель управления? (y/N)"
    ask PROXY_KIND telemt "Proxy: telemt or builtin" "Прокси: telemt или builtin (встроенный)"
    ask OTHER_NAMES mask "Other names on the port: mask (pass on to the site), or close" \
        "Другие имена на этом порту: mask (передать сайту) или close (закрыть)"
    is_yes "$PANEL" || PANEL_DOMAIN=none
    # A certificate can be obtained over port 443 only.
    if [[ "$PROXY_PORT" == 443 ]]; then
        ask PANEL_DOMAIN none "Domain of the panel for HTTPS, or none" "Домен панели для HTTPS или none (нет)"
    fi
    if is_yes "$PANEL" || [[ "$PROXY_KIND" == builtin ]]; then
        ask IMAGES build "Image of the panel: build, or the name of one to pull" "Образ панели: build (собрать) или имя для загрузки"
    fi
    PANEL_DOMAIN=${PANEL_DOMAIN:-none}
    PANEL_DOMAIN=${PANEL_DOMAIN,,}
    [[ "$PANEL_DOMAIN" != none ]] || PANEL_DOMAIN=""
    [[ -z "$PANEL_DOMAIN" ]] || need_panel_domain "$PANEL_DOMAIN" "$TLS_DOMAIN" "$PROXY_PORT"
    [[ "$PROXY_KIND" =~ ^(telemt|builtin)$ ]] || die "the proxy is telemt or builtin" "прокси: telemt или builtin"
    [[ "$OTHER_NAMES" =~ ^(close|mask)$ ]] || die "other names: close or mask" "другие имена: close или mask"
}

# need_panel_domain NAME MASKING-DOMAIN PORT: ends the script unless the panel can be reached at NAME.
need_panel_domain() {
    need_domain "$1"
    [[ "$1" != "$2" ]] || die "panel and masking need two domains" "панели и маскировке нужны разные домены"
    [[ "$3" == 443 ]] || die "a certificate for $1 can be obtained over port 443 only; the port is $3" \
        "сертификат для $1 выдаётся только через порт 443, а порт — $3"
}

write_settings() {
    mkdir -p "$INSTALL_DIR"
    chmod 711 "$INSTALL_DIR"
    # Fixed for new installations only: in an older one, a database may be reached at the address that the engine chose.
    [[ "$MODE" == systemd || -f "$INSTALL_DIR/.env" ]] || env_set FRONT_GATEWAY "$(gateway)"
    [[ -n "$(secret_get SECRET_KEY)" ]] || env_set SECRET_KEY "$(random_hex 32)"
    env_set MODE "$MODE"
    env_set PROXY_HOST "$PROXY_HOST"
    env_set PROXY_PORT "$PROXY_PORT"
    env_set TLS_DOMAIN "$TLS_DOMAIN"
    # In single quotes, because Compose expands variables in other values.
    [[ "$DATABASE_URL" == "$(secret_get DATABASE_URL)" ]] || env_set DATABASE_URL "'$DATABASE_URL'"
    env_set MASK_SITE "${MASK_SITE:-}"
    if [[ "$MODE" == systemd ]]; then
        env_set PROXY embedded
        env_set LISTEN "$LISTEN"
        env_default DATABASE_URL "sqlite:///$INSTALL_DIR/data/panel.db"
        env_default TELEMT_CONFIG_PATH "$INSTALL_DIR/config/config.toml"
    else
        env_set PANEL_DOMAIN "$PANEL_DOMAIN"
        env_set OTHER_NAMES "$OTHER_NAMES"
        if is_yes "$PANEL"; then env_set COMPOSE_PROFILES "$PROXY_KIND,panel"; else env_set COMPOSE_PROFILES "$PROXY_KIND"; fi
        [[ -z "${IMAGES:-}" ]] || env_set IMAGES "$IMAGES"
        [[ -z "${TRAEFIK_IMAGE:-}" ]] || env_set TRAEFIK_IMAGE "$TRAEFIK_IMAGE"
    fi
}
