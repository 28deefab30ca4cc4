//! The check: what the API lists, the rows, the book and the queues must be one account, call by call.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use anyhow::Context;
use shared::queue::{Broker, Destination, Lane};

use crate::ledger::{DRAWN, Entry, Stored};
use crate::lookout::Seen;
use crate::stage::Stage;

/// A sequence is logged so many numbers ahead: a crash may skip as many.
const LOGGED_AHEAD: i64 = 32;

/// Four accounts of the same calls.
#[derive(Clone, Debug, Default)]
pub struct Books {
    /// What the API lists.
    pub listed: BTreeSet<String>,
    /// What of it is nobody's call, and gets no report.
    pub nobodys: BTreeSet<String>,
    /// What is stored.
    pub stored: BTreeMap<String, Stored>,
    /// What the book says.
    pub book: BTreeMap<String, Entry>,
}

/// What the folios came to.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Folios {
    /// Numbers that went with a transaction that failed.
    pub aborted: usize,
    /// Numbers that no transaction ever had.
    pub skipped: i64,
}

impl Books {
    /// Reads the three that are in reach while everything runs.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn read(stage: &Stage) -> anyhow::Result<Self> {
        let listed = stage.simulator.conversation_ids().into_iter().collect();
        let nobodys = stage.simulator.ids_of_nobody().into_iter().collect();
        Ok(Self { listed, nobodys, stored: stage.ledger.stored().await?, book: stage.ledger.book().await? })
    }

    fn entries(&self, wanted: Entry) -> impl Iterator<Item = &String> {
        self.book.iter().filter(move |(_, entry)| **entry == wanted).map(|(id, _)| id)
    }

    /// The dead letters.
    pub fn dead(&self) -> impl Iterator<Item = &String> {
        self.entries(Entry::Dead)
    }

    /// The discarded ones.
    pub fn discarded(&self) -> impl Iterator<Item = &String> {
        self.entries(Entry::Discarded)
    }

    /// Stored calls that the book does not know: their pass was killed between a job and its record.
    #[must_use]
    pub fn unrecorded(&self) -> usize {
        self.stored.keys().filter(|id| !self.book.contains_key(*id)).count()
    }

    /// Calls that are not stored for good, not dead and not discarded.
    #[must_use]
    pub fn without_outcome(&self) -> Vec<String> {
        let (mut unasked, mut open) = (Vec::new(), Vec::new());
        for id in &self.listed {
            match self.book.get(id) {
                _ if self.stored.get(id).is_some_and(|row| row.is_final) => {}
                None => unasked.push(id.as_str()),
                Some(Entry::Open) => open.push(id.as_str()),
                Some(Entry::Dead | Entry::Discarded) => {}
            }
        }
        [("never asked for", unasked), ("asked for, and without an outcome", open)]
            .into_iter()
            .filter(|(_, ids)| !ids.is_empty())
            .map(|(what, ids)| format!("{} {what}: {}", ids.len(), ids.join(" ")))
            .collect()
    }

    /// Everything that is not as it must be, of calls and rows.
    #[must_use]
    pub fn discrepancies(&self) -> Vec<String> {
        let mut wrong = self.without_outcome();
        for (id, row) in &self.stored {
            if !self.listed.contains(id) {
                wrong.push(format!("{id}: stored, and not listed"));
            }
            if !row.is_final {
                wrong.push(format!("{id}: stored in a state that is not final"));
            }
            if row.folios.len() != usize::from(!self.nobodys.contains(id)) {
                wrong.push(format!("{id}: stored with {} reports: {:?}", row.folios.len(), row.folios));
            }
            match self.book.get(id) {
                // One that was stored before a pass could record it is known already to the next.
                Some(Entry::Open) | None => {}
                Some(entry) => wrong.push(format!("{id}: stored, and {entry:?} in the book")),
            }
        }
        let unlisted = self.book.keys().filter(|id| !self.listed.contains(*id));
        wrong.extend(unlisted.map(|id| format!("{id}: in the book, and not listed")));
        wrong
    }
}

/// Reads every queue that the broker has: all must be empty, but that of the dead letters. Returns also what lies there.
///
/// Those are included that nobody should have made. The dead letters must be those of the book, each once.
///
/// # Errors
/// The broker does not answer.
pub async fn compare_queues(stage: &Stage, books: &Books) -> anyhow::Result<(Vec<String>, Vec<String>)> {
    let (mut wrong, mut text, mut lying) = (Vec::new(), Vec::new(), Vec::new());
    let names = stage.servers.broker("ctl", &["--silent", "list_queues", "name"]).await?;
    let broker = stage.broker().await?;
    let dead = broker.topology().queue(Destination::Dead);
    for name in names.lines() {
        let count = left_in(&broker, name).await?;
        if name != dead && count > 0 {
            wrong.push(format!("{count} messages are left in {name}"));
        }
        let mut subscription = match Lane::ALL.into_iter().find(|lane| name.ends_with(lane.as_str())) {
            _ if count == 0 => continue,
            _ if name == dead => broker.subscribe_to_dead(u16::MAX).await?,
            Some(lane) => broker.subscribe(lane, u16::MAX).await?,
            None => continue,
        };
        for _ in 0..count {
            let message = subscription.next().await?.message;
            text.push(format!("{} {:?}", String::from_utf8_lossy(message.body()), message.failure));
            if name == dead {
                lying.push(message.book_id());
            } else {
                wrong.push(format!("{}: left in {name}", message.book_id()));
            }
        }
    }
    broker.close().await;
    let (found, booked): (BTreeSet<&String>, BTreeSet<&String>) =
        (lying.iter().collect(), books.dead().collect());
    wrong.extend(found.difference(&booked).map(|id| format!("{id}: in {dead}, and not dead in the book")));
    wrong.extend(booked.difference(&found).map(|id| format!("{id}: dead in the book, and not in {dead}")));
    if lying.len() != found.len() {
        wrong.push(format!("{} messages of {} calls in {dead}", lying.len(), found.len()));
    }
    Ok((wrong, text))
}

/// What is left in a queue when its last consumer is gone, and all that it held is back. The broker's own statistics lag
/// behind by seconds; the queue itself is asked.
async fn left_in(broker: &Broker, name: &str) -> anyhow::Result<u32> {
    for _ in 0..300 {
        let look = broker.look(name).await?.with_context(|| format!("{name} is gone"))?;
        if look.consumers == 0 {
            return Ok(look.messages);
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    anyhow::bail!("somebody still consumes {name}")
}

/// The folios: those seen before are those of now; each call drew its own last, so that none was drawn for a call that had
/// one; and every number that is missing is accounted for.
#[must_use]
pub fn compare_folios(
    books: &Books,
    seen: &Seen,
    server_log: &str,
    last: i64,
    crashes: u32,
) -> (Folios, Vec<String>) {
    let mut wrong: Vec<String> = seen.contradictions.iter().cloned().collect();
    let mut by_call: BTreeMap<&str, Vec<i64>> = BTreeMap::new();
    let lines = server_log.lines().filter_map(|line| line.split_once(DRAWN)?.1.split_once(" for "));
    for (folio, id) in lines {
        if let Ok(folio) = folio.parse() {
            by_call.entry(id.trim()).or_default().push(folio);
        }
    }
    let kept: BTreeMap<i64, &String> =
        books.stored.iter().flat_map(|(id, row)| row.folios.iter().map(move |folio| (*folio, id))).collect();
    for (id, row) in &books.stored {
        let draws = by_call.get(id.as_str()).map(Vec::as_slice).unwrap_or_default();
        if draws.last() != row.folios.first() {
            wrong.push(format!("{id}: has folio {:?}, and drew {draws:?}", row.folios));
        }
    }
    let known: BTreeSet<i64> = by_call.values().flatten().copied().collect();
    let aborted = known.iter().filter(|folio| !kept.contains_key(folio)).count();
    let skipped = (1..=last).filter(|folio| !known.contains(folio)).count();
    let skipped = i64::try_from(skipped).unwrap_or(i64::MAX);
    if skipped > LOGGED_AHEAD * i64::from(crashes) {
        wrong
            .push(format!("{skipped} folios are missing, and {crashes} crashes explain {LOGGED_AHEAD} each"));
    }
    (Folios { aborted, skipped }, wrong)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn books(listed: &[&str], stored: &[(&str, &[i64])], book: &[(&str, Entry)]) -> Books {
        let row = |folios: &[i64]| Stored { key: 1, is_final: true, folios: folios.to_vec() };
        Books {
            nobodys: BTreeSet::from(["nobodys".to_owned()]),
            listed: listed.iter().map(|id| (*id).to_owned()).collect(),
            stored: stored.iter().map(|(id, folios)| ((*id).to_owned(), row(folios))).collect(),
            book: book.iter().map(|(id, entry)| ((*id).to_owned(), *entry)).collect(),
        }
    }

    #[test]
    fn an_exact_account_has_no_discrepancy() {
        let book =
            [("a", Entry::Open), ("b", Entry::Dead), ("c", Entry::Discarded), ("nobodys", Entry::Open)];
        let stored: [(&str, &[i64]); 2] = [("a", &[1]), ("nobodys", &[])];
        assert!(books(&["a", "b", "c", "nobodys"], &stored, &book).discrepancies().is_empty());
    }

    #[test]
    fn every_discrepancy_names_its_call() {
        let found = |listed: &[&str], stored: &[(&str, &[i64])], book: &[(&str, Entry)]| {
            books(listed, stored, book).discrepancies()
        };
        assert_eq!(found(&["a"], &[], &[]), ["1 never asked for: a"]);
        assert_eq!(found(&["a"], &[], &[("a", Entry::Open)]), ["1 asked for, and without an outcome: a"]);
        assert_eq!(
            found(&["a"], &[("a", &[1, 2])], &[("a", Entry::Open)]),
            ["a: stored with 2 reports: [1, 2]"]
        );
        assert_eq!(found(&["a"], &[("a", &[])], &[("a", Entry::Open)]), ["a: stored with 0 reports: []"]);
        assert_eq!(found(&["nobodys"], &[("nobodys", &[1])], &[]), ["nobodys: stored with 1 reports: [1]"]);
        assert_eq!(
            found(&["a"], &[("a", &[1])], &[("a", Entry::Discarded)]),
            ["a: stored, and Discarded in the book"]
        );
        assert_eq!(found(&[], &[], &[("a", Entry::Dead)]), ["a: in the book, and not listed"]);
    }

    #[test]
    fn a_folio_is_drawn_for_a_call_that_has_none() {
        let books = books(&["a", "b"], &[("a", &[2]), ("b", &[3])], &[]);
        let seen = Seen::default();
        let check = |log: &str, last, crashes| compare_folios(&books, &seen, log, last, crashes);
        let log = "LOG:  drill: drawn 1 for a\nLOG:  drill: drawn 2 for a\nLOG:  drill: drawn 3 for b\n";
        assert_eq!(check(log, 3, 0), (Folios { aborted: 1, skipped: 0 }, Vec::new()));
        let (_, wrong) = check(&format!("{log}LOG:  drill: drawn 4 for b\n"), 4, 0);
        assert_eq!(wrong, ["b: has folio [3], and drew [3, 4]"]);
        assert_eq!(check(log, 10, 0).1, ["7 folios are missing, and 0 crashes explain 32 each"]);
        assert_eq!(check(log, 10, 1), (Folios { aborted: 1, skipped: 7 }, Vec::new()));
    }
}
