//! The broker: waits end, deliveries go back, and what only it can lose.

use crate::rules::{Rules, World};
use crate::state::{Call, Content, DELIVERY_LIMIT, Message, Queue, State};
use crate::steps::Steps;

pub(crate) fn steps(steps: &mut Steps<'_>) {
    for (queue, what) in [(Queue::Rung, "the wait ends"), (Queue::Unfinished, "the wait ends")] {
        let mut waiting = steps.from.clone().queue(queue).clone();
        waiting.dedup();
        for message in waiting {
            steps.step("broker", message.call, what, |to| {
                remove(to.queue(queue), message);
                to.arrive(Queue::Lane, message);
            });
        }
    }
    if steps.world.has_losses {
        losses(steps);
    }
}

fn losses(steps: &mut Steps<'_>) {
    for queue in [Queue::Lane, Queue::Rung, Queue::Unfinished, Queue::Dead] {
        if !steps.from.clone().queue(queue).is_empty() {
            steps.fault("broker", None, "a queue is purged", |to| to.queue(queue).clear());
        }
    }
    steps.fault("broker", None, "the volume is lost, and every connection with it", |to| {
        for queue in [Queue::Lane, Queue::Rung, Queue::Unfinished, Queue::Dead] {
            to.queue(queue).clear();
        }
        to.workers.fill(None);
        to.passes.clear();
        to.verb = None;
    });
    let kept = (steps.rules, steps.world);
    // As old as a backup can be in which the calls are asked for: an older one lists them again by itself.
    steps.fault("database", None, "is restored from before anything was stored or set aside", |to| {
        end_processes(to, kept);
        for call in &mut to.calls {
            let Call { is_listed, content, is_booked, deaths, .. } = *call;
            *call = Call { is_listed, content, is_booked, deaths, row: Content::Going, ..Call::default() };
        }
    });
}

/// Every connection ends: what is held goes back.
fn end_processes(to: &mut State, kept: (&Rules, &World)) {
    for index in 0..to.workers.len() {
        give_back(to, index, kept);
    }
    to.passes.clear();
    give_back_dead(to);
}

/// A delivery that a worker held goes back to its queue, or, the last time, where jobs go that kill their workers.
pub(crate) fn give_back(to: &mut State, worker: usize, (rules, world): (&Rules, &World)) {
    let Some(job) = to.workers[worker].take().filter(|job| !job.is_acked) else { return };
    let returns = job.message.returns + u8::from(world.counts_deliveries);
    if returns <= DELIVERY_LIMIT {
        to.lane.push(Message { returns, ..job.message });
        to.lane.sort_unstable();
    } else if rules.dead_letters_at_the_limit {
        to.arrive(Queue::Dead, job.message);
    }
}

/// The verb at the dead letters ends; what it held goes back to the front.
pub(crate) fn give_back_dead(to: &mut State) {
    if let Some(message) = to.verb.take().and_then(|verb| verb.holds) {
        to.dead.insert(0, message);
    }
}

/// Takes one of these messages out.
pub(crate) fn remove(messages: &mut Vec<Message>, message: Message) {
    let place = messages.iter().position(|other| *other == message).expect("it is there");
    messages.remove(place);
}
