//! The walk: every state that can be reached, the nearest first, so that what is wrong comes with the shortest history.

use std::collections::HashMap;
use std::fmt;
use std::rc::Rc;

use crate::dead::is_shown;
use crate::rules::{Rules, World};
use crate::state::{Call, Content, State};
use crate::steps::{Label, Steps};

/// What a walk came to.
#[derive(Debug)]
pub(crate) struct Walked {
    pub(crate) states: usize,
    pub(crate) steps: usize,
}

/// What must never be, and how it came about.
#[derive(Debug)]
pub(crate) struct Broken {
    pub(crate) what: &'static str,
    pub(crate) history: Vec<Label>,
    pub(crate) state: Rc<State>,
}

impl fmt::Display for Broken {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(formatter, "{}", self.what)?;
        for (number, label) in (1..).zip(&self.history) {
            writeln!(formatter, "{number:3}. {label}")?;
        }
        write!(formatter, "{:#?}", self.state)
    }
}

/// Walks through all states of a world.
///
/// # Errors
/// The nearest state that must not be.
pub(crate) fn walk(world: &World, rules: &Rules) -> Result<Walked, Broken> {
    let mut walk = Walk::default();
    walk.enter(State::first(world), None);
    let mut next = 0;
    while let Some(from) = walk.states.get(next).cloned() {
        if let Some(what) = never(&from, rules, world) {
            return Err(walk.broken(what, next));
        }
        for step in Steps::of(&from, rules, world) {
            let to = walk.enter(step.to, Some((next, step.label)));
            walk.taken += 1;
            if !step.is_fault {
                walk.calm.push((index(to), index(next)));
            }
        }
        next += 1;
    }
    match walk.first_without_a_good_end() {
        Some(lost) => Err(walk.broken("from here on nothing brings every call to its outcome", lost)),
        None => Ok(Walked { states: walk.states.len(), steps: walk.taken }),
    }
}

#[derive(Default)]
struct Walk {
    states: Vec<Rc<State>>,
    places: HashMap<Rc<State>, usize>,
    /// The step by which each state was reached first.
    origins: Vec<Option<(usize, Label)>>,
    /// Steps that are no faults, backwards.
    calm: Vec<(u32, u32)>,
    taken: usize,
}

impl Walk {
    fn enter(&mut self, state: State, origin: Option<(usize, Label)>) -> usize {
        let state = Rc::new(state);
        let place = *self.places.entry(Rc::clone(&state)).or_insert(self.states.len());
        if place == self.states.len() {
            self.states.push(state);
            self.origins.push(origin);
        }
        place
    }

    /// The nearest state from which no way without faults leads to a good end.
    fn first_without_a_good_end(&mut self) -> Option<usize> {
        self.calm.sort_unstable();
        let mut is_well = vec![false; self.states.len()];
        let mut open: Vec<usize> = (0..self.states.len()).filter(|&at| is_good(&self.states[at])).collect();
        for &at in &open {
            is_well[at] = true;
        }
        while let Some(at) = open.pop() {
            let first = self.calm.partition_point(|&(to, _)| to < index(at));
            for &(_, from) in self.calm[first..].iter().take_while(|&&(to, _)| to == index(at)) {
                let from = from as usize;
                if !is_well[from] {
                    is_well[from] = true;
                    open.push(from);
                }
            }
        }
        is_well.iter().position(|is_well| !is_well)
    }

    fn broken(&self, what: &'static str, at: usize) -> Broken {
        let mut history = Vec::new();
        let mut place = at;
        while let Some((from, label)) = self.origins[place] {
            history.push(label);
            place = from;
        }
        history.reverse();
        Broken { what, history, state: Rc::clone(&self.states[at]) }
    }
}

fn index(place: usize) -> u32 {
    u32::try_from(place).expect("fewer than four thousand million states")
}

/// What no state may show.
fn never(state: &State, rules: &Rules, world: &World) -> Option<&'static str> {
    for (number, call) in (0..).zip(&state.calls) {
        let Call { rows, folios, .. } = *call;
        let is_told = call.is_listed && (call.is_booked || state.cursor > number);
        // A pass under way has listed it and may yet come to it; a worker has it in its hands.
        let is_ahead = state.passes.iter().any(|pass| pass.at <= number)
            || state.workers.iter().flatten().any(|job| job.message.call == number);
        let has_outcome = call.is_stored() || call.died.is_some() || call.is_discarded;
        let rule = [
            (rows > 1, "a call has two rows"),
            (folios > 1, "a second folio was drawn for a call"),
            (call.is_stored() && call.row == Content::Going, "a call is stored that is not finished"),
            (call.is_defied, "a call was stored that its worker knew to be discarded"),
            (call.is_stored() && is_shown(call, rules), "a call is stored, and shown as a dead letter"),
            // What reconciliation is for may be missing for a while; that it comes back is asked of every end.
            (
                !world.reconciles && is_told && !is_ahead && !has_outcome && state.messages_of(number) == 0,
                "a call is forgotten: nobody will list it again, no queue has it, and it has no outcome",
            ),
        ];
        if let Some((_, what)) = rule.into_iter().find(|(is_broken, _)| *is_broken) {
            return Some(what);
        }
    }
    None
}

/// All that was listed has one outcome, and nothing is under way.
fn is_good(state: &State) -> bool {
    let is_idle = state.passes.is_empty()
        && state.verb.is_none()
        && state.workers.iter().all(Option::is_none)
        && [&state.lane, &state.rung, &state.unfinished].into_iter().all(Vec::is_empty);
    is_idle
        && (0..).zip(&state.calls).filter(|(_, call)| call.is_listed).all(|(number, call)| {
            // Of a dead letter the message waits, or is made anew from the book; of all else there is none.
            let messages = state.messages_of(number);
            let is_ended = if call.is_stored() || call.is_discarded {
                messages == 0
            } else {
                call.is_dead_letter() && messages <= 1
            };
            is_ended && state.cursor > number
        })
}
