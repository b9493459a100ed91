#!/usr/bin/env bats
# The program, its files, and the first config.toml.

load common

@test "data belongs to the user of the images or of the service" {
    env_set MODE docker
    [ "$(owner)" = 65532:65532 ]
    env_set MODE systemd
    [ "$(owner)" = mtpannel:mtpannel ]
}

@test "the program is made beside the one that runs, and put into its place later" {
    env_set MODE systemd
    echo old >"$BINARY"
    echo new >"$BATS_TEST_TMPDIR/built"
    MTPANNEL_BIN=$BATS_TEST_TMPDIR/built
    make_parts
    [ "$(cat "$BINARY")" = old ]
    use_parts
    [ "$(cat "$BINARY")" = new ]
    [ -x "$BINARY" ]
}

@test "without a program that was built it is built from the sources" {
    SOURCE=$BATS_TEST_TMPDIR/source
    mkdir -p "$SOURCE/target/release"
    fake make
    fake cargo 'echo built >"$(dirname "${@: -1}")/target/release/mtpannel"'
    make_binary
    [ "$(cat "$BINARY.new")" = built ]
    asked "make -C $SOURCE web"
}

@test "files for containers are written, and the copy of the installer beside them" {
    fake_docker ""
    env_set MODE docker
    write_files
    write_files
    cmp "$ROOT/deploy/docker-compose.yml" "$INSTALL_DIR/docker-compose.yml"
    cmp "$ROOT/deploy/traefik/dynamic.yml" "$INSTALL_DIR/traefik/dynamic.yml"
    cmp "$ROOT/install.sh" "$INSTALL_DIR/install.sh"
    diff -r "$ROOT/deploy/install" "$INSTALL_DIR/deploy/install"
    [ "$(env_get SOURCE_DIR)" = "$ROOT" ]
    [ "$(env_get NOFILE)" = "$(descriptors)" ]
    for folder in config data acme; do asked "chown -h 65532:65532 $INSTALL_DIR/$folder"; done
}

@test "the service is written for its folder" {
    fake systemctl
    fake useradd
    fake chown
    fake id '[ "$1" != -u ] || echo 0; [ "$1" != mtpannel ]'
    env_set MODE systemd
    write_files
    grep -qx "EnvironmentFile=$INSTALL_DIR/.env" "$UNIT"
    grep -q "^ReadWritePaths=$INSTALL_DIR/data " "$UNIT"
    asked "useradd --system .* mtpannel"
    asked "systemctl daemon-reload"
}

@test "a container gets no more descriptors than the machine allows" {
    [ "$(ulimit -n 1000 && descriptors)" = 1000 ]
    ulimit() { echo unlimited; }
    [ "$(descriptors)" = 524288 ]
}

@test "the router is the only one whose PROXY header is believed" {
    result=$(printf '[server]\nport = 1234\n[server.api]\nenabled = true\n' | with_proxy_protocol 172.29.43.2)
    [ "$(grep -c '^proxy_protocol = true' <<<"$result")" -eq 1 ]
    [[ "$result" == *'proxy_protocol_trusted_cidrs = ["172.29.43.2/32"]'*'port = 1234'*'[server.api]'* ]]
}

@test "the first configuration is written once, by the panel where there is one" {
    fake_docker ""
    fake_panel 'if [ "$command" = config ]; then printf "[server]\nport = 1234\n"; fi'
    PANEL=y
    settle
    env_set TRAEFIK_ADDRESS 172.30.0.2
    write_first_config
    file=$INSTALL_DIR/config/config.toml
    grep -qx 'proxy_protocol_trusted_cidrs = \["172.30.0.2/32"\]' "$file"
    [ "$(stat -c %a "$file")" = 640 ]
    asked "panel migrate"
    echo mine >"$file"
    write_first_config
    [ "$(cat "$file")" = mine ]
}

@test "a configuration that is there keeps what it says but the domain, which is the chosen one" {
    settle
    file=$INSTALL_DIR/config/config.toml
    printf '# mine\n[censorship]\ntls_domain = "mask.example" # here\n' >"$file"
    write_first_config
    [ "$(cat "$file")" = "$(printf '# mine\n[censorship]\ntls_domain = "mask.example" # here')" ]
    env_set TLS_DOMAIN new.example
    write_first_config
    [ "$(cat "$file")" = "$(printf '# mine\n[censorship]\ntls_domain = "new.example"')" ]
}

@test "a panel that cannot write the first configuration leaves none" {
    fake_docker ""
    fake_panel 'return 1'
    PANEL=y
    settle
    run strictly write_first_config
    [ "$status" -ne 0 ]
    [ ! -e "$INSTALL_DIR/config/config.toml" ]
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

@test "the masking domain changes in its section only, and the file keeps its mode" {
    file=$INSTALL_DIR/config/config.toml
    printf '# tls_domain = "a"\n[other]\ntls_domain = "keep"\n[censorship]\ntls_domain = "old.example" # x\nmask = true\n[access]\ntls_domain = "keep"\n' >"$file"
    chmod 640 "$file"
    set_masking_domain new.example
    set_masking_domain new.example
    [ "$(cat "$file")" = "$(printf '# tls_domain = "a"\n[other]\ntls_domain = "keep"\n[censorship]\ntls_domain = "new.example"\nmask = true\n[access]\ntls_domain = "keep"')" ]
    [ "$(stat -c %a "$file")" = 640 ]
    [ ! -e "$file.new" ]
}

@test "a file without a masking domain in its section stays as it is" {
    file=$INSTALL_DIR/config/config.toml
    printf 'censorship = { tls_domain = "old.example" }\n' >"$file"
    refuses set_masking_domain new.example
    [ "$(cat "$file")" = 'censorship = { tls_domain = "old.example" }' ]
    [ ! -e "$file.new" ]
}

@test "where the masking site is reached is written beside its domain, changed with it, and taken away" {
    file=$INSTALL_DIR/config/config.toml
    printf '[other]\nmask_port = 1\n[censorship]\nmask_host = "x" # old\ntls_domain = "old.example"\nmask_port = 443\nmask = true\n' >"$file"
    set_masking_domain new.example 10.0.0.7:8444
    set_masking_domain new.example 10.0.0.7:8444
    [ "$(cat "$file")" = "$(printf '[other]\nmask_port = 1\n[censorship]\ntls_domain = "new.example"\nmask_host = "10.0.0.7"\nmask_port = 8444\nmask = true')" ]
    set_masking_domain new.example '[2001:db8::1]:8444'
    grep -qxF 'mask_host = "2001:db8::1"' "$file"
    set_masking_domain old.example -
    [ "$(cat "$file")" = "$(printf '[other]\nmask_port = 1\n[censorship]\ntls_domain = "old.example"\nmask_port = 443\nmask = true')" ]
}

@test "the first configuration names the masking site, also of a service, whose panel would not write it" {
    fake_panel 'if [ "$command" = config ]; then printf "[server]\nport = 1234\n[censorship]\ntls_domain = \"mask.example\"\nmask_port = 443\n"; fi'
    file=$INSTALL_DIR/config/config.toml
    PANEL=y MASK_SITE=10.0.0.7:8444
    settle
    write_first_config
    grep -qx 'mask_port = 8444' "$file"
    grep -qx 'proxy_protocol = true' "$file"
    rm "$file"
    env_set MODE systemd
    write_first_config
    grep -qx 'mask_host = "10.0.0.7"' "$file"
    refuses grep proxy_protocol "$file"
    rm "$file"
    env_set MASK_SITE ""
    write_first_config
    [ ! -e "$file" ]
}
