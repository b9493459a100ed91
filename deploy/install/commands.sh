# shellcheck shell=bash disable=SC2034,SC2153 # names in capitals are shared by all parts
# The commands of install.sh.

do_install() {
    if is_installed; then
        do_update
        return
    fi
    need_tools ss
    choose
    check_build_tools
    check_space "${IMAGES:-}"
    # shellcheck disable=SC2046 # ports, one a word
    [[ -f "$INSTALL_DIR/.env" ]] || check_ports $(wanted_ports)
    check_names
    check_clock
    [[ "$MODE" == systemd ]] || install_docker "${IMAGES:-}"
    step "Settings and files" "Настройки и файлы"
    write_settings
    keep_admin
    write_files
    step "Program" "Программа"
    make_parts
    use_parts
    write_first_config
    step "Start" "Запуск"
    start
    if has_panel; then
        make_admin
        make_first_user
        show_panel
    fi
    show_link
    hint_at_firewall
    rm -f "$INSTALL_DIR/.first-admin"
    touch "$INSTALL_DIR/.complete"
}

do_status() {
    need_installed
    warn_of_settings
    if uses_docker; then compose ps; else systemctl --no-pager status mtpannel || true; fi
    if ! has_panel; then return; fi
    # Without -f, so that the answer with status 503 is shown, too.
    curl -s --max-time 5 "$(panel_url)/health/ready" || die "the panel does not answer" "панель не отвечает"
    echo
}

do_logs() {
    need_installed
    if uses_docker; then compose logs --tail 200 "$@"; else journalctl --no-pager -u mtpannel -n 200 "$@"; fi
}

# Panel and proxy are stopped meanwhile. Every part is written even if it has the new domain already, so that the same command
# completes an interrupted change.
do_change_domain() {
    local domain=${1:-} site
    need_installed
    domain=${domain,,}
    is_domain "$domain" || die "usage: change-domain DOMAIN" "использование: change-domain ДОМЕН"
    [[ "$domain" != "$(env_get PANEL_DOMAIN)" ]] || die "this is the panel's domain" "это домен панели"
    PROXY_HOST=$(env_get PROXY_HOST)
    # MASK_SITE of the old domain does not apply to the new one.
    MASK_SITE=${MASK_SITE:-none}
    [[ "$MASK_SITE" != none ]] || MASK_SITE=""
    [[ -z "$MASK_SITE" ]] || need_site "$MASK_SITE"
    choose_mode
    check_masking_domain "$domain" "$(env_get PROXY_PORT)"
    confirm "All links that were sent will stop working. Change the domain? (y/N)" \
        "Все отправленные ссылки перестанут работать. Сменить домен? (y/N)"
    stop
    # A mask_host that the operator has written into the file stays.
    site=$MASK_SITE
    [[ -n "$site" || -z "$(env_get MASK_SITE)" ]] || site=none
    set_masking_domain "$domain" "$site" || {
        start
        die "the masking domain in $INSTALL_DIR/config/config.toml cannot be changed (see above); nothing was changed" \
            "домен маскировки в $INSTALL_DIR/config/config.toml изменить нельзя (причина выше); ничего не изменено"
    }
    env_set TLS_DOMAIN "$domain"
    env_set MASK_SITE "$MASK_SITE"
    start
}

# Adds the panel if there is none yet, and sets its domain if one is given.
do_add_panel() {
    PANEL_DOMAIN=${1:-none}
    PANEL_DOMAIN=${PANEL_DOMAIN,,}
    need_installed
    uses_docker || die "see the guide: behind a reverse proxy" "смотрите руководство: за обратным прокси"
    [[ "$PANEL_DOMAIN" == none ]] || need_panel_domain "$PANEL_DOMAIN" "$(env_get TLS_DOMAIN)" "$(env_get PROXY_PORT)"
    if ! has_panel || ! is_installed; then
        need_tools ss
        has_panel || check_ports 8080
        PANEL=y
        rm -f "$INSTALL_DIR/.complete"
        do_install
    else
        [[ "$PANEL_DOMAIN" != none ]] || die "the panel is installed already; usage: add-panel DOMAIN" "панель уже есть; использование: add-panel ДОМЕН"
        PROXY_HOST=$(env_get PROXY_HOST)
        check_panel_domain "$PANEL_DOMAIN"
        env_set PANEL_DOMAIN "$PANEL_DOMAIN"
        start
    fi
}

do_reset_password() {
    need_installed
    has_panel || die "there is no panel; see add-panel" "панели нет; смотрите add-panel"
    ADMIN_USER=${1:-admin}
    ask_password ADMIN_PASS "New password (10 characters or more; empty: generate one)" "Новый пароль (от 10 знаков; пусто: создать)"
    printf '%s\n' "$ADMIN_PASS" | panel_cli admin set-password "$ADMIN_USER" --password-stdin >/dev/null
    [[ -z "$MADE" ]] || say "Password of $ADMIN_USER: $ADMIN_PASS" "Пароль $ADMIN_USER: $ADMIN_PASS"
}

# Without --data the database, settings and backups stay. It also removes what an interrupted installation has left.
do_uninstall() {
    local data=${1:-}
    [[ -d "$INSTALL_DIR/source" ]] || need_installed
    confirm "Stop and remove mtpannel? (y/N)" "Остановить и удалить mtpannel? (y/N)"
    if uses_docker; then remove_containers; else remove_service; fi
    rm -rf "$INSTALL_DIR"/{.complete,.updating,.previous}
    if [[ "$data" == --data ]]; then
        rm -rf "$INSTALL_DIR"/{.env,.env.new,.first-admin,.first-admin.new,.unpacked,secrets,config,data,acme,backups,traefik,deploy,source} \
            "$INSTALL_DIR"/{docker-compose.yml,install.sh,update.log}
        rmdir "$INSTALL_DIR" || warn "what you put into $INSTALL_DIR stays" "в $INSTALL_DIR осталось то, что положили вы"
    else
        say "Data and backups stay in $INSTALL_DIR" "Данные и копии остались в $INSTALL_DIR"
    fi
}

remove_containers() {
    command -v docker >/dev/null || return 0
    if [[ -f "$INSTALL_DIR/docker-compose.yml" ]]; then
        compose down
        # A command that was killed before its container started leaves that container, which `down` does not remove.
        docker ps --all --quiet --filter label=com.docker.compose.project=mtpannel |
            xargs --no-run-if-empty docker rm --force >/dev/null
    fi
    own_images | xargs docker image rm >/dev/null 2>&1 || true
}

remove_service() {
    systemctl disable --quiet --now mtpannel || true
    rm -f "$UNIT" "$BINARY" "$BINARY.new"
    systemctl daemon-reload
}
