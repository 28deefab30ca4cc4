//! `RECONCILE_*`: how often the book is compared with what there is, and how far back.

use std::time::Duration;

use super::{Environment, FromEnvironment, Problems, Section};

/// How often the book is compared with what there is, and how far back.
#[derive(Clone, Debug)]
pub struct ReconcileConfig {
    /// `RECONCILE_EVERY`: a pass does it too when the last time is longer ago.
    pub every: Duration,
    /// `RECONCILE_WINDOW`: calls that started longer ago are not listed again.
    pub window: Duration,
}

impl FromEnvironment for ReconcileConfig {
    fn from_environment(environment: &Environment, problems: &mut Problems) -> Option<Self> {
        let mut section = Section::new(environment, "RECONCILE_", problems);
        let every = section.duration("every", Duration::from_hours(6));
        let window = section.duration("window", Duration::from_hours(3 * 24));
        section.finish();
        Some(Self { every: every?, window: window? })
    }
}
