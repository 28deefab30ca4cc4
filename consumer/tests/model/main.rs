//! The life of a job, walked through: every order of steps of the producer, the broker, the workers, the database and the
//! verbs at the dead letters, with a crash between any two of them.
//!
//! What is walked is a model: `producer.rs`, `worker.rs` and `dead.rs` here take the steps of the code that they name, in
//! the order in which it takes them; a transaction is one step where it commits, with what it read before as a step of its
//! own. Who changes the order of steps in `producer/src/{run.rs,sync/pass.rs,dead/rotate.rs,reconcile}`,
//! `consumer/src/{job,settle}.rs` or `consumer/src/persist/upsert.rs` changes it here first, and sees what that does.
//!
//! In no state may a call have two rows or two folios, be stored beside a dead letter or against a discard, or be
//! forgotten; and from every state, as soon as faults end, there is a way to one outcome for every call that was listed.
//! That the model can tell is shown by breaking it: each safeguard, switched off, must make the walk fail.

mod broker;
mod dead;
mod producer;
mod rules;
mod source;
mod state;
mod steps;
mod walk;
mod worker;

use std::time::Instant;

use rules::{Answers, Rules, World};
use walk::walk;

/// Crashes, lost confirms, lost acks, lost leases: one call, two workers that may both have a copy of its job.
const CRASHES: World = World {
    begins_asked: false,
    calls: 1,
    workers: 2,
    faults: 2,
    may_happen: |_, _| true,
    verbs: 0,
    reconciles: false,
    has_losses: false,
    loses_leases: false,
    counts_deliveries: false,
    answers: Answers::Any,
    changes: false,
};

/// Deliveries that go back until the broker sets them aside.
const CRASH_LOOP: World = World {
    begins_asked: true,
    workers: 1,
    may_happen: |who, what| who == "worker" && what.starts_with("crashes"),
    counts_deliveries: true,
    ..CRASHES
};

/// Two calls, and what goes wrong with the passes that list them.
const TWO_CALLS: World = World {
    calls: 2,
    workers: 1,
    may_happen: |who, _| who == "sync",
    loses_leases: true,
    answers: Answers::Well,
    ..CRASHES
};

/// An operator replays, discards, and takes it back, while copies are on their way.
const OPERATOR: World = World {
    begins_asked: true,
    workers: 1,
    faults: 1,
    may_happen: |who, _| who == "dead",
    verbs: 2,
    answers: Answers::AtOnce,
    ..CRASHES
};

/// What only reconciliation brings back, twice.
const LOSSES: World = World {
    begins_asked: true,
    workers: 1,
    may_happen: |who, _| who == "broker" || who == "reconcile",
    reconciles: true,
    has_losses: true,
    changes: true,
    ..CRASHES
};

/// A database that forgets what the broker has.
const RESTORED: World = World {
    faults: 1,
    may_happen: |who, _| who == "database",
    answers: Answers::AtOnce,
    changes: false,
    ..LOSSES
};

/// Two calls: as many are missing as the queues do not hold, and which is not known.
const TWO_LOSSES: World = World {
    begins_asked: false,
    calls: 2,
    faults: 1,
    may_happen: |who, _| who == "broker" || who == "source",
    answers: Answers::Well,
    changes: false,
    ..LOSSES
};

/// Walks through a world as the code is.
fn holds(name: &str, world: &World) {
    let began = Instant::now();
    match walk(world, &Rules::KEPT) {
        Ok(walked) => {
            eprintln!("{name}: {} states, {} steps, {:?}", walked.states, walked.steps, began.elapsed());
        }
        Err(broken) => panic!("{name}: {broken}"),
    }
}

/// Walks through a world without one safeguard, and expects to be told what that safeguard is for.
fn breaks(world: &World, switch_off: impl Fn(&mut Rules), expected: &str) {
    let mut rules = Rules::KEPT;
    switch_off(&mut rules);
    let broken = walk(world, &rules).expect_err("a safeguard is for something");
    eprintln!("{broken}\n");
    assert!(broken.what.contains(expected), "expected {expected:?}: {broken}");
}

#[test]
fn a_job_survives_a_crash_of_anybody_while_another_works_on_a_copy() {
    holds("one crash, two workers", &World { faults: 1, ..CRASHES });
}

#[test]
fn a_job_survives_any_two_crashes() {
    holds("two crashes, one worker", &World { workers: 1, ..CRASHES });
}

#[test]
#[ignore = "a quarter of a million states: cargo test --release -p consumer --test model -- --ignored"]
fn a_job_survives_any_two_crashes_while_another_works_on_a_copy() {
    holds("two crashes, two workers", &CRASHES);
}

#[test]
fn a_job_that_goes_back_too_often_is_a_dead_letter() {
    holds("crash loop", &CRASH_LOOP);
}

#[test]
fn the_cursor_leaves_no_call_behind() {
    holds("two calls", &TWO_CALLS);
}

#[test]
fn operators_lose_nothing() {
    holds("operator", &OPERATOR);
}

#[test]
fn reconciliation_brings_back_what_is_lost() {
    holds("losses", &LOSSES);
    holds("restored", &RESTORED);
    holds("two losses", &TWO_LOSSES);
}

const FORGOTTEN: &str = "is forgotten";
const NO_END: &str = "nothing brings every call to its outcome";

#[test]
fn recording_before_publishing_forgets_a_call() {
    breaks(&CRASHES, |rules| rules.publishes_before_it_records = false, FORGOTTEN);
}

#[test]
fn moving_the_cursor_first_forgets_a_call() {
    breaks(&CRASHES, |rules| rules.moves_the_cursor_last = false, FORGOTTEN);
}

#[test]
fn moving_the_cursor_after_a_failure_forgets_a_call() {
    breaks(&CRASHES, |rules| rules.keeps_the_cursor_after_a_failure = false, FORGOTTEN);
}

#[test]
fn publishing_without_waiting_for_the_confirm_forgets_a_call() {
    breaks(&CRASHES, |rules| rules.waits_for_the_confirm = false, FORGOTTEN);
}

#[test]
fn not_looking_at_what_is_returned_forgets_a_call() {
    breaks(&CRASHES, |rules| rules.looks_at_what_is_returned = false, FORGOTTEN);
}

#[test]
fn acking_before_the_commit_forgets_a_call() {
    breaks(&CRASHES, |rules| rules.commits_before_it_acks = false, FORGOTTEN);
}

#[test]
fn acking_before_publishing_forgets_a_call() {
    breaks(&CRASHES, |rules| rules.publishes_before_it_acks = false, FORGOTTEN);
}

#[test]
fn a_death_that_is_not_in_the_book_forgets_a_call() {
    breaks(&CRASHES, |rules| rules.books_a_death = false, FORGOTTEN);
}

#[test]
fn inserting_without_looking_again_makes_two_rows() {
    breaks(&CRASHES, |rules| rules.inserts_once = false, "two rows");
}

#[test]
fn drawing_a_folio_for_a_report_that_is_there_draws_two() {
    let world = World { changes: true, ..CRASHES };
    breaks(&world, |rules| rules.draws_a_folio_only_for_a_new_report = false, "second folio");
}

#[test]
fn showing_a_mark_without_looking_at_the_rows_shows_a_stored_call_as_dead() {
    breaks(&CRASHES, |rules| rules.shows_nothing_stored_as_dead = false, "shown as a dead letter");
}

#[test]
fn a_delivery_limit_without_an_exchange_behind_it_forgets_a_call() {
    breaks(&CRASH_LOOP, |rules| rules.dead_letters_at_the_limit = false, FORGOTTEN);
}

#[test]
fn a_crashed_job_that_nobody_looks_for_has_no_outcome() {
    breaks(&CRASH_LOOP, |rules| rules.looks_for_crashed_jobs = false, NO_END);
}

#[test]
fn acking_a_crashed_job_before_it_is_entered_forgets_a_call() {
    breaks(&CRASH_LOOP, |rules| rules.enters_before_it_acks = false, FORGOTTEN);
}

#[test]
fn marking_a_replay_before_it_is_published_forgets_a_call() {
    breaks(&OPERATOR, |rules| rules.replays_before_it_marks = false, FORGOTTEN);
}

#[test]
fn storing_what_was_discarded_defies_a_person() {
    breaks(&OPERATOR, |rules| rules.obeys_a_discard = false, "knew to be discarded");
}

#[test]
fn a_purged_queue_without_reconciliation_forgets_a_call() {
    let world = World { reconciles: false, ..LOSSES };
    breaks(&world, |_| (), FORGOTTEN);
    breaks(&LOSSES, |rules| rules.asks_again_for_what_is_lost = false, NO_END);
}

#[test]
fn a_call_that_is_listed_late_needs_the_list_compared() {
    breaks(&TWO_LOSSES, |rules| rules.compares_the_list = false, NO_END);
}
