//! What must hold of every file, told in another way than the code under test tells it.

use std::collections::BTreeMap;

use chrono::DateTime;
use toml_edit::{Document, Item, TableLike, Value};

use crate::access::{Access, Table};
use crate::document::{BOM, Layout};
use crate::user::{Limits, PLACEHOLDER, Secret};

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
        let Limits { data, connections, addresses } = user.numbers;
        let end = user.expire_at.map(|end| end.format("\"%Y-%m-%dT%H:%M:%SZ\"").to_string());
        rows.push((Table::Users, name, format!("\"{}\"", user.secret.to_hex())));
        rows.extend(connections.map(|value| (Table::MaxTcpConns, name, value.to_string())));
        rows.extend(data.map(|value| (Table::DataQuota, name, value.to_string())));
        rows.extend(end.map(|value| (Table::Expirations, name, value)));
        rows.extend(addresses.map(|value| (Table::MaxUniqueIps, name, value.to_string())));
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
