//! `openapi.json` in the repository is what this program serves.

use std::path::Path;
use std::process::Command;

#[test]
fn the_checked_in_openapi_json_is_what_the_program_prints() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../openapi.json");
    let printed = Command::new(env!("CARGO_BIN_EXE_mtpannel")).arg("openapi").output().unwrap();
    assert!(printed.status.success(), "{}", String::from_utf8_lossy(&printed.stderr));
    let printed = String::from_utf8(printed.stdout).unwrap();
    let checked_in = std::fs::read_to_string(&file).unwrap_or_default();
    assert!(printed == checked_in, "openapi.json is out of date; write it with: make generate");
}
