//! The editor of `config.toml` never panics on any text. If the text can be parsed, all unmanaged data survives, the
//! result is valid, and writing it again changes nothing.

#![no_main]

use std::collections::BTreeMap;

use chrono::DateTime;
use libfuzzer_sys::fuzz_target;
use mtpannel_core::access::{Access, Entry, SessionCut};
use mtpannel_core::document::{Layout, read_users};
use mtpannel_core::user::{Limit, Limits, Secret, Status};
use toml_edit::{DocumentMut, Item, TableLike, Value};

const MANAGED: [&str; 6] =
    ["users", "user_max_tcp_conns", "user_data_quota", "user_expirations", "user_max_unique_ips", "user_enabled"];

/// The data of a document, without its formatting.
#[derive(Debug, PartialEq)]
enum Data {
    Table(BTreeMap<String, Data>),
    Array(Vec<Data>),
    Scalar(String),
}

fn of_table(table: &dyn TableLike) -> BTreeMap<String, Data> {
    table.iter().map(|(key, item)| (key.to_owned(), of_item(item))).collect()
}

fn of_item(item: &Item) -> Data {
    match item {
        Item::Table(table) => Data::Table(of_table(table)),
        Item::ArrayOfTables(tables) => Data::Array(tables.iter().map(|table| Data::Table(of_table(table))).collect()),
        Item::Value(value) => of_value(value),
        Item::None => Data::Scalar(String::new()),
    }
}

fn of_value(value: &Value) -> Data {
    match value {
        Value::Array(values) => Data::Array(values.iter().map(of_value).collect()),
        Value::InlineTable(table) => Data::Table(of_table(table)),
        scalar => Data::Scalar(scalar.clone().decorated("", "").to_string()),
    }
}

/// All data except the managed tables.
fn unmanaged(text: &str) -> BTreeMap<String, Data> {
    let bare = text.strip_prefix('\u{feff}').unwrap_or(text);
    let document: DocumentMut = bare.parse().expect("valid TOML");
    let mut all = of_table(document.as_table());
    if let Some(Data::Table(access)) = all.get_mut("access") {
        access.retain(|key, _| !MANAGED.contains(&key.as_str()));
        if access.is_empty() {
            all.remove("access");
        }
    }
    all
}

fn users(count: u8) -> Access {
    let mut divisor = 0;
    let entry = |number: u8| Entry {
        username: format!("user-{number}").parse().expect("a valid name"),
        secret: Secret::new([number; 16]),
        status: if number % 3 == 2 { Status::Disabled } else { Status::Active },
        expire_at: (number % 2 == 1).then(|| DateTime::UNIX_EPOCH + chrono::TimeDelta::days(1)),
        limits: Limits::<()>::default().map(|()| {
            divisor += 1;
            Limit::try_from(i64::from(number % divisor)).ok()
        }),
        usage_base: 1,
    };
    let username = "gone".parse().expect("a valid name");
    let cut = SessionCut { username, ordered_at: DateTime::UNIX_EPOCH, written_at: None, user_deleted: false };
    let cuts = if count % 2 == 0 { vec![] } else { vec![cut] };
    Access::new((0..count % 5).map(entry).collect(), &cuts, DateTime::UNIX_EPOCH)
}

fuzz_target!(|input: (u8, u8, &str)| {
    let (first, second, text) = input;
    let _ = read_users(text);
    let Ok(layout) = Layout::parse(text) else { return };
    let (fresh, other) = (Secret::new([1; 16]), Secret::new([2; 16]));
    let data = unmanaged(text);
    let written = layout.render(&users(first), &fresh);
    assert_eq!(unmanaged(&written), data);
    let reread = Layout::parse(&written).expect("what is written parses");
    assert_eq!(reread.render(&users(first), &other), written);
    let changed = reread.render(&users(second), &fresh);
    assert_eq!(unmanaged(&changed), data);
    let again = Layout::parse(&changed).expect("what is written parses").render(&users(second), &other);
    assert_eq!(again, changed);
    if first % 5 != 0 {
        let names = read_users(&written).expect("what is written can be imported");
        assert_eq!(names.len(), usize::from(first % 5) - usize::from(first % 5 > 2));
    }
});
