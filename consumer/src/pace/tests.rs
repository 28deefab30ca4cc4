//! The controller on a simulated clock, and permits and turns without an API.

use super::simulated::{Api, Outcome, asked};
use super::*;

const SECOND: Duration = Duration::from_secs(1);
const QUICK: Duration = Duration::from_millis(50);

/// What a shape came to: times the ideal, refused from the fifth second on, Jain's index of fairness.
struct Figures {
    times: f64,
    refused: f64,
    jain: f64,
}

/// Half a minute's worth of calls, by workers of eight permits.
fn figures(api: Api, workers: u8) -> Figures {
    const SECS: f64 = 30.0;
    let most = 8.0 * f64::from(workers) / (api.latency + 0.001);
    let calls = SECS * api.rate.min(most);
    let ideal = ((calls - api.burst) / api.rate).max(calls / most);
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "some thousands")]
    let outcome = asked(api, workers.into(), 8, calls as usize, ideal * 20.0);
    Figures { times: outcome.secs / ideal, refused: outcome.refused_after(5.0), jain: outcome.jain() }
}

/// Every shape of a rate with such bursts.
#[expect(clippy::print_stdout, reason = "the figures, for who runs it with --nocapture")]
fn matrix(bursts: impl Fn(f64) -> Vec<f64>, workers: u8) -> Vec<Figures> {
    let mut all = Vec::new();
    for rate in [10.0, 30.0, 100.0, 400.0] {
        for burst in bursts(rate) {
            for retry_after in [None, Some(1.0)] {
                for latency in [0.0, 0.05, 0.3] {
                    let figures = figures(Api { retry_after, latency, ..Api::new(rate, burst) }, workers);
                    let Figures { times, refused, jain } = figures;
                    println!(
                        "{rate}/s, {burst} at once, Retry-After {retry_after:?}, {latency} s, {workers} workers: \
                         {times:.3} times the ideal, {:.2} % refused, Jain {jain:.2}",
                        refused * 100.0
                    );
                    all.push(figures);
                }
            }
        }
    }
    all
}

/// Median and worst.
fn spread(figures: &[Figures], of: impl Fn(&Figures) -> f64) -> (f64, f64) {
    let mut all: Vec<f64> = figures.iter().map(of).collect();
    all.sort_by(f64::total_cmp);
    (all[all.len() / 2], all[all.len() - 1])
}

#[test]
fn the_rate_is_found_within_seconds_whatever_its_shape() {
    let shapes = matrix(|rate| vec![10.0, rate], 1);
    let ((median, worst), (_, refused)) = (spread(&shapes, |it| it.times), spread(&shapes, |it| it.refused));
    assert!(median < 1.03 && worst < 1.35, "{median} {worst}");
    assert!(refused < 0.03, "{refused}");
}

/// An API that takes no two requests closer than its rate says: clocks tick in milliseconds, and each probe costs a second.
#[test]
fn a_rate_without_a_burst_is_found_too() {
    let shapes = matrix(|_| vec![1.0], 1);
    let ((median, worst), (_, refused)) = (spread(&shapes, |it| it.times), spread(&shapes, |it| it.refused));
    assert!(median < 1.2 && worst < 1.55, "{median} {worst}");
    assert!(refused < 0.04, "{refused}");
}

#[test]
fn workers_that_do_not_know_of_each_other_share_it() {
    let shapes = matrix(|rate| vec![10.0, rate], 4);
    let (median, worst) = spread(&shapes, |it| it.times);
    assert!(median < 1.05 && worst < 1.45, "{median} {worst}");
    let (jain, _) = spread(&shapes, |it| it.jain);
    assert!(jain > 0.9, "{jain}");
}

#[test]
fn a_limit_per_minute_is_a_rate_with_a_burst() {
    for retry_after in [None, Some(1.0)] {
        let outcome = asked(Api { retry_after, ..Api::new(10.0, 60.0) }, 1, 8, 600, 400.0);
        assert!(outcome.secs < 54.0 * 1.05, "{}", outcome.secs);
    }
}

#[test]
fn a_limit_that_is_lifted_is_found_within_ten_seconds() {
    for retry_after in [None, Some(1.0)] {
        for at in [15.0, 22.0, 33.0] {
            let api = Api { retry_after, change: Some((at, 400.0)), ..Api::new(100.0, 10.0) };
            let outcome = asked(api, 1, 8, 100_000, at + 12.0);
            let accepted =
                (1..=11).map(|sec| outcome.accepted_between(at + f64::from(sec - 1), at + f64::from(sec)));
            assert!(accepted.fold(0.0, f64::max) > 350.0, "lifted at {at}");
        }
    }
}

#[test]
fn a_limit_that_is_halved_costs_an_episode_a_second_at_most() {
    for retry_after in [None, Some(1.0)] {
        let api = Api { retry_after, change: Some((15.0, 50.0)), ..Api::new(100.0, 100.0) };
        let outcome = asked(api, 1, 8, 100_000, 35.0);
        assert!(outcome.accepted_between(15.0, 35.0) > 950.0);
        for sec in 15..35 {
            let from = f64::from(sec);
            let refused = outcome.refused.iter().filter(|at| **at >= from && **at < from + 1.0).count();
            assert!(refused <= 8, "as many as were in flight");
        }
    }
}

/// What is refused altogether for more than a minute says nothing of the rate.
#[test]
fn a_closed_api_pauses_and_goes_on_as_before() {
    let api = Api { closed: Some((10.0, 80.0)), ..Api::new(100.0, 10.0) };
    let Outcome { paused, refused, accepted, .. } = asked(api, 1, 8, 100_000, 100.0);
    assert!(paused);
    let closed = refused.iter().filter(|at| (10.0..80.0).contains(*at)).count();
    assert!(closed < 90, "one asks for all: {closed}");
    assert!(accepted.iter().filter(|at| **at > 90.0).count() > 750);
}

#[test]
fn a_limit_of_requests_at_once_moves_the_permits() {
    for retry_after in [None, Some(1.0)] {
        for limit in [2_u8, 5, 20] {
            for latency in [0.05, 0.3] {
                let at_once = Some(limit.into());
                let api = Api { retry_after, latency, at_once, excess: Excess::AtOnce, ..Api::new(1e9, 1e9) };
                let outcome = asked(api, 1, 8, 1000, 1e4);
                let times = outcome.secs / (1000.0 * (latency + 0.001) / f64::from(limit.min(8)));
                assert!(times < 1.35, "{limit} at once, {latency} s, {retry_after:?}: {times}");
            }
        }
    }
}

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
    let retry_after = Some(60 * SECOND);
    pace.throttled(Excess::Unknown, retry_after, QUICK, Instant::now()).expect("short enough to hold");
    assert!(pace.cool_down(Instant::now()) > 59 * SECOND, "Retry-After is honoured");
    assert!(futures_util::poll!(std::pin::pin!(pace.permit())).is_pending());
    assert!(futures_util::poll!(std::pin::pin!(early.turn())).is_pending());
    pace.recovered();
    drop(early.turn().await.expect("no budget"));
}

#[test]
fn throttling_without_end_is_a_pause() {
    let now = Instant::now();
    assert_eq!(pace(8).throttled(Excess::Unknown, Some(61 * SECOND), QUICK, now), Err(TooLong));
    let pace = pace(8);
    let throttled = |secs| pace.throttled(Excess::Unknown, None, QUICK, now + secs * SECOND);
    assert_eq!([0, 30, 60, 61].map(throttled), [Ok(()), Ok(()), Ok(()), Err(TooLong)]);
    pace.answered(QUICK, now + 61 * SECOND);
    assert_eq!(throttled(62), Ok(()), "an answer begins it anew");
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
    pace.throttled(Excess::AtOnce, Some(SECOND), Duration::ZERO, Instant::now()).expect("a short wait");
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

#[tokio::test(start_paused = true)]
async fn a_fresh_call_asks_before_old_ones_that_waited_longer() {
    let pace = pace(4);
    let (mut old, mut fresh) = (pace.permit().await, pace.permit().await);
    old.for_backfill(pace.backfill().await);
    pace.throttled(Excess::PerSecond, Some(SECOND), Duration::ZERO, Instant::now()).expect("a short wait");
    let mut old_turn = std::pin::pin!(old.turn());
    assert!(futures_util::poll!(&mut old_turn).is_pending());
    let mut fresh_turn = std::pin::pin!(fresh.turn());
    assert!(futures_util::poll!(&mut fresh_turn).is_pending());
    tokio::select! {
        biased;
        turn = &mut old_turn => panic!("an old call asks first: {turn:?}"),
        turn = &mut fresh_turn => drop(turn.expect("no budget")),
    }
    old_turn.await.expect("no budget");
}
