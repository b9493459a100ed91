#!/usr/bin/env bats
# The first config.toml, and another masking domain in one that is there.

load common

# An installation of telemt without the program.
settle_telemt() {
    fake_docker ""
    PANEL=n PROXY_KIND=telemt PROXY_PORT=8443
    settle
    refuses has_program
}

@test "the program is there with the panel, with its own proxy, and as a service" {
    env_set MODE docker
    env_set COMPOSE_PROFILES telemt
    refuses has_program
    for profiles in telemt,panel builtin builtin,panel; do
        env_set COMPOSE_PROFILES "$profiles"
        has_program
    done
    env_set MODE systemd
    env_set COMPOSE_PROFILES ""
    has_program
}

@test "the first configuration is written once, by the program" {
    fake_docker ""
    fake_panel '[ "$name" != template ] || echo "[server]"'
    PANEL=y
    settle
    env_set TRAEFIK_ADDRESS 172.30.0.2
    write_first_config
    file=$INSTALL_DIR/config/config.toml
    [ "$(cat "$file")" = "[server]" ]
    [ "$(stat -c %a "$file")" = 640 ]
    grep -qx "panel config template --router 172.30.0.2" "$ASKED"
    echo mine >"$file"
    write_first_config
    [ "$(cat "$file")" = mine ]
    grep -qx "panel config set-domain mask.example" "$ASKED"
}

@test "a program that cannot make the first configuration leaves none" {
    fake_docker ""
    fake_panel 'return 1'
    PANEL=y
    settle
    run strictly write_first_config
    [ "$status" -ne 0 ]
    [ ! -e "$INSTALL_DIR/config/config.toml" ]
}

@test "a configuration that is there gets the chosen domain, and a file that cannot be changed is told" {
    fake_docker ""
    fake_panel '[ "$3" != none.example ]'
    PANEL=y MASK_SITE=10.0.0.7:8444
    settle
    touch "$INSTALL_DIR/config/config.toml"
    run write_first_config
    [ "$output" = "" ]
    asked "panel config set-domain mask.example --mask-site 10.0.0.7:8444"
    env_set TLS_DOMAIN none.example
    run write_first_config
    [ "$status" -eq 0 ]
    [[ "$output" == *"set tls_domain in"* ]]
}

@test "the first configuration names the masking site, also of a service, whose panel would not write it" {
    fake_docker ""
    fake_panel '[ "$name" != template ] || echo "[server]"'
    file=$INSTALL_DIR/config/config.toml
    PANEL=y MASK_SITE=10.0.0.7:8444
    settle
    write_first_config
    asked "panel config template --router 172.29.43.2 --mask-site 10.0.0.7:8444"
    rm "$file"
    env_set MODE systemd
    write_first_config
    grep -qx "panel config template --mask-site 10.0.0.7:8444" "$ASKED"
    rm "$file"
    env_set MASK_SITE ""
    write_first_config
    [ ! -e "$file" ]
}

# first_user FILE: checks what a proxy without the panel needs, and prints the secret of its user.
first_user() {
    python3 - "$1" <<'PYTHON'
import sys, tomllib
config = tomllib.load(open(sys.argv[1], "rb"))
assert config["censorship"]["tls_domain"] == "mask.example"
assert config["server"]["proxy_protocol"] is True
assert config["server"]["proxy_protocol_trusted_cidrs"] == ["172.29.43.2/32"]
assert config["general"]["links"]["public_port"] == 8443
assert config["censorship"].get("mask_host") in (None, "10.0.0.7")
assert list(config["access"]["users"]) == ["first"]
print(config["access"]["users"]["first"])
PYTHON
}

@test "telemt alone gets the program's template with one user, and the link is theirs" {
    settle_telemt
    fake_panel 'return 1'
    write_first_config
    secret=$(first_user "$INSTALL_DIR/config/config.toml")
    [[ "$secret" =~ ^[0-9a-f]{32}$ ]]
    [ "$(link_of_first)" = "tg://proxy?server=192.0.2.1&port=8443&secret=ee${secret}6d61736b2e6578616d706c65" ]
    [ "$(stat -c %a "$INSTALL_DIR/config/config.toml")" = 640 ]
    rm "$INSTALL_DIR/config/config.toml"
    env_set MASK_SITE 10.0.0.7:8444
    write_first_config
    first_user "$INSTALL_DIR/config/config.toml"
    grep -qx 'mask_port = 8444' "$INSTALL_DIR/config/config.toml"
}

@test "the built-in proxy alone gets one user, too" {
    fake_docker ""
    fake_panel 'cat "$ROOT/crates/core/src/template.toml"'
    PANEL=n PROXY_KIND=builtin IMAGES=panel:local
    settle
    write_first_config
    grep -qE '^first = "[0-9a-f]{32}"$' "$INSTALL_DIR/config/config.toml"
}

@test "without the program the masking domain changes in its section only, and the file keeps its mode" {
    settle_telemt
    file=$INSTALL_DIR/config/config.toml
    printf '# tls_domain = "a"\n[other]\ntls_domain = "keep"\n[censorship]\ntls_domain = "old.example" # x\nmask = true\n[access]\ntls_domain = "keep"\n' >"$file"
    chmod 640 "$file"
    set_masking_domain new.example
    set_masking_domain new.example
    [ "$(cat "$file")" = "$(printf '# tls_domain = "a"\n[other]\ntls_domain = "keep"\n[censorship]\ntls_domain = "new.example"\nmask = true\n[access]\ntls_domain = "keep"')" ]
    [ "$(stat -c %a "$file")" = 640 ]
    [ ! -e "$file.new" ]
}

@test "without the program a file without a masking domain in its section stays as it is" {
    settle_telemt
    file=$INSTALL_DIR/config/config.toml
    printf 'censorship = { tls_domain = "old.example" }\n' >"$file"
    refuses set_masking_domain new.example
    [ "$(cat "$file")" = 'censorship = { tls_domain = "old.example" }' ]
    [ ! -e "$file.new" ]
}

@test "without the program where the masking site is reached is written beside its domain, changed with it, and taken away" {
    settle_telemt
    file=$INSTALL_DIR/config/config.toml
    printf '[other]\nmask_port = 1\n[censorship]\nmask_host = "x" # old\ntls_domain = "old.example"\nmask_port = 443\nmask = true\n' >"$file"
    set_masking_domain new.example 10.0.0.7:8444
    set_masking_domain new.example 10.0.0.7:8444
    [ "$(cat "$file")" = "$(printf '[other]\nmask_port = 1\n[censorship]\ntls_domain = "new.example"\nmask_host = "10.0.0.7"\nmask_port = 8444\nmask = true')" ]
    set_masking_domain new.example '[2001:db8::1]:8444'
    grep -qxF 'mask_host = "2001:db8::1"' "$file"
    set_masking_domain old.example none
    [ "$(cat "$file")" = "$(printf '[other]\nmask_port = 1\n[censorship]\ntls_domain = "old.example"\nmask_port = 443\nmask = true')" ]
}
