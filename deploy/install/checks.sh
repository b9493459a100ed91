# shellcheck shell=bash disable=SC2034,SC2153 # names in capitals are shared by all parts
# Checks before anything is changed.

# check_disk FOLDER MEGABYTES: ends the script if less is free there.
check_disk() {
    local free
    free=$(df -Pm "$(existing_parent "$1")" | awk 'NR == 2 { print $4 }')
    ((free >= $2)) || die "$2 MB of disk are needed at $1, $free are free" "на диске с $1 нужно $2 МБ, свободно $free"
}

existing_parent() {
    local folder=$1
    until [[ -d "$folder" ]]; do folder=$(dirname "$folder"); done
    echo "$folder"
}

# check_space IMAGES: checks the disk of the data, and that of the images.
check_space() {
    check_disk "$INSTALL_DIR" 500
    if [[ "$MODE" == systemd ]]; then return; fi
    local images
    images=$(docker info --format '{{.DockerRootDir}}' 2>/dev/null) || images=/var/lib/docker
    if [[ "$1" == build ]]; then check_disk "$images" 6000; else check_disk "$images" 1500; fi
}

port_is_taken() { [[ -n "$(ss -Hltn "sport = :$1")" ]]; }

# check_ports PORT...: ends the script if one is in use, or is given twice.
check_ports() {
    local port seen=" "
    for port in "$@"; do
        [[ "$seen" != *" $port "* ]] || die "port $port is needed twice; choose another one" "порт $port нужен дважды; выберите другой"
        ! port_is_taken "$port" || die "port $port is in use; see: ss -ltnp" "порт $port занят; смотрите: ss -ltnp"
        seen+="$port "
    done
}

# Prints the ports that an installation with these choices needs.
wanted_ports() {
    echo "$PROXY_PORT"
    if [[ "$MODE" == systemd ]]; then
        printf '%s\n' "${LISTEN##*:}" 9090 9100
    elif is_yes "$PANEL"; then
        echo 8080
    fi
}

# Checks the masking domain, the panel's domain, and the server's name in the links.
check_names() {
    check_masking_domain "$TLS_DOMAIN" "$PROXY_PORT"
    [[ -z "${PANEL_DOMAIN:-}" ]] || check_panel_domain "$PANEL_DOMAIN"
    ! is_private "$PROXY_HOST" ||
        warn "$PROXY_HOST is a private address, which clients cannot reach from the internet: set PROXY_HOST to the public one" \
            "$PROXY_HOST — внутренний адрес, из интернета клиенты на него не попадут: укажите в PROXY_HOST внешний"
}

# addresses NAME: prints its addresses in DNS.
addresses() { getent ahosts "$1" | awk '{ print $1 }' | sort -u; }

# leads_here NAME: whether one of its addresses is that of this machine or, behind NAT, the one in the links.
leads_here() {
    local mine
    mine=$({
        hostname -I 2>/dev/null | tr ' ' '\n'
        addresses "$PROXY_HOST"
    } | grep .) || true
    grep -qE '^(127\.|::1$)' <<<"$(addresses "$1")" || grep -qxF "${mine:-none}" <<<"$(addresses "$1")"
}

# check_masking_domain NAME PORT: ends the script if the site of this domain would be the proxy itself.
check_masking_domain() {
    if [[ -z "$(addresses "$1")" ]]; then
        warn "$1 is not found in DNS" "имя $1 не найдено в DNS"
    elif [[ "$2" == 443 && -z "${MASK_SITE:-}" ]] && leads_here "$1"; then
        die "$1 leads to this machine: the proxy would ask itself for the site. Choose a site elsewhere, or let the site listen on another port or address, and name that in MASK_SITE=HOST:PORT" \
            "$1 ведёт на эту машину: прокси стал бы спрашивать сайт у самого себя. Выберите чужой сайт или откройте этот на другом порту или адресе и укажите его в MASK_SITE=ИМЯ:ПОРТ"
    fi
    [[ -z "${MASK_SITE:-}" ]] || check_mask_site "$MASK_SITE" "$2"
}

# check_mask_site SITE PORT: ends the script if SITE is the proxy itself.
check_mask_site() {
    local host=${1%:*} router
    host=${host#[}
    host=${host%]}
    router=$(env_get TRAEFIK_ADDRESS)
    if [[ "${1##*:}" == "$2" ]] && { leads_here "$host" || [[ "$host" == "$(gateway)" ]]; }; then
        die "MASK_SITE=$1 is the proxy itself: the site has to listen on another port or address" \
            "MASK_SITE=$1 — это сам прокси: сайт должен слушать другой порт или адрес"
    elif [[ "$MODE" == systemd ]]; then
        return
    elif [[ "$host" =~ ^mtpannel- || "$host" == "${router:-172.29.43.2}" ]]; then
        die "MASK_SITE=$1 is the proxy itself: the site has to listen on another port or address" \
            "MASK_SITE=$1 — это сам прокси: сайт должен слушать другой порт или адрес"
    elif grep -qE '^(127\.|::1$)' <<<"$(addresses "$host")"; then
        die "in a container $host is the container itself; reach the site on this machine by $(gateway)" \
            "в контейнере $host — это сам контейнер; сайт на этой машине доступен по адресу $(gateway)"
    fi
}

# Prints the address at which containers reach this machine: that of their network, or the one that it will have. If the
# engine has chosen it, only a running container shows it.
gateway() {
    local address first
    address=$(docker inspect --format '{{with .NetworkSettings.Networks.mtpannel_front}}{{.Gateway}}{{end}}' mtpannel-traefik 2>/dev/null) || true
    address=${address:-$(env_get FRONT_GATEWAY)}
    first=$(env_get FRONT_SUBNET)
    first=${first:-172.29.43.0/24}
    first=${first%/*}
    address=${address:-${first%.*}.$((${first##*.} + 1))}
    echo "$address"
}

check_panel_domain() {
    if [[ -z "$(addresses "$1")" ]]; then
        warn "$1 is not found in DNS: there will be no certificate" "имя $1 не найдено в DNS: без этого не будет сертификата"
    elif ! leads_here "$1"; then
        warn "$1 does not lead to an address of this machine: there will be no certificate" \
            "$1 не ведёт на адрес этой машины: без этого не будет сертификата"
    fi
}

# Compares the clock with the site of the masking domain. Its certificate is not checked: with a wrong clock it may look
# expired.
check_clock() {
    local date seconds
    date=$(curl -ksI --max-time 5 "https://$TLS_DOMAIN/" | tr -d '\r' | sed -n 's/^[Dd]ate: //p') || true
    [[ -n "$date" ]] || return 0
    seconds=$(($(date +%s) - $(date -d "$date" +%s)))
    ((${seconds#-} <= 60)) || die "the clock is wrong by $seconds s; clients would be refused" \
        "часы расходятся на $seconds с; клиентам будет отказано"
}

# Only needed without containers: ports that Docker publishes are open regardless of ufw.
hint_at_firewall() {
    if [[ "$MODE" == systemd ]] && grep -q '^Status: active' <<<"$(LC_ALL=C ufw status 2>/dev/null)"; then
        warn "ufw is active; open the port: ufw allow $PROXY_PORT/tcp" "работает ufw; откройте порт: ufw allow $PROXY_PORT/tcp"
    fi
}

# Checks the tools that every installation needs, and those that build the program where it is built here.
check_build_tools() {
    local tools=(setpriv setsid)
    [[ "$MODE" != systemd || -n "${MTPANNEL_BIN:-}" ]] || tools+=(make cc npm cargo)
    need_tools "${tools[@]}"
}
