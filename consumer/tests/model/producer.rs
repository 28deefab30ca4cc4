//! Passes: `producer/src/sync/pass.rs` (`take`, `move_cursor`) with `producer/src/run.rs` (`ask`), and those of
//! `producer/src/reconcile`, which take the same way with other questions.

use crate::state::{Call, CallId, Content, Message, Pass, PassStage, Queue, State};
use crate::steps::Steps;

pub(crate) fn steps(steps: &mut Steps<'_>) {
    begin(steps);
    for (index, pass) in steps.from.passes.iter().enumerate() {
        match pass.stage {
            PassStage::Look => look(steps, index, *pass),
            PassStage::Publish => publish(steps, index, *pass),
            PassStage::Record => record(steps, index, *pass),
            PassStage::MoveCursor => move_cursor(steps, index, *pass),
        }
        steps.fault(who(*pass), None, "crashes", |to| {
            to.passes.remove(index);
        });
        if steps.world.loses_leases && pass.has_lease && steps.from.passes.len() == 1 {
            // It stands still for longer than its lease; another may begin.
            steps.fault(who(*pass), None, "loses its lease", |to| to.passes[index].has_lease = false);
        }
    }
}

fn who(pass: Pass) -> &'static str {
    if pass.reconciles { "reconcile" } else { "sync" }
}

/// `Lease::take`: one at a time.
fn begin(steps: &mut Steps<'_>) {
    if steps.from.passes.iter().any(|pass| pass.has_lease) {
        return;
    }
    let pass = |reconciles, at| {
        let stage = PassStage::Look;
        Pass { reconciles, at, stage, newest: at, has_failed: false, has_lease: true }
    };
    let cursor = steps.from.cursor;
    let early = !steps.rules.moves_the_cursor_last;
    // A pass that finds nothing to do is no step of anything.
    if steps.from.calls.iter().skip(cursor.into()).any(|call| call.is_listed) {
        steps.step("sync", None, "begins", |to| {
            if early {
                let listed = to.calls.iter().filter(|call| call.is_listed).count();
                to.cursor = CallId::try_from(listed).expect("few calls");
            }
            to.passes.push(pass(false, cursor));
        });
    }
    let mut calls = (0..).zip(&steps.from.calls);
    let is_wanted =
        |(number, call): (CallId, &Call)| is_missing(steps, number, call) || is_to_be_replayed(steps, call);
    if steps.world.reconciles && calls.any(is_wanted) {
        steps.step("reconcile", None, "begins", |to| to.passes.push(pass(true, 0)));
    }
}

fn look(steps: &mut Steps<'_>, index: usize, pass: Pass) {
    let Some(call) = steps.from.calls.get(usize::from(pass.at)) else {
        return steps.step(who(pass), None, "the list ends", |to| {
            if pass.reconciles {
                to.passes.remove(index);
            } else {
                to.passes[index].stage = PassStage::MoveCursor;
            }
        });
    };
    let is_wanted = if pass.reconciles { is_missing(steps, pass.at, call) } else { is_new(call) };
    let next = move |to: &mut State| {
        let pass = &mut to.passes[index];
        if call.is_listed {
            pass.newest = pass.at + 1;
        }
        if is_wanted {
            pass.stage = PassStage::Publish;
        } else {
            pass.at += 1;
        }
    };
    let what = if is_wanted { "looks: to be asked for" } else { "looks: nothing to do" };
    steps.step(who(pass), pass.at, what, next);
    let rules = steps.rules;
    if pass.reconciles && is_to_be_replayed(steps, call) {
        steps.step(who(pass), pass.at, "looks: set aside as unfinished, and finished since", |to| {
            crate::dead::begin_replay(to, 1 << pass.at, rules);
            to.passes[index].at += 1;
        });
    }
}

/// `book::known`, the other way round.
fn is_new(call: &Call) -> bool {
    call.is_listed && !call.is_booked && !call.is_stored()
}

/// `reconcile::lost` and `reconcile::compare`. Lost is what was asked for longer ago than the whole ladder and an hour, so
/// nothing that a worker holds; a lane may hold it that long.
fn is_missing(steps: &Steps<'_>, number: CallId, call: &Call) -> bool {
    let state = steps.from;
    let is_pending =
        |call: &Call| call.is_booked && !call.is_stored() && call.died.is_none() && !call.is_discarded;
    let pending = state.calls.iter().filter(|call| is_pending(call)).count();
    let queued = state.lane.len() + state.rung.len() + state.unfinished.len();
    let is_held = state.workers.iter().flatten().any(|job| job.message.call == number);
    let is_lost = is_pending(call) && pending > queued && !is_held;
    let is_changed = call.is_listed && call.is_stored() && call.row != call.content && !call.is_asked_again;
    (steps.rules.asks_again_for_what_is_lost && is_lost)
        || (steps.rules.compares_the_list && (is_new(call) || is_changed))
}

/// Set aside as unfinished, and finished since; not while another verb is at the dead letters.
fn is_to_be_replayed(steps: &Steps<'_>, call: &Call) -> bool {
    let has_finished = call.is_listed && call.is_unfinished && call.content != Content::Going;
    steps.rules.compares_the_list && call.is_dead_letter() && has_finished && steps.from.verb.is_none()
}

fn publish(steps: &mut Steps<'_>, index: usize, pass: Pass) {
    let message = Message { call: pass.at, attempt: 0, replays: 0, returns: 0 };
    if !steps.rules.publishes_before_it_records && !pass.reconciles {
        let is_recorded = steps.from.calls[usize::from(pass.at)].is_booked;
        if !is_recorded {
            return steps.step(who(pass), pass.at, "records before it publishes", |to| {
                to.call(pass.at).is_booked = true;
            });
        }
    }
    let keeps = steps.rules.keeps_the_cursor_after_a_failure;
    steps.publish(
        who(pass),
        Queue::Lane,
        message,
        |to| to.passes[index].stage = PassStage::Record,
        |to| {
            let pass = &mut to.passes[index];
            pass.has_failed |= keeps;
            pass.at += 1;
            pass.stage = PassStage::Look;
        },
    );
}

/// `book::record`.
fn record(steps: &mut Steps<'_>, index: usize, pass: Pass) {
    steps.step(who(pass), pass.at, "records", |to| {
        let call = to.call(pass.at);
        call.is_booked = true;
        call.is_asked_again = call.is_stored();
        let pass = &mut to.passes[index];
        pass.at += 1;
        pass.stage = PassStage::Look;
    });
}

/// Last of all, when nothing failed, and fenced.
fn move_cursor(steps: &mut Steps<'_>, index: usize, pass: Pass) {
    let moves = !pass.has_failed && pass.has_lease;
    let what = if moves { "moves the cursor" } else { "leaves the cursor where it is" };
    steps.step(who(pass), None, what, |to| {
        if moves {
            to.cursor = to.cursor.max(pass.newest);
        }
        to.passes.remove(index);
    });
}
