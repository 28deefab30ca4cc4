//! Cues: the words before some digits that say what they are.

use super::super::numerals::{folded, words};
use super::Passage;

/// How many words before the digits are looked at.
const REACH: usize = 6;

/// What follows is an account or a card.
pub(super) const ACCOUNT: [&str; 6] = ["clabe", "cuenta", "interbancaria", "tarjeta", "card", "account"];

/// What follows is a piece of a telephone number.
pub(super) const PIECE: [&str; 20] = [
    "acaba",
    "acabado",
    "comienza",
    "comienzan",
    "digitos",
    "empieza",
    "empiezan",
    "ending",
    "ends",
    "final",
    "finaliza",
    "inicia",
    "lada",
    "primeros",
    "starts",
    "termina",
    "terminacion",
    "terminan",
    "ultimas",
    "ultimos",
];

/// What follows is a telephone number or an extension.
pub(super) const TELEPHONE: [&str; 24] = [
    "anexo",
    "cel",
    "celular",
    "contacto",
    "ext",
    "extension",
    "interno",
    "llamaban",
    "llaman",
    "llamando",
    "llamar",
    "llamo",
    "marca",
    "marcan",
    "marcando",
    "marcar",
    "marco",
    "movil",
    "number",
    "numero",
    "phone",
    "tel",
    "telefono",
    "whatsapp",
];

/// What follows is a time of day.
const TIME: [&str; 2] = ["la", "las"];

/// Tells whether one of the words stands shortly before a place of a passage; the end of the passage before it counts.
pub(super) fn precedes(passages: &[Passage], passage: usize, start: usize, cues: &[&str]) -> bool {
    let here = passages[passage].text.get(..start).unwrap_or_default();
    let before = passage.checked_sub(1).map_or("", |before| passages[before].text);
    let near = words(here).rev().chain(words(before).rev()).take(REACH);
    near.map(|(_, word)| folded(word).collect::<String>()).any(|word| cues.contains(&word.as_str()))
}

/// Tells whether the words before a place say that a time of day follows: `a las`.
pub(super) fn is_time(passages: &[Passage], passage: usize, start: usize) -> bool {
    let here = passages[passage].text.get(..start).unwrap_or_default();
    words(here).next_back().is_some_and(|(_, word)| TIME.contains(&folded(word).collect::<String>().as_str()))
}
