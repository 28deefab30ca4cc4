//! What there is at one moment: at the source, in the database, at the broker, and in each process.

use crate::rules::{Answers, World};

/// A call, by its place in the order of starts.
pub(crate) type CallId = u8;

/// How often a delivery may go back before the broker itself sets it aside; `WORK_DELIVERY_LIMIT`, made small.
pub(crate) const DELIVERY_LIMIT: u8 = 1;

/// Rungs of the ladder; `AMQP_RETRY_DELAYS`, made short.
pub(crate) const RUNGS: u8 = 1;

/// Everything.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub(crate) struct State {
    pub(crate) calls: Vec<Call>,
    /// `cursores.listado_hasta`: so many calls, the oldest first, have been listed.
    pub(crate) cursor: CallId,
    /// Passes under way; only one of them has the lease.
    pub(crate) passes: Vec<Pass>,
    /// What is at `089.dead`, under its own lease.
    pub(crate) verb: Option<Verb>,
    /// What each worker holds.
    pub(crate) workers: Vec<Option<Job>>,
    /// Ready in `089.fetch`.
    pub(crate) lane: Vec<Message>,
    /// Ready in `089.retry.…`.
    pub(crate) rung: Vec<Message>,
    /// Ready in `089.unfinished.…`.
    pub(crate) unfinished: Vec<Message>,
    /// Ready in `089.dead`, the first one first: a rotation puts back at the tail.
    pub(crate) dead: Vec<Message>,
    /// Faults that may yet happen.
    pub(crate) faults: u8,
    /// Verbs that an operator may yet call.
    pub(crate) verbs: u8,
}

/// One call: at its source, in the book, and in the tables.
#[derive(Clone, Debug, Default, Eq, Hash, PartialEq)]
#[expect(clippy::struct_excessive_bools, reason = "independent facts about one call")]
pub(crate) struct Call {
    /// The API lists it.
    pub(crate) is_listed: bool,
    /// What the API says of it.
    pub(crate) content: Content,

    /// `trabajos` has it.
    pub(crate) is_booked: bool,
    /// `muerto_en`, as a number that tells one death from the next.
    pub(crate) died: Option<u8>,
    /// The number of the last death.
    pub(crate) deaths: u8,
    /// `clase`: it did not finish within a day.
    pub(crate) is_unfinished: bool,
    /// `repetir_en`.
    pub(crate) is_marked: bool,
    /// `descartado_en`.
    pub(crate) is_discarded: bool,
    /// `repeticiones`.
    pub(crate) replays: u8,
    /// `pedido_en` is later than `sincronizado_en`.
    pub(crate) is_asked_again: bool,

    /// Rows of `conversaciones`.
    pub(crate) rows: u8,
    /// What they were made of; `huella`.
    pub(crate) row: Content,
    /// Folios drawn for it.
    pub(crate) folios: u8,
    /// A worker that had read of a discard has stored it all the same.
    pub(crate) is_defied: bool,
}

/// What the API says of a call.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub(crate) enum Content {
    /// It goes on.
    #[default]
    Going,
    /// It is done.
    Done,
    /// It is done, and was looked at again since: other content.
    Changed,
}

/// A job on its way, with the headers that decide.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub(crate) struct Message {
    pub(crate) call: CallId,
    /// `x-089-attempt`.
    pub(crate) attempt: u8,
    /// `x-089-replays`.
    pub(crate) replays: u8,
    /// The broker's count of deliveries that went back.
    pub(crate) returns: u8,
}

/// A delivery that a worker holds.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub(crate) struct Job {
    pub(crate) message: Message,
    pub(crate) stage: Stage,
    /// Answered already; only a broken worker goes on after that.
    pub(crate) is_acked: bool,
}

/// Where a job has come to.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub(crate) enum Stage {
    Delivered,
    Fetched(Content),
    /// Inside the transaction: what `look_up` saw.
    LookedUp {
        content: Content,
        exists: bool,
        is_discarded: bool,
    },
    /// Inside the transaction, everything executed.
    Written {
        content: Content,
        inserts: bool,
        revives: bool,
        is_discarded: bool,
    },
    /// To be set aside: the book is next.
    Burying {
        message: Message,
        is_unfinished: bool,
    },
    /// The book has the death, or needs none.
    Publishing(Queue, Message),
    Answering,
}

#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub(crate) enum Queue {
    Lane,
    Rung,
    Unfinished,
    Dead,
}

/// A pass of the producer, one call a page.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub(crate) struct Pass {
    pub(crate) reconciles: bool,
    /// The call whose turn it is.
    pub(crate) at: CallId,
    pub(crate) stage: PassStage,
    /// How far it has seen.
    pub(crate) newest: CallId,
    /// Something was not confirmed: the cursor stays.
    pub(crate) has_failed: bool,
    pub(crate) has_lease: bool,
}

#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub(crate) enum PassStage {
    Look,
    Publish,
    Record,
    MoveCursor,
}

/// A verb at `089.dead`.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub(crate) struct Verb {
    pub(crate) stage: VerbStage,
    /// Messages still to be taken, of those that lay there at the start.
    pub(crate) left: u8,
    /// Calls whose messages it met, a bit each.
    pub(crate) met: u8,
    /// Calls of which it makes messages anew, a bit each.
    pub(crate) selected: u8,
    pub(crate) holds: Option<Message>,
}

#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub(crate) enum VerbStage {
    /// The next message, or the end.
    Turn,
    /// `standing` was read; the death that it saw goes with a replay.
    Fated(Fate),
    /// The message is where it goes.
    Replayed(Option<u8>),
    Answering,
    /// A message is made anew from the book, for the first of those that are left.
    Remaking,
    Remade(CallId, Option<u8>),
    /// Undo: the message is made anew.
    Undoing,
    Undone,
}

#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub(crate) enum Fate {
    Replay(Option<u8>),
    Drop,
    Keep,
    Enter,
    /// The death is entered.
    Entered,
    /// Only of a broken rotation: marked, and not published yet.
    Marked,
}

impl State {
    /// Nothing has happened yet, or the first call has been asked for.
    pub(crate) fn first(world: &World) -> Self {
        let is_asked = world.begins_asked;
        let content = if world.answers == Answers::Well { Content::Done } else { Content::Going };
        let mut calls = vec![Call { content, ..Call::default() }; world.calls.into()];
        calls[0] = Call { is_listed: is_asked, is_booked: is_asked, content, ..Call::default() };
        let job = Message { call: 0, attempt: 0, replays: 0, returns: 0 };
        Self {
            calls,
            cursor: is_asked.into(),
            passes: Vec::new(),
            verb: None,
            workers: vec![None; world.workers.into()],
            lane: is_asked.then_some(job).into_iter().collect(),
            rung: Vec::new(),
            unfinished: Vec::new(),
            dead: Vec::new(),
            faults: world.faults,
            verbs: world.verbs,
        }
    }

    pub(crate) fn call(&mut self, call: CallId) -> &mut Call {
        &mut self.calls[usize::from(call)]
    }

    pub(crate) fn queue(&mut self, queue: Queue) -> &mut Vec<Message> {
        match queue {
            Queue::Lane => &mut self.lane,
            Queue::Rung => &mut self.rung,
            Queue::Unfinished => &mut self.unfinished,
            Queue::Dead => &mut self.dead,
        }
    }

    /// A message arrives in a queue, as new to the broker. Where the order means nothing, it is no difference either.
    pub(crate) fn arrive(&mut self, queue: Queue, message: Message) {
        let messages = self.queue(queue);
        messages.push(Message { returns: 0, ..message });
        if queue != Queue::Dead {
            messages.sort_unstable();
        }
    }

    /// Drops what makes no difference any more: a death's number tells it from those that the verb at the dead letters saw.
    pub(crate) fn forget_what_is_past(&mut self) {
        // Workers are alike: who of them does something is no difference.
        self.workers.sort_unstable();
        if self.verb.is_none() {
            for call in &mut self.calls {
                call.died = call.died.map(|_| 1);
                call.deaths = u8::from(call.died.is_some());
                call.is_unfinished &= call.died.is_some();
            }
        }
    }

    /// Every message of a call that the broker has, unacked ones included.
    pub(crate) fn messages_of(&self, call: CallId) -> usize {
        let ready = [&self.lane, &self.rung, &self.unfinished, &self.dead];
        let held = self.workers.iter().flatten().filter(|job| !job.is_acked).map(|job| &job.message);
        let held = held.chain(self.verb.iter().filter_map(|verb| verb.holds.as_ref()));
        ready.into_iter().flatten().chain(held).filter(|message| message.call == call).count()
    }
}

impl Call {
    pub(crate) fn is_stored(&self) -> bool {
        self.rows > 0
    }

    /// A dead letter, as `dead list` shows it: what is stored is not dead, whatever a copy of its job came to.
    pub(crate) fn is_dead_letter(&self) -> bool {
        self.died.is_some() && !self.is_discarded && !self.is_stored()
    }

    /// `book::record_death`; `false` when there is none.
    pub(crate) fn record_death(&mut self, is_unfinished: bool) -> bool {
        if self.is_stored() || (self.is_booked && self.is_discarded) {
            return false;
        }
        self.is_booked = true;
        self.deaths += 1;
        self.died = Some(self.deaths);
        self.is_unfinished = is_unfinished;
        true
    }
}
