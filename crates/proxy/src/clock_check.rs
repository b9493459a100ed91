//! Detects that the clock of this server is wrong: most clients with a valid secret have another time then.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How long the time in a client's hello is considered.
const COUNTS: Duration = Duration::from_mins(10);
/// Most clients that are remembered.
const CLIENTS: usize = 1_024;
/// So many clients with another time prove nothing: their own clocks may be wrong.
const FEW: usize = 2;

/// A client: the name of its user, and its address (an IPv6 address as its /64).
type Client = (Arc<str>, IpAddr);

/// The last hello of each client.
#[derive(Debug, Default)]
pub(crate) struct ClockCheck(Mutex<HashMap<Client, Hello>>);

#[derive(Debug, Clone, Copy)]
struct Hello {
    came: Instant,
    in_time: bool,
}

impl ClockCheck {
    /// Notes whether a client has the time of this server. Returns whether most clients now have another time.
    pub(crate) fn note(&self, name: &Arc<str>, network: IpAddr, in_time: bool, now: Instant) -> bool {
        let mut clients = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        clients.insert((Arc::clone(name), network), Hello { came: now, in_time });
        let recent = |hello: &Hello| now.duration_since(hello.came) < COUNTS;
        if clients.len() > CLIENTS {
            clients.retain(|_, hello| recent(hello));
            if clients.len() > CLIENTS {
                clients.clear();
            }
        }
        let count = |in_time| clients.values().filter(|hello| hello.in_time == in_time && recent(hello)).count();
        let wrong = count(false);
        wrong > FEW && wrong > count(true)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_clock_counts_as_wrong_if_most_clients_disagree_within_ten_minutes() {
        let (check, start) = (ClockCheck::default(), Instant::now());
        let note = |client: u8, in_time, now| check.note(&"a".into(), [192, 0, 2, client].into(), in_time, now);
        let said: Vec<bool> = [(1, true), (2, true), (3, false), (4, false), (5, false), (5, false), (1, false)]
            .map(|(client, in_time)| note(client, in_time, start))
            .to_vec();
        assert_eq!(said, [false, false, false, false, true, true, true]);
        assert!(!note(9, true, start + COUNTS));
    }

    #[test]
    fn a_flood_of_clients_does_not_grow_the_memory() {
        let (check, start) = (ClockCheck::default(), Instant::now());
        for number in 0..10_000_u32 {
            check.note(&"a".into(), IpAddr::from(number.to_be_bytes()), true, start);
        }
        assert!(check.0.lock().unwrap().len() <= CLIENTS);
    }
}
