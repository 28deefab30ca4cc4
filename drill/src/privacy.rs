//! Private data is planted in every call; it must be in no log, no table and no queue.

use std::collections::{BTreeSet, HashMap};
use std::path::Path;

use serde_json::Value;
use shared::testing::reading::{Said, spoken_runs};
use simulator::Planted;

use crate::stage::{KEY, Stage};

/// The last bytes of a word, by which it is looked up; no word is shorter.
const TAIL: usize = 8;

/// A panic that was logged: nothing private, and nothing that should be there either.
const PANIC: &str = "panicked at";

/// Finds any of many words in one go.
#[derive(Debug, Default)]
pub struct Search {
    by_tail: HashMap<[u8; TAIL], Vec<Vec<u8>>>,
}

impl Search {
    /// A search for these words; those that are too short to be told from others are left out.
    #[must_use]
    pub fn of(words: impl IntoIterator<Item = String>) -> Self {
        let mut by_tail: HashMap<_, Vec<_>> = HashMap::new();
        for word in words.into_iter().map(String::into_bytes) {
            if let Some(tail) = word.last_chunk() {
                by_tail.entry(*tail).or_default().push(word);
            }
        }
        Self { by_tail }
    }

    /// The words that stand in a text.
    #[must_use]
    pub fn found(&self, text: &str) -> BTreeSet<String> {
        let bytes = text.as_bytes();
        let mut found = BTreeSet::new();
        for (at, tail) in bytes.windows(TAIL).enumerate() {
            let Some(words) = <&[u8; TAIL]>::try_from(tail).ok().and_then(|tail| self.by_tail.get(tail))
            else {
                continue;
            };
            let ending = words.iter().filter(|word| bytes[..at + TAIL].ends_with(word));
            found.extend(ending.map(|word| String::from_utf8_lossy(word).into_owned()));
        }
        found
    }
}

/// Searches everything that was kept; names what was found, and where.
///
/// # Errors
/// Something cannot be read.
pub async fn search(stage: &Stage, letters: &[String]) -> anyhow::Result<Vec<String>> {
    let words = Search::of(stage.simulator.canaries().into_iter().chain([KEY, PANIC].map(str::to_owned)));
    let mut wrong = Vec::new();
    let numbers = Search::of(stage.simulator.caller_numbers());
    let mut look = |place: &str, text: &str| {
        wrong.extend(words.found(text).iter().map(|word| format!("{place} holds {word}")));
        let spoken = numbers.found(&spoken_runs(text));
        wrong.extend(spoken.iter().map(|number| format!("{place} holds {number} in words")));
    };
    for letter in letters {
        look("the queue of dead letters", letter);
    }
    for table in stage.ledger.tables().await? {
        for row in stage.ledger.rows(&table).await? {
            look(&format!("table {table}"), &row);
        }
    }
    for (place, text) in logs(&stage.servers.logs())? {
        look(&place, &text);
    }
    wrong.extend(numbers_spoken(stage).await?);
    Ok(wrong)
}

/// Every log file, with its name. Those of servers may hold bytes that are no text.
fn logs(folder: &Path) -> anyhow::Result<Vec<(String, String)>> {
    let mut logs = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_file() {
            logs.push((
                path.display().to_string(),
                String::from_utf8_lossy(&std::fs::read(&path)?).into_owned(),
            ));
        } else if path.file_name().is_some_and(|name| name == "rabbitmq") {
            logs.extend(self::logs(&path)?);
        }
    }
    Ok(logs)
}

/// A caller's own number, however it was said, in what is stored of the call; and what of others' numbers and sums was lost.
async fn numbers_spoken(stage: &Stage) -> anyhow::Result<Vec<String>> {
    let mut wrong = Vec::new();
    let query = "(SELECT * FROM conversaciones LEFT JOIN reportes USING (id_conversacion))";
    for row in stage.ledger.rows(query).await? {
        let row: Value = serde_json::from_str(&row)?;
        let Some(id) = row["id_eleven"].as_str() else { continue };
        let Some(planted) = stage.simulator.planted(id) else { continue };
        let Planted { line, told, kept, stranger, .. } = &planted;
        let said = Said { line: line.as_deref(), told, kept, stranger: stranger.as_deref() };
        wrong.extend(said.wrong_in(&row).into_iter().map(|what| format!("{id}: {what}")));
    }
    Ok(wrong)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_search_finds_what_it_is_for() {
        let search = Search::of(["Zutano-0123456789ab", "5512345678"].map(str::to_owned));
        let text = "…\"Zutano-0123456789ab\", +525512345678";
        assert_eq!(search.found(text).len(), 2);
        assert!(search.found("Fulano-0123456789ab, 551234567").is_empty());
    }

    #[test]
    fn a_number_in_words_is_found() {
        let search = Search::of(["5512345678".to_owned()]);
        let text = "[1.0s] cinco cinco, doce, treinta y cuatro, cincuenta y seis, siete ocho";
        assert_eq!(search.found(&spoken_runs(text)).len(), 1);
        assert!(search.found(&spoken_runs("2026-11-28T06:00:55 1234 5678")).is_empty());
    }
}
