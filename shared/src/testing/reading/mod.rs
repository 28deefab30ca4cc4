//! Readings: every way in which a text can be read as a telephone number, to see whether a line is still told by it.
//!
//! It shares nothing with the matcher that masks: a table of its own, and no barriers. It takes more for a number than
//! the matcher has to, since whoever reads a row reads it with the wish to find one.

mod numbers;
mod row;
mod words;

use numbers::numbers;
pub use row::Said;
use serde_json::Value;
use words::{Word, words};

/// A line is told by so many of its digits in a row.
pub const TELLING: usize = 7;

/// So many other words may stand between two groups of a number.
const MAX_OTHERS: usize = 8;

/// So many words at all may stand between them: others, and what is said twice or wrongly.
const MAX_BETWEEN: usize = 20;

/// What people say when they correct themselves: numbers beside it may be left out.
const CORRECTIONS: [&str; 8] = ["no", "perdon", "digo", "corrijo", "miento", "dicho", "equivoque", "sorry"];

/// Digits that words from `start` to `end` can be read as.
#[derive(Debug)]
struct Piece {
    start: usize,
    end: usize,
    digits: String,
}

/// A text, read.
#[derive(Debug)]
pub struct Reading {
    words: Vec<Word>,
    /// In the order of their starts.
    pieces: Vec<Piece>,
}

impl Reading {
    /// Reads a text.
    #[must_use]
    pub fn of(text: &str) -> Self {
        let words = words(text);
        let mut pieces = Vec::new();
        for start in 0..words.len() {
            for (end, digits) in numbers(&words, start) {
                pieces.push(Piece { start, end, digits });
            }
        }
        Self { words, pieces }
    }

    /// The digits in their longest reading, in runs: no more than a few other words stand between two of them.
    #[must_use]
    pub fn runs(&self) -> Vec<String> {
        let (mut runs, mut run, mut next) = (Vec::new(), String::new(), 0);
        while let Some(piece) = self.longest(next, self.words.len()) {
            if piece.start > next + MAX_OTHERS && !run.is_empty() {
                runs.push(std::mem::take(&mut run));
            }
            run.push_str(&piece.digits);
            next = piece.end + 1;
        }
        runs.push(run);
        runs
    }

    /// The longest of the pieces that start first, between two words; none of words that are numbers seldom.
    fn longest(&self, from: usize, to: usize) -> Option<&Piece> {
        let first = self.pieces.partition_point(|piece| piece.start < from);
        let mut pieces = self.pieces[first..]
            .iter()
            .take_while(|piece| piece.start < to)
            .filter(|piece| piece.end < to && self.words[piece.start].is_number());
        let begins = pieces.next()?;
        let others = pieces.take_while(|piece| piece.start == begins.start);
        others.chain([begins]).max_by_key(|piece| piece.end)
    }

    /// Can these digits be read in the text, in a row?
    #[must_use]
    pub fn tells(&self, digits: &str) -> bool {
        let mut reached: Vec<Vec<usize>> = Vec::with_capacity(self.pieces.len());
        for piece in &self.pieces {
            if piece.digits.contains(digits) {
                return true;
            }
            let ends = (0..piece.digits.len()).map(|from| &piece.digits[from..]);
            let mut counts: Vec<usize> = ends.filter(|end| digits.starts_with(end)).map(str::len).collect();
            for (before, told) in self.pieces[..reached.len()].iter().zip(&reached).rev() {
                if before.start + 2 * MAX_BETWEEN < piece.start {
                    break;
                }
                for count in told.iter().filter(|count| self.follows(before, piece, &digits[..**count])) {
                    let rest = &digits[*count..];
                    if piece.digits.starts_with(rest) {
                        return true;
                    }
                    if rest.starts_with(&piece.digits) {
                        counts.push(count + piece.digits.len());
                    }
                }
            }
            counts.sort_unstable();
            counts.dedup();
            reached.push(counts);
        }
        false
    }

    /// Can a piece go on after another, by which these digits are told? What stands between may be other words, the same
    /// digits once more, and beside a correction anything.
    fn follows(&self, before: &Piece, piece: &Piece, told: &str) -> bool {
        let Some(between) = self.words.get(before.end + 1..piece.start) else { return false };
        let others = between.iter().filter(|word| !word.is_number()).count();
        if between.len() > MAX_BETWEEN || others > MAX_OTHERS {
            return false;
        }
        others == between.len()
            || between.iter().any(|word| CORRECTIONS.contains(&word.text.as_str()))
            || told.ends_with(&self.between(before.end + 1, piece.start))
    }

    /// The digits of the words between.
    fn between(&self, from: usize, to: usize) -> String {
        let (mut digits, mut next) = (String::new(), from);
        while let Some(piece) = self.longest(next, to) {
            digits.push_str(&piece.digits);
            next = piece.end + 1;
        }
        digits
    }
}

/// The digits that the words of a text tell, in runs; of what is not said but written in digits, such as the times of a
/// log, nothing.
#[must_use]
pub fn spoken_runs(text: &str) -> String {
    let lines = text.lines().map(|line| line.replace(|c: char| c.is_ascii_digit(), " "));
    lines.map(|line| Reading::of(&line).runs().join(" ")).collect::<Vec<_>>().join("\n")
}

/// Does a column's text tell this line in any reading: seven of its digits in a row, in one turn, in all turns of one
/// speaker, or in all of them; in a JSON value also without its keys?
#[must_use]
pub fn tells_line(column: &str, line: &str) -> bool {
    views(column)
        .iter()
        .map(|view| Reading::of(view))
        .any(|reading| (TELLING..=line.len()).any(|end| reading.tells(&line[end - TELLING..end])))
}

/// The texts as which a column can be read.
fn views(column: &str) -> Vec<String> {
    if let Ok(value @ (Value::Array(_) | Value::Object(_))) = serde_json::from_str(column) {
        let mut values = String::new();
        gather(&value, &mut values);
        return vec![column.to_owned(), values];
    }
    let mut role = "";
    let turns = column.lines().map(|line| match turn(line) {
        Some((speaker, text)) => {
            role = speaker;
            (speaker, text)
        }
        None => (role, line),
    });
    let turns: Vec<(&str, &str)> = turns.collect();
    let joined = |wanted: Option<&str>| {
        let texts = turns.iter().filter(|(role, _)| wanted.is_none_or(|wanted| wanted == *role));
        texts.map(|(_, text)| *text).collect::<Vec<_>>().join(" … ")
    };
    [Some("AGENT"), Some("USER"), None].map(joined).into()
}

/// The speaker and the text of a line such as `[12.0s] USER: text`; any other belongs to the turn before it.
fn turn(line: &str) -> Option<(&str, &str)> {
    let (time, rest) = line.strip_prefix('[')?.split_once("] ")?;
    time.ends_with('s').then_some(())?;
    rest.split_once(": ")
}

fn gather(value: &Value, texts: &mut String) {
    match value {
        Value::Array(values) => values.iter().for_each(|value| gather(value, texts)),
        Value::Object(entries) => entries.values().for_each(|value| gather(value, texts)),
        Value::String(text) => texts.extend([text, " "]),
        Value::Number(number) => texts.extend([&number.to_string(), " "]),
        Value::Null | Value::Bool(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LINE: &str = "5512345678";

    fn assert_told(text: &str) {
        assert!(tells_line(text, LINE), "{text}: {:?}", Reading::of(text));
    }

    #[test]
    fn a_line_is_read_however_it_is_written() {
        for text in [
            "55 1234 5678",
            "(55) 12-34-56-78, gracias",
            "+5215512345678",
            "55 guion 1234 guion 5678",
            "cinco cinco, uno dos tres cuatro, cincuenta y seis setenta y ocho",
            "cincuenta y cinco doce, este, treinta y cuatro cincuenta y seis setenta y ocho",
            "cincuentaicinco doce treintaicuatro cincuentaiséis setentaiocho",
            "quinientos cincuenta y uno, doscientos treinta y cuatro, 56, 78",
            "cincuenta y cinco, mil doscientos treinta y cuatro, cinco mil seiscientos setenta y ocho",
            "doble cinco uno dos tres cuatro cinco seis siete ocho",
            "my number is five five one two three four five six seven eight",
            "55I2345678",
            "५५१२३४५६७८",
            "⑤⑤①②③④⑤⑥⑦⑧",
            "𝟝𝟝𝟙𝟚𝟛𝟜𝟝𝟞𝟟𝟠",
            "5\u{fe0f}\u{20e3}5️⃣1️⃣2️⃣3️⃣4️⃣5️⃣6️⃣7️⃣8️⃣",
            "55 12 43, no, perdón, 34 56 78",
            "55, 55, 12, 12, 34, 34, 56, 78",
            "cincocincounodostrescuatrocincoseissieteocho",
            "doce treinta y cuatro 5 6 7",
            r#"{"lada": "55", "x": null, "numero": 12345678}"#,
            r#"["55", "1234", {"a b c d e f g h i j k": 5678}]"#,
            "[1.0s] USER: 55 12 34\n[2.0s] AGENT: Sí, le escucho. 99\n[3.0s] USER: 56 78",
            "[1.0s] AGENT: ¿55 12?\n[2.0s] USER: 34\n[3.0s] AGENT: 34, ¿y?\n[3.5s] USER: 56 78",
        ] {
            assert_told(text);
        }
    }

    #[test]
    fn what_is_no_line_is_not_read_as_one() {
        for text in [
            "",
            "El 12 de marzo a las 5:51",
            "cinco millones quinientos doce mil pesos",
            "tarjeta 4152 3137 5512 3499",
            "me marcaron del 55 1234 9012",
            "cincuenta y cinco doce noventa y ocho setenta y seis cincuenta y cuatro",
            "[línea de quien llama]",
            "55 1234",
            "[55.0s] USER: hola\n[1234.0s] AGENT: 5678",
        ] {
            assert!(!tells_line(text, LINE), "{text}");
        }
    }

    #[test]
    fn runs_are_of_whole_numbers() {
        let runs = |text: &str| Reading::of(text).runs();
        assert_eq!(runs("son cincuenta y cinco, 12"), ["5512"]);
        assert_eq!(runs("5 a b c d e f g h i 6"), ["5", "6"]);
    }
}
