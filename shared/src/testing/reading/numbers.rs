//! The numbers that begin at a word, in every reading: `treinta y cuatro` is 30 and 34.

use super::words::{Part, Word};

/// A reading: the last word, and the number.
type Number = (usize, usize);

/// The digits as which the words from `start` on can be read, each with the last of those words.
pub(super) fn numbers(words: &[Word], start: usize) -> Vec<(usize, String)> {
    let mut found: Vec<(usize, String)> =
        below_million(words, start).into_iter().map(|(end, number)| (end, number.to_string())).collect();
    for part in &words[start].parts {
        match part {
            Part::Digits(digits) => found.push((start, digits.clone())),
            Part::Multiple(times) => {
                let once = words.get(start + 1).and_then(|word| word.part(repeatable));
                found.extend(once.map(|digits| (start + 1, digits.repeat(*times))));
            }
            _ => {}
        }
    }
    found.sort_unstable();
    found.dedup();
    found
}

fn repeatable(part: &Part) -> Option<String> {
    match part {
        Part::Unit(unit) => Some(unit.to_string()),
        Part::Digits(digits) => Some(digits.clone()),
        _ => None,
    }
}

fn unit(part: &Part) -> Option<usize> {
    match part {
        Part::Unit(unit) => Some(*unit),
        Part::Digits(digits) if digits.len() == 1 => digits.parse().ok(),
        _ => None,
    }
}

/// A number in digits that a thousand may follow.
fn written(part: &Part) -> Option<usize> {
    match part {
        Part::Digits(digits) if digits.len() <= 3 => digits.parse().ok(),
        _ => None,
    }
}

/// The word after this one, or the one after `y`.
fn next(words: &[Word], place: usize) -> usize {
    let has_and = words.get(place + 1).is_some_and(|word| matches!(word.text.as_str(), "y" | "i" | "and"));
    place + 1 + usize::from(has_and)
}

fn below_hundred(words: &[Word], start: usize) -> Vec<Number> {
    let Some(word) = words.get(start) else { return Vec::new() };
    let mut found = Vec::new();
    found.extend(word.part(unit).map(|unit| (start, unit)));
    for part in &word.parts {
        match part {
            Part::Teen(teen) => found.push((start, *teen)),
            Part::Ten(ten) => {
                found.push((start, ten * 10));
                let place = next(words, start);
                let unit = words.get(place).and_then(|word| word.part(unit)).filter(|unit| *unit > 0);
                found.extend(unit.map(|unit| (place, ten * 10 + unit)));
            }
            _ => {}
        }
    }
    found
}

fn below_thousand(words: &[Word], start: usize) -> Vec<Number> {
    let mut found = below_hundred(words, start);
    let Some(word) = words.get(start) else { return found };
    found.extend(word.part(written).map(|number| (start, number)));
    let hundred = |part: &Part| if let Part::Hundred(hundred) = part { Some(hundred * 100) } else { None };
    if let Some(hundred) = word.part(hundred) {
        found.push((start, hundred));
        let rest = below_hundred(words, next(words, start));
        found.extend(rest.into_iter().map(|(end, rest)| (end, hundred + rest)));
    }
    found
}

fn below_million(words: &[Word], start: usize) -> Vec<Number> {
    let mut found = below_thousand(words, start);
    let heads = found.iter().map(|(end, number)| (end + 1, *number));
    let heads: Vec<Number> = heads.chain([(start, 1)]).collect();
    for (place, thousands) in heads {
        if words.get(place).is_some_and(|word| word.parts.contains(&Part::Thousand)) {
            found.push((place, thousands * 1000));
            let rest = below_thousand(words, place + 1);
            found.extend(rest.into_iter().map(|(end, rest)| (end, thousands * 1000 + rest)));
        }
    }
    found
}
