//! Which conversations there are, in the order of the list: a few dozen bytes each, never their bodies.

use std::collections::{BTreeSet, HashMap};
use std::ops::Bound;
use std::time::{Duration, Instant};

use rand::RngExt;

use crate::{dice, ids};

/// Where an item stands in the list: start time, then number, so that a later addition comes out on top.
pub(crate) type Position = (i64, u32);

/// One conversation, as far as it must be remembered.
#[derive(Debug)]
pub(crate) struct Entry {
    pub(crate) start: i64,
    pub(crate) key: u64,
    pub(crate) added_at: Instant,
    pub(crate) fetched: u32,
}

/// All conversations.
#[derive(Debug)]
pub(crate) struct Index {
    seed: u64,
    entries: Vec<Entry>,
    by_start: BTreeSet<Position>,
    by_key: HashMap<u64, u32>,
}

impl Index {
    /// `count` conversations that started within `span` before `newest`, a tenth of them in its last day.
    pub(crate) fn new(seed: u64, count: u32, newest: i64, span: Duration) -> Self {
        let mut index = Self { seed, entries: vec![], by_start: BTreeSet::new(), by_key: HashMap::new() };
        for number in 0..count {
            index.push(start(seed, number, newest, span));
        }
        index
    }

    /// Adds one conversation and says its number.
    pub(crate) fn push(&mut self, start: i64) -> u32 {
        let number = self.len();
        let key = dice::draw(self.seed, "conversation", number.into());
        self.entries.push(Entry { start, key, added_at: Instant::now(), fetched: 0 });
        self.by_start.insert((start, number));
        self.by_key.insert(key, number);
        number
    }

    pub(crate) fn len(&self) -> u32 {
        u32::try_from(self.entries.len()).expect("conversations are numbered by u32")
    }

    pub(crate) fn entry(&self, number: u32) -> &Entry {
        &self.entries[number as usize]
    }

    pub(crate) fn entry_mut(&mut self, number: u32) -> &mut Entry {
        &mut self.entries[number as usize]
    }

    pub(crate) fn id(&self, number: u32) -> String {
        ids::write("conv_", self.entry(number).key)
    }

    pub(crate) fn number(&self, id: &str) -> Option<u32> {
        self.by_key.get(&ids::read("conv_", id)?).copied()
    }

    /// Moves a conversation to another start.
    pub(crate) fn move_to(&mut self, number: u32, start: i64) {
        let entry = &mut self.entries[number as usize];
        self.by_start.remove(&(entry.start, number));
        entry.start = start;
        self.by_start.insert((start, number));
    }

    /// The newest start there is.
    pub(crate) fn newest(&self) -> Option<i64> {
        self.by_start.last().map(|(start, _)| *start)
    }

    /// Oldest first, from after `lower` to before `upper`.
    pub(crate) fn between(
        &self,
        lower: Bound<Position>,
        upper: Bound<Position>,
    ) -> impl DoubleEndedIterator<Item = Position> + '_ {
        // BTreeSet::range panics when the bounds cross, and those of a request may
        let is_empty = match (lower, upper) {
            (Bound::Included(low) | Bound::Excluded(low), Bound::Included(high) | Bound::Excluded(high)) => {
                low > high
                    || (low == high && !matches!((lower, upper), (Bound::Included(_), Bound::Included(_))))
            }
            _ => false,
        };
        let range = if is_empty { None } else { Some(self.by_start.range((lower, upper)).copied()) };
        range.into_iter().flatten()
    }
}

fn start(seed: u64, number: u32, newest: i64, span: Duration) -> i64 {
    // some calls begin in the same second as another: ties happen, and the order of the list must bear them
    if number % 25 == 24 {
        return start(seed, number - 1, newest, span);
    }
    let mut rng = dice::rng(seed, "start", number.into());
    let span = i64::try_from(span.as_secs()).unwrap_or(i64::MAX / 4).max(1);
    let day = span.min(24 * 3600);
    // ten minutes old at least: a call that is done cannot have begun just now
    let age = if rng.random_ratio(1, 10) || span <= day {
        rng.random_range(600.min(day - 1)..day)
    } else {
        rng.random_range(day..span)
    };
    newest - age
}
