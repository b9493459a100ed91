//! The users who are served: an immutable value for each revision of the file that is applied.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use arc_swap::ArcSwap;
use chrono::{DateTime, Utc};
use mtpannel_core::user::Secret;

use crate::accounts::{Account, Refusal};
use crate::config::UserRule;
use crate::wire::key::HmacKey;

/// A configured user.
#[derive(Debug)]
pub(crate) struct User {
    pub(crate) rule: UserRule,
    pub(crate) account: Arc<Account>,
}

impl User {
    /// Whether the user may connect at `now`, apart from the limits of connections and addresses.
    pub(crate) fn standing(&self, now: DateTime<Utc>) -> Result<(), Refusal> {
        if !self.rule.enabled {
            Err(Refusal::Disabled)
        } else if self.rule.expires.is_some_and(|end| end <= now) {
            Err(Refusal::Expired)
        } else if self.account.is_exhausted() {
            Err(Refusal::Quota)
        } else {
            Ok(())
        }
    }
}

/// The users of one revision.
#[derive(Debug, Default)]
pub(crate) struct Access {
    /// Sorted by name.
    pub(crate) users: Vec<User>,
    /// The keys of enabled users, which hellos are compared with. Users who have connected before come first, because
    /// they are most likely to connect again.
    pub(crate) keys: Vec<HmacKey>,
    /// The owners of `keys`, as indexes in `users`.
    pub(crate) owners: Vec<u32>,
    /// Number of enabled users who had connected before.
    known: usize,
    /// When users expire, the next one first, with indexes in `users`.
    expirations: Vec<(DateTime<Utc>, u32)>,
}

impl Access {
    /// Builds a revision; finds the account of each user or creates it.
    fn new(rules: Vec<UserRule>, accounts: &mut HashMap<Arc<str>, Arc<Account>>) -> Self {
        let mut access = Self { users: Vec::with_capacity(rules.len()), ..Self::default() };
        for rule in rules {
            let account = accounts.get(rule.name.as_str()).cloned().unwrap_or_else(|| {
                let account = Arc::new(Account::new(&rule.name));
                accounts.insert(Arc::clone(&account.name), Arc::clone(&account));
                account
            });
            let user = u32::try_from(access.users.len()).unwrap_or(u32::MAX);
            if rule.enabled {
                access.owners.push(user);
                access.expirations.extend(rule.expires.map(|end| (end, user)));
            }
            account.set_quota(rule.quota);
            access.users.push(User { rule, account });
        }
        access.expirations.sort_unstable();
        let Self { users, owners, .. } = &mut access;
        owners.sort_by_key(|&user| !users[user as usize].account.is_known());
        access.keys = owners.iter().map(|&user| HmacKey::new(users[user as usize].rule.secret.bytes())).collect();
        access.known = access.count_known();
        access
    }

    /// The owner of the key at `index` in `keys`.
    pub(crate) fn owner(&self, index: usize) -> Option<&User> {
        self.users.get(*self.owners.get(index)? as usize)
    }

    fn count_known(&self) -> usize {
        self.users.iter().filter(|user| user.rule.enabled && user.account.is_known()).count()
    }

    fn index_of(&self, name: &str) -> Option<usize> {
        self.users.binary_search_by(|user| user.rule.name.as_str().cmp(name)).ok()
    }

    /// The user of this name.
    pub(crate) fn find(&self, name: &str) -> Option<&User> {
        self.index_of(name).and_then(|index| self.users.get(index))
    }

    /// The user with this name and secret, if they may be served at `now`.
    pub(crate) fn check(&self, name: &str, secret: &Secret, now: DateTime<Utc>) -> Result<&User, Refusal> {
        let user = self.find(name).filter(|user| user.rule.secret == *secret).ok_or(Refusal::Unknown)?;
        user.standing(now).map(|()| user)
    }

    /// The users who expired after `since` and not after `now`.
    fn expired(&self, since: DateTime<Utc>, now: DateTime<Utc>) -> impl Iterator<Item = &User> {
        let from = self.expirations.partition_point(|&(end, _)| end <= since);
        let until = self.expirations.partition_point(|&(end, _)| end <= now);
        let indexes = self.expirations.get(from..until).unwrap_or_default();
        indexes.iter().filter_map(|&(_, user)| self.users.get(user as usize))
    }
}

/// The current revision, and the account of every name.
#[derive(Debug, Default)]
pub(crate) struct Directory {
    access: ArcSwap<Access>,
    accounts: Mutex<HashMap<Arc<str>, Arc<Account>>>,
}

impl Directory {
    /// The current revision.
    pub(crate) fn current(&self) -> Arc<Access> {
        self.access.load_full()
    }

    /// Applies a revision, and cuts the connections of users whom it does not serve any more or who have another secret.
    ///
    /// A new connection checks the revision once more after it was registered, so none escapes between the two steps.
    pub(crate) fn apply(&self, rules: Vec<UserRule>, now: DateTime<Utc>) {
        let mut accounts = self.accounts.lock().unwrap_or_else(PoisonError::into_inner);
        let after = Arc::new(Access::new(rules, &mut accounts));
        let before = self.access.swap(Arc::clone(&after));
        for old in &before.users {
            match after.check(&old.rule.name, &old.rule.secret, now) {
                Ok(user) if !user.rule.source_deny.is_empty() => user.account.cut_from(|ip| user.rule.denies(ip)),
                Ok(_) => {}
                Err(_) => old.account.cut(),
            }
        }
        accounts.retain(|name, account| account.is_known() || after.find(name).is_some());
    }

    /// Sorts the keys again when the number of users who have connected has grown by a quarter. Only the thread that
    /// applies revisions may call this; otherwise a revision could be overwritten by an older one.
    pub(crate) fn reorder(&self, now: DateTime<Utc>) {
        let access = self.current();
        if access.count_known() > access.known + access.known / 4 {
            self.apply(access.users.iter().map(|user| user.rule.clone()).collect(), now);
        }
    }

    /// Cuts the connections of users who expired after `since` and not after `now`.
    pub(crate) fn expire(&self, since: DateTime<Utc>, now: DateTime<Utc>) {
        for user in self.access.load().expired(since, now) {
            user.account.cut();
        }
    }

    /// Every account, sorted by name.
    pub(crate) fn accounts(&self) -> Vec<Arc<Account>> {
        let accounts = self.accounts.lock().unwrap_or_else(PoisonError::into_inner);
        let mut all: Vec<_> = accounts.values().cloned().collect();
        drop(accounts);
        all.sort_unstable_by(|a, b| a.name.cmp(&b.name));
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    fn now() -> DateTime<Utc> {
        at("2026-05-05T12:00:00Z")
    }

    fn rule(name: &str) -> UserRule {
        let (name, secret) = (name.to_owned(), Secret::new([1; 16]));
        UserRule {
            name,
            secret,
            enabled: true,
            max_connections: None,
            max_ips: None,
            quota: None,
            expires: None,
            source_deny: vec![],
        }
    }

    fn directory() -> (Directory, crate::accounts::Session) {
        let directory = Directory::default();
        directory.apply(vec![rule("alice"), rule("bob")], now());
        let access = directory.current();
        let alice = access.find("alice").unwrap();
        let session = alice.account.admit(&alice.rule, [127, 0, 0, 1].into(), None).unwrap();
        (directory, session)
    }

    #[rstest]
    #[case::unchanged(rule("alice"), false)]
    #[case::later_end(UserRule { expires: Some(at("2026-05-05T12:00:01Z")), ..rule("alice") }, false)]
    #[case::other_limits(UserRule { max_connections: Some(1), quota: Some(1), ..rule("alice") }, false)]
    #[case::removed(rule("carol"), true)]
    #[case::new_secret(UserRule { secret: Secret::new([2; 16]), ..rule("alice") }, true)]
    #[case::disabled(UserRule { enabled: false, ..rule("alice") }, true)]
    #[case::expired(UserRule { expires: Some(at("2026-05-05T12:00:00Z")), ..rule("alice") }, true)]
    #[case::no_bytes_left(UserRule { quota: Some(0), ..rule("alice") }, true)]
    fn a_revision_cuts_users_whom_it_does_not_serve(#[case] rule_after: UserRule, #[case] cut: bool) {
        let (directory, session) = directory();
        directory.apply(vec![rule_after, rule("bob")], now());
        assert_eq!(session.is_cut(), cut);
    }

    #[test]
    fn an_expired_user_is_cut_once() {
        let (directory, session) = directory();
        let end = at("2026-05-05T12:00:10Z");
        directory.apply(vec![UserRule { expires: Some(end), ..rule("alice") }], now());
        directory.expire(now(), at("2026-05-05T12:00:09Z"));
        assert!(!session.is_cut());
        directory.expire(at("2026-05-05T12:00:09Z"), end);
        assert!(session.is_cut());
        assert_eq!(directory.current().expired(end, at("2027-01-01T00:00:00Z")).count(), 0);
    }

    #[test]
    fn keys_of_users_who_have_connected_come_first() {
        let (directory, _session) = directory();
        let access = directory.current();
        let bob = access.find("bob").unwrap();
        directory.apply(vec![rule("bob"), rule("zed")], now());
        let zed = Arc::clone(&directory.current().find("zed").unwrap().account);
        let _here = zed.admit(&rule("zed"), [127, 0, 0, 1].into(), None).unwrap();
        directory.reorder(now());
        assert_eq!(directory.current().owner(0).unwrap().rule.name, "zed");
        assert!(!bob.account.is_known());
    }

    #[test]
    fn a_name_that_is_added_again_keeps_its_counters_and_unused_names_are_forgotten() {
        let (directory, _session) = directory();
        directory.apply(vec![rule("carol")], now());
        let names: Vec<_> = directory.accounts().iter().map(|account| account.name.to_string()).collect();
        assert_eq!(names, ["alice", "carol"]);
        directory.apply(vec![rule("alice"), rule("carol")], now());
        assert_eq!(directory.current().find("alice").unwrap().account.read().connections_total, 1);
    }
}
