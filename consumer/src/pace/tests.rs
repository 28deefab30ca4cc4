//! Slots and turns, without an API.

use super::*;

const SECOND: Duration = Duration::from_secs(1);

#[test]
fn a_wave_of_429_shrinks_the_pace_once_and_answers_widen_it_again() {
    let pace = Pace::new(8);
    let now = Instant::now();
    for _ in 0..8 {
        assert_eq!(pace.throttled(Some(2 * SECOND), now), Ok(()));
    }
    assert!((pace.state().slots - 5.6).abs() < 0.01);
    assert_eq!(pace.state().cool_until, Some(now + 2 * SECOND), "Retry-After is honoured");
    assert_eq!(pace.throttled(None, now + 3 * SECOND), Ok(()));
    assert!((pace.state().slots - 3.92).abs() < 0.01, "the next wave");
    for _ in 0..100 {
        pace.answered();
    }
    assert!((pace.state().slots - 8.0).abs() < 0.01);
}

#[tokio::test]
async fn slots_are_bounded_and_given_back() {
    let pace = Arc::new(Pace::new(1));
    let slot = pace.slot().await;
    let mut second = std::pin::pin!(pace.slot());
    assert!(futures_util::poll!(&mut second).is_pending());
    drop(slot);
    second.await;
}

#[tokio::test]
async fn nothing_is_asked_during_a_cool_down() {
    let pace = Arc::new(Pace::new(8));
    pace.throttled(Some(60 * SECOND), Instant::now()).expect("short enough to hold");
    let mut slot = std::pin::pin!(pace.slot());
    assert!(futures_util::poll!(&mut slot).is_pending());
}

#[test]
fn throttling_without_end_is_a_pause() {
    let now = Instant::now();
    assert_eq!(Pace::new(8).throttled(Some(61 * SECOND), now), Err(TooLong));
    let pace = Pace::new(8);
    let outcomes = [0, 30, 60, 61].map(|secs| pace.throttled(None, now + secs * SECOND));
    assert_eq!(outcomes, [Ok(()), Ok(()), Ok(()), Err(TooLong)]);
    pace.answered();
    assert_eq!(pace.throttled(None, now + 62 * SECOND), Ok(()), "an answer begins it anew");
}

#[tokio::test]
async fn old_calls_leave_a_slot_to_fresh_ones() {
    let pace = Arc::new(Pace::new(3));
    let mut held = Vec::new();
    for _ in 0..2 {
        pace.may_backfill().await;
        let mut slot = pace.slot().await;
        slot.for_backfill();
        held.push(slot);
    }
    assert!(futures_util::poll!(std::pin::pin!(pace.may_backfill())).is_pending());
    let fresh = pace.slot().await;
    let _asking = fresh.turn().await;
    held.pop();
    pace.may_backfill().await;
}

#[tokio::test]
async fn one_slot_is_for_whoever_comes() {
    let pace = Arc::new(Pace::new(1));
    pace.may_backfill().await;
    let mut slot = pace.slot().await;
    slot.for_backfill();
    assert!(futures_util::poll!(std::pin::pin!(pace.may_backfill())).is_pending());
    drop(slot);
    pace.may_backfill().await;
}

#[tokio::test]
async fn those_that_hold_a_slot_take_turns_when_the_pace_has_narrowed() {
    let pace = Arc::new(Pace::new(4));
    let mut slots = Vec::new();
    for index in 0..4 {
        slots.push(pace.slot().await);
        if index > 0 {
            slots[index].for_backfill();
        }
    }
    let past = Instant::now() - 10 * SECOND;
    pace.throttled(Some(SECOND), past).expect("short enough to hold");
    assert_eq!(pace.state().width(), 2);
    assert_eq!(pace.state().width_for_old(), 1);
    let old = slots[1].turn().await;
    assert!(futures_util::poll!(std::pin::pin!(slots[2].turn())).is_pending(), "old calls leave a turn");
    let fresh = slots[0].turn().await;
    drop(old);
    let _next = slots[3].turn().await;
    assert!(futures_util::poll!(std::pin::pin!(slots[2].turn())).is_pending());
    drop(fresh);
}
