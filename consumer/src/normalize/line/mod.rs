//! The caller's line, made ready for searching once per conversation: numbers, short numbers, and literals.

mod literal;
mod nobody;

use std::borrow::Cow;

use shared::elevenlabs::CallerLine;
use smallvec::{SmallVec, smallvec};

use super::mask::without_nul;
use super::numerals::{digit, plain_digits, scan};
pub(super) use literal::Literal;
use nobody::is_nobody;

/// Digits of a number in national form: a number is recognised by this many at its end.
pub(super) const MAX_CORE_DIGITS: usize = 10;

/// Fewest digits that are hidden where somebody says that they are of the number, or repeats them.
pub(super) const MIN_DIGITS_SAID: usize = 4;

/// A number of fewer digits is short, unless it is written with a `+`.
const MIN_INTERNATIONAL_DIGITS: usize = 7;

/// No number of a country has more digits (ITU-T E.164).
const MAX_INTERNATIONAL_DIGITS: usize = 15;

/// Ten digits in words take more bytes.
const MIN_SAID_BYTES: usize = 20;

/// A number of fewer digits identifies nobody, and would blank every count of that size.
const MIN_SHORT_DIGITS: usize = 3;

/// Country and trunk codes of Mexico: 1 after the country code was for mobiles, 044, 045 and 01 were dialled before.
const MEXICAN_CODES: [&[u8]; 5] = [&[5, 2], &[5, 2, 1], &[0, 1], &[0, 4, 4], &[0, 4, 5]];

/// International access codes: most countries', and North America's.
const ACCESS_CODES: [&[u8]; 2] = [&[0, 0], &[0, 1, 1]];

/// What to look for.
#[derive(Default)]
pub(super) struct Line {
    /// Numbers, long and short.
    pub(super) numbers: Vec<Number>,
    /// Addresses, names and ids.
    pub(super) literals: Vec<Literal>,
}

/// Digits, each 0 to 9: so many that a number has seldom more.
pub(super) type Digits = SmallVec<[u8; 16]>;

/// A number by its last digits, with what may stand before them.
#[derive(Debug, Eq, PartialEq)]
pub(super) struct Number {
    /// Last ten digits, or all when there are fewer.
    pub(super) core: Digits,
    /// Country codes that it was written with, each once.
    codes: SmallVec<[Digits; 2]>,
    is_short: bool,
}

impl Number {
    /// Tells that so few digits may be a count, a date or a price: what stands around them decides.
    pub(super) fn is_short(&self) -> bool {
        self.is_short
    }

    /// Fewest digits that are looked at.
    pub(super) fn min_digits(&self) -> usize {
        if self.is_short { self.core.len() } else { MIN_DIGITS_SAID }
    }

    /// Codes that may be dialled or said before it: an access code, a country or trunk code, or both.
    pub(super) fn prefixes(&self) -> impl Iterator<Item = Prefix<'_>> {
        let is_mexican = self.codes.iter().all(|code| code.is_empty() || MEXICAN_CODES.contains(&&code[..]));
        let mexican = MEXICAN_CODES.into_iter().filter(move |_| is_mexican);
        let own = self.codes.iter().map(|code| &code[..]).filter(|code| !code.is_empty());
        let codes = own.chain(mexican).chain([&[][..]]);
        let access = ACCESS_CODES.into_iter().chain([&[][..]]);
        let both = access.flat_map(move |access| codes.clone().map(move |code| Prefix([access, code])));
        both.filter(|prefix| prefix.digits().next().is_some())
    }
}

/// Digits that may stand before a number: an access code and another one, of which one may be empty.
pub(super) struct Prefix<'a>([&'a [u8]; 2]);

impl Prefix<'_> {
    /// Digits of it, each 0 to 9.
    pub(super) fn digits(&self) -> impl Iterator<Item = u8> {
        self.0.into_iter().flatten().copied()
    }
}

impl Line {
    pub(super) fn new(caller_line: &CallerLine) -> Self {
        let mut line = Self::default();
        for identifier in caller_line.identifiers() {
            line.add(without_nul(identifier.into()).trim());
        }
        // The numbers that were called are nobody's secret, and stand in what callers read out.
        let mut called = Self::default();
        for number in caller_line.own_lines() {
            called.add_numbers(number);
        }
        line.numbers.retain(|own| called.numbers.iter().all(|number| number.core != own.core));
        line
    }

    fn add(&mut self, identifier: &str) {
        // `"Name" <sip:user@host>`: people put the number in either.
        if let Some((name, rest)) = identifier.split_once('<') {
            self.add_plain(name.trim_matches(|c: char| c == '"' || c == '\'' || c.is_whitespace()));
            return self.add_plain(rest.split_once('>').map_or(rest, |(inner, _)| inner).trim());
        }
        self.add_plain(identifier);
    }

    fn add_plain(&mut self, identifier: &str) {
        let (address, parameters) = address(identifier);
        match address.rsplit_once('@') {
            Some((user, _)) => {
                self.add_numbers(user);
                self.add_literal(user);
            }
            None => self.add_numbers(address),
        }
        self.add_literal(address);
        let extension = parameters.split(';').find_map(|parameter| parameter.strip_prefix("ext="));
        self.add_digits(&digits(extension.unwrap_or_default()), false);
    }

    /// Every number in a text: between letters and delimiters, whole where nothing else is a number by itself.
    fn add_numbers(&mut self, text: &str) {
        // Most are a number and nothing else, or have none.
        let bare = text.strip_prefix('+').unwrap_or(text);
        if (MAX_CORE_DIGITS..=MAX_INTERNATIONAL_DIGITS).contains(&bare.len())
            && bare.bytes().all(|byte| byte.is_ascii_digit())
        {
            return self.add_digits(&digits(bare), bare.len() < text.len());
        }
        let has_letters = text.chars().any(char::is_alphabetic);
        // In words, a number takes several, and some bytes.
        let is_said = has_letters && text.len() >= MIN_SAID_BYTES && text.contains(' ');
        let is_delimiter = |c: char| c.is_alphabetic() || ",;#/|*&=:\n\t".contains(c);
        let is_long = |group: &str| count_digits(group) >= MIN_INTERNATIONAL_DIGITS;
        if has_letters && !is_said && !text.split(is_delimiter).any(is_long) {
            return;
        }
        if !has_letters && count_digits(text) < MAX_CORE_DIGITS {
            return self.add_digits(&digits(text), text.starts_with('+'));
        }
        let text = without_exponent(text);
        let groups: Vec<&str> = text.split(is_delimiter).flat_map(numbers_apart).collect();
        let lengths = groups.iter().map(|group| count_digits(group));
        let has_whole = lengths.clone().any(|length| length >= MAX_CORE_DIGITS);
        if !has_letters && !has_whole {
            self.add_digits(&digits(&text), text.starts_with('+'));
            return;
        }
        // Fewer digits among letters are part of a name, unless they follow a number: then they are its extension.
        for (group, length) in groups.iter().zip(lengths) {
            if has_whole || length >= MIN_INTERNATIONAL_DIGITS {
                self.add_digits(&digits(group), group.trim_start().starts_with('+'));
            }
        }
        if is_said && !has_whole {
            let numerals = scan(&text);
            let said = plain_digits(&numerals.tokens);
            if numerals.words == 0 && said.len() >= MAX_CORE_DIGITS {
                self.add_digits(&said, false);
            }
        }
    }

    fn add_digits(&mut self, digits: &[u8], is_international: bool) {
        let long = |rest: &&[u8]| rest.len() >= MAX_CORE_DIGITS;
        let bare = ACCESS_CODES
            .iter()
            .find_map(|access| digits.strip_prefix(*access).filter(long))
            .unwrap_or(digits);
        if digits.len() < MIN_SHORT_DIGITS || is_nobody(bare) {
            return;
        }
        let is_short =
            bare.len() < MAX_CORE_DIGITS && !(is_international && bare.len() >= MIN_INTERNATIONAL_DIGITS);
        let (before, core) = bare.split_at(bare.len().saturating_sub(MAX_CORE_DIGITS));
        self.add_number(before, core, is_short);
        if before.is_empty() {
            return;
        }
        // An extension may hang behind it: then the number is the first ten digits, after a code if there is one.
        let codes = [MEXICAN_CODES[1], MEXICAN_CODES[0], &[]];
        let begun = codes.iter().find_map(|code| Some((code, bare.strip_prefix(*code).filter(long)?)));
        if let Some((code, rest)) = begun {
            let (number, extension) = rest.split_at(MAX_CORE_DIGITS);
            self.add_number(code, number, false);
            if (MIN_SHORT_DIGITS..MIN_INTERNATIONAL_DIGITS).contains(&extension.len()) {
                self.add_number(&[], extension, true);
            }
        }
    }

    fn add_number(&mut self, before: &[u8], core: &[u8], is_short: bool) {
        if is_nobody(core) {
            return;
        }
        match self.numbers.iter_mut().find(|own| own.core[..] == *core) {
            Some(own) if own.codes.iter().any(|code| code[..] == *before) => {}
            Some(own) => own.codes.push(before.into()),
            None => {
                self.numbers.push(Number { core: core.into(), codes: smallvec![before.into()], is_short });
            }
        }
    }

    fn add_literal(&mut self, text: &str) {
        if let Some(literal) = Literal::new(text)
            && !self.literals.contains(&literal)
        {
            self.literals.push(literal);
        }
    }
}

/// The address in `sip:user@host;tag=1`, and its parameters; any other text as it is.
fn address(identifier: &str) -> (&str, &str) {
    for scheme in ["sips:", "sip:", "tel:", "whatsapp:", "mailto:"] {
        if identifier.get(..scheme.len()).is_some_and(|start| start.eq_ignore_ascii_case(scheme)) {
            let address = &identifier[scheme.len()..];
            return address.split_once([';', '?']).unwrap_or((address, ""));
        }
    }
    (identifier, "")
}

/// Groups of digits in which a space or a sign stands between two numbers: one of them is whole by itself.
fn numbers_apart(text: &str) -> Vec<&str> {
    let apart: Vec<&str> = text.split_whitespace().collect();
    if apart.iter().any(|part| count_digits(part) >= MAX_CORE_DIGITS) { apart } else { vec![text] }
}

/// A number that a program wrote as floating-point, `5.512345678e9` or `5512345678.0`, as its digits.
fn without_exponent(text: &str) -> Cow<'_, str> {
    let is_float = text.bytes().all(|byte| byte.is_ascii_digit() || b"+-.eE".contains(&byte))
        && text.contains(['e', 'E']);
    if is_float && let Ok(value) = text.parse::<f64>() {
        return format!("{:.0}", value.abs()).into();
    }
    let whole = text.split_once('.').filter(|(_, zeros)| zeros.bytes().all(|byte| byte == b'0'));
    whole.map_or(text, |(whole, _)| whole).into()
}

fn digits(text: &str) -> Digits {
    text.chars().filter_map(digit).collect()
}

fn count_digits(text: &str) -> usize {
    text.chars().filter(|c| digit(*c).is_some()).count()
}
