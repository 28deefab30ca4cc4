//! Workers: `consumer/src/job.rs` (`work`), `fetch.rs`, `persist/upsert.rs` (`round`) and `settle.rs`. Each holds one
//! delivery at a time; two of them are enough to meet at one call.

use crate::broker::{give_back, remove};
use crate::rules::{Answers, Rules};
use crate::state::{Call, Content, Job, Message, Queue, RUNGS, Stage, State};
use crate::steps::Steps;

const WHO: &str = "worker";

pub(crate) fn steps(steps: &mut Steps<'_>) {
    let workers = &steps.from.workers;
    if let Some(idle) = workers.iter().position(Option::is_none) {
        deliver(steps, idle);
    }
    for (index, job) in workers.iter().enumerate().filter_map(|(index, job)| Some((index, (*job)?))) {
        work(steps, index, job);
        let (rules, world) = (steps.rules, steps.world);
        let call = job.message.call;
        steps.fault(WHO, call, "crashes, or is interrupted", |to| give_back(to, index, (rules, world)));
    }
}

fn deliver(steps: &mut Steps<'_>, index: usize) {
    let mut ready = steps.from.lane.clone();
    ready.dedup();
    for message in ready {
        steps.step(WHO, message.call, "takes the delivery", |to| {
            remove(&mut to.lane, message);
            to.workers[index] = Some(Job { message, stage: Stage::Delivered, is_acked: false });
        });
    }
}

fn work(steps: &mut Steps<'_>, index: usize, job: Job) {
    let number = job.message.call;
    let call = &steps.from.calls[usize::from(number)];
    match job.stage {
        Stage::Delivered => fetch(steps, index, job),
        Stage::Fetched(content) => {
            let is_barred = call.is_discarded && steps.rules.obeys_a_discard;
            let is_same = call.is_stored() && call.row == content;
            let (what, stage) = if is_barred || is_same {
                ("looks up: nothing to write", Stage::Answering)
            } else {
                let (exists, is_discarded) = (call.is_stored(), call.is_discarded);
                ("looks up: to be written", Stage::LookedUp { content, exists, is_discarded })
            };
            steps.step(WHO, number, what, |to| go_on(to, index, stage));
        }
        Stage::LookedUp { content, exists, is_discarded } => {
            write(steps, index, job, (content, exists, is_discarded));
        }
        Stage::Written { .. } => commit(steps, index, job),
        Stage::Burying { message, is_unfinished } => bury(steps, index, message, is_unfinished),
        Stage::Publishing(queue, message) => {
            let (rules, world) = (steps.rules, steps.world);
            let lost = |to: &mut State| give_back(to, index, (rules, world));
            steps.publish(WHO, queue, message, |to| go_on(to, index, Stage::Answering), lost);
        }
        Stage::Answering => {
            let (rules, world) = (steps.rules, steps.world);
            steps.step(WHO, number, "acks", |to| to.workers[index] = None);
            steps.fault(WHO, number, "acks, and the ack is lost", |to| give_back(to, index, (rules, world)));
        }
    }
}

/// Any answer that the API may give, and what `Settler::settle` makes of it; what a panic or a database error of one row
/// comes to is among them.
fn fetch(steps: &mut Steps<'_>, index: usize, job: Job) {
    let message = job.message;
    let rules = steps.rules;
    let content = steps.from.calls[usize::from(message.call)].content;
    let answers = steps.world.answers;
    let mut decide = |what, stage| {
        let is_walked = match stage {
            Stage::Publishing(Queue::Rung | Queue::Lane, _) | Stage::Burying { is_unfinished: true, .. } => {
                answers == Answers::Any
            }
            Stage::Burying { .. } => answers != Answers::Well,
            _ => true,
        };
        if !is_walked {
            return;
        }
        steps.step(WHO, message.call, what, |to| {
            go_on(to, index, stage);
            if matches!(stage, Stage::Publishing(..)) && !rules.publishes_before_it_acks {
                ack_early(to, index);
            }
        });
    };
    // `Settler::put_back`, from whatever an interruption met in a trial.
    decide("is interrupted in a trial, and puts it back", Stage::Publishing(Queue::Lane, message));
    let spent = Message { attempt: message.attempt + 1, ..message };
    if spent.attempt <= RUNGS {
        decide("fails, which may pass", Stage::Publishing(Queue::Rung, spent));
    } else {
        decide("fails once too often", Stage::Burying { message: spent, is_unfinished: false });
    }
    decide("fails for good", Stage::Burying { message, is_unfinished: false });
    if content == Content::Going {
        decide("fetches: not finished", Stage::Publishing(Queue::Unfinished, message));
        decide("fetches: not finished in a day", Stage::Burying { message, is_unfinished: true });
    } else {
        steps.step(WHO, message.call, "fetches", |to| {
            go_on(to, index, Stage::Fetched(content));
            if !rules.commits_before_it_acks {
                ack_early(to, index);
            }
        });
    }
}

/// Every statement of `upsert::round`, in its transaction.
fn write(
    steps: &mut Steps<'_>,
    index: usize,
    job: Job,
    (content, exists, is_discarded): (Content, bool, bool),
) {
    let number = job.message.call;
    // The lock on the row, or on the key of the one that is being inserted: it is waited for.
    let is_locked = steps
        .from
        .workers
        .iter()
        .flatten()
        .any(|other| other.message.call == number && matches!(other.stage, Stage::Written { .. }));
    if is_locked {
        return;
    }
    let call = &steps.from.calls[usize::from(number)];
    let (is_there, revives) = (call.is_stored(), call.died.is_some());
    if !exists && is_there && steps.rules.inserts_once {
        return steps.step(WHO, number, "finds the row there: another round", |to| {
            go_on(to, index, Stage::Fetched(content));
        });
    }
    let written = Stage::Written { content, inserts: !exists, revives, is_discarded };
    let what = if exists { "updates" } else { "inserts" };
    steps.step(WHO, number, what, |to| go_on(to, index, written));
}

fn commit(steps: &mut Steps<'_>, index: usize, job: Job) {
    let (rules, world) = (steps.rules, steps.world);
    let number = job.message.call;
    steps.step(WHO, number, "commits", |to| {
        store(to.call(number), job.stage, rules);
        go_on(to, index, Stage::Answering);
    });
    steps.fault(WHO, number, "commits, and is not told", |to| {
        store(to.call(number), job.stage, rules);
        give_back(to, index, (rules, world));
    });
}

fn store(call: &mut Call, stage: Stage, rules: &Rules) {
    let Stage::Written { content, inserts, revives, is_discarded } = stage else { return };
    if inserts {
        call.rows += 1;
    }
    if inserts || !rules.draws_a_folio_only_for_a_new_report {
        call.folios += 1;
    }
    call.row = content;
    call.is_asked_again = false;
    call.is_defied |= is_discarded;
    if revives {
        call.died = None;
    }
}

/// `Settler::bury`, with `book::record_death`: the book before the message, and both before the ack.
fn bury(steps: &mut Steps<'_>, index: usize, message: Message, is_unfinished: bool) {
    let rules = steps.rules;
    steps.step(WHO, message.call, "enters the death, unless it is settled", |to| {
        if !rules.books_a_death {
            go_on(to, index, Stage::Answering);
        } else if to.call(message.call).record_death(is_unfinished) {
            go_on(to, index, Stage::Publishing(Queue::Dead, message));
        } else {
            go_on(to, index, Stage::Answering);
        }
    });
}

fn go_on(to: &mut State, index: usize, stage: Stage) {
    if let Some(job) = &mut to.workers[index] {
        job.stage = stage;
    }
}

fn ack_early(to: &mut State, index: usize) {
    if let Some(job) = &mut to.workers[index] {
        job.is_acked = true;
    }
}
