//! A copy of some columns of all users in memory. It follows the database by reading what has changed since its revision.

use std::collections::HashSet;
use std::sync::Arc;

use crate::store::users::{self, Listed, Projected};
use crate::store::{Db, StoreResult, state};

/// Some columns of a user.
pub trait Row: Clone + PartialEq + Send + Sync {
    /// Row id.
    fn id(&self) -> i64;

    /// The rows that changed after this revision (-1: all), by row id.
    fn changed(db: Db<'_>, after: i64) -> impl Future<Output = StoreResult<Vec<Self>>> + Send;
}

impl Row for Listed {
    fn id(&self) -> i64 {
        self.id
    }

    fn changed(db: Db<'_>, after: i64) -> impl Future<Output = StoreResult<Vec<Self>>> + Send {
        users::listing(db, after)
    }
}

impl Row for Projected {
    fn id(&self) -> i64 {
        self.id
    }

    fn changed(db: Db<'_>, after: i64) -> impl Future<Output = StoreResult<Vec<Self>>> + Send {
        users::projection(db, after)
    }
}

/// All rows of one revision.
#[derive(Debug)]
pub struct Mirror<R> {
    /// -1 before the first read.
    revision: i64,
    rows: Arc<Vec<R>>,
    has_changed: bool,
}

impl<R> Default for Mirror<R> {
    fn default() -> Self {
        Self { revision: -1, rows: Arc::default(), has_changed: true }
    }
}

impl<R: Row> Mirror<R> {
    /// Follows the database to the revision that this transaction sees, which must be a snapshot. Returns the revision with
    /// all rows by row id. After a failure the next call starts from the last good state.
    pub(crate) async fn follow(&mut self, mut db: Db<'_>) -> StoreResult<(i64, Arc<Vec<R>>)> {
        let revision = state::revision(db.reborrow()).await?;
        if revision != self.revision {
            self.apply(R::changed(db.reborrow(), self.revision).await?);
            if users::count(db.reborrow()).await? != self.rows.len() {
                self.keep(&users::ids(db).await?.into_iter().map(|(id,)| id).collect());
            }
            self.revision = revision;
        }
        Ok((revision, Arc::clone(&self.rows)))
    }

    /// Whether any row was changed, added or removed since [`Self::seen`].
    pub(crate) const fn has_changed(&self) -> bool {
        self.has_changed
    }

    /// Resets [`Self::has_changed`]: the caller has used the rows as they are.
    pub(crate) const fn seen(&mut self) {
        self.has_changed = false;
    }

    /// Replaces rows by the changed ones, and adds new ones; both are sorted by row id.
    fn apply(&mut self, changed: Vec<R>) {
        if self.rows.is_empty() {
            self.has_changed |= !changed.is_empty();
            self.rows = Arc::new(changed);
            return;
        }
        let rows = Arc::make_mut(&mut self.rows);
        for row in changed {
            match rows.binary_search_by_key(&row.id(), R::id) {
                Ok(at) => {
                    self.has_changed |= rows[at] != row;
                    rows[at] = row;
                }
                Err(at) => {
                    self.has_changed = true;
                    // New ones have the largest ids, so that nearly always nothing moves.
                    rows.insert(at, row);
                }
            }
        }
    }

    /// Removes the rows of users who no longer exist: all but `ids`.
    fn keep(&mut self, ids: &HashSet<i64>) {
        self.has_changed = true;
        Arc::make_mut(&mut self.rows).retain(|row| ids.contains(&row.id()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Row id and a column.
    type Pair = (i64, char);

    impl Row for Pair {
        fn id(&self) -> i64 {
            self.0
        }

        async fn changed(_: Db<'_>, _: i64) -> StoreResult<Vec<Self>> {
            unreachable!("no database is asked")
        }
    }

    #[test]
    fn rows_that_are_read_again_and_are_the_same_have_not_changed() {
        let mut mirror = Mirror::<Pair>::default();
        let mut changes = |step: &dyn Fn(&mut Mirror<Pair>)| {
            step(&mut mirror);
            let has_changed = mirror.has_changed();
            mirror.seen();
            (has_changed, mirror.rows.to_vec())
        };
        let (has_changed, _) = changes(&|mirror| mirror.apply(vec![(1, 'a'), (2, 'b'), (4, 'd')]));
        assert!(has_changed);
        let (has_changed, _) = changes(&|mirror| mirror.apply(vec![(1, 'a'), (4, 'd')]));
        assert!(!has_changed);
        let (has_changed, rows) = changes(&|mirror| mirror.apply(vec![(1, 'a'), (2, 'c')]));
        assert_eq!((has_changed, rows), (true, vec![(1, 'a'), (2, 'c'), (4, 'd')]));
        let (has_changed, rows) = changes(&|mirror| mirror.apply(vec![(3, 'c')]));
        assert_eq!((has_changed, rows), (true, vec![(1, 'a'), (2, 'c'), (3, 'c'), (4, 'd')]));
        let (has_changed, rows) = changes(&|mirror| mirror.keep(&HashSet::from([1, 3])));
        assert_eq!((has_changed, rows), (true, vec![(1, 'a'), (3, 'c')]));
    }
}
