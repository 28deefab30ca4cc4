//! Looks at the tables all the time, and remembers: what was once seen must be there in the end, whatever the database has
//! been through since. Knows also when nothing moved.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinHandle;
use tokio::time::{Instant, MissedTickBehavior, interval, timeout};
use tokio_util::sync::CancellationToken;

use crate::journal::Journal;
use crate::ledger::{Entry, Stored};
use crate::stage::Stage;

const EVERY: Duration = Duration::from_secs(1);

/// A call that is listed for so long should have its outcome: a pass begins every 2 s.
const SOON: Duration = Duration::from_secs(5);

/// How it goes is told every so many looks.
const TOLD_EVERY: u32 = 10;

/// A database that does not answer in time shows nothing.
const PATIENCE: Duration = Duration::from_secs(3);

/// What was seen.
#[derive(Clone, Debug, Default)]
pub struct Seen {
    /// The key and the folio of each call, as they were first seen.
    pub folios: BTreeMap<String, (i64, i64)>,
    /// What was seen to differ from what was seen before.
    pub contradictions: BTreeSet<String>,
    /// How long nothing came to its end although something was due.
    pub idle: Duration,
    /// How often the tables were looked at.
    pub looks: u32,
    outcomes: usize,
}

/// The look-out; ends when it is told.
#[derive(Debug)]
pub struct Lookout {
    told: CancellationToken,
    watch: JoinHandle<Seen>,
}

impl Lookout {
    /// Begins.
    #[must_use]
    pub fn begin(stage: Arc<Stage>, journal: Arc<Journal>) -> Self {
        let told = CancellationToken::new();
        let watch = tokio::spawn(look(stage, journal, told.clone()));
        Self { told, watch }
    }

    /// Ends; says what was seen.
    ///
    /// # Errors
    /// It has panicked.
    pub async fn end(self) -> anyhow::Result<Seen> {
        self.told.cancel();
        Ok(self.watch.await?)
    }
}

async fn look(stage: Arc<Stage>, journal: Arc<Journal>, told: CancellationToken) -> Seen {
    let mut seen = Seen::default();
    let mut ticks = interval(EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut last = Instant::now();
    let mut listed_at: BTreeMap<String, Instant> = BTreeMap::new();
    while told.run_until_cancelled(ticks.tick()).await.is_some() {
        let listed: BTreeSet<String> = stage.simulator.conversation_ids().into_iter().collect();
        for id in &listed {
            listed_at.entry(id.clone()).or_insert_with(Instant::now);
        }
        let unfinished = stage.simulator.ids_in_progress();
        let tables =
            async { Ok::<_, anyhow::Error>((stage.ledger.stored().await?, stage.ledger.book().await?)) };
        let since = last.elapsed();
        last = Instant::now();
        let Ok(Ok((stored, book))) = timeout(PATIENCE, tables).await else {
            // Nothing is stored in a database that is away.
            seen.idle += since;
            continue;
        };
        seen.looks += 1;
        seen.compare(&stored);
        let has_outcome = |id: &&String| {
            stored.contains_key(*id) || book.get(*id).is_some_and(|entry| *entry != Entry::Open)
        };
        let outcomes = listed.iter().filter(has_outcome).count();
        let is_due = |id: &String| listed_at.get(id).is_some_and(|at| at.elapsed() > SOON);
        let is_pending = listed.iter().any(|id| is_due(id) && !has_outcome(&id) && !unfinished.contains(id));
        if is_pending && outcomes <= seen.outcomes {
            seen.idle += since;
        }
        seen.outcomes = outcomes;
        if seen.looks % TOLD_EVERY == 0 {
            journal.note(&format!("{outcomes} of {} have their outcome", listed.len()));
        }
    }
    seen
}

impl Seen {
    /// Compares what is there now with what was there before, and remembers what is new.
    pub fn compare(&mut self, stored: &BTreeMap<String, Stored>) {
        for (id, row) in stored {
            let Some(&folio) = row.folios.first() else { continue };
            let &mut (key, first) = self.folios.entry(id.clone()).or_insert((row.key, folio));
            if (key, first) != (row.key, folio) {
                self.contradictions
                    .insert(format!("{id}: row {key}, folio {first} became {}, {folio}", row.key));
            }
        }
        for (id, (_, folio)) in &self.folios {
            if !stored.contains_key(id) {
                self.contradictions.insert(format!("{id}: its row, of folio {folio}, is gone"));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(key: i64, folio: i64) -> Stored {
        Stored { key, is_final: true, folios: vec![folio] }
    }

    #[test]
    fn what_was_seen_once_must_stay() {
        let mut seen = Seen::default();
        seen.compare(&BTreeMap::from([("a".to_owned(), row(1, 1)), ("b".to_owned(), row(2, 2))]));
        seen.compare(&BTreeMap::from([("a".to_owned(), row(1, 1)), ("b".to_owned(), row(2, 2))]));
        assert!(seen.contradictions.is_empty());
        seen.compare(&BTreeMap::from([("a".to_owned(), row(1, 3))]));
        let found: Vec<_> = seen.contradictions.into_iter().collect();
        assert_eq!(found, ["a: row 1, folio 1 became 1, 3", "b: its row, of folio 2, is gone"]);
    }
}
