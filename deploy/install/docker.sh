# shellcheck shell=bash disable=SC2034,SC2153 # names in capitals are shared by all parts
# Docker, Compose and the images. A new image is NAME:new, and becomes NAME:local when all parts are ready.

TELEMT_IMAGE=${TELEMT_IMAGE:-ghcr.io/telemt/telemt:3.4.25}

# is_new_enough VERSION: 2.20 is the first Compose that knows `required` in depends_on.
is_new_enough() {
    [[ "$1" =~ ^v?([0-9]+)\.([0-9]+) ]] && ((BASH_REMATCH[1] > 2 || (BASH_REMATCH[1] == 2 && BASH_REMATCH[2] >= 20)))
}

# Prints the command of a Compose that is new enough.
compose_command() {
    local command
    for command in "docker compose" docker-compose; do
        if is_new_enough "$($command version --short 2>/dev/null)"; then
            echo "$command"
            return
        fi
    done
    return 1
}

# Prints the names of the variables of the compose file and of Compose itself.
compose_names() {
    grep -oE '\$\{[A-Z_]+' "$INSTALL_DIR/docker-compose.yml" | cut -c 3- | sort -u
    printf '%s\n' COMPOSE_PROFILES COMPOSE_FILE COMPOSE_PROJECT_NAME
}

# compose ARGUMENTS: runs Compose with the settings of .env alone. The environment would take precedence, and may be left from
# another run.
compose() (
    local command
    command=$(compose_command) || die "Docker Compose 2.20 or newer is needed" "нужен Docker Compose 2.20 или новее"
    # shellcheck disable=SC2046 # names, one a word
    unset $(compose_names)
    cd "$INSTALL_DIR" || exit
    $command "$@"
)

os_release() { sed -n "s/^$1=//p" /etc/os-release | tr -d '"'; }

# missing_packages IMAGES: prints the packages of download.docker.com that are missing. An engine that is installed already,
# from whatever source, is not replaced.
missing_packages() {
    if ! command -v docker >/dev/null; then
        echo docker-ce docker-ce-cli containerd.io docker-buildx-plugin docker-compose-plugin
        return
    fi
    compose_command >/dev/null || echo docker-compose-plugin
    if [[ "$1" == build ]] && ! docker buildx version >/dev/null 2>&1; then echo docker-buildx-plugin; fi
}

apt_get() { DEBIAN_FRONTEND=noninteractive apt-get -qq -o DPkg::Lock::Timeout=300 "$@"; }

# install_docker IMAGES: installs the missing packages, and checks that Docker works.
install_docker() {
    local packages id codename
    packages=$(missing_packages "$1" | tr '\n' ' ')
    if [[ -n "$packages" ]]; then
        ask INSTALL_DOCKER y "Install from download.docker.com: $packages? (y/N)" "Установить с download.docker.com: $packages? (y/N)"
        is_yes "$INSTALL_DOCKER" || die "these are needed: $packages" "без этого не обойтись: $packages"
        id=$(os_release ID)
        codename=$(os_release VERSION_CODENAME)
        [[ "$id" =~ ^(debian|ubuntu)$ ]] || die "on $id install by hand: $packages" "на $id установите сами: $packages"
        add_docker_repository "$id" "$codename"
        # shellcheck disable=SC2086 # a list of packages
        apt_get install -y $packages
    fi
    docker info >/dev/null 2>&1 || die "Docker does not work; see: systemctl status docker" \
        "Docker не работает; смотрите: systemctl status docker"
}

# add_docker_repository ID CODENAME
add_docker_repository() {
    install -d -m 755 /etc/apt/keyrings
    curl -fsSL "https://download.docker.com/linux/$1/gpg" -o /etc/apt/keyrings/docker.asc
    echo "deb [signed-by=/etc/apt/keyrings/docker.asc] https://download.docker.com/linux/$1 $2 stable" \
        >/etc/apt/sources.list.d/docker.list
    chmod 644 /etc/apt/keyrings/docker.asc /etc/apt/sources.list.d/docker.list
    apt_get update
}

has_image() { docker image inspect "$1" >/dev/null 2>&1; }

make_images() {
    local profiles
    profiles=$(env_get COMPOSE_PROFILES)
    [[ "$profiles" == telemt ]] || make_panel_image
    [[ "$profiles" != telemt* ]] || make_telemt_image
}

make_panel_image() {
    local image
    image=$(env_get IMAGES)
    if [[ "$image" == build ]]; then
        DOCKER_BUILDKIT=1 docker build --file "$SOURCE/deploy/Dockerfile" --tag panel:new "$SOURCE"
    elif [[ "$image" != panel:local ]]; then
        docker pull --quiet "$image"
        docker tag "$image" panel:new
    elif ! has_image panel:local; then
        die "there is no image panel:local" "нет образа panel:local"
    fi
}

# An image that the operator has loaded is kept. One that was pulled is replaced when this script names another one.
make_telemt_image() {
    local pulled
    pulled=$(env_get TELEMT_IMAGE)
    if has_image telemt:local && [[ -z "$pulled" || "$pulled" == "$TELEMT_IMAGE" ]]; then return; fi
    docker pull --quiet "$TELEMT_IMAGE"
    docker tag "$TELEMT_IMAGE" telemt:new
}

use_images() {
    if has_image telemt:new; then env_set TELEMT_IMAGE "$TELEMT_IMAGE"; fi
    tag_images new local
    docker image rm {panel,telemt}:new >/dev/null 2>&1 || true
}

# tag_images FROM TO: tags each image that exists.
tag_images() {
    local name
    for name in panel telemt; do
        ! has_image "$name:$1" || docker tag "$name:$1" "$name:$2"
    done
}

# Prints the images that this script has built or pulled, without those that the operator has loaded.
own_images() {
    local image
    printf '%s\n' {panel,telemt}:{new,previous}
    image=$(env_get IMAGES)
    [[ "$image" == panel:local ]] || echo panel:local
    [[ -z "$image" || "$image" =~ ^(build|panel:local)$ ]] || echo "$image"
    image=$(env_get TELEMT_IMAGE)
    [[ -z "$image" ]] || printf '%s\n' telemt:local "$image"
}
