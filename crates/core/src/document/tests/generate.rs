//! Random files and random users.

use chrono::{DateTime, TimeDelta, Utc};
use proptest::prelude::*;

use crate::access::{Access, Entry, Table};
use crate::document::BOM;
use crate::user::{Limit, Limits, Secret, Status};

fn limit() -> impl Strategy<Value = Option<Limit>> {
    prop_oneof![Just(None), Just(Some(1)), Just(Some(i64::MAX)), (1..99_i64).prop_map(Some)]
        .prop_map(|value| value.map(|value| Limit::try_from(value).unwrap()))
}

pub(super) fn entry() -> impl Strategy<Value = Entry> {
    let name = prop_oneof!["[a-c]{3}", Just("include".to_owned()), "[A-Za-z0-9_.-]{3,32}"];
    let status = prop_oneof![3 => Just(Status::Active), 1 => Just(Status::Disabled)];
    let name = name.prop_filter_map("reserved", |name| name.parse().ok());
    let end = prop::option::of(-9_i64..4_000_000_000).prop_map(|seconds| seconds.map(TimeDelta::seconds));
    (name, any::<[u8; 16]>(), status, end, (limit(), limit(), limit()), 0..9_i64).prop_map(
        |(username, secret, status, end, (data, connections, addresses), usage_base)| Entry {
            username,
            secret: Secret::new(secret),
            status,
            expire_at: end.map(|end| DateTime::<Utc>::UNIX_EPOCH + end),
            limits: Limits { data, connections, addresses },
            usage_base,
        },
    )
}

pub(super) fn access() -> impl Strategy<Value = Access> {
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
fn pieces(style: Style, forms: [Form; 6], spelling: u8, order: &[usize], scalar: bool) -> Vec<Piece> {
    let root = ["title = \"\"\"\n[access.users]\n\"\"\"", "list = [ # [access.users]\n  1,\n]"];
    let mut pieces: Vec<Piece> = root.iter().map(|text| piece(false, text)).collect();
    let tables = Table::ALL.into_iter().zip(forms);
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
pub(super) struct File {
    pub(super) text: String,
    pub(super) kept: Vec<String>,
    /// Headers of managed tables.
    pub(super) headers: usize,
    /// `access` is an inline table.
    pub(super) inline: bool,
}

fn assemble(pieces: Vec<Piece>, trivia: &[u8], endings: &[bool], mark: bool, last: bool) -> File {
    let mut lines: Vec<(String, bool)> = Vec::new();
    for (index, piece) in pieces.into_iter().enumerate() {
        let trivia = trivia[index % trivia.len()];
        lines.extend((trivia & 1 != 0).then(|| ("\t".to_owned(), true)));
        lines.extend((trivia & 2 != 0).then(|| (format!("# note {index}"), true)));
        lines.extend((trivia & 4 != 0).then(|| (String::new(), true)));
        lines.extend((trivia & 8 != 0).then(|| (format!("  # note {index} б"), true)));
        lines.extend(piece.lines.into_iter().map(|line| (line, !piece.managed)));
    }
    let text = if mark { BOM.to_owned() } else { String::new() };
    let mut file = File { text, kept: Vec::new(), headers: 0, inline: false };
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

pub(super) fn file() -> impl Strategy<Value = File> {
    let style = prop_oneof![2 => Just(Style::Header), 1 => Just(Style::Dotted), 1 => Just(Style::Inline)];
    let form = || prop_oneof![Just(Form::Absent), Just(Form::Header), Just(Form::Dotted), Just(Form::Inline)];
    let forms = [form(), form(), form(), form(), form(), form()];
    let order = Just((0..12).collect::<Vec<usize>>()).prop_shuffle();
    let endings = prop_oneof![Just(vec![false]), Just(vec![true]), prop::collection::vec(any::<bool>(), 1..9),];
    let trivia = prop::collection::vec(0..16_u8, 1..9);
    let flags = (any::<bool>(), any::<bool>(), any::<bool>(), any::<u8>());
    (style, forms, order, endings, trivia, flags).prop_map(
        |(style, forms, order, endings, trivia, (scalar, mark, last, spelling))| {
            let pieces = pieces(style, forms, spelling, &order, scalar);
            let inline = style == Style::Inline;
            let headers = forms.iter().filter(|form| !inline && **form == Form::Header).count();
            File { headers, inline, ..assemble(pieces, &trivia, &endings, mark, last) }
        },
    )
}

/// Scraps of TOML in any order.
pub(super) fn soup() -> impl Strategy<Value = String> {
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
