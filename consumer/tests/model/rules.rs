//! The safeguards, each a rule that one line of the code keeps, and what may go wrong in a walk.

/// What the code sees to. `true` is how it is; a walk with one of them switched off must find what it is for.
#[derive(Clone, Copy, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "independent safeguards")]
pub(crate) struct Rules {
    /// `run::Run::ask`: published before it is recorded.
    pub(crate) publishes_before_it_records: bool,
    /// `sync::pass::Pass::move_cursor`: not when something failed …
    pub(crate) keeps_the_cursor_after_a_failure: bool,
    /// … and last of all.
    pub(crate) moves_the_cursor_last: bool,
    /// `queue::publisher::Publisher::send`: without a confirm it counts as not published …
    pub(crate) waits_for_the_confirm: bool,
    /// … and neither does a message that came back.
    pub(crate) looks_at_what_is_returned: bool,
    /// `job::work`: `settle` only after `Writer::write`.
    pub(crate) commits_before_it_acks: bool,
    /// `settle::Settler::settle`: publish, then ack.
    pub(crate) publishes_before_it_acks: bool,
    /// `settle::Settler::bury`: the book before the ack.
    pub(crate) books_a_death: bool,
    /// `persist::upsert::conversations::insert`: `ON CONFLICT DO NOTHING`, and another round.
    pub(crate) inserts_once: bool,
    /// `persist::upsert::reports::insert_missing`: only `WHERE NOT EXISTS` draws a folio.
    pub(crate) draws_a_folio_only_for_a_new_report: bool,
    /// `persist::upsert::Found::settled`: what a person discarded is not stored.
    pub(crate) obeys_a_discard: bool,
    /// `database::dead_letters::{select, count_by_class, standing}`: what is stored is not dead.
    pub(crate) shows_nothing_stored_as_dead: bool,
    /// `dead::rotate::Turn::replay`: published before it is marked as on its way.
    pub(crate) replays_before_it_marks: bool,
    /// `dead::rotate::Turn::enter`: what the broker dead-lettered is entered before it is acked.
    pub(crate) enters_before_it_acks: bool,
    /// `queue::topology`: a delivery limit has a dead-letter exchange behind it.
    pub(crate) dead_letters_at_the_limit: bool,
    /// `dead::rotate::book_crashed`: after each pass. That a reconciliation looks whatever the book counts is not modelled.
    pub(crate) looks_for_crashed_jobs: bool,
    /// `reconcile::lost`: what was asked for and is nowhere is asked for again …
    pub(crate) asks_again_for_what_is_lost: bool,
    /// … and `reconcile::compare`: the list beside the book and the rows.
    pub(crate) compares_the_list: bool,
}

impl Rules {
    /// All of them, as the code has them.
    pub(crate) const KEPT: Self = Self {
        publishes_before_it_records: true,
        keeps_the_cursor_after_a_failure: true,
        moves_the_cursor_last: true,
        waits_for_the_confirm: true,
        looks_at_what_is_returned: true,
        commits_before_it_acks: true,
        publishes_before_it_acks: true,
        books_a_death: true,
        inserts_once: true,
        draws_a_folio_only_for_a_new_report: true,
        obeys_a_discard: true,
        shows_nothing_stored_as_dead: true,
        replays_before_it_marks: true,
        enters_before_it_acks: true,
        dead_letters_at_the_limit: true,
        looks_for_crashed_jobs: true,
        asks_again_for_what_is_lost: true,
        compares_the_list: true,
    };
}

/// What a walk goes through.
#[derive(Clone, Copy, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "independent traits")]
pub(crate) struct World {
    /// The first call has been asked for, and its pass is over.
    pub(crate) begins_asked: bool,
    pub(crate) calls: u8,
    pub(crate) workers: u8,
    /// So many faults in any one history, of whichever kind.
    pub(crate) faults: u8,
    /// Which: by whose, and what.
    pub(crate) may_happen: fn(&str, &str) -> bool,
    /// So many verbs of an operator.
    pub(crate) verbs: u8,
    /// Reconciliation is done.
    pub(crate) reconciles: bool,
    /// Among the faults: a purged queue, a lost volume, a restored database, a call that is listed late.
    pub(crate) has_losses: bool,
    /// A pass may stand still for longer than its lease.
    pub(crate) loses_leases: bool,
    /// The broker counts deliveries; where there are fewer faults than its limit, that makes no difference.
    pub(crate) counts_deliveries: bool,
    /// How the API answers.
    pub(crate) answers: Answers,
    /// The source may look at a call again.
    pub(crate) changes: bool,
}

/// How the API answers, in worlds that look at something else.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Answers {
    /// In every way there is.
    Any,
    /// As it should, or with a failure for good.
    AtOnce,
    /// As it should, and every call is over when it is listed.
    Well,
}
