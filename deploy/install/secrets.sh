# shellcheck shell=bash disable=SC2034,SC2153 # names in capitals are shared by all parts
# Secrets of the panel's container are files that root owns and the container's user can read, because `docker inspect` shows
# the environment. Without containers they stay in .env, which systemd reads.

# Whether the compose file reads secrets from files. That of an older version does not.
uses_secret_files() { uses_docker && grep -qs SECRET_KEY_FILE "$INSTALL_DIR/docker-compose.yml"; }

# secret_file KEY: prints the path of its file.
secret_file() { echo "$INSTALL_DIR/secrets/${1,,}"; }

# secret_get KEY: prints its value from .env or, once it was moved, from its file.
secret_get() {
    local value
    value=$(env_get "$1")
    if [[ -z "$value" && -f "$(secret_file "$1")" ]]; then value=$(<"$(secret_file "$1")"); fi
    echo "$value"
}

# secret_set KEY VALUE: writes its file.
secret_set() {
    local file group
    file=$(secret_file "$1")
    group=$(owner)
    mkdir -p "$INSTALL_DIR/secrets"
    printf '%s\n' "$2" >"$file.new"
    chown "0:${group#*:}" "$file.new"
    chmod 440 "$file.new"
    mv "$file.new" "$file"
}

# Moves secrets from .env into files. Compose needs every file; an empty one for TELEMT_API_AUTH means that telemt needs no
# authorization.
move_secrets() {
    local name
    uses_secret_files || return 0
    for name in SECRET_KEY DATABASE_URL TELEMT_API_AUTH; do
        if [[ -n "$(env_get "$name")" ]]; then
            secret_set "$name" "$(env_get "$name")"
            env_unset "$name"
        elif [[ ! -f "$(secret_file "$name")" ]]; then
            secret_set "$name" "$(default_secret "$name")"
        fi
    done
}

default_secret() {
    case $1 in
        SECRET_KEY) random_hex 32 ;;
        DATABASE_URL) echo sqlite:////app/data/panel.db ;;
    esac
}
