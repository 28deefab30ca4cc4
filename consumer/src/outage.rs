//! Whose fault a failed request is: the job's, or that of an API that is down as a whole.
//!
//! A failure at service level (5xx, a timeout, a page of HTML …) is not answered at once. The next good answer to any
//! request shows that the API is well, so the failure was the job's own. Five failures in a row, from three or more
//! conversations, are an outage. When neither comes within a second, a probe decides.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use shared::elevenlabs::Client;
use shared::ids::ConversationId;
use tokio::sync::watch;

/// So many failures in a row …
const FAILURES: usize = 5;

/// … from so many conversations are an outage.
const CONVERSATIONS: usize = 3;

/// How long a failure waits for others' answers before the API is probed.
const PATIENCE: Duration = Duration::from_secs(1);

/// Whose fault it is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Fault {
    /// The job's: it costs an attempt.
    Job,
    /// The API's: the job goes back unspent, and the worker pauses.
    Api,
    /// The API fails on every conversation, and answered every probe between: attempts are spent so that no delivery
    /// limit is, and the worker pauses.
    Both,
}

/// What the last answers say of the API.
#[derive(Debug)]
pub struct Outage {
    state: Mutex<State>,
    rulings: watch::Sender<Fault>,
    probing: tokio::sync::Mutex<()>,
}

#[derive(Debug, Default)]
struct State {
    failed: VecDeque<ConversationId>,
    /// Pauses that have begun since the last good answer.
    pauses: u32,
    /// What was ruled when this session's pause began: it holds for every request that was under way then.
    ruling: Option<Fault>,
}

impl Default for Outage {
    fn default() -> Self {
        Self {
            state: Mutex::default(),
            rulings: watch::Sender::new(Fault::Job),
            probing: tokio::sync::Mutex::default(),
        }
    }
}

impl Outage {
    fn state(&self) -> MutexGuard<'_, State> {
        // Nothing that holds the lock can panic half-way.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The API answered a job's request as it should, be it with a 404.
    pub fn answered(&self) {
        let mut state = self.state();
        state.pauses = 0;
        if !state.failed.is_empty() {
            state.failed.clear();
            drop(state);
            self.rulings.send_replace(Fault::Job);
        }
    }

    /// A session begins: what fails from now on was asked for after the last pause.
    pub fn resumed(&self) {
        let mut state = self.state();
        state.ruling = None;
        state.failed.clear();
    }

    /// Pauses that have begun since the last good answer.
    pub fn pauses(&self) -> u32 {
        self.state().pauses
    }

    /// A request for this conversation failed at service level; waits until it is clear whose fault that is.
    pub async fn failed(&self, conversation_id: &ConversationId, client: &Client) -> Fault {
        // Before the failure is entered: what is ruled from now on is about it too.
        let mut rulings = self.rulings.subscribe();
        if let Some(fault) = self.enter(conversation_id) {
            self.rulings.send_replace(fault);
            return fault;
        }
        if tokio::time::timeout(PATIENCE, rulings.changed()).await.is_ok() {
            return *rulings.borrow();
        }
        let _probing = self.probing.lock().await;
        if rulings.has_changed().unwrap_or(false) {
            return *rulings.borrow();
        }
        let fault = match client.probe().await {
            Ok(()) => Fault::Job,
            Err(_) => self.pause(),
        };
        self.rulings.send_replace(fault);
        fault
    }

    /// Enters a failure; `Some` when it is the one that makes an outage, or comes after it.
    fn enter(&self, conversation_id: &ConversationId) -> Option<Fault> {
        let mut state = self.state();
        if state.ruling.is_some() {
            return state.ruling;
        }
        state.failed.push_back(conversation_id.clone());
        if state.failed.len() > FAILURES {
            state.failed.pop_front();
        }
        let mut conversations: Vec<_> = state.failed.iter().collect();
        conversations.sort_unstable();
        conversations.dedup();
        if state.failed.len() < FAILURES || conversations.len() < CONVERSATIONS {
            return None;
        }
        state.failed.clear();
        drop(state);
        Some(self.pause())
    }

    /// The second pause without a good answer between them is no longer free for its jobs.
    fn pause(&self) -> Fault {
        let mut state = self.state();
        if let Some(fault) = state.ruling {
            return fault;
        }
        state.pauses += 1;
        let fault = if state.pauses > 1 { Fault::Both } else { Fault::Api };
        *state.ruling.insert(fault)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(number: usize) -> ConversationId {
        ConversationId::parse(&format!("conv_{number}")).expect("an id")
    }

    fn entered(ids: &[usize]) -> Vec<Option<Fault>> {
        let outage = Outage::default();
        ids.iter().map(|&number| outage.enter(&id(number))).collect()
    }

    #[test]
    fn five_failures_in_a_row_from_three_conversations_are_an_outage() {
        assert_eq!(entered(&[1, 2, 3, 1, 2]).last(), Some(&Some(Fault::Api)));
        assert_eq!(entered(&[1, 2, 1, 2, 1, 2]), [None; 6]);
        assert_eq!(entered(&[1, 1, 1, 1, 1, 2, 3]).iter().flatten().count(), 1);
    }

    #[test]
    fn what_fails_after_the_pause_has_begun_is_part_of_the_same_outage() {
        assert_eq!(entered(&[1, 2, 3, 4, 5, 6, 7, 8])[4..], [Some(Fault::Api); 4]);
    }

    #[test]
    fn a_good_answer_between_them_makes_it_none() {
        let outage = Outage::default();
        for number in 0..4 {
            assert_eq!(outage.enter(&id(number)), None);
        }
        outage.answered();
        assert_eq!(outage.enter(&id(4)), None);
    }

    #[test]
    fn an_outage_of_single_conversations_only_spends_attempts_from_the_second_pause_on() {
        let outage = Outage::default();
        let ruled = |mut ids: std::ops::Range<usize>| ids.find_map(|number| outage.enter(&id(number)));
        assert_eq!(ruled(0..5), Some(Fault::Api));
        outage.resumed();
        assert_eq!(ruled(0..5), Some(Fault::Both));
        outage.resumed();
        outage.answered();
        assert_eq!(ruled(0..5), Some(Fault::Api));
    }
}
