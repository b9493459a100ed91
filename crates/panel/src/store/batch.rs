//! Statements on many rows. There are three forms, for three sizes of work: rows as `VALUES` ([`execute_rows!`]), rows or
//! names as one JSON object ([`json_rows`]), and rows read back as one text ([`packed!`]).

use serde::Serializer as _;

use super::error::{StoreError, StoreResult};
use super::sql::folded;

/// Runs a statement that takes many rows as `VALUES`, in as few statements as is reasonable:
/// `execute_rows!(db, SQL, rows, |row| (bind, …))`, where the rows come at the `VALUES ($1, …)` of the text, which stands
/// for all of them. Twice as fast as rows in JSON.
macro_rules! execute_rows {
    ($db:expr, $sql:expr, $rows:expr, |$row:pat_param| ($($bind:expr),+ $(,)?)) => {
        match $db {
            $crate::store::Db::Sqlite(conn) => {
                $crate::store::batch::execute_rows!(sqlx::Sqlite, conn, $sql, $rows, |$row| ($($bind),+))
            }
            $crate::store::Db::Postgres(conn) => {
                $crate::store::batch::execute_rows!(sqlx::Postgres, conn, $sql, $rows, |$row| ($($bind),+))
            }
        }
    };
    ($engine:ty, $conn:ident, $sql:expr, $rows:expr, |$row:pat_param| ($($bind:expr),+)) => {{
        let (before, after) = $crate::store::batch::around_values($sql);
        let mut statements = $crate::store::batch::chunks($rows).map(|chunk| {
            let mut statement = sqlx::QueryBuilder::<$engine>::new(before);
            statement.push_values(chunk, |mut columns, $row| {
                $(columns.push_bind($bind);)+
            });
            statement.push(after);
            statement
        });
        let mut next = statements.next();
        while let Some(mut statement) = next {
            // The database works on one while the next is made.
            let work = statement.build().execute(&mut *$conn);
            let (done, following) = tokio::join!(work, async { statements.next() });
            done?;
            next = following;
        }
        $crate::store::StoreResult::Ok(())
    }};
}

/// SQL for all rows as one text, which [`unpack`] takes apart: whole numbers, names and words, none of which holds a
/// space or a comma. A hundred thousand rows of their own would cost the driver several times as much as the database.
macro_rules! packed {
    ($first:literal $(, $column:literal)*) => {
        concat!("string_agg(", $first, $(" || ' ' || ", $column,)* ", ',')")
    };
}

pub(crate) use {execute_rows, packed};

/// The rows of a [`packed!`] text, decoded by `row` from their `N` columns. `None` is what no rows give.
pub(super) fn unpack<const N: usize, T>(
    text: Option<String>,
    mut row: impl FnMut([&str; N]) -> Option<T>,
) -> StoreResult<Vec<T>> {
    let text = text.unwrap_or_default();
    let rows = text.split_terminator(',').map(|columns| {
        let mut columns = columns.split(' ');
        let mut array = [""; N];
        for column in &mut array {
            *column = columns.next()?;
        }
        columns.next().is_none().then(|| row(array))?
    });
    rows.collect::<Option<_>>()
        .ok_or_else(|| StoreError::Database(sqlx::Error::Decode("a row has columns of another form".into())))
}

/// Most rows in one statement of [`execute_rows!`], and a power of two.
const MOST_ROWS: usize = 256;

/// The rows in parts whose lengths are powers of two, so that few different statements have to be prepared.
pub(super) fn chunks<T>(mut rows: &[T]) -> impl Iterator<Item = &[T]> {
    std::iter::from_fn(move || {
        let length = 1 << rows.len().min(MOST_ROWS).checked_ilog2()?;
        let (chunk, rest) = rows.split_at(length);
        rows = rest;
        Some(chunk)
    })
}

/// What stands before and after the `VALUES (…)` of a text.
pub(super) fn around_values(sql: &'static str) -> (&'static str, &'static str) {
    let (before, rest) = sql.split_once("VALUES (").expect("the text has rows");
    (before, rest.split_once(')').expect("the row ends").1)
}

/// Rows in one statement of a large batch, so that its text stays small.
pub(super) const BATCH: usize = 5_000;

/// A JSON object with `names` as keys, [`folded`].
pub(super) fn json_names<'n>(names: impl IntoIterator<Item = &'n str>) -> String {
    json_rows(names.into_iter().map(|name| (folded(name), 0)))
}

/// A JSON object with `names` as keys, for statements that take a set of names.
pub(super) fn json_keys<'n>(names: impl IntoIterator<Item = &'n str>) -> String {
    json_rows(names.into_iter().map(|name| (name, 0)))
}

/// A JSON object of keys and values, for statements that take rows.
pub(super) fn json_rows<K: serde::Serialize, V: serde::Serialize>(rows: impl IntoIterator<Item = (K, V)>) -> String {
    let mut text = Vec::new();
    serde_json::Serializer::new(&mut text).collect_map(rows).expect("names and numbers have a JSON form");
    String::from_utf8(text).expect("JSON is UTF-8")
}
