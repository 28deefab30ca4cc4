//! In which state a conversation shows itself.

/// In which state a conversation shows itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Condition {
    /// `done` or `failed`.
    Finished,
    /// Still going on, under this status.
    InProgress(&'static str),
    /// Finished, its transcript deleted by retention.
    Emptied,
    /// Complete, under a status no document knows.
    NeedsReview,
}

impl Condition {
    /// The status as the API writes it.
    pub(crate) fn status(self, has_failed: bool) -> &'static str {
        match self {
            Self::InProgress(status) => status,
            Self::NeedsReview => "needs_review",
            Self::Finished | Self::Emptied if has_failed => "failed",
            Self::Finished | Self::Emptied => "done",
        }
    }
}
