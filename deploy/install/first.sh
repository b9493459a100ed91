# shellcheck shell=bash disable=SC2034,SC2153 # names in capitals are shared by all parts
# The first administrator, the first user, and what is shown at the end.

# Whether there can be no administrator yet.
is_fresh() { [[ ! -e "$INSTALL_DIR/data/panel.db" && ! -e "$INSTALL_DIR/.first-admin" && "$DATABASE_URL" != postgres* ]]; }

has_admin() {
    local list
    list=$(panel_cli admin list 2>/dev/null) || return 1
    # The first line is the header of the table.
    [[ "$list" == *$'\n'* ]]
}

# ask_password VARIABLE ENGLISH RUSSIAN: the password is not shown while it is typed. If it is empty, one is generated, and
# MADE is set.
ask_password() {
    local answer=""
    MADE=""
    if [[ -z "${!1:-}" ]] && has_terminal; then
        printf '%s: ' "$(say "$2" "$3")" >/dev/tty
        IFS= read -rs answer </dev/tty
        echo >/dev/tty
        printf -v "$1" %s "$answer"
    fi
    if [[ -z "${!1:-}" ]]; then
        MADE=y
        printf -v "$1" %s "$(random_hex 12)"
    fi
    is_password "${!1}" || die "a password has 10 to 128 characters" "в пароле от 10 до 128 знаков"
}

choose_admin() {
    ask ADMIN_USER admin "First administrator" "Первый администратор"
    is_name "$ADMIN_USER" || die "a name has 3 to 32 of A-Z a-z 0-9 _ . -" "в имени от 3 до 32 знаков A-Z a-z 0-9 _ . -"
    ask_password ADMIN_PASS "Password (10 characters or more; empty: generate one)" "Пароль (от 10 знаков; пусто: создать)"
    ADMIN_CHOSEN=y
}

# Keeps name, password, and whether it was generated, in a file until the installation is complete, so that an interrupted
# one can continue.
keep_admin() {
    local file="$INSTALL_DIR/.first-admin"
    [[ -n "${ADMIN_CHOSEN:-}" ]] || return 0
    printf '%s\n%s\n%s\n' "$ADMIN_USER" "$ADMIN_PASS" "$MADE" >"$file.new"
    mv "$file.new" "$file"
}

# Creates the first administrator, unless there is one already.
make_admin() {
    local file="$INSTALL_DIR/.first-admin"
    if [[ ! -f "$file" ]]; then
        if has_admin; then return; fi
        choose_admin
        keep_admin
    fi
    ADMIN_USER=$(sed -n 1p "$file")
    ADMIN_PASS=$(sed -n 2p "$file")
    MADE=$(sed -n 3p "$file")
    printf '%s\n' "$ADMIN_PASS" | panel_cli admin create "$ADMIN_USER" --sudo --unless-any --password-stdin >/dev/null || {
        rm "$file"
        die "the administrator was not created" "администратор не создан"
    }
}

json_string() { printf '"%s"' "$(printf %s "$1" | sed 's/\\/\\\\/g; s/"/\\"/g')"; }

# Prints an access token of the administrator. Passwords and tokens go through pipes, because everybody can read a command
# line.
token() {
    printf '{"username":%s,"password":%s}' "$(json_string "$ADMIN_USER")" "$(json_string "$ADMIN_PASS")" |
        curl -sf -H 'Content-Type: application/json' --data-binary @- "$(panel_url)/api/admin/token" |
        sed -n 's/.*"access_token":"\([^"]*\)".*/\1/p'
}

# Creates the first user, only together with the first administrator: if the user is deleted later, they do not come back.
make_first_user() {
    local token
    [[ -f "$INSTALL_DIR/.first-admin" ]] || return 0
    ! panel_cli user links first >/dev/null 2>&1 || return 0
    token=$(token) || token=""
    [[ -n "$token" ]] || die "the administrator cannot log in" "администратор не может войти"
    printf 'header = "Authorization: Bearer %s"\n' "$token" |
        curl -sf -K - -H 'Content-Type: application/json' -d '{"username":"first"}' -o /dev/null "$(panel_url)/api/users" ||
        die "the user first was not created" "пользователь first не создан"
}

link_of_first() {
    local links
    if has_panel; then
        links=$(panel_cli user links first 2>/dev/null) || return 1
        links=${links#"${links%%tg://*}"}
        printf '%s\n' "${links%%[[:space:]]*}"
    else
        printf 'tg://proxy?server=%s&port=%s&secret=ee%s%s\n' "$(env_get PROXY_HOST)" "$(env_get PROXY_PORT)" \
            "$(as_owner config sed -n 's/^first = "\([0-9a-f]*\)"$/\1/p' config.toml)" \
            "$(env_get TLS_DOMAIN | tr -d '\n' | od -An -tx1 | tr -d ' \n')"
    fi
}

# draw_code LINK: prints it as a QR code, with the panel or, without one, with qrencode.
draw_code() {
    if has_panel; then
        panel_cli user links first --qr 2>/dev/null | tail -n +3
    else
        command -v qrencode >/dev/null || apt_get install -y qrencode >/dev/null 2>&1 || true
        printf %s "$1" | qrencode -t ANSIUTF8 2>/dev/null
    fi
}

show_link() {
    local link
    link=$(link_of_first) || return 0
    say "Link of the user first:" "Ссылка пользователя first:"
    echo "$link"
    draw_code "$link" || say "A QR code could not be drawn here." "QR-код здесь нарисовать не удалось."
}

show_panel() {
    local address
    address=$(panel_url)/
    [[ -z "$(env_get PANEL_DOMAIN)" ]] || address=https://$(env_get PANEL_DOMAIN)$(env_get BASE_PATH)/
    say "Panel: $address" "Панель: $address"
    if [[ -f "$INSTALL_DIR/.first-admin" && -n "$MADE" ]]; then
        say "Administrator: $ADMIN_USER, password (shown once): $ADMIN_PASS" \
            "Администратор: $ADMIN_USER, пароль (показан один раз): $ADMIN_PASS"
    elif [[ -f "$INSTALL_DIR/.first-admin" ]]; then
        say "Administrator: $ADMIN_USER" "Администратор: $ADMIN_USER"
    fi
}
