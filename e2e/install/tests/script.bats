#!/usr/bin/env bats
# install.sh: words, questions, folders, sources, commands.

load common

@test "sourcing it runs nothing" {
    run bash -c ". '$ROOT/install.sh'"
    [ "$status" -eq 0 ]
    [ -z "$output" ]
}

@test "piped into bash it runs" {
    run bash -c "bash -s -- help <'$ROOT/install.sh'"
    [ "$status" -eq 0 ]
    [[ "$output" == *change-domain* ]]
}

@test "piped into bash it takes the sources from a clone, and goes on there with the same words" {
    git init -q "$BATS_TEST_TMPDIR/origin"
    mkdir -p "$BATS_TEST_TMPDIR/origin/deploy"
    cp "$ROOT/deploy/docker-compose.yml" "$BATS_TEST_TMPDIR/origin/deploy"
    echo 'echo "from the clone: $*, in $INSTALL_DIR, kind $MODE"' >"$BATS_TEST_TMPDIR/origin/install.sh"
    git -C "$BATS_TEST_TMPDIR/origin" add .
    git -C "$BATS_TEST_TMPDIR/origin" -c user.name=x -c user.email=x commit -qm x
    MTPANNEL_SOURCE=file://$BATS_TEST_TMPDIR/origin run bash -c "bash -s -- install --systemd --yes <'$ROOT/install.sh'"
    [ "$status" -eq 0 ]
    [[ "$output" == *"from the clone: install --systemd --yes, in $INSTALL_DIR, kind systemd"* ]]
    [ -d "$INSTALL_DIR/source/.git" ]
}

@test "without sources it says which variable tells where they are" {
    run bash -c "bash -s -- install <'$ROOT/install.sh'"
    [ "$status" -eq 1 ]
    [[ "$output" == *MTPANNEL_SOURCE* ]]
}

@test "an update by the installed copy pulls the sources first, and their own script goes on" {
    origin=$BATS_TEST_TMPDIR/origin
    git init -q "$origin"
    mkdir -p "$origin/deploy"
    touch "$origin/deploy/docker-compose.yml"
    echo 'echo old' >"$origin/install.sh"
    git -C "$origin" add .
    git -C "$origin" -c user.name=x -c user.email=x commit -qm x
    git clone -q "$origin" "$BATS_TEST_TMPDIR/checkout"
    echo 'echo "new: $*"' >"$origin/install.sh"
    git -C "$origin" -c user.name=x -c user.email=x commit -qam y
    copy_installer_of "$BATS_TEST_TMPDIR/checkout"
    run "$INSTALL_DIR/install.sh" update --yes
    [ "$output" = "new: update --yes" ]
    git -C "$BATS_TEST_TMPDIR/checkout" checkout -q --detach
    run "$INSTALL_DIR/install.sh" update
    [ "$status" -eq 1 ]
    [[ "$output" == *"check out the wanted version"* ]]
}

# The installed copy, which remembers this source folder.
copy_installer_of() {
    copy_installer
    env_set SOURCE_DIR "$1"
}

@test "the installed copy works by itself, for the installation that it lies beside" {
    env_set MODE docker
    fake_docker ""
    copy_installer
    touch "$INSTALL_DIR/docker-compose.yml"
    run env -u INSTALL_DIR "$INSTALL_DIR/install.sh" logs
    [ "$status" -eq 0 ]
    asked 'docker compose logs'
}

@test "the newest version is taken where the sources are a clone, and a folder without Git stays" {
    SOURCE=$BATS_TEST_TMPDIR
    fake git 'exit 1'
    renew_source
    refuses asked git
    mkdir "$BATS_TEST_TMPDIR/.git"
    run renew_source
    [ "$status" -eq 1 ]
    asked "git -C $BATS_TEST_TMPDIR pull --quiet --ff-only"
}

@test "the sources are where the installation took them from" {
    env_set SOURCE_DIR "$ROOT"
    SOURCE=""
    find_source
    [ "$SOURCE" = "$ROOT" ]
    is_source "$ROOT"
    refuses is_source "$INSTALL_DIR"
    refuses is_source ""
}

@test "an unknown command ends with 2 and the usage" {
    run main frobnicate
    [ "$status" -eq 2 ]
    [[ "$output" == *uninstall* ]]
}

@test "help is in the language of the locale" {
    run usage
    [[ "$output" == *COMMAND*Environment* ]]
    LC_ALL=ru_RU.UTF-8 run usage
    [[ "$output" == *КОМАНДА*Окружение* ]]
}

@test "it speaks Russian in a Russian locale and English elsewhere" {
    LC_ALL=ru_RU.UTF-8 run say yes да
    [ "$output" = да ]
    LC_ALL=de_DE.UTF-8 run say yes да
    [ "$output" = yes ]
    LC_ALL=ru_RU.UTF-8 run die no нет
    [ "$status" -eq 1 ]
    [ "$output" = "ошибка: нет" ]
    is_russian && return 1
    [ "$(step go идти)" = "==> go" ]
    [ "$(warn look смотри 2>&1)" = "!   look" ]
}

@test "without a terminal a question takes the environment, then the default" {
    refuses has_terminal
    ANSWER=given
    ask ANSWER default question вопрос
    [ "$ANSWER" = given ]
    ANSWER=""
    ask ANSWER default question вопрос
    [ "$ANSWER" = default ]
}

# at_terminal INPUT COMMANDS: with a terminal, on which INPUT is typed.
at_terminal() {
    printf '%s' "$1" | MTPANNEL_YES="" script -qec "bash -c '. $ROOT/install.sh; load_parts $ROOT; $2'" /dev/null
}

@test "at a terminal a question is asked, also while standard input is something else" {
    run at_terminal $'typed\n' 'ask ANSWER default question вопрос </dev/null; echo "<$ANSWER>"'
    [[ "$output" == *"question [default]: "*"<typed>"* ]]
}

@test "at a terminal the folder is asked for" {
    run at_terminal $'/srv/x\n' 'INSTALL_DIR=""; HERE=/; choose_folder install; echo "<$INSTALL_DIR>"'
    [[ "$output" == *"[/opt/mtpannel]: "*"</srv/x>"* ]]
}

@test "a password that is typed at a terminal keeps its spaces" {
    run at_terminal $' two words \n' 'ask_password PASS question вопрос; [ "$PASS" = " two words " ] && echo "<same>"; echo "made<$MADE>"'
    [[ "$output" == *"<same>"*"made<>"* ]]
}

@test "yes is yes in both languages, and everything else is no" {
    is_yes y && is_yes YES && is_yes да && refuses is_yes "" && refuses is_yes n && refuses is_yes yesterday
}

@test "what cannot be undone needs a yes" {
    run confirm really правда
    [ "$status" -eq 1 ]
    CONFIRM=y confirm really правда
}

@test "whoever is not root, and a strange machine, is sent away" {
    fake id 'echo 1000'
    run check_machine
    [ "$status" -eq 1 ]
    [[ "$output" == *root* ]]
    fake id 'echo 0'
    fake uname 'echo sparc64'
    run check_machine
    [ "$status" -eq 1 ]
    [[ "$output" == *sparc64* ]]
    fake uname 'echo aarch64'
    check_machine
}

@test "missing programs are named together" {
    need_tools bash sed
    run need_tools bash no-such-program nor-this
    [ "$status" -eq 1 ]
    [[ "$output" == *"no-such-program nor-this"* ]]
}

@test "a second run at the same time is refused" {
    fake flock '[ "$#" -eq 3 ] && exec /usr/bin/flock --nonblock "$3"'
    (
        lock
        run bash -c ". '$ROOT/install.sh'; lock"
        [ "$status" -eq 1 ]
        [[ "$output" == *"in progress"* ]]
    )
    lock
}

@test "a setting is read without its quotes, and the last one counts" {
    printf 'A=1\nA=2\nB='\''x$y z'\''\nC="q"\nD=it'\''s\n' >"$INSTALL_DIR/.env"
    [ "$(env_get A)" = 2 ]
    [ "$(env_get B)" = 'x$y z' ]
    [ "$(env_get C)" = q ]
    [ "$(env_get D)" = "it's" ]
    [ -z "$(env_get E)" ]
    [ "$(value_of A <<<A=7)" = 7 ]
}

@test "the folder is one of its own" {
    for good in /opt/mtpannel /srv/a/b.c-d_e /var/lib/mtpannel; do is_own_folder "$good"; done
    for bad in "" / /opt /var/lib relative/path /opt/../etc/x /opt/. /etc/mtpannel /usr/local/x '/opt/a b' '/opt/a#b' '/opt/a$(id)'; do
        refuses is_own_folder "$bad"
    done
    INSTALL_DIR=/etc/mtpannel run choose_folder install
    [ "$status" -eq 1 ]
}

@test "the folder is the one in the environment, that of the copy, or the default" {
    INSTALL_DIR=/srv/other/
    choose_folder status
    [ "$INSTALL_DIR" = /srv/other ]
    INSTALL_DIR="" HERE=$BATS_TEST_TMPDIR/installed
    mkdir "$HERE"
    touch "$HERE/.env"
    choose_folder status
    [ "$INSTALL_DIR" = "$BATS_TEST_TMPDIR/installed" ]
    INSTALL_DIR="" HERE=$ROOT
    choose_folder install
    [ "$INSTALL_DIR" = /opt/mtpannel ]
}

@test "commands on a machine without mtpannel say so and fail" {
    for command in status logs backup uninstall update reset-password change-domain add-panel; do
        run main "$command"
        [ "$status" -eq 1 ]
        [[ "$output" == *"nothing is installed"* ]]
    done
}
