#!/usr/bin/env bats
# The installer's functions, each by itself. Nothing here needs root or Docker.

setup() {
    export INSTALL_DIR=$BATS_TEST_TMPDIR/mtpannel LC_ALL=C.UTF-8 MTPANNEL_YES=1
    mkdir -p "$INSTALL_DIR/config"
    # shellcheck source=install.sh
    . "$BATS_TEST_DIRNAME/../../install.sh"
}

# bats takes a negated command for passed, whatever it says.
refuses() { if "$@"; then return 1; fi; }

@test "sourcing it runs nothing" {
    run bash -c ". '$BATS_TEST_DIRNAME/../../install.sh'"
    [ "$status" -eq 0 ]
    [ -z "$output" ]
}

@test "piped into bash it runs" {
    run bash -c "bash -s -- help <'$BATS_TEST_DIRNAME/../../install.sh'"
    [ "$status" -eq 0 ]
    [[ "$output" == *change-domain* ]]
}

@test "an unknown command ends with 2 and the usage" {
    run main frobnicate
    [ "$status" -eq 2 ]
    [[ "$output" == *uninstall* ]]
}

@test "it speaks Russian in a Russian locale and English elsewhere" {
    LC_ALL=ru_RU.UTF-8 run say yes да
    [ "$output" = да ]
    LC_ALL=de_DE.UTF-8 run say yes да
    [ "$output" = yes ]
}

@test "without a terminal a question takes the environment, then the default" {
    ANSWER=given
    ask ANSWER default question вопрос
    [ "$ANSWER" = given ]
    ANSWER=""
    ask ANSWER default question вопрос
    [ "$ANSWER" = default ]
}

@test "without a terminal a password is made" {
    ADMIN_PASS=""
    ask_password ADMIN_PASS question вопрос
    [[ "$ADMIN_PASS" =~ ^[0-9a-f]{24}$ ]]
}

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
}

@test "yes is yes in both languages, and everything else is no" {
    is_yes y && is_yes YES && is_yes да && refuses is_yes "" && refuses is_yes n && refuses is_yes yesterday
}

@test "answers that do not fit are refused before anything is written" {
    PROXY_PORT=0 run choose
    [ "$status" -ne 0 ]
    PROXY_HOST='a b' run choose
    [ "$status" -ne 0 ]
    TLS_DOMAIN=same.example PANEL_DOMAIN=same.example run choose
    [ "$status" -ne 0 ]
    [ ! -f "$INSTALL_DIR/.env" ]
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
    PROXY_HOST=192.0.2.1 TLS_DOMAIN=mask.example
    choose
    write_settings
    before=$(sort "$INSTALL_DIR/.env")
    choose
    write_settings
    [ "$(sort "$INSTALL_DIR/.env")" = "$before" ]
}

@test "too little disk is refused" {
    check_disk 1
    run check_disk 999999999
    [ "$status" -ne 0 ]
}

@test "a port that is taken is seen" {
    python3 - "$BATS_TEST_TMPDIR/port" <<'PYTHON' &
import socket, sys, time
taken = socket.socket()
taken.bind(("127.0.0.1", 0))
taken.listen()
open(sys.argv[1] + ".new", "w").write(str(taken.getsockname()[1]))
__import__("os").rename(sys.argv[1] + ".new", sys.argv[1])
time.sleep(60)
PYTHON
    holder=$!
    until [ -f "$BATS_TEST_TMPDIR/port" ]; do kill -0 "$holder"; done
    run port_is_taken "$(cat "$BATS_TEST_TMPDIR/port")"
    kill "$holder"
    [ "$status" -eq 0 ]
}

@test "the router is the only one whose PROXY header is believed" {
    result=$(printf '[server]\nport = 1234\n[server.api]\nenabled = true\n' | with_proxy_protocol 172.29.43.2)
    [ "$(grep -c '^proxy_protocol = true' <<<"$result")" -eq 1 ]
    [[ "$result" == *'proxy_protocol_trusted_cidrs = ["172.29.43.2/32"]'*'port = 1234'*'[server.api]'* ]]
}

@test "the masking domain changes in its section only, and the file keeps its mode" {
    file=$INSTALL_DIR/config/config.toml
    printf '# tls_domain = "a"\n[other]\ntls_domain = "keep"\n[censorship]\ntls_domain = "old.example" # x\nmask = true\n[access]\ntls_domain = "keep"\n' >"$file"
    chmod 640 "$file"
    set_masking_domain "$file" new.example
    set_masking_domain "$file" new.example
    [ "$(cat "$file")" = "$(printf '# tls_domain = "a"\n[other]\ntls_domain = "keep"\n[censorship]\ntls_domain = "new.example"\nmask = true\n[access]\ntls_domain = "keep"')" ]
    [ "$(stat -c %a "$file")" = 640 ]
    [ ! -e "$file.new" ]
}

@test "a text becomes a JSON string" {
    [ "$(json_string 'a"b\c')" = '"a\"b\\c"' ]
}

@test "commands on a machine without mtpannel say so and fail" {
    for command in status logs backup uninstall update reset-password; do
        run main "$command"
        [ "$status" -eq 1 ]
        [[ "$output" == *"nothing is installed"* ]]
    done
}

@test "uninstall says no by itself" {
    env_set MODE docker
    run do_uninstall --data
    [ "$status" -eq 1 ]
    [ -f "$INSTALL_DIR/.env" ]
}

@test "a domain that is none, or the panel's, is not taken as the masking domain" {
    env_set PANEL_DOMAIN panel.example
    run do_change_domain 'x;id'
    [ "$status" -eq 1 ]
    run do_change_domain panel.example
    [ "$status" -eq 1 ]
}

# settle: chooses and writes what a fresh machine needs.
settle() {
    PROXY_HOST=192.0.2.1 TLS_DOMAIN=mask.example
    choose
    write_settings
}

# As on the next run, which knows what was written and nothing else.
forget() { unset PANEL PROXY_KIND PANEL_DOMAIN OTHER_NAMES IMAGES ADMIN_USER PROXY_HOST PROXY_PORT TLS_DOMAIN; }

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

@test "without the panel the configuration has one user, and the link is his" {
    PANEL=n PROXY_PORT=8443
    settle
    plain_config | with_proxy_protocol 172.29.43.2 >"$INSTALL_DIR/config/config.toml"
    secret=$(python3 - "$INSTALL_DIR/config/config.toml" <<'PYTHON'
import sys, tomllib
config = tomllib.load(open(sys.argv[1], "rb"))
assert config["censorship"]["tls_domain"] == "mask.example"
assert config["server"]["proxy_protocol"] is True
assert config["general"]["links"]["public_port"] == 8443
assert list(config["access"]["users"]) == ["first"]
print(config["access"]["users"]["first"])
PYTHON
    )
    [[ "$secret" =~ ^[0-9a-f]{32}$ ]]
    [ "$(link_of_first)" = "tg://proxy?server=192.0.2.1&port=8443&secret=ee${secret}6d61736b2e6578616d706c65" ]
}

@test "without the panel there is no password to reset, and a backup holds no database" {
    PANEL=n
    settle
    mkdir -p "$INSTALL_DIR/acme"
    plain_config >"$INSTALL_DIR/config/config.toml"
    run do_reset_password
    [ "$status" -eq 1 ]
    archive=$(make_backup)
    [ "$(stat -c %a "$archive")" = 600 ]
    tar -tzf "$archive" | sort >"$BATS_TEST_TMPDIR/list"
    [ "$(tr '\n' ' ' <"$BATS_TEST_TMPDIR/list")" = ".env acme/ config/ config/config.toml " ]
}

# A docker that has the images in $HERE and writes down what it is asked to do.
fake_docker() {
    docker() {
        if [ "$1 $2" = "image inspect" ]; then
            [[ " $HERE " == *" $3 "* ]]
        else
            echo "$*" >>"$BATS_TEST_TMPDIR/asked"
        fi
    }
    : >"$BATS_TEST_TMPDIR/asked"
}

@test "telemt is pulled when it is missing or another version is wanted, and never over an image that was brought" {
    fake_docker
    HERE=telemt:local TELEMT_IMAGE=telemt.example:2
    make_telemt_image
    env_set TELEMT_IMAGE telemt.example:2
    make_telemt_image
    [ ! -s "$BATS_TEST_TMPDIR/asked" ]
    env_set TELEMT_IMAGE telemt.example:1
    make_telemt_image
    [ "$(cat "$BATS_TEST_TMPDIR/asked")" = "pull --quiet telemt.example:2
tag telemt.example:2 telemt:local" ]
    [ "$(env_get TELEMT_IMAGE)" = telemt.example:2 ]
    fake_docker
    HERE=""
    make_telemt_image
    grep -q '^pull' "$BATS_TEST_TMPDIR/asked"
}

@test "what a failed update replaced comes back" {
    fake_docker
    HERE="panel:local panel:previous"
    mkdir "$INSTALL_DIR/traefik"
    echo old >"$INSTALL_DIR/docker-compose.yml"
    echo old >"$INSTALL_DIR/traefik/traefik.yml"
    keep_parts
    echo new >"$INSTALL_DIR/docker-compose.yml"
    echo new >"$INSTALL_DIR/traefik/traefik.yml"
    bring_back_parts
    [ "$(cat "$INSTALL_DIR/docker-compose.yml" "$INSTALL_DIR/traefik/traefik.yml")" = "old
old" ]
    [ "$(cat "$BATS_TEST_TMPDIR/asked")" = "tag panel:local panel:previous
tag panel:previous panel:local" ]
}

@test "add-panel says what it needs where the panel is already" {
    PANEL=y
    settle
    touch "$INSTALL_DIR/.complete"
    run do_add_panel
    [ "$status" -eq 1 ]
    [[ "$output" == *"add-panel DOMAIN"* ]]
    run do_add_panel mask.example
    [ "$status" -eq 1 ]
}
