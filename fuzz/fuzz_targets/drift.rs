//! The API changes its types: at a path of a body that has a value in every field, whatever bytes come, or what was there
//! with bytes around it. Whoever calls so is stored, and the number that the body names in all the other fields is masked.
#![no_main]

use consumer::normalize::normalize;
use libfuzzer_sys::fuzz_target;
use serde_json::Value;
use shared::config::ReportConfig;
use shared::elevenlabs::{ApiError, Conversation};

const WHOLE: &str = include_str!("../../consumer/tests/fixtures/whole.json");

/// The caller's line, as the body names it.
const LINE: &str = "5512345678";

/// Where the other JSON is put in.
const HOLE: &str = "\"hueco\"";

fuzz_target!(|input: &[u8]| {
    let [path, around, json @ ..] = input else { return };
    let mut body: Value = serde_json::from_str(WHOLE).expect("JSON");
    let pointers = pointers(&body, "");
    let pointer = &pointers[usize::from(*path) % pointers.len()];
    let place = body.pointer_mut(pointer).expect("it was just found");
    let was = std::mem::replace(place, Value::from("hueco")).to_string();
    let json = String::from_utf8_lossy(json).into_owned();
    let instead = match around % 4 {
        0 => json.clone(),
        1 => format!("[{json},{was}]"),
        2 => format!("{{\"a\":{was},\"b\":{json}}}"),
        _ => format!("[[{was}],{{\"x\":{json}}}]"),
    };
    // Some bytes change the body's own shape: then it may be without an id.
    let changes_shape = serde_json::from_str::<Value>(&instead).is_err();
    let body = body.to_string().replacen(HOLE, &instead, 1);
    let conversation = match Conversation::parse(body.as_bytes()) {
        Ok(conversation) => conversation,
        Err(ApiError::NotJson { .. } | ApiError::Malformed { .. }) => {
            assert!(changes_shape || pointer == "/conversation_id", "{pointer}: {body}");
            return;
        }
        Err(other) => panic!("a body is no fault of the network: {other}"),
    };
    let rows = normalize(&conversation, &ReportConfig::default());
    assert_eq!(rows, normalize(&conversation, &ReportConfig::default()), "twice is the same");
    // What comes in with digits of its own may say another number beside this one, or in its middle.
    if changes_shape || json.contains(|c: char| c.is_numeric()) {
        return;
    }
    let text = serde_json::to_string(&(&rows.conversation, &rows.report)).expect("rows serialize");
    assert!(!text.contains("\\u0000"), "PostgreSQL cannot hold {text}");
    let signs = text.chars().filter(|c| c.is_alphanumeric());
    let digits: String = signs.map(|c| if c.is_ascii_digit() { c } else { '|' }).collect();
    assert!(!digits.contains(LINE), "{pointer}: {body}: {text}");
});

/// The places of all values but the root, as JSON pointers.
fn pointers(value: &Value, at: &str) -> Vec<String> {
    let children: Vec<(String, &Value)> = match value {
        Value::Array(values) => values.iter().enumerate().map(|(index, value)| (index.to_string(), value)).collect(),
        Value::Object(entries) => entries.iter().map(|(key, value)| (key.clone(), value)).collect(),
        _ => Vec::new(),
    };
    let mut found = Vec::new();
    for (step, child) in children {
        let pointer = format!("{at}/{step}");
        found.extend(pointers(child, &pointer));
        found.push(pointer);
    }
    found
}
