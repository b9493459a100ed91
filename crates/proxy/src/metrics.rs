//! The text of `/metrics`. Names, labels and meanings are those of telemt (docs/contract-telemt.md, "/metrics"); names
//! that begin with `mtproxy_` are additions. All users are shown, without telemt's limit, and labels are escaped.

pub(crate) mod http;

use std::borrow::Cow;
use std::fmt::{Display, Write as _};
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Instant;

use crate::access::{Access, Directory};
use crate::accounts::{Account, Reading};
use crate::stats::{Reloads, Stats};
use crate::warnings::Code;

/// The version in `telemt_build_info`.
const VERSION: &str = concat!("mtpannel-", env!("CARGO_PKG_VERSION"));

/// Roughly the bytes of text for each user.
const PER_USER: usize = 640;

/// The text that is being written. Writing to a `String` cannot fail, so results are ignored, and only here.
struct Page(String);

impl Page {
    /// The help and type lines of a family.
    fn family(&mut self, name: &str, kind: &str, help: &str) {
        let _ = write!(self.0, "# HELP {name} {help}\n# TYPE {name} {kind}\n");
    }

    fn sample(&mut self, name: &str, labels: &[(&str, &str)], value: impl Display) {
        self.0.push_str(name);
        for (index, (label, value)) in labels.iter().enumerate() {
            self.0.push(if index == 0 { '{' } else { ',' });
            let _ = write!(self.0, "{label}=\"{}\"", escaped(value));
        }
        let _ = writeln!(self.0, "{} {value}", if labels.is_empty() { "" } else { "}" });
    }

    /// A family with one sample without labels.
    fn single(&mut self, name: &str, kind: &str, help: &str, value: impl Display) {
        self.family(name, kind, help);
        self.sample(name, &[], value);
    }

    /// A family with a sample for each user.
    fn users<T>(&mut self, name: &str, kind: &str, help: &str, users: &[T], sample: impl Fn(&T) -> (&str, String)) {
        self.family(name, kind, help);
        for user in users {
            let (user, value) = sample(user);
            self.sample(name, &[("user", user)], value);
        }
    }
}

fn escaped(value: &str) -> Cow<'_, str> {
    if !value.contains(['\\', '"', '\n']) {
        return value.into();
    }
    value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n").into()
}

/// Builds the whole text.
pub(crate) fn render(stats: &Stats, directory: &Directory) -> String {
    let accounts: Vec<(Arc<Account>, Reading)> =
        directory.accounts().into_iter().map(|account| (Arc::clone(&account), account.read())).collect();
    let mut page = Page(String::with_capacity(8_192 + PER_USER * accounts.len()));
    render_server(&mut page, stats);
    render_warnings(&mut page, &stats.warnings.current(Instant::now()));
    render_reloads(&mut page, &stats.reloads());
    let served: Vec<_> = accounts.into_iter().filter(|(_, reading)| reading.connections_total > 0).collect();
    let access = directory.current();
    render_traffic(&mut page, &served, access.users.len());
    render_addresses(&mut page, &access, &served);
    page.0
}

fn render_server(page: &mut Page, stats: &Stats) {
    page.family("telemt_build_info", "gauge", "Build of the running proxy");
    page.sample("telemt_build_info", &[("version", VERSION)], 1);
    let uptime = format!("{:.3}", stats.started.elapsed().as_secs_f64());
    page.single("telemt_uptime_seconds", "gauge", "Seconds since the counters began", uptime);
    let counters = [
        ("telemt_connections_total", "Connections accepted", &stats.connections),
        ("telemt_handshake_timeouts_total", "Handshakes that took too long", &stats.handshake_timeouts),
        ("telemt_upstream_connect_attempt_total", "Attempts to reach a data centre", &stats.connects.attempts),
        ("telemt_upstream_connect_success_total", "Attempts that succeeded", &stats.connects.successes),
        ("telemt_upstream_connect_fail_total", "Attempts that failed", &stats.connects.failures),
    ];
    for (name, help, counter) in counters {
        page.single(name, "counter", help, counter.load(Relaxed));
    }
    let bad = stats.bad.read();
    page.single(
        "telemt_connections_bad_total",
        "counter",
        "Connections without a valid secret",
        bad.values().sum::<u64>(),
    );
    for (name, help, classes) in [
        ("telemt_connections_bad_by_class_total", "Connections without a valid secret, by what was wrong", bad),
        (
            "telemt_handshake_failures_by_class_total",
            "Valid clients that were not served, by reason",
            stats.refused.read(),
        ),
    ] {
        page.family(name, "counter", help);
        for (class, count) in classes {
            page.sample(name, &[("class", class)], count);
        }
    }
    page.family("mtproxy_dc_connects_total", "counter", "Clients' connections to data centres");
    for ((dc, reached), count) in stats.centres.read() {
        let dc = dc.map_or_else(|| "other".to_owned(), |dc| dc.to_string());
        page.sample("mtproxy_dc_connects_total", &[("dc", &dc), ("result", reached.as_str())], count);
    }
}

/// The warnings in force; no sample if there are none.
fn render_warnings(page: &mut Page, warnings: &[(Code, String)]) {
    page.family("mtproxy_warning", "gauge", "Conditions that the operator should know of, and where");
    for (code, subject) in warnings {
        page.sample("mtproxy_warning", &[("code", code.as_str()), ("subject", subject)], 1);
    }
}

fn render_reloads(page: &mut Page, reloads: &Reloads) {
    page.single("mtproxy_config_reloads_total", "counter", "Revisions of the file applied", reloads.applied);
    page.single("mtproxy_config_reload_failures_total", "counter", "Revisions of the file refused", reloads.failed);
    let help = "Whether the file on disk is the one that is applied";
    page.single("mtproxy_config_current", "gauge", help, u8::from(reloads.current));
    if let Some(at) = reloads.last_applied {
        let name = "mtproxy_config_last_reload_timestamp_seconds";
        page.single(name, "gauge", "When a revision was last applied", at.timestamp());
    }
    if let Some((at, why)) = &reloads.last_failure {
        let name = "mtproxy_config_last_reload_failure_timestamp_seconds";
        page.single(name, "gauge", "When a revision was last refused", at.timestamp());
        let name = "mtproxy_config_last_reload_failure_info";
        page.family(name, "gauge", "Why the last refused revision was refused");
        page.sample(name, &[("error", why)], 1);
    }
}

/// Traffic and connections of users who have connected at least once.
fn render_traffic(page: &mut Page, served: &[(Arc<Account>, Reading)], configured: usize) {
    type Family = (&'static str, &'static str, &'static str, fn(&Reading) -> u64);
    let families: [Family; 6] = [
        ("telemt_user_connections_total", "counter", "Connections opened", |reading| reading.connections_total),
        ("telemt_user_connections_current", "gauge", "Connections open now", |reading| reading.connections),
        ("telemt_user_octets_from_client", "counter", "Bytes received", |reading| reading.octets[0]),
        ("telemt_user_octets_to_client", "counter", "Bytes sent", |reading| reading.octets[1]),
        ("telemt_user_msgs_from_client", "counter", "Transfers received", |reading| reading.messages[0]),
        ("telemt_user_msgs_to_client", "counter", "Transfers sent", |reading| reading.messages[1]),
    ];
    page.single("telemt_stats_user_entries", "gauge", "Users with counters", served.len());
    for (name, kind, help, read) in families {
        page.users(name, kind, help, served, |(account, reading)| (&account.name, read(reading).to_string()));
    }
    page.family("telemt_telemetry_user_series_users", "gauge", "Users with series, by status");
    for (family, emitted) in [("stats", served.len()), ("unique_ip", configured)] {
        for (status, count) in [("emitted", emitted), ("suppressed", 0)] {
            page.sample("telemt_telemetry_user_series_users", &[("family", family), ("status", status)], count);
        }
    }
}

/// Addresses of all configured users.
fn render_addresses(page: &mut Page, access: &Access, served: &[(Arc<Account>, Reading)]) {
    let count = |addresses: fn(&Reading) -> u64| served.iter().filter(|(_, reading)| addresses(reading) > 0).count();
    page.family("telemt_ip_tracker_users", "gauge", "Users with addresses, by scope");
    page.sample("telemt_ip_tracker_users", &[("scope", "active")], count(|reading| reading.addresses));
    page.sample("telemt_ip_tracker_users", &[("scope", "recent")], count(|reading| reading.recent_addresses));
    let users: Vec<(&str, Reading, u64)> = access
        .users
        .iter()
        .map(|user| {
            let name = user.rule.name.as_str();
            let found = served.binary_search_by(|(account, _)| (*account.name).cmp(name));
            let reading = found.map_or_else(|_| Reading::default(), |index| served[index].1);
            (name, reading, user.rule.max_ips.unwrap_or(0))
        })
        .collect();
    let name = "telemt_user_unique_ips_current";
    page.users(name, "gauge", "Addresses connected now", &users, |user| (user.0, user.1.addresses.to_string()));
    let (name, help) = ("telemt_user_unique_ips_recent_window", "Addresses connected in the last 30 seconds");
    page.users(name, "gauge", help, &users, |user| (user.0, user.1.recent_addresses.to_string()));
    let name = "telemt_user_unique_ips_limit";
    page.users(name, "gauge", "Most addresses at once, 0 for no limit", &users, |user| (user.0, user.2.to_string()));
    let name = "telemt_user_unique_ips_utilization";
    page.users(name, "gauge", "Share of the limit that is used", &users, |user| {
        (user.0, share(user.1.addresses, user.2))
    });
}

fn share(used: u64, limit: u64) -> String {
    #[expect(clippy::cast_precision_loss, reason = "shown with six digits")]
    let share = if limit == 0 { 0.0 } else { used as f64 / limit as f64 };
    format!("{share:.6}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::accounts::Direction;
    use crate::config::UserRule;
    use mtpannel_core::exposition::Snapshot;
    use mtpannel_core::user::Secret;

    fn rule(name: &str) -> UserRule {
        let (name, secret) = (name.to_owned(), Secret::new([1; 16]));
        UserRule {
            name,
            secret,
            enabled: true,
            max_connections: None,
            max_ips: Some(4),
            quota: None,
            expires: None,
            source_deny: vec![],
        }
    }

    #[tokio::test]
    async fn the_panel_reads_what_was_counted() {
        let (stats, directory) = (Stats::new(), Directory::default());
        directory.apply(vec![rule("alice"), rule("b\"o\\b\n"), rule("carol")], chrono::DateTime::UNIX_EPOCH);
        let access = directory.current();
        let session = |name| {
            let user = access.find(name).unwrap();
            user.account.admit(&user.rule, [127, 0, 0, 1].into(), None).unwrap()
        };
        let (alice, odd) = (session("alice"), session("b\"o\\b\n"));
        alice.account.grant(Direction::FromClient, 5).await.unwrap().spend(5);
        odd.account.grant(Direction::ToClient, 7).await.unwrap().spend(7);
        drop(odd);
        stats.bad.add("replay");
        stats.centres.add((None, crate::stats::Reached::Fail));
        stats.warnings.raise(Code::RuleIgnored, "access.x", "", Instant::now());
        stats.refused_file(chrono::DateTime::UNIX_EPOCH, "line 3, column 4: \"x\"".to_owned());
        let text = render(&stats, &directory);
        let snapshot = Snapshot::parse(&text).unwrap();
        assert!(snapshot.refused.is_empty());
        assert_eq!(snapshot.version.as_deref(), Some(VERSION));
        assert!(text.contains("telemt_user_octets_from_client{user=\"alice\"} 5\n"));
        assert!(text.contains(r#"telemt_user_octets_to_client{user="b\"o\\b\n"} 7"#));
        assert!(text.contains("telemt_user_unique_ips_utilization{user=\"alice\"} 0.250000\n"));
        assert!(text.contains("telemt_user_unique_ips_current{user=\"carol\"} 0\n"));
        assert!(text.contains(r#"telemt_user_unique_ips_current{user="b\"o\\b\n"} 0"#));
        assert!(text.contains(r#"telemt_user_unique_ips_recent_window{user="b\"o\\b\n"} 1"#));
        assert!(text.contains("telemt_ip_tracker_users{scope=\"active\"} 1\n"));
        assert!(text.contains("telemt_ip_tracker_users{scope=\"recent\"} 2\n"));
        assert!(text.contains("telemt_telemetry_user_series_users{family=\"unique_ip\",status=\"emitted\"} 3\n"));
        assert!(text.contains("mtproxy_dc_connects_total{dc=\"other\",result=\"fail\"} 1\n"));
        assert!(text.contains("mtproxy_warning{code=\"rule_ignored\",subject=\"access.x\"} 1\n"));
        assert!(!text.contains("telemt_user_connections_total{user=\"carol\"}"));
        assert!(text.contains("telemt_connections_bad_by_class_total{class=\"replay\"} 1\n"));
        assert!(text.contains("mtproxy_config_reload_failures_total 1\n"));
        assert!(text.contains(r#"mtproxy_config_last_reload_failure_info{error="line 3, column 4: \"x\""} 1"#));
    }
}
