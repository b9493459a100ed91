#!/usr/bin/env bats
# Docker, Compose and the images.

load common

@test "Compose is good from 2.20 on" {
    for good in 2.20.0 v2.24.5 2.100.1 5.6.1; do is_new_enough $good; done
    for bad in "" 1.29.2 2.19.9 v2.2.20 docker; do refuses is_new_enough "$bad"; done
}

@test "Compose is the plugin, or the program where the plugin is too old" {
    fake docker 'echo 2.24.0'
    fake docker-compose 'echo 1.29.2'
    [ "$(compose_command)" = "docker compose" ]
    fake docker 'echo 2.17.2'
    refuses compose_command
    fake docker-compose 'echo 5.6.1'
    [ "$(compose_command)" = docker-compose ]
}

@test "Compose is not misled by the environment" {
    fake_docker ""
    printf 'services: {x: {image: "${SOME_NAME:-a}", user: "${OTHER:?}"}}\n' >"$INSTALL_DIR/docker-compose.yml"
    [ "$(compose_names | tr '\n' ' ')" = "OTHER SOME_NAME COMPOSE_PROFILES COMPOSE_FILE COMPOSE_PROJECT_NAME " ]
    fake docker 'if [ "$2" = version ]; then echo 2.24.0; else echo "$PWD ${SOME_NAME-unset} ${COMPOSE_PROFILES-unset} ${KEPT-unset}"; fi'
    export SOME_NAME=x COMPOSE_PROFILES=y KEPT=z
    [ "$(compose up)" = "$INSTALL_DIR unset unset z" ]
}

@test "every setting of the panel that is no other's can be set for its container" {
    names=$(sed -n 's/^| `\([A-Z_]*\)`.*/\1/p' "$ROOT/README.md")
    [ -n "$names" ]
    for name in $names; do
        # These say where things are in a container.
        case $name in LISTEN | PROXY | TELEMT_CONFIG_PATH | PANEL_METRICS_LISTEN) continue ;; esac
        grep -q "^      $name: .*\${$name" "$ROOT/deploy/docker-compose.yml" || {
            echo "$name is not passed on"
            return 1
        }
    done
}

@test "an engine that is here is not replaced; only what is missing is installed" {
    fake docker 'exit 1'
    fake docker-compose 'exit 1'
    [ "$(missing_packages build | tr '\n' ' ')" = "docker-compose-plugin docker-buildx-plugin " ]
    [ "$(missing_packages panel:local)" = docker-compose-plugin ]
    fake docker 'echo 2.24.0'
    [ -z "$(missing_packages build)" ]
    rm "$FAKES/docker"
    [[ "$(PATH=$FAKES:/bin/nothing missing_packages build)" == *docker-ce\ * ]]
}

@test "Docker is installed after a yes, from its own repository" {
    add_docker_repository() { echo "repository $*" >>"$ASKED"; }
    apt_get() { echo "apt $*" >>"$ASKED"; }
    os_release() { if [ "$1" = ID ]; then echo debian; else echo bookworm; fi; }
    fake docker '[ "$1" = info ]'
    fake docker-compose 'exit 1'
    INSTALL_DOCKER=n run install_docker panel:local
    [ "$status" -eq 1 ]
    refuses asked apt
    INSTALL_DOCKER=y
    install_docker panel:local
    asked "repository debian bookworm"
    asked "apt install -y docker-compose-plugin"
    os_release() { echo fedora; }
    run install_docker panel:local
    [ "$status" -eq 1 ]
}

@test "an engine that does not run is told of" {
    fake docker '[ "$1" = compose ] && echo 2.24.0'
    run install_docker panel:local
    [ "$status" -eq 1 ]
    [[ "$output" == *"systemctl status docker"* ]]
}

@test "Docker's repository is added with its key" {
    fake curl 'echo key >"${@: -1}"'
    apt_get() { echo "apt $*" >>"$ASKED"; }
    # Where the list would go there is no such folder for whoever is not root.
    eval "$(declare -f add_docker_repository | sed "s#/etc/apt#$BATS_TEST_TMPDIR/apt#g")"
    mkdir -p "$BATS_TEST_TMPDIR/apt/sources.list.d"
    add_docker_repository ubuntu noble
    asked "curl -fsSL https://download.docker.com/linux/ubuntu/gpg"
    [ "$(stat -c %a "$BATS_TEST_TMPDIR/apt/keyrings/docker.asc")" = 644 ]
    grep -q "linux/ubuntu noble stable" "$BATS_TEST_TMPDIR/apt/sources.list.d/docker.list"
    asked "apt update"
}

@test "packages wait for whoever else installs some, and the system is known by its file" {
    fake apt-get
    apt_get install -y x
    asked "apt-get -qq -o DPkg::Lock::Timeout=300 install -y x"
    [ -n "$(os_release ID)" ]
}

@test "images are made by profile, and a running one is not replaced by that" {
    fake_docker "panel:local"
    env_set IMAGES build
    env_set COMPOSE_PROFILES telemt
    make_images
    refuses asked "docker build"
    asked "docker pull --quiet $TELEMT_IMAGE"
    : >"$ASKED"
    env_set COMPOSE_PROFILES builtin,panel
    make_images
    asked "docker build --file $ROOT/deploy/Dockerfile --tag panel:new $ROOT"
    refuses asked "docker pull"
    refuses asked "panel:local"
}

@test "the panel's image is built, pulled, or one that was brought, which has to be there" {
    fake_docker ""
    env_set IMAGES panel.example/panel:1
    make_panel_image
    asked "docker tag panel.example/panel:1 panel:new"
    env_set IMAGES panel:local
    run make_panel_image
    [ "$status" -eq 1 ]
    fake_docker "panel:local"
    make_panel_image
}

@test "telemt is pulled when it is missing or another version is wanted, and never over an image that was brought" {
    fake_docker telemt:local
    TELEMT_IMAGE=telemt.example:2
    make_telemt_image
    env_set TELEMT_IMAGE telemt.example:2
    make_telemt_image
    refuses asked "docker pull"
    env_set TELEMT_IMAGE telemt.example:1
    make_telemt_image
    asked "docker tag telemt.example:2 telemt:new"
    [ "$(env_get TELEMT_IMAGE)" = telemt.example:1 ]
    fake_docker "telemt:local telemt:new"
    use_images
    [ "$(env_get TELEMT_IMAGE)" = telemt.example:2 ]
    asked "docker tag telemt:new telemt:local"
    : >"$ASKED"
    fake_docker ""
    make_telemt_image
    asked "docker pull --quiet telemt.example:2"
}

@test "an image is tagged where it is here" {
    fake_docker panel:a
    tag_images a b
    asked "docker tag panel:a panel:b"
    refuses asked "docker tag telemt"
    has_image panel:a
    refuses has_image panel:b
}

@test "an image that was brought by hand is not removed" {
    env_set IMAGES panel:local
    [ "$(own_images | sort | tr '\n' ' ')" = "panel:new panel:previous telemt:new telemt:previous " ]
    env_set IMAGES panel.example/panel:1
    env_set TELEMT_IMAGE telemt.example:1
    for image in panel:local panel.example/panel:1 telemt:local telemt.example:1; do own_images | grep -x "$image"; done
}
