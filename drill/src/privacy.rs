//! Private data is planted in every call; it must be in no log, no table and no queue.

use std::collections::{BTreeSet, HashMap};
use std::path::Path;

use serde_json::Value;
use simulator::Simulator;

use crate::stage::{KEY, Stage};

/// The last bytes of a word, by which it is looked up; no word is shorter.
const TAIL: usize = 8;

/// Digits of a Mexican number.
const NUMBER: usize = 10;

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
    let mut look = |place: &str, text: &str| {
        wrong.extend(words.found(text).iter().map(|word| format!("{place} holds {word}")));
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

/// A caller's own number, however it was written, in what is stored of the call.
async fn numbers_spoken(stage: &Stage) -> anyhow::Result<Vec<String>> {
    let mut wrong = Vec::new();
    let query = "(SELECT id_eleven, transcripcion, resumen, datos, id_extorsion, modo, tiempo, lugar \
                 FROM conversaciones LEFT JOIN reportes USING (id_conversacion))";
    for row in stage.ledger.rows(query).await? {
        let row: Value = serde_json::from_str(&row)?;
        let Some(id) = row["id_eleven"].as_str() else { continue };
        let spoken: Vec<(&String, String)> = row
            .as_object()
            .into_iter()
            .flatten()
            .filter(|(column, _)| *column != "id_eleven")
            .flat_map(|(column, value)| {
                let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
                digit_runs(&text).into_iter().map(move |run| (column, run))
            })
            .filter(|(_, run)| run.len() >= NUMBER)
            .collect();
        // To invent a call again takes longer than to read all of its row: few have so many digits.
        if spoken.is_empty() {
            continue;
        }
        let Some(number) = caller(&stage.simulator, id) else { continue };
        let found = spoken.iter().filter(|(_, run)| run.contains(&number));
        wrong.extend(found.map(|(column, _)| format!("{id}: its caller's number stands in {column}")));
    }
    Ok(wrong)
}

/// The caller's number, without the country's.
fn caller(simulator: &Simulator, id: &str) -> Option<String> {
    let detail = simulator.conversation_json(id)?;
    let number = detail.pointer("/metadata/phone_call/external_number")?.as_str()?;
    let digits: String = number.chars().filter(char::is_ascii_digit).collect();
    digits.len().checked_sub(NUMBER).map(|from| digits[from..].to_owned())
}

/// The digits of a text, in runs: no more than two other characters stand between two of them.
fn digit_runs(text: &str) -> Vec<String> {
    let (mut runs, mut gap) = (vec![String::new()], 0);
    for character in text.chars() {
        if !character.is_ascii_digit() {
            gap += 1;
            continue;
        }
        if gap > 2 {
            runs.push(String::new());
        }
        if let Some(run) = runs.last_mut() {
            run.push(character);
        }
        gap = 0;
    }
    runs
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
    fn a_number_is_found_however_it_is_written() {
        for text in
            ["es el 55 1234 5678, gracias", "(55) 12-34-56-78", "+525512345678", "5.5.1.2.3.4.5.6.7.8"]
        {
            assert!(digit_runs(text).iter().any(|run| run.contains("5512345678")), "{text}");
        }
        assert!(digit_runs("el 5512 y luego 345678").iter().all(|run| !run.contains("5512345678")));
    }
}
