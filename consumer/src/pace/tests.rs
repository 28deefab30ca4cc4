//! Permits and turns without an API.

use super::*;

const SECOND: Duration = Duration::from_secs(1);
const QUICK: Duration = Duration::from_millis(50);

fn pace(most: usize) -> Arc<Pace> {
    Arc::new(Pace::new(most, None))
}

#[tokio::test]
async fn permits_are_bounded_and_given_back() {
    let pace = pace(1);
    let permit = pace.permit().await;
    let mut second = std::pin::pin!(pace.permit());
    assert!(futures_util::poll!(&mut second).is_pending());
    drop(permit);
    second.await;
}

#[tokio::test]
async fn nothing_is_asked_during_a_cool_down() {
    let pace = pace(8);
    let mut early = pace.permit().await;
    let (retry_after, now) = (Some(60 * SECOND), Instant::now());
    pace.throttled(Excess::Unknown, retry_after, now, now).await.expect("short enough to hold");
    assert!(pace.cool_down(Instant::now()) > 59 * SECOND, "Retry-After is honoured");
    assert!(futures_util::poll!(std::pin::pin!(pace.permit())).is_pending());
    assert!(futures_util::poll!(std::pin::pin!(early.turn())).is_pending());
    pace.recovered();
    drop(early.turn().await.expect("no budget"));
}

#[tokio::test]
async fn throttling_without_end_is_a_pause() {
    let now = Instant::now();
    let long = pace(8);
    assert_eq!(long.throttled(Excess::Unknown, Some(61 * SECOND), now, now).await, Err(TooLong));
    let pace = pace(8);
    let throttled = async |secs| {
        let at = now + secs * SECOND;
        pace.throttled(Excess::Unknown, None, at, at).await
    };
    for (secs, outcome) in [(0, Ok(())), (30, Ok(())), (60, Ok(())), (61, Err(TooLong))] {
        assert_eq!(throttled(secs).await, outcome, "{secs} s");
    }
    pace.answered(QUICK, now + 61 * SECOND);
    assert_eq!(throttled(62).await, Ok(()), "an answer begins it anew");
}

#[test]
fn answers_that_grow_slow_narrow_the_pace_and_quick_ones_do_not() {
    let pace = pace(10);
    let width = || pace.state().width();
    let now = Instant::now();
    for _ in 0..20 {
        pace.answered(QUICK, now);
    }
    assert_eq!(width(), 10);
    for _ in 0..10 {
        pace.answered(5 * SECOND, now + 5 * SECOND);
    }
    assert_eq!(width(), 9, "those that were under way together say it once");
    pace.timed_out(now + 30 * SECOND);
    assert_eq!(width(), 8);
}

#[tokio::test]
async fn old_calls_leave_a_permit_to_fresh_ones() {
    let pace = pace(3);
    let mut held = Vec::new();
    for _ in 0..2 {
        let mut permit = pace.permit().await;
        permit.for_backfill(pace.backfill().await);
        held.push(permit);
    }
    assert!(futures_util::poll!(std::pin::pin!(pace.backfill())).is_pending());
    let mut fresh = pace.permit().await;
    let _asking = fresh.turn().await.expect("no budget");
    held.pop();
    drop(pace.backfill().await);
}

#[tokio::test]
async fn one_permit_is_for_whoever_comes() {
    let pace = pace(1);
    let mut permit = pace.permit().await;
    permit.for_backfill(pace.backfill().await);
    assert!(futures_util::poll!(std::pin::pin!(pace.backfill())).is_pending());
    drop(permit);
    drop(pace.backfill().await);
}

// The clock stands still, and goes on when there is nothing else to do.
#[tokio::test(start_paused = true)]
async fn those_that_hold_a_permit_wait_for_another_when_there_are_fewer() {
    let pace = pace(4);
    let mut fresh = pace.permit().await;
    let mut old = Vec::new();
    for _ in 0..3 {
        let mut permit = pace.permit().await;
        permit.for_backfill(pace.backfill().await);
        old.push(permit);
    }
    let mut asking = Vec::new();
    for permit in &mut old[..2] {
        asking.push(permit.turn().await.expect("no budget"));
    }
    // Of three in flight one was refused: there may be two, of which one belongs to an old call.
    let refused = fresh.turn().await.expect("no budget");
    drop(refused);
    let now = Instant::now();
    pace.throttled(Excess::AtOnce, Some(SECOND), now, now).await.expect("a short wait");
    tokio::time::advance(2 * SECOND).await;
    let again = fresh.turn();
    let mut again = std::pin::pin!(again);
    assert!(futures_util::poll!(&mut again).is_pending(), "two are in flight");
    asking.pop();
    again.await.expect("no budget");
    let state = pace.state();
    assert_eq!((state.width(), state.width_for_old()), (2, 1));
    drop(state);
}

/// So that no old call comes between a fresh one and the next turn.
#[tokio::test(start_paused = true)]
async fn while_a_job_waits_for_its_turn_no_other_is_begun() {
    let pace = pace(4);
    let mut first = pace.permit().await;
    let now = Instant::now();
    pace.throttled(Excess::PerSecond, Some(SECOND), now, now).await.expect("a short wait");
    let mut turn = std::pin::pin!(first.turn());
    assert!(futures_util::poll!(&mut turn).is_pending());
    let mut next = std::pin::pin!(pace.permit());
    assert!(futures_util::poll!(&mut next).is_pending());
    drop(turn.await.expect("no budget"));
    next.await;
}
