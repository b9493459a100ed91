//! The file that the installer writes by itself, where only telemt is installed.

use std::process::Command;

use mtpannel_core::template::Template;

/// Calls the installer's function with the settings of a `.env`.
fn filled_template() -> String {
    let script = r#"
        env_get() { case $1 in PROXY_HOST) echo 2001:db8::1 ;; PROXY_PORT) echo 8443 ;; TLS_DOMAIN) echo site.example ;; esac; }
        SOURCE=$1
        . "$SOURCE/deploy/install/config.sh" && filled_template"#;
    let source = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");
    let output = Command::new("bash").args(["-euo", "pipefail", "-c", script, "bash", source]).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn the_installer_fills_in_the_template_as_the_program_does() {
    let domain = "site.example".parse().unwrap();
    let router = Some("172.29.43.2".parse().unwrap());
    assert_eq!(filled_template(), Template { router, ..Template::new("2001:db8::1", 8443, &domain) }.text());
}
