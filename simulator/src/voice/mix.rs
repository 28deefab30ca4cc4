//! Any form at all: groups, writing, separators, fillers and turns, each drawn for itself.

use rand::RngExt;
use rand::rngs::Xoshiro256PlusPlus;

use super::words::{self, Tens};
use crate::dice;

const SEPARATORS: &[&str] = &[
    " ",
    " ",
    " ",
    ", ",
    "-",
    ".",
    ". ",
    "/",
    "\u{a0}",
    "… ",
    " guion ",
    " punto ",
    " coma ",
    ", este, ",
    ", eh, ",
    ", a ver, ",
    ", espéreme, ",
    " y luego ",
];

const PREFIXES: &[&str] =
    &["", "", "", "", "+52 ", "+52 1 ", "01 ", "044 ", "045 ", "más cincuenta y dos, ", "lada "];

/// Zeros of scripts that have ten digits in a row.
const ZEROS: &[u32] =
    &[0x660, 0x6f0, 0x966, 0x9e6, 0xe50, 0xff10, 0x1d7ce, 0x1d7d8, 0x1d7e2, 0x1d7ec, 0x1d7f6];

/// A number in a form that is drawn, one text a turn; the same seed gives the same texts.
#[must_use]
pub fn any(number: &str, seed: u64) -> Vec<String> {
    let mut rng = dice::rng(seed, "any form", 0);
    let groups = groups(number, &mut rng);
    let usual = style(&mut rng);
    let separator = dice::pick(&mut rng, SEPARATORS);
    let turns: usize = [1, 1, 1, 2, 2, 3][rng.random_range(0..6)];
    let mut texts = Vec::new();
    let mut text = dice::pick(&mut rng, PREFIXES).to_owned();
    for (place, group) in groups.iter().enumerate() {
        if place > 0 {
            if texts.len() + 1 < turns && place * turns >= (texts.len() + 1) * groups.len() {
                texts.push(std::mem::take(&mut text));
            } else {
                let is_other = rng.random_ratio(1, 4);
                text.push_str(if is_other { dice::pick(&mut rng, SEPARATORS) } else { separator });
            }
        }
        let style = if rng.random_ratio(1, 4) { style(&mut rng) } else { usual };
        text.push_str(&said(group, style));
    }
    texts.push(text);
    texts
}

fn groups<'a>(number: &'a str, rng: &mut Xoshiro256PlusPlus) -> Vec<&'a str> {
    let usual = rng.random_range(0..5);
    let mut groups = Vec::new();
    let mut rest = number;
    while !rest.is_empty() {
        let length = if usual == 0 { rng.random_range(1..5) } else { usual };
        let (group, after) = rest.split_at(length.min(rest.len()));
        groups.push(group);
        rest = after;
    }
    groups
}

/// How a group is written.
#[derive(Clone, Copy)]
enum Style {
    Digits,
    Script(u32),
    OneByOne,
    Number(Tens),
    Multiples,
    English,
}

fn style(rng: &mut Xoshiro256PlusPlus) -> Style {
    match rng.random_range(0..12) {
        0..4 => Style::Digits,
        4..7 => Style::OneByOne,
        7 => Style::Number(Tens::Joined),
        8 => Style::Number(Tens::Bare),
        9 => Style::Number(Tens::RunTogether),
        10 => Style::Multiples,
        _ if rng.random_bool(0.5) => Style::English,
        _ => Style::Script(ZEROS[rng.random_range(0..ZEROS.len())]),
    }
}

fn said(group: &str, style: Style) -> String {
    match style {
        Style::Digits => group.to_owned(),
        Style::Script(zero) => {
            let shifted = |c: char| char::from_u32(zero + u32::from(c) - u32::from('0'));
            group.chars().filter_map(shifted).collect()
        }
        Style::OneByOne => words::one_by_one(group, " "),
        Style::Number(tens) => words::as_number(group, tens),
        Style::Multiples => words::with_multiples(group),
        Style::English => words::in_english(group, false),
    }
}
