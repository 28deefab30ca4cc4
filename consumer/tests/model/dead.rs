//! The verbs at `089.dead`: `producer/src/dead/{rotate,replay,discard}.rs`. One at a time, under a lease of their own.

use crate::broker::give_back_dead;
use crate::rules::Rules;
use crate::state::{Call, CallId, Fate, Message, Queue, State, Verb, VerbStage};
use crate::steps::Steps;

const WHO: &str = "dead";

pub(crate) fn steps(steps: &mut Steps<'_>) {
    match steps.from.verb {
        None => begin(steps),
        Some(verb) => {
            go(steps, verb);
            steps.fault(WHO, None, "crashes", give_back_dead);
        }
    }
}

/// What `dead list` shows.
pub(crate) fn is_shown(call: &Call, rules: &Rules) -> bool {
    call.died.is_some() && !call.is_discarded && !(call.is_stored() && rules.shows_nothing_stored_as_dead)
}

fn begin(steps: &mut Steps<'_>) {
    let rules = steps.rules;
    let calls = &steps.from.calls;
    let shown = bits(calls, |call| is_shown(call, rules));
    let discarded = bits(calls, |call| call.died.is_some() && call.is_discarded && !call.is_stored());
    let pending = calls.iter().any(|call| call.is_marked && is_shown(call, rules));
    if rules.looks_for_crashed_jobs && (steps.from.dead.len() > shown.count_ones() as usize || pending) {
        steps.step(WHO, None, "looks the queue through", rotate);
    }
    if steps.from.verbs == 0 {
        return;
    }
    if shown != 0 {
        steps.verb(WHO, "an operator replays", |to| {
            begin_replay(to, shown, rules);
        });
        steps.verb(WHO, "an operator discards", |to| {
            for (index, call) in (0..).zip(&mut to.calls) {
                if shown & bit(index) != 0 {
                    call.is_discarded = true;
                    call.is_marked = false;
                }
            }
            rotate(to);
        });
    }
    if discarded != 0 {
        steps.verb(WHO, "an operator takes a discard back", |to| {
            rotate(to);
            make_anew(to, discarded, VerbStage::Undoing);
        });
    }
}

/// `dead_letters::mark_for_replay`, and the turn begins.
pub(crate) fn begin_replay(to: &mut State, selected: u8, rules: &Rules) {
    for (index, call) in (0..).zip(&mut to.calls) {
        if selected & bit(index) != 0 && is_shown(call, rules) {
            call.is_marked = true;
        }
    }
    rotate(to);
}

fn rotate(to: &mut State) {
    let left = u8::try_from(to.dead.len()).expect("few messages");
    to.verb = Some(Verb { stage: VerbStage::Turn, left, met: 0, selected: 0, holds: None });
}

fn make_anew(to: &mut State, calls: u8, stage: VerbStage) {
    if let Some(verb) = &mut to.verb {
        verb.selected = calls;
        verb.stage = stage;
    }
}

fn go(steps: &mut Steps<'_>, verb: Verb) {
    match verb.stage {
        VerbStage::Turn => turn(steps, verb),
        VerbStage::Fated(fate) => {
            let message = verb.holds.expect("a fate is a message's");
            carry_out(steps, message, fate);
        }
        VerbStage::Replayed(died) => {
            let message = verb.holds.expect("it was replayed");
            steps.step(WHO, message.call, "marks it as on its way", |to| {
                mark_replayed(to.call(message.call), died);
                stage(to, VerbStage::Answering);
            });
        }
        VerbStage::Answering => {
            let call = verb.holds.map(|message| message.call);
            steps.step(WHO, call, "acks", |to| {
                if let Some(verb) = &mut to.verb {
                    verb.holds = None;
                    verb.stage = VerbStage::Turn;
                }
            });
        }
        VerbStage::Remaking => remake(steps, verb),
        VerbStage::Remade(call, died) => {
            steps.step(WHO, call, "marks it as on its way", |to| {
                mark_replayed(to.call(call), died);
                stage(to, VerbStage::Remaking);
            });
        }
        VerbStage::Undoing => undo(steps, verb),
        VerbStage::Undone => {
            steps.step(WHO, None, "takes the mark back", |to| {
                for (index, call) in (0..).zip(&mut to.calls) {
                    if verb.selected & bit(index) != 0 {
                        call.is_discarded = false;
                    }
                }
                to.verb = None;
            });
        }
    }
}

/// `rotate::Turn::take`: the next message, and what the book says of it.
fn turn(steps: &mut Steps<'_>, verb: Verb) {
    let rules = steps.rules;
    let next = steps.from.dead.first().copied().filter(|_| verb.left > 0);
    let Some(message) = next else {
        return steps.step(WHO, None, "has turned the queue once", |to| {
            let marked = bits(&to.calls, |call| call.is_marked && is_shown(call, rules));
            make_anew(to, marked, VerbStage::Remaking);
        });
    };
    let call = &steps.from.calls[usize::from(message.call)];
    let was_met = verb.met & bit(message.call) != 0;
    let fate = fate(call, message.replays, was_met, steps.rules);
    let what = match fate {
        Fate::Replay(_) => "takes a message: to be replayed",
        Fate::Drop => "takes a message: not needed",
        Fate::Keep => "takes a message: stays dead",
        Fate::Enter | Fate::Entered | Fate::Marked => "takes a message: not in the book as dead",
    };
    steps.step(WHO, message.call, what, |to| {
        to.dead.remove(0);
        if let Some(verb) = &mut to.verb {
            verb.left -= 1;
            verb.met |= bit(message.call);
            verb.holds = Some(message);
            verb.stage = VerbStage::Fated(fate);
        }
    });
}

/// `rotate::fate`.
fn fate(call: &Call, replays: u8, was_met: bool, rules: &Rules) -> Fate {
    let is_stored = call.is_stored() && rules.shows_nothing_stored_as_dead;
    if was_met || call.is_discarded || is_stored {
        Fate::Drop
    } else if call.died.is_some() {
        if call.is_marked { Fate::Replay(call.died) } else { Fate::Keep }
    } else if call.is_booked && replays < call.replays {
        Fate::Drop
    } else {
        Fate::Enter
    }
}

fn carry_out(steps: &mut Steps<'_>, message: Message, fate: Fate) {
    let failed = |to: &mut State| give_back_dead(to);
    let answered = |to: &mut State| stage(to, VerbStage::Answering);
    match fate {
        Fate::Drop => steps.step(WHO, message.call, "drops it", answered),
        Fate::Keep | Fate::Entered => steps.publish(WHO, Queue::Dead, message, answered, failed),
        Fate::Enter if !steps.rules.enters_before_it_acks => {
            steps.step(WHO, message.call, "drops what is not in the book", answered);
        }
        Fate::Enter => steps.step(WHO, message.call, "enters the death, unless it is stored", |to| {
            let is_entered = to.call(message.call).record_death(false);
            stage(to, if is_entered { VerbStage::Fated(Fate::Entered) } else { VerbStage::Answering });
        }),
        Fate::Replay(died) => {
            let replays = steps.from.calls[usize::from(message.call)].replays + 1;
            let again = Message { attempt: 0, replays, ..message };
            if steps.rules.replays_before_it_marks {
                let replayed = |to: &mut State| stage(to, VerbStage::Replayed(died));
                return steps.publish(WHO, Queue::Lane, again, replayed, failed);
            }
            steps.step(WHO, message.call, "marks it as on its way, and has yet to publish it", |to| {
                mark_replayed(to.call(message.call), died);
                stage(to, VerbStage::Fated(Fate::Marked));
            });
        }
        Fate::Marked => {
            let replays = steps.from.calls[usize::from(message.call)].replays;
            let again = Message { attempt: 0, replays, ..message };
            steps.publish(WHO, Queue::Lane, again, answered, failed);
        }
    }
}

/// `rotate::Turn::remake`: what is marked and the queue did not have is made anew from the book.
fn remake(steps: &mut Steps<'_>, verb: Verb) {
    let left = verb.selected & !verb.met;
    if left == 0 {
        return steps.step(WHO, None, "has made all anew that was gone", |to| to.verb = None);
    }
    let call = CallId::try_from(left.trailing_zeros()).expect("a byte's worth");
    let book = &steps.from.calls[usize::from(call)];
    let message = Message { call, attempt: 0, replays: book.replays + 1, returns: 0 };
    let died = book.died;
    let done = |to: &mut State| {
        if let Some(verb) = &mut to.verb {
            verb.met |= bit(call);
            verb.stage = VerbStage::Remade(call, died);
        }
    };
    steps.publish(WHO, Queue::Lane, message, done, give_back_dead);
}

/// `discard::undo`: each message anew, then the book.
fn undo(steps: &mut Steps<'_>, verb: Verb) {
    let left = verb.selected & !verb.met;
    if left == 0 {
        return steps.step(WHO, None, "has made all messages anew", |to| stage(to, VerbStage::Undone));
    }
    let call = CallId::try_from(left.trailing_zeros()).expect("a byte's worth");
    let replays = steps.from.calls[usize::from(call)].replays;
    let done = |to: &mut State| {
        if let Some(verb) = &mut to.verb {
            verb.met |= bit(call);
        }
    };
    let message = Message { call, attempt: 0, replays, returns: 0 };
    steps.publish(WHO, Queue::Dead, message, done, give_back_dead);
}

/// `dead_letters::mark_replayed`: one that has died anew stays dead.
fn mark_replayed(call: &mut Call, died: Option<u8>) {
    call.is_marked = false;
    call.replays += 1;
    call.is_asked_again = call.is_stored();
    if call.died == died {
        call.died = None;
    }
}

fn stage(to: &mut State, stage: VerbStage) {
    if let Some(verb) = &mut to.verb {
        verb.stage = stage;
    }
}

fn bit(call: CallId) -> u8 {
    1 << call
}

fn bits(calls: &[Call], is_wanted: impl Fn(&Call) -> bool) -> u8 {
    (0..).zip(calls).filter(|(_, call)| is_wanted(call)).map(|(index, _)| bit(index)).sum()
}
