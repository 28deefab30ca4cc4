//! How many requests a second the API takes, of all programs together: found from what it refuses. Pure: the clock, and
//! what happened, are arguments. Where it is kept is the database's matter.
//!
//! Nothing is known at first, and nothing is limited. A refusal begins a cool-down, of its Retry-After, for all. What was
//! accepted until then says what the limit is; just below it the programs stay for a while, then double their pace until
//! the next refusal, which finds a limit that was lifted, and else the same again.

mod limit;
mod record;
mod turns;

use serde::{Deserialize, Serialize};

pub use limit::Limit;
use record::Record;
pub use turns::{Step, Turns};

/// Seconds of some clock.
pub type Secs = f64;

/// As much is leased at once as may be asked in this time, though always one request.
const CHUNK: Secs = 0.05;

/// Time that passed unused counts back as far, for a rate that was not found but set.
const LATE: Secs = 0.1;

/// A lease is under way for as long: a request that may be made at once is made then.
const ON_ITS_WAY: Secs = 0.003;

/// No clock of a program is finer.
const TICK: Secs = 0.000_3;

/// A rate that kept nobody waiting for so long is not looked after any more.
const USELESS: Secs = 600.0;

/// A clock that goes back by more was put back.
const BACK: Secs = 5.0;

/// What is left of a rate that did not hold.
const CUT: f64 = 0.9;

/// And at least of one that did for a while.
const CUT_LITTLE: f64 = 0.93;

/// A rate that is found to be this many times another was not found by chance.
const CLOSE: f64 = 1.2;

/// As much of what is found beyond one that held well is believed.
const BELIEVED: f64 = 0.7;

/// No cool-down holds others for longer: they find out for themselves.
const LONGEST_HOLD: Secs = 60.0;

/// As much of what was found is used: a little less than the limit lets a burst grow again.
const USED: f64 = 0.98;

/// What was found is held for so many times what finding it costs …
const HELD: f64 = 7.0;

/// … but no less than this …
pub const HELD_LEAST: Secs = 7.0;
/// … and this.
pub const HELD_MOST: Secs = 600.0;

/// As much of what a bucket may have taken in during a quiet time is used at once.
const OWED: f64 = 0.8;

/// The slowest rate: one request in ten seconds.
const LEAST_RATE: f64 = 0.1;

/// A rate that was held for less was found wrong.
const PROVEN: Secs = 2.0;

/// What is known of the API's rate, and until when its requests are given out.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
pub struct Rate {
    limit: Option<Limit>,
    /// What the API takes at once after a quiet time, by the first refusal.
    burst: f64,
    /// From when on the next request may be made.
    next_at: Secs,
    /// When it was last asked, and when it last kept somebody waiting.
    seen_at: Secs,
    needed_at: Secs,
    /// When the first of those was sent that were refused last.
    refused_at: Secs,
    cool_until: Secs,
    /// The refusals that have had no consequence yet: when the first of them was sent, and how long nothing is asked.
    wave: Option<(Secs, Secs)>,
    record: Record,
}

/// Requests that may be made.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Slots {
    /// When the first may be made.
    pub first_at: Secs,
    /// How many; none: to be asked for again at that time.
    pub count: u32,
    /// Between two of them.
    pub spacing: Secs,
    /// How late one may be made without moving those that follow.
    pub slack: Secs,
    /// The refusal since which they hold: until the next.
    pub since: Secs,
}

/// A request that the API refused.
#[derive(Clone, Copy, Debug)]
pub struct Refused {
    /// When it was sent.
    pub sent_at: Secs,
    /// How long nothing may be asked.
    pub wait: Secs,
    /// That it was for the rate is what the API said.
    pub is_sure: bool,
    /// How many who knew of no limit had asked in the last second.
    pub free: Option<f64>,
}

impl Rate {
    /// Leases as many requests as are wanted at `now`, at most a chunk and at least one, no closer together than
    /// `ceiling`; `None`: nothing is known that limits.
    pub fn lease(&mut self, wanted: u32, ceiling: Option<Secs>, now: Secs) -> Option<Slots> {
        self.forget(now);
        if now < self.cool_until {
            let (first_at, since) = (self.cool_until, self.cool_until);
            return Some(Slots { first_at, count: 0, spacing: 0.0, slack: 0.0, since });
        }
        self.conclude(now);
        let found = self.limit.as_ref().map(|limit| 1.0 / limit.value());
        let spacing = found.into_iter().chain(ceiling).reduce(f64::max)?;
        if let Some(limit) = &mut self.limit {
            limit.step(self.next_at > now, now);
            self.needed_at = if self.next_at > now { now } else { self.needed_at };
        }
        let slack = if found.is_some() { (self.burst - 1.0).max(0.0) * OWED * spacing + TICK } else { LATE };
        let slack = if ceiling.is_some() { slack.min(LATE) } else { slack };
        let from = now + ON_ITS_WAY;
        let first_at = self.next_at.max(from - slack);
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "rounded down, and not negative"
        )]
        let count = wanted.min((CHUNK / spacing) as u32).max(1);
        self.next_at = first_at + f64::from(count) * spacing;
        if found.is_some() {
            // Those that may be made at once are.
            let spacing = if first_at < now { 0.0 } else { spacing };
            self.record.add(first_at.max(now), count, spacing);
        }
        Some(Slots { first_at, count, spacing, slack, since: self.cool_until })
    }

    /// Forgets what has been of no use for long, and all when the clock was put back.
    fn forget(&mut self, now: Secs) {
        if now < self.seen_at - BACK {
            *self = Self::default();
        } else if now - self.needed_at > USELESS && now > self.cool_until {
            (self.limit, self.wave) = (None, None);
            self.record.clear();
        }
        self.seen_at = now;
    }

    /// Whether there is nothing to keep.
    #[must_use]
    pub fn is_unknown(&self) -> bool {
        self.limit.is_none() && self.next_at <= 0.0 && self.cool_until <= 0.0
    }

    /// From when on the next request may be made.
    #[must_use]
    pub fn next_at(&self) -> Secs {
        self.next_at.max(self.cool_until)
    }

    /// Whether those slots still hold.
    #[must_use]
    pub fn holds(&self, slots: &Slots) -> bool {
        slots.since >= self.cool_until
    }

    /// Takes note of a refusal; `false`: it cannot have been for the rate, since that is known and was kept.
    pub fn throttled(&mut self, refused: Refused, now: Secs) -> bool {
        let Refused { sent_at, wait, is_sure, free } = refused;
        let is_same_wave = sent_at <= self.cool_until;
        if !is_sure && !is_same_wave && self.limit.is_some_and(|limit| !limit.is_growing()) {
            return false;
        }
        if !is_same_wave {
            self.conclude(now);
        }
        self.cool_until = self.cool_until.max(now + wait.min(LONGEST_HOLD));
        self.needed_at = now;
        let (at, _) = self.wave.unwrap_or((sent_at, wait));
        self.wave = Some((at.min(sent_at), wait));
        if self.limit.is_none_or(|limit| limit.is_growing()) && self.record.count() == 0 {
            // None of those who knew of no limit was refused before.
            self.burst = (self.burst + free.unwrap_or_default() - 1.0).max(1.0);
            let first = (self.burst / 2.0).max(4.0);
            self.limit = Some(Limit::new(first, 0.0, now));
        }
        true
    }

    /// Draws the consequence of a wave of refusals.
    fn conclude(&mut self, now: Secs) {
        let Some((at, wait)) = self.wave.take() else { return };
        self.record.end(at);
        if self.refused_at <= 0.0 {
            // Of what the first wave shows, a part flowed in meanwhile.
            self.burst = (self.burst / 2.0).max(1.0);
        } else if let Some(limit) = &mut self.limit
            && self.record.count() > 0
        {
            let value = limit.value();
            let accepted = f64::from(self.record.count());
            let found = USED * self.record.rate(self.refused_at, at, self.burst).min(value);
            let used = if limit.is_growing() {
                // Close to where it held well, it is believed in part.
                let kept = limit.kept();
                if found < kept * CLOSE { kept + (found - kept).max(0.0) * BELIEVED } else { found }
            } else if limit.in_the_way() < CHUNK && accepted < self.burst {
                // It was what had been saved up that was too much.
                self.burst = accepted;
                value
            } else {
                // It was held, and is too much all the same: chance, or others, when it went well for a while.
                let is_proven = limit.in_the_way() >= PROVEN;
                let least = if is_proven { CUT_LITTLE * limit.found() } else { CUT * value };
                let most = if is_proven { USED } else { CUT };
                found.clamp(least, (most * value).max(least))
            };
            let used = used.max(LEAST_RATE);
            let held_for = (HELD * wait).clamp(HELD_LEAST, HELD_MOST);
            *limit = Limit::new(used, held_for, now);
        }
        self.record.clear();
        // What a bucket has taken in meanwhile.
        (self.refused_at, self.next_at) = (at, at + (now - at) * (1.0 - OWED));
    }
}

#[cfg(test)]
mod tests;
