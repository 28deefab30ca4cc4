//! The words of a text, folded, and what of a number each may be.

/// What of a number a word may be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Part {
    /// Digits as they are.
    Digits(String),
    Unit(usize),
    /// 10 to 29, and a ten that is written together with its unit.
    Teen(usize),
    Ten(usize),
    Hundred(usize),
    Thousand,
    /// `doble`, `triple`.
    Multiple(usize),
}

const UNITS: [&[&str]; 10] = [
    &["cero", "zero", "oh", "o"],
    &["uno", "un", "una", "one", "i", "l"],
    &["dos", "two"],
    &["tres", "three"],
    &["cuatro", "four"],
    &["cinco", "sinco", "five", "s"],
    &["seis", "six"],
    &["siete", "seven"],
    &["ocho", "eight", "b"],
    &["nueve", "nine"],
];

const TEENS: [&[&str]; 20] = [
    &["diez", "ten"],
    &["once", "eleven"],
    &["doce", "dose", "twelve"],
    &["trece", "thirteen"],
    &["catorce", "fourteen"],
    &["quince", "fifteen"],
    &["dieciseis", "diesiseis", "sixteen"],
    &["diecisiete", "seventeen"],
    &["dieciocho", "eighteen"],
    &["diecinueve", "nineteen"],
    &[],
    &["veintiuno", "veintiun", "veintiuna"],
    &["veintidos"],
    &["veintitres"],
    &["veinticuatro"],
    &["veinticinco"],
    &["veintiseis"],
    &["veintisiete"],
    &["veintiocho"],
    &["veintinueve"],
];

const TENS: [&[&str]; 10] = [
    &[],
    &[],
    &["veinte", "twenty"],
    &["treinta", "thirty"],
    &["cuarenta", "forty"],
    &["cincuenta", "cinquenta", "sincuenta", "fifty"],
    &["sesenta", "sixty"],
    &["setenta", "seventy"],
    &["ochenta", "eighty"],
    &["noventa", "ninety"],
];

const HUNDREDS: [&str; 10] = [
    "",
    "cien",
    "doscient",
    "trescient",
    "cuatrocient",
    "quinient",
    "seiscient",
    "setecient",
    "ochocient",
    "novecient",
];

/// Words that are numbers seldom, and may be skipped between others.
const SELDOM: [&str; 9] = ["un", "una", "uno", "o", "oh", "i", "l", "s", "b"];

/// A word: its letters without accents in lower case, its digits of any script as ASCII.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Word {
    pub(super) text: String,
    pub(super) parts: Vec<Part>,
}

impl Word {
    fn new(text: String) -> Self {
        Self { parts: parts(&text), text }
    }

    /// What `of` says of the first part of which it says anything.
    pub(super) fn part<T>(&self, of: impl Fn(&Part) -> Option<T>) -> Option<T> {
        self.parts.iter().find_map(of)
    }

    /// Is it a number wherever it stands?
    pub(super) fn is_number(&self) -> bool {
        !self.parts.is_empty() && !SELDOM.contains(&self.text.as_str())
    }
}

/// The words of a text.
pub(super) fn words(text: &str) -> Vec<Word> {
    let mut folded = String::with_capacity(text.len());
    for character in text.chars() {
        fold(character, &mut folded);
    }
    folded.split_whitespace().flat_map(split).map(Word::new).collect()
}

/// A run of letters and digits is one word if all of it can be digits, and otherwise one for each change of the two.
fn split(run: &str) -> Vec<String> {
    let has_digit = run.bytes().any(|byte| byte.is_ascii_digit());
    if !has_digit || run.chars().all(|c| like_digit(c).is_some()) {
        return vec![run.to_owned()];
    }
    let characters: Vec<char> = run.chars().collect();
    let chunks = characters.chunk_by(|one, next| one.is_ascii_digit() == next.is_ascii_digit());
    chunks.map(|chunk| chunk.iter().collect()).collect()
}

fn like_digit(character: char) -> Option<char> {
    match character {
        '0'..='9' => Some(character),
        'o' => Some('0'),
        'i' | 'l' => Some('1'),
        's' => Some('5'),
        'b' => Some('8'),
        _ => None,
    }
}

fn parts(word: &str) -> Vec<Part> {
    if word.bytes().any(|byte| byte.is_ascii_digit()) {
        return vec![Part::Digits(word.chars().filter_map(like_digit).collect())];
    }
    let named = |names: &[&[&str]]| names.iter().position(|names| names.contains(&word));
    let hundred = HUNDREDS.iter().skip(1).position(|stem| {
        word.strip_prefix(stem).is_some_and(|end| matches!(end, "" | "to" | "os" | "as" | "ito"))
    });
    let found = [
        named(&UNITS).map(Part::Unit),
        named(&TEENS).map(|place| Part::Teen(place + 10)),
        named(&TENS).map(Part::Ten),
        run_together(word).map(Part::Teen),
        hundred.map(|place| Part::Hundred(place + 1)),
        matches!(word, "mil" | "thousand").then_some(Part::Thousand),
        matches!(word, "doble" | "double").then_some(Part::Multiple(2)),
        (word == "triple").then_some(Part::Multiple(3)),
        joined(word).map(Part::Digits),
    ];
    found.into_iter().flatten().collect()
}

/// `cincuentaicinco`, `cincuentaycinco`
fn run_together(word: &str) -> Option<usize> {
    TENS.iter().enumerate().find_map(|(ten, names)| {
        let rest = names.iter().find_map(|name| word.strip_prefix(name))?;
        let rest = rest.strip_prefix(['i', 'y']).unwrap_or(rest);
        let unit = UNITS.iter().position(|names| names.contains(&rest) && rest.len() > 2)?;
        Some(ten * 10 + unit)
    })
}

/// `cincocincouno`
fn joined(word: &str) -> Option<String> {
    let (mut rest, mut digits) = (word, String::new());
    while !rest.is_empty() {
        let (digit, name) = UNITS.iter().zip('0'..='9').find_map(|(names, digit)| {
            names.iter().find(|name| name.len() > 2 && rest.starts_with(**name)).map(|name| (digit, name))
        })?;
        digits.push(digit);
        rest = &rest[name.len()..];
    }
    (digits.len() > 1).then_some(digits)
}

/// The first digits of scripts that have ten in a row, and of those that begin with one.
const ZEROS: [u32; 31] = [
    0x660, 0x6f0, 0x7c0, 0x966, 0x9e6, 0xa66, 0xae6, 0xb66, 0xbe6, 0xc66, 0xce6, 0xd66, 0xe50, 0xed0, 0xf20,
    0x1040, 0x17e0, 0x1810, 0x2080, 0xff10, 0x1d7ce, 0x1d7d8, 0x1d7e2, 0x1d7ec, 0x1d7f6, 0x1_f101, 0x1_fbf0,
    0x104a0, 0x11066, 0x1e950, 0x2070,
];
const ONES: [u32; 5] = [0x2460, 0x2474, 0x2488, 0x2776, 0x2780];

fn digit(character: char) -> Option<char> {
    match character {
        '¹' => return Some('1'),
        '²' => return Some('2'),
        '³' => return Some('3'),
        '⓪' | '⓿' => return Some('0'),
        _ => {}
    }
    let code = u32::from(character);
    let from =
        |first: u32, least: u32| code.checked_sub(first).map(|digit| digit + least).filter(|d| *d < 10);
    let zeros = ZEROS.iter().find_map(|zero| from(*zero, 0));
    let digit = zeros.or_else(|| ONES.iter().find_map(|one| from(*one, 1)));
    digit.and_then(|digit| char::from_digit(digit, 10))
}

fn fold(character: char, folded: &mut String) {
    match character {
        _ if is_invisible(character) => {}
        'á' | 'Á' => folded.push('a'),
        'é' | 'É' => folded.push('e'),
        'í' | 'Í' => folded.push('i'),
        'ó' | 'Ó' => folded.push('o'),
        'ú' | 'Ú' | 'ü' | 'Ü' => folded.push('u'),
        _ if character.is_ascii_alphanumeric() => folded.push(character.to_ascii_lowercase()),
        _ => match digit(character) {
            Some(digit) => folded.push(digit),
            None if character.is_alphanumeric() => folded.extend(character.to_lowercase()),
            None => folded.push(' '),
        },
    }
}

/// Invisible characters, combining marks, and what makes a digit a keycap.
fn is_invisible(character: char) -> bool {
    matches!(character,
        '\0' | '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
        | '\u{300}'..='\u{36f}' | '\u{fe00}'..='\u{fe0f}' | '\u{20e3}' | '\u{feff}')
}
