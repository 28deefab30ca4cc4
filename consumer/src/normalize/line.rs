//! The caller's line, made ready for searching once per conversation.

use shared::elevenlabs::CallerLine;

/// Digits of a number in national form: a number is recognised by this many at its end.
const NATIONAL_DIGITS: usize = 10;

/// A shorter number is too common to be looked for among other digits: it must stand alone.
const MIN_NUMBER_DIGITS: usize = 6;

/// A number of fewer digits identifies nobody, and would blank every count of that size.
const MIN_SHORT_DIGITS: usize = 3;

/// So many digits inside another identifier (`whatsapp:+52…`, `52…@host`) are taken for a telephone number.
const MIN_EMBEDDED_DIGITS: usize = 7;

/// A shorter identifier that is no number would be found inside ordinary words.
const MIN_LITERAL_CHARS: usize = 4;

/// What a network writes when the caller withholds the number: words that identify nobody.
const WITHHELD: [&str; 6] = ["anonymous", "private", "restricted", "unavailable", "unknown", "withheld"];

/// Mexican mobile numbers had a 1 after the country code, and people still add it or leave it out.
const MEXICAN_PREFIXES: [&str; 2] = ["52", "521"];

/// What to look for.
#[derive(Default)]
pub(super) struct Line {
    /// Numbers, found with any separators, also inside longer runs of digits.
    pub(super) numbers: Vec<LineNumber>,
    /// Short numbers, found only where they stand alone.
    pub(super) short_numbers: Vec<String>,
    /// Other identifiers, in lower case.
    pub(super) literals: Vec<String>,
}

/// A number by its last digits, with what may stand before them.
#[derive(Default)]
pub(super) struct LineNumber {
    /// The last ten digits, or all when there are fewer.
    pub(super) core: String,
    /// The digits before the core, a country code.
    pub(super) prefixes: Vec<String>,
    /// Other ways to write them, which count only as a whole.
    pub(super) variants: Vec<&'static str>,
}

impl Line {
    pub(super) fn new(caller_line: &CallerLine) -> Self {
        let mut line = Self::default();
        for identifier in caller_line.identifiers() {
            line.add(identifier.replace('\0', "").trim());
        }
        line
    }

    fn add(&mut self, identifier: &str) {
        let (address, is_uri) = address(identifier);
        if let Some(digits) = as_number(address) {
            return self.add_number(&digits);
        }
        self.add_literal(address);
        if is_uri && let Some((user, _)) = address.split_once('@') {
            match as_number(user) {
                Some(digits) => self.add_number(&digits),
                None => self.add_literal(user),
            }
        }
        for part in
            address.split(|c: char| "@:;=,<>".contains(c) || (c.is_alphanumeric() && digit(c).is_none()))
        {
            let digits: String = part.chars().filter_map(digit).collect();
            if digits.len() >= MIN_EMBEDDED_DIGITS {
                self.add_number(&digits);
            }
        }
    }

    fn add_number(&mut self, digits: &str) {
        // The international access code is no part of the number.
        let bare = digits.strip_prefix("00").filter(|bare| bare.len() >= MIN_NUMBER_DIGITS);
        let digits = bare.unwrap_or(digits);
        if digits.len() < MIN_NUMBER_DIGITS {
            if digits.len() >= MIN_SHORT_DIGITS && !self.short_numbers.iter().any(|own| own == digits) {
                self.short_numbers.push(digits.into());
            }
            return;
        }
        let (prefix, core) = digits.split_at(digits.len().saturating_sub(NATIONAL_DIGITS));
        let known = self.numbers.iter().position(|own| own.core == core);
        let position = known.unwrap_or_else(|| {
            self.numbers.push(LineNumber { core: core.into(), ..LineNumber::default() });
            self.numbers.len() - 1
        });
        let number = &mut self.numbers[position];
        number.prefixes.push(prefix.into());
        if MEXICAN_PREFIXES.contains(&prefix) {
            number.variants = MEXICAN_PREFIXES.to_vec();
        }
    }

    fn add_literal(&mut self, text: &str) {
        let folded: String = text.chars().flat_map(char::to_lowercase).collect();
        let is_withheld = WITHHELD.iter().any(|word| folded == *word);
        if folded.chars().count() >= MIN_LITERAL_CHARS && !is_withheld && !self.literals.contains(&folded) {
            self.literals.push(folded);
        }
    }
}

/// The address in `"Name" <sip:user@host;tag=1>`, and whether it was a URI; any other text as it is.
fn address(identifier: &str) -> (&str, bool) {
    let inner = identifier.split_once('<').and_then(|(_, rest)| rest.split_once('>'));
    let text = inner.map_or(identifier, |(inner, _)| inner);
    for scheme in ["sips:", "sip:", "tel:", "whatsapp:"] {
        if text.get(..scheme.len()).is_some_and(|start| start.eq_ignore_ascii_case(scheme)) {
            let address = &text[scheme.len()..];
            return (address.split([';', '?']).next().unwrap_or(address), true);
        }
    }
    (text, false)
}

/// The digits of a text that has nothing else but separators.
fn as_number(text: &str) -> Option<String> {
    let is_number = text.chars().all(|c| digit(c).is_some() || (!c.is_alphanumeric() && c != '@'));
    let digits: String = text.chars().filter_map(digit).collect();
    (is_number && !digits.is_empty()).then_some(digits)
}

/// The digit that a character writes, in the scripts that telephones and speech recognition put out, as ASCII.
pub(super) fn digit(c: char) -> Option<char> {
    if c.is_ascii() {
        return c.is_ascii_digit().then_some(c);
    }
    // Arabic-Indic, extended Arabic-Indic, full width.
    [0x660, 0x6F0, 0xFF10].into_iter().find_map(|zero| char::from_digit(u32::from(c).checked_sub(zero)?, 10))
}
