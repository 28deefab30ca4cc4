//! What the simulated APIs of `consumer/src/pace` do not show.

use super::*;

fn refused(sent_at: Secs, free: Option<f64>) -> Refused {
    Refused { sent_at, wait: 1.0, is_sure: true, free }
}

#[test]
fn nothing_limits_until_something_is_refused() {
    let mut rate = Rate::default();
    assert_eq!(rate.lease(8, None, 100.0), None);
    assert!(rate.is_unknown());
    assert!(rate.throttled(refused(100.0, Some(20.0)), 100.1));
    let slots = rate.lease(8, None, 100.2).expect("a limit is known");
    assert_eq!((slots.count, slots.first_at), (0, 101.1), "nothing is given out during the cool-down");
    assert!(rate.lease(8, None, 101.1).is_some_and(|slots| slots.count > 0));
}

#[test]
fn what_is_leased_does_not_hold_once_somebody_was_refused() {
    let mut rate = Rate::default();
    let slots = rate.lease(1, Some(10.0), 100.0).expect("a limit was set");
    assert!(rate.holds(&slots));
    rate.throttled(refused(100.0, None), 100.1);
    assert!(!rate.holds(&slots));
}

#[test]
fn a_set_limit_is_never_exceeded_whatever_is_found() {
    let mut rate = Rate::default();
    rate.throttled(refused(100.0, Some(1000.0)), 100.1);
    let mut count = 0;
    let mut now = 101.2;
    while now < 111.2 {
        let slots = rate.lease(8, Some(0.1), now).expect("a limit was set");
        assert!(slots.spacing >= 0.1);
        count += slots.count;
        now = slots.first_at.max(now + 0.001);
    }
    assert!(count <= 102, "{count} in ten seconds");
}

#[test]
fn a_rate_that_keeps_nobody_waiting_is_forgotten_and_so_is_all_before_a_clock_was_put_back() {
    let mut rate = Rate::default();
    rate.throttled(refused(100.0, Some(8.0)), 100.1);
    assert!(rate.lease(1, None, 200.0).is_some());
    assert_eq!(rate.lease(1, None, 800.0), None);
    rate.throttled(refused(900.0, Some(8.0)), 900.1);
    assert_eq!(rate.lease(1, None, 300.0), None);
}

#[test]
fn it_is_the_same_after_it_was_kept() {
    let mut rate = Rate::default();
    rate.throttled(refused(100.0, Some(8.0)), 100.1);
    rate.lease(8, None, 102.0);
    let kept = serde_json::to_string(&rate).expect("numbers");
    let again: Rate = serde_json::from_str(&kept).expect("what was written");
    assert_eq!(serde_json::to_string(&again).expect("numbers"), kept);
}
