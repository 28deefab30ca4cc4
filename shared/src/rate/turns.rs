//! The turns of one program: what it has leased of the rate, one request after the other. Pure, too.

use super::{Secs, Slots};

/// What is due further ahead than this is looked at again before it is used: others may have been refused meanwhile.
const AHEAD: Secs = 0.05;

/// Who was told that nothing limits it asks again after this long.
const FREE_FOR: Secs = 1.0;

/// Chunks that follow each other as closely become larger.
const CLOSE: Secs = 0.1;

/// What a program has to do before its next request.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Step {
    /// Make it.
    Ask,
    /// Wait until then.
    Wait(Secs),
    /// Lease so many.
    Lease(u32),
    /// See whether these still hold.
    Check(Slots),
}

/// What a program has leased.
#[derive(Clone, Debug, Default)]
pub struct Turns {
    slots: Option<Slots>,
    is_unchecked: bool,
    wanted: u32,
    used_at: Secs,
    free_until: Secs,
    /// Free requests of this second, and of the one before.
    free: [u32; 2],
}

impl Turns {
    /// What is to be done at `now`; after [`Step::Ask`] the request counts as made.
    pub fn next(&mut self, at_once: u32, now: Secs) -> Step {
        // Nothing is given out during a cool-down.
        self.slots = self.slots.filter(|slots| slots.count > 0 || now < slots.first_at);
        let Some(slots) = &mut self.slots else {
            if now < self.free_until {
                self.free[0] += 1;
                return Step::Ask;
            }
            self.is_unchecked = false;
            self.wanted = if now - self.used_at < CLOSE { self.wanted.saturating_mul(2) } else { 1 };
            return Step::Lease(self.wanted.min(at_once).max(1));
        };
        if slots.count > 0 && slots.first_at > now + AHEAD {
            self.is_unchecked = true;
            return Step::Wait(slots.first_at - AHEAD);
        }
        if slots.count > 0 && self.is_unchecked {
            return Step::Check(*slots);
        }
        if slots.first_at > now {
            return Step::Wait(slots.first_at);
        }
        slots.first_at = slots.first_at.max(now - slots.slack) + slots.spacing;
        slots.count -= 1;
        self.used_at = now;
        if slots.count == 0 {
            self.slots = None;
        }
        Step::Ask
    }

    /// The lease that was asked for.
    pub fn leased(&mut self, slots: Option<Slots>, now: Secs) {
        self.slots = slots;
        if slots.is_none() {
            self.free_until = now + FREE_FOR;
            self.free = [0, self.free[0]];
        }
    }

    /// Whether the slots hold that were looked at.
    pub fn checked(&mut self, holds: bool) {
        self.is_unchecked = false;
        self.slots = self.slots.filter(|_| holds);
    }

    /// A request was refused at `now`: nothing that was leased holds. Returns how many were made in the last second by one
    /// who knew of no limit.
    pub fn refused(&mut self, now: Secs) -> Option<f64> {
        let left = self.free_until - now;
        (self.slots, self.free_until) = (None, now);
        // A lease may be under way.
        self.is_unchecked = true;
        (left > 0.0).then(|| f64::from(self.free[0]) + f64::from(self.free[1]) * (left / FREE_FOR))
    }
}
