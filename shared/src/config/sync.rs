//! `SYNC_*`: how a pass lists.

use std::time::Duration;

use chrono::{DateTime, Utc};

use super::{Environment, FromEnvironment, Problems, ReportConfig, Section, day_start};

/// How a pass lists.
#[derive(Clone, Debug)]
pub struct SyncConfig {
    /// `SYNC_OVERLAP`: how far before its cursor a pass lists again.
    pub overlap: Duration,
    /// `SYNC_SINCE`: where the very first pass begins; `None` is everything.
    pub since: Option<DateTime<Utc>>,
}

impl FromEnvironment for SyncConfig {
    fn from_environment(environment: &Environment, problems: &mut Problems) -> Option<Self> {
        // A bad time zone is reported by its own section; a date here is read in the default one until it is mended.
        let timezone = environment
            .value("TIMEZONE")
            .and_then(|name| name.parse().ok())
            .unwrap_or_else(|| ReportConfig::default().timezone);
        let mut section = Section::new(environment, "SYNC_", problems);
        let overlap = section.duration("overlap", Duration::from_hours(1));
        let since = section.parsed(
            "since",
            None,
            "a date such as 2026-01-31, or an instant such as 2026-01-31T06:00:00Z",
            |text| day_start(text, timezone).map(Some),
        );
        section.finish();
        Some(Self { overlap: overlap?, since: since? })
    }
}
