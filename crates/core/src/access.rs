//! What the managed tables of the proxy's file must say.
//!
//! [`Access::new`] decides, [`crate::document`] writes. The panel manages six tables under `access` and nothing else.

use chrono::{DateTime, TimeDelta, Utc};

use crate::user::{Limits, Secret, Status, Username};

/// How long a session cut must stay in the file of this many users, so that the proxy applies it: it reads no new file while
/// it applies another one. As measured in `docs/contract-telemt.md`, a reload takes 105 ms at most for 1,000 users with every
/// limit, 296 ms for 10,000 and 9.4 s for 100,000; 150 ms and 0.1 ms a user are above each.
pub fn cut_gap(users: usize) -> TimeDelta {
    TimeDelta::milliseconds(150 + i64::try_from(users / 10).unwrap_or(i64::MAX - 150))
}

/// How long the session cut of a deleted name stays in the file.
pub const DELETED_NAME_CUT: TimeDelta = TimeDelta::seconds(60);

/// What the projection needs of a user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The name in the spelling that the proxy is to see.
    pub username: Username,
    /// The secret.
    pub secret: Secret,
    /// The stored status; the expiry is compared with the clock as well.
    pub status: Status,
    /// The expiry; the user is not served from this second on.
    pub expire_at: Option<DateTime<Utc>>,
    /// The limits.
    pub limits: Limits,
    /// The name's lifetime total when its usage was last reset.
    pub usage_base: i64,
}

impl Entry {
    /// Whether the user is in `[access.users]` at `now`.
    fn is_served(&self, now: DateTime<Utc>) -> bool {
        self.status == Status::Active && self.expire_at.is_none_or(|end| end > now)
    }
}

/// The order to the proxy to close the open connections of a name: its user was deleted or got a new secret, or the name is
/// unknown. Only `user_enabled = false` closes them (`docs/contract-telemt.md`, trap 2).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionCut {
    /// The name in the spelling that the proxy knew; the proxy tells `Bob` from `bob`.
    pub username: Username,
    /// When the cut was ordered.
    pub ordered_at: DateTime<Utc>,
    /// When a file that holds the cut was written; `None` until then.
    pub written_at: Option<DateTime<Utc>>,
    /// Whether a user of this name was deleted. Otherwise the secret has changed, or the name is unknown.
    pub user_deleted: bool,
}

impl SessionCut {
    /// When the cut leaves the file; `None` until a file that holds it was written. If one of the `users` has this very name
    /// (`exists`), it lasts [`cut_gap`] from its writing, so that the user can connect again soon. Otherwise it lasts
    /// [`DELETED_NAME_CUT`] from its writing, and at least from its order: the clock may have been set back in between.
    pub fn ends_at(&self, exists: bool, users: usize) -> Option<DateTime<Utc>> {
        let written_at = self.written_at?;
        let (from, length) =
            if exists { (written_at, cut_gap(users)) } else { (written_at.max(self.ordered_at), DELETED_NAME_CUT) };
        Some(later(from, length))
    }

    /// Whether the file must still disable the name at `now`; the rest as in [`SessionCut::ends_at`].
    pub fn is_in_force(&self, exists: bool, users: usize, now: DateTime<Utc>) -> bool {
        self.ends_at(exists, users).is_none_or(|end| now < end)
    }

    /// Whether entries of the name in tables that the panel does not manage have to go at `now`. This lasts as long as the cut
    /// of a deleted name, because several panels may share the database, and each has a file of its own.
    fn is_to_be_cleared(&self, now: DateTime<Utc>) -> bool {
        self.user_deleted && self.is_in_force(false, 0, now)
    }

    /// Whether at `now` the proxy of this many users has applied the cut, so that no old connection is open any more.
    pub fn is_applied(&self, users: usize, now: DateTime<Utc>) -> bool {
        self.written_at.is_some_and(|written_at| later(written_at, cut_gap(users)) <= now)
    }
}

fn later(moment: DateTime<Utc>, by: TimeDelta) -> DateTime<Utc> {
    moment.checked_add_signed(by).unwrap_or(DateTime::<Utc>::MAX_UTC)
}

/// A table that the panel manages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Table {
    Users,
    MaxTcpConns,
    DataQuota,
    Expirations,
    MaxUniqueIps,
    Enabled,
}

impl Table {
    /// Every managed table, in the order in which they are written.
    pub(crate) const ALL: [Self; 6] =
        [Self::Users, Self::MaxTcpConns, Self::DataQuota, Self::Expirations, Self::MaxUniqueIps, Self::Enabled];

    /// The key under `access`.
    pub(crate) const fn key(self) -> &'static str {
        match self {
            Self::Users => "users",
            Self::MaxTcpConns => "user_max_tcp_conns",
            Self::DataQuota => "user_data_quota",
            Self::Expirations => "user_expirations",
            Self::MaxUniqueIps => "user_max_unique_ips",
            Self::Enabled => "user_enabled",
        }
    }

    /// The table of each limit.
    pub(crate) const OF_LIMITS: Limits<Self> =
        Limits { data: Self::DataQuota, connections: Self::MaxTcpConns, addresses: Self::MaxUniqueIps };

    /// The table that this key under `access` names, if it is a managed one.
    pub(crate) fn from_key(key: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|table| table.key() == key)
    }

    /// Place in [`Table::ALL`].
    pub(crate) const fn index(self) -> usize {
        self as usize
    }
}

/// A user who is served, with what the tables say of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Served {
    pub(crate) username: Username,
    pub(crate) secret: Secret,
    pub(crate) expire_at: Option<DateTime<Utc>>,
    /// What the file says of each limit; instead of the traffic limit the quota.
    pub(crate) numbers: Limits<Option<i64>>,
}

impl Served {
    /// The number in a table of limits.
    pub(crate) const fn number(&self, table: Table) -> Option<i64> {
        match table {
            Table::DataQuota => self.numbers.data,
            Table::MaxTcpConns => self.numbers.connections,
            Table::MaxUniqueIps => self.numbers.addresses,
            Table::Users | Table::Expirations | Table::Enabled => None,
        }
    }
}

impl From<Entry> for Served {
    fn from(entry: Entry) -> Self {
        let mut numbers = entry.limits.numbers();
        // A negative quota would make the proxy refuse the whole file.
        numbers.data = numbers.data.map(|limit| entry.usage_base.max(0).saturating_add(limit));
        Self { username: entry.username, secret: entry.secret, expire_at: entry.expire_at, numbers }
    }
}

/// What the managed tables must say at one instant. Two that are equal give the same text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Access {
    /// Sorted by name, in byte order.
    served: Vec<Served>,
    /// Names that are `false` in `user_enabled`, sorted in byte order; a name may stand in both lists.
    blocked: Vec<Username>,
    /// Deleted names whose entries in tables that the panel does not manage have to go, with the time of their deletion,
    /// sorted.
    cleared: Vec<(Username, DateTime<Utc>)>,
}

impl Access {
    /// Decides what the file says at `now` of these users, in any order, and with these session cuts.
    ///
    /// Served, and thus in `[access.users]` with their limits, are those whose status is active and whose time is not
    /// over. All others, and names with a session cut in force, are disabled by name, so that their open connections end. A
    /// user with a new secret, or one whose name was deleted and created again, is both: the new secret is there, and the
    /// name is disabled until the cut ends.
    ///
    /// ```
    /// # use mtpannel_core::{access::{Access, Entry}, document::Layout, user::{Limits, Secret, Status}};
    /// let alice = Entry {
    ///     username: "alice".parse()?,
    ///     secret: Secret::new([7; 16]),
    ///     status: Status::Active,
    ///     expire_at: None,
    ///     limits: Limits::default(),
    ///     usage_base: 0,
    /// };
    /// let access = Access::new(vec![alice], &[], "2026-05-05T12:00:00Z".parse()?);
    /// let text = Layout::parse("[server]\nport = 443\n")?.render(&access, &Secret::new([0; 16]));
    /// assert_eq!(text, "[server]\nport = 443\n\n[access.users]\n\"alice\" = \"07070707070707070707070707070707\"\n");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn new(mut entries: Vec<Entry>, cuts: &[SessionCut], now: DateTime<Utc>) -> Self {
        entries.sort_by(|a, b| a.username.cmp(&b.username));
        entries.dedup_by(|later, first| later.username == first.username);
        let exists = |name: &Username| entries.binary_search_by(|entry| entry.username.cmp(name)).is_ok();
        let in_force = cuts.iter().filter(|cut| cut.is_in_force(exists(&cut.username), entries.len(), now));
        let mut blocked: Vec<Username> = in_force.map(|cut| cut.username.clone()).collect();
        let cleared = cuts.iter().filter(|cut| cut.is_to_be_cleared(now));
        let mut cleared: Vec<_> = cleared.map(|cut| (cut.username.clone(), cut.ordered_at)).collect();
        cleared.sort_unstable();
        let mut served = Vec::with_capacity(entries.len());
        for entry in entries {
            if entry.is_served(now) {
                served.push(Served::from(entry));
            } else {
                blocked.push(entry.username);
            }
        }
        blocked.sort_unstable();
        blocked.dedup();
        Self { served, blocked, cleared }
    }

    /// Deleted names whose entries in tables that the panel does not manage have to go from the file, with the time of
    /// their deletion: the next owner of a name must not inherit them. A name that has been created again may be one.
    pub fn cleared(&self) -> &[(Username, DateTime<Utc>)] {
        &self.cleared
    }

    /// Whether the file says anything of this name: that it is served, or that it is not.
    pub fn names(&self, name: &Username) -> bool {
        self.served.binary_search_by(|user| user.username.cmp(name)).is_ok() || self.blocked.binary_search(name).is_ok()
    }

    /// Those in `[access.users]`, sorted.
    pub(crate) fn served(&self) -> &[Served] {
        &self.served
    }

    /// Those that `user_enabled` says `false` of, sorted.
    pub(crate) fn blocked(&self) -> &[Username] {
        &self.blocked
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    const NOW: &str = "2026-05-05T12:00:00Z";

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    fn entry(name: &str) -> Entry {
        Entry {
            username: name.parse().unwrap(),
            secret: Secret::new([1; 16]),
            status: Status::Active,
            expire_at: None,
            limits: Limits::default(),
            usage_base: 0,
        }
    }

    fn cut(name: &str, ordered_at: &str, written_at: Option<&str>) -> SessionCut {
        let username = name.parse().unwrap();
        SessionCut { username, ordered_at: at(ordered_at), written_at: written_at.map(at), user_deleted: false }
    }

    fn names(access: &Access) -> (Vec<&str>, Vec<&str>) {
        let served = access.served().iter().map(|user| user.username.as_str()).collect();
        (served, access.blocked().iter().map(Username::as_str).collect())
    }

    #[rstest]
    #[case(Status::Active, None, true)]
    #[case(Status::Active, Some("2026-05-05T12:00:01Z"), true)]
    #[case(Status::Active, Some("2026-05-05T12:00:00Z"), false)]
    #[case(Status::Active, Some("2026-05-05T11:59:59Z"), false)]
    #[case(Status::Disabled, None, false)]
    #[case(Status::Limited, None, false)]
    #[case(Status::Expired, Some("2026-05-05T12:00:01Z"), false)]
    fn active_users_whose_time_is_not_over_are_served_and_all_others_disabled(
        #[case] status: Status,
        #[case] expire_at: Option<&str>,
        #[case] served: bool,
    ) {
        let user = Entry { status, expire_at: expire_at.map(at), ..entry("alice") };
        let expected = if served { (vec!["alice"], vec![]) } else { (vec![], vec!["alice"]) };
        assert_eq!(names(&Access::new(vec![user], &[], at(NOW))), expected);
    }

    #[test]
    fn names_are_sorted_by_their_bytes_and_stand_once() {
        let off = |name| Entry { status: Status::Disabled, ..entry(name) };
        let entries = vec![entry("bob"), off("zed"), entry("Bob"), entry("al.ice"), off("Zed"), entry("bob")];
        let cuts = [cut("zed", NOW, None), cut("zed", NOW, None), cut("gone", NOW, None)];
        let access = Access::new(entries, &cuts, at(NOW));
        assert_eq!(names(&access), (vec!["Bob", "al.ice", "bob"], vec!["Zed", "gone", "zed"]));
        let is_named = |name: &str| access.names(&name.parse().unwrap());
        assert!(["Bob", "bob", "Zed", "gone"].into_iter().all(is_named) && !is_named("BOB"));
    }

    #[rstest]
    #[case(None, 7, None)]
    #[case(Some(5), 0, Some(5))]
    #[case(Some(5), 7, Some(12))]
    #[case(Some(i64::MAX), 7, Some(i64::MAX))]
    #[case(Some(5), -7, Some(5))]
    fn the_quota_contains_what_the_name_had_moved_before_the_reset(
        #[case] data_limit: Option<i64>,
        #[case] usage_base: i64,
        #[case] quota: Option<i64>,
    ) {
        let limits = Limits::of_stored(Limits { data: data_limit, ..Limits::default() });
        let access = Access::new(vec![Entry { limits, usage_base, ..entry("alice") }], &[], at(NOW));
        assert_eq!(access.served()[0].number(Table::DataQuota), quota);
    }

    #[rstest]
    #[case::not_yet_written(None, None, true)]
    #[case::written_just_now(Some("2026-05-05T12:00:00Z"), Some("2026-05-05T12:00:00.150Z"), true)]
    #[case::a_moment_before(Some("2026-05-05T11:59:59.851Z"), Some("2026-05-05T12:00:00.001Z"), true)]
    #[case::applied(Some("2026-05-05T11:59:59.850Z"), Some("2026-05-05T12:00:00Z"), false)]
    fn the_connections_of_an_old_secret_are_cut_until_the_proxy_has_applied_that(
        #[case] written_at: Option<&str>,
        #[case] ends_at: Option<&str>,
        #[case] in_force: bool,
    ) {
        let cut = cut("alice", "2026-05-05T11:00:00Z", written_at);
        assert_eq!(cut.ends_at(true, 1), ends_at.map(at));
        assert_eq!(cut.is_in_force(true, 1, at(NOW)), in_force);
        assert_eq!(cut.is_applied(1, at(NOW)), !in_force);
        let blocked = if in_force { vec!["alice"] } else { vec![] };
        assert_eq!(names(&Access::new(vec![entry("alice")], &[cut], at(NOW))), (vec!["alice"], blocked));
    }

    #[rstest]
    #[case(0, 68)]
    #[case(1_000, 105)]
    #[case(10_000, 296)]
    #[case(100_000, 9_400)]
    fn a_cut_lasts_longer_than_the_slowest_reload_that_was_measured(#[case] users: usize, #[case] slowest: i64) {
        assert!(cut_gap(users) > TimeDelta::milliseconds(slowest));
        let cut = cut("alice", NOW, Some(NOW));
        assert!(cut.is_in_force(true, users, at(NOW) + TimeDelta::milliseconds(slowest)));
    }

    #[rstest]
    #[case::not_yet_written("2026-05-05T11:00:00Z", None, None, true)]
    #[case::written_late("2026-05-05T11:00:00Z", Some("2026-05-05T11:59:01Z"), Some("2026-05-05T12:00:01Z"), true)]
    #[case::a_minute_old("2026-05-05T11:58:59Z", Some("2026-05-05T11:59:00Z"), Some(NOW), false)]
    #[case::clock_set_back("2026-05-05T11:59:30Z", Some("2026-05-05T11:00:00Z"), Some("2026-05-05T12:00:30Z"), true)]
    fn the_cut_of_a_deleted_name_stays_a_minute_and_one_written_revision(
        #[case] ordered_at: &str,
        #[case] written_at: Option<&str>,
        #[case] ends_at: Option<&str>,
        #[case] in_force: bool,
    ) {
        let cut = cut("gone", ordered_at, written_at);
        assert_eq!(cut.ends_at(false, 0), ends_at.map(at));
        assert_eq!(cut.is_in_force(false, 0, at(NOW)), in_force);
        let blocked = if in_force { vec!["gone"] } else { vec![] };
        assert_eq!(names(&Access::new(vec![], &[cut], at(NOW))), (vec![], blocked));
    }

    #[rstest]
    #[case::not_yet_written(true, None, 1)]
    #[case::written_just_now(true, Some("2026-05-05T11:59:01Z"), 1)]
    #[case::long_ago(true, Some("2026-05-05T11:59:00Z"), 0)]
    #[case::a_new_secret(false, None, 0)]
    fn entries_of_a_deleted_name_go(#[case] deleted: bool, #[case] written_at: Option<&str>, #[case] cleared: usize) {
        let cut = SessionCut { user_deleted: deleted, ..cut("alice", "2026-05-05T11:00:00Z", written_at) };
        for entries in [vec![], vec![entry("alice")]] {
            assert_eq!(Access::new(entries, std::slice::from_ref(&cut), at(NOW)).cleared().len(), cleared);
        }
    }

    #[test]
    fn a_name_in_another_case_is_another_name() {
        let cuts = [cut("Bob", "2026-05-05T11:59:50Z", Some("2026-05-05T11:59:50Z"))];
        assert_eq!(names(&Access::new(vec![entry("bob")], &cuts, at(NOW))), (vec!["bob"], vec!["Bob"]));
    }

    #[test]
    fn the_end_of_the_calendar_is_no_panic() {
        let cut = SessionCut { written_at: Some(DateTime::<Utc>::MAX_UTC), ..cut("gone", NOW, None) };
        assert_eq!(cut.ends_at(false, 0), Some(DateTime::<Utc>::MAX_UTC));
        assert!(cut.is_in_force(true, 1, at(NOW)) && !cut.is_applied(1, at(NOW)));
    }

    #[test]
    fn tables_are_found_by_their_keys() {
        for (index, table) in Table::ALL.into_iter().enumerate() {
            assert_eq!((Table::from_key(table.key()), table.index()), (Some(table), index));
        }
        for unmanaged in ["user_rate_limits", "user_ad_tags", "user_source_deny", "Users", "replay_check_len"] {
            assert_eq!(Table::from_key(unmanaged), None);
        }
    }
}
