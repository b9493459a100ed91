//! What statements of all files share: running one on either engine, and pieces of SQL.

/// Runs one statement on either engine: `execute!(db, SQL, bind, …)` gives the number of rows it touched.
macro_rules! execute {
    ($db:expr, $sql:expr $(, $bind:expr)* $(,)?) => {
        match $db {
            $crate::store::Db::Sqlite(conn) => {
                sqlx::query::<sqlx::Sqlite>($sql)$(.bind($bind))*.execute(conn).await.map(|done| done.rows_affected())
            }
            $crate::store::Db::Postgres(conn) => {
                sqlx::query::<sqlx::Postgres>($sql)$(.bind($bind))*.execute(conn).await.map(|done| done.rows_affected())
            }
        }
        .map_err($crate::store::StoreError::from)
    };
}

/// Like [`execute!`], for rows: `query!(fetch_all as Row, db, SQL, bind, …)`, `fetch_one` or `fetch_optional`.
macro_rules! query {
    ($fetch:ident as $row:ty, $db:expr, $sql:expr $(, $bind:expr)* $(,)?) => {
        match $db {
            $crate::store::Db::Sqlite(conn) => {
                sqlx::query_as::<sqlx::Sqlite, $row>($sql)$(.bind($bind))*.$fetch(conn).await
            }
            $crate::store::Db::Postgres(conn) => {
                sqlx::query_as::<sqlx::Postgres, $row>($sql)$(.bind($bind))*.$fetch(conn).await
            }
        }
        .map_err($crate::store::StoreError::from)
    };
}

/// Declares the SQL texts of a file as constants, and `TEXTS` with all of them, which a test prepares on both engines.
macro_rules! sql_texts {
    ($($(#[$meta:meta])* $name:ident = $text:expr;)+) => {
        $($(#[$meta])* const $name: &str = $text;)+
        /// Every SQL text of this file.
        pub(in crate::store) const TEXTS: &[&str] = &[$($name),+];
    };
}

/// SQL for a time that travels in a batch, as seconds since 1970 at this place of the row's array. SQLite gets the very
/// text that a bound time has.
macro_rules! time_at {
    ($place:literal) => {
        concat!("strftime('%Y-%m-%dT%H:%M:%S+00:00', CAST(value ->> ", $place, " AS BIGINT), 'unixepoch')")
    };
}

/// SQL for a meter's bytes in both directions, at most the largest number, like `Counters::total`: beyond it one engine
/// would go on in floating point and the other fail.
macro_rules! lifetime {
    ($meter:literal) => {
        concat!(
            "CASE WHEN ",
            $meter,
            "lifetime_from > 9223372036854775807 - ",
            $meter,
            "lifetime_to \
             THEN 9223372036854775807 ELSE ",
            $meter,
            "lifetime_from + ",
            $meter,
            "lifetime_to END"
        )
    };
}

/// SQL for whether the session that a token names is open; a token without one needs none.
macro_rules! session_is_open {
    ($admin:literal, $family:literal, $now:literal) => {
        concat!(
            "(CAST(",
            $family,
            " AS TEXT) IS NULL OR EXISTS (SELECT 1 FROM sessions s WHERE s.family = ",
            $family,
            " AND s.admin_id = ",
            $admin,
            " AND s.expires_at > ",
            $now,
            "))"
        )
    };
}

/// SQL for the revision that the transaction under way makes; every statement that changes a user stores it.
macro_rules! this_revision {
    () => {
        "(SELECT revision + 1 FROM panel_state)"
    };
}

/// SQL for [`NodeId::LOCAL`](super::NodeId::LOCAL), whose accounts are joined to users.
macro_rules! local_node {
    () => {
        "1"
    };
}

pub(crate) use {execute, lifetime, local_node, query, session_is_open, sql_texts, this_revision, time_at};

/// A name as names are compared: without the case of ASCII letters, the only ones they have. PostgreSQL compares with its
/// collation "C" so, whatever the database's own does.
pub(super) fn folded(name: &str) -> String {
    name.to_ascii_lowercase()
}
