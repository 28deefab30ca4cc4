//! Numbers in words: Spanish as it is spoken in Mexico, and English.

const UNITS: [&str; 10] = ["cero", "uno", "dos", "tres", "cuatro", "cinco", "seis", "siete", "ocho", "nueve"];

const TEENS: [&str; 20] = [
    "diez",
    "once",
    "doce",
    "trece",
    "catorce",
    "quince",
    "dieciséis",
    "diecisiete",
    "dieciocho",
    "diecinueve",
    "veinte",
    "veintiuno",
    "veintidós",
    "veintitrés",
    "veinticuatro",
    "veinticinco",
    "veintiséis",
    "veintisiete",
    "veintiocho",
    "veintinueve",
];

const TENS: [&str; 10] =
    ["", "", "", "treinta", "cuarenta", "cincuenta", "sesenta", "setenta", "ochenta", "noventa"];

const HUNDREDS: [&str; 10] = [
    "",
    "ciento",
    "doscientos",
    "trescientos",
    "cuatrocientos",
    "quinientos",
    "seiscientos",
    "setecientos",
    "ochocientos",
    "novecientos",
];

const ENGLISH: [&str; 10] = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"];

/// How tens and units are joined.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Tens {
    /// `cincuenta y cinco`
    Joined,
    /// `cincuenta cinco`
    Bare,
    /// `cincuentaicinco`
    RunTogether,
}

fn digits(text: &str) -> impl Iterator<Item = usize> {
    text.bytes().filter(u8::is_ascii_digit).map(|byte| usize::from(byte - b'0'))
}

/// Each digit a word.
pub(super) fn one_by_one(text: &str, separator: &str) -> String {
    digits(text).map(|digit| UNITS[digit]).collect::<Vec<_>>().join(separator)
}

/// Each digit a word of English; a zero is `oh` where that is wanted.
pub(super) fn in_english(text: &str, has_oh: bool) -> String {
    let word = |digit| if has_oh && digit == 0 { "oh" } else { ENGLISH[digit] };
    digits(text).map(word).collect::<Vec<_>>().join(" ")
}

/// Each digit a word, equal neighbours as `doble` and `triple`.
pub(super) fn with_multiples(text: &str) -> String {
    let all: Vec<usize> = digits(text).collect();
    let runs = all.chunk_by(|one, next| one == next).flat_map(|run| run.chunks(3));
    let words = runs.map(|run| match run.len() {
        1 => UNITS[run[0]].to_owned(),
        2 => format!("doble {}", UNITS[run[0]]),
        _ => format!("triple {}", UNITS[run[0]]),
    });
    words.collect::<Vec<_>>().join(" ")
}

/// A group of up to four digits as one number; zeros before it are said one by one.
pub(super) fn as_number(group: &str, tens: Tens) -> String {
    let significant = group.trim_start_matches('0');
    let mut words = vec![UNITS[0].to_owned(); group.len() - significant.len()];
    if !significant.is_empty() {
        words.push(cardinal(significant.parse().expect("a few digits"), tens));
    }
    words.join(" ")
}

/// A number below a million in words.
pub(super) fn cardinal(number: usize, tens: Tens) -> String {
    match number {
        0..10 => UNITS[number].to_owned(),
        10..30 => TEENS[number - 10].to_owned(),
        30..100 => match (TENS[number / 10], number % 10, tens) {
            (ten, 0, _) => ten.to_owned(),
            (ten, unit, Tens::Joined) => format!("{ten} y {}", UNITS[unit]),
            (ten, unit, Tens::Bare) => format!("{ten} {}", UNITS[unit]),
            (ten, unit, Tens::RunTogether) => format!("{ten}i{}", UNITS[unit]),
        },
        100 => "cien".to_owned(),
        101..1000 => with_rest(HUNDREDS[number / 100].to_owned(), number % 100, tens),
        1000..2000 => with_rest("mil".to_owned(), number % 1000, tens),
        _ => with_rest(format!("{} mil", cardinal(number / 1000, tens)), number % 1000, tens),
    }
}

fn with_rest(words: String, rest: usize, tens: Tens) -> String {
    if rest == 0 { words } else { format!("{words} {}", cardinal(rest, tens)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_said_as_people_say_them() {
        assert_eq!(one_by_one("0912", " "), "cero nueve uno dos");
        assert_eq!(as_number("55", Tens::Joined), "cincuenta y cinco");
        assert_eq!(as_number("55", Tens::Bare), "cincuenta cinco");
        assert_eq!(as_number("55", Tens::RunTogether), "cincuentaicinco");
        assert_eq!(as_number("0012", Tens::Joined), "cero cero doce");
        assert_eq!(as_number("00", Tens::Joined), "cero cero");
        assert_eq!(as_number("551", Tens::Joined), "quinientos cincuenta y uno");
        assert_eq!(as_number("5678", Tens::Joined), "cinco mil seiscientos setenta y ocho");
        assert_eq!(with_multiples("5500077"), "doble cinco triple cero doble siete");
        assert_eq!(with_multiples("55550"), "triple cinco cinco cero");
        assert_eq!(in_english("5012", true), "five oh one two");
    }
}
