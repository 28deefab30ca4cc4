//! The forms in which a telephone number of ten digits is said or written, one function each.
//!
//! A form gives one text a turn: those that are told in pieces give several.

use rand::RngExt;
use rand::rngs::Xoshiro256PlusPlus;

use super::words::{self, Tens};
use crate::dice;

type Rng = Xoshiro256PlusPlus;

/// A form in which a number is said.
#[derive(Clone, Copy)]
pub struct Form {
    /// How it is called where a test names it.
    pub name: &'static str,
    say: fn(&str, &mut Rng) -> Vec<String>,
}

impl std::fmt::Debug for Form {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_tuple("Form").field(&self.name).finish()
    }
}

impl Form {
    /// The number in this form, one text a turn; the same seed gives the same texts.
    ///
    /// # Panics
    /// If the number is not ten digits.
    #[must_use]
    pub fn say(&self, number: &str, seed: u64) -> Vec<String> {
        assert!(number.len() == 10 && number.bytes().all(|byte| byte.is_ascii_digit()), "ten digits");
        (self.say)(number, &mut dice::rng(seed, self.name, 0))
    }
}

/// Builds the table; a form that is told at once gives one text.
macro_rules! forms {
    ($($name:literal: |$number:ident, $rng:pat_param| $text:expr;)*; $($pieces:literal: |$of:ident, $dice:pat_param| $texts:expr;)*) => {
        /// Every form.
        pub const FORMS: &[Form] = &[
            $(Form { name: $name, say: |$number, $rng| vec![$text] },)*
            $(Form { name: $pieces, say: |$of, $dice| $texts },)*
        ];
    };
}

forms! {
    "plain": |n, _| n.to_owned();
    "2-4-4": |n, _| grouped(n, TRUNK, " ");
    "3-3-4": |n, _| grouped(n, THREES, " ");
    "pairs": |n, _| grouped(n, PAIRS, " ");
    "2-8": |n, _| grouped(n, &[2, 8], " ");
    "5-5": |n, _| grouped(n, &[5, 5], " ");
    "hyphens": |n, _| grouped(n, THREES, "-");
    "points": |n, _| grouped(n, TRUNK, ".");
    "slashes": |n, _| grouped(n, PAIRS, "/");
    "no-break spaces": |n, _| grouped(n, TRUNK, "\u{a0}");
    "dashes": |n, _| grouped(n, TRUNK, " – ");
    "line breaks": |n, _| grouped(n, TRUNK, "\n");
    "invisible characters": |n, _| grouped(n, PAIRS, "\u{200b}");
    "area code in parentheses": |n, _| format!("({}) {}-{}", &n[..2], &n[2..6], &n[6..]);
    "digit by digit": |n, _| grouped(n, ONES, " ");
    "digit by digit, commas": |n, _| grouped(n, ONES, ", ");
    "+52": |n, _| format!("+52 {}", grouped(n, TRUNK, " "));
    "+52 1": |n, _| format!("+52 1 {}", grouped(n, PAIRS, " "));
    "521": |n, _| format!("521{n}");
    "0052": |n, _| format!("0052{n}");
    "01": |n, _| format!("01 {}", grouped(n, TRUNK, " "));
    "044": |n, _| format!("044 {}", grouped(n, TRUNK, " "));
    "045": |n, _| format!("045 {n}");
    "link": |n, _| format!("https://wa.me/521{n}");
    "spoken hyphens": |n, _| grouped(n, TRUNK, " guion ");
    "spoken points": |n, _| grouped(n, TRUNK, " punto ");
    "spoken slashes": |n, _| grouped(n, TRUNK, " diagonal ");
    "spoken commas": |n, _| grouped(n, TRUNK, " coma ");
    "devanagari": |n, _| in_script(n, 0x966);
    "arabic": |n, _| in_script(n, 0x660);
    "full width": |n, _| in_script(n, 0xff10);
    "mathematical": |n, rng| in_script(n, [0x1d7ce, 0x1d7d8, 0x1d7e2, 0x1d7ec, 0x1d7f6][rng.random_range(0..5)]);
    "circled": |n, _| n.chars().map(|c| if c == '0' { '⓪' } else { shifted(c, 0x245f) }).collect();
    "superscript": |n, _| n.bytes().map(|byte| SUPERSCRIPT[usize::from(byte - b'0')]).collect();
    "keycaps": |n, _| n.chars().flat_map(|c| [c, '\u{fe0f}', '\u{20e3}']).collect();
    "letters like digits": |n, rng| like_digits(n, rng);
    "words": |n, _| words::one_by_one(n, " ");
    "words, 2-4-4": |n, _| each(n, TRUNK, ", ", |group| words::one_by_one(group, " "));
    "words, 3-3-4": |n, _| each(n, THREES, ". ", |group| words::one_by_one(group, " "));
    "words, hyphens": |n, _| words::one_by_one(n, "-");
    "words, points": |n, _| words::one_by_one(n, "... ");
    "words in capitals": |n, _| words::one_by_one(n, " ").to_uppercase();
    "tens with y": |n, _| each(n, PAIRS, " ", |group| words::as_number(group, Tens::Joined));
    "tens with y, commas": |n, _| each(n, PAIRS, ", ", |group| words::as_number(group, Tens::Joined));
    "tens without y": |n, _| each(n, PAIRS, ", ", |group| words::as_number(group, Tens::Bare));
    "tens run together": |n, _| each(n, PAIRS, " ", |group| words::as_number(group, Tens::RunTogether));
    "hundreds": |n, _| each(n, &[3, 3, 2, 2], ", ", |group| words::as_number(group, Tens::Joined));
    "hundreds without y": |n, _| each(n, &[3, 3, 2, 2], " ", |group| words::as_number(group, Tens::Bare));
    "thousands": |n, _| each(n, TRUNK, ", ", |group| words::as_number(group, Tens::Joined));
    "doubles and triples": |n, _| words::with_multiples(n);
    "digits and words": |n, rng| mixed(n, rng);
    "digits and words, one by one": |n, _| alternating(n);
    "area code named": |n, _| format!("lada {}, número {}", &n[..2], grouped(&n[2..], &[4, 4], " "));
    "area code named in words": |n, _| format!(
        "con lada {}, el {}",
        words::as_number(&n[..2], Tens::Joined),
        each(&n[2..], &[2; 4], " ", |group| words::as_number(group, Tens::Joined))
    );
    "+52 in words": |n, _| format!("más cincuenta y dos, {}", words::one_by_one(n, " "));
    "english": |n, _| words::in_english(n, false);
    "english with oh": |n, _| each(n, THREES, ", ", |group| words::in_english(group, true));
    "fillers": |n, rng| filled(n, rng, str::to_owned);
    "fillers, words": |n, rng| filled(n, rng, |group| words::one_by_one(group, " "));
    "fillers, tens": |n, rng| filled(n, rng, |group| words::as_number(group, Tens::Joined));
    "connectives": |n, _| format!("{}, luego {}, y después {}", &n[..2], &n[2..6], &n[6..]);
    "groups repeated": |n, _| each(n, PAIRS, ", ", |group| format!("{group}, {group}"));
    "said twice": |n, _| format!("{}, o sea, {}", grouped(n, TRUNK, " "), words::one_by_one(n, " "));
    "corrected": |n, _| corrected(n, str::to_owned);
    "corrected, words": |n, _| corrected(n, |group| words::one_by_one(group, " "));
    "without area code": |n, _| grouped(&n[2..], &[4, 4], " ");
    "without area code, words": |n, _| each(&n[2..], &[2; 4], " ", |group| words::as_number(group, Tens::Joined));
    ;
    "two turns": |n, _| pieces(n, &[6, 4], |piece| grouped(piece, &[2; 3], " "));
    "two turns, area code first": |n, _| pieces(n, &[2, 8], str::to_owned);
    "two turns, words": |n, _| pieces(n, &[5, 5], |piece| words::one_by_one(piece, " "));
    "two turns, digits and words": |n, _| vec![grouped(&n[..6], &[2; 3], " "), words::one_by_one(&n[6..], " ")];
    "two turns that overlap": |n, _| vec![grouped(&n[..6], PAIRS, " "), grouped(&n[4..], &[2; 3], " ")];
    "three turns": |n, _| pieces(n, THREES, str::to_owned);
    "three turns, words": |n, _| pieces(n, TRUNK, |piece| words::one_by_one(piece, " "));
    "three turns, tens": |n, _| pieces(n, &[4, 4, 2], |piece| {
        each(piece, &[2; 2], " ", |group| words::as_number(group, Tens::Joined))
    });
}

const ONES: &[usize] = &[1; 10];
const PAIRS: &[usize] = &[2; 5];
const TRUNK: &[usize] = &[2, 4, 4];
const THREES: &[usize] = &[3, 3, 4];

const SUPERSCRIPT: [char; 10] = ['⁰', '¹', '²', '³', '⁴', '⁵', '⁶', '⁷', '⁸', '⁹'];

const FILLERS: &[&str] = &[
    ", este, ",
    ", eh, ",
    "… a ver… ",
    ", espéreme, ",
    ", mmm, ",
    ", ¿sí?, ",
    ", es que no me lo sé, ",
    ", perdón, ",
    " y luego ",
    " - déjeme ver - ",
];

/// The number cut into groups of these lengths; of a shorter number, the first of them.
fn groups<'a>(number: &'a str, lengths: &'a [usize]) -> impl Iterator<Item = &'a str> {
    let mut rest = number;
    lengths.iter().map_while(move |length| {
        let (group, after) = rest.split_at_checked(*length).unwrap_or((rest, ""));
        rest = after;
        (!group.is_empty()).then_some(group)
    })
}

fn grouped(number: &str, lengths: &[usize], separator: &str) -> String {
    each(number, lengths, separator, str::to_owned)
}

fn each(number: &str, lengths: &[usize], separator: &str, say: impl Fn(&str) -> String) -> String {
    pieces(number, lengths, say).join(separator)
}

fn pieces(number: &str, lengths: &[usize], say: impl Fn(&str) -> String) -> Vec<String> {
    groups(number, lengths).map(say).collect()
}

/// The character so far after the one of zero.
fn shifted(digit: char, zero: u32) -> char {
    char::from_u32(zero + digit.to_digit(10).expect("a digit")).expect("every script has ten in a row")
}

fn in_script(number: &str, zero: u32) -> String {
    number.chars().map(|digit| shifted(digit, zero)).collect()
}

/// Some of the digits after the first three as the letters that speech and character recognition take for them.
fn like_digits(number: &str, rng: &mut Rng) -> String {
    let letter = |digit, rng: &mut Rng| match digit {
        '0' => 'O',
        '1' if rng.random_bool(0.5) => 'l',
        '1' => 'I',
        '5' => 'S',
        '8' => 'B',
        other => other,
    };
    let is_replaced = |place: usize| place >= 3 && place % 2 == 1;
    number.chars().enumerate().map(|(place, c)| if is_replaced(place) { letter(c, rng) } else { c }).collect()
}

/// Pairs, some as digits and some as words, as speech recognition writes what is dictated.
fn mixed(number: &str, rng: &mut Rng) -> String {
    let offset = rng.random_range(0..3);
    let said = groups(number, PAIRS).enumerate().map(|(place, group)| match (place + offset) % 3 {
        0 => group.to_owned(),
        1 => words::as_number(group, Tens::Joined),
        _ => words::one_by_one(group, " "),
    });
    said.collect::<Vec<_>>().join(" ")
}

fn alternating(number: &str) -> String {
    let said = groups(number, ONES)
        .enumerate()
        .map(|(place, digit)| if place % 2 == 0 { words::one_by_one(digit, "") } else { digit.to_owned() });
    said.collect::<Vec<_>>().join(" ")
}

/// Groups with what people say between them.
fn filled(number: &str, rng: &mut Rng, say: impl Fn(&str) -> String) -> String {
    let lengths = dice::pick(rng, &[PAIRS, TRUNK, THREES]);
    let mut text = String::new();
    for (place, group) in groups(number, lengths).enumerate() {
        if place > 0 {
            text.push_str(dice::pick(rng, FILLERS));
        }
        text.push_str(&say(group));
    }
    text
}

/// One pair said wrongly at first.
fn corrected(number: &str, say: impl Fn(&str) -> String) -> String {
    let wrong: String =
        number[4..6].chars().rev().map(|c| if c == '9' { '0' } else { shifted(c, 0x31) }).collect();
    let (before, after) = (say(&number[..4]), say(&number[4..]));
    format!("{before} {}, no, perdón, {after}", say(&wrong))
}
