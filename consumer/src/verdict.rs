//! What becomes of a job: one of four verdicts, or an interruption that is not its fault.
//!
//! The line that fails decides; [`crate::settle`] carries it out.

use chrono::{DateTime, Utc};
use shared::database::DatabaseError;
use shared::elevenlabs::ApiError;

/// The answer to a job.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Verdict {
    /// Committed, or there already unchanged, or not to be stored.
    Stored,
    /// The call is not finished at its source: look again later, at no cost.
    Snooze {
        /// When the call started, if its source says.
        started_at: Option<DateTime<Utc>>,
    },
    /// Failed in a way that may pass: costs an attempt.
    Retry(Cause),
    /// Failed for good.
    Dead(Cause),
}

/// Why a job failed: what its headers and the book say of it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Cause {
    /// The class of the error.
    pub class: &'static str,
    /// The API's answer, if there was one.
    pub http_status: Option<u16>,
}

impl Cause {
    /// The message is no job that this release understands.
    pub const BROKEN_MESSAGE: Self = Self::of("broken_message");
    /// The code failed on it.
    pub const PANIC: Self = Self::of("panic");
    /// The call did not finish within a day.
    pub const UNFINISHED: Self = Self::of("unfinished");

    const fn of(class: &'static str) -> Self {
        Self { class, http_status: None }
    }
}

impl From<&ApiError> for Cause {
    fn from(error: &ApiError) -> Self {
        Self { class: error.class(), http_status: error.http_status() }
    }
}

/// What stops a worker, and is no job's fault: no attempt is spent, the job goes back to its queue.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Interruption {
    /// The API does not answer as it should.
    Api,
    /// The API throttles for longer than deliveries should be held.
    Throttled,
    /// The API refuses the key.
    Key,
    /// The database is away.
    Database,
    /// The worker stops.
    Stopping,
}

/// How a job ends without being stored: by a verdict, by an interruption, or by both, when the job pays for a part of it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Unstored {
    /// What becomes of the job; without one it goes back to its queue.
    pub verdict: Option<Verdict>,
    /// What stops the worker.
    pub interruption: Option<Interruption>,
}

impl From<Interruption> for Unstored {
    fn from(interruption: Interruption) -> Self {
        Self { verdict: None, interruption: Some(interruption) }
    }
}

impl From<Verdict> for Unstored {
    fn from(verdict: Verdict) -> Self {
        Self { verdict: Some(verdict), interruption: None }
    }
}

impl From<DatabaseError> for Unstored {
    /// A constraint will refuse the same row again; anything else may pass.
    fn from(error: DatabaseError) -> Self {
        match error {
            error if error.is_outage() => Interruption::Database.into(),
            DatabaseError::Refused { .. } => Verdict::Dead(Cause::of("row_refused")).into(),
            _ => Verdict::Retry(Cause::of("database")).into(),
        }
    }
}
