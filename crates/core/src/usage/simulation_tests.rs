//! A proxy whose users move bytes while it restarts, forgets names and hides counters, and a panel that reads it now and then.

use std::collections::HashMap;

use super::tests::{SUPPRESSED, bytes, instant, octets};
use super::*;
use chrono::TimeDelta;
use proptest::prelude::*;

#[derive(Debug, Clone)]
enum Event {
    Traffic { name: usize, bytes: Counters },
    Wait { milliseconds: i64 },
    Restart { down_milliseconds: i64 },
    Evict { name: usize },
    ClockStep { seconds: i64 },
    FailedScrape,
    Scrape { latency: i64, shown: Shown },
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Shown {
    All,
    Suppressed(usize),
    NoUsers,
    Impossible(usize),
}

const NAMES: [&str; 4] = ["alice", "bob", "carol", "dave"];

fn event() -> impl Strategy<Value = Event> {
    let name = 0..NAMES.len();
    let amount = prop_oneof![Just(0), 0..2_000i64, 0..1_000_000_000_000i64];
    let shown = prop_oneof![
        4 => Just(Shown::All),
        2 => name.clone().prop_map(Shown::Suppressed),
        1 => Just(Shown::NoUsers),
        1 => name.clone().prop_map(Shown::Impossible),
    ];
    prop_oneof![
        6 => (name.clone(), amount.clone(), amount)
            .prop_map(|(name, from, to)| Event::Traffic { name, bytes: bytes(from, to) }),
        3 => (0..90_000i64).prop_map(|milliseconds| Event::Wait { milliseconds }),
        1 => (0..400_000_000i64).prop_map(|milliseconds| Event::Wait { milliseconds }),
        1 => (0..60_000i64).prop_map(|down_milliseconds| Event::Restart { down_milliseconds }),
        1 => name.prop_map(|name| Event::Evict { name }),
        1 => (-100_000..100_000i64).prop_map(|seconds| Event::ClockStep { seconds }),
        1 => Just(Event::FailedScrape),
        6 => (0..300i64, shown).prop_map(|(latency, shown)| Event::Scrape { latency, shown }),
    ]
}

/// A proxy, a panel beside it, and what the panel ought to know.
#[derive(Default)]
struct World {
    /// True time, and how far the panel's clock is ahead of it, in milliseconds.
    now: i64,
    clock_ahead: i64,
    started: i64,
    entries: [Option<Counters>; NAMES.len()],
    /// Bytes of earlier lives that scrapes saw, and of the present life.
    past: [Counters; NAMES.len()],
    seen: [Counters; NAMES.len()],
    /// Counters of the last life that was seen, while nobody could see that it has ended.
    hidden_end: [Option<Counters>; NAMES.len()],
    last_uptime: i64,
    clock_error: i64,
    last: Option<LastScrape>,
    accounts: HashMap<String, Account>,
    deltas: [Counters; NAMES.len()],
}

impl World {
    fn step(&mut self, event: &Event) {
        match *event {
            Event::Traffic { name, bytes } => self.traffic(name, bytes),
            Event::Wait { milliseconds } => self.now += milliseconds,
            Event::Restart { down_milliseconds } => self.restart(down_milliseconds),
            Event::Evict { name } => self.evict(name),
            Event::ClockStep { seconds } => self.step_clock(seconds * 1000),
            Event::FailedScrape => drop(Snapshot::parse("<html>502 Bad Gateway</html>\n").unwrap_err()),
            Event::Scrape { latency, shown } => self.scrape(latency, shown),
        }
    }

    /// A name that the proxy forgot and learned again between two scrapes is known by a counter that fell; a world
    /// in which both have overtaken their old values is outside what any panel can tell.
    fn traffic(&mut self, name: usize, more: Counters) {
        let mut value = self.entries[name].unwrap_or_default().saturating_add(more);
        if let Some(old) = self.hidden_end[name] {
            if old.from_client > 0 {
                value.from_client = value.from_client.min(old.from_client - 1);
            } else if old.to_client > 0 {
                value.to_client = value.to_client.min(old.to_client - 1);
            }
        }
        self.entries[name] = Some(value);
    }

    fn end_life(&mut self, name: usize) {
        self.past[name] = self.past[name].saturating_add(self.seen[name]);
        self.seen[name] = Counters::ZERO;
        self.entries[name] = None;
    }

    /// The new process answers after three seconds: younger ones are the subject of the cases above.
    fn restart(&mut self, down: i64) {
        (0..NAMES.len()).for_each(|name| self.end_life(name));
        self.hidden_end = Default::default();
        self.now += down;
        self.started = self.now;
        self.now += 3_000;
    }

    fn evict(&mut self, name: usize) {
        if self.entries[name].is_some() {
            let seen = self.seen[name];
            self.end_life(name);
            self.hidden_end[name].get_or_insert(seen);
        }
    }

    /// Steps stay under half the uptime at the last good scrape, the bound that `epoch_of` documents.
    fn step_clock(&mut self, by: i64) {
        let bound = (self.last_uptime / 2 - 1_000).max(0);
        let error = (self.clock_error + by).clamp(-bound, bound);
        self.clock_ahead += error - self.clock_error;
        self.clock_error = error;
    }

    fn clock(&self) -> DateTime<Utc> {
        instant(0.0) + TimeDelta::milliseconds(self.now + self.clock_ahead)
    }

    fn page(&self, shown: Shown) -> String {
        let uptime = self.now - self.started;
        let mut page = format!("telemt_uptime_seconds {}.{}\n", uptime / 1000, uptime % 1000 / 100);
        for (index, name) in NAMES.iter().enumerate() {
            let Some(value) = self.entries[index] else { continue };
            page += &match shown {
                Shown::NoUsers => continue,
                Shown::Suppressed(hidden) if hidden == index => continue,
                Shown::Impossible(refused) if refused == index => octets(name, "NaN", "1"),
                _ => octets(name, &value.from_client.to_string(), &value.to_client.to_string()),
            };
        }
        if matches!(shown, Shown::Suppressed(_)) {
            page += SUPPRESSED;
        }
        page
    }

    fn scrape(&mut self, latency: i64, shown: Shown) {
        let asked_at = self.clock();
        self.now += latency;
        let page = self.page(shown);
        self.observe(shown);
        self.last_uptime = self.now - self.started;
        self.clock_error = 0;
        self.now += latency;

        let snapshot = Snapshot::parse(&page).unwrap();
        let epoch = epoch_of(self.last.as_ref(), asked_at, snapshot.uptime);
        for (name, after) in account(&snapshot, self.stored(), epoch) {
            let index = NAMES.iter().position(|known| *known == name).unwrap();
            assert!(after.delta.from_client >= 0 && after.delta.to_client >= 0, "{after:?}");
            self.deltas[index] = self.deltas[index].saturating_add(after.delta);
            assert_eq!(self.accounts.insert(name, after.account) != Some(after.account), after.is_changed);
        }
        let again = account(&snapshot, self.stored(), epoch);
        assert!(again.iter().all(|(_, after)| !after.is_changed), "the same scrape again counts nothing");
        self.last = Some(LastScrape { epoch, uptime: snapshot.uptime, answered_at: self.clock() });
    }

    fn stored(&self) -> Vec<(String, Account)> {
        self.accounts.clone().into_iter().collect()
    }

    /// What this scrape lets anybody know.
    fn observe(&mut self, shown: Shown) {
        let visible = |index: usize| match shown {
            Shown::All => true,
            Shown::NoUsers => false,
            Shown::Suppressed(other) | Shown::Impossible(other) => other != index,
        };
        let any = (0..NAMES.len()).any(|index| visible(index) && self.entries[index].is_some());
        let complete = any && matches!(shown, Shown::All | Shown::Impossible(_));
        for index in 0..NAMES.len() {
            match self.entries[index] {
                Some(value) if visible(index) => {
                    self.seen[index] = value;
                    self.hidden_end[index] = None;
                }
                None if complete => self.hidden_end[index] = None,
                _ => {}
            }
        }
    }

    fn check(&self) {
        for (index, name) in NAMES.iter().enumerate() {
            let truth = self.past[index].saturating_add(self.seen[index]);
            let lifetime = self.accounts.get(*name).copied().unwrap_or_default().meter.lifetime;
            assert_eq!(lifetime, truth, "{name}");
            assert_eq!(self.deltas[index], truth, "{name}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    #[test]
    fn lifetimes_are_what_the_scrapes_could_see_to_the_byte(events in prop::collection::vec(event(), 1..80)) {
        let mut world = World { now: 3_000, ..World::default() };
        for event in &events {
            world.step(event);
            world.check();
        }
    }

    #[test]
    fn meters_never_fall_whatever_they_are_told(
        mut meter in (0..i64::MAX, 0..i64::MAX).prop_map(|(from, to)| Meter {
            last: bytes(from, to), epoch: 1, lifetime: bytes(to, from),
        }),
        readings in prop::collection::vec((1..3i64, any::<Option<i64>>(), any::<Option<i64>>()), 0..20),
    ) {
        for (epoch, from_client, to_client) in readings {
            let (after, delta) = meter.advance(epoch, Observation::Series { from_client, to_client });
            prop_assert!(delta.from_client >= 0 && delta.to_client >= 0);
            prop_assert!(after.lifetime.from_client >= meter.lifetime.from_client);
            prop_assert!(after.lifetime.to_client >= meter.lifetime.to_client);
            meter = after;
        }
    }
}
