//! The order of users in lists.
//!
//! Lists are searched, filtered and sorted over a copy of the few columns that this needs, so that a page costs the
//! same at 100,000 users as at 100, without an index on columns that every scrape changes. The copy belongs to one
//! revision of the database; a list that finds a newer one has it follow. Rows are always read from the database.

use std::cmp::Reverse;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use mtpannel_core::policy::Scope;
use mtpannel_core::user::{Limit, Status};
use tokio::sync::Mutex as AsyncMutex;

use super::mirror::Mirror;
use crate::store::users::{Listed, User};
use crate::store::{Store, StoreResult, state};

/// What users are sorted by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SortKey {
    /// When they were created.
    CreatedAt,
    /// Their name, in any case.
    Username,
    /// Their usage.
    DataUsed,
    /// Their limit; none counts as more than any.
    DataLimit,
    /// End of their time; none counts as later than any.
    ExpireAt,
    /// When they were last seen; never counts as earlier than any.
    LastSeenAt,
    /// Their status, in the order of [`Status::ALL`].
    Status,
}

/// Which users a list shows, in which order.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Selection {
    /// The users that whoever asks sees.
    pub scope: Scope,
    /// Part of the name, in lower case; empty for all.
    pub search: String,
    /// Only those with this status.
    pub status: Option<Status>,
    /// The order.
    pub sort: SortKey,
    /// The largest first.
    pub descending: bool,
}

impl Selection {
    /// Whether the list shows this user.
    pub fn holds(&self, user: &User) -> bool {
        self.scope.sees(user.created_by_admin_id)
            && self.status.is_none_or(|status| user.profile.status == status)
            && user.username.as_str().to_ascii_lowercase().contains(&self.search)
    }
}

/// Row ids of the users that a selection holds, in its order.
pub type Ids = Arc<Vec<i64>>;

/// How many row ids are remembered for one revision, in all selections together: 8 MB.
const REMEMBERED: usize = 1_000_000;
/// What a selection costs besides its row ids, in row ids.
const SELECTION: usize = 20;

/// See the module.
#[derive(Debug, Default)]
pub struct Roster {
    current: Mutex<Option<Arc<Copy>>>,
    /// Held while a newer copy is made, so that lists that wait for the same one make it once.
    rows: AsyncMutex<Mirror<Listed>>,
}

#[derive(Debug)]
struct Copy {
    revision: i64,
    rows: Arc<Vec<Listed>>,
    /// Names in lower case, each followed by a newline, which no name holds.
    names: String,
    /// Where each name begins, and the end. 32 bytes a name leave room for a hundred million.
    starts: Vec<u32>,
    remembered: Mutex<Remembered>,
    orders: Mutex<HashMap<SortKey, Arc<Order>>>,
}

/// Selections that were asked for, so that the next page need not find them again.
#[derive(Debug, Default)]
struct Remembered {
    ids: HashMap<Selection, Ids>,
    /// See [`REMEMBERED`].
    size: usize,
}

impl Remembered {
    fn insert(&mut self, selection: Selection, ids: &Ids) {
        if self.size >= REMEMBERED {
            *self = Self::default();
        }
        self.size += SELECTION + ids.len();
        self.ids.insert(selection, Arc::clone(ids));
    }
}

/// One order of the rows, both ways round.
#[derive(Debug)]
struct Order {
    /// Positions of the rows, in order.
    by_rank: Vec<u32>,
    /// Where in it each row stands.
    ranks: Vec<u32>,
}

impl Order {
    fn new(by_rank: Vec<u32>) -> Self {
        let mut ranks = vec![0; by_rank.len()];
        for (rank, index) in (0u32..).zip(&by_rank) {
            ranks[*index as usize] = rank;
        }
        Self { by_rank, ranks }
    }
}

impl Roster {
    /// The users that `selection` holds at the present revision.
    pub async fn select(&self, store: &Store, selection: Selection) -> StoreResult<Ids> {
        let copy = self.copy(store).await?;
        let remembered = lock(&copy.remembered).ids.get(&selection).cloned();
        if let Some(ids) = remembered {
            return Ok(ids);
        }
        let ids = Arc::new(copy.select(&selection));
        lock(&copy.remembered).insert(selection, &ids);
        Ok(ids)
    }

    /// How many users of `scope` there are by status.
    pub async fn count_by_status(&self, store: &Store, scope: Scope) -> StoreResult<HashMap<Status, i64>> {
        let copy = self.copy(store).await?;
        let mut counts: HashMap<Status, i64> = Status::ALL.into_iter().map(|status| (status, 0)).collect();
        for row in copy.rows.iter().filter(|row| scope.sees(row.created_by_admin_id)) {
            *counts.entry(row.status).or_default() += 1;
        }
        Ok(counts)
    }

    /// The columns of all users by which lists are made, by row id, at the present revision.
    pub async fn rows(&self, store: &Store) -> StoreResult<Arc<Vec<Listed>>> {
        Ok(Arc::clone(&self.copy(store).await?.rows))
    }

    async fn copy(&self, store: &Store) -> StoreResult<Arc<Copy>> {
        let revision = state::revision(store.read().await?.db()).await?;
        if let Some(copy) = self.at_least(revision) {
            return Ok(copy);
        }
        let mut rows = self.rows.lock().await;
        if let Some(copy) = self.at_least(revision) {
            return Ok(copy);
        }
        // New lists want the newer copy. Without the old one its rows are no longer shared and can be changed in place.
        *lock(&self.current) = None;
        let mut conn = store.read().await?;
        let mut tx = conn.snapshot().await?;
        let (revision, rows) = rows.follow(tx.db()).await?;
        let copy = Arc::new(Copy::new(revision, rows));
        *lock(&self.current) = Some(Arc::clone(&copy));
        Ok(copy)
    }

    fn at_least(&self, revision: i64) -> Option<Arc<Copy>> {
        lock(&self.current).as_ref().filter(|copy| copy.revision >= revision).cloned()
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn position(names: &str) -> u32 {
    u32::try_from(names.len()).expect("all names together are shorter than 4 GiB")
}

impl Copy {
    fn new(revision: i64, rows: Arc<Vec<Listed>>) -> Self {
        let mut names = String::new();
        let mut starts = Vec::with_capacity(rows.len() + 1);
        for row in rows.iter() {
            starts.push(position(&names));
            names.extend(row.username.chars().map(|c| c.to_ascii_lowercase()));
            names.push('\n');
        }
        starts.push(position(&names));
        Self { revision, rows, names, starts, remembered: Mutex::default(), orders: Mutex::default() }
    }

    fn select(&self, selection: &Selection) -> Vec<i64> {
        let matches = |index: &u32| {
            let row = &self.rows[*index as usize];
            selection.scope.sees(row.created_by_admin_id) && selection.status.is_none_or(|status| row.status == status)
        };
        let order = self.order(selection.sort);
        let id = |index: u32| self.rows[index as usize].id;
        let found: Vec<u32> = if selection.search.is_empty() {
            order.by_rank.iter().copied().filter(matches).collect()
        } else {
            let found = self.search(&selection.search).into_iter().filter(matches);
            // Ranks sort faster than rows by their rank.
            let mut ranks: Vec<u32> = found.map(|index| order.ranks[index as usize]).collect();
            ranks.sort_unstable();
            ranks.into_iter().map(|rank| order.by_rank[rank as usize]).collect()
        };
        if selection.descending {
            found.into_iter().rev().map(id).collect()
        } else {
            found.into_iter().map(id).collect()
        }
    }

    /// The rows whose names hold `part`: one pass over all names, whatever characters it has.
    fn search(&self, part: &str) -> Vec<u32> {
        let mut found = Vec::new();
        if part.contains('\n') {
            return found;
        }
        let finder = memchr::memmem::Finder::new(part);
        let (mut row, mut from) = (0, 0);
        while let Some(at) = finder.find(&self.names.as_bytes()[from..]) {
            row = self.row_at(from + at, row);
            found.extend(u32::try_from(row).ok());
            row += 1;
            from = self.starts[row] as usize;
        }
        found
    }

    /// The row whose name is at this place, which is `first` or a later one. It is near mostly, so the steps begin small.
    fn row_at(&self, place: usize, first: usize) -> usize {
        let is_before = |start: &u32| *start as usize <= place;
        let mut step = 1;
        while self.starts.get(first + step).is_some_and(is_before) {
            step *= 2;
        }
        let (low, high) = (first + step / 2, self.starts.len().min(first + step));
        low + self.starts[low..high].partition_point(is_before) - 1
    }

    fn order(&self, sort: SortKey) -> Arc<Order> {
        Arc::clone(lock(&self.orders).entry(sort).or_insert_with(|| Arc::new(Order::new(self.sorted(sort)))))
    }

    /// Positions of the rows in ascending order of the key; rows stand by id already, and ties stay so.
    fn sorted(&self, sort: SortKey) -> Vec<u32> {
        let mut order: Vec<u32> = (0u32..).take(self.rows.len()).collect();
        let row = |index: &u32| &self.rows[*index as usize];
        match sort {
            SortKey::CreatedAt => order.sort_by_key(|index| row(index).created_at),
            SortKey::Username => order.sort_by_key(|index| self.name(*index as usize)),
            SortKey::DataUsed => order.sort_by_key(|index| row(index).data_used),
            SortKey::DataLimit => order.sort_by_key(|index| row(index).data_limit.map_or(i64::MAX, Limit::get)),
            SortKey::ExpireAt => order.sort_by_key(|index| Reverse(row(index).expire_at.map(Reverse))),
            SortKey::LastSeenAt => order.sort_by_key(|index| row(index).last_seen_at),
            SortKey::Status => order.sort_by_key(|index| row(index).status),
        }
        order
    }

    fn name(&self, index: usize) -> &str {
        &self.names[self.starts[index] as usize..self.starts[index + 1] as usize]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::DateTime;

    fn row(id: i64, username: &str, used: i64, expire_at: Option<i64>) -> Listed {
        Listed {
            id,
            username: username.into(),
            status: if id % 2 == 0 { Status::Disabled } else { Status::Active },
            created_by_admin_id: Some(id % 3),
            data_used: used,
            data_limit: None,
            expire_at: expire_at.and_then(|seconds| DateTime::from_timestamp(seconds, 0)),
            last_seen_at: None,
            created_at: DateTime::UNIX_EPOCH,
        }
    }

    fn copy() -> Copy {
        let rows = vec![row(1, "Bob_1", 5, None), row(2, "alice", 9, Some(20)), row(3, "carol%x", 1, Some(10))];
        Copy::new(1, Arc::new(rows))
    }

    fn selection(search: &str, sort: SortKey, descending: bool) -> Selection {
        Selection { scope: Scope::All, search: search.into(), status: None, sort, descending }
    }

    #[test]
    fn search_takes_every_character_as_itself_and_ignores_case() {
        let find = |part| copy().select(&selection(part, SortKey::CreatedAt, false));
        assert_eq!(find("bob"), [1]);
        assert_eq!(find("%"), [3]);
        assert_eq!(find("_"), [1]);
        assert_eq!(find("l"), [2, 3]);
        assert_eq!(find("\n"), [] as [i64; 0]);
        assert_eq!(find("ealice"), [] as [i64; 0]);
    }

    #[test]
    fn every_key_sorts_both_ways_and_no_date_is_the_latest() {
        let sort = |key, descending| copy().select(&selection("", key, descending));
        assert_eq!(sort(SortKey::Username, false), [2, 1, 3]);
        assert_eq!(sort(SortKey::DataUsed, true), [2, 1, 3]);
        assert_eq!(sort(SortKey::ExpireAt, false), [3, 2, 1]);
        assert_eq!(sort(SortKey::ExpireAt, true), [1, 2, 3]);
    }

    #[test]
    fn owner_and_status_filter() {
        let mut selected = selection("", SortKey::CreatedAt, false);
        selected.scope = Scope::OwnedBy(1);
        assert_eq!(copy().select(&selected), [1]);
        selected.scope = Scope::All;
        selected.status = Some(Status::Disabled);
        assert_eq!(copy().select(&selected), [2]);
    }
}
