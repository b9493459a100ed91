use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};
use proptest::prelude::*;
use toml_edit::{Document, Item, TableLike, Value};

use super::{BOM, Layout, read_users};
use crate::access::{Access, Entry, Table};
use crate::user::{Limit, PLACEHOLDER, Secret, Status};

/// Data of a document, without its form.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Data {
    Table(BTreeMap<String, Data>),
    Array(Vec<Data>),
    /// A scalar in its own spelling.
    Scalar(String),
}

fn of_table(table: &dyn TableLike) -> BTreeMap<String, Data> {
    table.iter().map(|(key, item)| (key.to_owned(), of_item(item))).collect()
}

fn of_item(item: &Item) -> Data {
    if let Some(table) = item.as_table_like() {
        return Data::Table(of_table(table));
    }
    match item {
        Item::ArrayOfTables(tables) => Data::Array(tables.iter().map(|table| Data::Table(of_table(table))).collect()),
        Item::Value(value) => of_value(value),
        Item::Table(_) | Item::None => unreachable!("tables are handled above"),
    }
}

fn of_value(value: &Value) -> Data {
    match value {
        Value::Array(values) => Data::Array(values.iter().map(of_value).collect()),
        Value::InlineTable(table) => Data::Table(of_table(table)),
        scalar => Data::Scalar(scalar.clone().decorated("", "").to_string()),
    }
}

fn data(text: &str) -> BTreeMap<String, Data> {
    of_table(Document::parse(text.to_owned()).unwrap().into_mut().as_table())
}

/// Everything but the managed tables; an `access` with nothing else in it is as good as none.
pub(super) fn unmanaged(text: &str) -> BTreeMap<String, Data> {
    let mut all = data(text);
    if let Some(Data::Table(access)) = all.get_mut("access") {
        access.retain(|key, _| Table::from_key(key).is_none());
        if access.is_empty() {
            all.remove("access");
        }
    }
    all
}

/// The managed tables alone.
pub(super) fn managed(text: &str) -> BTreeMap<String, Data> {
    let Some(Data::Table(mut access)) = data(text).remove("access") else { return BTreeMap::new() };
    access.retain(|key, _| Table::from_key(key).is_some());
    access
}

/// What the managed tables must hold, told in another way than the writer's.
fn expected(access: &Access, placeholder: &str) -> BTreeMap<String, Data> {
    let mut rows: Vec<(Table, &str, String)> = Vec::new();
    for user in access.served() {
        let name = user.username.as_str();
        let number = |limit: Option<Limit>| limit.map(|limit| limit.get().to_string());
        let end = user.expire_at.map(|end| end.format("\"%Y-%m-%dT%H:%M:%SZ\"").to_string());
        rows.push((Table::Users, name, format!("\"{}\"", user.secret.to_hex())));
        rows.extend(number(user.max_connections).map(|value| (Table::MaxTcpConns, name, value)));
        rows.extend(user.data_quota.map(|value| (Table::DataQuota, name, value.to_string())));
        rows.extend(end.map(|value| (Table::Expirations, name, value)));
        rows.extend(number(user.max_unique_ips).map(|value| (Table::MaxUniqueIps, name, value)));
    }
    if access.served().is_empty() {
        rows.push((Table::Users, PLACEHOLDER, format!("\"{placeholder}\"")));
        rows.push((Table::Enabled, PLACEHOLDER, "false".to_owned()));
    }
    rows.extend(access.blocked().iter().map(|name| (Table::Enabled, name.as_str(), "false".to_owned())));
    let mut tables = BTreeMap::new();
    for (table, name, value) in rows {
        let table = tables.entry(table.key().to_owned()).or_insert_with(|| Data::Table(BTreeMap::new()));
        if let Data::Table(table) = table {
            table.insert(name.to_owned(), Data::Scalar(value));
        }
    }
    tables
}

/// The rules that hold for every file that can be parsed.
pub(super) fn assert_rules(text: &str, access: &Access) {
    let (fresh, other) = (Secret::new([0xab; 16]), Secret::new([0xcd; 16]));
    let written = Layout::parse(text).unwrap().render(access, &fresh);
    assert_eq!(unmanaged(&written), unmanaged(text), "unmanaged data of {written}");
    let tables = managed(&written);
    let placeholder = standing(text).unwrap_or_else(|| fresh.to_hex());
    assert_eq!(tables, expected(access, &placeholder), "managed data of {written}");
    let layout = Layout::parse(&written).unwrap();
    assert_eq!(layout.render(access, &other), written, "idempotence");
    let nobody = Access::new(vec![], &[], DateTime::UNIX_EPOCH);
    let emptied = layout.render(&nobody, &fresh);
    assert_eq!(Layout::parse(&emptied).unwrap().render(&nobody, &other), emptied, "idempotence after another");
    assert_eq!(unmanaged(&emptied), unmanaged(text), "unmanaged data of {emptied}");
    assert_eq!(written.starts_with(BOM), text.starts_with(BOM));
}

fn standing(text: &str) -> Option<String> {
    let Some(Data::Table(users)) = managed(text).remove("users") else { return None };
    let Some(Data::Scalar(secret)) = users.get(PLACEHOLDER) else { return None };
    let secret: Secret = secret.trim_matches(['"', '\'']).parse().ok()?;
    Some(secret.to_hex())
}

fn limits() -> impl Strategy<Value = Option<Limit>> {
    prop_oneof![Just(None), Just(Some(1)), Just(Some(i64::MAX)), (1..99_i64).prop_map(Some)]
        .prop_map(|value| value.map(|value| Limit::try_from(value).unwrap()))
}

fn entry() -> impl Strategy<Value = Entry> {
    let name = prop_oneof!["[a-c]{3}", Just("include".to_owned()), "[A-Za-z0-9_.-]{3,32}"];
    let status = prop_oneof![3 => Just(Status::Active), 1 => Just(Status::Disabled)];
    let name = name.prop_filter_map("reserved", |name| name.parse().ok());
    let end = prop::option::of(-9_i64..4_000_000_000).prop_map(|seconds| seconds.map(TimeDelta::seconds));
    (name, any::<[u8; 16]>(), status, end, limits(), 0..9_i64, limits(), limits()).prop_map(
        |(username, secret, status, end, data_limit, usage_base, max_connections, max_unique_ips)| Entry {
            username,
            secret: Secret::new(secret),
            status,
            expire_at: end.map(|end| DateTime::<Utc>::UNIX_EPOCH + end),
            data_limit,
            usage_base,
            max_connections,
            max_unique_ips,
        },
    )
}

fn access() -> impl Strategy<Value = Access> {
    prop::collection::vec(entry(), 0..4).prop_map(|entries| Access::new(entries, &[], DateTime::UNIX_EPOCH))
}

/// Where a managed table of a generated file stands.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Form {
    Absent,
    Header,
    Dotted,
    Inline,
}

/// How a generated file defines `access`.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Style {
    Header,
    Dotted,
    Inline,
}

/// A piece of a generated file: whole lines that belong together.
#[derive(Debug, Clone)]
struct Piece {
    lines: Vec<String>,
    managed: bool,
}

fn piece(managed: bool, text: &str) -> Piece {
    Piece { lines: text.lines().map(str::to_owned).collect(), managed }
}

const ROWS: &str = "\"mark-a\" = 1 # mark\n'mark-b' = [\n1, # mark\n]";

fn header_of(table: Table, spelling: u8) -> Piece {
    let key = table.key();
    let header = match spelling % 4 {
        0 => format!("[access.{key}]"),
        1 => format!("[ \"access\" . '{key}' ] # mark"),
        2 => format!("  [access.\"{key}\"]"),
        _ => return piece(true, &format!("[access.{key}]")),
    };
    piece(true, &format!("{header}\n{ROWS}"))
}

/// The lines of a table that has no header, under this prefix of its key.
fn headless(table: Table, form: Form, prefix: &str) -> Option<Piece> {
    let key = table.key();
    match form {
        Form::Dotted => Some(piece(true, &format!("{prefix}{key}.mark-a = 1\n {prefix}'{key}' . \"b\" = {{}} # mark"))),
        Form::Inline => Some(piece(true, &format!("{prefix}{key} = {{ mark-a = 1, 'b' = [{{}}] }} # mark"))),
        Form::Absent | Form::Header => None,
    }
}

/// The generated file as pieces in their order, root statements first.
fn pieces(style: Style, forms: &[Form; 6], spelling: u8, order: &[usize], scalar: bool) -> Vec<Piece> {
    let root = ["title = \"\"\"\n[access.users]\n\"\"\"", "list = [ # [access.users]\n  1,\n]"];
    let mut pieces: Vec<Piece> = root.iter().map(|text| piece(false, text)).collect();
    let tables = Table::ALL.into_iter().zip(*forms);
    let mut sections: Vec<Vec<Piece>> = vec![
        vec![piece(false, "[server]"), piece(false, "port = 1 # keep"), piece(false, "\tname = '''\n# x\n'''")],
        vec![piece(false, "[[upstreams]]"), piece(false, "a = { b = 1 }")],
        vec![piece(false, "[[upstreams]]"), piece(false, "[upstreams.access.users]"), piece(false, "c = 1")],
    ];
    if style != Style::Inline {
        sections.push(vec![piece(false, "[access.user_rate_limits]"), piece(false, "mark = 1")]);
        let headers = tables.clone().filter(|(_, form)| *form == Form::Header);
        sections.extend(headers.map(|(table, _)| vec![header_of(table, spelling)]));
    }
    match style {
        Style::Header => {
            let mut body = vec![piece(false, "[access]")];
            body.extend(scalar.then(|| piece(false, "replay_check_len = 5 # keep")));
            body.extend(tables.filter_map(|(table, form)| headless(table, form, "")));
            body.extend(scalar.then(|| piece(false, "user_ad_tags.x = 5")));
            sections.push(body);
        }
        Style::Dotted => {
            pieces.extend(scalar.then(|| piece(false, "access . replay_check_len = 5")));
            pieces.extend(tables.filter_map(|(table, form)| headless(table, form, "access.")));
        }
        Style::Inline => {
            let rows = tables.filter(|(_, form)| *form != Form::Absent);
            let rows = rows.map(|(table, _)| format!("{} = {{ mark-a = 1 }}", table.key()));
            let keep = scalar.then(|| "replay_check_len = [ 5 ]".to_owned());
            pieces.push(piece(true, &format!("access = {{ {} }}", rows.chain(keep).collect::<Vec<_>>().join(", "))));
        }
    }
    let mut order: Vec<usize> = order.to_vec();
    order.retain(|index| *index < sections.len());
    pieces.extend(order.into_iter().flat_map(|index| sections[index].clone()));
    pieces
}

/// A generated file and the lines of it that must survive, in their order.
#[derive(Debug, Clone)]
struct File {
    text: String,
    kept: Vec<String>,
    style: Style,
}

fn assemble(style: Style, pieces: Vec<Piece>, trivia: &[u8], endings: &[bool], mark: bool, last: bool) -> File {
    let mut lines: Vec<(String, bool)> = Vec::new();
    for (index, piece) in pieces.into_iter().enumerate() {
        let trivia = trivia[index % trivia.len()];
        lines.extend((trivia & 1 != 0).then(|| ("\t".to_owned(), true)));
        lines.extend((trivia & 2 != 0).then(|| (format!("# note {index}"), true)));
        lines.extend((trivia & 4 != 0).then(|| (String::new(), true)));
        lines.extend((trivia & 8 != 0).then(|| (format!("  # note {index} б"), true)));
        lines.extend(piece.lines.into_iter().map(|line| (line, !piece.managed)));
    }
    let mut file = File { text: if mark { BOM.to_owned() } else { String::new() }, kept: Vec::new(), style };
    let count = lines.len();
    for (index, (mut line, kept)) in lines.into_iter().enumerate() {
        if index + 1 < count || last {
            line.push_str(if endings[index % endings.len()] { "\r\n" } else { "\n" });
        }
        file.text.push_str(&line);
        file.kept.extend((kept && !line.trim().is_empty()).then_some(line));
    }
    file
}

fn file() -> impl Strategy<Value = File> {
    let style = prop_oneof![2 => Just(Style::Header), 1 => Just(Style::Dotted), 1 => Just(Style::Inline)];
    let form = || prop_oneof![Just(Form::Absent), Just(Form::Header), Just(Form::Dotted), Just(Form::Inline)];
    let forms = [form(), form(), form(), form(), form(), form()];
    let order = Just((0..12).collect::<Vec<usize>>()).prop_shuffle();
    let endings = prop_oneof![Just(vec![false]), Just(vec![true]), prop::collection::vec(any::<bool>(), 1..9),];
    let trivia = prop::collection::vec(0..16_u8, 1..9);
    let flags = (any::<bool>(), any::<bool>(), any::<bool>(), any::<u8>());
    (style, forms, order, endings, trivia, flags).prop_map(
        |(style, forms, order, endings, trivia, (scalar, mark, last, spelling))| {
            let pieces = pieces(style, &forms, spelling, &order, scalar);
            assemble(style, pieces, &trivia, &endings, mark, last)
        },
    )
}

/// The lines of a written file that are neither blank nor generated, apart from a comment's place among the managed
/// tables.
fn kept_lines(written: &str) -> Vec<String> {
    let mut inside = false;
    let mut lines = Vec::new();
    for line in written.strip_prefix(BOM).unwrap_or(written).split_inclusive('\n') {
        let header = Table::ALL.into_iter().any(|table| line.trim_end() == format!("[access.{}]", table.key()));
        if line.starts_with('[') {
            inside = header;
        }
        let row = inside && line.starts_with('"');
        // The same words stand in a string of the generated file.
        let text = lines.last().is_some_and(|last: &String| last.contains("\"\"\""));
        if text {
            inside = false;
        }
        if !line.trim().is_empty() && !row && (!header || text) {
            lines.push(line.to_owned());
        }
    }
    lines
}

/// Removes the line ending that the last line of a file may get when managed tables follow.
fn without_last_ending(mut lines: Vec<String>, last: &str) -> Vec<String> {
    if !last.ends_with('\n') {
        for line in &mut lines {
            if line.trim_end() == last {
                line.truncate(last.len());
            }
        }
    }
    lines
}

fn soup() -> impl Strategy<Value = String> {
    let words = [
        "[access",
        "[[access",
        "[",
        "]",
        "]]",
        ".users",
        ".user_enabled",
        "access",
        "users",
        "'users'",
        "\"access\"",
        ".",
        "=",
        " = ",
        "{",
        "}",
        "{}",
        ", ",
        "1",
        "\"x\"",
        "'''",
        "\"\"\"",
        "\n",
        "\r\n",
        " ",
        "\t",
        "# c",
        "\n# c\n",
        "a",
        "b",
        "\n[x]\n",
        "\n[access]\n",
        "\n[access.users]\n",
        "users.a = 1\n",
        "access = {",
        "\u{feff}",
        "é",
        "\\",
        "\r",
    ];
    prop::collection::vec(prop::sample::select(words.to_vec()), 0..14).prop_map(|words| words.concat())
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 512, ..ProptestConfig::default() })]

    #[test]
    fn every_unmanaged_line_survives_in_its_place(file in file(), access in access()) {
        assert_rules(&file.text, &access);
        let written = Layout::parse(&file.text).unwrap().render(&access, &Secret::new([1; 16]));
        let is_comment = |line: &String| line.trim_start().starts_with('#');
        let last = file.text.lines().next_back().unwrap_or_default();
        let last = if file.text.ends_with('\n') { "\n" } else { last };
        let mut kept = file.kept.clone();
        let mut lines = without_last_ending(kept_lines(&written), last);
        if file.style == Style::Inline {
            // The one statement that may be written in another form.
            lines.retain(|line| !line.starts_with("access.replay_check_len"));
        }
        // A comment may only move where the managed tables around it change places.
        let (statements, others): (Vec<_>, Vec<_>) = lines.iter().cloned().partition(|line| !is_comment(line));
        let (kept_statements, kept_others): (Vec<_>, Vec<_>) = kept.iter().cloned().partition(|line| !is_comment(line));
        prop_assert_eq!(statements, kept_statements);
        prop_assert_eq!(sorted(others), sorted(kept_others));
        if !file.text.contains("access.user_") {
            kept.dedup();
            lines.dedup();
            prop_assert_eq!(lines, kept);
        }
    }

    #[test]
    fn what_parses_obeys_the_rules_and_nothing_panics(text in soup(), access in access()) {
        let _ = read_users(&text);
        if Layout::parse(&text).is_ok() {
            assert_rules(&text, &access);
        }
    }

    #[test]
    fn arbitrary_text_does_not_panic(text in any::<String>()) {
        let _ = (Layout::parse(&text).is_ok(), read_users(&text).is_ok());
    }

    #[test]
    fn what_is_written_is_read_back(entries in prop::collection::vec(entry(), 0..6)) {
        let access = Access::new(entries, &[], DateTime::UNIX_EPOCH);
        let written = Layout::parse("").unwrap().render(&access, &Secret::new([1; 16]));
        let lower: std::collections::HashSet<_> =
            access.served().iter().map(|user| user.username.as_str().to_ascii_lowercase()).collect();
        prop_assume!(lower.len() == access.served().len());
        let users = read_users(&written).unwrap();
        prop_assert_eq!(users.len(), access.served().len());
        for (read, user) in users.iter().zip(access.served()) {
            prop_assert_eq!(&read.username, &user.username);
            prop_assert_eq!(read.secret, user.secret);
            prop_assert_eq!(read.disabled.is_some(), access.blocked().contains(&user.username));
            prop_assert_eq!(read.expire_at, user.expire_at);
            prop_assert_eq!(read.data_limit.map(Limit::get), user.data_quota);
            prop_assert_eq!(read.max_connections, user.max_connections);
            prop_assert_eq!(read.max_unique_ips, user.max_unique_ips);
        }
    }
}

fn sorted(mut lines: Vec<String>) -> Vec<String> {
    lines.sort();
    lines
}
