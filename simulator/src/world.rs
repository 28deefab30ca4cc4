//! Everything there is: agents, conversations, overrides, faults and counts, behind short-lived locks.

use std::collections::{HashMap, HashSet};
use std::ops::Bound;
use std::sync::{Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use axum::body::Bytes;
use rand::rngs::Xoshiro256PlusPlus;
use serde_json::Value;
use tokio::sync::watch;

use crate::agents::Agent;
use crate::body::detail;
use crate::body::summary::Summary;
use crate::call::Call;
use crate::condition::Condition;
use crate::dice;
use crate::http::gate::Bucket;
use crate::index::{Index, Position};
use crate::kept::{Kept, Key};
use crate::knobs::Knobs;
use crate::served::Served;
use crate::settings::Settings;

/// How many calls a list looks at under one lock: a page of the largest size and the one after it.
const CHUNK: usize = 101;

/// Everything there is.
#[derive(Debug)]
pub(crate) struct World {
    pub(crate) seed: u64,
    pub(crate) api_key: String,
    pub(crate) gzip: bool,
    pub(crate) agents: Vec<Agent>,
    index: RwLock<Index>,
    knobs: RwLock<Knobs>,
    kept: Kept,
    /// Details that somebody wrote, by number.
    overrides: RwLock<HashMap<u32, Value>>,
    served: Mutex<Served>,
    unknown_ids: Mutex<HashMap<String, u64>>,
    /// Ids whose details wait.
    held: watch::Sender<HashSet<String>>,
    pub(crate) bucket: Bucket,
    /// Chance for what belongs to a request and not to an id.
    pub(crate) rng: Mutex<Xoshiro256PlusPlus>,
}

impl World {
    pub(crate) fn new(settings: &Settings) -> Self {
        let newest = settings.newest_start.unwrap_or_else(now);
        let count = settings.agents.max(1);
        Self {
            seed: settings.seed,
            api_key: settings.api_key.clone(),
            gzip: settings.gzip,
            agents: (0..count).map(|number| Agent::new(settings.seed, number, count, newest)).collect(),
            index: RwLock::new(Index::new(settings.seed, settings.conversations, newest, settings.span)),
            knobs: RwLock::new(Knobs::new(settings.seed, settings.faults.clone())),
            kept: Kept::new(settings.keep_bytes),
            overrides: RwLock::default(),
            served: Mutex::default(),
            unknown_ids: Mutex::default(),
            held: watch::Sender::default(),
            bucket: Bucket::default(),
            rng: Mutex::new(dice::rng(settings.seed, "requests", 0)),
        }
    }

    pub(crate) fn index(&self) -> RwLockReadGuard<'_, Index> {
        self.index.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn index_mut(&self) -> RwLockWriteGuard<'_, Index> {
        self.index.write().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn knobs(&self) -> RwLockReadGuard<'_, Knobs> {
        self.knobs.read().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn knobs_mut(&self) -> RwLockWriteGuard<'_, Knobs> {
        self.knobs.write().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn served(&self) -> MutexGuard<'_, Served> {
        self.served.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds calls that start now, or with the newest there is, so that they come first in the list.
    pub(crate) fn add_conversations(&self, count: u32) -> Vec<String> {
        let mut index = self.index_mut();
        let start = now().max(index.newest().unwrap_or(i64::MIN));
        (0..count)
            .map(|_| {
                let number = index.push(start);
                index.id(number)
            })
            .collect()
    }

    /// Has the details of these ids wait, and no others.
    pub(crate) fn hold(&self, ids: HashSet<String>) {
        self.held.send_replace(ids);
    }

    /// Waits until a detail may be answered.
    pub(crate) async fn released(&self, id: &str) {
        // the sender lives as long as the world
        drop(self.held.subscribe().wait_for(|held| !held.contains(id)).await);
    }

    /// Finishes the calls that go on now.
    pub(crate) fn finish_in_progress(&self) {
        let count = self.index().len();
        self.knobs_mut().finish(count);
    }

    /// Looks at a call's facts.
    pub(crate) fn with_call<T>(&self, number: u32, look: impl FnOnce(&Call<'_>) -> T) -> T {
        let (key, start) = {
            let index = self.index();
            let entry = index.entry(number);
            (entry.key, entry.start)
        };
        // the last agent is the deleted one; it took few calls
        let draw =
            dice::draw(self.seed, "which agent", number.into()) % (4 * self.agents.len() as u64 - 3).max(1);
        let agent = &self.agents[usize::try_from(draw / 4).expect("fewer agents than memory has bytes")];
        look(&Call::new(self.seed, number, key, start, agent))
    }

    /// The state of a call and whether it leaves the document.
    fn condition(&self, number: u32) -> (Condition, bool) {
        let (index, knobs) = (self.index(), self.knobs());
        (knobs.condition(number, index.entry(number)), knobs.is_off_document(number))
    }

    /// Has the detail of a call all that was said in it, as it was invented?
    pub(crate) fn is_whole(&self, number: u32) -> bool {
        let is_written = self.overrides.read().unwrap_or_else(PoisonError::into_inner).contains_key(&number);
        !is_written && matches!(self.condition(number).0, Condition::Finished | Condition::NeedsReview)
    }

    /// The body of a call's detail.
    pub(crate) fn detail(&self, number: u32) -> Vec<u8> {
        if let Some(written) = self.overrides.read().unwrap_or_else(PoisonError::into_inner).get(&number) {
            return serde_json::to_vec(written).expect("a JSON value can be written");
        }
        let (condition, is_odd) = self.condition(number);
        self.with_call(number, |call| detail::write(call, condition, is_odd))
    }

    /// The body of a call's detail as it is sent: `encode` is applied to what is made, and what it returns may be kept.
    pub(crate) fn encoded_detail(
        &self,
        number: u32,
        has_gzip: bool,
        encode: impl FnOnce(Vec<u8>) -> Bytes,
    ) -> Bytes {
        if self.overrides.read().unwrap_or_else(PoisonError::into_inner).contains_key(&number) {
            return encode(self.detail(number));
        }
        let (condition, is_odd) = self.condition(number);
        let key = Key { number, condition, is_odd, has_gzip };
        self.kept.get_or_make(key, || {
            encode(self.with_call(number, |call| detail::write(call, condition, is_odd)))
        })
    }

    /// The same as a value.
    pub(crate) fn detail_value(&self, number: u32) -> Value {
        serde_json::from_slice(&self.detail(number)).expect("the detail was just written as JSON")
    }

    /// The row of a call in a list.
    pub(crate) fn summary(&self, number: u32, has_text: bool) -> Summary {
        if let Some(written) = self.overrides.read().unwrap_or_else(PoisonError::into_inner).get(&number) {
            return Summary::of_detail(written, has_text);
        }
        let (condition, is_odd) = self.condition(number);
        self.with_call(number, |call| Summary::of_call(call, condition, is_odd, has_text))
    }

    /// Writes a call's detail by hand; its place in the list follows its start.
    pub(crate) fn write(&self, number: u32, change: impl FnOnce(&mut Value)) {
        let mut value = self.detail_value(number);
        change(&mut value);
        if let Some(start) = value["metadata"]["start_time_unix_secs"].as_i64() {
            self.index_mut().move_to(number, start);
        }
        self.overrides.write().unwrap_or_else(PoisonError::into_inner).insert(number, value);
    }

    /// Shows `take` the calls between two positions that lists may show, until it has enough and says `false`.
    ///
    /// No lock is held while `take` runs: it takes the same ones, and a reader that waits behind a waiting writer
    /// while it already reads would wait for ever.
    pub(crate) fn visit(
        &self,
        mut bounds: (Bound<Position>, Bound<Position>),
        is_ascending: bool,
        mut take: impl FnMut(Position) -> bool,
    ) {
        loop {
            let positions = self.listed(bounds, is_ascending);
            let Some(last) = positions.last() else { return };
            *if is_ascending { &mut bounds.0 } else { &mut bounds.1 } = Bound::Excluded(*last);
            for position in positions {
                if !take(position) {
                    return;
                }
            }
        }
    }

    /// The next hundred or so.
    fn listed(
        &self,
        (lower, upper): (Bound<Position>, Bound<Position>),
        is_ascending: bool,
    ) -> Vec<Position> {
        let (index, knobs) = (self.index(), self.knobs());
        let is_listed = |position: &Position| !knobs.is_late(position.1, index.entry(position.1));
        let between = index.between(lower, upper).filter(is_listed);
        if is_ascending { between.take(CHUNK).collect() } else { between.rev().take(CHUNK).collect() }
    }

    /// Counts a request for a detail.
    pub(crate) fn count_detail(&self, id: &str, number: Option<u32>) {
        if let Some(number) = number {
            self.index_mut().entry_mut(number).fetched += 1;
        } else {
            let mut unknown = self.unknown_ids.lock().unwrap_or_else(PoisonError::into_inner);
            *unknown.entry(id.to_owned()).or_default() += 1;
        }
    }

    /// The counts, with those of every id if wanted.
    pub(crate) fn counts(&self, has_ids: bool) -> Served {
        let mut served = self.served().clone();
        if has_ids {
            let index = self.index();
            let known = (0..index.len()).filter_map(|number| {
                let fetched = index.entry(number).fetched;
                (fetched > 0).then(|| (index.id(number), u64::from(fetched)))
            });
            served.details_by_id = known.collect();
            let unknown = self.unknown_ids.lock().unwrap_or_else(PoisonError::into_inner);
            served.details_by_id.extend(unknown.iter().map(|(id, count)| (id.clone(), *count)));
        }
        served
    }

    /// Sets every count to zero; what is being answered now goes on counting as such.
    pub(crate) fn reset_counts(&self) {
        let mut served = self.served();
        *served =
            Served { in_flight: served.in_flight, max_in_flight: served.in_flight, ..Served::default() };
        drop(served);
        self.unknown_ids.lock().unwrap_or_else(PoisonError::into_inner).clear();
        let mut index = self.index_mut();
        for number in 0..index.len() {
            index.entry_mut(number).fetched = 0;
        }
    }
}

/// Unix time, seconds.
#[expect(
    clippy::disallowed_methods,
    reason = "the simulator is a clock of its own: calls begin when it says so"
)]
fn now() -> i64 {
    chrono::Utc::now().timestamp()
}
