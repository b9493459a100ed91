# shellcheck shell=bash disable=SC2034,SC2153 # names in capitals are shared by all parts
# The running installation: start, stop, wait, and the panel's command line.

# panel_cli ARGUMENTS: runs a command of the program, whether or not the panel runs.
panel_cli() {
    if uses_docker; then
        # The panel refuses a secret that was written into .env in the meantime.
        move_secrets
        compose run --rm --no-deps -T panel "$@"
    else
        (
            local name
            while IFS= read -r name; do export "$name=$(env_get "$name")"; done < <(setting_names)
            as_owner data "$BINARY" "$@"
        )
    fi
}

# Prints the path of the data folder as the panel sees it.
panel_data() { if uses_docker; then echo /app/data; else echo "$INSTALL_DIR/data"; fi; }

# Prints the address at which this machine reaches the panel, with the base path.
panel_url() {
    local address
    if uses_docker; then
        address=$(env_get PANEL_BIND)
        address=${address:-127.0.0.1}:8080
    else
        address=$(env_get LISTEN)
    fi
    address=${address/#0.0.0.0:/127.0.0.1:}
    echo "http://${address/#'[::]:'/[::1]:}$(env_get BASE_PATH)"
}

# Compose does not notice changes in mounted files, so a checksum of Traefik's files is a label of its container.
note_traefik_files() {
    local sum
    sum=$(cat "$INSTALL_DIR"/traefik/*.yml | sha256sum)
    env_set TRAEFIK_FILES "${sum%% *}"
}

# Starts the containers. The engine may still work for a killed run and hold the name of a container, so it is tried again.
start_containers() {
    local said status
    said=$(mktemp)
    for _ in {1..12}; do
        status=0
        compose up --detach --wait --wait-timeout "${START_TIMEOUT:-180}" --remove-orphans 2>&1 | tee "$said" || status=$?
        grep -q "is already in use by container" "$said" || break
        sleep 5
    done
    rm "$said"
    return "$status"
}

start() {
    warn_of_settings
    if uses_docker; then
        note_traefik_files
        start_containers
    else
        systemctl enable --quiet mtpannel
        systemctl restart mtpannel
        wait_for_panel
    fi
}

stop() { if uses_docker; then compose stop; else systemctl stop mtpannel; fi; }

is_ready() { curl -sf --max-time 2 -o /dev/null "$(panel_url)/health/ready"; }

wait_for_panel() {
    local until=$((SECONDS + ${START_TIMEOUT:-180}))
    until is_ready; do
        ((SECONDS < until)) || die "the panel does not answer; see: $INSTALL_DIR/install.sh logs" \
            "панель не отвечает; смотрите: $INSTALL_DIR/install.sh logs"
        sleep 1
    done
}
