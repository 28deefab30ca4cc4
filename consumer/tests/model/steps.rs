//! What may happen next: one step of one process, of the broker, of the source, or a fault.

use std::fmt;

use crate::rules::{Rules, World};
use crate::state::{CallId, Message, Queue, State};

/// What happened, for a trace that can be read.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Label {
    pub(crate) who: &'static str,
    pub(crate) call: Option<CallId>,
    pub(crate) what: &'static str,
}

/// A step, and where it leads.
#[derive(Debug)]
pub(crate) struct Step {
    pub(crate) label: Label,
    pub(crate) to: State,
    /// Nothing that has to happen: what must end well, ends well without it.
    pub(crate) is_fault: bool,
}

/// All steps from one state.
#[derive(Debug)]
pub(crate) struct Steps<'a> {
    pub(crate) from: &'a State,
    pub(crate) rules: &'a Rules,
    pub(crate) world: &'a World,
    pub(crate) found: Vec<Step>,
}

impl<'a> Steps<'a> {
    /// Every step that may be taken from here.
    pub(crate) fn of(from: &'a State, rules: &'a Rules, world: &'a World) -> Vec<Step> {
        let mut steps = Self { from, rules, world, found: Vec::new() };
        crate::source::steps(&mut steps);
        crate::broker::steps(&mut steps);
        crate::producer::steps(&mut steps);
        crate::worker::steps(&mut steps);
        crate::dead::steps(&mut steps);
        steps.found
    }

    /// A step that goes as it should.
    pub(crate) fn step(
        &mut self,
        who: &'static str,
        call: impl Into<Option<CallId>>,
        what: &'static str,
        change: impl FnOnce(&mut State),
    ) {
        self.push(Label { who, call: call.into(), what }, false, change);
    }

    /// A fault, while there are any left.
    pub(crate) fn fault(
        &mut self,
        who: &'static str,
        call: impl Into<Option<CallId>>,
        what: &'static str,
        change: impl FnOnce(&mut State),
    ) {
        if self.from.faults > 0 && (self.world.may_happen)(who, what) {
            self.push(Label { who, call: call.into(), what }, true, |to| {
                to.faults -= 1;
                change(to);
            });
        }
    }

    /// An operator calls a verb, while any may be called.
    pub(crate) fn verb(&mut self, who: &'static str, what: &'static str, change: impl FnOnce(&mut State)) {
        if self.from.verbs > 0 {
            self.push(Label { who, call: None, what }, true, |to| {
                to.verbs -= 1;
                change(to);
            });
        }
    }

    /// A message is published: it is confirmed; or it is not, and has arrived all the same or not; or it comes back.
    pub(crate) fn publish(
        &mut self,
        who: &'static str,
        queue: Queue,
        message: Message,
        when_confirmed: impl Fn(&mut State),
        when_not: impl Fn(&mut State),
    ) {
        let Rules { waits_for_the_confirm, looks_at_what_is_returned, .. } = *self.rules;
        let call = message.call;
        let otherwise = |is_looked_at: bool, to: &mut State| {
            if is_looked_at { when_not(to) } else { when_confirmed(to) }
        };
        let what = match queue {
            Queue::Lane => "publishes to the lane",
            Queue::Rung => "publishes to the rung",
            Queue::Unfinished => "publishes to unfinished",
            Queue::Dead => "publishes to dead",
        };
        self.step(who, call, what, |to| {
            to.arrive(queue, message);
            when_confirmed(to);
        });
        self.fault(who, call, "publishes, it arrives, and the confirm does not", |to| {
            to.arrive(queue, message);
            otherwise(waits_for_the_confirm, to);
        });
        self.fault(who, call, "publishes, and nothing arrives anywhere", |to| {
            otherwise(waits_for_the_confirm, to);
        });
        self.fault(who, call, "publishes, and the broker returns it", |to| {
            otherwise(looks_at_what_is_returned, to);
        });
    }

    fn push(&mut self, label: Label, is_fault: bool, change: impl FnOnce(&mut State)) {
        let mut to = self.from.clone();
        change(&mut to);
        to.forget_what_is_past();
        self.found.push(Step { label, to, is_fault });
    }
}

impl fmt::Display for Label {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { who, call, what } = self;
        match call {
            Some(call) => write!(formatter, "{who}, call {call}: {what}"),
            None => write!(formatter, "{who}: {what}"),
        }
    }
}
