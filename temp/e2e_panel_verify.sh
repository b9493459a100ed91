#!/bin/sh
# Checks a running panel from outside: health, login, a new user, his links, and the proxy's file where it can be seen.
#
#   BASE_URL=http://localhost:8080 ADMIN_USER=admin ADMIN_PASS=... ./temp/e2e_panel_verify.sh
#
# CONFIG_PATH  the proxy's config.toml, if it lies on this machine
# CONTAINER    the panel's container, if the file lies there; CONFIG_PATH is then its path inside
#
# One line per step; exit code 0 if all is well. The user is deleted at the end, also after a failure.
set -eu

BASE_URL=${BASE_URL:-http://localhost:8080}
ADMIN_USER=${ADMIN_USER:-admin}
: "${ADMIN_PASS:?ADMIN_PASS is the password of $ADMIN_USER}"
CONFIG_PATH=${CONFIG_PATH:-}
CONTAINER=${CONTAINER:-}

umask 077
folder=$(mktemp -d)
user="e2e-verify-$(od -An -N4 -tx1 /dev/urandom | tr -d ' ')"
created=""

passed() { printf 'ok    %s\n' "$1"; }

failed() {
    printf 'FAIL  %s\n' "$1" >&2
    exit 1
}

# The request's body comes from standard input, and the token from a file: neither is to be seen in a process list.
# ask METHOD PATH: prints the body of the answer; fails unless the status is 2xx.
ask() {
    curl --silent --show-error --fail --max-time 20 --request "$1" --header @"$folder/headers" \
        --data-binary @- "$BASE_URL$2"
}

# field NAME: the text of this field in the JSON document on standard input.
field() {
    sed -n 's/.*"'"$1"'" *: *"\([^"]*\)".*/\1/p'
}

# quoted TEXT: the text as a JSON string.
quoted() {
    printf '"%s"' "$(printf %s "$1" | sed 's/\\/\\\\/g; s/"/\\"/g')"
}

# Prints config.toml, or fails if nobody told where it is.
config() {
    if [ -n "$CONTAINER" ]; then
        docker exec "$CONTAINER" cat "${CONFIG_PATH:-/app/telemt-config/config.toml}"
    else
        cat "$CONFIG_PATH"
    fi
}

# Done also if he is not there, which nobody knows after a request without an answer.
delete_user() {
    status=$(curl --silent --max-time 20 --request DELETE --header @"$folder/headers" \
        --output /dev/null --write-out '%{http_code}' "$BASE_URL/api/users/$user") || return 1
    case $status in 2?? | 404) ;; *) return 1 ;; esac
}

# Called by the trap.
clean_up() {
    if [ -n "$created" ] && ! delete_user 2>/dev/null; then
        echo "the user $user could not be deleted; delete him by hand" >&2
    fi
    rm -rf "$folder"
}
trap clean_up EXIT
trap 'exit 1' INT TERM

echo 'Content-Type: application/json' >"$folder/headers"

curl --silent --show-error --fail --max-time 20 "$BASE_URL/health" | grep -q '"status" *: *"ok"' ||
    failed "health: $BASE_URL/health does not answer {\"status\":\"ok\"}"
passed "health: the panel answers"

token=$(printf '{"username":%s,"password":%s}' "$(quoted "$ADMIN_USER")" "$(quoted "$ADMIN_PASS")" |
    ask POST /api/admin/token | field access_token) || true
[ -n "$token" ] || failed "login: no token for $ADMIN_USER"
echo "Authorization: Bearer $token" >>"$folder/headers"
passed "login: $ADMIN_USER has a token"

# Before the answer, which may be lost on its way.
created=yes
answer=$(printf '{"username":%s,"note":"e2e_panel_verify.sh"}' "$(quoted "$user")" | ask POST /api/users) ||
    failed "create: no user $user"
secret=$(printf %s "$answer" | field secret)
printf %s "$secret" | grep -Eq '^[0-9a-f]{32}$' || failed "create: the secret is not 32 hex digits"
passed "create: the user $user has a secret"

links=$(ask GET "/api/users/$user/links" </dev/null) || failed "links: no answer for $user"
printf %s "$links" | grep -Eq '"tg_link" *: *"tg://proxy\?server=[^"&]+&port=[0-9]+&secret=ee'"$secret"'[0-9a-f]+"' ||
    failed "links: tg_link is not a FakeTLS link with the secret"
printf %s "$links" | grep -Eq '"https_link" *: *"https://t\.me/proxy\?server=[^"]*secret=ee'"$secret"'[0-9a-f]+"' ||
    failed "links: https_link is not a FakeTLS link with the secret"
passed "links: both lead to the proxy with the user's secret"

if [ -n "$CONFIG_PATH$CONTAINER" ]; then
    config | grep -Eq "^\"?$user\"? *= *\"$secret\"" || failed "config.toml: the user is not in it"
    passed "config.toml: the user is in it"
fi

delete_user || failed "clean up: the user $user could not be deleted"
created=""
if [ -n "$CONFIG_PATH$CONTAINER" ] && config | grep -q "$secret"; then
    failed "config.toml: the deleted user's secret is still in it"
fi
passed "clean up: the user is deleted"
