//! `mtpannel user`: lists users, and prints the links of one.

use anyhow::Context as _;
use chrono::{DateTime, Utc};
use qrcode::QrCode;
use qrcode::render::unicode::Dense1x2;

use super::admin::format_time;
use super::{audit_read, must_exist, open_existing, output};
use crate::clock::Clock;
use crate::settings::RawSettings;
use crate::store::Store;
use crate::store::users::{self, Listed};

pub(super) async fn list() -> anyhow::Result<()> {
    let store = open_existing().await?;
    audit_read(&store, "user.list", None).await;
    let mut all = users::listing(store.read().await?.db(), -1).await?;
    all.sort_by_cached_key(|user| user.username.to_ascii_lowercase());
    let now = Clock::system().now();
    let rows: Vec<[String; 4]> = all.into_iter().map(|user| row(user, now)).collect();
    output::print(&output::format_table(["NAME", "STATUS", "USED / LIMIT", "EXPIRES"], &rows))
}

fn row(user: Listed, now: DateTime<Utc>) -> [String; 4] {
    // The stored status may be out of date by a moment, so it is evaluated again.
    let status = user.standing().status(now);
    let limit = user.data_limit.map_or_else(|| "no limit".to_owned(), |limit| output::format_bytes(limit.get()));
    let usage = format!("{} / {limit}", output::format_bytes(user.data_used));
    let expires = user.expire_at.map_or_else(|| "never".to_owned(), format_time);
    [user.username, status.as_str().to_owned(), usage, expires]
}

pub(super) async fn links(settings: &RawSettings, name: &str, qr: bool) -> anyhow::Result<()> {
    let (url, proxy) = settings.database_and_proxy()?;
    must_exist(&url)?;
    let store = Store::open(&url, Clock::system().now()).await?;
    let user = users::by_name(store.read().await?.db(), name, None).await?;
    let user = user.ok_or_else(|| anyhow::anyhow!("there is no user {name:?}"))?;
    audit_read(&store, "user.show_links", Some(user.username.as_str())).await;
    let links = proxy.endpoint.links(&user.secret);
    let mut text = format!("{}\n{}\n", links.tg_link, links.https_link);
    if qr {
        text.push_str(&draw_qr_code(&links.tg_link)?);
    }
    output::print(&text)
}

/// A QR code in half-block characters, for light text on a dark background: its dark modules are left blank.
fn draw_qr_code(link: &str) -> anyhow::Result<String> {
    let code = QrCode::new(link).context("the link does not fit into a QR code")?;
    Ok(code.render().dark_color(Dense1x2::Light).light_color(Dense1x2::Dark).build() + "\n")
}
