//! What has digits and is nobody's line: other numbers, cards, accounts, sums, dates, clock times, references.

use rand::RngExt;
use rand::rngs::Xoshiro256PlusPlus;

use super::words::{self, Tens};
use crate::dice;

type Rng = Xoshiro256PlusPlus;

/// A sentence, and the part of it that must stay as it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Other {
    /// The whole sentence.
    pub sentence: String,
    /// The number, sum, date … in it.
    pub kept: String,
}

/// How many kinds there are.
pub const KINDS: u64 = 16;

/// Something of this kind that stands beside the line `number`; a kind beyond the last begins anew.
///
/// Another's telephone number has at least three other digits than the line, though it may begin with the same four.
///
/// # Panics
/// If the number is not ten digits.
#[must_use]
pub fn other(number: &str, kind: u64, seed: u64) -> Other {
    assert!(number.len() == 10 && number.bytes().all(|byte| byte.is_ascii_digit()), "ten digits");
    let rng = &mut dice::rng(seed, "other", kind);
    let (before, kept, after) = match kind % KINDS {
        0 => ("Me marcaron del ", written(&strangers(number, 2, rng)), "."),
        1 => ("El que me habló trae el ", written(&strangers(number, 4, rng)), "."),
        2 => ("El número del señor es ", spoken(&strangers(number, 4, rng)), "."),
        3 => ("También hablaron del ", words::one_by_one(&strangers(number, 2, rng), " "), "."),
        4 => ("Querían el depósito en la tarjeta ", card(rng), "."),
        5 => ("Me dieron la CLABE ", format!("0121800{}", digits(11, rng)), "."),
        6 => ("Me pidieron ", words::cardinal(amount(rng), Tens::Joined) + " pesos", "."),
        7 => ("Decían que eran ", millions(rng), ", imagínese."),
        8 => ("Querían ", thousands(amount(rng)), " en efectivo."),
        9 => ("Eso fue ", date(rng), "."),
        10 => ("Llamaron ", format!("a las {}:{:02}", rng.random_range(1..13), rng.random_range(0..60)), "."),
        11 => ("Llamaron ", clock(rng), "."),
        12 => ("Tengo el folio ", format!("FGJ/{}/2025-{:02}", digits(4, rng), rng.random_range(1..13)), "."),
        13 => ("Mi papá tiene ", words::cardinal(rng.random_range(31..100), Tens::Joined) + " años", "."),
        14 => {
            ("Es en ", format!("Calle {} número {}", rng.random_range(1..90), rng.random_range(1..900)), ".")
        }
        _ => (
            "Ya van ",
            format!("{} llamadas y {} mensajes", rng.random_range(2..90), rng.random_range(2..40)),
            ".",
        ),
    };
    Other { sentence: format!("{before}{kept}{after}"), kept }
}

/// Another's number: so many digits in front are the line's, the next three are not.
fn strangers(number: &str, shared: usize, rng: &mut Rng) -> String {
    let other = |digit: char, rng: &mut Rng| {
        let digit = digit.to_digit(10).expect("a digit");
        char::from_digit((digit + rng.random_range(1..10)) % 10, 10).expect("below ten")
    };
    let changed = number[shared..shared + 3].chars().map(|digit| other(digit, rng));
    let changed: String = changed.collect();
    format!("{}{changed}{}", &number[..shared], digits(7 - shared, rng))
}

fn digits(count: usize, rng: &mut Rng) -> String {
    (0..count).map(|_| char::from(rng.random_range(b'0'..=b'9'))).collect()
}

fn written(number: &str) -> String {
    format!("{} {} {}", &number[..2], &number[2..6], &number[6..])
}

fn spoken(number: &str) -> String {
    let pairs = (0..10).step_by(2).map(|place| words::as_number(&number[place..place + 2], Tens::Joined));
    pairs.collect::<Vec<_>>().join(" ")
}

fn card(rng: &mut Rng) -> String {
    format!("4152 3137 {} {}", digits(4, rng), digits(4, rng))
}

fn amount(rng: &mut Rng) -> usize {
    rng.random_range(4..998) * 500
}

fn millions(rng: &mut Rng) -> String {
    let (millions, thousands) = (rng.random_range(2..10), rng.random_range(1..999));
    let said = |number| words::cardinal(number, Tens::Joined);
    format!("{} millones {} mil pesos", said(millions), said(thousands))
}

/// A sum with its thousands set apart.
fn thousands(amount: usize) -> String {
    format!("${},{:03}.00", amount / 1000, amount % 1000)
}

fn date(rng: &mut Rng) -> String {
    let month = dice::pick(rng, &["enero", "marzo", "mayo", "agosto", "octubre", "diciembre"]);
    format!("el {} de {month} de 2025", rng.random_range(1..29))
}

fn clock(rng: &mut Rng) -> String {
    let hour = words::cardinal(rng.random_range(2..13), Tens::Joined);
    let minutes = dice::pick(rng, &["y media", "y cuarto", "y diez", "en punto", "cincuenta y cinco"]);
    format!("a las {hour} {minutes}")
}
