#!/usr/bin/env bats
# The program and its files.

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
