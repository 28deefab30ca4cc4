//! `data_collection_results`: what was picked out of a call, in every type a value can have.

use serde::Serialize;
use serde_json::{Number, Value, json};

use super::detail::Ingredients;
use crate::call::turns::spoken_number;

/// One collected item.
#[derive(Debug, Serialize)]
pub(crate) struct Item {
    pub(crate) data_collection_id: &'static str,
    value: Value,
    json_schema: Schema,
    rationale: String,
}

#[derive(Debug, Serialize)]
struct Schema {
    #[serde(rename = "type")]
    kind: &'static str,
    description: &'static str,
    r#enum: Option<()>,
    constant_value: &'static str,
    dynamic_variable: &'static str,
    #[serde(flatten)]
    rare: Option<RareSchema>,
}

#[derive(Debug, Default, Serialize)]
struct RareSchema {
    is_system_provided: bool,
    allowed_values_dynamic_variable: &'static str,
    is_omitted: bool,
}

/// The collected items; which there are depends on the agent.
pub(crate) fn items(from: &Ingredients<'_>) -> Vec<Item> {
    let call = from.call;
    let slots = from.slots;
    let (name, address) = (&from.private.name, &from.private.address);
    let found = format!("La persona, que dijo llamarse {name} y vivir en {address}, lo declaró.");
    let missing = format!("{name} no mencionó este dato durante la llamada.");
    let mut items = Vec::with_capacity(10);
    let mut add = |data_collection_id: &'static str, kind: &'static str, value: Value| {
        let rationale = if value.is_null() { missing.clone() } else { found.clone() };
        let json_schema = Schema {
            kind,
            description: "Dato del reporte.",
            r#enum: None,
            constant_value: "",
            dynamic_variable: "",
            rare: call.is_full().then(RareSchema::default),
        };
        items.push(Item { data_collection_id, value, json_schema, rationale });
    };
    add("id_extorsion", "string", report_code(from));
    add(call.agent.manner_item(), "string", text_or_null(call.every(9, 4), call.story.manner));
    if !call.every(14, 3) {
        add("tiempo", "string", text_or_null(call.every(11, 5), slots.time));
    }
    add(
        "lugar",
        "string",
        if call.every(13, 6) { json!("") } else { text_or_null(call.every(7, 2), slots.place) },
    );
    add("numero_llamadas", "integer", json!(slots.calls));
    add("hubo_amenaza", "boolean", threat(from));
    add("monto_exigido", "number", amount(from));
    if call.is_reading_number() {
        let value = if call.every(30, 7) { json!(call.caller) } else { json!(spoken_number(call)) };
        add("telefono_contacto", if value.is_string() { "string" } else { "integer" }, value);
    }
    for (name, value) in told(from) {
        add(name, if value.is_number() { "number" } else { "string" }, value);
    }
    if call.every(31, 2) {
        add("evidencias", "string", json!(["audio", "captura", null]));
    }
    if call.every(37, 4) {
        add("vehiculo", "string", json!({ "tipo": "motocicleta", "color": "negro", "placas": null }));
    }
    items
}

/// The line where a caller dictated it, in one of the shapes that agents collect it in, and another's number.
fn told(from: &Ingredients<'_>) -> Vec<(&'static str, Value)> {
    let (call, exchange) = (from.call, from.exchange);
    let (Some(told), Some(line)) = (&exchange.in_items, call.line()) else { return vec![] };
    let mut items = match call.number / 4 % 7 {
        0 => vec![("lada", json!(line[..2])), ("numero", json!(line[2..]))],
        1 => vec![("contacto", json!(call.caller))],
        #[expect(clippy::cast_precision_loss, reason = "ten digits")]
        2 => vec![("contacto", json!(call.caller as f64))],
        3 => vec![("contacto", json!([line[..2], line[2..6], line[6..]]))],
        4 => vec![("contacto", json!({ "lada": line[..2], "numero": line[2..] }))],
        5 => vec![("contacto", json!({ line: "propio" }))],
        _ => vec![("contacto", json!({ "propio": told }))],
    };
    items.push(("como_localizarle", json!(told)));
    items.extend(exchange.stranger.iter().map(|stranger| ("numero_agresor", json!(stranger.kept))));
    items
}

/// A code with some agents, words with others; sometimes nothing was found.
fn report_code(from: &Ingredients<'_>) -> Value {
    let call = from.call;
    match call.number % 10 {
        _ if call.every(19, 8) => Value::Null,
        0..5 => json!(call.story.code),
        5..9 => json!(call.story.name),
        _ => json!(format!("{} - {}", call.story.code, call.story.name)),
    }
}

fn text_or_null(is_null: bool, text: &str) -> Value {
    if is_null { Value::Null } else { json!(text) }
}

fn threat(from: &Ingredients<'_>) -> Value {
    match from.call.number % 12 {
        0..8 => json!(true),
        8..11 => json!(false),
        _ => Value::Null,
    }
}

/// A number with and without a point, and in a few calls one that no machine integer holds.
fn amount(from: &Ingredients<'_>) -> Value {
    let amount = from.slots.amount;
    let written = match from.call.number % 53 {
        7 => "123456789012345678901234567890".to_owned(),
        8 => "18446744073709551616".to_owned(),
        9 => "1.5e4".to_owned(),
        number if number % 3 == 0 => format!("{amount}.50"),
        number if number % 3 == 1 => format!("{amount}.0"),
        _ => amount.to_string(),
    };
    Value::Number(written.parse::<Number>().expect("every amount is written as JSON writes numbers"))
}
