//! What can be made to go wrong, as data: the same fields are command-line flags and the body of `/control/faults`.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::units;

/// A year: an HTTP date cannot show every instant.
const MAX_DATE_SHIFT_SECS: u64 = 366 * 24 * 3600;

/// What goes wrong and how often; everything is off by default.
///
/// A share "of the ids" is fixed by the seed: the same ids are hit until the knob is cleared, and raising it keeps
/// those already hit. A share "of the requests" is drawn anew for each request.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, clap::Args)]
#[serde(default, deny_unknown_fields)]
#[expect(clippy::struct_excessive_bools, reason = "independent switches, as they are on the command line")]
pub struct Faults {
    /// Share of the requests answered 500, 502, 503 or 504 (0..=1).
    #[arg(long, default_value_t = 0.0, value_parser = units::probability)]
    pub error_5xx: f64,
    /// Share of the requests whose connection is cut, before or in the middle of the answer (0..=1).
    #[arg(long, default_value_t = 0.0, value_parser = units::probability)]
    pub dropped: f64,
    /// Share of the ids whose detail is a broken body with status 200 (0..=1).
    #[arg(long, default_value_t = 0.0, value_parser = units::probability)]
    pub malformed: f64,
    /// Share of the requests answered with an HTML page, half of them with status 200 (0..=1).
    #[arg(long, default_value_t = 0.0, value_parser = units::probability)]
    pub html: f64,
    /// Share of the ids that are listed and whose detail is a 404 (0..=1).
    #[arg(long, default_value_t = 0.0, value_parser = units::probability)]
    pub missing: f64,
    /// Share of the ids whose call is still going on: no transcript, no duration (0..=1).
    #[arg(long, default_value_t = 0.0, value_parser = units::probability)]
    pub in_progress: f64,
    /// How long after the start, or after `in_progress` was set, those calls finish; absent: only when told to.
    #[arg(long, value_name = "DURATION", value_parser = units::duration)]
    #[serde(with = "units::optional_duration")]
    pub finish_after: Option<Duration>,
    /// Share of the ids that appear in the list only after `late_after` (0..=1).
    #[arg(long, default_value_t = 0.0, value_parser = units::probability)]
    pub late: f64,
    /// How long late calls stay out of the list; absent: until the knob is cleared.
    #[arg(long, value_name = "DURATION", value_parser = units::duration)]
    #[serde(with = "units::optional_duration")]
    pub late_after: Option<Duration>,
    /// Share of the ids listed twice when a page ends with them: again as the first of the next page (0..=1).
    #[arg(long, default_value_t = 0.0, value_parser = units::probability)]
    pub repeat: f64,
    /// Share of the ids whose transcript was emptied by retention (0..=1).
    #[arg(long, default_value_t = 0.0, value_parser = units::probability)]
    pub emptied: f64,
    /// Share of the ids whose detail has status 200 and a body that never ends (0..=1).
    #[arg(long, default_value_t = 0.0, value_parser = units::probability)]
    pub endless: f64,
    /// Share of the ids with the status `needs_review`, which no document knows, and full content (0..=1).
    #[arg(long, default_value_t = 0.0, value_parser = units::probability)]
    pub unknown_status: f64,
    /// Share of the ids that leave the document as real ones do: newer enum values, null for an empty list (0..=1).
    #[arg(long, default_value_t = 0.0, value_parser = units::probability)]
    pub off_document: f64,
    /// Time every answer takes.
    #[arg(long, value_name = "DURATION", default_value = "0ms", value_parser = units::duration)]
    #[serde(with = "units::required_duration")]
    pub latency: Duration,
    /// Time added to the latency, drawn between nothing and this.
    #[arg(long, value_name = "DURATION", default_value = "0ms", value_parser = units::duration)]
    #[serde(with = "units::required_duration")]
    pub latency_jitter: Duration,
    /// Requests a second above which the answer is a 429 `rate_limit_exceeded`, as `100/s` or `100`.
    #[arg(long, value_name = "RATE", value_parser = units::rate)]
    #[serde(deserialize_with = "units::optional_rate")]
    pub rate_limit: Option<f64>,
    /// Requests that may be made at once under `rate_limit` after a quiet time; absent: as many as in a second.
    #[arg(long, value_name = "N")]
    pub rate_burst: Option<u32>,
    /// Requests in flight above which the answer is a 429 `concurrent_limit_exceeded`.
    #[arg(long, value_name = "N")]
    pub concurrency_limit: Option<u32>,
    /// Value of the `Retry-After` header of a 429, rounded up to whole seconds; absent: no such header.
    #[arg(long, value_name = "DURATION", value_parser = units::duration)]
    #[serde(with = "units::optional_duration")]
    pub retry_after: Option<Duration>,
    /// Share of the requests whose body drips (0..=1).
    #[arg(long, default_value_t = 0.0, value_parser = units::probability)]
    pub slow_body: f64,
    /// Time a dripping body takes.
    #[arg(long, value_name = "DURATION", default_value = "10s", value_parser = units::duration)]
    #[serde(with = "units::required_duration")]
    pub slow_body_for: Duration,
    /// Seconds by which the `Date` header is ahead of this machine's clock; negative: behind.
    #[arg(long, value_name = "SECONDS", default_value_t = 0, allow_hyphen_values = true)]
    pub date_shift_secs: i64,
    /// Refuse every key: 401 `invalid_api_key`.
    #[arg(long)]
    pub refuse_key: bool,
    /// Treat the key as one without the scope `convai_read`: 401 `missing_permissions`.
    #[arg(long)]
    pub scope_missing: bool,
    /// Answer everything with 503.
    #[arg(long)]
    pub outage: bool,
    /// Write error bodies in the older form: status and message only.
    #[arg(long)]
    pub legacy_errors: bool,
    /// Keep faults of requests to the conversation detail route, so that lists and agents go on working.
    #[arg(long)]
    pub only_details: bool,
}

impl Default for Faults {
    fn default() -> Self {
        Self {
            error_5xx: 0.0,
            dropped: 0.0,
            malformed: 0.0,
            html: 0.0,
            missing: 0.0,
            in_progress: 0.0,
            finish_after: None,
            late: 0.0,
            late_after: None,
            repeat: 0.0,
            emptied: 0.0,
            endless: 0.0,
            unknown_status: 0.0,
            off_document: 0.0,
            latency: Duration::ZERO,
            latency_jitter: Duration::ZERO,
            rate_limit: None,
            rate_burst: None,
            concurrency_limit: None,
            retry_after: None,
            slow_body: 0.0,
            slow_body_for: Duration::from_secs(10),
            date_shift_secs: 0,
            refuse_key: false,
            scope_missing: false,
            outage: false,
            legacy_errors: false,
            only_details: false,
        }
    }
}

impl Faults {
    /// These faults with the fields of `patch` (a JSON object) in place of their own; an error names the field.
    pub(crate) fn merged(&self, patch: &Value) -> Result<Self, String> {
        let Value::Object(patch) = patch else { return Err("expected a JSON object".to_owned()) };
        let mut merged = serde_json::to_value(self).map_err(|error| error.to_string())?;
        for (field, value) in patch {
            merged[field.as_str()] = value.clone();
            // one field at a time, so that the message can name the one that is wrong
            if let Err(error) = Self::deserialize(&merged) {
                return Err(format!("{field}: {error}"));
            }
        }
        let merged = Self::deserialize(&merged).map_err(|error| error.to_string())?;
        merged.check()?;
        Ok(merged)
    }

    /// Looks for shares that are none; an error names the first field that is out of range.
    pub(crate) fn check(&self) -> Result<(), String> {
        for (name, share) in self.shares() {
            if !(0.0..=1.0).contains(&share) {
                return Err(format!("{name}: {share} is not a share between 0 and 1"));
            }
        }
        if self.date_shift_secs.unsigned_abs() > MAX_DATE_SHIFT_SECS {
            return Err(format!("date_shift_secs: {} is more than a year", self.date_shift_secs));
        }
        match self.rate_limit {
            Some(rate) if !(rate.is_finite() && rate > 0.0) => {
                Err(format!("rate_limit: {rate} is not a number of requests a second"))
            }
            _ => Ok(()),
        }
    }

    fn shares(&self) -> [(&'static str, f64); 13] {
        [
            ("error_5xx", self.error_5xx),
            ("dropped", self.dropped),
            ("malformed", self.malformed),
            ("html", self.html),
            ("missing", self.missing),
            ("in_progress", self.in_progress),
            ("late", self.late),
            ("repeat", self.repeat),
            ("emptied", self.emptied),
            ("endless", self.endless),
            ("unknown_status", self.unknown_status),
            ("off_document", self.off_document),
            ("slow_body", self.slow_body),
        ]
    }
}
