//! What a reconciliation found, counted by reason.

use std::collections::BTreeMap;
use std::fmt;

use serde::Serialize;

/// Why a conversation is asked for.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// It was asked for, and neither a queue nor the database has it.
    Lost,
    /// The API lists it, and it was never asked for.
    Unasked,
    /// The API says otherwise than what is stored.
    Changed,
    /// It was given up because it did not finish, and has finished since.
    Finished,
}

/// What a reconciliation found; in a rehearsal, what it would have asked for.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Summary {
    /// Conversations of the window that the API showed.
    pub listed: u64,
    /// Jobs in the book without an outcome.
    pub pending: u64,
    /// Jobs that the queues hold.
    pub queued: u64,
    /// Asked for again: [`Reason::Lost`].
    pub lost: u64,
    /// Asked for: [`Reason::Unasked`].
    pub unasked: u64,
    /// Asked for again: [`Reason::Changed`].
    pub changed: u64,
    /// Replayed: [`Reason::Finished`].
    pub finished: u64,
    /// Jobs that could not be published, and items without a usable id.
    pub failed: u64,
    /// Which, by reason: of a rehearsal only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ids: Option<BTreeMap<Reason, Vec<String>>>,
    /// Jobs that the broker did not take.
    #[serde(skip)]
    pub(super) unpublished: u64,
}

impl Summary {
    pub(super) fn count(&mut self, reason: Reason, asked: usize, failed: usize) {
        let count = match reason {
            Reason::Lost => &mut self.lost,
            Reason::Unasked => &mut self.unasked,
            Reason::Changed => &mut self.changed,
            Reason::Finished => &mut self.finished,
        };
        *count += asked as u64;
        self.failed += failed as u64;
        self.unpublished += failed as u64;
    }

    pub(super) fn name<'a>(&mut self, reason: Reason, ids: impl Iterator<Item = &'a str>) {
        if let Some(named) = &mut self.ids {
            named.entry(reason).or_default().extend(ids.map(str::to_owned));
        }
    }

    pub(super) fn asked(&self) -> u64 {
        self.lost + self.unasked + self.changed + self.finished
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { listed, pending, queued, lost, unasked, changed, finished, failed, .. } = self;
        write!(
            formatter,
            "{listed} listed, {pending} pending with {queued} in the queues; asked for: {lost} lost, \
             {unasked} unasked, {changed} changed, {finished} finished; {failed} failed"
        )
    }
}
