//! The check: what the API lists, the rows, the book and the queues must be one account, call by call.

use std::collections::{BTreeMap, BTreeSet};

use shared::queue::Destination;

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
        Ok(Self { listed, stored: stage.ledger.stored().await?, book: stage.ledger.book().await? })
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
            if row.folios.len() != 1 {
                wrong.push(format!("{id}: stored with {} reports: {:?}", row.folios.len(), row.folios));
            }
            match self.book.get(id) {
                Some(Entry::Open) => {}
                Some(entry) => wrong.push(format!("{id}: stored, and {entry:?} in the book")),
                None => wrong.push(format!("{id}: stored, and not in the book")),
            }
        }
        let unlisted = self.book.keys().filter(|id| !self.listed.contains(*id));
        wrong.extend(unlisted.map(|id| format!("{id}: in the book, and not listed")));
        wrong
    }
}

/// What lies among the dead letters, against the book. A second copy of one counts as one: dead letters count by id.
///
/// # Errors
/// The broker does not answer.
pub async fn compare_queues(stage: &Stage, books: &Books) -> anyhow::Result<(Vec<String>, Vec<String>)> {
    let mut wrong = Vec::new();
    // What the broker itself says of all of its queues, those included that nobody should have made.
    let listing = stage.servers.broker("ctl", &["--silent", "list_queues", "name", "messages"]).await?;
    let broker = stage.broker().await?;
    let dead_queue = broker.topology().queue(Destination::Dead);
    let mut count = 0;
    for line in listing.lines() {
        match line.split_once('\t').map(|(name, messages)| (name, messages.trim().parse::<usize>())) {
            Some((name, Ok(messages))) if name == dead_queue => count = messages,
            Some((_, Ok(0))) => {}
            _ => wrong.push(format!("a queue that should be empty: {line}")),
        }
    }
    let mut letters = broker.subscribe_to_dead(u16::MAX).await?;
    let mut messages = Vec::new();
    for _ in 0..count {
        messages.push(letters.next().await?.message);
    }
    broker.close().await;
    let lying: BTreeSet<String> = messages.iter().map(shared::queue::Message::book_id).collect();
    let booked: BTreeSet<String> = books.dead().cloned().collect();
    wrong.extend(
        lying.difference(&booked).map(|id| format!("{id}: in {dead_queue}, and not dead in the book")),
    );
    wrong.extend(
        booked.difference(&lying).map(|id| format!("{id}: dead in the book, and not in {dead_queue}")),
    );
    if messages.len() != lying.len() {
        wrong.push(format!("{} messages of {} calls in {dead_queue}", messages.len(), lying.len()));
    }
    let text = messages
        .iter()
        .map(|message| format!("{} {:?}", String::from_utf8_lossy(message.body()), message.failure))
        .collect();
    Ok((wrong, text))
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
            listed: listed.iter().map(|id| (*id).to_owned()).collect(),
            stored: stored.iter().map(|(id, folios)| ((*id).to_owned(), row(folios))).collect(),
            book: book.iter().map(|(id, entry)| ((*id).to_owned(), *entry)).collect(),
        }
    }

    #[test]
    fn an_exact_account_has_no_discrepancy() {
        let book = [("a", Entry::Open), ("b", Entry::Dead), ("c", Entry::Discarded)];
        assert!(books(&["a", "b", "c"], &[("a", &[1])], &book).discrepancies().is_empty());
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
