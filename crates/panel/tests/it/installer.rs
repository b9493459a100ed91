//! What the installer writes by itself, for a proxy without the panel.

use std::process::Command;

use mtpannel_core::template::Template;
use toml_edit::{DocumentMut, Item};

/// Calls the installer's function with the settings of a `.env`.
fn plain_config() -> DocumentMut {
    let script = r#"
        env_get() { case $1 in PROXY_HOST) echo proxy.example ;; PROXY_PORT) echo 443 ;; TLS_DOMAIN) echo mask.example ;; esac; }
        random_hex() { echo 00112233445566778899aabbccddeeff; }
        . "$1" && plain_config"#;
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/../../deploy/install/files.sh");
    let output = Command::new("bash").args(["-euc", script, "bash", file]).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().parse().unwrap()
}

/// Every value under `item`, with its keys.
fn values(path: &str, item: &Item) -> Vec<(String, String)> {
    let below = |key: &str| format!("{path}.{key}");
    match item {
        Item::Table(table) => table.iter().flat_map(|(key, item)| values(&below(key), item)).collect(),
        Item::ArrayOfTables(tables) => {
            let tables = tables.iter().enumerate();
            tables.flat_map(|(at, table)| values(&below(&at.to_string()), &Item::Table(table.clone()))).collect()
        }
        value => vec![(path.to_owned(), value.to_string().trim().to_owned())],
    }
}

#[test]
fn the_installers_configuration_says_nothing_that_the_panels_own_does_not() {
    let domain = "mask.example".parse().unwrap();
    let panels: DocumentMut = Template::new("proxy.example", 443, &domain).text().parse().unwrap();
    let panels = values("", panels.as_item());
    let installers = plain_config();
    let installers = values("", installers.as_item());
    assert!(installers.len() > 15, "{installers:?}");
    for setting in installers {
        assert!(panels.contains(&setting) || setting.0 == ".access.users.first", "{setting:?}");
    }
}
