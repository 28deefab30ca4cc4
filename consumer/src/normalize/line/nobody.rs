//! What stands in place of an identifier, and identifies nobody.

use super::MIN_INTERNATIONAL_DIGITS;

/// Roles, stand-ins of carriers for a withheld number, and other words that identify nobody, without accents.
pub(super) const NOBODY: [&str; 60] = [
    "agent",
    "agente",
    "anonimo",
    "anonymous",
    "area",
    "asistente",
    "available",
    "blocked",
    "caller",
    "calling",
    "celular",
    "ciudad",
    "client",
    "cliente",
    "customer",
    "de",
    "default",
    "desconocido",
    "disponible",
    "entrante",
    "estado",
    "guest",
    "id",
    "identificado",
    "incoming",
    "invalid",
    "invitado",
    "la",
    "linea",
    "llamada",
    "mexico",
    "mobile",
    "name",
    "no",
    "nombre",
    "not",
    "null",
    "number",
    "numero",
    "oculto",
    "of",
    "out",
    "payphone",
    "phone",
    "private",
    "privado",
    "prueba",
    "restricted",
    "restringido",
    "sin",
    "telefono",
    "test",
    "unavailable",
    "undefined",
    "unknown",
    "user",
    "usuario",
    "web",
    "widget",
    "withheld",
];

/// Tells that digits are what a carrier sends in place of a number: zeros, or the word `anonymous` on a keypad.
pub(super) fn is_nobody(digits: &[u8]) -> bool {
    let key = |letter: u8| match letter {
        b'a'..=b'c' => 2,
        b'd'..=b'f' => 3,
        b'g'..=b'i' => 4,
        b'j'..=b'l' => 5,
        b'm'..=b'o' => 6,
        b'p'..=b's' => 7,
        b't'..=b'v' => 8,
        _ => 9,
    };
    let is_word =
        |word: &&&str| word.len() == digits.len() && word.bytes().map(key).eq(digits.iter().copied());
    digits.iter().all(|digit| *digit == 0)
        || (digits.len() >= MIN_INTERNATIONAL_DIGITS && NOBODY.iter().any(|word| is_word(&word)))
}
