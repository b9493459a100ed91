# Loaded by every file here. Nothing here needs root, Docker or systemd: what a server would have stands in a folder that
# is first on PATH, and takes down what it is asked.

ROOT=$(cd "$BATS_TEST_DIRNAME/../../.." && pwd)

setup() {
    export INSTALL_DIR=$BATS_TEST_TMPDIR/mtpannel LC_ALL=C.UTF-8 MTPANNEL_YES=1
    export LOCK=$BATS_TEST_TMPDIR/lock UNIT=$BATS_TEST_TMPDIR/mtpannel.service BINARY=$BATS_TEST_TMPDIR/mtpannel-program
    export ASKED=$BATS_TEST_TMPDIR/asked FAKES=$BATS_TEST_TMPDIR/fakes PATH=$BATS_TEST_TMPDIR/fakes:$PATH
    mkdir -p "$INSTALL_DIR/config" "$FAKES"
    : >"$ASKED"
    fake id '[ "$1" != -u ] || echo 0'
    # Real users are in owner.bats, which needs root.
    SAME_USER='while [[ "$1" == --* ]]; do case $1 in --reuid | --regid) shift 2 ;; *) shift ;; esac; done; exec "$@"'
    fake setpriv "$SAME_USER"
    # shellcheck source=install.sh
    . "$ROOT/install.sh"
    load_parts "$ROOT"
    SOURCE=$ROOT
}

# fake COMMAND [BODY]: a program of that name that notes its arguments and does BODY.
fake() {
    printf '#!/bin/bash\necho "%s $*" >>"$ASKED"\n%s\n' "$1" "${2:-}" >"$FAKES/$1"
    chmod +x "$FAKES/$1"
}

asked() { grep -q -- "$1" "$ASKED"; }

# bats takes a negated command for passed, whatever it says.
refuses() { if "$@"; then return 1; fi; }

# A docker that has the images in HERE, and Compose.
fake_docker() {
    export HERE_IMAGES=$1
    fake docker '
case "$1 $2" in
    "image inspect") [[ " $HERE_IMAGES " == *" $3 "* ]] ;;
    "compose version") echo 2.24.0 ;;
    "info --format") echo "$INSTALL_DIR" ;;
esac'
    fake chown
}

# settle: chooses and writes what a fresh machine needs.
settle() {
    PROXY_HOST=192.0.2.1 TLS_DOMAIN=mask.example
    choose
    write_settings
}

# As on the next run, which knows what was written and nothing else.
forget() {
    unset MODE PANEL PROXY_KIND PANEL_DOMAIN OTHER_NAMES IMAGES ADMIN_USER ADMIN_PASS ADMIN_CHOSEN PROXY_HOST PROXY_PORT TLS_DOMAIN LISTEN DATABASE_URL
}

# fake_panel BODY: a panel's command line that does BODY with `command` and `name`, its first words.
fake_panel() {
    eval "panel_cli() { local command=\${1:-} name=\${2:-}; echo \"panel \$*\" >>\"\$ASKED\"; $1; }"
}

# A panel's command line that makes a first config.toml and changes the domain in it, below the folder that it is run in, as
# the service's user.
SMALL_PANEL='case "$command $name" in
    "config template") printf "[censorship]\ntls_domain = \"mask.example\"\n" ;;
    "config set-domain") as_owner config bash -c "grep -q ^tls_domain config.toml && sed -i \"s/^tls_domain.*/tls_domain = \\\"$3\\\"/\" config.toml" ;;
esac'

# strictly COMMAND: as main calls it, in a process group of its own. `run` takes the rules of errexit away.
strictly() {
    setsid --wait env --default-signal=INT,TERM,HUP bash -c "
        . '$ROOT/install.sh'
        load_parts '$ROOT'
        $(declare -f panel_cli panel_data owner start stop)
        SOURCE=$ROOT
        $1"
}
