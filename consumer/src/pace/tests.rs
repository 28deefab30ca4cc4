//! Slots, turns and rates, without an API; time is an argument, so nothing waits.

use super::*;

const SECOND: Duration = Duration::from_secs(1);
const QUICK: Duration = Duration::from_millis(50);

fn pace(most: usize) -> Arc<Pace> {
    Arc::new(Pace::new(most, None))
}

fn width(pace: &Pace) -> usize {
    pace.state().width()
}

/// An API that takes so many a second, no more than 1 s of them at once, and says when to come back or not.
struct Bucket {
    rate: f64,
    tokens: f64,
    refilled_at: Instant,
}

impl Bucket {
    fn takes(&mut self, now: Instant) -> bool {
        let refill = (now - self.refilled_at).as_secs_f64() * self.rate;
        self.refilled_at = now;
        self.tokens = (self.tokens + refill).min(self.rate);
        let is_taken = self.tokens >= 1.0;
        self.tokens -= f64::from(u8::from(is_taken));
        is_taken
    }
}

/// Has workers ask such an API for so many seconds, each request answered after 20 ms; returns the share of its rate that
/// was used, the share of refusals, and what each worker got, of the second half of that time.
fn asked(workers: usize, rate: f64, retry_after: Option<Duration>, secs: u32) -> (f64, f64, Vec<u32>) {
    const TICK: Duration = Duration::from_millis(2);
    let began = Instant::now();
    let mut bucket = Bucket { rate, tokens: rate, refilled_at: began };
    let mut states: Vec<State> = (0..workers).map(|_| State::new(16)).collect();
    let mut in_flight: Vec<(Instant, usize, bool)> = Vec::new();
    let mut got = vec![0; workers];
    let (mut settled, mut refused) = (0_u32, 0_u32);
    let half = began + secs * SECOND / 2;
    let mut now = began;
    while now < began + secs * SECOND {
        while let Some(index) = in_flight.iter().position(|(due, ..)| *due <= now) {
            let (_, worker, is_taken) = in_flight.swap_remove(index);
            states[worker].asking.remove(false);
            if is_taken {
                states[worker].answered(10 * TICK, now);
            } else {
                states[worker].throttled(Excess::PerSecond, retry_after, now).expect("a short wait");
            }
            if now >= half {
                settled += 1;
                refused += u32::from(!is_taken);
                got[worker] += u32::from(is_taken);
            }
        }
        for (worker, state) in states.iter_mut().enumerate() {
            while let Step::Asks(_) = state.ask(false, false, now) {
                in_flight.push((now + 10 * TICK, worker, bucket.takes(now)));
            }
        }
        now += TICK;
    }
    let used = f64::from(settled - refused) / (rate * f64::from(secs) / 2.0);
    (used, f64::from(refused) / f64::from(settled), got)
}

#[test]
fn the_rate_of_an_api_is_found_and_kept_to() {
    for retry_after in [Some(SECOND), None] {
        for rate in [10.0, 100.0, 400.0] {
            let (used, refused, _) = asked(1, rate, retry_after, 60);
            assert!(used > 0.95, "{rate}/s: {used} of it is used");
            assert!(refused < 0.02, "{rate}/s: {refused} are refused");
        }
    }
}

#[test]
fn several_workers_come_to_a_fair_share_of_a_rate() {
    let (used, refused, got) = asked(4, 100.0, Some(SECOND), 240);
    assert!(used > 0.95 && refused < 0.02, "{used} used, {refused} refused");
    let (least, most) = (got.iter().min().expect("four"), got.iter().max().expect("four"));
    assert!(least * 4 > *most, "{got:?}");
}

#[test]
fn a_wave_of_429_shrinks_the_pace_once_and_answers_widen_it_again() {
    let pace = pace(8);
    let now = Instant::now();
    for _ in 0..8 {
        assert_eq!(pace.throttled(Excess::AtOnce, Some(2 * SECOND), now), Ok(()));
    }
    assert_eq!(width(&pace), 5, "seven tenths");
    assert_eq!(pace.cool_down(now), 2 * SECOND, "Retry-After is honoured");
    assert_eq!(pace.throttled(Excess::AtOnce, None, now + 3 * SECOND), Ok(()));
    assert_eq!(width(&pace), 3, "the next wave");
    for secs in 10..20 {
        let now = now + secs * SECOND;
        while let Step::Asks(_) = pace.state().ask(false, false, now) {}
        let width = width(&pace);
        for _ in 0..width {
            pace.answered(QUICK, now);
            pace.state().asking.remove(false);
        }
    }
    assert_eq!(width(&pace), 8);
}

#[test]
fn answers_that_grow_slow_narrow_the_pace_and_quick_ones_do_not() {
    let pace = pace(10);
    let now = Instant::now();
    for _ in 0..20 {
        pace.answered(QUICK, now);
    }
    assert_eq!(width(&pace), 10);
    for _ in 0..10 {
        pace.answered(5 * SECOND, now + 5 * SECOND);
    }
    assert_eq!(width(&pace), 9, "those that were under way together say it once");
    pace.timed_out(now + 30 * SECOND);
    assert_eq!(width(&pace), 8);
}

#[tokio::test]
async fn slots_are_bounded_and_given_back() {
    let pace = pace(1);
    let slot = pace.slot().await;
    let mut second = std::pin::pin!(pace.slot());
    assert!(futures_util::poll!(&mut second).is_pending());
    drop(slot);
    second.await;
}

#[tokio::test]
async fn nothing_is_asked_during_a_cool_down() {
    let pace = pace(8);
    let early = pace.slot().await;
    pace.throttled(Excess::Unknown, Some(60 * SECOND), Instant::now()).expect("short enough to hold");
    assert!(futures_util::poll!(std::pin::pin!(pace.slot())).is_pending());
    assert!(futures_util::poll!(std::pin::pin!(early.turn())).is_pending());
}

#[test]
fn throttling_without_end_is_a_pause() {
    let now = Instant::now();
    assert_eq!(pace(8).throttled(Excess::Unknown, Some(61 * SECOND), now), Err(TooLong));
    let pace = pace(8);
    let outcomes = [0, 30, 60, 61].map(|secs| pace.throttled(Excess::Unknown, None, now + secs * SECOND));
    assert_eq!(outcomes, [Ok(()), Ok(()), Ok(()), Err(TooLong)]);
    pace.answered(QUICK, now + 61 * SECOND);
    let again = pace.throttled(Excess::Unknown, None, now + 62 * SECOND);
    assert_eq!(again, Ok(()), "an answer begins it anew");
}

#[tokio::test]
async fn old_calls_leave_a_slot_to_fresh_ones() {
    let pace = pace(3);
    let mut held = Vec::new();
    for _ in 0..2 {
        pace.may_backfill().await;
        let mut slot = pace.slot().await;
        slot.for_backfill();
        held.push(slot);
    }
    assert!(futures_util::poll!(std::pin::pin!(pace.may_backfill())).is_pending());
    let fresh = pace.slot().await;
    let _asking = fresh.turn().await.expect("no budget");
    held.pop();
    pace.may_backfill().await;
}

#[tokio::test]
async fn one_slot_is_for_whoever_comes() {
    let pace = pace(1);
    pace.may_backfill().await;
    let mut slot = pace.slot().await;
    slot.for_backfill();
    assert!(futures_util::poll!(std::pin::pin!(pace.may_backfill())).is_pending());
    drop(slot);
    pace.may_backfill().await;
}

#[tokio::test]
async fn those_that_hold_a_slot_take_turns_when_the_pace_has_narrowed() {
    let pace = pace(4);
    let mut slots = Vec::new();
    for index in 0..4 {
        slots.push(pace.slot().await);
        if index > 0 {
            slots[index].for_backfill();
        }
    }
    let past = Instant::now() - 10 * SECOND;
    pace.throttled(Excess::AtOnce, Some(SECOND), past).expect("short enough to hold");
    assert_eq!((width(&pace), pace.state().width_for_old()), (2, 1));
    let old = slots[1].turn().await.expect("no budget");
    assert!(futures_util::poll!(std::pin::pin!(slots[2].turn())).is_pending(), "old calls leave a turn");
    let fresh = slots[0].turn().await.expect("no budget");
    drop(old);
    let next = slots[3].turn().await.expect("no budget");
    assert!(futures_util::poll!(std::pin::pin!(slots[2].turn())).is_pending());
    drop((fresh, next));
}

// The clock stands still, and goes on when there is nothing else to do.
#[tokio::test(start_paused = true)]
async fn a_fresh_call_asks_before_old_ones_that_waited_longer() {
    let pace = pace(4);
    let mut old = pace.slot().await;
    old.for_backfill();
    let fresh = pace.slot().await;
    // One request in ten seconds, and one was just made.
    let past = Instant::now() - 10 * SECOND;
    pace.state().throttled(Excess::PerSecond, Some(SECOND), past).expect("a short wait");
    drop(fresh.turn().await.expect("no budget"));
    let mut old_turn = std::pin::pin!(old.turn());
    assert!(futures_util::poll!(&mut old_turn).is_pending());
    let mut fresh_turn = std::pin::pin!(fresh.turn());
    assert!(futures_util::poll!(&mut fresh_turn).is_pending());
    let fresh_turn = fresh_turn.await.expect("no budget");
    assert!(futures_util::poll!(&mut old_turn).is_pending());
    drop(fresh_turn);
    old_turn.await.expect("no budget");
}
