//! A date or an instant, as people write them.

use chrono::{DateTime, NaiveDate, NaiveTime, TimeZone, Utc};
use chrono_tz::Tz;

/// An instant such as `2026-01-31T06:00:00Z`; a date is its first moment in the time zone.
#[must_use]
pub fn day_start(text: &str, timezone: Tz) -> Option<DateTime<Utc>> {
    instant(text).or_else(|| midnight(text.parse().ok()?, timezone))
}

/// The same for an end: a date is the first moment after it.
#[must_use]
pub fn day_end(text: &str, timezone: Tz) -> Option<DateTime<Utc>> {
    instant(text).or_else(|| midnight(text.parse::<NaiveDate>().ok()?.succ_opt()?, timezone))
}

fn instant(text: &str) -> Option<DateTime<Utc>> {
    DateTime::parse_from_rfc3339(text).ok().map(|instant| instant.to_utc())
}

fn midnight(date: NaiveDate, timezone: Tz) -> Option<DateTime<Utc>> {
    timezone.from_local_datetime(&date.and_time(NaiveTime::MIN)).earliest().map(|instant| instant.to_utc())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_begins_and_ends_in_its_time_zone() {
        let timezone = Tz::America__Mexico_City;
        let text = |instant: Option<DateTime<Utc>>| instant.map(|instant| instant.to_rfc3339());
        assert_eq!(text(day_start("2026-01-31", timezone)).as_deref(), Some("2026-01-31T06:00:00+00:00"));
        assert_eq!(text(day_end("2026-01-31", timezone)).as_deref(), Some("2026-02-01T06:00:00+00:00"));
        for parse in [day_start, day_end] {
            let parsed = parse("2026-01-31T10:00:00-05:00", timezone);
            assert_eq!(text(parsed).as_deref(), Some("2026-01-31T15:00:00+00:00"));
            for bad in ["", "ayer", "2026-02-30", "2026-01", "31/01/2026"] {
                assert_eq!(parse(bad, timezone), None, "{bad}");
            }
        }
    }
}
