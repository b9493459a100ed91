use super::*;

mod simulation;

/// A share as it is after the node has taken the latest grant and reported `total`.
fn settled(share: &mut Share, total: u64) {
    share.take(Report { total, grant: share.grant(), is_asked_for: true });
}

#[test]
fn one_node_is_granted_all_that_is_left() {
    let share = Share::starting(700, 1_000, 1);
    assert_eq!(share.grant().ceiling, 1_700);

    // The limit was raised by 500 after 300 bytes.
    let mut shares = [share];
    settled(&mut shares[0], 1_000);
    distribute(1_200, &mut shares, 0);
    assert_eq!(shares[0].grant().ceiling, 2_200);
}

#[test]
fn nodes_begin_with_a_part_of_the_limit() {
    let limit = 8_000_000;
    let shares = [Share::starting(0, limit, 4), Share::starting(50, limit, 4)];
    assert_eq!(shares.map(|share| share.grant().ceiling), [500_000, 500_050]);
    assert_eq!(outstanding(&shares), 1_000_000);
}

#[test]
fn a_ceiling_that_is_lowered_counts_as_high_until_the_node_confirms_it() {
    let mut share = Share::starting(0, 8_000_000, 2);
    let before = share.grant();
    share.set_ceiling(300_000);
    assert_eq!(share.outstanding(), before.ceiling);

    share.take(Report { total: 100_000, grant: before, is_asked_for: true });
    assert_eq!(share.outstanding(), before.ceiling - 100_000);

    share.take(Report { total: 100_000, grant: share.grant(), is_asked_for: true });
    assert_eq!(share.outstanding(), 200_000);
}

#[test]
fn a_node_takes_no_grant_that_a_newer_one_has_overtaken() {
    let mut ceiling = Ceiling::starting(Grant { generation: 0, ceiling: 10 });
    ceiling.apply(Grant { generation: 2, ceiling: 40 });
    ceiling.apply(Grant { generation: 1, ceiling: 90 });
    ceiling.apply(Grant { generation: 2, ceiling: 80 });
    assert_eq!((ceiling.left(30), ceiling.left(50)), (10, 0));
}

#[test]
fn a_report_that_was_overtaken_adds_nothing() {
    let mut share = Share::starting(0, 1_000, 1);
    assert_eq!(share.take(Report { total: 300, grant: share.grant(), is_asked_for: true }), 300);
    assert_eq!(share.take(Report { total: 200, grant: share.grant(), is_asked_for: true }), 0);
    assert_eq!(share.take(Report { total: 300, grant: share.grant(), is_asked_for: true }), 0);
    assert_eq!(share.seen(), 300);
}

#[test]
fn an_idle_node_gives_back_all_but_a_part_and_a_busy_one_half_when_another_runs_short() {
    let limit = 1_200_000_000;
    let mut shares = [0; 3].map(|total| Share::starting(total, limit, 3));
    let part = shares[0].grant().ceiling;
    assert_eq!(part, 100_000_000);
    for total in [10_000_000, 20_000_000] {
        settled(&mut shares[1], total);
        shares[2].take(Report { total: 0, grant: shares[2].grant(), is_asked_for: false });
    }
    // The first node has used up its own, and all that is left is with the others.
    settled(&mut shares[0], part);
    distribute(180_000_000, &mut shares, 0);
    assert_eq!(shares[0].grant().ceiling, part);
    assert_eq!(shares[1].grant().ceiling, 20_000_000 + 40_000_000);
    assert_eq!(shares[2].grant().ceiling, 180_000_000 / 12);

    // They confirm it, and the first one gets all of it, because it needs that much within a few reports.
    settled(&mut shares[1], 20_000_000);
    shares[2].take(Report { total: 0, grant: shares[2].grant(), is_asked_for: false });
    settled(&mut shares[0], part);
    distribute(180_000_000, &mut shares, 0);
    assert_eq!(shares[0].grant().ceiling, part + 125_000_000);
    assert_eq!(outstanding(&shares), 180_000_000);
}

#[test]
fn an_idle_node_is_given_a_part_so_that_it_can_serve_at_once() {
    let mut shares = [0; 2].map(|total| Share::starting(total, 80_000_000, 2));
    shares[1].set_ceiling(0);
    shares[1].take(Report { total: 0, grant: shares[1].grant(), is_asked_for: false });
    distribute(80_000_000, &mut shares, 1);
    assert_eq!(shares[1].grant().ceiling, 10_000_000);
}

#[test]
fn a_limit_that_was_lowered_calls_everything_back() {
    let mut shares = [0; 2].map(|total| Share::starting(total, 80_000_000, 2));
    distribute(1_000, &mut shares, 0);
    assert!(shares.iter().all(|share| share.grant() == Grant { generation: 1, ceiling: 5_000_000 }));
    assert_eq!(outstanding(&shares), 20_000_000, "until the nodes confirm it");
}
