#!/usr/bin/env bash
# Installs and runs mtpannel on a Debian or Ubuntu server. `install.sh help` tells the commands and the variables.
#
# Everything that is chosen lives in INSTALL_DIR/.env; every step looks at what is there already, so that the same
# command can be run again after an interruption, and a second run updates.
set -euo pipefail
umask 077

INSTALL_DIR=${INSTALL_DIR:-/opt/mtpannel}
TELEMT_IMAGE=${TELEMT_IMAGE:-ghcr.io/telemt/telemt:3.4.25}
# The user in both images.
IMAGE_USER=65532
SERVICE_USER=mtpannel
UNIT=/etc/systemd/system/mtpannel.service
BINARY=/usr/local/bin/mtpannel

# ---------------------------------------------------------------- talking

is_russian() { [[ "${LC_ALL:-${LC_MESSAGES:-${LANG:-}}}" == ru* ]]; }

# say ENGLISH RUSSIAN
say() { if is_russian; then printf '%s\n' "$2"; else printf '%s\n' "$1"; fi; }

step() { printf '==> %s\n' "$(say "$@")"; }
warn() { printf '!   %s\n' "$(say "$@")" >&2; }

die() {
    printf 'error: %s\n' "$(say "$@")" >&2
    exit 1
}

# Questions go to the terminal, because standard input is the script itself under `curl … | bash`.
has_terminal() { [[ -z "${MTPANNEL_YES:-}" ]] && { : </dev/tty; } 2>/dev/null; }

# ask VARIABLE DEFAULT ENGLISH RUSSIAN: what the environment says, or the answer, or the default without a terminal.
ask() {
    local answer=""
    [[ -n "${!1:-}" ]] && return
    if has_terminal; then
        printf '%s [%s]: ' "$(say "$3" "$4")" "$2" >/dev/tty
        read -r answer </dev/tty
    fi
    printf -v "$1" %s "${answer:-$2}"
}

# ask_password VARIABLE ENGLISH RUSSIAN: not shown while it is typed; empty means that one is made.
ask_password() {
    local answer=""
    [[ -n "${!1:-}" ]] && return
    if has_terminal; then
        printf '%s: ' "$(say "$2" "$3")" >/dev/tty
        read -rs answer </dev/tty
        echo >/dev/tty
    fi
    [[ -n "$answer" ]] || answer=$(random_hex 12)
    printf -v "$1" %s "$answer"
}

is_yes() { [[ "$1" =~ ^([yY]|[yY][eE][sS]|[дД]|[дД][аА])$ ]]; }

# ---------------------------------------------------------------- what is chosen

random_hex() { head -c "$1" /dev/urandom | od -An -tx1 | tr -d ' \n'; }

# env_get KEY: its value in .env, or nothing.
env_get() {
    [[ ! -f "$INSTALL_DIR/.env" ]] || sed -n "s/^$1=//p" "$INSTALL_DIR/.env" | tail -n 1
}

# env_set KEY VALUE: replaces or adds one line; the file is never half written.
env_set() {
    local file="$INSTALL_DIR/.env"
    {
        [[ ! -f "$file" ]] || grep -v "^$1=" "$file" || true
        printf '%s=%s\n' "$1" "$2"
    } >"$file.new"
    chmod 600 "$file.new"
    mv "$file.new" "$file"
}

# env_default KEY VALUE: keeps what is there.
env_default() { [[ -n "$(env_get "$1")" ]] || env_set "$1" "$2"; }

is_domain() { [[ "$1" =~ ^([A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?\.)+[A-Za-z][A-Za-z0-9-]*[A-Za-z0-9]$ ]]; }
is_address() { [[ "$1" =~ ^[0-9]{1,3}(\.[0-9]{1,3}){3}$ || "$1" =~ ^[0-9A-Fa-f:]*:[0-9A-Fa-f:]*$ ]]; }
is_port() { [[ "$1" =~ ^[0-9]{1,5}$ ]] && ((10#$1 >= 1 && 10#$1 <= 65535)); }
is_name() { [[ "$1" =~ ^[A-Za-z0-9_.-]{3,32}$ ]]; }

is_installed() { [[ -f "$INSTALL_DIR/.env" && -f "$INSTALL_DIR/.complete" ]]; }
uses_docker() { [[ "$(env_get MODE)" != systemd ]]; }
has_panel() { ! uses_docker || [[ "$(env_get COMPOSE_PROFILES)" == *,panel ]]; }

public_address() { hostname -I 2>/dev/null | tr ' ' '\n' | grep -m 1 . || echo 127.0.0.1; }

# Asks what is not known yet, and checks it before anything is written.
choose() {
    MODE=${MODE:-$(env_get MODE)}
    MODE=${MODE:-docker}
    [[ "$MODE" != systemd ]] || PANEL=y
    PROXY_PORT=${PROXY_PORT:-$(env_get PROXY_PORT)} TLS_DOMAIN=${TLS_DOMAIN:-$(env_get TLS_DOMAIN)}
    PROXY_HOST=${PROXY_HOST:-$(env_get PROXY_HOST)} PANEL_DOMAIN=${PANEL_DOMAIN:-$(env_get PANEL_DOMAIN)}
    OTHER_NAMES=${OTHER_NAMES:-$(env_get OTHER_NAMES)} IMAGES=${IMAGES:-$(env_get IMAGES)}
    ask PROXY_HOST "$(public_address)" "Name or address of this server in the links" "Имя или адрес сервера в ссылках"
    ask PROXY_PORT 443 "Port of the proxy" "Порт прокси"
    ask TLS_DOMAIN www.example.com "Masking domain (the site that the proxy pretends to be)" \
        "Домен маскировки (сайт, за который выдаёт себя прокси)"
    [[ "$MODE" == systemd ]] || choose_containers
    is_port "$PROXY_PORT" || die "the port must be 1 to 65535" "порт должен быть от 1 до 65535"
    is_domain "$TLS_DOMAIN" || die "not a domain: $TLS_DOMAIN" "это не домен: $TLS_DOMAIN"
    is_domain "$PROXY_HOST" || is_address "$PROXY_HOST" ||
        die "not a name or address: $PROXY_HOST" "это не имя и не адрес: $PROXY_HOST"
    is_yes "$PANEL" || return 0
    ask ADMIN_USER admin "First administrator" "Первый администратор"
    is_name "$ADMIN_USER" || die "a name has 3 to 32 of A-Z a-z 0-9 _ . -" "в имени от 3 до 32 знаков A-Z a-z 0-9 _ . -"
}

choose_containers() {
    local chosen without_answer=y
    chosen=$(env_get COMPOSE_PROFILES)
    if [[ -n "$chosen" ]]; then
        PROXY_KIND=${PROXY_KIND:-${chosen%,panel}}
        if has_panel; then PANEL=${PANEL:-y}; else PANEL=${PANEL:-n}; fi
    fi
    # Where nobody can be asked, the panel is what this script is run for.
    ! has_terminal || without_answer=n
    ask PANEL "$without_answer" "Install the control panel? (y/N)" "Установить панель управления? (y/N)"
    ask PROXY_KIND telemt "Proxy: telemt or builtin" "Прокси: telemt или builtin (встроенный)"
    ask OTHER_NAMES close "Other names on the port: close, or mask (pass on to the site)" \
        "Другие имена на этом порту: close (закрыть) или mask (передать сайту)"
    if is_yes "$PANEL"; then
        ask PANEL_DOMAIN none "Domain of the panel for HTTPS, or none" "Домен панели для HTTPS, или none"
    else
        PANEL_DOMAIN=none
    fi
    if is_yes "$PANEL" || [[ "$PROXY_KIND" == builtin ]]; then
        ask IMAGES build "Image of the panel: build, or the name of one to pull" "Образ панели: build (собрать) или имя для загрузки"
    fi
    [[ "$PANEL_DOMAIN" != none ]] || PANEL_DOMAIN=""
    [[ -z "$PANEL_DOMAIN" ]] || is_domain "$PANEL_DOMAIN" || die "not a domain: $PANEL_DOMAIN" "это не домен: $PANEL_DOMAIN"
    [[ "$PANEL_DOMAIN" != "$TLS_DOMAIN" || -z "$PANEL_DOMAIN" ]] ||
        die "panel and masking need two domains" "панели и маскировке нужны разные домены"
    [[ "$PROXY_KIND" =~ ^(telemt|builtin)$ ]] || die "the proxy is telemt or builtin" "прокси: telemt или builtin"
    [[ "$OTHER_NAMES" =~ ^(close|mask)$ ]] || die "other names: close or mask" "другие имена: close или mask"
}

# ---------------------------------------------------------------- checks before anything is touched

check_machine() {
    [[ "$(id -u)" == 0 ]] || die "run this as root (sudo)" "запустите от root (sudo)"
    case $(uname -m) in
        x86_64 | aarch64) ;;
        *) die "x86_64 or aarch64 is needed, this is $(uname -m)" "нужен x86_64 или aarch64, здесь $(uname -m)" ;;
    esac
}

# check_disk MEGABYTES
check_disk() {
    local free
    free=$(df -Pm "$(existing_parent "$INSTALL_DIR")" | awk 'NR == 2 { print $4 }')
    ((free >= $1)) || die "$1 MB of disk are needed, $free are free" "нужно $1 МБ на диске, свободно $free"
}

existing_parent() {
    local folder=$1
    until [[ -d "$folder" ]]; do folder=$(dirname "$folder"); done
    echo "$folder"
}

port_is_taken() { ss -Hltn "sport = :$1" 2>/dev/null | grep -q .; }

check_ports() {
    local port
    for port in "$PROXY_PORT" 8080; do
        ! port_is_taken "$port" || die "port $port is taken; see: ss -ltnp" "порт $port занят; смотрите: ss -ltnp"
    done
}

check_names() {
    local name
    for name in "$TLS_DOMAIN" "$PANEL_DOMAIN"; do
        [[ -z "$name" ]] || getent ahosts "$name" >/dev/null ||
            warn "$name cannot be resolved" "имя $name не находится в DNS"
    done
    [[ -z "$PANEL_DOMAIN" ]] || leads_here "$PANEL_DOMAIN" ||
        warn "$PANEL_DOMAIN does not lead to an address of this machine: no certificate without that" \
            "$PANEL_DOMAIN не ведёт на адрес этой машины: без этого не будет сертификата"
}

# leads_here NAME: whether one of its addresses is one of this machine's.
leads_here() {
    local mine
    mine=$(hostname -I 2>/dev/null | tr ' ' '\n' | grep .) || return 1
    getent ahosts "$1" | awk '{ print $1 }' | grep -qxF "$mine"
}

check_clock() {
    local date seconds
    date=$(curl -sI --max-time 5 "https://$TLS_DOMAIN/" | tr -d '\r' | sed -n 's/^[Dd]ate: //p') || true
    [[ -n "$date" ]] || return 0
    seconds=$(($(date +%s) - $(date -d "$date" +%s)))
    ((${seconds#-} <= 60)) || die "the clock is $seconds s off; clients would be refused" \
        "часы уходят на $seconds с; клиентам будет отказано"
}

# ---------------------------------------------------------------- the parts

# The folder of the sources: a checkout that holds this script, or one that is made from MTPANNEL_SOURCE.
find_source() {
    local here
    here=$(cd "$(dirname "${BASH_SOURCE[0]:-/nowhere/}")" 2>/dev/null && pwd) || here=""
    if [[ -f "$here/deploy/docker-compose.yml" ]]; then
        SOURCE=$here
    elif [[ -d "$INSTALL_DIR/source/.git" ]]; then
        SOURCE=$INSTALL_DIR/source
    else
        ask MTPANNEL_SOURCE "" "Address of mtpannel's Git repository" "Адрес репозитория mtpannel"
        [[ -n "${MTPANNEL_SOURCE:-}" ]] || die "set MTPANNEL_SOURCE to the repository's address" \
            "укажите адрес репозитория в MTPANNEL_SOURCE"
        rm -rf "$INSTALL_DIR/source"
        git clone --quiet --depth 1 "$MTPANNEL_SOURCE" "$INSTALL_DIR/source"
        SOURCE=$INSTALL_DIR/source
    fi
}

# Compose believes the environment before .env, which may hold what was meant for another run.
compose() (
    unset SECRET_KEY DATABASE_URL PROXY_HOST PROXY_PORT TLS_DOMAIN PANEL_DOMAIN OTHER_NAMES COMPOSE_PROFILES
    cd "$INSTALL_DIR"
    if docker compose version >/dev/null 2>&1; then docker compose "$@"; else docker-compose "$@"; fi
)

have_docker() {
    command -v docker >/dev/null && { docker compose version || docker-compose version; } >/dev/null 2>&1
}

os_release() { sed -n "s/^$1=//p" /etc/os-release | tr -d '"'; }

install_docker() {
    have_docker && return
    ask INSTALL_DOCKER y "Docker with Compose is missing. Install it from download.docker.com? (y/N)" \
        "Нет Docker с Compose. Установить с download.docker.com? (y/N)"
    is_yes "$INSTALL_DOCKER" || die "Docker with Compose is needed" "нужен Docker с Compose"
    local id codename
    id=$(os_release ID)
    codename=$(os_release VERSION_CODENAME)
    [[ "$id" =~ ^(debian|ubuntu)$ ]] || die "install Docker by hand on $id" "на $id установите Docker сами"
    install -d -m 755 /etc/apt/keyrings
    curl -fsSL "https://download.docker.com/linux/$id/gpg" -o /etc/apt/keyrings/docker.asc
    chmod 644 /etc/apt/keyrings/docker.asc
    echo "deb [signed-by=/etc/apt/keyrings/docker.asc] https://download.docker.com/linux/$id $codename stable" \
        >/etc/apt/sources.list.d/docker.list
    chmod 644 /etc/apt/sources.list.d/docker.list
    apt-get update -qq
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq docker-ce docker-ce-cli containerd.io docker-buildx-plugin docker-compose-plugin
}

has_image() { docker image inspect "$1" >/dev/null 2>&1; }

make_images() {
    local profiles
    profiles=$(env_get COMPOSE_PROFILES)
    [[ "$profiles" == telemt ]] || make_panel_image
    [[ "$profiles" != telemt* ]] || make_telemt_image
}

make_panel_image() {
    local image
    image=$(env_get IMAGES)
    if [[ "$image" == build ]]; then
        docker buildx version >/dev/null 2>&1 ||
            die "building needs Docker's buildx: install docker-buildx, or name a finished image in IMAGES" \
                "для сборки нужен buildx: установите docker-buildx или укажите готовый образ в IMAGES"
        DOCKER_BUILDKIT=1 docker build --file "$SOURCE/deploy/Dockerfile" --tag panel:local "$SOURCE"
    elif [[ "$image" != panel:local ]]; then
        docker pull --quiet "$image"
        docker tag "$image" panel:local
    fi
}

# An image that was brought here by hand stays; one that was pulled is replaced when this script names another.
make_telemt_image() {
    local pulled
    pulled=$(env_get TELEMT_IMAGE)
    if has_image telemt:local && [[ -z "$pulled" || "$pulled" == "$TELEMT_IMAGE" ]]; then return; fi
    docker pull --quiet "$TELEMT_IMAGE"
    docker tag "$TELEMT_IMAGE" telemt:local
    env_set TELEMT_IMAGE "$TELEMT_IMAGE"
}

make_binary() {
    if [[ -n "${MTPANNEL_BIN:-}" ]]; then
        install -m 755 "$MTPANNEL_BIN" "$BINARY.new"
    else
        make -C "$SOURCE" web
        cargo build --release --locked --package mtpannel --manifest-path "$SOURCE/Cargo.toml"
        install -m 755 "$SOURCE/target/release/mtpannel" "$BINARY.new"
    fi
    mv "$BINARY.new" "$BINARY"
}

make_parts() { if uses_docker; then make_images; else make_binary; fi; }

# Who owns data and configuration.
owner() { if uses_docker; then echo "$IMAGE_USER:$IMAGE_USER"; else echo "$SERVICE_USER:$SERVICE_USER"; fi; }

write_settings() {
    mkdir -p "$INSTALL_DIR"
    chmod 711 "$INSTALL_DIR"
    env_default SECRET_KEY "$(random_hex 32)"
    env_set MODE "$MODE"
    env_set PROXY_HOST "$PROXY_HOST"
    env_set PROXY_PORT "$PROXY_PORT"
    env_set TLS_DOMAIN "$TLS_DOMAIN"
    if [[ "$MODE" == systemd ]]; then
        env_set PROXY embedded
        env_default LISTEN 127.0.0.1:8080
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

write_files() {
    mkdir -p "$INSTALL_DIR"/{config,data,acme,traefik,backups}
    if uses_docker; then
        install -m 644 "$SOURCE/deploy/docker-compose.yml" "$INSTALL_DIR/docker-compose.yml"
        install -m 644 "$SOURCE"/deploy/traefik/*.yml "$INSTALL_DIR/traefik/"
        chmod 755 "$INSTALL_DIR/traefik"
    else
        id "$SERVICE_USER" >/dev/null 2>&1 ||
            useradd --system --no-create-home --home-dir "$INSTALL_DIR" --shell /usr/sbin/nologin "$SERVICE_USER"
        sed "s#/opt/mtpannel#$INSTALL_DIR#g" "$SOURCE/deploy/mtpannel.service" >"$UNIT"
        chmod 644 "$UNIT"
        systemctl daemon-reload
    fi
    chown -R "$(owner)" "$INSTALL_DIR"/{config,data,acme}
    [[ "$SOURCE/install.sh" -ef "$INSTALL_DIR/install.sh" ]] || install -m 700 "$SOURCE/install.sh" "$INSTALL_DIR/install.sh"
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

# The first config.toml, because a proxy behind Traefik needs more than the panel's own template says.
write_first_config() {
    local file="$INSTALL_DIR/config/config.toml" address
    if [[ -f "$file" ]] || ! uses_docker; then return; fi
    address=$(env_get TRAEFIK_ADDRESS)
    if has_panel; then
        panel_cli migrate >/dev/null
        panel_cli config render
    else
        plain_config
    fi | with_proxy_protocol "${address:-172.29.43.2}" >"$file.new"
    chmod 640 "$file.new"
    chown "$(owner)" "$file.new"
    mv "$file.new" "$file"
}

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
metrics_listen = "0.0.0.0:9090"
metrics_whitelist = ["127.0.0.0/8", "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16"]

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

# set_masking_domain FILE DOMAIN: changes censorship.tls_domain and keeps owner and mode; the file is never half written.
set_masking_domain() {
    cp -p "$1" "$1.new"
    awk -v domain="$2" '
        /^[ \t]*\[/ { inside = ($0 ~ /^[ \t]*\[censorship\]/) }
        inside && /^[ \t]*tls_domain[ \t]*=/ { print "tls_domain = \"" domain "\""; next }
        { print }' "$1" >"$1.new"
    mv "$1.new" "$1"
}

# panel_cli ARGUMENTS: the panel's command line, beside a running panel or without one.
panel_cli() {
    if uses_docker; then
        compose run --rm --no-deps -T panel "$@"
    else
        (
            local line
            while IFS= read -r line; do export "${line?}"; done < <(grep '^[A-Z]' "$INSTALL_DIR/.env")
            cd "$INSTALL_DIR/data"
            exec setpriv --reuid "$SERVICE_USER" --regid "$SERVICE_USER" --clear-groups "$BINARY" "$@"
        )
    fi
}

# What a killed run asked of the engine may still be under way there, and holds a container's name meanwhile.
start_containers() {
    local said status
    said=$(mktemp)
    for _ in {1..12}; do
        status=0
        compose up --detach --wait --wait-timeout "${START_TIMEOUT:-180}" --remove-orphans 2>&1 | tee "$said" || status=$?
        grep -q "is already in use by container" "$said" || break
        sleep 5
    done
    rm "$said"
    return "$status"
}

start() {
    if uses_docker; then
        start_containers
    else
        systemctl enable --quiet mtpannel
        systemctl restart mtpannel
        wait_for_panel
    fi
}

stop() { if uses_docker; then compose stop; else systemctl stop mtpannel; fi; }

wait_for_panel() {
    local seconds
    for ((seconds = 0; seconds < 60; seconds++)); do
        curl -sf --max-time 2 -o /dev/null http://127.0.0.1:8080/health/ready && return
        sleep 1
    done
    die "the panel does not answer; see: $0 logs" "панель не отвечает; смотрите: $0 logs"
}

# ---------------------------------------------------------------- first administrator and first link

# The password waits in a file until the installation is complete, so that an interrupted one can go on.
make_admin() {
    local file="$INSTALL_DIR/.first-admin"
    if [[ ! -f "$file" ]]; then
        ask_password ADMIN_PASS "Password (10 characters or more; empty: one is made)" "Пароль (от 10 знаков; пусто: создать)"
        printf '%s\n%s\n' "$ADMIN_USER" "$ADMIN_PASS" >"$file.new"
        mv "$file.new" "$file"
    fi
    ADMIN_USER=$(sed -n 1p "$file")
    ADMIN_PASS=$(sed -n 2p "$file")
    sed -n 2p "$file" | panel_cli admin create "$ADMIN_USER" --sudo --unless-any --password-stdin >/dev/null
}

json_string() { printf '"%s"' "$(printf %s "$1" | sed 's/\\/\\\\/g; s/"/\\"/g')"; }

# Passwords and tokens go through pipes: a command line can be read by everybody.
token() {
    printf '{"username":%s,"password":%s}' "$(json_string "$ADMIN_USER")" "$(json_string "$ADMIN_PASS")" |
        curl -sf -H 'Content-Type: application/json' --data-binary @- http://127.0.0.1:8080/api/admin/token |
        sed -n 's/.*"access_token":"\([^"]*\)".*/\1/p'
}

make_first_user() {
    local token
    panel_cli user list 2>/dev/null | grep -qw first && return
    token=$(token)
    [[ -n "$token" ]] || die "the administrator cannot log in" "администратор не может войти"
    printf 'header = "Authorization: Bearer %s"\n' "$token" |
        curl -sf -K - -H 'Content-Type: application/json' -d '{"username":"first"}' -o /dev/null http://127.0.0.1:8080/api/users
}

link_of_first() {
    if has_panel; then
        panel_cli user links first | grep -o 'tg://[^ "]*' | head -n 1
    else
        printf 'tg://proxy?server=%s&port=%s&secret=ee%s%s\n' "$(env_get PROXY_HOST)" "$(env_get PROXY_PORT)" \
            "$(sed -n 's/^first = "\([0-9a-f]*\)"$/\1/p' "$INSTALL_DIR/config/config.toml")" \
            "$(env_get TLS_DOMAIN | tr -d '\n' | od -An -tx1 | tr -d ' \n')"
    fi
}

show_link() {
    local link
    link=$(link_of_first) || return 0
    say "Link of the user first:" "Ссылка пользователя first:"
    echo "$link"
    command -v qrencode >/dev/null || DEBIAN_FRONTEND=noninteractive apt-get install -y -qq qrencode >/dev/null 2>&1 || true
    ! command -v qrencode >/dev/null || printf %s "$link" | qrencode -t ANSIUTF8
}

show_panel() {
    local address=http://127.0.0.1:8080/
    [[ -z "$(env_get PANEL_DOMAIN)" ]] || address=https://$(env_get PANEL_DOMAIN)/
    say "Panel: $address" "Панель: $address"
    if [[ -f "$INSTALL_DIR/.first-admin" ]]; then
        say "Administrator: $ADMIN_USER, password (shown once): $ADMIN_PASS" \
            "Администратор: $ADMIN_USER, пароль (показан один раз): $ADMIN_PASS"
    fi
}

# ---------------------------------------------------------------- commands

do_install() {
    if is_installed; then
        do_update
        return
    fi
    check_machine
    choose
    check_disk 3000
    [[ -f "$INSTALL_DIR/.env" ]] || check_ports
    check_names
    check_clock
    step "Settings and files" "Настройки и файлы"
    write_settings
    find_source
    ! uses_docker || install_docker
    write_files
    step "Program" "Программа"
    make_parts
    write_first_config
    step "Start" "Запуск"
    start
    if has_panel; then
        make_admin
        make_first_user
        show_panel
    fi
    show_link
    touch "$INSTALL_DIR/.complete"
    rm -f "$INSTALL_DIR/.first-admin"
}

# tag_images FROM TO: for each image that is here.
tag_images() {
    local name
    for name in panel telemt; do
        ! has_image "$name:$1" || docker tag "$name:$1" "$name:$2"
    done
}

# What an update replaces, kept for the case that it fails. Settings, configuration and data are in the backup.
keep_parts() {
    local previous="$INSTALL_DIR/.previous"
    rm -rf "$previous"
    mkdir "$previous"
    if uses_docker; then
        tag_images local previous
        cp -a "$INSTALL_DIR"/{docker-compose.yml,traefik} "$previous"
    else
        cp -a "$BINARY" "$UNIT" "$previous"
    fi
}

bring_back_parts() {
    local previous="$INSTALL_DIR/.previous"
    if uses_docker; then
        tag_images previous local
        cp -a "$previous"/{docker-compose.yml,traefik} "$INSTALL_DIR"
    else
        stop || true
        cp -a "$previous/${UNIT##*/}" "$UNIT"
        cp -a "$previous/${BINARY##*/}" "$BINARY"
        systemctl daemon-reload
    fi
}

do_update() {
    local copy
    need_installed
    step "Backup, then update" "Копия, затем обновление"
    copy=$(make_backup)
    keep_parts
    find_source
    [[ "$SOURCE" != "$INSTALL_DIR/source" ]] || git -C "$SOURCE" pull --quiet --ff-only
    write_files
    # Not as a condition: bash would go on after a failure inside.
    local status
    set +e
    (
        set -e
        make_parts
        start
    )
    status=$?
    set -e
    if ((status != 0)); then
        warn "the update failed; the former version and data come back" "обновление не удалось; возвращаются прежние версия и данные"
        bring_back_parts
        restore_from "$copy"
        exit 1
    fi
    say "Updated; backup: $copy" "Обновлено; копия: $copy"
}

need_installed() { [[ -f "$INSTALL_DIR/.env" ]] || die "nothing is installed in $INSTALL_DIR" "в $INSTALL_DIR ничего не установлено"; }

do_status() {
    need_installed
    if uses_docker; then compose ps; else systemctl --no-pager status mtpannel; fi
    curl -s --max-time 5 http://127.0.0.1:8080/health/ready
    echo
}

do_logs() {
    need_installed
    if uses_docker; then compose logs --tail 200 "$@"; else journalctl --no-pager -u mtpannel -n 200 "$@"; fi
}

# Panel and proxy stand still meanwhile. Every part is written whatever it says already, so that an interrupted
# change is completed by the same command.
do_change_domain() {
    local domain=${1:-}
    need_installed
    is_domain "$domain" || die "usage: change-domain DOMAIN" "использование: change-domain ДОМЕН"
    [[ "$domain" != "$(env_get PANEL_DOMAIN)" ]] || die "this is the panel's domain" "это домен панели"
    step "All links that were sent become invalid" "Все отправленные ссылки перестанут работать"
    stop
    env_set TLS_DOMAIN "$domain"
    set_masking_domain "$INSTALL_DIR/config/config.toml" "$domain"
    start
}

# The panel where there is none yet, and its domain where one is given.
do_add_panel() {
    PANEL_DOMAIN=${1:-none}
    need_installed
    uses_docker || die "see the guide: behind a reverse proxy" "смотрите руководство: за обратным прокси"
    [[ "$PANEL_DOMAIN" == none ]] || is_domain "$PANEL_DOMAIN" || die "not a domain: $PANEL_DOMAIN" "это не домен: $PANEL_DOMAIN"
    [[ "$PANEL_DOMAIN" != "$(env_get TLS_DOMAIN)" ]] || die "this is the masking domain" "это домен маскировки"
    if ! has_panel || ! is_installed; then
        PANEL=y
        rm -f "$INSTALL_DIR/.complete"
        do_install
    else
        [[ "$PANEL_DOMAIN" != none ]] || die "the panel is here; usage: add-panel DOMAIN" "панель уже есть; использование: add-panel ДОМЕН"
        env_set PANEL_DOMAIN "$PANEL_DOMAIN"
        start
    fi
}

do_reset_password() {
    need_installed
    has_panel || die "there is no panel; see add-panel" "панели нет; смотрите add-panel"
    ADMIN_USER=${1:-admin}
    local made=${ADMIN_PASS:-}
    ask_password ADMIN_PASS "New password (empty: one is made)" "Новый пароль (пусто: создать)"
    printf '%s\n' "$ADMIN_PASS" | panel_cli admin set-password "$ADMIN_USER" --password-stdin >/dev/null
    [[ -n "$made" ]] || say "Password of $ADMIN_USER: $ADMIN_PASS" "Пароль $ADMIN_USER: $ADMIN_PASS"
}

# The data folder as the panel sees it.
panel_data() { if uses_docker; then echo /app/data; else echo "$INSTALL_DIR/data"; fi; }

# Prints the archive's path.
make_backup() {
    local name archive parts=(.env config acme)
    name=mtpannel-$(date -u +%Y%m%dT%H%M%SZ)-$(random_hex 2)
    archive=$INSTALL_DIR/backups/$name.tar.gz
    mkdir -p "$INSTALL_DIR/backups"
    if has_panel; then
        panel_cli backup "$(panel_data)/$name.db" >&2
        mv "$INSTALL_DIR/data/$name.db" "$INSTALL_DIR/backups/panel.db"
        parts+=(-C backups panel.db)
    fi
    tar -C "$INSTALL_DIR" -czf "$archive.new" "${parts[@]}"
    rm -f "$INSTALL_DIR/backups/panel.db"
    mv "$archive.new" "$archive"
    echo "$archive"
}

do_backup() {
    need_installed
    make_backup
}

# restore_from ARCHIVE: settings, configuration and database as they were; the program stays.
restore_from() {
    stop || true
    mkdir -p "$INSTALL_DIR/data"
    tar -C "$INSTALL_DIR" -xzf "$1" --exclude panel.db
    if has_panel; then
        tar -C "$INSTALL_DIR/data" -xzf "$1" panel.db --transform 's/panel.db/restored.db/'
        chown -R "$(owner)" "$INSTALL_DIR/data"
        panel_cli restore "$(panel_data)/restored.db"
        rm "$INSTALL_DIR/data/restored.db"
    fi
    chown -R "$(owner)" "$INSTALL_DIR"/{config,acme}
    start
}

# Works on an empty machine, too.
do_restore() {
    local archive=${1:-}
    [[ -f "$archive" ]] || die "usage: restore FILE" "использование: restore ФАЙЛ"
    archive=$(realpath "$archive")
    check_machine
    mkdir -p "$INSTALL_DIR"
    chmod 711 "$INSTALL_DIR"
    tar -C "$INSTALL_DIR" -xzf "$archive" .env
    find_source
    ! uses_docker || install_docker
    write_files
    make_parts
    restore_from "$archive"
    touch "$INSTALL_DIR/.complete"
}

# Without --data the database, settings and backups stay.
do_uninstall() {
    local data=${1:-}
    need_installed
    ask CONFIRM n "Stop and remove mtpannel? (y/N)" "Остановить и удалить mtpannel? (y/N)"
    is_yes "$CONFIRM" || die "nothing was removed" "ничего не удалено"
    stop || true
    if uses_docker; then
        compose down
        docker image rm {panel,telemt}:{local,previous} >/dev/null 2>&1 || true
    else
        systemctl disable --quiet mtpannel || true
        rm -f "$UNIT" "$BINARY"
        systemctl daemon-reload
    fi
    rm -f "$INSTALL_DIR/.complete"
    if [[ "$data" == --data ]]; then
        rm -rf "$INSTALL_DIR"
    else
        say "Data and backups stay in $INSTALL_DIR" "Данные и копии остались в $INSTALL_DIR"
    fi
}

usage() {
    cat <<'HELP'
install.sh [--systemd] [COMMAND]

  install              ask, check, install; on an installed machine: update (the default)
  update               backup, new version, and back if it does not start
  status, logs         how it is; what it says
  change-domain NAME   another masking domain: configuration, Traefik and links together
  add-panel [NAME]     the panel where there is none yet; over HTTPS under this name
  reset-password NAME  a new password for an administrator
  backup               an archive with database, settings and configuration; its path is printed
  restore FILE         everything back from an archive, also on an empty machine
  uninstall [--data]   stop and remove; --data removes database, settings and backups, too

--systemd              without Docker: the program with the built-in proxy as a service
--yes                  ask nothing; everything from the environment or defaults

Environment: INSTALL_DIR, PROXY_HOST, PROXY_PORT, TLS_DOMAIN, PANEL (y, n), PANEL_DOMAIN (none), PROXY_KIND (telemt,
builtin), OTHER_NAMES (close, mask), IMAGES (build, or an image), TRAEFIK_IMAGE, TELEMT_IMAGE, ADMIN_USER, ADMIN_PASS, INSTALL_DOCKER (y),
MTPANNEL_SOURCE (repository), MTPANNEL_BIN (a built program for --systemd), CONFIRM (y, for uninstall)
HELP
}

main() {
    local arguments=()
    for argument in "$@"; do
        case $argument in
            --systemd) MODE=systemd ;;
            --yes) MTPANNEL_YES=1 ;;
            *) arguments+=("$argument") ;;
        esac
    done
    set -- ${arguments[@]+"${arguments[@]}"}
    local command=${1:-install}
    [[ $# == 0 ]] || shift
    case $command in
        install | update | status | logs | backup | restore | uninstall) "do_$command" "$@" ;;
        change-domain) do_change_domain "$@" ;;
        add-panel) do_add_panel "$@" ;;
        reset-password) do_reset_password "$@" ;;
        help | --help | -h) usage ;;
        *)
            usage >&2
            exit 2
            ;;
    esac
}

# Sourced by tests, the functions alone; under `curl … | bash` there is no file.
if [[ "${BASH_SOURCE[0]:-$0}" == "$0" ]]; then
    main "$@"
fi
