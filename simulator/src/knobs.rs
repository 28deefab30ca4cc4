//! The faults in force, and which conversations they hit.

use std::time::Instant;

use crate::condition::Condition;
use crate::dice;
use crate::faults::Faults;
use crate::index::Entry;

/// The faults in force, with what their clocks need.
#[derive(Debug)]
pub(crate) struct Knobs {
    seed: u64,
    pub(crate) faults: Faults,
    in_progress_since: Instant,
    late_since: Instant,
    /// Calls with a smaller number were told to finish.
    finished_below: u32,
}

impl Knobs {
    pub(crate) fn new(seed: u64, faults: Faults) -> Self {
        let now = Instant::now();
        Self { seed, faults, in_progress_since: now, late_since: now, finished_below: 0 }
    }

    /// Puts other faults in force; the clock of a knob starts anew only when that knob changes.
    pub(crate) fn set(&mut self, faults: Faults) {
        let now = Instant::now();
        let old = &self.faults;
        if (old.in_progress, old.finish_after) != (faults.in_progress, faults.finish_after) {
            self.in_progress_since = now;
            self.finished_below = 0;
        }
        if (old.late, old.late_after) != (faults.late, faults.late_after) {
            self.late_since = now;
        }
        self.faults = faults;
    }

    /// Finishes the calls that go on now, of `count` conversations.
    pub(crate) fn finish(&mut self, count: u32) {
        self.finished_below = count;
    }

    fn hits(&self, knob: &str, number: u32, share: f64) -> bool {
        dice::is_chosen(self.seed, knob, number.into(), share)
    }

    pub(crate) fn is_missing(&self, number: u32) -> bool {
        self.hits("missing", number, self.faults.missing)
    }

    pub(crate) fn is_malformed(&self, number: u32) -> bool {
        self.hits("malformed", number, self.faults.malformed)
    }

    pub(crate) fn is_repeated(&self, number: u32) -> bool {
        self.hits("repeat", number, self.faults.repeat)
    }

    pub(crate) fn is_emptied(&self, number: u32) -> bool {
        self.hits("emptied", number, self.faults.emptied)
    }

    pub(crate) fn is_endless(&self, number: u32) -> bool {
        self.hits("endless", number, self.faults.endless)
    }

    pub(crate) fn has_unknown_status(&self, number: u32) -> bool {
        self.hits("unknown status", number, self.faults.unknown_status)
    }

    pub(crate) fn is_off_document(&self, number: u32) -> bool {
        self.hits("off document", number, self.faults.off_document)
    }

    pub(crate) fn is_in_progress(&self, number: u32, entry: &Entry) -> bool {
        if number < self.finished_below || !self.hits("in progress", number, self.faults.in_progress) {
            return false;
        }
        let since = self.in_progress_since.max(entry.added_at);
        self.faults.finish_after.is_none_or(|finish_after| since.elapsed() < finish_after)
    }

    /// Is this call still kept out of the list?
    pub(crate) fn is_late(&self, number: u32, entry: &Entry) -> bool {
        let since = self.late_since.max(entry.added_at);
        self.hits("late", number, self.faults.late)
            && self.faults.late_after.is_none_or(|late_after| since.elapsed() < late_after)
    }

    /// The state in which this call shows itself.
    pub(crate) fn condition(&self, number: u32, entry: &Entry) -> Condition {
        if self.is_in_progress(number, entry) {
            let statuses = ["in-progress", "initiated", "processing"];
            let draw = dice::draw(self.seed, "unfinished status", number.into()) % 3;
            return Condition::InProgress(statuses[usize::from(draw == 1) + 2 * usize::from(draw == 2)]);
        }
        if self.is_emptied(number) {
            return Condition::Emptied;
        }
        if self.has_unknown_status(number) { Condition::NeedsReview } else { Condition::Finished }
    }
}
