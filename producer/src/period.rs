//! From when to when, as a command line says it.

use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use shared::config::{day_end, day_start};

/// From an instant up to another.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Period {
    pub(crate) from: DateTime<Utc>,
    pub(crate) to: DateTime<Utc>,
}

impl Period {
    /// Reads it; what is wrong with it is said, all of it.
    pub(crate) fn read(from: &str, to: &str, timezone: Tz) -> Option<Self> {
        #[expect(clippy::disallowed_methods, reason = "the clock is read once a verb")]
        let now = Utc::now();
        let mut is_good = true;
        for (name, text) in [("--from", from), ("--to", to)] {
            let problem = match day_start(text, timezone) {
                None => "expected a date such as 2026-01-31, or an instant such as 2026-01-31T06:00:00Z",
                Some(instant) if instant > now => "lies in the future: give a day up to today",
                Some(_) => continue,
            };
            log::error!("{name}: {problem}");
            is_good = false;
        }
        let (from, to) = (day_start(from, timezone)?, day_end(to, timezone)?);
        if from >= to {
            log::error!("--from: comes after --to: give the earlier day first");
            is_good = false;
        }
        is_good.then_some(Self { from, to })
    }
}
