//! Details that were made once and are kept as they are sent, so that asking for one again costs next to nothing: for
//! benchmarks, in which the stand-in must not be what is measured. Off unless asked for, and bounded.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use axum::body::Bytes;

use crate::condition::Condition;

/// All that a detail depends on, the seed apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Key {
    pub(crate) number: u32,
    pub(crate) condition: Condition,
    pub(crate) is_odd: bool,
    pub(crate) has_gzip: bool,
}

#[derive(Debug, Default)]
struct Bodies {
    by_key: HashMap<Key, Bytes>,
    bytes: usize,
}

/// Bodies up to so many bytes; what does not fit is made each time.
#[derive(Debug)]
pub(crate) struct Kept {
    most_bytes: usize,
    bodies: Mutex<Bodies>,
}

impl Kept {
    pub(crate) fn new(most_bytes: usize) -> Self {
        Self { most_bytes, bodies: Mutex::default() }
    }

    /// The body for `key`, made when it is not there.
    pub(crate) fn get_or_make(&self, key: Key, make: impl FnOnce() -> Bytes) -> Bytes {
        let lock = || self.bodies.lock().unwrap_or_else(PoisonError::into_inner);
        if self.most_bytes == 0 {
            return make();
        }
        if let Some(body) = lock().by_key.get(&key) {
            return body.clone();
        }
        let body = make();
        let mut bodies = lock();
        if bodies.bytes + body.len() <= self.most_bytes && bodies.by_key.insert(key, body.clone()).is_none() {
            bodies.bytes += body.len();
        }
        body
    }
}
