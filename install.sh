#!/usr/bin/env bash
# Installs and manages mtpannel on a Debian or Ubuntu server. `install.sh help` lists the commands and the variables.
#
# This file finds the sources; the steps are in deploy/install. All choices are kept in INSTALL_DIR/.env. Every step checks
# what exists already, so that the same command can be run again after an interruption, and a second run updates.
set -euo pipefail
shopt -s inherit_errexit
umask 077

# Under `curl … | bash` there is no file, and so no folder.
HERE=$(cd "$(dirname "${BASH_SOURCE[0]:-/nowhere/}")" 2>/dev/null && pwd) || HERE=""
LOCK=${LOCK:-/run/mtpannel-install.lock}

# ---------------------------------------------------------------- messages and questions

is_russian() { [[ "${LC_ALL:-${LC_MESSAGES:-${LANG:-}}}" == ru* ]]; }

# say ENGLISH RUSSIAN: prints the text in the language of the locale.
say() { if is_russian; then printf '%s\n' "$2"; else printf '%s\n' "$1"; fi; }

step() { printf '==> %s\n' "$(say "$@")"; }
warn() { printf '!   %s\n' "$(say "$@")" >&2; }

die() {
    printf '%s: %s\n' "$(say error ошибка)" "$(say "$@")" >&2
    exit 1
}

# Questions go to the terminal, because standard input is the script itself under `curl … | bash`.
has_terminal() { [[ -z "${MTPANNEL_YES:-}" ]] && { : </dev/tty; } 2>/dev/null; }

# ask VARIABLE DEFAULT ENGLISH RUSSIAN: sets the variable to the answer, unless the environment has set it already. Without
# a terminal it takes the default.
ask() {
    local answer=""
    [[ -n "${!1:-}" ]] && return
    if has_terminal; then
        printf '%s [%s]: ' "$(say "$3" "$4")" "$2" >/dev/tty
        read -r answer </dev/tty
    fi
    printf -v "$1" %s "${answer:-$2}"
}

is_yes() { [[ "$1" =~ ^([yY]|[yY][eE][sS]|[дД]|[дД][аА])$ ]]; }

# confirm ENGLISH RUSSIAN: ends the script unless the answer, or CONFIRM, is yes.
confirm() {
    ask CONFIRM n "$@"
    is_yes "$CONFIRM" || die "nothing was changed; CONFIRM=y says yes without a terminal" \
        "ничего не изменено; без терминала согласие даёт CONFIRM=y"
}

# ---------------------------------------------------------------- this machine

check_machine() {
    [[ "$(id -u)" == 0 ]] || die "run this as root (sudo)" "запустите от root (sudo)"
    case $(uname -m) in
        x86_64 | aarch64) ;;
        *) die "x86_64 or aarch64 is needed, this is $(uname -m)" "нужен x86_64 или aarch64, здесь $(uname -m)" ;;
    esac
}

# need_tools COMMAND...: ends the script if one of these programs is missing.
need_tools() {
    local tool missing=""
    for tool in "$@"; do command -v "$tool" >/dev/null || missing+=" $tool"; done
    [[ -z "$missing" ]] || die "install these first:$missing" "сначала установите:$missing"
}

# Only one run may change something at a time. It waits 10 s, because children of a killed run may still hold the lock.
lock() {
    exec 9>"$LOCK"
    flock --wait 10 9 || die "another run of install.sh is in progress" "install.sh уже выполняется"
}

# ---------------------------------------------------------------- folders

# setting_line KEY: a regular expression, for grep -E and awk, of the beginning of its line in .env.
setting_line() { printf '^(\357\273\277)?[ \t]*(export[ \t]+)?(%s)[ \t]*=' "$1"; }

# value_of KEY: prints its value in the settings on standard input, or nothing. It is read as Compose reads it, but variables
# in it are not expanded. If there are several lines, the last one counts.
value_of() {
    awk -v line="$(setting_line "$1")" '
        function unquoted(text, i, sign, value) {
            for (i = 1; i <= length(text); i++) {
                sign = substr(text, i, 1)
                if (sign == "\"") break
                if (sign == "\\" && index("\"\\$", substr(text, i + 1, 1))) sign = substr(text, ++i, 1)
                value = value sign
            }
            return value
        }
        $0 ~ line {
            sub(/\r$/, "")
            sub(line, "")
            text = $0
            sub(/^[ \t]+/, "", text)
            if (text ~ /^\047/) {
                text = substr(text, 2)
                sub(/\047.*/, "", text)
            } else if (text ~ /^"/) text = unquoted(substr(text, 2))
            else {
                text = $0
                sub(/[ \t]+#.*/, "", text)
                gsub(/^[ \t]+|[ \t]+$/, "", text)
            }
            value = text
            found = 1
        }
        END { if (found) print value }'
}

# env_get KEY: prints its value in .env, or nothing.
env_get() { [[ ! -f "$INSTALL_DIR/.env" ]] || value_of "$1" <"$INSTALL_DIR/.env"; }

# Whether this is an absolute path of plain characters and not a folder of the system, so that files may be written there.
is_own_folder() {
    [[ "$1" =~ ^(/[A-Za-z0-9._-]+){2,}$ && ! "$1/" =~ /\.\.?/ &&
        ! "$1" =~ ^/(bin|boot|dev|etc|lib|lib32|lib64|proc|run|sbin|sys|usr)/ && ! "$1" =~ ^/var/[^/]+$ ]]
}

# choose_folder COMMAND: sets INSTALL_DIR. A copy of this script inside an installation manages that installation.
choose_folder() {
    if [[ -z "${INSTALL_DIR:-}" && -f "$HERE/.env" ]] && ! is_source "$HERE"; then INSTALL_DIR=$HERE; fi
    if [[ "$1" =~ ^(install|restore)$ && ! -f /opt/mtpannel/.env ]]; then
        ask INSTALL_DIR /opt/mtpannel "Folder of the installation" "Каталог установки"
    fi
    INSTALL_DIR=${INSTALL_DIR:-/opt/mtpannel}
    INSTALL_DIR=${INSTALL_DIR%/}
    is_own_folder "$INSTALL_DIR" ||
        die "INSTALL_DIR must be a folder of its own, such as /opt/mtpannel, of A-Z a-z 0-9 . _ - /" \
            "INSTALL_DIR должен быть отдельным каталогом, например /opt/mtpannel, из знаков A-Z a-z 0-9 . _ - /"
    export INSTALL_DIR
}

is_source() { [[ -n "$1" && -f "$1/deploy/docker-compose.yml" && -f "$1/install.sh" ]]; }

# Sets SOURCE to the sources that the installation was made from, or to a new clone of MTPANNEL_SOURCE.
find_source() {
    SOURCE=$(env_get SOURCE_DIR)
    SOURCE=${SOURCE:-$INSTALL_DIR/source}
    ! is_source "$SOURCE" || return 0
    ask MTPANNEL_SOURCE "" "Address of mtpannel's Git repository" "Адрес репозитория mtpannel"
    [[ -n "$MTPANNEL_SOURCE" ]] || die "set MTPANNEL_SOURCE to the repository's address" \
        "укажите адрес репозитория в MTPANNEL_SOURCE"
    need_tools git
    SOURCE=$INSTALL_DIR/source
    rm -rf "$SOURCE"
    git clone --quiet --depth 1 "$MTPANNEL_SOURCE" "$SOURCE"
}

# Pulls the newest version if the sources are a Git clone.
renew_source() {
    [[ -e "$SOURCE/.git" ]] || return 0
    need_tools git
    git -C "$SOURCE" pull --quiet --ff-only || die "check out the wanted version in $SOURCE, and run its install.sh" \
        "перейдите в $SOURCE на нужную версию и запустите install.sh оттуда"
}

# load_parts FOLDER: loads the functions in deploy/install of these sources.
load_parts() {
    local part
    for part in "$1"/deploy/install/*.sh; do
        # shellcheck source=/dev/null
        . "$part"
    done
}

# ---------------------------------------------------------------- commands

usage() {
    say 'install.sh [--systemd] [--yes] [COMMAND]

  install              ask, check, install; on an installed machine: update (the default)
  update               back up, install the new version, and go back if it does not start
  status, logs         show the state; show the log
  change-domain NAME   change the masking domain in configuration, Traefik and links
  add-panel [NAME]     add the panel where there is none; with NAME, over HTTPS at this name
  reset-password NAME  set a new password for an administrator
  backup               write an archive of database, settings and configuration; print its path
  restore FILE         restore everything from an archive, also on an empty machine
  uninstall [--data]   stop and remove; --data also removes database, settings and backups

--systemd              without Docker: install the program with the built-in proxy as a service
--yes                  ask nothing; take everything from the environment or from defaults' 'install.sh [--systemd] [--yes] [КОМАНДА]

  install              спросить, проверить, установить; на установленной машине — обновить (по умолчанию)
  update               резервная копия и новая версия; если она не запустится, вернуть прежнюю
  status, logs         состояние; что пишет программа
  change-domain ИМЯ    другой домен маскировки: сразу в конфигурации, Traefik и ссылках
  add-panel [ИМЯ]      панель там, где её ещё нет; по HTTPS под этим именем
  reset-password ИМЯ   новый пароль администратора
  backup               архив с базой, настройками и конфигурацией; печатает его путь
  restore ФАЙЛ         вернуть всё из архива, в том числе на пустой машине
  uninstall [--data]   остановить и удалить; с --data также базу, настройки и копии

--systemd              без Docker: программа со встроенным прокси как служба
--yes                  ничего не спрашивать: всё из окружения или по умолчанию'
    cat <<NAMES

$(say Environment Окружение): INSTALL_DIR (/opt/mtpannel), PROXY_HOST, PROXY_PORT (443), TLS_DOMAIN, PANEL (y, n), PANEL_DOMAIN (none),
PROXY_KIND (telemt, builtin), OTHER_NAMES (mask, close), MASK_SITE (HOST:PORT, none), IMAGES (build, NAME), TRAEFIK_IMAGE, TELEMT_IMAGE, ADMIN_USER,
ADMIN_PASS, INSTALL_DOCKER (y), MTPANNEL_SOURCE, MTPANNEL_BIN, DATABASE_URL, LISTEN, CONFIRM (y),
DATABASE_SAVED (y), START_TIMEOUT (180)
NAMES
}

main() {
    local given=("$@") arguments=() argument
    for argument in "$@"; do
        case $argument in
            --systemd) export MODE=systemd ;;
            --yes) export MTPANNEL_YES=1 ;;
            *) arguments+=("$argument") ;;
        esac
    done
    local command=${arguments[0]:-install}
    case $command in
        install | update | status | logs | change-domain | add-panel | reset-password | backup | restore | uninstall) ;;
        help | --help | -h)
            usage
            return
            ;;
        *)
            usage >&2
            exit 2
            ;;
    esac
    check_machine
    need_tools awk curl flock tar
    choose_folder "$command"
    # Commands that need the sources are run by the script in the sources, which has the newest steps.
    if [[ "$command" =~ ^(install|update|add-panel|restore)$ || ! -d "$HERE/deploy/install" ]] && ! is_source "$HERE"; then
        find_source
        if [[ "$command" =~ ^(install|update)$ ]]; then renew_source; fi
        exec bash "$SOURCE/install.sh" ${given[@]+"${given[@]}"}
    fi
    # shellcheck disable=SC2034 # for the parts
    SOURCE=$HERE
    load_parts "$HERE"
    if [[ ! "$command" =~ ^(status|logs)$ ]]; then lock; fi
    "do_${command//-/_}" "${arguments[@]:1}"
}

# Tests source this file for its functions. Under `curl … | bash` there is no file.
if [[ "${BASH_SOURCE[0]:-$0}" == "$0" ]]; then
    main "$@"
fi
