//! Exit codes, as the contract lists them (sysexits), and the one place where an error becomes one.

use std::error::Error;
use std::process::ExitCode;

use crate::config::Problems;
use crate::database::{DatabaseError, SchemaError};
use crate::elevenlabs::ApiError;
use crate::queue::QueueError;

/// How a process ends.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Exit {
    /// 0: done.
    Done,
    /// 1: failed, nothing below says it better.
    Failed,
    /// 64: wrong usage or configuration, a refused login, a schema newer than the binary.
    Usage,
    /// 69: a dependency cannot be reached.
    Unavailable,
    /// 75: try later.
    TryLater,
    /// 77: the API key is refused.
    KeyRefused,
}

impl Exit {
    /// The number, after sysexits.h.
    #[must_use]
    pub fn code(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::Failed => 1,
            Self::Usage => 64,
            Self::Unavailable => 69,
            Self::TryLater => 75,
            Self::KeyRefused => 77,
        }
    }

    /// What the first boundary error in a chain of causes means for the process.
    #[must_use]
    pub fn of(error: &(dyn Error + 'static)) -> Self {
        std::iter::successors(Some(error), |&error| error.source())
            .find_map(Self::of_boundary)
            .unwrap_or(Self::Failed)
    }

    fn of_boundary(error: &(dyn Error + 'static)) -> Option<Self> {
        if error.is::<Problems>() {
            return Some(Self::Usage);
        }
        if let Some(error) = error.downcast_ref::<SchemaError>() {
            return Some(match error {
                SchemaError::Newer { .. } | SchemaError::NotOwner { .. } => Self::Usage,
                SchemaError::Older { .. } => Self::TryLater,
                SchemaError::Database(error) => Self::of_database(error),
            });
        }
        if let Some(error) = error.downcast_ref::<DatabaseError>() {
            return Some(Self::of_database(error));
        }
        if let Some(error) = error.downcast_ref::<QueueError>() {
            return Some(match error {
                QueueError::LoginRefused | QueueError::Topology { .. } => Self::Usage,
                QueueError::Unreachable { .. } | QueueError::Lost { .. } => Self::Unavailable,
                QueueError::Nacked { .. }
                | QueueError::Returned { .. }
                | QueueError::Unconfirmed { .. }
                | QueueError::Unreadable => Self::Failed,
            });
        }
        error.downcast_ref::<ApiError>().map(|error| match error {
            ApiError::KeyRefused { .. } => Self::KeyRefused,
            ApiError::Throttled { .. } => Self::TryLater,
            ApiError::NoLeave => Self::Unavailable,
            error if error.is_service_level() => Self::Unavailable,
            _ => Self::Failed,
        })
    }

    fn of_database(error: &DatabaseError) -> Self {
        match error {
            DatabaseError::LoginRefused { .. } | DatabaseError::Forbidden { .. } => Self::Usage,
            DatabaseError::Unreachable { .. }
            | DatabaseError::Lost
            | DatabaseError::Unwritable { .. }
            | DatabaseError::Unfit { .. } => Self::Unavailable,
            DatabaseError::Refused { .. } | DatabaseError::Statement { .. } => Self::Failed,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}
