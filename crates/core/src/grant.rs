//! One traffic limit over several nodes: how much of what is left of it each node may serve by itself.
//!
//! A node cuts a user at a *ceiling*, a total of the bytes that the user has moved on this node. The panel grants ceilings so
//! that what all nodes may still move together never exceeds what is left of the limit; then no node has to ask before it
//! serves, and a node that cannot reach the panel overruns nothing. What a node does not need comes back when another one
//! runs short.
//!
//! Messages may be lost, repeated, late and out of order. So totals and ceilings are absolute, every grant has a generation, a
//! node applies only newer ones, and the panel assumes the largest ceiling that a node may still have until the node has
//! confirmed the latest.

/// Nodes begin with this part of the limit, all of them together.
const STARTING_PART: u64 = 4;
/// A node that runs short gets up to this part of what is left.
const LARGEST_PART: u64 = 2;
/// A node runs short when what it may still move would be over within this many reports.
const REPORTS_AHEAD: u64 = 4;
/// After this many reports in a row without traffic, a node gives back everything.
const IDLE_REPORTS: u32 = 2;
/// Smallest amount to call back or to grant, in bytes, as long as there is as much: below it messages cost more than they bring.
const SMALLEST: u64 = 1024 * 1024;
/// Smallest part that a node without traffic keeps, in bytes: near the end of a limit others need it more.
const SMALLEST_IDLE: u64 = 2 * 1024 * 1024;

/// A ceiling on its way to a node.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Grant {
    /// Greater for a later grant to the same node.
    pub generation: u64,
    /// Total of the user's bytes on the node at which it cuts them.
    pub ceiling: u64,
}

/// What a node says of one user.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Report {
    /// Bytes that the user has ever moved on the node, in both directions. It only grows.
    pub total: u64,
    /// The grant that the node goes by.
    pub grant: Grant,
    /// Whether the user is connected, or was refused since the last report.
    pub is_asked_for: bool,
}

/// A node's side: the grant that it goes by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ceiling(Grant);

impl Ceiling {
    /// Begins with the grant that the panel counts on for a node that it has sent none yet.
    pub const fn starting(grant: Grant) -> Self {
        Self(grant)
    }

    /// Takes a grant that has arrived, unless a newer one has arrived before. Tells whether the ceiling is lower than it was:
    /// the node reports at once then, because somebody waits for what it gives back.
    pub const fn apply(&mut self, grant: Grant) -> bool {
        if grant.generation <= self.0.generation {
            return false;
        }
        let is_lower = grant.ceiling < self.0.ceiling;
        self.0 = grant;
        is_lower
    }

    /// Bytes that the user may still move, given what they have moved.
    pub const fn left(&self, total: u64) -> u64 {
        self.0.ceiling.saturating_sub(total)
    }

    /// What the node reports.
    pub const fn report(&self, total: u64, is_asked_for: bool) -> Report {
        Report { total, grant: self.0, is_asked_for }
    }
}

/// The panel's side: what one node has been granted of one user's limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Share {
    seen: u64,
    grant: Grant,
    /// The largest ceiling that the node may go by.
    assumed: u64,
    /// Bytes between the last two reports that brought any.
    pace: u64,
    is_asked_for: bool,
    idle_reports: u32,
}

impl Share {
    /// The share of a node that has moved `total` bytes of the user and was sent no grant yet. It is computed on both sides
    /// from what they know, so that a new user is served at once: `limit` is the user's, `nodes` is how many serve them.
    pub fn starting(total: u64, limit: u64, nodes: u64) -> Self {
        let part = if nodes <= 1 { limit } else { limit / (STARTING_PART * nodes) };
        let grant = Grant { generation: 0, ceiling: total.saturating_add(part) };
        Self { seen: total, grant, assumed: grant.ceiling, pace: 0, is_asked_for: false, idle_reports: 0 }
    }

    /// The latest grant. It is sent again with every answer to a report that does not name it.
    pub const fn grant(&self) -> Grant {
        self.grant
    }

    /// Bytes of the user on this node that the panel knows of.
    pub const fn seen(&self) -> u64 {
        self.seen
    }

    /// Bytes that the node may move without another grant, beyond those that the panel has seen.
    pub const fn outstanding(&self) -> u64 {
        self.assumed.saturating_sub(self.seen)
    }

    /// Takes in a report, and gives the bytes that it adds. A report that was overtaken by a later one adds none.
    pub const fn take(&mut self, report: Report) -> u64 {
        let moved = report.total.saturating_sub(self.seen);
        self.seen += moved;
        if report.grant.generation == self.grant.generation {
            self.assumed = self.grant.ceiling;
        }
        self.is_asked_for = report.is_asked_for;
        if moved > 0 {
            self.pace = moved;
            self.idle_reports = 0;
        } else {
            self.idle_reports = self.idle_reports.saturating_add(1);
        }
        moved
    }

    /// Bytes up to the ceiling that the node has or will soon have.
    const fn ahead(&self) -> u64 {
        self.grant.ceiling.saturating_sub(self.seen)
    }

    const fn runs_short(&self) -> bool {
        self.is_asked_for && (self.ahead() < self.pace.saturating_mul(REPORTS_AHEAD) || self.ahead() == 0)
    }

    const fn is_idle(&self) -> bool {
        self.idle_reports >= IDLE_REPORTS
    }

    fn set_ceiling(&mut self, ceiling: u64) {
        self.grant = Grant { generation: self.grant.generation + 1, ceiling };
        self.assumed = self.assumed.max(ceiling);
    }

    /// Whether the node has yet to confirm that it has a lower ceiling.
    const fn is_called_back(&self) -> bool {
        self.assumed > self.grant.ceiling
    }

    /// Gives back what is beyond `part` if idle, and up to half otherwise; a busy node will have used up a little before the call
    /// arrives. One call at a time: another one would only put off the confirmation.
    fn call_back(&mut self, part: u64) {
        if self.is_called_back() {
            return;
        }
        let keeps = if self.is_idle() { part } else { part.max(self.ahead() / 2).max(SMALLEST) };
        if keeps + SMALLEST <= self.ahead() || keeps == 0 && self.ahead() > 0 {
            self.set_ceiling(self.seen + keeps);
        }
    }
}

/// What all nodes together may still move.
pub fn outstanding(shares: &[Share]) -> u64 {
    shares.iter().map(Share::outstanding).fold(0, u64::saturating_add)
}

/// Grants anew after a report of the node `at`, where `left` bytes of the limit are left. New grants are those of shares whose
/// [`Share::grant`] has another generation than before.
///
/// A node that runs short gets more, of what was granted to nobody. If that is not enough, or if the limit was lowered below
/// what is granted, the other nodes are asked to give back, and what they give arrives with their next reports. A node that
/// nobody uses keeps, or gets, a small part, so that it can serve at once.
pub fn distribute(left: u64, shares: &mut [Share], at: usize) {
    let part = idle_part(left, shares.len());
    let granted = outstanding(shares);
    if granted > left {
        for share in shares {
            share.call_back(part);
        }
        return;
    }
    let nodes = shares.len();
    let share = &mut shares[at];
    let aim = match nodes {
        1 => left,
        _ if share.runs_short() => (left / LARGEST_PART).max(share.pace.saturating_mul(REPORTS_AHEAD)).min(left),
        _ => part,
    };
    let missing = aim.saturating_sub(share.ahead());
    // What the node may still use of an older grant is counted as granted already.
    let free = left - granted + share.outstanding().saturating_sub(share.ahead());
    let more = missing.min(free);
    let ceiling = share.seen + share.ahead() + more;
    let is_worth_it = more >= SMALLEST.min(missing) || share.ahead() == 0;
    if more > 0 && is_worth_it {
        share.set_ceiling(ceiling);
        // It could not move anything until now.
        share.idle_reports = 0;
    }
    if more < missing && share.is_asked_for {
        for (_, share) in shares.iter_mut().enumerate().filter(|(other, _)| *other != at) {
            share.call_back(part);
        }
    }
}

/// What a node without traffic may hold of `left` bytes, where there are so many nodes: nothing near the end of the limit.
fn idle_part(left: u64, nodes: usize) -> u64 {
    let part = left / (STARTING_PART * nodes as u64);
    if part < SMALLEST_IDLE { 0 } else { part }
}

#[cfg(test)]
mod tests;
