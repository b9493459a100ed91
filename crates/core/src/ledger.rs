//! What one node has reported of one user, and what that adds to the user's usage: each byte once, whatever happens to the
//! messages in between.
//!
//! A node reports totals, never differences, and says in which *incarnation* it counts: one more whenever it has lost what it
//! remembered, so that its totals begin at 0. The panel keeps the largest total that it has seen. A repeated, late or lost
//! report then changes nothing that the next one does not put right.

use crate::usage::Counters;

/// What the panel knows of one user on one node.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Entry {
    /// The incarnation in which the node counts; 0 before its first report.
    pub incarnation: u64,
    /// The largest totals seen in this incarnation.
    pub seen: Counters,
}

/// A total that is smaller than one that was seen before in the same incarnation: the node counts wrongly, or it is two nodes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the totals went back from {} and {} to {} and {} bytes", .seen.from_client, .seen.to_client, .reported.from_client, .reported.to_client)]
pub struct WentBack {
    /// The totals that were seen.
    pub seen: Counters,
    /// The totals of the refused report.
    pub reported: Counters,
}

impl Entry {
    /// The entry after a report, and the bytes that it adds. A report of an earlier incarnation is late and adds none: what it
    /// says was either seen or is lost with the incarnation.
    ///
    /// Reports of one incarnation come in order (the panel drops those whose sequence number it has passed), so one that
    /// goes back is refused.
    pub fn take(self, incarnation: u64, totals: Counters) -> Result<(Self, Counters), WentBack> {
        if incarnation < self.incarnation {
            return Ok((self, Counters::ZERO));
        }
        let seen = if incarnation == self.incarnation { self.seen } else { Counters::ZERO };
        if totals.from_client < seen.from_client || totals.to_client < seen.to_client {
            return Err(WentBack { seen, reported: totals });
        }
        let moved = Counters {
            from_client: totals.from_client - seen.from_client,
            to_client: totals.to_client - seen.to_client,
        };
        Ok((Self { incarnation, seen: totals }, moved))
    }
}

/// How bytes on a node are charged: a node may count more or less than one to one. A change holds from the total at which it was
/// made, so that what was charged before stays as it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate {
    /// Charged bytes for 1,000 moved ones.
    permille: u32,
    /// Total from which this rate holds.
    since: i64,
    /// Bytes charged up to there.
    charged: i64,
}

impl Default for Rate {
    fn default() -> Self {
        Self { permille: 1_000, since: 0, charged: 0 }
    }
}

impl Rate {
    /// Bytes charged for a total of moved bytes, rounded down once, not at each report.
    pub fn charged(&self, total: i64) -> i64 {
        let moved = i128::from(total.saturating_sub(self.since).max(0));
        let charged = i128::from(self.charged) + moved * i128::from(self.permille) / 1_000;
        i64::try_from(charged).unwrap_or(i64::MAX)
    }

    /// The rate after a change to `permille` at `total`.
    #[must_use]
    pub fn change(self, permille: u32, total: i64) -> Self {
        Self { permille, since: total, charged: self.charged(total) }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn bytes(from_client: i64, to_client: i64) -> Counters {
        Counters { from_client, to_client }
    }

    #[test]
    fn totals_that_go_back_are_refused_in_either_direction() {
        let (entry, _) = Entry::default().take(1, bytes(10, 20)).unwrap();
        for reported in [bytes(9, 20), bytes(10, 19), bytes(9, 30)] {
            assert_eq!(entry.take(1, reported), Err(WentBack { seen: bytes(10, 20), reported }));
        }
    }

    #[test]
    fn a_new_incarnation_begins_at_zero_and_reports_of_the_old_one_add_nothing() {
        let (entry, _) = Entry::default().take(1, bytes(10, 20)).unwrap();
        let (entry, moved) = entry.take(2, bytes(3, 4)).unwrap();
        assert_eq!(moved, bytes(3, 4));
        assert_eq!(entry.take(1, bytes(90, 90)), Ok((entry, Counters::ZERO)));
    }

    #[test]
    fn a_rate_is_rounded_once_and_holds_from_its_change() {
        let half = Rate::default().change(500, 1_000);
        assert_eq!([1_000, 1_001, 1_002, 1_003].map(|total| half.charged(total)), [1_000, 1_000, 1_001, 1_001]);
        let free = half.change(0, 1_003);
        assert_eq!(free.charged(i64::MAX), 1_001);
        assert_eq!(Rate::default().change(u32::MAX, 0).charged(i64::MAX), i64::MAX);
    }

    /// What a node does between two reports: moves bytes or loses what it remembered; then whether the report arrives, and
    /// how often.
    fn steps() -> impl Strategy<Value = Vec<(i64, i64, bool, usize)>> {
        prop::collection::vec((0..1_000_i64, 0..1_000_i64, prop::bool::weighted(0.1), 0..3_usize), 1..60)
    }

    proptest! {
        #[test]
        fn every_byte_that_a_report_tells_of_is_added_once(steps in steps()) {
            let (mut incarnation, mut totals) = (1, Counters::ZERO);
            let (mut entry, mut sum) = (Entry::default(), 0);
            // The last total that arrived, in each incarnation.
            let mut told = std::collections::BTreeMap::new();
            for (from_client, to_client, is_lost, arrivals) in steps {
                if is_lost {
                    (incarnation, totals) = (incarnation + 1, Counters::ZERO);
                }
                totals = totals.saturating_add(bytes(from_client, to_client));
                for _ in 0..arrivals {
                    let (after, moved) = entry.take(incarnation, totals).unwrap();
                    (entry, sum) = (after, sum + moved.total());
                    told.insert(incarnation, totals.total());
                }
            }
            prop_assert_eq!(sum, told.values().sum::<i64>());
        }

        #[test]
        fn what_was_charged_never_becomes_less(
            permilles in prop::collection::vec(0..5_000_u32, 1..6),
            growth in prop::collection::vec(0..1_000_000_i64, 12),
        ) {
            let (mut rate, mut total, mut charged) = (Rate::default(), 0, 0);
            for (turn, more) in growth.into_iter().enumerate() {
                total += more;
                prop_assert!(rate.charged(total) >= charged);
                charged = rate.charged(total);
                if let Some(permille) = permilles.get(turn) {
                    rate = rate.change(*permille, total);
                    prop_assert_eq!(rate.charged(total), charged);
                }
            }
        }
    }
}
