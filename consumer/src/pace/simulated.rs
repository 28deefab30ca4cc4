//! The controller against simulated APIs on a simulated clock.
#![expect(clippy::cast_precision_loss, reason = "counts far below 2^52")]

use shared::rate::{Rate, Refused, Secs, Slots, Step, Turns};

use super::Excess;
use super::control::Control;

/// No clock begins at nought.
const START: Secs = 1000.0;

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
    /// What was set: the time between two requests.
    pub(super) ceiling: Option<Secs>,
    /// A pass lists so many pages meanwhile …
    pub(super) pages: usize,
    /// … for which there is another limit, of so many a second.
    pub(super) pages_rate: Option<f64>,
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
            ceiling: None,
            pages: 0,
            pages_rate: None,
        }
    }
}

/// What came of it.
#[derive(Debug, Default)]
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
    /// When each page was listed.
    pub(super) listed: Vec<Secs>,
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

const TICK: Secs = 0.000_2;

/// From a question to the database until its answer.
const DATABASE: Secs = 0.0015;

/// What a worker waits for before its next request.
#[derive(Clone, Copy)]
enum Pending {
    Nothing,
    Lease { due: Secs, slots: Option<Slots> },
    Check { due: Secs, holds: bool },
}

struct Worker {
    control: Control,
    turns: Turns,
    pending: Pending,
}

impl Worker {
    /// Whether it makes a request now.
    fn asks(&mut self, rate: &mut Rate, ceiling: Option<Secs>, now: Secs) -> bool {
        match self.pending {
            Pending::Lease { due, .. } | Pending::Check { due, .. } if due > now => return false,
            Pending::Lease { slots, .. } => self.turns.leased(slots, now),
            Pending::Check { holds, .. } => self.turns.checked(holds),
            Pending::Nothing => {}
        }
        self.pending = Pending::Nothing;
        if self.control.next_at(now).is_none_or(|at| at > now) {
            return false;
        }
        match self.turns.next(self.control.free(), now) {
            Step::Ask => return true,
            Step::Wait(_) => {}
            Step::Lease(wanted) => {
                let due = now + DATABASE;
                self.pending = Pending::Lease { due, slots: rate.lease(wanted, ceiling, now) };
            }
            Step::Check(slots) => {
                let due = now + DATABASE;
                self.pending = Pending::Check { due, holds: rate.holds(&slots) };
            }
        }
        false
    }

    fn refused(&mut self, api: &Api, rate: &mut Rate, sent_at: Secs, jitter: f64, now: Secs) -> bool {
        let (wait, outcome) = self.control.throttled(api.retry_after, jitter, now);
        let free = self.turns.refused(now);
        let is_sure = api.excess == Excess::PerSecond;
        let is_rate =
            api.excess != Excess::AtOnce && rate.throttled(Refused { sent_at, wait, is_sure, free }, now);
        if !is_rate {
            self.control.were_at_once();
        }
        outcome.is_err()
    }
}

/// What the API allows.
struct Bucket {
    rate: f64,
    burst: f64,
    tokens: f64,
    at: Secs,
}

impl Bucket {
    fn new(rate: f64, burst: f64) -> Self {
        Self { rate, burst, tokens: burst, at: START }
    }

    fn takes(&mut self, at: Secs) -> bool {
        let at = at.max(self.at);
        self.tokens = f64::min(self.tokens + (at - self.at) * self.rate, self.burst);
        self.at = at;
        let is_taken = self.tokens >= 1.0;
        if is_taken {
            self.tokens -= 1.0;
        }
        is_taken
    }
}

/// A request on its way.
struct Flight {
    due: Secs,
    worker: usize,
    sent_at: Secs,
    is_taken: bool,
}

/// Numbers between 0 and 1, always the same.
struct Dice(u64);

impl Dice {
    fn next(&mut self) -> f64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) as f64 / (1_u64 << 53) as f64
    }
}

/// Has workers ask for so many calls, or for so many seconds.
pub(super) fn asked(api: Api, workers: usize, most: u16, calls: usize, until: Secs) -> Outcome {
    let mut dice = Dice(0x9E37_79B9_7F4A_7C15);
    // The last of them is the pass.
    let worker = |nth| {
        let control = Control::new(if nth < workers { most } else { 1 });
        Worker { control, turns: Turns::default(), pending: Pending::Nothing }
    };
    let (mut all, mut shared): (Vec<Worker>, Rate) = ((0..=workers).map(worker).collect(), Rate::default());
    let mut bucket = Bucket::new(api.rate, api.burst);
    let mut bucket_of_pages = api.pages_rate.map(|rate| Bucket::new(rate, 1.0));
    let mut flights: Vec<Flight> = Vec::new();
    let mut at_api = 0;
    let mut outcome = Outcome { shares: vec![0.0; workers], ..Outcome::default() };
    let (mut left, mut pages) = (calls, api.pages);
    let (mut now, mut first) = (START, 0);
    while outcome.accepted.len() < calls && now < START + until {
        if let Some((at, to)) = api.change
            && now >= START + at
        {
            (bucket.burst, bucket.rate) = (bucket.burst * to / bucket.rate, to);
        }
        for Flight { worker, sent_at, is_taken, .. } in flights.extract_if(.., |it| it.due <= now) {
            let (it, is_page) = (&mut all[worker], worker == workers);
            it.control.ended();
            if is_taken {
                at_api -= 1;
                it.control.answered(now - sent_at, now);
            }
            match (is_taken, is_page) {
                (true, true) => outcome.listed.push(now - START),
                (true, false) => {
                    outcome.accepted.push(now - START);
                    outcome.shares[worker] += 1.0;
                    outcome.secs = now - START;
                }
                (false, true) => {
                    pages += 1;
                    it.control.throttled(api.retry_after, dice.next(), now).1.expect("a short wait");
                }
                (false, false) => {
                    outcome.refused.push(now - START);
                    left += 1;
                    outcome.paused |= it.refused(&api, &mut shared, sent_at, dice.next(), now);
                }
            }
        }
        first = (first + 1) % all.len();
        for worker in (0..=workers).map(|it| (it + first) % (workers + 1)) {
            let is_page = worker == workers;
            let left = if is_page { &mut pages } else { &mut left };
            while *left > 0 && all[worker].asks(&mut shared, api.ceiling, now) {
                all[worker].control.take(now);
                *left -= 1;
                // On its way it is held up a little.
                let arrives_at = now + 0.0003 * dice.next();
                let bucket = bucket_of_pages.as_mut().filter(|_| is_page).unwrap_or(&mut bucket);
                let is_closed = api.closed.is_some_and(|(from, to)| now >= START + from && now < START + to);
                let is_free = !is_closed && api.at_once.is_none_or(|limit| at_api < limit);
                let is_taken = is_free && bucket.takes(arrives_at);
                at_api += usize::from(is_taken);
                let latency = if is_taken || api.slow_refusals { api.latency } else { 0.0 };
                let due = now + WIRE * (0.5 + dice.next()) + latency;
                flights.push(Flight { due, worker, sent_at: now, is_taken });
            }
        }
        now += TICK;
    }
    outcome
}
