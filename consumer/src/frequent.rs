//! Identifiers that are hidden in too many calls to be a person's, such as a switchboard's name. Known in memory only, and as
//! hashes under a key that ends with the process.

use std::collections::{HashMap, HashSet, VecDeque};
use std::hash::{BuildHasher, RandomState};

use serde_json::{Value, json};

use crate::normalize::Hidden;

/// Calls that are looked back upon.
const WINDOW: usize = 1_000;

/// Fewer calls may be one person's.
const MIN_CALLS: usize = 20;

/// Of so many calls one may have it.
const ONE_IN: usize = 20;

/// The last calls, each with what was hidden in it.
#[derive(Debug, Default)]
pub struct Frequent {
    key: RandomState,
    calls: VecDeque<Vec<u64>>,
    counts: HashMap<u64, usize>,
    told: HashSet<u64>,
}

impl Frequent {
    /// Takes a call in, and marks in `tapado` that something was hidden in it that is no person's. Of each such identifier
    /// is told once.
    pub fn see(&mut self, hidden: &Hidden, tapado: &mut Option<Value>) {
        self.forget_oldest();
        let mut is_frequent = false;
        let mut call = Vec::new();
        for identifier in hidden.iter() {
            let hash = self.key.hash_one(identifier);
            let count = self.counts.entry(hash).or_default();
            *count += 1;
            call.push(hash);
            if *count >= MIN_CALLS && *count * ONE_IN > self.calls.len() + 1 {
                is_frequent = true;
                if self.told.insert(hash) {
                    let (kind, calls) = (identifier.kind(), self.calls.len() + 1);
                    log::warn!(kind, count:% = count; "a {kind} was masked in {count} of the last {calls} calls: too many \
                        for a person's; see producer status");
                }
            }
        }
        self.calls.push_back(call);
        if is_frequent && let Some(Value::Object(counts)) = tapado {
            counts.insert("repetido".to_owned(), json!(1));
        }
    }

    /// Makes room for one more call.
    fn forget_oldest(&mut self) {
        if self.calls.len() < WINDOW {
            return;
        }
        for hash in self.calls.pop_front().unwrap_or_default() {
            if let Some(count) = self.counts.get_mut(&hash) {
                *count -= 1;
                if *count == 0 {
                    self.counts.remove(&hash);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use shared::config::ReportConfig;
    use shared::elevenlabs::Conversation;

    use super::*;
    use crate::normalize::normalize_and_tell;

    /// Lets a call be seen in which somebody of this name says something; returns what its row says of repetition.
    fn see(frequent: &mut Frequent, user: &str, message: &str) -> bool {
        let body = json!({"conversation_id": "conv_1", "status": "done", "user_id": user,
            "transcript": [{"role": "user", "message": message, "time_in_call_secs": 1}]});
        let call = Conversation::parse(body.to_string().as_bytes()).expect("a conversation");
        let (mut rows, hidden) = normalize_and_tell(&call, &ReportConfig::default());
        assert!(!format!("{hidden:?} {frequent:?}").contains(user));
        frequent.see(&hidden, &mut rows.conversation.tapado);
        rows.conversation.tapado.expect("it was read").get("repetido").is_some()
    }

    #[test]
    fn a_name_in_every_call_is_marked_from_the_twentieth_on() {
        let mut frequent = Frequent::default();
        let marked = (0..25).filter(|_| see(&mut frequent, "Conmutador Centro", "soy de conmutador centro"));
        assert_eq!(marked.count(), 6);
        assert_eq!(frequent.told.len(), 1, "it is told once");
        assert!(!see(&mut frequent, "Juana Robles", "soy Juana Robles"), "another one's call is not");
    }

    #[test]
    fn one_in_twenty_is_a_persons_and_what_is_not_said_does_not_count() {
        let mut frequent = Frequent::default();
        let mut marked = 0;
        for call in 0..2_000 {
            let message = if call % 20 == 19 { "me llamo Juana Robles" } else { "buenas tardes" };
            marked += usize::from(see(&mut frequent, "Juana Robles", message));
        }
        assert_eq!(marked, 0);
        assert_eq!((frequent.calls.len(), frequent.counts.len()), (WINDOW, 1));
        for _ in 0..WINDOW {
            see(&mut frequent, "5512345678", "buenas tardes");
        }
        assert!(frequent.counts.is_empty(), "what is long ago is forgotten");
    }
}
