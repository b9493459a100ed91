#!/usr/bin/env bats
# First administrator, first user, and what is shown at the end.

load common

setup_panel() {
    PANEL=y
    settle
}

@test "a text becomes a JSON string" {
    [ "$(json_string 'a"b\c')" = '"a\"b\\c"' ]
}

@test "without a terminal a password is made, and a given one is judged" {
    ADMIN_PASS=""
    ask_password ADMIN_PASS question вопрос
    [[ "$ADMIN_PASS" =~ ^[0-9a-f]{24}$ ]]
    [ "$MADE" = y ]
    ADMIN_PASS=long-enough-for-this
    ask_password ADMIN_PASS question вопрос
    [ -z "$MADE" ]
    ADMIN_PASS=short run ask_password ADMIN_PASS question вопрос
    [ "$status" -eq 1 ]
}

@test "the administrator is asked for in the beginning only where there can be none yet" {
    setup_panel
    [ -n "$ADMIN_CHOSEN" ]
    mkdir "$INSTALL_DIR/data"
    touch "$INSTALL_DIR/data/panel.db"
    refuses is_fresh
    rm "$INSTALL_DIR/data/panel.db"
    is_fresh
    touch "$INSTALL_DIR/.first-admin"
    refuses is_fresh
    rm "$INSTALL_DIR/.first-admin"
    DATABASE_URL=postgres://h/d
    refuses is_fresh
}

@test "an administrator is known by the panel's list" {
    fake_panel 'echo "NAME ROLE"; echo "admin sudo"'
    has_admin
    fake_panel 'echo "NAME ROLE"'
    refuses has_admin
    fake_panel 'return 1'
    refuses has_admin
}

@test "an interrupted installation keeps its administrator, readable by root only" {
    ADMIN_USER=boss ADMIN_PASS=' p w with "spaces" ' MADE=""
    keep_admin
    [ ! -e "$INSTALL_DIR/.first-admin" ]
    ADMIN_CHOSEN=y
    keep_admin
    [ "$(stat -c %a "$INSTALL_DIR/.first-admin")" = 600 ]
    forget
    fake_panel 'cat >"$BATS_TEST_TMPDIR/password"'
    make_admin
    [ "$ADMIN_USER" = boss ]
    [ "$(cat "$BATS_TEST_TMPDIR/password")" = ' p w with "spaces" ' ]
    asked "panel admin create boss --sudo --unless-any --password-stdin"
}

@test "a password that the panel refuses does not stand in the way of the next run" {
    ADMIN_CHOSEN=y ADMIN_USER=boss ADMIN_PASS=long-enough-for-this MADE=""
    keep_admin
    fake_panel 'cat >/dev/null; return 1'
    run make_admin
    [ "$status" -eq 1 ]
    [ ! -e "$INSTALL_DIR/.first-admin" ]
}

@test "over data that has administrators nothing is made and no password is shown" {
    setup_panel
    forget
    fake_panel 'echo "NAME ROLE"; echo "admin sudo"'
    make_admin
    make_first_user
    refuses asked "admin create"
    refuses asked "user links"
    run show_panel
    [ "$output" = "Panel: http://127.0.0.1:8080/" ]
}

@test "a data folder without an administrator gets one" {
    setup_panel
    forget
    fake_panel 'if [ "$name" = list ]; then echo "NAME ROLE"; else cat >/dev/null; fi'
    make_admin
    asked "panel admin create admin"
    [[ "$(show_panel)" == *"password (shown once): $ADMIN_PASS"* ]]
}

@test "a password that was given is not shown, and the panel's address is the one to open" {
    setup_panel
    touch "$INSTALL_DIR/.first-admin"
    MADE="" ADMIN_PASS=long-enough-for-this
    run show_panel
    [[ "$output" == *"Administrator: admin"* ]]
    [[ "$output" != *long-enough* ]]
    env_set PANEL_DOMAIN panel.example
    env_set BASE_PATH /panel
    [[ "$(show_panel)" == *"https://panel.example/panel/"* ]]
}

@test "the first user is made with the administrator's token, which no command line shows" {
    setup_panel
    touch "$INSTALL_DIR/.first-admin"
    ADMIN_USER=admin ADMIN_PASS='a"secret-password'
    fake_panel 'return 1'
    fake curl 'cat >>"$ASKED"; case "$*" in *token*) echo "{\"access_token\":\"to.ke.n\",\"token_type\":\"bearer\"}" ;; esac'
    [ "$(token)" = to.ke.n ]
    make_first_user
    asked 'header = "Authorization: Bearer to.ke.n"'
    asked '"password":"a\\"secret-password"'
    refuses grep -E '^curl .*(to\.ke\.n|secret)' "$ASKED"
}

@test "a first user who is there is not made again, and my-first is somebody else" {
    setup_panel
    touch "$INSTALL_DIR/.first-admin"
    fake curl 'cat >/dev/null; case "$*" in *token*) echo "{\"access_token\":\"t\"}" ;; esac'
    fake_panel '[ "$3" = first ]'
    make_first_user
    refuses asked curl
    fake_panel '[ "$3" = my-first ]'
    make_first_user
    asked "curl .*/api/users"
}

@test "an administrator who cannot log in is told of" {
    setup_panel
    touch "$INSTALL_DIR/.first-admin"
    fake_panel 'return 1'
    fake curl 'cat >/dev/null; exit 22'
    run make_first_user
    [ "$status" -eq 1 ]
    [[ "$output" == *"cannot log in"* ]]
}

@test "the link is the panel's, and shown with a code where one can be drawn" {
    setup_panel
    local links='printf "tg://proxy?server=a&secret=ee\nhttps://t.me/proxy?server=a&secret=ee\n"'
    fake_panel "$links; [[ \"\$*\" != *--qr ]] || echo '<code>'"
    [ "$(link_of_first)" = "tg://proxy?server=a&secret=ee" ]
    [[ "$(show_link)" == *"tg://proxy?server=a&secret=ee"$'\n'"<code>" ]]
    # One of an older version.
    fake_panel "[[ \"\$*\" != *--qr ]] || return 2; $links"
    [[ "$(show_link)" == *"could not be drawn"* ]]
    fake_panel 'return 1'
    [ -z "$(show_link)" ]
}

@test "without the panel qrencode draws the code" {
    has_panel() { return 1; }
    fake qrencode 'cat; echo " <code>"'
    [ "$(draw_code tg://proxy)" = "tg://proxy <code>" ]
    fake qrencode 'exit 1'
    refuses draw_code tg://proxy
}
