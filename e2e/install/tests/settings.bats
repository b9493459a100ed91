#!/usr/bin/env bats
# What is chosen, and .env.

load common

@test "random numbers have their length and differ" {
    one=$(random_hex 32)
    [ "${#one}" -eq 64 ]
    [ "$one" != "$(random_hex 32)" ]
}

@test "a setting is written once, readable by its owner only, and others stay" {
    env_set A 1
    env_set B 'x=y&z'
    env_set A 2
    [ "$(env_get A)" = 2 ]
    [ "$(env_get B)" = 'x=y&z' ]
    [ "$(grep -c ^A= "$INSTALL_DIR/.env")" -eq 1 ]
    [ "$(stat -c %a "$INSTALL_DIR/.env")" = 600 ]
}

@test "a default does not replace a setting" {
    env_default A 1
    env_default A 2
    [ "$(env_get A)" = 1 ]
}

@test "domains, addresses, ports and names are told from what is none" {
    for good in example.com a.b-c.example xn--e1afmkfd.xn--p1ai; do is_domain "$good"; done
    for bad in "" localhost .com -a.com a..b "a b.com" 'a.com;id' 'a.com`id`'; do refuses is_domain "$bad"; done
    is_address 192.0.2.1 && is_address 2001:db8::1 && refuses is_address example.com
    is_port 1 && is_port 65535 && refuses is_port 0 && refuses is_port 65536 && refuses is_port 4x
    is_name admin && refuses is_name ab && refuses is_name 'a b c'
    need_domain example.com
    run need_domain localhost
    [ "$status" -eq 1 ]
}

@test "a password has 10 to 128 characters on one line" {
    is_password 0123456789 && is_password ' with spaces and "$" '
    is_password "$(printf '%0128d' 0)" && refuses is_password "$(printf '%0129d' 0)"
    refuses is_password 012345678 && refuses is_password $'0123456789\n0'
}

@test "addresses that nobody reaches from the internet are known" {
    for private in 10.0.0.1 127.0.0.1 172.16.0.1 172.31.0.1 192.168.1.1 100.64.0.1 169.254.0.1 fd00::1 FE80::1 ::1; do
        is_private "$private"
    done
    for public in 192.0.2.1 172.32.0.1 100.128.0.1 2001:db8::1 proxy.example; do refuses is_private "$public"; done
}

@test "answers that do not fit are refused before anything is written" {
    export PROXY_HOST=192.0.2.1 TLS_DOMAIN=mask.example
    PROXY_PORT=0 run choose
    [ "$status" -ne 0 ]
    PROXY_HOST='a b' run choose
    [ "$status" -ne 0 ]
    PANEL_DOMAIN=mask.example run choose
    [ "$status" -ne 0 ]
    PROXY_KIND=other run choose
    [ "$status" -ne 0 ]
    OTHER_NAMES=other run choose
    [ "$status" -ne 0 ]
    ADMIN_USER=x run choose
    [ "$status" -ne 0 ]
    ADMIN_PASS=tooshort run choose
    [ "$status" -ne 0 ]
    [[ "$output" == *"10 to 128"* ]]
    [ ! -f "$INSTALL_DIR/.env" ]
    run choose
    [ "$status" -eq 0 ]
}

@test "the masking domain is never chosen by the script" {
    PROXY_HOST=192.0.2.1 run choose
    [ "$status" -eq 1 ]
    [[ "$output" == *TLS_DOMAIN* ]]
}

@test "domains are written in small letters" {
    PROXY_HOST=Proxy.Example TLS_DOMAIN=Mask.Example PANEL_DOMAIN=Panel.Example
    choose
    write_settings
    [ "$(env_get PROXY_HOST) $(env_get TLS_DOMAIN) $(env_get PANEL_DOMAIN)" = "proxy.example mask.example panel.example" ]
}

@test "the panel has a domain on port 443 only, where its certificate is given out" {
    PROXY_PORT=8443 PANEL_DOMAIN=panel.example PROXY_HOST=192.0.2.1 TLS_DOMAIN=mask.example run choose
    [ "$status" -eq 1 ]
    [[ "$output" == *443* ]]
    need_panel_domain panel.example mask.example 443
    run need_panel_domain panel.example panel.example 443
    [ "$status" -eq 1 ]
}

@test "what was chosen before is not asked again" {
    env_set TLS_DOMAIN kept.example
    env_set PROXY_PORT 8443
    PROXY_HOST=192.0.2.1
    choose
    [ "$TLS_DOMAIN" = kept.example ]
    [ "$PROXY_PORT" = 8443 ]
}

@test "writing the settings twice changes nothing" {
    settle
    before=$(sort "$INSTALL_DIR/.env")
    settle
    [ "$(sort "$INSTALL_DIR/.env")" = "$before" ]
}

@test "the address of a database is kept as it is, whatever signs its password has" {
    DATABASE_URL='postgres://u:p$w#d@h/d'
    settle
    grep -qxF "DATABASE_URL='postgres://u:p\$w#d@h/d'" "$INSTALL_DIR/.env"
    forget
    settle
    [ "$(env_get DATABASE_URL)" = 'postgres://u:p$w#d@h/d' ]
    uses_postgres
}

@test "no to the panel is remembered" {
    PANEL=n
    settle
    [ "$(env_get COMPOSE_PROFILES)" = telemt ]
    refuses has_panel
    forget
    choose
    [ "$PANEL" = n ]
    [ "$PROXY_KIND" = telemt ]
}

@test "yes to the panel is remembered, with the proxy that was chosen" {
    PANEL=y PROXY_KIND=builtin
    settle
    [ "$(env_get COMPOSE_PROFILES)" = builtin,panel ]
    has_panel
    forget
    choose
    [ "$PANEL" = y ]
    [ "$PROXY_KIND" = builtin ]
}

@test "a panel that is added later keeps what was chosen before" {
    PANEL=n PROXY_KIND=builtin
    settle
    forget
    PANEL=y
    choose
    write_settings
    [ "$(env_get COMPOSE_PROFILES)" = builtin,panel ]
    [ "$(env_get TLS_DOMAIN)" = mask.example ]
}

@test "a service has its panel where LISTEN says, and that stays" {
    MODE=systemd LISTEN=127.0.0.1:8090 DATABASE_URL=""
    # The temporary folder of the tests is hidden from services, too.
    run choose_service
    [ "$status" -eq 1 ]
    (
        INSTALL_DIR=/srv/mtpannel
        choose_service
        [ "$PANEL" = y ]
        LISTEN=nonsense run choose_service
        [ "$status" -eq 1 ]
    )
    PROXY_HOST=192.0.2.1 TLS_DOMAIN=mask.example PROXY_PORT=443
    write_settings
    [ "$(env_get LISTEN)" = 127.0.0.1:8090 ]
    [ "$(env_get DATABASE_URL)" = "sqlite:///$INSTALL_DIR/data/panel.db" ]
    refuses uses_docker
}

@test "an installation of one kind does not become one of the other" {
    env_set MODE docker
    MODE=systemd run choose_mode
    [ "$status" -eq 1 ]
    unset MODE
    choose_mode
    [ "$MODE" = docker ]
}

@test "an installation is complete when it says so, and PostgreSQL is known by its address" {
    refuses is_installed
    run need_installed
    [ "$status" -eq 1 ]
    env_set A 1
    need_installed
    refuses is_installed
    touch "$INSTALL_DIR/.complete"
    is_installed
    refuses uses_postgres
    env_set DATABASE_URL "'postgres://a:b@c/d'"
    uses_postgres
}

@test "the address of the machine is a default that is never empty" {
    fake hostname 'echo "192.0.2.7 2001:db8::7"'
    [ "$(public_address)" = 192.0.2.7 ]
    fake hostname 'exit 1'
    [ "$(public_address)" = 127.0.0.1 ]
}

# settings TEXT: a .env with this text, in which \n and the like are written out.
settings() { printf '%b' "$1" >"$INSTALL_DIR/.env"; }

@test "a setting is read as Compose reads it, and nothing in it is replaced" {
    while IFS='|' read -r text value; do
        settings "$text"
        [ "$(env_get A)" = "$value" ] || {
            echo "$text is read as $(env_get A)"
            return 1
        }
    done <<'CASES'
A=x|x
A=x\r\nB=y\r\n|x
\xef\xbb\xbfA=x|x
 export A = x |x
A=x # comment|x
A= # comment|
A=x#y|x#y
A=a$b${c}|a$b${c}
A='a$b # c' # comment|a$b # c
A="a\\"b\\$c # d"|a"b$c # d
A=1\nB=2\nexport A='3'|3
XA=1\nA=2\nAX=3|2
CASES
    settings 'B=1\n'
    [ -z "$(env_get A)" ]
}

@test "a setting that is written replaces each of its lines, however they look" {
    settings '\xef\xbb\xbfA=1\nB=2\n export A = 3\r\nAB=4\n'
    env_set A 5
    [ "$(cat "$INSTALL_DIR/.env")" = $'B=2\nAB=4\nA=5' ]
    env_unset A
    [ "$(cat "$INSTALL_DIR/.env")" = $'B=2\nAB=4' ]
    [ "$(stat -c %a "$INSTALL_DIR/.env")" = 600 ]
}

@test "a setting that stands twice, or that Compose or systemd takes otherwise, is told without its value" {
    settings 'MODE=docker\nA=canary1\nexport A=canary2\nB="canary$x"\nC=canary$x\nD='"'"'canary$x'"'"'\n'
    run warn_of_settings
    [[ "$output" == *"A is set more than once"* ]]
    [[ "$output" == *"in B;"* && "$output" == *"in C;"* && "$output" != *"in D;"* ]]
    [[ "$output" != *canary* && "$output" != *systemd* ]]
    [ "$(LC_ALL=ru_RU.UTF-8 warn_of_settings 2>&1 | grep -c "одинарные кавычки")" -eq 2 ]
    env_set MODE systemd
    run warn_of_settings
    [[ "$output" == *"systemd does not read A"* && "$output" != *Compose* ]]
    settings 'A=1\n'
    [ -z "$(warn_of_settings 2>&1)" ]
}

@test "other names are passed on to the masking site unless it is chosen that they are not" {
    settle
    [ "$(env_get OTHER_NAMES)" = mask ]
    grep -qF 'OTHER_NAMES: ${OTHER_NAMES:-mask}' "$ROOT/deploy/docker-compose.yml"
    forget
    OTHER_NAMES=close
    settle
    forget
    settle
    [ "$(env_get OTHER_NAMES)" = close ]
}

@test "where the masking site is reached is a host and a port, and is remembered until it is none" {
    for good in 172.29.43.1:8444 site.example:443 '[2001:db8::1]:8444' localhost:1; do is_site "$good"; done
    for bad in "" site.example site.example:0 :443 'a b:1' 'x"y:1' '$x:1' 2001:db8::1:8444; do refuses is_site "$bad"; done
    MASK_SITE=nonsense PROXY_HOST=192.0.2.1 TLS_DOMAIN=mask.example run choose
    [ "$status" -eq 1 ]
    [[ "$output" == *"not HOST:PORT"* ]]
    MASK_SITE=10.0.0.7:443
    settle
    unset MASK_SITE
    forget
    settle
    [ "$(env_get MASK_SITE)" = 10.0.0.7:443 ]
    MASK_SITE=none
    settle
    [ -z "$(env_get MASK_SITE)" ]
}

@test "a fresh installation says where containers reach the machine, and an older one keeps what its engine chose" {
    fake_docker "panel:local"
    settle
    [ "$(env_get FRONT_GATEWAY)" = 172.29.43.1 ]
    grep -qF 'gateway: ${FRONT_GATEWAY:-}' "$ROOT/deploy/docker-compose.yml"
    env_unset FRONT_GATEWAY
    forget
    settle
    [ -z "$(env_get FRONT_GATEWAY)" ]
    rm "$INSTALL_DIR/.env"
    MODE=systemd
    write_settings
    [ -z "$(env_get FRONT_GATEWAY)" ]
}
