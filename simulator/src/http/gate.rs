//! What happens to a request whatever it asks for: counting, waiting, limits, and faults that belong to no id.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use rand::RngExt;

use super::problem::Problem;
use crate::faults::Faults;
use crate::world::World;

/// What becomes of a request.
#[derive(Debug, Default)]
pub(crate) struct Fate {
    pub(crate) delay: Duration,
    /// Answered with this before anything is looked at.
    pub(crate) problem: Option<Problem>,
    /// Answered with an HTML page of this status.
    pub(crate) html: Option<u16>,
    /// The connection is cut: before the answer or in the middle of it.
    pub(crate) cut: Option<Cut>,
    pub(crate) is_slow: bool,
    /// Told when the key is accepted: too much was asked for.
    pub(crate) limit: Option<Problem>,
    /// Random bits that name the request.
    pub(crate) trace: u128,
}

/// Where a connection is cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cut {
    Before,
    Within,
}

/// A request in flight; dropping it ends that.
#[derive(Debug)]
pub(crate) struct InFlight<'a> {
    world: &'a World,
    /// How many there are with this one.
    count: u32,
}

impl<'a> InFlight<'a> {
    pub(crate) fn enter(world: &'a World) -> Self {
        let mut served = world.served();
        served.in_flight += 1;
        served.max_in_flight = served.max_in_flight.max(served.in_flight);
        let count = served.in_flight;
        drop(served);
        Self { world, count }
    }
}

impl Drop for InFlight<'_> {
    fn drop(&mut self) {
        self.world.served().in_flight -= 1;
    }
}

/// Requests that may still be made in this moment.
#[derive(Debug, Default)]
pub(crate) struct Bucket(Mutex<Option<(Instant, f64)>>);

impl Bucket {
    /// Takes one, of `rate` a second, of which so many may be used at once: by default a second's worth.
    fn take(&self, rate: f64, burst: Option<u32>) -> bool {
        let mut bucket = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        let most = burst.map_or(rate, f64::from).max(1.0);
        let tokens = bucket.map_or(most, |(at, tokens)| (tokens + (now - at).as_secs_f64() * rate).min(most));
        let is_taken = tokens >= 1.0;
        *bucket = Some((now, if is_taken { tokens - 1.0 } else { tokens }));
        is_taken
    }
}

/// Draws the fate of one request.
pub(crate) fn draw(world: &World, faults: &Faults, in_flight: &InFlight<'_>) -> Fate {
    let mut rng = world.rng.lock().unwrap_or_else(PoisonError::into_inner);
    let mut fate = Fate { trace: rng.random(), delay: faults.latency, ..Fate::default() };
    let mut happens = |share: f64| share > 0.0 && rng.random_bool(share.min(1.0));
    let is_cut = happens(faults.dropped);
    let is_failing = happens(faults.error_5xx);
    let is_html = happens(faults.html);
    fate.is_slow = happens(faults.slow_body);
    if !faults.latency_jitter.is_zero() {
        fate.delay += faults.latency_jitter.mul_f64(rng.random());
    }
    let choice: usize = rng.random_range(0..4);
    drop(rng);
    fate.cut = is_cut.then_some(if choice.is_multiple_of(2) { Cut::Before } else { Cut::Within });
    if faults.outage {
        fate.problem = Some(Problem::outage());
    } else if is_failing {
        fate.problem = Some(Problem::server(choice));
    } else if is_html {
        fate.html = Some(if choice.is_multiple_of(2) { 200 } else { 502 });
    }
    if faults.concurrency_limit.is_some_and(|limit| in_flight.count > limit) {
        fate.limit = Some(Problem::too_many_at_once(faults.retry_after));
    } else if faults.rate_limit.is_some_and(|rate| !world.bucket.take(rate, faults.rate_burst)) {
        fate.limit = Some(Problem::too_many(faults.retry_after));
    }
    if fate.limit.is_some() {
        // refusals are quick
        fate.delay = Duration::ZERO;
    }
    fate
}
