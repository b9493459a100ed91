#!/usr/bin/env bats
# temp/e2e_panel_verify.sh where the panel is slow. How it does with a panel is seen in the long run.

load common

@test "a user whose creation was not answered in time is not left behind" {
    fake curl '
        body=$(cat)
        case "$*" in
            */health) echo "{\"status\":\"ok\"}" ;;
            */api/admin/token) echo "{\"access_token\":\"t\"}" ;;
            *"DELETE "*) rm "$BATS_TEST_TMPDIR/user" && printf 204 ;;
            *"POST "*/api/users) echo "$body" >"$BATS_TEST_TMPDIR/user"; exit 28 ;;
        esac'
    export BATS_TEST_TMPDIR
    ADMIN_PASS=x run "$ROOT/temp/e2e_panel_verify.sh"
    [ "$status" -eq 1 ]
    [[ "$output" == *"create: no user"* ]]
    asked "POST .*/api/users"
    [ ! -e "$BATS_TEST_TMPDIR/user" ]
}
