//! Reads the SQLite database of the older Python panel row by row, without judging the values.

use std::path::Path;

use sqlx::sqlite::{SqliteConnectOptions, SqliteRow};
use sqlx::{ConnectOptions as _, Row as _, SqliteConnection, TypeInfo as _, ValueRef as _};

/// Rows in one page.
const PAGE: i64 = 20_000;

/// The value of a cell: SQLite takes a value of any type in any column.
#[derive(Debug, Clone, PartialEq)]
pub enum Cell {
    /// Nothing.
    Null,
    /// A whole number.
    Integer(i64),
    /// A number.
    Real(f64),
    /// Text.
    Text(String),
    /// Bytes, or text that is not UTF-8.
    Bytes,
}

/// A table of the old panel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Table {
    /// Administrators: `id, username, hashed_password, is_sudo, created_at`.
    Admins,
    /// Users: `id, username, secret, status, data_limit, data_used, max_connections, max_unique_ips, expire_at, note,
    /// created_at, created_by_admin_id`.
    Users,
    /// Traffic by user: `user_id, octets_from, octets_to, recorded_at`.
    TrafficLogs,
    /// Figures of the proxy: `uptime, total_connections, bad_connections, recorded_at`.
    SystemStats,
}

impl Table {
    /// Its name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Admins => "admins",
            Self::Users => "users",
            Self::TrafficLogs => "traffic_logs",
            Self::SystemStats => "system_stats",
        }
    }

    const fn page(self) -> &'static str {
        match self {
            Self::Admins => {
                "SELECT rowid, id, username, hashed_password, is_sudo, created_at FROM admins \
                 WHERE rowid > $1 ORDER BY rowid LIMIT $2"
            }
            Self::Users => {
                "SELECT rowid, id, username, secret, status, data_limit, data_used, max_connections, max_unique_ips, \
                 expire_at, note, created_at, created_by_admin_id FROM users WHERE rowid > $1 ORDER BY rowid LIMIT $2"
            }
            Self::TrafficLogs => {
                "SELECT rowid, user_id, octets_from, octets_to, recorded_at FROM traffic_logs \
                 WHERE rowid > $1 ORDER BY rowid LIMIT $2"
            }
            Self::SystemStats => {
                "SELECT rowid, uptime, total_connections, bad_connections, recorded_at FROM system_stats \
                 WHERE rowid > $1 ORDER BY rowid LIMIT $2"
            }
        }
    }
}

/// An old database, open for reading, in one state.
#[derive(Debug)]
pub struct OldPanel(SqliteConnection);

impl OldPanel {
    /// Opens the file.
    pub async fn open(path: &Path) -> sqlx::Result<Self> {
        let options = SqliteConnectOptions::new()
            .filename(path)
            .create_if_missing(false)
            .read_only(true)
            .disable_statement_logging();
        let mut conn = options.connect().await?;
        sqlx::query("BEGIN").execute(&mut conn).await?;
        Ok(Self(conn))
    }

    /// Gives every row of a table, in order of its number, with that number.
    pub async fn each(&mut self, table: Table, mut take: impl FnMut(i64, &[Cell])) -> sqlx::Result<()> {
        let mut last = i64::MIN;
        loop {
            let page = sqlx::query(table.page()).bind(last).bind(PAGE).fetch_all(&mut self.0).await?;
            for row in &page {
                last = row.try_get(0)?;
                let cells = (1..row.len()).map(|index| cell(row, index)).collect::<sqlx::Result<Vec<_>>>()?;
                take(last, &cells);
            }
            if page.is_empty() {
                return Ok(());
            }
        }
    }
}

fn cell(row: &SqliteRow, index: usize) -> sqlx::Result<Cell> {
    let value = row.try_get_raw(index)?;
    if value.is_null() {
        return Ok(Cell::Null);
    }
    Ok(match value.type_info().name() {
        "INTEGER" | "BOOLEAN" => Cell::Integer(row.try_get_unchecked(index)?),
        "REAL" => Cell::Real(row.try_get_unchecked(index)?),
        "TEXT" | "DATETIME" | "DATE" | "TIME" => row.try_get_unchecked(index).map_or(Cell::Bytes, Cell::Text),
        _ => Cell::Bytes,
    })
}
