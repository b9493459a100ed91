#!/usr/bin/env bats
# Checks before anything is touched.

load common

# names NAME=ADDRESS...: what DNS says.
names() {
    export NAMES="$*"
    fake getent 'for pair in $NAMES; do [ "${pair%%=*}" != "$2" ] || { echo "${pair#*=} STREAM"; exit 0; }; done; exit 2'
}

@test "too little disk is refused, also where the folder is not there yet" {
    check_disk "$INSTALL_DIR/not/there" 1
    [ "$(existing_parent "$INSTALL_DIR/not/there")" = "$INSTALL_DIR" ]
    run check_disk "$INSTALL_DIR" 999999999
    [ "$status" -ne 0 ]
}

@test "images need their space where the engine keeps them" {
    fake_docker ""
    # df FOLDER: one megabyte free where the images are.
    MODE=docker
    fake df 'printf "head\nx x x 2000\n"'
    check_space panel.example/panel:1
    run check_space build
    [ "$status" -eq 1 ]
    asked "docker info"
    MODE=systemd
    check_space ""
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
    taken=$status
    run check_ports "$(cat "$BATS_TEST_TMPDIR/port")"
    kill "$holder"
    [ "$taken" -eq 0 ]
    [ "$status" -eq 1 ]
}

@test "a port that is wanted for two things is refused" {
    fake ss
    check_ports 443 8080
    run check_ports 8080 8080
    [ "$status" -eq 1 ]
    [[ "$output" == *twice* ]]
}

@test "the ports are those that the choices take" {
    PROXY_PORT=443
    [ "$(MODE=docker PANEL=y wanted_ports | tr '\n' ' ')" = "443 8080 " ]
    [ "$(MODE=docker PANEL=n wanted_ports | tr '\n' ' ')" = "443 " ]
    [ "$(MODE=systemd LISTEN='[::1]:8090' wanted_ports | tr '\n' ' ')" = "443 8090 9090 9100 " ]
}

@test "a name leads here by an address of the machine, by loopback, or by the address in the links" {
    fake hostname 'echo "10.0.0.5 2001:db8::5"'
    names here.example=10.0.0.5 six.example=2001:db8::5 loop.example=127.0.1.1 nat.example=203.0.113.5 proxy.example=203.0.113.5 far.example=198.51.100.1
    PROXY_HOST=proxy.example
    [ "$(addresses nat.example)" = 203.0.113.5 ]
    for name in here six loop nat; do leads_here $name.example; done
    refuses leads_here far.example
    refuses leads_here nowhere.example
}

@test "a masking domain that leads to this machine is refused on port 443" {
    fake hostname 'echo 192.0.2.1'
    names here.example=192.0.2.1 far.example=198.51.100.1
    PROXY_HOST=192.0.2.1
    run check_masking_domain here.example 443
    [ "$status" -eq 1 ]
    [[ "$output" == *"ask itself"* ]]
    check_masking_domain here.example 8443
    [ -z "$(check_masking_domain far.example 443 2>&1)" ]
    [[ "$(check_masking_domain nowhere.example 443 2>&1)" == *"not found in DNS"* ]]
}

@test "a panel's domain that leads elsewhere is warned of" {
    fake hostname 'echo 192.0.2.1'
    names here.example=192.0.2.1 far.example=198.51.100.1
    PROXY_HOST=192.0.2.1
    [ -z "$(check_panel_domain here.example 2>&1)" ]
    [[ "$(check_panel_domain far.example 2>&1)" == *certificate* ]]
    [[ "$(check_panel_domain nowhere.example 2>&1)" == *"not found"* ]]
}

@test "a private address in the links is warned of" {
    names far.example=198.51.100.1 here.example=10.0.0.5
    TLS_DOMAIN=far.example PROXY_PORT=443 PANEL_DOMAIN=""
    [ -z "$(PROXY_HOST=203.0.113.5 check_names 2>&1)" ]
    [[ "$(PROXY_HOST=10.0.0.5 check_names 2>&1)" == *"private address"* ]]
    [[ "$(PROXY_HOST=203.0.113.5 PANEL_DOMAIN=nowhere.example check_names 2>&1)" == *certificate* ]]
}

@test "a clock that is off is refused, whatever the certificate of the other site is worth" {
    TLS_DOMAIN=mask.example
    fake curl 'date -u -R | sed "s/^/Date: /; s/+0000/GMT/"'
    check_clock
    fake curl '[[ " $* " == *" -k"* ]] || exit 60; echo "date: Thu, 01 Jan 2015 00:00:00 GMT"'
    run check_clock
    [ "$status" -eq 1 ]
    LC_ALL=ru_RU.UTF-8 run check_clock
    [[ "$output" == *"часы расходятся на"* ]]
    fake curl 'exit 6'
    check_clock
}

@test "a firewall is hinted at where it would be in the way" {
    PROXY_PORT=443
    fake ufw 'echo "Status: active"'
    [[ "$(MODE=systemd hint_at_firewall 2>&1)" == *"ufw allow 443/tcp"* ]]
    [ -z "$(MODE=docker hint_at_firewall 2>&1)" ]
    fake ufw 'echo "Status: inactive"'
    [ -z "$(MODE=systemd hint_at_firewall 2>&1)" ]
}

@test "what the program is built with is asked for only where it is built" {
    fake setpriv
    MODE=docker check_build_tools
    MODE=systemd MTPANNEL_BIN=/bin/true check_build_tools
    PATH=$FAKES:/bin/nothing MODE=systemd run check_build_tools
    [ "$status" -eq 1 ]
    [[ "$output" == *cargo* ]]
}

@test "a masking domain that leads here is taken where its site listens elsewhere" {
    fake hostname 'echo "192.0.2.1 10.0.0.5"'
    names here.example=192.0.2.1 far.example=198.51.100.1 inner.example=10.0.0.5
    PROXY_HOST=192.0.2.1
    MODE=docker
    for site in 172.29.43.1:8444 10.0.0.5:8444 10.0.0.7:443 far.example:443 inner.example:8444; do
        MASK_SITE=$site check_masking_domain here.example 443
    done
    MODE=systemd
    for site in 127.0.0.1:8444 10.0.0.7:443; do MASK_SITE=$site check_masking_domain here.example 443; done
    run check_masking_domain here.example 443
    [ "$status" -eq 1 ]
    [[ "$output" == *MASK_SITE=HOST:PORT* ]]
}

@test "a masking site that is the proxy itself is refused, whatever name or port leads there" {
    fake hostname 'echo "192.0.2.1 10.0.0.5"'
    names here.example=192.0.2.1 inner.example=10.0.0.5 far.example=198.51.100.1 127.0.0.1=127.0.0.1 10.0.0.5=10.0.0.5 \
        192.0.2.1=192.0.2.1 localhost=127.0.0.1
    PROXY_HOST=192.0.2.1
    MODE=docker
    for site in 192.0.2.1:443 inner.example:443 172.29.43.1:443 172.29.43.2:8443 mtpannel-telemt:1234; do
        for domain in here.example far.example; do
            MASK_SITE=$site run check_masking_domain $domain 443
            [ "$status" -eq 1 ]
            [[ "$output" == *"proxy itself"* ]]
        done
    done
    MASK_SITE=10.0.0.5:8443 run check_masking_domain here.example 8443
    [ "$status" -eq 1 ]
    for site in 127.0.0.1:8444 localhost:8444; do
        MASK_SITE=$site run check_masking_domain here.example 443
        [ "$status" -eq 1 ]
        [[ "$output" == *"172.29.43.1"* ]]
    done
    MODE=systemd
    for site in 127.0.0.1:443 10.0.0.5:443; do
        MASK_SITE=$site run check_masking_domain here.example 443
        [ "$status" -eq 1 ]
    done
}

@test "containers reach this machine where the network says, or where the settings will have it" {
    fake docker
    [ "$(gateway)" = 172.29.43.1 ]
    env_set FRONT_SUBNET 10.9.8.128/25
    [ "$(gateway)" = 10.9.8.129 ]
    env_set FRONT_GATEWAY 10.9.8.130
    [ "$(gateway)" = 10.9.8.130 ]
    # Of an installation before, whose engine chose.
    fake docker 'echo 10.9.8.140'
    [ "$(gateway)" = 10.9.8.140 ]
    fake docker 'exit 1'
    [ "$(gateway)" = 10.9.8.130 ]
    PROXY_HOST=192.0.2.1 MODE=docker
    MASK_SITE=10.9.8.130:443 run check_masking_domain far.example 443
    [ "$status" -eq 1 ]
}
