//! The controller against simulated APIs on a simulated clock.
#![expect(clippy::cast_precision_loss, reason = "counts far below 2^52")]

use super::control::Control;
use super::{Excess, Secs};

/// An API of one shape.
#[derive(Clone, Copy, Debug)]
pub(super) struct Api {
    pub(super) rate: f64,
    pub(super) burst: f64,
    pub(super) retry_after: Option<Secs>,
    pub(super) latency: Secs,
    pub(super) at_once: Option<usize>,
    /// Refusals take as long as answers.
    pub(super) slow_refusals: bool,
    /// From when on which rate.
    pub(super) change: Option<(Secs, f64)>,
    /// Everything is refused between these.
    pub(super) closed: Option<(Secs, Secs)>,
    pub(super) excess: Excess,
}

impl Api {
    pub(super) fn new(rate: f64, burst: f64) -> Self {
        Self {
            rate,
            burst,
            retry_after: Some(1.0),
            latency: 0.0,
            at_once: None,
            slow_refusals: false,
            change: None,
            closed: None,
            excess: Excess::PerSecond,
        }
    }
}

/// What came of it.
#[derive(Debug)]
pub(super) struct Outcome {
    /// When the last was accepted.
    pub(super) secs: Secs,
    /// When each was accepted.
    pub(super) accepted: Vec<Secs>,
    /// When each was refused.
    pub(super) refused: Vec<Secs>,
    /// Accepted of each worker.
    pub(super) shares: Vec<f64>,
    pub(super) paused: bool,
}

impl Outcome {
    pub(super) fn refused_after(&self, secs: Secs) -> f64 {
        let of = |times: &[Secs]| times.iter().filter(|it| **it >= secs).count() as f64;
        let (refused, accepted) = (of(&self.refused), of(&self.accepted));
        refused / (refused + accepted).max(1.0)
    }

    pub(super) fn jain(&self) -> f64 {
        let sum: f64 = self.shares.iter().sum();
        sum * sum / (self.shares.len() as f64 * self.shares.iter().map(|it| it * it).sum::<f64>())
    }

    pub(super) fn accepted_between(&self, from: Secs, to: Secs) -> f64 {
        self.accepted.iter().filter(|it| **it >= from && **it < to).count() as f64
    }
}

/// What a round trip takes beside the latency.
const WIRE: Secs = 0.001;

const TICK: Secs = 0.001;

/// Has workers ask for so many calls, or for so many seconds.
pub(super) fn asked(api: Api, workers: usize, most: u16, calls: usize, until: Secs) -> Outcome {
    struct Flight {
        due: Secs,
        worker: usize,
        sent_at: Secs,
        is_taken: bool,
    }
    let mut seed = 0x9E37_79B9_7F4A_7C15_u64;
    let mut random = move || {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        (seed >> 11) as f64 / (1_u64 << 53) as f64
    };
    let mut controls: Vec<Control> = (0..workers).map(|_| Control::new(most)).collect();
    let (mut tokens, mut refilled_at, mut rate, mut burst) = (api.burst, 0.0, api.rate, api.burst);
    let mut flights: Vec<Flight> = Vec::new();
    let mut at_api = 0;
    let mut outcome =
        Outcome { secs: 0.0, accepted: vec![], refused: vec![], shares: vec![0.0; workers], paused: false };
    let mut left = calls;
    let (mut now, mut first) = (0.0, 0);
    while outcome.accepted.len() < calls && now < until {
        if let Some((at, to)) = api.change
            && now >= at
        {
            (burst, rate) = (burst * to / rate, to);
        }
        let mut index = 0;
        while index < flights.len() {
            if flights[index].due > now {
                index += 1;
                continue;
            }
            let Flight { worker, sent_at, is_taken, .. } = flights.swap_remove(index);
            controls[worker].ended();
            if is_taken {
                at_api -= 1;
                controls[worker].answered(now - sent_at, now);
                outcome.accepted.push(now);
                outcome.shares[worker] += 1.0;
                outcome.secs = now;
            } else {
                outcome.refused.push(now);
                left += 1;
                outcome.paused |=
                    controls[worker].throttled(api.excess, api.retry_after, sent_at, random(), now).is_err();
            }
        }
        first = (first + 1) % workers;
        for worker in (0..workers).map(|it| (it + first) % workers) {
            while left > 0 && controls[worker].next_at(now).is_some_and(|at| at <= now) {
                controls[worker].take(now);
                left -= 1;
                // On its way it is held up a little.
                let arrives_at = f64::max(refilled_at, now + 0.0003 * random());
                tokens = f64::min(tokens + (arrives_at - refilled_at) * rate, burst);
                refilled_at = arrives_at;
                let is_closed = api.closed.is_some_and(|(from, to)| now >= from && now < to);
                let is_taken = !is_closed && api.at_once.is_none_or(|limit| at_api < limit) && tokens >= 1.0;
                if is_taken {
                    tokens -= 1.0;
                    at_api += 1;
                }
                let latency = if is_taken || api.slow_refusals { api.latency } else { 0.0 };
                let due = now + WIRE * (0.5 + random()) + latency;
                flights.push(Flight { due, worker, sent_at: now, is_taken });
            }
        }
        now += TICK;
    }
    outcome
}
