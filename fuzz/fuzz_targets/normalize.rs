//! A body of the API, through the parser and the normalizer: rows that the tables can hold, the same each time, and
//! without the number that the body names.
#![no_main]

use consumer::normalize::{MASK, normalize};
use libfuzzer_sys::fuzz_target;
use serde_json::Value;
use shared::config::ReportConfig;
use shared::database::rows::{CallRows, ConversationRow, ReportRow};
use shared::elevenlabs::{ApiError, Conversation};

fuzz_target!(|body: &[u8]| {
    let config = ReportConfig::default();
    let conversation = match Conversation::parse(body) {
        Ok(conversation) => conversation,
        Err(ApiError::NotJson { .. } | ApiError::Malformed { .. }) => return,
        Err(other) => panic!("a body is no fault of the network: {other}"),
    };
    let rows = normalize(&conversation, &config);
    assert_eq!(rows, normalize(&conversation, &config), "twice is the same");
    // Of a key that comes twice, the order does matter.
    if conversation.oddities.is_empty()
        && let Ok(value) = serde_json::from_slice::<Value>(body)
    {
        let sorted = value.to_string();
        let reordered = Conversation::parse(sorted.as_bytes()).expect("the same body, sorted");
        assert_eq!(rows, normalize(&reordered, &config), "the order of keys is nothing to us");
        // What only the lenient reader takes: it gives a documented body no other form.
        let marked = Conversation::parse(format!("\u{feff}{sorted}").as_bytes()).expect("the same body, marked");
        let mut lenient = normalize(&marked, &config);
        lenient.conversation.rarezas.clone_from(&rows.conversation.rarezas);
        assert_eq!(rows, lenient, "both readers agree");
    }
    let texts = texts(&rows);
    for text in &texts {
        assert!(!text.contains('\0'), "PostgreSQL cannot hold {text:?}");
    }
    // The number that was called is not masked, also where it is given as the caller's.
    let is_known = conversation.caller_line.own_lines().next().is_none();
    for secret in conversation.caller_line.identifiers().filter(|_| is_known).filter_map(Secret::of) {
        for text in &texts {
            assert!(!secret.shows_in(text), "the caller's line in {text:?}");
        }
    }
});

/// What an excluded call has for a report.
const NONE: ReportRow = ReportRow { id_extorsion: None, modo: None, tiempo: None, lugar: None };

/// What stands in the columns that hold text, one by one. The times are values of their own, which may well equal a
/// number of a few digits.
fn texts(rows: &CallRows) -> Vec<String> {
    let ConversationRow {
        conversation_id: _,
        agent_id: _,
        fecha: _,
        hora_inicio: _,
        hora_fin: _,
        inicio: _,
        fin: _,
        duracion_segundos: _,
        duracion,
        transcripcion,
        estado,
        resumen,
        idioma,
        exito,
        datos,
        evaluacion,
        origen,
        tapado,
        rarezas,
    } = &rows.conversation;
    let ReportRow { id_extorsion, modo, tiempo, lugar } = rows.report.as_ref().unwrap_or(&NONE);
    let plain = [duracion, estado, resumen, idioma, exito, origen, id_extorsion, modo, tiempo, lugar];
    let mut texts: Vec<String> = plain.into_iter().flatten().cloned().collect();
    texts.push(transcripcion.clone());
    for (id, value) in [datos, evaluacion, tapado, rarezas].into_iter().flatten().filter_map(Value::as_object).flatten() {
        texts.push(id.clone());
        leaves(value, &mut texts);
        // In the whole, where a number stands that was told digit by digit.
        if value.is_array() || value.is_object() {
            texts.push(value.to_string());
        }
    }
    texts
}

fn leaves(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::Null | Value::Bool(_) => {}
        Value::Number(number) => found.push(number.to_string()),
        Value::String(text) => found.push(text.clone()),
        Value::Array(values) => values.iter().for_each(|value| leaves(value, found)),
        Value::Object(entries) => entries.iter().for_each(|(key, value)| {
            found.push(key.clone());
            leaves(value, found);
        }),
    }
}

/// What must not show: an identifier of a form so plain that there is no doubt how to look for it. The normalizer knows
/// more forms; here it is not asked which.
enum Secret {
    /// The last ten digits of a number.
    Number(String),
    /// An address, in lower case.
    Address(String),
}

impl Secret {
    /// Carriers write other things in place of a withheld number, which begin so: they identify nobody.
    const NOBODY: [&str; 4] = ["0000000000", "7378742833", "8628245225", "2668787878"];

    fn of(identifier: &str) -> Option<Self> {
        let digits = identifier.strip_prefix('+').unwrap_or(identifier);
        if (10..=13).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit()) {
            let is_nobody = digits.starts_with('0') || Self::NOBODY.iter().any(|nobody| digits.contains(nobody));
            return (!is_nobody).then(|| Self::Number(digits[digits.len() - 10..].to_owned()));
        }
        let (user, host) = identifier.split_once('@')?;
        // Words of four letters and more: whole words are masked, and none of these is anybody's role.
        let is_word = |text: &str| text.len() >= 4 && text.bytes().all(|byte| matches!(byte, b'q' | b'x' | b'z'));
        (is_word(user) && is_word(host)).then(|| Self::Address(identifier.to_owned()))
    }

    fn shows_in(&self, text: &str) -> bool {
        match self {
            // Whatever is neither digit nor letter may stand between two digits of a number, but a currency sign; what is
            // longer than a number with its code may be an account.
            Self::Number(core) => {
                let signs = text.chars().filter(|c| c.is_alphanumeric() || "$€£¢".contains(*c));
                let digits: String = signs.map(|c| if c.is_ascii_digit() { c } else { '|' }).collect();
                digits.split('|').any(|run| run.len() < 15 && run.contains(core.as_str()))
            }
            Self::Address(address) => {
                let text = text.replace(MASK, "|").to_lowercase();
                text.split(|c: char| !c.is_alphanumeric() && c != '@').any(|word| word == address)
            }
        }
    }
}
