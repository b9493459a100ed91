use super::*;
use mtpannel_core::user::Secret;
use proptest::prelude::*;

fn rule(max_connections: Option<u64>, max_ips: Option<u64>) -> UserRule {
    let (name, secret) = ("alice".to_owned(), Secret::new([1; 16]));
    UserRule { name, secret, enabled: true, max_connections, max_ips, quota: None, expires: None, source_deny: vec![] }
}

fn ip(last: u8) -> IpAddr {
    [192, 0, 2, last].into()
}

#[test]
fn connections_and_addresses_are_limited_and_freed() {
    let account = Arc::new(Account::new("alice"));
    let first = account.admit(&rule(Some(2), Some(1)), ip(1), None).unwrap();
    assert_eq!(account.admit(&rule(Some(2), Some(1)), ip(2), None).unwrap_err(), Refusal::TooManyAddresses);
    let second = account.admit(&rule(Some(2), Some(1)), ip(1), None).unwrap();
    assert_eq!(account.admit(&rule(Some(2), Some(1)), ip(1), None).unwrap_err(), Refusal::TooManyConnections);
    drop((first, second));
    let third = account.admit(&rule(Some(2), Some(1)), ip(2), None).unwrap();
    assert_eq!(
        account.read(),
        Reading { connections_total: 3, connections: 1, addresses: 1, recent_addresses: 2, ..Reading::default() }
    );
    drop(third);
    assert_eq!((account.read().connections, account.read().recent_addresses), (0, 2));
    account.live().forget(Instant::now() + live::RECENT);
    assert_eq!(account.read().recent_addresses, 0);
}

#[test]
fn addresses_of_one_ipv6_network_count_once_and_one_that_does_not_answer_is_given_up() {
    let account = Arc::new(Account::new("alice"));
    let rule = rule(None, Some(1));
    let [first, same, other] = ["2001:db8::1", "2001:db8::2", "2001:db8:0:1::1"].map(|ip| ip.parse().unwrap());
    let sessions = [first, same].map(|ip| account.admit(&rule, ip, None).unwrap());
    assert_eq!(account.admit(&rule, other, None).unwrap_err(), Refusal::TooManyAddresses);
    let ends = |port| (([127, 0, 0, 1], 1).into(), ([127, 0, 0, 1], port).into());
    sessions[0].set_ends(ends(2));
    // The ends of the second connection are not known.
    assert!(!account.evict_silent(|_| false));
    sessions[1].set_ends(ends(3));
    assert!(!account.evict_silent(|(_, client)| client.port() == 3));
    assert!(account.evict_silent(|_| false));
    assert!(sessions.iter().all(Session::is_cut));
    let third = account.admit(&rule, other, None).unwrap();
    drop(sessions);
    assert_eq!((account.read().connections, account.read().addresses, third.is_cut()), (1, 1, false));
}

fn key(id: u64) -> NonZeroU64 {
    NonZeroU64::new(id).unwrap()
}

#[test]
fn a_device_at_two_addresses_counts_once_even_if_both_were_admitted_below_the_limit() {
    let account = Arc::new(Account::new("alice"));
    let rule = rule(None, Some(2));
    let [home, mobile] = [1, 2].map(|last| account.admit(&rule, ip(last), None).unwrap());
    assert_eq!(account.read().addresses, 2);
    for session in [&home, &mobile] {
        session.set_key(key(7));
    }
    assert_eq!(account.read().addresses, 1);
    let _other = account.admit(&rule, ip(3), None).unwrap();
    assert_eq!(account.admit(&rule, ip(4), None).unwrap_err(), Refusal::TooManyAddresses);
    drop(mobile);
    assert_eq!((account.read().addresses, account.read().recent_addresses), (2, 2));
}

#[test]
fn a_key_is_known_only_while_its_address_has_connections() {
    let account = Arc::new(Account::new("alice"));
    let rule = rule(None, Some(1));
    let [first, second] = [7, 8].map(|id| {
        let session = account.admit(&rule, ip(1), None).unwrap();
        session.set_key(key(id));
        session
    });
    drop(first);
    drop(account.admit(&rule, ip(2), Some(key(7))).unwrap());
    drop(second);
    let _other = account.admit(&rule, ip(3), None).unwrap();
    assert_eq!(account.admit(&rule, ip(2), Some(key(7))).unwrap_err(), Refusal::TooManyAddresses);
}

#[test]
fn two_devices_that_have_left_a_common_address_count_twice() {
    let account = Arc::new(Account::new("alice"));
    let rule = rule(None, Some(1));
    let shared = [7, 8].map(|id| {
        let session = account.admit(&rule, ip(1), None).unwrap();
        session.set_key(key(id));
        session
    });
    let apart = [(2, 7), (3, 8)].map(|(last, id)| account.admit(&rule, ip(last), Some(key(id))).unwrap());
    assert_eq!(account.read().addresses, 1);
    drop(shared);
    assert_eq!(account.read().addresses, 2);
    drop(apart);
    assert_eq!(account.read().addresses, 0);
}

#[test]
fn only_the_latest_keys_of_an_address_are_kept() {
    let account = Arc::new(Account::new("alice"));
    let rule = rule(None, Some(1));
    let session = account.admit(&rule, ip(1), None).unwrap();
    (1..=17).for_each(|id| session.set_key(key(id)));
    assert_eq!(account.admit(&rule, ip(2), Some(key(1))).unwrap_err(), Refusal::TooManyAddresses);
    assert!(account.admit(&rule, ip(2), Some(key(2))).is_ok());
}

#[test]
fn a_cut_ends_the_open_connections_and_no_later_one() {
    let account = Arc::new(Account::new("alice"));
    let before = account.admit(&rule(None, None), ip(1), None).unwrap();
    account.cut();
    let after = account.admit(&rule(None, None), ip(1), None).unwrap();
    assert!(before.is_cut() && !after.is_cut());
}

#[tokio::test]
async fn the_last_byte_of_a_quota_cuts_and_unused_bytes_are_given_back() {
    let account = Arc::new(Account::new("alice"));
    account.set_quota(Some(10));
    let session = account.admit(&rule(None, None), ip(1), None).unwrap();
    assert_eq!(account.grant(Direction::ToClient, 7).await.unwrap().left(), 7);
    account.grant(Direction::ToClient, 7).await.unwrap().spend(7);
    let mut last = account.grant(Direction::FromClient, 7).await.unwrap();
    assert_eq!((last.left(), session.is_cut()), (3, false));
    last.spend(3);
    assert!(session.is_cut());
    assert!(account.grant(Direction::FromClient, 1).await.is_none());
    assert_eq!(account.admit(&rule(None, None), ip(1), None).unwrap_err(), Refusal::Quota);
    account.set_quota(Some(11));
    assert!(account.admit(&rule(None, None), ip(1), None).is_ok());
    assert_eq!(account.read().octets, [3, 7]);
}

#[tokio::test]
async fn a_transfer_that_stalls_cuts_nobody_and_others_get_its_unused_bytes() {
    let account = Account::new("alice");
    account.set_quota(Some(10));
    let mut stalled = account.grant(Direction::ToClient, 10).await.unwrap();
    stalled.spend(4);
    let other = account.grant(Direction::FromClient, 5);
    tokio::pin!(other);
    let waits = std::future::poll_fn(|context| std::task::Poll::Ready(other.as_mut().poll(context).is_pending()));
    assert!(waits.await);
    drop(stalled);
    let mut other = other.await.unwrap();
    other.spend(3);
    drop(other);
    assert_eq!((account.read().octets, account.read().messages), ([3, 4], [1, 1]));
    assert_eq!(account.grant(Direction::FromClient, 5).await.unwrap().left(), 3);
}

proptest! {
    #[test]
    fn no_more_than_the_quota_moves(
        quota in 0..500_u64, wanted in prop::collection::vec((1..100_usize, 0..100_usize, 0..100_usize), 0..40),
    ) {
        let account = Account::new("alice");
        account.set_quota(Some(quota));
        let mut expected = 0;
        for (wanted, keep, spend) in wanted {
            let mut grant = account.take(Direction::ToClient, wanted);
            prop_assert_eq!(grant.left(), wanted.min(usize::try_from(quota - expected).unwrap()));
            grant.keep(keep);
            expected += grant.left().min(spend) as u64;
            grant.spend(spend);
        }
        prop_assert_eq!(account.read().octets[1], expected);
    }
}
